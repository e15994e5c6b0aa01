//! A log that is followed, and what stands in front of it: reads in turns, and makes events of lines.

pub(crate) mod format_change;
pub mod log_counts;
pub(crate) mod login_like;
mod relays;

use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;

use crate::config::loggers::Escapes;
use crate::grants::counters::Counters;
use crate::grants::{Grants, Line};
use crate::input::log_counts::{LogCounts, Notice};
use crate::input::relays::Relays;
use crate::line::stamp::{self, DISORDER, Last, Stamps};
use crate::line::syslog;
use crate::matcher::{Found, Matchers};
use crate::output::error::Error;
use crate::output::progress;
use crate::source::Mark;
use crate::source::lines::Block;
use crate::source::plan::Plan;
use crate::source::{Age, Gap, Origin, Progress, Source};
use crate::time::{Now, Timestamp, distance};
use crate::wait::readable_now;

/// Most reads from one source in one turn (64 KiB each), so that signals, expiry and the other sources get theirs.
const READS_PER_TURN: usize = 64;

/// Parts of what was written while nobody watched are no longer, and far shorter than a connection may wait for its login.
const MINUTE: Duration = Duration::from_secs(60);

/// How far apart local times are: from twelve hours behind UTC to fourteen ahead of it.
const ZONES: Duration = Duration::from_secs(26 * 3600);

/// How long a file that a pattern had found may be away. One that comes back later is read as if it had appeared.
const GONE: Duration = Duration::from_secs(60);

/// A log and the matchers in front of it, which remember what went before in this log.
pub struct Input {
    /// What the log is called.
    name: String,
    /// Where its lines come from.
    pub source: Box<dyn Source>,
    reader: Reader,
    /// When its file was missed first.
    gone: Option<Timestamp>,
}

impl Input {
    /// Begins to follow. What was known of the newlines must have been found out before the plan was made.
    ///
    /// # Errors
    /// The log cannot be read, or a program that is needed cannot be started.
    pub fn start(log: Plan, matchers: Matchers, escapes: Escapes, now: &Now) -> Result<Self, Error> {
        let zone = TimeZone::system();
        let reader = Reader::new(matchers, &log, escapes, zone);
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

    /// What the log is called, as [`crate::source::Log::name`] has it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it has brought so far.
    pub fn counters(&self) -> &Counters {
        self.reader.log_counts.counters()
    }

    /// Where a next run has to go on, if that is known.
    pub fn mark(&self, saved: SystemTime) -> Option<Mark> {
        Some(Mark { log: self.name.clone(), saved, position: self.source.saved_position()? })
    }

    /// Takes the matchers of another choice.
    pub fn choose_as(&mut self, matchers: &Matchers) {
        self.reader.choose_as(matchers);
    }

    /// What is known of the newlines in it.
    pub fn escapes(&self) -> &Escapes {
        &self.reader.escapes
    }

    /// Takes what is known of the newlines in it by now; for what is written from now on.
    pub fn set_escapes(&mut self, escapes: Escapes) {
        self.reader.escapes = escapes;
        self.reader.is_behind = true;
    }

    /// Follows anew.
    pub fn restart(&mut self, now: &Now, grants: &mut Grants) {
        let Self { name, source, reader, .. } = self;
        source.restart(now.boot, grants.ring().grace(), &mut |origin, block| {
            reader.take(name, origin, block, now, grants)
        });
    }

    /// Reads until there is nothing left, or the other inputs want their turn.
    pub fn read(&mut self, grants: &mut Grants) -> Progress {
        let Self { name, source, reader, .. } = self;
        let mut progress = Progress::Some;
        for _ in 0..READS_PER_TURN {
            let now = Now::read();
            progress = source.read(now.boot, &mut |origin, block| reader.take(name, origin, block, &now, grants));
            let dropped = source.take_dropped();
            reader.log_counts.dropped(dropped);
            grants.dropped(&now, dropped);
            if progress != Progress::Some || !can_read(source.as_ref()) {
                break;
            }
        }
        reader.is_behind &= can_read(source.as_ref());
        progress
    }
}

fn can_read(source: &dyn Source) -> bool {
    source.has_more() || source.descriptor().is_some_and(readable_now)
}

/// What is in front of one log, and remembers what went before in it.
struct Reader {
    matchers: Matchers,
    /// Messages of the journal that hold a newline are left out.
    is_journal: bool,
    escapes: Escapes,
    /// Whether lines are still to come that may have been written before that was known.
    is_behind: bool,
    stamps: Stamps,
    last: Last<Written>,
    /// Number of bytes that were in the log at the start and are still to come.
    old: u64,
    /// Number of bytes still to come of which each line happens now, whatever its stamp says.
    reprocessed: u64,
    log_counts: LogCounts,
    /// Whether it was said that there are too many hosts.
    told_overflow: bool,
    /// With `--count-relays`.
    relays: Option<Relays>,
}

impl Reader {
    fn new(mut matchers: Matchers, log: &Plan, escapes: Escapes, zone: TimeZone) -> Self {
        if log.is_whole() {
            matchers.doubt_first_piece();
        } else {
            matchers.begin_in_the_middle();
        }
        Self {
            matchers,
            is_journal: log.is_journal(),
            escapes,
            is_behind: false,
            stamps: Stamps::new(zone.clone()),
            last: Last::NONE,
            old: log.size(),
            reprocessed: log.reprocessed(),
            log_counts: LogCounts::new(zone),
            told_overflow: false,
            relays: None,
        }
    }

