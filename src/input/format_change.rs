//! Notices that a log's format has changed: its server still writes of logins, and no matcher takes them any more. Pure:
//! all times are times of the log, passed in.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::output::escape::printable;
use crate::output::shell;
use crate::time::{self, distance};

/// For how long nothing must have matched.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Least time between two alarms.
const ALARM_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// A line so close to a login that was matched is one more about the same: several servers write two.
const SAME_LOGIN: Duration = Duration::from_secs(10);

/// Most bytes of a line that are shown, and of one that a command is given for: syslog daemons cut long messages.
const LONGEST_SHOWN: usize = 300;
const LONGEST_COMMAND: usize = 1000;

/// What is known of the lines that look like logins since the last login that was matched.
#[derive(Debug, Default)]
pub(crate) struct FormatChange {
    /// The earliest of them.
    since: Option<SystemTime>,
    lines: u64,
    /// The first that is short enough, else the first, cut.
    example: Vec<u8>,
    matched: Option<SystemTime>,
    /// The last alarm.
    alarm: Option<SystemTime>,
    /// Whether there was an alarm since the last login that was matched.
    alarmed: bool,
}

impl FormatChange {
    /// A line that looks like a login, and that no matcher takes.
    pub(crate) fn unmatched(&mut self, at: SystemTime, line: &[u8]) {
        if self.matched.is_some_and(|matched| distance(matched, at) < SAME_LOGIN) {
            return;
        }
        if self.lines == 0 || self.example.len() > LONGEST_COMMAND && line.len() <= LONGEST_COMMAND {
            self.example.clear();
            self.example.extend_from_slice(&line[..line.len().min(LONGEST_COMMAND + 1)]);
        }
        // A stamp that is too late by far must not put the alarm off.
        self.since = Some(self.since.map_or(at, |since| since.min(at)));
        self.lines += 1;
    }

    /// A login was matched, granted or not. Of several in a row without a line that looks like a login, the last will do.
    /// The number of lines that no matcher took, if that had raised an alarm.
    pub(crate) fn matched(&mut self, at: Option<SystemTime>) -> Option<u64> {
        self.matched = at;
        self.since = None;
        let lines = std::mem::take(&mut self.lines);
        std::mem::take(&mut self.alarmed).then_some(lines)
    }

    /// To be called with the time of a line of any kind; raises the alarm when it is due. `now` is the present.
    pub(crate) fn alarm(&mut self, at: SystemTime, now: SystemTime) -> Option<Alarm<'_>> {
        let since = self.since.filter(|since| at.duration_since(*since).is_ok_and(|time| time >= PATIENCE))?;
        // An alarm from the future was one of a clock that has been put right.
        let last = self.alarm.filter(|last| *last <= now + ALARM_INTERVAL);
        if last.is_some_and(|last| at < last + ALARM_INTERVAL) {
            return None;
        }
        self.alarm = Some(at);
        self.alarmed = true;
        Some(Alarm { since, lines: self.lines, example: &self.example })
    }
}

/// Lines that look like logins, and no login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm<'d> {
    since: SystemTime,
    lines: u64,
    example: &'d [u8],
}

impl Alarm<'_> {
    /// The warning for the log of this name, which is a file or else has no name that a command could be given. What
    /// strangers wrote comes last, where the operator's part cannot be imitated behind it.
    pub fn warning(&self, log: &str, is_file: bool) -> String {
        let Self { lines, example, .. } = self;
        let look = if *lines == 1 { "line looks like a login" } else { "lines look like logins" };
        let it = if *lines == 1 { "it" } else { "them" };
        let since = time::display(self.since);
        let mut commands = Vec::new();
        if example.len() <= LONGEST_COMMAND {
            commands.push(shell::explain(example));
        }
        if is_file && shell::is_plain(log.as_bytes()) {
            commands.push(format!("pop-before-smtp match --suggest {}", shell::word(log.as_bytes())));
        }
        let run = if commands.is_empty() { String::new() } else { format!("; run {}", commands.join(", or ")) };
        let example = Shown(example);
        let log = printable(log.as_bytes());
        format!("log {log}: {lines} {look} since {since} and no matcher takes {it}{run}; such as: {example}")
    }
}

