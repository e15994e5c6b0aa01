//! A daemon that was stopped goes on where it had stopped: nothing is lost, and nothing counts twice.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use crate::support::cases::{self, Site, append, append_raw};
use crate::support::daemon::Daemon;
use crate::support::journal::{Journal, dovecot, login};
use crate::support::past::{GRACE, client, expiry, is_of, let_the_clock_go_on, login_at, now};
use crate::support::{Need, require};
use nix::sys::signal::Signal;

fn site() -> Option<Site> {
    Site::new(&cases::LMDB)
}

const FOLLOW: &[&str] = &["--source", "follow", "--publish-interval", "0"];

/// Starts the daemon, does something, and stops it.
#[track_caller]
fn live(site: &Site, act: impl FnOnce(&Site)) -> String {
    let mut daemon = site.daemon(FOLLOW);
    act(site);
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    daemon.stderr()
}

/// The clients from 1 to 99 whose logins the daemon that runs now has granted at start, once it has caught up.
#[track_caller]
fn granted_at_start(site: &Site) -> (Daemon, Vec<u32>) {
    granted_by(site, FOLLOW)
}

#[track_caller]
fn granted_by(site: &Site, options: &[&str]) -> (Daemon, Vec<u32>) {
    let daemon = site.daemon(options);
    site.log_in_and_wait(client(200));
    let stderr = daemon.stderr();
    let granted = |last: &u32| stderr.contains(&format!("granted {} ", client(*last)));
    (daemon, (1..100).filter(granted).collect())
}

fn write(site: &Site, login: u64, last: u32) {
    append_raw(&site.log, login_at(login, client(last)).as_bytes());
}

fn rename(site: &Site, to: &str) {
    fs::rename(&site.log, site.join(to)).unwrap();
    File::create_new(&site.log).unwrap();
}

#[test]
fn what_was_written_meanwhile_counts_by_its_own_time() {
    let Some(site) = site() else { return };
    live(&site, |site| site.log_in_and_wait(client(1)));
    let login = now() - 600;
    write(&site, login - GRACE, 2);
    write(&site, login, 3);
    let (mut daemon, granted) = granted_at_start(&site);
    assert_eq!(granted, [3], "{}", daemon.stderr());
    assert!(is_of(expiry(&site, client(3)), login));
    assert!(site.lists(client(1)), "saved");
    assert_eq!(daemon.terminate(), Some(0));
}

/// A host that could not send its lines for some time sends them late.
#[test]
fn many_old_lines_behind_the_place_hide_nothing() {
    for source in ["tail", "follow"] {
        let Some(site) = site() else { return };
        live(&site, |site| site.log_in_and_wait(client(1)));
        write(&site, now() - 10, 2);
        let late = login_at(now() - 2 * GRACE, client(66)).repeat(40_000);
        assert!(late.len() > 4 << 20);
        append_raw(&site.log, late.as_bytes());
        let (daemon, granted) = granted_by(&site, &["--source", source, "--publish-interval", "0"]);
        assert_eq!(granted, [2], "{source}: {}", daemon.stderr());
    }
}

/// A login with a time to come counts as now, each time it counts.
#[test]
fn what_has_counted_does_not_count_again() {
    for forgets in [false, true] {
        let Some(site) = site() else { return };
        live(&site, |site| {
            write(site, now() + 3000, 1);
            site.wait_listed(client(1));
        });
        let begin = now();
        let_the_clock_go_on();
        if forgets {
            // So that the test can fail.
            let state = fs::read_to_string(site.state()).unwrap();
            let grants: String = state.split_inclusive('\n').filter(|line| !line.starts_with('@')).collect();
            assert_ne!(grants, state, "a place in the log");
            fs::write(site.state(), grants).unwrap();
        }
        let (_daemon, _) = granted_at_start(&site);
        let end = expiry(&site, client(1)).unwrap();
        assert_eq!(end > begin + GRACE + 1, forgets, "{end} from {begin}");
    }
}

#[test]
fn rotations_meanwhile_lose_and_double_nothing() {
    type Rotate = fn(&Site);
    let styles: [(&str, Rotate); 4] = [
        ("rename", |site| rename(site, "maillog.1")),
        ("copytruncate", |site| {
            fs::copy(&site.log, site.join("maillog.1")).unwrap();
            File::options().write(true).open(&site.log).unwrap().set_len(0).unwrap();
        }),
        ("twice", |site| {
            rename(site, "maillog.2");
            write(site, now() - 50, 9);
            rename(site, "maillog.1");
        }),
        ("link", |site| {
            fs::rename(&site.log, site.join("maillog-20261122")).unwrap();
            fs::write(site.join("maillog-20261123"), "").unwrap();
            std::os::unix::fs::symlink("maillog-20261123", &site.log).unwrap();
        }),
    ];
    for (style, rotate) in styles {
        let Some(site) = site() else { return };
        live(&site, |site| {
            write(site, now() + 3000, 1);
            site.wait_listed(client(1));
        });
        let begin = now();
        let_the_clock_go_on();
        write(&site, begin, 2);
        rotate(&site);
        write(&site, begin, 3);
        let (daemon, granted) = granted_at_start(&site);
        let expected: &[u32] = if style == "twice" { &[2, 3, 9] } else { &[2, 3] };
        assert_eq!(granted, expected, "{style}: {}", daemon.stderr());
        assert!(is_of(expiry(&site, client(2)), begin), "{style}");
        assert!(expiry(&site, client(1)).unwrap() <= begin + GRACE + 1, "{style}: counted again");
    }
}

