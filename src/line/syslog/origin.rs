//! What follows the time stamp: host and tag, a tag alone, or a program in brackets. Pure.

use super::forms::Form;
use super::{DIGITS, Found, HOST, Header, LOWER, NO_NAME, PROGRAM, number, servers};
use crate::line::bytes::Class;

/// Reads what is behind a time stamp and its space.
pub(super) fn read<'l>(time: &'l [u8], rest: &'l [u8]) -> Option<Found<'l>> {
    if let Some(inner) = rest.strip_prefix(b"[") {
        if let Some((address, rest)) = address_in_brackets(inner) {
            return behind_host(time, address, rest).map(|found| with_message_id(found, rest));
        }
        let (program, rest) = inner.split_at(PROGRAM.run(inner));
        let message = rest.strip_prefix(b"] ")?;
        return (!program.is_empty()).then(|| Found::new(Header::of(time, program, None), message, Form::Brackets));
    }
    if servers::is_mail_process(rest) {
        return Some(Found::new(Header::of(time, b"dovecot", None), rest, Form::Dovecot));
    }
    let found = match behind_priority_in_angles(rest) {
        Some(rest) => named(time, rest.strip_prefix(b" ")?)?.with(Form::Angles),
        None => named(time, rest)?,
    };
    Some(with_message_id(found, rest))
}

/// Says so if a message that is the end of `rest` has an id in front of it: no tag ends like that.
fn with_message_id<'l>(found: Found<'l>, rest: &[u8]) -> Found<'l> {
    let has_id = rest[..rest.len() - found.message.len()].ends_with(b"] ");
    if has_id { found.with(Form::MessageId) } else { found }
}

/// `host program[pid]: message`, or without the host.
fn named<'l>(time: &'l [u8], rest: &'l [u8]) -> Option<Found<'l>> {
    let space = memchr::memchr(b' ', rest)?;
    let word = &rest[..space];
    // No host ends in a colon, so a first word that does is the tag.
    if word.ends_with(b":") {
        let (program, pid, message) = tag(rest)?;
        return Some(tagged(Header::of(time, program, pid), message, Form::WithoutHost));
    }
    if space == 0 || HOST.run(word) != space && word != NO_NAME {
        return None;
    }
    behind_host(time, word, &rest[space + 1..])
}

/// Behind `192.0.2.1.2.2] `: so Solaris writes a host of which it knows the address alone (illumos, cmd/syslogd/syslogd.c:
/// cvthname). No program is called like an address.
fn address_in_brackets(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (address, rest) = text.split_at(ADDRESS.run(text));
    let is_number = !address.iter().any(u8::is_ascii_alphabetic);
    let is_address = address.contains(&b':') || is_number && memchr::memchr_iter(b'.', address).count() >= 3;
    Some((address, rest.strip_prefix(b"] ").filter(|_| is_address)?))
}

/// `program[pid]: message` behind the first word, which is a host or a priority.
fn behind_host<'l>(time: &'l [u8], word: &'l [u8], rest: &'l [u8]) -> Option<Found<'l>> {
    if let Some(rest) = behind_priority_of_aix(rest) {
        let (program, pid, message) = tag(rest)?;
        let header = Header { host: Some(word), ..Header::of(time, program, pid) };
        return Some(tagged(header, message, Form::Aix));
    }
    let host = Some(word).filter(|word| !is_priority(word));
    let form = if host.is_none() {
        Form::Word
    } else if memchr::memchr2(b'@', b'/', word).is_some() {
        Form::Chain
    } else {
        Form::Host
    };
    let (of_nginx, is_second) = servers::without_second_host(rest);
    let (found, form) = match (tag(of_nginx), is_second) {
        (Some(found), false) => (found, form),
        (Some(found), true) => (found, Form::SecondHost),
        (None, _) => (tag(behind_priority_word(rest)?)?, Form::Word),
    };
    let (program, pid, message) = found;
    Some(tagged(Header { host, ..Header::of(time, program, pid) }, message, form))
}

fn tagged<'l>(header: Header<'l>, message: &'l [u8], form: Form) -> Found<'l> {
    // journalctl names the unit with `-o with-unit`: one of the system, as those of users have a slash in front.
    let unit = header.program.strip_suffix(b".service");
    let unit = unit.filter(|unit| !unit.is_empty() && may_have_unit(header.time));
    let header = Header { program: unit.unwrap_or(header.program), ..header };
    if header.program == b"nginx" {
        let (header, message) = servers::nginx_time(header, message);
        return Found::new(header, message, form);
    }
    Found::new(header, message, form)
}

/// Whether a line with such a stamp may have the unit in the place of the program.
pub(super) fn may_have_unit(time: &[u8]) -> bool {
    Form::of_stamp(time) == Form::Weekday
}

