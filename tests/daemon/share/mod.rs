//! Many hosts share their grants through PostgreSQL.

mod certificates;
mod clocks;
mod engine;
mod everywhere;
mod full;
mod model;
mod pooler;
mod roles;
mod schema;

use crate::support::cases::{self, Site};
use crate::support::daemon::Daemon;
use crate::support::postgres::Postgres;
use crate::support::{Need, SOON, eventually, require, wait_for};
use std::cell::Cell;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Whether the machine has what these tests need.
#[track_caller]
fn can_run() -> bool {
    require(&[Need::Postgres, Need::Program("sqlite3")])
}

/// A host of the site: its log, its table, its daemon.
struct Host {
    site: Site,
    daemon: Daemon,
    arguments: Vec<String>,
}

impl Host {
    #[track_caller]
    fn start(url: &str, name: &str, more: &[&str]) -> Self {
        let site = Site::new(&cases::SQLITE).expect("what SQLite needs");
        let options = ["--share-url", url, "--share-name", name, "--entries", "10000"];
        let arguments: Vec<String> = [&options, more].concat().into_iter().map(str::to_owned).collect();
        let daemon = start(&site, &arguments);
        Self { site, daemon, arguments }
    }

    fn giver(postgres: &Postgres, name: &str) -> Self {
        Self::start(&postgres.url("host1"), name, &["--share-give"])
    }

    fn taker(postgres: &Postgres, name: &str) -> Self {
        Self::start(&postgres.url("host2"), name, &["--share-take"])
    }

    /// Starts the daemon again.
    #[track_caller]
    fn restart(&mut self) {
        self.site.start_log_anew();
        self.daemon = start(&self.site, &self.arguments);
    }

    fn log_in(&self, client: IpAddr) {
        self.site.log_in(client);
    }

    /// Whether Postfix would let the client relay.
    fn grants(&self, client: IpAddr) -> bool {
        self.site.lists(client)
    }

    #[track_caller]
    fn wait_until_grants_is(&self, granted: bool, client: IpAddr) {
        let what = format!("grant of {client} to be {granted}; the daemon says:\n{}", self.daemon.stderr());
        assert!(
            eventually(SOON, || self.grants(client) == granted),
            "waited in vain: {what}\n{}",
            self.daemon.stderr()
        );
    }

    /// What a command prints that asks this host's daemon.
    #[track_caller]
    fn ask(&self, command: &[&str]) -> String {
        let arguments: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        let done = crate::support::command::pop_before_smtp(&[arguments, self.site.map_arguments(&[])].concat());
        assert_eq!(done.code, Some(0), "{done:?}");
        done.stdout
    }

    /// What `check` finds.
    #[track_caller]
    fn check(&self) -> String {
        let url = &self.arguments[..2];
        let arguments = [&["check".to_owned()], &*self.site.arguments(&[]), url].concat();
        let checked = crate::support::command::pop_before_smtp(&arguments);
        assert_eq!(checked.stderr, "");
        checked.stdout
    }

    #[track_caller]
    fn status(&self) -> String {
        self.ask(&["status"])
    }

    #[track_caller]
    fn wait_broken(&self, cause: &str) {
        wait_for(&format!("a status with {cause:?}: {}", self.daemon.stderr()), SOON, || {
            let status = self.status();
            status.contains("share:     cannot be used since") && status.contains(cause)
        });
    }

    /// How many are in the table.
    fn count(&self) -> usize {
        self.ask(&["list"]).lines().count() - 1
    }

    #[track_caller]
    fn wait_connected(&self) {
        wait_for("the database to be in use", SOON, || self.status().contains("share:     in use since"));
    }
}

/// By how much later than at a host that shares nothing a login may count, whatever the database does.
const LATER: Duration = Duration::from_secs(2);

/// A host that shares nothing: it shows how fast the machine is just now.
struct Alone(Host, Cell<u32>);

impl Alone {
    #[track_caller]
    fn start() -> Self {
        let site = Site::new(&cases::SQLITE).expect("what SQLite needs");
        let daemon = start(&site, &[]);
        Self(Host { site, daemon, arguments: Vec::new() }, Cell::new(60_000))
    }

    /// A login at the other host counts there as soon as one counts here.
    #[track_caller]
    fn serves(&self, other: &Host, number: u32) {
        self.1.set(self.1.get() + 1);
        let mut logins = [(&self.0, client(self.1.get()), None), (other, client(number), None)];
        let began = Instant::now();
        logins.iter().for_each(|(host, client, _)| host.log_in(*client));
        wait_for(&format!("the logins to count: {}", other.daemon.stderr()), SOON, || {
            for (host, client, took) in &mut logins {
                if took.is_none() && host.grants(*client) {
                    *took = Some(began.elapsed());
                }
            }
            logins.iter().all(|(.., took)| took.is_some())
        });
        let [here, there] = logins.map(|(.., took)| took.expect("it counts"));
        assert!(there.saturating_sub(here) < LATER, "after {there:?}, where nothing is shared {here:?}");
    }
}

