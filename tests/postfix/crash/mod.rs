//! A daemon killed at any moment leaves a table that Postfix can read, and the next one takes it over.
//!
//! `CRASH_ROUNDS` sets how often each backend's daemon is killed (default 100), `CRASH_SEED` the moments.

mod collisions;

use crate::support::cases::{self, Case, Site, login_line};
use crate::support::command::pop_before_smtp;
use crate::support::postfix::Lookup;
use crate::support::process::{children, wait_gone};
use collisions::Prober;
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Logs in all the time, so it must never be refused.
const REGULAR: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
/// Never logs in.
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 66));
/// The daemon is killed within this time from the start of the load: more than it takes until the first lines are handed on
/// (`src/source/lines/mod.rs`) and published.
const LOAD: Duration = Duration::from_millis(150);
/// The same where a publish runs postmap.
const LOAD_WITH_POSTMAP: Duration = Duration::from_millis(250);
/// Clients that log in during one round, beside the regular one.
const CROWD: u8 = 200;

#[test]
fn postmap() {
    killed_at_random_moments(&cases::POSTMAP_HASH, LOAD_WITH_POSTMAP);
}

#[test]
fn lmdb() {
    killed_at_random_moments(&cases::LMDB, LOAD);
}

#[test]
fn lmdb_in_place() {
    killed_at_random_moments(&cases::LMDB_IN_PLACE, LOAD);
}

#[test]
fn sqlite() {
    killed_at_random_moments(&cases::SQLITE, LOAD);
}

#[test]
fn sqlite_for_a_chrooted_smtpd() {
    killed_at_random_moments(&cases::SQLITE_PROXIED, LOAD);
}

fn killed_at_random_moments(case: &'static Case, load: Duration) {
    let Some(site) = Site::new(case) else { return };
    let mut moments = Moments::below(load);
    // The table exists, and the regular client is in it, before Postfix and its prober start.
    let mut daemon = site.daemon(&[]);
    site.log_in_and_wait(REGULAR);
    daemon.kill9();
    let prober = Prober::new(&site, 1 + rounds() / 100);
    let mut orphans = Vec::new();
    let mut table = listed(&site);
    let mut rounds_with_a_publish = 0;

    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let probing = scope.spawn(|| probe_until(&stop, &prober));
        let stop = StopOnDrop(&stop);
        for round in 0..rounds() {
            orphans.extend(crash_once(&prober, round, moments.next(), &table));
            let after = listed(&site);
            rounds_with_a_publish += u32::from(after != table);
            table = after;
        }
        drop(stop);
        let probes = probing.join().expect("the regular client may relay all the time");
        assert!(probes > rounds(), "{}: only {probes} probes", case.name);
    });

    prober.assert_no_other_complaint();
    // Else the kills would have come before there was anything to disturb.
    println!("{}: {rounds_with_a_publish} of {} rounds saw a publish before the kill", case.name, rounds());
    assert!(rounds_with_a_publish > 0, "{}: the load never reached the table", case.name);
    orphans.into_iter().for_each(|child| wait_gone("a child of a killed daemon", child));
    // A clean life is still possible.
    let mut daemon = site.daemon(&[]);
    site.log_in_and_wait(STRANGER);
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    assert!(!prober.may_relay(REGULAR));
}

/// Starts the daemon on what the table holds, loads it, kills it after `delay`; returns the children it had.
fn crash_once(prober: &Prober<'_>, round: u32, delay: Duration, before: &BTreeSet<IpAddr>) -> Vec<i32> {
    let site = prober.site();
    let context = format!("{}, round {round}, killed after {delay:?}", site.case.name);
    site.start_log_anew();
    let mut daemon = site.daemon(&[]);
    let taken_over = listed(site);
    assert!(before.is_subset(&taken_over), "{context}: lost {:?}", before.difference(&taken_over));
    let family = children(daemon.pid());

    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| log_in_without_end(&site.log, round, &over));
        let _over = StopOnDrop(&over);
        // The moment is the experiment here; nothing depends on hitting it.
        thread::sleep(delay);
        daemon.kill9();
    });

    match prober.lookup(REGULAR) {
        Lookup::Found(_) => {}
        other => panic!("{context}: postmap -q {REGULAR}: {other:?}\n{}", daemon.stderr()),
    }
    assert_eq!(prober.lookup(STRANGER), Lookup::NotFound, "{context}");
    assert!(prober.may_relay(REGULAR), "{context}");
    assert!(!prober.may_relay(STRANGER), "{context}");
    family
}

/// The regular client comes first and often, so that nobody else can push it out of the ring; the others are new in
/// every round, so that there is something to publish.
fn log_in_without_end(log: &Path, round: u32, over: &AtomicBool) {
    let [_, _, high, low] = round.to_be_bytes();
    let crowd = (0..CROWD).map(|last| IpAddr::V4(Ipv4Addr::new(10, high, low, last)));
    let lines: Vec<String> = crowd
        .enumerate()
        .flat_map(|(index, client)| index.is_multiple_of(20).then_some(REGULAR).into_iter().chain([client]))
        .map(|client| login_line(client) + "\n")
        .collect();
    let mut log = OpenOptions::new().append(true).open(log).unwrap();
    for burst in lines.chunks(10).cycle() {
        if over.load(Ordering::Relaxed) {
            return;
        }
        log.write_all(burst.concat().as_bytes()).unwrap();
        // Some 10,000 logins a second. A writer that never paused would keep the daemon reading, and the processor
        // from it, so that most kills would come before the first publish.
        thread::sleep(Duration::from_millis(1));
    }
}

/// Addresses in the table, as the program itself lists them.
fn listed(site: &Site) -> BTreeSet<IpAddr> {
    let list = pop_before_smtp(&[vec!["list".to_owned()], site.map_arguments(&[])].concat());
    assert_eq!(list.code, Some(0), "{list:?}");
    list.stdout.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
}

/// Asks again and again whether the regular client may relay; returns how often.
fn probe_until(stop: &AtomicBool, prober: &Prober<'_>) -> u32 {
    let mut probes = 0;
    while !stop.load(Ordering::Relaxed) {
        assert!(prober.may_relay(REGULAR), "probe {probes}");
        probes += 1;
        // Leaves the processors to the others.
        thread::sleep(Duration::from_millis(5));
    }
    probes
}

/// Sets its flag also when a test fails, so that the scope's threads end.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn rounds() -> u32 {
    from_environment("CRASH_ROUNDS").unwrap_or(100)
}

fn from_environment(name: &str) -> Option<u32> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value}: not a number")))
}

/// Delays below a limit, the same for the same seed (xorshift).
struct Moments {
    state: u64,
    limit: Duration,
}

impl Moments {
    fn below(limit: Duration) -> Self {
        let seed = from_environment("CRASH_SEED").unwrap_or(2);
        Self { state: (u64::from(seed) << 32) | 0x9e37_79b9, limit }
    }

    fn next(&mut self) -> Duration {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let micros = u64::try_from(self.limit.as_micros()).unwrap();
        Duration::from_micros(self.state % micros)
    }
}
