//! A log file of which first comes what was written while nobody watched.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use super::backlog::Backlog;
use super::saved_position::SavedPosition;
use super::{Progress, Sink, Source};
use crate::time::Timestamp;

/// A source with the lines in front of it that it does not see.
pub struct CatchUp {
    /// What the log is called.
    name: String,
    backlogs: VecDeque<Backlog>,
    live: Box<dyn Source>,
    /// The grace by which the source is to be started anew once the backlogs are read.
    restart: Option<Duration>,
    dropped: u64,
}

impl CatchUp {
    /// Reads the backlog of a log, if there is one, then from the source.
    pub fn new(name: String, backlog: impl Into<Option<Backlog>>, live: Box<dyn Source>) -> Self {
        let backlogs = backlog.into().into_iter().collect();
        let mut source = Self { name, backlogs, live, restart: None, dropped: 0 };
        source.take();
        source
    }

    fn take(&mut self) {
        self.backlogs.extend(self.live.take_backlog());
    }

    fn read_backlog(&mut self, now: Timestamp, block: &mut Sink<'_>) {
        let Some(backlog) = self.backlogs.front_mut() else { return };
        if backlog.read(block) {
            return;
        }
        log::debug!("log {}: {} bytes were written while nobody watched", self.name, backlog.bytes());
        self.dropped += backlog.take_dropped();
        self.backlogs.pop_front();
        if let Some(grace) = self.restart.take_if(|_| self.backlogs.is_empty()) {
            self.live.restart(now, grace, block);
            self.take();
        }
    }
}

impl Source for CatchUp {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        if self.backlogs.is_empty() { self.live.descriptor() } else { None }
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.live.deadline()
    }

    fn has_more(&self) -> bool {
        !self.backlogs.is_empty() || self.live.has_more()
    }

    fn read(&mut self, now: Timestamp, block: &mut Sink<'_>) -> Progress {
        if self.backlogs.is_empty() {
            let progress = self.live.read(now, block);
            self.take();
            return progress;
        }
        self.read_backlog(now, block);
        Progress::Some
    }

    fn wake(&mut self, now: Timestamp, grace: Duration) {
        self.live.wake(now, grace);
        self.take();
    }

    fn restart(&mut self, now: Timestamp, grace: Duration, block: &mut Sink<'_>) {
        // What the source holds comes behind the backlogs.
        if self.backlogs.is_empty() {
            self.live.restart(now, grace, block);
            self.take();
        } else {
            self.restart = Some(grace);
        }
    }

    fn take_dropped(&mut self) -> u64 {
        let waiting: u64 = self.backlogs.iter_mut().map(Backlog::take_dropped).sum();
        waiting + self.live.take_dropped() + std::mem::take(&mut self.dropped)
    }

    fn saved_position(&self) -> Option<SavedPosition> {
        if self.backlogs.is_empty() { self.live.saved_position() } else { None }
    }
}
