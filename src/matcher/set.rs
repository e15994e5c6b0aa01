//! Holds the chosen matchers and what they remember of one log, so that another choice forgets nothing of it.

use std::fmt;

use super::builtin::NAMES_OF_C_PROGRAM;
use super::files::Files;
use super::foreign::Foreign;
use super::fragments::Fragments;
use super::newlines::Newlines;
use super::pieces::Pieces;
use super::repeats::Repeats;
use super::routes::Routes;
use super::sessions::Sessions;
use super::{AnyMatcher, BUILTIN, Kind};
use crate::line::syslog::Layout;

/// No matcher has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownMatcher {
    /// The name asked for.
    pub name: String,
    /// The names there are.
    pub valid: Vec<String>,
}

impl fmt::Display for UnknownMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown matcher {:?}; choose from {}", self.name, self.valid.join(", "))
    }
}

impl std::error::Error for UnknownMatcher {}

/// The chosen matchers, in front of one log; a clone stands in front of another.
#[derive(Debug, Clone)]
pub struct Matchers {
    pub(super) routes: Routes,
    /// Every matcher that has a route.
    chosen: Vec<AnyMatcher>,
    pub(super) fragments: Fragments,
    pub(super) foreign: Foreign,
    pub(super) sessions: Sessions,
    pub(super) newlines: Newlines,
    pub(super) held: u64,
    pub(super) files: Files,
    pub(super) repeats: Repeats,
    pub(super) pieces: Pieces,
    /// How the lines begin, as far as they were scanned.
    pub(super) layout: Option<Layout>,
}

impl Matchers {
    /// All built-in matchers.
    pub fn all() -> Self {
        Self::all_and(&[])
    }

    /// The built-in matchers of these names.
    ///
    /// # Errors
    /// No matcher has one of the names.
    pub fn select<S: AsRef<str>>(names: &[S]) -> Result<Self, UnknownMatcher> {
        Self::choose(names, &[])
    }

    /// The built-in and custom matchers.
    pub fn all_and(custom: &[AnyMatcher]) -> Self {
        Self::of(known(custom))
    }

    /// The built-in and custom matchers of these names; the C program's names are known, too.
    ///
    /// # Errors
    /// No matcher has one of the names.
    pub fn choose<S: AsRef<str>>(names: &[S], custom: &[AnyMatcher]) -> Result<Self, UnknownMatcher> {
        let find = |name: &str| {
            let of_c_program = NAMES_OF_C_PROGRAM.iter().find(|(old, _)| *old == name);
            let own = of_c_program.map_or(name, |(_, own)| own);
            known(custom).find(|matcher| matcher.name() == own).ok_or_else(|| unknown(name, custom))
        };
        let mut chosen = names.iter().map(|name| find(name.as_ref())).collect::<Result<Vec<_>, _>>()?;
        chosen.sort_by(|one, other| one.name().cmp(other.name()));
        chosen.dedup();
        Ok(Self::of(chosen.into_iter()))
    }

    /// These matchers, in the order in which they are tried.
    pub fn of(chosen: impl Iterator<Item = AnyMatcher>) -> Self {
        let chosen: Vec<_> = chosen.collect();
        Self {
            routes: Routes::new(&chosen),
            chosen,
            fragments: Fragments::default(),
            foreign: Foreign::default(),
            sessions: Sessions::default(),
            newlines: Newlines::default(),
            held: 0,
            files: Files::default(),
            repeats: Repeats::default(),
            pieces: Pieces::default(),
            layout: None,
        }
    }

    /// Says that the next line stands in the middle of a log, or that lines in front of it are missing. The first message of
    /// each program whose logger cuts messages may be the rest of one that was not handed in, and is no event. A process may
    /// have become a proxy for a stranger ([`super::ForeignWords`]). A connection may have ended, and another have got its id. Without
    /// this the log begins with its first line.
    pub fn begin_in_the_middle(&mut self) {
        self.miss_lines();
        self.fragments.forget();
        self.foreign.miss();
        self.sessions.forget_connections();
    }

    /// Says that each line which follows may be the rest of one that was not handed in, until
    /// [`Matchers::begin_in_the_middle`]: no message of a program whose logger cuts messages is an event, and none of a
    /// process that may be a proxy.
    pub fn believe_nothing(&mut self) {
        self.miss_lines();
        self.fragments.believe_nothing();
        self.foreign.miss();
    }

    /// The next line may be the rest of one that was not handed in, and what stands in front of it may not be the last.
    pub(super) fn miss_lines(&mut self) {
        self.pieces.miss();
        self.repeats.disarm();
    }

