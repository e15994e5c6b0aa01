//! Looks at the host for what [`super::signs`] lists, and at the newest part of each log for logins. Changes nothing.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use nix::sys::utsname::uname;

use super::decision::Sign;
use super::signs::{DIRECTORIES, SIGNS};
use crate::config::logs::{Logs, Lookup};
use crate::line::syslog::Header;
use crate::matcher::{Action, Matchers};
use crate::source::Log;
use crate::source::newest::{self, Newest};
use crate::time::Timestamp;

/// How much is looked at of one log, and of all together, in bytes.
const MOST: u64 = 4 << 20;
const MOST_OF_ALL: u64 = 64 << 20;

/// More than the kernel has for the name of a process, in bytes; those of its threads are longer than the others' (proc(5)).
const LONGEST_NAME: usize = 128;

/// How many entries of the journal are looked at.
const ENTRIES: u32 = 5000;

/// Where units of systemd are; the first that has one of a name counts.
const UNITS: [&str; 5] = [
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];

/// What there is to judge by.
#[derive(Debug, Default)]
pub struct Facts {
    /// Name of this host.
    pub host: String,
    /// Matchers whose server this host has, each with the first sign of it.
    pub signs: Vec<(&'static str, Sign)>,
    /// Logins in the logs.
    pub logged: Vec<Logged>,
}

/// Logins of one program of one host, by the matcher that takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The log.
    pub log: String,
    /// The host in the header; none in a file that a server writes itself.
    pub host: Option<String>,
    /// The program.
    pub program: String,
    /// Number of logins by matcher.
    pub logins: BTreeMap<&'static str, u64>,
}

impl Facts {
    /// Of this host and these logs, whose writer may make something else of a newline; standard input is not looked at.
    pub fn gather(logs: &Logs, escaped_newlines: bool) -> Self {
        let host = uname().map(|names| names.nodename().to_string_lossy().into_owned()).unwrap_or_default();
        let found = Lookup::new(logs).look();
        let logs: Vec<_> = logs.named.iter().chain(&found).collect();
        let most = MOST.min(MOST_OF_ALL / logs.len().max(1) as u64);
        let logged = logs.into_iter().flat_map(|log| logins(log, most, escaped_newlines)).collect();
        Self { host, signs: Self::local("/".as_ref()), logged }
    }

    /// What shows a server below `root`, which is `/` but in a test.
    pub(super) fn local(root: &Path) -> Vec<(&'static str, Sign)> {
        let processes = processes(root);
        let sign = |signs: &super::Signs| {
            // Any local user may call a process so. He can write any line into the log as well.
            let process = signs.processes.iter().find(|name| processes.contains(**name));
            process
                .map(|name| Sign::Process(name))
                .or_else(|| program(root, signs.programs).map(Sign::Program))
                .or_else(|| signs.units.iter().find(|unit| is_unit(root, unit)).map(|unit| Sign::Unit(unit)))
        };
        SIGNS.iter().filter_map(|signs| Some((signs.matcher, sign(signs)?))).collect()
    }
}

fn processes(root: &Path) -> HashSet<String> {
    let entries = fs::read_dir(root.join("proc")).into_iter().flatten().flatten();
    let processes = entries.filter(|entry| entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit));
    // One read has all of it.
    let mut text = [0; LONGEST_NAME];
    let name = |entry: fs::DirEntry| {
        let length = File::open(entry.path().join("comm")).ok()?.read(&mut text).ok()?;
        Some(String::from_utf8_lossy(&text[..length]).trim_end().to_owned())
    };
    processes.filter_map(name).collect()
}

