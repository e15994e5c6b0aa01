//! Any line: the header is read as regular expressions for its forms would read it, and its parts lie in the line.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pop_before_smtp::line::syslog::{self, Header};
use regex::bytes::{Captures, Regex};

const MONTH: &str = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
const CLOCK: &str = "[0-9]{2}:[0-9]{2}:[0-9]{2}";
const HOST: &str = r"(?P<host>[A-Za-z0-9_.:/@#%-]*[A-Za-z0-9_./@#%-]|\(none\))";
const PROGRAM: &str = r"(?P<program>[A-Za-z0-9_./+-]+)";
const TAG: &str = r"(?P<program>[A-Za-z0-9_./+-]+)(?:\[(?P<pid>[0-9]+)\])?:";
const PRIORITY: &str = "(?:mail|daemon|auth|authpriv|user|syslog|kern|local[0-7]|lpr|news|uucp|cron|ftp|ntp|security|console|audit|mark)\\.(?:info|notice|debug|warning|warn|err|error|crit|alert|emerg|panic)";
const ADDRESS: &str = r"(?:[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*|[0-9]*\.[0-9]*\.[0-9]*\.[0-9.]*)";
const MESSAGE: &str = "(?P<message>.*)";
/// Headers of runtimes and runners that may stand in front of each other.
const MOST: usize = 3;

static ANGLES: LazyLock<String> = LazyLock::new(|| format!("(?:<(?:{PRIORITY}|[0-9]{{1,3}}\\.[0-9]{{1,3}})> )?"));
static STAMP: LazyLock<Regex> = LazyLock::new(|| {
    let day = format!("{MONTH} [ 0-9][0-9]");
    let fraction = r"(?:\.[0-9]+)?";
    let forms = [
        format!("{day} {CLOCK}{fraction}"),
        format!("{day} [0-9]{{4}} {CLOCK}{fraction}"),
        format!("[0-9]{{4}} {day} {CLOCK}{fraction}"),
        format!("(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) {day} {CLOCK} [0-9]{{4}}"),
        format!("(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}} {CLOCK} [A-Z0-9:+-]{{1,6}}"),
        format!("[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ]{CLOCK}{fraction}(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?"),
        format!("[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}_{CLOCK}{fraction}"),
        r"[0-9]{9,11}\.[0-9]{6}".to_owned(),
        "@[0-9a-f]{24}".to_owned(),
    ];
    let stamps = forms.join("|");
    regex(&format!("(?P<time>{stamps}) {MESSAGE}"))
});
static S6: LazyLock<Regex> =
    LazyLock::new(|| regex(&format!(r"(?P<time>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}} {CLOCK}\.[0-9]{{9}})  {MESSAGE}")));
static NGINX: LazyLock<Regex> = LazyLock::new(|| {
    regex(&format!(
        r"(?P<time>[0-9]{{4}}/[0-9]{{2}}/[0-9]{{2}} {CLOCK}) \[[a-z]*\] (?P<pid>[0-9]+)#(?P<thread>[0-9]+): {MESSAGE}"
    ))
});
static KUBERNETES: LazyLock<Regex> =
    LazyLock::new(|| regex("std(?:out|err) (?P<tag>[FP])(?: (?P<message>.*)|(?P<none>))"));
static COMPOSE: LazyLock<Regex> =
    LazyLock::new(|| regex(&format!(r"(?P<container>[A-Za-z0-9._@-]+) {{1,63}}\| {MESSAGE}")));
static COLOURED: LazyLock<Regex> = LazyLock::new(|| {
    let colour = r"\x1b\[[0-9;]*m";
    let end = format!("(?:{colour} | {colour})");
    regex(&format!(r"{colour}(?P<container>[A-Za-z0-9._@-]+) {{1,63}}\|{end}{MESSAGE}"))
});
static PROGRAM_FIRST: LazyLock<Regex> =
    LazyLock::new(|| regex(&format!("(?P<program>[A-Za-z_./+-][A-Za-z0-9_./+-]*): {MESSAGE}")));
static POD: LazyLock<Regex> =
    LazyLock::new(|| regex(&format!(r"\[(?P<container>pod/[A-Za-z0-9._-]+/[A-Za-z0-9._-]+)\] {MESSAGE}")));
