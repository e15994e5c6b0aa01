//! The ring against a naive model: same set, same order, same changes.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::time::Duration;

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
