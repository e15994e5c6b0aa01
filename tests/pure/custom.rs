//! Matchers of the configuration file: which patterns are taken, which are refused and why, and that no user name of
//! those that are taken changes the address.

use std::path::Path;

use pop_before_smtp::config::config_file;
use pop_before_smtp::matcher::{Action, Matchers};
use pop_before_smtp::time::Timestamp;
use proptest::prelude::*;

const ACME: &str = r#"
[[matcher]]
name = "acme"
programs = ["acme-imap", "acme-pop3"]
login = '^session opened for (?P<user>.*) from \[(?P<ip>[0-9A-Fa-f:.]+)\](?:, port=[0-9]+)?$'
logout = '^session closed for (?P<user>.*) from \[(?P<ip>[0-9A-Fa-f:.]+)\]$'

[[matcher]]
name = "joined"
programs = ["joined"]
connect = '^connection (?P<session>[a-z0-9]+) from (?P<ip>[0-9A-Fa-f:.]+)$'
login = '^connection (?P<session>[a-z0-9]+) has authenticated as (?P<user>.*)$'
logout = '^connection (?P<session>[a-z0-9]+) has ended$'

[[matcher]]
name = "by-pid"
programs = ["by-pid"]
connect = '^connect from (?P<ip>[0-9A-Fa-f:.]+)$'
login = '^authenticated user (?P<user>.*)$'
key = "pid"
"#;

fn matchers(toml: &str) -> Matchers {
    Matchers::all_and(&config_file::parse(Path::new("test.toml"), toml).expect("a good file").custom())
}

fn read(matchers: &mut Matchers, program: &str, message: &[u8]) -> Option<(Action, String, Option<Vec<u8>>)> {
    let line = [b"Nov 22 16:00:00 mail ".as_slice(), program.as_bytes(), b": ", message].concat();
    let event = matchers.event(Timestamp::default(), &line)?;
    Some((event.action, event.client.to_string(), event.user.map(<[u8]>::to_vec)))
}

fn address(matchers: &mut Matchers, program: &str, message: &str) -> Option<String> {
    read(matchers, program, message.as_bytes()).map(|(_, client, _)| client)
}

/// The file with one pattern as login pattern.
fn with_login(pattern: &str) -> String {
    format!("[[matcher]]\nname = \"x\"\nprograms = [\"x\"]\nlogin = '''{pattern}'''\n")
}

fn refusal(toml: &str) -> String {
    config_file::parse(Path::new("test.toml"), toml).expect_err(toml).to_string()
}

#[test]
fn a_login_and_a_logout_are_read() {
    let mut set = matchers(ACME);
    let login = read(&mut set, "acme-imap[7]", b"session opened for al ice from [::ffff:192.0.2.1], port=99");
    assert_eq!(login, Some((Action::Login, "192.0.2.1".into(), Some(b"al ice".to_vec()))));
    let logout = read(&mut set, "acme-pop3", b"session closed for \xff from [2001:DB8::1]");
    assert_eq!(logout, Some((Action::Logout, "2001:db8::1".into(), Some(vec![0xff]))));
    for message in [
        "session opened for a from [192.0.2.1",
        "session opened for a from [192.0.2.256]",
        "session opened for a from [cafe]",
        "Session opened for a from [192.0.2.1]",
        // One space behind that of the header is the logger's, a further one is not.
        "  session opened for a from [192.0.2.1]",
        "session opened for a from [192.0.2.1], port=",
    ] {
        assert_eq!(address(&mut set, "acme-imap", message), None, "{message}");
    }
    assert_eq!(address(&mut set, "acme", "session opened for a from [192.0.2.1]"), None);
    assert_eq!(address(&mut set, "imapd", "LOGIN, user=a, ip=[192.0.2.1]").as_deref(), Some("192.0.2.1"));
}

