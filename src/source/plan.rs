//! How each log is going to be followed: made out at start, while there is someone to tell what is missing, and carried
//! out behind the fork.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::backlog::{Backlog, Window};
use super::bookmark::Bookmark;
use super::catch_up::CatchUp;
use super::command::{CommandSource, Tail, TailFrom, tail_watches_pid};
use super::follow::{Follow, From};
use super::journal::{Journal, Journalctl};
use super::stdin::Stdin;
use super::{Position, Source};
use crate::cli;
use crate::config::{self, Config, Log};
use crate::error::{Error, Exit, io_cause};
use crate::state::Mark;
use crate::time::{Now, Timestamp};

/// How often the search for what was written before is begun anew because the log was rotated meanwhile.
const ATTEMPTS: usize = 5;

/// How one log is going to be followed.
pub struct Plan {
    how: How,
    /// What of it was written while nobody watched.
    backlog: Option<Backlog>,
}

enum How {
    /// Through `tail`, from a place if that is known.
    Tail { path: PathBuf, tail: Tail, from: Option<Position> },
    /// In this process.
    Follow { path: PathBuf, source: Box<Follow> },
    /// Through `journalctl`.
    Journal(Journalctl),
    /// Standard input.
    Stdin,
}

impl Plan {
    /// Chooses. Without `--reprocess` it goes on where `mark` says, or one grace ago.
    ///
    /// # Errors
    /// A program that is needed does not run, or the log cannot be read.
    pub fn new(log: &Log, config: &Config, mark: Option<&Mark>, now: &Now) -> Result<Self, Error> {
        let mark = mark.filter(|_| !config.reprocess);
        let window = Window::new(now.wall, config.grace, jiff::tz::TimeZone::system());
        match log {
            Log::Stdin => Ok(Self { how: How::Stdin, backlog: None }),
            Log::Journal(journal) => {
                let journal = self::journal(journal, config, mark, &window)?;
                Ok(Self { how: How::Journal(journal), backlog: None })
            }
            Log::File(path) if config.source == cli::Source::Follow => {
                let follow = if config.reprocess {
                    Follow::start(path.clone(), From::Start, !config.once, now.boot).map(|source| (source, None))
                } else {
                    follow_on(path, mark, &window, !config.once, now.boot)
                };
                let (source, backlog) = follow.map_err(|error| cannot_read(path, &error))?;
                Ok(Self { how: How::Follow { path: path.clone(), source: Box::new(source) }, backlog })
            }
            Log::File(path) => {
                let mut tail = tail(config)?;
                let (mut from, mut backlog) = (None, None);
                if !config.reprocess && path.is_file() {
                    let found = Backlog::find(path, file_mark(mark), &window);
                    let (lines, place) = found.map_err(|error| cannot_read(path, &error))?;
                    tail.from = TailFrom::Byte(place.offset);
                    (from, backlog) = (Some(place), Some(lines));
                }
                Ok(Self { how: How::Tail { path: path.clone(), tail, from }, backlog })
            }
        }
    }

    /// Names the process that `tail` must not outlive; another one after a fork.
    pub fn set_watched(&mut self, pid: u32) {
        if let How::Tail { tail: Tail { watched: Some(watched), .. }, .. } = &mut self.how {
            *watched = pid;
        }
    }

    /// What the log is called.
    pub fn name(&self) -> String {
        match &self.how {
            How::Tail { path, .. } | How::Follow { path, .. } => name(&Log::File(path.clone())),
            How::Journal(journal) => name(&Log::Journal(journal.clone())),
            How::Stdin => name(&Log::Stdin),
        }
    }

    /// What debug mode tells of it.
    pub fn display(&self) -> String {
        match &self.how {
            How::Tail { path, tail, .. } => format!("Tail command: {}", tail.command_line(path).display()),
            How::Follow { path, .. } => format!("Log file: {}", path.display()),
            How::Journal(journal) => format!("Tail command: {}", journal.command_line().display()),
            How::Stdin => "Tail command: standard input".to_owned(),
        }
    }

