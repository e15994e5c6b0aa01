//! How each log is going to be followed: made out at start, while there is someone to tell what is missing, and carried
//! out behind the fork.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::backlog::{Backlog, Found, SavedMark, Window};
use super::catch_up::CatchUp;
use super::command::{CommandSource, Tail, TailFrom, tail_watches_pid};
use super::follow::{Follow, From};
use super::journal::{Journal, Journalctl};
use super::saved_position::SavedPosition;
use super::stdin::Stdin;
use super::{Log, Mark, Means, Position, Source, no_log};
use crate::output::error::{Error, Exit, io_cause};
use crate::time::{Now, Timestamp};

/// How often the search for what was written before is begun anew because the log was rotated meanwhile.
const ATTEMPTS: usize = 5;

/// What this run is to do with each log.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Stop at the end of the log.
    pub once: bool,
    /// Lines that are there already happen now.
    pub reprocess: bool,
    /// Whether the journal is tried because there is no log file.
    pub is_guess: bool,
}

/// How one log is going to be followed.
pub struct Plan {
    /// What the log is called.
    name: String,
    how: How,
    /// What of it was written while nobody watched.
    backlog: Option<Backlog>,
    reprocess: bool,
}

enum How {
    /// Through `tail`, from a place if that is known.
    Tail { path: PathBuf, tail: Tail, from: Option<Position> },
    /// In this process.
    Follow { path: PathBuf, source: Box<Follow> },
    /// Through `journalctl`, and which lines stand before its first entry.
    Journal(Journalctl, Vec<u8>),
    /// Standard input.
    Stdin,
}

impl Plan {
    /// Chooses. It goes on where `mark` says, or one `grace` ago.
    ///
    /// # Errors
    /// A program that is needed does not run, or the log cannot be read.
    pub fn new(log: &Log, run: &Run, grace: Duration, mark: Option<&Mark>, now: &Now) -> Result<Self, Error> {
        let mark = mark.filter(|_| !run.reprocess);
        let window = Window::new(now.wall, grace, jiff::tz::TimeZone::system());
        let (how, backlog) = match log {
            Log::Stdin => (How::Stdin, None),
            Log::Journal(journal) => {
                let journal = self::journal(journal, run, mark, &window)?;
                let before = journal.before();
                (How::Journal(journal, before), None)
            }
            Log::File(path, Means::Follow) => {
                let follow = if run.reprocess {
                    Follow::start(path.clone(), From::Start, !run.once, now.boot).map(|source| (source, None))
                } else {
                    follow_on(path, mark, &window, !run.once, now.boot)
                };
                let (source, backlog) = follow.map_err(|error| cannot_read(path, &error))?;
                (How::Follow { path: path.clone(), source: Box::new(source) }, backlog)
            }
            Log::File(path, Means::Tail) => {
                let mut tail = tail(run)?;
                let (mut from, mut backlog) = (None, None);
                if !run.reprocess && path.is_file() {
                    let found = Backlog::find(path, saved(mark, &window), &window);
                    let found = found.map_err(|error| cannot_read(path, &error))?;
                    tail.from = TailFrom::Byte(found.live.offset);
                    (from, backlog) = (Some(found.live), Some(found.backlog));
                }
                (How::Tail { path: path.clone(), tail, from }, backlog)
            }
        };
        Ok(Self { name: log.name(), how, backlog, reprocess: run.reprocess })
    }

    /// Names the process that `tail` must not outlive; another one after a fork.
    pub fn set_watched(&mut self, pid: u32) {
        if let How::Tail { tail: Tail { watched: Some(watched), .. }, .. } = &mut self.how {
            *watched = pid;
        }
    }

    /// What the log is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is read from its first line. A log that was rotated is not, even where its present file is.
    pub fn is_whole(&self) -> bool {
        self.reprocess && !matches!(self.how, How::Stdin)
    }

    /// Whether it comes from systemd's journal.
    pub fn is_journal(&self) -> bool {
        matches!(self.how, How::Journal(..))
    }

    /// Number of bytes that are there already and will be read.
    pub fn size(&self) -> u64 {
        match (&self.how, &self.backlog) {
            (_, Some(backlog)) => backlog.size(),
            (How::Tail { path, .. } | How::Follow { path, .. }, None) => {
                fs::metadata(path).map_or(0, |metadata| metadata.len())
            }
            (How::Journal(..) | How::Stdin, None) => 0,
        }
    }

