//! A log file of which first comes what was written while nobody watched.

use std::os::fd::BorrowedFd;

use super::backlog::Backlog;
use super::bookmark::Bookmark;
use super::{Progress, Sink, Source};
use crate::time::Timestamp;

/// A source with the lines in front of it that it does not see.
pub struct CatchUp {
    /// What the log is called.
    name: String,
    backlog: Option<Backlog>,
    live: Box<dyn Source>,
    /// Whether the source is to be started anew once the backlog is read.
    restart: bool,
    dropped: u64,
}

impl CatchUp {
    /// Reads the backlog of a log, then from the source.
    pub fn new(name: String, backlog: Backlog, live: Box<dyn Source>) -> Self {
        Self { name, backlog: Some(backlog), live, restart: false, dropped: 0 }
    }

    fn read_backlog(&mut self, mut backlog: Backlog, now: Timestamp, block: &mut Sink<'_>) -> Progress {
        if backlog.read(block) {
            self.backlog = Some(backlog);
            return Progress::Some;
        }
        log::debug!("log {}: {} bytes were written while nobody watched", self.name, backlog.bytes());
        self.dropped += backlog.take_dropped();
        if std::mem::take(&mut self.restart) {
            self.live.restart(now, block);
        }
        Progress::Some
    }
}

impl Source for CatchUp {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        if self.backlog.is_some() { None } else { self.live.descriptor() }
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.live.deadline()
    }

    fn has_more(&self) -> bool {
        self.backlog.is_some() || self.live.has_more()
    }

    fn read(&mut self, now: Timestamp, block: &mut Sink<'_>) -> Progress {
        match self.backlog.take() {
            Some(backlog) => self.read_backlog(backlog, now, block),
            None => self.live.read(now, block),
        }
    }

    fn wake(&mut self, now: Timestamp) {
        self.live.wake(now);
    }

    fn restart(&mut self, now: Timestamp, block: &mut Sink<'_>) {
        // What the source holds comes behind the backlog.
        match &self.backlog {
            Some(_) => self.restart = true,
            None => self.live.restart(now, block),
        }
    }

    fn take_dropped(&mut self) -> u64 {
        let backlog = self.backlog.as_mut().map_or(0, Backlog::take_dropped);
        backlog + self.live.take_dropped() + std::mem::take(&mut self.dropped)
    }

    fn bookmark(&self) -> Option<Bookmark> {
        if self.backlog.is_some() { None } else { self.live.bookmark() }
    }
}
