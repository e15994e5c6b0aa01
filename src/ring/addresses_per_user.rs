//! Counts how many addresses each user and each IPv6 /64 network has, to know who takes most of a full ring. Pure.
//!
//! Whoever has an account and a /64 network has as many addresses as he likes. If the oldest address always gave way, he
//! would throw everybody else out. So those go first of which there are too many, and of several crowds the largest. The
//! counts are kept by a hash with a secret and without the names: two users who share a count by chance, which is rare, may
//! give way a little earlier.
//!
//! Of as many addresses as make half a crowd only the number is known, in one byte. Only what comes on top is kept in the
//! order of the ends: few have so many, and who gives way is found without a walk through a ring of a million.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use crate::time::Timestamp;

/// The highest limit.
pub(crate) const MOST: u8 = u8::MAX - 1;

/// The end of a grant, and which of those that end together was put in later: logins that are read at once end so.
type Age = (Timestamp, u32);

/// Counts for each address, and for how many addresses at most.
const CELLS: usize = 8;
const LARGEST: usize = 1 << 24;

/// An address of the ring.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    /// Whose it is: of the network, of the user.
    cells: [Option<u32>; 2],
    age: Age,
    slot: u32,
}

/// The addresses of a ring, counted. `S` hashes networks and users, which strangers must not be able to make collide.
#[derive(Debug)]
pub(crate) struct AddressesPerUser<S = RandomState> {
    most: u8,
    /// How many addresses each user and each network has, but for those in `ordered`.
    counts: Vec<u8>,
    /// The further addresses: whose, how old, the slot.
    ordered: BTreeSet<(u32, Age, u32)>,
    /// How many of them are whose.
    further: HashMap<u32, u32>,
    /// Who has too many: how many, and who.
    crowds: BTreeSet<(u32, u32)>,
    hasher: S,
}

impl<S: BuildHasher + Default> AddressesPerUser<S> {
    /// For as many addresses, of which nobody should have more than `most`.
    pub(crate) fn new(addresses: usize, most: u8) -> Self {
        // Up to two counts an address: most cells hold at most one of them.
        let cells = addresses.clamp(256, LARGEST).next_power_of_two() * CELLS;
        Self {
            most: most.min(MOST),
            counts: vec![0; cells],
            ordered: BTreeSet::new(),
            further: HashMap::new(),
            crowds: BTreeSet::new(),
            hasher: S::default(),
        }
    }

