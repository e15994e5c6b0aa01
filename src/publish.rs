//! Turns ring changes into batches for a backend: gathers, publishes, retries.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::time::Duration;

use pop_before_smtp_backends::{Backend, BackendError, Client, ClientSet, Listed, Update};

use crate::ring::{Change, Grant, Ring};
use crate::time::{Now, Timestamp, unix_seconds_up};

/// First and longest time until a failed publish is tried again.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How long a grant that has ended may stay in a table that cannot be written.
const OVERDUE: Duration = Duration::from_secs(60);

/// How an address differs from the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Difference {
    Added,
    Extended,
    Removed,
}

/// A publish that failed and will be tried again.
#[derive(Debug, Clone, Copy)]
struct Failure {
    since: Timestamp,
    retry_at: Timestamp,
    delay: Duration,
}

/// Keeps a table equal to the ring.
pub struct Publisher {
    backend: Box<dyn Backend>,
    /// Whether the table must hear of extended grants, because its rows stop matching by themselves.
    expires_rows: bool,
    interval: Duration,
    differences: HashMap<IpAddr, Difference>,
    /// How many of the differences are worth a publish by themselves.
    pressing: usize,
    last: Option<Timestamp>,
    failure: Option<Failure>,
}

impl Publisher {
    /// A publisher that knows of no difference between the ring and the table.
    pub fn new(backend: Box<dyn Backend>, expires_rows: bool, interval: Duration) -> Self {
        Self { backend, expires_rows, interval, differences: HashMap::new(), pressing: 0, last: None, failure: None }
    }

    /// Makes the table equal to the ring at start, even if no difference is known: it may hold what `list` does not
    /// tell. This does not count for the interval.
    ///
    /// # Errors
    /// The backend's, logged already; what differs is kept and tried again.
    pub fn begin(&mut self, now: &Now, table: &[Listed], ring: &Ring) -> Result<(), BackendError> {
        self.compare(now, table, ring);
        let result = self.publish_now(now, ring);
        self.last = None;
        result
    }

    /// Notes how the table differs from the ring.
    fn compare(&mut self, now: &Now, table: &[Listed], ring: &Ring) {
        let stored: HashMap<_, _> = table.iter().map(|client| (client.address, client.expires)).collect();
        for grant in ring.iter() {
            match stored.get(&grant.address) {
                None => self.set(grant.address, Some(Difference::Added)),
                Some(expires) if expires.map(unix_seconds_up) != Some(unix_seconds_up(client(now, grant).expires)) => {
                    self.set(grant.address, Some(Difference::Extended));
                }
                Some(_) => {}
            }
        }
        for address in stored.into_keys().filter(|&address| ring.get(address).is_none()) {
            self.set(address, Some(Difference::Removed));
        }
    }

    /// Notes a change of the ring.
    pub fn note(&mut self, change: &Change) {
        let (address, known) = match *change {
            Change::Added(grant) | Change::Extended(grant) => {
                (grant.address, self.differences.get(&grant.address).copied())
            }
            Change::Removed(address, _) => (address, self.differences.get(&address).copied()),
        };
        let difference = match (known, change) {
            // The table holds an address that was removed and came back.
            (Some(Difference::Removed), Change::Added(_)) => Some(Difference::Extended),
            (_, Change::Added(_)) | (Some(Difference::Added), Change::Extended(_)) => Some(Difference::Added),
            (_, Change::Extended(_)) => Some(Difference::Extended),
            (Some(Difference::Added), Change::Removed(..)) => None,
            (_, Change::Removed(..)) => Some(Difference::Removed),
        };
        self.set(address, difference);
    }

    /// Whether the ring has changed in a way that the table must hold.
    pub fn is_behind(&self) -> bool {
        self.pressing > 0
    }

    /// When `publish` has something to do.
    pub fn deadline(&self) -> Option<Timestamp> {
        if !self.is_behind() {
            return None;
        }
        let due = self.last.map_or(Timestamp::default(), |last| last + self.interval);
        Some(self.failure.map_or(due, |failure| failure.retry_at.max(due)))
    }

    /// Publishes what has changed, if that is due. A failure is logged when it begins and when it ends, and the
    /// changes are kept.
    pub fn publish(&mut self, now: &Now, ring: &Ring) {
        if self.deadline().is_some_and(|due| due <= now.boot) && self.publish_now(now, ring).is_err() {
            self.end_overdue_grants(now, ring);
        }
    }

