//! The ring of authenticated addresses, in order of their last login. Pure: no clock, no I/O.
//!
//! A ring holds each address once, the newest login at the head, the oldest at the tail, and finds a known address
//! through an index. (The C program keeps every login and scans the last `SCAN_DEPTH` of them.)
//!
//! As long as the grace is the same, the order of logins is that of the ends of the grants. Once it was made shorter, it is
//! the ends that count: the tail is what ends next.

mod addresses_per_user;
pub mod login_record;
pub mod networks;
pub(crate) mod open_sessions;
pub(crate) mod users_per_address;

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use self::addresses_per_user::{AddressesPerUser, Member};
use crate::ordered_map::OrderedMap;
use crate::ring::login_record::{LoginRecord, LoginRecords};
use crate::time::Timestamp;

/// Longest grant, by `--grace` or by hand: a week. More is a typing mistake, and an open relay for as long.
pub const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// Highest limit of [`Ring::set_most_per_user`].
pub const MOST_PER_USER: u8 = addresses_per_user::MOST;

/// An address that may relay, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The client's address.
    pub address: IpAddr,
    /// End of the grant.
    pub expires: Timestamp,
}

/// One slot in 16 has a mark. Not each 16th: the ends in neighbouring slots may alternate, as those of two givers do, and
/// then only one giver's would have marks.
fn is_marked(slot: usize) -> bool {
    (slot as u32).wrapping_mul(0x9e37_79b9) >> 28 == 0
}

/// Why an address left the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Its grace has passed.
    Expired,
    /// The ring was full and this was the oldest address, or that of a user or a network with too many.
    Evicted,
    /// It must not be published any more.
    Revoked,
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

/// Addresses with a grant, at most `capacity`. `S` hashes them, their networks and their users, which strangers must not be able
/// to make collide.
#[derive(Debug)]
pub struct Ring<S = RandomState> {
    grace: Duration,
    capacity: usize,
    /// The end of each grant, newest login first.
    grants: OrderedMap<IpAddr, Timestamp, S>,
    records: LoginRecords,
    /// Of the grants in some slots, in their order, the end, the turn that orders equal ends, and the slot: from there it is
    /// not far to the place of any other.
    marks: BTreeSet<(Timestamp, u32, usize)>,
    /// Whose grant was given, and no login's has taken its place.
    by_hand: BTreeSet<IpAddr>,
    /// How many addresses a user may have before they give way first, if that is not the oldest alone.
    most: Option<u8>,
    /// Who has too many; counted from when the ring is nearly full.
    crowds: Option<AddressesPerUser<S>>,
}

impl Ring {
    /// An empty ring: a grant lasts for `grace` after the last login, at most `capacity` addresses have one, and a user may
    /// have `most` before they give way first, as in [`Ring::set_most_per_user`].
    ///
    /// `capacity` counts up to `u32::MAX - 1`; more is cut to that.
    pub fn new(grace: Duration, capacity: NonZeroUsize, most: Option<u8>) -> Self {
        Self::hashed(grace, capacity, most)
    }
}

impl<S: BuildHasher + Default> Ring<S> {
    /// The same, hashed by `S`.
    pub fn hashed(grace: Duration, capacity: NonZeroUsize, most: Option<u8>) -> Self {
        let (grants, records) = (OrderedMap::default(), LoginRecords::default());
        let (marks, by_hand) = (BTreeSet::new(), BTreeSet::new());
        Self { grace, capacity: bounded(capacity), grants, records, marks, by_hand, most, crowds: None }
    }

