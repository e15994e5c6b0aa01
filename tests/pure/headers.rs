//! Every header that a logger writes is read, with every server's messages, and nothing else is taken for one.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::support::failures::{FAILURES, HOSTILE};
use crate::support::headers;
use crate::support::messages::{earlier, fill, is_barred};
use crate::support::render::{Values, render};
use pop_before_smtp::line::syslog::forms::{Row, TABLE};
use pop_before_smtp::line::syslog::{forms_of, parse};
use pop_before_smtp::matcher::pattern::Pattern;
use pop_before_smtp::matcher::{Action, BUILTIN, Matcher, Matchers};
use pop_before_smtp::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;

const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1));

const BEGIN: &str = "<!-- Generated from src/line/syslog/forms.rs; RENEW=1 cargo test --test pure --test daemon up_to_date renews it. -->\n";
const END: &str = "<!-- End of what is generated. -->\n";

#[test]
fn the_table_of_header_forms_is_up_to_date() {
    let page = root().join("docs/logs.md");
    let text = fs::read_to_string(&page).expect("the page");
    let (before, rest) = text.split_once(BEGIN).expect("the place of the table");
    let (_, after) = rest.split_once(END).expect("its end");
    let row = |row: &Row| {
        // The message is the same in most.
        let header = row.example.split("Login: ").next().unwrap_or_default();
        let header = if header.len() < row.example.len() { format!("{header}...") } else { header.to_owned() };
        let example = format!("`{header}`");
        format!(
            "| {} |\n",
            [row.name, &example, row.writers, row.source].map(|cell| cell.replace('|', "\\|")).join(" | ")
        )
    };
    let head = "| form | example | written by | known from |\n|---|---|---|---|\n";
    let table = TABLE.iter().map(row).fold(head.to_owned(), |table, row| table + &row);
    let expected = [before, BEGIN, "\n", &table, "\n", END, after].concat();
    if std::env::var_os("RENEW").is_some() {
        fs::write(page, expected).expect("the page can be written");
    } else {
        assert!(text == expected, "not up to date; RENEW=1 cargo test --test pure --test daemon up_to_date renews it");
    }
}

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

/// All matchers; to clone them takes less time than to make them.
static ALL: LazyLock<Matchers> = LazyLock::new(Matchers::all);
static ALONE: LazyLock<Vec<Matchers>> =
    LazyLock::new(|| BUILTIN.iter().map(|m| Matchers::select(&[m.name]).expect("built in")).collect());

/// The addresses that log in, by line.
fn logins(mut matchers: Matchers, log: &[u8]) -> BTreeMap<usize, String> {
    let mut logins = BTreeMap::new();
    for (at, line) in log.split(|byte| *byte == b'\n').enumerate() {
        if let Some(event) = matchers.event(Timestamp::default(), line) {
            assert_eq!(event.action, Action::Login);
            logins.insert(at + 1, event.client.to_string());
        }
    }
    logins
}

/// Lines of other containers and streams stand between those of a stranger's message.
#[test]
fn a_message_in_a_container_has_no_end() {
    let stamp = "2026-11-27T12:50:00.123456789Z";
    let (head, mail) = ("Nov 27 12:50:00 m", "Nov 27 12:50:00 m pop3d: LOGIN, user=a, ip=[203.0.113.66]");
    let nginx = "nginx-1  | 2026/11/27 12:50:00 [info] 7#7: *7 client";
    let (long, other) = ("z".repeat(1750), "x".repeat(5000));
    let logs = [
        format!(
            "{nginx} login failed: \"no\" while in http auth state, client: 198.51.100.1, server: 0.0.0.0:143, login: \"x{long}\n\
             web-1  | {other}\n\
             {nginx} logged in, client: 203.0.113.66, server: 0.0.0.0:143, login: \"a\", upstream: 127.0.0.2:1143\n"
        ),
        format!(
            "{stamp} stderr F {head} imapd[7]: Login failed user=x\n{stamp} stdout F {other}\n{stamp} stderr F {mail}\n"
        ),
        format!(
            "{stamp} stderr F {head} perdition[7]: Auth: 198.51.100.1:400->192.0.2.1:143 authentication_id=\"x\n\
             {stamp} stderr F {mail}\n{stamp} stderr P x\" status=\"fai\n{stamp} stderr F led: x\"\n"
        ),
        format!(
            "{head} imapd[7]: message repeated 2 times: [ Login failed user=x\n{mail}\n auth=x host=h [198.51.100.1]]\n"
        ),
        format!(
            "{head} nginx: message repeated 2 times: [ 2026/11/27 12:50:00 [info] 7#7: *7 client login failed: \"x]\n{mail}\n"
        ),
        format!(
            "{head} dovecot: imap-login: Login: local_name=x, rip=203.0.113.66, user=<b>, method=PLAIN, \
             real_rip=198.51.100.1, lip=192.0.2.10, mpid=8, TLS, session=<abc>\n\
             {head} dovecot: imap-login: Login: user=<b>, method=PLAIN, local_name=x, rip=203.0.113.66, \
             real_rip=198.51.100.1, lip=192.0.2.10, mpid=8, TLS, session=<abc>\n"
        ),
    ];
    for log in logs {
        assert_eq!(logins(Matchers::all(), log.as_bytes()), BTreeMap::new(), "{log}");
    }
}

