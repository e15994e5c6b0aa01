//! `revoke`, `grant` and `deny`: at once, and over every kind of end of the daemon.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;

use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

use super::site::{daemon, log_in_as, login_of, object, run, told, why};
use crate::support::cases::{self, Case, Site, append, append_raw, ip};
use crate::support::command::pop_before_smtp;
use crate::support::daemon::Daemon;
use crate::support::past;
use crate::support::postfix::Lookup;
use crate::support::{SOON, wait_for};

const CASES: [&Case; 4] = [&cases::POSTMAP_HASH, &cases::LMDB, &cases::LMDB_IN_PLACE, &cases::SQLITE];

/// Later than the second in which a revocation was.
fn next_second() {
    let now = Timestamp::now().as_second();
    wait_for("the next second", SOON, || Timestamp::now().as_second() > now);
}

#[track_caller]
fn expires(site: &Site, address: IpAddr) -> i64 {
    object(site, &["explain", &address.to_string(), "--json"])["expires"].as_i64().expect("a grant")
}

#[test]
fn a_revoked_grant_comes_back_by_a_login_only() {
    for case in CASES {
        let Some(site) = Site::new(case) else { continue };
        let (revoked, other, late) = (ip("198.51.100.1"), ip("198.51.100.2"), ip("198.51.100.3"));
        let mut first = daemon(&site, &[]);
        log_in_as(&site, "alice", revoked);
        log_in_as(&site, "bob", other);
        site.wait_listed(revoked);
        site.wait_listed(other);
        assert_eq!(
            told(&site, &["revoke", "198.51.100.1"]),
            "198.51.100.1 may relay no longer, until it logs in again\n"
        );
        assert_eq!(site.lookup(revoked), Lookup::NotFound, "{}: published at once", case.name);
        assert_eq!(why(&site, revoked), "revoked");
        assert_eq!(told(&site, &["revoke", "198.51.100.1"]), "198.51.100.1 had no grant\n");

        // The next daemon reads the login again, and what the other one had granted.
        first.kill9();
        log_in_as(&site, "carol", late);
        let mut second = daemon(&site, &[]);
        site.wait_listed(other);
        site.wait_listed(late);
        assert_eq!(site.lookup(revoked), Lookup::NotFound, "{}: {}", case.name, second.stderr());
        assert_eq!(why(&site, revoked), "revoked");

        next_second();
        log_in_as(&site, "alice", revoked);
        site.wait_listed(revoked);
        second.kill9();
        let mut third = daemon(&site, &[]);
        // From the table first, then from the log.
        wait_for("the login to be read again", SOON, || why(&site, revoked) == "login");
        assert_eq!(third.terminate(), Some(0), "{}", third.stderr());
        let _fourth = daemon(&site, &[]);
        assert!(site.lists(revoked), "{}: saved at a clean stop", case.name);
    }
}

/// The clock of the host that writes the log may be ahead.
#[test]
fn a_login_that_comes_after_a_revocation_counts_whatever_its_stamp_says() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let mut daemon = daemon(&site, &[]);
    for stamp in [past::stamp(past::now() + 30, past::RFC_3339, 0.0), past::stamp(past::now(), past::TRADITIONAL, -5.0)]
    {
        site.log_in_and_wait(ip("198.51.100.1"));
        assert_eq!(told(&site, &["revoke", "198.51.100.1"]).lines().count(), 1);
        assert!(!site.lists(ip("198.51.100.1")));
        append_raw(&site.log, past::login_stamped(&stamp, ip("198.51.100.1")).as_bytes());
        site.wait_listed(ip("198.51.100.1"));
    }
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