    /// Length of a grant.
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// How many addresses may have a grant.
    pub fn capacity(&self) -> usize {
        self.capacity
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
    /// evicting the oldest one if it is new and the ring is full. Changes are appended in that order. A grant of a longer
    /// grace that ends later stays as it is.
    pub fn login(&mut self, now: Timestamp, address: IpAddr, changes: &mut Vec<Change>) {
        self.purge(now, changes);
        let expires = now + self.grace;
        let known = self.known(address);
        if known.is_none_or(|(_, known)| known <= expires) {
            self.put(Grant { address, expires }, known, changes);
        }
    }

    /// Takes over a grant with its own expiry, cut to a full grace from `now`: one of an earlier run, or of a login that was
    /// logged while nobody watched. A grant that has expired is left out, and one that ends before all others of a full
    /// ring; a known address keeps the later expiry.
    pub fn restore(&mut self, now: Timestamp, grant: Grant, changes: &mut Vec<Change>) {
        let Grant { address, expires } = grant;
        let expires = expires.min(now + self.grace);
        let known = self.known(address);
        let is_longer = known.is_some_and(|(_, known)| known >= expires);
        if expires <= now || is_longer || known.is_none() && self.has_no_room(expires) {
            return;
        }
        self.put(Grant { address, expires }, known, changes);
    }

    /// Gives an address a grant that ends when it says, sooner or later than a grace from now, and makes room for it. A grant
    /// that has ended is left out, and a known address keeps the later end. Of two that end alike this one counts: it may
    /// have been read back from a table.
    pub fn give(&mut self, now: Timestamp, grant: Grant, changes: &mut Vec<Change>) {
        let known = self.known(grant.address);
        if grant.expires > now && known.is_none_or(|(_, known)| known <= grant.expires) {
            self.put(grant, known, changes);
            self.by_hand.insert(grant.address);
        }
    }

    /// Whether the grant of an address is one that was given ([`Ring::give`]).
    pub fn is_by_hand(&self, address: IpAddr) -> bool {
        self.by_hand.contains(&address)
    }

    /// Whether the ring is full of grants that end no earlier.
    fn has_no_room(&self, expires: Timestamp) -> bool {
        self.len() >= self.capacity && self.oldest().is_some_and(|oldest| oldest.expires >= expires)
    }

    /// The slot of an address, and when its grant ends.
    fn known(&self, address: IpAddr) -> Option<(usize, Timestamp)> {
        self.grants.slot(&address).map(|slot| (slot, self.grants.entry(slot).1))
    }

    /// Puts the grant where its end belongs, and makes room for it; `known` is where that of the same address is, and when it
    /// ended before.
    fn put(&mut self, grant: Grant, known: Option<(usize, Timestamp)>, changes: &mut Vec<Change>) {
        if let Some((slot, before)) = known {
            self.count(slot, AddressesPerUser::remove);
            self.unmark(slot);
            changes.push(Change::Extended(grant, before));
        } else {
            self.make_room(self.capacity - 1, changes);
            changes.push(Change::Added(grant));
        }
        self.by_hand.remove(&grant.address);
        let Grant { address, expires } = grant;
        let (near, known) = (self.near(expires), known.map(|(slot, _)| slot));
        let slot = self.grants.put_behind(known, (address, expires), near, |other| *other > expires);
        self.marks.extend(self.mark(slot));
        self.count(slot, AddressesPerUser::add);
    }

    /// The oldest of those with a mark that end later.
    fn near(&self, expires: Timestamp) -> Option<usize> {
        self.marks.range((expires, u32::MAX, usize::MAX)..).next().map(|(.., slot)| *slot)
    }

    /// The mark of a slot, if it has one.
    fn mark(&self, slot: usize) -> Option<(Timestamp, u32, usize)> {
        let of = |(_, expires, turn)| (expires, turn, slot);
        is_marked(slot).then(|| of(self.grants.entry(slot)))
    }

    /// Takes the mark from a slot, if it has one.
    fn unmark(&mut self, slot: usize) {
        if let Some(mark) = self.mark(slot) {
            self.marks.remove(&mark);
        }
    }

    /// Changes the length of grants from now on. Those that there are keep their ends.
    pub fn set_grace(&mut self, grace: Duration) {
        self.grace = grace;
    }

    /// Changes how many addresses may have a grant, as in [`Ring::new`]; evicts the oldest if they are too many.
    pub fn set_capacity(&mut self, capacity: NonZeroUsize, changes: &mut Vec<Change>) {
        self.capacity = bounded(capacity);
        self.crowds = None;
        self.make_room(self.capacity, changes);
    }

    /// From now on an old address of the user, or of the IPv6 /64 network, that has more than `most` addresses gives way before
    /// others do, if the ring is full: of several crowds one of the largest, and of that no address which more than half of
    /// `most` others are older than. `None`: the oldest of all.
    pub fn set_most_per_user(&mut self, most: Option<u8>) {
        self.most = most;
        self.crowds = None;
    }

    /// Takes out an address that must not be published any more.
    pub fn revoke(&mut self, address: IpAddr, changes: &mut Vec<Change>) {
        self.remove(address, Reason::Revoked, changes);
    }

    /// Remembers which login the grant of an address goes back to.
    pub fn note_login(&mut self, address: IpAddr, record: Option<LoginRecord<'_>>) {
        let Some(slot) = self.grants.slot(&address) else { return };
        let is_other_user = self.records.get(slot).map(|record| record.user) != record.map(|record| record.user);
        if is_other_user {
            self.count(slot, AddressesPerUser::remove);
        }
        self.records.set(slot, record);
        if is_other_user {
            self.count(slot, AddressesPerUser::add);
        }
    }

    /// Which login the grant of an address goes back to, if that is known.
    pub fn last_login(&self, address: IpAddr) -> Option<LoginRecord<'_>> {
        self.grants.slot(&address).and_then(|slot| self.records.get(slot))
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

    /// How many slots there are, free ones included.
    pub fn slots(&self) -> usize {
        self.grants.slots()
    }

    /// The grant in a slot.
    pub fn at(&self, slot: usize) -> Option<Grant> {
        self.grants.at(slot).map(grant)
    }

    /// Evicts until there are at most `most`. Nobody gives way in a ring with much room, so that nobody is counted there: that
    /// would be a walk through memory for each login.
    fn make_room(&mut self, most: usize, changes: &mut Vec<Change>) {
        if self.crowds.is_none() && self.len() >= self.capacity - self.capacity / 4 {
            self.crowds = self.most.map(|most| self.counted(most));
        }
        while self.len() > most {
            match self.crowds.as_ref().and_then(AddressesPerUser::first).and_then(|slot| self.at(slot)) {
                Some(crowd) => self.remove(crowd.address, Reason::Evicted, changes),
                None => self.remove_oldest(Reason::Evicted, changes),
            }
        }
    }

    /// All addresses, counted. The newest first: of whoever has many, the others are kept in order.
    fn counted(&self, most: u8) -> AddressesPerUser<S> {
        let mut crowds = AddressesPerUser::new(self.capacity, most);
        self.grants.newest_first().for_each(|slot| crowds.add(self.member(&crowds, slot)));
        crowds
    }

    fn remove_oldest(&mut self, reason: Reason, changes: &mut Vec<Change>) {
        if let Some(oldest) = self.oldest() {
            self.remove(oldest.address, reason, changes);
        }
    }

    fn remove(&mut self, address: IpAddr, reason: Reason, changes: &mut Vec<Change>) {
        let Some(slot) = self.grants.slot(&address) else { return };
        self.count(slot, AddressesPerUser::remove);
        // Whoever gets the slot next has nothing to do with this login.
        self.records.set(slot, None);
        self.by_hand.remove(&address);
        self.unmark(slot);
        self.grants.remove(&address);
        changes.push(Change::Removed(address, reason));
    }

    /// Counts the address in a slot, or no longer.
    fn count(&mut self, slot: usize, how: impl Fn(&mut AddressesPerUser<S>, Member)) {
        let member = self.crowds.as_ref().map(|crowds| self.member(crowds, slot));
        if let (Some(member), Some(crowds)) = (member, &mut self.crowds) {
            how(crowds, member);
        }
    }

    /// What the crowds need to know of the address in a slot.
    fn member(&self, crowds: &AddressesPerUser<S>, slot: usize) -> Member {
        let (address, expires, turn) = self.grants.entry(slot);
        let user = self.records.get(slot).map(|record| record.user).unwrap_or_default();
        crowds.member(address, user, (expires, turn), slot)
    }
}

fn bounded(capacity: NonZeroUsize) -> usize {
    capacity.get().min(u32::MAX as usize - 1)
}

fn grant((address, expires): (IpAddr, Timestamp)) -> Grant {
    Grant { address, expires }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How far the place of a new grant is from where the search for it begins.
    fn steps(ring: &Ring, expires: Timestamp) -> usize {
        let near = ring.near(expires);
        let ahead = ring.grants.newest_first().take_while(|slot| ring.grants.entry(*slot).1 > expires);
        ahead.skip_while(|slot| near.is_some_and(|near| *slot != near)).count()
    }

    /// Of two givers, whose ends take turns; of many that end alike; and of those again, the other way round.
    #[test]
    fn the_place_of_a_grant_is_near() {
        let mut ring = Ring::new(LONGEST, NonZeroUsize::MAX, None);
        let turns = (0..4000_u32).map(|n| (n, 1 + n % 2));
        let again = (0..4000_u32).rev().map(|n| (n, 3 + n % 3));
        let at = |seconds: u32| Timestamp::from_boot(Duration::from_secs(seconds.into()));
        for (n, end) in turns.chain(again) {
            let grant = Grant { address: IpAddr::from(n.to_be_bytes()), expires: at(end) };
            let far = steps(&ring, grant.expires);
            assert!(far < 250, "{far} steps to {grant:?}");
            ring.restore(at(0), grant, &mut Vec::new());
        }
    }
}