#[test]
fn the_samples_have_their_verdicts() {
    for name in ["forms", "containers", "repeated", "parts", "hostile"] {
        let path = root().join("tests/logs/headers").join(format!("{name}.log"));
        let log = fs::read(&path).expect("a sample");
        let rows = fs::read_to_string(path.with_extension("log.expected.tsv")).unwrap_or_default();
        let row = |row: &str| {
            let cells: Vec<_> = row.split('\t').collect();
            (cells[0].parse().expect("a line number"), cells[2].to_owned())
        };
        let expected: BTreeMap<usize, String> = rows.lines().map(row).collect();
        assert_eq!(expected.is_empty(), name == "hostile");
        assert_eq!(logins(ALL.clone(), &log), expected, "{name}");
        let mut scanned = BTreeMap::new();
        ALL.clone().scan(Timestamp::default(), &log, &mut |at, event| {
            scanned.insert(memchr::memchr_iter(b'\n', &log[..at]).count() + 1, event.client.to_string());
        });
        assert_eq!(scanned, expected, "{name}");
    }
}

#[test]
fn every_form_is_among_the_samples() {
    let directories = list(&root().join("tests/logs")).into_iter().filter(|path| path.is_dir());
    let files = directories
        .flat_map(|directory| list(&directory))
        .filter(|path| path.extension().is_some_and(|it| it == "log"));
    let text = files.map(|path| fs::read(path).expect("a sample")).collect::<Vec<_>>().concat();
    let forms: Vec<_> = text.split(|byte| *byte == b'\n').filter_map(forms_of).collect();
    for row in TABLE {
        assert!(forms.iter().any(|forms| forms.has(row.form)), "no sample of {}", row.name);
    }
}

/// `Nov 22 16:00:00 mail program[4711]: message`, and where the message begins.
fn split(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (header, message) = parse(line)?;
    let head = &line[..line.len() - message.len()];
    let tag = format!("{}[{}]: ", String::from_utf8_lossy(header.program), header.pid?);
    let is_plain = header.host.is_some() && head.len() > 16 && head[16..].ends_with(tag.as_bytes());
    is_plain.then(|| (header.program.to_vec(), message))
}

