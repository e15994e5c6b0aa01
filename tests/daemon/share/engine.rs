//! The database is away, slow, full, read-only, wrong or lies: hosts keep what they have, and nobody waits for it.

use super::{Alone, Host, can_run, client, count, hosts};
use crate::support::postgres::Postgres;
use crate::support::{Need, SOON, require, wait_for};
use nix::sys::signal::Signal;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

#[test]
fn a_database_that_is_away_stops_nothing_and_loses_nothing() {
    if !can_run() {
        return;
    }
    let mut postgres = Postgres::start();
    let (alone, mut giver, mut taker) = hosts(&postgres);

    postgres.kill9();
    giver.wait_broken("1 wait to be given".strip_prefix("1 ").unwrap());
    taker.wait_broken("");
    alone.serves(&giver, 2);
    alone.serves(&taker, 3);
    wait_for("one to wait", SOON, || giver.status().contains("1 wait to be given"));
    assert!(taker.grants(client(1)), "what was taken stays");
    let metrics = giver.ask(&["status", "--prometheus"]);
    assert!(metrics.contains("pop_before_smtp_share_connected 0\n"), "{metrics}");
    assert!(metrics.contains("pop_before_smtp_share_waiting 1\n"), "{metrics}");
    let checked = giver.check();
    assert!(checked.contains("error: cannot use the database of --share-url"), "{checked}");
    let told = "error: the daemon cannot use the database between the hosts since 20";
    assert!(checked.contains(told) && checked.contains("as imap1, 1 grants wait to be given"), "{checked}");

    // Both start again without it, with what they have.
    for host in [&mut giver, &mut taker] {
        assert_eq!(host.daemon.terminate(), Some(0));
        host.restart();
    }
    giver.wait_until_grants_is(true, client(2));
    taker.wait_until_grants_is(true, client(1));

    postgres.start_again();
    taker.wait_until_grants_is(true, client(2));
    giver.wait_connected();
    taker.wait_connected();
    let checked = taker.check();
    assert!(checked.contains("ok: the daemon uses the database between the hosts since 20"), "{checked}");
    assert!(checked.contains("as mx1, 0 grants wait to be given, the others' grants known up to "), "{checked}");
    for host in [&giver, &taker] {
        let log = host.daemon.stderr();
        assert_eq!(count(&log, "cannot use the database"), 1, "{log}");
        assert_eq!(count(&log, "is in use again after"), 1, "{log}");
    }
}

/// A machine that hangs answers no more, and its connections do not end.
#[test]
fn a_database_that_hangs_makes_nobody_late() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let (alone, giver, taker) = hosts(&postgres);
    postgres.send_all(Signal::SIGSTOP);
    for number in 2..6 {
        alone.serves(&giver, number);
        alone.serves(&taker, number + 10);
    }
    giver.wait_broken("no answer within");
    taker.wait_broken("no answer within");
    assert!(taker.grants(client(1)));
    postgres.send_all(Signal::SIGCONT);
    (2..6).for_each(|number| taker.wait_until_grants_is(true, client(number)));
    giver.wait_connected();
}

#[test]
fn a_database_that_cannot_write_is_told_and_waited_for() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let (alone, giver, taker) = hosts(&postgres);
    // Read-only, as a standby is, or a server whose administrator has made it so.
    postgres.sql("ALTER SYSTEM SET default_transaction_read_only = on");
    postgres.sql("SELECT pg_reload_conf()");
    alone.serves(&giver, 2);
    giver.wait_broken("read-only");
    assert!(!taker.status().contains("cannot be used"), "reading goes on");
    postgres.sql("ALTER SYSTEM RESET default_transaction_read_only");
    postgres.sql("SELECT pg_reload_conf()");
    taker.wait_until_grants_is(true, client(2));
    // A lock that an administrator holds: the statement ends after a time, and is tried again.
    let lock = "BEGIN; LOCK TABLE pop_before_smtp.grants IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(12); COMMIT";
    std::thread::scope(|scope| {
        let held = scope.spawn(|| postgres.sql(lock));
        wait_for("the lock", SOON, || {
            postgres.sql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted") != "0"
        });
        alone.serves(&giver, 3);
        giver.wait_broken("timeout");
        held.join().unwrap();
    });
    taker.wait_until_grants_is(true, client(3));
    // Full: here the tables' quota is a trigger that says what a full disk says.
    postgres.sql(
        "CREATE FUNCTION quota() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$; \
         CREATE TRIGGER quota BEFORE INSERT ON pop_before_smtp.grants EXECUTE FUNCTION quota()",
    );
    alone.serves(&giver, 4);
    giver.wait_broken("No space left on device");
    postgres.sql("DROP TRIGGER quota ON pop_before_smtp.grants");
    taker.wait_until_grants_is(true, client(4));
}

