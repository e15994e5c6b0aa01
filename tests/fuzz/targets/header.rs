//! Any line: the header is read as four regular expressions would read it, and its parts lie in the line in their order.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pop_before_smtp::syslog::{self, Header};
use regex::bytes::{Captures, Regex};

const STAMP: &str = r"(?P<time>(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?) ";
const PROGRAM: &str = r"(?P<program>[A-Za-z0-9_./+-]+)";
const TAG: &str = r"(?P<program>[A-Za-z0-9_./+-]+)(?:\[(?P<pid>[0-9]+)\])?:";

/// The forms, in the order in which they are tried.
static FORMS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let forms = [
        format!(r"{STAMP}\[{PROGRAM}\] (?P<message>.*)"),
        format!(r"{STAMP}{TAG} (?P<message>.*)"),
        format!(r"{STAMP}{TAG}(?P<message>[^ ]*: .*)"),
        format!(r"{STAMP}(?P<host>[A-Za-z0-9_.:/@-]*[A-Za-z0-9_./@-]) {TAG} ?(?P<message>.*)"),
        format!(r"{PROGRAM}: {STAMP}(?P<message>.*)"),
    ];
    forms.iter().map(|form| Regex::new(&format!(r"(?s-u)^(?:<[0-9]{{1,3}}>)?{form}$")).unwrap()).collect()
});

fuzz_target!(|line: &[u8]| {
    let parsed = syslog::parse(line);
    let whole = line.strip_suffix(b"\r").unwrap_or(line);
    let expected = FORMS.iter().find_map(|form| form.captures(whole));
    match (&parsed, &expected) {
        (Some(parsed), Some(expected)) => same(parsed, expected),
        (None, Some(expected)) => assert!(pid(expected).is_some_and(|pid| pid.is_err()), "not read"),
        (Some(parsed), None) => panic!("read as {parsed:?}"),
        (None, None) => {}
    }
    if let Some((header, message)) = parsed {
        // Must not panic; what it answers is tested with the matchers.
        syslog::holds_later_stamp(header.time, message);
        in_order(line, header, message);
    }
});

fn pid(expected: &Captures<'_>) -> Option<Result<u32, ()>> {
    let digits = expected.name("pid")?.as_bytes();
    Some(std::str::from_utf8(digits).unwrap().parse().map_err(|_| ()))
}

fn same((header, message): &(Header<'_>, &[u8]), expected: &Captures<'_>) {
    let named = |name| expected.name(name).map(|part| part.as_bytes());
    assert_eq!(Some(header.time), named("time"));
    assert_eq!(header.host, named("host"));
    assert_eq!(Some(header.program), named("program"));
    assert_eq!(header.pid.map(Ok), pid(expected));
    assert_eq!(Some(*message), named("message"));
}

fn in_order(line: &[u8], header: Header<'_>, message: &[u8]) {
    let all = line.as_ptr_range();
    let lies_in = |part: &[u8]| all.start <= part.as_ptr_range().start && part.as_ptr_range().end <= all.end;
    let host = header.host.unwrap_or(header.program);
    for part in [header.time, host, header.program, message] {
        assert!(lies_in(part), "a part that is not of the line");
    }
    let behind = |a: &[u8], b: &[u8]| a.as_ptr_range().end <= b.as_ptr();
    assert!(behind(host, message) && behind(header.program, message) && behind(header.time, message));
    assert!(!header.program.is_empty() && header.host.is_none_or(|host| !host.is_empty()));
}