#[test]
fn the_lines_of_a_session_are_joined() {
    let mut set = matchers(ACME);
    assert_eq!(address(&mut set, "joined", "connection a1 from 192.0.2.1"), None);
    assert_eq!(address(&mut set, "joined", "connection b2 from 192.0.2.2"), None);
    assert_eq!(address(&mut set, "joined", "connection b2 has authenticated as bob").as_deref(), Some("192.0.2.2"));
    assert_eq!(address(&mut set, "joined", "connection a1 has authenticated as al").as_deref(), Some("192.0.2.1"));
    assert_eq!(address(&mut set, "joined", "connection a1 has authenticated as al"), None);
    assert_eq!(read(&mut set, "joined", b"connection b2 has ended").map(|e| e.0), Some(Action::Logout));
    assert_eq!(address(&mut set, "joined", "connection b2 has ended"), None);

    assert_eq!(address(&mut set, "by-pid[7]", "connect from 192.0.2.7"), None);
    assert_eq!(address(&mut set, "by-pid[8]", "authenticated user al"), None);
    assert_eq!(address(&mut set, "by-pid", "authenticated user al"), None);
    assert_eq!(address(&mut set, "by-pid[7]", "authenticated user al").as_deref(), Some("192.0.2.7"));
}

#[test]
fn safe_patterns_are_taken() {
    for pattern in [
        r"^Login user=(?P<user>.*) ip=\[(?P<ip>[0-9.]+)\]$",
        r"^(Login user=(?P<user>.*) ip=\[(?P<ip>[0-9A-Fa-f:.]+)\])$",
        r"^Login user=(?P<user>.*) ip=\[(?P<ip>[0-9A-Fa-f:.]+)\](?:, port=\[[0-9]+\])?(?:, (?:stls|tls)=1)?$",
        r"^Login user=(?P<user>.+) host=(?:[A-Za-z0-9._:-]+ )?\[(?P<ip>[0-9A-Fa-f:.]+)\]$",
        r"^login: [A-Za-z0-9._:-]+ \[(?P<ip>[0-9A-Fa-f:.]+)\] (?P<user>.*)$",
        r"^login: (?:[A-Za-z0-9._:-]+ )?\[(?P<ip>[0-9A-Fa-f:.]+)\] (?P<user>.*) User logged in.*$",
        r"(?i)^login from (?P<ip>\d{1,3}(?:\.\d{1,3}){3}) as (?P<user>\S+)$",
        r"^(?:imap|pop3)-login: Login: user=<(?P<user>[^>]*)>, rip=(?P<ip>[0-9a-f:.]+), lip=[0-9a-f:.]+, session=<(?P<session>[A-Za-z0-9+/]+)>$",
        r"^login ok: (?P<ip>[0-9a-f:.]+)$",
    ] {
        let parsed = config_file::parse(Path::new("test.toml"), &with_login(pattern));
        assert!(parsed.is_ok(), "{pattern}: {}", parsed.unwrap_err());
    }
}

