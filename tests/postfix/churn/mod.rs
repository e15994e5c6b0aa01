//! Tables that change 50 times a second and more, while a real smtpd asks them: no client gets a wrong answer, a 4xx or
//! a broken connection, and Postfix logs nothing but restarts.
//!
//! `CHURN_SECONDS` sets how long each table is changed: 3 by default and at least, so that a test run stays short.
//! docs/backends.md has the outcome of 20, as `CHURN_SECONDS=20 cargo test --test postfix churn:: -- --nocapture` prints
//! it.

mod probes;
mod publishes;
mod tables;

use crate::support::cases::{Site, login_line};
use crate::support::daemon::Daemon;
use probes::{Answers, REGULAR, STRANGER, as_newcomers, in_long_sessions, in_new_sessions};
use publishes::Publishes;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use tables::{Cost, TABLES, Table};

/// What the issue asks for, in publishes per second.
const ENOUGH: f64 = 50.0;
/// Logins per second, in turn for `PHASE` each: so many that the oldest must give way, and so few that each grant comes
/// to its own end, which is a publish more. A login of a newcomer comes between them now and then.
const LOGINS: [u32; 2] = [120, 70];
const PHASE: Duration = Duration::from_secs(3);
const DAEMON: [&str; 6] = ["--publish-interval", "0", "--grace", "3s", "--entries", "300"];

/// One after the other, so that none disturbs another's rate.
#[test]
fn nobody_notices_that_a_table_changes_all_the_time() {
    let seconds = seconds();
    println!("{}", Measured::HEAD);
    let outcomes: Vec<_> = TABLES.iter().filter_map(|table| churn(table, seconds)).collect();
    let faults: Vec<_> = outcomes.iter().flat_map(|outcome| outcome.faults()).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn seconds() -> Duration {
    let text = std::env::var("CHURN_SECONDS").unwrap_or_else(|_| "3".to_owned());
    let seconds = text.parse().ok().filter(|seconds| *seconds >= 3);
    Duration::from_secs(seconds.unwrap_or_else(|| panic!("CHURN_SECONDS={text}: not a number from 3 on")))
}

/// `None` if the machine lacks what the table needs.
fn churn(table: &'static Table, seconds: Duration) -> Option<Measured> {
    let site = Site::new(&table.case)?;
    let mut daemon = site.daemon(&DAEMON);
    site.log_in_and_wait(REGULAR);
    let postfix = site.postfix();
    let port = postfix.port();
    postfix.rcpt(STRANGER);

    let mut publishes = Publishes::watch(&site);
    let begin = Instant::now();
    let end = begin + seconds;
    let (count, seconds, probes) = thread::scope(|scope| {
        let probers = [
            scope.spawn(move || in_new_sessions(port, REGULAR, end)),
            scope.spawn(move || in_new_sessions(port, STRANGER, end)),
            scope.spawn(move || in_long_sessions(port, end)),
            scope.spawn(|| as_newcomers(port, |client| site.log_in(client), end)),
        ];
        log_in_until(end, &site.log, || {
            publishes.count();
        });
        let (count, seconds) = (publishes.count(), begin.elapsed().as_secs_f64());
        let mut probes = Answers::default();
        probers.into_iter().for_each(|prober| probes.add(prober.join().expect("a prober")));
        (count, seconds, probes)
    });
    // Else the table would not have changed in the ways that it should.
    daemon.wait_logged("the ring is full: evicted");
    if end - begin > 2 * PHASE {
        daemon.wait_logged("expired ");
    }
    let restarts_of = |program: &str| {
        let restarts = |line: &&str| line.contains(program) && line.contains("has changed -- restarting");
        postfix.log().lines().filter(restarts).count()
    };
    let outcome = Measured {
        table,
        publishes: count as f64 / seconds,
        seconds,
        probes,
        restarts: [restarts_of("/smtpd["), restarts_of("/proxymap[")],
        complaints: postfix.complaints(),
        daemon: complaints_of(&mut daemon),
    };
    println!("{outcome}");
    Some(outcome)
}

/// Logins of ever new addresses, each in a write of its own, and often the regular client's beside it.
fn log_in_until(end: Instant, log: &Path, mut after_each: impl FnMut()) {
    let begin = Instant::now();
    let mut log = OpenOptions::new().append(true).open(log).unwrap();
    let mut next = begin;
    for number in 0.. {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        if next >= end {
            return;
        }
        let mut lines = login_line(IpAddr::V4(Ipv4Addr::from(0x0A00_0000 + number))) + "\n";
        if number % 10 == 0 {
            lines += &(login_line(REGULAR) + "\n");
        }
        log.write_all(lines.as_bytes()).unwrap();
        after_each();
        let phase = (next - begin).div_duration_f64(PHASE) as usize;
        next += Duration::from_secs(1) / LOGINS[phase % 2];
    }
}

/// What the daemon has to say, but that the ring is full, which is meant to be.
fn complaints_of(daemon: &mut Daemon) -> Vec<String> {
    daemon.assert_runs();
    let trouble = |line: &&str| line.contains("warning:") || line.contains("error:");
    let told = daemon.stderr();
    told.lines().filter(trouble).filter(|line| !line.contains("the ring is full")).map(str::to_owned).collect()
}

/// How a table fared.
struct Measured {
    table: &'static Table,
    seconds: f64,
    /// Per second.
    publishes: f64,
    probes: Answers,
    /// Of smtpd and of proxymap.
    restarts: [usize; 2],
    complaints: Vec<String>,
    daemon: Vec<String>,
}

impl Measured {
    const HEAD: &str = "\
| backend | smtpd | main.cf | publishes/s | probes/s | slowest probe, ms | login seen after, ms | restarts of smtpd | of proxymap | 4xx | lost | wrong | fatal, error, warning |
|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

    /// A short run may meet a moment at which others keep the disk busy.
    fn can_be_fast(&self) -> bool {
        match self.table.cost {
            Cost::Processes => false,
            Cost::Disk => self.seconds >= 10.0,
            Cost::Nothing => true,
        }
    }

    /// What must not be.
    fn faults(&self) -> Vec<String> {
        let Self { table, probes, .. } = self;
        let complaints = self.complaints.iter().filter(|line| !table.explains(line));
        // The first ones tell enough.
        let complaints: Vec<_> = complaints.take(3).cloned().collect();
        let rules = [
            (probes.temporary + probes.lost + probes.wrong == 0, probes.told.join("; ")),
            (complaints.is_empty(), complaints.join("; ")),
            (self.daemon.is_empty(), self.daemon.join("; ")),
            (self.publishes >= ENOUGH || !self.can_be_fast(), "too few publishes".to_owned()),
            (self.publishes > 0.0, "no publishes".to_owned()),
            (table.restarts || self.restarts == [0, 0], "restarts".to_owned()),
        ];
        rules.into_iter().filter(|(holds, _)| !holds).map(|(_, fault)| format!("{self} {fault}")).collect()
    }
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { table, seconds, publishes, probes, restarts: [smtpd, proxymap], complaints, .. } = self;
        let (case, chroot) = (&table.case, if table.case.chrooted { "chrooted" } else { "not chrooted" });
        let Answers { temporary, lost, wrong, slowest, latest, .. } = probes;
        let (slowest, latest, asked) = (slowest.as_millis(), latest.as_millis(), probes.probes as f64 / seconds);
        write!(
            f,
            "| {} | {chroot} | `{}:` | {publishes:.0} | {asked:.0} | {slowest} | {latest} | {smtpd} | {proxymap} | \
             {temporary} | {lost} | {wrong} | {} |",
            case.name,
            case.table,
            complaints.len(),
        )
    }
}
