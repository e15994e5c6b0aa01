//! What must hold for every user name, host name and line: a failure never grants, a success never grants to another
//! address than the client's, and nothing panics.

use std::net::IpAddr;
use std::sync::LazyLock;

use crate::support::failures::{FAILURES, HOSTILE};
use crate::support::messages::{earlier, fill, is_barred, is_name_shared, line, must_be_whole, printed};
use crate::support::render::{Values, render};
use pop_before_smtp::matcher::pattern::Pattern;
use pop_before_smtp::matcher::{Action, BUILTIN, Matcher, Matchers};
use pop_before_smtp::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;

const SERVER: &str = "192.0.2.25";

fn clients() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)]
}

fn hosts() -> impl Strategy<Value = &'static str> {
    select(vec!["pc.example.net", "203.0.113.66", "unknown", "2001:db8::6", "_x-1.example"])
}

fn any_pattern() -> impl Strategy<Value = (&'static Matcher, Action, Pattern)> {
    let of = |m: &'static Matcher| {
        let logins = m.logins.iter().map(move |p| (m, Action::Login, *p));
        logins.chain(m.logouts.iter().map(move |p| (m, Action::Logout, *p)))
    };
    select(BUILTIN.iter().flat_map(of).collect::<Vec<_>>())
}

/// Bytes, hostile fragments in a row, or a whole genuine message of any server.
fn users() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop::collection::vec(any::<u8>().prop_filter("one line", |b| *b != b'\n'), 1..60);
    let fragments = prop::collection::vec(select(HOSTILE.to_vec()), 1..6).prop_map(|parts| parts.concat().into_bytes());
    let genuine = (any_pattern(), any::<u64>()).prop_map(|((_, _, pattern), choices)| {
        let client = IpAddr::from([203, 0, 113, 66]);
        render(pattern, &Values { user: b"a", client, server: client, host: "h", method: "PLAIN", choices })
    });
    prop_oneof![bytes, fragments, genuine]
}

/// Whole lines of servers, or what stands in names.
fn several() -> impl Strategy<Value = Vec<u8>> {
    let genuine = (any_pattern(), any::<u64>(), any::<bool>()).prop_map(|((matcher, _, pattern), choices, own)| {
        let client = IpAddr::from([203, 0, 113, 66]);
        let message =
            render(pattern, &Values { user: b"a", client, server: client, host: "h", method: "PLAIN", choices });
        if own || matcher.name == "nginx" {
            return [b"2026/11/22 16:29:49 [info] 8#8: ".as_slice(), &message].concat();
        }
        line(matcher.programs[0], &message)
    });
    prop_oneof![genuine, users()]
}

/// All matchers at once, and each alone; no one of them has seen a line. To choose costs much more than to clone.
fn sets() -> impl Iterator<Item = Matchers> {
    static SETS: LazyLock<Vec<Matchers>> = LazyLock::new(|| {
        let alone = BUILTIN.iter().map(|m| Matchers::select(&[m.name]).expect("built in"));
        alone.chain([Matchers::all()]).collect()
    });
    SETS.iter().cloned()
}

