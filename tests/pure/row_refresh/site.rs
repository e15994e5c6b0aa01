//! The daemon's loop around ring and publisher with the time passed in, on a table that counts what is written.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use pop_before_smtp::publish::Publisher;
use pop_before_smtp::ring::{Change, Grant, Ring};
use pop_before_smtp::time::{Now, Timestamp, unix_seconds, unix_seconds_up};
use pop_before_smtp_backends::{Backend, BackendError, Client, ErrorKind, Listed, Update};

pub(crate) const GRACE: Duration = Duration::from_secs(100);
pub(crate) const TENTH: Duration = Duration::from_secs(10);
/// How much later than after a tenth a row may be written: a sixteenth of it.
pub(crate) const COARSE: Duration = Duration::from_millis(625);

/// Rows that are changed one by one, by differences alone.
#[derive(Clone, Default)]
pub(crate) struct Rows(pub(crate) Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) rows: BTreeMap<IpAddr, u64>,
    /// Addresses in the order in which their rows were written since the last look.
    pub(crate) written: Vec<IpAddr>,
    pub(crate) publishes: usize,
    pub(crate) failing: bool,
}

impl Backend for Rows {
    fn list(&mut self) -> Result<Vec<Listed>, BackendError> {
        let state = self.0.lock().unwrap();
        let time = |&seconds: &u64| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        Ok(state.rows.iter().map(|(&address, expires)| Listed { address, expires: time(expires) }).collect())
    }

    fn publish(&mut self, update: &Update<'_>) -> Result<(), BackendError> {
        let mut state = self.0.lock().unwrap();
        if state.failing {
            return Err(told_to_fail());
        }
        for address in update.removed {
            assert!(state.rows.remove(address).is_some(), "{address} was not in the table");
        }
        for Client { address, expires } in update.added.iter().chain(update.extended) {
            state.rows.insert(*address, unix_seconds_up(*expires));
            state.written.push(*address);
        }
        assert_eq!(state.rows.len(), update.clients.len());
        state.publishes += 1;
        Ok(())
    }

    fn clear(&mut self) -> Result<(), BackendError> {
        let mut state = self.0.lock().unwrap();
        if !state.failing {
            state.rows.clear();
        }
        if state.failing { Err(told_to_fail()) } else { Ok(()) }
    }
}

fn told_to_fail() -> BackendError {
    let (action, cause) = ("write rows".to_owned(), "told to fail".to_owned());
    BackendError { kind: ErrorKind::Unavailable, action, cause, cure: None }
}

/// The daemon's loop with the time passed in.
pub(crate) struct Site {
    pub(crate) table: Rows,
    pub(crate) ring: Ring,
    pub(crate) publisher: Publisher,
    pub(crate) interval: Duration,
    /// Since the machine started.
    pub(crate) time: Duration,
    /// What the wall clock would have shown when it started, in Unix seconds.
    pub(crate) wall: u64,
    /// When each address came into the ring.
    pub(crate) added: BTreeMap<IpAddr, Duration>,
    /// Since when a row holds less than its grant.
    pub(crate) behind: BTreeMap<IpAddr, Duration>,
    pub(crate) last_written: BTreeMap<IpAddr, Duration>,
    /// Least time between two writes of one row so far.
    pub(crate) least: Duration,
    /// Whether the table may be behind, because a publish has failed and none succeeded since.
    pub(crate) excused: bool,
}

impl Site {
    pub(crate) fn new(interval: Duration) -> Self {
        let table = Rows::default();
        Self {
            ring: Ring::new(GRACE, NonZeroUsize::new(8).unwrap(), None),
            publisher: Publisher::new(Box::new(table.clone()), Some(GRACE), interval),
            table,
            interval,
            time: Duration::from_secs(1_000),
            wall: 1_000_000,
            added: BTreeMap::new(),
            behind: BTreeMap::new(),
            last_written: BTreeMap::new(),
            least: Duration::MAX,
            excused: false,
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            boot: Timestamp::from_boot(self.time),
            wall: SystemTime::UNIX_EPOCH + Duration::from_secs(self.wall) + self.time,
        }
    }

    pub(crate) fn note(&mut self, changes: &[Change]) {
        for change in changes {
            self.publisher.note(self.now().boot, change, &self.ring);
            if let Change::Added(grant) = change {
                self.added.insert(grant.address, self.time);
            }
        }
    }

    pub(crate) fn login(&mut self, number: u8) {
        let mut changes = Vec::new();
        self.ring.login(self.now().boot, address(number), &mut changes);
        self.note(&changes);
        self.turn();
    }

