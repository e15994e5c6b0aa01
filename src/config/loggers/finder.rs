//! What the daemon knows of the newlines of its logs: what it is told, or what it has found out.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::rc::Rc;

use super::{Kind, Loggers, escapes, facts};
use crate::source::Log;

/// Of one log, whether a newline in a message never begins a line there.
#[derive(Debug, Clone)]
pub enum Escapes {
    /// So the operator says, or so it is with lines of this kind.
    Said(bool),
    /// A process writes the log that escapes them, for as long as it runs.
    Written(Rc<Writer>),
    /// It is not known.
    Unknown(String),
}

/// An rsyslogd that writes a log. It reads its configuration when it starts, and never again.
#[derive(Debug)]
pub struct Writer {
    name: String,
    /// What is read here belongs to that very process, and is empty when it has ended (proc(5)).
    arguments: File,
}

impl Writer {
    /// Whether it still runs.
    fn runs(&self) -> bool {
        matches!(self.arguments.read_at(&mut [0], 0), Ok(1))
    }
}

impl Escapes {
    /// Whether newlines are escaped in what has been read just now. What was `written` before the daemon watched may be another
    /// program's.
    pub fn hold(&self, is_new: bool) -> bool {
        match self {
            Self::Said(said) => *said,
            Self::Written(writer) => is_new && writer.runs(),
            Self::Unknown(_) => false,
        }
    }

    /// Of a log that nothing was found out about.
    pub fn unknown() -> Self {
        Self::Unknown("it cannot be told who writes it".to_owned())
    }

    /// Whether the process that wrote the log has ended.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Written(_)) && !self.runs()
    }

    /// Whether a process is known that writes the log and still runs.
    pub fn runs(&self) -> bool {
        matches!(self, Self::Written(writer) if writer.runs())
    }

    /// Whether both know of the same process, and it still runs.
    pub fn is_same(&self, other: &Self) -> bool {
        let same = matches!((self, other), (Self::Written(one), Self::Written(two)) if one.name == two.name);
        same && self.runs() && other.runs()
    }

    /// What is known and why; nothing where it was said.
    pub fn told(&self, log: &str) -> Option<String> {
        match self {
            Self::Said(_) => None,
            Self::Written(writer) => Some(format!("newlines are escaped in {log}: {} writes it", writer.name)),
            Self::Unknown(why) => Some(format!(
                "newlines may not be escaped in {log} ({why}): where a stranger's may be, logins close behind do not count; if \
                 they are, give --escaped-newlines"
            )),
        }
    }
}

/// Finds out how it is with each log.
#[derive(Debug)]
pub struct Finder {
    said: Option<bool>,
    seen: Option<Loggers>,
}

impl Finder {
    /// Looks at the processes that write these logs, unless it is said.
    pub fn look<'l>(said: Option<bool>, logs: impl IntoIterator<Item = &'l Log>) -> Self {
        let files: Vec<_> = logs.into_iter().filter_map(|log| Some((log.name(), log.path()?))).collect();
        let is_needed = said.is_none() && !files.is_empty();
        let seen =
            is_needed.then(|| facts::gather(files.iter().map(|(name, path)| (name.as_str(), *path)), &[Kind::Rsyslog]));
        Self { said, seen }
    }

    /// What is known of one of the logs.
    pub fn of(&self, log: &Log) -> Escapes {
        match (log, self.said, &self.seen) {
            // No entry with a newline in it is handed on.
            (Log::Journal(_), ..) => Escapes::Said(true),
            (_, Some(said), _) => Escapes::Said(said),
            (Log::File(path, _), None, Some(seen)) => found(seen, &log.name(), path),
            (Log::File(..) | Log::Stdin, ..) => Escapes::unknown(),
        }
    }

    /// Whether it cannot be seen of some process which files it writes.
    pub fn is_blind(&self) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.is_blind)
    }
}

fn found(seen: &Loggers, name: &str, path: &Path) -> Escapes {
    let Some(log) = file(name, path) else { return Escapes::Unknown("there is no such file".to_owned()) };
    let writer = escapes::judge(seen, &log).and_then(|writer| {
        let ended = || format!("{} has ended", writer.name());
        let arguments = File::open(format!("/proc/{}/cmdline", writer.pid)).map_err(|_| ended())?;
        let found = Writer { name: writer.name(), arguments };
        // Another process may have its number by now.
        let is_same = super::processes::command(writer.pid) == writer.arguments;
        if is_same && found.runs() { Ok(found) } else { Err(ended()) }
    });
    writer.map_or_else(Escapes::Unknown, |writer| Escapes::Written(Rc::new(writer)))
}

/// Of a log, what is judged by.
pub(crate) fn file(name: &str, path: &Path) -> Option<escapes::File> {
    let found = fs::metadata(path).ok()?;
    let mut names = vec![name.to_owned()];
    let others = [path.to_owned(), fs::canonicalize(path).ok()?];
    names.extend(others.iter().filter_map(|path| path.to_str()).map(str::to_owned));
    names.dedup();
    Some(escapes::File { names, owner: found.uid(), is_writable: found.mode() & 0o022 != 0 })
}
