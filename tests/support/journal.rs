//! Real files of systemd's journal, written by systemd-journal-remote, which takes trusted fields as it finds them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

/// Where Debian and others put it.
const REMOTE: [&str; 2] = ["/usr/lib/systemd/systemd-journal-remote", "/lib/systemd/systemd-journal-remote"];

/// Names and values of the fields of an entry.
pub(crate) type Fields<'a> = [(&'a str, &'a str)];

/// What journald adds to an entry of Dovecot.
pub(crate) const DOVECOT: (&str, &str) = ("_SYSTEMD_UNIT", "dovecot.service");

/// Why no journal can be made.
pub(crate) fn missing_remote() -> Option<String> {
    remote().is_none().then(|| "systemd-journal-remote not found".to_owned())
}

fn remote() -> Option<&'static str> {
    REMOTE.into_iter().find(|path| Path::new(path).is_file())
}

/// A login as Dovecot writes it to syslog.
pub(crate) fn login(client: &str) -> String {
    format!(
        "imap-login: Login: user=<kevin>, method=PLAIN, rip={client}, lip=192.0.2.25, mpid=820, session=<eFVmtd9glbo>"
    )
}

/// An entry of Dovecot.
pub(crate) fn dovecot(message: &str) -> [(&str, &str); 3] {
    [("MESSAGE", message), ("SYSLOG_IDENTIFIER", "dovecot"), DOVECOT]
}

/// The entry that `logger -t dovecot` of an ordinary user leaves.
pub(crate) fn user(message: &str) -> [(&str, &str); 5] {
    [
        ("MESSAGE", message),
        ("SYSLOG_IDENTIFIER", "dovecot"),
        ("_SYSTEMD_UNIT", "user@1000.service"),
        ("_UID", "1000"),
        ("_EXE", "/usr/bin/logger"),
    ]
}

/// A directory with files of a journal.
pub(crate) struct Journal {
    directory: PathBuf,
    files: u32,
    boots: u32,
    entries: u64,
}

impl Journal {
    pub(crate) fn new(directory: PathBuf) -> Self {
        fs::create_dir(&directory).expect("a directory for the journal");
        Self { directory, files: 1, boots: 1, entries: 0 }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// What is written from now on goes to another file.
    pub(crate) fn rotate(&mut self) {
        self.files += 1;
    }

    /// What is written from now on is of another boot, in another file.
    pub(crate) fn reboot(&mut self) {
        self.boots += 1;
        self.rotate();
    }

    /// Appends entries.
    #[track_caller]
    pub(crate) fn write(&mut self, entries: &[&Fields<'_>]) {
        self.write_old(Duration::ZERO, entries);
    }

    /// Appends entries that are so old.
    #[track_caller]
    pub(crate) fn write_old(&mut self, age: Duration, entries: &[&Fields<'_>]) {
        let begin = SystemTime::now() - age;
        let begin = begin.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_micros();
        let mut export = Vec::new();
        for fields in entries {
            self.entries += 1;
            let (n, boot) = (self.entries, format!("{:032x}", self.boots));
            let time = format!("__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={n}\n", begin + u128::from(n));
            export.extend_from_slice(format!("{time}_BOOT_ID={boot}\n_HOSTNAME=mail\n").as_bytes());
            for (name, value) in *fields {
                // The form for any bytes: the length, little-endian, in a line of its own.
                export.extend_from_slice(format!("{name}\n").as_bytes());
                export.extend_from_slice(&(value.len() as u64).to_le_bytes());
                export.extend_from_slice(value.as_bytes());
                export.push(b'\n');
            }
            export.push(b'\n');
        }
        let file = self.directory.join(format!("remote-{}.journal", self.files));
        let mut remote = Command::new(remote().expect("asked for by Need::JournalRemote"))
            .arg("-o")
            .arg(file)
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("systemd-journal-remote");
        remote.stdin.take().expect("its input").write_all(&export).expect("it reads");
        assert!(remote.wait().expect("its end").success(), "systemd-journal-remote failed");
    }
}
