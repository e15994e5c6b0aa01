//! Judges what was logged: which logins there are, and which of them nobody made.

use super::loggers::Logger;
use super::servers::Server;
use super::talk::GENUINE;
use super::{log_of, own_log};
use pop_before_smtp::matcher::{Action, Matchers};
use pop_before_smtp::time::Timestamp;
use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

/// What the reading of logs came to, as numbers of logins.
#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) genuine: usize,
    pub(crate) forged: usize,
    /// What would be forged if each line were believed to be a message of its own.
    pub(crate) teeth: usize,
    pub(crate) bytes: usize,
}

impl Verdict {
    pub(crate) fn add(&mut self, other: Self) {
        self.genuine += other.genuine;
        self.forged += other.forged;
        self.teeth += other.teeth;
        self.bytes += other.bytes;
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { genuine, forged, teeth, bytes } = self;
        write!(f, "{bytes} bytes of log, {genuine} logins, {forged} forged, {teeth} if each line were believed")
    }
}

/// Logins, by address: how many, and the line of the first.
type Logins = BTreeMap<IpAddr, (usize, String)>;

fn note(logins: &mut Logins, address: IpAddr, line: &[u8]) {
    let first = || (0, String::from_utf8_lossy(line).into_owned());
    logins.entry(address).or_insert_with(first).0 += 1;
}

/// The logins of a log file.
fn logins(log: &[u8], escaped: bool) -> Logins {
    let mut matchers = Matchers::all();
    matchers.take_newlines_for_escaped(escaped);
    let mut logins = Logins::new();
    matchers.scan(Timestamp::default(), log, &mut |at, event| {
        if event.action == Action::Login {
            note(&mut logins, event.client, log[at..].split(|&byte| byte == b'\n').next().unwrap_or_default());
        }
    });
    logins
}

/// The logins of a journal, as the daemon grants them.
fn logins_of_journal(directory: &Path) -> Logins {
    let map = directory.with_extension("map");
    let output = Command::new(env!("CARGO_BIN_EXE_pop-before-smtp"))
        .args(["--source", "journal", "--journal-uid", "0", "--journal-directory"])
        .arg(directory)
        .args(["--matcher", "all", "--once", "--reprocess", "--entries", "100000", "--backend", "lmdb", "--map"])
        .arg(&map)
        .output()
        .expect("the daemon");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let mut logins = Logins::new();
    for line in text.lines() {
        let address = line.strip_prefix("granted ").and_then(|rest| rest.split(' ').next()?.parse().ok());
        if let Some(address) = address {
            note(&mut logins, address, line.as_bytes());
        }
    }
    logins
}

fn is_genuine(address: &IpAddr) -> bool {
    GENUINE.iter().any(|genuine| IpAddr::V4(*genuine) == *address)
}

pub(crate) fn judge(server: &Server, logger: Option<&Logger>, place: &Path) -> Verdict {
    let log = logger.map_or_else(|| own_log(place, server), |logger| log_of(place, logger, server));
    let (found, believed, bytes) = if logger.is_some_and(|logger| logger.is_journal) {
        (logins_of_journal(&log), Logins::new(), 0)
    } else {
        let log = fs::read(&log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        (logins(&log, logger.is_some_and(|logger| logger.escapes)), logins(&log, true), log.len())
    };
    let path = format!("{} through {}", server.name, logger.map_or("its own file", |logger| logger.name));
    for (address, (_, line)) in found.iter().filter(|(address, _)| !is_genuine(address)) {
        println!("attack: FORGED {path}: {address}: {line}");
    }
    let sum = |logins: &Logins, genuine: bool| {
        logins.iter().filter(|(address, _)| is_genuine(address) == genuine).map(|(_, (count, _))| count).sum()
    };
    let verdict =
        Verdict { genuine: sum(&found, true), forged: sum(&found, false), teeth: sum(&believed, false), bytes };
    println!("attack: {path}: {verdict}");
    assert!(
        verdict.genuine > 0 || logger.is_some_and(|logger| !logger.is_read),
        "{path}: no login of a client was found"
    );
    verdict
}