static RFC5424: LazyLock<Regex> = LazyLock::new(|| {
    let stamp = format!(r"-|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{CLOCK}(?:\.[0-9]+)?(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?");
    rfc5424_behind(&format!("1 (?P<time>{stamp}) "), "[!-~]")
});
static WITHOUT_VERSION: LazyLock<Regex> = LazyLock::new(|| rfc5424_behind("", "[A-Za-z0-9_.:/@#%-]"));
/// What AIX writes behind a stamp.
static AIX: LazyLock<Regex> = LazyLock::new(|| {
    let levels = "(?:info|notice|debug|warning|warn|err|error|crit|alert|emerg|panic)";
    let angles = ANGLES.as_str();
    let facilities = PRIORITY.split(r"\.").next().unwrap();
    let host = format!(r"(?:{angles}{HOST}|\[(?P<address>{ADDRESS})\])");
    regex(&format!(r"{host} (?:{facilities}|auth\|security):{levels}(?:\|{levels})? {MESSAGE}"))
});
static BARE: LazyLock<Form> =
    LazyLock::new(|| Form { program: None, regex: regex(&format!("{TAG} {{0,2}}{MESSAGE}")) });
/// What follows a stamp, in the order in which it is tried.
static ORIGINS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let angles = ANGLES.as_str();
    let address = format!(r"\[(?P<host>{ADDRESS})\]");
    [
        (None, format!(r"{address} [A-Za-z0-9_./@-]* (?P<program>nginx): {{1,2}}{MESSAGE}")),
        (None, format!(r"{address} {TAG} {{0,2}}{MESSAGE}")),
        (None, format!(r"{address} {PRIORITY} {TAG} {{0,2}}{MESSAGE}")),
        // What is behind an address in brackets must be a tag.
        (None, format!(r"{address} (?P<program>){MESSAGE}")),
        (None, format!(r"\[{PROGRAM}\] {MESSAGE}")),
        (Some("dovecot"), r"(?P<message>(?:imap-login|pop3-login): .*|(?:imap|pop3)\(.*>: .*)".to_owned()),
        (None, format!(r"{angles}{TAG} {{1,2}}{MESSAGE}")),
        (None, format!(r"{angles}{TAG}(?P<message>[^ ]*: .*)")),
        (None, format!(r"{angles}(?:{PRIORITY}) [A-Za-z0-9_./@-]* (?P<program>nginx): {{1,2}}{MESSAGE}")),
        (None, format!(r"{angles}(?:{PRIORITY}) {TAG} {{0,2}}{MESSAGE}")),
        (None, format!(r"{angles}(?:{PRIORITY}) {PRIORITY} {TAG} {{0,2}}{MESSAGE}")),
        (None, format!(r"{angles}{HOST} [A-Za-z0-9_./@-]* (?P<program>nginx): {{1,2}}{MESSAGE}")),
        (None, format!(r"{angles}{HOST} {TAG} {{0,2}}{MESSAGE}")),
        (None, format!(r"{angles}{HOST} {PRIORITY} {TAG} {{0,2}}{MESSAGE}")),
    ]
    .map(|(program, form)| Form { program, regex: regex(&form) })
    .into()
});
static ODD: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let day = format!("{MONTH} [ 0-9][0-9]");
    [
        (Some("qpopper"), format!(r"(?P<time>{day} {CLOCK})(?:\.[0-9]*)? [0-9]{{4}} \[(?P<pid>[0-9]+)\] {MESSAGE}")),
        (
            Some("AppleMailServer"),
            format!(
                r"(?P<time>{day} [0-9]{{4}} {CLOCK})(?: [A-Za-z0-9_.:/@\[\]()-]*){{0,4}}? (?P<message>(?:IMAP |POP).*)"
            ),
        ),
    ]
    .map(|(program, form)| Form { program, regex: regex(&form) })
    .into()
});
static MESSAGE_ID: LazyLock<Regex> = LazyLock::new(|| regex(&format!(r"\[ID (?P<pid>[0-9]+) {PRIORITY}\] {MESSAGE}")));

fn rfc5424_behind(start: &str, host: &str) -> Regex {
    let name = r#"[!-~&&[^=\]"]]+"#;
    let value = r#"(?:\\["\\\]]|[^"\]\\]|\\)*?"#;
    // A backslash in front of what must be escaped escapes it.
    let value = value.replace(r"|\\)*?", r#"|\\[^"\]\\])*"#);
    let data = format!(r#"(?:-|(?:\[{name}(?: {name}="{value}")*\])+)"#);
    let host = format!("(?P<host>{host}+)");
    let bom = r"(?:\xef\xbb\xbf)?";
    let program = r"(?P<program>[A-Za-z0-9_./+-]+)";
    regex(&format!("{start}{host} {program} (?P<process>[!-~]+) [!-~]+ {data}(?:$| {{1,2}}{bom}{MESSAGE})"))
}

struct Form {
    /// The program, where the form itself says it.
    program: Option<&'static str>,
    regex: Regex,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts<'l> {
    time: &'l [u8],
    inner_time: Option<&'l [u8]>,
    container: Option<&'l [u8]>,
    host: Option<&'l [u8]>,
    program: &'l [u8],
    pid: Option<u32>,
    message: &'l [u8],
}

fn regex(text: &str) -> Regex {
    Regex::new(&format!("(?s-u)^(?:{text})$")).unwrap()
}

/// A pid that does not fit into its type makes a line unreadable.
fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).unwrap().parse().ok()
}

