//! Addresses with an open session keep their grants, whatever the log loses or doubles.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::{Duration, SystemTime};

use pop_before_smtp::grants::{Grants, Line, Policy, Start};
use pop_before_smtp::matcher::Matchers;
use pop_before_smtp::ring::networks::Networks;
use pop_before_smtp::time::{Now, Timestamp};

const GRACE: Duration = Duration::from_secs(1800);

fn now(second: u64) -> Now {
    let since_boot = Duration::from_secs(second);
    Now { boot: Timestamp::from_boot(since_boot), wall: SystemTime::UNIX_EPOCH + since_boot }
}

/// A day of the daemon, seconds passed in.
struct Day {
    matchers: Matchers,
    grants: Grants,
    second: u64,
}

impl Day {
    fn new(longest_session: Option<u64>) -> Self {
        let policy = Policy {
            grace: GRACE,
            entries: NonZeroUsize::new(250).unwrap(),
            hold: longest_session.map(Duration::from_secs),
            networks: Networks::default(),
            publish_interval: Duration::ZERO,
            most_users: None,
            most_addresses: None,
            relays: None,
        };
        let grants = Grants::new(&now(0), &policy, Start { expires_rows: true, ..Start::default() });
        Self { matchers: Matchers::all(), grants, second: 0 }
    }

    fn now(&self) -> Now {
        now(self.second)
    }

    /// A line of UW imapd; one process serves one session.
    fn log(&mut self, message: &str) {
        let line = format!("Nov 22 10:00:00 mail {message}");
        let now = self.now();
        if let Some(event) = self.matchers.event(now.boot, line.as_bytes()) {
            self.grants.event(&now, None, &event, Line { source: "log", offset: None });
        }
    }

    /// Lets time pass, waking whenever the daemon asks for it.
    fn pass(&mut self, seconds: u64) {
        let end = self.second + seconds;
        loop {
            let due = self.grants.deadline().map_or(u64::MAX, |due| due.since_boot().as_secs_f64().ceil() as u64);
            self.second = due.max(self.second + 1).min(end);
            let now = self.now();
            self.grants.expire(&now);
            self.grants.publish(&now);
            if self.second == end {
                return;
            }
        }
    }

    fn may_relay(&self) -> bool {
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        self.grants.ring().get(client).is_some()
    }
}

const LOGIN: &str = "imapd[100]: Login user=kevin host=[192.0.2.1]";
const LOGOUT: &str = "imapd[100]: Logout user=kevin host=[192.0.2.1]";
const OTHER_LOGIN: &str = "imapd[101]: Login user=kevin host=[192.0.2.1]";
const OTHER_LOGOUT: &str = "imapd[101]: Logout user=kevin host=[192.0.2.1]";

#[test]
fn without_the_option_a_session_holds_nothing() {
    let mut day = Day::new(None);
    day.log(LOGIN);
    day.pass(1799);
    assert!(day.may_relay());
    day.pass(1);
    assert!(!day.may_relay());
}

#[test]
fn an_open_session_holds_the_grant_until_a_grace_after_the_logout() {
    let mut day = Day::new(Some(43200));
    day.log(LOGIN);
    day.pass(10_000);
    assert!(day.may_relay());
    day.log(LOGOUT);
    day.pass(1799);
    assert!(day.may_relay());
    day.pass(1);
    assert!(!day.may_relay());
}

#[test]
fn each_of_several_sessions_holds() {
    let mut day = Day::new(Some(43200));
    day.log(LOGIN);
    day.log(OTHER_LOGIN);
    day.pass(5_000);
    day.log(LOGOUT);
    day.log(LOGOUT);
    day.pass(5_000);
    assert!(day.may_relay(), "a logout logged twice does not end the other session");
    day.log(OTHER_LOGOUT);
    day.pass(1800);
    assert!(!day.may_relay());
}

#[test]
fn a_login_logged_twice_needs_one_logout() {
    let mut day = Day::new(Some(43200));
    day.log(LOGIN);
    day.log(LOGIN);
    day.pass(5_000);
    day.log(LOGOUT);
    day.pass(1800);
    assert!(!day.may_relay());
}

#[test]
fn a_lost_logout_holds_no_longer_than_the_cap() {
    let mut day = Day::new(Some(7200));
    day.log(LOGIN);
    day.pass(7199);
    assert!(day.may_relay());
    day.pass(1 + 1800);
    assert!(!day.may_relay());
}

#[test]
fn a_logout_alone_grants_nothing() {
    let mut day = Day::new(Some(43200));
    day.log(LOGOUT);
    assert!(!day.may_relay());
    day.log(LOGIN);
    day.log(LOGOUT);
    day.pass(1800);
    day.log(LOGOUT);
    assert!(!day.may_relay());
}

#[test]
fn courier_tells_sessions_apart_by_address_and_port() {
    let mut day = Day::new(Some(43200));
    let line = |verb: &str, client: u8, port: u16| {
        format!("pop3d: {verb}, user=kevin, ip=[::ffff:192.0.2.{client}], port=[{port}]")
    };
    day.log(&line("LOGIN", 1, 4711));
    day.log(&line("LOGIN", 2, 4711));
    day.pass(5_000);
    day.log(&line("LOGOUT", 2, 4711));
    day.pass(5_000);
    assert!(day.may_relay());
    day.log(&line("LOGOUT", 1, 4711));
    day.pass(1800);
    assert!(!day.may_relay());
}
