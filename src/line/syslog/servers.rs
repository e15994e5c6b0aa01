//! What servers write into files of their own, and what nginx writes into its messages. Pure.

use super::forms::Form;
use super::stamps::{is_day, stamp, with_year, without_year};
use super::{DIGITS, Found, Header, LOWER, has_form, number, origin};
use crate::line::bytes::Class;

/// A line that begins with a stamp, but with none of syslog or nothing that syslog writes behind it.
pub(super) fn with_odd_stamp(line: &[u8]) -> Option<Found<'_>> {
    trace(line).or_else(|| apple(line)).or_else(|| stalwart(line))
}

/// `2026-11-22T16:03:39Z INFO Authentication successful (auth.success) ...`: Stalwart's log, of which the level is part of the
/// message; it names neither host nor program (crates/trc/src/serializers/text.rs). No syslog daemon writes a host and then
/// no tag.
fn stalwart(line: &[u8]) -> Option<Found<'_>> {
    let (time, rest) = stamp(line)?;
    let is_level = [b"ERROR ".as_slice(), b"WARN ", b"INFO ", b"DEBUG ", b"TRACE "].iter().any(|l| rest.starts_with(l));
    let is_event = is_level && time.ends_with(b"Z") && memchr::memmem::find(rest, b" (").is_some();
    is_event.then(|| Found::new(Header::of(time, b"stalwart", None), rest, Form::Stalwart))
}

/// A line that does not begin with a stamp of syslog.
pub(super) fn with_own_form(line: &[u8]) -> Option<Found<'_>> {
    match *line.first()? {
        b'0'..=b'9' => {
            let (time, pid, message) = nginx_stamp(line)?;
            Some(Found::new(Header::of(time, b"nginx", Some(pid)), message, Form::Nginx))
        }
        _ => program_first(line),
    }
}

/// Takes nginx's own stamp from its message, if there is one.
pub(super) fn nginx_time<'l>(header: Header<'l>, message: &'l [u8]) -> (Header<'l>, &'l [u8]) {
    match nginx_stamp(message) {
        Some((time, pid, rest)) => (Header { time, pid: Some(pid), ..header }, rest),
        None => (header, message),
    }
}

/// `2026/11/22 16:29:44 [info] 806#806: ` and what follows it.
pub(super) fn nginx_stamp(text: &[u8]) -> Option<(&[u8], u32, &[u8])> {
    let (time, rest) = text.split_at_checked(19)?;
    let level = rest.strip_prefix(b" [")?;
    let rest = level[LOWER.run(level)..].strip_prefix(b"] ")?;
    let (pid, rest) = number(rest)?;
    let (_, rest) = number(rest.strip_prefix(b"#")?)?;
    has_form(time, b"dddd/dd/dd dd:dd:dd").then_some((time, pid, rest.strip_prefix(b": ")?))
}

/// nginx puts its own host name, which is empty before its workers run, behind that of the syslog daemon; whether it did. With
/// a colon it would be the tag of another program, whose message begins with a stranger's `nginx: `.
pub(super) fn without_second_host(text: &[u8]) -> (&[u8], bool) {
    match text[HOST_IN_TAG.run(text)..].strip_prefix(b" ") {
        Some(rest) if rest.starts_with(b"nginx: ") => (rest, true),
        _ => (text, false),
    }
}

/// Dovecot's processes write `imap-login: ` and `imap(USER)<PID><SESSION>: ` into its own file; they are one program.
pub(super) fn is_mail_process(text: &[u8]) -> bool {
    let is = |name: &[u8]| text.starts_with(name);
    is(b"imap-login: ")
        || is(b"pop3-login: ")
        || (is(b"imap(") || is(b"pop3(")) && memchr::memmem::find(text, b">: ").is_some()
}

/// `program: STAMP message` of Dovecot 1.x, `mail.info: STAMP program: message` of socklog.
pub(super) fn program_first(line: &[u8]) -> Option<Found<'_>> {
    let (program, rest) = origin::program(line)?;
    let (time, message) = stamp(rest.strip_prefix(b": ")?)?;
    if origin::is_priority(program) {
        return origin::read(time, message).map(|found| found.with(Form::Socklog));
    }
    Some(Found::new(Header::of(time, program, None), message, Form::ProgramFirst))
}

/// `Nov 22 10:00:00.123 2026 [4711] message`.
fn trace(line: &[u8]) -> Option<Found<'_>> {
    let (time, rest) = line.split_at(without_year(line)?);
    let rest = match rest.strip_prefix(b".") {
        Some(fraction) => &fraction[DIGITS.run(fraction)..],
        None => rest,
    };
    let (year, rest) = rest.split_at_checked(7)?;
    let (pid, rest) = number(rest)?;
    let message = rest.strip_prefix(b"] ")?;
    let header = Header::of(time, b"qpopper", Some(pid));
    has_form(year, b" dddd [").then(|| Found::new(header, message, Form::Qpopper))
}

/// `Nov 22 2026 15:54:36`, some words of the server, and a message that begins with the protocol.
fn apple(line: &[u8]) -> Option<Found<'_>> {
    const MOST_WORDS: usize = 4;
    let (time, mut rest) = line.split_at(with_year(line).filter(|_| is_day(&line[..6]))?);
    for _ in 0..=MOST_WORDS {
        rest = rest.strip_prefix(b" ")?;
        if rest.starts_with(b"IMAP ") || rest.starts_with(b"POP") {
            return Some(Found::new(Header::of(time, b"AppleMailServer", None), rest, Form::Apple));
        }
        rest = &rest[APPLE.run(rest)..];
    }
    None
}

static HOST_IN_TAG: Class = Class::letters_digits_and(b"-_./@");
static APPLE: Class = Class::letters_digits_and(b"-_.:/@[]()");

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn a_line_of_stalwart_has_a_level() {
        let program = |line: &'static str| parse(line.as_bytes()).map(|(header, _)| header.program.to_vec());
        assert_eq!(
            program("2026-11-22T16:03:39Z INFO Authentication successful (auth.success) x = 1"),
            Some(b"stalwart".to_vec())
        );
        assert_eq!(program("2026-11-22T16:03:39Z mail Authentication successful (auth.success)"), None);
        assert_eq!(program("2026-11-22T16:03:39Z INFO imapd[7]: x (y)"), Some(b"imapd".to_vec()));
        assert_eq!(program("Nov 22 16:03:39 INFO Authentication successful (auth.success)"), None);
    }
}
