//! Lets a matcher of the table and one of the configuration file be used alike. The one is always there, the other is freed
//! with the last that uses it: a daemon may read its configuration file again as often as it likes.

use std::fmt;
use std::sync::Arc;

use super::custom::{CustomMatcher, Expression};
use super::pattern::{Pattern, Piece, Shown};
use super::reader::{self, Reading};
use super::{Key, Kind, Matcher};

/// A matcher that may be chosen. A clone is the same one, and costs next to nothing.
#[derive(Clone)]
pub enum AnyMatcher {
    /// A row of a table.
    Row(&'static Matcher),
    /// One of the configuration file.
    Custom(Arc<CustomMatcher>),
}

impl AnyMatcher {
    /// Value of `--matcher`.
    pub fn name(&self) -> &str {
        match self {
            Self::Row(matcher) => matcher.name,
            Self::Custom(matcher) => &matcher.name,
        }
    }

    /// The row, if it is one of a table.
    pub fn row(&self) -> Option<&'static Matcher> {
        match self {
            Self::Row(matcher) => Some(matcher),
            Self::Custom(_) => None,
        }
    }

    /// Names under which the server logs, whole.
    pub fn programs(&self) -> Vec<&str> {
        match self {
            Self::Row(matcher) => matcher.programs.to_vec(),
            Self::Custom(matcher) => matcher.programs.iter().map(String::as_str).collect(),
        }
    }

    /// How the lines of one session belong together.
    pub fn key(&self) -> Key {
        match self {
            Self::Row(matcher) => matcher.key,
            Self::Custom(matcher) => matcher.key,
        }
    }

    /// The messages that it knows, in the order in which they are tried.
    pub(crate) fn forms(&self) -> Vec<(Kind, Form)> {
        match self {
            Self::Row(matcher) => {
                let of = |kind, patterns: &'static [Pattern]| {
                    patterns.iter().map(move |pattern| (kind, Form::Pieces(pattern)))
                };
                let logins = of(Kind::Login, matcher.logins);
                logins.chain(of(Kind::Logout, matcher.logouts)).chain(of(Kind::Connect, matcher.connects)).collect()
            }
            Self::Custom(matcher) => matcher.forms.clone(),
        }
    }

    /// Whether it knows messages of this kind.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.forms().iter().any(|(known, _)| *known == kind)
    }
}

impl PartialEq for AnyMatcher {
    /// Whether it is the same one; another may be called so after the configuration file has been changed.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Row(one), Self::Row(other)) => std::ptr::eq(*one, *other),
            (Self::Custom(one), Self::Custom(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for AnyMatcher {}

impl From<&'static Matcher> for AnyMatcher {
    fn from(matcher: &'static Matcher) -> Self {
        Self::Row(matcher)
    }
}

impl fmt::Display for AnyMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for AnyMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a message must be like.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// Of a row of the table.
    Pieces(Pattern),
    /// Of the site.
    SitePieces(Arc<[Piece]>),
    /// Of the configuration file.
    Expression(Arc<Expression>),
}

impl Form {
    /// Reads the whole message.
    pub(super) fn read<'m>(&self, message: &'m [u8]) -> Option<Reading<'m>> {
        match self {
            Self::Pieces(pattern) => reader::read(pattern, message),
            Self::SitePieces(pieces) => reader::read(pieces, message),
            Self::Expression(expression) => expression.read(message),
        }
    }

    /// A pattern for how the message begins: of an expression it is not known.
    pub(super) fn start(&self) -> &[Piece] {
        match self {
            Self::Pieces(pattern) => pattern,
            Self::SitePieces(pieces) => pieces,
            Self::Expression(_) => &[Piece::User],
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pieces(pattern) => Shown(pattern).fmt(f),
            Self::SitePieces(pieces) => Shown(pieces).fmt(f),
            Self::Expression(expression) => f.write_str(expression.source()),
        }
    }
}
