//! What the settings make of the grants: at start, for the daemon and debug mode alike, and when they change. No grant ends
//! for another reason than that the settings say so.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use pop_before_smtp_backends::memory::Memory;
use pop_before_smtp_backends::{Backend, Listed};

use super::Grants;
use super::crowds::Crowds;
use super::ended::Departed;
use super::messages::Messages;
use super::narrator::Narrator;
use super::restore::Saved;
use super::taken::Taken;
use crate::publish::Publisher;
use crate::ring::Ring;
use crate::ring::networks::Networks;
use crate::ring::open_sessions::OpenSessions;
use crate::ring::users_per_address::UsersPerAddress;
use crate::saved::{overrides, state};
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
    /// Whether relays are counted.
    pub relays: Option<CountRelays>,
}

/// How relays are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountRelays {
    /// How many of an address in an hour are worth no warning yet; 0: any number.
    pub most: u32,
    /// Under which names Postfix logs besides its usual ones.
    pub names: Vec<String>,
}

/// What a run begins with besides its policy. The default keeps its table in memory and leaves nothing.
pub struct Start {
    /// Writes the table.
    pub backend: Box<dyn Backend>,
    /// Whether the table's rows stop matching by themselves.
    pub expires_rows: bool,
    /// What the table holds.
    pub listed: Vec<Listed>,
    /// What stands in the files beside the map.
    pub saved: Saved,
    /// The map beside which these files are; without one nothing is remembered beyond this run.
    pub map: Option<PathBuf>,
    /// Whether other hosts' grants count here.
    pub takes: bool,
    /// Makes it debug mode.
    pub narrator: Option<Narrator>,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            backend: Box::new(Memory::default()),
            expires_rows: false,
            listed: Vec::new(),
            saved: Saved::default(),
            map: None,
            takes: false,
            narrator: None,
        }
    }
}

impl Grants {
    /// Takes over what earlier runs have left, and brings the table to it. An error of that is logged, and it is tried again.
    pub fn new(now: &Now, policy: &Policy, start: Start) -> Self {
        let &Policy { grace, entries, hold, ref networks, publish_interval, most_users, most_addresses, ref relays } =
            policy;
        let Start { backend, expires_rows, listed, saved, map, takes, narrator } = start;
        let mut ring = Ring::new(grace, entries, most_addresses);
        saved.restore(&mut ring, networks, &listed, now);
        let mut publisher = Publisher::new(backend, expires_rows.then_some(grace), publish_interval);
        let _ = publisher.begin(now, &listed, &ring);
        let mut guard = most_users.map(|most| UsersPerAddress::new(most, entries));
        // A clean stop has saved them.
        if let (Some(guard), Some((key, sightings))) = (&mut guard, saved.state.users.known()) {
            guard.take_over(now.boot, grace, key, sightings);
        }
        let taken = if takes { Taken::restored(&ring) } else { Taken::default() };
        let mut grants = Self {
            networks: networks.clone(),
            ring,
            publisher,
            hold: hold.map(|longest| OpenSessions::new(longest, grace)),
            narrator,
            changes: Vec::new(),
            messages: Messages::default(),
            saved: map.as_deref().map(state::path),
            overrides: saved.overrides,
            overrides_file: map.as_deref().map(overrides::path),
            save_at: None,
            guard,
            crowds: Crowds::default(),
            departed: Departed::default(),
            given: None,
            taken,
            relays: None,
        };
        grants.set_relays(relays.clone());
        grants.forget_saved();
        grants
    }

    /// From now on other settings hold. Grants keep their ends; addresses that must not be published any more lose theirs,
    /// and so do the oldest if there are too many.
    pub fn set_policy(&mut self, now: &Now, policy: Policy) {
        let Policy { grace, entries, hold, networks, publish_interval, most_users, most_addresses, relays } = policy;
        self.ring.set_grace(grace);
        self.publisher.set_times(grace, publish_interval, &self.ring);
        self.set_hold(hold, grace);
        self.set_networks(now, networks);
        self.ring.set_most_per_user(most_addresses);
        self.set_capacity(now, entries);
        self.set_most_users(most_users, entries);
        self.set_relays(relays);
    }

    /// Sessions that are open are held on; those that began while none were held are not known.
    fn set_hold(&mut self, longest: Option<Duration>, grace: Duration) {
        self.hold = longest.map(|longest| match self.hold.take() {
            Some(mut hold) => {
                hold.set_times(longest, grace);
                hold
            }
            None => OpenSessions::new(longest, grace),
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
