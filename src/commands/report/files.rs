//! Which files make up a log, in which order; opens them, through `gzip`, `xz` or `zstd` where they are compressed.
//!
//! The programs are there wherever such files are, and use another core. Libraries for all three would make this program larger
//! by a third of a megabyte, and a file made to break one would break us.

use std::cmp::Reverse;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Seek as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::cli::ReportOptions;
use crate::commands::inspect;
use crate::config::logs::{Logs, units_of_journal};
use crate::config::options::Options;
use crate::output::error::Error;
use crate::source::Log as Followed;
use crate::source::backlog::is_older_name;
use crate::source::journal::Journalctl;

/// Endings of compressed files, and what unpacks them.
const UNPACK: [(&str, &str); 3] = [(".gz", "gzip"), (".xz", "xz"), (".zst", "zstd")];

/// What is written by one writer, one part after the other.
pub(super) enum Log {
    /// The oldest first.
    Files(Vec<PathBuf>),
    Journal(Box<Journalctl>),
}

impl Log {
    /// Bytes on the disk, as far as that is known.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Files(files) => files.iter().filter_map(|file| file.metadata().ok()).map(|known| known.len()).sum(),
            Self::Journal(_) => 0,
        }
    }
}

/// The logs that are named; without a name those of the options, with what a rotation has made of them.
pub(super) fn logs(options: &Options, what: &ReportOptions) -> Result<Vec<Log>, Error> {
    let (mut logs, mut files) = (Vec::new(), Vec::new());
    for file in &what.files {
        match file.as_os_str().as_bytes().strip_prefix(b"journal:") {
            Some(units) => {
                let units = OsString::from_vec(units.to_vec());
                logs.push(Log::Journal(Box::new(past(units_of_journal(&units, options)?))));
            }
            None => files.push(file.clone()),
        }
    }
    if what.files.is_empty() {
        for log in Logs::new(options)?.named {
            match log {
                Followed::File(path, _) => files.extend(with_older(&path)),
                Followed::Journal(journal) => logs.push(Log::Journal(Box::new(past(journal)))),
                Followed::Stdin => files.push("-".into()),
            }
        }
    }
    logs.extend(group(files).into_iter().map(Log::Files));
    Ok(logs)
}

fn past(journal: Journalctl) -> Journalctl {
    Journalctl { follow: false, ..journal }
}

/// A log, and its older parts beside it.
fn with_older(log: &Path) -> Vec<PathBuf> {
    let name = log.file_name().unwrap_or_default();
    let beside = log.parent().and_then(|directory| fs::read_dir(directory).ok()).into_iter().flatten().flatten();
    let older = beside.map(|entry| entry.path()).filter(|path| is_older_name(name, &unpacked_name(path)));
    older.chain([log.to_owned()]).collect()
}

/// The name of a file without the ending that says how it is compressed.
fn unpacked_name(path: &Path) -> OsString {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let plain = UNPACK.iter().find_map(|(ending, _)| name.strip_suffix(ending.as_bytes()));
    OsString::from_vec(plain.unwrap_or(name).to_vec())
}

/// Puts the parts of each log together, the oldest first: by date, or the highest number first, and the log itself last.
fn group(files: Vec<PathBuf>) -> Vec<Vec<PathBuf>> {
    let mut groups: Vec<((PathBuf, OsString), Vec<PathBuf>)> = Vec::new();
    for file in files {
        let name = unpacked_name(&file);
        let prefixes = (1..name.len()).map(|end| OsString::from_vec(name.as_bytes()[..end].to_vec()));
        let log = prefixes.into_iter().find(|log| is_older_name(log, &name)).unwrap_or(name);
        let key = (file.parent().unwrap_or(Path::new("")).to_owned(), log);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, files)) => files.push(file),
            None => groups.push((key, vec![file])),
        }
    }
    let order = |log: &OsString, file: &Path| {
        let name = unpacked_name(file);
        let rest = name.as_bytes()[log.len()..].to_vec();
        let number = std::str::from_utf8(&rest).ok().and_then(|rest| rest.strip_prefix('.')?.parse::<u64>().ok());
        match number {
            _ if rest.is_empty() => (3, Reverse(0), rest),
            Some(number) if number < 1000 => (2, Reverse(number), Vec::new()),
            _ => (1, Reverse(0), rest),
        }
    };
    for ((_, log), files) in &mut groups {
        files.sort_by_cached_key(|file| order(log, file));
    }
    groups.into_iter().map(|(_, files)| files).collect()
}

/// A file that is read.
pub(super) enum Input {
    Plain(Box<dyn Read>),
    /// What unpacks it, and the file it reads, whose position tells how far it has come.
    Packed {
        child: Child,
        output: ChildStdout,
        file: File,
        program: &'static str,
    },
}

impl Input {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let name = path.as_os_str().as_bytes();
        match UNPACK.iter().find(|(ending, _)| name.ends_with(ending.as_bytes())) {
            None => inspect::open(path).map(Self::Plain),
            Some((_, program)) => Self::unpack(path, program).map_err(|error| inspect::cannot_read(path, &error)),
        }
    }

    fn unpack(path: &Path, program: &'static str) -> io::Result<Self> {
        let file = File::open(path)?;
        let mut command = Command::new(program);
        command.arg("-dc").stdin(file.try_clone()?).stdout(Stdio::piped()).stderr(Stdio::piped());
        let missing = |error: io::Error| io::Error::other(format!("{program} cannot be started: {error}"));
        let mut child = command.spawn().map_err(missing)?;
        let output = child.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        Ok(Self::Packed { child, output, file, program })
    }

    /// Bytes of the file that have been read, if that is not what was handed out.
    pub(super) fn position(&mut self) -> Option<u64> {
        match self {
            Self::Plain(_) => None,
            Self::Packed { file, .. } => file.stream_position().ok(),
        }
    }

    /// At the end: why not all could be read, if it is so.
    pub(super) fn end(self) -> Option<String> {
        let Self::Packed { child, program, output, .. } = self else { return None };
        drop(output);
        let ended = child.wait_with_output().ok()?;
        let told = String::from_utf8_lossy(&ended.stderr);
        let told = told.trim().lines().next().unwrap_or_default();
        let told = told.strip_prefix(program).map_or(told, |rest| rest.trim_start_matches([':', ' ']));
        (!ended.status.success()).then(|| format!("{program}: {}", if told.is_empty() { "it failed" } else { told }))
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(buffer),
            Self::Packed { output, .. } => output.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_log_are_read_oldest_first() {
        let grouped = |files: &[&str]| -> Vec<Vec<String>> {
            let files = group(files.iter().map(PathBuf::from).collect());
            files.iter().map(|group| group.iter().map(|file| file.display().to_string()).collect()).collect()
        };
        assert_eq!(
            grouped(&[
                "l/mail.log",
                "l/mail.log.1",
                "l/dovecot.log",
                "l/mail.log.10.gz",
                "l/mail.log.2.gz",
                "m/mail.log.3.xz"
            ]),
            [
                vec!["l/mail.log.10.gz", "l/mail.log.2.gz", "l/mail.log.1", "l/mail.log"],
                vec!["l/dovecot.log"],
                vec!["m/mail.log.3.xz"]
            ]
        );
        assert_eq!(
            grouped(&["maillog", "maillog-20261122.zst", "maillog-20261115.gz"]),
            [["maillog-20261115.gz", "maillog-20261122.zst", "maillog"]]
        );
        assert_eq!(grouped(&["-"]), [["-"]]);
    }
}
