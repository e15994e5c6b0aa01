//! How grants end and are held in the time of the logs: as in the daemon, and as the daemon itself told. Pure.

use std::net::IpAddr;

use super::told::Told;
use super::{Report, add_open, timestamp};
use crate::matcher::SessionId;
use crate::ring::open_sessions::OpenSessions;
use crate::ring::{Change, Reason};
use crate::time::Timestamp;

impl Report {
    /// A session has ended. If its grant was held, it has one more grace.
    pub(crate) fn logout(&mut self, at: u64, session: Option<SessionId>) {
        self.advance(at);
        if let Some(client) = self.hold.as_mut().zip(session).and_then(|(hold, session)| hold.logout(session))
            && self.ring.get(client).is_some()
        {
            self.held(at, client);
        }
    }

    /// The daemon logged something of its grants.
    pub(crate) fn told(&mut self, at: u64, told: Told) {
        match told {
            Told::Revoked(address) => self.ring.revoke(address, &mut self.changes),
            Told::Denied(network) => {
                let denied = self.ring.iter().map(|grant| grant.address).filter(|address| network.contains(address));
                denied.collect::<Vec<_>>().into_iter().for_each(|address| self.ring.revoke(address, &mut self.changes));
            }
            Told::Granted(..) | Told::Expired(_) | Told::Allowed(_) => {}
        }
        self.changes.clear();
        self.told.take(at, told);
    }

    /// An address has a grace from now on. Another may give way to it.
    pub(super) fn grant(&mut self, at: u64, client: IpAddr) {
        self.ring.login(timestamp(at), client, &mut self.changes);
        let evicted = |change: &Change| matches!(change, Change::Removed(_, Reason::Evicted));
        self.evicted += self.changes.drain(..).filter(evicted).count() as u64;
    }

    pub(super) fn is_held(&self, client: IpAddr) -> bool {
        self.hold.as_ref().is_some_and(|hold| hold.is_held(client))
    }

    /// An address was held up to now, and has a new grace.
    pub(super) fn held(&mut self, at: u64, client: IpAddr) {
        self.grant(at, client);
        let counts = self.counts(at);
        let Some(address) = self.addresses.get_mut(&client) else { return };
        if counts {
            add_open(&mut self.open, at.saturating_sub(address.last_login), true);
        }
        address.last_login = at;
    }

    /// Ends the grants that have ended by now, and renews before what is held, as often as the daemon does.
    pub(super) fn advance(&mut self, at: u64) {
        let last = self.now;
        self.now = last.max(at);
        while let Some(due) = self.hold.as_ref().and_then(OpenSessions::deadline).map(|due| due.max(timestamp(last)))
            && due <= timestamp(at)
        {
            let Some(ends) = self.hold.as_mut().and_then(|hold| hold.renewal(due)) else { break };
            let ending = self.ring.oldest_first().take_while(|grant| grant.expires <= ends).map(|grant| grant.address);
            let held: Vec<_> = ending.filter(|address| self.is_held(*address)).collect();
            held.into_iter().for_each(|address| self.held(due.since(Timestamp::default()).as_secs(), address));
            self.ring.purge(due, &mut self.changes);
        }
        self.ring.purge(timestamp(at), &mut self.changes);
        self.changes.clear();
    }
}
