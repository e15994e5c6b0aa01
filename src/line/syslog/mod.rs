//! Takes the header off a log line: time stamp, host, program and pid. Pure; borrows from the line, never allocates.
//!
//! The program name decides who is believed, so every part of the header is read from its fixed place and must have
//! its exact form. Nothing is searched for: text of the message can never be taken for the header.

mod later;
mod layout;
mod servers;

pub use later::holds_later_stamp;
pub use layout::{Layout, Tag};

use crate::line::bytes::Class;

/// Longest line that is looked at, in bytes without the newline.
pub const LONGEST_LINE: usize = 8192;

/// What stands in front of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'l> {
    /// The time stamp as written.
    pub time: &'l [u8],
    /// The host name; servers that write their own file give none.
    pub host: Option<&'l [u8]>,
    /// The program (syslog tag), whole: `imapd`, `cyrus/imap`.
    pub program: &'l [u8],
    /// The process id in brackets behind the program.
    pub pid: Option<u32>,
}

/// Splits a line without its newline (one trailing carriage return is ignored) into header and message.
///
/// Known forms, each optionally behind a syslog priority `<N>`:
/// - `STAMP host program[pid]: message`: what syslog daemons and `journalctl -o short` write
/// - `STAMP program: message`: Dovecot 2.x writing its own file
/// - `STAMP [program] message`: older Courier and Qpopper
/// - `program: STAMP message`: Dovecot 1.x writing its own file
/// - `STAMP process(user)<pid><session>: message`: Dovecot's mail processes in that file; the program is `dovecot`
/// - `STAMP host host nginx: NGINX_STAMP message`: nginx through syslog, which names its host itself, or leaves it empty
/// - `NGINX_STAMP message`: nginx's own file; `NGINX_STAMP` is `2026/11/22 16:29:44 [info] 806#806:`
/// - `STAMP.123 2026 [pid] message`: Qpopper's trace file; the program is `qpopper`
/// - `STAMP LEVEL message`, with a stamp in UTC: Stalwart's own file; the program is `stalwart`
/// - `Nov 22 2026 15:54:36 ... IMAP message`: Apple's mail server; the program is `AppleMailServer`
///
/// `STAMP` is `Nov 22 15:54:36` or `2026-11-22T15:54:36.123456+00:00` (fraction and zone may be missing, `T` may be a
/// space).
pub fn parse(line: &[u8]) -> Option<(Header<'_>, &[u8])> {
    let line = skip_priority(line.strip_suffix(b"\r").unwrap_or(line));
    let (header, message) = match stamp(line) {
        Some((time, rest)) => origin(time, rest).or_else(|| trace(line)).or_else(|| servers::stalwart(time, rest))?,
        None => foreign(line)?,
    };
    Some(if header.program == b"nginx" { with_own_stamp(header, message) } else { (header, message) })
}

/// Whether the line begins with a stamp of syslog, whatever follows.
pub(crate) fn is_stamped(line: &[u8]) -> bool {
    stamp(line).is_some()
}

/// Takes nginx's own stamp from the message, if there is one.
fn with_own_stamp<'l>(header: Header<'l>, message: &'l [u8]) -> (Header<'l>, &'l [u8]) {
    match nginx_stamp(message) {
        Some((time, pid, rest)) => (Header { time, pid: Some(pid), ..header }, rest),
        None => (header, message),
    }
}

/// A line that does not begin with a stamp of syslog.
fn foreign(line: &[u8]) -> Option<(Header<'_>, &[u8])> {
    match *line.first()? {
        b'0'..=b'9' => {
            let (time, pid, message) = nginx_stamp(line)?;
            Some((Header { time, host: None, program: b"nginx", pid: Some(pid) }, message))
        }
        _ => program_first(line).or_else(|| trace(line)).or_else(|| apple(line)),
    }
}

/// `2026/11/22 16:29:44 [info] 806#806: ` and what follows it.
fn nginx_stamp(text: &[u8]) -> Option<(&[u8], u32, &[u8])> {
    let (time, rest) = text.split_at_checked(19)?;
    let level = rest.strip_prefix(b" [")?;
    let rest = level[LOWER.run(level)..].strip_prefix(b"] ")?;
    let (pid, rest) = number(rest)?;
    let (_, rest) = number(rest.strip_prefix(b"#")?)?;
    has_form(time, b"dddd/dd/dd dd:dd:dd").then_some((time, pid, rest.strip_prefix(b": ")?))
}

