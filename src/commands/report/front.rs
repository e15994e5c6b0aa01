//! What stands in front of one log of the past, and remembers what went before in it: finds logins and lines of Postfix, and
//! tells the report when they were written. Pure.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;

use crate::input::log_counts::{LogCounts, Notice};
use crate::line::log_time::LogTime;
use crate::line::syslog::{self, Header, Layout};
use crate::matcher::{Action, Event, Found, Matchers};
use crate::report::Report;
use crate::report::postfix::{self, Names};
use crate::report::summary::{Clock, Coverage};
use crate::report::told::{self, Told};
use crate::source::Age;
use crate::time::{Timestamp, unix_seconds};

/// What the matchers remember of connections ages by the time of the lines, which is told them this often, in seconds.
const MINUTE: u64 = 60;

/// A stamp that is ahead of the line before it by so many seconds is not believed if one of the next lines goes back as far: that
/// one line is wrong, and would make all that come behind it late.
const AHEAD: u64 = 3600;
const NEXT: usize = 100;

/// What stands in front of the log and remembers what went before in it.
pub(super) struct Front {
    matchers: Matchers,
    names: Names,
    time: LogTime,
    layout: Option<Layout>,
    counts: LogCounts,
    now: SystemTime,
    without_time: u64,
    /// How many stamps were not believed, and the last time that was.
    ahead: u64,
    believed: Option<u64>,
    is_postfix: bool,
    /// Stamp and space at the beginning of the line that was read last, and what they mean.
    last: Option<(Vec<u8>, u64)>,
    /// Most lines of use that a part had.
    found: usize,
}

/// What is of use in a line.
#[derive(Default)]
struct Seen<'l> {
    time: Option<u64>,
    /// The stamp is not believed, and this is the time of the line before.
    is_ahead: bool,
    said: Option<Line<'l>>,
}

/// A line of Postfix and its host, or one of the daemon's own.
enum Line<'l> {
    Postfix(&'l [u8], postfix::Line<'l>),
    Own(Told),
}

/// Whose line it is.
enum Speaker<'l> {
    /// The instance and the daemon.
    Postfix((&'l [u8], &'l [u8])),
    Daemon,
    Other,
}

impl Front {
    pub(super) fn new(matchers: Matchers, names: Names, now: SystemTime) -> Self {
        let (time, counts) = (LogTime::new(TimeZone::system()), LogCounts::new(TimeZone::system()));
        Self {
            matchers,
            names,
            time,
            layout: None,
            counts,
            now,
            without_time: 0,
            ahead: 0,
            believed: None,
            is_postfix: false,
            last: None,
            found: 0,
        }
    }

    /// Whether lines of Postfix were in it.
    pub(super) fn is_postfix(&self) -> bool {
        self.is_postfix
    }

    /// Counts lines that were dropped for their length.
    pub(super) fn dropped(&mut self, lines: u64) {
        self.counts.dropped(lines);
    }

    /// Lines are missing in front of the next.
    pub(super) fn begin_in_the_middle(&mut self) {
        self.matchers.begin_in_the_middle();
    }

    /// When the first line of a part was written that has a time.
    pub(super) fn first_time(&mut self, text: &[u8], part: Range<usize>) -> Option<u64> {
        let mut at = part.start;
        while at < part.end {
            let line = first_line(&text[at..part.end]);
            if let Some(time) = self.judge(line, &text[at + line.len()..]).time {
                return Some(time);
            }
            at += line.len() + 1;
        }
        None
    }

    /// Takes lines that have no time: they are counted, and what they say is of no use.
    pub(super) fn pass(&mut self, text: &[u8], part: Range<usize>) {
        for line in text[part.clone()].split(|byte| *byte == b'\n') {
            self.without_time += u64::from(self.look(line).said.is_some());
        }
        self.scan(0, text, part, |_, _| {});
    }

    /// Adds what was counted.
    pub(super) fn tell(&self, coverage: &mut Coverage) {
        let counters = self.counts.counters();
        coverage.lines += counters.lines();
        coverage.bytes += counters.bytes();
        coverage.unmatched_logins += counters.unmatched();
        coverage.too_long += counters.dropped();
        coverage.without_time += self.without_time;
        coverage.stamps_ahead += self.ahead;
    }

