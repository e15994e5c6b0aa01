//! The log is followed through everything that happens to a log, and lines are matched once, whole.

use crate::support::cases::{self, Site, append, append_raw, ip, login_line, old_login_line};
use crate::support::command::pop_before_smtp;
use crate::support::daemon::Daemon;
use crate::support::past::{RFC_3339, TRADITIONAL, client, login_stamped, now, stamp};
use crate::support::process::{children, is_zombie, send, wait_gone};
use crate::support::{Need, SOON, require, wait_for};
use nix::sys::signal::Signal;
use std::fs::{self, File};
use std::io::Write as _;

/// What is shown here does not depend on the backend; this one is quick to write and to ask.
pub(super) fn site() -> Option<Site> {
    Site::new(&cases::LMDB)
}

/// Runs a test once for each way to follow a file, with the options that choose it.
#[track_caller]
pub(super) fn each_source(test: impl Fn(Site, &[&str])) {
    for how in ["tail", "follow"] {
        let Some(site) = site() else { return };
        // Shown if the test fails.
        println!("--source {how}");
        test(site, &["--source", how]);
    }
}

#[test]
fn a_log_rotated_by_rename_is_followed() {
    each_source(|site, source| {
        let mut daemon = site.daemon(source);
        site.log_in_and_wait(ip("198.51.100.1"));

        fs::rename(&site.log, site.join("maillog.1")).unwrap();
        File::create(&site.log).unwrap();
        site.log_in_and_wait(ip("198.51.100.2"));
        // And once more, because the first time is easier.
        fs::rename(&site.log, site.join("maillog.1")).unwrap();
        fs::write(&site.log, login_line(ip("198.51.100.3")) + "\n").unwrap();
        site.wait_listed(ip("198.51.100.3"));
        assert!(site.lists(ip("198.51.100.1")), "a grant from before the rotation");
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    });
}

#[test]
fn a_log_cut_to_nothing_is_followed() {
    each_source(|site, source| {
        let mut daemon = site.daemon(source);
        site.log_in_and_wait(ip("198.51.100.1"));
        File::options().write(true).open(&site.log).unwrap().set_len(0).unwrap();
        daemon.wait_following(&site.log);
        site.log_in_and_wait(ip("198.51.100.2"));
    });
}

#[test]
fn a_log_that_vanishes_is_waited_for() {
    each_source(|site, source| {
        let mut daemon = site.daemon(source);
        site.log_in_and_wait(ip("198.51.100.1"));
        fs::remove_file(&site.log).unwrap();
        fs::write(&site.log, "").unwrap();
        site.log_in_and_wait(ip("198.51.100.2"));
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    });
}

#[test]
fn sighup_starts_a_new_follower() {
    let Some(site) = site() else { return };
    let mut daemon = site.daemon(&[]);
    let before = daemon.wait_following(&site.log);
    site.log_in_and_wait(ip("198.51.100.1"));

    daemon.send(Signal::SIGHUP);
    daemon.wait_following_by_other_than(before, &site.log);
    wait_gone("the first follower", before);
    site.log_in_and_wait(ip("198.51.100.2"));
    assert!(site.lists(ip("198.51.100.1")), "a grant from before SIGHUP");
    assert_no_zombie(&daemon);
}

