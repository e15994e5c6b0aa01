//! Another program that locks the SQLite table for seconds: one line when it begins, one when it is over, no login lost.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use support::cases::{self, Site, ip};
use support::{Need, require};

#[test]
fn a_locked_table_is_published_later() {
    let Some(site) = Site::new(&cases::SQLITE) else { return };
    if !require(&[Need::Program("sqlite3")]) {
        return;
    }
    let mut daemon = site.daemon(&[]);
    site.log_in_and_wait(ip("198.51.100.1"));

    let mut other = Command::new("sqlite3")
        .arg(site.map().with_extension("sqlite"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sqlite3");
    let mut input = other.stdin.take().unwrap();
    writeln!(input, "BEGIN IMMEDIATE;\nSELECT 'locked';").unwrap();
    let mut said = String::new();
    BufReader::new(other.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "locked\n");

    site.log_in(ip("198.51.100.2"));
    daemon.wait_logged("error: cannot write table");
    // The log is followed all the same.
    site.log_in(ip("198.51.100.3"));
    daemon.wait_logged("granted 198.51.100.3");
    assert!(site.lists(ip("198.51.100.1")), "readers are not locked out");
    assert!(!site.lists(ip("198.51.100.2")));
    writeln!(input, "ROLLBACK;").unwrap();
    drop(input);
    other.wait().unwrap();

    daemon.wait_logged("table is published again after");
    assert!(site.lists(ip("198.51.100.2")) && site.lists(ip("198.51.100.3")));
    let told = daemon.stderr();
    assert_eq!(told.matches("error:").count(), 1, "{told}");
    assert!(told.contains("database is locked; find the program that holds a lock on it"), "{told}");
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}
