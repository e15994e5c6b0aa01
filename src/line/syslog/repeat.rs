//! `last message repeated 3 times`: what a syslog daemon writes instead of the same message again. Pure.
//!
//! It has no program in front of it, where a program could have written it, or `syslogd`: FreeBSD's since 12 (usr.sbin/syslogd:
//! fprintlog_successive). Its host is that of the message, except there, where it is always the own. rsyslog before 5 leaves the
//! tag of the message in front of it, and some versions no host (action.c: actionWriteToAction).

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
    /// The host; `None` if a tag stands there without one.
    pub host: Option<&'l [u8]>,
    /// Program and process of the tag, if there is one.
    pub tag: Option<(&'l [u8], Option<u32>)>,
}

/// Reads a line that says nothing but that the last message was repeated.
pub fn repeat(line: &[u8]) -> Option<Repeat<'_>> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !line.ends_with(b" times") && !line.ends_with(b" time") {
        return None;
    }
    let line = skip_priority(behind_prefix(line)?);
    if let Some(parts) = rfc5424::parts(line) {
        let is_repeat = parts.is_of_syslogd() && says_so(parts.message);
        return is_repeat.then_some(Repeat { time: parts.time, host: Some(parts.host?), tag: None });
    }
    let (time, rest) = stamp(line)?;
    let rest = match origin::behind_priority_in_angles(rest) {
        Some(behind) => behind.strip_prefix(b" ")?,
        None => rest,
    };
    let (host, rest) = rest.split_at(HOST.run(rest));
    let text = rest.strip_prefix(b" ")?;
    let text = text.strip_prefix(b"syslogd: ").unwrap_or(text);
    let tag = if says_so(text) { None } else { Some(tag_of(text)?) };
    if host.ends_with(b":") || host.is_empty() && tag.is_none() {
        return None;
    }
    Some(Repeat { time, host: Some(host).filter(|host| !host.is_empty()), tag })
}

/// Program and process in front of those words.
fn tag_of(text: &[u8]) -> Option<(&[u8], Option<u32>)> {
    let (program, rest) = origin::program(text)?;
    let (pid, message) = origin::behind_program(rest)?;
    says_so(message).then_some((program, pid))
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