fn named<'l>(found: &Captures<'l>, name: &str) -> Option<&'l [u8]> {
    found.name(name).map(|part| part.as_bytes())
}

fn expected(line: &[u8]) -> Option<Parts<'_>> {
    within(line.strip_suffix(b"\r").unwrap_or(line), 0)
}

fn within(line: &[u8], depth: usize) -> Option<Parts<'_>> {
    static MARKED: LazyLock<Regex> =
        LazyLock::new(|| regex(&format!(r"<(?:[0-9]{{1,3}}|[0-9]{{1,3}}\.[0-9]{{1,3}}|{PRIORITY})>(?P<message>.*)")));
    let marked = MARKED.captures(line).and_then(|found| named(&found, "message"));
    let has_front = depth > 0 || marked.is_some();
    let line = marked.unwrap_or(line);
    if let Some((time, rest)) = stamp(line) {
        let is_piece = |found: Captures<'_>| has_front || named(&found, "tag") == Some(b"P");
        if time.get(10) == Some(&b'T') && KUBERNETES.captures(rest).is_some_and(is_piece) {
            return None;
        }
        let odd = || ODD.iter().find_map(|form| parts(form.program, &form.regex.captures(line)?, None));
        return nested(time, rest, depth)
            .or_else(|| origin(time, rest))
            .or_else(odd)
            .or_else(|| stalwart(time, rest))
            .or_else(|| without_version(time, rest));
    }
    rfc5424(line).or_else(|| nginx(line)).or_else(|| program_first(line)).or_else(|| in_container(line, depth))
}

fn stamp(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let found = S6.captures(line).or_else(|| STAMP.captures(line))?;
    Some((named(&found, "time")?, named(&found, "message")?))
}

fn nested<'l>(time: &'l [u8], rest: &'l [u8], depth: usize) -> Option<Parts<'l>> {
    if depth >= MOST || time[0] != b'@' && time[4] != b'-' {
        return None;
    }
    let behind = |inner: Parts<'l>| Parts { time, inner_time: Some(inner.inner_time.unwrap_or(inner.time)), ..inner };
    if let Some(found) = KUBERNETES.captures(rest).filter(|_| time.get(10) == Some(&b'T')) {
        let text = named(&found, "message").unwrap_or_default();
        let bare = || origin(time, text).map(|parts| Parts { inner_time: Some(time), ..parts });
        return within(text, depth + 1).map(behind).or_else(bare);
    }
    let has_own = match rest.first()? {
        b'<' | b'@' => true,
        _ if COMPOSE.is_match(rest) || COLOURED.is_match(rest) => true,
        _ => stamp(rest).is_some() || rest.starts_with(b"1 ") || nginx(rest).is_some() || is_program_first(rest),
    };
    if has_own { within(rest, depth + 1).map(behind) } else { None }
}

fn origin<'l>(time: &'l [u8], rest: &'l [u8]) -> Option<Parts<'l>> {
    let aix = AIX.captures(rest);
    let behind = aix.as_ref().and_then(|aix| named(aix, "message"));
    let host = aix.as_ref().and_then(|aix| named(aix, "host").or_else(|| named(aix, "address")));
    let (form, found) = match behind {
        Some(behind) => (&*BARE, BARE.regex.captures(behind)?),
        None => ORIGINS.iter().find_map(|form| Some((form, form.regex.captures(rest)?)))?,
    };
    let mut parts = parts(form.program, &found, Some(time)).filter(|parts| !parts.program.is_empty())?;
    parts.host = host.or(parts.host);
    let tags = [r"(?P<program>[A-Za-z0-9_./+-]+)(?:\[", "(?P<program>nginx): "];
    if tags.iter().any(|tag| form.regex.as_str().contains(tag))
        && let Some(found) = MESSAGE_ID.captures(parts.message)
        && number(named(&found, "pid")?).is_some()
    {
        parts.message = named(&found, "message")?;
    }
    let is_unit = time.get(3) == Some(&b' ') && time[4].is_ascii_digit() && time.get(8) == Some(&b'-');
    if is_unit && form.regex.as_str().contains("(?:<(?:") {
        parts.program =
            parts.program.strip_suffix(b".service").filter(|unit| !unit.is_empty()).unwrap_or(parts.program);
    }
    if parts.program == b"nginx"
        && form.program.is_none()
        && !form.regex.as_str().contains(r"^(?:\[")
        && let Some(inner) = nginx(parts.message)
    {
        parts = Parts { time: inner.time, pid: inner.pid, message: inner.message, ..parts };
    }
    Some(parts)
}