    /// Somebody sets the wall clock, which wakes the loop.
    pub(crate) fn set_clock(&mut self, by: i64) {
        self.wall = self.wall.checked_add_signed(by).unwrap();
        self.turn();
    }

    /// The settings change in a running daemon.
    pub(crate) fn set_grace(&mut self, grace: Duration) {
        self.ring.set_grace(grace);
        self.publisher.set_times(grace, self.interval, &self.ring);
        self.turn();
    }

    /// What the loop does each time it wakes.
    pub(crate) fn turn(&mut self) {
        let mut changes = Vec::new();
        self.ring.purge(self.now().boot, &mut changes);
        self.note(&changes);
        let before = self.publishes();
        self.publisher.publish(&self.now(), &self.ring);
        self.excused =
            if self.publishes() > before { false } else { self.excused || self.table.0.lock().unwrap().failing };
        self.look();
    }

    /// Passes time, waking at each deadline on the way.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.time + time;
        loop {
            let expiry = self.ring.oldest().map(|oldest| oldest.expires);
            let next = [expiry, self.publisher.deadline()].into_iter().flatten().min();
            let Some(next) = next.map(Timestamp::since_boot).filter(|next| *next <= end) else { break };
            assert!(next > self.time, "it wakes for nothing at {:?}", self.time);
            // Nobody wakes in time.
            self.time = next + Duration::from_micros(100);
            self.turn();
        }
        self.time = end.max(self.time);
        self.turn();
    }

    pub(crate) fn look(&mut self) {
        let written = std::mem::take(&mut self.table.0.lock().unwrap().written);
        for address in written {
            if let Some(before) = self.last_written.insert(address, self.time) {
                self.least = self.least.min(self.time - before);
            }
        }
        self.last_written.retain(|address, _| self.ring.get(*address).is_some());
        self.behind.retain(|address, _| self.ring.get(*address).is_some());
        if self.excused {
            self.behind.clear();
            return;
        }
        let now = self.now();
        for Grant { address, expires } in self.ring.iter() {
            let Some(stored) = self.row(address).filter(|stored| *stored > unix_seconds(now.wall)) else {
                let age = self.time - self.added[&address];
                assert!(age <= self.interval, "{address} has no row that matches, {age:?} after it came");
                continue;
            };
            if stored == unix_seconds_up(now.wall_at(expires)) {
                self.behind.remove(&address);
            } else {
                let since = self.time - *self.behind.entry(address).or_insert(self.time);
                // Some milliseconds, because nobody wakes in time.
                let most = TENTH + COARSE + self.interval + Duration::from_millis(5);
                assert!(since <= most, "the row of {address} is behind for {since:?}");
            }
        }
    }

    pub(crate) fn row(&self, address: IpAddr) -> Option<u64> {
        self.table.0.lock().unwrap().rows.get(&address).copied()
    }

    /// What Postfix finds: rows whose expiry lies in the future. Not those whose grant ends in this second.
    pub(crate) fn matching_rows(&self) -> BTreeMap<IpAddr, u64> {
        let now = unix_seconds_up(self.now().wall);
        let state = self.table.0.lock().unwrap();
        state
            .rows
            .iter()
            .filter(|(_, expires)| **expires > now)
            .map(|(&address, &expires)| (address, expires))
            .collect()
    }

    pub(crate) fn publishes(&self) -> usize {
        self.table.0.lock().unwrap().publishes
    }

    pub(crate) fn fail(&self, failing: bool) {
        self.table.0.lock().unwrap().failing = failing;
    }

    /// A crash, and a new daemon on what the table holds.
    pub(crate) fn crash(&mut self) {
        let mut ring = Ring::new(GRACE, NonZeroUsize::new(8).unwrap(), None);
        let (now, listed) = (self.now(), self.table.list().unwrap());
        let mut grants: Vec<_> = listed
            .iter()
            .map(|row| Grant { address: row.address, expires: now.boot_at(row.expires.unwrap()) })
            .collect();
        grants.sort_by_key(|grant| grant.expires);
        grants.into_iter().for_each(|grant| ring.restore(now.boot, grant, &mut Vec::new()));
        self.publisher = Publisher::new(Box::new(self.table.clone()), Some(GRACE), self.interval);
        let begun = self.publisher.begin(&now, &listed, &ring);
        (self.ring, self.excused) = (ring, begun.is_err());
        self.look();
    }

    pub(crate) fn ring(&self) -> BTreeMap<IpAddr, u64> {
        let now = self.now();
        self.ring.iter().map(|grant| (grant.address, unix_seconds_up(now.wall_at(grant.expires)))).collect()
    }
}

pub(crate) fn address(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, number))
}
