//! Takes the header off a log line: time stamp, host, program and pid. Pure; borrows from the line, never allocates.
//!
//! The program name decides who is believed, so every part of the header is read from its fixed place and must have
//! its exact form. Nothing is searched for: text of the message can never be taken for the header.

pub mod forms;
mod later;
mod layout;
mod origin;
mod repeat;
mod rfc5424;
mod runner;
mod servers;
mod site;
mod stamps;

pub(crate) use later::holds_later_header;
pub use later::holds_later_stamp;
pub use layout::{Layout, Tag};
pub(crate) use repeat::{REPEATER, begin_of_repeated, repeated};
pub use repeat::{Repeat, repeat};
pub use runner::{Piece, Stream, piece, prefix};
pub use site::{LinePrefix, set_line_prefix};

use crate::line::bytes::Class;
use crate::line::stamp::is_of_svlogd;
use forms::{Form, Forms};
use servers::nginx_time;
use site::behind_prefix;
use stamps::stamp;

/// Longest line that is looked at, in bytes without the newline.
pub const LONGEST_LINE: usize = 8192;

/// What stands in front of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Header<'l> {
    /// The time stamp as written: of several that of the outermost logger, which is the latest and the surest.
    pub time: &'l [u8],
    /// That of the line which a container's runtime or a log runner put its own in front of.
    pub inner_time: Option<&'l [u8]>,
    /// The container, where the lines of several stand in one log.
    pub container: Option<&'l [u8]>,
    /// The host name; servers that write their own file give none.
    pub host: Option<&'l [u8]>,
    /// The program (syslog tag), whole: `imapd`, `cyrus/imap`.
    pub program: &'l [u8],
    /// The process id in brackets behind the program.
    pub pid: Option<u32>,
}

impl<'l> Header<'l> {
    fn of(time: &'l [u8], program: &'l [u8], pid: Option<u32>) -> Self {
        Self { time, inner_time: None, container: None, host: None, program, pid }
    }

    /// Whether a container's runtime wrote the line. It puts lines of several writers into one log: containers, streams.
    pub(crate) fn is_in_container(&self) -> bool {
        let is_runtime = self.inner_time.is_some() && self.time.get(10) == Some(&b'T') && !is_of_svlogd(self.time);
        self.container.is_some() || is_runtime
    }

    /// Whether a runtime, a runner or the site's own logger has put something in front of each line of the server, not of each
    /// message.
    pub(crate) fn is_behind_runner(&self) -> bool {
        let is_runner = self.inner_time.is_some() || self.container.is_some() || runner::is_of_runner(self.time);
        is_runner || site::has_prefix()
    }
}

/// A line that was read.
#[derive(Debug, Clone, Copy)]
struct Found<'l> {
    header: Header<'l>,
    message: &'l [u8],
    forms: Forms,
}

impl<'l> Found<'l> {
    fn new(header: Header<'l>, message: &'l [u8], form: Form) -> Self {
        Self { header, message, forms: Forms::of(form) }
    }

    fn with(self, form: Form) -> Self {
        Self { forms: self.forms.and(form), ..self }
    }
}

/// Splits a line without its newline (one trailing carriage return is ignored) into header and message.
///
/// [`forms::TABLE`] has the forms with an example of each, and who writes it.
pub fn parse(line: &[u8]) -> Option<(Header<'_>, &[u8])> {
    read(line).map(|found| (found.header, found.message))
}

/// The forms that the header of a line is made of.
pub fn forms_of(line: &[u8]) -> Option<Forms> {
    read(line).map(|found| found.forms)
}

/// The stamp of a line: the one with which it begins, whatever follows, or that of its header.
pub(crate) fn stamp_of(line: &[u8]) -> Option<&[u8]> {
    let begin = behind_prefix(line).and_then(|line| stamp(skip_priority(line)));
    begin.map(|(time, _)| time).or_else(|| parse(line).map(|(header, _)| header.time))
}

/// Whether the line begins with a stamp of syslog, whatever follows.
pub(crate) fn is_stamped(line: &[u8]) -> bool {
    behind_prefix(line).and_then(stamp).is_some()
}

fn read(line: &[u8]) -> Option<Found<'_>> {
    within(behind_prefix(line.strip_suffix(b"\r").unwrap_or(line))?, 0)
}

