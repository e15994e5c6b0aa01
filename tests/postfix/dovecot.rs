//! A real login at a real Dovecot lets the client relay through a real Postfix.

use crate::check::clinic::rival;
use crate::support::cases::{self, Site, ip};
use crate::support::dovecot::{Dovecot, PASSWORD, PROXY};
use crate::support::{Need, SOON, require};

/// The harness itself: Dovecot accepts and refuses, and logs the address that the PROXY header gave it.
#[test]
fn dovecot_logs_the_address_it_was_told() {
    if !require(&[Need::Dovecot]) {
        return;
    }
    let dovecot = Dovecot::start();
    assert!(dovecot.pop3_login(ip("198.51.100.7"), "kevin", PASSWORD));
    dovecot.wait_logged(&["pop3-login: Info: Login: user=<kevin>", "rip=198.51.100.7,"]);
    assert!(dovecot.imap_login(ip("2001:db8:1::7"), "anna", PASSWORD));
    dovecot.wait_logged(&["imap-login: Info: Login: user=<anna>", "rip=2001:db8:1::7,"]);
    assert!(!dovecot.pop3_login(ip("198.51.100.66"), "kevin", "wrong"));
    dovecot.wait_logged(&["pop3-login: Info: Disconnected: ", "auth failed", "rip=198.51.100.66,"]);
}

/// What docs/servers.md says of proxies: a trusted host is believed where its client is, another is not.
#[test]
fn behind_a_proxy_the_client_is_where_a_trusted_host_says() {
    if !require(&[Need::Dovecot]) {
        return;
    }
    // `check` warns of this setting wherever a Dovecot runs with it.
    let _rival = rival();
    let dovecot = Dovecot::start_trusting(PROXY);
    dovecot.pop3_login_for(ip(PROXY), "198.51.100.71", "pop");
    dovecot.wait_logged(&["pop3-login: Info: Login: user=<pop>", "rip=198.51.100.71,"]);
    dovecot.imap_login_for(ip(PROXY), "198.51.100.72", "imap");
    dovecot.wait_logged(&["imap-login: Info: Login: user=<imap>", "rip=198.51.100.72,"]);
    dovecot.pop3_login_for(ip("198.51.100.73"), "203.0.113.66", "liar");
    dovecot.wait_logged(&["pop3-login: Info: Login: user=<liar>", "rip=198.51.100.73,"]);
    dovecot.imap_login_for(ip("198.51.100.74"), "203.0.113.66", "other");
    dovecot.wait_logged(&["imap-login: Info: Login: user=<other>", "rip=198.51.100.74,"]);
    let log = std::fs::read_to_string(dovecot.log()).unwrap();
    let mut matchers = pop_before_smtp::matcher::Matchers::all();
    let now = pop_before_smtp::time::Timestamp::default();
    let login = |line: &str| {
        let event = matchers.event(now, line.as_bytes())?;
        (event.action == pop_before_smtp::matcher::Action::Login).then(|| event.client.to_string())
    };
    let clients: Vec<_> = log.lines().filter_map(login).collect();
    assert_eq!(clients, ["198.51.100.71", "198.51.100.72", "198.51.100.73", "198.51.100.74"]);
}

#[test]
fn a_pop3_login_lets_the_client_relay() {
    a_login_lets_the_client_relay(Dovecot::pop3_login);
}

#[test]
fn an_imap_login_lets_the_client_relay() {
    a_login_lets_the_client_relay(Dovecot::imap_login);
}

fn a_login_lets_the_client_relay(log_in: fn(&Dovecot, std::net::IpAddr, &str, &str) -> bool) {
    if !require(&[Need::Dovecot]) {
        return;
    }
    let Some(mut site) = Site::new(&cases::LMDB) else { return };
    let (v4, v6, failing) = (ip("198.51.100.7"), ip("2001:db8:1::7"), ip("198.51.100.66"));
    let dovecot = Dovecot::start();
    site.log = dovecot.log();
    let mut daemon = site.daemon(&["--matcher", "dovecot"]);
    let postfix = site.postfix();
    assert!(!postfix.may_relay(v4), "before any login");

    // The failed one goes first: once a later login is seen, it has been seen too.
    assert!(!log_in(&dovecot, failing, "kevin", "wrong"));
    dovecot.wait_logged(&["auth failed", "rip=198.51.100.66,"]);
    assert!(log_in(&dovecot, v4, "kevin", PASSWORD));
    postfix.wait_until_relay_is(true, v4, SOON);
    assert!(!postfix.may_relay(failing), "a failed login");

    assert!(!postfix.may_relay(v6), "before its login");
    assert!(log_in(&dovecot, v6, "anna", PASSWORD));
    postfix.wait_until_relay_is(true, v6, SOON);

    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    assert!(!postfix.may_relay(v4), "after the daemon has stopped");
    assert_eq!(postfix.complaints(), [""; 0]);
}
