//! The ring against a naive model: same set, same order, same changes.

use super::{Counting, address, non_zero, record, user};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
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
    most: Option<u8>,
    users: HashMap<IpAddr, String>,
    by_hand: HashSet<IpAddr>,
    /// What the ring has evicted, which may be one of several, in reverse.
    evicted: Vec<IpAddr>,
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

    fn note_login(&mut self, address: IpAddr, user: &str) {
        if self.get(address).is_some() {
            self.users.insert(address, user.to_owned());
        }
    }

    /// Everybody who has an address: its network, and its user.
    fn owners(&self, address: IpAddr) -> Vec<String> {
        let network = match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => Some(format!("{:x}", address.to_bits() >> 64)),
        };
        let user = self.users.get(&address).filter(|user| !user.is_empty());
        network.into_iter().chain(user.cloned()).collect()
    }

    /// What may be evicted: of the largest crowd an address than which no more than half of as many as are allowed are older.
    fn may_give_way(&self) -> Vec<IpAddr> {
        let mut owned: HashMap<String, Vec<Grant>> = HashMap::new();
        for grant in self.grants.iter().rev() {
            self.owners(grant.address).into_iter().for_each(|owner| owned.entry(owner).or_default().push(*grant));
        }
        let most = self.most.map_or(usize::MAX, usize::from);
        let largest = owned.values().map(Vec::len).filter(|size| *size > most).max();
        let crowds = owned.values().filter(|owned| Some(owned.len()) == largest);
        let mut first: Vec<_> = crowds.flat_map(|owned| owned[..=most / 2].iter().map(|grant| grant.address)).collect();
        if first.is_empty() {
            first.extend(self.grants.last().map(|grant| grant.address));
        }
        first
    }

    fn get(&self, address: IpAddr) -> Option<Grant> {
        self.grants.iter().find(|grant| grant.address == address).copied()
    }

    /// In front of those that do not end later.
    fn put(&mut self, grant: Grant) -> Vec<Change> {
        let mut changes = Vec::new();
        self.by_hand.remove(&grant.address);
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
        let mut changes = Vec::new();
        while self.grants.len() > most {
            let first = self.may_give_way();
            let address = self.evicted.pop().filter(|address| first.contains(address)).unwrap_or(first[0]);
            self.remove(address);
            changes.push(Change::Removed(address, Reason::Evicted));
        }
        changes
    }

    fn remove(&mut self, address: IpAddr) {
        self.grants.retain(|grant| grant.address != address);
        self.users.remove(&address);
        self.by_hand.remove(&address);
    }

    /// Looks at all: nothing that has ended may hide behind something that has not.
    fn purge(&mut self, now: Timestamp) -> Vec<Change> {
        let ended = self.grants.iter().rev().filter(|grant| grant.expires <= now);
        let ended: Vec<_> = ended.map(|grant| grant.address).collect();
        ended.iter().for_each(|address| self.remove(*address));
        ended.into_iter().map(|address| Change::Removed(address, Reason::Expired)).collect()
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
        if grant.expires <= now || self.get(grant.address).is_some_and(|known| known.expires > grant.expires) {
            return Vec::new();
        }
        let changes = self.put(grant);
        self.by_hand.insert(grant.address);
        changes
    }

    fn revoke(&mut self, address: IpAddr) -> Vec<Change> {
        let known = self.get(address);
        self.remove(address);
        known.map(|grant| Change::Removed(grant.address, Reason::Revoked)).into_iter().collect()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Login(u8, u8),
    Purge,
    Restore(u8, u16),
    Give(u8, u16),
    Pass(u16),
    SetGrace(u16),
    SetCapacity(NonZeroUsize),
    SetMost(Option<u8>),
    Revoke(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..90u8, 0..6u8).prop_map(|(address, user)| Step::Login(address, user)),
        1 => Just(Step::Purge),
        1 => (0..90u8, 0..200u16).prop_map(|(address, left)| Step::Restore(address, left)),
        3 => (0..40u16).prop_map(Step::Pass),
        1 => (0..90u8, 0..400u16).prop_map(|(address, left)| Step::Give(address, left)),
        1 => (1..200u16).prop_map(Step::SetGrace),
        1 => (1..=64usize).prop_map(|capacity| Step::SetCapacity(non_zero(capacity))),
        1 => proptest::option::of(1..8u8).prop_map(Step::SetMost),
        1 => (0..90u8).prop_map(Step::Revoke),
    ];
    proptest::collection::vec(step, 0..400)
}

