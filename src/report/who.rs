//! What is kept of each address and each user. Pure.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};

/// Most users, senders and domains that are kept of an address.
const KEPT: usize = 16;

/// Longest name of a user that is kept.
const LONGEST_NAME: usize = 128;

/// Bytes that a text takes besides its own, and a day; a vector may have twice the room that it needs.
const TEXT: usize = 64;
const DAY: usize = 32;

/// An address that logged in.
#[derive(Debug, Default)]
pub(super) struct Address {
    /// Seconds since 1970.
    pub(super) last_login: u64,
    /// The keys of the users that logged in, the last one in front.
    pub(super) users: Vec<u64>,
    pub(super) more: bool,
    pub(super) last_refused: Option<u64>,
    pub(super) relays: Option<Box<Relays>>,
}

/// What an address relayed by grants.
#[derive(Debug, Default)]
pub(super) struct Relays {
    pub(super) messages: u64,
    pub(super) recipients: u64,
    pub(super) first: u64,
    pub(super) last: u64,
    /// How many messages go back to a login, and how old it was in sum and at most.
    pub(super) aged: u64,
    pub(super) age_sum: u64,
    pub(super) age_max: u64,
    pub(super) senders: Vec<Box<[u8]>>,
    pub(super) domains: Vec<(Box<[u8]>, u64)>,
    /// Messages of each day on which there were any.
    pub(super) days: Vec<(i32, u64)>,
}

/// A user that logged in or used SASL.
#[derive(Debug, Default)]
pub(super) struct User {
    pub(super) name: Box<[u8]>,
    pub(super) logins: u64,
    pub(super) last_login: u64,
    pub(super) last_address: Option<IpAddr>,
    pub(super) messages: u64,
    pub(super) recipients: u64,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) sasl_messages: u64,
}

impl Address {
    pub(super) fn login(&mut self, at: u64, user: Option<u64>) {
        self.last_login = at;
        let Some(user) = user else { return };
        match self.users.iter().position(|known| *known == user) {
            Some(place) => self.users[..=place].rotate_right(1),
            None => {
                self.more |= self.users.len() >= KEPT;
                self.users.truncate(KEPT - 1);
                self.users.insert(0, user);
            }
        }
    }

    /// A message left that was handed in `age` after the last login, if one is why it could. What there is no `room` for is not kept, which `more`
    /// tells.
    pub(super) fn relay(&mut self, at: u64, day: i32, age: Option<u64>, sender: &[u8], room: &mut usize) {
        let relays = self.relays.get_or_insert_default();
        relays.first = if relays.messages == 0 { at } else { relays.first.min(at) };
        relays.last = relays.last.max(at);
        relays.messages += 1;
        relays.aged += u64::from(age.is_some());
        relays.age_sum += age.unwrap_or_default();
        relays.age_max = relays.age_max.max(age.unwrap_or_default());
        let mut has_room = |kept: usize, length: usize| {
            let left = room.checked_sub(length).filter(|_| kept < KEPT);
            self.more |= left.is_none();
            *room = left.unwrap_or(*room);
            left.is_some()
        };
        // Lines may be somewhat out of order.
        match relays.days.iter_mut().rev().take(3).find(|(known, _)| *known == day) {
            Some((_, count)) => *count += 1,
            None if has_room(0, DAY) => relays.days.push((day, 1)),
            None => {}
        }
        if sender.is_empty() {
            return;
        }
        let is_known = relays.senders.iter().any(|known| known.eq_ignore_ascii_case(sender));
        if !is_known && has_room(relays.senders.len(), sender.len() + TEXT) {
            relays.senders.push(sender.into());
        }
        let domain = domain(sender);
        match relays.domains.iter().position(|(known, _)| known.eq_ignore_ascii_case(domain)) {
            Some(place) => relays.domains[place].1 += 1,
            None if has_room(relays.domains.len(), domain.len() + TEXT) => {
                relays.domains.push((domain.to_ascii_lowercase().into(), 1));
            }
            None => {}
        }
    }
}

impl User {
    pub(super) fn named(&mut self, name: &[u8]) -> &mut Self {
        if self.name.is_empty() {
            self.name = name[..name.len().min(LONGEST_NAME)].into();
        }
        self
    }

    pub(super) fn relay(&mut self, at: u64) {
        self.first = if self.messages == 0 { at } else { self.first.min(at) };
        self.last = self.last.max(at);
        self.messages += 1;
    }
}

/// What stands behind the last `@`; of a name without one, the name.
pub(super) fn domain(address: &[u8]) -> &[u8] {
    memchr::memrchr(b'@', address).map_or(address, |at| &address[at + 1..])
}

/// What stands in front of it.
pub(super) fn local_part(address: &[u8]) -> &[u8] {
    memchr::memrchr(b'@', address).map_or(address, |at| &address[..at])
}

/// Whether a user of this name sends as this sender: the same text, or a user without a domain and the sender's local part.
pub(super) fn sends_as(user: &[u8], sender: &[u8]) -> bool {
    user.eq_ignore_ascii_case(sender) || user.eq_ignore_ascii_case(local_part(sender))
}

/// Hashes of user names, in which capitals are small letters.
#[derive(Debug, Default)]
pub(super) struct Keys(RandomState);

impl Keys {
    pub(super) fn key(&self, name: &[u8]) -> u64 {
        self.0.hash_one(name.to_ascii_lowercase())
    }
}

/// The /24 or /64 network of an address.
pub(super) fn network(address: IpAddr) -> (IpAddr, u8) {
    match address {
        IpAddr::V4(address) => (IpAddr::V4((u32::from(address) & 0xffff_ff00).into()), 24),
        IpAddr::V6(address) => (IpAddr::V6(Ipv6Addr::from(u128::from(address) >> 64 << 64)), 64),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn users_send_as_themselves() {
        for (user, sender, expected) in [
            ("alice", "alice@example.net", true),
            ("Alice@example.net", "alice@Example.net", true),
            ("alice@example.net", "alice@example.com", false),
            ("alice", "bob@example.net", false),
            ("alice", "alice", true),
        ] {
            assert_eq!(sends_as(user.as_bytes(), sender.as_bytes()), expected, "{user} {sender}");
        }
        assert_eq!(domain(b"\"a@b\"@example.net"), b"example.net");
    }

    #[test]
    fn the_user_that_logged_in_last_is_in_front_and_many_are_cut() {
        let mut address = Address::default();
        for user in 1..=20 {
            address.login(10, Some(user));
        }
        address.login(11, Some(18));
        assert_eq!((&address.users[..3], address.users.len(), address.more), (&[18, 20, 19][..], KEPT, true));
    }

    #[test]
    fn networks_are_24_and_64_bits_long() {
        for (address, expected) in [("192.0.2.77", "192.0.2.0"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")] {
            assert_eq!(network(address.parse().unwrap()).0, expected.parse::<IpAddr>().unwrap());
        }
    }
}
