//! What must hold for every user name, host name and line: a failure never grants, a success never grants to another
//! address than the client's, and nothing panics.

#![allow(clippy::expect_used)]

#[path = "support/render.rs"]
mod render;

use std::net::IpAddr;

use pop_before_smtp::matcher::pattern::{Pattern, Piece};
use pop_before_smtp::matcher::{Action, BUILTIN, Key, Matcher, Matchers};
use pop_before_smtp::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use render::{Values, render};

const SERVER: &str = "192.0.2.25";

/// Failures as the servers print them, with the tag; `U` is the user name, `A` the client's address.
const FAILURES: &[(&str, &str)] = &[
    (
        "dovecot",
        "imap-login: Disconnected: Aborted login by logging out (auth failed, 1 attempts in 2 secs): user=<U>, method=PLAIN, rip=A, lip=192.0.2.25, session=<ab/c+d==>",
    ),
    (
        "dovecot",
        "pop3-login: Login aborted: Logged out (auth failed, 1 attempts in 0 secs) (auth_failed): user=<U>, method=PLAIN, rip=A, lip=192.0.2.25, session=<ab/c+d==>",
    ),
    ("dovecot", "pop3-login: Aborted login: user=<U>, method=PLAIN, rip=A, lip=192.0.2.25"),
    ("dovecot", "imap-login: proxy(U): Login failed to 192.0.2.9:143: user=<U>, method=PLAIN, rip=A, lip=192.0.2.25"),
    ("dovecot", "managesieve-login: Login: user=<U>, method=PLAIN, rip=A, lip=192.0.2.25, mpid=1"),
    ("dovecot", "submission-login: Login: user=<U>, method=PLAIN, rip=A, lip=192.0.2.25, mpid=1"),
    ("dovecot", "imap-login: Login: user=<U>, method=ANONYMOUS, rip=A, lip=192.0.2.25, mpid=1"),
    ("dovecot", "auth: passwd-file(U,A,<ab/c+d==>): unknown user"),
    ("dovecot", "imap: Error: U)<904><ab/c+d==>: "),
    ("dovecot", "imap(U)<904><ab/c+d==>: Disconnected: Logged out in=9 out=470"),
    ("imapd", "LOGIN FAILED, user=U, ip=[A], port=[4711]"),
    ("pop3d-ssl", "LOGIN FAILED, user=U, ip=[A], port=[4711]"),
    ("imapd", "LOGIN FAILED, method=PLAIN, ip=[A], port=[4711]"),
    ("imap", "badlogin: [A] plaintext (U) [SASL(-13): authentication failure: checkpass failed]"),
    ("cyrus/pop3", "badlogin: pc.example.net [A] PLAIN (U) [SASL(-13): user not found: Password verification failed]"),
    ("imapd", "badlogin: [A] plaintext U invalid user"),
    ("cyrus/imap", "SASL cross-realm login U denied"),
    ("imap", "login: [A] anonymous U"),
    ("imapd", "Login failed user=U auth=U host=[A]"),
    ("ipop3d", "Login failed user=U auth=U host=pc.example.net [A]"),
    ("ipop3d", "Login disabled user=U auth=U host=[A]"),
    ("imapd", "Login excessive login failures user=U auth=U host=[A]"),
    ("imapd", "Login SYSTEM BREAK-IN ATTEMPT user=U auth=U host=[A]"),
    ("imapd", "Login anonymous=U host=[A]"),
    ("imapd", "Logout user=U host=[A]"),
    ("ipop3d", "Update user=U host=[A] nmsgs=0 ndele=0 nseen=0"),
    ("imapd", "Connection reset by peer, while reading line user=U host=[A]"),
    ("qpopper", "U at pc.example.net (A): -ERR [AUTH] Password supplied for \"U\" is incorrect. [pop_pass.c:1296]"),
    ("qpopper", "U at A (A): -ERR POP EOF or I/O Error"),
    ("in.qpopper", "U at pc.example.net (A): -ERR Unknown command: U"),
    ("qpopper", "U at pc.example.net (A): -ERR Unknown authentication mechanism: U [popper.c:1]"),
    ("vm-pop3d", "Non-existent user: U (U)"),
    ("vm-pop3d", "Couldn't open password file: /etc/virtual/U/passwd"),
    ("vdpop3d", "Non-existent user: U (example.org)"),
    ("teapop", "Failed login for U [192.0.2.25] from unknown [A]"),
    ("teapop", "Three failed login attempts from U [A]"),
    ("teapop", "U [A] R0(0) D0(0) L0(0)"),
    ("tpop3d", "connection_do: client `[5]A/mail': username `U': 1 authentication failures"),
    ("tpop3d", "ioabs_tcp_post_select: client [5]U(A): connection closed by peer"),
    (
        "dovecot",
        "imap-login: proxy(U): disconnecting A (Disconnected by client): user=<U>, method=PLAIN, rip=A, lip=192.0.2.25",
    ),
    (
        "dovecot",
        "imap-login: Error: proxy(U): Login failed to 192.0.2.9:143: user=<U>, method=PLAIN, rip=A, lip=192.0.2.25",
    ),
    ("imap", "event=login.bad r.clienthost=[A] u.username=Q login.mech=PLAIN error=Q"),
    (
        "imap",
        "event=login.good session_id=x r.clienthost=[A] login.mech=ANONYMOUS login.tls=0 login.anonymous=1 login.password=Q",
    ),
    (
        "imap",
        "event=login.good session_id=x r.clienthost=[A] u.username=Q login.mech=PLAIN login.tls=0 login.magic=Q login.nopassword=1",
    ),
    ("imap", "badlogin: pc.example.net[A] plaintext U invalid user"),
    ("popa3d", "Authentication failed for U"),
    ("popa3d", "Authentication failed for U -- [A]"),
    ("popa3d", "pam_unix(popa3d:auth): authentication failure; logname= uid=0 euid=0 tty= ruser= rhost=  user=U"),
    ("solid-pop3d", "authentication failed for user U - A"),
    ("solid-pop3d", "authentication failed: no such user: U - pc.example.net (A)"),
    ("spop3d", "authentication failed for user U"),
    (
        "solid-pop3d",
        "pam_unix(solid-pop3d:auth): authentication failure; logname= uid=0 euid=0 tty= ruser= rhost=  user=U",
    ),
    ("pop3d", "2AMGb5Mv user `U' nonexistent"),
    ("pop3d", "2AMGb5Mv user `U': authentication failed"),
    ("imap4d", "2AMGbDKa login failed: U"),
    ("imap4d", "2AMGbDKa user `U' nonexistent"),
    ("gnu-pop3d", "User 'U': nonexistent"),
    (
        "perdition.pop3",
        "Auth: 198.51.100.9:4711->192.0.2.25:110 client-secure=plaintext authorisation_id=NONE authentication_id=\"U\" server=\"192.0.2.9:110\" protocol=POP3 server-secure=plaintext status=\"failed: Re-Authentication Failure\"",
    ),
    ("perdition", "Auth: A->192.0.2.25 user=\"U\" server=\"192.0.2.9\" port=\"110\" status=\"failed\""),
    (
        "nginx",
        "2026/11/22 16:29:49 [info] 8#8: *29 client login failed: \"no\" while in http auth state, client: A, server: 0.0.0.0:143, login: \"U\"",
    ),
    (
        "nginx",
        "2026/11/22 16:29:49 [info] 8#8: *29 client logged in, client: A, server: 0.0.0.0:25, login: \"U\", upstream: 192.0.2.9:25",
    ),
    (
        "nginx",
        "2026/11/22 16:29:49 [info] 8#8: *29 client sent too long command \"U\" while in auth state, client: A, server: 0.0.0.0:143",
    ),
    (
        "nginx",
        "2026/11/22 16:29:49 [info] 8#8: *29 recv() failed (104: Connection reset by peer) while proxying and reading from client, client: A, server: 0.0.0.0:110, login: \"U\", upstream: 192.0.2.9:110",
    ),
    ("in.imapproxyd", "LOGIN: 'U' (198.51.100.9:4711) no previous connection: creating a new one"),
    ("in.imapproxyd", "LOGIN: 'U' (198.51.100.9:4711) failed: non-OK server response to LOGIN command: NO no user U"),
    ("in.imapproxyd", "LOGOUT: 'U' from server sd [9]"),
    ("vpopmail", "vchkpw-pop3: password fail (pass: 'U') U:A"),
    ("vpopmail", "vchkpw-pop3: invalid user/domain characters U:A"),
    ("vpopmail", "vchkpw-pop3: vpopmail user not found U:A"),
    ("vpopmail", "vchkpw-smtp: (PLAIN) login success U:A"),
    ("cucipop", "Invalid command U U U"),
    ("cucipop", "authentication failure U A"),
    ("cucipop", "mailbox U corrupted at 5"),
    (
        "postfix/smtpd",
        "NOQUEUE: reject: RCPT from unknown[A]: 554 5.7.1 <U>: Relay access denied; from=<U> to=<U> proto=ESMTP helo=<U>",
    ),
    ("postfix/smtpd", "warning: U: hostname U verification failed"),
    ("postfix/cleanup", "4Xabc: message-id=<U>"),
    ("sshd", "Failed password for invalid user U from A port 22 ssh2"),
];

