//! Turns ring changes into batches for a backend: gathers, publishes, retries.

mod history;
pub(crate) mod row_refresh;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use pop_before_smtp_backends::{Backend, BackendError, Client, ClientSet, Listed, Update};

pub use self::history::History;
use crate::publish::row_refresh::{RowRefresh, Wish};
use crate::ring::{Change, Grant, Ring};
use crate::time::{Now, Timestamp, distance, unix_seconds_up};

/// First and longest time until a failed publish is tried again.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How long a grant that has ended may stay in a table that cannot be written.
const OVERDUE: Duration = Duration::from_secs(60);

/// By how much the wall clock may be set before what the table says of all expiries is wrong.
const STEP: Duration = Duration::from_secs(1);

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
    /// Only for a table whose rows stop matching by themselves: when it must hear of extended grants.
    row_refresh: Option<RowRefresh>,
    interval: Duration,
    differences: HashMap<IpAddr, Difference>,
    /// How many of the differences are worth a publish by themselves.
    pressing: usize,
    /// Whether one of them cannot wait for the interval.
    urgent: bool,
    /// Whether the table may not hold what it should although no difference tells: a publish has failed, or somebody else
    /// has removed or changed it.
    spoilt: bool,
    /// Whether a publish has succeeded since the start.
    published: bool,
    /// When the last publish began that nobody has told the end of.
    begun: Option<Timestamp>,
    last: Option<Timestamp>,
    failure: Option<Failure>,
    history: History,
    /// `Now::wall_at_boot` by which the table's expiries were told.
    wall: Option<SystemTime>,
}

impl Publisher {
    /// A publisher that knows of no difference between the ring and the table. `expiring` is the grace, if the table's
    /// rows stop matching by themselves; then the interval is cut to a quarter of it, so that a row never ends early.
    pub fn new(backend: Box<dyn Backend>, expiring: Option<Duration>, interval: Duration) -> Self {
        let (row_refresh, interval) = times(expiring, interval);
        Self {
            backend,
            row_refresh,
            interval,
            differences: HashMap::new(),
            pressing: 0,
            urgent: false,
            spoilt: false,
            published: false,
            begun: None,
            last: None,
            failure: None,
            history: History::default(),
            wall: None,
        }
    }

    /// From now on grants are for `grace`, and two publishes are at least `interval` apart, as in [`Publisher::new`]. Rows
    /// that wait do so no longer.
    pub fn set_times(&mut self, grace: Duration, interval: Duration, ring: &Ring) {
        self.take_due(None, ring);
        // The new interval may be longer than the time that a row has left.
        self.urgent |= self.row_refresh.is_some() && self.is_behind();
        (self.row_refresh, self.interval) = times(self.row_refresh.is_some().then_some(grace), interval);
    }

