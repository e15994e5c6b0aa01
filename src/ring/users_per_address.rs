//! Counts the users behind each address, for `--max-users-per-address`. Pure: times are arguments.
//!
//! Behind a NAT gateway, or behind a host that passes connections on, many people have one address, and a grant for one of
//! them is a grant for all.

use std::collections::HashMap;
use std::hash::{BuildHasher, DefaultHasher, Hasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use crate::ordered_map::OrderedMap;
use crate::time::Timestamp;

/// Most users that can be allowed: each of an address that has several takes memory.
pub(crate) const MOST: usize = 1000;

/// A user's newest login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    /// Hash of the name.
    user: u64,
    at: Timestamp,
}

/// What makes the hashes of names, so that nobody can choose two names that count as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(pub [u64; 2]);

impl Key {
    fn random() -> Self {
        let random = RandomState::new();
        Self([0, 1].map(|number: u8| random.hash_one(number)))
    }

    /// The hash of a name. Another version of this program may come to another.
    pub fn hash(self, user: &[u8]) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.iter().for_each(|half| hasher.write_u64(*half));
        hasher.write(user);
        hasher.finish()
    }
}

/// A user's newest login from an address, as it is kept between two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    /// The address.
    pub address: IpAddr,
    /// Hash of the name.
    pub user: u64,
    /// When that was.
    pub at: Timestamp,
}

/// What is known of an address with several users.
#[derive(Debug, Default)]
struct Several {
    /// All but the one that logged in last.
    others: Vec<Seen>,
    warned: Option<Timestamp>,
}

/// What a login means for its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There are not too many users.
    Fine,
    /// There are too many; the operator has been told of this address.
    Shared,
    /// There are too many, which is worth a warning: the first for this address within a grace.
    NewlyShared,
}

/// The distinct users of each address within one grace.
#[derive(Debug)]
pub(crate) struct UsersPerAddress {
    most: NonZeroUsize,
    capacity: usize,
    /// The newest login of each address, newest first. Most addresses have one user, and nothing else.
    newest: OrderedMap<IpAddr, Seen>,
    several: HashMap<IpAddr, Several>,
    key: Key,
}

impl UsersPerAddress {
    /// Allows `most` users, and remembers as many addresses as there may be grants.
    pub(crate) fn new(most: NonZeroUsize, capacity: NonZeroUsize) -> Self {
        Self {
            most,
            capacity: capacity.get(),
            newest: OrderedMap::default(),
            several: HashMap::new(),
            key: Key::random(),
        }
    }

    /// From now on other bounds hold.
    pub(crate) fn set_bounds(&mut self, most: NonZeroUsize, capacity: NonZeroUsize) {
        self.most = most;
        self.capacity = capacity.get();
    }

    /// How many users are allowed.
    pub(crate) fn most(&self) -> NonZeroUsize {
        self.most
    }

