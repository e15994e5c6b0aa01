//! Publishing against a table in memory that can be told to fail.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use pop_before_smtp::grants::{Grants, Line, Policy, Start};
use pop_before_smtp::line::syslog::Header;
use pop_before_smtp::matcher::{Action, BUILTIN, Event};
use pop_before_smtp::publish::Publisher;
use pop_before_smtp::ring::Ring;
use pop_before_smtp::ring::networks::Networks;
use pop_before_smtp::time::{Now, Timestamp, unix_seconds_up};
use pop_before_smtp_backends::memory::Memory;
use pop_before_smtp_backends::{Backend, BackendError, ErrorKind, Listed, Update};

const GRACE: Duration = Duration::from_secs(100);

/// A ring and its publisher, moved by hand.
struct Bench {
    table: Memory,
    ring: Ring,
    publisher: Publisher,
    seconds: u64,
}

impl Bench {
    fn new(expires_rows: bool, interval: Duration) -> Self {
        let table = Memory::new();
        let publisher = Publisher::new(Box::new(table.clone()), expires_rows.then_some(GRACE), interval);
        Self { table, ring: Ring::new(GRACE, NonZeroUsize::new(8).unwrap(), None), publisher, seconds: 1_000 }
    }

    fn now(&self) -> Now {
        let since_boot = Duration::from_secs(self.seconds);
        Now {
            boot: Timestamp::from_boot(since_boot),
            wall: SystemTime::UNIX_EPOCH + since_boot + Duration::from_secs(1_000_000),
        }
    }

    fn login(&mut self, number: u8) {
        let mut changes = Vec::new();
        self.ring.login(self.now().boot, address(number), &mut changes);
        changes.iter().for_each(|change| self.publisher.note(self.now().boot, change, &self.ring));
    }

    fn pass(&mut self, seconds: u64) {
        self.seconds += seconds;
        let mut changes = Vec::new();
        self.ring.purge(self.now().boot, &mut changes);
        changes.iter().for_each(|change| self.publisher.note(self.now().boot, change, &self.ring));
    }

    fn publish(&mut self) {
        self.publisher.publish(&self.now(), &self.ring);
    }

    fn ring(&self) -> BTreeMap<IpAddr, u64> {
        let now = self.now();
        self.ring.iter().map(|grant| (grant.address, unix_seconds_up(now.wall_at(grant.expires)))).collect()
    }

    fn addresses(&self) -> Vec<IpAddr> {
        self.table.table().into_keys().collect()
    }
}

fn address(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, number))
}

#[test]
fn a_table_that_somebody_has_changed_is_made_anew_without_a_login() {
    let mut bench = Bench::new(false, Duration::ZERO);
    bench.login(1);
    bench.publish();
    bench.publisher.look();
    bench.publish();
    assert_eq!((bench.table.publishes(), bench.publisher.deadline()), (1, None), "nothing was wrong");

    bench.table.spoil();
    bench.table.fail(Some(ErrorKind::CannotCreate));
    bench.publisher.look();
    bench.publish();
    assert!(bench.addresses().is_empty());
    bench.table.fail(None);
    bench.pass(1);
    assert!(bench.publisher.deadline().is_some_and(|due| due <= bench.now().boot), "it is tried again");
    bench.publish();
    assert_eq!((bench.table.table(), bench.publisher.deadline()), (bench.ring(), None));
}

#[test]
fn pause_and_interval_count_from_the_end_of_a_publish() {
    let mut bench = Bench::new(false, Duration::from_secs(5));
    bench.login(1);
    bench.publish();
    bench.publisher.ended(bench.now().boot + Duration::from_secs(3));
    bench.login(2);
    assert_eq!(bench.publisher.deadline(), Some(bench.now().boot + Duration::from_secs(8)));
    bench.pass(8);
    bench.table.fail(Some(ErrorKind::Unavailable));
    bench.publish();
    bench.publisher.ended(bench.now().boot + Duration::from_secs(10));
    // The interval is the longer one.
    assert_eq!(bench.publisher.deadline(), Some(bench.now().boot + Duration::from_secs(15)));
    bench.publisher.ended(bench.now().boot + Duration::from_secs(99));
    assert_eq!(bench.publisher.deadline(), Some(bench.now().boot + Duration::from_secs(15)), "told once");
}

#[test]
fn the_state_file_goes_when_the_table_holds_its_grants() {
    let directory = tempfile::tempdir().unwrap();
    let (map, state) = (directory.path().join("map"), directory.path().join("map.state"));
    std::fs::write(&state, "").unwrap();
    let (mut now, table) = (Bench::new(false, Duration::ZERO).now(), Memory::new());
    table.fail(Some(ErrorKind::CannotCreate));
    let start = Start { backend: Box::new(table.clone()), map: Some(map), ..Start::default() };
    let mut grants = Grants::new(&now, &policy(), start);
    grants.publish(&now);
    assert!(state.exists());
    table.fail(None);
    now.boot = now.boot + Duration::from_secs(2);
    now.wall += Duration::from_secs(2);
    grants.publish(&now);
    assert!(!state.exists());
}

