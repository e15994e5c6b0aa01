//! Runs the matchers over log lines of real servers and compares each line with its verdict.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use pop_before_smtp::matcher::{Action, BUILTIN, Matchers};
use pop_before_smtp::time::Timestamp;

/// Directory of samples and the matcher for it.
const SAMPLES: &[(&str, &str)] = &[
    ("apple-mail", "apple-mail"),
    ("courier", "courier"),
    ("courier-old", "courier"),
    ("courier-tags", "courier"),
    ("cucipop", "cucipop"),
    ("cyrus-2.0", "cyrus"),
    ("cyrus-2.0", "cyrus-1"),
    ("cyrus-3.6", "cyrus"),
    ("cyrus-logfmt", "cyrus"),
    ("cyrus-old", "cyrus-1"),
    ("dbmail", "dbmail"),
    ("dovecot-1", "dovecot"),
    ("dovecot-2.3", "dovecot"),
    ("dovecot-2.4", "dovecot"),
    ("dovecot-orders", "dovecot"),
    ("dovecot-proxy", "dovecot-proxy"),
    ("gnu-pop3d", "gnu-pop3d"),
    ("gromox", "gromox"),
    ("imapproxy", "imapproxy"),
    ("kopano", "kopano"),
    ("kopano-8.0", "kopano"),
    ("mailutils", "mailutils"),
    ("nginx-mail", "nginx"),
    ("nginx-zimbra", "nginx"),
    ("perdition", "perdition"),
    ("perdition-1", "perdition"),
    ("popa3d", "popa3d"),
    ("popa3d-patched", "popa3d"),
    ("qpopper", "qpopper"),
    ("qpopper-trace", "qpopper"),
    ("solid-pop3d", "solid-pop3d"),
    ("solid-pop3d-plain", "solid-pop3d"),
    ("stalwart", "stalwart"),
    ("teapop", "teapop"),
    ("tpop3d", "tpop3d"),
    ("uw-imap", "uw-imap"),
    ("uw-imap", "uw-imap-no-proxy"),
    ("vdpop3d", "vdpop3d"),
    ("vm-pop3d", "vm-pop3d"),
    ("vpopmail", "vpopmail"),
];

/// Lines whose login or logout is not reported, because they may be the name in a failed login right in front of them: within the
/// 2,048 bytes of nginx's, and within the two names of UW's (`src/matcher/newlines`).
const MISSED: &[(&str, &[usize])] = &[
    ("nginx-mail/native.log", &[96, 98, 100, 101]),
    ("nginx-mail/traditional.log", &[97, 99, 101, 102]),
    ("uw-imap/ipv4.traditional.log", &[28, 30, 68, 69]),
];

/// Lines with the verdict `none` that no text tells from a login: Dovecot authenticated the client, said so, and its
/// mail process then died on the 1,000 bytes of the user name, before the client had an answer.
const DISPUTED: &[(&str, &[usize])] = &[("dovecot-2.3/hostile-users.traditional.log", &[162, 170])];

/// What was captured of attacks: lines tell of logins that were none.
const ATTACKS: &str = "raw-newlines";

/// Tested by `tests/headers.rs`.
const HEADERS: &str = "headers";

type Verdicts = BTreeMap<usize, (Action, IpAddr)>;

struct Sample {
    path: PathBuf,
    lines: Vec<Vec<u8>>,
    /// Lines that the matchers must report if they report them at all.
    verdicts: Verdicts,
}

fn samples(directory: &str) -> Vec<Sample> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs").join(directory);
    let entries = fs::read_dir(&directory).unwrap_or_else(|e| panic!("cannot read {}: {e}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("directory entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "log"));
    paths.sort();
    assert!(!paths.is_empty(), "no sample in {}", directory.display());
    paths.iter().map(|path| sample(path)).collect()
}

fn sample(path: &Path) -> Sample {
    let text = fs::read(path).expect("sample");
    let lines: Vec<Vec<u8>> = text.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    let verdicts: Verdicts = rows(path, "expected.tsv").iter().filter_map(|row| verdict(row)).collect();
    Sample { path: path.to_owned(), lines, verdicts }
}