    fn choose_as(&mut self, matchers: &Matchers) {
        self.matchers.choose_as(matchers);
    }

    /// Finds the events in a block of the log of this name, and counts its lines.
    fn take(&mut self, name: &str, origin: Origin, block: Block<'_>, now: &Now, grants: &mut Grants) {
        let lines = block.lines();
        // All of the block has been read: who runs now has written it.
        let is_new = origin.age == Age::Live && self.old == 0 && !self.is_behind;
        self.matchers.take_newlines_for_escaped(self.escapes.hold(is_new));
        let read = (lines.len() as u64).min(self.old);
        if read > 0 {
            self.old -= read;
            progress::advance(read);
        }
        // A message stands in one file. Where lines are missing, that of the next may have begun in them.
        let begins = origin.position.is_some_and(|position| position.offset == 0);
        self.matchers.turn_to(origin.position.map(|position| (position.device, position.inode)), begins);
        if origin.gap == Gap::Before && !begins && !self.is_journal {
            self.matchers.begin_in_a_message();
        }
        match origin.gap {
            Gap::None => {}
            Gap::Before => self.matchers.begin_in_the_middle(),
            Gap::Within => self.matchers.believe_nothing(),
        }
        match origin.age {
            Age::Live => {
                self.take_live(name, origin, block, now, grants);
                if let Some(how) = grants.counts_relays() {
                    self.relays.get_or_insert_with(|| Relays::new(&how.names)).take(lines, now, grants);
                }
            }
            Age::Past | Age::Counted => self.take_old(name, origin, block, now, grants),
        }
        if origin.gap == Gap::Within {
            self.matchers.begin_in_the_middle();
        }
        if self.matchers.take_overflow() && !std::mem::replace(&mut self.told_overflow, true) {
            log::warn!(
                "cannot remember whose message was cut last in log {name}: it has lines of too many hosts; a login of \
                 Courier counts only if another message of its host and program was seen shortly before"
            );
        }
    }

    fn take_live(&mut self, name: &str, origin: Origin, block: Block<'_>, now: &Now, grants: &mut Grants) {
        let (text, part) = (block.text(), 0..block.lines().len());
        let Self { matchers, stamps, last, log_counts, reprocessed, .. } = self;
        let longest = (*reprocessed == 0).then(|| grants.ring().grace());
        *reprocessed = reprocessed.saturating_sub(part.len() as u64);
        let mut tell = |notice: Notice<'_>| tell(name, notice);
        let mut counts = log_counts.block(origin.age, now.wall, &mut tell);
        let stamp = matchers.sort_part(now.boot, text, part, |line, found| match found {
            Found::Untaken(untaken) => counts.untaken(untaken),
            Found::Event(event) => {
                let written = Written::read(event.header.time, stamps, now, last);
                let place = Line { source: name, offset: origin.offset(line) };
                let late = written.filter(|written| longest.is_some_and(|longest| written.is_late(now, longest)));
                let outcome = match late {
                    Some(late) => grants.late_event(now, late.time, event, place),
                    None => {
                        let written = written.filter(|written| written.is_sure(now)).map(|written| written.time);
                        grants.event(now, written, event, place)
                    }
                };
                counts.event(event, Some(outcome));
            }
        });
        counts.end(block.lines(), stamp);
    }

    fn take_old(&mut self, name: &str, origin: Origin, block: Block<'_>, now: &Now, grants: &mut Grants) {
        let Self { matchers, stamps, log_counts, .. } = self;
        let by_clock = Stamps::clone(stamps);
        let time = |block: &[u8]| by_clock.latest(syslog::stamp_of(first_line(block))?, now.wall);
        let text = block.text();
        let mut tell = |notice: Notice<'_>| tell(name, notice);
        let mut counts = log_counts.block(origin.age, now.wall, &mut tell);
        let mut last = None;
        each_minute(block.lines(), 0, &time, &mut |begin, part, written| {
            let then = written.map_or(*now, |written| now.back_to(written));
            // A stranger's stamps may cut his message.
            last = matchers.sort_part(then.boot, text, begin..begin + part.len(), |line, found| match found {
                Found::Untaken(untaken) => counts.untaken(untaken),
                Found::Event(event) => {
                    // Also of a line that has counted: it may tell which of two hours the next one means.
                    let written = stamps.time(event.header.time, now.wall);
                    if origin.age == Age::Past {
                        let place = Line { source: name, offset: origin.offset(line) };
                        counts.event(event, written.map(|written| grants.past_event(now, written, event, place)));
                    }
                }
            });
        });
        counts.end(block.lines(), last);
    }
}

/// When a line was written, as its stamp says.
#[derive(Debug, Clone, Copy)]
struct Written {
    time: SystemTime,
    has_zone: bool,
}

impl Written {
    fn read(stamp: &[u8], stamps: &Stamps, now: &Now, last: &mut Last<Self>) -> Option<Self> {
        if let Some(written) = last.get_if(|known| known == stamp) {
            return Some(written);
        }
        let written = Self { time: stamps.latest(stamp, now.wall)?, has_zone: stamp::has_zone(stamp) };
        last.set(stamp, written);
        Some(written)
    }