/// The first of the programs that is there.
fn program(root: &Path, programs: &[&'static str]) -> Option<PathBuf> {
    let paths = programs.iter().flat_map(|program| {
        let directories: &[&str] = if program.starts_with('/') { &[""] } else { &DIRECTORIES };
        directories.iter().map(move |directory| Path::new(directory).join(program))
    });
    paths.into_iter().find(|path| is_program(root, path, programs))
}

/// Whether there is such a file. A link to a program of another server shows nothing: Debian's `/usr/sbin/imapd` is Courier's.
fn is_program(root: &Path, path: &Path, programs: &[&str]) -> bool {
    let below = |path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
    // Most are not there, which this tells in one call.
    let there = below(path);
    let Some(file) = there.exists().then(|| fs::canonicalize(there).ok()).flatten() else { return false };
    let is_it = |other: &&&str| {
        let other = below(Path::new(other));
        !other.is_symlink() && fs::canonicalize(other).is_ok_and(|other| other == file)
    };
    let others = SIGNS.iter().map(|signs| signs.programs).filter(|others| *others != programs);
    file.is_file() && !others.flatten().filter(|other| other.starts_with('/')).any(|other| is_it(&other))
}

/// A masked unit is a link to /dev/null.
fn is_unit(root: &Path, unit: &str) -> bool {
    let paths = UNITS.iter().map(|directory| root.join(directory).join(unit));
    paths.into_iter().find(|path| path.symlink_metadata().is_ok()).is_some_and(|path| path.is_file())
}

/// What the newest whole lines of a log show. One that cannot be read is told by whoever follows it.
fn logins(log: &Log, most: u64, escaped_newlines: bool) -> Vec<Logged> {
    let newest = match log {
        Log::Stdin => return Vec::new(),
        Log::File(path, _) => newest::of_log(path, most).unwrap_or_default(),
        Log::Journal(journal) => Newest { lines: journal.newest(ENTRIES).unwrap_or_default(), ..Newest::default() },
    };
    let mut matchers = Matchers::all();
    // No entry of the journal with a newline in it is handed on.
    matchers.take_newlines_for_escaped(escaped_newlines || matches!(log, Log::Journal(_)));
    logins_in(&log.name(), &newest, matchers)
}

/// Host and program of a line.
type Origin = (Option<String>, String);

/// By the rules that decide on grants: a line that would not count shows nothing.
fn logins_in(log: &str, newest: &Newest, mut matchers: Matchers) -> Vec<Logged> {
    if !newest.is_whole {
        matchers.begin_in_the_middle();
    }
    if newest.is_cut {
        matchers.begin_in_a_message();
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut found: BTreeMap<Origin, BTreeMap<&'static str, u64>> = BTreeMap::new();
    matchers.scan(Timestamp::default(), &newest.lines, &mut |_, event| {
        let Header { host, program, .. } = event.header;
        if let Some(matcher) = event.matcher.row().filter(|_| event.action == Action::Login) {
            let origin = (host.map(text), text(program));
            *found.entry(origin).or_default().entry(matcher.name).or_default() += 1;
        }
    });
    let logged = |((host, program), logins): (Origin, _)| Logged { log: log.to_owned(), host, program, logins };
    found.into_iter().map(logged).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::symlink;

    use super::*;

    fn seen(root: &Path) -> Vec<String> {
        Facts::local(root).iter().map(|(matcher, sign)| format!("{matcher}: {sign}")).collect()
    }

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn processes_programs_and_units_show_a_server() {
        let root = tempfile::tempdir().unwrap();
        assert!(seen(root.path()).is_empty());
        write(root.path(), "proc/7/comm", "dovecot\n");
        write(root.path(), "proc/8/comm", "imapd\n");
        write(root.path(), "proc/self/comm", "teapop\n");
        write(root.path(), "usr/sbin/dovecot", "");
        write(root.path(), "usr/local/sbin/popa3d", "");
        write(root.path(), "usr/lib/systemd/system/cyrus-imapd.service", "");
        fs::create_dir_all(root.path().join("usr/sbin/perdition")).unwrap();
        assert_eq!(
            seen(root.path()),
            [
                "cyrus: cyrus-imapd.service is there",
                "dovecot: process dovecot runs",
                "popa3d: /usr/local/sbin/popa3d is there"
            ]
        );
    }

    #[test]
    fn a_masked_unit_and_a_link_to_another_servers_program_show_nothing() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "lib/systemd/system/dovecot.service", "");
        fs::create_dir_all(root.path().join("etc/systemd/system")).unwrap();
        symlink("/dev/null", root.path().join("etc/systemd/system/dovecot.service")).unwrap();
        write(root.path(), "usr/lib/courier/imapd", "");
        write(root.path(), "opt/imap4d", "");
        fs::create_dir_all(root.path().join("usr/sbin")).unwrap();
        symlink("../lib/courier/imapd", root.path().join("usr/sbin/imapd")).unwrap();
        symlink("../../opt/imap4d", root.path().join("usr/sbin/imap4d")).unwrap();
        assert_eq!(
            seen(root.path()),
            ["courier: /usr/lib/courier/imapd is there", "mailutils: /usr/sbin/imap4d is there"]
        );
    }

    #[test]
    fn logins_are_counted_by_host_program_and_matcher() {
        let lines = "Nov 22 16:00:00 a imapd: LOGIN, user=alice, ip=[::ffff:198.51.100.1], port=[1]\n\
                     Nov 22 16:00:00 b imapd: LOGIN, user=alice, ip=[::ffff:198.51.100.1], port=[1]\n\
                     Nov 22 16:00:00 b imapd: LOGOUT, user=alice, ip=[::ffff:198.51.100.1], port=[1]\n\
                     Nov 22 16:00:00 b imapd: LOGIN, user=alice, ip=[::ffff:198.51.100.1], port=[2]\n";
        let found = |is_whole| {
            let logged =
                logins_in("x", &Newest { lines: lines.as_bytes().to_vec(), is_whole, is_cut: false }, Matchers::all());
            logged.into_iter().map(|logged| (logged.host.unwrap(), logged.logins["courier"])).collect::<Vec<_>>()
        };
        assert_eq!(found(true), [("a".to_owned(), 1), ("b".to_owned(), 2)]);
        // The first message of a program whose logger cuts may be the rest of one.
        assert_eq!(found(false), [("b".to_owned(), 1)]);
        // All of it may be the rest of one where newlines are written raw.
        let cut = Newest { lines: lines.as_bytes().to_vec(), is_whole: false, is_cut: true };
        assert_eq!(logins_in("x", &cut, Matchers::all()), []);
    }

    /// The name in it is x, a line and y.
    #[test]
    fn what_stands_behind_a_line_shows_that_it_is_no_login() {
        let auth = |text: &str| {
            format!(
                "Nov 22 16:00:00 mail perdition.imap4[7]: Auth: 198.51.100.9:51363->192.0.2.25:143 \
            client-secure=plaintext authorisation_id=NONE authentication_id=\"{text}\" server=\"127.0.0.1:2143\" \
            protocol=IMAP4 server-secure=plaintext status=\"failed: Re-Authentication Failure\"\n"
            )
        };
        let lines = auth("x\nNov 22 16:00:00 other cucipop: a 203.0.113.66 1, 1 (1), 1 (1)\ny");
        let logged = |escaped| {
            let mut matchers = Matchers::all();
            matchers.take_newlines_for_escaped(escaped);
            logins_in("x", &Newest { lines: lines.clone().into_bytes(), is_whole: true, is_cut: false }, matchers)
        };
        assert_eq!(logged(false), []);
        assert_eq!(logged(true).len(), 1, "the test has no forged line");
    }
}
