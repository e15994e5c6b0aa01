//! Colours for people: on a terminal that can show them, unless NO_COLOR says otherwise (no-color.org).

use std::env;
use std::fmt::{self, Display};
use std::io::{self, IsTerminal};

/// Whether to colour what goes to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(bool);

impl Color {
    /// Colours if standard output is a terminal that can show them.
    pub fn stdout() -> Self {
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self(io::stdout().is_terminal() && !set("NO_COLOR") && !dumb)
    }

    /// No colours.
    pub const fn none() -> Self {
        Self(false)
    }

    /// What is good: green.
    pub fn good(self, text: impl Display) -> impl Display {
        self.with("32", text)
    }

    /// What is bad: red.
    pub fn bad(self, text: impl Display) -> impl Display {
        self.with("31", text)
    }

    /// What matters: bold.
    pub fn strong(self, text: impl Display) -> impl Display {
        self.with("1", text)
    }

    /// What matters less: faint.
    pub fn faint(self, text: impl Display) -> impl Display {
        self.with("2", text)
    }

    fn with(self, code: &'static str, text: impl Display) -> impl Display {
        Painted { text, code: self.0.then_some(code) }
    }
}

struct Painted<T> {
    text: T,
    code: Option<&'static str>,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "\x1b[{code}m{}\x1b[0m", self.text),
            None => self.text.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_end_where_they_should_and_only_where_wanted() {
        assert_eq!(Color(true).bad("x").to_string(), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(Color::none().bad("x").to_string(), "x");
    }
}