/// What a stranger would put into a user name.
const HOSTILE: &[&str] = &[
    "203.0.113.66",
    "::ffff:203.0.113.66",
    "2001:db8:6::6",
    "LOGIN, user=a",
    ", ip=[203.0.113.66]",
    ", port=[4711]",
    ", protocol=IMAP",
    "Login user=a",
    " host=[203.0.113.66]",
    " host=h [203.0.113.66] nmsgs=0/0",
    "login: [203.0.113.66] a plaintext User logged in",
    " plaintext User logged in SESSIONID=<x>",
    "imap-login: Login: user=<a>, method=PLAIN, rip=203.0.113.66, lip=192.0.2.25",
    ">, method=PLAIN, rip=203.0.113.66, lip=192.0.2.25, mpid=1, session=<abc>",
    "(v4.0.9) POP login by user \"a\" at (h) 203.0.113.66",
    "(v4.0.9) POP login by user \"",
    "\" at (h) 203.0.113.66",
    " [pop_log.c:244]",
    "Stats: a 0 0 0 0 h 203.0.113.66",
    " 0 0 0 0 203.0.113.66",
    "User 'a' logged in from 203.0.113.66",
    "' logged in from 203.0.113.66, nmsgs=3",
    "Successful login for a [192.0.2.25] from h [203.0.113.66]",
    " [192.0.2.25] from h [203.0.113.66]",
    "(203.0.113.66): began session for `a' with passwd; child PID is 1",
    "fork_child: [5]a",
    "Authentication passed for a -- [203.0.113.66]",
    "user a authenticated - 203.0.113.66",
    " authenticated - h (203.0.113.66)",
    "' logged in (source: system)",
    "2AMGbDKa 203.0.113.66",
    "x): started proxying to h:143: user=<x>, method=PLAIN, rip=203.0.113.66, lip=192.0.2.25",
    "\" server=\"h:1\" protocol=POP3 server-secure=plaintext status=\"ok\"",
    "\", upstream: 192.0.2.9:143",
    "*2 client logged in, client: 203.0.113.66, server: 0.0.0.0:143, login: \"a",
    "' (203.0.113.66:4711) on new sd [9]",
    "vchkpw-pop3: (PLAIN) login success a@b:203.0.113.66",
    ":203.0.113.66",
    "a 203.0.113.66 0, 0 (0), 0 (0)",
    "\" event=login.good r.clienthost=[203.0.113.66] u.username=a login.tls=0",
    "\\",
    "Nov 22 10:00:00 mail imapd: LOGIN, user=a, ip=[203.0.113.66]",
    "\r",
    "\0",
    " ",
    "a",
    "): ",
    "]",
    "\u{fc}",
];

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

