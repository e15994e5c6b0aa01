//! When a line was written, read for most lines of a log without reading most stamps. Pure: the present is passed in.

use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;

use crate::line::stamp::{Last, Stamps};

/// How far a stamp may be ahead of the present and still be believed: clocks are wrong, and zones.
const AHEAD: Duration = Duration::from_secs(24 * 3600);

/// Reads the stamps of one log to the second, in the order of its lines.
#[derive(Debug, Clone)]
pub(crate) struct LogTime {
    stamps: Stamps,
    last: Last<SystemTime>,
}

impl LogTime {
    /// For a log whose writer lives in this zone.
    pub(crate) fn new(zone: TimeZone) -> Self {
        Self { stamps: Stamps::new(zone), last: Last::NONE }
    }

    /// The time of a stamp as [`crate::line::syslog::Header`] has it, to the second. `None` if it is no time, or one to come.
    pub(crate) fn read(&mut self, stamp: &[u8], now: SystemTime) -> Option<SystemTime> {
        if let Some(time) = self.last.get_if(|known| is_same_second(known, stamp)) {
            return Some(time);
        }
        let time = self.stamps.time(stamp, now).filter(|time| *time <= now + AHEAD)?;
        self.last.set(stamp, time);
        Some(time)
    }
}

/// Whether two stamps of RFC 3339 differ in the fraction of a second only: what stands behind it is the zone.
fn is_same_second(one: &[u8], other: &[u8]) -> bool {
    const DATE_AND_TIME: usize = 19;
    const ZONE: usize = 6;
    one == other
        || one.len() == other.len()
            && one.len() >= DATE_AND_TIME + ZONE
            && one[4] == b'-'
            && one[..DATE_AND_TIME] == other[..DATE_AND_TIME]
            && one[one.len() - ZONE..] == other[one.len() - ZONE..]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_stamp_is_read_to_the_second() {
        let time = |text: &str| SystemTime::from(text.parse::<jiff::Timestamp>().unwrap());
        let now = time("2026-11-22T18:00:00Z");
        let mut log = LogTime::new(TimeZone::UTC);
        for (stamp, expected) in [
            ("2026-11-22T16:03:39.123456+00:00", Some("2026-11-22T16:03:39Z")),
            ("2026-11-22T16:03:39.999999+00:00", Some("2026-11-22T16:03:39Z")),
            ("2026-11-22T16:03:39.999999+01:00", Some("2026-11-22T15:03:39Z")),
            ("2026-11-22T16:03:40.000000+01:00", Some("2026-11-22T15:03:40Z")),
            ("Nov 22 16:03:41", Some("2026-11-22T16:03:41Z")),
            ("Nov 22 16:03:42", Some("2026-11-22T16:03:42Z")),
            ("2026-11-23T17:00:00Z", Some("2026-11-23T17:00:00Z")),
            ("2026-11-23T19:00:00Z", None),
            ("Nov 31 16:03:42", None),
        ] {
            assert_eq!(log.read(stamp.as_bytes(), now), expected.map(time), "{stamp}");
        }
    }
}
