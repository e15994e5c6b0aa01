//! A publish that takes long, while there are questions.

use std::fs::File;
use std::io::{BufRead as _, Write as _};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::site::{connect, daemon, object, run, why};
use crate::support::cases::{self, Site, ip};
use crate::support::{SOON, wait_for};

/// Locks a table against writers, as a lookup of Postfix does, until it is dropped.
fn lock(site: &Site) -> File {
    let file = File::open(site.table_file()).expect("the table");
    let shared =
        libc::flock { l_type: libc::F_RDLCK as _, l_whence: libc::SEEK_SET as _, l_start: 0, l_len: 0, l_pid: 0 };
    fcntl(&file, FcntlArg::F_OFD_SETLK(&shared)).expect("the lock");
    file
}

/// All are answered, though nothing can be published: those who ask before it is tried, and those who ask meanwhile.
#[test]
fn questions_are_answered_while_a_publish_hangs() {
    let Some(site) = Site::new(&cases::LMDB_IN_PLACE) else { return };
    let mut daemon = daemon(&site, &[]);
    site.log_in_and_wait(ip("198.51.100.1"));
    let mut pending: Vec<_> = (0..8).map(|_| connect(&site)).collect();
    let held = lock(&site);
    site.log_in(ip("198.51.100.2"));
    for client in &mut pending {
        client.get_mut().write_all(b"\"status\"\n").unwrap();
    }
    for client in pending {
        let lines: Vec<_> = client.lines().map(|line| line.expect("an answer")).collect();
        assert!(lines.len() == 2 && lines[0].starts_with(r#"{"status":"#), "{lines:?}");
    }
    wait_for("the publish to have failed", SOON, || object(&site, &["status", "--json"])["published"] == false);
    assert_eq!(why(&site, ip("198.51.100.2")), "login");
    let revoked = run(&site, &["revoke", "198.51.100.1"]);
    assert_eq!(revoked.code, Some(75), "{revoked:?}");
    assert!(revoked.stderr.contains("cannot bring revoke 198.51.100.1 into the table yet"), "{revoked:?}");
    assert!(site.lists(ip("198.51.100.1")) && !site.lists(ip("198.51.100.2")), "else nothing was held up");
    drop(held);
    site.wait_listed(ip("198.51.100.2"));
    assert!(!site.lists(ip("198.51.100.1")));
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}
