//! The file of `--config`: text -> tables of known keys, each mistake with its place. Reads that one file.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::error::{Error, Exit};
use crate::matcher::custom::{self, Definition, Field};
use crate::matcher::{Key, Matcher};

/// Largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// What the file says.
#[derive(Debug, Default)]
pub struct ConfigFile {
    /// The matchers of its `[[matcher]]` tables.
    pub matchers: Vec<&'static Matcher>,
}

/// The file as it is written. Every setting is a field here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    matcher: Vec<MatcherTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MatcherTable {
    name: Spanned<String>,
    programs: Spanned<Vec<String>>,
    login: Spanned<String>,
    connect: Option<Spanned<String>>,
    logout: Option<Spanned<String>>,
    key: Option<Spanned<KeyName>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KeyName {
    Pid,
    Session,
    None,
}

impl From<KeyName> for Key {
    fn from(name: KeyName) -> Self {
        match name {
            KeyName::Pid => Key::Pid,
            KeyName::Session => Key::Session,
            KeyName::None => Key::None,
        }
    }
}

/// Reads the file.
///
/// # Errors
/// Exit code 66 if it cannot be read, 78 if it says what cannot be.
pub fn read(path: &Path) -> Result<ConfigFile, Error> {
    let action = || format!("read configuration file {}", path.display());
    let unreadable = |error: io::Error| {
        Error::io(Exit::NoInput, action(), &error).cure("name a file that can be read with --config")
    };
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if size > LARGEST {
        return Err(Error::new(Exit::Config, action(), "it is larger than 1 MiB").cure("name another with --config"));
    }
    let text = fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8(text).map_err(|error| {
        let place = Source { path, text: "" }.line_of(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        Error::new(Exit::Config, action(), format!("line {place} is not UTF-8")).cure("save it as UTF-8")
    })?;
    parse(path, &text)
}

/// Reads the text of the file; `path` is for messages.
///
/// # Errors
/// Exit code 78.
pub fn parse(path: &Path, text: &str) -> Result<ConfigFile, Error> {
    let source = Source { path, text };
    let document: Document = toml::from_str(text).map_err(|error| source.refuse_syntax(&error))?;
    let mut names = BTreeSet::new();
    let mut matchers = Vec::with_capacity(document.matcher.len());
    for table in &document.matcher {
        if !names.insert(table.name.get_ref().as_str()) {
            let what = format!("matcher {} is there twice", table.name.get_ref());
            return Err(source.refuse(table.name.span().start, what).cure("give each its own name"));
        }
        matchers.push(matcher(&source, table)?);
    }
    Ok(ConfigFile { matchers })
}

fn matcher(source: &Source<'_>, table: &MatcherTable) -> Result<&'static Matcher, Error> {
    let text = |value: &'_ Option<Spanned<String>>| value.as_ref().map(|value| value.get_ref().clone());
    let (connect, logout) = (text(&table.connect), text(&table.logout));
    let definition = Definition {
        name: table.name.get_ref(),
        programs: table.programs.get_ref(),
        login: table.login.get_ref(),
        connect: connect.as_deref(),
        logout: logout.as_deref(),
        key: table.key.as_ref().map(|key| (*key.get_ref()).into()),
    };
    custom::build(&definition).map_err(|(field, flaw)| {
        let (key, at) = table.place(field);
        let name = table.name.get_ref().escape_debug();
        source.refuse(at, format!("{key} of matcher {name}: {}", flaw.reason)).cure(flaw.cure)
    })
}

impl MatcherTable {
    /// Name of the key, and where its value begins.
    fn place(&self, field: Field) -> (&'static str, usize) {
        let start = |value: &Option<Spanned<String>>| value.as_ref().map(|value| value.span().start);
        let (key, at) = match field {
            Field::Name => ("name", Some(self.name.span().start)),
            Field::Programs => ("programs", Some(self.programs.span().start)),
            Field::Login => ("login", Some(self.login.span().start)),
            Field::Connect => ("connect", start(&self.connect)),
            Field::Logout => ("logout", start(&self.logout)),
            Field::Key => ("key", self.key.as_ref().map(|key| key.span().start)),
        };
        (key, at.unwrap_or(self.name.span().start))
    }
}

/// The file, to say where something is.
struct Source<'f> {
    path: &'f Path,
    text: &'f str,
}

/// `FILE:LINE:COLUMN`, counted from 1, columns in characters.
struct Place {
    path: PathBuf,
    line: usize,
    column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}

impl Source<'_> {
    fn line_of(&self, before: &[u8]) -> usize {
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    fn place(&self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[line_start..].chars().count() + 1;
        Place { path: self.path.to_owned(), line: self.line_of(before.as_bytes()), column }
    }

    fn refuse(&self, at: usize, cause: impl fmt::Display) -> Error {
        Error::new(Exit::Config, format!("use {}", self.place(at)), cause)
    }

    fn refuse_syntax(&self, error: &toml::de::Error) -> Error {
        let at = error.span().map_or(0, |span| span.start);
        let message = error.message();
        let mut quoted = message.split('`').skip(1).step_by(2);
        if message.starts_with("unknown field") || message.starts_with("unknown variant") {
            let wrong = quoted.next().unwrap_or_default();
            let known: Vec<_> = quoted.collect();
            let what = if message.starts_with("unknown field") { "key" } else { "value" };
            let refused = self.refuse(at, format!("there is no {what} {}", wrong.escape_debug()));
            return match nearest(wrong, &known) {
                Some(near) => refused.cure(format!("did you mean {near}?")),
                None => refused.cure(format!("choose from {}", known.join(", "))),
            };
        }
        if message.starts_with("missing field") {
            return self.refuse(at, format!("the key {} is missing", quoted.next().unwrap_or_default()));
        }
        self.refuse(at, message.lines().collect::<Vec<_>>().join(", "))
    }
}

/// The known name that was probably meant.
fn nearest<'n>(wrong: &str, known: &[&'n str]) -> Option<&'n str> {
    let near = known.iter().map(|name| (distance(wrong, name), *name)).min()?;
    (near.0 <= 2 && near.0 < wrong.len()).then_some(near.1)
}

/// How many letters must be put in, taken out or changed to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refusal(text: &str) -> String {
        let error = parse(Path::new("pbs.toml"), text).unwrap_err();
        assert_eq!(error.exit, Exit::Config);
        error.to_string()
    }

    #[test]
    fn mistakes_have_a_place_and_a_cure() {
        let table = [
            ("[[matchr]]\n", "cannot use pbs.toml:1:3: there is no key matchr; did you mean matcher?"),
            ("graze = '3m'\n", "cannot use pbs.toml:1:1: there is no key graze; choose from matcher"),
            (
                "[[matcher]]\nname = 'x'\n loginn = 'y'\n",
                "cannot use pbs.toml:3:2: there is no key loginn; did you mean login?",
            ),
            ("[[matcher]]\nname = 'x'\n", "cannot use pbs.toml:1:1: the key programs is missing"),
        ];
        for (text, expected) in table {
            assert_eq!(refusal(text), expected);
        }
        assert!(refusal("[[matcher]]\nname = 'x\n").starts_with("cannot use pbs.toml:2:"));
    }

    #[test]
    fn words_have_distances() {
        assert_eq!(distance("login", "login"), 0);
        assert_eq!(distance("logn", "login"), 1);
        assert_eq!(distance("", "key"), 3);
    }
}
