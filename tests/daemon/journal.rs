//! Logins are taken from systemd's journal, from the entries of trusted writers alone. The journals are real ones, made
//! by systemd-journal-remote.

use crate::support::cases::{self, Site, ip};
use crate::support::command::{finish, pop_before_smtp};
use crate::support::daemon::Daemon;
use crate::support::journal::{self, DOVECOT, Journal, dovecot, login};
use crate::support::postfix::Lookup;
use crate::support::process::{children, send, wait_gone};
use crate::support::{Need, SOON, require, wait_for};
use nix::sys::signal::Signal;
use std::fs;
use std::process::Command;
use std::time::Duration;

/// More than a grace.
const LONG_AGO: Duration = Duration::from_secs(3 * 3600);

const FROM_DOVECOT: &[&str] = &["--journal-unit", "dovecot.service"];

fn site() -> Option<(Site, Journal)> {
    let journal = [Need::Program("journalctl"), Need::JournalRemote];
    let site = require(&journal).then(|| Site::new(&cases::LMDB)).flatten()?;
    let journal = Journal::new(site.join("journal"));
    Some((site, journal))
}

fn arguments(site: &Site, journal: &Journal, more: &[&[&str]]) -> Vec<String> {
    let directory = journal.directory().display().to_string();
    site.map_arguments(&[&["--source", "journal", "--journal-directory", &directory], &more.concat()[..]].concat())
}

/// An entry of Courier's imapd, as if it ran in the unit of the others.
fn courier(message: &str) -> [(&str, &str); 3] {
    [("MESSAGE", message), ("SYSLOG_IDENTIFIER", "imapd"), DOVECOT]
}

/// Starts the daemon and waits until it follows.
#[track_caller]
fn daemon(site: &Site, journal: &Journal, more: &[&[&str]]) -> Daemon {
    let mut daemon = Daemon::start(&arguments(site, journal, more));
    daemon.wait_logged("serving ");
    wait_for("a follower", SOON, || !children(daemon.pid()).is_empty());
    daemon.assert_runs();
    daemon
}

/// Reads the whole journal once.
#[track_caller]
fn read_all(site: &Site, journal: &Journal, more: &[&str]) -> String {
    let once = pop_before_smtp(&arguments(site, journal, &[&["--once", "--reprocess"], more]));
    assert_eq!(once.code, Some(0), "{once:?}");
    once.stderr
}

#[test]
fn only_entries_of_the_unit_grant() {
    let Some((site, mut journal)) = site() else { return };
    let line = |last| login(&format!("198.51.100.{last}"));
    journal.write(&[
        &dovecot(&line(1)),
        // `logger -t dovecot` of a shell user, and what he may try to claim besides.
        &journal::user(&line(66)),
        &[&journal::user(&line(67))[..], &[("UNIT", "dovecot.service"), ("SYSLOG_PID", "1")]].concat(),
        &[&journal::user(&line(68))[..], &[("OBJECT_SYSTEMD_UNIT", "dovecot.service")]].concat(),
        &[&journal::user(&line(69))[..], &[("_SYSTEMD_USER_UNIT", "dovecot.service")]].concat(),
        // Of two units, which journalctl lets through, and of none.
        &[&journal::user(&line(70))[..3], &[DOVECOT]].concat(),
        &[("MESSAGE", line(71)), ("SYSLOG_IDENTIFIER", "dovecot".to_owned())].each_ref().map(|(n, v)| (*n, &v[..])),
        // Lines of its standard error, and of a container.
        &[&dovecot(&line(72))[..], &[("_TRANSPORT", "stdout")]].concat(),
        &[&dovecot(&line(73))[..], &[("_TRANSPORT", "journal"), ("CONTAINER_NAME", "mail")]].concat(),
        &[&dovecot(&line(2))[..], &[("_TRANSPORT", "syslog")]].concat(),
    ]);
    let stderr = read_all(&site, &journal, FROM_DOVECOT);
    assert!(site.lists(ip("198.51.100.1")) && site.lists(ip("198.51.100.2")), "{stderr}");
    for last in 66..=73 {
        assert!(!site.lists(ip(&format!("198.51.100.{last}"))), "{last}: {stderr}");
    }
    assert_eq!(stderr.matches("granted ").count(), 2, "{stderr}");
}

