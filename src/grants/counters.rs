//! What one log has brought since the daemon began to follow it: numbers for the commands and messages that tell how it
//! fares. Pure.

use std::time::SystemTime;

use crate::matcher::{Action, Event};
use crate::ring::networks::Refusal;

/// What came of a login or logout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A login of an address without a grant: it has one now.
    Granted,
    /// A login of an address with a grant, which ends later now.
    Extended,
    /// A login that changed nothing: it is long ago, or a newer one is known already.
    Unchanged,
    /// A login that must not grant anything.
    Refused(Reason),
    /// A logout.
    Logout,
}

/// Why a login was refused: what refusals are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// See [`Refusal::NotAClient`].
    NotAClient,
    /// See [`Refusal::Skipped`].
    Skipped,
    /// See [`Refusal::Permitted`].
    Permitted,
    /// The address was denied by hand.
    Denied,
    /// The address was revoked by hand after this login.
    Revoked,
    /// Too many users log in from the address.
    Shared,
    /// The line was new, but was written longer ago than the grace.
    Late,
}

impl Reason {
    /// Every reason, in the order of declaration.
    pub const ALL: [Self; 7] =
        [Self::NotAClient, Self::Skipped, Self::Permitted, Self::Denied, Self::Revoked, Self::Shared, Self::Late];

    /// What it is called in a table of numbers.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAClient => "not-a-client",
            Self::Skipped => "skip-networks",
            Self::Permitted => "skip-mynetworks",
            Self::Denied => "denied",
            Self::Revoked => "revoked",
            Self::Shared => "shared",
            Self::Late => "late",
        }
    }
}

impl From<Refusal> for Reason {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotAClient => Self::NotAClient,
            Refusal::Skipped(_) => Self::Skipped,
            Refusal::Permitted(_) => Self::Permitted,
        }
    }
}

/// Numbers of one log. All begin at 0 with the daemon and only grow.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    lines: u64,
    bytes: u64,
    unmatched: u64,
    /// By the name of the matcher; in use are few.
    logins: Vec<(String, u64)>,
    logouts: u64,
    granted: u64,
    extended: u64,
    refused: [u64; Reason::ALL.len()],
    dropped: u64,
    last_line: Option<SystemTime>,
    last_login: Option<SystemTime>,
}

impl Counters {
    /// Lines read, those that were dropped for their length included; without those that an earlier run has counted.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Bytes of these lines; of one that was dropped perhaps only the first 8 KiB.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lines that look like logins of a known program and that no matcher took.
    pub fn unmatched(&self) -> u64 {
        self.unmatched
    }

    /// Logins found, by the name of the matcher: granted, refused, or neither.
    pub fn logins(&self) -> impl Iterator<Item = (&str, u64)> {
        self.logins.iter().map(|(matcher, count)| (matcher.as_str(), *count))
    }

    /// Logouts found.
    pub fn logouts(&self) -> u64 {
        self.logouts
    }

    /// Logins that gave an address a new grant.
    pub fn granted(&self) -> u64 {
        self.granted
    }

    /// Logins that extended a grant.
    pub fn extended(&self) -> u64 {
        self.extended
    }

    /// Logins that were refused, by the reason.
    pub fn refused(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.into_iter().zip(self.refused)
    }

    /// Lines dropped for their length.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Time of the last line, as its stamp says.
    pub fn last_line(&self) -> Option<SystemTime> {
        self.last_line
    }

    /// Time of the last login that a matcher took, as the stamp of its line says.
    pub fn last_login(&self) -> Option<SystemTime> {
        self.last_login
    }

    pub(crate) fn add_lines(&mut self, lines: u64, bytes: u64) {
        self.lines += lines;
        self.bytes += bytes;
    }

    pub(crate) fn add_unmatched(&mut self) {
        self.unmatched += 1;
    }

    pub(crate) fn add_dropped(&mut self, lines: u64) {
        self.dropped += lines;
    }

    pub(crate) fn set_last_line(&mut self, time: SystemTime) {
        self.last_line = Some(time);
    }

    pub(crate) fn set_last_login(&mut self, time: SystemTime) {
        self.last_login = Some(time);
    }

    /// Counts an event, and what came of it if it was acted upon.
    pub(crate) fn add_event(&mut self, event: &Event<'_>, outcome: Option<Outcome>) {
        match event.action {
            Action::Login => self.add_login(event.matcher.name()),
            Action::Logout => self.logouts += 1,
        }
        self.add_outcome(outcome);
    }

    /// Counts what came of a login.
    pub(crate) fn add_outcome(&mut self, outcome: Option<Outcome>) {
        match outcome {
            Some(Outcome::Granted) => self.granted += 1,
            Some(Outcome::Extended) => self.extended += 1,
            Some(Outcome::Refused(reason)) => self.refused[reason as usize] += 1,
            Some(Outcome::Unchanged | Outcome::Logout) | None => {}
        }
    }

    fn add_login(&mut self, matcher: &str) {
        match self.logins.iter_mut().find(|(name, _)| *name == matcher) {
            Some((_, count)) => *count += 1,
            None => self.logins.push((matcher.to_owned(), 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::line::syslog::Header;
    use crate::matcher::BUILTIN;

    #[test]
    fn each_event_is_counted_by_what_came_of_it() {
        let event = |action, matcher| {
            let client = "198.51.100.1".parse().unwrap();
            let matcher = BUILTIN.iter().find(|known| known.name == matcher).unwrap().into();
            Event { action, client, user: None, session: None, matcher, header: Header::default() }
        };
        let login = event(Action::Login, "dovecot");
        let mut counters = Counters::default();
        counters.add_event(&login, Some(Outcome::Granted));
        counters.add_event(&login, Some(Outcome::Extended));
        counters.add_event(&event(Action::Login, "courier"), Some(Outcome::Extended));
        counters.add_event(&login, Some(Outcome::Refused(Refusal::Skipped("10.0.0.0/8".parse().unwrap()).into())));
        counters.add_event(&login, Some(Outcome::Refused(Refusal::NotAClient.into())));
        counters.add_event(&login, Some(Outcome::Unchanged));
        counters.add_event(&event(Action::Logout, "courier"), Some(Outcome::Logout));
        assert_eq!(counters.logins().collect::<Vec<_>>(), [("dovecot", 5), ("courier", 1)]);
        assert_eq!((counters.granted(), counters.extended(), counters.logouts()), (1, 2, 1));
        let refused: Vec<_> = counters.refused().filter(|(_, count)| *count > 0).collect();
        assert_eq!(refused, [(Reason::NotAClient, 1), (Reason::Skipped, 1)]);
        assert_eq!(counters.refused().count(), Reason::ALL.len());
    }
}
