//! What the time stamp of a log line means. Pure: the present and the time zone are passed in.
//!
//! Traditional stamps have no year and no zone, some have no zone: such a stamp is local time, of the latest year in which
//! it is no more than a day ahead of the present: a line is old sooner than it is from the future. In the hour that a clock
//! put back repeats, a stamp stands for two times; the lines before it tell which, and without such a line the earlier
//! counts: a login may then end an hour too early, never too late.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// How far out of order, in time, the lines of a log may be.
pub(crate) const DISORDER: Duration = Duration::from_secs(120);

/// Reads the stamps of one log, in the order of its lines.
#[derive(Debug, Clone)]
pub(crate) struct Stamps {
    zone: TimeZone,
    last: Last<SystemTime>,
}

/// The stamp that was read last, as written, and what it means: lines of the same second are many.
#[derive(Debug, Clone)]
pub(crate) struct Last<T>(Option<(Vec<u8>, T)>);

impl<T: Copy> Last<T> {
    /// Before the first.
    pub(crate) const NONE: Self = Self(None);

    /// What the last stamp means, if it is the same as this one.
    pub(crate) fn get_if(&self, is_same: impl FnOnce(&[u8]) -> bool) -> Option<T> {
        self.0.as_ref().filter(|(known, _)| is_same(known)).map(|(_, meaning)| *meaning)
    }

    /// Takes note of a stamp. Asks for no memory if there has been one as long.
    pub(crate) fn set(&mut self, stamp: &[u8], meaning: T) {
        let (known, last) = self.0.get_or_insert_with(|| (Vec::new(), meaning));
        known.clear();
        known.extend_from_slice(stamp);
        *last = meaning;
    }
}

impl Stamps {
    /// For a log whose writer lives in this zone.
    pub(crate) fn new(zone: TimeZone) -> Self {
        Self { zone, last: Last::NONE }
    }

    /// The time of a stamp as [`crate::line::syslog::Header`] has it; `None` if it is no time that ever was. It may lie in the
    /// future.
    pub(crate) fn time(&mut self, stamp: &[u8], now: SystemTime) -> Option<SystemTime> {
        if let Some(time) = self.last.get_if(|known| known == stamp) {
            return Some(time);
        }
        let time = self.read(stamp, now, Repeated::ByOrder)?;
        self.last.set(stamp, time);
        Some(time)
    }

    /// The same, but of the two times of a stamp in a repeated hour the later, whatever the lines before it say.
    pub(crate) fn latest(&self, stamp: &[u8], now: SystemTime) -> Option<SystemTime> {
        self.read(stamp, now, Repeated::Later)
    }

    fn read(&self, stamp: &[u8], now: SystemTime, repeated: Repeated) -> Option<SystemTime> {
        if has_zone(stamp) {
            return jiff::Timestamp::from_second(instant(stamp)?.as_second()).ok().map(SystemTime::from);
        }
        if is_dated(stamp) {
            return self.local(civil(stamp)?.with().subsec_nanosecond(0).build().ok()?, repeated);
        }
        let text = std::str::from_utf8(stamp).ok()?;
        let of_year = |year: i16| self.local(month_first(text, year)?, repeated);
        // A clock may be wrong, or a zone.
        let ahead = now.checked_add(Duration::from_secs(24 * 3600))?;
        let year = |time| Some(jiff::Timestamp::try_from(time).ok()?.to_zoned(self.zone.clone()).year());
        (year(now)? - 1..=year(ahead)?).rev().filter_map(of_year).find(|time| *time <= ahead)
    }

    /// The time at which the clocks of the zone show this.
    fn local(&self, civil: DateTime, repeated: Repeated) -> Option<SystemTime> {
        let meaning = self.zone.to_ambiguous_timestamp(civil);
        let earlier: SystemTime = meaning.earlier().ok()?.into();
        let before = |time: SystemTime| self.last.get_if(|_| true).is_some_and(|last| time + DISORDER < last);
        if meaning.is_ambiguous() && (repeated == Repeated::Later || before(earlier)) {
            return meaning.later().ok().map(SystemTime::from);
        }
        Some(earlier)
    }
}

/// Which of the two times of a stamp in a repeated hour counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeated {
    ByOrder,
    Later,
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Length of `2026-11-22T15:54:36`.
const DATE_AND_TIME: usize = 19;

/// Length of `Nov 22 15:54:36`.
const WITHOUT_YEAR: usize = 15;