    /// An address in a slot of the ring, with its user; users without a name are not counted.
    pub(crate) fn member(&self, address: IpAddr, user: &[u8], age: Age, slot: usize) -> Member {
        let network = match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => Some(self.cell(self.hasher.hash_one(address.to_bits() >> 64))),
        };
        let user = (!user.is_empty()).then(|| self.cell(self.hasher.hash_one(user)));
        // Should they be the same by chance, it counts once.
        Member { cells: [network, user.filter(|_| user != network)], age, slot: slot as u32 }
    }

    /// Counts an address.
    pub(crate) fn add(&mut self, member: Member) {
        for cell in member.cells.into_iter().flatten() {
            let before = self.size(cell);
            if before < u32::from(self.most / 2) {
                self.counts[cell as usize] += 1;
            } else {
                self.ordered.insert((cell, member.age, member.slot));
                *self.further.entry(cell).or_default() += 1;
            }
            self.resize(cell, before);
        }
    }

    /// Counts an address no longer, the same as when it was added.
    pub(crate) fn remove(&mut self, member: Member) {
        for cell in member.cells.into_iter().flatten() {
            let before = self.size(cell);
            if self.ordered.remove(&(cell, member.age, member.slot)) {
                if let Some(further) = self.further.remove(&cell).filter(|further| *further > 1) {
                    self.further.insert(cell, further - 1);
                }
            } else {
                self.counts[cell as usize] -= 1;
            }
            self.resize(cell, before);
        }
    }

    /// Slot of the address that gives way first, if anybody has too many: the oldest of the largest crowd, or one of its
    /// oldest.
    pub(crate) fn first(&self) -> Option<usize> {
        // More than half of them are in order.
        let (_, crowd) = *self.crowds.last()?;
        let (_, _, slot) = self.ordered.range((crowd, Age::default(), 0)..).next()?;
        Some(*slot as usize)
    }

    /// How many addresses somebody has.
    fn size(&self, cell: u32) -> u32 {
        u32::from(self.counts[cell as usize]) + self.further.get(&cell).copied().unwrap_or_default()
    }

    /// Takes note of who has too many.
    fn resize(&mut self, cell: u32, before: u32) {
        self.crowds.remove(&(before, cell));
        let size = self.size(cell);
        if size > u32::from(self.most) {
            self.crowds.insert((size, cell));
        }
    }

    fn cell(&self, hash: u64) -> u32 {
        (hash as usize & (self.counts.len() - 1)) as u32
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::hash::{BuildHasherDefault, DefaultHasher};
    use std::time::Duration;

    use super::*;

    /// Without a secret: who shares a count by chance is the same in each run. Here nobody does.
    type AddressesPerUser = super::AddressesPerUser<BuildHasherDefault<DefaultHasher>>;

    /// The login of a second, from the slot of the same number.
    fn member(crowds: &AddressesPerUser, second: usize, address: &str, user: &str) -> Member {
        let expires = Timestamp::from_boot(Duration::from_secs(second as u64));
        crowds.member(address.parse().unwrap(), user.as_bytes(), (expires, 0), second)
    }

    fn add(crowds: &mut AddressesPerUser, second: usize, address: &str, user: &str) {
        crowds.add(member(crowds, second, address, user));
    }

    fn remove(crowds: &mut AddressesPerUser, second: usize, address: &str, user: &str) {
        crowds.remove(member(crowds, second, address, user));
    }

    #[test]
    fn users_and_networks_are_counted_apart() {
        let mut crowds = AddressesPerUser::new(250, 2);
        let several = [("192.0.2.1", "al"), ("192.0.2.2", "al"), ("2001:db8::1", "bo"), ("2001:db8::2", "ch")];
        for (slot, (address, user)) in several.into_iter().enumerate() {
            add(&mut crowds, slot, address, user);
        }
        assert_eq!(crowds.first(), None);
        add(&mut crowds, 4, "2001:db8:0:1::1", "bo");
        add(&mut crowds, 5, "192.0.2.3", "");
        assert_eq!(crowds.first(), None);
        add(&mut crowds, 6, "2001:db8::3", "al");
        assert_eq!(crowds.crowds.len(), 2);
        add(&mut crowds, 7, "192.0.2.4", "al");
        assert_eq!(crowds.first(), Some(1), "the larger crowd is that of al, and one is not in order");
        remove(&mut crowds, 7, "192.0.2.4", "al");
        remove(&mut crowds, 6, "2001:db8::3", "al");
        assert_eq!(crowds.first(), None);
    }

    #[test]
    fn no_number_of_addresses_is_too_large_to_count() {
        for most in [1, 50, MOST] {
            let mut crowds = AddressesPerUser::new(250, most);
            (0..1000).for_each(|second| add(&mut crowds, second, "192.0.2.1", "al"));
            assert_eq!(crowds.first(), Some(usize::from(most / 2)));
            let most = usize::from(most);
            (0..1000 - most).for_each(|second| remove(&mut crowds, second, "192.0.2.1", "al"));
            assert_eq!(crowds.first(), None);
            add(&mut crowds, 1000, "192.0.2.1", "al");
            assert_eq!(crowds.first(), Some(1000 - most));
            (1000 - most..=1000).for_each(|second| remove(&mut crowds, second, "192.0.2.1", "al"));
            assert!(
                crowds.ordered.is_empty() && crowds.further.is_empty() && crowds.counts.iter().all(|count| *count == 0)
            );
        }
    }

    #[test]
    fn what_is_no_crowd_takes_no_room() {
        let mut crowds = AddressesPerUser::new(250, 50);
        (0..25).for_each(|second| add(&mut crowds, second, "2001:db8::1", "al"));
        assert!(crowds.ordered.is_empty() && crowds.further.is_empty());
    }
}