    /// Begins to follow.
    ///
    /// # Errors
    /// The log cannot be read, or the program cannot be started.
    pub fn start(self, now: Timestamp) -> Result<Box<dyn Source>, Error> {
        let name = self.name();
        let mut backlog = self.backlog;
        let live: Box<dyn Source> = match self.how {
            How::Tail { path, tail, from } => Box::new(
                start_tail(&path, tail, from, backlog.as_mut(), now)
                    .map_err(|error| Error::io(Exit::Unavailable, "run tail", &error).cure("install coreutils"))?,
            ),
            How::Follow { source, .. } => source,
            How::Journal(journal) => Box::new(
                Journal::start(journal, now).map_err(|error| Error::io(Exit::Unavailable, "run journalctl", &error))?,
            ),
            How::Stdin => {
                Box::new(Stdin::open().map_err(|error| Error::io(Exit::NoInput, "read standard input", &error))?)
            }
        };
        Ok(match backlog {
            Some(backlog) => Box::new(CatchUp::new(name, backlog, live)),
            None => live,
        })
    }
}

/// What a log is called.
pub fn name(log: &Log) -> String {
    match log {
        Log::File(path) => path.display().to_string(),
        Log::Journal(_) => "journal".to_owned(),
        Log::Stdin => "-".to_owned(),
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> Error {
    Error::io(Exit::NoInput, format!("read log file {}", path.display()), error)
}

fn file_mark(mark: Option<&Mark>) -> Option<&super::bookmark::FileMark> {
    match mark.map(|mark| &mark.bookmark) {
        Some(Bookmark::File(mark)) => Some(mark),
        _ => None,
    }
}

/// A follower that begins where the lines end that were written before.
fn follow_on(
    path: &Path,
    mark: Option<&Mark>,
    window: &Window,
    follow: bool,
    now: Timestamp,
) -> io::Result<(Follow, Option<Backlog>)> {
    for _ in 0..ATTEMPTS {
        let (backlog, place) = Backlog::find(path, file_mark(mark), window)?;
        let source = Follow::start(path.to_owned(), From::At(place), follow, now)?;
        // Not rotated in between.
        if source.position() == Some(place) {
            return Ok((source, Some(backlog)));
        }
    }
    Err(io::Error::other("it is rotated again and again"))
}

/// Starts `tail` behind the lines that were written before. Should the log have got another file since, the rest of the
/// old one is read before.
fn start_tail(
    path: &Path,
    tail: Tail,
    from: Option<Position>,
    backlog: Option<&mut Backlog>,
    now: Timestamp,
) -> io::Result<CommandSource> {
    let (Some(place), Some(backlog)) = (from, backlog) else {
        return CommandSource::start(path.to_owned(), tail, now);
    };
    let is_same = || fs::metadata(path).is_ok_and(|found| (found.dev(), found.ino()) == (place.device, place.inode));
    if is_same() {
        let source = CommandSource::start(path.to_owned(), tail, now)?;
        // Nothing has been read from it yet.
        if is_same() {
            return Ok(source);
        }
    }
    backlog.take_rest();
    CommandSource::start(path.to_owned(), Tail { from: TailFrom::Start, ..tail }, now)
}

fn tail(config: &Config) -> Result<Tail, Error> {
    let watches = tail_watches_pid().map_err(|error| {
        Error::io(Exit::Unavailable, "run tail", &error).cure("install coreutils, or name its directory in $PATH")
    })?;
    let from = if config.reprocess { TailFrom::Start } else { TailFrom::End };
    Ok(Tail { from, follow: !config.once, watched: watches.then(std::process::id) })
}

/// The journal, from where it matters.
fn journal(journal: &Journalctl, config: &Config, mark: Option<&Mark>, window: &Window) -> Result<Journalctl, Error> {
    const CURE: &str = "run on a host with systemd's journal, as root or a member of group systemd-journal";
    journal.check().map_err(|error| {
        let cause = io_cause(&error);
        match config.source {
            cli::Source::Auto => config::no_log(&format!("journalctl fails: {cause}"), CURE),
            _ => Error::new(Exit::Unavailable, "read the journal", format!("journalctl fails: {cause}")).cure(CURE),
        }
    })?;
    if config.reprocess {
        return Ok(journal.clone());
    }
    let cursor = match mark {
        Some(Mark { bookmark: Bookmark::Cursor(cursor), saved, .. }) if window.holds(*saved) => Some(cursor.clone()),
        _ => None,
    };
    let (since, live_from) = (Some(window.start()), window.now());
    Ok(Journalctl { cursor, since, live_from, ..journal.clone() })
}
