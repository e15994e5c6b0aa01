//! The forms of a time stamp, read from its first byte on. Pure; what a stamp means is told by [`crate::line::stamp`].

use super::{DIGITS, has_form};
use crate::line::bytes::Class;

/// Splits off a time stamp and the space behind it.
pub(super) fn stamp(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = match *text.first()? {
        b'A'..=b'Z' => traditional(text).or_else(|| of_weekday(text))?,
        b'0'..=b'9' => iso(text).or_else(|| year_first(text)).or_else(|| unix(text))?,
        b'@' => tai64n(text)?,
        _ => return None,
    };
    let (time, rest) = text.split_at(length);
    let rest = rest.strip_prefix(b" ")?;
    // s6-log writes two spaces behind its own, of which no other has this form.
    let is_of_s6 = length == ISO_WITH_NANOSECONDS && time[10] == b' ' && fraction(&time[SECONDS..]) == FRACTION_OF_S6;
    Some((time, if is_of_s6 { rest.strip_prefix(b" ").unwrap_or(rest) } else { rest }))
}

/// Length of `2026-11-22 15:54:36`, and of `.123456789` behind it.
const SECONDS: usize = 19;
const FRACTION_OF_S6: usize = 10;

/// Length of `2026-11-22 15:54:36.123456789`.
const ISO_WITH_NANOSECONDS: usize = SECONDS + FRACTION_OF_S6;

/// Whether a log runner or container may have written such a stamp in front of a line that has one of its own.
pub(super) fn may_be_of_runner(time: &[u8]) -> bool {
    time.first() == Some(&b'@') || time.get(4) == Some(&b'-')
}

/// `Nov 22 15:54:36`, `Nov 22 15:54:36.123456` or `Nov 22 2026 15:54:36`.
fn traditional(text: &[u8]) -> Option<usize> {
    match without_year(text) {
        Some(length) => Some(length + fraction(&text[length..])),
        None => with_year(text).map(|length| length + fraction(&text[length..])),
    }
}

/// `Nov 22 15:54:36`; syslog pads the day with a space, Dovecot's own file with a zero.
pub(super) fn without_year(text: &[u8]) -> Option<usize> {
    let (day, rest) = text.split_at_checked(6)?;
    let [b' ', h, hh, b':', m, mm, b':', s, ss] = rest.first_chunk::<9>()? else { return None };
    ([h, hh, m, mm, s, ss].into_iter().all(u8::is_ascii_digit) && is_day(day)).then_some(15)
}

/// `Nov 22 2026 15:54:36`.
pub(super) fn with_year(text: &[u8]) -> Option<usize> {
    let time = text.get(..20)?;
    (is_day(&time[..6]) && has_form(&time[6..], b" dddd dd:dd:dd")).then_some(20)
}

/// `2026 Nov 22 15:54:36`, as `$FULLDATE` of syslog-ng.
fn year_first(text: &[u8]) -> Option<usize> {
    let (year, rest) = text.split_at_checked(5)?;
    let length = without_year(rest).filter(|_| has_form(year, b"dddd "))?;
    Some(5 + length + fraction(&rest[length..]))
}

/// `Fri 2026-11-22 15:54:36 CET` of journalctl, `Fri Nov 22 15:54:36 2026` of OpenWrt's logread.
fn of_weekday(text: &[u8]) -> Option<usize> {
    let (day, rest) = text.split_first_chunk::<4>()?;
    if !matches!(day, b"Mon " | b"Tue " | b"Wed " | b"Thu " | b"Fri " | b"Sat " | b"Sun ") {
        return None;
    }
    if without_year(rest).is_some() {
        return has_form(rest.get(15..20)?, b" dddd").then_some(24);
    }
    let zone = rest.get(20..).filter(|_| has_form(&rest[..20], b"dddd-dd-dd dd:dd:dd "))?;
    let length = ZONE.run(zone);
    (1..=6).contains(&length).then_some(24 + length)
}

/// `Nov 22`.
pub(super) fn is_day(text: &[u8]) -> bool {
    let Some((month, [b' ', tens, ones])) = text.split_first_chunk::<3>() else { return false };
    let known = matches!(
        month,
        b"Jan" | b"Feb" | b"Mar" | b"Apr" | b"May" | b"Jun" | b"Jul" | b"Aug" | b"Sep" | b"Oct" | b"Nov" | b"Dec"
    );
    known && (*tens == b' ' || tens.is_ascii_digit()) && ones.is_ascii_digit()
}

/// RFC 3339, with a space or svlogd's `_` in place of the `T` as well; the length of the stamp.
fn iso(text: &[u8]) -> Option<usize> {
    let separator = *text.get(10)?;
    let whole = has_form(&text[..10], b"dddd-dd-dd")
        && matches!(separator, b'T' | b' ' | b'_')
        && has_form(text.get(11..19)?, b"dd:dd:dd");
    if !whole {
        return None;
    }
    let rest = &text[19..];
    let fraction = fraction(rest);
    let zone = if separator == b'_' { 0 } else { zone(&rest[fraction..]) };
    Some(19 + fraction + zone)
}

/// `1795782600.123456`, journalctl's `short-unix`.
fn unix(text: &[u8]) -> Option<usize> {
    let seconds = DIGITS.run(text);
    let fraction = text[seconds..].strip_prefix(b".")?;
    ((9..=11).contains(&seconds) && DIGITS.run(fraction) == 6).then_some(seconds + 7)
}

/// `@` and 24 hexadecimal digits: seconds from 2^62 on, and nanoseconds.
fn tai64n(text: &[u8]) -> Option<usize> {
    const LENGTH: usize = 25;
    let digits = text.get(1..LENGTH)?;
    (text[0] == b'@' && HEX.run(digits) == digits.len()).then_some(LENGTH)
}

/// Length of `.123456` at the start of `text`; 0 without it.
fn fraction(text: &[u8]) -> usize {
    match text.strip_prefix(b".").map(|digits| DIGITS.run(digits)) {
        Some(digits @ 1..) => digits + 1,
        _ => 0,
    }
}

/// Length of `Z`, `+01:00` or `+0100` at the start of `text`; 0 without a zone.
fn zone(text: &[u8]) -> usize {
    match text.first() {
        Some(b'Z') => 1,
        Some(b'+' | b'-') if text.get(1..6).is_some_and(|t| has_form(t, b"dd:dd")) => 6,
        Some(b'+' | b'-') if text.get(1..5).is_some_and(|t| has_form(t, b"dddd")) => 5,
        _ => 0,
    }
}

static HEX: Class = Class::new(b'0', b'9', b"").and(b'a', b'f');
static ZONE: Class = Class::new(b'A', b'Z', b"").and(b'0', b'9').with(b"+-:", true);