fn list(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// Lines of real servers, written anew under each header, give what they gave. Where an attack is near, less may count: a runtime
/// may have cut a message into lines with a header each.
#[test]
fn every_server_is_read_under_every_header() {
    let mut rewritten = 0;
    let directories = list(&root().join("tests/logs")).into_iter().filter(|path| path.is_dir());
    for directory in directories.filter(|path| !path.ends_with("headers") && !path.ends_with("raw-newlines")) {
        for path in list(&directory).into_iter().filter(|path| path.extension().is_some_and(|it| it == "log")) {
            let text = fs::read(&path).expect("a sample");
            let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
            let plain = |prefix: &[u8]| -> Vec<Vec<u8>> { lines.iter().map(|line| [prefix, line].concat()).collect() };
            let expected = found(&plain(b""));
            for prefix in headers::PREFIXES {
                let found = found(&plain(prefix.as_bytes()));
                // Names in there hold stamps with a zone, and this one has none: they may be later.
                let may_be_torn = prefix.ends_with("  ") && path.ends_with("dovecot-2.3/hostile-users.traditional.log");
                // Behind a message of a stranger a container is not believed any more.
                let is_container = prefix.contains(['|', '[']) || prefix.get(10..11) == Some("T") && prefix.len() > 26;
                let is_exact = !path.ends_with("nginx-mail/native.log") && !may_be_torn && !is_container;
                assert!(found.iter().all(|event| expected.contains(event)), "{prefix} {}", path.display());
                assert!(
                    found == expected || !is_exact,
                    "{prefix} {}: {} of {}",
                    path.display(),
                    found.len(),
                    expected.len()
                );
            }
            for (nth, wrap) in headers::WRAPS.iter().enumerate() {
                let under = |line: &&[u8]| match split(line) {
                    Some((program, message)) => {
                        let pid = format!("[{}]", parse(line).and_then(|(header, _)| header.pid).unwrap_or_default());
                        let line = wrap(&program, message);
                        replace(&line, b"[4711]", pid.as_bytes(), b" 4711 ")
                    }
                    None => line.to_vec(),
                };
                let all: Vec<_> = lines.iter().map(under).collect();
                rewritten += all.iter().zip(&lines).filter(|(one, other)| one != other).count();
                assert_eq!(found(&all), expected, "{nth} {}", path.display());
            }
        }
    }
    assert!(rewritten > 10_000, "{rewritten}");
}

/// Puts the line's own process id in.
fn replace(line: &[u8], brackets: &[u8], pid: &[u8], spaces: &[u8]) -> Vec<u8> {
    let bare = &pid[1..pid.len() - 1];
    let spaced = [b" ", bare, b" "].concat();
    let find = |what: &[u8]| line.windows(what.len()).position(|part| part == what);
    let is_spaced =
        [b"<22>1 ".as_slice(), b"1 ", b"2026-11-22T16:00:00.5Z "].iter().any(|start| line.starts_with(start));
    match find(spaces).filter(|_| is_spaced) {
        Some(at) => [&line[..at], &spaced, &line[at + spaces.len()..]].concat(),
        None => match find(brackets) {
            Some(at) => [&line[..at], pid, &line[at + brackets.len()..]].concat(),
            None => line.to_vec(),
        },
    }
}

fn found(lines: &[Vec<u8>]) -> Vec<(usize, Action, IpAddr, Option<Vec<u8>>)> {
    let mut matchers = ALL.clone();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(event) = matchers.event(Timestamp::default(), line) {
            found.push((at, event.action, event.client, event.user.map(<[u8]>::to_vec)));
        }
    }
    found
}

fn any_login() -> impl Strategy<Value = (&'static Matcher, Pattern)> {
    select(BUILTIN.iter().flat_map(|m| m.logins.iter().map(move |pattern| (m, *pattern))).collect::<Vec<_>>())
}

/// Whole lines of a server under any header, and pieces of headers.
fn users() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: &[&str] = &[
        "1 2026-11-22T16:00:00Z mail imapd - - - ",
        "stdout F ",
        "stdout P ",
        "@400000006aabcdef00000000 ",
        "x-1  | ",
        "x.1.y@z    | ",
        "\x1b[36mx-1  | \x1b[0m",
        "(none) ",
        "imapd[4711]: last message repeated 2 times",
        "151 <22>1 ",
        "[ID 1 mail.info] ",
        "<mail.info> ",
        "mail.info ",
        "mail.info: ",
        "mail:info ",
        "auth|security:info ",
        "[pod/mail-0/dovecot] ",
        "[192.0.2.9] ",
        "\"] ",
        "[a@1 x=\"",
        "Fri 2026-11-22 16:00:00 CET ",
        "1795363200.123456 ",
        "last message repeated 2 times",
        "message repeated 2 times: [ ",
        "]",
        "\r",
        "\0",
        "\u{feff}",
    ];
    let genuine =
        (any_login(), any::<u64>(), any::<prop::sample::Index>()).prop_map(|((matcher, pattern), choices, nth)| {
            let client = IpAddr::from([203, 0, 113, 66]);
            let message =
                render(pattern, &Values { user: b"a", client, server: client, host: "h", method: "PLAIN", choices });
            let all = headers::all(matcher.programs[0].as_bytes(), &message);
            nth.get(&all).clone()
        });
    let fragments = prop::collection::vec(select([HOSTILE, PIECES].concat()), 1..6);
    let fragments = fragments.prop_map(|parts| parts.concat().into_bytes());
    (fragments.clone(), prop_oneof![genuine, fragments]).prop_map(|(one, two)| [one, two].concat())
}

