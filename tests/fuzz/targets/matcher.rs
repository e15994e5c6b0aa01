//! A server's own messages around any user name: a failure never grants, a success never to another address.

#![no_main]

#[path = "../../support/failures.rs"]
mod failures;
#[path = "../../support/messages.rs"]
mod messages;
#[path = "../../support/render.rs"]
mod render;

use std::net::IpAddr;
use std::sync::LazyLock;

use arbitrary::{Arbitrary, Result, Unstructured};
use failures::{FAILURES, HOSTILE};
use libfuzzer_sys::fuzz_target;
use messages::{earlier, fill, is_barred, is_name_shared, line, must_be_whole, printed};
use pop_before_smtp::matcher::pattern::Pattern;
use pop_before_smtp::matcher::{Action, BUILTIN, Matcher, Matchers};
use pop_before_smtp::time::Timestamp;
use render::{Values, render};

const HOSTS: &[&str] = &["pc.example.net", "203.0.113.66", "unknown", "2001:db8::6", "_x-1.example"];

static ALL: LazyLock<Matchers> = LazyLock::new(Matchers::all);
static ALONE: LazyLock<Vec<Matchers>> =
    LazyLock::new(|| BUILTIN.iter().map(|m| Matchers::select(&[m.name]).unwrap()).collect());
static PATTERNS: LazyLock<Vec<(usize, Action, Pattern)>> = LazyLock::new(|| {
    let of = |(nth, m): (usize, &'static Matcher)| {
        let logins = m.logins.iter().map(move |p| (nth, Action::Login, *p));
        logins.chain(m.logouts.iter().map(move |p| (nth, Action::Logout, *p)))
    };
    BUILTIN.iter().enumerate().flat_map(of).collect()
});

#[derive(Debug)]
enum Case {
    Failure {
        program: &'static str,
        format: &'static str,
        cut: u16,
        user: Vec<u8>,
        client: IpAddr,
    },
    Success {
        nth: usize,
        action: Action,
        pattern: Pattern,
        host: &'static str,
        choices: u64,
        user: Vec<u8>,
        client: IpAddr,
    },
}

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        if u.arbitrary()? {
            let (program, format) = *u.choose(FAILURES)?;
            let cut = u.arbitrary()?;
            return Ok(Self::Failure { program, format, cut, client: client(u)?, user: user(u)? });
        }
        let (nth, action, pattern) = *u.choose(&PATTERNS)?;
        let (host, choices) = (*u.choose(HOSTS)?, u.arbitrary()?);
        Ok(Self::Success { nth, action, pattern, host, choices, client: client(u)?, user: user(u)? })
    }
}

fn client(u: &mut Unstructured<'_>) -> Result<IpAddr> {
    if u.arbitrary()? { Ok(u.arbitrary::<[u8; 4]>()?.into()) } else { Ok(u.arbitrary::<[u8; 16]>()?.into()) }
}

/// Hostile words, genuine messages and free bytes in a row, without newlines: nginx's are a matter of its own.
fn user(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut user = Vec::new();
    while !u.is_empty() && user.len() < 1000 {
        match u.int_in_range(0..=7_u8)? {
            0..=2 => user.extend(u.choose(HOSTILE)?.bytes()),
            3 => {
                let (_, _, pattern) = *u.choose(&PATTERNS)?;
                let stranger = IpAddr::from([203, 0, 113, 66]);
                let choices = u.arbitrary()?;
                let values =
                    Values { user: b"a", client: stranger, server: stranger, host: "h", method: "PLAIN", choices };
                user.extend(render(pattern, &values));
            }
            4 => user.push(u.arbitrary()?),
            5 => user.push(*u.choose(b" []'\"><(),:`=")?),
            _ => {
                let length = u.int_in_range(1..=12)?;
                user.extend(u.bytes(length.min(u.len()))?);
            }
        }
    }
    user.retain(|b| *b != b'\n');
    Ok(if user.is_empty() { b"a".to_vec() } else { user })
}

fuzz_target!(|case: Case| {
    match case {
        Case::Failure { program, format, cut, user, client } => failure(program, format, cut, &user, client),
        Case::Success { nth, action, pattern, host, choices, user, client } => {
            let server = IpAddr::from([192, 0, 2, 25]);
            let values = Values { user: &user, client, server, host, method: "PLAIN+TLS", choices };
            success(nth, action, pattern, &values);
        }
    }
});

/// The whole message, and what is left of it where a logger may cut it. Qpopper's failures begin with the name, and no
/// logger cuts that early.
fn failure(program: &str, format: &str, cut: u16, user: &[u8], client: IpAddr) {
    let message = fill(format, user, client);
    let least = if format.starts_with('U') { user.len() + 1 } else { 0 };
    let end = if must_be_whole(format) { message.len() } else { least.max(usize::from(cut)).min(message.len()) };
    for message in [message.as_slice(), &message[..end]] {
        let line = line(program, message);
        for set in ALONE.iter().chain([&*ALL]) {
            let mut set = set.clone();
            let event = set.event(Timestamp::default(), &line);
            assert!(
                event.as_ref().is_none_or(|event| event.action != Action::Login),
                "{} gives {event:?}",
                line.escape_ascii()
            );
        }
    }
}

fn success(nth: usize, action: Action, pattern: Pattern, values: &Values<'_>) {
    let matcher = &BUILTIN[nth];
    let message = render(pattern, values);
    let before: Vec<_> = earlier(matcher, action, pattern).map(|pattern| render(pattern, values)).collect();
    // Longer ones may be pieces. Dovecot's login may be printed without a session id.
    let is_long = before.iter().chain([&message]).any(|message| message.len() >= 500);
    if is_long || matcher.name == "dovecot" && action == Action::Logout {
        return;
    }
    let barred = earlier(matcher, action, pattern).chain([pattern]).any(|pattern| is_barred(pattern, values.user));
    let due = (!barred).then(|| (action, values.client.to_canonical()));
    for program in matcher.programs {
        let line = line(program, &message);
        for set in [&*ALL, &ALONE[nth]] {
            let mut set = set.clone();
            for message in &before {
                set.event(Timestamp::default(), &messages::line(program, message));
            }
            let event = set.event(Timestamp::default(), &line);
            assert_eq!(event.as_ref().map(|e| (e.action, e.client)), due, "{}", line.escape_ascii());
            let same = is_name_shared(matcher, pattern)
                || event.as_ref().is_none_or(|e| e.user == Some(printed(pattern, values.user)));
            assert!(same, "{}: {event:?}", line.escape_ascii());
        }
    }
}
