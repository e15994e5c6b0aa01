//! What a login does: refuse or grant, publish, and say so. Joins networks, ring and publisher; no I/O but messages.

mod by_hand;
pub mod counters;
pub(crate) mod crowds;
pub(crate) mod ended;
mod messages;
pub(crate) mod narrator;
mod policy;
mod relays;
pub(crate) mod restore;
mod shared;
pub mod taken;
mod view;

pub use self::policy::{CountRelays, Policy, Start};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

pub use self::by_hand::{Done, Obstacle};
use self::messages::Messages;
pub use self::view::{Standing, View};
use crate::grants::counters::{Outcome, Reason as Refused};
use crate::grants::crowds::Crowds;
use crate::grants::ended::{Departed, Departure};
use crate::grants::narrator::Narrator;
use crate::grants::relays::Relays;
use crate::grants::taken::{Given, Taken};
use crate::line::stamp::DISORDER;
use crate::matcher::{Action, Event};
use crate::output::error::{Error, io_cause};
use crate::publish::Publisher;
use crate::ring::login_record::LoginRecord;
use crate::ring::networks::Networks;
use crate::ring::open_sessions::OpenSessions;
use crate::ring::users_per_address::UsersPerAddress;
use crate::ring::{Change, Grant, Reason, Ring};
use crate::saved::overrides::Overrides;
use crate::saved::state;
use crate::source::Mark;
use crate::time::{Now, Timestamp};

/// By how much a grant that was read back from a table may end later than the stamp of its login says: seconds are cut there
/// and rounded up here, and a line takes a moment to be read.
const ROUNDING: Duration = Duration::from_secs(5);

/// Which line of a log tells of a login.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// What the log is called.
    pub source: &'a str,
    /// Where in it the line begins, if that is known.
    pub offset: Option<u64>,
}

/// Ring and table, kept in step.
pub struct Grants {
    networks: Networks,
    ring: Ring,
    publisher: Publisher,
    /// The open sessions, with `--hold-while-connected`.
    hold: Option<OpenSessions>,
    narrator: Option<Narrator>,
    /// Room for the changes of one call, used again.
    changes: Vec<Change>,
    messages: Messages,
    /// The file that holds the grants of an earlier run until the table does.
    saved: Option<PathBuf>,
    /// What the operator has decided, and the file of it; without a file nothing is remembered beyond this run.
    overrides: Overrides,
    overrides_file: Option<PathBuf>,
    /// When the file of overrides is written because of logins.
    save_at: Option<Timestamp>,
    /// With `--max-users-per-address`.
    guard: Option<UsersPerAddress>,
    crowds: Crowds,
    departed: Departed,
    /// What own logs have brought since it was asked for, if other hosts are to know.
    given: Option<Vec<Given>>,
    taken: Taken,
    /// With `--count-relays`.
    relays: Option<Relays>,
}

impl Grants {
    /// Removes the state file as soon as the table holds what was in it: a later crash must not bring the grants back.
    fn forget_saved(&mut self) {
        if self.publisher.has_published()
            && let Some(state) = self.saved.take()
        {
            state::remove(&state);
        }
    }

    /// The addresses that are never published.
    pub fn networks(&self) -> &Networks {
        &self.networks
    }

    /// The addresses that may relay.
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Takes in what a line says that comes now. `written` is when it was written, if its stamp tells for sure, which only
    /// matters for an address that was revoked.
    pub fn event(&mut self, now: &Now, written: Option<SystemTime>, event: &Event<'_>, line: Line<'_>) -> Outcome {
        if event.action == Action::Logout {
            self.logout(now, event);
            return Outcome::Logout;
        }
        // The clock of who writes the log may be somewhat ahead.
        if written.is_some_and(|written| self.is_revoked(now.wall + DISORDER, event.client, written)) {
            return Outcome::Refused(Refused::Revoked);
        }
        if let Some(reason) = self.refuse(now, now, event) {
            return Outcome::Refused(reason);
        }
        self.forget_revocation(now, event.client);
        self.count_user(now, now, event);
        let outcome = self.login(now, event);
        self.ring.note_login(event.client, Some(record(event, line)));
        self.give(event.client, outcome);
        outcome
    }