fn grant(now: Timestamp, number: u8, left: u16) -> Grant {
    Grant { address: address(number), expires: now + Duration::from_secs(left.into()) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ring_behaves_as_the_model(capacity in 1..=64usize, steps in steps()) {
        let grace = Duration::from_secs(100);
        let mut ring = Ring::<Counting>::hashed(grace, non_zero(capacity), None);
        let (grants, users, by_hand, evicted) = (Vec::new(), HashMap::new(), HashSet::new(), Vec::new());
        let mut model = Model { grace, capacity, grants, most: None, users, by_hand, evicted };
        let mut now = Timestamp::from_boot(Duration::from_secs(1000));
        for step in steps {
            let mut changes = Vec::new();
            match step {
                Step::Login(number, _) => ring.login(now, address(number), &mut changes),
                Step::Purge => ring.purge(now, &mut changes),
                Step::Restore(number, left) => ring.restore(now, grant(now, number, left), &mut changes),
                Step::Give(number, left) => ring.give(now, grant(now, number, left), &mut changes),
                Step::Pass(_) => {}
                Step::SetGrace(seconds) => ring.set_grace(Duration::from_secs(seconds.into())),
                Step::SetCapacity(capacity) => ring.set_capacity(capacity, &mut changes),
                Step::SetMost(most) => ring.set_most_per_user(most),
                Step::Revoke(number) => ring.revoke(address(number), &mut changes),
            }
            let evicted = changes.iter().rev().filter_map(|change| match change {
                Change::Removed(address, Reason::Evicted) => Some(*address),
                _ => None,
            });
            model.evicted = evicted.collect();
            let mut expected = Vec::new();
            match step {
                Step::Login(number, _) => expected = model.login(now, address(number)),
                Step::Purge => expected = model.purge(now),
                Step::Restore(number, left) => expected = model.restore(now, grant(now, number, left)),
                Step::Give(number, left) => expected = model.give(now, grant(now, number, left)),
                Step::Pass(seconds) => now = now + Duration::from_secs(seconds.into()),
                Step::SetGrace(seconds) => model.grace = Duration::from_secs(seconds.into()),
                Step::SetCapacity(capacity) => {
                    model.capacity = capacity.get();
                    expected = model.evict(capacity.get());
                }
                Step::SetMost(most) => model.most = most,
                Step::Revoke(number) => expected = model.revoke(address(number)),
            }
            if let Step::Login(number, owner) = step {
                ring.note_login(address(number), Some(record(&user(owner))));
                model.note_login(address(number), &user(owner));
            }
            prop_assert_eq!(&changes, &expected);
            prop_assert_eq!(ring.iter().collect::<Vec<_>>(), model.grants.clone());
            prop_assert_eq!(ring.len(), model.grants.len());
            prop_assert_eq!(ring.oldest(), model.grants.last().copied());
            let same = (0..90).map(address).all(|address| ring.get(address) == model.get(address));
            prop_assert!(same, "looked up by address");
            let by_hand: HashSet<_> = (0..90).map(address).filter(|address| ring.is_by_hand(*address)).collect();
            prop_assert_eq!(&by_hand, &model.by_hand);
            let mut by_slot: Vec<_> = (0..ring.slots()).filter_map(|slot| ring.at(slot)).collect();
            by_slot.sort_by_key(|grant| grant.address);
            let mut all = model.grants.clone();
            all.sort_by_key(|grant| grant.address);
            prop_assert_eq!(by_slot, all);
        }
    }
}
