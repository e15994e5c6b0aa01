//! `1 STAMP HOST APP PROCID MSGID SD MSG`, RFC 5424. Pure.
//!
//! `-` stands for what is not known. FreeBSD's syslogd and rsyslog's `RSYSLOG_SyslogProtocol23Format` write it with the
//! priority in front, some templates without.

use super::forms::Form;
use super::servers::nginx_time;
use super::stamps::stamp;
use super::{Found, HOST, Header, origin};
use crate::line::bytes::Class;

/// The parts of a line.
pub(super) struct Parts<'l> {
    pub(super) time: &'l [u8],
    pub(super) host: Option<&'l [u8]>,
    program: &'l [u8],
    process: &'l [u8],
    pub(super) message: &'l [u8],
}

impl Parts<'_> {
    /// Whether no program of its own wrote the message, but syslogd.
    pub(super) fn is_of_syslogd(&self) -> bool {
        matches!(self.program, b"-" | b"syslogd")
    }
}

/// Reads a line behind its priority.
pub(super) fn read(line: &[u8]) -> Option<Found<'_>> {
    found(parts(line)?)
}

/// The same behind the stamp of a line that does not say its version, as NetBSD's syslogd writes it to a file.
pub(super) fn without_version<'l>(time: &'l [u8], rest: &'l [u8]) -> Option<Found<'l>> {
    found(behind_stamp(time, rest, &HOST).filter(|_| time.get(10) == Some(&b'T'))?)
}

fn found(Parts { time, host, program, process, message }: Parts<'_>) -> Option<Found<'_>> {
    let (program, rest) = origin::program(program).filter(|(program, _)| *program != b"-")?;
    let pid = match super::number(process) {
        Some((pid, b"")) => Some(pid),
        // Of digits, and too large: no process has it.
        None if process.iter().all(u8::is_ascii_digit) => return None,
        _ => None,
    };
    let header = Header { host, ..Header::of(time, program, pid) };
    let (header, message) = if program == b"nginx" { nginx_time(header, message) } else { (header, message) };
    rest.is_empty().then(|| Found::new(header, message, Form::Rfc5424))
}

/// Takes a line apart.
pub(super) fn parts(line: &[u8]) -> Option<Parts<'_>> {
    let rest = line.strip_prefix(b"1 ")?;
    let (time, rest) = stamp(rest).filter(|(time, _)| time.get(10) == Some(&b'T')).or_else(|| nil(rest))?;
    behind_stamp(time, rest, &GRAPHIC)
}

/// `HOST APP PROCID MSGID SD MSG`.
fn behind_stamp<'l>(time: &'l [u8], rest: &'l [u8], hosts: &Class) -> Option<Parts<'l>> {
    let (host, rest) = word(rest, hosts)?;
    let (program, rest) = word(rest, &GRAPHIC)?;
    let (process, rest) = word(rest, &GRAPHIC)?;
    let (_, rest) = word(rest, &GRAPHIC)?;
    let rest = behind_data(rest)?;
    let message = match rest.strip_prefix(b" ") {
        // rsyslog keeps the space that stood behind the tag of the traditional form.
        Some(message) => message.strip_prefix(b" ").unwrap_or(message),
        None if rest.is_empty() => rest,
        None => return None,
    };
    let message = message.strip_prefix(b"\xef\xbb\xbf").unwrap_or(message);
    Some(Parts { time, host: Some(host).filter(|host| *host != b"-"), program, process, message })
}

/// `-` in place of a stamp.
fn nil(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = text.strip_prefix(b"- ")?;
    Some((&text[..1], rest))
}

/// A word of this class and the space behind it.
fn word<'l>(text: &'l [u8], class: &Class) -> Option<(&'l [u8], &'l [u8])> {
    let (word, rest) = text.split_at(class.run(text));
    (!word.is_empty()).then_some((word, rest.strip_prefix(b" ")?))
}

/// Behind `-` or elements like `[id name="value" name="value"]`, in whose values a backslash stands in front of `"`, `\` and
/// `]`.
fn behind_data(text: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = text.strip_prefix(b"-") {
        return Some(rest);
    }
    let mut rest = text;
    while let Some(element) = rest.strip_prefix(b"[") {
        rest = behind_element(element)?;
    }
    (rest.len() < text.len()).then_some(rest)
}

/// Behind `id name="value"]`.
fn behind_element(text: &[u8]) -> Option<&[u8]> {
    let (_, mut rest) = text.split_at(Some(NAME.run(text)).filter(|length| *length > 0)?);
    while let Some(parameter) = rest.strip_prefix(b" ") {
        let name = Some(NAME.run(parameter)).filter(|length| *length > 0)?;
        rest = behind_value(parameter[name..].strip_prefix(b"=\"")?)?;
    }
    rest.strip_prefix(b"]")
}

/// Behind the quote that ends a value.
fn behind_value(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    loop {
        rest = match rest {
            [b'\\', b'"' | b'\\' | b']', rest @ ..] => rest,
            [b'"', rest @ ..] => return Some(rest),
            [b']', ..] | [] => return None,
            [_, rest @ ..] => rest,
        };
    }
}

static GRAPHIC: Class = Class::new(b'!', b'~', b"");
static NAME: Class = Class::new(b'!', b'~', b"=]\"");