/// The beginning of a line, made printable.
struct Shown<'l>(&'l [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cut = self.0.len() > LONGEST_SHOWN;
        printable(if cut { &self.0[..LONGEST_SHOWN] } else { self.0 }).fmt(f)?;
        if cut { f.write_str("...") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LINE: &[u8] = b"a login";

    /// So many minutes after some moment.
    fn minute(minutes: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + 60 * minutes)
    }

    /// Whether a line at that minute raises the alarm, and how many lines it tells of.
    fn alarm(format: &mut FormatChange, at: u64) -> Option<u64> {
        format.alarm(minute(at), minute(at)).map(|alarm| alarm.lines)
    }

    #[test]
    fn an_hour_without_a_match_raises_the_alarm_once_a_day() {
        let mut format = FormatChange::default();
        let mut alarms = Vec::new();
        for at in 0..=2 * 24 * 60 + 60 {
            format.unmatched(minute(at), LINE);
            alarms.extend(alarm(&mut format, at).map(|lines| (at, lines)));
        }
        assert_eq!(alarms, [(60, 61), (60 + 24 * 60, 61 + 24 * 60), (60 + 48 * 60, 61 + 48 * 60)]);
    }

    #[test]
    fn a_match_ends_it_and_is_told_of_once() {
        let mut format = FormatChange::default();
        for at in [0, 59, 118, 177] {
            format.unmatched(minute(at), LINE);
            assert_eq!(alarm(&mut format, at + 1), None);
            assert_eq!(format.matched(Some(minute(at + 1))), None);
        }
        format.unmatched(minute(200), LINE);
        assert_eq!(alarm(&mut format, 260), Some(1));
        assert_eq!(format.matched(Some(minute(261))), Some(1));
        assert_eq!(format.matched(Some(minute(261))), None);
    }

    #[test]
    fn a_log_that_comes_and_goes_raises_one_alarm_a_day() {
        let mut format = FormatChange::default();
        let mut alarms = 0;
        for at in 0..24 * 60 {
            if at % 90 == 0 {
                format.matched(Some(minute(at)));
            } else {
                format.unmatched(minute(at), LINE);
                alarms += u32::from(alarm(&mut format, at).is_some());
            }
        }
        assert_eq!(alarms, 1);
    }

    #[test]
    fn a_second_line_about_a_login_that_was_matched_is_none_of_another() {
        let mut format = FormatChange::default();
        format.matched(Some(minute(0)));
        format.unmatched(minute(0) + Duration::from_secs(9), LINE);
        assert_eq!(alarm(&mut format, 300), None);
        format.unmatched(minute(0) + Duration::from_secs(10), LINE);
        assert_eq!(alarm(&mut format, 300), Some(1));
    }

    /// Lines of two hosts, of which one's clock is hours ahead, or forged ones.
    #[test]
    fn stamps_out_of_order_neither_put_the_alarm_off_nor_repeat_it() {
        let mut format = FormatChange::default();
        format.unmatched(minute(1000), LINE);
        format.unmatched(minute(0), LINE);
        assert_eq!(alarm(&mut format, 60), Some(2));
        for at in 61..500 {
            format.unmatched(minute(at), LINE);
            assert_eq!(alarm(&mut format, at), None);
            assert_eq!(alarm(&mut format, at + 900), None);
        }
    }

    #[test]
    fn an_alarm_of_a_clock_that_was_years_ahead_does_not_silence_the_next() {
        let mut format = FormatChange::default();
        format.unmatched(minute(1_000_000), LINE);
        assert!(alarm(&mut format, 1_000_060).is_some());
        format.matched(None);
        format.unmatched(minute(0), LINE);
        assert_eq!(alarm(&mut format, 60), Some(1));
    }

    #[test]
    fn the_warning_shows_a_line_and_how_to_test_it() {
        let mut format = FormatChange::default();
        format.unmatched(minute(0), &[b'x'; 2000]);
        let warn = |format: &mut FormatChange, at| {
            let alarm = format.alarm(minute(at), minute(at)).unwrap();
            alarm.warning("/var/log/mail.log", true).replace(&time::display(minute(0)), "TIME")
        };
        let long = warn(&mut format, 60);
        assert!(long.ends_with(&format!("; such as: {}...", "x".repeat(300))), "{long}");
        assert!(long.contains("takes it; run pop-before-smtp match --suggest '/var/log/mail.log'; "), "{long}");
        format.unmatched(minute(70), b"it's\x1b a login");
        assert_eq!(
            warn(&mut format, 1600),
            "log /var/log/mail.log: 2 lines look like logins since TIME and no matcher takes them; \
             run printf 'it\\047s\\033 a login\\n' | pop-before-smtp match --explain -, \
             or pop-before-smtp match --suggest '/var/log/mail.log'; such as: it's\\u{1b} a login"
        );
    }
}
