//! Why a table could not be opened, read or written.

use std::fmt;

/// What kind of failure it is; the daemon chooses its exit code (sysexits.h) by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The table or a file beside it cannot be created or written: directory missing, no permission, disk full.
    CannotCreate,
    /// There is no table.
    Missing,
    /// The table cannot be read.
    NoInput,
    /// Another program is missing, failed or was too slow, or someone holds a lock.
    Unavailable,
    /// The settings cannot work: unknown map type, a file that is not ours, a backend that is not compiled in.
    Config,
}

/// A failed call of a backend, as *cannot \<action\>: \<cause\>; \<cure\>*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendError {
    /// Kind of failure.
    pub kind: ErrorKind,
    /// What could not be done, with the object in full: `write table /etc/postfix/pop-before-smtp.lmdb`.
    pub action: String,
    /// What went wrong, lower case.
    pub cause: String,
    /// What the operator can do, where that is known.
    pub cure: Option<String>,
}

impl BackendError {
    /// An error without a known cure.
    pub(crate) fn new(kind: ErrorKind, action: impl Into<String>, cause: impl fmt::Display) -> Self {
        Self { kind, action: action.into(), cause: cause.to_string(), cure: None }
    }

    /// The same error with a cure.
    #[must_use]
    pub(crate) fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.action, self.cause)?;
        match &self.cure {
            Some(cure) => write!(f, "; {cure}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for BackendError {}
