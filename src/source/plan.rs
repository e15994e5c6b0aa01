//! How each log is going to be followed: made out at start, while there is someone to tell what is missing, and carried
//! out behind the fork.

use std::path::PathBuf;

use super::Source;
use super::command::{CommandSource, Tail, tail_watches_pid};
use super::follow::{Follow, From};
use super::journal::{Journal, Journalctl};
use super::stdin::Stdin;
use crate::cli;
use crate::config::{self, Config, Log};
use crate::error::{Error, Exit, io_cause};
use crate::time::Timestamp;

/// How one log is going to be followed.
#[derive(Debug)]
pub enum Plan {
    /// Through `tail`.
    Tail {
        /// The log.
        path: PathBuf,
        /// How `tail` is started.
        tail: Tail,
    },
    /// In this process.
    Follow {
        /// The log.
        path: PathBuf,
        /// Where to begin.
        from: From,
        /// Whether to go on at the end.
        follow: bool,
    },
    /// Through `journalctl`.
    Journal(Journalctl),
    /// Standard input.
    Stdin,
}

impl Plan {
    /// Chooses.
    ///
    /// # Errors
    /// A program that is needed does not run.
    pub fn new(log: &Log, config: &Config) -> Result<Self, Error> {
        let path = match log {
            Log::Stdin => return Ok(Self::Stdin),
            Log::Journal(journal) => return self::journal(journal, config).map(Self::Journal),
            Log::File(path) => path.clone(),
        };
        if config.source == cli::Source::Follow {
            let from = if config.reprocess { From::Start } else { From::End };
            return Ok(Self::Follow { path, from, follow: !config.once });
        }
        Ok(Self::Tail { path, tail: tail(config)? })
    }

    /// Names the process that `tail` must not outlive; another one after a fork.
    pub fn set_watched(&mut self, pid: u32) {
        if let Self::Tail { tail: Tail { watched: Some(watched), .. }, .. } = self {
            *watched = pid;
        }
    }

    /// What the log is called.
    pub fn name(&self) -> String {
        match self {
            Self::Tail { path, .. } | Self::Follow { path, .. } => path.display().to_string(),
            Self::Journal(_) => "journal".to_owned(),
            Self::Stdin => "-".to_owned(),
        }
    }

    /// What debug mode tells of it.
    pub fn display(&self) -> String {
        match self {
            Self::Tail { path, tail } => format!("Tail command: {}", tail.command_line(path).display()),
            Self::Follow { path, .. } => format!("Log file: {}", path.display()),
            Self::Journal(journal) => format!("Tail command: {}", journal.command_line().display()),
            Self::Stdin => "Tail command: standard input".to_owned(),
        }
    }

    /// Begins to follow.
    ///
    /// # Errors
    /// The log cannot be read, or the program cannot be started.
    pub fn start(&self, now: Timestamp) -> Result<Box<dyn Source>, Error> {
        match self {
            Self::Tail { path, tail } => CommandSource::start(path.clone(), *tail, now)
                .map(|source| Box::new(source) as Box<dyn Source>)
                .map_err(|error| Error::io(Exit::Unavailable, "run tail", &error).cure("install coreutils")),
            Self::Follow { path, from, follow } => Follow::start(path.clone(), *from, *follow, now)
                .map(|source| Box::new(source) as Box<dyn Source>)
                .map_err(|error| Error::io(Exit::NoInput, format!("read log file {}", path.display()), &error)),
            Self::Journal(journal) => Journal::start(journal.clone(), now)
                .map(|source| Box::new(source) as Box<dyn Source>)
                .map_err(|error| Error::io(Exit::Unavailable, "run journalctl", &error)),
            Self::Stdin => Stdin::open()
                .map(|source| Box::new(source) as Box<dyn Source>)
                .map_err(|error| Error::io(Exit::NoInput, "read standard input", &error)),
        }
    }
}

fn tail(config: &Config) -> Result<Tail, Error> {
    let watches = tail_watches_pid().map_err(|error| {
        Error::io(Exit::Unavailable, "run tail", &error).cure("install coreutils, or name its directory in $PATH")
    })?;
    Ok(Tail { from_start: config.reprocess, follow: !config.once, watched: watches.then(std::process::id) })
}

/// Where the journal ends now: from there on it is read, however long the start takes.
fn journal(journal: &Journalctl, config: &Config) -> Result<Journalctl, Error> {
    const CURE: &str = "run on a host with systemd's journal, as root or a member of group systemd-journal";
    let end = journal.end().map_err(|error| {
        let cause = io_cause(&error);
        match config.source {
            cli::Source::Auto => config::no_log(&format!("journalctl fails: {cause}"), CURE),
            _ => Error::new(Exit::Unavailable, "read the journal", format!("journalctl fails: {cause}")).cure(CURE),
        }
    })?;
    let cursor = if config.reprocess { None } else { end };
    Ok(Journalctl { cursor, ..journal.clone() })
}