fn policy() -> Policy {
    Policy {
        grace: GRACE,
        entries: NonZeroUsize::new(8).unwrap(),
        hold: None,
        networks: Networks::default(),
        publish_interval: Duration::ZERO,
        most_users: None,
        most_addresses: None,
        relays: None,
    }
}

/// The file may be long, and is forced to the disk.
#[test]
fn no_login_waits_until_its_revocation_is_forgotten_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let (map, file) = (directory.path().join("map"), directory.path().join("map.overrides"));
    let mut now = Bench::new(false, Duration::ZERO).now();
    let mut grants = Grants::new(&now, &policy(), Start { map: Some(map), ..Start::default() });
    let says = || std::fs::read_to_string(&file).unwrap().contains("192.0.2.1");
    let pass = |now: Now, seconds: u64| {
        let time = Duration::from_secs(seconds);
        Now { boot: now.boot + time, wall: now.wall + time }
    };
    let log_in = |grants: &mut Grants, now: &Now| {
        let event = Event {
            action: Action::Login,
            client: "192.0.2.1".parse().unwrap(),
            user: None,
            session: None,
            matcher: (&BUILTIN[0]).into(),
            header: Header::default(),
        };
        grants.event(now, None, &event, Line { source: "log", offset: None });
    };
    grants.revoke(&now, "192.0.2.1".parse().unwrap());
    assert!(says());
    now = pass(now, 5);
    log_in(&mut grants, &now);
    grants.publish(&now);
    assert!(says(), "not while a login waits");
    now = pass(now, 60);
    assert!(grants.deadline().is_some_and(|due| due <= now.boot));
    grants.publish(&now);
    assert!(!says());
    grants.revoke(&now, "192.0.2.1".parse().unwrap());
    log_in(&mut grants, &pass(now, 1));
    assert!(says());
    grants.finish(&now).unwrap();
    assert!(!says(), "not later than the end");
}

/// Keeps only what it is told as differences, as a table that is changed in place does.
#[derive(Clone, Default)]
struct Differences(Rc<RefCell<BTreeMap<IpAddr, u64>>>);

impl Backend for Differences {
    fn list(&mut self) -> Result<Vec<Listed>, BackendError> {
        Ok(Vec::new())
    }

    fn publish(&mut self, update: &Update<'_>) -> Result<(), BackendError> {
        let mut table = self.0.borrow_mut();
        table.retain(|address, _| !update.removed.contains(address));
        let written = update.added.iter().chain(update.extended);
        table.extend(written.map(|client| (client.address, unix_seconds_up(client.expires))));
        Ok(())
    }

    fn clear(&mut self) -> Result<(), BackendError> {
        self.0.borrow_mut().clear();
        Ok(())
    }
}

#[test]
fn the_next_change_after_the_clock_was_set_carries_all_times() {
    for step in [3600, -3600] {
        let mut bench = Bench::new(false, Duration::ZERO);
        let table = Differences::default();
        bench.publisher = Publisher::new(Box::new(table.clone()), None, Duration::ZERO);
        bench.publisher.begin(&bench.now(), &[], &bench.ring).unwrap();
        bench.login(1);
        bench.publish();
        let told = table.0.borrow()[&address(1)];
        let set = |now: Now| Now {
            wall: SystemTime::UNIX_EPOCH
                + Duration::from_secs(unix_seconds_up(now.wall).checked_add_signed(step).unwrap()),
            ..now
        };
        bench.publisher.publish(&set(bench.now()), &bench.ring);
        assert_eq!(table.0.borrow()[&address(1)], told, "no publish for that alone");
        bench.login(2);
        bench.publisher.publish(&set(bench.now()), &bench.ring);
        assert_eq!(table.0.borrow()[&address(1)], told.checked_add_signed(step).unwrap());
    }
}

#[test]
fn one_publish_takes_everything_that_has_changed() {
    let mut bench = Bench::new(false, Duration::ZERO);
    (1..=5).for_each(|number| bench.login(number));
    bench.publish();
    bench.publish();
    assert_eq!(bench.table.publishes(), 1);
    assert_eq!(bench.table.table(), bench.ring());
}

#[test]
fn a_login_of_a_known_address_is_published_only_where_rows_expire() {
    for expires_rows in [false, true] {
        let mut bench = Bench::new(expires_rows, Duration::ZERO);
        bench.login(1);
        bench.publish();
        // More than a tenth of the grace.
        bench.pass(11);
        bench.login(1);
        assert_eq!(bench.publisher.deadline().is_some(), expires_rows);
        bench.publish();
        assert_eq!(bench.table.table() == bench.ring(), expires_rows);
        bench.login(2);
        bench.publish();
        assert_eq!(bench.table.table(), bench.ring(), "every rewrite carries the current expiries");
    }
}

