//! When a child whose output is the log is started again: with growing pauses, and never if it was to end.

use std::io;
use std::time::Duration;

use super::Progress;
use super::child::Child;
use crate::output::error::io_cause;
use crate::time::Timestamp;

/// First and longest time until a child that died is started again.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Whether and when a child is started again.
#[derive(Debug)]
pub(super) struct Restart {
    /// `log` or `journal`, for messages.
    what: &'static str,
    at: Option<Timestamp>,
    /// When the child that runs, or ran last, was started.
    since: Timestamp,
    pause: Duration,
}

impl Restart {
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, at: None, since: Timestamp::default(), pause: BACK_OFF.0 }
    }

    /// When the child is to be started; `None` while it runs.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.at
    }

    /// The child was started.
    pub(super) fn started(&mut self, now: Timestamp) {
        (self.at, self.since) = (None, now);
    }

    /// The child of this name could not be started.
    pub(super) fn failed(&mut self, now: Timestamp, name: &str, error: &io::Error) {
        log::warn!("cannot start {name}: {}; trying again in {:?}", io_cause(error), self.pause);
        self.later(now);
    }

    /// The child of this command line has closed its output. That is right if it was not to `follow`, and if it says so.
    pub(super) fn ended(&mut self, now: Timestamp, child: &mut Child, follow: bool, command: &str) -> Progress {
        let result = child.reap();
        if !follow && result.is_ok() {
            return Progress::Ended;
        }
        let how = result.err().unwrap_or_else(|| "exit status 0".to_owned());
        let (what, end) = (self.what, format!("'{command}' has ended ({how})"));
        if !follow {
            log::error!("cannot read the {what} to its end: {end}");
            return Progress::Failed;
        }
        if now.since(self.since) > BACK_OFF.1 {
            self.pause = BACK_OFF.0;
        }
        log::warn!("cannot follow the {what}: {end}; starting it again in {:?}", self.pause);
        self.later(now);
        Progress::Paused
    }

    fn later(&mut self, now: Timestamp) {
        self.at = Some(now + self.pause);
        self.pause = (self.pause * 2).min(BACK_OFF.1);
    }
}
