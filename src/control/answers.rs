//! Does what a request asks, with the daemon's own grants.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::connection::ListPosition;
use super::report;
use super::request::Request;
use super::wire::{Changed, Counts, Failure, Line, Network};
use crate::grants::{Done, Grants, Obstacle};
use crate::input::Input;
use crate::output::error::{Exit, io_cause};
use crate::saved::denied;
use crate::saved::overrides;
use crate::share::Share;
use crate::time::{Now, Timestamp, unix_seconds_up};

/// What does not change while the daemon runs.
#[derive(Debug, Clone)]
pub(crate) struct About {
    /// When it began to serve.
    pub started: Timestamp,
    /// How the table is written.
    pub backend: &'static str,
    /// Its path without suffix.
    pub map: PathBuf,
}

/// Who asks, for the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker {
    pub(super) uid: u32,
    pub(super) pid: i32,
}

/// How a request is answered.
pub(super) enum Answer {
    /// With one line.
    Line(Line),
    /// With many, from here on.
    Lines(ListPosition),
    /// With what was done, once it is published.
    Changed(Changed),
}

/// The daemon, as a request finds it.
pub(crate) struct Answers<'d> {
    /// The daemon.
    pub about: &'d About,
    /// Its grants.
    pub grants: &'d mut Grants,
    /// The logs that it follows.
    pub inputs: &'d [Input],
    /// The other hosts.
    pub share: Option<&'d Share>,
}

impl Answers<'_> {
    pub(super) fn answer(
        &mut self,
        now: &Now,
        request: Request,
        asker: Asker,
        counts: &Counts,
    ) -> Result<Answer, Failure> {
        Ok(match request {
            Request::List => Answer::Lines(ListPosition::Slot(0)),
            Request::Denied => Answer::Lines(ListPosition::Network(None)),
            Request::Status => {
                let Self { about, ref grants, inputs, share } = *self;
                let status = report::status(now, report::Known { about, grants, inputs, share }, counts);
                Answer::Line(Line::Status(Box::new(status)))
            }
            Request::Explain(address) => {
                Answer::Line(Line::Explanation(Box::new(report::explain(now, self.grants, address))))
            }
            Request::Revoke(address) => {
                let done = self.grants.revoke(now, address);
                self.outcome("revoke", address.to_string(), done, asker)
            }
            Request::Grant { address, seconds } => {
                let length = seconds.map_or(self.grants.ring().grace(), |seconds| Duration::from_secs(seconds.get()));
                let done = self.grants.grant_by_hand(now, address, length);
                let done = done.map_err(|obstacle| failure("grant", address, obstacle))?;
                self.outcome("grant", address.to_string(), done, asker)
            }
            Request::Deny(network) => {
                let done = self.grants.deny(now, network);
                let done = done.map_err(|obstacle| failure("deny", network.addr(), obstacle))?;
                self.outcome("deny", denied::display(network), done, asker)
            }
            Request::Allow(network) => {
                let done = self.grants.allow(network);
                self.outcome("allow", denied::display(network), done, asker)
            }
        })
    }

    /// Tells what was done in the log, too: who can do it can open and close the relay.
    fn outcome(&mut self, command: &str, subject: String, done: Done, asker: Asker) -> Answer {
        let Done { removed, changed, expires, unsaved } = done;
        let unsaved = unsaved
            .map(|error| format!("cannot write {}: {}", overrides::path(&self.about.map).display(), io_cause(&error)));
        if let Some(unsaved) = &unsaved {
            log::warn!("{unsaved}; {command} {subject} will not survive a restart");
        }
        log::info!(
            "{command} {subject}, by hand of user {}, process {}; grants ended: {removed}",
            asker.uid,
            asker.pid
        );
        self.grants.publish_soon();
        Answer::Changed(Changed {
            command: command.to_owned(),
            subject,
            changed,
            removed: removed as u64,
            expires: expires.map(unix_seconds_up),
            published: false,
            error: None,
            unsaved,
        })
    }

    /// What was done, and whether the table holds it.
    pub(super) fn published(&self, outcome: Changed) -> Changed {
        let published = self.grants.is_published();
        let error = self.grants.history().last_error.as_ref().filter(|_| !published);
        Changed { published, error: error.map(|(error, _)| error.clone()), ..outcome }
    }

    /// What is at a place of a long answer, and the place behind it; `None` behind the last one.
    pub(super) fn line(&self, now: &Now, place: ListPosition) -> Option<(Option<Line>, ListPosition)> {
        match place {
            ListPosition::Slot(slot) if slot >= self.grants.ring().slots() => None,
            ListPosition::Slot(slot) => {
                let view = self.grants.view_at(now, slot);
                Some((view.map(|view| Line::Client(report::client(&view))), ListPosition::Slot(slot + 1)))
            }
            ListPosition::Network(last) => {
                let network = self.grants.overrides().denied.behind(last).next()?;
                let line = Line::Denied(Network { network: denied::display(network) });
                Some((Some(line), ListPosition::Network(Some(network))))
            }
        }
    }
}

fn failure(command: &str, address: IpAddr, obstacle: Obstacle) -> Failure {
    let (cause, cure) = match obstacle {
        Obstacle::Never(refusal) => (refusal.to_string(), None),
        Obstacle::Denied(network) => {
            let network = denied::display(network);
            (format!("{network} is denied"), Some(format!("pop-before-smtp deny --remove {network}")))
        }
        Obstacle::TooMany(most) => (format!("there are {most} already, the most that are kept"), None),
    };
    Failure { exit: Exit::CannotCreate as u8, action: format!("{command} {address}"), cause, cure }
}