fn is_in_container(line: &[u8]) -> bool {
    parse(line).is_some_and(|(header, _)| header.container.is_some() || header.inner_time.is_some())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// A stranger in each server's own words, under each header. Behind it comes what he may hope for.
    #[test]
    fn a_failure_never_grants(user in users()) {
        for (program, format) in FAILURES {
            let message = fill(format, &user, CLIENT);
            for line in headers::all(program.as_bytes(), &message) {
                let mut matchers = ALL.clone();
                let event = matchers.event(Timestamp::default(), &line);
                prop_assert!(event.is_none_or(|event| event.action == Action::Logout), "{}", line.escape_ascii());
                let tagged = format!("Nov 22 16:00:01 mail {program}[4711]: last message repeated 2 times");
                let silent = tagged.replace(" mail ", "  ");
                let bare = "Nov 22 16:00:01 mail last message repeated 2 times";
                for again in [bare, &tagged, &silent, "2026-11-22T16:00:00Z stdout F x"] {
                    prop_assert!(matchers.event(Timestamp::default(), again.as_bytes()).is_none(), "{}", line.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn a_success_grants_to_the_client_alone((matcher, pattern) in any_login(), user in users(), choices in any::<u64>()) {
        let server = "192.0.2.25".parse().expect("an address");
        let values = Values { user: &user, client: CLIENT, server, host: "pc.example.net", method: "PLAIN", choices };
        let message = render(pattern, &values);
        prop_assume!(message.len() < 500 && !message.ends_with(b"\r"));
        let before: Vec<_> = earlier(matcher, Action::Login, pattern).map(|pattern| render(pattern, &values)).collect();
        let program = matcher.programs[0].as_bytes();
        let all = headers::all(program, &message);
        for (nth, line) in all.iter().enumerate() {
            let mut matchers = ALONE[BUILTIN.iter().position(|m| m.name == matcher.name).expect("built in")].clone();
            for message in &before {
                matchers.event(Timestamp::default(), &headers::all(program, message)[nth]);
            }
            let event = matchers.event(Timestamp::default(), line);
            let client = event.map(|event| event.client);
            // A stamp in the name may be taken for the next line behind half a line.
            // In a container the rest of a failure may come late.
            let may_be_cut = matcher.cut_failure.is_some() && is_in_container(line);
            let may_miss = is_barred(pattern, &user) || holds_stamp(&user) || may_be_cut;
            prop_assert!(client == Some(CLIENT) || client.is_none() && may_miss, "{client:?} {}", line.escape_ascii());
        }
    }

    /// nginx logs newlines in a name, and a runtime puts its own in front of each line that they make.
    #[test]
    fn a_name_of_several_lines_behind_a_prefix_never_grants(
        lines in prop::collection::vec(prop_oneof![users(), Just(Vec::new()), Just(b"mail a: b".to_vec())], 1..40),
        gap in 0_usize..200,
    ) {
        let head = "2026/11/22 16:29:49 [info] 8#8: *29 client login failed: \"no\" while in http auth state, client: \
                    198.51.100.9, server: 0.0.0.0:143, login: \"x";
        let mut record = [head.as_bytes(), &b"\n".repeat(gap), &lines.join(&b'\n'), b"\""].concat();
        record.truncate(2048);
        for prefix in headers::PREFIXES {
            let mut matchers = ALL.clone();
            for line in record.split(|byte| *byte == b'\n') {
                let line = [prefix.as_bytes(), line].concat();
                let event = matchers.event(Timestamp::default(), &line);
                prop_assert!(event.is_none(), "{prefix}{}", record.escape_ascii());
            }
        }
    }

    #[test]
    fn no_line_panics(line in prop::collection::vec(any::<u8>(), 0..200), user in users()) {
        for line in [&line, &user] {
            for prefix in [&""].into_iter().chain(headers::PREFIXES) {
                let line = [prefix.as_bytes(), line].concat();
                let _ = parse(&line);
                ALL.clone().event(Timestamp::default(), &line);
            }
        }
    }
}

fn holds_stamp(user: &[u8]) -> bool {
    [b"Nov 22".as_slice(), b"2026", b"@4000", b"1795363200", b">1 "]
        .iter()
        .any(|stamp| user.windows(stamp.len()).any(|part| part == *stamp))
}
