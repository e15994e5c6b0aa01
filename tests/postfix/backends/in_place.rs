//! LMDB in place, with readers that stay: one of Postfix, and one that was stopped while it had its lock.

use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use pop_before_smtp_backends::{Backend, BackendError, Client, ErrorKind, LmdbUpdate, Update};

use super::ring::later;
use super::site::User::Myself;
use super::site::{Case, Site, cases, skip};
use super::{client, publish, this_test};

fn in_place() -> Option<Case> {
    let found = cases().into_iter().find(|case| case.lmdb_update == LmdbUpdate::InPlace);
    if found.is_none() {
        skip("LMDB in place: not compiled in");
    }
    found
}

fn many(count: u32) -> Vec<Client> {
    let address = |number| IpAddr::V4(Ipv4Addr::from(0x0A00_0000 + number));
    (0..count).map(|number| Client { address: address(number), expires: later(0) }).collect()
}

fn publish_all(backend: &mut dyn Backend, clients: &Vec<Client>) -> Result<(), BackendError> {
    backend.publish(&Update { added: clients, extended: &[], removed: &[], clients })
}

#[test]
fn a_reader_follows_a_table_that_outgrows_every_map() {
    let Some(case) = in_place() else { return };
    let mut site = Site::new(&case);
    // Two to a page: 80 MiB, more than the reader maps at first (lmdb_map_size, 16 MiB) and more than we do.
    site.options.value = Some("x".repeat(1900));
    site.options.sync = false;
    let mut backend = (case.driver.open)(&site.options).unwrap();
    publish_all(&mut *backend, &many(4)).unwrap();
    let inode = fs::metadata(site.table(&case)).unwrap().ino();

    let mut reader = site.reader(&case);
    let (mut queries, mut answers) = (reader.stdin.take().unwrap(), reader.stdout.take().unwrap());
    let mut seen = Vec::new();
    let stages =
        [(4, "10.0.0.3", "10.0.0.0"), (12_000, "10.0.46.223", "10.0.0.1"), (42_000, "10.0.164.15", "10.0.0.2")];
    for (count, last, second) in stages {
        publish_all(&mut *backend, &many(count)).unwrap();
        // It keeps answers back until they fill its buffer; the second key is there whatever becomes of the first.
        let asked = format!("{last}\n").repeat(8) + &format!("{second}\n").repeat(8);
        queries.write_all(asked.as_bytes()).unwrap();
        seen.clear();
        let has = |seen: &[u8], key: &str| seen.windows(key.len()).any(|window| window == key.as_bytes());
        while !has(&seen, &format!("{second}\t")) {
            let mut block = [0; 4096];
            let length = answers.read(&mut block).unwrap();
            assert!(length > 0, "the reader has ended, asked for {last}");
            seen.extend_from_slice(&block[..length]);
        }
        assert!(has(&seen, &format!("{last}\t")), "{last} is not found");
    }
    assert!(fs::metadata(site.table(&case)).unwrap().len() > 64 << 20);
    assert_eq!(fs::metadata(site.table(&case)).unwrap().ino(), inode);
    drop((queries, answers));
    reader.wait().unwrap();
}

/// A process that was stopped while it read the table.
struct Stopped {
    child: Child,
    input: Option<ChildStdin>,
    /// Or it could not write its last words.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Stopped {
    fn new(case: &Case, site: &Site) -> Self {
        let mut command = this_test(case, site, "hold lock", "exec");
        command.env("PBSM_TEST_TABLE", site.table(case));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while !lines.next().unwrap().unwrap().ends_with("ready") {}
        let input = child.stdin.take();
        let stopped = Self { child, input, _output: lines };
        kill(stopped.pid(), Signal::SIGSTOP).unwrap();
        let state = waitpid(stopped.pid(), Some(WaitPidFlag::WUNTRACED)).unwrap();
        assert!(matches!(state, WaitStatus::Stopped(..)), "{state:?}");
        stopped
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }

    /// Lets it go on, to the end of its lookup.
    fn go_on(mut self) {
        kill(self.pid(), Signal::SIGCONT).unwrap();
        drop(self.input.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_reader_that_was_stopped_holds_up_a_publish_but_not_the_daemon() {
    let Some(case) = in_place() else { return };
    let site = Site::new(&case);
    let mut backend = (case.driver.open)(&site.options).unwrap();
    publish(&mut *backend, &[client("192.0.2.1")]);
    let inode = || fs::metadata(site.table(&case)).unwrap().ino();
    let first = inode();

    let stopped = Stopped::new(&case, &site);
    let both = vec![client("192.0.2.1"), client("192.0.2.2")];
    for _ in 0..2 {
        let update = Update { added: &both[1..], extended: &[], removed: &[], clients: &both };
        let error = backend.publish(&update).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
        assert!(error.cure.unwrap().contains("lslocks"));
        assert_eq!(backend.list().unwrap().len(), 1);
        assert!(site.lookup(&case, "192.0.2.1", Myself).unwrap().is_some());
    }
    stopped.go_on();
    publish_all(&mut *backend, &both).unwrap();
    assert_eq!((backend.list().unwrap().len(), inode()), (2, first));
    assert!(site.lookup(&case, "192.0.2.2", Myself).unwrap().is_some());
}

#[test]
fn a_reader_that_was_stopped_keeps_no_grant_in_the_table() {
    let Some(case) = in_place() else { return };
    let site = Site::new(&case);
    let mut backend = (case.driver.open)(&site.options).unwrap();
    publish(&mut *backend, &[client("192.0.2.1")]);
    let stopped = Stopped::new(&case, &site);
    backend.clear().unwrap();
    assert_eq!(site.lookup(&case, "192.0.2.1", Myself), Ok(None));
    // The lock is on the file that was there before.
    publish(&mut *backend, &[client("192.0.2.2")]);
    assert!(site.lookup(&case, "192.0.2.2", Myself).unwrap().is_some());
    stopped.go_on();
}

#[test]
fn a_transaction_that_finds_no_room_changes_nothing() {
    let Some(case) = in_place() else { return };
    let Some(site) = Site::on_small_disk(&case) else { return skip("a full disk: cannot mount a tmpfs") };
    let mut backend = (case.driver.open)(&site.options).unwrap();
    let inode = || fs::metadata(site.table(&case)).unwrap().ino();
    publish_all(&mut *backend, &many(200)).unwrap();
    for round in 0..3 {
        let file = inode();
        site.fill_disk();
        let error = publish_all(&mut *backend, &many(3000)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::CannotCreate, "{error}");
        assert!(error.to_string().ends_with("; free some space"), "{error}");
        assert_eq!(backend.list().unwrap().len(), 200);
        assert!(site.lookup(&case, "10.0.0.199", Myself).unwrap().is_some());
        backend.clear().unwrap();
        assert_eq!(site.lookup(&case, "10.0.0.199", Myself), Ok(None));
        // A new file has no page free for this and gives way to the spare one; pages that were used once are enough.
        assert_eq!(inode() == file, round > 0, "round {round}");
        site.free_disk();
        publish_all(&mut *backend, &many(200)).unwrap();
        publish_all(&mut *backend, &many(150)).unwrap();
        publish_all(&mut *backend, &many(200)).unwrap();
        assert_eq!(backend.list().unwrap().len(), 200);
    }
}
