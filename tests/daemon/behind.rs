//! What stands behind a line in the log is seen wherever reads end: it may show that the line is the beginning of a failure.

use std::fs;
use std::io::Write as _;

use crate::support::SOON;
use crate::support::cases::{self, Site, append_raw, ip, login_line, stamp_now};
use crate::support::command::pop_before_smtp;
use crate::support::daemon::Daemon;
use crate::support::past::{RFC_3339, login_at, now, stamp};
use crate::support::wait_for;

/// Bytes of one read.
const READ: usize = 64 * 1024;

/// How far in front of the end of a read the first line of the failure ends, so that one line of it or the other ends a read, or
/// what is handed on of one.
const ENDS: [usize; 5] = [0, 1, 300, 1800, 24 * 1024 - 100];

fn auth(stamp: &str, last: u8, user: &str, status: &str) -> String {
    format!(
        "{stamp} mail perdition.imap4[7]: Auth: 198.51.100.{last}:51363->192.0.2.25:143 client-secure=plaintext \
         authorisation_id=NONE authentication_id=\"{user}\" server=\"127.0.0.1:2143\" protocol=IMAP4 \
         server-secure=plaintext status=\"{status}\"\n"
    )
}

/// Lines of so many bytes.
fn filler(bytes: usize) -> String {
    let line = format!("{} mail postfix/smtpd[1]: connect from unknown[192.0.2.1]\n", stamp_now());
    let mut text = line.repeat(bytes / line.len() - 1);
    text.push_str(&"x".repeat(bytes - text.len() - 1));
    text + "\n"
}

/// Lines of which one of Perdition ends so many bytes in front of the end of a read. The name in it is x or, with a newline,
/// goes on: then it failed.
fn lines(before_end: usize, fails: bool) -> String {
    let login = auth(&stamp_now(), 66, "x", "ok");
    let failure = auth(&stamp_now(), 67, "", "failed: Re-Authentication Failure");
    let rest = format!("{}\n{}{failure}{}", "y".repeat(700), "z".repeat(1500), filler(before_end + 1000));
    filler(READ - before_end - login.len()) + &login + if fails { &rest } else { "" }
}

fn site() -> Option<Site> {
    Site::new(&cases::LMDB)
}

#[test]
fn a_failure_across_two_reads_is_no_login() {
    for source in ["tail", "follow"] {
        for before_end in ENDS {
            let Some(site) = site() else { return };
            let mut daemon = site.daemon(&["--source", source]);
            daemon.wait_following(&site.log);
            append_raw(&site.log, lines(before_end, true).as_bytes());
            site.log_in_and_wait(ip("198.51.100.1"));
            assert!(!site.lists(ip("198.51.100.66")), "{source} {before_end}: {}", daemon.stderr());
            assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
        }
    }
}

#[test]
fn a_failure_across_two_reads_of_standard_input_is_no_login() {
    for before_end in ENDS {
        let Some(site) = site() else { return };
        let (mut daemon, mut input) = Daemon::start_with_input(&site.map_arguments(&["--log", "-"]));
        input.write_all(lines(before_end, true).as_bytes()).unwrap();
        writeln!(input, "{}", login_line(ip("198.51.100.1"))).unwrap();
        wait_for("a table", SOON, || site.table_file().exists());
        site.wait_listed(ip("198.51.100.1"));
        assert!(!site.lists(ip("198.51.100.66")), "{before_end}: {}", daemon.stderr());
        drop(input);
        assert_eq!(daemon.wait(), Some(0), "{}", daemon.stderr());
    }
}

#[test]
fn a_failure_across_two_reads_of_what_is_there_is_no_login() {
    for before_end in ENDS {
        let Some(site) = site() else { return };
        fs::write(&site.log, lines(before_end, true) + &login_line(ip("198.51.100.1")) + "\n").unwrap();
        let log = site.log.display().to_string();
        let told = pop_before_smtp(&["match", "--count", &log]).stdout;
        assert_eq!(told.split_whitespace().nth(1), Some("1"), "{before_end}: {told}");
        let told = pop_before_smtp(&["match", "--suggest", &log]).stdout;
        assert!(!told.contains("perdition"), "{before_end}: {told}");
        for source in ["tail", "follow"] {
            for how in [&["--once"][..], &["--once", "--reprocess"]] {
                let once = pop_before_smtp(&site.arguments(&[&["--source", source], how].concat()));
                assert!(site.lists(ip("198.51.100.1")), "{once:?}");
                assert!(!site.lists(ip("198.51.100.66")), "{source} {how:?} {before_end}: {once:?}");
            }
        }
    }
}

/// What was written while nobody watched is read by the minute. The stamps behind the newline are the stranger's.
#[test]
fn a_failure_whose_lines_tell_other_times_is_no_login() {
    for source in ["tail", "follow"] {
        let Some(site) = site() else { return };
        let ago = |seconds| stamp(now() - seconds, RFC_3339, 0.0);
        let login = auth(&ago(900), 66, "x", "ok");
        let rest = auth(&ago(300), 67, "", "failed: Re-Authentication Failure");
        append_raw(&site.log, (login + &rest + &login_at(now() - 200, ip("198.51.100.1"))).as_bytes());
        let once = pop_before_smtp(&site.arguments(&["--source", source, "--once"]));
        assert!(site.lists(ip("198.51.100.1")), "{once:?}");
        assert!(!site.lists(ip("198.51.100.66")), "{source}: {once:?}");
    }
}

/// Nothing behind them ever tells that they count.
#[test]
fn lines_up_to_the_end_of_a_read_wait_for_nothing() {
    for source in ["tail", "follow"] {
        let Some(site) = site() else { return };
        let mut daemon = site.daemon(&["--source", source]);
        daemon.wait_following(&site.log);
        append_raw(&site.log, lines(0, false).as_bytes());
        site.wait_listed(ip("198.51.100.66"));
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    }
    let Some(site) = site() else { return };
    let (mut daemon, mut input) = Daemon::start_with_input(&site.map_arguments(&["--log", "-"]));
    input.write_all(lines(0, false).as_bytes()).unwrap();
    wait_for("a table", SOON, || site.table_file().exists());
    site.wait_listed(ip("198.51.100.66"));
    drop(input);
    assert_eq!(daemon.wait(), Some(0), "{}", daemon.stderr());
}
