//! Finds where in a log file the lines begin that still matter, by their time stamps.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;

use crate::stamp::{DISORDER, Stamps};
use crate::syslog;

/// Bytes that are looked at in one place: the lines of a log are out of order by some, and some have no stamp.
const PROBE: usize = 16 * 1024;

/// The place is found to this many bytes.
const CLOSE: u64 = 64 * 1024;

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
        // Nothing behind `late` is older; everything in front of `early` is.
        let (mut early, mut late, mut step) = (length, length, CLOSE);
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

    /// Whether the lines at a place are too old to matter; not if no stamp tells.
    fn is_over(&self, file: &File, at: u64, length: u64) -> io::Result<bool> {
        let mut block = vec![0; PROBE.min((length - at) as usize)];
        file.read_exact_at(&mut block, at)?;
        // A fresh reader: whatever it concludes from the lines before must not depend on the way that the search takes.
        let stamps = Stamps::new(self.zone.clone());
        let whole = if at == 0 { 0 } else { memchr::memchr(b'\n', &block).map_or(block.len(), |newline| newline + 1) };
        let headers = block[whole..].split(|byte| *byte == b'\n').filter_map(syslog::parse);
        let times = headers.filter_map(|(header, _)| stamps.latest(header.time, self.now));
        // One host whose clock is ahead must not make the whole log look new.
        let newest = times.filter(|time| *time <= self.now + DISORDER).max();
        Ok(newest.is_some_and(|newest| newest < self.begin))
    }
}

const HOUR: Duration = Duration::from_secs(3600);

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
            assert!(
                size - begin <= wanted + CLOSE + PROBE as u64 + line,
                "{lines} {age}: {} of {wanted}",
                size - begin
            );
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
