//! A log, and how it is followed.

use std::path::{Path, PathBuf};

use super::journal::Journalctl;
use crate::output::error::{Error, Exit};

/// Where logs are when `--log` does not say: the name of the older systems first, then Debian's.
pub(crate) const LOG_FILES: [&str; 2] = ["/var/log/maillog", "/var/log/mail.log"];

/// How a file is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Means {
    /// Through a child process, `tail`.
    Tail,
    /// In this process.
    Follow,
}

/// One log to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Log {
    /// A file.
    File(PathBuf, Means),
    /// Systemd's journal.
    Journal(Journalctl),
    /// Standard input.
    Stdin,
}

impl Log {
    /// What it is called.
    pub fn name(&self) -> String {
        match self {
            Self::File(path, _) => path.display().to_string(),
            Self::Journal(journal) => journal.name(),
            Self::Stdin => "-".to_owned(),
        }
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path, _) => Some(path),
            Self::Journal(_) | Self::Stdin => None,
        }
    }
}

/// None of the default logs is there, nor the journal.
pub(crate) fn no_log(journal: &str, cure: &str) -> Error {
    let files = format!("there is no {}", LOG_FILES.join(" and no "));
    let tried = if journal.is_empty() { files } else { format!("{files}, and {journal}") };
    Error::new(Exit::NoInput, "find the mail log", tried).cure(cure)
}
