//! A scan asks for no memory, neither for a line nor for a login; nor does what counts the lines. Nothing of a matcher that
//! was changed stays.

#![allow(clippy::expect_used)]

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use jiff::tz::TimeZone;
use pop_before_smtp::config::{self, effective};
use pop_before_smtp::daemon::reload::Running;
use pop_before_smtp::grants::counters::Outcome;
use pop_before_smtp::input::log_counts::{LogCounts, Notice};
use pop_before_smtp::matcher::{Action, Found, Matchers};
use pop_before_smtp::source::Age;
use pop_before_smtp::time::{Now, Timestamp};

fn sample(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs").join(name)).expect("a sample")
}

/// Scans the text so often, and returns the logins and how often memory was asked for.
fn scan(matchers: &mut Matchers, text: &[u8], times: usize) -> (u64, u64) {
    let mut logins = 0;
    let asked = allocation_counter::measure(|| {
        for _ in 0..times {
            matchers.scan(Timestamp::default(), text, &mut |_, event| {
                logins += u64::from(event.action == Action::Login);
            });
        }
    });
    (logins, asked.count_total)
}

#[test]
fn a_scan_asks_for_no_memory() {
    let names = [
        "courier/traditional.log",
        "courier/logger-split.traditional.log",
        "cyrus-3.6/traditional.log",
        "dovecot-2.3/traditional.log",
        "qpopper/synthetic.log",
        "teapop/traditional.log",
        "tpop3d/traditional.log",
        "uw-imap/ipv4.traditional.log",
    ];
    let text: Vec<u8> = names.iter().flat_map(|name| sample(name)).collect();
    let mut matchers = Matchers::all();
    // The tables of cut messages and of open sessions, and the search's working memory, are made on first use.
    let (logins, _) = scan(&mut matchers, &text, 2);
    assert!(logins > 100, "{logins} logins");
    assert_eq!(scan(&mut matchers, &text, 10), (logins * 5, 0));
}

/// Lines of a login, of a failure, and of what looks like a login and is none, all of one second.
fn mixed() -> Vec<u8> {
    let line = |verb: &str| {
        format!(
            "2026-11-22T16:00:00+00:00 mail dovecot: imap-login: {verb}: user=<a>, method=PLAIN, rip=198.51.100.1, \
             lip=192.0.2.25, mpid=1, TLS, session=<b>\n"
        )
    };
    ["Login", "Login done", "Login done", "Login aborted"].map(line).concat().repeat(100).into_bytes()
}

#[test]
fn counting_asks_for_no_memory_for_a_line() {
    let (text, now) = (mixed(), Now::read().wall);
    let (mut matchers, mut log_counts) = (Matchers::all(), LogCounts::new(TimeZone::UTC));
    let mut count = || {
        let mut tell = |_: Notice<'_>| {};
        let mut counts = log_counts.block(Age::Live, now, &mut tell);
        let stamp = matchers.sort_part(Timestamp::default(), &text, 0..text.len(), |_, found| match found {
            Found::Event(event) => counts.event(event, Some(Outcome::Extended)),
            Found::Untaken(untaken) => counts.untaken(untaken),
        });
        counts.end(&text, stamp);
        log_counts.counters().unmatched()
    };
    assert_eq!(count(), 200);
    let mut last = 0;
    let asked = allocation_counter::measure(|| (0..10).for_each(|_| last = count()));
    assert_eq!((last, asked.count_total), (2200, 0));
}

/// Starts with the configuration file that `text` makes of 0, reads it again with 1 to 1009 as by SIGHUP behind each change,
/// and expects the login of the line that `message` makes of the same number.
fn nothing_stays_of_a_thousand_changes(text: impl Fn(u32) -> String, message: impl Fn(u32) -> String) {
    let directory = tempfile::tempdir().expect("a directory");
    let (file, map) = (directory.path().join("config.toml"), directory.path().join("map"));
    let write = |nth: u32| fs::write(&file, text(nth)).expect("a file");
    write(0);
    let arguments = [OsStr::new("x"), "--config".as_ref(), file.as_ref(), "--map".as_ref(), map.as_ref()];
    let asked = effective::read(arguments.map(OsStr::to_owned)).expect("good options").expect("no help");
    let table = config::table(&asked.options).expect("a table");
    let (mut running, mut matchers) = (Running::new(asked.options, table), Matchers::all());
    let mut reload = |nth| {
        write(nth);
        let live = running.read_again().expect("a good file");
        matchers.choose_as(&live.matchers.of_any_host());
        let line = format!("Nov 22 16:00:00 mail {}", message(nth));
        assert!(matchers.event(Timestamp::default(), line.as_bytes()).is_some(), "{nth}");
    };
    (1..10).for_each(&mut reload);
    let asked = allocation_counter::measure(|| (10..1010).for_each(&mut reload));
    assert_eq!((asked.count_current, asked.bytes_current), (0, 0));
}

#[test]
fn a_matcher_that_is_changed_a_thousand_times_leaves_nothing_behind() {
    let login = |nth: u32| format!("^login {nth:04} of (?P<user>[a-z]+) from (?P<ip>[0-9.]+)$");
    let table = |nth| format!("[[matcher]]\nname = 'mine'\nprograms = ['x']\nlogin = '{}'\n", login(nth));
    nothing_stays_of_a_thousand_changes(
        |nth| format!("matchers = ['mine']\n{}", table(nth)),
        |nth| format!("x: login {nth:04} of alice from 198.51.100.1"),
    );
}

#[test]
fn a_format_of_dovecot_that_is_changed_a_thousand_times_leaves_nothing_behind() {
    let elements = |nth| format!("user=<%u> {nth:04}=%m rip=%r");
    nothing_stays_of_a_thousand_changes(
        |nth| format!("matchers = ['dovecot']\ndovecot-login-format = '{}'\n", elements(nth)),
        |nth| format!("dovecot: imap-login: Login: user=<alice>, {nth:04}=PLAIN, rip=198.51.100.1"),
    );
}
