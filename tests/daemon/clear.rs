//! `clear` takes what a killed daemon has granted out of the table, whatever the backend, and leaves a live one alone.

use std::fs;

use crate::support::cases::{self, Case, Site, ip};
use crate::support::command::{Finished, pop_before_smtp};
use crate::support::postfix::Lookup;

const CASES: [&Case; 4] = [&cases::POSTMAP_HASH, &cases::POSTMAP_LMDB, &cases::LMDB, &cases::SQLITE];

fn clear(site: &Site) -> Finished {
    pop_before_smtp(&[&["clear".to_owned()][..], &site.map_arguments(&[])].concat())
}

#[test]
fn a_killed_daemon_s_grants_are_gone() {
    for case in CASES {
        let Some(site) = Site::new(case) else { continue };
        let (granted, new) = (ip("198.51.100.1"), ip("198.51.100.2"));
        let mut daemon = site.daemon(&[]);
        site.log_in_and_wait(granted);
        daemon.kill9();
        assert!(site.lists(granted), "{}: else there is nothing to clear", case.name);

        for _ in 0..2 {
            let cleared = clear(&site);
            assert_eq!(cleared.code, Some(0), "{}: {cleared:?}", case.name);
            // Before root looks, who would remove -wal and -shm of the SQLite table.
            assert_eq!(site.lookup_unprivileged(granted), Lookup::NotFound, "{}", case.name);
        }
        assert_eq!(site.lookup(granted), Lookup::NotFound, "{}", case.name);
        // Whose lines would count again by their times.
        site.start_log_anew();
        let mut next = site.daemon(&[]);
        assert!(next.stderr().contains("with 0 grants"), "{}: {}", case.name, next.stderr());
        site.log_in_and_wait(new);
        assert!(!site.lists(granted), "{}", case.name);
        assert_eq!(next.terminate(), Some(0), "{}", next.stderr());
    }
}

#[test]
fn the_grants_of_a_clean_stop_survive() {
    for case in CASES {
        let Some(site) = Site::new(case) else { continue };
        let mut daemon = site.daemon(&[]);
        site.log_in_and_wait(ip("198.51.100.1"));
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
        let cleared = clear(&site);
        assert_eq!(cleared.code, Some(0), "{}: {cleared:?}", case.name);
        site.start_log_anew();
        let _daemon = site.daemon(&[]);
        assert!(site.lists(ip("198.51.100.1")), "{}", case.name);
    }
}

#[test]
fn the_table_of_a_live_daemon_is_left_alone() {
    for case in CASES {
        let Some(site) = Site::new(case) else { continue };
        let mut daemon = site.daemon(&[]);
        site.log_in_and_wait(ip("198.51.100.1"));
        let refused = clear(&site);
        assert_eq!(refused.code, Some(75), "{}: {refused:?}", case.name);
        let said = format!(
            "error: cannot clear the table of map {}: a running pop-before-smtp (process {}) serves it; stop it; a clean \
             stop empties the table\n",
            site.map().display(),
            daemon.pid()
        );
        assert_eq!(refused.stderr, said, "{}", case.name);
        assert!(site.lists(ip("198.51.100.1")), "{}", case.name);
        daemon.assert_runs();
    }
}

#[test]
fn where_there_is_no_table_none_is_made() {
    for case in CASES {
        let Some(site) = Site::new(case) else { continue };
        let cleared = clear(&site);
        assert_eq!(cleared.code, Some(0), "{}: {cleared:?}", case.name);
        assert!(cleared.stderr.contains("nothing to clear"), "{}: {cleared:?}", case.name);
        assert_eq!(fs::read_dir(site.map_dir()).unwrap().count(), 0, "{}", case.name);
    }
}

#[test]
fn a_mistake_in_the_options_is_no_success() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let mut daemon = site.daemon(&[]);
    site.log_in_and_wait(ip("198.51.100.1"));
    let map = site.map().display().to_string();
    let other_backend = ["clear", "--backend", "sqlite", "--map", &map];
    assert_eq!(pop_before_smtp(&other_backend).code, Some(75), "a daemon serves the map");
    daemon.kill9();
    let refused = pop_before_smtp(&other_backend);
    assert_eq!(refused.code, Some(66), "{refused:?}");
    assert!(refused.stderr.contains(".lmdb; name the daemon's backend with --backend"), "{refused:?}");
    let mistyped = site.join("nosuch/map").display().to_string();
    let refused = pop_before_smtp(&["clear", "--backend", "lmdb", "--map", &mistyped]);
    assert_eq!(refused.code, Some(66), "{refused:?}");
    assert!(refused.stderr.contains("its directory does not exist; name the daemon's table with --map"), "{refused:?}");
}

#[test]
fn a_mistake_in_the_file_is_told_when_the_table_is_empty() {
    let matcher = "[[matcher]]\nname = 'acme'\nprograms = ['acme']\nlogin = 'user (?P<user>.*) from (?P<ip>[0-9.]+)'\n";
    for (mistake, says) in [("graze = 5\n", "graze; did you mean grace?"), (matcher, ":6:9: login of matcher acme")] {
        let Some(site) = Site::new(&cases::LMDB) else { return };
        let mut daemon = site.daemon(&[]);
        site.log_in_and_wait(ip("198.51.100.1"));
        daemon.kill9();
        let file = site.join("pbs.toml");
        let text = format!("backend = 'lmdb'\n{mistake}");
        fs::write(&file, format!("map = '{}'\n{text}", site.map().display())).unwrap();
        let config = file.display().to_string();
        assert_eq!(pop_before_smtp(&["list", "--config", &config]).code, Some(78), "only clear goes on");
        let cleared = pop_before_smtp(&["clear", "--config", &config]);
        assert_eq!(cleared.code, Some(78), "{cleared:?}");
        assert!(cleared.stderr.contains("is empty\n") && cleared.stderr.contains(says), "{cleared:?}");
        assert!(!site.lists(ip("198.51.100.1")));
    }
}

#[test]
fn with_a_mistake_in_the_name_of_the_table_no_other_is_cleared() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let file = site.join("pbs.toml");
    for (mistake, says) in [("map = 5", ":2:7: map takes text"), ("mpa = '/x'", "mpa; did you mean map?")] {
        fs::write(&file, format!("backend = 'lmdb'\n{mistake}\n")).unwrap();
        let refused = pop_before_smtp(&["clear", "--config", file.to_str().unwrap()]);
        assert_eq!(refused.code, Some(78), "{refused:?}");
        assert!(refused.stderr.contains(says) && refused.stderr.lines().count() == 1, "{refused:?}");
    }
}

#[test]
fn a_start_that_fails_leaves_nothing_of_a_killed_daemon() {
    for case in CASES {
        let Some(site) = Site::new(case) else { continue };
        let mut daemon = site.daemon(&[]);
        site.log_in_and_wait(ip("198.51.100.1"));
        daemon.kill9();
        let pid_file = site.join("nosuch/pid").display().to_string();
        let refused = pop_before_smtp(&site.arguments(&["--pid-file", &pid_file]));
        assert_eq!(refused.code, Some(73), "{}: {refused:?}", case.name);
        assert!(!site.lists(ip("198.51.100.1")), "{}", case.name);
    }
}

#[test]
fn a_table_that_is_not_ours_is_left_alone() {
    let Some(site) = Site::new(&cases::SQLITE) else { return };
    let table = site.map().with_extension("sqlite");
    fs::write(&table, "something else").unwrap();
    let refused = clear(&site);
    assert_eq!(refused.code, Some(78), "{refused:?}");
    assert_eq!(fs::read(&table).unwrap(), b"something else");
}
