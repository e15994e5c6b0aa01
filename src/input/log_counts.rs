//! Counts what the lines of one log come to, and looks among those that no matcher took for logins. Times and lines are
//! passed in; what there is to tell is handed back.

use std::time::SystemTime;

use jiff::tz::TimeZone;

use crate::grants::counters::{Counters, Outcome};
use crate::input::format_change::{Alarm, FormatChange};
use crate::input::login_like;
use crate::line::log_time::LogTime;
use crate::matcher::{Action, Event, LONGEST_LINE, Untaken};
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
    format: FormatChange,
    time: LogTime,
    /// The stamp of the last login; kept for its room.
    login: Vec<u8>,
}

impl LogCounts {
    /// For a log whose writer lives in this zone.
    pub fn new(zone: TimeZone) -> Self {
        Self {
            counters: Counters::default(),
            format: FormatChange::default(),
            time: LogTime::new(zone),
            login: Vec::new(),
        }
    }

    /// The numbers.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Counts lines that were dropped for their length.
    pub fn dropped(&mut self, lines: u64) {
        self.counters.add_dropped(lines);
    }

    /// Begins to count the lines of a block, and tells what comes to light. Lines of [`Age::Counted`] leave nothing behind but
    /// the time of the last.
    pub fn block<'t>(&'t mut self, age: Age, now: SystemTime, tell: &'t mut dyn FnMut(Notice<'_>)) -> BlockCounts<'t> {
        let fallback = (age == Age::Live).then_some(now);
        BlockCounts { log: self, is_counted: age == Age::Counted, has_login: false, fallback, now, tell }
    }
}

/// Counts the lines of one block, in their order.
pub struct BlockCounts<'t> {
    log: &'t mut LogCounts,
    /// Whether an earlier run has counted them.
    is_counted: bool,
    /// Whether the last login has not been noted.
    has_login: bool,
    /// The time of a line whose stamp tells none.
    fallback: Option<SystemTime>,
    now: SystemTime,
    tell: &'t mut dyn FnMut(Notice<'_>),
}

