//! What `list`, `explain` and `status` are told of the grants. Changes nothing.

use std::net::IpAddr;
use std::time::SystemTime;

use ipnet::IpNet;

use super::Grants;
use crate::grants::ended::Departure;
use crate::publish::History;
use crate::ring::login_record::LoginRecord;
use crate::ring::networks::Refusal;
use crate::time::Now;

/// A grant, and what it goes back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View<'g> {
    /// The client's address.
    pub address: IpAddr,
    /// When it logged in last, reckoned from the end; or when it was granted by hand.
    pub since: SystemTime,
    /// When the grant ends.
    pub expires: SystemTime,
    /// Whether it was granted by hand.
    pub by_hand: bool,
    /// How many messages it has relayed by grants, and when the last; with `--count-relays`.
    pub relays: Option<(u64, Option<SystemTime>)>,
    /// The login, if it is known.
    pub record: Option<LoginRecord<'g>>,
}

/// Whether an address has a grant, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'g> {
    /// It has one.
    Granted(View<'g>),
    /// It is never published.
    Never(Refusal),
    /// It is denied by hand.
    Denied(IpNet),
    /// More users than this log in from it.
    Shared(usize),
    /// It was revoked then, and has not logged in since.
    Revoked(SystemTime),
    /// It had one.
    Departed(Departure),
    /// Nothing is known of it.
    Unknown,
}

impl Grants {
    /// The grant in a slot of the ring.
    pub fn view_at(&self, now: &Now, slot: usize) -> Option<View<'_>> {
        self.ring.at(slot).and_then(|grant| self.view(now, grant.address))
    }

    fn view(&self, now: &Now, address: IpAddr) -> Option<View<'_>> {
        let grant = self.ring.get(address)?;
        let by_hand = self.by_hand(address);
        let since = by_hand.map_or_else(|| now.wall_at(grant.expires - self.ring.grace()), |given| given.since);
        let record = self.ring.last_login(address).filter(|_| by_hand.is_none());
        let (expires, relays) = (now.wall_at(grant.expires), self.relays_of(address));
        Some(View { address, since, expires, by_hand: by_hand.is_some(), relays, record })
    }

    /// Whether an address has a grant, and why.
    pub fn standing(&self, now: &Now, address: IpAddr) -> Standing<'_> {
        if let Some(view) = self.view(now, address) {
            return Standing::Granted(view);
        }
        if let Some(refusal) = self.networks.refuse(address) {
            return Standing::Never(refusal);
        }
        if let Some(network) = self.overrides.find_denied(address) {
            return Standing::Denied(network);
        }
        if let Some(most) = self.most_users()
            && self.users(now, address) > most
        {
            return Standing::Shared(most);
        }
        match (self.overrides.revoked(address), self.departed.get(address)) {
            (Some(when), _) => Standing::Revoked(when),
            (None, Some(departure)) => Standing::Departed(departure),
            (None, None) => Standing::Unknown,
        }
    }

    /// How many users may log in from one address, if that is bounded.
    pub fn most_users(&self) -> Option<usize> {
        self.guard.as_ref().map(|guard| guard.most().get())
    }

    /// How many users have logged in from an address within the grace, not counted beyond one more than are allowed; 0 if
    /// they are not counted.
    pub fn users(&self, now: &Now, address: IpAddr) -> usize {
        self.guard.as_ref().map_or(0, |guard| guard.users(now.boot, self.ring.grace(), address))
    }

    /// Whether the table cannot be written, or was spoilt by somebody else.
    pub fn is_failing(&self) -> bool {
        self.publisher.is_failing()
    }

    /// How publishing has gone.
    pub fn history(&self) -> &History {
        self.publisher.history()
    }
}
