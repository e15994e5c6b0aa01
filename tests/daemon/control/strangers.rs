//! Who may not ask, and what those who connect without an honest question can do to the daemon.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::site::{ask, connect, daemon, object, objects, socket};
use crate::support::cases::{self, Site, append_raw, ip, login_line};
use crate::support::command::{Finished, finish};
use crate::support::{Need, SOON, require, wait_for};

fn counted(site: &Site, what: &str) -> u64 {
    object(site, &["status", "--json"])["control"][what].as_u64().unwrap()
}

/// Runs a command as user nobody.
fn as_nobody(site: &Site, program: &Path, words: &[&str]) -> Finished {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program).args(words);
    finish(command.args(site.map_arguments(&[])))
}

#[test]
fn another_user_is_refused() {
    if !require(&[Need::Program("setpriv"), Need::Postfix]) {
        return;
    }
    let Some(site) = Site::new(&cases::LMDB) else { return };
    // Where it was built may be closed to others.
    let program = site.join("pop-before-smtp");
    fs::copy(env!("CARGO_BIN_EXE_pop-before-smtp"), &program).unwrap();
    let _daemon = daemon(&site, &[]);
    site.log_in_and_wait(ip("198.51.100.1"));
    let mode = |mode| fs::set_permissions(socket(&site), fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(fs::metadata(socket(&site)).unwrap().permissions().mode() & 0o777, 0o600);
    // First by the mode of the socket, then by who it is.
    for (open, refused) in [(0o600, 0), (0o666, 2)] {
        mode(open);
        for words in [&["status"][..], &["deny", "198.51.100.1"]] {
            let finished = as_nobody(&site, &program, words);
            assert_eq!(finished.code, Some(77), "{open:o}: {finished:?}");
            assert!(finished.stderr.contains("run as root or as the daemon's user"), "{finished:?}");
        }
        assert_eq!(counted(&site, "refused"), refused, "{open:o}");
        assert!(site.lists(ip("198.51.100.1")));
        // The table is for Postfix.
        let listed = as_nobody(&site, &program, &["list"]);
        assert_eq!(listed.code, Some(66), "{open:o}: {listed:?}");
        let cure = ": permission denied; run as root, or as the owner of the table or a member of its group\n";
        assert!(listed.stderr.ends_with(cure), "{open:o}: {listed:?}");
    }
}

#[test]
fn ten_thousand_bad_requests_keep_nobody_from_logging_in() {
    let Some(site) = Site::new(&cases::LMDB_IN_PLACE) else { return };
    let mut daemon = daemon(&site, &[]);
    let mut random = Random(7);
    let mut slowest = Duration::ZERO;
    for round in 0..10_000u32 {
        bad_request(&site, &mut random, round);
        if round.is_multiple_of(500) {
            let client = IpAddr::V4(Ipv4Addr::from_bits(0xc633_6400 + round / 500));
            let begin = Instant::now();
            site.log_in_and_wait(client);
            slowest = slowest.max(begin.elapsed());
        }
    }
    daemon.assert_runs();
    println!("slowest publish between bad requests, with the time to look: {slowest:?}");
    // A connection that was closed early may be noticed a little later.
    wait_for("all bad requests to be counted", SOON, || counted(&site, "bad") == 10_000);
    assert_eq!(objects(&site, &["list", "--json"]).len(), 20);
    assert!(daemon.stderr().lines().count() < 100, "no line for each: {}", daemon.stderr());
}

/// Random bytes, too much, half a line, or nothing at all.
fn bad_request(site: &Site, random: &mut Random, round: u32) {
    let mut stream = UnixStream::connect(socket(site)).expect("it listens");
    let request = match round % 5 {
        0 => random.bytes(200, b"\n"),
        1 => vec![b'x'; 4096],
        2 => b"\"list\"".to_vec(),
        3 => b"{\"deny\":\"0.0.0.0/33\"}\n".to_vec(),
        _ => Vec::new(),
    };
    // The daemon may have had enough already.
    let _ = stream.write_all(&request);
    if round.is_multiple_of(2) {
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, most: u64, end: &[u8]) -> Vec<u8> {
        let length = self.next() % most;
        (0..length).map(|_| self.next() as u8).chain(end.iter().copied()).collect()
    }
}

#[test]
fn idle_connections_are_given_up() {
    // More than the daemon takes at once.
    const IDLE: u64 = 40;
    let Some(site) = Site::new(&cases::LMDB_IN_PLACE) else { return };
    let mut daemon = daemon(&site, &[]);
    let idle: Vec<_> = (0..IDLE).map(|_| UnixStream::connect(socket(&site)).expect("it listens")).collect();
    // They do not keep it from its work, and the next one has its turn when those in front of it are gone.
    site.log_in_and_wait(ip("198.51.100.1"));
    let asked = object(&site, &["explain", "198.51.100.1", "--json"]);
    assert_eq!(asked["granted"], Value::Bool(true));
    daemon.assert_runs();
    wait_for("the last of them to be given up", SOON, || counted(&site, "dropped") == IDLE);
    drop(idle);
}

#[test]
fn a_client_that_does_not_read_a_long_list_holds_up_nobody() {
    const GRANTS: u32 = 20_000;
    let Some(site) = Site::new(&cases::LMDB_IN_PLACE) else { return };
    let mut daemon = daemon(&site, &["--entries", "30000", "--sync", "never"]);
    let lines: String =
        (0..GRANTS).map(|number| login_line(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number))) + "\n").collect();
    append_raw(&site.log, lines.as_bytes());
    site.wait_listed(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + GRANTS - 1)));

    let mut deaf = connect(&site);
    deaf.get_mut().write_all(b"\"list\"\n").unwrap();
    let memory = resident(daemon.pid());
    site.log_in_and_wait(ip("198.51.100.1"));
    let list = ask(&site, b"\"list\"\n");
    assert_eq!(list.len() as u32, GRANTS + 2, "another client reads all of it meanwhile");
    assert_eq!(list.last().unwrap(), &format!(r#"{{"end":{{"lines":{}}}}}"#, GRANTS + 1));
    let grown = resident(daemon.pid()).saturating_sub(memory);
    println!("two lists of {} bytes took {grown} KiB", list.iter().map(|line| line.len() + 1).sum::<usize>());
    assert!(grown < 1024, "a list is not held in memory: {grown} KiB");
    wait_for("the deaf client to be given up", SOON, || counted(&site, "dropped") == 1);
    let mut rest = String::new();
    let _ = deaf.read_to_string(&mut rest);
    assert!(!rest.contains(r#"{"end""#), "what was cut short does not look whole");
    daemon.assert_runs();
}

/// Resident memory in KiB.
fn resident(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
