//! Errors that end the program: what could not be done, why, what helps, and the exit code.

use std::fmt;
use std::io;

pub use pop_before_smtp_backends::cause as io_cause;
use pop_before_smtp_backends::{BackendError, ErrorKind};

/// Exit codes of sysexits.h, as far as they are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// `EX_USAGE`: the command line is wrong.
    Usage = 64,
    /// `EX_NOINPUT`: a log file or a table to read is missing.
    NoInput = 66,
    /// `EX_NOUSER`: there is no such user.
    NoUser = 67,
    /// `EX_UNAVAILABLE`: another program is missing or does not do its work.
    Unavailable = 69,
    /// `EX_OSERR`: a system call failed that never should.
    System = 71,
    /// `EX_CANTCREAT`: a file cannot be written.
    CannotCreate = 73,
    /// `EX_TEMPFAIL`: another daemon serves the map, or ours does not answer in time.
    TemporaryFailure = 75,
    /// `EX_NOPERM`: the daemon does not answer everybody.
    NoPermission = 77,
    /// `EX_CONFIG`: the settings cannot work.
    Config = 78,
}

/// A failure, shown as *cannot \<action\>: \<cause\>; \<cure\>*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Exit code that goes with it.
    pub exit: Exit,
    action: String,
    cause: String,
    cure: Option<String>,
}

impl Error {
    /// An error without a known cure. `action` names the object in full.
    pub fn new(exit: Exit, action: impl Into<String>, cause: impl fmt::Display) -> Self {
        Self { exit, action: action.into(), cause: cause.to_string(), cure: None }
    }

    /// A failed system call.
    pub fn io(exit: Exit, action: impl Into<String>, cause: &io::Error) -> Self {
        Self::new(exit, action, io_cause(cause))
    }

    /// The same error with what the operator can do.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.action, self.cause)?;
        match &self.cure {
            Some(cure) => write!(f, "; {cure}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl From<BackendError> for Error {
    fn from(error: BackendError) -> Self {
        let exit = match error.kind {
            ErrorKind::CannotCreate => Exit::CannotCreate,
            ErrorKind::NoInput | ErrorKind::Missing => Exit::NoInput,
            ErrorKind::Unavailable => Exit::Unavailable,
            ErrorKind::Config => Exit::Config,
        };
        Self { exit, action: error.action, cause: error.cause, cure: error.cure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_one_sentence() {
        let missing = io::Error::from_raw_os_error(2);
        let error = Error::io(Exit::NoInput, "read log file /var/log/maillog", &missing).cure("name one with --log");
        assert_eq!(
            error.to_string(),
            "cannot read log file /var/log/maillog: no such file or directory; name one with --log"
        );
    }
}