/// How a stamp is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `Nov 22 15:54:36`, with a fraction or without.
    WithoutYear,
    /// `Nov 22 2026 15:54:36`.
    WithYear,
    /// `2026 Nov 22 15:54:36`.
    YearFirst,
    /// `Fri Nov 22 15:54:36 2026`.
    YearLast,
    /// `Fri 2026-11-22 15:54:36 CET`.
    Weekday,
    /// `2026-11-22T15:54:36.123456+00:00`; nginx writes slashes, others a space in place of the T, or no zone.
    Iso,
    /// `2026-11-22_15:54:36.12345`, or with a `T`: svlogd's, always UTC (runit, src/fmt_ptime.c).
    Svlogd,
    /// Seconds since 1970.
    Unix,
    /// `@400000006928...`.
    Tai64n,
}

impl Kind {
    fn of(stamp: &[u8]) -> Option<Self> {
        Some(match (stamp.first()?, stamp.get(4)) {
            (b'@', _) => Self::Tai64n,
            (b'0'..=b'9', Some(b' ')) => Self::YearFirst,
            (b'0'..=b'9', Some(b'-')) if is_of_svlogd(stamp) => Self::Svlogd,
            (b'0'..=b'9', Some(b'-' | b'/')) => Self::Iso,
            (b'0'..=b'9', _) => Self::Unix,
            (b'A'..=b'Z', Some(b'0'..=b'9')) if stamp.get(8) == Some(&b'-') => Self::Weekday,
            (b'A'..=b'Z', Some(b'A'..=b'Z')) => Self::YearLast,
            (b'A'..=b'Z', _) if stamp.get(9) == Some(&b':') => Self::WithoutYear,
            (b'A'..=b'Z', _) => Self::WithYear,
            _ => return None,
        })
    }
}