#[test]
fn the_first_change_goes_at_once_and_later_ones_wait_for_the_interval() {
    let mut bench = Bench::new(false, Duration::from_secs(5));
    bench.login(1);
    bench.publish();
    assert_eq!(bench.addresses(), [address(1)]);
    bench.pass(1);
    bench.login(2);
    bench.publish();
    assert_eq!(bench.addresses(), [address(1)]);
    assert_eq!(bench.publisher.deadline(), Some(Timestamp::from_boot(Duration::from_secs(1_005))));
    bench.pass(4);
    bench.publish();
    assert_eq!(bench.addresses(), [address(1), address(2)]);
}

#[test]
fn what_comes_and_goes_between_two_publishes_is_no_change() {
    let mut bench = Bench::new(false, Duration::ZERO);
    bench.login(1);
    bench.pass(100);
    assert_eq!(bench.publisher.deadline(), None);
    bench.publish();
    assert_eq!(bench.table.attempts(), 0);
}

#[test]
fn failures_keep_the_changes_and_are_tried_again_with_growing_pauses() {
    let mut bench = Bench::new(false, Duration::ZERO);
    bench.table.fail(Some(ErrorKind::CannotCreate));
    bench.login(1);
    let mut attempts = Vec::new();
    for _ in 0..200 {
        let before = bench.table.attempts();
        bench.publish();
        if bench.table.attempts() > before {
            attempts.push(bench.seconds - 1_000);
        }
        bench.login(1);
        bench.pass(1);
    }
    assert_eq!(attempts, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
    bench.table.fail(None);
    bench.login(2);
    bench.pass(60);
    bench.publish();
    assert_eq!(bench.addresses(), [address(1), address(2)]);
}

#[test]
fn a_table_that_differs_at_start_is_brought_to_the_ring() {
    let mut bench = Bench::new(false, Duration::ZERO);
    (1..=3).for_each(|number| bench.login(number));
    bench.publish();
    let listed = bench.table.clone().list().unwrap();

    let mut next = Bench::new(false, Duration::ZERO);
    next.table = bench.table.clone();
    next.publisher = Publisher::new(Box::new(bench.table.clone()), None, Duration::ZERO);
    (3..=4).for_each(|number| next.login(number));
    next.publisher.begin(&next.now(), &listed, &next.ring).unwrap();
    assert_eq!(next.table.table(), next.ring());
    assert_eq!(next.publisher.deadline(), None);
}

#[test]
fn a_table_that_cannot_be_written_at_start_is_written_later() {
    let mut bench = Bench::new(false, Duration::from_secs(5));
    bench.login(1);
    bench.table.fail(Some(ErrorKind::Unavailable));
    assert!(bench.publisher.begin(&bench.now(), &[], &bench.ring).is_err());
    bench.table.fail(None);
    bench.pass(1);
    bench.publish();
    assert_eq!(bench.addresses(), [address(1)]);
}

#[test]
fn a_grant_that_has_ended_leaves_a_table_that_cannot_be_written() {
    let mut bench = Bench::new(false, Duration::ZERO);
    bench.login(1);
    bench.publish();
    bench.pass(50);
    bench.login(2);
    bench.table.fail(Some(ErrorKind::CannotCreate));
    bench.publish();
    for _ in 0..49 {
        bench.pass(1);
        bench.publish();
    }
    assert_eq!(bench.addresses(), [address(1)]);
    for _ in 0..20 {
        bench.pass(1);
        bench.publish();
    }
    assert!(bench.addresses().is_empty());
    bench.table.fail(None);
    bench.login(2);
    bench.pass(60);
    bench.publish();
    assert_eq!(bench.addresses(), [address(2)]);
}

#[test]
fn a_stop_empties_the_table() {
    let mut bench = Bench::new(false, Duration::from_secs(60));
    (1..=3).for_each(|number| bench.login(number));
    bench.publish();
    bench.login(4);
    bench.publisher.empty().unwrap();
    assert!(bench.addresses().is_empty());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    /// Whatever happens in between, a publish that succeeds leaves the table equal to the ring.
    #[test]
    fn a_success_makes_table_and_ring_equal(steps in proptest::collection::vec((0..12u8, 0..60u64, 0..4u8), 0..100)) {
        let mut bench = Bench::new(true, Duration::ZERO);
        for (number, seconds, action) in steps {
            match action {
                0 => bench.pass(seconds),
                1 => bench.table.fail((seconds % 2 == 0).then_some(ErrorKind::Unavailable)),
                _ => bench.login(number),
            }
            let before = bench.table.publishes();
            bench.publish();
            if bench.table.publishes() > before {
                proptest::prop_assert_eq!(bench.table.table(), bench.ring());
            }
        }
        bench.table.fail(None);
        bench.pass(60);
        bench.publish();
        proptest::prop_assert_eq!(bench.table.table(), bench.ring());
    }
}
