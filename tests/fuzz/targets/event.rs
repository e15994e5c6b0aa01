//! Any lines: an address that is granted stands in the line or in an earlier one, in one piece; the server's matcher alone
//! says the same; a priority in front and a carriage return behind change nothing.

#![no_main]

use std::net::IpAddr;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pop_before_smtp::line::syslog;
use pop_before_smtp::matcher::{Action, BUILTIN, Event, Key, LONGEST_LINE, Matcher, Matchers};
use pop_before_smtp::time::Timestamp;

static ALL: LazyLock<Matchers> = LazyLock::new(Matchers::all);
static ALONE: LazyLock<Vec<Matchers>> =
    LazyLock::new(|| BUILTIN.iter().map(|m| Matchers::select(&[m.name]).unwrap()).collect());

fuzz_target!(|log: &[u8]| {
    let lines: Vec<&[u8]> = log.split(|b| *b == b'\n').collect();
    let events = events(&ALL, &lines);
    for (at, event) in events.iter().enumerate() {
        if let Some(event) = event {
            check(&lines[..=at], event);
        }
    }
    for (nth, matcher) in BUILTIN.iter().enumerate() {
        if events.iter().flatten().any(|event| event.matcher == matcher.name) {
            alone(&ALONE[nth], matcher, &lines, &events);
        }
    }
    rewritten(&lines, &events);
});

/// An event by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    action: Action,
    client: IpAddr,
    user: Option<Vec<u8>>,
    matcher: String,
}

fn found(event: Event<'_>) -> Found {
    let Event { action, client, user, matcher, .. } = event;
    Found { action, client, user: user.map(<[u8]>::to_vec), matcher: matcher.to_string() }
}

fn events(matchers: &Matchers, lines: &[&[u8]]) -> Vec<Option<Found>> {
    let mut matchers = matchers.clone();
    lines.iter().map(|line| matchers.event(Timestamp::default(), line).map(found)).collect()
}

fn check(lines: &[&[u8]], event: &Found) {
    let Some((line, before)) = lines.split_last() else { return };
    let matcher = BUILTIN.iter().find(|m| m.name == event.matcher).unwrap();
    assert_eq!(event.client, event.client.to_canonical());
    // The same again, or in pieces.
    if syslog::repeat(line).is_some() || syslog::piece(line).is_some() {
        return assert!(before.iter().chain([line]).any(|line| !line.is_empty()));
    }
    let (header, message) = syslog::parse(line).expect("an event without a header");
    assert!(matcher.programs.iter().any(|program| program.as_bytes() == header.program));
    if let Some(user) = &event.user {
        assert!(!user.is_empty() && message.windows(user.len()).any(|part| part == user));
    }
    let joined = matcher.key != Key::None && before.iter().any(|line| holds(line, event.client));
    assert!(holds(message, event.client) || joined, "{} is in no line", event.client);
}

/// Whether the address stands in the text with nothing of an address before or behind it, but perhaps a port.
fn holds(text: &[u8], client: IpAddr) -> bool {
    let is_address = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b'.' | b':');
    let runs = text.split(|b| !is_address(b)).filter_map(|run| std::str::from_utf8(run).ok());
    let reads = |text: &str| text.parse::<IpAddr>().is_ok_and(|address| address.to_canonical() == client);
    // Courier of qmail puts a colon in front, proxies a port behind.
    runs.into_iter().any(|run| {
        let bare = run.trim_matches(':');
        let behind_a_word = run.split_once(':').map_or("", |(_, rest)| rest);
        [run, bare, behind_a_word].iter().any(|run| reads(run) || run.rsplit_once(':').is_some_and(|(a, _)| reads(a)))
    })
}

/// Another server's matcher beside it makes a login of nothing.
fn alone(set: &Matchers, matcher: &Matcher, lines: &[&[u8]], all: &[Option<Found>]) {
    let alone = events(set, lines);
    for (one, all) in alone.iter().zip(all) {
        let Some(all) = all.as_ref().filter(|event| event.matcher == matcher.name && event.action == Action::Login)
        else {
            continue;
        };
        let one = one.as_ref().expect("no login for the matcher alone");
        assert_eq!((one.action, one.client, &one.user), (all.action, all.client, &all.user));
    }
}

fn rewritten(lines: &[&[u8]], events: &[Option<Found>]) {
    // nginx's own file is read by the length of its lines.
    let is_nginx = |line: &[u8]| line.get(4) == Some(&b'/') || line.windows(5).any(|word| word == b"nginx");
    let is_bare = |line: &[u8]| line.len() + 5 < LONGEST_LINE && !line.starts_with(b"<") && !line.ends_with(b"\r");
    if !lines.iter().all(|line| is_bare(line) && !is_nginx(line)) {
        return;
    }
    let others: Vec<Vec<u8>> = lines.iter().map(|line| [b"<22>", *line, b"\r"].concat()).collect();
    let mut matchers = ALL.clone();
    for (line, event) in others.iter().zip(events) {
        let other = matchers.event(Timestamp::default(), line).map(found);
        let same = |e: &Found| (e.action, e.client, e.matcher.clone());
        assert_eq!(other.as_ref().map(same), event.as_ref().map(same));
    }
}
