//! Counts what the lines of one log come to, and looks among those that no matcher took for logins. Times and lines are
//! passed in; what there is to tell is handed back.

use std::time::SystemTime;

use jiff::tz::TimeZone;

use crate::grants::counters::{Counters, Outcome};
use crate::input::format_change::{Alarm, FormatChange};
use crate::input::login_like;
use crate::line::log_time::LogTime;
use crate::line::syslog;
use crate::matcher::{Action, Event, LONGEST_LINE, Matchers};
use crate::source::Age;

/// What there is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'t> {
    /// Lines look like logins, and no matcher takes them.
    FormatChange(Alarm<'t>),
    /// After that a login was matched again; so many lines were not.
    Recovered(u64),
}

/// The numbers of one log, and what it takes to make them.
#[derive(Debug)]
pub struct LogCounts {
    counters: Counters,
    drift: FormatChange,
    time: LogTime,
    /// The lines of the present block that a matcher took; kept for its room.
    taken: Vec<Taken>,
}

/// A line that a matcher took.
#[derive(Debug, Clone, Copy)]
struct Taken {
    begin: usize,
    is_login: bool,
}

impl LogCounts {
    /// For a log whose writer lives in this zone.
    pub fn new(zone: TimeZone) -> Self {
        Self {
            counters: Counters::default(),
            drift: FormatChange::default(),
            time: LogTime::new(zone),
            taken: Vec::new(),
        }
    }

    /// The numbers.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Counts an event of the block that [`LogCounts::block`] will be called with, and what came of it, if anything. `line` is
    /// where in the block its line begins.
    pub fn event(&mut self, line: usize, event: &Event<'_>, outcome: Option<Outcome>) {
        self.counters.add_event(event, outcome);
        self.taken.push(Taken { begin: line, is_login: event.action == Action::Login });
    }

    /// Counts lines that were dropped for their length.
    pub fn dropped(&mut self, lines: u64) {
        self.counters.add_dropped(lines);
    }

    /// Counts the lines of a block whose events have been counted, and tells what has come to light. Lines of
    /// [`Age::Counted`] leave nothing behind but the time of the last.
    pub fn block(
        &mut self,
        matchers: &Matchers,
        block: &[u8],
        age: Age,
        now: SystemTime,
        tell: &mut dyn FnMut(Notice<'_>),
    ) {
        let fallback = (age == Age::Live).then_some(now);
        let mut lines = Lines { tally: self, matchers, fallback, now, tell };
        if age != Age::Counted {
            lines.count(block);
            lines.look_between_taken(block);
        }
        lines.end(block);
    }
}

/// The lines of one block.
struct Lines<'t> {
    tally: &'t mut LogCounts,
    matchers: &'t Matchers,
    /// The time of a line whose stamp tells none.
    fallback: Option<SystemTime>,
    now: SystemTime,
    tell: &'t mut dyn FnMut(Notice<'_>),
}

impl Lines<'_> {
    fn count(&mut self, block: &[u8]) {
        // The beginning of a line that is too long has no newline.
        let rest = !block.is_empty() && !block.ends_with(b"\n");
        let lines = memchr::memchr_iter(b'\n', block).count() + usize::from(rest);
        self.tally.counters.add_lines(lines as u64, block.len() as u64);
    }

    /// Looks for logins among the lines that no matcher took, which are what is left between the others.
    fn look_between_taken(&mut self, block: &[u8]) {
        let taken = std::mem::take(&mut self.tally.taken);
        let (mut at, mut login) = (0, None);
        for Taken { begin, is_login } in &taken {
            self.look(block, at, *begin, &mut login);
            login = if *is_login { Some(*begin) } else { login };
            at = begin + line_at(block, *begin).len() + 1;
        }
        self.look(block, at, block.len(), &mut login);
        self.matched(block, &mut login);
        // Keeps its room.
        self.tally.taken = taken;
        self.tally.taken.clear();
    }

    /// Looks at the lines from `at` to `end`. `login` is the last login before them that has not been noted.
    fn look(&mut self, block: &[u8], at: usize, end: usize, login: &mut Option<usize>) {
        let Some(lines) = block.get(at..end).filter(|lines| !lines.is_empty()) else { return };
        for line in login_like::candidates(lines).filter(|line| line.len() <= LONGEST_LINE) {
            if let Some((header, _)) = login_like::login(self.matchers, line) {
                self.matched(block, login);
                self.unmatched(header.time, line);
            }
        }
    }

    fn unmatched(&mut self, stamp: &[u8], line: &[u8]) {
        self.tally.counters.add_unmatched();
        if let Some(at) = self.tally.time.read(stamp, self.now).or(self.fallback) {
            self.tally.drift.unmatched(at, line);
            self.alarm(at);
        }
    }

    /// Notes a login, of which only the last is worth the reading of its stamp.
    fn matched(&mut self, block: &[u8], login: &mut Option<usize>) {
        let Some(begin) = login.take() else { return };
        let at = self.time_of(line_at(block, begin));
        if let Some(at) = at {
            self.tally.counters.set_last_login(at);
        }
        if let Some(lines) = self.tally.drift.matched(at) {
            (self.tell)(Notice::Recovered(lines));
        }
    }

    /// Takes the time of the last line: that the log goes on is what makes an alarm due.
    fn end(&mut self, block: &[u8]) {
        let whole = block.strip_suffix(b"\n").unwrap_or(block);
        let last = memchr::memrchr(b'\n', whole).map_or(whole, |newline| &whole[newline + 1..]);
        if let Some(at) = self.time_of(last) {
            self.tally.counters.set_last_line(at);
            self.alarm(at);
        }
    }

    fn time_of(&mut self, line: &[u8]) -> Option<SystemTime> {
        let stamp = syslog::time(line);
        stamp.and_then(|stamp| self.tally.time.read(stamp, self.now)).or(self.fallback)
    }

    fn alarm(&mut self, at: SystemTime) {
        if let Some(alarm) = self.tally.drift.alarm(at, self.now) {
            (self.tell)(Notice::FormatChange(alarm));
        }
    }
}