    /// Makes the table equal to the ring at start, even if no difference is known: it may hold what `list` does not
    /// tell. This does not count for the interval.
    ///
    /// # Errors
    /// The backend's, logged already; what differs is kept and tried again.
    pub fn begin(&mut self, now: &Now, table: &[Listed], ring: &Ring) -> Result<(), BackendError> {
        self.compare(now, table, ring);
        self.wall = Some(now.wall_at_boot());
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

    /// Notes a change that `ring` has just made.
    pub fn note(&mut self, now: Timestamp, change: &Change, ring: &Ring) {
        let (Change::Added(Grant { address, .. })
        | Change::Extended(Grant { address, .. }, _)
        | Change::Removed(address, _)) = *change;
        let known = self.differences.get(&address).copied();
        let difference = match (known, change) {
            // The table holds an address that was removed and came back.
            (Some(Difference::Removed), Change::Added(_)) => Some(Difference::Extended),
            (_, Change::Added(_)) => Some(Difference::Added),
            (Some(_), Change::Extended(..)) => return,
            (None, &Change::Extended(_, before)) => {
                if !self.is_wanted(now, address, before, ring) {
                    return;
                }
                Some(Difference::Extended)
            }
            (Some(Difference::Added), Change::Removed(..)) => None,
            (_, Change::Removed(..)) => Some(Difference::Removed),
        };
        self.set(address, difference);
    }

    /// Whether an extended grant goes into the next publish; a row that ends by itself may have to wait.
    fn is_wanted(&mut self, now: Timestamp, address: IpAddr, stored: Timestamp, ring: &Ring) -> bool {
        let Some((row_refresh, slot)) = self.row_refresh.as_mut().zip(ring.position(address)) else { return true };
        let wish = row_refresh.extended(now, slot, address, stored);
        self.urgent |= wish == Wish::PublishAtOnce;
        wish != Wish::Later
    }

    /// Lets rows that have waited long enough into the next publish; all that wait, without a time.
    fn take_due(&mut self, now: Option<Timestamp>, ring: &Ring) {
        while let Some(address) = self.row_refresh.as_mut().and_then(|row_refresh| row_refresh.take_due(now, ring)) {
            if !self.differences.contains_key(&address) {
                self.set(address, Some(Difference::Extended));
            }
        }
    }

    /// If somebody has set the wall clock, the table's expiries are all wrong: rows that end by themselves would end too
    /// early or too late, and the next start would read wrong times from the others.
    fn follow_wall_clock(&mut self, now: &Now, ring: &Ring) {
        let wall = now.wall_at_boot();
        let told = *self.wall.get_or_insert(wall);
        if distance(told, wall) <= STEP {
            return;
        }
        self.wall = Some(wall);
        if self.row_refresh.is_some() {
            log::info!(
                "the system time was set by {} s: writing all rows anew",
                (distance(told, wall) + STEP / 2).as_secs()
            );
            self.urgent = true;
        }
        for grant in ring.iter() {
            if !self.differences.contains_key(&grant.address) {
                self.set(grant.address, Some(Difference::Extended));
            }
        }
    }

    /// Whether the table is not as the last publish should have left it.
    pub fn is_failing(&self) -> bool {
        self.failure.is_some() || self.spoilt
    }

    /// How publishing has gone so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Lets the next publish come at once, without regard to the interval: a person waits for it.
    pub fn publish_soon(&mut self) {
        self.urgent |= self.is_behind();
    }

    /// Whether the ring has changed in a way that the table must hold by now.
    pub fn is_behind(&self) -> bool {
        self.pressing > 0 || self.spoilt
    }

    /// When `publish` has something to do.
    pub fn deadline(&self) -> Option<Timestamp> {
        let waiting = self.row_refresh.as_ref().and_then(RowRefresh::deadline);
        [self.due(), waiting].into_iter().flatten().min()
    }

    /// When the differences are to be published.
    fn due(&self) -> Option<Timestamp> {
        if !self.is_behind() {
            return None;
        }
        let last = self.last.filter(|_| !self.urgent);
        let due = last.map_or(Timestamp::default(), |last| last + self.interval);
        Some(self.failure.map_or(due, |failure| failure.retry_at.max(due)))
    }

    /// Publishes what has changed, if that is due. A failure is logged when it begins and when it ends, and the
    /// changes are kept.
    pub fn publish(&mut self, now: &Now, ring: &Ring) {
        self.follow_wall_clock(now, ring);
        self.take_due(Some(now.boot), ring);
        if self.due().is_some_and(|due| due <= now.boot) && self.publish_now(now, ring).is_err() {
            self.end_overdue_grants(now, ring);
        }
    }

    /// Looks whether the table is still there, and if not, has it made anew: on a quiet site the next login may be far.
    pub fn look(&mut self) {
        self.spoilt |= !self.backend.is_intact();
    }

    /// Takes note of when the last publish was over: a postmap that hangs, or another program's lock, takes its time, and
    /// pause and interval count from the end.
    pub fn ended(&mut self, at: Timestamp) {
        let Some(took) = self.begun.take().map(|begun| at.since(begun)) else { return };
        self.last = self.last.map(|last| last + took);
        if let Some(failure) = &mut self.failure {
            failure.retry_at = failure.retry_at + took;
        }
    }

    /// Whether the table has been brought to the ring since the start.
    pub fn has_published(&self) -> bool {
        self.published
    }

    /// Publishes whatever the table does not hold yet, due or not.
    ///
    /// # Errors
    /// The backend's, logged already if it is the first one.
    pub fn finish(&mut self, now: &Now, ring: &Ring) -> Result<(), BackendError> {
        self.follow_wall_clock(now, ring);
        self.take_due(None, ring);
        if self.is_behind() { self.publish_now(now, ring) } else { Ok(()) }
    }

    fn publish_now(&mut self, now: &Now, ring: &Ring) -> Result<(), BackendError> {
        let result = self.hand_over(now, ring);
        self.begun = Some(now.boot);
        self.last = Some(now.boot);
        match &result {
            Ok(()) => self.succeeded(now, ring),
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

    fn succeeded(&mut self, now: &Now, ring: &Ring) {
        if let Some(row_refresh) = &mut self.row_refresh {
            self.differences
                .keys()
                .filter_map(|&address| ring.position(address))
                .for_each(|slot| row_refresh.written(now.boot, slot));
        }
        self.differences.clear();
        // A burst must not hold its memory for good.
        self.differences.shrink_to(1024);
        self.pressing = 0;
        self.urgent = false;
        self.spoilt = false;
        self.published = true;
        self.history.succeeded(now);
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
        self.spoilt = true;
        self.history.failed(now, error);
        let since = self.failure.map_or(now.boot, |failure| failure.since);
        self.failure = Some(Failure { since, retry_at: now.boot + delay, delay });
    }

    fn set(&mut self, address: IpAddr, difference: Option<Difference>) {
        let pressing = |difference| self.row_refresh.is_some() || difference != Difference::Extended;
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

/// When rows are written again, if they end by themselves, and the interval that counts.
fn times(expiring: Option<Duration>, interval: Duration) -> (Option<RowRefresh>, Duration) {
    let interval = expiring.map_or(interval, |grace| interval.min(grace / 4));
    (expiring.map(|grace| RowRefresh::new(grace, interval)), interval)
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
