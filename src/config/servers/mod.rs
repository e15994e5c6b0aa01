//! The servers that this host has: without `--matcher` those are listened to, and no others.
//!
//! `facts` looks at the host and at the newest part of each log once; `decision` judges by that alone. The table of what
//! shows a server is `signs`.

mod decision;
mod facts;
mod signs;

pub use self::decision::{Servers, Sign, Unused, Why};
pub use self::facts::{Facts, Logged};
pub use self::signs::{SIGNS, Signs};
use crate::config::logs::Logs;
use crate::matcher::{AnyMatcher, BUILTIN, Matchers};

/// Which matchers the options choose.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Those that are named; otherwise it depends.
    named: Option<Box<Matchers>>,
    /// Those of the configuration file.
    custom: Vec<AnyMatcher>,
    /// Whether whoever writes the log makes something else of a newline.
    escaped_newlines: bool,
}

impl Choice {
    /// What is named, if anything is, and what the configuration file describes.
    pub fn new(named: Option<Matchers>, custom: Vec<AnyMatcher>, escaped_newlines: bool) -> Self {
        Self { named: named.map(Box::new), custom, escaped_newlines }
    }

    /// What is used on this host with these logs, and why, unless it is named. A server that the logs have shown
    /// `earlier` stays: a rotation may have emptied them.
    pub fn look(&self, logs: &Logs, earlier: Option<&Servers>) -> (Matchers, Option<Servers>) {
        let found = || Servers::judge(&Facts::gather(logs, self.escaped_newlines), &self.custom, earlier);
        let servers = self.named.is_none().then(found);
        let matchers =
            self.named_or(|| servers.as_ref().map_or_else(|| Matchers::of([].into_iter()), Servers::matchers));
        (matchers, servers)
    }

    /// For a log of any host, unless they are named: all but those that are used only then.
    pub fn of_any_host(&self) -> Matchers {
        let usual = BUILTIN.iter().filter(|matcher| only_named(matcher.name).is_none());
        self.named_or(|| Matchers::of(usual.map(AnyMatcher::from).chain(self.custom.iter().cloned())))
    }

    /// To tell which would fit a log: all, unless they are named.
    pub fn to_suggest(&self) -> Matchers {
        self.named_or(|| Matchers::all_and(&self.custom))
    }

    fn named_or(&self, otherwise: impl FnOnce() -> Matchers) -> Matchers {
        let mut matchers = self.named.as_deref().cloned().unwrap_or_else(otherwise);
        matchers.take_newlines_for_escaped(self.escaped_newlines);
        matchers
    }
}

/// Why a matcher is used only when it is named, if it is.
pub fn only_named(matcher: &str) -> Option<&'static str> {
    signs::of(matcher)?.only_named
}

/// What of a matcher's server can be seen on this host, not looking at any log; none for a matcher of the configuration file.
pub fn seen_here() -> Vec<(&'static str, Sign)> {
    Facts::local("/".as_ref())
}