/// Reads a line in front of which runtimes and runners have put this many headers.
fn within(line: &[u8], depth: usize) -> Option<Found<'_>> {
    let unmarked = skip_priority(line);
    let has_front = depth > 0 || unmarked.len() < line.len();
    let found = match stamp(unmarked) {
        Some((time, rest)) if runner::is_loose_piece(time, rest, has_front) => return None,
        Some((time, rest)) => runner::stamped(time, rest, depth)
            .or_else(|| origin::read(time, rest).map(|found| found.with(Form::of_stamp(time))))
            .or_else(|| servers::with_odd_stamp(unmarked))
            .or_else(|| rfc5424::without_version(time, rest))?,
        None => rfc5424::read(unmarked)
            .or_else(|| servers::with_own_form(unmarked))
            .or_else(|| runner::named(unmarked, depth))?,
    };
    Some(if unmarked.len() < line.len() { found.with(Form::Priority) } else { found })
}

/// Behind `<22>`, if the line begins with that; or `<mail.info>`, which NetBSD's syslogd writes with `-v`.
fn skip_priority(line: &[u8]) -> &[u8] {
    let Some(rest) = line.strip_prefix(b"<") else { return line };
    let digits = DIGITS.run(rest);
    match rest.get(digits) {
        Some(b'>') if (1..=3).contains(&digits) => &rest[digits + 1..],
        _ => origin::behind_priority_in_angles(line).unwrap_or(line),
    }
}

fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at(DIGITS.run(text));
    let append = |number: u32, digit: &u8| number.checked_mul(10)?.checked_add(u32::from(digit - b'0'));
    (!digits.is_empty()).then_some((digits.iter().try_fold(0, append)?, rest))
}

/// Whether each `d` of the form is a digit in `text`, and every other byte itself.
fn has_form(text: &[u8], form: &[u8]) -> bool {
    text.len() == form.len() && text.iter().zip(form).all(|(b, f)| if *f == b'd' { b.is_ascii_digit() } else { b == f })
}

static DIGITS: Class = Class::new(b'0', b'9', b"");
static LOWER: Class = Class::new(b'a', b'z', b"");
static PROGRAM: Class = Class::letters_digits_and(b"-_./+");
static HOST: Class = Class::letters_digits_and(b"-_.:/@#%");

/// What a host is called whose name was not set.
const NO_NAME: &[u8] = b"(none)";

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
            ("Nov 22 15:54:36 mail cyrus/imap[7]:   x", Some((old, Some("mail"), "cyrus/imap", Some(7), " x"))),
            ("Nov 22 15:54:36 mail imapd[7]:  x", Some((old, Some("mail"), "imapd", Some(7), "x"))),
            ("Nov 22 15:54:36 (none) imapd: x", Some((old, Some("(none)"), "imapd", None, "x"))),
            ("Nov 22 15:54:36 fe80::1%eth0 imapd: x", Some((old, Some("fe80::1%eth0"), "imapd", None, "x"))),
            (
                "<22>1 2026-11-22T16:03:39Z [::1] imapd - - - x",
                Some(("2026-11-22T16:03:39Z", Some("[::1]"), "imapd", None, "x")),
            ),
            ("Nov 22 15:54:36 mail a:", Some((old, Some("mail"), "a", None, ""))),
            (
                "Fri 2026-11-27 12:50:00 CET .service[7]: x",
                Some(("Fri 2026-11-27 12:50:00 CET", None, ".service", Some(7), "x")),
            ),
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
            "Nov 22 15:54:36 (nobody) imapd: y",
            "2026-11-22T16:03:39Z [::1] imapd - - - y",
            "\x1b[36mweb-1  | Nov 22 15:54:36 mail imapd: y",
            "web-1  | \x1b[0mNov 22 15:54:36 mail imapd: y",
            "\x1b[36mweb-1  |\x1b[0mNov 22 15:54:36 mail imapd: y",
            "\x1b[36mNov 22 15:54:36 mail imapd: y",
            "@  | Nov 22 15:54:36 mail imapd y",
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
            // As long as a stamp of s6-log, behind which two spaces stand.
            "2026-11-22 15:54:36.1234+0100  imapd: y",
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
