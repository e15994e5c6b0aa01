//! A follower driven by hand: no sleeping, because inotify tells of a change before the call that made it returns, and
//! because time is an argument.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pop_before_smtp::matcher::LONGEST_LINE;
use pop_before_smtp::source::follow::{Follow, From, RECHECK};
use pop_before_smtp::source::lines::Block;
use pop_before_smtp::source::{Age, Origin, Position, Progress, Sink, Source as _};
use pop_before_smtp::time::Timestamp;
use pop_before_smtp::wait::readable_now;

/// More reads than any test needs.
const LIMIT: usize = 100_000;

pub(crate) struct Driver {
    pub(crate) source: Follow,
    pub(crate) now: Timestamp,
    /// Lines handed on, without their newlines.
    pub(crate) lines: Vec<Vec<u8>>,
    /// Where each of them begins.
    pub(crate) places: Vec<Position>,
    /// Those whose own times count.
    pub(crate) past: Vec<Vec<u8>>,
    /// Lines counted as too long.
    pub(crate) dropped: u64,
}

impl Driver {
    pub(crate) fn start(log: &Path, from: From) -> Self {
        Self::begin(log, from, true)
    }

    pub(crate) fn begin(log: &Path, from: From, follow: bool) -> Self {
        let now = Timestamp::from_boot(Duration::from_secs(1000));
        let source = Follow::start(log.to_owned(), from, follow, now).unwrap();
        Self { source, now, lines: Vec::new(), places: Vec::new(), past: Vec::new(), dropped: 0 }
    }

    /// One call of the loop's.
    pub(crate) fn step(&mut self) -> Progress {
        let Self { source, now, lines, places, past, .. } = self;
        let mut take = |origin: Origin, block: Block<'_>| {
            let block = block.lines();
            let mut place = origin.position.unwrap();
            assert!(block.ends_with(b"\n") || block.len() == LONGEST_LINE + 1, "half a line");
            for line in block.split_inclusive(|byte| *byte == b'\n') {
                if line.strip_suffix(b"\n").unwrap_or(line).len() <= LONGEST_LINE {
                    lines.push(line[..line.len() - 1].to_vec());
                    places.push(place);
                    past.extend((origin.age == Age::Past).then(|| line[..line.len() - 1].to_vec()));
                }
                place.offset += line.len() as u64;
            }
        };
        let progress = source.read(*now, &mut take as &mut Sink<'_>);
        if let Some(mut backlog) = source.take_backlog() {
            while backlog.read(&mut take) {}
        }
        self.dropped += source.take_dropped();
        progress
    }

    /// Reads as long as the loop would without time passing.
    #[track_caller]
    pub(crate) fn turn(&mut self) {
        for _ in 0..LIMIT {
            if !self.source.has_more() && !self.source.descriptor().is_some_and(readable_now) {
                return;
            }
            self.step();
        }
        panic!("the follower never rests");
    }

    /// Lets time pass, waking the follower when it asks for it.
    #[track_caller]
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.source.deadline().filter(|&deadline| deadline <= end) {
            self.now = deadline.max(self.now);
            self.source.wake(self.now, Duration::ZERO);
            self.turn();
        }
        self.now = end;
    }

    /// Lets time pass until the slow look.
    #[track_caller]
    pub(crate) fn recheck(&mut self) {
        self.pass(RECHECK);
    }

    /// What was handed on since the last call, as text.
    pub(crate) fn take(&mut self) -> Vec<String> {
        self.places.clear();
        std::mem::take(&mut self.lines).into_iter().map(|line| String::from_utf8_lossy(&line).into_owned()).collect()
    }
}

/// Descriptors of this process that are open below a directory, and what they stand for.
pub(crate) fn open_below(directory: &Path) -> Vec<PathBuf> {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = descriptors.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    targets.filter(|target| target.starts_with(directory)).collect()
}