#[test]
fn a_revocation_while_no_daemon_runs_counts_for_the_next() {
    for case in CASES {
        let Some(site) = Site::new(case) else { continue };
        let (revoked, other) = (ip("198.51.100.1"), ip("198.51.100.2"));
        for clean in [false, true] {
            let mut first = daemon(&site, &[]);
            next_second();
            log_in_as(&site, "alice", revoked);
            log_in_as(&site, "bob", other);
            site.wait_listed(revoked);
            site.wait_listed(other);
            if clean {
                assert_eq!(first.terminate(), Some(0), "{}", first.stderr());
            } else {
                first.kill9();
            }
            told(&site, &["revoke", "198.51.100.1"]);
            assert_eq!(site.lookup(revoked), Lookup::NotFound, "{}, clean {clean}", case.name);
            assert_eq!(site.lists(other), !clean, "{}, clean {clean}", case.name);
            let mut second = daemon(&site, &[]);
            site.wait_listed(other);
            assert_eq!(why(&site, revoked), "revoked", "{}, clean {clean}", case.name);
            assert_eq!(second.terminate(), Some(0), "{}", second.stderr());
        }
    }
}

#[test]
fn a_login_that_was_logged_before_the_revocation_stays_revoked_whatever_its_stamp() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let (revoked, other) = (ip("198.51.100.1"), ip("198.51.100.2"));
    let mut first = daemon(&site, &[]);
    told(&site, &["revoke", "198.51.100.1"]);
    first.kill9();
    append(&site.log, &login_of(Timestamp::now() + 1.hour(), "from the future", revoked));
    append(&site.log, &login_of(Timestamp::now() - 1.minute(), "from the past", revoked));
    append(&site.log, &login_of(Timestamp::now() - 1.minute(), "other", other));
    let _second = daemon(&site, &[]);
    site.wait_listed(other);
    assert!(!site.lists(revoked));
}

/// A logger that lags writes the line of a login behind the revocation that was meant for it.
#[test]
fn a_line_that_comes_late_does_not_undo_a_revocation() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let (revoked, other) = (ip("198.51.100.1"), ip("198.51.100.2"));
    let _daemon = daemon(&site, &[]);
    log_in_as(&site, "alice", revoked);
    site.wait_listed(revoked);
    told(&site, &["revoke", "198.51.100.1"]);
    append(&site.log, &login_of(Timestamp::now() - 1.minute(), "late", revoked));
    append(&site.log, &login_of(Timestamp::now() + 1.hour(), "from the future", revoked));
    append(&site.log, &login_of(Timestamp::now() - 1.minute(), "of nobody else", other));
    site.wait_listed(other);
    assert!(!site.lists(revoked));
    assert_eq!(why(&site, revoked), "revoked");
    let status = object(&site, &["status", "--json"]);
    let refused = json!({"name": "refused", "label": ["reason", "revoked"], "value": 2});
    assert!(status["sources"][0]["counters"].as_array().unwrap().contains(&refused), "{status}");
    next_second();
    log_in_as(&site, "alice", revoked);
    site.wait_listed(revoked);
}

#[test]
fn what_is_denied_stays_denied() {
    for case in CASES {
        let Some(site) = Site::new(case) else { continue };
        let (denied, inside, outside) = (ip("198.51.100.1"), ip("198.51.100.77"), ip("203.0.113.1"));
        let mut first = daemon(&site, &[]);
        site.log_in_and_wait(denied);
        assert_eq!(told(&site, &["deny", "198.51.100.5/24"]), "198.51.100.0/24 is denied; grants ended: 1\n");
        assert_eq!(site.lookup(denied), Lookup::NotFound, "{}: published at once", case.name);
        let check = |when: &str| {
            site.log_in(denied);
            site.log_in(inside);
            site.log_in_and_wait(outside);
            assert!(!site.lists(denied) && !site.lists(inside), "{}, {when}", case.name);
            assert_eq!(why(&site, inside), "denied", "{}, {when}", case.name);
        };
        check("at once");
        first.kill9();
        let mut second = daemon(&site, &[]);
        check("after kill -9");
        assert_eq!(second.terminate(), Some(0), "{}", second.stderr());
        assert_eq!(pop_before_smtp(&[&["clear".to_owned()][..], &site.map_arguments(&[])].concat()).code, Some(0));
        let mut third = daemon(&site, &[]);
        check("after clear and a restart");

        assert_eq!(told(&site, &["deny", "--list"]), "198.51.100.0/24\n");
        assert_eq!(told(&site, &["deny", "198.51.100.0/24"]), "198.51.100.0/24 was denied already; grants ended: 0\n");
        assert!(told(&site, &["deny", "--remove", "198.51.100.1"]).contains("was not denied"));
        assert!(told(&site, &["deny", "--remove", "198.51.100.0/24"]).contains("is not denied any longer"));
        assert_eq!(told(&site, &["deny", "--list"]), "");
        site.log_in_and_wait(inside);
        assert_eq!(third.terminate(), Some(0), "{}", third.stderr());
    }
}

