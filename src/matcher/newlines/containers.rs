//! Remembers in which containers a message may go on. Bounded; no I/O.

/// Names of containers; where there is none, that of the only one. Too many are all.
#[derive(Debug, Clone, Default)]
pub(super) struct Containers(Vec<Vec<u8>>);

impl Containers {
    const MOST: usize = 64;

    pub(super) fn add(&mut self, name: Option<&[u8]>) {
        if self.0.len() < Self::MOST && !self.holds(name) {
            self.0.push(name.unwrap_or_default().to_vec());
        }
    }

    pub(super) fn holds(&self, name: Option<&[u8]>) -> bool {
        self.0.len() == Self::MOST || self.0.iter().any(|known| known == name.unwrap_or_default())
    }
}