/// `program[pid]:` and at most two spaces; what is left is the message.
fn tag(text: &[u8]) -> Option<(&[u8], Option<u32>, &[u8])> {
    let (program, rest) = program(text)?;
    let (pid, message) = behind_program(rest)?;
    Some((program, pid, message))
}

/// Splits off the name of a program.
#[inline]
pub(super) fn program(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (program, rest) = text.split_at(PROGRAM.run(text));
    (!program.is_empty()).then_some((program, rest))
}

/// `[pid]:` or `:`, and what a tag has behind it.
pub(super) fn behind_program(text: &[u8]) -> Option<(Option<u32>, &[u8])> {
    let (pid, rest) = match text.strip_prefix(b"[") {
        Some(inner) => {
            let (pid, rest) = number(inner)?;
            (Some(pid), rest.strip_prefix(b"]")?)
        }
        None => (None, text),
    };
    let rest = rest.strip_prefix(b":")?;
    let message = rest.strip_prefix(b" ").unwrap_or(rest);
    // rsyslog keeps the space that stood behind the tag; a template may have another (`%syslogtag% %msg%`).
    let message = message.strip_prefix(b" ").unwrap_or(message);
    Some((pid, behind_message_id(message)))
}

/// Behind the `[ID 702911 mail.info] ` of Solaris, if the message begins with that.
fn behind_message_id(message: &[u8]) -> &[u8] {
    let behind = |rest: &'_ [u8]| -> Option<usize> {
        let (_, rest) = number(rest)?;
        let (_, rest) = priority(rest.strip_prefix(b" ")?)?;
        Some(rest.strip_prefix(b"] ")?.len())
    };
    match message.strip_prefix(b"[ID ").and_then(behind) {
        Some(length) => &message[message.len() - length..],
        None => message,
    }
}

/// Behind `<mail.info>` or `<2.6>` of the BSDs.
pub(super) fn behind_priority_in_angles(text: &[u8]) -> Option<&[u8]> {
    let inner = text.strip_prefix(b"<")?;
    let digits = |text: &[u8]| Some(DIGITS.run(text)).filter(|digits| (1..=3).contains(digits));
    let behind = match priority(inner) {
        Some((_, rest)) => rest,
        None => {
            let facility = digits(inner)?;
            let level = inner[facility..].strip_prefix(b".")?;
            &level[digits(level)?..]
        }
    };
    behind.strip_prefix(b">")
}

/// Behind `mail.info ` of BusyBox.
fn behind_priority_word(text: &[u8]) -> Option<&[u8]> {
    priority(text)?.1.strip_prefix(b" ")
}

/// Behind `mail:info ` or `auth|security:info ` of AIX.
fn behind_priority_of_aix(text: &[u8]) -> Option<&[u8]> {
    let facility = text.strip_prefix(b"auth|security").or_else(|| text.get(facility(text)?..))?;
    let level = facility.strip_prefix(b":")?;
    let rest = &level[level_name(level)?..];
    let other = rest.strip_prefix(b"|").and_then(|other| other.get(level_name(other)?..));
    other.unwrap_or(rest).strip_prefix(b" ")
}

/// Whether a word is `mail.info`, which BusyBox writes where others write the host.
pub(super) fn is_priority(word: &[u8]) -> bool {
    priority(word).is_some_and(|(_, rest)| rest.is_empty())
}

/// Splits off `mail.info`; the names are those of syslog(3), here and on Solaris.
pub(super) fn priority(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let facility = facility(text)?;
    let level = text[facility..].strip_prefix(b".")?;
    Some(text.split_at(facility + 1 + level_name(level)?))
}

/// Length of the facility's name at the start.
fn facility(text: &[u8]) -> Option<usize> {
    let length = FACILITY.run(text);
    FACILITIES.iter().any(|known| known.as_bytes() == &text[..length]).then_some(length)
}

/// Length of the level's name at the start.
fn level_name(text: &[u8]) -> Option<usize> {
    let length = LOWER.run(text);
    LEVELS.iter().any(|known| known.as_bytes() == &text[..length]).then_some(length)
}

const FACILITIES: &[&str] = &[
    "mail", "daemon", "auth", "authpriv", "user", "syslog", "kern", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7", "lpr", "news", "uucp", "cron", "ftp", "ntp", "security", "console", "audit", "mark",
];

const LEVELS: &[&str] =
    &["info", "notice", "debug", "warning", "warn", "err", "error", "crit", "alert", "emerg", "panic"];

static FACILITY: Class = Class::new(b'a', b'z', b"").and(b'0', b'7');
static ADDRESS: Class = Class::new(b'0', b'9', b"").and(b'a', b'f').and(b'A', b'F').with(b".:", true);