/// `Nov 22 10:00:00.123 2026 [4711] message`.
fn trace(line: &[u8]) -> Option<(Header<'_>, &[u8])> {
    let (time, rest) = line.split_at(traditional_stamp(line)?);
    let rest = match rest.strip_prefix(b".") {
        Some(fraction) => &fraction[DIGITS.run(fraction)..],
        None => rest,
    };
    let (year, rest) = rest.split_at_checked(7)?;
    let (pid, rest) = number(rest)?;
    let message = rest.strip_prefix(b"] ")?;
    has_form(year, b" dddd [").then_some((Header { time, host: None, program: b"qpopper", pid: Some(pid) }, message))
}

/// `Nov 22 2026 15:54:36`, some words of the server, and a message that begins with the protocol.
fn apple(line: &[u8]) -> Option<(Header<'_>, &[u8])> {
    const MOST_WORDS: usize = 4;
    let (time, mut rest) = line.split_at_checked(20)?;
    if !is_day(&time[..6]) || !has_form(&time[6..], b" dddd dd:dd:dd") {
        return None;
    }
    for _ in 0..=MOST_WORDS {
        rest = rest.strip_prefix(b" ")?;
        if rest.starts_with(b"IMAP ") || rest.starts_with(b"POP") {
            return Some((Header { time, host: None, program: b"AppleMailServer", pid: None }, rest));
        }
        rest = &rest[APPLE.run(rest)..];
    }
    None
}

fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at(DIGITS.run(text));
    let append = |number: u32, digit: &u8| number.checked_mul(10)?.checked_add(u32::from(digit - b'0'));
    (!digits.is_empty()).then_some((digits.iter().try_fold(0, append)?, rest))
}

fn skip_priority(line: &[u8]) -> &[u8] {
    let Some(rest) = line.strip_prefix(b"<") else { return line };
    let digits = DIGITS.run(rest);
    match rest.get(digits) {
        Some(b'>') if (1..=3).contains(&digits) => &rest[digits + 1..],
        _ => line,
    }
}

/// Splits off a time stamp and the space behind it.
fn stamp(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = match *text.first()? {
        b'A'..=b'Z' => traditional_stamp(text)?,
        b'0'..=b'9' => iso_stamp(text)?,
        _ => return None,
    };
    let (time, rest) = text.split_at(length);
    Some((time, rest.strip_prefix(b" ")?))
}

/// `Nov 22 15:54:36`; syslog pads the day with a space, Dovecot's own file with a zero.
fn traditional_stamp(text: &[u8]) -> Option<usize> {
    let (day, rest) = text.split_at_checked(6)?;
    let [b' ', h, hh, b':', m, mm, b':', s, ss] = rest.first_chunk::<9>()? else { return None };
    ([h, hh, m, mm, s, ss].into_iter().all(u8::is_ascii_digit) && is_day(day)).then_some(15)
}

/// `Nov 22`.
fn is_day(text: &[u8]) -> bool {
    let Some((month, [b' ', tens, ones])) = text.split_first_chunk::<3>() else { return false };
    let known = matches!(
        month,
        b"Jan" | b"Feb" | b"Mar" | b"Apr" | b"May" | b"Jun" | b"Jul" | b"Aug" | b"Sep" | b"Oct" | b"Nov" | b"Dec"
    );
    known && (*tens == b' ' || tens.is_ascii_digit()) && ones.is_ascii_digit()
}

/// RFC 3339; the length of the stamp.
fn iso_stamp(text: &[u8]) -> Option<usize> {
    let separator = *text.get(10)?;
    let whole = has_form(&text[..10], b"dddd-dd-dd")
        && matches!(separator, b'T' | b' ')
        && has_form(text.get(11..19)?, b"dd:dd:dd");
    if !whole {
        return None;
    }
    let mut length = 19;
    if text.get(length) == Some(&b'.') {
        let digits = DIGITS.run(&text[length + 1..]);
        if digits == 0 {
            return None;
        }
        length += 1 + digits;
    }
    Some(length + zone(&text[length..]))
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

/// Whether each `d` of the form is a digit in `text`, and every other byte itself.
fn has_form(text: &[u8], form: &[u8]) -> bool {
    text.len() == form.len() && text.iter().zip(form).all(|(b, f)| if *f == b'd' { b.is_ascii_digit() } else { b == f })
}

/// What follows the time stamp: host and tag, a tag alone, or a program in brackets.
fn origin<'l>(time: &'l [u8], rest: &'l [u8]) -> Option<(Header<'l>, &'l [u8])> {
    if let Some(inner) = rest.strip_prefix(b"[") {
        let (program, rest) = inner.split_at(PROGRAM.run(inner));
        let message = rest.strip_prefix(b"] ")?;
        return (!program.is_empty()).then_some((Header { time, host: None, program, pid: None }, message));
    }
    if is_mail_process(rest) {
        return Some((Header { time, host: None, program: b"dovecot", pid: None }, rest));
    }
    let space = memchr::memchr(b' ', rest)?;
    let word = &rest[..space];
    // No host ends in a colon, so a first word that does is the tag.
    if word.ends_with(b":") {
        let (program, pid, message) = tag(rest)?;
        return Some((Header { time, host: None, program, pid }, message));
    }
    if space == 0 || HOST.run(word) != space {
        return None;
    }
    let rest = &rest[space + 1..];
    let (program, pid, message) = tag(without_second_host(rest))?;
    Some((Header { time, host: Some(word), program, pid }, message))
}

