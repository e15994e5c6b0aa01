//! Counts how many addresses each user and each IPv6 /64 network has, to know who takes most of a full ring. Pure.
//!
//! Whoever has an account and a /64 network has as many addresses as he likes. If the oldest address always gave way, he
//! would throw everybody else out. So those go first of which there are too many. The counts are kept by a hash with a secret
//! and without the names: two users who share a count by chance, which is rare, may give way a little earlier.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

/// Most that can be counted; a count that has come so far stays.
pub(crate) const MOST: u8 = u8::MAX - 1;

/// The addresses of a ring, counted.
#[derive(Debug)]
pub(crate) struct Crowds {
    most: u8,
    counts: Vec<u8>,
    /// How many counts are above `most`.
    crowds: usize,
    hasher: RandomState,
}

impl Crowds {
    /// For a ring of this capacity, in which nobody should have more than `most` addresses.
    pub(crate) fn new(capacity: usize, most: u8) -> Self {
        // Up to two counts an address: most cells hold at most one of them.
        let cells = capacity.clamp(256, 1 << 24).next_power_of_two() * 8;
        Self { most: most.min(MOST), counts: vec![0; cells], crowds: 0, hasher: RandomState::new() }
    }

    /// How many addresses are not too many.
    pub(crate) fn most(&self) -> u8 {
        self.most
    }

    /// Counts an address of the network, or no longer.
    pub(crate) fn count_network(&mut self, address: IpAddr, add: bool) {
        self.count(self.network(address), add);
    }

    /// Counts an address of the user, or no longer; users without a name are not counted.
    pub(crate) fn count_user(&mut self, user: &[u8], add: bool) {
        self.count(self.user(user), add);
    }

    fn count(&mut self, cell: Option<usize>, add: bool) {
        let Some(count) = cell.and_then(|cell| self.counts.get_mut(cell)) else { return };
        let before = *count;
        *count = match (add, before) {
            (_, u8::MAX) => before,
            (true, _) => before + 1,
            (false, _) => before.saturating_sub(1),
        };
        self.crowds = self.crowds + usize::from(*count > self.most) - usize::from(before > self.most);
    }

    /// Whether anybody has too many addresses.
    pub(crate) fn is_any(&self) -> bool {
        self.crowds > 0
    }

    /// Whether the user or the network of this address has too many.
    pub(crate) fn has(&self, address: IpAddr, user: &[u8]) -> bool {
        let cells = [self.network(address), self.user(user)];
        cells.into_iter().flatten().any(|cell| self.counts.get(cell).is_some_and(|count| *count > self.most))
    }

    fn network(&self, address: IpAddr) -> Option<usize> {
        match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => Some(self.cell(self.hasher.hash_one(address.to_bits() >> 64))),
        }
    }

    fn user(&self, user: &[u8]) -> Option<usize> {
        (!user.is_empty()).then(|| self.cell(self.hasher.hash_one(user)))
    }

    fn cell(&self, hash: u64) -> usize {
        hash as usize & (self.counts.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_networks_are_counted_apart() {
        let mut crowds = Crowds::new(250, 2);
        let address = |text: &str| -> IpAddr { text.parse().unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)) };
        for (client, user) in [("192.0.2.1", "al"), ("192.0.2.2", "al"), ("2001:db8::1", "bo"), ("2001:db8::2", "ch")] {
            crowds.count_network(address(client), true);
            crowds.count_user(user.as_bytes(), true);
        }
        assert!(!crowds.is_any());
        crowds.count_network(address("2001:db8::3"), true);
        crowds.count_user(b"al", true);
        assert!(crowds.has(address("192.0.2.1"), b"al") && crowds.has(address("2001:db8::1"), b"bo"));
        assert!(!crowds.has(address("2001:db8:0:1::1"), b"bo") && !crowds.has(address("192.0.2.9"), b""));
        crowds.count_network(address("2001:db8::3"), false);
        crowds.count_user(b"al", false);
        assert!(!crowds.is_any());
    }

    #[test]
    fn a_count_that_cannot_go_on_stays() {
        let mut crowds = Crowds::new(250, MOST);
        (0..300).for_each(|_| crowds.count_user(b"al", true));
        (0..300).for_each(|_| crowds.count_user(b"al", false));
        assert!(crowds.is_any());
    }
}
