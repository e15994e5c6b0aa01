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
        if let Some(at) = self.grants.iter().position(|known| known.address == address) {
            let before = self.grants.remove(at).expires;
            changes.push(Change::Extended(grant, before));
        } else {
            if self.grants.len() == self.capacity {
                changes.extend(self.grants.pop().map(|oldest| Change::Removed(oldest.address, Reason::Evicted)));
            }
            changes.push(Change::Added(grant));
        }
        self.grants.insert(0, grant);
        changes
    }

    fn purge(&mut self, now: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        while let Some(oldest) = self.grants.last().filter(|oldest| oldest.expires <= now).copied() {
            self.grants.pop();
            changes.push(Change::Removed(oldest.address, Reason::Expired));
        }
        changes
    }

    fn restore(&mut self, now: Timestamp, grant: Grant) -> Vec<Change> {
        let mut changes = Vec::new();
        let grant = Grant { expires: grant.expires.min(now + self.grace), ..grant };
        let known = self.grants.iter().position(|known| known.address == grant.address);
        if grant.expires <= now || known.is_some_and(|at| self.grants[at].expires >= grant.expires) {
            return changes;
        }
        let is_full = self.grants.len() == self.capacity;
        if let Some(at) = known {
            let before = self.grants.remove(at).expires;
            changes.push(Change::Extended(grant, before));
        } else if is_full && self.grants.iter().all(|other| other.expires >= grant.expires) {
            return changes;
        } else {
            if is_full {
                changes.extend(self.grants.pop().map(|oldest| Change::Removed(oldest.address, Reason::Evicted)));
            }
            changes.push(Change::Added(grant));
        }
        let at = self.grants.iter().position(|other| other.expires <= grant.expires).unwrap_or(self.grants.len());
        self.grants.insert(at, grant);
        changes
    }
}

#[derive(Debug, Clone)]
enum Step {
    Login(u8),
    Purge,
    Restore(u8, u16),
    Pass(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..90u8).prop_map(Step::Login),
        1 => Just(Step::Purge),
        1 => (0..90u8, 0..200u16).prop_map(|(address, left)| Step::Restore(address, left)),
        3 => (0..40u16).prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 0..400)
}

fn address(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, number))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ring_behaves_as_the_model(capacity in 1..=64usize, steps in steps()) {
        let grace = Duration::from_secs(100);
        let mut ring = Ring::new(grace, NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN));
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
                Step::Pass(seconds) => {
                    now = now + Duration::from_secs(seconds.into());
                    Vec::new()
                }
            };
            prop_assert_eq!(&changes, &expected);
            prop_assert_eq!(ring.iter().collect::<Vec<_>>(), model.grants.clone());
            prop_assert_eq!(ring.len(), model.grants.len());
            prop_assert_eq!(ring.oldest(), model.grants.last().copied());
            let model_grant = |address| model.grants.iter().find(|grant| grant.address == address).copied();
            let same = (0..90).map(address).all(|address| ring.get(address) == model_grant(address));
            prop_assert!(same, "looked up by address");
        }
    }
}
