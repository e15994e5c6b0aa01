//! The ring of authenticated addresses, in order of their last login. Pure: no clock, no I/O.
//!
//! A ring holds each address once, the newest login at the head, the oldest at the tail. The slots are linked through
//! indices and found through a hash index, so that a login costs the same whatever the capacity. (The C program keeps
//! every login and scans the last `SCAN_DEPTH` of them for a known address.)

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

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
    /// The address was known; its grant ends later now.
    Extended(Grant),
    /// The address is gone.
    Removed(IpAddr, Reason),
}

/// Marks the end of a chain of slots.
const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Slot {
    grant: Grant,
    newer: u32,
    older: u32,
}

/// Addresses with a grant, at most `capacity`.
#[derive(Debug)]
pub struct Ring {
    grace: Duration,
    capacity: usize,
    slots: Vec<Slot>,
    free: Vec<u32>,
    index: HashMap<IpAddr, u32>,
    head: u32,
    tail: u32,
}

impl Ring {
    /// An empty ring: a grant lasts for `grace` after the last login, at most `capacity` addresses have one.
    ///
    /// `capacity` counts up to `u32::MAX - 1`; more is cut to that.
    pub fn new(grace: Duration, capacity: NonZeroUsize) -> Self {
        Self {
            grace,
            capacity: capacity.get().min(NONE as usize - 1),
            slots: Vec::new(),
            free: Vec::new(),
            index: HashMap::new(),
            head: NONE,
            tail: NONE,
        }
    }

    /// Length of a grant.
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// Number of addresses.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is no address.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// A login of `address` at `now`: purges what has expired, then moves the address to the head with a full grace,
    /// evicting the oldest one if it is new and the ring is full. Changes are appended in that order.
    pub fn login(&mut self, now: Timestamp, address: IpAddr, changes: &mut Vec<Change>) {
        self.purge(now, changes);
        let grant = Grant { address, expires: now + self.grace };
        if let Some(&slot) = self.index.get(&address) {
            self.unlink(slot);
            self.slots[slot as usize].grant = grant;
            self.link_newest(slot);
            changes.push(Change::Extended(grant));
        } else {
            self.make_room(changes);
            let slot = self.occupy(grant);
            self.link_newest(slot);
            changes.push(Change::Added(grant));
        }
    }

    /// Takes over a grant of an earlier run with its own expiry, cut to a full grace from `now`. A grant that has
    /// expired is left out; a known address keeps the later expiry.
    pub fn restore(&mut self, now: Timestamp, grant: Grant, changes: &mut Vec<Change>) {
        let expires = grant.expires.min(now + self.grace);
        let known = self.index.get(&grant.address).copied();
        if expires <= now || known.is_some_and(|slot| self.slots[slot as usize].grant.expires >= expires) {
            return;
        }
        let grant = Grant { expires, ..grant };
        let slot = if let Some(slot) = known {
            self.unlink(slot);
            self.slots[slot as usize].grant = grant;
            changes.push(Change::Extended(grant));
            slot
        } else {
            self.make_room(changes);
            changes.push(Change::Added(grant));
            self.occupy(grant)
        };
        self.link_by_expiry(slot);
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
        self.slots.get(self.tail as usize).map(|slot| slot.grant)
    }

    /// The grant of one address.
    pub fn get(&self, address: IpAddr) -> Option<Grant> {
        self.index.get(&address).map(|&slot| self.slots[slot as usize].grant)
    }

    /// All grants, newest first.
    pub fn iter(&self) -> impl Iterator<Item = Grant> {
        let mut next = self.head;
        std::iter::from_fn(move || {
            let slot = self.slots.get(next as usize)?;
            next = slot.older;
            Some(slot.grant)
        })
    }

    /// Slot numbers of the head and of the tail, for debug mode; `None` for an empty ring.
    pub fn ends(&self) -> Option<(usize, usize)> {
        (!self.is_empty()).then_some((self.head as usize, self.tail as usize))
    }

    /// Slot number of an address, for debug mode.
    pub fn position(&self, address: IpAddr) -> Option<usize> {
        self.index.get(&address).map(|&slot| slot as usize)
    }

    fn make_room(&mut self, changes: &mut Vec<Change>) {
        while self.len() >= self.capacity {
            self.remove_oldest(Reason::Evicted, changes);
        }
    }

    fn remove_oldest(&mut self, reason: Reason, changes: &mut Vec<Change>) {
        let slot = self.tail;
        let address = self.slots[slot as usize].grant.address;
        self.unlink(slot);
        self.index.remove(&address);
        self.free.push(slot);
        changes.push(Change::Removed(address, reason));
    }

    /// Puts a grant into a free slot, not linked yet.
    fn occupy(&mut self, grant: Grant) -> u32 {
        let empty = Slot { grant, newer: NONE, older: NONE };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = empty;
                slot
            }
            None => {
                self.slots.push(empty);
                (self.slots.len() - 1) as u32
            }
        };
        self.index.insert(grant.address, slot);
        slot
    }

    fn unlink(&mut self, slot: u32) {
        let Slot { newer, older, .. } = self.slots[slot as usize];
        match newer {
            NONE => self.head = older,
            newer => self.slots[newer as usize].older = older,
        }
        match older {
            NONE => self.tail = newer,
            older => self.slots[older as usize].newer = newer,
        }
    }

    fn link_newest(&mut self, slot: u32) {
        self.link_between(NONE, slot, self.head);
    }

    /// Links a slot where its expiry belongs; at once if that is at the head.
    fn link_by_expiry(&mut self, slot: u32) {
        let expires = self.slots[slot as usize].grant.expires;
        let (mut newer, mut older) = (NONE, self.head);
        while older != NONE && self.slots[older as usize].grant.expires > expires {
            newer = older;
            older = self.slots[older as usize].older;
        }
        self.link_between(newer, slot, older);
    }

    fn link_between(&mut self, newer: u32, slot: u32, older: u32) {
        self.slots[slot as usize].newer = newer;
        self.slots[slot as usize].older = older;
        match newer {
            NONE => self.head = slot,
            newer => self.slots[newer as usize].older = slot,
        }
        match older {
            NONE => self.tail = slot,
            older => self.slots[older as usize].newer = slot,
        }
    }
}
