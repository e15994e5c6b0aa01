//! What a row of the table of options says, and clap's description made of it.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, value_parser};

use super::options::OPTIONS;

/// What a value of an option is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Flag,
    /// One of these words, each with what it is for.
    Choice(&'static [(&'static str, &'static str)]),
    /// A whole number.
    Number,
    /// Seconds, or a text with a unit.
    Time,
    /// A path; in the file from `/` on.
    Path,
    /// Any text.
    Text,
}

/// How many values an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// One.
    One,
    /// Several, each with the option in front of it.
    Several,
    /// Several, with the option or a comma in front of each.
    Commas,
}

/// What holds if nobody says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Nothing; of a list, an empty one; of a flag, false.
    Nothing,
    /// This value, as the command line would have it.
    Value(&'static str),
    /// What is found out at start, in words.
    Found(&'static str),
}

/// What an option is about: whether the configuration file may hold it, and whether SIGHUP takes a change over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One run: no key of the file.
    Run,
    /// The site: a key of the file; a running daemon must be restarted.
    Restart,
    /// The site: a key of the file; a running daemon takes a change over at SIGHUP.
    Reload,
}

/// An option, and all that is known of it.
#[derive(Debug, Clone, Copy)]
pub struct OptionRow {
    /// Its name without dashes, and its key in the configuration file.
    pub key: &'static str,
    /// Its letter.
    pub short: Option<char>,
    /// What a value is.
    pub kind: Kind,
    /// How many.
    pub values: Values,
    /// What stands for a value in `--help`.
    pub value_name: &'static str,
    /// What holds if nobody says it.
    pub default: Preset,
    /// What it is about.
    pub scope: Scope,
    /// Whether it may stand behind a command, too.
    pub for_commands: bool,
    /// Keys of options that cannot be given beside it.
    pub conflicts: &'static [&'static str],
    /// The heading under which the example of a configuration file has it.
    pub group: &'static str,
    /// What it is for: one line of `--help`, without what holds by default.
    pub help: &'static str,
    /// What the documents say behind that, in Markdown: whole sentences, or links in parentheses.
    pub more: &'static str,
    /// A value as the configuration file has it; none is needed where there is a flag, number, time or path by default.
    pub example: &'static str,
}

impl OptionRow {
    /// Whether it is a key of the configuration file.
    pub fn is_in_file(&self) -> bool {
        self.scope != Scope::Run
    }

    /// Whether it takes several values.
    pub fn is_list(&self) -> bool {
        self.values != Values::One
    }

    /// The built-in value, if there is one that does not depend on others.
    pub fn default_value(&self) -> Option<&'static str> {
        match (self.kind, self.default) {
            (_, Preset::Found(_)) => None,
            (_, Preset::Value(text)) => Some(text),
            (Kind::Flag, Preset::Nothing) => Some("false"),
            (_, Preset::Nothing) => None,
        }
    }

    /// The default as the configuration file has it, or else an example.
    pub fn value_in_file(&self) -> String {
        match (self.kind, self.default_value()) {
            (_, None) => self.example.to_owned(),
            (Kind::Flag | Kind::Number, Some(text)) => text.to_owned(),
            (_, Some(text)) => format!("\"{text}\""),
        }
    }

    /// The line of `--help`.
    pub fn line(&self) -> String {
        match self.default {
            Preset::Found(text) => format!("{} [default: {text}]", self.help),
            Preset::Nothing | Preset::Value(_) => self.help.to_owned(),
        }
    }

    pub(super) fn arg(&self) -> Arg {
        let arg = Arg::new(self.key)
            .long(self.key)
            .help(self.line())
            .global(self.for_commands)
            .conflicts_with_all(self.conflicts);
        let arg = match self.short {
            Some(short) => arg.short(short),
            None => arg,
        };
        let arg = match self.kind {
            Kind::Flag if !self.is_in_file() => return arg.action(ArgAction::SetTrue),
            Kind::Flag => return revocable(arg, self.default_value()),
            Kind::Choice(choices) => arg.value_parser(PossibleValuesParser::new(
                choices.iter().map(|(name, help)| PossibleValue::new(*name).help(*help)),
            )),
            // What is split at commas is text.
            Kind::Path if self.values != Values::Commas => arg.value_parser(value_parser!(std::path::PathBuf)),
            Kind::Number | Kind::Time | Kind::Path | Kind::Text => arg,
        };
        let arg = match self.values {
            Values::One => arg.action(ArgAction::Set),
            Values::Several => arg.action(ArgAction::Append),
            Values::Commas => arg.action(ArgAction::Append).value_delimiter(','),
        };
        let arg = arg.value_name(self.value_name);
        match self.default_value() {
            Some(text) => arg.default_value(text),
            None => arg,
        }
    }
}

/// Lets the command line say no where the file says yes: `--hold-while-connected=false`.
fn revocable(arg: Arg, default: Option<&'static str>) -> Arg {
    let arg = match default {
        Some(text) => arg.default_value(text),
        None => arg,
    };
    arg.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .value_parser(value_parser!(bool))
        .value_name("true|false")
        .default_missing_value("true")
        .hide_possible_values(true)
        .hide_default_value(true)
}

/// The row of a key that is written in the program: `option!("grace")`. There is no program without that row.
macro_rules! option {
    ($key:literal) => {{
        const ROW: &$crate::cli::OptionRow = $crate::cli::row($key);
        ROW
    }};
}
pub(crate) use option;

/// The row of a key.
///
/// # Panics
/// While the program is compiled, if there is none: for constants only.
pub(crate) const fn row(key: &str) -> &'static OptionRow {
    let mut at = 0;
    while at < OPTIONS.len() && !is_same(OPTIONS[at].key.as_bytes(), key.as_bytes()) {
        at += 1;
    }
    assert!(at < OPTIONS.len(), "no option has this key");
    &OPTIONS[at]
}

/// `==` is not for constants.
const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}