/// One that shares nothing, a giver and a taker, which has what the giver has.
#[track_caller]
fn hosts(postgres: &Postgres) -> (Alone, Host, Host) {
    let hosts = (Alone::start(), Host::giver(postgres, "imap1"), Host::taker(postgres, "mx1"));
    hosts.0.serves(&hosts.1, 1);
    hosts.2.wait_until_grants_is(true, client(1));
    hosts
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[track_caller]
fn start(site: &Site, arguments: &[String]) -> Daemon {
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    site.daemon(&arguments)
}

/// The client of this number.
fn client(number: u32) -> IpAddr {
    IpAddr::from(u32::to_be_bytes(0xC612_0000 + number))
}

#[test]
fn a_login_anywhere_is_a_grant_everywhere() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let giver = Host::giver(&postgres, "imap1");
    let takers = [Host::taker(&postgres, "mx1"), Host::taker(&postgres, "mx2")];
    giver.log_in(client(1));
    takers.iter().for_each(|taker| taker.wait_until_grants_is(true, client(1)));

    let told = takers[0].ask(&["explain", &client(1).to_string()]);
    assert!(told.contains("user: kevin\n") && told.contains("matcher: dovecot\n"), "{told}");
    let written = std::fs::read_to_string(&giver.site.log).expect("the log");
    let at = written.lines().take_while(|line| !line.contains("kevin")).map(|line| line.len() + 1).sum::<usize>();
    let place = format!("log there: share:host1@imap1:{}, byte {at}\n", giver.site.log.display());
    assert!(told.contains(&place), "{told}");
    let all = giver.ask(&["list", "--all", "--share-url", &postgres.url("taker")]);
    assert!(all.contains(&client(1).to_string()) && all.contains("dovecot, host1@imap1"), "{all}");
    // Its end is that of the giver, give or take the way.
    let end = |host: &Host| match host.site.lookup(client(1)) {
        crate::support::postfix::Lookup::Found(end) => end.parse::<u64>().expect("seconds"),
        other => panic!("{other:?}"),
    };
    assert!(end(&takers[0]).abs_diff(end(&giver)) <= 1);
    assert_reported(&takers[0]);
    for mut host in takers.into_iter().chain([giver]) {
        assert_eq!(host.daemon.terminate(), Some(0), "{}", host.daemon.stderr());
    }
}

/// Whom another host let relay, the report learns from the own lines of the daemon here.
#[track_caller]
fn assert_reported(taker: &Host) {
    let at = cases::stamp_now();
    let message = format!(
        "{at} mail postfix/smtpd[7]: 4A001: client=unknown[{}]\n{at} mail postfix/smtp[9]: 4A001: to=<a@b.example>, \
         relay=mx.b.example[192.0.2.9]:25, delay=1, dsn=2.0.0, status=sent (250 ok)\n",
        client(1)
    );
    let own: String =
        taker.daemon.stderr().lines().map(|line| format!("{at} mail pop-before-smtp[3]: {line}\n")).collect();
    std::fs::write(taker.site.map_dir().join("mail"), own + &message).unwrap();
    let done = crate::report::report(&taker.site.map_dir(), &["--format", "json", "mail"]);
    let found: serde_json::Value = serde_json::from_str(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"));
    assert_eq!(
        (&found["totals"]["by_grant_of_other_hosts"], &found["totals"]["unexplained"]),
        (&1.into(), &0.into()),
        "{found:#}"
    );
}

/// What is true after a stop of every kind: a giver's clients are still logged in.
#[test]
fn a_giver_that_stops_withdraws_nothing_unless_told_to() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let mut staying = Host::giver(&postgres, "imap1");
    let mut going = Host::start(&postgres.url("host1"), "imap2", &["--share-give", "--share-withdraw"]);
    let taker = Host::taker(&postgres, "mx1");
    let mut dying = Host::start(&postgres.url("host1"), "imap3", &["--share-give", "--grace", "15s"]);
    staying.log_in(client(1));
    going.log_in(client(2));
    dying.log_in(client(4));
    // Of both: that of the one that stays counts on.
    staying.log_in(client(3));
    going.log_in(client(3));
    (1..=4).for_each(|number| taker.wait_until_grants_is(true, client(number)));
    dying.daemon.kill9();
    assert_eq!((staying.daemon.terminate(), going.daemon.terminate()), (Some(0), Some(0)));
    taker.wait_until_grants_is(false, client(2));
    taker.wait_until_grants_is(false, client(4));
    assert!(taker.grants(client(1)) && taker.grants(client(3)));
}

/// The users behind an address are counted over all givers.
#[test]
fn users_of_an_address_are_counted_over_all_givers() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let givers = [Host::giver(&postgres, "imap1"), Host::giver(&postgres, "imap2")];
    let taker = Host::start(&postgres.url("host2"), "mx1", &["--share-take", "--max-users-per-address", "2"]);
    let log_in = |host: &Host, user: &str| {
        let line = cases::login_line(client(1)).replace("kevin", user);
        cases::append(&host.site.log, &line);
    };
    log_in(&givers[0], "anna");
    log_in(&givers[1], "bert");
    taker.wait_until_grants_is(true, client(1));
    log_in(&givers[1], "carl");
    taker.wait_until_grants_is(false, client(1));
    assert!(taker.ask(&["explain", &client(1).to_string()]).contains("more than 2 users"));
    givers[0].log_in(client(2));
    taker.wait_until_grants_is(true, client(2));
}
