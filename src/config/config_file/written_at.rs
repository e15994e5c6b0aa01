//! Where something is in the configuration file, and how a mistake there is told. Pure.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{MATCHER, MATCHERS};
use crate::cli::{OPTIONS, meant};
use crate::output::error::{Error, Exit};

/// A place in the file; shown as `FILE:LINE:COLUMN`, counted from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenAt {
    /// The file.
    pub path: PathBuf,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for WrittenAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}

/// The file, to say where something is.
pub(super) struct FileText<'f> {
    pub(super) path: &'f Path,
    pub(super) text: &'f str,
}

/// Number of the line that begins or goes on behind these bytes.
pub(super) fn line_behind(before: &[u8]) -> usize {
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

impl FileText<'_> {
    pub(super) fn place(&self, at: usize) -> WrittenAt {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[line_start..].chars().count() + 1;
        WrittenAt { path: self.path.to_owned(), line: line_behind(before.as_bytes()), column }
    }

    pub(super) fn refuse(&self, at: usize, cause: impl fmt::Display) -> Error {
        Error::new(Exit::Config, format!("use {}", self.place(at)), cause)
    }

    /// There is no such key or value.
    pub(super) fn refuse_unknown(&self, at: usize, what: &str, wrong: &str, known: &[&str]) -> Error {
        self.refuse(at, format!("there is no {what} {}", wrong.escape_debug())).cure(meant(wrong, known))
    }

    pub(super) fn refuse_syntax(&self, error: &toml::de::Error) -> Error {
        let at = error.span().map_or(0, |span| span.start);
        let message = error.message();
        let mut quoted = message.split('`').skip(1).step_by(2);
        if message.starts_with("unknown field") || message.starts_with("unknown variant") {
            let wrong = quoted.next().unwrap_or_default();
            if OPTIONS.iter().any(|row| row.is_in_file() && row.key == wrong) {
                let cause = format!("{wrong} does not belong to the table in which it is");
                return self.refuse(at, cause).cure("move it above the first line in brackets");
            }
            let what = if message.starts_with("unknown field") { "key" } else { "value" };
            return self.refuse_unknown(at, what, wrong, &quoted.collect::<Vec<_>>());
        }
        if message == "duplicate key" {
            let key = error.span().and_then(|span| self.text.get(span)).unwrap_or_default();
            let refused = self.refuse(at, format!("the key {} is there twice", key.escape_debug()));
            return match key {
                MATCHER => {
                    refused.cure(format!("name those to use in {MATCHERS}, and describe others in [[{MATCHER}]]"))
                }
                _ => refused.cure("leave one of them out"),
            };
        }
        if message.starts_with("missing field") {
            return self.refuse(at, format!("the key {} is missing", quoted.next().unwrap_or_default()));
        }
        self.refuse(at, message.lines().collect::<Vec<_>>().join(", "))
    }
}
