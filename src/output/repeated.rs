//! Warnings that a busy or hostile log could bring about again and again. Pure.

use std::time::Duration;

use crate::time::Timestamp;

/// Least time between two warnings of a kind.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// Something worth a warning, but not every time.
#[derive(Debug, Default)]
pub(crate) struct Repeated {
    count: u64,
    warned: Option<Timestamp>,
}

impl Repeated {
    /// Counts; the number since the last warning when it is time for one.
    pub(crate) fn add(&mut self, now: Timestamp, count: u64) -> Option<u64> {
        self.count += count;
        let due = self.warned.is_none_or(|warned| now.since(warned) >= WARNING_INTERVAL);
        (self.count > 0 && due).then(|| {
            self.warned = Some(now);
            std::mem::take(&mut self.count)
        })
    }
}