#[test]
fn users_and_programs_are_filtered_too() {
    let Some((site, mut journal)) = site() else { return };
    let (root, user) = (login("198.51.100.1"), login("198.51.100.2"));
    let exe = ("_EXE", "/usr/lib/dovecot/log");
    // A script of a user that Dovecot has started is in Dovecot's unit.
    journal.write(&[
        &[&dovecot(&root)[..], &[("_UID", "0"), exe]].concat(),
        &[&dovecot(&user)[..], &[("_UID", "1000")]].concat(),
    ]);
    for (filter, granted) in [
        (&["--journal-unit", "dovecot"][..], [true, true]),
        (&["--journal-unit", "dovecot", "--journal-uid", "0"], [true, false]),
        (&["--journal-uid", "1000,7"], [false, true]),
        (&["--journal-exe", "/usr/lib/dovecot/log"], [true, false]),
        (&["--journal-unit", "dovecot", "--journal-uid", "7"], [false, false]),
    ] {
        read_all(&site, &journal, filter);
        assert_eq!([site.lists(ip("198.51.100.1")), site.lists(ip("198.51.100.2"))], granted, "{filter:?}");
        fs::remove_dir_all(site.map_dir()).unwrap();
        fs::create_dir(site.map_dir()).unwrap();
    }
}

#[test]
fn a_journal_without_a_filter_is_refused() {
    let Some((site, journal)) = site() else { return };
    for (more, code, mentions) in [
        (&[&[][..]][..], 64, "--journal-unit"),
        (&[&["--journal-unit", ""]], 64, "--journal-unit"),
        (&[&["--journal-uid", "root"]], 64, "--journal-uid"),
        (&[FROM_DOVECOT, &["--log", "/dev/null"]], 64, "--log"),
        // No journal there.
        (&[FROM_DOVECOT], 69, "journalctl"),
    ] {
        let refused = pop_before_smtp(&arguments(&site, &journal, more));
        assert_eq!(refused.code, Some(code), "{more:?}: {refused:?}");
        assert!(refused.stderr.contains(mentions) && refused.stderr.contains("; "), "{more:?}: {refused:?}");
    }
}

#[test]
fn odd_messages_grant_nothing_and_hide_nothing() {
    let Some((site, mut journal)) = site() else { return };
    let line = |last| login(&format!("198.51.100.{last}"));
    let forged = format!("x\n2026-11-22T16:03:39Z mail dovecot: {}", line(66));
    let binary = line(1).replace("kevin", "k\u{1}\u{fc}");
    let (long, huge) = (format!("{}{}", "x".repeat(8192), line(67)), "x".repeat(300_000));
    journal.write(&[
        &dovecot(&forged),
        &dovecot(&format!("{}\n{}", line(68), line(69))),
        &[("SYSLOG_IDENTIFIER", "dovecot"), DOVECOT],
        &dovecot(&long),
        &dovecot(&huge),
        &[&dovecot(&line(70))[..], &[("MESSAGE", "another")]].concat(),
        &[("MESSAGE", &line(71)[..]), ("SYSLOG_IDENTIFIER", "x: mail dovecot"), DOVECOT],
        // Directly behind a long one nothing counts.
        &dovecot("imap-login: Disconnected"),
        &dovecot(&binary),
        &dovecot(&line(2)),
    ]);
    let stderr = read_all(&site, &journal, FROM_DOVECOT);
    assert!(site.lists(ip("198.51.100.1")), "a message that comes as numbers: {stderr}");
    assert!(site.lists(ip("198.51.100.2")), "{stderr}");
    assert_eq!(stderr.matches("granted ").count(), 2, "{stderr}");
    assert!(stderr.contains("log lines were longer than 8 KiB"), "{stderr}");
    assert!(stderr.contains("entries of the journal have been ignored"), "{stderr}");
}

/// Courier's logger goes on in a second entry. A start reads some entries in front of its place to know of the first;
/// where those do not tell, the first message of a program counts for nothing.
#[test]
fn the_rest_of_a_message_that_was_cut_before_the_start_is_no_login() {
    let (cut, whole) = (format!("LOGIN FAILED, user={}", "A".repeat(486)), "Connection, ip=[::ffff:198.51.100.5]");
    // Entries in between, and whether the start goes on behind a cursor.
    for (before, between, goes_on, trusted) in [
        (&cut[..], 1, true, false),
        (whole, 1, true, true),
        (whole, 600, true, false),
        (&cut, 1, false, false),
        (whole, 1, false, true),
    ] {
        let Some((site, mut journal)) = site() else { return };
        let age = if goes_on { Duration::from_secs(60) } else { LONG_AGO };
        journal.write_old(age, &[&courier(before)]);
        let others = vec![dovecot("x"); between];
        journal.write_old(age, &others.iter().map(|entry| &entry[..]).collect::<Vec<_>>());
        if goes_on {
            journal.write_old(age, &[&dovecot(&login("198.51.100.1"))]);
            let mut daemon = daemon(&site, &journal, &[FROM_DOVECOT]);
            site.wait_listed(ip("198.51.100.1"));
            assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
        }
        let rests = [66, 67].map(|last| format!("LOGIN, user=alice, ip=[::ffff:198.51.100.{last}], port=[4711]"));
        journal.write(&[&courier(&rests[0]), &courier(&rests[1])]);
        let daemon = daemon(&site, &journal, &[FROM_DOVECOT]);
        site.wait_listed(ip("198.51.100.67"));
        assert_eq!(site.lists(ip("198.51.100.66")), trusted, "{between} {goes_on}: {}", daemon.stderr());
    }
}

