//! What the integration tests share: real servers on loopback, the daemon under test, and patience.
//!
//! Nothing here sleeps a fixed time to be right: every wait polls a condition and has a limit.

// Each test program uses a part of this.
#![allow(dead_code)]

pub(crate) mod cases;
pub(crate) mod command;
pub(crate) mod daemon;
pub(crate) mod dovecot;
pub(crate) mod failures;
pub(crate) mod headers;
pub(crate) mod journal;
pub(crate) mod lock;
pub(crate) mod messages;
pub(crate) mod past;
pub(crate) mod postfix;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod render;
pub(crate) mod smtp;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// How long a thing may take that normally takes milliseconds; generous, for a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Shortest and longest pause between two looks at a condition. It is a tenth of the wait so far: a look may start a
/// program, and whoever waits long should leave the machine to what is waited for.
const POLL: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

/// Looks at `condition` until it holds; false once `limit` is over.
pub(crate) fn eventually(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    loop {
        if condition() {
            return true;
        }
        let waited = begin.elapsed();
        if waited >= limit {
            return false;
        }
        thread::sleep((waited / 10).clamp(POLL.0, POLL.1));
    }
}

/// Looks at `condition` until it holds.
///
/// # Panics
/// With `what`, once `limit` is over.
#[track_caller]
pub(crate) fn wait_for(what: &str, limit: Duration, condition: impl FnMut() -> bool) {
    assert!(eventually(limit, condition), "waited {limit:?} in vain: {what}");
}

/// Something of the machine that a test cannot do without.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    /// Postfix programs, and root, because only root can start a master.
    Postfix,
    /// A lookup table type of this Postfix, as `postconf -m` lists it.
    Table(&'static str),
    /// PostgreSQL, a user to run it, and root, who can become that user.
    Postgres,
    /// Dovecot with its POP3 and IMAP servers, and root.
    Dovecot,
    /// What makes files of systemd's journal.
    JournalRemote,
    /// `unshare`, and the right to mount.
    Mounts,
    /// A program on the path.
    Program(&'static str),
    /// The right to give files away.
    Root,
    /// unshare(1), and a kernel that lets us make a user namespace in which there is no inotify.
    NoInotify,
}

impl Need {
    /// Why the need is not met.
    fn missing(self) -> Option<String> {
        let program = |name: &str| process::program(name).is_none().then(|| format!("{name} not found"));
        let root = || (!nix::unistd::geteuid().is_root()).then(|| String::from("must be run as root"));
        match self {
            Need::Postfix => program("postmap").or_else(|| program("postconf")).or_else(root),
            Need::Table(kind) => (!postfix::table_types().iter().any(|known| known == kind))
                .then(|| format!("table type {kind} not listed by postconf -m")),
            Need::Dovecot => program("dovecot").or_else(dovecot::missing_server).or_else(root),
            Need::JournalRemote => journal::missing_remote(),
            Need::Mounts => program("unshare").or_else(process::missing_mounts),
            Need::Program(name) => program(name),
            Need::Postgres => postgres::missing().or_else(root),
            Need::Root => root(),
            Need::NoInotify => program("unshare").or_else(|| {
                let made = std::process::Command::new("unshare").args(["-Ur", "sh", "-c", daemon::NO_INOTIFY]).status();
                (!made.is_ok_and(|status| status.success())).then(|| String::from("no user namespace"))
            }),
        }
    }
}

/// Whether all `needs` are met. If not, says so on standard error, past the capture of the test harness; on a CI
/// machine (`CI=true`) a skipped test is a failed test.
#[track_caller]
pub(crate) fn require(needs: &[Need]) -> bool {
    for need in needs {
        if let Some(why) = need.missing() {
            let test = thread::current().name().unwrap_or("test").to_owned();
            let notice = format!("SKIPPED {test}: needs {need:?} ({why})");
            assert!(
                std::env::var_os("CI").is_none_or(|ci| ci != "true"),
                "{notice}; nothing may be skipped with CI=true"
            );
            // eprintln would be captured and never seen.
            let _ = writeln!(io::stderr(), "{notice}");
            return false;
        }
    }
    true
}

/// A directory of its own for one test, gone afterwards. Others may pass through it: Postfix and Dovecot serve with
/// the rights of users of their own.
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("pbs-").tempdir().expect("a temporary directory");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("its mode");
        Self(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// A mail log with one line in it that is no login: a file whose follower is at its end only once the follower
    /// has moved there.
    pub(crate) fn new_log(&self, name: &str) -> PathBuf {
        let path = self.join(name);
        fs::write(&path, "Nov 22 15:54:36 mail dovecot: master: Dovecot v2.3.19.1 starting up for imap, pop3\n")
            .expect("a new log");
        path
    }
}

/// Writes a configuration file that looks an hour old: Postfix reads one that has changed within the last second or
/// two again and again, 0.3 s apart, until it has been left alone.
pub(crate) fn write_settled(path: &Path, text: &str) {
    fs::write(path, text).expect("a configuration file");
    let file = File::options().write(true).open(path).expect("the same file");
    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).expect("its time");
}

/// A TCP port on loopback that was free a moment ago. Another process may take it before its user does, so whoever
/// asks for one starts its server again with another when that happens.
pub(crate) fn free_port() -> u16 {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    probe.local_addr().expect("its number").port()
}