    /// Publishes, due or not.
    ///
    /// # Errors
    /// The backend's, logged already if it is the first one.
    pub fn publish_now(&mut self, now: &Now, ring: &Ring) -> Result<(), BackendError> {
        let result = self.hand_over(now, ring);
        self.last = Some(now.boot);
        match &result {
            Ok(()) => self.succeeded(now),
            Err(error) => self.failed(now, error),
        }
        result
    }

    /// Makes the table empty, also if there is no room for another.
    ///
    /// # Errors
    /// The backend's; the table holds what it held.
    pub fn empty(&mut self) -> Result<(), BackendError> {
        self.backend.clear()
    }

    /// If grants that have ended cannot be taken out of the table for too long, takes out all: better that clients log
    /// in again than that a stranger relays. The others are published again as soon as that works.
    fn end_overdue_grants(&mut self, now: &Now, ring: &Ring) {
        let overdue = self.failure.is_some_and(|failure| now.boot.since(failure.since) >= OVERDUE);
        let removed = || self.differences.values().any(|difference| *difference == Difference::Removed);
        if !overdue || !removed() || self.backend.clear().is_err() {
            return;
        }
        log::warn!("emptied the table, because grants that have ended could not be taken out of it");
        self.differences.clear();
        self.pressing = 0;
        ring.iter().for_each(|grant| self.set(grant.address, Some(Difference::Added)));
    }

    fn hand_over(&mut self, now: &Now, ring: &Ring) -> Result<(), BackendError> {
        let (mut added, mut extended, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        for (&address, difference) in &self.differences {
            match (difference, ring.get(address)) {
                (Difference::Removed, _) | (_, None) => removed.push(address),
                (Difference::Added, Some(grant)) => added.push(client(now, grant)),
                (Difference::Extended, Some(grant)) => extended.push(client(now, grant)),
            }
        }
        let clients = Clients { ring, now };
        self.backend.publish(&Update { added: &added, extended: &extended, removed: &removed, clients: &clients })
    }

    fn succeeded(&mut self, now: &Now) {
        self.differences.clear();
        // A burst must not hold its memory for good.
        self.differences.shrink_to(1024);
        self.pressing = 0;
        if let Some(failure) = self.failure.take() {
            log::info!("table is published again after {} s", now.boot.since(failure.since).as_secs());
        }
    }

    fn failed(&mut self, now: &Now, error: &BackendError) {
        let delay = self.failure.map_or(BACK_OFF.0, |failure| (failure.delay * 2).min(BACK_OFF.1));
        if self.failure.is_none() {
            log::error!(
                "{error}; the table stays as it was, trying again with growing pauses of up to {:?}",
                BACK_OFF.1
            );
        }
        let since = self.failure.map_or(now.boot, |failure| failure.since);
        self.failure = Some(Failure { since, retry_at: now.boot + delay, delay });
    }

    fn set(&mut self, address: IpAddr, difference: Option<Difference>) {
        let pressing = |difference| self.expires_rows || difference != Difference::Extended;
        let before = match (self.differences.entry(address), difference) {
            (Entry::Occupied(mut entry), Some(difference)) => Some(entry.insert(difference)),
            (Entry::Occupied(entry), None) => Some(entry.remove()),
            (Entry::Vacant(entry), Some(difference)) => {
                entry.insert(difference);
                None
            }
            (Entry::Vacant(_), None) => None,
        };
        self.pressing += usize::from(difference.is_some_and(pressing));
        self.pressing -= usize::from(before.is_some_and(pressing));
    }
}

/// What a table holds for a grant.
fn client(now: &Now, grant: Grant) -> Client {
    Client { address: grant.address, expires: now.wall_at(grant.expires) }
}

/// The ring, as a backend walks it.
struct Clients<'a> {
    ring: &'a Ring,
    now: &'a Now,
}

impl ClientSet for Clients<'_> {
    fn len(&self) -> usize {
        self.ring.len()
    }

    fn for_each(&self, visit: &mut dyn FnMut(&Client)) {
        self.ring.iter().for_each(|grant| visit(&client(self.now, grant)));
    }
}
