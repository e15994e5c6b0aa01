//! The `[[matcher]]` tables of the configuration file. Pure.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

use super::written_at::{FileText, WrittenAt};
use crate::matcher::custom::{self, Definition, Field};
use crate::matcher::{AnyMatcher, Key};
use crate::output::error::Error;

/// A table as it is written. Two are equal if they say the same, wherever they stand.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MatcherTable {
    pub(super) name: Spanned<String>,
    pub(super) programs: Spanned<Vec<String>>,
    pub(super) login: Spanned<String>,
    pub(super) connect: Option<Spanned<String>>,
    pub(super) logout: Option<Spanned<String>>,
    pub(super) key: Option<Spanned<KeyName>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum KeyName {
    Pid,
    Session,
    None,
}

impl KeyName {
    fn name(self) -> &'static str {
        match self {
            Self::Pid => "pid",
            Self::Session => "session",
            Self::None => "none",
        }
    }
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

/// A matcher of the file, and what it was made of.
#[derive(Debug, Clone)]
pub struct Custom {
    pub(super) table: MatcherTable,
    /// Where it is.
    pub place: WrittenAt,
    /// The matcher.
    pub matcher: AnyMatcher,
}

impl Custom {
    /// The keys of its table that are there, each with its text; `programs` is apart.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let MatcherTable { name, login, connect, logout, key, .. } = &self.table;
        [
            Some(("name", name.get_ref().as_str())),
            connect.as_ref().map(|text| ("connect", text.get_ref().as_str())),
            Some(("login", login.get_ref().as_str())),
            logout.as_ref().map(|text| ("logout", text.get_ref().as_str())),
            key.as_ref().map(|key| ("key", key.get_ref().name())),
        ]
        .into_iter()
        .flatten()
    }

    /// Its `programs`.
    pub fn programs(&self) -> &[String] {
        self.table.programs.get_ref()
    }
}

/// Makes a matcher of each table. Of `known` those are taken that are the same, so that no other seems to be chosen.
pub(super) fn read<'t>(
    source: &FileText<'_>,
    values: impl IntoIterator<Item = Spanned<DeValue<'t>>>,
    known: &[Custom],
) -> Result<Vec<Custom>, Error> {
    let mut names = BTreeSet::new();
    let mut matchers = Vec::new();
    for value in values {
        let place = source.place(value.span().start);
        let table =
            MatcherTable::deserialize(ValueDeserializer::from(value)).map_err(|error| source.refuse_syntax(&error))?;
        if !names.insert(table.name.get_ref().clone()) {
            let what = format!("matcher {} is there twice", table.name.get_ref());
            return Err(source.refuse(table.name.span().start, what).cure("give each its own name"));
        }
        let matcher = match known.iter().find(|known| known.table == table) {
            Some(known) => known.matcher.clone(),
            None => build(source, &table)?,
        };
        matchers.push(Custom { table, place, matcher });
    }
    Ok(matchers)
}

fn build(source: &FileText<'_>, table: &MatcherTable) -> Result<AnyMatcher, Error> {
    let definition = Definition {
        name: table.name.get_ref(),
        programs: table.programs.get_ref(),
        login: table.login.get_ref(),
        connect: table.connect.as_ref().map(|text| text.get_ref().as_str()),
        logout: table.logout.as_ref().map(|text| text.get_ref().as_str()),
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
