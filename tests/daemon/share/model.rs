//! Random gives, ends, decisions and interruptions; in the end takers have what the model has.

use super::{Host, can_run, client};
use crate::support::postgres::Postgres;
use crate::support::{Need, SOON, eventually, require};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

const CLIENTS: u32 = 12;
const HOSTS: usize = 2;

#[derive(Debug, Clone)]
enum Step {
    /// A host gives a client a grant of so many seconds.
    Give { host: usize, number: u32, seconds: u64 },
    /// An operator revokes it everywhere.
    Revoke(u32),
    /// An operator denies it everywhere, or no longer.
    Deny(u32, bool),
    /// A host withdraws all it has given.
    Withdraw(usize),
    /// All connections end.
    Cut,
    /// Somebody deletes the rows of a client.
    Delete(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..HOSTS, 1..=CLIENTS, prop_oneof![Just(1u64), Just(600)])
            .prop_map(|(host, number, seconds)| Step::Give { host, number, seconds }),
        1 => (1..=CLIENTS).prop_map(Step::Revoke),
        1 => (1..=CLIENTS, any::<bool>()).prop_map(|(number, denied)| Step::Deny(number, denied)),
        1 => (0..HOSTS).prop_map(Step::Withdraw),
        1 => Just(Step::Cut),
        1 => (1..=CLIENTS).prop_map(Step::Delete),
    ]
}

/// The end of each grant, by client and host.
#[derive(Default)]
struct Model {
    ends: BTreeMap<(u32, usize), Instant>,
    denied: BTreeSet<u32>,
}

impl Model {
    fn take(&mut self, step: &Step) {
        match *step {
            Step::Give { host, number, seconds } => {
                let end = Instant::now() + Duration::from_secs(seconds);
                let known = self.ends.entry((number, host)).or_insert(end);
                *known = end.max(*known);
            }
            Step::Revoke(number) | Step::Delete(number) => self.ends.retain(|(other, _), _| *other != number),
            Step::Deny(number, true) => {
                self.denied.insert(number);
                self.ends.retain(|(other, _), _| *other != number);
            }
            // Who was there has to log in again.
            Step::Deny(number, false) if self.denied.remove(&number) => {
                self.ends.retain(|(other, _), _| *other != number)
            }
            Step::Deny(_, false) => {}
            Step::Withdraw(host) => self.ends.retain(|(_, other), _| *other != host),
            Step::Cut => {}
        }
    }

    fn granted(&self) -> Vec<u32> {
        let now = Instant::now();
        let lasts = |number: &u32| self.ends.iter().any(|((other, _), end)| other == number && *end > now);
        (1..=CLIENTS).filter(|number| lasts(number) && !self.denied.contains(number)).collect()
    }
}

fn act(postgres: &Postgres, step: &Step) {
    let roles = ["host1", "host2"];
    let run =
        |role: &str, sql: String| drop(postgres.sql_as(role, &sql).unwrap_or_else(|error| panic!("{sql}: {error}")));
    match *step {
        Step::Give { host, number, seconds } => run(
            roles[host],
            format!(
                "SELECT pop_before_smtp.give('x', '{{{}}}', '{{{seconds}}}', '{{0}}', '{{a}}', '{{m}}', '{{l}}', '{{1}}')",
                client(number)
            ),
        ),
        Step::Revoke(number) => {
            run("operator", format!("SELECT pop_before_smtp.decide('revoke', '{}')", client(number)))
        }
        Step::Deny(number, denied) => {
            let what = if denied { "deny" } else { "allow" };
            run("operator", format!("SELECT pop_before_smtp.decide('{what}', '{}')", client(number)));
        }
        Step::Withdraw(host) => run(roles[host], "SELECT pop_before_smtp.withdraw('x')".to_owned()),
        Step::Cut => run(
            "owner",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pop-before-smtp%'"
                .to_owned(),
        ),
        Step::Delete(number) => {
            run("owner", format!("DELETE FROM pop_before_smtp.grants WHERE address = '{}'", client(number)))
        }
    }
}

fn granted(host: &Host) -> Vec<u32> {
    let listed = host.ask(&["list"]);
    let listed: BTreeSet<_> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
    (1..=CLIENTS).filter(|number| listed.contains(client(*number).to_string().as_str())).collect()
}

#[test]
fn takers_have_what_the_model_has() {
    if can_run() {
        compare_with_model(&Postgres::start());
    }
}

/// The clocks of the hosts are an hour behind that of the database, or ahead: only how long a grant lasts counts.
#[test]
fn clocks_that_are_wrong_by_an_hour_make_no_difference() {
    if can_run() && require(&[Need::Program("faketime")]) {
        ["+1h", "-1h"].iter().for_each(|skew| compare_with_model(&Postgres::start_skewed(skew)));
    }
}

fn compare_with_model(postgres: &Postgres) {
    // One has another grace.
    let url = postgres.url("host2");
    let takers = [Host::taker(postgres, "mx1"), Host::start(&url, "mx2", &["--share-take", "--grace", "2h"])];
    let rounds = std::env::var("SHARE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(4);
    let mut runner = TestRunner::default();
    let mut model = Model::default();
    for round in 0..rounds {
        let steps = proptest::collection::vec(step(), 1..40).new_tree(&mut runner).unwrap().current();
        for step in &steps {
            // A revoked login and a new one in the same second cannot be told apart.
            if let Step::Give { number, .. } = step {
                let last = format!(
                    "SELECT max(since) > date_trunc('second', now()) - interval '1 s' \
                    FROM pop_before_smtp.decisions WHERE kind = 'revoke' AND network = '{}'",
                    client(*number)
                );
                assert!(eventually(SOON, || postgres.sql(&last) != "t"));
            }
            act(postgres, step);
            model.take(step);
        }
        for taker in &takers {
            let mut got = Vec::new();
            let same = eventually(SOON, || {
                got = granted(taker);
                got == model.granted()
            });
            assert!(
                same,
                "round {round}: {got:?}, but {:?}, after {steps:#?}\n{}",
                model.granted(),
                taker.daemon.stderr()
            );
        }
    }
}