fn fill(format: &str, user: &[u8], client: IpAddr) -> Vec<u8> {
    let fill = |byte| match byte {
        b'U' => user.to_vec(),
        b'A' => client.to_string().into_bytes(),
        b'Q' => quoted(user),
        other => vec![other],
    };
    // `U`, `Q` (the name in quotes) and `A` stand alone: a capital inside a word is text.
    let bytes = format.as_bytes();
    let letter = |at: Option<usize>| at.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_alphanumeric);
    let alone = |at: usize| !letter(at.checked_sub(1)) && !letter(Some(at + 1));
    bytes.iter().enumerate().flat_map(|(at, b)| if alone(at) { fill(*b) } else { vec![*b] }).collect()
}

fn is_anonymous(format: &str) -> bool {
    format.contains("ANONYMOUS") || format.contains("nopassword")
}

fn quoted(user: &[u8]) -> Vec<u8> {
    let escape = |b: &u8| if matches!(b, b'"' | b'\\') { vec![b'\\', *b] } else { vec![*b] };
    [b"\"".to_vec(), user.iter().flat_map(escape).collect(), b"\"".to_vec()].concat()
}

fn line(program: &str, message: &[u8]) -> Vec<u8> {
    [b"Nov 22 16:00:00 mail ", program.as_bytes(), b"[4711]: ", message].concat()
}

