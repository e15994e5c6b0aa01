//! Those who read a table and the one who writes it do not get into each other's way, whatever rights each has.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;

use crate::support::cases::{self, Case, Site, ip};
use crate::support::daemon::Daemon;
use crate::support::postfix::Lookup;
use crate::support::{SOON, eventually, wait_for};

const BACKENDS: [&Case; 4] = [&cases::POSTMAP_HASH, &cases::POSTMAP_LMDB, &cases::LMDB, &cases::SQLITE];

/// A reader that comes and goes with root's rights may write what it reads: SQLite lets the first reader that finds
/// no other user clean up the shared memory file under the feet of a writer whose lock got lost.
#[test]
fn a_privileged_reader_that_comes_and_goes_disturbs_nothing() {
    for case in BACKENDS {
        let Some(site) = Site::new(case) else { return };
        let mut daemon = site.daemon(&[]);
        for last in 1..=logins(case) {
            let client = ip(&format!("198.51.100.{last}"));
            assert_eq!(site.lookup(client), Lookup::NotFound, "{}: before login {last}", case.name);
            site.log_in(client);
            let listed = eventually(SOON, || {
                daemon.assert_runs();
                site.lists(client)
            });
            assert!(listed, "{}: login {last} is not published:\n{}", case.name, daemon.stderr());
        }
        assert_eq!(daemon.terminate(), Some(0), "{}: {}", case.name, daemon.stderr());
    }
}

/// The others leave a second between two publishes, and have no memory to share.
fn logins(case: &Case) -> u8 {
    if case.name == cases::SQLITE.name { 20 } else { 3 }
}

/// Postfix reads as user postfix what the daemon writes as root, also once the daemon has stopped or was killed.
#[test]
fn an_unprivileged_reader_is_served_whatever_the_umask() {
    for case in BACKENDS {
        let Some(site) = Site::new(case) else { return };
        let client = ip("198.51.100.7");
        let arguments = site.arguments(&[]);
        let mut daemon = Daemon::start_with_strict_umask(&arguments);
        daemon.wait_following(&site.log);
        assert_eq!(site.lookup_unprivileged(client), Lookup::NotFound, "{}: at the start", case.name);
        site.log_in_and_wait(client);
        assert!(matches!(site.lookup_unprivileged(client), Lookup::Found(_)), "{}: after a login", case.name);
        daemon.kill9();
        assert!(matches!(site.lookup_unprivileged(client), Lookup::Found(_)), "{}: after a crash", case.name);

        let mut daemon = Daemon::start_with_strict_umask(&arguments);
        daemon.wait_following(&site.log);
        assert!(matches!(site.lookup_unprivileged(client), Lookup::Found(_)), "{}: after a restart", case.name);
        assert_eq!(daemon.terminate(), Some(0), "{}: {}", case.name, daemon.stderr());
        assert_eq!(site.lookup_unprivileged(client), Lookup::NotFound, "{}: after a clean stop", case.name);
    }
}

/// On a quiet site the next login may be far.
#[test]
fn a_table_that_is_removed_comes_back_without_a_login() {
    // Each waits for the daemon to look at its table, which is seldom.
    std::thread::scope(|scope| {
        for case in [&cases::POSTMAP_HASH, &cases::LMDB, &cases::LMDB_IN_PLACE, &cases::SQLITE] {
            scope.spawn(|| comes_back(case));
        }
    });
}

fn comes_back(case: &'static Case) {
    let Some(site) = Site::new(case) else { return };
    let client = ip("198.51.100.7");
    let mut daemon = site.daemon(&[]);
    site.log_in_and_wait(client);
    fs::remove_file(site.table_file()).expect("the table");
    wait_for("the table again", SOON, || matches!(site.lookup_unprivileged(client), Lookup::Found(_)));
    let in_place = case.name == cases::LMDB_IN_PLACE.name;
    daemon.wait_logged(if in_place { "in place: it is missing" } else { "removed or changed by another program" });
    assert_eq!(daemon.terminate(), Some(0), "{}: {}", case.name, daemon.stderr());
}

/// A writer that is killed between the two copies of the header of SQLite's shared memory leaves two that differ. The
/// next reader has to build the index again, while an older one keeps it in use.
#[test]
fn a_shared_memory_header_that_is_half_written_is_mended_by_a_reader() {
    let Some(site) = Site::new(&cases::SQLITE) else { return };
    let client = ip("198.51.100.7");
    let mut daemon = site.daemon(&[]);
    site.log_in_and_wait(client);
    let memory = site.map().with_extension("sqlite-shm");
    let mut reader = site.reader_that_stays(ip("198.51.100.8"));
    let maps = format!("/proc/{}/maps", reader.id());
    wait_for("a reader that has the memory in use", SOON, || {
        fs::read_to_string(&maps).is_ok_and(|maps| maps.contains("sqlite-shm"))
    });
    daemon.kill9();

    // 48 bytes each (https://sqlite.org/walformat.html, section 2.1); the change counter is at offset 8.
    let file = OpenOptions::new().read(true).write(true).open(&memory).expect("the shared memory");
    let mut copies = [0; 96];
    file.read_exact_at(&mut copies, 0).expect("its header");
    assert_eq!(copies[..48], copies[48..], "the writer was idle");
    file.write_all_at(&[copies[8].wrapping_add(1)], 8).expect("half a change");

    assert!(matches!(site.lookup_unprivileged(client), Lookup::Found(_)));
    drop(reader.stdin.take());
    reader.wait().expect("postmap");
}
