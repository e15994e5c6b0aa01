//! The ring against a naive model: same set, same order, same changes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroUsize;
use std::time::Duration;

use pop_before_smtp::proof::Proof;
use pop_before_smtp::ring::{Change, Grant, Reason, Ring};
use pop_before_smtp::time::Timestamp;
use proptest::prelude::*;

/// A list, newest first, searched from end to end.
struct Model {
    grace: Duration,
    capacity: usize,
    grants: Vec<Grant>,
}

impl Model {
    fn login(&mut self, now: Timestamp, address: IpAddr) -> Vec<Change> {
        let mut changes = self.purge(now);
        let grant = Grant { address, expires: now + self.grace };
        if self.get(address).is_none_or(|known| known.expires <= grant.expires) {
            changes.extend(self.put(grant));
        }
        changes
    }

    fn get(&self, address: IpAddr) -> Option<Grant> {
        self.grants.iter().find(|grant| grant.address == address).copied()
    }

    /// In front of those that do not end later.
    fn put(&mut self, grant: Grant) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Some(known) = self.get(grant.address) {
            self.grants.retain(|other| other.address != grant.address);
            changes.push(Change::Extended(grant, known.expires));
        } else {
            changes = self.evict(self.capacity - 1);
            changes.push(Change::Added(grant));
        }
        let at = self.grants.iter().position(|other| other.expires <= grant.expires).unwrap_or(self.grants.len());
        self.grants.insert(at, grant);
        changes
    }

    fn evict(&mut self, most: usize) -> Vec<Change> {
        let evicted = self.grants.split_off(most.min(self.grants.len()));
        evicted.iter().rev().map(|grant| Change::Removed(grant.address, Reason::Evicted)).collect()
    }

    /// Looks at all: nothing that has ended may hide behind something that has not.
    fn purge(&mut self, now: Timestamp) -> Vec<Change> {
        let ended = |grant: &&Grant| grant.expires <= now;
        let changes = self.grants.iter().rev().filter(ended);
        let changes = changes.map(|grant| Change::Removed(grant.address, Reason::Expired)).collect();
        self.grants.retain(|grant| grant.expires > now);
        changes
    }

    fn restore(&mut self, now: Timestamp, grant: Grant) -> Vec<Change> {
        let grant = Grant { expires: grant.expires.min(now + self.grace), ..grant };
        if grant.expires <= now || self.get(grant.address).is_some_and(|known| known.expires >= grant.expires) {
            return Vec::new();
        }
        let is_full = self.grants.len() == self.capacity;
        let is_last = self.grants.iter().all(|other| other.expires >= grant.expires);
        if self.get(grant.address).is_none() && is_full && is_last {
            return Vec::new();
        }
        self.put(grant)
    }

    fn give(&mut self, now: Timestamp, grant: Grant) -> Vec<Change> {
        if grant.expires <= now || self.get(grant.address).is_some_and(|known| known.expires >= grant.expires) {
            return Vec::new();
        }
        self.put(grant)
    }

    fn revoke(&mut self, address: IpAddr) -> Vec<Change> {
        let known = self.get(address);
        self.grants.retain(|grant| grant.address != address);
        known.map(|grant| Change::Removed(grant.address, Reason::Revoked)).into_iter().collect()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Login(u8),
    Purge,
    Restore(u8, u16),
    Give(u8, u16),
    Pass(u16),
    SetGrace(u16),
    SetCapacity(NonZeroUsize),
    Revoke(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..90u8).prop_map(Step::Login),
        1 => Just(Step::Purge),
        1 => (0..90u8, 0..200u16).prop_map(|(address, left)| Step::Restore(address, left)),
        3 => (0..40u16).prop_map(Step::Pass),
        1 => (0..90u8, 0..400u16).prop_map(|(address, left)| Step::Give(address, left)),
        1 => (1..200u16).prop_map(Step::SetGrace),
        1 => (1..=64usize).prop_map(|capacity| Step::SetCapacity(non_zero(capacity))),
        1 => (0..90u8).prop_map(Step::Revoke),
    ];
    proptest::collection::vec(step, 0..400)
}

fn non_zero(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

fn address(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, number))
}

/// A full ring of 250 with 100 honest clients in it, and what is left of them once somebody has logged in from 1,000 addresses.
fn honest_left(most: Option<u8>, address: impl Fn(u32) -> IpAddr, user: impl Fn(u32) -> String) -> usize {
    let mut ring = Ring::new(Duration::from_secs(1800), NonZeroUsize::new(250).unwrap_or(NonZeroUsize::MIN));
    ring.set_most_per_user(most);
    let mut login = |second: u32, address: IpAddr, user: &str| {
        ring.login(Timestamp::from_boot(Duration::from_secs(second.into())), address, &mut Vec::new());
        let proof = Proof { source: "log", offset: None, matcher: "dovecot", user: user.as_bytes() };
        ring.prove(address, Some(proof));
        ring.len()
    };
    let honest = |number: u32| IpAddr::from(Ipv4Addr::from_bits(0xc633_6400 + number));
    (0..100).for_each(|number| assert!(login(0, honest(number), &format!("honest{number}")) <= 250));
    (0..1000).for_each(|number| assert!(login(1, address(number), &user(number)) <= 250));
    // Somebody new comes, too, and is no crowd.
    login(2, honest(100), "honest100");
    (0..=100).filter(|number| ring.get(honest(*number)).is_some()).count()
}

