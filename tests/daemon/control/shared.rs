//! `--max-users-per-address`: an address behind which many log in gets nothing.

use super::site::{daemon, log_in_as, object, told, why};
use crate::support::cases::{self, Site, ip};
use crate::support::{SOON, wait_for};

#[test]
fn an_address_of_too_many_users_loses_its_grant() {
    let Some(site) = Site::new(&cases::SQLITE) else { return };
    let mut daemon = daemon(&site, &["--max-users-per-address", "2"]);
    let (gateway, home, office) = (ip("198.51.100.1"), ip("198.51.100.2"), ip("198.51.100.3"));
    for user in ["alice", "bob", "alice", "bob"] {
        log_in_as(&site, user, gateway);
        log_in_as(&site, "carol", home);
    }
    site.wait_listed(gateway);
    log_in_as(&site, "dora", gateway);
    wait_for("the grant to end", SOON, || !site.lists(gateway));
    assert_eq!(why(&site, gateway), "shared");
    assert!(told(&site, &["explain", "198.51.100.1"]).contains("more than 2 users have logged in from it"));
    for user in ["alice", "eve", "alice", "bob"] {
        log_in_as(&site, user, gateway);
    }
    for user in ["a", "b", "c"] {
        log_in_as(&site, user, office);
    }
    site.log_in_and_wait(ip("198.51.100.9"));
    assert!(!site.lists(gateway) && !site.lists(office) && site.lists(home));
    let warnings = daemon.stderr().lines().filter(|line| line.contains("more than 2 users")).count();
    assert_eq!(warnings, 1, "one for an address, and not more than one a minute: {}", daemon.stderr());

    // What the operator says counts, also when a login has made it longer.
    told(&site, &["grant", "198.51.100.1", "--for", "10m"]);
    for (user, marker) in [("alice", "198.51.100.10"), ("bob", "198.51.100.12"), ("gil", "198.51.100.13")] {
        log_in_as(&site, user, gateway);
        site.log_in_and_wait(ip(marker));
        assert!(site.lists(gateway), "{user}");
    }
    let granted = object(&site, &["explain", "198.51.100.1", "--json"]);
    let now = jiff::Timestamp::now().as_second();
    assert!(granted["expires"].as_i64().is_some_and(|end| end > now + 1200), "{granted}");
    assert_eq!(object(&site, &["status", "--json"])["max_users_per_address"], 2);

    // A daemon that was killed has read the log again and knows.
    told(&site, &["revoke", "198.51.100.1"]);
    daemon.kill9();
    log_in_as(&site, "frank", ip("198.51.100.11"));
    let _next = super::site::daemon(&site, &["--max-users-per-address", "2"]);
    site.wait_listed(ip("198.51.100.11"));
    assert!(!site.lists(office), "it is shared");
    assert_eq!(why(&site, office), "shared");
}

#[test]
fn a_clean_stop_does_not_begin_the_count_anew() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let (gateway, other) = (ip("198.51.100.1"), ip("198.51.100.2"));
    let run = |users: &[&str], marker: &str| {
        let mut daemon = daemon(&site, &["--max-users-per-address", "2"]);
        users.iter().for_each(|user| log_in_as(&site, user, gateway));
        log_in_as(&site, "carol", other);
        site.log_in_and_wait(ip(marker));
        let listed = (site.lists(gateway), site.lists(other));
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
        listed
    };
    assert_eq!(run(&["alice", "bob"], "198.51.100.7"), (true, true));
    assert_eq!(run(&["bob", "alice"], "198.51.100.8"), (true, true), "known by their names");
    assert_eq!(run(&["dora"], "198.51.100.9"), (false, true), "the third");
    assert_eq!(run(&["alice"], "198.51.100.10"), (false, true), "still the third");
    let state = std::fs::read_to_string(site.state()).unwrap();
    assert!(state.contains("\n@user 198.51.100.1 ") && !state.contains("dora"), "{state}");
}