#[test]
fn to_deny_takes_no_daemon() {
    for (case, clean) in CASES.into_iter().flat_map(|case| [(case, false), (case, true)]) {
        let Some(site) = Site::new(case) else { continue };
        let (denied, other) = (ip("2001:db8::1"), ip("203.0.113.1"));
        let mut first = daemon(&site, &[]);
        site.log_in_and_wait(denied);
        site.log_in_and_wait(other);
        if clean {
            assert_eq!(first.terminate(), Some(0), "{}", first.stderr());
        } else {
            first.kill9();
        }
        let ended = usize::from(!clean);
        let text = told(&site, &["deny", "2001:db8::/32"]);
        assert_eq!(text, format!("2001:db8::/32 is denied; grants ended: {ended}\n"));
        assert_eq!(site.lookup_unprivileged(denied), Lookup::NotFound, "{}", case.name);
        let others = site.lookup_unprivileged(other);
        assert_eq!(matches!(others, Lookup::Found(_)), !clean, "{}: the others stay", case.name);
        assert_eq!(why(&site, denied), "denied");
        assert_eq!(object(&site, &["deny", "--list", "--json"]), json!({"network": "2001:db8::/32"}));
        let _second = daemon(&site, &[]);
        site.log_in(denied);
        site.log_in_and_wait(ip("203.0.113.2"));
        assert!(!site.lists(denied) && site.lists(other), "{}, clean {clean}", case.name);
    }
}

#[test]
fn what_root_decides_is_read_by_a_daemon_of_another_user() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let nobody = nix::unistd::User::from_name("nobody").unwrap().expect("user nobody").uid.as_raw();
    std::os::unix::fs::chown(site.map_dir(), Some(nobody), None).unwrap();
    // Before there ever was a daemon, by its socket, and between two.
    told(&site, &["deny", "203.0.113.1"]);
    let mut first = daemon(&site, &["--user", "nobody"]);
    told(&site, &["deny", "203.0.113.2"]);
    assert_eq!(first.terminate(), Some(0), "{}", first.stderr());
    told(&site, &["deny", "203.0.113.3"]);
    assert_eq!(why(&site, ip("203.0.113.2")), "denied");
    let _second = daemon(&site, &["--user", "nobody"]);
    assert_eq!(told(&site, &["deny", "--list"]), "203.0.113.1\n203.0.113.2\n203.0.113.3\n");
}

#[test]
fn a_grant_by_hand_keeps_its_length() {
    for case in CASES {
        let Some(site) = Site::new(case) else { continue };
        let (by_hand, short) = (ip("203.0.113.1"), ip("203.0.113.2"));
        let mut first = daemon(&site, &[]);
        let text = told(&site, &["grant", "::ffff:203.0.113.1", "--for", "2d"]);
        assert!(text.starts_with("203.0.113.1 may relay until ") && text.contains(" for 2 d 0 h"), "{text}");
        assert!(site.lists(by_hand), "{}: published at once", case.name);
        assert!(told(&site, &["grant", "203.0.113.2"]).contains(" for 30 min"));
        let end = expires(&site, by_hand);
        assert!(end - Timestamp::now().as_second() > 172_000);
        assert_eq!(why(&site, by_hand), "by-hand");
        // Logins go on in front of it and end before it, and its own takes nothing away.
        site.log_in(by_hand);
        site.log_in_and_wait(ip("198.51.100.1"));
        assert_eq!((why(&site, by_hand).as_str(), expires(&site, by_hand)), ("by-hand", end));
        first.kill9();
        let mut second = daemon(&site, &[]);
        assert!((expires(&site, by_hand) - end).abs() <= 1, "{}: after kill -9", case.name);
        assert_eq!(why(&site, by_hand), "by-hand", "{}: after kill -9", case.name);
        assert_eq!(second.terminate(), Some(0), "{}", second.stderr());
        let mut third = daemon(&site, &[]);
        assert!((expires(&site, by_hand) - end).abs() <= 1, "{}: after a clean stop", case.name);
        assert_eq!((why(&site, by_hand).as_str(), why(&site, short).as_str()), ("by-hand", "by-hand"));
        let rows = told(&site, &["list"]);
        assert!(rows.lines().any(|row| row.starts_with("203.0.113.1 ") && row.contains("by-hand")), "{rows}");
        told(&site, &["revoke", "203.0.113.1"]);
        third.kill9();
        let _fourth = daemon(&site, &[]);
        assert!(!site.lists(by_hand), "{}", case.name);
    }
}