/// Whether a stamp is one of svlogd: `2026-11-22_15:54:36.12345` or, with `-ttt`, `2026-11-22T15:54:36.12345`. No other has five
/// digits of a second and no zone.
pub(crate) fn is_of_svlogd(stamp: &[u8]) -> bool {
    match (stamp.get(10), stamp.get(DATE_AND_TIME..)) {
        (Some(b'_'), _) => true,
        (Some(b'T'), Some([b'.', digits @ ..])) => digits.len() == 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Whether a stamp leaves the year open.
pub(crate) fn has_no_year(stamp: &[u8]) -> bool {
    Kind::of(stamp) == Some(Kind::WithoutYear)
}

/// Whether a stamp tells the year.
pub(crate) fn is_dated(stamp: &[u8]) -> bool {
    Kind::of(stamp).is_some_and(|kind| kind != Kind::WithoutYear)
}

/// Whether two stamps are written alike.
pub(crate) fn is_of_same_form(one: &[u8], other: &[u8]) -> bool {
    Kind::of(one) == Kind::of(other)
}

/// Whether a stamp says of which zone its time is: `Z`, `+01:00` or `+0100` behind it, or by what it counts. Else it may be off
/// by hours, if it comes from another host.
pub(crate) fn has_zone(stamp: &[u8]) -> bool {
    match Kind::of(stamp) {
        Some(Kind::Iso) => {
            let rest = stamp.get(DATE_AND_TIME..).unwrap_or_default();
            rest.iter().any(|byte| matches!(byte, b'Z' | b'+' | b'-'))
        }
        Some(Kind::Weekday) => weekday_zone(stamp).is_some(),
        Some(Kind::Svlogd | Kind::Unix | Kind::Tai64n) => true,
        _ => false,
    }
}

/// When that was, if the stamp tells its zone.
pub(crate) fn instant(stamp: &[u8]) -> Option<jiff::Timestamp> {
    let text = std::str::from_utf8(stamp).ok()?;
    match Kind::of(stamp)? {
        Kind::Iso => text.parse().ok(),
        Kind::Svlogd => format!("{}T{}Z", text.get(..10)?, text.get(11..)?).parse().ok(),
        Kind::Weekday => format!("{}{}", text.get(4..23)?, weekday_zone(stamp)?).parse().ok(),
        Kind::Unix => {
            let (seconds, micros) = text.split_once('.')?;
            jiff::Timestamp::new(seconds.parse().ok()?, micros.parse::<i32>().ok()? * 1000).ok()
        }
        Kind::Tai64n => {
            let number = |digits| u64::from_str_radix(text.get(digits)?, 16).ok();
            let seconds = number(1..17)?.checked_sub(TAI_OF_1970 + LEAP_SECONDS)?;
            jiff::Timestamp::new(seconds.try_into().ok()?, number(17..25)?.try_into().ok()?).ok()
        }
        _ => None,
    }
}

/// What a stamp writes for the start of 1970: 2^62, and TAI was ten seconds ahead.
const TAI_OF_1970: u64 = (1 << 62) + 10;

/// Leap seconds since, the last one in 2016. s6-log counts them (skalibs, tai_from_sysclock), multilog and svlogd do not
/// (libtai, tai_now): there a login ends half a minute too early, and nowhere too late.
const LEAP_SECONDS: u64 = 27;

/// What the clocks showed, where the stamp tells the year and no zone.
pub(crate) fn civil(stamp: &[u8]) -> Option<DateTime> {
    let text = std::str::from_utf8(stamp).ok()?;
    match Kind::of(stamp)? {
        Kind::Iso if text.len() >= DATE_AND_TIME => {
            DateTime::from_str(text).or_else(|_| text.replace('/', "-").parse()).ok()
        }
        Kind::Weekday => text.get(4..23)?.parse().ok(),
        Kind::WithYear => {
            let without = format!("{}{}", text.get(..6)?, text.get(11..)?);
            month_first(&without, text.get(7..11)?.parse().ok()?)
        }
        Kind::YearFirst => month_first(text.get(5..)?, text.get(..4)?.parse().ok()?),
        Kind::YearLast => month_first(text.get(4..19)?, text.get(20..24)?.parse().ok()?),
        _ => None,
    }
}

/// `Nov 22 15:54:36` of a year; a fraction behind it does not count.
fn month_first(text: &str, year: i16) -> Option<DateTime> {
    let text: &[u8; WITHOUT_YEAR] = text.as_bytes().first_chunk()?;
    let month = MONTHS.iter().position(|month| text.starts_with(month.as_bytes()))? + 1;
    let [_, _, _, day @ .., _, _, _, b':', _, _, b':', _, _] = text else { return None };
    let number = |digits: &[u8]| match *digits {
        [one @ b'0'..=b'9'] => Some((one - b'0') as i8),
        [ten @ b'0'..=b'9', one @ b'0'..=b'9'] => Some(((ten - b'0') * 10 + one - b'0') as i8),
        _ => None,
    };
    let (hour, minute, second) = (number(&text[7..9])?, number(&text[10..12])?, number(&text[13..15])?);
    // A leap second is the last one again.
    let second = if second == 60 { 59 } else { second };
    DateTime::new(year, month as i8, number(day.trim_ascii())?, hour, minute, second, 0).ok()
}

/// The zone of journalctl's `short-full`, if it is no abbreviation whose meaning depends on the place.
fn weekday_zone(stamp: &[u8]) -> Option<String> {
    let zone = std::str::from_utf8(stamp.get(24..)?).ok()?;
    if matches!(zone, "UTC" | "GMT") {
        return Some("Z".to_owned());
    }
    let digits = zone.strip_prefix(['+', '-'])?.replace(':', "");
    let is_offset = matches!(digits.len(), 2 | 4) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_offset.then(|| format!("{}{digits:0<4}", &zone[..1]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn time(text: &str) -> SystemTime {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    /// Berlin's rule: an hour ahead of UTC, two from the last Sunday of March to that of October.
    fn stamps() -> Stamps {
        Stamps::new(TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap())
    }

    fn read(stamp: &str, now: &str) -> Option<SystemTime> {
        stamps().time(stamp.as_bytes(), time(now))
    }

    #[test]
    fn every_form_is_understood() {
        let now = "2026-11-22T18:00:00Z";
        for (stamp, expected) in [
            ("Nov 22 15:54:36", "2026-11-22T14:54:36Z"),
            ("Nov  2 15:54:36", "2026-11-02T14:54:36Z"),
            ("Nov 02 15:54:36", "2026-11-02T14:54:36Z"),
            ("Jun 30 23:59:60", "2026-06-30T21:59:59Z"),
            ("Nov 22 2026 15:54:36", "2026-11-22T14:54:36Z"),
            ("Jul  1 00:00:00", "2026-06-30T22:00:00Z"),
            ("2026/11/22 15:54:36", "2026-11-22T14:54:36Z"),
            ("2026-11-22 15:54:36", "2026-11-22T14:54:36Z"),
            ("2026-11-22T15:54:36.123456", "2026-11-22T14:54:36Z"),
            ("2026-11-22T15:54:36.123456+00:00", "2026-11-22T15:54:36Z"),
            ("2026-11-22T15:54:36Z", "2026-11-22T15:54:36Z"),
            ("2026-11-22T15:54:36-0330", "2026-11-22T19:24:36Z"),
            ("2026-11-22 15:54:36.5-03:30", "2026-11-22T19:24:36Z"),
            ("2026-11-22 15:54:36.123456789", "2026-11-22T14:54:36Z"),
            ("Nov 22 15:54:36.123456", "2026-11-22T14:54:36Z"),
            ("Nov 22 2026 15:54:36.123", "2026-11-22T14:54:36Z"),
            ("Nov  2 2025 15:54:36", "2025-11-02T14:54:36Z"),
            ("2026 Nov 22 15:54:36", "2026-11-22T14:54:36Z"),
            ("2025 Nov 22 15:54:36.123", "2025-11-22T14:54:36Z"),
            ("Sun Nov 22 15:54:36 2026", "2026-11-22T14:54:36Z"),
            ("Sun 2026-11-22 15:54:36 CET", "2026-11-22T14:54:36Z"),
            ("Sun 2026-11-22 15:54:36 NZDT", "2026-11-22T14:54:36Z"),
            ("Sun 2026-11-22 15:54:36 UTC", "2026-11-22T15:54:36Z"),
            ("Sun 2026-11-22 15:54:36 +03", "2026-11-22T12:54:36Z"),
            ("Sun 2026-11-22 15:54:36 -0330", "2026-11-22T19:24:36Z"),
            ("2026-11-22_15:54:36.12345", "2026-11-22T15:54:36Z"),
            ("2026-11-22T15:54:36.12345", "2026-11-22T15:54:36Z"),
            ("1795362876.123456", "2026-11-22T15:54:36Z"),
            ("@400000006b0310611a2b3c4d", "2026-11-22T15:54:36Z"),
        ] {
            assert_eq!(read(stamp, now), Some(time(expected)), "{stamp}");
            let is_of_this_zone = expected.contains("T14:54:36");
            assert_eq!(has_zone(stamp.as_bytes()), !is_of_this_zone && !stamp.starts_with("Ju"), "{stamp}");
            let without = ["Nov 22 15", "Nov  2 15", "Nov 02 15", "Jun 30 23", "Jul  1 00"];
            let is_without = without.iter().any(|start| stamp.starts_with(start));
            assert_eq!(has_no_year(stamp.as_bytes()), is_without, "{stamp}");
        }
        for stamp in [
            "",
            "Nov 31 15:54:36",
            "Nov 22 25:54:36",
            "2026-02-29T00:00:00Z",
            "2026-11-22T15:54:36+25:99x",
            "2026-11-22",
            "-",
            "@0000000000000000ffffffff",
            "@ffffffffffffffff00000000",
            "Nov 22 15:54",
        ] {
            assert_eq!(read(stamp, now), None, "{stamp}");
        }
    }

    #[test]
    fn a_stamp_without_a_year_is_of_the_latest_that_it_can_be() {
        for (stamp, now, expected) in [
            ("Dec 31 23:50:00", "2027-01-01T00:10:00Z", "2026-12-31T22:50:00Z"),
            ("Jan  1 00:20:00", "2026-12-31T22:55:00Z", "2026-12-31T23:20:00Z"),
            ("Nov 22 16:00:00", "2027-06-01T00:00:00Z", "2026-11-22T15:00:00Z"),
            ("Nov 22 16:00:00", "2027-11-21T12:00:00Z", "2026-11-22T15:00:00Z"),
            ("Nov 22 16:00:00", "2027-11-21T16:00:00Z", "2027-11-22T15:00:00Z"),
            ("Feb 29 12:00:00", "2028-03-01T00:00:00Z", "2028-02-29T11:00:00Z"),
            ("Feb 29 12:00:00", "2029-03-01T00:00:00Z", "2028-02-29T11:00:00Z"),
        ] {
            assert_eq!(read(stamp, now), Some(time(expected)), "{stamp} at {now}");
        }
        assert_eq!(read("Feb 29 12:00:00", "2026-03-01T00:00:00Z"), None);
    }

    #[test]
    fn in_the_hour_that_is_repeated_the_lines_before_tell() {
        let now = time("2026-10-25T02:00:00Z");
        let mut stamps = stamps();
        let mut at = |stamp: &str| stamps.time(stamp.as_bytes(), now).unwrap();
        assert_eq!(at("Oct 25 02:30:00"), time("2026-10-25T00:30:00Z"), "without a line before");
        assert_eq!(at("Oct 25 02:29:30"), time("2026-10-25T00:29:30Z"), "somewhat out of order");
        assert_eq!(at("Oct 25 02:59:59"), time("2026-10-25T00:59:59Z"));
        assert_eq!(at("Oct 25 02:00:01"), time("2026-10-25T01:00:01Z"), "again");
        assert_eq!(at("Oct 25 02:59:50"), time("2026-10-25T00:59:50Z"), "somewhat out of order");
        assert_eq!(at("Oct 25 02:10:00"), time("2026-10-25T01:10:00Z"));
        assert_eq!(at("Oct 25 02:59:59"), time("2026-10-25T01:59:59Z"));
        assert_eq!(at("Oct 25 03:00:00"), time("2026-10-25T02:00:00Z"));
    }

    #[test]
    fn a_time_that_the_clocks_skip_is_a_time_all_the_same() {
        let read = read("Mar 29 02:30:00", "2026-03-29T12:00:00Z").unwrap();
        assert!(read >= time("2026-03-29T00:30:00Z") && read <= time("2026-03-29T01:30:00Z"));
    }
}