/// Between the end of one `tail` and the start of the next nobody reads.
#[test]
fn no_line_is_lost_while_tail_is_started_again() {
    let Some(site) = site() else { return };
    let mut daemon = site.daemon(&[]);
    daemon.wait_following(&site.log);
    let log_in = |last: u8| append(&site.log, &login_line(ip(&format!("198.51.100.{last}"))));
    for last in 1..=20 {
        daemon.send(Signal::SIGHUP);
        log_in(last);
        if last % 5 == 0 {
            fs::rename(&site.log, site.join(&format!("maillog.{last}"))).unwrap();
            File::create(&site.log).unwrap();
        }
    }
    daemon.wait_logged("granted 198.51.100.20 ");
    // Not started again at once.
    let tail = children(daemon.pid())[0];
    send(tail, Signal::SIGKILL);
    wait_gone("tail", tail);
    (21..=25).for_each(log_in);
    for last in 1..=25 {
        daemon.wait_logged(&format!("granted 198.51.100.{last} "));
    }
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

#[test]
fn sighup_loses_nothing_in_process() {
    let Some(site) = site() else { return };
    let mut daemon = site.daemon(&["--source", "follow"]);
    let before = daemon.wait_following(&site.log);
    assert_eq!(before, daemon.pid(), "no child");
    assert!(children(daemon.pid()).is_empty(), "no child");
    for last in 1..=20 {
        site.log_in(ip(&format!("198.51.100.{last}")));
        daemon.send(Signal::SIGHUP);
        if last % 5 == 0 {
            fs::rename(&site.log, site.join(&format!("maillog.{last}"))).unwrap();
            File::create(&site.log).unwrap();
        }
    }
    site.log_in_and_wait(ip("198.51.100.21"));
    for last in 1..=20 {
        daemon.wait_logged(&format!("granted 198.51.100.{last} "));
    }
    assert_eq!(daemon.stderr().matches("granted 198.51.100.").count(), 21, "{}", daemon.stderr());
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

/// As on a network file system, whose changes inotify does not tell.
#[test]
fn without_inotify_the_log_is_looked_at_again_and_again() {
    if !require(&[Need::NoInotify]) {
        return;
    }
    let Some(site) = site() else { return };
    let mut daemon = Daemon::start_without_inotify(&site.arguments(&["--source", "follow"]));
    daemon.wait_following(&site.log);
    daemon.wait_logged("cannot watch");
    site.log_in_and_wait(ip("198.51.100.1"));
    site.log_in(ip("198.51.100.2"));
    fs::rename(&site.log, site.join("maillog.1")).unwrap();
    fs::write(&site.log, login_line(ip("198.51.100.3")) + "\n").unwrap();
    site.wait_listed(ip("198.51.100.2"));
    site.wait_listed(ip("198.51.100.3"));
    File::options().write(true).open(&site.log).unwrap().set_len(0).unwrap();
    site.log_in_and_wait(ip("198.51.100.4"));
    assert_eq!(daemon.stderr().matches("cannot watch").count(), 1, "{}", daemon.stderr());
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

#[test]
fn a_follower_that_dies_is_replaced() {
    let Some(site) = site() else { return };
    let mut daemon = site.daemon(&[]);
    let mut follower = daemon.wait_following(&site.log);
    for last in 1..=2 {
        send(follower, Signal::SIGKILL);
        follower = daemon.wait_following_by_other_than(follower, &site.log);
        site.log_in_and_wait(ip(&format!("198.51.100.{last}")));
    }
    assert_no_zombie(&daemon);
    assert!(daemon.stderr().contains("tail"), "a warning that names the child:\n{}", daemon.stderr());
}

#[test]
fn a_clean_stop_leaves_neither_grant_nor_child() {
    let Some(site) = site() else { return };
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut daemon = site.daemon(&[]);
        let children = children(daemon.pid());
        assert!(!children.is_empty(), "the daemon follows by a child");
        site.log_in_and_wait(ip("198.51.100.1"));
        daemon.send(signal);
        assert_eq!(daemon.wait(), Some(0), "{}", daemon.stderr());
        assert!(!site.lists(ip("198.51.100.1")), "after {signal}");
        children.into_iter().for_each(|child| wait_gone("a child of the daemon", child));
    }
}

#[test]
fn no_child_is_left_after_a_crash() {
    let Some(site) = site() else { return };
    let mut daemon = site.daemon(&[]);
    let children = children(daemon.pid());
    assert!(!children.is_empty(), "the daemon follows by a child");
    daemon.kill9();
    // Nothing is written to the log: the child must notice by itself.
    children.into_iter().for_each(|child| wait_gone("a child of the daemon", child));
}

#[track_caller]
fn assert_no_zombie(daemon: &Daemon) {
    // One that has just died is reaped soon; one that stays is a leak.
    wait_for("the daemon to reap its children", SOON, || !children(daemon.pid()).into_iter().any(is_zombie));
}

#[test]
fn a_line_written_in_two_halves_matches_once_and_whole() {
    each_source(|site, source| {
        let mut daemon = site.daemon(source);
        // Cut inside the address: the half would name another client.
        let line = login_line(ip("198.51.100.77"));
        let cut = line.find("198.51.100.7").unwrap() + "198.51.100.7".len();
        append_raw(&site.log, &line.as_bytes()[..cut]);
        daemon.wait_following(&site.log);
        append(&site.log, &line[cut..]);
        site.wait_listed(ip("198.51.100.77"));
        assert!(!site.lists(ip("198.51.100.7")), "half a line was matched");

        site.log_in_and_wait(ip("198.51.100.78"));
        daemon.wait_logged("granted 198.51.100.78");
        assert_eq!(daemon.stderr().matches("granted 198.51.100.77").count(), 1, "{}", daemon.stderr());
    });
}

#[test]
fn odd_lines_do_not_disturb() {
    each_source(|site, source| {
        let mut daemon = site.daemon(source);
        let login = login_line(ip("198.51.100.66"));
        append_raw(&site.log, b"\0\xff\xfe\x80 \x1b[2J\r\n\n\n");
        // A login behind 8 KiB of filler: the line is dropped whole, its end is not taken for a line.
        append(&site.log, &format!("{}{login}", "x".repeat(8192)));
        append(&site.log, &format!("{}\0{login}", "x".repeat(200_000)));
        append(&site.log, &login_line(ip("127.0.0.1")));
        site.log_in_and_wait(ip("198.51.100.1"));
        assert!(!site.lists(ip("198.51.100.66")), "the end of a long line was matched");
        assert!(!site.lists(ip("127.0.0.1")), "loopback is never granted");
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    });
}

#[test]
fn lines_from_standard_input() {
    let Some(site) = site() else { return };
    let (mut daemon, mut input) = Daemon::start_with_input(&site.map_arguments(&["--log", "-"]));
    writeln!(input, "{}", login_line(ip("198.51.100.1"))).unwrap();
    wait_for("a table", SOON, || site.map_dir().join("pop-before-smtp.lmdb").exists());
    site.wait_listed(ip("198.51.100.1"));
    // In two writes, as a pipe may deliver it.
    let line = login_line(ip("2001:db8:1::2"));
    input.write_all(&line.as_bytes()[..60]).unwrap();
    input.flush().unwrap();
    input.write_all(&line.as_bytes()[60..]).unwrap();
    input.write_all(b"\n").unwrap();
    site.wait_listed(ip("2001:db8:1::2"));
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    assert!(!site.lists(ip("198.51.100.1")), "after a clean stop");
}

#[test]
fn what_is_in_the_log_already_counts_only_with_reprocess() {
    each_source(|site, source| {
        append(&site.log, &old_login_line(ip("198.51.100.1")));
        append(&site.log, &old_login_line(ip("2001:db8:1::1")));
        append(
            &site.log,
            "Nov 22 16:03:40 mail dovecot: imap-login: Disconnected: Aborted login by logging out \
            (auth failed, 1 attempts in 2 secs): user=<kevin>, method=PLAIN, rip=198.51.100.66, lip=192.0.2.25, session=<x>",
        );

        let once = pop_before_smtp(&site.arguments(&[source, &["--once"]].concat()));
        assert_eq!(once.code, Some(0), "{once:?}");
        assert!(!site.lists(ip("198.51.100.1")), "a line from before the start");

        let once = pop_before_smtp(&site.arguments(&[source, &["--once", "--reprocess"]].concat()));
        assert_eq!(once.code, Some(0), "{once:?}");
        // Published before the exit, and left as it is.
        assert!(site.lists(ip("198.51.100.1")));
        assert!(site.lists(ip("2001:db8:1::1")));
        assert!(!site.lists(ip("198.51.100.66")), "a failed login");

        let list = pop_before_smtp(&[vec!["list".to_owned()], site.map_arguments(&[])].concat());
        assert_eq!(list.code, Some(0), "{list:?}");
        let listed: Vec<&str> = list.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert!(listed.contains(&"198.51.100.1") && listed.contains(&"2001:db8:1::1"), "{}", list.stdout);
    });
}

/// As `sed -i` and editors do.
#[test]
fn old_lines_of_a_log_that_is_rewritten_grant_nothing() {
    each_source(|site, source| {
        let mut daemon = site.daemon(source);
        site.log_in_and_wait(ip("198.51.100.1"));
        let lines = |last| format!("{}\n{}\n", old_login_line(ip("198.51.100.66")), login_line(ip(last)));
        let other = site.join("other");
        // `tail` takes a log that is cut and as long again for the same.
        fs::write(&other, "a line of the log\n".repeat(100) + &lines("198.51.100.2")).unwrap();
        fs::rename(&other, &site.log).unwrap();
        site.wait_listed(ip("198.51.100.2"));
        fs::write(&site.log, lines("198.51.100.3")).unwrap();
        site.wait_listed(ip("198.51.100.3"));
        // What comes late is told, where it is known to be late.
        append(&site.log, &old_login_line(ip("198.51.100.67")));
        site.log_in_and_wait(ip("198.51.100.4"));
        assert!(!site.lists(ip("198.51.100.66")) && !site.lists(ip("198.51.100.67")), "{}", daemon.stderr());
        if source.ends_with(&["tail"]) {
            daemon.wait_logged("warning: not granted 198.51.100.6");
        }
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    });
}

/// The log of a host in another zone, with stamps that do not tell.
#[test]
fn a_line_is_late_if_it_is_so_in_every_zone() {
    let Some(site) = site() else { return };
    let (mut daemon, mut input) = Daemon::start_with_input(&site.map_arguments(&["--log", "-"]));
    let hours_ago = |hours: u64, format, last| login_stamped(&stamp(now() - hours * 3600, format, 0.0), client(last));
    for (hours, format, last) in
        [(0, RFC_3339, 1), (1, RFC_3339, 66), (0, TRADITIONAL, 2), (20, TRADITIONAL, 3), (60, TRADITIONAL, 67)]
    {
        write!(input, "{}", hours_ago(hours, format, last)).unwrap();
    }
    drop(input);
    assert_eq!(daemon.wait(), Some(0), "{}", daemon.stderr());
    let told = daemon.stderr();
    let granted: Vec<u32> =
        (1..100).filter(|&last| told.contains(&format!("granted {} until", client(last)))).collect();
    assert_eq!(granted, [1, 2, 3], "{told}");
}

#[test]
fn the_end_of_the_log_may_lack_its_newline() {
    each_source(|site, source| {
        site.log_in(ip("198.51.100.1"));
        let line = login_line(ip("198.51.100.77"));
        let cut = line.find("198.51.100.7").unwrap() + "198.51.100.7".len();
        append_raw(&site.log, &line.as_bytes()[..cut]);
        let once = pop_before_smtp(&site.arguments(&[source, &["--once", "--reprocess"]].concat()));
        assert_eq!(once.code, Some(0), "{once:?}");
        assert!(site.lists(ip("198.51.100.1")));
        assert!(!site.lists(ip("198.51.100.7")), "half a line was matched");
    });
}
