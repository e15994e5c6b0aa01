//! What becomes of the grants when the settings change. No grant ends for another reason than that the settings say so.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::Grants;
use crate::ring::hold::Hold;
use crate::ring::networks::Networks;
use crate::time::Now;

/// Who may relay and for how long.
#[derive(Debug)]
pub struct Policy {
    /// Length of a grant.
    pub grace: Duration,
    /// Capacity of the ring.
    pub entries: NonZeroUsize,
    /// How long a session counts as open at most, if addresses keep their grants while one is open.
    pub hold: Option<Duration>,
    /// Addresses that are never published.
    pub networks: Networks,
    /// Least time between two publishes.
    pub publish_interval: Duration,
    /// How many users may log in from one address within a grace, if that is bounded.
    pub most_users: Option<NonZeroUsize>,
    /// With how many addresses a user gives way first in a full ring, if that matters.
    pub most_addresses: Option<u8>,
}

impl Grants {
    /// From now on other settings hold. Grants keep their ends; addresses that must not be published any more lose theirs,
    /// and so do the oldest if there are too many.
    pub fn set_policy(&mut self, now: &Now, policy: Policy) {
        let Policy { grace, entries, hold, networks, publish_interval, most_users, most_addresses } = policy;
        self.ring.set_grace(grace);
        self.publisher.set_times(grace, publish_interval, &self.ring);
        self.set_hold(hold, grace);
        self.set_networks(now, networks);
        self.ring.set_most_per_user(most_addresses);
        self.set_capacity(now, entries);
        self.set_most_users(most_users, entries);
    }

    /// Sessions that are open are held on; those that began while none were held are not known.
    fn set_hold(&mut self, longest: Option<Duration>, grace: Duration) {
        self.hold = longest.map(|longest| match self.hold.take() {
            Some(mut hold) => {
                hold.set_times(longest, grace);
                hold
            }
            None => Hold::new(longest, grace),
        });
    }

    fn set_networks(&mut self, now: &Now, networks: Networks) {
        self.networks = networks;
        let addresses = self.ring.iter().map(|grant| grant.address);
        let refused: Vec<_> = addresses.filter(|&address| self.networks.refuse(address).is_some()).collect();
        for &address in &refused {
            self.ring.revoke(address, &mut self.changes);
        }
        if let Some(first) = refused.first() {
            log::info!("{} addresses must not be published any more: took out {first} and the like", refused.len());
        }
        self.note_changes(now);
    }

    fn set_capacity(&mut self, now: &Now, entries: NonZeroUsize) {
        self.ring.set_capacity(entries, &mut self.changes);
        if !self.changes.is_empty() {
            log::warn!("evicted {} addresses, the oldest, because entries is {entries} now", self.changes.len());
        }
        self.note_changes(now);
    }
}