    /// Takes in what a line says that comes now, though it was written longer ago than the grace: the log was rewritten,
    /// was held up, or its writer's clock is wrong. It grants nothing.
    pub fn late_event(&mut self, now: &Now, written: SystemTime, event: &Event<'_>, line: Line<'_>) -> Outcome {
        if event.action == Action::Logout {
            return self.past_event(now, written, event, line);
        }
        self.messages.late(now, event.client, written, line.source);
        Outcome::Refused(Refused::Late)
    }

    /// Takes in what a line says that was written at `written`, while nobody watched: it grants what is left of a grace. One
    /// from the future counts as written now.
    pub fn past_event(&mut self, now: &Now, written: SystemTime, event: &Event<'_>, line: Line<'_>) -> Outcome {
        let then = now.back_to(written);
        let expires = now.boot_at(then.wall + self.ring.grace());
        let Event { client, session, .. } = *event;
        if event.action == Action::Logout {
            if let Some(address) = self.ended(event) {
                self.take_over(now, Grant { address, expires }, None);
            }
            return Outcome::Logout;
        }
        if self.is_revoked(now.wall, client, written) {
            return Outcome::Refused(Refused::Revoked);
        }
        if let Some(reason) = self.refuse(now, &then, event) {
            return Outcome::Refused(reason);
        }
        self.forget_revocation(now, client);
        self.count_user(now, &then, event);
        let outcome = self.take_over(now, Grant { address: client, expires }, Some(event));
        if self.ring.get(client).is_some_and(|grant| grant.expires <= expires + ROUNDING) {
            self.ring.note_login(client, Some(record(event, line)));
        }
        self.give(client, outcome);
        if let (Some(hold), Some(session)) = (&mut self.hold, session) {
            hold.login(then.boot, session, client);
        }
        outcome
    }

    /// Gives an address the rest of a grace, unless it has more.
    fn take_over(&mut self, now: &Now, grant: Grant, event: Option<&Event<'_>>) -> Outcome {
        self.ring.restore(now.boot, grant, &mut self.changes);
        if let (Some(Change::Added(grant)), Some(event)) = (self.changes.last(), event) {
            messages::granted(event, now.wall_at(grant.expires));
        }
        let outcome = self.outcome();
        self.take_changes(now);
        outcome
    }

    /// Why a login gets no grant. Says so now and then: whoever waits for one looks here first.
    fn refuse(&mut self, now: &Now, then: &Now, event: &Event<'_>) -> Option<Refused> {
        if let Some(refusal) = self.networks.refuse(event.client) {
            self.messages.refused(now, event.client, refusal);
            return Some(refusal.into());
        }
        if self.overrides.find_denied(event.client).is_some() {
            return Some(Refused::Denied);
        }
        self.is_shared(now, then, event.client, event.user.unwrap_or_default()).then_some(Refused::Shared)
    }

    fn login(&mut self, now: &Now, event: &Event<'_>) -> Outcome {
        self.ring.login(now.boot, event.client, &mut self.changes);
        if let Some(Change::Added(grant)) = self.changes.last() {
            messages::granted(event, now.wall_at(grant.expires));
        }
        let outcome = self.outcome();
        self.take_changes(now);
        if let (Some(hold), Some(session)) = (&mut self.hold, event.session) {
            hold.login(now.boot, session, event.client);
        }
        outcome
    }

    /// What the changes of a login, which end with its own, make of it.
    fn outcome(&self) -> Outcome {
        match self.changes.last() {
            Some(Change::Added(_)) => Outcome::Granted,
            Some(Change::Extended(..)) => Outcome::Extended,
            Some(Change::Removed(..)) | None => Outcome::Unchanged,
        }
    }

    /// A session that was held has ended: its address keeps its grant for one more grace.
    fn logout(&mut self, now: &Now, event: &Event<'_>) {
        if let Some(client) = self.ended(event) {
            self.ring.login(now.boot, client, &mut self.changes);
            self.take_changes(now);
            self.give(client, Outcome::Extended);
        }
    }

    /// The address of a session that was held and has ended, if it has a grant.
    fn ended(&mut self, event: &Event<'_>) -> Option<IpAddr> {
        let client = self.hold.as_mut().zip(event.session).and_then(|(hold, session)| hold.logout(session));
        client.filter(|&client| self.ring.get(client).is_some())
    }

