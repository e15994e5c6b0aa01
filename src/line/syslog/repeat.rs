//! `last message repeated 3 times`: what a syslog daemon writes instead of the same message again. Pure.
//!
//! It has no program in front of it, where a program could have written it, or `syslogd`: FreeBSD's since 12 (usr.sbin/syslogd:
//! fprintlog_successive). Its host is that of the message, except there, where it is always the own.

use super::site::behind_prefix;
use super::stamps::stamp;
use super::{DIGITS, HOST, origin, rfc5424, skip_priority};

/// The one program that may say so.
pub(crate) const REPEATER: &[u8] = b"syslogd";

/// A line that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat<'l> {
    /// When it came last.
    pub time: &'l [u8],
    /// The host.
    pub host: &'l [u8],
}

/// Reads a line that says nothing but that the last message was repeated.
pub fn repeat(line: &[u8]) -> Option<Repeat<'_>> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !line.ends_with(b" times") && !line.ends_with(b" time") {
        return None;
    }
    let line = skip_priority(behind_prefix(line)?);
    let (time, host, text) = match rfc5424::parts(line) {
        Some(parts) if parts.is_of_syslogd() => (parts.time, parts.host?, parts.message),
        Some(_) => return None,
        None => {
            let (time, rest) = stamp(line)?;
            let rest = match origin::behind_priority_in_angles(rest) {
                Some(behind) => behind.strip_prefix(b" ")?,
                None => rest,
            };
            let (host, rest) = rest.split_at(HOST.run(rest));
            let text = rest.strip_prefix(b" ")?;
            (time, host, text.strip_prefix(b"syslogd: ").unwrap_or(text))
        }
    };
    (!host.is_empty() && !host.ends_with(b":") && says_so(text)).then_some(Repeat { time, host })
}

/// sysklogd 2 says `buffered`, Solaris `1 time`.
fn says_so(text: &[u8]) -> bool {
    let rest = text.strip_prefix(b"last message ");
    let rest = rest.and_then(|rest| rest.strip_prefix(b"repeated ").or_else(|| rest.strip_prefix(b"buffered ")));
    rest.is_some_and(|rest| {
        let digits = DIGITS.run(rest);
        (1..=9).contains(&digits) && matches!(&rest[digits..], b" times" | b" time")
    })
}

/// What rsyslog's `message repeated 3 times: [ message]` repeats. It cuts after 800 bytes, so nothing that long counts.
pub(crate) fn repeated(message: &[u8]) -> Option<&[u8]> {
    const CUT: usize = 800;
    let inner = begin_of_repeated(message)?.strip_suffix(b"]").filter(|inner| inner.len() < CUT)?;
    Some(inner)
}

/// The same, which a newline in the message may have cut.
#[inline]
pub(crate) fn begin_of_repeated(message: &[u8]) -> Option<&[u8]> {
    let rest = message.strip_prefix(b"message repeated ")?;
    let digits = Some(DIGITS.run(rest)).filter(|digits| (1..=9).contains(digits))?;
    let inner = rest[digits..].strip_prefix(b" times: [")?;
    Some(inner.strip_prefix(b" ").unwrap_or(inner))
}