/// The line that begins at `begin`, without its newline.
fn line_at(block: &[u8], begin: usize) -> &[u8] {
    let rest = &block[begin..];
    &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::time::{Timestamp, display};

    const LOGIN: &str = "imap-login: Login: user=<a>, method=PLAIN, rip=198.51.100.1, lip=192.0.2.25, mpid=1, TLS";
    const NEW: &str = "imap-login: Login ok: user=<a>, method=PLAIN, rip=198.51.100.1, lip=192.0.2.25, mpid=1, TLS";
    const FAILED: &str = "imap-login: Login aborted: user=<a>, method=PLAIN, rip=198.51.100.1, lip=192.0.2.25";

    fn line(hour: u32, minute: u32, message: &str) -> String {
        format!("2026-11-22T{hour:02}:{minute:02}:00.123456+00:00 mail dovecot: {message}\n")
    }

    fn time(text: &str) -> SystemTime {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    /// A login, two hours of lines that look like one, among others, and a login.
    fn changed() -> String {
        let lines = (1..120).map(|n| line(10 + n / 60, n % 60, if n % 3 == 0 { NEW } else { FAILED }));
        line(10, 0, LOGIN) + &lines.collect::<String>() + &line(12, 0, LOGIN) + &line(12, 0, NEW)
    }

    /// Hands on the text in blocks of so many lines, and returns what was told.
    fn take(tally: &mut LogCounts, text: &str, lines: usize, age: Age) -> Vec<String> {
        let mut matchers = Matchers::all();
        let mut told = Vec::new();
        let all: Vec<&str> = text.split_inclusive('\n').collect();
        for block in all.chunks(lines) {
            let block = block.concat();
            matchers.scan(Timestamp::default(), block.as_bytes(), &mut |at, event| {
                if age != Age::Counted {
                    tally.event(at, event, Some(Outcome::Granted));
                }
            });
            tally.block(&matchers, block.as_bytes(), age, time("2026-11-23T00:00:00Z"), &mut |notice| {
                told.push(match notice {
                    Notice::FormatChange(alarm) => alarm.warning("x", false),
                    Notice::Recovered(lines) => format!("again after {lines}"),
                });
            });
        }
        told
    }

    #[test]
    fn it_does_not_matter_where_blocks_end() {
        let text = changed();
        for lines in [1, 2, 7, 1000] {
            let mut tally = LogCounts::new(TimeZone::UTC);
            let told = take(&mut tally, &text, lines, Age::Live);
            let since = display(time("2026-11-22T10:03:00Z"));
            assert_eq!(told.len(), 2, "{told:#?}");
            assert!(told[0].starts_with(&format!("log x: 21 lines look like logins since {since} ")), "{told:#?}");
            assert_eq!(told[1], "again after 39");
            let counters = tally.counters();
            assert_eq!((counters.lines(), counters.bytes()), (122, text.len() as u64));
            assert_eq!((counters.unmatched(), counters.granted()), (40, 2));
            assert_eq!(counters.last_login(), Some(time("2026-11-22T12:00:00Z")));
            assert_eq!(counters.last_line(), Some(time("2026-11-22T12:00:00Z")));
        }
    }

    #[test]
    fn what_an_earlier_run_has_counted_is_not_counted_again() {
        let mut tally = LogCounts::new(TimeZone::UTC);
        assert_eq!(take(&mut tally, &changed(), 5, Age::Counted), [""; 0]);
        let counters = tally.counters();
        assert_eq!((counters.lines(), counters.unmatched(), counters.logins().count()), (0, 0, 0));
        assert_eq!(counters.last_line(), Some(time("2026-11-22T12:00:00Z")));
        assert_eq!(take(&mut tally, &changed(), 5, Age::Past).len(), 2);
    }

    #[test]
    fn other_lines_that_go_on_make_the_alarm_due_and_failures_alone_do_not() {
        let mut tally = LogCounts::new(TimeZone::UTC);
        let failures: String = (0..300).map(|n| line(10 + n / 60, n % 60, FAILED)).collect();
        assert_eq!(take(&mut tally, &failures, 10, Age::Live), [""; 0]);
        let told = take(&mut tally, &(line(10, 0, NEW) + &line(11, 0, FAILED)), 1, Age::Live);
        assert!(told.len() == 1 && told[0].starts_with("log x: 1 line looks like a login since "), "{told:#?}");
    }

    #[test]
    fn the_rest_of_a_line_that_is_too_long_is_no_login() {
        let mut tally = LogCounts::new(TimeZone::UTC);
        let long = line(10, 0, &NEW.repeat(100));
        assert!(long.len() > LONGEST_LINE);
        for text in [long.clone(), long[..=LONGEST_LINE].to_owned()] {
            take(&mut tally, &text, 1, Age::Live);
        }
        assert_eq!((tally.counters().lines(), tally.counters().unmatched()), (2, 0));
    }
}