    /// Renews the grants of addresses with an open session, shortly before they end.
    fn renew(&mut self, now: &Now) {
        let Some(hold) = &mut self.hold else { return };
        let Some(due) = hold.renewal(now.boot) else { return };
        let ending = self.ring.oldest_first().take_while(|grant| grant.expires <= due).map(|grant| grant.address);
        let held: Vec<_> = ending.filter(|&address| hold.is_held(address)).collect();
        for &address in &held {
            self.ring.login(now.boot, address, &mut self.changes);
        }
        self.take_changes(now);
        held.into_iter().for_each(|address| self.give(address, Outcome::Extended));
    }

    /// Counts lines that were dropped for their length, and warns now and then.
    pub fn dropped(&mut self, now: &Now, lines: u64) {
        self.messages.dropped(now, lines);
    }

    /// Removes the addresses whose grace has passed and that have no open session.
    pub fn expire(&mut self, now: &Now) {
        self.renew(now);
        if self.ring.oldest().is_none_or(|oldest| oldest.expires > now.boot) {
            return;
        }
        self.ring.purge(now.boot, &mut self.changes);
        self.take_changes(now);
    }

    /// Publishes what has changed, if that is due.
    pub fn publish(&mut self, now: &Now) {
        self.publisher.publish(now, &self.ring);
        self.forget_saved();
        self.save_forgotten(Some(now));
    }

    /// Takes note of when that was over.
    pub fn published(&mut self, at: Timestamp) {
        self.publisher.ended(at);
    }

    /// Looks whether somebody else has removed or changed the table.
    pub fn look(&mut self) {
        self.publisher.look();
    }

    /// When `expire` or `publish` has something to do.
    pub fn deadline(&self) -> Option<Timestamp> {
        let expiry = self.ring.oldest().map(|oldest| oldest.expires);
        let renewal = self.hold.as_ref().and_then(OpenSessions::deadline);
        [expiry, renewal, self.save_at, self.publisher.deadline()].into_iter().flatten().min()
    }

    /// Ends with the table as it is, everything published.
    ///
    /// # Errors
    /// The last publish failed.
    pub fn finish(&mut self, now: &Now) -> Result<(), Error> {
        self.save_forgotten(None);
        Ok(self.publisher.finish(now, &self.ring)?)
    }

    /// Ends with an empty table, so that nobody relays while nobody watches, and the grants and marks saved for the next
    /// start.
    ///
    /// # Errors
    /// The table could not be emptied.
    pub fn stop(&mut self, now: &Now, state: &Path, marks: &[Mark]) -> Result<(), Error> {
        self.save_forgotten(None);
        let saved = state::save(state, now, &self.ring, marks, self.guard.as_ref());
        if let Err(error) = &saved {
            log::warn!(
                "cannot save the grants to {}: {}; clients must log in again after the next start",
                state.display(),
                io_cause(error)
            );
        }
        self.publisher.empty().map_err(|error| {
            Error::from(error).cure("take check_client_access out of main.cf until the table can be written again")
        })?;
        let saved = if saved.is_ok() { self.ring.len() } else { 0 };
        log::info!("stopped; the table is empty, {saved} grants are saved");
        Ok(())
    }

    /// Tells the publisher, and in debug mode whoever reads along.
    fn note_changes(&mut self, now: &Now) {
        if let Some(narrator) = &mut self.narrator {
            narrator.tell(now, &self.changes, &self.ring);
        }
        for change in self.changes.drain(..) {
            self.publisher.note(now.boot, &change, &self.ring);
            if let Change::Removed(address, reason) = change {
                self.taken.forget(address);
                self.departed.add(address, Departure { reason, at: now.boot });
            }
        }
    }

    /// Tells the publisher, and the operator.
    fn take_changes(&mut self, now: &Now) {
        for change in &self.changes {
            match *change {
                Change::Removed(address, Reason::Expired) => log::info!("expired {address}"),
                Change::Removed(address, Reason::Evicted) => self.messages.evicted(now, address),
                Change::Added(_) | Change::Extended(..) | Change::Removed(_, Reason::Revoked) => {}
            }
        }
        self.note_changes(now);
    }
}

/// What a grant is told to go back to.
fn record<'a>(event: &'a Event<'_>, Line { source, offset }: Line<'a>) -> LoginRecord<'a> {
    LoginRecord { source, offset, matcher: event.matcher.name(), user: event.user.unwrap_or_default() }
}