    /// Whether, since the last call, so many hosts and programs wrote that it is not remembered any more whose messages
    /// were cut: then the next message of each is no event.
    pub fn take_overflow(&mut self) -> bool {
        self.fragments.take_overflow()
    }

    /// The names of the chosen matchers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.chosen.iter().map(AnyMatcher::name)
    }

    /// Whether these are the same matchers.
    pub fn is_same_choice(&self, other: &Self) -> bool {
        self.chosen == other.chosen
    }

    /// Says whether whoever writes the log makes something else of a newline in a message, so that each line behind a
    /// header of syslog is a message of its own. Without this, what stands close behind a stranger's name is no event.
    pub fn take_newlines_for_escaped(&mut self, escaped: bool) {
        self.newlines.escaped = escaped;
    }

    /// How many lines so far would have been logins if newlines were escaped.
    pub fn held(&self) -> u64 {
        self.held
    }

    /// Takes the matchers of another choice, in front of the same log, and keeps what is remembered of it: the next line
    /// may be the rest of a message that was cut. A connection that a matcher told of which is chosen no longer is
    /// forgotten: its address must not become that of a login that another one finds.
    pub fn choose_as(&mut self, other: &Self) {
        self.newlines.escaped = other.newlines.escaped;
        if self.is_same_choice(other) {
            return;
        }
        if self.chosen.iter().any(|matcher| matcher.has(Kind::Connect) && !other.chosen.contains(matcher)) {
            self.sessions.forget_connections();
        }
        self.routes = other.routes.clone();
        self.chosen = other.chosen.clone();
    }

    /// Notes a line, handed in without its newline, of a program that is not heeded.
    pub(super) fn skip(&mut self, line: &[u8]) {
        self.repeats.disarm();
        self.newlines.pass(line);
    }

    /// The matchers that listen to a program, and from which length on a message of it may be cut.
    pub fn listeners(&self, program: &[u8]) -> (&[AnyMatcher], Option<usize>) {
        match self.routes.find(program).map(|route| self.routes.get(route)) {
            Some(route) => (&route.matchers, route.limit),
            None => (&[], None),
        }
    }
}

/// All that may be chosen.
fn known(custom: &[AnyMatcher]) -> impl Iterator<Item = AnyMatcher> {
    BUILTIN.iter().map(AnyMatcher::from).chain(custom.iter().cloned())
}

fn unknown(name: &str, custom: &[AnyMatcher]) -> UnknownMatcher {
    UnknownMatcher { name: name.to_owned(), valid: known(custom).map(|matcher| matcher.name().to_owned()).collect() }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::super::pattern;
    use super::*;
    use crate::time::Timestamp;

    const LOGIN: &[u8] = b"Nov 22 16:00:00 mail pop3d: LOGIN, user=alice, ip=[::ffff:198.51.100.1], port=[1]";

    fn client(matchers: &mut Matchers, line: &[u8]) -> Option<String> {
        Some(matchers.event(Timestamp::default(), line)?.client.to_string())
    }
    #[test]
    fn every_pattern_keeps_the_rules() {
        for matcher in BUILTIN {
            for (pattern, role) in matcher.patterns() {
                assert_eq!(pattern::lint(pattern, role), Ok(()), "{}: {}", matcher.name, pattern::Shown(pattern));
            }
            assert!(!matcher.logins.is_empty() && !matcher.programs.is_empty());
        }
    }

    #[test]
    fn names_are_unique_and_unknown_ones_are_told() {
        let mut names: Vec<_> = BUILTIN.iter().map(|m| m.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), BUILTIN.len());
        let error = Matchers::select(&["courier", "corier"]).expect_err("misspelt");
        assert!(error.to_string().starts_with("unknown matcher \"corier\"; choose from apple-mail, "), "{error}");
    }

    #[test]
    fn the_names_of_the_c_program_are_known() {
        for (old, own) in NAMES_OF_C_PROGRAM {
            let chosen = Matchers::select(&[old]).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(chosen.names().collect::<Vec<_>>(), [*own]);
        }
        let both = Matchers::select(&["COURIER", "courier", "VMPOP3D"]).expect("known");
        assert_eq!(both.names().collect::<Vec<_>>(), ["courier", "vm-pop3d"]);
        assert!(Matchers::select(&["Courier"]).is_err());
    }

    #[test]
    fn only_the_chosen_servers_are_heard() {
        assert_eq!(client(&mut Matchers::all(), LOGIN).as_deref(), Some("198.51.100.1"));
        let mut courier = Matchers::select(&["courier", "courier"]).expect("known");
        assert_eq!(client(&mut courier, LOGIN).as_deref(), Some("198.51.100.1"));
        let mut others = Matchers::select(&["dovecot", "uw-imap"]).expect("known");
        assert_eq!(client(&mut others, LOGIN), None);
    }
}