    /// Whether it is in no other zone than it seems: what comes now was written a short time ago.
    fn is_sure(self, now: &Now) -> bool {
        self.has_zone || distance(self.time, now.wall) < DISORDER
    }

    /// Whether that is longer ago than `longest`, in whatever zone it was written.
    fn is_late(self, now: &Now, longest: Duration) -> bool {
        let slack = if self.has_zone { Duration::ZERO } else { ZONES };
        now.wall.duration_since(self.time).is_ok_and(|ago| ago > longest + slack)
    }
}

fn tell(name: &str, notice: Notice<'_>) {
    match notice {
        Notice::FormatChange(alarm) => log::warn!("{}", alarm.warning(name, Path::new(name).is_file())),
        Notice::Recovered(lines) => {
            log::info!("log {name}: logins are matched again, after {lines} lines like logins that were not");
        }
    }
}

/// Hands on a block in parts that were written within a minute, as far as the times of their first and last lines tell, with
/// the place of each and its time: a connection must not wait for its login longer or shorter than it did.
fn each_minute<'b>(
    block: &'b [u8],
    begin: usize,
    time: &dyn Fn(&[u8]) -> Option<SystemTime>,
    take: &mut dyn FnMut(usize, &'b [u8], Option<SystemTime>),
) {
    let whole = block.strip_suffix(b"\n").unwrap_or(block);
    // Where the last line begins, and the first behind the middle.
    let last = memchr::memrchr(b'\n', whole).map(|newline| newline + 1);
    let middle = memchr::memchr(b'\n', &whole[whole.len() / 2..]).map(|newline| whole.len() / 2 + newline + 1);
    // Some lines have no stamp.
    let written = whole.split(|byte| *byte == b'\n').take(8).find_map(time);
    let end = whole.rsplit(|byte| *byte == b'\n').take(8).find_map(time);
    let spans_more = end.zip(written).is_some_and(|(end, begin)| distance(begin, end) > MINUTE);
    match middle.or(last).filter(|_| spans_more) {
        Some(middle) => {
            let (early, late) = block.split_at(middle);
            each_minute(early, begin, time, take);
            each_minute(late, begin + middle, time, take);
        }
        None => take(begin, block, written),
    }
}

fn first_line(block: &[u8]) -> &[u8] {
    &block[..memchr::memchr(b'\n', block).unwrap_or(block.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a block of lines like `m5`, written in the fifth minute, is handed on in.
    fn parts(block: &str) -> Vec<(usize, &str, Option<u64>)> {
        let minute = |text: &[u8]| {
            let digits = std::str::from_utf8(text).ok()?.lines().next()?.strip_prefix('m')?;
            Some(SystemTime::UNIX_EPOCH + MINUTE * digits.parse().ok()?)
        };
        let mut parts = Vec::new();
        each_minute(block.as_bytes(), 0, &minute, &mut |begin, part, time| {
            let time = time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
            parts.push((begin, std::str::from_utf8(part).unwrap_or_default(), time.map(|time| time.as_secs() / 60)));
        });
        parts
    }

    #[test]
    fn a_block_is_cut_where_time_has_passed() {
        assert_eq!(parts("m1\nx\nm2\n"), [(0, "m1\nx\nm2\n", Some(1))]);
        assert_eq!(parts("m1\nm5\n"), [(0, "m1\n", Some(1)), (3, "m5\n", Some(5))]);
        assert_eq!(parts("m1\nm9 and more\n"), [(0, "m1\nm9 and more\n", Some(1))], "no time");
        assert_eq!(parts("m1\nxxxxxxxxxxxx\nm5"), [(0, "m1\nxxxxxxxxxxxx\n", Some(1)), (16, "m5", Some(5))]);
        assert_eq!(parts("m5\n"), [(0, "m5\n", Some(5))]);
        assert_eq!(parts("m5"), [(0, "m5", Some(5))]);
        assert_eq!(parts(""), [(0, "", None)]);
        let whole: String = (0..50).map(|minute| format!("m{minute}\nx\n")).collect();
        let parts = parts(&whole);
        assert_eq!(parts.iter().map(|(_, part, _)| *part).collect::<String>(), whole);
        assert!(parts.iter().all(|(begin, part, _)| whole[*begin..].starts_with(part) && part.len() <= 15));
    }
}
