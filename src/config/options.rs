//! The options of a run, as texts, and where each of them was said. Pure.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::cli::{OPTIONS, OptionRow, Values};
use crate::config::config_file::{ConfigFile, FileValue, WrittenAt};

/// Where an option was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere.
    Default,
    /// On the command line.
    CommandLine,
    /// In the configuration file, there.
    File(WrittenAt),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::CommandLine => f.write_str("command line"),
            Self::File(place) => write!(f, "{}:{}", place.path.display(), place.line),
        }
    }
}

/// What an option is, and where that was said.
#[derive(Debug, Clone)]
pub struct Value {
    /// Which one.
    pub row: &'static OptionRow,
    /// As written; of a list, each.
    pub texts: Vec<OsString>,
    /// Where.
    pub origin: Origin,
}

impl Value {
    fn new(row: &'static OptionRow, matches: &ArgMatches, file: &ConfigFile) -> Self {
        let on_line = matches.value_source(row.key) == Some(ValueSource::CommandLine);
        match file.value(row.key).filter(|_| !on_line) {
            Some(value) => {
                let texts = value.texts.iter().flat_map(|(text, _)| match row.values {
                    Values::Commas => text.split(',').map(OsString::from).collect(),
                    Values::One | Values::Several => vec![OsString::from(text)],
                });
                Self { row, texts: texts.collect(), origin: Origin::File(value.place.clone()) }
            }
            None => {
                let texts = matches.get_raw(row.key).into_iter().flatten().map(OsStr::to_owned).collect();
                Self { row, texts, origin: if on_line { Origin::CommandLine } else { Origin::Default } }
            }
        }
    }
}

/// What the command line and the configuration file say.
#[derive(Debug, Clone)]
pub struct Options {
    /// The command line, to be read again with another file.
    pub(super) arguments: Vec<OsString>,
    /// Where its relative paths begin: a daemon in the background works elsewhere.
    pub(super) directory: PathBuf,
    /// The configuration file; an empty one without `--config`.
    pub file: ConfigFile,
    /// Every option, in the order of the table.
    pub values: Vec<Value>,
}

impl Options {
    /// Takes every option from the command line, and what that does not say from the file.
    pub(super) fn new(arguments: Vec<OsString>, directory: PathBuf, file: ConfigFile, matches: &ArgMatches) -> Self {
        let values = OPTIONS.iter().map(|row| Value::new(row, matches, &file)).collect();
        Self { arguments, directory, file, values }
    }

    /// The value of a key.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.values.iter().find(|value| value.row.key == key)
    }

    /// The texts of an option.
    pub(crate) fn texts(&self, row: &OptionRow) -> &[OsString] {
        self.value(row.key).map_or(&[], |value| &value.texts)
    }

    /// The words of a list; none of them can be anything but UTF-8.
    pub(crate) fn words(&self, row: &OptionRow) -> Vec<String> {
        self.texts(row).iter().map(|text| text.to_string_lossy().into_owned()).collect()
    }

    /// The text of an option that need not have one.
    pub(crate) fn said(&self, row: &OptionRow) -> Option<&str> {
        self.texts(row).first()?.to_str()
    }

    /// The text of an option that has a default.
    pub(crate) fn text(&self, row: &OptionRow) -> &str {
        self.said(row).unwrap_or_default()
    }

    /// Whether a flag is set.
    pub(crate) fn flag(&self, row: &OptionRow) -> bool {
        self.text(row) == "true"
    }

    /// A path, as written.
    pub(crate) fn path(&self, row: &OptionRow) -> Option<&Path> {
        self.texts(row).first().map(Path::new)
    }

    /// What the file says of an option, if it is the file that counts.
    pub(super) fn in_file(&self, option: &str) -> Option<&FileValue> {
        let key = option.trim_start_matches('-');
        self.value(key).filter(|value| matches!(value.origin, Origin::File(_)))?;
        self.file.value(key)
    }
}