#[test]
fn a_login_that_counts_for_longer_takes_the_place_of_a_grant_by_hand() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let mut first = daemon(&site, &[]);
    for (address, length) in [("203.0.113.1", "30m"), ("203.0.113.2", "31m"), ("203.0.113.3", "29m")] {
        told(&site, &["grant", address, "--for", length]);
        log_in_as(&site, "alice", ip(address));
    }
    site.log_in_and_wait(ip("198.51.100.1"));
    let all = || ["203.0.113.1", "203.0.113.2", "203.0.113.3"].map(|address| why(&site, ip(address)));
    assert_eq!(all(), ["login", "by-hand", "login"]);
    assert_eq!(first.terminate(), Some(0), "{}", first.stderr());
    let state = fs::read_to_string(site.state()).unwrap();
    assert!(!state.contains("203.0.113.2 ") && state.contains("203.0.113.3 "), "{state}");
    let _second = daemon(&site, &[]);
    assert_eq!(all()[1..], ["by-hand", "login"]);
}

#[test]
fn what_must_not_be_granted_is_not() {
    let Some(site) = Site::new(&cases::SQLITE) else { return };
    let _daemon = daemon(&site, &["--skip-networks", "10.0.0.0/8"]);
    told(&site, &["deny", "203.0.113.7"]);
    for (address, cause) in [
        ("127.0.0.1", "loopback, unspecified, multicast and broadcast addresses are never granted: no client has them"),
        ("::1", "loopback, unspecified, multicast and broadcast addresses are never granted: no client has them"),
        ("10.1.1.1", "it lies in 10.0.0.0/8 of --skip-networks"),
        ("203.0.113.7", "203.0.113.7 is denied; pop-before-smtp deny --remove 203.0.113.7"),
    ] {
        let refused = run(&site, &["grant", address]);
        assert_eq!(refused.code, Some(73), "{refused:?}");
        assert_eq!(refused.stderr, format!("error: cannot grant {address}: {cause}\n"));
        assert!(!site.lists(ip(address)));
    }
}

#[test]
fn a_file_of_overrides_that_others_can_write_stops_the_start() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let overrides = site.map_dir().join("pop-before-smtp.overrides");
    let mut first = daemon(&site, &[]);
    told(&site, &["deny", "198.51.100.1"]);
    assert_eq!(fs::metadata(&overrides).unwrap().permissions().mode() & 0o777, 0o600);
    site.log_in_and_wait(ip("198.51.100.2"));
    first.kill9();
    fs::set_permissions(&overrides, fs::Permissions::from_mode(0o666)).unwrap();
    let mut second = Daemon::start(&site.arguments(&[]));
    assert_eq!(second.wait(), Some(78), "{}", second.stderr());
    assert!(second.stderr().contains("others can write it"), "{}", second.stderr());
    assert!(!site.lists(ip("198.51.100.2")), "the table is empty, as after every failed start");
}

#[test]
fn a_file_of_overrides_that_cannot_be_written_is_told() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let _daemon = daemon(&site, &[]);
    site.log_in_and_wait(ip("198.51.100.1"));
    // What a directory stands in the way of cannot be written, not even by root.
    fs::create_dir(site.map_dir().join("pop-before-smtp.overrides")).unwrap();
    let told = run(&site, &["deny", "198.51.100.1"]);
    assert_eq!(told.code, Some(73), "{told:?}");
    assert!(told.stderr.contains("cannot keep deny 198.51.100.1 beyond a restart: cannot write "), "{told:?}");
    assert!(!site.lists(ip("198.51.100.1")), "but it holds");
}