fn rows(path: &Path, suffix: &str) -> Vec<Vec<String>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    let text = fs::read_to_string(name).unwrap_or_default();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn number(row: &[String]) -> usize {
    row[0].parse().expect("line number")
}

fn verdict(row: &[String]) -> Option<(usize, (Action, IpAddr))> {
    let action = match row[1].as_str() {
        "login" => Action::Login,
        "logout" => Action::Logout,
        "none" => return None,
        other => panic!("unknown verdict {other}"),
    };
    Some((number(row), (action, row[2].parse().expect("address"))))
}

fn events(matchers: &mut Matchers, lines: &[Vec<u8>]) -> Verdicts {
    let found = |(at, line): (usize, &Vec<u8>)| {
        let event = matchers.event(Timestamp::default(), line)?;
        Some((at + 1, (event.action, event.client)))
    };
    lines.iter().enumerate().filter_map(found).collect()
}

fn alone(matcher: &str) -> Matchers {
    Matchers::select(&[matcher]).expect("built in")
}

fn is_listed(list: &[(&str, &[usize])], sample: &Sample, line: usize) -> bool {
    list.iter().any(|(path, lines)| sample.path.ends_with(path) && lines.contains(&line))
}

fn check(sample: &Sample, found: &Verdicts) {
    let name = sample.path.display();
    for (line, verdict) in found.iter().filter(|(line, _)| !is_listed(DISPUTED, sample, **line)) {
        assert_eq!(sample.verdicts.get(line), Some(verdict), "{name}:{line}");
    }
    let missed: Vec<_> = sample.verdicts.keys().copied().filter(|line| !found.contains_key(line)).collect();
    let listed = MISSED.iter().find(|(path, _)| sample.path.ends_with(path)).map_or(&[][..], |(_, lines)| lines);
    assert_eq!(missed, listed, "{name}");
}

/// What syslog daemons that escape no newline wrote while servers were attacked (`tests/attack`). Logins close behind a failure do not
/// count; none counts that is not one.
#[test]
fn captured_attacks_yield_nobody() {
    let mut fooled = 0;
    for sample in samples(ATTACKS) {
        let text = sample.lines.join(&b'\n');
        let found = |escaped| {
            let mut matchers = Matchers::all();
            matchers.take_newlines_for_escaped(escaped);
            let mut found = Verdicts::new();
            matchers.scan(Timestamp::default(), &text, &mut |at, event| {
                let line = memchr::memchr_iter(b'\n', &text[..at]).count() + 1;
                found.insert(line, (event.action, event.client));
            });
            found
        };
        let right = found(false);
        for (line, event) in &right {
            assert_eq!(sample.verdicts.get(line), Some(event), "{}:{line}", sample.path.display());
        }
        assert!(right.values().any(|(action, _)| *action == Action::Login), "{}", sample.path.display());
        fooled += found(true).iter().filter(|(line, event)| sample.verdicts.get(line) != Some(event)).count();
    }
    assert!(fooled > 0, "nothing in them would fool anybody");
}

#[test]
fn every_login_is_found_and_no_other() {
    for (directory, matcher) in SAMPLES {
        for sample in samples(directory) {
            check(&sample, &events(&mut Matchers::all(), &sample.lines));
            check(&sample, &events(&mut alone(matcher), &sample.lines));
        }
    }
}

#[test]
fn behind_a_daemon_that_escapes_newlines_nothing_is_missed() {
    for sample in samples("nginx-mail").iter().filter(|sample| sample.path.ends_with("traditional.log")) {
        let mut matchers = Matchers::all();
        matchers.take_newlines_for_escaped(true);
        let found = events(&mut matchers, &sample.lines);
        assert!(sample.verdicts == found, "{}", sample.path.display());
    }
}