#[test]
fn a_database_that_is_not_ours_is_told() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let alone = Alone::start();
    let try_it = |url: &str, cause: &str| {
        let host = Host::start(url, "mx1", &["--share-take"]);
        alone.serves(&host, 1);
        host.wait_broken(cause);
    };
    try_it(&postgres.url("taker").replace("secret", "wrong"), "password authentication failed");
    try_it(&postgres.url("taker").replace("/postgres", "/template1"), "does not exist");
    try_it(&postgres.url("stranger"), "permission denied");
    postgres.sql("UPDATE pop_before_smtp.site SET understood_from = 9, version = 9");
    try_it(&postgres.url("taker"), "of version 9");
    // Whoever has the port, but does not speak or answer.
    let mute = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = mute.local_addr().unwrap().port();
    try_it(&format!("postgresql://taker@127.0.0.1:{port}/x"), "no answer within");
    let babbling = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = babbling.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in babbling.incoming().flatten() {
            let _ = stream.read(&mut [0; 64]);
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    try_it(&format!("postgresql://taker@127.0.0.1:{port}/x"), "");
}

/// Of a host that is gone, or cut off, not even an answer comes that its connections have ended.
#[test]
fn packets_that_are_dropped_make_nobody_late() {
    if !can_run() || !require(&[Need::Mounts, Need::Program("ip"), Need::Program("iptables")]) {
        return;
    }
    // Again in a network of its own, where packets can be dropped.
    if std::env::var_os("OWN_NETWORK").is_none() {
        let mut again = Command::new("unshare");
        again.args(["-n", "sh", "-c", "ip link set lo up && exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
        again.args(["--exact", "share::engine::packets_that_are_dropped_make_nobody_late"]).env("OWN_NETWORK", "1");
        let ran = again.output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
        return;
    }
    let postgres = Postgres::start();
    let (alone, giver, taker) = hosts(&postgres);
    let packets = |words: &[&str]| assert!(Command::new("iptables").args(words).status().unwrap().success());
    let port = postgres.port.to_string();
    packets(&["-A", "INPUT", "-p", "tcp", "--dport", &port, "-j", "DROP"]);
    packets(&["-A", "INPUT", "-p", "tcp", "--sport", &port, "-j", "DROP"]);
    for number in 2..6 {
        alone.serves(&giver, number);
        alone.serves(&taker, number + 10);
    }
    giver.wait_broken("");
    taker.wait_broken("");
    assert!(taker.grants(client(1)));
    packets(&["-F", "INPUT"]);
    (2..6).for_each(|number| taker.wait_until_grants_is(true, client(number)));
    giver.wait_connected();
}

/// After a restore, or a failover to a standby that was behind, what is not there any more is taken back, and givers give
/// again what they still know of.
#[test]
fn after_a_restore_everybody_has_what_the_database_has() {
    if !can_run() {
        return;
    }
    let mut postgres = Postgres::start();
    let alone = Alone::start();
    let taker = Host::taker(&postgres, "mx1");
    let staying = Host::giver(&postgres, "imap1");
    let mut dying = Host::giver(&postgres, "imap2");
    alone.serves(&staying, 1);
    alone.serves(&dying, 2);
    (1..=2).for_each(|number| taker.wait_until_grants_is(true, client(number)));
    postgres.stop();
    postgres.back_up();
    postgres.start_again();
    staying.wait_connected();
    dying.wait_connected();
    alone.serves(&staying, 3);
    alone.serves(&dying, 4);
    (1..=4).for_each(|number| taker.wait_until_grants_is(true, client(number)));
    dying.daemon.kill9();
    postgres.stop();
    postgres.restore();
    postgres.start_again();
    taker.wait_until_grants_is(false, client(4));
    taker.wait_until_grants_is(true, client(3));
    assert!(taker.grants(client(1)) && taker.grants(client(2)), "what the backup has");
}

/// What an administrator does to the tables by hand is seen at once.
#[test]
fn rows_that_somebody_changes_by_hand_are_compared() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let (alone, giver, taker) = hosts(&postgres);
    (2..=4).for_each(|number| giver.log_in(client(number)));
    (1..=4).for_each(|number| taker.wait_until_grants_is(true, client(number)));
    postgres.sql(&format!("DELETE FROM pop_before_smtp.grants WHERE address = '{}'", client(1)));
    taker.wait_until_grants_is(false, client(1));
    postgres.sql(&format!("UPDATE pop_before_smtp.grants SET expires = now() WHERE address = '{}'", client(2)));
    taker.wait_until_grants_is(false, client(2));
    assert!(taker.grants(client(3)));
    postgres.sql("INSERT INTO pop_before_smtp.decisions VALUES ('198.18.0.3/32', 'deny', 'x', now(), 1)");
    taker.wait_until_grants_is(false, client(3));
    postgres.sql("TRUNCATE pop_before_smtp.grants");
    taker.wait_until_grants_is(false, client(4));
    // Columns of other types than the programs know.
    for column in ["site ALTER version", "grants ALTER change"] {
        let change = |kind: &str| {
            postgres.sql(&format!("ALTER TABLE pop_before_smtp.{column} TYPE {kind}"));
            postgres.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pop-before-smtp%'",
            );
        };
        let known = if column.starts_with("site") { "integer" } else { "bigint" };
        change("numeric");
        taker.wait_broken("deserializing");
        alone.serves(&taker, 7);
        change(known);
        taker.wait_connected();
        giver.wait_connected();
    }
    postgres.sql("DROP SCHEMA pop_before_smtp CASCADE");
    alone.serves(&giver, 5);
    alone.serves(&taker, 6);
    giver.wait_broken("");
}