fn stalwart<'l>(time: &'l [u8], rest: &'l [u8]) -> Option<Parts<'l>> {
    static EVENT: LazyLock<Regex> =
        LazyLock::new(|| regex(r"(?P<message>(?:ERROR|WARN|INFO|DEBUG|TRACE)(?: | .* )\(.*)"));
    parts(Some("stalwart"), &EVENT.captures(rest).filter(|_| time.ends_with(b"Z"))?, Some(time))
}

fn nginx(line: &[u8]) -> Option<Parts<'_>> {
    parts(Some("nginx"), &NGINX.captures(line)?, None)
}

fn rfc5424(line: &[u8]) -> Option<Parts<'_>> {
    let found = RFC5424.captures(line)?;
    of_rfc5424(named(&found, "time")?, &found, line)
}

fn without_version<'l>(time: &'l [u8], rest: &'l [u8]) -> Option<Parts<'l>> {
    of_rfc5424(time, &WITHOUT_VERSION.captures(rest).filter(|_| time.get(10) == Some(&b'T'))?, rest)
}

fn of_rfc5424<'l>(time: &'l [u8], found: &Captures<'l>, line: &'l [u8]) -> Option<Parts<'l>> {
    let process = named(found, "process")?;
    let pid = if process.iter().all(u8::is_ascii_digit) { Some(number(process)?) } else { None };
    let program = named(found, "program").filter(|program| *program != b"-")?;
    let host = named(found, "host").filter(|host| *host != b"-");
    let message = named(found, "message").unwrap_or(&line[line.len()..]);
    let parts = Parts { time, inner_time: None, container: None, host, program, pid, message };
    Some(match nginx(message).filter(|_| program == b"nginx") {
        Some(inner) => Parts { time: inner.time, pid: inner.pid, message: inner.message, ..parts },
        None => parts,
    })
}

fn is_program_first(line: &[u8]) -> bool {
    let rest = PROGRAM_FIRST.captures(line).and_then(|found| named(&found, "message"));
    rest.is_some_and(|rest| stamp(rest).is_some())
}

fn program_first(line: &[u8]) -> Option<Parts<'_>> {
    static WORD: LazyLock<Regex> = LazyLock::new(|| regex(PRIORITY));
    let found = PROGRAM_FIRST.captures(line)?;
    let (time, message) = stamp(named(&found, "message")?)?;
    let program = named(&found, "program")?;
    if WORD.is_match(program) {
        return origin(time, message);
    }
    Some(Parts { time, inner_time: None, container: None, host: None, program, pid: None, message })
}

fn in_container(line: &[u8], depth: usize) -> Option<Parts<'_>> {
    let found = COMPOSE
        .captures(line)
        .or_else(|| COLOURED.captures(line))
        .or_else(|| POD.captures(line))
        .filter(|_| depth < MOST)?;
    let inner = within(named(&found, "message")?, depth + 1)?;
    Some(Parts { container: named(&found, "container"), ..inner })
}

fn parts<'l>(program: Option<&'static str>, found: &Captures<'l>, time: Option<&'l [u8]>) -> Option<Parts<'l>> {
    let pid = match named(found, "pid") {
        Some(digits) => Some(number(digits)?),
        None => None,
    };
    if let Some(thread) = named(found, "thread") {
        number(thread)?;
    }
    let program = program.map(str::as_bytes).or(named(found, "program"))?;
    let time = time.or(named(found, "time"))?;
    let (host, message) = (named(found, "host"), named(found, "message")?);
    Some(Parts { time, inner_time: None, container: None, host, program, pid, message })
}

fuzz_target!(|line: &[u8]| {
    let parsed = syslog::parse(line);
    let read = parsed.map(|(header, message)| {
        let Header { time, inner_time, container, host, program, pid } = header;
        Parts { time, inner_time, container, host, program, pid, message }
    });
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
    let is_fixed =
        [b"dovecot".as_slice(), b"nginx", b"qpopper", b"AppleMailServer", b"stalwart"].contains(&header.program);
    assert!(lies_in(header.time) && header.host.is_none_or(lies_in) && lies_in(message));
    assert!(is_fixed || lies_in(header.program));
    let end = line.strip_suffix(b"\r").unwrap_or(line).as_ptr_range().end;
    assert!(message.as_ptr_range().end == end && header.time.as_ptr_range().end <= message.as_ptr());
    // Neither a prefix nor a line that completes another may be measured past its end.
    assert!(syslog::prefix(line) <= line.len() && syslog::piece(line).is_none_or(|piece| line.ends_with(piece.text)));
    assert!(!header.program.is_empty() && header.host.is_none_or(|host| !host.is_empty()));
}
