//! There is no room any more for what the database has to write.

use super::{can_run, client, hosts};
use crate::support::postgres::Postgres;
use crate::support::{Need, SOON, Scratch, require, wait_for};
use std::fs::{self, File};
use std::io::Write as _;
use std::process::Command;

/// A small file system of the server's.
struct Disk(Scratch);

impl Disk {
    fn mount(size: &str) -> Self {
        let at = Scratch::new();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", size, "pop-before-smtp-test"]).arg(at.path());
        assert!(mount.status().unwrap().success(), "cannot mount a tmpfs");
        let user = nix::unistd::User::from_name("postgres").unwrap().unwrap();
        nix::unistd::chown(at.path(), Some(user.uid), Some(user.gid)).unwrap();
        Self(at)
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut rest = File::create(self.0.join("rest")).unwrap();
        while rest.write_all(&[0; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        fs::remove_file(self.0.join("rest")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn a_database_whose_disk_is_full_is_waited_for() {
    if !can_run() || !require(&[Need::Mounts]) {
        return;
    }
    let disk = Disk::mount("size=1m");
    let postgres = Postgres::start();
    postgres.sql(&format!("CREATE TABLESPACE small LOCATION '{}'", disk.0.path().display()));
    postgres.sql("ALTER TABLE pop_before_smtp.grants SET TABLESPACE small");
    let (alone, giver, taker) = hosts(&postgres);
    disk.fill();
    // More than there is room for in what the table has already.
    (2..300).for_each(|number| giver.log_in(client(number)));
    giver.wait_until_grants_is(true, client(299));
    giver.wait_broken("No space left on device");
    alone.serves(&giver, 300);
    alone.serves(&taker, 301);
    assert!(taker.grants(client(1)) && !taker.status().contains("cannot be used"), "reading goes on");
    disk.make_room();
    (2..=300).step_by(60).chain([300]).for_each(|number| taker.wait_until_grants_is(true, client(number)));
    wait_for("all of them", SOON, || taker.count() == 301);
    drop(postgres);
}

/// Without room for its log of changes the server ends, and does not start.
#[test]
fn a_database_without_room_for_its_log_is_waited_for() {
    if !can_run() || !require(&[Need::Mounts]) {
        return;
    }
    let disk = Disk::mount("size=40m");
    // Nothing old makes room by itself.
    let mut postgres = Postgres::start_with("wal_keep_size = 1GB");
    postgres.stop();
    let moved = Command::new("mv").arg(postgres.file("pg_wal")).arg(disk.0.path()).status().unwrap();
    assert!(moved.success());
    std::os::unix::fs::symlink(disk.0.join("pg_wal"), postgres.file("pg_wal")).unwrap();
    postgres.start_again();
    let (alone, giver, taker) = hosts(&postgres);
    disk.fill();
    while postgres.try_sql("SELECT pg_current_xact_id(); SELECT pg_switch_wal()").is_ok() {}
    assert!(postgres.log().contains("No space left on device"), "{}", postgres.log());
    alone.serves(&giver, 2);
    giver.wait_broken("");
    taker.wait_broken("");
    alone.serves(&giver, 3);
    alone.serves(&taker, 4);
    assert!(taker.grants(client(1)), "what was taken stays");
    assert!(postgres.try_sql("SELECT pop_before_smtp.next_change()").is_err(), "there is no room yet");
    postgres.kill9();
    disk.make_room();
    postgres.start_again();
    (1..=3).for_each(|number| taker.wait_until_grants_is(true, client(number)));
    giver.wait_connected();
    drop(postgres);
}
