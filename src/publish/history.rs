//! How publishing has gone since the start, for `status`. Pure.

use std::time::SystemTime;

use pop_before_smtp_backends::BackendError;

use crate::time::Now;

/// Counts of publishes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Those that succeeded.
    pub publishes: u64,
    /// Those that failed.
    pub failures: u64,
    /// When the last one succeeded.
    pub last: Option<SystemTime>,
    /// What the last failure said, and when.
    pub last_error: Option<(String, SystemTime)>,
}

impl History {
    pub(super) fn succeeded(&mut self, now: &Now) {
        self.publishes += 1;
        self.last = Some(now.wall);
    }

    pub(super) fn failed(&mut self, now: &Now, error: &BackendError) {
        self.failures += 1;
        self.last_error = Some((error.to_string(), now.wall));
    }
}
