//! The ring of authenticated addresses, in order of their last login. Pure: no clock, no I/O.
//!
//! A ring holds each address once, the newest login at the head, the oldest at the tail, and finds a known address
//! through an index. (The C program keeps every login and scans the last `SCAN_DEPTH` of them.)

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use crate::chain::Chain;
use crate::proof::{Proof, Proofs};
use crate::time::Timestamp;

/// An address that may relay, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The client's address.
    pub address: IpAddr,
    /// End of the grant.
    pub expires: Timestamp,
}

/// Why an address left the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Its grace has passed.
    Expired,
    /// The ring was full and this was the oldest address.
    Evicted,
}

/// What a call changed in the set of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The address is new.
    Added(Grant),
    /// The address was known; its grant ends later now than at the time named.
    Extended(Grant, Timestamp),
    /// The address is gone.
    Removed(IpAddr, Reason),
}

/// Addresses with a grant, at most `capacity`.
#[derive(Debug)]
pub struct Ring {
    grace: Duration,
    capacity: usize,
    /// The end of each grant, newest login first.
    grants: Chain<IpAddr, Timestamp>,
    proofs: Proofs,
}

impl Ring {
    /// An empty ring: a grant lasts for `grace` after the last login, at most `capacity` addresses have one.
    ///
    /// `capacity` counts up to `u32::MAX - 1`; more is cut to that.
    pub fn new(grace: Duration, capacity: NonZeroUsize) -> Self {
        Self {
            grace,
            capacity: capacity.get().min(u32::MAX as usize - 1),
            grants: Chain::default(),
            proofs: Proofs::default(),
        }
    }

    /// Length of a grant.
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// Number of addresses.
    pub fn len(&self) -> usize {
        self.grants.len()
    }

    /// Whether there is no address.
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty()
    }

    /// A login of `address` at `now`: purges what has expired, then moves the address to the head with a full grace,
    /// evicting the oldest one if it is new and the ring is full. Changes are appended in that order.
    pub fn login(&mut self, now: Timestamp, address: IpAddr, changes: &mut Vec<Change>) {
        self.purge(now, changes);
        let grant = Grant { address, expires: now + self.grace };
        self.change(grant, changes);
        self.grants.put(address, grant.expires);
    }

    /// Takes over a grant with its own expiry, cut to a full grace from `now`: one of an earlier run, or of a login that was
    /// logged while nobody watched. A grant that has expired is left out, and one that ends before all others of a full
    /// ring; a known address keeps the later expiry.
    pub fn restore(&mut self, now: Timestamp, grant: Grant, changes: &mut Vec<Change>) {
        let Grant { address, expires } = grant;
        let expires = expires.min(now + self.grace);
        let known = self.grants.get(&address);
        if expires <= now || known.is_some_and(|known| known >= expires) || known.is_none() && self.has_no_room(expires)
        {
            return;
        }
        self.change(Grant { address, expires }, changes);
        self.grants.put_behind(address, expires, |other| *other > expires);
    }

    /// Whether the ring is full of grants that end no earlier.
    fn has_no_room(&self, expires: Timestamp) -> bool {
        self.len() >= self.capacity && self.oldest().is_some_and(|oldest| oldest.expires >= expires)
    }

    /// Tells what putting the grant in will change, and makes room for it.
    fn change(&mut self, grant: Grant, changes: &mut Vec<Change>) {
        if let Some(before) = self.grants.get(&grant.address) {
            changes.push(Change::Extended(grant, before));
        } else {
            self.make_room(changes);
            changes.push(Change::Added(grant));
        }
    }

    /// Remembers which login the grant of an address goes back to.
    pub fn prove(&mut self, address: IpAddr, proof: Option<Proof<'_>>) {
        if let Some(slot) = self.grants.slot(&address) {
            self.proofs.set(slot, proof);
        }
    }

    /// Which login the grant of an address goes back to, if that is known.
    pub fn proof(&self, address: IpAddr) -> Option<Proof<'_>> {
        self.grants.slot(&address).and_then(|slot| self.proofs.get(slot))
    }

    /// Removes every address whose grant has ended at `now`.
    pub fn purge(&mut self, now: Timestamp, changes: &mut Vec<Change>) {
        while let Some(oldest) = self.oldest() {
            if oldest.expires > now {
                break;
            }
            self.remove_oldest(Reason::Expired, changes);
        }
    }

    /// The grant that ends next.
    pub fn oldest(&self) -> Option<Grant> {
        self.grants.oldest().map(grant)
    }

    /// The grant of one address.
    pub fn get(&self, address: IpAddr) -> Option<Grant> {
        self.grants.get(&address).map(|expires| Grant { address, expires })
    }

    /// All grants, newest first.
    pub fn iter(&self) -> impl Iterator<Item = Grant> {
        self.grants.iter().map(grant)
    }

    /// All grants, oldest first.
    pub fn oldest_first(&self) -> impl Iterator<Item = Grant> {
        self.grants.oldest_first().map(grant)
    }

    /// Slot number of an address: counted from 0, no more than there ever were addresses at once, and the same as long
    /// as the address is in the ring.
    pub fn position(&self, address: IpAddr) -> Option<usize> {
        self.grants.slot(&address)
    }

    /// Slot numbers of the head and of the tail, for debug mode; `None` for an empty ring.
    pub fn ends(&self) -> Option<(usize, usize)> {
        let newest = self.iter().next()?;
        self.position(newest.address).zip(self.position(self.oldest()?.address))
    }

    fn make_room(&mut self, changes: &mut Vec<Change>) {
        while self.len() >= self.capacity {
            self.remove_oldest(Reason::Evicted, changes);
        }
    }

    fn remove_oldest(&mut self, reason: Reason, changes: &mut Vec<Change>) {
        if let Some(oldest) = self.oldest() {
            // Whoever gets the slot next has nothing to do with this login.
            self.prove(oldest.address, None);
        }
        if let Some((address, _)) = self.grants.remove_oldest() {
            changes.push(Change::Removed(address, reason));
        }
    }
}

fn grant((address, expires): (IpAddr, Timestamp)) -> Grant {
    Grant { address, expires }
}