#[test]
fn unsafe_patterns_are_refused_with_the_reason_and_a_better_one() {
    let table = [
        (r"Login user=(?P<user>.*) ip=(?P<ip>[0-9.]+)$", "not anchored", "write ^Login"),
        (r"^Login user=(?P<user>.*) ip=\[(?P<ip>[0-9.]+)\]", "not anchored", r"\]$"),
        (r"^login (?P<ip>[0-9.]+)$|^b$", "alternation", "write ^(?:"),
        (r"^login (?P<ip>[0-9.]+)|b$", "alternation", "write ^(?:"),
        (r"(?m)^login (?P<ip>[0-9.]+)$", "anchored", "^"),
        (r"^\blogin (?P<ip>[0-9.]+)$", "word boundary", "bytes"),
        (r"^(?P<user>.*) login from (?P<ip>[0-9.]+)$", "no literal verb", "begin with"),
        (r"^[^ ]* login from (?P<ip>[0-9.]+)$", "no literal verb", "begin with"),
        (r"^OK: (?P<user>.*) (?P<ip>[0-9.]+)$", "no literal verb", "begin with"),
        (r"^(?:login)? (?P<user>.*) (?P<ip>[0-9.]+)$", "no literal verb", "begin with"),
        (r"^Login user=(?P<user>.*)$", "no group ip", "(?P<ip>[0-9A-Fa-f:.]+)"),
        (r"^Login user=(?P<user>.*) ip=(?P<ip>\S+)$", "other text", "(?P<ip>[0-9A-Fa-f:.]+)"),
        (r"^Login user=(?P<user>.*) ip=(?P<ip>[^]]*)$", "other text", "(?P<ip>[0-9A-Fa-f:.]+)"),
        (r"^Login ip=(?P<ip>[0-9.]*)$", "or none", "(?P<ip>[0-9A-Fa-f:.]+)"),
        (r"^Login user=(?P<user>.*)(?: ip=(?P<ip>[0-9.]+))?$", "may be missing", "outside of"),
        (r"^Login user=(?P<user>.*) ip=\[(?P<ip>[0-9.]+)\](.*)$", "imitate an address", "one side"),
        (r"^Login user=(?P<user>\w+) ip=\[(?P<ip>[0-9.]+)\].*$", "imitate an address", "one side"),
        (r"^Login user=(?P<user>[^ ]*) ip=(?P<ip>[0-9.]+) .*$", "imitate an address", "one side"),
        (r"^Login user=\w+ ip=\[(?P<ip>[0-9.]+)\] .*$", "imitate an address", "name the user"),
        (r"^Login user=(?P<user>.*) ip=(?P<ip>[0-9.]+) helo=[A-Za-z0-9._=-]+$", "imitate an address", "one side"),
        (
            r"^Login user=(?P<user>.*), ip=(?P<ip>[0-9.]+)(?:, id=<[A-Za-z0-9+/]+>)?$",
            "imitate an address",
            "(?P<session>",
        ),
        (r"^Login .* ip=(?P<ip>[0-9.]+) helo=[a-z]+ (?P<user>.*)$", "imitate an address", "one side"),
        (r"^Login user=(?P<user>.*)(?P<ip>[0-9.]+)$", "imitate an address", "one side"),
        (r"^Login (?P<ip>[0-9.]+)(?P<user>.*)$", "imitate an address", "one side"),
        (r"^Login user=(?P<user>.*) ip=(?P<ip>[0-9.]+)(?: ip=[0-9.]+)?$", "imitate an address", "one side"),
        (r"^Login user=(?P<user>.*?) ip=\[(?P<ip>[0-9.]+)\]$", "lazy", "write .* for .*?"),
        (r"^Login (?P<adress>[0-9.]+)$", "no use for a group adress", "ip, user and session"),
        (r"^Login (?P<ip>[0-9.]+$", "not a regular expression", "syntax"),
        (r"^Login (?=x)(?P<ip>[0-9.]+)$", "not a regular expression", "syntax"),
        (r"^Login (?:(?:a{900}){900}){900}(?P<ip>[0-9.]+)$", "cannot use test.toml:4:9: login of matcher x: ", ""),
    ];
    for (pattern, reason, better) in table {
        let told = refusal(&with_login(pattern));
        assert!(told.contains(reason) && told.contains(better), "{pattern}: {told}");
        assert!(told.starts_with("cannot use test.toml:4:9: login of matcher x: ") && !told.contains('\n'), "{told}");
    }
}

#[test]
fn an_example_shows_what_a_stranger_could_write() {
    let told = refusal(&with_login(r"^Login user=(?P<user>.*) ip=\[(?P<ip>[0-9.]+)\](.*)$"));
    assert!(told.contains("\"Login user= ip=[192.0.2.1] ip=[192.0.2.1]\""), "{told}");
}