/// The numbers of the threat model. Read in one piece, a login may look like the first half of a failure.
#[test]
fn logins_are_missed_only_where_newlines_are_not_escaped() {
    for (directory, all, missed) in [("imapproxy", 22, 15), ("perdition", 28, 7)] {
        for sample in samples(directory) {
            let logins = |escaped| {
                let (mut matchers, mut logins) = (Matchers::all(), 0);
                matchers.take_newlines_for_escaped(escaped);
                matchers.scan(Timestamp::default(), &sample.lines.join(&b'\n'), &mut |_, event| {
                    logins += usize::from(event.action == Action::Login);
                });
                logins
            };
            assert_eq!((logins(true), logins(false)), (all, all - missed), "{directory}");
        }
    }
}

#[test]
fn every_matcher_has_a_sample() {
    for matcher in BUILTIN {
        let directories = SAMPLES.iter().filter(|(_, name)| *name == matcher.name);
        let samples = directories.flat_map(|(directory, _)| samples(directory));
        let logins = samples.map(|s| events(&mut alone(matcher.name), &s.lines).len()).sum::<usize>();
        assert!(logins > 0, "no sample of a login for {}", matcher.name);
    }
}

#[test]
fn every_directory_is_tested() {
    let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs");
    for entry in fs::read_dir(logs).expect("tests/logs") {
        let path = entry.expect("directory entry").path();
        let name = path.file_name().and_then(|n| n.to_str()).expect("UTF-8 name");
        let is_tested = name == ATTACKS || name == HEADERS || SAMPLES.iter().any(|(directory, ..)| *directory == name);
        assert!(!path.is_dir() || is_tested, "{name} is not tested");
    }
}

#[test]
fn a_matcher_alone_hears_no_other_server() {
    for matcher in BUILTIN {
        let own: Vec<_> = SAMPLES.iter().filter(|(_, name)| *name == matcher.name).map(|(own, _)| own).collect();
        for (directory, ..) in SAMPLES.iter().filter(|(directory, _)| !own.contains(&directory)) {
            for sample in samples(directory) {
                let found = events(&mut alone(matcher.name), &sample.lines);
                assert!(found.is_empty(), "{} in {}: {found:?}", matcher.name, sample.path.display());
            }
        }
    }
}

/// The same line with a priority in front, a carriage return behind, or another time stamp.
type Rewrite = fn(&[u8]) -> Vec<u8>;

const REWRITES: &[Rewrite] = &[
    |line| [b"<22>", line].concat(),
    |line| [line, b"\r"].concat(),
    |line| high_precision(line, ".123456+00:00"),
    |line| high_precision(line, "Z"),
    |line| [b"<22>".to_vec(), high_precision(line, "-03:30"), b"\r".to_vec()].concat(),
];

/// `Nov 22 16:03:39` as RFC 3339, where the line begins with it.
fn high_precision(line: &[u8], rest: &str) -> Vec<u8> {
    let Some((b"Nov 22 ", tail)) = line.split_at_checked(7) else { return line.to_vec() };
    let (clock, message) = tail.split_at(8);
    [b"2026-11-22T", clock, rest.as_bytes(), message].concat()
}

/// Servers that write files of their own with other stamps.
const OWN_STAMPS: &[&str] = &["apple-mail", "qpopper-trace"];

#[test]
fn other_log_formats_give_the_same_events() {
    for (directory, _) in SAMPLES.iter().filter(|(directory, _)| !OWN_STAMPS.contains(directory)) {
        for sample in samples(directory) {
            let expected = events(&mut Matchers::all(), &sample.lines);
            for (nth, rewrite) in REWRITES.iter().enumerate() {
                let lines: Vec<Vec<u8>> = sample.lines.iter().map(|line| rewrite(line)).collect();
                let found = events(&mut Matchers::all(), &lines);
                assert_eq!(found, expected, "{} rewritten by {nth}", sample.path.display());
            }
        }
    }
}

#[test]
fn an_address_that_never_connected_is_never_granted() {
    let stranger: IpAddr = "203.0.113.66".parse().expect("address");
    for (directory, ..) in SAMPLES {
        for sample in samples(directory) {
            let found = events(&mut Matchers::all(), &sample.lines);
            assert!(found.values().all(|(_, client)| *client != stranger), "{}", sample.path.display());
        }
    }
}