fn grants(line: &[u8]) -> bool {
    sets().any(|mut set| set.event(Timestamp::default(), line).is_some_and(|event| event.action == Action::Login))
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_failure_never_grants(user in users(), client in clients()) {
        for (program, format) in FAILURES {
            let line = line(program, &fill(format, &user, client));
            prop_assert!(!grants(&line), "{}", line.escape_ascii());
        }
    }

    /// Qpopper's failures begin with the name, which it limits to 64 bytes; no logger cuts that early.
    #[test]
    fn a_failure_cut_anywhere_never_grants(user in users(), client in clients(), cut in any::<prop::sample::Index>()) {
        for (program, format) in FAILURES.iter().filter(|(_, format)| !must_be_whole(format)) {
            let message = fill(format, &user, client);
            let least = if format.starts_with('U') { user.len() + 1 } else { 0 };
            let end = least.max(cut.index(message.len() + 1)).min(message.len());
            let line = line(program, &message[..end]);
            prop_assert!(!grants(&line), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn a_success_grants_to_the_client_alone(
        (matcher, action, pattern) in any_pattern(),
        user in users(),
        client in clients(),
        host in hosts(),
        choices in any::<u64>(),
    ) {
        let server = SERVER.parse().expect("address");
        let values = Values { user: &user, client, server, host, method: "PLAIN+TLS", choices };
        let message = render(pattern, &values);
        // A carriage return at the end belongs to the end of the line.
        prop_assume!(message.len() < 500 && !message.ends_with(b"\r"));
        // Of two spaces behind the tag both are the logger's.
        prop_assume!(!message.starts_with(b" "));
        // Its login may be printed without a session id.
        prop_assume!(matcher.name != "dovecot" || action == Action::Login);
        let before: Vec<_> = earlier(matcher, action, pattern).map(|pattern| render(pattern, &values)).collect();
        let barred = is_barred(pattern, &user);
        for program in matcher.programs {
            let line = line(program, &message);
            for set in [&mut Matchers::all(), &mut Matchers::select(&[matcher.name]).expect("built in")] {
                for message in &before {
                    set.event(Timestamp::default(), &crate::support::messages::line(program, message));
                }
                let event = set.event(Timestamp::default(), &line);
                prop_assert_eq!(event.as_ref().map(|e| (e.action, e.client)), (!barred).then(|| (action, client.to_canonical())),
                    "{}", line.escape_ascii());
                let same = is_name_shared(matcher, pattern) || event.is_none_or(|e| e.user == Some(printed(pattern, &user)));
                prop_assert!(same, "{}", line.escape_ascii());
            }
        }
    }

    #[test]
    fn no_line_panics(line in prop::collection::vec(any::<u8>(), 0..300)) {
        grants(&line);
    }

    #[test]
    fn no_message_panics(program in select(vec!["imapd", "dovecot", "qpopper", "teapop"]), user in users()) {
        grants(&line(program, &user));
        grants(&[b"Nov 22 16:00:00 ".as_slice(), &user].concat());
        grants(&[b"2026-11-22T16:00:00".as_slice(), &user].concat());
    }

    /// nginx writes newlines in a name into its own file as they are.
    #[test]
    fn a_name_of_several_lines_in_a_file_of_nginx_never_grants(
        names in prop::collection::vec(several(), 1..5),
        good in any::<bool>(),
        end in select(vec!["\"", "\", upstream: 127.0.0.2:1143"]),
    ) {
        let head = "2026/11/22 16:29:49 [info] 8#8: *29 client login failed: \"no\" while in http auth state, client: 198.51.100.9, server: 0.0.0.0:143, login: \"";
        let good = if good { "x\"\n" } else { "x\n" };
        let mut record = [head.as_bytes(), good.as_bytes(), &names.join(&b'\n'), end.as_bytes()].concat();
        record.truncate(2048);
        for mut set in sets() {
            for line in record.split(|b| *b == b'\n') {
                let event = set.event(Timestamp::default(), line);
                prop_assert!(event.is_none(), "{}", record.escape_ascii());
            }
        }
    }

    /// What courierlogger makes of one line: pieces of 511 bytes, each without a level and leading spaces.
    #[test]
    fn a_message_cut_by_courierlogger_never_grants(
        filler in 440_usize..500,
        second in users(),
        pad in 0_usize..500,
        third in users(),
        program in select(vec!["imapd", "pop3d", "imapd-ssl", "courier/pop3d"]),
        spaces in any::<bool>(),
    ) {
        let gap = vec![if spaces { b' ' } else { b'b' }; pad];
        let user = [vec![b'A'; filler], gap, second, third].concat();
        let printed = [b"INFO: LOGIN FAILED, user=".as_slice(), &user, b", ip=[::ffff:198.51.100.9], port=[4711]"].concat();
        // courier_safe_printf prints no more.
        let printed = &printed[..printed.len().min(1023)];
        for mut set in [Matchers::all(), Matchers::select(&["courier"]).expect("built in")] {
            let mut say = |message: &[u8]| {
                set.event(Timestamp::default(), &[b"Nov 22 16:00:00 mail ", program.as_bytes(), b": ", message].concat()).is_some()
            };
            let mut last = 0;
            for piece in printed.chunks(511) {
                let message = without_level(piece);
                last = message.len();
                prop_assert!(!say(message), "{}", printed.escape_ascii());
            }
            prop_assert_eq!(say(b"LOGIN, user=alice, ip=[::ffff:198.51.100.1]"), last < 500);
        }
    }
}

fn without_level(piece: &[u8]) -> &[u8] {
    let levels: [&[u8]; 6] = [b"ERR:", b"WARN:", b"ALERT:", b"CRIT:", b"DEBUG:", b"INFO:"];
    let message = levels.iter().find_map(|level| piece.strip_prefix(*level)).unwrap_or(piece);
    &message[message.iter().take_while(|b| **b == b' ').count()..]
}

#[test]
fn failure_formats_are_filled_in() {
    let client = IpAddr::from([198, 51, 100, 9]);
    let text = fill("Aborted user=<U>, rip=A: AUTH", b"x", client);
    assert_eq!(text, b"Aborted user=<x>, rip=198.51.100.9: AUTH");
}
