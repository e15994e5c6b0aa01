//! What an operator decides for all hosts.

use super::{Host, can_run, client};
use crate::support::cases::append;
use crate::support::command::pop_before_smtp;
use crate::support::postgres::Postgres;

#[track_caller]
fn decide(postgres: &Postgres, words: &[&str]) -> String {
    let url = postgres.url("operator");
    let done = pop_before_smtp(&[words, &["--everywhere", "--share-url", &url]].concat());
    assert_eq!(done.code, Some(0), "{done:?}");
    done.stdout
}

#[test]
fn revoke_and_deny_hold_on_all_hosts() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let giver = Host::giver(&postgres, "imap1");
    let mut taker = Host::taker(&postgres, "mx1");
    let hosts = |giver: &Host, taker: &Host, granted: bool, number: u32| {
        giver.wait_until_grants_is(granted, client(number));
        taker.wait_until_grants_is(granted, client(number));
    };
    (1..=4).for_each(|number| giver.log_in(client(number)));
    (1..=4).for_each(|number| hosts(&giver, &taker, true, number));

    decide(&postgres, &["revoke", &client(1).to_string()]);
    hosts(&giver, &taker, false, 1);
    decide(&postgres, &["deny", &format!("{}/31", client(2))]);
    hosts(&giver, &taker, false, 2);
    hosts(&giver, &taker, false, 3);
    assert!(giver.grants(client(4)) && taker.grants(client(4)));
    let denied = taker.ask(&["explain", &client(3).to_string()]);
    assert!(denied.contains("is denied by hand"), "{denied}");

    // It holds over a restart without the database, and a login under it grants nothing.
    assert_eq!(taker.daemon.terminate(), Some(0));
    taker.restart();
    taker.wait_connected();
    giver.log_in(client(2));
    giver.log_in(client(5));
    hosts(&giver, &taker, true, 5);
    assert!(!giver.grants(client(2)) && !taker.grants(client(2)) && !taker.grants(client(1)));

    decide(&postgres, &["deny", "--remove", &format!("{}/31", client(2))]);
    // A revoked address logs in again; so may one that was denied.
    let later = |number: u32| {
        // Stamps tell seconds, and within that of the revocation a login counts as the earlier.
        crate::support::wait_for("the next login to count", crate::support::SOON, || {
            append(&giver.site.log, &crate::support::cases::login_line(client(number)));
            giver.grants(client(number)) && taker.grants(client(number))
        });
    };
    later(2);
    later(1);
}

#[test]
fn what_cannot_be_decided_is_told() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let try_it = |url: &str| pop_before_smtp(&["revoke", "198.18.0.1", "--everywhere", "--share-url", url]);
    let refused = try_it(&postgres.url("giver"));
    assert!(refused.code == Some(69) && refused.stderr.contains("permission denied"), "{refused:?}");
    let none = pop_before_smtp(&["deny", "198.18.0.1", "--everywhere"]);
    assert!(none.code == Some(64) && none.stderr.contains("--share-url"), "{none:?}");
    for url in ["mysql://x/y", "postgresql://db.example.net/x?sslmode=prefer", "postgresql://x@127.0.0.1/y?nonsense=1"]
    {
        let refused = try_it(url);
        assert!(refused.code == Some(69) && refused.stderr.starts_with("error: cannot revoke"), "{refused:?}");
    }
}