/// Takers read from a standby; when it takes over, everybody goes on with it.
#[test]
fn a_standby_is_read_and_takes_over() {
    if !can_run() {
        return;
    }
    let mut postgres = Postgres::start();
    let standby = postgres.standby();
    let both = |role: &str, more: &str| {
        let (first, second) = (postgres.port, standby.port);
        format!("postgresql://{role}:secret@127.0.0.1:{first},127.0.0.1:{second}/postgres{more}")
    };
    let alone = Alone::start();
    let giver = Host::start(&both("host1", "?target_session_attrs=read-write"), "imap1", &["--share-give"]);
    let there = Host::start(&both("host2", "?target_session_attrs=read-write"), "mx1", &["--share-take"]);
    let here = Host::start(&standby.url("host2"), "mx2", &["--share-take"]);
    alone.serves(&giver, 1);
    there.wait_until_grants_is(true, client(1));
    here.wait_until_grants_is(true, client(1));
    // Now it is behind, and what it lacks is known to the giver alone.
    standby.sql("SELECT pg_wal_replay_pause()");
    alone.serves(&giver, 2);
    there.wait_until_grants_is(true, client(2));
    postgres.kill9();
    alone.serves(&giver, 3);
    standby.sql("SELECT pg_wal_replay_resume()");
    standby.sql("SELECT pg_promote()");
    for taker in [&there, &here] {
        (1..=3).for_each(|number| taker.wait_until_grants_is(true, client(number)));
    }
    giver.wait_connected();
}
