//! Rows that end by themselves: written seldom, but always in time. Seconds are passed in; the table is a model that
//! counts what is written.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use pop_before_smtp::publish::Publisher;
use pop_before_smtp::ring::{Change, Grant, Ring};
use pop_before_smtp::time::{Now, Timestamp, unix_seconds, unix_seconds_up};
use pop_before_smtp_backends::{Backend, BackendError, Client, ErrorKind, Listed, Update};
use proptest::prelude::{ProptestConfig, Strategy, prop_oneof};

const GRACE: Duration = Duration::from_secs(100);
const TENTH: Duration = Duration::from_secs(10);
/// How much later than after a tenth a row may be written: a sixteenth of it.
const COARSE: Duration = Duration::from_millis(625);

/// Rows that are changed one by one, by differences alone.
#[derive(Clone, Default)]
struct Rows(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    rows: BTreeMap<IpAddr, u64>,
    /// Addresses in the order in which their rows were written since the last look.
    written: Vec<IpAddr>,
    publishes: usize,
    failing: bool,
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
struct Site {
    table: Rows,
    ring: Ring,
    publisher: Publisher,
    interval: Duration,
    time: Duration,
    /// When each address came into the ring.
    added: BTreeMap<IpAddr, Duration>,
    /// Since when a row holds less than its grant.
    behind: BTreeMap<IpAddr, Duration>,
    last_written: BTreeMap<IpAddr, Duration>,
    /// Least time between two writes of one row so far.
    least: Duration,
    /// Whether the table may be behind, because a publish has failed and none succeeded since.
    excused: bool,
}

impl Site {
    fn new(interval: Duration) -> Self {
        let table = Rows::default();
        Self {
            ring: Ring::new(GRACE, NonZeroUsize::new(8).unwrap()),
            publisher: Publisher::new(Box::new(table.clone()), Some(GRACE), interval),
            table,
            interval,
            time: Duration::from_secs(1_000),
            added: BTreeMap::new(),
            behind: BTreeMap::new(),
            last_written: BTreeMap::new(),
            least: Duration::MAX,
            excused: false,
        }
    }

    fn now(&self) -> Now {
        Now { boot: Timestamp::from_boot(self.time), wall: SystemTime::UNIX_EPOCH + self.time }
    }

    fn note(&mut self, changes: &[Change]) {
        for change in changes {
            self.publisher.note(self.now().boot, change, &self.ring);
            if let Change::Added(grant) = change {
                self.added.insert(grant.address, self.time);
            }
        }
    }

    fn login(&mut self, number: u8) {
        let mut changes = Vec::new();
        self.ring.login(self.now().boot, address(number), &mut changes);
        self.note(&changes);
        self.turn();
    }

    /// What the loop does each time it wakes.
    fn turn(&mut self) {
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
    fn pass(&mut self, time: Duration) {
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

    fn look(&mut self) {
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

    fn row(&self, address: IpAddr) -> Option<u64> {
        self.table.0.lock().unwrap().rows.get(&address).copied()
    }

    fn publishes(&self) -> usize {
        self.table.0.lock().unwrap().publishes
    }

    fn fail(&self, failing: bool) {
        self.table.0.lock().unwrap().failing = failing;
    }

    /// A crash, and a new daemon on what the table holds.
    fn crash(&mut self) {
        let mut ring = Ring::new(GRACE, NonZeroUsize::new(8).unwrap());
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

    fn ring(&self) -> BTreeMap<IpAddr, u64> {
        let now = self.now();
        self.ring.iter().map(|grant| (grant.address, unix_seconds_up(now.wall_at(grant.expires)))).collect()
    }
}

fn address(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, number))
}

#[test]
fn a_client_that_polls_all_the_time_costs_a_write_each_tenth() {
    let mut site = Site::new(Duration::ZERO);
    for _ in 0..2_000 {
        site.login(1);
        site.pass(Duration::from_millis(500));
    }
    // 1,000 s.
    assert!((90..=100).contains(&site.publishes()), "{}", site.publishes());
    assert!(site.least >= TENTH);
}

#[test]
fn the_last_login_of_a_burst_counts() {
    let mut site = Site::new(Duration::ZERO);
    site.login(1);
    let stored = site.row(address(1)).unwrap();
    site.pass(Duration::from_secs(3));
    site.login(1);
    assert_eq!(site.row(address(1)), Some(stored));
    site.pass(TENTH + COARSE);
    assert_eq!(site.row(address(1)), Some(stored + 3));
    assert_eq!(site.publishes(), 2);
    // Nothing is left to do before the grant ends.
    assert_eq!(site.publisher.deadline(), None);
    site.pass(GRACE);
    assert_eq!((site.row(address(1)), site.publishes()), (None, 3));
}

#[test]
fn many_rows_that_wait_cost_few_publishes() {
    let mut site = Site::new(Duration::ZERO);
    (0..2).for_each(|_| (1..=8).for_each(|number| site.login(number)));
    site.pass(Duration::from_secs(1));
    (1..=8).for_each(|number| site.login(number));
    assert_eq!(site.publishes(), 8);
    site.pass(GRACE / 2);
    assert_eq!(site.publishes(), 9);
    assert_eq!(site.table.0.lock().unwrap().rows, site.ring());
}

#[test]
fn a_row_that_is_about_to_end_does_not_wait_for_the_interval() {
    // A new daemon finds a row that has 2 s left and has just published something else.
    let mut site = Site::new(Duration::from_secs(20));
    site.login(1);
    site.pass(GRACE - Duration::from_secs(2));
    site.crash();
    site.login(2);
    site.login(1);
    assert_eq!(site.table.0.lock().unwrap().rows, site.ring());
}

#[test]
fn a_row_that_waits_is_written_at_the_end() {
    let mut site = Site::new(Duration::ZERO);
    site.login(1);
    site.pass(Duration::from_secs(3));
    site.login(1);
    assert_ne!(site.table.0.lock().unwrap().rows, site.ring());
    site.publisher.finish(&site.now(), &site.ring).unwrap();
    assert_eq!(site.table.0.lock().unwrap().rows, site.ring());
}

#[derive(Debug, Clone)]
enum Step {
    Login(u8),
    Pass(Duration),
    Fail(bool),
    Crash,
}

fn steps(with_faults: bool) -> impl Strategy<Value = Vec<Step>> {
    let login = || (0..12u8).prop_map(Step::Login).boxed();
    let pass = || {
        let seconds = prop_oneof![3 => 0.0..3.0, 2 => 0.0..20.0, 1 => 0.0..120.0];
        seconds.prop_map(|seconds: f64| Step::Pass(Duration::from_secs_f64(seconds))).boxed()
    };
    let fault = prop_oneof![proptest::bool::ANY.prop_map(Step::Fail), proptest::strategy::Just(Step::Crash)].boxed();
    let step = if with_faults {
        prop_oneof![6 => login(), 4 => pass(), 1 => fault].boxed()
    } else {
        prop_oneof![6 => login(), 4 => pass()].boxed()
    };
    proptest::collection::vec(step, 0..200)
}

proptest::proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

    /// `look` checks after each step that no row has ended before its grant.
    #[test]
    fn a_row_is_written_at_most_once_per_tenth_and_never_too_late(steps in steps(false), interval in 0..2u64) {
        let mut site = Site::new(Duration::from_secs(7 * interval));
        for step in steps {
            match step {
                Step::Login(number) => site.login(number),
                Step::Pass(time) => site.pass(time),
                Step::Fail(_) | Step::Crash => unreachable!(),
            }
        }
        proptest::prop_assert!(site.least >= TENTH, "{:?}", site.least);
        site.publisher.finish(&site.now(), &site.ring).unwrap();
        proptest::prop_assert_eq!(&site.table.0.lock().unwrap().rows, &site.ring());
    }

    #[test]
    fn failures_and_crashes_lose_nothing(steps in steps(true), interval in 0..4u64) {
        let mut site = Site::new(Duration::from_secs(10 * interval));
        for step in steps {
            match step {
                Step::Login(number) => site.login(number),
                Step::Pass(time) => site.pass(time),
                Step::Fail(failing) => site.fail(failing),
                Step::Crash => site.crash(),
            }
        }
        site.fail(false);
        // The longest pause between two attempts.
        site.pass(Duration::from_secs(60));
        proptest::prop_assert!(!site.excused || site.ring.is_empty());
        site.publisher.finish(&site.now(), &site.ring).unwrap();
        proptest::prop_assert_eq!(&site.table.0.lock().unwrap().rows, &site.ring());
    }
}
