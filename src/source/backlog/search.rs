//! Finds where in a log file the lines begin that still matter, by their time stamps.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;

use crate::line::stamp::{self, DISORDER, Stamps};
use crate::line::syslog;

/// Bytes that are looked at in one place: the lines of a log are out of order by some, and some have no stamp.
const PROBE: u64 = 16 * 1024;

/// The place is found to this many bytes.
const CLOSE: u64 = 64 * 1024;

/// Places that are looked at in front of the one that was found: the last one is 2 MiB away.
const PROBES_IN_FRONT: u32 = 6;

/// Bytes from the begin on in which lines of last year are looked for. What is longer goes back for a year only with a
/// burst at its end.
const LOOKED_THROUGH: u64 = 1024 * 1024;

/// Which lines still matter: those of the last grace.
#[derive(Debug, Clone)]
pub struct Window {
    now: SystemTime,
    /// Before it nothing matters.
    begin: SystemTime,
    zone: TimeZone,
}

impl Window {
    /// The last `grace`, for logs whose writers live in this zone.
    pub fn new(now: SystemTime, grace: Duration, zone: TimeZone) -> Self {
        let before = |time: SystemTime, by| time.checked_sub(by).unwrap_or(SystemTime::UNIX_EPOCH);
        let begin = before(now, grace + DISORDER);
        // In an hour that is repeated only the lines of the first time tell which one it is.
        let begin = before(begin, change(&zone, before(begin, HOUR), now));
        Self { now, begin, zone }
    }

    /// The present.
    pub fn now(&self) -> SystemTime {
        self.now
    }

    /// When the lines begin that matter, or somewhat before.
    pub fn start(&self) -> SystemTime {
        self.begin
    }

    /// Whether something that was written last at this time matters.
    pub fn holds(&self, written: SystemTime) -> bool {
        written >= self.begin
    }