#[test]
fn other_mistakes_are_named() {
    let login = r"login = '^login (?P<ip>[0-9.]+)$'";
    let table = [
        (format!("[[matcher]]\nname = \"dovecot\"\nprograms = [\"x\"]\n{login}"), "2:8: name of matcher dovecot: a built-in"),
        (format!("[[matcher]]\nname = \"Acme\"\nprograms = [\"x\"]\n{login}"), "2:8: name of matcher Acme: not a name"),
        (format!("[[matcher]]\nname = \"x\"\nprograms = []\n{login}"), "3:12: programs of matcher x: no program"),
        (format!("[[matcher]]\nname = \"x\"\nprograms = [\"a b\"]\n{login}"), "3:12: programs of matcher x: \"a b\""),
        (format!("[[matcher]]\nname = \"x\"\nprograms = [\"a\"]\n{login}\nkey = \"pids\""), "there is no value pids; did you mean pid?"),
        (
            format!("[[matcher]]\nname = \"x\"\nprograms = [\"a\"]\n{login}\nconnect = '^connect (?P<ip>[0-9.]+)$'"),
            "key of matcher x: connect tells",
        ),
        (
            format!("[[matcher]]\nname = \"x\"\nprograms = [\"a\"]\n{login}\nlogout = '^logout (?P<session>[0-9]+)$'"),
            "login of matcher x: there is no group session",
        ),
        (
            "[[matcher]]\nname = \"x\"\nprograms = [\"a\"]\nconnect = '^connect (?P<session>[0-9]+) (?P<ip>[0-9.]+)$'\n\
             login = '^login of (?P<user>.*) in (?P<session>[0-9]+)(?: .*)?$'"
                .to_owned(),
            "login of matcher x: the user's text could imitate a session id",
        ),
        (format!("{ACME}\n[[matcher]]\nname = \"acme\"\nprograms = [\"x\"]\n{login}"), "matcher acme is there twice"),
    ];
    for (toml, mentions) in table {
        let told = refusal(&toml);
        assert!(told.contains(mentions), "{told}");
    }
}

/// For each pattern: how its server writes a login.
const SHAPES: [(&str, &str, &str); 4] = [
    (r"^Login user=(?P<user>.*) ip=\[(?P<ip>[0-9A-Fa-f:.]+)\]$", "Login user=", " ip=[203.0.113.9]"),
    (r"^login: \[(?P<ip>[0-9A-Fa-f:.]+)\] (?P<user>.*) ok.*$", "login: [203.0.113.9] ", " ok"),
    (
        r"^Login user=<(?P<user>[^>]*)>, rip=(?P<ip>[0-9a-f:.]+), lip=[0-9.]+, sid=<(?P<session>[a-z]+)>$",
        "Login user=<",
        ">, rip=203.0.113.9, lip=192.0.2.25, sid=<abc>",
    ),
    (r"^Auth (?P<user>\S+) \((?P<ip>[0-9.]+)\)(?: [0-9]+)*$", "Auth ", " (203.0.113.9) 1 2"),
];

