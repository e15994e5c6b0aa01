#![allow(clippy::unwrap_used)]
//! Each number of a few minutes of which all is known.

use super::*;
use crate::report::summary::{Coverage, Summary};

const CLIENT: &str = "198.51.100.7";
const MINUTE: u64 = 60;

/// Minutes of one day, and what happens in them.
struct Site(Report);

impl Site {
    fn new(hold: Option<Duration>) -> Self {
        Self(Report::new(Settings {
            grace: Duration::from_secs(30 * MINUTE),
            entries: NonZeroUsize::new(10).unwrap(),
            hold,
            networks: Networks::default(),
            since: None,
            until: None,
            zone: TimeZone::UTC,
        }))
    }

    fn login(&mut self, minute: u64, client: &str, session: Option<u64>) {
        self.0.login(minute * MINUTE, client.parse().unwrap(), Some(b"kevin"), session.map(SessionId::of));
    }

    fn logout(&mut self, minute: u64, session: u64) {
        self.0.logout(minute * MINUTE, Some(SessionId::of(session)));
    }

    fn told(&mut self, minute: u64, text: &str) {
        self.0.told(minute * MINUTE, told::read(text.as_bytes()).unwrap());
    }

    fn line(&mut self, minute: u64, program: &str, message: &str) {
        let line = postfix::read((b"", program.as_bytes()), message.as_bytes());
        self.0.postfix(b"mx", minute * MINUTE, &line);
    }

    /// A client hands in a message, which leaves at once.
    fn relay(&mut self, minute: u64, client: &str) {
        self.line(minute, "smtpd", &format!("4A001: client=x[{client}]"));
        let to = "to=<a@b>, relay=mx[192.0.2.9]:25, delay=1, dsn=2.0.0, status=sent (250 ok)";
        self.line(minute, "smtp", &format!("4A001: {to}"));
        self.line(minute, "qmgr", "4A001: removed");
    }

    fn refuse(&mut self, minute: u64, client: &str) {
        let reply = "554 5.7.1 <a@b>: Relay access denied; from=<c@d> to=<a@b> proto=SMTP helo=<h>";
        self.line(minute, "smtpd", &format!("NOQUEUE: reject: RCPT from x[{client}]: {reply}"));
    }

    fn finish(self, minute: u64) -> Summary {
        self.0.finish(Coverage { last: Some(minute * MINUTE), ..Coverage::default() })
    }
}

/// Of each grace: relays refused, refusals avoided, refusals too late by a quarter of an hour, minutes open.
fn graces(summary: &Summary) -> Vec<[u64; 4]> {
    let row = |row: &GraceRow| [row.relays_refused, row.refusals_avoided, row.refusals_soon_after, row.address_minutes];
    summary.grace.rows.iter().map(row).collect()
}

#[test]
fn graces_are_compared() {
    let mut site = Site::new(None);
    site.login(1000, CLIENT, None);
    [1004, 1007, 1020].iter().for_each(|&minute| site.relay(minute, CLIENT));
    [1035, 1036, 1110].iter().for_each(|&minute| site.refuse(minute, CLIENT));
    let found = site.finish(2000);
    assert_eq!((found.totals.by_grant, found.totals.refused, found.totals.refused_with_grant), (3, 3, 0));
    // Of 5, 10, 15, 30, 60, 120 minutes. The second refusal is the first once more.
    assert_eq!(
        graces(&found),
        [[2, 0, 0, 5], [1, 0, 0, 10], [1, 0, 0, 15], [0, 0, 1, 30], [0, 1, 0, 60], [0, 2, 0, 120]]
    );
    let [sender] = &found.addresses[..] else { panic!("{found:?}") };
    assert_eq!((sender.age_mean, sender.age_max, sender.without_login), ((4 + 7 + 20) * 60 / 3, 1200, 0));
}

#[test]
fn grants_that_give_way_in_a_full_ring_are_told() {
    let mut site = Site::new(None);
    (0..12).for_each(|host| site.login(1000, &format!("192.0.2.{host}"), None));
    ["192.0.2.1", "192.0.2.2"].iter().for_each(|client| site.relay(1001, client));
    let found = site.finish(2000);
    assert_eq!((found.coverage.evicted_grants, found.totals.by_grant, found.totals.unexplained), (2, 1, 1));
}

