//! Rows that end by themselves: written seldom, but always in time, whatever the clocks do. Seconds are passed in; the
//! table is a model that counts what is written.

mod site;

use std::collections::BTreeMap;
use std::time::Duration;

use pop_before_smtp::time::unix_seconds_up;
use proptest::prelude::{ProptestConfig, Strategy, prop_oneof};
use site::{COARSE, GRACE, Site, TENTH, address};

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

#[test]
fn a_clock_that_is_set_writes_all_rows_anew() {
    for by in [3600, -3600, 2, -2] {
        let mut site = Site::new(Duration::from_secs(20));
        site.login(1);
        site.pass(Duration::from_secs(30));
        (2..=3).for_each(|number| site.login(number));
        let before = site.publishes();
        site.set_clock(by);
        assert_eq!(site.table.0.lock().unwrap().rows, site.ring(), "{by}");
        assert_eq!(site.publishes(), before + 1, "{by}: at once, all in one");
        site.turn();
        site.pass(Duration::from_secs(30));
        assert_eq!(site.publishes(), before + 1, "{by}: and once");
        // The grants end when they would have ended.
        site.pass(Duration::from_secs(40) - Duration::from_millis(1));
        assert!(site.ring.get(address(1)).is_some());
        site.pass(Duration::from_millis(2));
        assert_eq!(site.ring.len(), 2, "{by}");
    }
}

#[test]
fn a_second_more_or_less_writes_nothing() {
    let mut site = Site::new(Duration::ZERO);
    site.login(1);
    for by in [1, -1, -1, 1] {
        site.set_clock(by);
    }
    assert_eq!(site.publishes(), 1);
}

#[test]
fn what_ends_while_the_machine_sleeps_is_gone_when_it_wakes() {
    let mut site = Site::new(Duration::ZERO);
    site.login(1);
    site.pass(GRACE / 2);
    site.login(2);
    let (before, stored) = (site.publishes(), site.row(address(2)));
    // Both clocks go on.
    site.time += GRACE * 3 / 4;
    site.turn();
    assert_eq!((site.row(address(1)), site.row(address(2))), (None, stored));
    assert_eq!(site.publishes(), before + 1);
}

#[test]
fn a_shorter_grace_is_for_new_logins() {
    let mut site = Site::new(Duration::ZERO);
    site.login(1);
    site.pass(Duration::from_secs(3));
    site.login(1);
    let stored = site.row(address(1)).unwrap();
    site.set_grace(GRACE / 4);
    assert_eq!(site.row(address(1)), Some(stored + 3), "a row that waits is written when the grace changes");
    site.login(2);
    site.login(1);
    assert_eq!(site.row(address(1)), Some(stored + 3), "a login takes nothing away");
    assert_eq!(site.row(address(2)), Some(stored + 3 - 75));
    site.pass(GRACE / 2);
    assert_eq!((site.row(address(1)), site.row(address(2))), (Some(stored + 3), None));
    site.pass(GRACE / 2);
    assert_eq!(site.row(address(1)), None);
}

#[test]
fn a_clock_that_was_set_before_a_restart_gives_nobody_more_than_a_grace() {
    for (by, left) in [(3600, 0), (-3600, 100), (30, 20), (-30, 80), (-60, 100)] {
        let mut site = Site::new(Duration::ZERO);
        site.login(1);
        site.pass(GRACE / 2);
        site.wall = site.wall.checked_add_signed(by).unwrap();
        site.crash();
        let expires = site.ring.get(address(1)).map(|grant| grant.expires.since(site.now().boot).as_secs());
        assert_eq!(expires.unwrap_or(0), left, "{by}");
        assert_eq!(site.table.0.lock().unwrap().rows, site.ring(), "{by}");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Login(u8),
    Pass(Duration),
    Fail(bool),
    Crash,
    SetClock(i64),
    /// Never more than what `look` allows for.
    SetGrace(Duration),
}

fn steps(with_faults: bool) -> impl Strategy<Value = Vec<Step>> {
    let login = || (0..12u8).prop_map(Step::Login).boxed();
    let pass = || {
        let seconds = prop_oneof![3 => 0.0..3.0, 2 => 0.0..20.0, 1 => 0.0..120.0];
        seconds.prop_map(|seconds: f64| Step::Pass(Duration::from_secs_f64(seconds))).boxed()
    };
    let set_clock = prop_oneof![2..4i64, -4000..-1i64, 2..4000i64].prop_map(Step::SetClock);
    let set_grace = (10..=100u64).prop_map(|seconds| Step::SetGrace(Duration::from_secs(seconds)));
    let fault = prop_oneof![
        proptest::bool::ANY.prop_map(Step::Fail),
        proptest::strategy::Just(Step::Crash),
        set_clock,
        set_grace
    ]
    .boxed();
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
                Step::Fail(_) | Step::Crash | Step::SetClock(_) | Step::SetGrace(_) => unreachable!(),
            }
        }
        proptest::prop_assert!(site.least >= TENTH, "{:?}", site.least);
        site.publisher.finish(&site.now(), &site.ring).unwrap();
        proptest::prop_assert_eq!(&site.table.0.lock().unwrap().rows, &site.ring());
    }

    #[test]
    fn failures_crashes_and_clocks_lose_nothing(steps in steps(true), interval in 0..4u64) {
        let mut site = Site::new(Duration::from_secs(10 * interval));
        for step in steps {
            match step {
                Step::Login(number) => site.login(number),
                Step::Pass(time) => site.pass(time),
                Step::Fail(failing) => site.fail(failing),
                Step::Crash => site.crash(),
                Step::SetClock(by) => site.set_clock(by),
                Step::SetGrace(grace) => site.set_grace(grace),
            }
        }
        site.fail(false);
        // The longest pause between two attempts, then what has to wait, and the longest interval that counts.
        site.pass(Duration::from_secs(60) + TENTH + COARSE + GRACE / 4);
        // Rows that have just ended may still wait to be removed.
        let lasting: BTreeMap<_, _> =
            site.ring().into_iter().filter(|(_, expires)| *expires > unix_seconds_up(site.now().wall)).collect();
        proptest::prop_assert_eq!(site.matching_rows(), lasting);
        site.publisher.finish(&site.now(), &site.ring).unwrap();
        proptest::prop_assert_eq!(&site.table.0.lock().unwrap().rows, &site.ring());
    }
}