    /// Where in the first `length` bytes of a file the lines begin that matter, or somewhat before.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn begin(&self, file: &File, length: u64) -> io::Result<u64> {
        let mut begin = self.search(file, length, length)?;
        while let Some(newer) = self.newer_in_front(file, begin, length)? {
            begin = self.search(file, newer, length)?;
        }
        self.behind_last_year(file, begin, length)
    }

    /// Where the lines begin that matter, or somewhat before, if those behind `late` do.
    fn search(&self, file: &File, mut late: u64, length: u64) -> io::Result<u64> {
        // Everything in front of `early` is older.
        let (mut early, mut step) = (late, CLOSE);
        loop {
            early = early.saturating_sub(step);
            step *= 2;
            if early == 0 && !self.is_over(file, 0, length)? {
                break;
            }
            if early == 0 || self.is_over(file, early, length)? {
                return self.narrow(file, early, late, length);
            }
            late = early;
        }
        Ok(0)
    }

    fn narrow(&self, file: &File, mut early: u64, mut late: u64, length: u64) -> io::Result<u64> {
        while late - early > CLOSE {
            let middle = early + (late - early) / 2;
            if self.is_over(file, middle, length)? {
                early = middle;
            } else {
                late = middle;
            }
        }
        Ok(early)
    }

    /// A place shortly in front of another where lines matter. A host that could not send its lines for some time sends old
    /// ones later, and these must not hide what stands in front of them.
    fn newer_in_front(&self, file: &File, begin: u64, length: u64) -> io::Result<Option<u64>> {
        for place in (0..PROBES_IN_FRONT).map_while(|nth| begin.checked_sub(CLOSE << nth)) {
            if self.newest(file, place, length)?.is_some_and(|newest| newest >= self.begin) {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// Whether the lines at a place are too old to matter; not if no stamp tells.
    fn is_over(&self, file: &File, at: u64, length: u64) -> io::Result<bool> {
        Ok(self.newest(file, at, length)?.is_some_and(|newest| newest < self.begin))
    }

    /// When the newest of the lines at a place was written, as far as stamps tell.
    fn newest(&self, file: &File, at: u64, length: u64) -> io::Result<Option<SystemTime>> {
        let block = read(file, at, length.min(at + PROBE))?;
        // A fresh reader: whatever it concludes from the lines before must not depend on the way that the search takes.
        let stamps = Stamps::new(self.zone.clone());
        let whole = if at == 0 { 0 } else { memchr::memchr(b'\n', &block).map_or(block.len(), |newline| newline + 1) };
        let headers = block[whole..].split(|byte| *byte == b'\n').filter_map(syslog::parse);
        let times = headers.filter_map(|(header, _)| stamps.latest(header.time, self.now));
        // One host whose clock is ahead must not make the whole log look new.
        Ok(times.filter(|time| *time <= self.now + DISORDER).max())
    }

    /// Leaves out the lines of earlier years that look like those of today: a stamp may have no year, and a log be so short
    /// that it goes back for more. Their host has written lines behind them which are months older by their stamps.
    fn behind_last_year(&self, file: &File, begin: u64, length: u64) -> io::Result<u64> {
        let block = read(file, begin, length.min(begin + LOOKED_THROUGH))?;
        let stamps = Stamps::new(self.zone.clone());
        let long_ago = self.begin.checked_sub(DAY).unwrap_or(SystemTime::UNIX_EPOCH);
        // Hosts of which there is an old line behind.
        let mut older = HashSet::new();
        let mut end = block.len();
        while end > 0 {
            let line = memchr::memrchr(b'\n', &block[..end - 1]).map_or(0, |newline| newline + 1);
            if let Some((header, _)) = syslog::parse(&block[line..end - 1])
                && stamp::has_no_year(header.time)
                && let Some(time) = stamps.latest(header.time, self.now)
            {
                if time < long_ago {
                    older.insert(header.host);
                } else if time >= self.begin && older.contains(&header.host) {
                    return Ok(begin + end as u64);
                }
            }
            end = line;
        }
        Ok(begin)
    }
}

fn read(file: &File, begin: u64, end: u64) -> io::Result<Vec<u8>> {
    let mut block = vec![0; (end - begin) as usize];
    file.read_exact_at(&mut block, begin)?;
    Ok(block)
}

const HOUR: Duration = Duration::from_secs(3600);

/// By more than this no clock that runs is wrong.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// By how much the clocks of a zone were set between two times.
fn change(zone: &TimeZone, from: SystemTime, to: SystemTime) -> Duration {
    let offset = |time: SystemTime| Some(zone.to_offset(jiff::Timestamp::try_from(time).ok()?).seconds());
    let seconds = offset(from).zip(offset(to)).map_or(0, |(from, to)| from.abs_diff(to));
    Duration::from_secs(seconds.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write as _;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn window() -> Window {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        Window::new(now, Duration::from_secs(1800), TimeZone::UTC)
    }

    /// A log with a line a second, the last one `age` seconds old.
    fn log(lines: u64, age: u64) -> File {
        let mut file = tempfile::tempfile().unwrap();
        let line = |number: u64| {
            let time = jiff::Timestamp::from_second((NOW - age - (lines - 1 - number)) as i64).unwrap();
            format!("{} mail postfix/qmgr[1]: {number}: removed\n", time.strftime("%Y-%m-%dT%H:%M:%SZ"))
        };
        file.write_all((0..lines).map(line).collect::<String>().as_bytes()).unwrap();
        file
    }

    fn length(file: &File) -> u64 {
        file.metadata().unwrap().len()
    }

    #[test]
    fn the_lines_of_the_last_grace_are_found_and_not_many_more() {
        for (lines, age) in
            [(1, 0), (100, 0), (100, 5000), (100_000, 0), (100_000, 1000), (30_000, 1900), (9_000, 1930)]
        {
            let file = log(lines, age);
            let (begin, size) = (window().begin(&file, length(&file)).unwrap(), length(&file));
            let line = size / lines;
            // With two minutes for disorder.
            let wanted = (1920_u64.saturating_sub(age)).min(lines) * line;
            assert!(size - begin >= wanted, "{lines} {age}: {} of {wanted}", size - begin);
            assert!(size - begin <= wanted + CLOSE + PROBE + line, "{lines} {age}: {} of {wanted}", size - begin);
        }
    }

    /// A log of lines that are so many seconds old, `repeat` of each, with stamps of this form.
    fn log_of(format: &str, ages: &[(u64, &str)], repeat: usize) -> File {
        let mut file = tempfile::tempfile().unwrap();
        for (age, host) in ages {
            let time = jiff::Timestamp::from_second((NOW - age) as i64).unwrap();
            let line = format!("{} {host} postfix/qmgr[1]: {age}: removed\n", time.strftime(format));
            file.write_all(line.repeat(repeat).as_bytes()).unwrap();
        }
        file
    }

    /// The ages of the lines from the begin on.
    fn ages(file: &File) -> Vec<u64> {
        let begin = window().begin(file, length(file)).unwrap();
        let text = String::from_utf8(read(file, begin, length(file)).unwrap()).unwrap();
        let whole = text.split_inclusive('\n').skip(usize::from(begin > 0 && !text.starts_with(char::is_alphanumeric)));
        let mut ages: Vec<u64> = whole.filter_map(|line| line.split(": ").nth(1)?.parse().ok()).collect();
        ages.dedup();
        ages
    }

    const TRADITIONAL: &str = "%b %e %H:%M:%S";

    #[test]
    fn lines_of_last_year_are_not_of_today() {
        const DAY: u64 = 24 * 3600;
        let quiet = |host| {
            [(366 * DAY, host), (365 * DAY, "mail"), (365 * DAY - 3600, host), (200 * DAY, "mail"), (60, "mail")]
        };
        assert_eq!(ages(&log_of(TRADITIONAL, &quiet("mail"), 1)), [200 * DAY, 60]);
        // It looks like tomorrow.
        assert_eq!(
            ages(&log_of(TRADITIONAL, &[(364 * DAY + 3600, "mail"), (100 * DAY, "mail"), (60, "mail")], 1)),
            [100 * DAY, 60]
        );
        assert_eq!(
            ages(&log_of(
                TRADITIONAL,
                &[(730 * DAY, "mail"), (500 * DAY, "mail"), (365 * DAY, "mail"), (9 * DAY, "mail"), (60, "mail")],
                1
            )),
            [9 * DAY, 60]
        );
        // A printer without a battery, and a mail server a day off.
        let printer = [(100, "mail"), (300 * DAY, "printer"), (90, "mail"), (DAY, "mail"), (60, "mail")];
        assert_eq!(ages(&log_of(TRADITIONAL, &printer, 1)), [100, 300 * DAY, 90, DAY, 60]);
        // The year is known.
        let dated = [(100, "mail"), (300 * DAY, "mail"), (60, "mail")];
        for format in ["%Y-%m-%dT%H:%M:%SZ", "%b %d %Y %H:%M:%S"] {
            assert_eq!(ages(&log_of(format, &dated, 1)), [100, 300 * DAY, 60], "{format}");
        }
        // Longer than what is looked at in one place.
        assert_eq!(ages(&log_of(TRADITIONAL, &quiet("mail"), 1000)).last(), Some(&60));
        assert!(!ages(&log_of(TRADITIONAL, &quiet("mail"), 1000)).contains(&(365 * DAY)));
    }

    #[test]
    fn old_lines_that_come_late_hide_nothing() {
        let late = [(9000, "mail"), (1000, "mail"), (7200, "relay"), (500, "mail")];
        for repeat in [1000, 3000, 10_000] {
            let ages = ages(&log_of(TRADITIONAL, &late, repeat));
            assert!(ages.contains(&1000) && ages.contains(&500), "{repeat}: {ages:?}");
        }
    }

    #[test]
    fn where_no_stamp_tells_everything_is_read() {
        let mut file = tempfile::tempfile().unwrap();
        assert_eq!(window().begin(&file, 0).unwrap(), 0);
        file.write_all("no stamp\n".repeat(100_000).as_bytes()).unwrap();
        assert_eq!(window().begin(&file, length(&file)).unwrap(), 0);
    }
}
