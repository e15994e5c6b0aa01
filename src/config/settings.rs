//! The settings: the options that the configuration file may hold, too, made out of the command line's own description;
//! and what each of them is in this run. Pure.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};

use crate::cli;
use crate::config::config_file::{self, ConfigFile, FileValue, Place};

/// What a value of a setting is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Flag,
    /// One of these words.
    Choice(Vec<String>),
    /// A whole number.
    Number,
    /// Seconds, or a text with a unit.
    Time,
    /// An absolute path.
    Path,
    /// Any text.
    Text,
}

/// An option that is also a key of the configuration file.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Name of the option without dashes, and key in the file.
    pub key: String,
    /// What it is for, as in `--help`.
    pub help: String,
    /// What stands for a value in `--help`.
    pub value_name: String,
    /// The built-in value, if there is one that does not depend on others.
    pub default: Option<String>,
    /// What a value is.
    pub kind: Kind,
    /// Whether it takes several values.
    pub list: bool,
}

/// All settings, in the order of `--help`.
pub fn all() -> Vec<Setting> {
    cli::command().get_arguments().filter_map(Setting::new).collect()
}

impl Setting {
    fn new(arg: &Arg) -> Option<Self> {
        let key = arg.get_long().filter(|name| !cli::ONLY_HERE.contains(name))?;
        let value_name = arg.get_value_names().and_then(<[_]>::first).map(ToString::to_string).unwrap_or_default();
        let choices: Vec<_> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        let kind = match value_name.split(',').next().unwrap_or_default() {
            _ if choices == ["true", "false"] => Kind::Flag,
            _ if !choices.is_empty() => Kind::Choice(choices),
            "N" => Kind::Number,
            "TIME" => Kind::Time,
            "FILE" | "DIR" | "PATH" => Kind::Path,
            _ => Kind::Text,
        };
        Some(Self {
            key: key.to_owned(),
            help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
            value_name,
            default: arg.get_default_values().first().map(|value| value.to_string_lossy().into_owned()),
            kind,
            list: matches!(arg.get_action(), ArgAction::Append),
        })
    }

    /// The key that is always right in the file.
    pub fn key_in_file(&self) -> &str {
        if self.key == config_file::MATCHER { config_file::MATCHERS } else { &self.key }
    }

    /// How a value is written in the file, for a message.
    pub fn example(&self) -> String {
        let value = match (&self.kind, &self.default) {
            (Kind::Flag, _) => "true".to_owned(),
            (Kind::Number, default) => default.clone().unwrap_or_else(|| "0".to_owned()),
            (_, Some(default)) => format!("\"{default}\""),
            (Kind::Choice(choices), None) => format!("\"{}\"", choices.first().map_or("", String::as_str)),
            (Kind::Time, None) => "\"1s\"".to_owned(),
            (Kind::Path, None) => "\"/path/of/it\"".to_owned(),
            (Kind::Text, None) => format!("\"{}\"", self.value_name.split(',').next().unwrap_or_default()),
        };
        let (open, close) = if self.list { ("[", "]") } else { ("", "") };
        format!("{} = {open}{value}{close}", self.key_in_file())
    }
}

/// Where a setting was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere.
    Default,
    /// On the command line.
    CommandLine,
    /// In the configuration file, there.
    File(Place),
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

/// What a setting is, and where that was said.
#[derive(Debug, Clone)]
pub struct Value {
    /// Which one.
    pub setting: Setting,
    /// As written; of a list, each.
    pub texts: Vec<OsString>,
    /// Where.
    pub origin: Origin,
}

/// What was given to this run: the command line and the file.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The command line, to be read again with another file.
    pub arguments: Vec<OsString>,
    /// Where its relative paths begin: a daemon in the background works elsewhere.
    pub directory: PathBuf,
    /// The configuration file; an empty one without `--config`.
    pub file: ConfigFile,
    /// Every setting.
    pub values: Vec<Value>,
}

impl Given {
    /// Takes every setting from the command line, for which the file has served as defaults.
    pub fn new(arguments: Vec<OsString>, directory: PathBuf, file: ConfigFile, matches: &ArgMatches) -> Self {
        let values = cli::command()
            .get_arguments()
            .filter_map(|arg| Some((arg.get_id().as_str(), Setting::new(arg)?)))
            .map(|(id, setting)| {
                let texts = matches.get_raw(id).into_iter().flatten().map(OsStr::to_owned).collect();
                let origin = match (matches.value_source(id), file.value(&setting.key)) {
                    (Some(ValueSource::CommandLine), _) => Origin::CommandLine,
                    (_, Some(value)) => Origin::File(value.place.clone()),
                    (_, None) => Origin::Default,
                };
                Value { setting, texts, origin }
            })
            .collect();
        Self { arguments, directory, file, values }
    }

    /// The value of a key.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.values.iter().find(|value| value.setting.key == key)
    }

    /// What the file says of an option, if it is the file that counts.
    pub fn in_file(&self, option: &str) -> Option<&FileValue> {
        let key = option.trim_start_matches('-');
        self.value(key).filter(|value| matches!(value.origin, Origin::File(_)))?;
        self.file.value(key)
    }
}
