//! Hosts whose wall clocks are wrong by an hour, each with a log and a Postfix that believe the same clock.
//!
//! Not by faketime(1): it moves the timers on the boot clock, too, which no wrong wall clock does.

use super::{Host, can_run, client};
use crate::support::cases::{self, Site};
use crate::support::command::{finish, pop_before_smtp};
use crate::support::daemon::Daemon;
use crate::support::postgres::Postgres;
use crate::support::{Need, SOON, require, wait_for};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

const CLOCK: &str = "
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
  int failed = syscall(SYS_clock_gettime, clock, now);
  if (!failed && clock == CLOCK_REALTIME) now->tv_sec += WRONG_BY;
  return failed;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec exact;
  int failed = clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return failed;
}
";

/// A host whose clock is wrong by so many seconds.
struct Wrong {
    host: Host,
    by: i64,
    clock: PathBuf,
}

impl Wrong {
    #[track_caller]
    fn start(postgres: &Postgres, name: &str, by: i64, more: &[&str]) -> Self {
        let site = Site::new(&cases::SQLITE).expect("what SQLite needs");
        let (source, clock) = (site.join("clock.c"), site.join("clock.so"));
        fs::write(&source, CLOCK).expect("the source");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", &format!("-DWRONG_BY={by}"), "-o"]).arg(&clock).arg(&source);
        let made = finish(&mut compiler);
        assert_eq!(made.code, Some(0), "{made:?}");
        let url = postgres.url("host1");
        let arguments = site.arguments(&[&["--share-url", &url, "--share-name", name], more].concat());
        let script = format!("LD_PRELOAD={} exec \"$0\" \"$@\"", clock.display());
        let mut daemon = Daemon::start_by(&script, &arguments);
        daemon.wait_following(&site.log);
        Self { host: Host { site, daemon, arguments }, by, clock }
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now() + jiff::SignedDuration::from_secs(self.by)
    }

    fn log_in(&self, client: IpAddr) {
        let line = cases::login_line(client);
        let (_, message) = line.split_once(' ').expect("a stamp");
        cases::append(&self.host.site.log, &format!("{:.0} {message}", self.now()));
    }

    /// What Postfix finds there: the end by this host's clock.
    fn end(&self, client: IpAddr) -> Option<i64> {
        let mut postmap = Command::new("postmap");
        let found =
            finish(postmap.env("LD_PRELOAD", &self.clock).args(["-q", &client.to_string(), &self.host.site.table()]));
        assert_eq!(found.stderr, "");
        found.stdout.trim().parse().ok()
    }

    #[track_caller]
    fn wait_until_grants_is(&self, granted: bool, client: IpAddr) {
        let what = format!("grant of {client} where the clock is wrong by {} to be {granted}", self.by);
        wait_for(&what, SOON, || self.end(client).is_some() == granted);
    }
}

#[test]
fn hosts_whose_clocks_are_wrong_grant_as_long_as_others() {
    if !can_run() || !require(&[Need::Program("cc")]) {
        return;
    }
    let postgres = Postgres::start();
    const HOUR: i64 = 3600;
    let givers = [HOUR, -HOUR].map(|by| Wrong::start(&postgres, &format!("imap{by}"), by, &["--share-give"]));
    let brief = Wrong::start(&postgres, "brief", HOUR, &["--share-give", "--grace", "20s"]);
    let takers = [HOUR, -HOUR, 0].map(|by| Wrong::start(&postgres, &format!("mx{by}"), by, &["--share-take"]));
    givers[0].log_in(client(1));
    givers[1].log_in(client(2));
    brief.log_in(client(3));
    for taker in &takers {
        (1..=3).for_each(|number| taker.wait_until_grants_is(true, client(number)));
        for number in 1..=2 {
            let lasts = taker.end(client(number)).expect("a grant") - taker.now().as_second();
            assert!((1700..=1801).contains(&lasts), "{number} for {lasts} s where the clock is wrong by {}", taker.by);
        }
    }
    takers.iter().for_each(|taker| taker.wait_until_grants_is(false, client(3)));
    for taker in &takers {
        assert!((1..=2).all(|number| taker.end(client(number)).is_some()), "the others last on");
    }
    let revoke = ["revoke", &client(1).to_string(), "--everywhere", "--share-url", &postgres.url("operator")];
    let revoked = pop_before_smtp(&revoke);
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    takers.iter().chain([&givers[0]]).for_each(|host| host.wait_until_grants_is(false, client(1)));
    // Within the second of the revocation a login counts as the earlier.
    for host in takers.iter().chain([&givers[0]]) {
        wait_for("the next login to count", SOON, || {
            givers[0].log_in(client(1));
            host.end(client(1)).is_some()
        });
    }
}

/// A way to the server on which each grant of one user is held up.
fn slow_way(server: u16, user: &'static [u8], by: Duration) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("its name").port();
    let pass_on = move |mut from: TcpStream, mut to: TcpStream| {
        let mut bytes = [0; 65536];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if bytes[..count].windows(user.len()).any(|part| part == user) {
                thread::sleep(by);
            }
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
    };
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).expect("the server");
            let back = (server.try_clone().expect("the same"), client.try_clone().expect("the same"));
            thread::spawn(move || pass_on(client, server));
            thread::spawn(move || pass_on(back.0, back.1));
        }
    });
    port
}

/// Whoever holds up what a giver says makes no grant longer by it.
#[test]
fn a_message_that_is_held_up_makes_no_grant_longer() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let way = slow_way(postgres.port, b"kevin", Duration::from_secs(4));
    let url = postgres.url("host1").replace(&format!(":{}/", postgres.port), &format!(":{way}/"));
    let giver = Host::start(&url, "imap1", &["--share-give"]);
    let taker = Host::taker(&postgres, "mx1");
    giver.wait_connected();
    giver.log_in(client(1));
    taker.wait_until_grants_is(true, client(1));
    let there: f64 = postgres.sql("SELECT extract(epoch FROM expires) FROM pop_before_smtp.grants").parse().unwrap();
    let end = |host: &Host| match host.site.lookup(client(1)) {
        crate::support::postfix::Lookup::Found(end) => end.parse::<f64>().expect("seconds"),
        other => panic!("{other:?}"),
    };
    // A table tells whole seconds, rounded up.
    assert!(there < end(&giver) + 1.0, "{there} in the database, {} at the giver", end(&giver));
    assert!(end(&taker) <= end(&giver) + 1.0);
}