/// Dovecot's processes write `imap-login: ` and `imap(USER)<PID><SESSION>: ` into its own file; they are one program.
fn is_mail_process(text: &[u8]) -> bool {
    let is = |name: &[u8]| text.starts_with(name);
    is(b"imap-login: ")
        || is(b"pop3-login: ")
        || (is(b"imap(") || is(b"pop3(")) && memchr::memmem::find(text, b">: ").is_some()
}

/// nginx puts its own host name, which is empty before its workers run, behind that of the syslog daemon. With a colon it
/// would be the tag of another program, whose message begins with a stranger's `nginx: `.
fn without_second_host(text: &[u8]) -> &[u8] {
    match text[HOST_IN_TAG.run(text)..].strip_prefix(b" ") {
        Some(rest) if rest.starts_with(b"nginx: ") => rest,
        _ => text,
    }
}

/// `program[pid]:` and at most one space; what is left is the message.
fn tag(text: &[u8]) -> Option<(&[u8], Option<u32>, &[u8])> {
    let (program, rest) = text.split_at(PROGRAM.run(text));
    let (pid, message) = behind_program(rest)?;
    (!program.is_empty()).then_some((program, pid, message))
}

/// `[pid]:` or `:`, and what a tag has behind it.
fn behind_program(text: &[u8]) -> Option<(Option<u32>, &[u8])> {
    let (pid, rest) = match text.strip_prefix(b"[") {
        Some(inner) => {
            let (pid, rest) = number(inner)?;
            (Some(pid), rest.strip_prefix(b"]")?)
        }
        None => (None, text),
    };
    let rest = rest.strip_prefix(b":")?;
    Some((pid, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// `program: STAMP message`.
fn program_first(line: &[u8]) -> Option<(Header<'_>, &[u8])> {
    let (program, rest) = line.split_at(PROGRAM.run(line));
    let (time, message) = stamp(rest.strip_prefix(b": ")?)?;
    (!program.is_empty()).then_some((Header { time, host: None, program, pid: None }, message))
}

static DIGITS: Class = Class::new(b'0', b'9', b"");
static LOWER: Class = Class::new(b'a', b'z', b"");
static PROGRAM: Class = Class::letters_digits_and(b"-_./+");
static HOST: Class = Class::letters_digits_and(b"-_.:/@");
static HOST_IN_TAG: Class = Class::letters_digits_and(b"-_./@");
static APPLE: Class = Class::letters_digits_and(b"-_.:/@[]()");

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;

    type Parts<'l> = (&'l str, Option<&'l str>, &'l str, Option<u32>, &'l str);

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).expect("test lines are UTF-8")
    }

    fn parts(line: &str) -> Option<Parts<'_>> {
        let (header, message) = parse(line.as_bytes())?;
        Some((text(header.time), header.host.map(text), text(header.program), header.pid, text(message)))
    }

    #[test]
    fn every_form_is_read() {
        let old = "Nov 22 15:54:36";
        let new = "2026-11-22T16:03:39.123456+00:00";
        let table = [
            ("Nov 22 15:54:36 mail imapd[7]: LOGIN, x", Some((old, Some("mail"), "imapd", Some(7), "LOGIN, x"))),
            ("<22>Nov 22 15:54:36 mail imapd: a: b\r", Some((old, Some("mail"), "imapd", None, "a: b"))),
            ("Nov 22 15:54:36 mail imapd[7]:LOGIN", Some((old, Some("mail"), "imapd", Some(7), "LOGIN"))),
            ("Nov 22 15:54:36 mail cyrus/imap[7]:  x", Some((old, Some("mail"), "cyrus/imap", Some(7), " x"))),
            ("Nov 22 15:54:36 mail a:", Some((old, Some("mail"), "a", None, ""))),
            ("Nov  2 15:54:36 2001:db8::1 a: b", Some(("Nov  2 15:54:36", Some("2001:db8::1"), "a", None, "b"))),
            ("Nov 02 15:54:36 auth: Info: x", Some(("Nov 02 15:54:36", None, "auth", None, "Info: x"))),
            ("Nov 22 15:54:36 imap-login: Info: x", Some((old, None, "dovecot", None, "imap-login: Info: x"))),
            ("Nov 22 15:54:36 imap(a b: c)<7><x>: y", Some((old, None, "dovecot", None, "imap(a b: c)<7><x>: y"))),
            ("Nov 22 15:54:36 mail mail nginx: x", Some((old, Some("mail"), "nginx", None, "x"))),
            ("Nov 22 15:54:36 mail  nginx: x", Some((old, Some("mail"), "nginx", None, "x"))),
            (
                "Nov 22 15:54:36 mail nginx: 2026/11/22 15:54:36 [info] 7#8: *1 x",
                Some(("2026/11/22 15:54:36", Some("mail"), "nginx", Some(7), "*1 x")),
            ),
            ("2026/11/22 15:54:36 [notice] 7#7: x", Some(("2026/11/22 15:54:36", None, "nginx", Some(7), "x"))),
            ("Nov 22 15:54:36.123 2026 [7] (v4.0.9) x", Some((old, None, "qpopper", Some(7), "(v4.0.9) x"))),
            ("Nov 22 15:54:36 2026 [7] x", Some((old, None, "qpopper", Some(7), "x"))),
            (
                "Nov 22 2026 15:54:36 mail[1] 5 IMAP User",
                Some(("Nov 22 2026 15:54:36", None, "AppleMailServer", None, "IMAP User")),
            ),
            ("Nov 22 15:54:36 [imapd] LOGIN, x", Some((old, None, "imapd", None, "LOGIN, x"))),
            ("dovecot: Nov 22 15:54:36 Info: x", Some((old, None, "dovecot", None, "Info: x"))),
            ("2026-11-22T16:03:39.123456+00:00 mail a: b", Some((new, Some("mail"), "a", None, "b"))),
            ("2026-11-22T16:03:39Z mail a: b", Some(("2026-11-22T16:03:39Z", Some("mail"), "a", None, "b"))),
            ("2026-11-22T16:03:39-0330 mail a: b", Some(("2026-11-22T16:03:39-0330", Some("mail"), "a", None, "b"))),
            ("2026-11-22 16:03:39 a: b", Some(("2026-11-22 16:03:39", None, "a", None, "b"))),
        ];
        for (line, expected) in table {
            assert_eq!(parts(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for line in [
            "",
            "Nov 22 15:54:36",
            "Nov 22 15:54:36 ",
            "Nov 22 15:54:36 mail",
            "Nov 22 15:54:36 mail imapd",
            "Nov 22 15:54:36 mail imapd LOGIN: x",
            "Nov 22 15:54:36 mail imapd[x]: y",
            "Nov 22 15:54:36 mail imapd[]: y",
            "Nov 22 15:54:36 mail imapd[99999999999]: y",
            "Nov 22 15:54:36 mail imapd[7] y",
            "Nov 22 15:54:36  imapd: y",
            "Nov 22 15:54:36 [] y",
            "Nov 22 15:54:36 [imapd]: y",
            "Nov 22 15:54:36 imap(x imapd: y",
            "Nov 22 15:5a:36 mail imapd: y",
            "Nov x2 15:54:36 mail imapd: y",
            "nov 22 15:54:36 mail imapd: y",
            "Foo 22 15:54:36 mail imapd: y",
            "<1234>Nov 22 15:54:36 mail imapd: y",
            "<>Nov 22 15:54:36 mail imapd: y",
            "2026-11-22T16:03:39. mail imapd: y",
            "2026-11-22T16:03 mail imapd: y",
            "2026-11-22X16:03:39 mail imapd: y",
            "x Nov 22 15:54:36 mail imapd: y",
            "Nov 22 15:54:36 mail x nginx[7]: y",
            "Nov 22 15:54:36 mail x imapd: y",
            "2026/11/22 15:54:36 [info] 7: y",
            "2026/11/22 15:54:36 7#7: y",
            "Nov 22 2026 15:54:36 \"x\" IMAP User",
            "Nov 22 15:54:36 mail message repeated 2 times: [imapd: y]",
        ] {
            assert_eq!(parts(line), None, "{line}");
        }
    }

    #[test]
    fn text_of_the_message_never_becomes_the_header() {
        let line = "Nov 22 15:54:36 mail postfix/smtpd[9]: Nov 22 15:54:36 mail imapd: LOGIN";
        assert_eq!(parts(line).map(|p| p.2), Some("postfix/smtpd"));
        for line in ["Nov 22 15:54:36 mail imapd: nginx: x", "Nov 22 15:54:36 mail imapd:x nginx: x"] {
            assert_eq!(parts(line).map(|p| p.2), Some("imapd"), "{line}");
        }
    }
}