    /// What the hashes of [`UsersPerAddress::sightings`] are made with.
    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// What is known of all addresses, oldest first, for a guard that takes it over.
    pub(crate) fn sightings(&self) -> impl Iterator<Item = Sighting> + '_ {
        self.newest.oldest_first().flat_map(|(address, newest)| {
            let others = self.several.get(&address).map_or(&[][..], |several| &several.others);
            let all = others.iter().rev().copied().chain([newest]);
            all.map(move |Seen { user, at }| Sighting { address, user, at })
        })
    }

    /// Takes over what another guard has known, before there is a login.
    pub(crate) fn take_over(&mut self, now: Timestamp, grace: Duration, key: Key, sightings: &[Sighting]) {
        self.key = key;
        for &Sighting { address, user, at } in sightings.iter().filter(|sighting| now.since(sighting.at) < grace) {
            self.see(now, grace, address, Seen { user, at: at.min(now) });
        }
    }

    /// A login at `at`, which may have been a while ago. A line that names no user stands for one of an empty name.
    pub(crate) fn login(
        &mut self,
        now: Timestamp,
        grace: Duration,
        at: Timestamp,
        address: IpAddr,
        user: &[u8],
    ) -> Verdict {
        self.forget(now, grace);
        self.see(now, grace, address, Seen { user: self.key.hash(user), at });
        self.judge(now, grace, address)
    }

    /// Each user counts from the newest of its own logins, in whatever order they come.
    fn see(&mut self, now: Timestamp, grace: Duration, address: IpAddr, seen: Seen) {
        let Some(newest) = self.newest.get(&address) else {
            if self.newest.len() >= self.capacity {
                self.forget_oldest();
            }
            return self.newest.put(address, seen);
        };
        if newest.user == seen.user {
            return self.newest.put(address, Seen { at: newest.at.max(seen.at), ..seen });
        }
        let Several { others, .. } = self.several.entry(address).or_default();
        let known = others.iter().position(|other| other.user == seen.user).map(|at| others.swap_remove(at));
        let seen = Seen { at: known.map_or(seen.at, |known| known.at.max(seen.at)), ..seen };
        let (newest, other) = if seen.at >= newest.at { (seen, newest) } else { (newest, seen) };
        others.push(other);
        others.retain(|other| now.since(other.at) < grace);
        // More are not needed to know that there are too many.
        others.sort_unstable_by_key(|other| std::cmp::Reverse(other.at));
        others.truncate(self.most.get());
        self.newest.put(address, newest);
    }

    fn judge(&mut self, now: Timestamp, grace: Duration, address: IpAddr) -> Verdict {
        if self.users(now, grace, address) <= self.most.get() {
            return Verdict::Fine;
        }
        let several = self.several.entry(address).or_default();
        if several.warned.is_some_and(|warned| now.since(warned) < grace) {
            return Verdict::Shared;
        }
        several.warned = Some(now);
        Verdict::NewlyShared
    }

    /// How many users have logged in from an address within the grace; not counted beyond one more than are allowed.
    pub(crate) fn users(&self, now: Timestamp, grace: Duration, address: IpAddr) -> usize {
        let is_recent = |seen: &Seen| now.since(seen.at) < grace;
        let others = self.several.get(&address).map_or(&[][..], |several| &several.others);
        let newest = self.newest.get(&address);
        newest.iter().chain(others).filter(|seen| is_recent(seen)).count()
    }

    /// The addresses with more users than are allowed.
    pub(crate) fn crowds(&self, now: Timestamp, grace: Duration) -> impl Iterator<Item = IpAddr> + '_ {
        self.several.keys().copied().filter(move |&address| self.users(now, grace, address) > self.most.get())
    }

    fn forget(&mut self, now: Timestamp, grace: Duration) {
        while self.newest.oldest().is_some_and(|(_, seen)| now.since(seen.at) >= grace) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((address, _)) = self.newest.remove_oldest() {
            self.several.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    const GRACE: Duration = Duration::from_secs(100);

    fn guard(most: usize, capacity: usize) -> UsersPerAddress {
        UsersPerAddress::new(NonZeroUsize::new(most).unwrap(), NonZeroUsize::new(capacity).unwrap())
    }

    fn at(second: u64) -> Timestamp {
        Timestamp::from_boot(Duration::from_secs(1000 + second))
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
    }

    #[test]
    fn too_many_users_are_told_once_a_grace() {
        let mut guard = guard(2, 10);
        let mut login = |second, user: &[u8]| guard.login(at(second), GRACE, at(second), address(1), user);
        assert_eq!(login(0, b"a"), Verdict::Fine);
        assert_eq!(login(10, b"b"), Verdict::Fine);
        assert_eq!(login(20, b"a"), Verdict::Fine);
        assert_eq!(login(30, b""), Verdict::NewlyShared);
        assert_eq!(login(40, b"a"), Verdict::Shared);
        assert_eq!(login(109, b"a"), Verdict::Shared);
        assert_eq!(login(111, b"a"), Verdict::Fine, "b is more than a grace ago");
        assert_eq!(login(112, b"b"), Verdict::Shared);
        assert_eq!(login(140, b"b"), Verdict::Fine);
        assert_eq!(login(150, b"c"), Verdict::NewlyShared);
    }

    /// Another guard that knows what this one does, as after a clean stop.
    fn taken_over(guard: &UsersPerAddress, second: u64) -> UsersPerAddress {
        let mut other = self::guard(guard.most.get(), guard.capacity);
        let sightings: Vec<_> = guard.sightings().collect();
        other.take_over(at(second), GRACE, guard.key(), &sightings);
        other
    }

    #[test]
    fn a_login_of_the_past_counts_from_its_own_time() {
        let mut guard = guard(1, 10);
        guard.login(at(90), GRACE, at(90), address(1), b"a");
        assert_eq!(guard.login(at(90), GRACE, at(10), address(1), b"b"), Verdict::NewlyShared);
        assert_eq!(guard.users(at(109), GRACE, address(1)), 2);
        assert_eq!(guard.users(at(110), GRACE, address(1)), 1, "a grace after b's");
        assert_eq!(guard.users(at(189), GRACE, address(1)), 1, "a's is the newer");
        assert_eq!(guard.users(at(190), GRACE, address(1)), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn counts_as_a_list_of_all_logins_does(
            most in 1..5usize,
            steps in proptest::collection::vec((0..3u8, 0..6u8, 0..30u64, prop_oneof![Just(0), 0..150u64]), 0..200),
        ) {
            let mut guard = guard(most, 10);
            let mut logins: Vec<(u8, u8, u64)> = Vec::new();
            let mut second = 0;
            for (from, user, pause, ago) in steps {
                second += pause;
                let when = second.saturating_sub(ago);
                logins.push((from, user, when));
                let verdict = guard.login(at(second), GRACE, at(when), address(from), &[user]);
                guard = taken_over(&guard, second);
                for from in 0..3 {
                    let recent = logins.iter().filter(|(other, _, when)| *other == from && second - when < 100);
                    let users: std::collections::BTreeSet<_> = recent.map(|(_, user, _)| *user).collect();
                    prop_assert_eq!(guard.users(at(second), GRACE, address(from)), users.len().min(most + 1));
                }
                prop_assert_eq!(verdict != Verdict::Fine, guard.users(at(second), GRACE, address(from)) > most);
            }
        }
    }

    #[test]
    fn remembers_no_more_addresses_than_told() {
        let mut guard = guard(1, 3);
        for last in 0..200 {
            for user in [b"a", b"b"] {
                guard.login(at(0), GRACE, at(0), address(last), user);
            }
        }
        assert_eq!((guard.newest.len(), guard.several.len()), (3, 3));
        guard.login(at(100), GRACE, at(100), address(1), b"a");
        assert_eq!((guard.newest.len(), guard.several.len()), (1, 0));
    }
}