impl BlockCounts<'_> {
    /// Counts an event, and what came of it, if anything.
    pub fn event(&mut self, event: &Event<'_>, outcome: Option<Outcome>) {
        if self.is_counted {
            return;
        }
        self.log.counters.add_event(event, outcome);
        if event.action == Action::Login {
            self.log.login.clear();
            self.log.login.extend_from_slice(event.header.time);
            self.has_login = true;
        }
    }

    /// Looks whether a line that no matcher took looks like a login.
    pub fn untaken(&mut self, Untaken { line, header, message }: Untaken<'_>) {
        if !self.is_counted && line.len() <= LONGEST_LINE && login_like::is_login(message) {
            self.matched();
            self.unmatched(header.time, line);
        }
    }

    /// Ends the block, whose last line has this stamp: that the log goes on is what makes an alarm due.
    pub fn end(mut self, block: &[u8], stamp: Option<&[u8]>) {
        if !self.is_counted {
            // The beginning of a line that is too long has no newline.
            let rest = !block.is_empty() && !block.ends_with(b"\n");
            let lines = memchr::memchr_iter(b'\n', block).count() + usize::from(rest);
            self.log.counters.add_lines(lines as u64, block.len() as u64);
            self.matched();
        }
        if let Some(at) = self.time(stamp) {
            self.log.counters.set_last_line(at);
            self.alarm(at);
        }
    }

    fn unmatched(&mut self, stamp: &[u8], line: &[u8]) {
        self.log.counters.add_unmatched();
        if let Some(at) = self.time(Some(stamp)) {
            self.log.format.unmatched(at, line);
            self.alarm(at);
        }
    }

    /// Notes a login, of which only the last is worth the reading of its stamp.
    fn matched(&mut self) {
        if !std::mem::take(&mut self.has_login) {
            return;
        }
        let LogCounts { time, login, .. } = &mut *self.log;
        let at = time.read(login, self.now).or(self.fallback);
        if let Some(at) = at {
            self.log.counters.set_last_login(at);
        }
        if let Some(lines) = self.log.format.matched(at) {
            (self.tell)(Notice::Recovered(lines));
        }
    }

    fn time(&mut self, stamp: Option<&[u8]>) -> Option<SystemTime> {
        stamp.and_then(|stamp| self.log.time.read(stamp, self.now)).or(self.fallback)
    }

    fn alarm(&mut self, at: SystemTime) {
        if let Some(alarm) = self.log.format.alarm(at, self.now) {
            (self.tell)(Notice::FormatChange(alarm));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::matcher::{Found, Matchers};
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
    fn take(log_counts: &mut LogCounts, text: &str, lines: usize, age: Age) -> Vec<String> {
        let mut matchers = Matchers::all();
        let mut told = Vec::new();
        let all: Vec<&str> = text.split_inclusive('\n').collect();
        for block in all.chunks(lines) {
            let block = block.concat();
            let mut tell = |notice: Notice<'_>| {
                told.push(match notice {
                    Notice::FormatChange(alarm) => alarm.warning("x", false),
                    Notice::Recovered(lines) => format!("again after {lines}"),
                });
            };
            let mut counts = log_counts.block(age, time("2026-11-23T00:00:00Z"), &mut tell);
            let block = block.as_bytes();
            let stamp = matchers.sort_part(Timestamp::default(), block, 0..block.len(), |_, found| match found {
                Found::Event(event) => counts.event(event, Some(Outcome::Granted)),
                Found::Untaken(untaken) => counts.untaken(untaken),
            });
            counts.end(block, stamp);
        }
        told
    }

    #[test]
    fn it_does_not_matter_where_blocks_end() {
        let text = changed();
        for lines in [1, 2, 7, 1000] {
            let mut log_counts = LogCounts::new(TimeZone::UTC);
            let told = take(&mut log_counts, &text, lines, Age::Live);
            let since = display(time("2026-11-22T10:03:00Z"));
            assert_eq!(told.len(), 2, "{told:#?}");
            assert!(told[0].starts_with(&format!("log x: 21 lines look like logins since {since} ")), "{told:#?}");
            assert_eq!(told[1], "again after 39");
            let counters = log_counts.counters();
            assert_eq!((counters.lines(), counters.bytes()), (122, text.len() as u64));
            assert_eq!((counters.unmatched(), counters.granted()), (40, 2));
            assert_eq!(counters.last_login(), Some(time("2026-11-22T12:00:00Z")));
            assert_eq!(counters.last_line(), Some(time("2026-11-22T12:00:00Z")));
        }
    }

    #[test]
    fn what_an_earlier_run_has_counted_is_not_counted_again() {
        let mut log_counts = LogCounts::new(TimeZone::UTC);
        assert_eq!(take(&mut log_counts, &changed(), 5, Age::Counted), [""; 0]);
        let counters = log_counts.counters();
        assert_eq!((counters.lines(), counters.unmatched(), counters.logins().count()), (0, 0, 0));
        assert_eq!(counters.last_line(), Some(time("2026-11-22T12:00:00Z")));
        assert_eq!(take(&mut log_counts, &changed(), 5, Age::Past).len(), 2);
    }

    #[test]
    fn other_lines_that_go_on_make_the_alarm_due_and_failures_alone_do_not() {
        let mut log_counts = LogCounts::new(TimeZone::UTC);
        let failures: String = (0..300).map(|n| line(10 + n / 60, n % 60, FAILED)).collect();
        assert_eq!(take(&mut log_counts, &failures, 10, Age::Live), [""; 0]);
        let told = take(&mut log_counts, &(line(10, 0, NEW) + &line(11, 0, FAILED)), 1, Age::Live);
        assert!(told.len() == 1 && told[0].starts_with("log x: 1 line looks like a login since "), "{told:#?}");
    }

    #[test]
    fn only_programs_that_are_listened_to_count() {
        let mut log_counts = LogCounts::new(TimeZone::UTC);
        let text = line(10, 0, "login happened for c at 192.0.2.9").replace("dovecot", "cron");
        take(&mut log_counts, &(text.clone() + "login happened\n" + &text.replace("cron", "imapd")), 1, Age::Live);
        assert_eq!((log_counts.counters().lines(), log_counts.counters().unmatched()), (3, 1));
    }

    #[test]
    fn the_rest_of_a_line_that_is_too_long_is_no_login() {
        let mut log_counts = LogCounts::new(TimeZone::UTC);
        let long = line(10, 0, &NEW.repeat(100));
        assert!(long.len() > LONGEST_LINE);
        for text in [long.clone(), long[..=LONGEST_LINE].to_owned()] {
            take(&mut log_counts, &text, 1, Age::Live);
        }
        assert_eq!((log_counts.counters().lines(), log_counts.counters().unmatched()), (2, 0));
    }
}
