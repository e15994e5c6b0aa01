//! A log that is followed, and what stands in front of it: reads in turns, and makes events of lines.

use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;

use crate::error::Error;
use crate::grants::Grants;
use crate::matcher::Matchers;
use crate::progress;
use crate::source::plan::Plan;
use crate::source::{Age, Origin, Progress, Source};
use crate::stamp::Stamps;
use crate::state::Mark;
use crate::syslog;
use crate::time::{Now, Timestamp};
use crate::wait::readable_now;

/// Most reads from one source in one turn (64 KiB each), so that signals, expiry and the other sources get theirs.
const READS_PER_TURN: usize = 64;

/// How long a file that a pattern had found may be away. One that comes back later is read as if it had appeared.
const GONE: Duration = Duration::from_secs(60);

/// A log and the matchers in front of it, which remember what went before in this log.
pub struct Input {
    /// What the log is called.
    pub name: String,
    /// Where its lines come from.
    pub source: Box<dyn Source>,
    reader: Reader,
    /// When its file was missed first.
    gone: Option<Timestamp>,
}

impl Input {
    /// Begins to follow.
    ///
    /// # Errors
    /// The log cannot be read, or a program that is needed cannot be started.
    pub fn start(log: Plan, matchers: Matchers, now: &Now) -> Result<Self, Error> {
        let reader = Reader { matchers, stamps: Stamps::new(TimeZone::system()), old: log.size() };
        progress::expect(reader.old);
        Ok(Self { name: log.name().to_owned(), source: log.start(now.boot)?, reader, gone: None })
    }

    /// Whether its file has been gone for so long that it will hardly come back.
    pub fn is_gone(&mut self, now: Timestamp) -> bool {
        if Path::new(&self.name).exists() {
            self.gone = None;
            return false;
        }
        now.since(*self.gone.get_or_insert(now)) >= GONE
    }

    /// Where a next run has to go on, if that is known.
    pub fn mark(&self, saved: SystemTime) -> Option<Mark> {
        Some(Mark { log: self.name.clone(), saved, bookmark: self.source.bookmark()? })
    }

    /// Takes the matchers of another choice.
    pub fn choose_as(&mut self, matchers: &Matchers) {
        self.reader.matchers.choose_as(matchers);
    }

    /// Follows anew.
    pub fn restart(&mut self, now: &Now, grants: &mut Grants) {
        let Self { name, source, reader, .. } = self;
        source.restart(now.boot, &mut |origin, block| reader.take(name, origin, block, now, grants));
    }

    /// Reads until there is nothing left, or the other inputs want their turn.
    pub fn read(&mut self, grants: &mut Grants) -> Progress {
        let Self { name, source, reader, .. } = self;
        let mut progress = Progress::Some;
        for _ in 0..READS_PER_TURN {
            let now = Now::read();
            progress = source.read(now.boot, &mut |origin, block| reader.take(name, origin, block, &now, grants));
            grants.dropped(&now, source.take_dropped());
            if progress != Progress::Some || !can_read(source.as_ref()) {
                break;
            }
        }
        progress
    }
}

fn can_read(source: &dyn Source) -> bool {
    source.has_more() || source.descriptor().is_some_and(readable_now)
}

/// What is in front of one log, and remembers what went before in it.
struct Reader {
    matchers: Matchers,
    stamps: Stamps,
    /// Number of bytes that were in the log at the start and are still to come.
    old: u64,
}

impl Reader {
    /// Finds the events in a block of the log of this name.
    fn take(&mut self, name: &str, origin: Origin, block: &[u8], now: &Now, grants: &mut Grants) {
        let Self { matchers, stamps, old } = self;
        let read = (block.len() as u64).min(*old);
        if read > 0 {
            *old -= read;
            progress::advance(read);
        }
        let offset = |line: usize| origin.position.map(|at| at.offset + line as u64);
        match origin.age {
            Age::Live => matchers.scan(now.boot, block, &mut |line, event| {
                grants.event(now, event, name, offset(line));
            }),
            Age::Counted => matchers.scan(now.boot, block, &mut |_, _| {}),
            Age::Past => {
                // So that a connection does not wait for its login longer than it would have.
                let then =
                    first_stamp(block, |stamp| stamps.latest(stamp, now.wall)).map_or(*now, |at| now.back_to(at));
                matchers.scan(then.boot, block, &mut |line, event| {
                    if let Some(written) = first_stamp(&block[line..], |stamp| stamps.time(stamp, now.wall)) {
                        grants.past_event(now, written, event, name, offset(line));
                    }
                });
            }
        }
    }
}

/// The time of the first line of a block, if its stamp tells.
fn first_stamp(block: &[u8], read: impl FnOnce(&[u8]) -> Option<SystemTime>) -> Option<SystemTime> {
    let line = &block[..memchr::memchr(b'\n', block).unwrap_or(block.len())];
    read(syslog::parse(line)?.0.time)
}