    /// Parses a line, which tells how the next ones are laid out.
    fn learn<'l>(&mut self, line: &'l [u8]) -> Option<(Header<'l>, &'l [u8])> {
        let parsed = syslog::parse(line);
        if let Some(layout) = parsed.as_ref().and_then(|(header, _)| Layout::of(line, header)) {
            self.layout = Some(layout);
        }
        parsed
    }

    /// Notes what a stamp means, if the line begins with it.
    fn remember(&mut self, line: &[u8], stamp: &[u8], time: u64) {
        if line.strip_prefix(stamp).is_some_and(|rest| rest.starts_with(b" ")) {
            let (known, meaning) = self.last.get_or_insert_with(|| (Vec::new(), time));
            known.clear();
            known.extend_from_slice(&line[..=stamp.len()]);
            *meaning = time;
        }
    }

    /// Looks at a line in front of others, and whether its stamp is to be believed.
    fn judge<'l>(&mut self, line: &'l [u8], behind: &[u8]) -> Seen<'l> {
        let seen = self.look(line);
        let Some(time) = seen.time.filter(|time| self.believed.is_none_or(|last| last + AHEAD <= *time)) else {
            return seen;
        };
        let Self { time: clock, now, .. } = self;
        let next = behind.split(|byte| *byte == b'\n').take(NEXT).filter_map(syslog::parse);
        let mut times = next.filter_map(|(header, _)| clock.read(header.time, *now).map(unix_seconds));
        match times.find(|next| next + AHEAD <= time) {
            Some(next) => Seen { time: Some(self.believed.unwrap_or(next)), is_ahead: true, ..seen },
            None => seen,
        }
    }

    /// When a line was written, and what it says if it is one of Postfix. Most lines are of the same second as the one before
    /// and of other programs: of these no more than the beginning is looked at.
    fn look<'l>(&mut self, line: &'l [u8]) -> Seen<'l> {
        let tag = self.layout.as_ref().and_then(|layout| layout.tag(line));
        let known = self.last.as_ref().filter(|(stamp, _)| line.starts_with(stamp)).map(|(_, time)| *time);
        let of_tag = tag.map(|tag| self.speaker(tag.program));
        if known.is_some() && matches!(of_tag, Some(Speaker::Other)) {
            return Seen { time: known, ..Seen::default() };
        }
        let parsed = match (&self.layout, tag) {
            (Some(layout), Some(tag)) => layout.parse(line, tag),
            _ => self.learn(line),
        };
        let Some((header, message)) = parsed else { return Seen::default() };
        let time = known.or_else(|| self.time.read(header.time, self.now).map(unix_seconds));
        if let (None, Some(time)) = (known, time) {
            self.remember(line, header.time, time);
        }
        if line.len() > syslog::LONGEST_LINE {
            return Seen { time, ..Seen::default() };
        }
        let said = match of_tag.unwrap_or_else(|| self.speaker(header.program)) {
            Speaker::Postfix(program) => {
                self.is_postfix = true;
                let read = Some(postfix::read(program, message)).filter(|read| read.said != postfix::Said::Other);
                read.map(|read| Line::Postfix(header.host.unwrap_or_default(), read))
            }
            Speaker::Daemon => told::read(message).map(Line::Own),
            Speaker::Other => None,
        };
        Seen { time, said, is_ahead: false }
    }

    /// Whose name a program has.
    fn speaker<'l>(&self, program: &'l [u8]) -> Speaker<'l> {
        match self.names.program(program) {
            Some(program) => Speaker::Postfix(program),
            None if program == told::PROGRAM => Speaker::Daemon,
            None => Speaker::Other,
        }
    }

    /// Finds the events of a part that was written at that time, and counts its lines.
    fn scan(&mut self, at: u64, text: &[u8], part: Range<usize>, mut event: impl FnMut(usize, &Event<'_>)) {
        let now = Timestamp::from_boot(Duration::from_secs(at));
        let Self { matchers, counts, now: wall, .. } = self;
        let mut ignore = |_: Notice<'_>| {};
        let mut counts = counts.block(Age::Past, *wall, &mut ignore);
        let stamp = matchers.sort_part(now, text, part.clone(), |line, what| match what {
            Found::Event(found) => {
                counts.event(found, None);
                event(line, found);
            }
            Found::Untaken(line) => counts.untaken(line),
        });
        counts.end(&text[part], stamp);
    }

    /// Takes the lines from `begin` on that were written within a minute and not later than `until`; where the next begins.
    /// `None` if the first is later.
    pub(super) fn part(
        &mut self,
        text: &[u8],
        begin: usize,
        end: usize,
        until: u64,
        clock: &mut Clock,
        report: &mut Report,
    ) -> Option<usize> {
        let mut found = Vec::with_capacity(self.found);
        // Where lines of another time begin.
        let mut times: Vec<(usize, u64)> = Vec::new();
        let mut at = begin;
        while at < end {
            let line = first_line(&text[at..end]);
            let seen = self.judge(line, &text[at + line.len()..]);
            match seen.time {
                Some(time) => {
                    let started = times.first().map_or(time, |(_, first)| *first);
                    if time > until || time > started + MINUTE {
                        break;
                    }
                    self.ahead += u64::from(seen.is_ahead);
                    self.believed = self.believed.max(Some(time));
                    let time = clock.line(time);
                    if times.last().is_none_or(|(_, last)| *last != time) {
                        times.push((at, time));
                    }
                    if let Some(line) = seen.said {
                        found.push((at, line));
                    }
                }
                None => self.without_time += u64::from(seen.said.is_some()),
            }
            at += line.len() + 1;
        }
        let at = at.min(end);
        if at == begin {
            return None;
        }
        self.found = self.found.max(found.len());
        let first = times.first().map_or(0, |(_, first)| *first);
        let mut times = Times { times: &times, now: first };
        let mut found = found.iter().peekable();
        let take = |report: &mut Report, at: u64, line: &Line<'_>| match line {
            Line::Postfix(host, line) => report.postfix(host, at, line),
            Line::Own(told) => report.told(at, *told),
        };
        self.scan(first, text, begin..at, |line, event| {
            while let Some((at, said)) = found.next_if(|(at, _)| *at < line) {
                take(report, times.at(*at), said);
            }
            match event.action {
                Action::Login => report.login(times.at(line), event.client, event.user, event.session),
                Action::Logout => report.logout(times.at(line), event.session),
            }
        });
        found.for_each(|(at, line)| take(report, times.at(*at), line));
        Some(at)
    }
}

/// When lines were written: where those of another time begin, in their order.
struct Times<'t> {
    times: &'t [(usize, u64)],
    now: u64,
}

impl Times<'_> {
    /// The time of a line behind those that were asked for before.
    fn at(&mut self, line: usize) -> u64 {
        while let Some(((from, time), rest)) = self.times.split_first()
            && *from <= line
        {
            (self.now, self.times) = (*time, rest);
        }
        self.now
    }
}

fn first_line(text: &[u8]) -> &[u8] {
    &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())]
}