/// User names of pieces of the formats with addresses in them, and of any bytes.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        " ip=[198.51.100.1]",
        "login: [198.51.100.1] ",
        " ok",
        ">, rip=198.51.100.1, lip=192.0.2.25",
        ", sid=<abc>",
        "\n",
        " (198.51.100.1)",
        " 1",
        "Login user=",
        "<",
        "[",
        "198.51.100.1",
        "::1",
        "a",
        " ",
    ];
    let piece = prop_oneof![
        4 => proptest::sample::select(pieces.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_user_name_changes_the_address(user in hostile()) {
        for (pattern, before, behind) in SHAPES {
            let mut set = matchers(&with_login(pattern));
            let message = [before.as_bytes(), &user, behind.as_bytes()].concat();
            if let Some((_, client, _)) = read(&mut set, "x", &message) {
                prop_assert_eq!(client, "203.0.113.9", "{} {:?}", pattern, user);
            }
        }
    }

    #[test]
    fn the_linter_never_panics(pattern in "[\\^(]?(login |\\.\\*|\\(\\?P<ip>|\\[0-9.\\]\\+|\\)|\\||\\?|\\[|\\{2,\\}|\\$|[ -~]){0,12}\\$?") {
        let _ = config_file::parse(Path::new("test.toml"), &with_login(&pattern));
    }
}

/// A part of a pattern, and whether the server writes a stranger's text there, or what else.
#[derive(Debug, Clone, Copy)]
enum Part {
    Fixed(&'static str, &'static str),
    Stranger(&'static str),
}

fn part() -> impl Strategy<Value = Part> {
    use Part::{Fixed, Stranger};
    let parts = [
        Fixed(r" ip=\[", " ip=["),
        Fixed(r"\]", "]"),
        Fixed(" ", " "),
        Fixed("x", "x"),
        Fixed("[0-9]+", "7"),
        Fixed("[a-z.]+", "ab.c"),
        Fixed(r"(?: ip=\[[0-9.]+\])?", ""),
        Fixed(r"(?: ip=\[[0-9.]+\])*", " ip=[198.51.100.7]"),
        Fixed("(?: n=[0-9]+)?", " n=7"),
        Stranger(".*"),
        Stranger("[^ ]*"),
        Stranger("[^]]+"),
    ];
    proptest::sample::select(parts.to_vec())
}

/// What stands before and behind the address: anything, and often the usual, a user name and ` ip=[`, `]` and more.
fn surroundings() -> impl Strategy<Value = (Vec<Part>, Vec<Part>)> {
    let parts = |most| proptest::collection::vec(part(), 0..most);
    let usual = (parts(2), parts(3)).prop_map(|(before, behind)| {
        let user = [Part::Stranger(".*"), Part::Fixed(r" ip=\[", " ip=[")];
        ([&before[..], &user].concat(), [&[Part::Fixed(r"\]", "]")], &behind[..]].concat())
    });
    prop_oneof![(parts(5), parts(5)), usual]
}

/// Two runs of parts around the address; the user's group is at the `user`th part for a stranger's text.
fn pattern(before: &[Part], behind: &[Part], user: &str) -> String {
    let mut named = false;
    let mut write = |part: &Part| match *part {
        Part::Fixed(pattern, _) => pattern.to_owned(),
        Part::Stranger(_) if !std::mem::replace(&mut named, true) => format!("(?P<user>{user})"),
        Part::Stranger(class) => class.to_owned(),
    };
    let before: String = before.iter().map(&mut write).collect();
    let behind: String = behind.iter().map(&mut write).collect();
    format!("^login{before}(?P<ip>[0-9A-Fa-f:.]+){behind}$")
}

fn message(before: &[Part], behind: &[Part], texts: &[Vec<u8>]) -> Vec<u8> {
    let mut texts = texts.iter();
    let mut write = |part: &Part| match part {
        Part::Fixed(_, text) => text.as_bytes().to_vec(),
        Part::Stranger(_) => texts.next().cloned().unwrap_or_default(),
    };
    let before: Vec<u8> = before.iter().flat_map(&mut write).collect();
    let behind: Vec<u8> = behind.iter().flat_map(&mut write).collect();
    [b"login".as_slice(), &before, b"203.0.113.9", &behind].concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the linter takes: a server that writes a stranger's text at the places for it is read right.
    #[test]
    fn what_the_linter_takes_is_safe(
        (before, behind) in surroundings(),
        user in proptest::sample::select(vec![".*", "[^ ]+", "[a-z]+", r"\S*", "[^>]*"]),
        texts in proptest::collection::vec(proptest::collection::vec(hostile(), 4), 12),
    ) {
        let pattern = pattern(&before, &behind, user);
        let Ok(file) = config_file::parse(Path::new("test.toml"), &with_login(&pattern)) else { return Ok(()) };
        let mut set = Matchers::all_and(&file.custom());
        for texts in texts {
            let message = message(&before, &behind, &texts);
            if let Some((_, client, _)) = read(&mut set, "x", &message) {
                prop_assert_eq!(client, "203.0.113.9", "{} {:?}", pattern, String::from_utf8_lossy(&message));
            }
        }
    }
}