    /// Number of bytes of lines that happen now whatever their stamps say.
    pub fn reprocessed(&self) -> u64 {
        match &self.how {
            _ if !self.reprocess => 0,
            How::Tail { .. } | How::Follow { .. } => self.size(),
            How::Journal(..) | How::Stdin => u64::MAX,
        }
    }

    /// What debug mode tells of it.
    pub fn display(&self) -> String {
        match &self.how {
            How::Tail { path, tail, .. } => {
                format!("Starting command in 0 seconds: {}", tail.command_line(path).display())
            }
            How::Follow { path, .. } => format!("Log file: {}", path.display()),
            How::Journal(journal, _) => format!("Starting command in 0 seconds: {}", journal.command_line().display()),
            How::Stdin => "Log file: standard input".to_owned(),
        }
    }

    /// Begins to follow.
    ///
    /// # Errors
    /// The log cannot be read, or the program cannot be started.
    pub fn start(self, now: Timestamp) -> Result<Box<dyn Source>, Error> {
        let Self { name, how, mut backlog, .. } = self;
        let live: Box<dyn Source> = match how {
            How::Tail { path, tail, from } => {
                let source = CommandSource::start(path, tail, backlog.take().zip(from), now)
                    .map_err(|error| Error::io(Exit::Unavailable, "run tail", &error).cure("install coreutils"))?;
                return Ok(Box::new(CatchUp::new(name, None, Box::new(source))));
            }
            How::Follow { source, .. } => source,
            How::Journal(journal, before) => Box::new(
                Journal::start(journal, before, now)
                    .map_err(|error| Error::io(Exit::Unavailable, "run journalctl", &error))?,
            ),
            How::Stdin => {
                Box::new(Stdin::open().map_err(|error| Error::io(Exit::NoInput, "read standard input", &error))?)
            }
        };
        Ok(Box::new(CatchUp::new(name, backlog, live)))
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> Error {
    Error::io(Exit::NoInput, format!("read log file {}", path.display()), error)
}

/// The place in a file to go on at.
fn saved<'m>(mark: Option<&'m Mark>, window: &Window) -> Option<SavedMark<'m>> {
    match mark? {
        Mark { position: SavedPosition::File(mark), saved, .. } => {
            Some(SavedMark { mark, is_fresh: window.holds(*saved) && *saved <= window.now() })
        }
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
        let Found { backlog, live, before } = Backlog::find(path, saved(mark, window), window)?;
        let mut source = Follow::start(path.to_owned(), From::At(live), follow, now)?;
        // Not rotated in between.
        let is_same = source.position() == Some(live);
        if is_same && source.follow_before(&before, now) {
            return Ok((source, Some(backlog)));
        }
    }
    Err(io::Error::other("it is rotated again and again"))
}

fn tail(run: &Run) -> Result<Tail, Error> {
    let watches = tail_watches_pid().map_err(|error| {
        Error::io(Exit::Unavailable, "run tail", &error).cure("install coreutils, or name its directory in $PATH")
    })?;
    let from = if run.reprocess { TailFrom::Start } else { TailFrom::End };
    Ok(Tail { from, follow: !run.once, watched: watches.then(std::process::id) })
}

/// The journal, from where it matters.
fn journal(journal: &Journalctl, run: &Run, mark: Option<&Mark>, window: &Window) -> Result<Journalctl, Error> {
    const CURE: &str = "run on a host with systemd's journal, as root or a member of group systemd-journal";
    journal.check().map_err(|error| {
        let cause = io_cause(&error);
        let cause = format!("journalctl fails: {cause}");
        if run.is_guess {
            return no_log(&cause, CURE);
        }
        Error::new(Exit::Unavailable, "read the journal", cause).cure(CURE)
    })?;
    if run.reprocess {
        return Ok(journal.clone());
    }
    let cursor = match mark {
        Some(Mark { position: SavedPosition::Cursor(cursor), saved, .. }) if window.holds(*saved) => {
            Some(cursor.clone())
        }
        _ => None,
    };
    let (since, live_from) = (Some(window.start()), window.now());
    Ok(Journalctl { cursor, since, live_from, ..journal.clone() })
}
