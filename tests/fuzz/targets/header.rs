//! Any line: the header is read as regular expressions for its forms would read it, and its parts lie in the line.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pop_before_smtp::line::syslog::{self, Header};
use regex::bytes::{Captures, Regex};

const STAMP: &str = r"(?P<time>(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?) ";
const OLD_STAMP: &str =
    r"(?P<time>(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2})";
const NGINX: &str =
    r"(?P<time>[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}) \[[a-z]*\] (?P<pid>[0-9]+)#(?P<thread>[0-9]+): ";
const APPLE: &str = r"(?P<time>(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 0-9][0-9] [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2})(?: [A-Za-z0-9_.:/@\[\]()-]*){0,4}? ";
const HOST: &str = r"(?P<host>[A-Za-z0-9_.:/@-]*[A-Za-z0-9_./@-])";
const PROGRAM: &str = r"(?P<program>[A-Za-z0-9_./+-]+)";
const TAG: &str = r"(?P<program>[A-Za-z0-9_./+-]+)(?:\[(?P<pid>[0-9]+)\])?:";

/// The forms, in the order in which they are tried.
static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    [
        (None, format!(r"{STAMP}\[{PROGRAM}\] (?P<message>.*)")),
        (Some("dovecot"), format!(r"{STAMP}(?P<message>(?:imap-login|pop3-login): .*|(?:imap|pop3)\(.*>: .*)")),
        (None, format!(r"{STAMP}{TAG} (?P<message>.*)")),
        (None, format!(r"{STAMP}{TAG}(?P<message>[^ ]*: .*)")),
        (None, format!(r"{STAMP}{HOST} [A-Za-z0-9_./@-]* (?P<program>nginx): (?P<message>.*)")),
        (None, format!(r"{STAMP}{HOST} {TAG} ?(?P<message>.*)")),
        (Some("nginx"), format!("{NGINX}(?P<message>.*)")),
        (None, format!(r"(?P<program>[A-Za-z_./+-][A-Za-z0-9_./+-]*): {STAMP}(?P<message>.*)")),
        (Some("qpopper"), format!(r"{OLD_STAMP}(?:\.[0-9]*)? [0-9]{{4}} \[(?P<pid>[0-9]+)\] (?P<message>.*)")),
        (Some("AppleMailServer"), format!(r"{APPLE}(?P<message>(?:IMAP |POP).*)")),
    ]
    .map(|(program, form)| Form { program, regex: regex(&format!(r"(?:<[0-9]{{1,3}}>)?{form}")) })
    .into()
});
/// What nginx writes through syslog: its own stamp and pid.
static IN_NGINX: LazyLock<Regex> = LazyLock::new(|| regex(&format!("{NGINX}(?P<message>.*)")));

struct Form {
    /// The program, where the form itself says it.
    program: Option<&'static str>,
    regex: Regex,
}

#[derive(Debug, PartialEq, Eq)]
struct Parts<'l> {
    time: &'l [u8],
    host: Option<&'l [u8]>,
    program: &'l [u8],
    pid: Option<u32>,
    message: &'l [u8],
}

fn regex(text: &str) -> Regex {
    Regex::new(&format!("(?s-u)^{text}$")).unwrap()
}

/// A pid that does not fit into its type makes a line unreadable.
fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).unwrap().parse().ok()
}

fn expected(line: &[u8]) -> Option<Parts<'_>> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (form, found) = FORMS.iter().find_map(|form| Some((form, form.regex.captures(line)?)))?;
    let mut parts = parts(form.program, &found)?;
    if parts.program == b"nginx"
        && let Some(found) = IN_NGINX.captures(parts.message)
        && let Some(inner) = self::parts(Some("nginx"), &found)
    {
        parts = Parts { host: parts.host, ..inner };
    }
    Some(parts)
}

fn parts<'l>(program: Option<&'static str>, found: &Captures<'l>) -> Option<Parts<'l>> {
    let named = |name| found.name(name).map(|part| part.as_bytes());
    let pid = match named("pid") {
        Some(digits) => Some(number(digits)?),
        None => None,
    };
    if let Some(thread) = named("thread") {
        number(thread)?;
    }
    let program = program.map(str::as_bytes).or(named("program"))?;
    Some(Parts { time: named("time")?, host: named("host"), program, pid, message: named("message")? })
}

fuzz_target!(|line: &[u8]| {
    let parsed = syslog::parse(line);
    let read = parsed.map(|(Header { time, host, program, pid }, message)| Parts { time, host, program, pid, message });
    assert_eq!(read, expected(line), "{}", line.escape_ascii());
    if let Some((header, message)) = parsed {
        // Must not panic; what it answers is tested with the matchers.
        syslog::holds_later_stamp(header.time, message);
        in_line(line, header, message);
    }
});

/// The parts are of the line, and the message is its end.
fn in_line(line: &[u8], header: Header<'_>, message: &[u8]) {
    let all = line.as_ptr_range();
    let lies_in = |part: &[u8]| all.start <= part.as_ptr_range().start && part.as_ptr_range().end <= all.end;
    let is_fixed = [b"dovecot".as_slice(), b"nginx", b"qpopper", b"AppleMailServer"].contains(&header.program);
    assert!(lies_in(header.time) && header.host.is_none_or(lies_in) && lies_in(message));
    assert!(is_fixed || lies_in(header.program));
    let end = line.strip_suffix(b"\r").unwrap_or(line).as_ptr_range().end;
    assert!(message.as_ptr_range().end == end && header.time.as_ptr_range().end <= message.as_ptr());
    assert!(!header.program.is_empty() && header.host.is_none_or(|host| !host.is_empty()));
}
