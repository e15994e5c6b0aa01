//! The programs of Postfix: finds and runs them, and puts into words what they say.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::types::Type;
use crate::files::cause;
use crate::process::{self, Finished, find_postfix, places_of_postfix};
use crate::{BackendError, ErrorKind};

/// The programs of Postfix, and how long one of them may take.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) postmap: PathBuf,
    /// Missing is no error as long as nobody has to ask it.
    pub(crate) postconf: Option<PathBuf>,
    pub(crate) limit: Duration,
}

impl Tools {
    pub(super) fn installed() -> Result<Self, BackendError> {
        let Some(postmap) = find_postfix("postmap") else { return Err(missing("postmap")) };
        Ok(Self { postmap, postconf: find_postfix("postconf"), limit: process::LIMIT })
    }

    pub(super) fn postconf(&self, arguments: &[&str]) -> Result<String, BackendError> {
        let Some(postconf) = &self.postconf else { return Err(missing("postconf")) };
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        let failed = |cause| BackendError::new(ErrorKind::Unavailable, "ask postconf", cause);
        let end = self.run(postconf, &arguments).map_err(failed)?;
        Ok(String::from_utf8_lossy(&end.stdout).trim().to_owned())
    }

    /// Runs postmap on `table` (`hash:/etc/postfix/pop-before-smtp`); on failure the cause, in words.
    pub(super) fn postmap(&self, arguments: &[&str], table: &OsStr) -> Result<Finished, String> {
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).chain([table]).collect();
        let end = self.run(&self.postmap, &arguments)?;
        if let Some(complaint) = end.complaint() {
            log::debug!("{complaint}");
        }
        Ok(end)
    }

    /// What postmap finds for `key` in `table`; on failure the cause, in words.
    pub(super) fn lookup(&self, key: &OsStr, table: &OsStr) -> Result<Option<String>, String> {
        let failed = |error| format!("{}: {}", self.postmap.display(), cause(&error));
        let end = process::run(&self.postmap, &[OsStr::new("-q"), key, table], self.limit).map_err(failed)?;
        match (end.failure(), end.complaint()) {
            (None, _) => Ok(Some(String::from_utf8_lossy(&end.stdout).trim().to_owned())),
            // Nothing was found, and nothing is said.
            (Some(_), None) => Ok(None),
            (Some(cause), Some(_)) => Err(cause),
        }
    }

    fn run(&self, program: &Path, arguments: &[&OsStr]) -> Result<Finished, String> {
        let failed = |error| format!("{}: {}", program.display(), cause(&error));
        let end = process::run(program, arguments, self.limit).map_err(failed)?;
        end.failure().map_or(Ok(end), Err)
    }
}

fn missing(program: &str) -> BackendError {
    let cause = format!("it is not in {}", places_of_postfix());
    let error = BackendError::new(ErrorKind::Unavailable, format!("find {program}"), cause);
    error
        .cure("install Postfix, name the directory of its programs with --postfix-bin, or use --backend lmdb or sqlite")
}

/// What to set instead of a type that Postfix does not know.
pub(super) fn unknown_type(name: &str, tools: &Tools) -> BackendError {
    let known = tools.postconf(&["-m"]).unwrap_or_default();
    let usable: Vec<&str> = known.lines().map(str::trim).filter(|name| Type::named(name).is_some()).collect();
    let name = name.escape_debug();
    let error = BackendError::new(
        ErrorKind::Config,
        format!("use map type {name}"),
        "Postfix does not know it, or postmap makes no index of it",
    );
    match usable.as_slice() {
        [] => error.cure("set another with --map-type, or use --backend lmdb or sqlite"),
        usable => error.cure(format!("set --map-type to one of {}", usable.join(", "))),
    }
}