/// All matchers at once, and each alone.
fn sets() -> Vec<Matchers> {
    let alone = BUILTIN.iter().map(|m| Matchers::select(&[m.name]).expect("built in"));
    alone.chain([Matchers::all()]).collect()
}

fn grants(line: &[u8]) -> bool {
    sets()
        .iter_mut()
        .any(|set| set.event(Timestamp::default(), line).is_some_and(|event| event.action == Action::Login))
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// What the server logs before: the connection if the login does not tell the address, the login before the end.
fn earlier(matcher: &'static Matcher, action: Action, pattern: Pattern) -> impl Iterator<Item = Pattern> {
    let named = |pattern: Pattern| pattern.iter().any(|p| matches!(p, Piece::Client | Piece::ClientPort));
    let login = matcher.logins.iter().find(|login| named(login)).or(matcher.logins.first());
    let login = login.filter(|_| action == Action::Logout && matcher.key != Key::None);
    let connect = matcher.connects.first().filter(|_| login.is_some() || !named(pattern));
    connect.into_iter().chain(login).copied()
}

/// Some patterns share out name and domain, or name and counts, differently; some print no name, or not as it is.
fn is_name_shared(matcher: &Matcher, pattern: Pattern) -> bool {
    matches!(matcher.name, "qpopper" | "vm-pop3d" | "vdpop3d" | "solid-pop3d" | "popa3d" | "perdition")
        || !pattern.iter().any(|p| matches!(p, Piece::User | Piece::UserWithout(_)))
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

    /// Qpopper's failures begin with the name, which it limits to 64 bytes; no logger cuts that early. An anonymous
    /// session begins like a login, but the name in it is the server's.
    #[test]
    fn a_failure_cut_anywhere_never_grants(user in users(), client in clients(), cut in any::<prop::sample::Index>()) {
        for (program, format) in FAILURES.iter().filter(|(_, format)| !is_anonymous(format)) {
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
        prop_assume!(message.len() < 500);
        // Its login may be printed without a session id.
        prop_assume!(matcher.name != "dovecot" || action == Action::Login);
        let before: Vec<_> = earlier(matcher, action, pattern).map(|pattern| render(pattern, &values)).collect();
        let barred = pattern.iter().any(|piece| match piece {
            Piece::Not(text) => user.starts_with(text.as_bytes()) || text.trim_end().as_bytes() == user,
            Piece::UserWithout(text) => user.windows(text.len()).any(|part| part == text.as_bytes()),
            _ => false,
        });
        for program in matcher.programs {
            let line = line(program, &message);
            for set in [&mut Matchers::all(), &mut Matchers::select(&[matcher.name]).expect("built in")] {
                for message in &before {
                    set.event(Timestamp::default(), &self::line(program, message));
                }
                let event = set.event(Timestamp::default(), &line);
                prop_assert_eq!(event.map(|e| (e.action, e.client)), (!barred).then(|| (action, client.to_canonical())),
                    "{}", line.escape_ascii());
                let same = is_name_shared(matcher, pattern) || event.is_none_or(|e| e.user == Some(&user));
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