#[test]
fn what_is_written_while_it_runs_is_seen() {
    let Some((site, mut journal)) = site() else { return };
    journal.write_old(LONG_AGO, &[&dovecot(&login("198.51.100.66"))]);
    let mut daemon = daemon(&site, &journal, &[FROM_DOVECOT]);
    journal.write(&[&journal::user(&login("198.51.100.67")), &dovecot(&login("198.51.100.1"))]);
    site.wait_listed(ip("198.51.100.1"));
    // The journal rotates: another file.
    journal.rotate();
    journal.write(&[&dovecot(&login("198.51.100.2"))]);
    site.wait_listed(ip("198.51.100.2"));
    // The container that it is of is started again.
    journal.reboot();
    journal.write(&[&dovecot(&login("198.51.100.3"))]);
    site.wait_listed(ip("198.51.100.3"));
    assert!(!site.lists(ip("198.51.100.66")), "from long before the start");
    assert!(!site.lists(ip("198.51.100.67")), "of a user");
    let follower = children(daemon.pid())[0];
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    wait_gone("journalctl", follower);
    assert!(!site.lists(ip("198.51.100.1")), "after a clean stop");
}

#[test]
fn nothing_is_lost_or_doubled_when_journalctl_dies() {
    let Some((site, mut journal)) = site() else { return };
    // Of another unit: there is no entry to begin behind.
    journal.write(&[&journal::user("x")]);
    let mut daemon = daemon(&site, &journal, &[FROM_DOVECOT]);
    let mut granted = 0;
    for kill in [Signal::SIGKILL, Signal::SIGTERM] {
        let follower = children(daemon.pid())[0];
        // Written while nobody reads: more than journalctl shows without being asked.
        send(follower, Signal::SIGSTOP);
        let logins: Vec<_> = (1..=15).map(|last| login(&format!("198.51.100.{}", granted + last))).collect();
        let entries: Vec<_> = logins.iter().map(|message| dovecot(message)).collect();
        journal.write(&entries.iter().map(|entry| &entry[..]).collect::<Vec<_>>());
        send(follower, kill);
        send(follower, Signal::SIGCONT);
        wait_gone("journalctl", follower);
        granted += 15;
        daemon.wait_logged(&format!("granted 198.51.100.{granted} "));
    }
    daemon.send(Signal::SIGHUP);
    journal.write(&[&dovecot(&login("198.51.100.99"))]);
    daemon.wait_logged("granted 198.51.100.99 ");
    let stderr = daemon.stderr();
    for last in 1..=granted {
        assert_eq!(stderr.matches(&format!("granted 198.51.100.{last} ")).count(), 1, "{last}: {stderr}");
    }
    assert_eq!(stderr.matches("cannot follow the journal: 'journalctl ").count(), 2, "{stderr}");
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

/// What journalctl did not show in time counts from when it was written, not from when it is read.
#[test]
fn what_was_written_while_nobody_read_counts_by_its_own_time() {
    let Some((site, mut journal)) = site() else { return };
    journal.write(&[&journal::user("x")]);
    let mut daemon = daemon(&site, &journal, &[FROM_DOVECOT]);
    let follower = children(daemon.pid())[0];
    send(follower, Signal::SIGSTOP);
    let seconds = || jiff::Timestamp::now().as_second();
    let written = seconds();
    journal.write(&[&dovecot(&login("198.51.100.1"))]);
    let after = seconds();
    wait_for("four seconds", SOON, || seconds() >= after + 4);
    send(follower, Signal::SIGKILL);
    site.wait_listed(ip("198.51.100.1"));
    let Lookup::Found(expires) = site.lookup(ip("198.51.100.1")) else { panic!("just listed") };
    let begin = expires.parse::<i64>().unwrap() - 1800;
    assert!((written..after + 3).contains(&begin), "written at {written}, counts from {begin}");
    // What comes now counts from now.
    wait_for("another journalctl", SOON, || children(daemon.pid()).iter().any(|&child| child != follower));
    journal.write(&[&dovecot(&login("198.51.100.2"))]);
    site.wait_listed(ip("198.51.100.2"));
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

/// An address counts once however often it logs in, but debug mode tells of each login.
#[test]
fn each_entry_is_read_once() {
    let Some((site, mut journal)) = site() else { return };
    journal.write_old(LONG_AGO, &[&dovecot(&login("198.51.100.1"))]);
    let mut daemon = daemon_in_debug_mode(&site, &journal);
    for nth in 1..=3 {
        journal.write(&[&dovecot(&login("198.51.100.1"))]);
        wait_for("a login", SOON, || logins(&daemon) >= nth);
        let follower = children(daemon.pid())[0];
        send(follower, Signal::SIGKILL);
        wait_for("another journalctl", SOON, || children(daemon.pid()).iter().any(|&child| child != follower));
    }
    journal.write(&[&dovecot(&login("198.51.100.2"))]);
    wait_for("the last login", SOON, || daemon.stdout().contains("from 198.51.100.2"));
    assert_eq!(logins(&daemon), 3, "{}", daemon.stdout());
    assert!(daemon.stdout().contains("Starting command in 0 seconds: journalctl "), "{}", daemon.stdout());
    assert!(daemon.stdout().contains("_SYSTEMD_UNIT=dovecot.service\n"), "{}", daemon.stdout());
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

fn daemon_in_debug_mode(site: &Site, journal: &Journal) -> Daemon {
    let daemon = Daemon::start(&arguments(site, journal, &[FROM_DOVECOT, &["--debug"]]));
    wait_for("a follower", SOON, || {
        daemon.stdout().contains("Starting command in 0 seconds: ") && !children(daemon.pid()).is_empty()
    });
    daemon
}

fn logins(daemon: &Daemon) -> usize {
    daemon.stdout().matches("from 198.51.100.1\n").count()
}

#[test]
fn once_ends_at_the_end_and_begins_there_too() {
    let Some((site, mut journal)) = site() else { return };
    journal.write_old(LONG_AGO, &[&dovecot(&login("198.51.100.1"))]);
    let once = |more: &[&str]| pop_before_smtp(&arguments(&site, &journal, &[FROM_DOVECOT, &["--once"], more]));
    let end = once(&[]);
    assert_eq!(end.code, Some(0), "{end:?}");
    assert!(!site.lists(ip("198.51.100.1")), "an entry from long before the start");
    let all = once(&["--reprocess"]);
    assert_eq!(all.code, Some(0), "{all:?}");
    assert!(site.lists(ip("198.51.100.1")));
}

#[test]
fn no_journalctl_is_left_after_a_crash() {
    let Some((site, mut journal)) = site() else { return };
    journal.write(&[&dovecot(&login("198.51.100.1"))]);
    let mut daemon = daemon(&site, &journal, &[FROM_DOVECOT]);
    let follower = children(daemon.pid())[0];
    daemon.kill9();
    // Nothing is written to the journal: it must notice by itself.
    wait_gone("journalctl", follower);
}

#[test]
fn auto_takes_the_log_file_then_the_journal() {
    if !require(&[Need::Mounts]) {
        return;
    }
    let Some((site, mut journal)) = site() else { return };
    let directory = journal.directory().display().to_string();
    let run = |has_log: bool, more: &[&str]| {
        let options = ["--once", "--reprocess", "--journal-directory", &directory];
        let arguments = site.map_arguments(&[&options, more].concat());
        // In a /var/log of its own.
        let log = if has_log { "cp \"$1\" /var/log/mail.log &&" } else { "" };
        let script = format!("mount -t tmpfs none /var/log && {log} shift && exec \"$@\"");
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", &script, "sh"]).arg(&site.log).arg(env!("CARGO_BIN_EXE_pop-before-smtp"));
        finish(command.args(arguments))
    };
    let not_tried = run(false, &[]);
    assert_eq!(not_tried.code, Some(66), "{not_tried:?}");
    for tried in ["/var/log/maillog", "/var/log/mail.log", "--journal-unit", "; "] {
        assert!(not_tried.stderr.contains(tried), "{tried}: {not_tried:?}");
    }
    let neither = run(false, FROM_DOVECOT);
    assert_eq!(neither.code, Some(66), "{neither:?}");
    for tried in ["/var/log/maillog", "/var/log/mail.log", "journalctl fails: no journal files", "; "] {
        assert!(neither.stderr.contains(tried), "{tried}: {neither:?}");
    }

    site.log_in(ip("198.51.100.1"));
    journal.write(&[&dovecot(&login("198.51.100.2"))]);
    let file = run(true, FROM_DOVECOT);
    assert_eq!(file.code, Some(0), "{file:?}");
    assert!(site.lists(ip("198.51.100.1")) && !site.lists(ip("198.51.100.2")), "{file:?}");
    let from_journal = run(false, FROM_DOVECOT);
    assert_eq!(from_journal.code, Some(0), "{from_journal:?}");
    assert!(site.lists(ip("198.51.100.2")), "{from_journal:?}");
}