#[test]
fn an_open_session_holds_its_grant() {
    for (hold, expected) in [(None, [1, 2]), (Some(Duration::from_secs(3600 * 12)), [3, 0])] {
        let mut site = Site::new(hold);
        site.login(1000, CLIENT, Some(1));
        [1010, 1100].iter().for_each(|&minute| site.relay(minute, CLIENT));
        site.logout(1110, 1);
        site.relay(1130, CLIENT);
        let found = site.finish(1200);
        assert_eq!([found.totals.by_grant, found.totals.unexplained], expected, "{hold:?}");
        if hold.is_some() {
            // All the time of the session, and each grace behind it; a grant of 5 minutes would have been held as well.
            assert_eq!(graces(&found)[0], [1, 0, 0, 115]);
            assert_eq!(graces(&found)[3], [0, 0, 0, 140]);
        } else {
            assert_eq!(found.unexplained.iter().map(|client| client.messages).collect::<Vec<_>>(), [2]);
        }
    }
}

#[test]
fn a_session_without_an_end_is_held_no_longer_than_the_longest() {
    let mut site = Site::new(Some(Duration::from_secs(3600)));
    site.login(1000, CLIENT, Some(1));
    [1050, 1100, 100_000].iter().for_each(|&minute| site.relay(minute, CLIENT));
    assert_eq!(site.finish(100_000).totals.by_grant, 1);
}

#[test]
fn the_daemon_tells_of_grants_that_no_login_shows() {
    let mut site = Site::new(None);
    for (client, text) in [
        ("192.0.2.1", "grant 192.0.2.1, by hand of user 0, process 7; grants ended: 0"),
        ("192.0.2.2", "granted 192.0.2.2 until 2026-11-30T20:00:00+01:00, user kevin, share:mx2@db:/var/log/mail.log"),
        ("192.0.2.3", "granted 192.0.2.3 until 2026-11-30T20:00:00+01:00, dovecot, user kevin"),
    ] {
        site.told(1000, text);
        site.relay(1050, client);
        site.told(1100, &format!("expired {client}"));
        site.relay(1101, client);
    }
    let found = site.finish(2000);
    let Totals { by_grant, by_grant_by_hand, by_grant_of_other_hosts, by_grant_told, unexplained, .. } = found.totals;
    assert_eq!((by_grant, by_grant_by_hand, by_grant_of_other_hosts, by_grant_told, unexplained), (3, 1, 1, 1, 3));
    assert!(found.addresses.iter().all(|sender| sender.without_login == 1 && sender.age_max == 0));
    assert!(graces(&found).iter().all(|row| row[0] == 0), "no grace would refuse them");
}

#[test]
fn what_an_operator_took_away_is_no_grant() {
    let mut site = Site::new(None);
    site.login(1000, CLIENT, None);
    site.told(1001, &format!("revoke {CLIENT}, by hand of user 0, process 7; grants ended: 1"));
    site.relay(1002, CLIENT);
    site.told(1003, "deny 198.51.100.0/24, by hand of user 0, process 7; grants ended: 0");
    site.login(1004, CLIENT, None);
    site.relay(1005, CLIENT);
    site.told(1006, "allow 198.51.100.0/24, by hand of user 0, process 7; grants ended: 0");
    site.login(1007, CLIENT, None);
    site.relay(1008, CLIENT);
    let totals = site.finish(2000).totals;
    assert_eq!((totals.by_grant, totals.unexplained, totals.logins, totals.logins_never_published), (1, 2, 3, 1));
}

#[test]
fn a_wrong_stamp_makes_no_strip_of_half_a_century() {
    let mut site = Site::new(None);
    for minute in [1000, 30_000_000] {
        site.login(minute, CLIENT, None);
        site.relay(minute, CLIENT);
    }
    let found = site.finish(30_000_000);
    assert_eq!((found.days.len(), found.addresses[0].days.len()), (1000, 1000));
    assert_eq!((found.addresses[0].messages, found.addresses[0].days.iter().sum::<u64>()), (2, 1));
}
