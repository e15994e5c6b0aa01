//! Which patterns the messages of a program are tried against. Pure.

use std::sync::OnceLock;

use super::any::{AnyMatcher, Form};
use super::newlines::GoesOn;
use super::pattern::Pattern;
use super::reader::{self, Reading};
use super::starts::Starts;
use super::{BUILTIN, ForeignWords, Kind, RawNewlines};

/// What to do with the messages of one program.
#[derive(Debug, Clone, Default)]
pub(super) struct Route {
    pub(super) matchers: Vec<AnyMatcher>,
    /// Of all its matchers, in the order in which they are tried.
    patterns: Vec<Candidate>,
    /// Of the patterns; made for the first message.
    starts: OnceLock<Starts>,
    /// From which length on a message may be cut by its logger, chosen or not.
    pub(super) limit: Option<usize>,
    /// Which messages of a process may be a stranger's, chosen or not.
    pub(super) foreign: Vec<&'static ForeignWords>,
    /// How the messages begin that show this.
    signs: OnceLock<Starts>,
    /// Which messages may hold a stranger's newline, chosen or not, by how they begin.
    newlines: Vec<(Pattern, &'static RawNewlines)>,
    /// Of these; made for the first message.
    openings: OnceLock<Starts>,
}

/// A pattern that a message may fit.
#[derive(Debug, Clone)]
struct Candidate {
    matcher: AnyMatcher,
    kind: Kind,
    form: Form,
}

impl Route {
    /// How the message may go on behind this line, if it may hold a newline of a client who has not logged in.
    #[inline]
    pub(super) fn goes_on(&self, message: &[u8]) -> Option<GoesOn> {
        if self.newlines.is_empty() { None } else { self.goes_on_like(message) }
    }

    fn goes_on_like(&self, message: &[u8]) -> Option<GoesOn> {
        let openings = self.openings.get_or_init(|| Starts::of(self.newlines.iter().map(|(start, _)| *start)));
        let mut fitting = openings.fitting(message).of(&self.newlines);
        fitting.find_map(|(start, newlines)| reader::begins(start, message).then(|| newlines.goes_on(message)))
    }

    /// Whether the message may show that others are a stranger's.
    pub(super) fn may_be_sign(&self, message: &[u8]) -> bool {
        let signs = || self.foreign.iter().flat_map(|words| words.behind.iter().chain(words.never));
        self.signs.get_or_init(|| Starts::of(signs().copied())).fitting(message).is_any()
    }

    /// The first reading of a message.
    pub(super) fn read<'m>(&self, message: &'m [u8]) -> Option<(AnyMatcher, Kind, Reading<'m>)> {
        let starts =
            self.starts.get_or_init(|| Starts::of(self.patterns.iter().map(|candidate| candidate.form.start())));
        starts.fitting(message).of(&self.patterns).find_map(|candidate| {
            let reading = candidate.form.read(message)?;
            Some((candidate.matcher.clone(), candidate.kind, reading))
        })
    }
}

fn candidates(matcher: &AnyMatcher) -> impl Iterator<Item = Candidate> {
    matcher.forms().into_iter().map(|(kind, form)| Candidate { matcher: matcher.clone(), kind, form })
}

/// The routes of all programs that a matcher listens to, found by length and ends of the program's name: most programs
/// are turned away, and the others found, without comparing a name with many.
#[derive(Debug, Clone)]
pub(super) struct Routes {
    /// In the order of their class.
    programs: Vec<Box<[u8]>>,
    /// Those of the programs.
    routes: Vec<Route>,
    /// Where the programs of each class begin; one more than there are classes.
    starts: Box<[u16; CLASSES + 1]>,
}

/// Classes of program names.
const CLASSES: usize = 1024;

impl Routes {
    /// For these matchers. The programs of all loggers that cut messages, and of all servers that log a stranger's
    /// words or newlines, have a route, too: another matcher may listen to such a program, now or after the choice was changed.
    pub(super) fn new(matchers: &[AnyMatcher]) -> Self {
        let mut routes = Vec::new();
        for matcher in matchers {
            for program in matcher.programs() {
                let route = route(&mut routes, program.as_bytes());
                route.matchers.push(matcher.clone());
                route.patterns.extend(candidates(matcher));
            }
        }
        for matcher in BUILTIN {
            for program in matcher.programs.iter().filter(|_| matcher.splits.is_some()) {
                let route = route(&mut routes, program.as_bytes());
                route.limit = route.limit.into_iter().chain(matcher.splits.map(|limit| limit.bytes)).min();
            }
            for newlines in matcher.newlines {
                for program in newlines.programs {
                    let known = &mut route(&mut routes, program.as_bytes()).newlines;
                    if !known.iter().any(|(_, other)| std::ptr::eq(*other, newlines)) {
                        known.extend(newlines.messages.iter().map(|start| (*start, newlines)));
                    }
                }
            }
            if let Some(foreign) = &matcher.foreign {
                for program in foreign.programs {
                    route(&mut routes, program.as_bytes()).foreign.push(foreign);
                }
            }
        }
        routes.sort_by_key(|(program, _)| class(program));
        let starts = |n| routes.partition_point(|(program, _)| class(program) < n) as u16;
        let starts = Box::new(std::array::from_fn(starts));
        let (programs, routes) = routes.into_iter().unzip();
        Self { programs, routes, starts }
    }

    /// The number of a program's route, if a matcher listens to it or its logger cuts messages.
    #[inline]
    pub(super) fn find(&self, program: &[u8]) -> Option<usize> {
        let class = class(program);
        let mut programs = usize::from(self.starts[class])..usize::from(self.starts[class + 1]);
        programs.find(|nth| *self.programs[*nth] == *program)
    }

    /// The route of this number, which was found.
    pub(super) fn get(&self, nth: usize) -> &Route {
        &self.routes[nth]
    }

    /// Whether a matcher listens there.
    pub(super) fn is_heard(&self, nth: usize) -> bool {
        !self.get(nth).matchers.is_empty()
    }
}

/// The route of a program, made if there is none. The limit of one server holds for all that share its program name: the
/// rest of a message cut by Courier's logger may as well look like a login of UW or Cyrus.
fn route<'r>(routes: &'r mut Vec<(Box<[u8]>, Route)>, program: &[u8]) -> &'r mut Route {
    let at = routes.iter().position(|(known, _)| **known == *program).unwrap_or_else(|| {
        routes.push((program.into(), Route::default()));
        routes.len() - 1
    });
    &mut routes[at].1
}

/// From the length of the name and its ends.
fn class(program: &[u8]) -> usize {
    let end = |byte: Option<&u8>| byte.copied().map_or(0, usize::from);
    (program.len() * 37 + end(program.first()) * 3 + end(program.last()) * 11) % CLASSES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_is_found_and_no_other() {
        let all: Vec<AnyMatcher> = BUILTIN.iter().map(AnyMatcher::from).collect();
        let routes = Routes::new(&all);
        for program in BUILTIN.iter().flat_map(|matcher| matcher.programs) {
            let found = routes.find(program.as_bytes()).map(|nth| &*routes.programs[nth]);
            assert_eq!(found, Some(program.as_bytes()));
        }
        for other in ["", "x", "postfix/smtpd", "dovecos", "dovecot ", "Dovecot"] {
            assert!(routes.find(other.as_bytes()).is_none(), "{other}");
        }
    }
}
