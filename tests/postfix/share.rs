//! A login at a real Dovecot on one host relays through real Postfixes on others, also once the database is gone.

use crate::support::cases::{self, Site, ip};
use crate::support::daemon::Daemon;
use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::postgres::Postgres;
use crate::support::{Need, SOON, require};
use nix::sys::signal::Signal;

#[test]
fn a_login_at_one_host_relays_at_others_with_the_database_and_without() {
    if !require(&[Need::Dovecot, Need::Postgres]) {
        return;
    }
    let (Some(mut mailboxes), Some(first), Some(second)) =
        (Site::new(&cases::SQLITE), Site::new(&cases::LMDB_IN_PLACE), Site::new(&cases::SQLITE_PROXIED))
    else {
        return;
    };
    let mut postgres = Postgres::start();
    let dovecot = Dovecot::start();
    mailboxes.log = dovecot.log();
    let url = postgres.url("host1");
    let start = |site: &Site, name: &str, what: &str| -> Daemon {
        site.daemon(&["--matcher", "dovecot", "--share-url", &url, "--share-name", name, what])
    };
    let mut giver = start(&mailboxes, "imap1", "--share-give");
    let mut takers = [start(&first, "mx1", "--share-take"), start(&second, "mx2", "--share-take")];
    let relays = [first.postfix(), second.postfix()];
    let (v4, v6) = (ip("198.51.100.7"), ip("2001:db8:1::7"));
    for relay in &relays {
        assert!(!relay.may_relay(v4) && !relay.may_relay(v6), "before any login");
    }
    assert!(dovecot.pop3_login(v4, "kevin", PASSWORD));
    assert!(dovecot.imap_login(v6, "anna", PASSWORD));
    for relay in &relays {
        relay.wait_until_relay_is(true, v4, SOON);
        relay.wait_until_relay_is(true, v6, SOON);
    }
    // A database that hangs, and one that is gone: everybody is answered as before, also in the same session.
    let mut session = relays[0].session(v4);
    postgres.send_all(Signal::SIGSTOP);
    relays.iter().for_each(|relay| assert!(relay.may_relay(v4) && !relay.may_relay(ip("198.51.100.8"))));
    postgres.send_all(Signal::SIGCONT);
    postgres.kill9();
    takers.iter().for_each(|taker| taker.wait_logged("cannot use the database"));
    relays.iter().for_each(|relay| assert!(relay.may_relay(v4) && relay.may_relay(v6)));
    assert_eq!(session.rcpt().unwrap(), 250);
    // Started again without it, they still have what they had.
    for (taker, site, name) in [(0, &first, "mx1"), (1, &second, "mx2")] {
        assert_eq!(takers[taker].terminate(), Some(0), "{}", takers[taker].stderr());
        assert!(!relays[taker].may_relay(v4), "after the daemon has stopped");
        site.start_log_anew();
        takers[taker] = start(site, name, "--share-take");
        relays[taker].wait_until_relay_is(true, v4, SOON);
    }
    // What was granted meanwhile comes when the database does.
    let late = ip("198.51.100.9");
    assert!(dovecot.pop3_login(late, "kevin", PASSWORD));
    postgres.start_again();
    relays.iter().for_each(|relay| relay.wait_until_relay_is(true, late, SOON));
    assert_eq!(giver.terminate(), Some(0), "{}", giver.stderr());
    assert!(relays.iter().all(|relay| relay.may_relay(v4)), "the clients are still logged in");
    relays.iter().for_each(|relay| assert_eq!(relay.complaints(), [""; 0]));
}
