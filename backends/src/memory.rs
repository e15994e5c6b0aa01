//! A table in memory: the model that the other backends are tested against, and a backend that tests can break.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::entry::seconds_up;
use crate::{Backend, BackendError, ErrorKind, Listed, Update};

/// A table that nobody but its owner reads. Clones share one table, so that a test can keep a handle and look inside
/// while the daemon owns another.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    table: BTreeMap<IpAddr, u64>,
    publishes: usize,
    attempts: usize,
    clears: usize,
    failing: Option<ErrorKind>,
    failing_clear: Option<ErrorKind>,
    spoilt: bool,
}

impl Memory {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on every publish fails with this kind, or none with `None`. As on a full disk, `clear` still works.
    pub fn fail(&self, with: Option<ErrorKind>) {
        self.state().failing = with;
    }

    /// The same for `clear`.
    pub fn fail_clear(&self, with: Option<ErrorKind>) {
        self.state().failing_clear = with;
    }

    /// Somebody else takes everything out of the table.
    pub fn spoil(&self) {
        let mut state = self.state();
        state.table.clear();
        state.spoilt = true;
    }

    /// How often the table was cleared; that counts as no publish.
    #[must_use]
    pub fn clears(&self) -> usize {
        self.state().clears
    }

    /// How many publishes succeeded.
    #[must_use]
    pub fn publishes(&self) -> usize {
        self.state().publishes
    }

    /// How many publishes were tried.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.state().attempts
    }

    /// What the table holds: addresses in order, with the end of their grant in Unix seconds.
    #[must_use]
    pub fn table(&self) -> BTreeMap<IpAddr, u64> {
        self.state().table.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Memory {
    fn list(&mut self) -> Result<Vec<Listed>, BackendError> {
        let time = |seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        Ok(self.state().table.iter().map(|(&address, &end)| Listed { address, expires: time(end) }).collect())
    }

    fn publish(&mut self, update: &Update<'_>) -> Result<(), BackendError> {
        let mut state = self.state();
        state.attempts += 1;
        told_to_fail(state.failing)?;
        state.table.clear();
        update.clients.for_each(&mut |client| {
            state.table.insert(client.address, seconds_up(client.expires));
        });
        state.publishes += 1;
        state.spoilt = false;
        Ok(())
    }

    fn is_intact(&self) -> bool {
        !self.state().spoilt
    }

    fn clear(&mut self) -> Result<(), BackendError> {
        let mut state = self.state();
        told_to_fail(state.failing_clear)?;
        state.table.clear();
        state.clears += 1;
        Ok(())
    }
}

fn told_to_fail(with: Option<ErrorKind>) -> Result<(), BackendError> {
    with.map_or(Ok(()), |kind| Err(BackendError::new(kind, "write table in memory", "told to fail")))
}