#[test]
fn who_has_many_addresses_throws_nobody_else_out() {
    let of_network = |number: u32| IpAddr::from(Ipv6Addr::from_bits((0x2001_0db8 << 96) + u128::from(number)));
    let of_networks = |number: u32| IpAddr::from(Ipv6Addr::from_bits((0x2001_0db8 << 96) + (u128::from(number) << 80)));
    let one = |_| "mallory".to_owned();
    let several = |number| format!("mallory{number}");
    assert_eq!(honest_left(None, of_network, one), 1, "else the test shows nothing");
    assert_eq!(honest_left(Some(50), of_network, one), 101);
    assert_eq!(honest_left(Some(50), of_network, several), 101, "several accounts in one network");
    assert_eq!(honest_left(Some(50), of_networks, one), 101, "one account in many networks");
    let v4 = |number: u32| IpAddr::from(Ipv4Addr::from_bits(0x0a00_0000 + number));
    assert_eq!(honest_left(Some(50), v4, one), 101);
}

#[test]
fn counts_follow_removals_and_new_users() {
    let mut ring = Ring::new(Duration::from_secs(10), NonZeroUsize::new(3).unwrap_or(NonZeroUsize::MIN));
    ring.set_most_per_user(Some(1));
    let at = |second| Timestamp::from_boot(Duration::from_secs(second));
    let mut changes = Vec::new();
    let mut login = |second, number: u32, user: &str| {
        let address = IpAddr::from(Ipv4Addr::from_bits(number));
        changes.clear();
        ring.login(at(second), address, &mut changes);
        ring.prove(address, Some(Proof { source: "log", offset: None, matcher: "x", user: user.as_bytes() }));
        changes.iter().find_map(|change| match change {
            Change::Removed(IpAddr::V4(address), Reason::Evicted) => Some(address.to_bits()),
            _ => None,
        })
    };
    assert_eq!((login(0, 1, "al"), login(1, 2, "bo"), login(2, 3, "bo")), (None, None, None));
    assert_eq!(login(3, 4, "ch"), Some(2), "of bo, who has two");
    assert_eq!(login(4, 5, "ch"), Some(1), "nobody has too many: the oldest");
    // ch has 4 and 5 now; 4 is somebody else's from here on.
    assert_eq!(login(5, 4, "di"), None);
    assert_eq!(login(6, 6, "ed"), Some(3));
    assert_eq!(login(40, 7, "ed"), None, "the others have expired");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ring_behaves_as_the_model(capacity in 1..=64usize, steps in steps()) {
        let grace = Duration::from_secs(100);
        let mut ring = Ring::new(grace, non_zero(capacity));
        let mut model = Model { grace, capacity, grants: Vec::new() };
        let mut now = Timestamp::from_boot(Duration::from_secs(1000));
        for step in steps {
            let mut changes = Vec::new();
            let expected = match step {
                Step::Login(number) => {
                    ring.login(now, address(number), &mut changes);
                    model.login(now, address(number))
                }
                Step::Purge => {
                    ring.purge(now, &mut changes);
                    model.purge(now)
                }
                Step::Restore(number, left) => {
                    let grant = Grant { address: address(number), expires: now + Duration::from_secs(left.into()) };
                    ring.restore(now, grant, &mut changes);
                    model.restore(now, grant)
                }
                Step::Give(number, left) => {
                    let grant = Grant { address: address(number), expires: now + Duration::from_secs(left.into()) };
                    ring.give(now, grant, &mut changes);
                    model.give(now, grant)
                }
                Step::Pass(seconds) => {
                    now = now + Duration::from_secs(seconds.into());
                    Vec::new()
                }
                Step::SetGrace(seconds) => {
                    model.grace = Duration::from_secs(seconds.into());
                    ring.set_grace(model.grace);
                    Vec::new()
                }
                Step::SetCapacity(capacity) => {
                    ring.set_capacity(capacity, &mut changes);
                    model.capacity = capacity.get();
                    model.evict(capacity.get())
                }
                Step::Revoke(number) => {
                    ring.revoke(address(number), &mut changes);
                    model.revoke(address(number))
                }
            };
            prop_assert_eq!(&changes, &expected);
            prop_assert_eq!(ring.iter().collect::<Vec<_>>(), model.grants.clone());
            prop_assert_eq!(ring.len(), model.grants.len());
            prop_assert_eq!(ring.oldest(), model.grants.last().copied());
            let same = (0..90).map(address).all(|address| ring.get(address) == model.get(address));
            prop_assert!(same, "looked up by address");
            let mut by_slot: Vec<_> = (0..ring.slots()).filter_map(|slot| ring.at(slot)).collect();
            by_slot.sort_by_key(|grant| grant.address);
            let mut all = model.grants.clone();
            all.sort_by_key(|grant| grant.address);
            prop_assert_eq!(by_slot, all);
        }
    }
}