/// The log was renamed and its writer has not noticed yet, when the daemon stops.
#[test]
fn a_rotation_under_way_loses_nothing() {
    let Some(site) = site() else { return };
    let old = site.join("maillog.1");
    let mut daemon = site.daemon(FOLLOW);
    site.log_in_and_wait(client(1));
    rename(&site, "maillog.1");
    daemon.wait_logged("following a new log file");
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    let login = now() - 10;
    append_raw(&old, login_at(login, client(2)).as_bytes());
    write(&site, login, 3);
    let (daemon, granted) = granted_at_start(&site);
    assert_eq!(granted, [2, 3], "{}", daemon.stderr());
}

#[test]
fn a_log_that_is_not_what_it_was_is_read_by_its_times() {
    type Change = fn(&Site);
    let changes: [(&str, Change); 4] = [
        ("gone", |site| {
            fs::remove_file(&site.log).unwrap();
            fs::write(&site.log, "").unwrap();
        }),
        ("shorter", |site| File::options().write(true).open(&site.log).unwrap().set_len(20).unwrap()),
        ("cut and grown again", |site| fs::write(&site.log, "another line of the log\n".repeat(1000)).unwrap()),
        ("damaged state", |site| {
            let state = fs::read_to_string(site.state()).unwrap();
            fs::write(site.state(), state.replacen("@file ", "@file x", 1)).unwrap();
            fs::set_permissions(site.state(), fs::Permissions::from_mode(0o600)).unwrap();
        }),
    ];
    for (what, change) in changes {
        let Some(site) = site() else { return };
        live(&site, |site| site.log_in_and_wait(client(1)));
        change(&site);
        let login = now() - 100;
        append(&site.log, "");
        write(&site, login, 2);
        write(&site, login - GRACE, 3);
        let (daemon, granted) = granted_at_start(&site);
        // What is not restored counts again by its time, where the line is still to be read.
        let expected: &[u32] = if what == "damaged state" { &[1, 2] } else { &[2] };
        assert_eq!(granted, expected, "{what}: {}", daemon.stderr());
        assert!(is_of(expiry(&site, client(2)), login), "{what}");
        assert!(site.lists(client(1)), "{what}: {}", daemon.stderr());
    }
}

#[test]
fn a_line_that_was_unfinished_counts_once_it_is_whole() {
    let Some(site) = site() else { return };
    let line = login_at(now() - 10, client(77));
    let cut = line.find("198.51.100.7").unwrap() + "198.51.100.7".len();
    live(&site, |site| {
        site.log_in_and_wait(client(1));
        append_raw(&site.log, &line.as_bytes()[..cut]);
    });
    append_raw(&site.log, &line.as_bytes()[cut..]);
    // And one that stays unfinished until the daemon runs.
    let other = login_at(now() - 10, client(55));
    append_raw(&site.log, &other.as_bytes()[..cut]);
    let mut daemon = site.daemon(&["--source", "follow"]);
    append_raw(&site.log, &other.as_bytes()[cut..]);
    site.log_in_and_wait(client(200));
    for (last, times) in [(7, 0), (5, 0), (77, 1), (55, 1)] {
        let granted = format!("granted {} ", client(last));
        assert_eq!(daemon.stderr().matches(&granted).count(), times, "{granted}: {}", daemon.stderr());
    }
    assert_eq!(daemon.terminate(), Some(0));
}

/// What the log holds in front of the rest of a message, when the daemon starts again.
#[derive(Clone, Copy)]
struct Before {
    /// Whether the last message of the program was cut.
    cut: bool,
    /// Whether more lines follow it than are read in front of the place.
    far: bool,
    rotated: bool,
    /// Whether the place is forgotten, and all of this is older than the grace.
    forgotten: bool,
}

/// Courier's logger begins a line with the rest of a message that was too long: a stranger's text.
#[test]
fn the_rest_of_a_message_that_was_cut_before_the_stop_is_no_login() {
    let near = Before { cut: true, far: false, rotated: false, forgotten: false };
    let far = Before { far: true, ..near };
    let cases =
        [near, far, Before { forgotten: true, ..far }, Before { cut: false, ..far }, Before { cut: false, ..near }];
    for before in cases.into_iter().chain([Before { rotated: true, ..near }, Before { rotated: true, ..far }]) {
        for source in ["tail", "follow"] {
            rest_is_no_login(before, source);
        }
    }
}

#[track_caller]
fn rest_is_no_login(before: Before, source: &str) {
    let Before { cut, far, rotated, forgotten } = before;
    let Some(site) = site() else { return };
    let stamp = |age| login_at(now() - age, client(1)).split_once(' ').unwrap().0.to_owned();
    let old = stamp(if forgotten { 2 * GRACE } else { 10 });
    live(&site, |site| {
        let (long, whole) = (format!("LOGIN FAILED, user={}", "A".repeat(486)), "Connection, ip=[::ffff:198.51.100.5]");
        append(&site.log, &format!("{old} mail imapd: {}", if cut { &long } else { whole }));
        let filler = format!("{old} mail postfix/qmgr[1]: removed\n").repeat(if far { 4000 } else { 1 });
        append_raw(&site.log, filler.as_bytes());
        if !forgotten {
            site.log_in_and_wait(client(1));
        }
    });
    if forgotten {
        fs::remove_file(site.state()).unwrap();
    }
    if rotated {
        rename(&site, "maillog.1");
    }
    for last in [66, 67] {
        let rest = format!("LOGIN, user=alice, ip=[::ffff:{}], port=[4711], protocol=IMAP", client(last));
        append(&site.log, &format!("{} mail imapd: {rest}", stamp(10)));
    }
    let (daemon, granted) = granted_by(&site, &["--source", source, "--publish-interval", "0"]);
    let trusted = !cut && !far;
    let expected: &[u32] = if trusted { &[66, 67] } else { &[67] };
    assert_eq!(granted, expected, "{source} {cut} {far} {rotated} {forgotten}: {}", daemon.stderr());
}

#[test]
fn a_login_finds_the_connection_from_before_the_stop() {
    let Some(site) = site() else { return };
    let stamp = login_at(now() - 10, client(1)).split_once(' ').unwrap().0.to_owned();
    live(&site, |site| {
        append(&site.log, &format!("{stamp} mail vm-pop3d[814]: Connect from 198.51.100.11"));
        site.log_in_and_wait(client(1));
    });
    append(&site.log, &format!("{stamp} mail vm-pop3d[814]: User 'kevin' logged in"));
    let (daemon, granted) = granted_at_start(&site);
    assert_eq!(granted, [11], "{}", daemon.stderr());
}

#[test]
fn signals_are_heard_while_there_is_much_to_catch_up_with() {
    for source in ["tail", "follow"] {
        let Some(site) = site() else { return };
        let login = now() - 600;
        let filler = login_at(login, client(66)).replace("Login:", "Logout:").repeat(1000);
        write(&site, login, 1);
        for _ in 0..250 {
            append_raw(&site.log, filler.as_bytes());
        }
        write(&site, login, 2);
        let arguments = site.arguments(&["--source", source, "--publish-interval", "0"]);
        let mut daemon = Daemon::start(&arguments);
        daemon.wait_logged(&format!("granted {} ", client(1)));
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
        assert!(!daemon.stderr().contains(&format!("granted {} ", client(2))), "too fast to be interrupted");

        let mut daemon = Daemon::start(&arguments);
        daemon.wait_logged("serving ");
        daemon.send(Signal::SIGHUP);
        // Written in the meantime, it comes behind all that.
        site.log_in(client(3));
        daemon.wait_logged(&format!("granted {} ", client(3)));
        site.wait_listed(client(3));
        assert!(is_of(expiry(&site, client(1)), login) && is_of(expiry(&site, client(2)), login));
        for last in [2, 3] {
            let granted = format!("granted {} ", client(last));
            assert_eq!(daemon.stderr().matches(&granted).count(), 1, "{source} {last}: {}", daemon.stderr());
        }
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    }
}

#[test]
fn the_journal_goes_on_behind_the_last_entry() {
    if !require(&[Need::Program("journalctl"), Need::JournalRemote]) {
        return;
    }
    for forgets in [false, true] {
        let Some(site) = site() else { return };
        let mut journal = Journal::new(site.join("journal"));
        let (old, begin) = (Duration::from_secs(600), now());
        journal.write_old(old * 10, &[&dovecot(&login("198.51.100.66"))]);
        journal.write_old(old, &[&dovecot(&login("198.51.100.1"))]);
        let directory = journal.directory().display().to_string();
        let options = ["--source", "journal", "--journal-unit", "dovecot", "--journal-directory", &directory];
        let arguments = site.map_arguments(&[&options[..], &["--publish-interval", "0"]].concat());
        let mut daemon = Daemon::start(&arguments);
        daemon.wait_logged("serving ");
        site.wait_listed(client(1));
        assert!(is_of(expiry(&site, client(1)), begin - 600), "{}", daemon.stderr());
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());

        if forgets {
            fs::remove_file(site.state()).unwrap();
        }
        journal.rotate();
        let begin = now();
        journal.write_old(Duration::from_secs(60), &[&dovecot(&login("198.51.100.2"))]);
        let mut daemon = Daemon::start(&arguments);
        daemon.wait_logged("granted 198.51.100.2 ");
        site.wait_listed(client(2));
        assert!(is_of(expiry(&site, client(2)), begin - 60), "{}", daemon.stderr());
        assert!(site.lists(client(1)) && !site.lists(client(66)), "{}", daemon.stderr());
        let again = daemon.stderr().contains("granted 198.51.100.1 ");
        assert_eq!(again, forgets, "{}", daemon.stderr());
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    }
}
