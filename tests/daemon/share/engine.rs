//! The database is away, slow, full, read-only, wrong or lies: hosts keep what they have, and nobody waits for it.

use super::{Host, can_run, client};
use crate::support::command::pop_before_smtp;
use crate::support::postgres::Postgres;
use crate::support::{SOON, wait_for};
use nix::sys::signal::Signal;
use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

/// How long a host may take with a login of its own, whatever the database does.
const PROMPT: Duration = Duration::from_secs(2);

/// A login at a host counts there at once.
#[track_caller]
fn serves(host: &Host, number: u32) {
    let since = Instant::now();
    host.log_in(client(number));
    host.wait_until_grants_is(true, client(number));
    assert!(since.elapsed() < PROMPT, "late by {:?}", since.elapsed());
}

fn status(host: &Host) -> String {
    host.ask(&["status"])
}

#[track_caller]
fn wait_broken(host: &Host, cause: &str) {
    wait_for(&format!("a status with {cause:?}: {}", host.daemon.stderr()), SOON, || {
        let status = status(host);
        status.contains("share:     cannot be used since") && status.contains(cause)
    });
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn a_database_that_is_away_stops_nothing_and_loses_nothing() {
    if !can_run() {
        return;
    }
    let mut postgres = Postgres::start();
    let mut giver = Host::giver(&postgres, "imap1");
    let mut taker = Host::taker(&postgres, "mx1");
    serves(&giver, 1);
    taker.wait_until_grants_is(true, client(1));

    postgres.kill9();
    wait_broken(&giver, "1 wait to be given".strip_prefix("1 ").unwrap());
    wait_broken(&taker, "");
    serves(&giver, 2);
    serves(&taker, 3);
    wait_for("one to wait", SOON, || status(&giver).contains("1 wait to be given"));
    assert!(taker.grants(client(1)), "what was taken stays");
    let metrics = giver.ask(&["status", "--prometheus"]);
    assert!(metrics.contains("pop_before_smtp_share_connected 0\n"), "{metrics}");
    assert!(metrics.contains("pop_before_smtp_share_waiting 1\n"), "{metrics}");

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
    let giver = Host::giver(&postgres, "imap1");
    let taker = Host::taker(&postgres, "mx1");
    serves(&giver, 1);
    taker.wait_until_grants_is(true, client(1));
    postgres.send_all(Signal::SIGSTOP);
    for number in 2..6 {
        serves(&giver, number);
        serves(&taker, number + 10);
    }
    wait_broken(&giver, "no answer within");
    wait_broken(&taker, "no answer within");
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
    let giver = Host::giver(&postgres, "imap1");
    let taker = Host::taker(&postgres, "mx1");
    serves(&giver, 1);
    taker.wait_until_grants_is(true, client(1));
    // Read-only, as a standby is, or a server whose administrator has made it so.
    postgres.sql("ALTER SYSTEM SET default_transaction_read_only = on");
    postgres.sql("SELECT pg_reload_conf()");
    serves(&giver, 2);
    wait_broken(&giver, "read-only");
    assert!(!status(&taker).contains("cannot be used"), "reading goes on");
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
        serves(&giver, 3);
        wait_broken(&giver, "timeout");
        held.join().unwrap();
    });
    taker.wait_until_grants_is(true, client(3));
    // Full: here the tables' quota is a trigger that says what a full disk says.
    postgres.sql(
        "CREATE FUNCTION quota() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$; \
         CREATE TRIGGER quota BEFORE INSERT ON pop_before_smtp.grants EXECUTE FUNCTION quota()",
    );
    serves(&giver, 4);
    wait_broken(&giver, "No space left on device");
    postgres.sql("DROP TRIGGER quota ON pop_before_smtp.grants");
    taker.wait_until_grants_is(true, client(4));
}

#[test]
fn a_database_that_is_not_ours_is_told() {
    if !can_run() {
        return;
    }
    let postgres = Postgres::start();
    let try_it = |url: &str, cause: &str| {
        let host = Host::start(url, "mx1", &["--share-take"]);
        serves(&host, 1);
        wait_broken(&host, cause);
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

/// A server without TLS, or with another's certificate, cannot speak for ours.
#[test]
fn certificates_are_checked() {
    if !can_run() || !crate::support::require(&[crate::support::Need::Program("openssl")]) {
        return;
    }
    let postgres = Postgres::start();
    let dir = crate::support::Scratch::new();
    let make = |name: &str, host: &str| {
        let (key, cert) = (dir.join(&format!("{name}.key")), dir.join(&format!("{name}.crt")));
        let mut openssl = std::process::Command::new("openssl");
        openssl.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ]);
        openssl
            .args([
                "-subj",
                "/CN=db",
                "-addext",
                &format!("subjectAltName={host}"),
                "-addext",
                "basicConstraints=critical,CA:FALSE",
                "-keyout",
            ])
            .arg(&key);
        let made = crate::support::command::finish(openssl.arg("-out").arg(&cert));
        assert_eq!(made.code, Some(0), "{made:?}");
        (key, cert)
    };
    let (key, cert) = make("server", "IP:127.0.0.1");
    let (_, other) = make("other", "IP:127.0.0.1");
    let (wrong_key, wrong) = make("wrong", "DNS:db.example.net");
    let probe = |root: &std::path::Path| {
        let url = format!("{}?sslmode=verify-full&sslrootcert={}", postgres.url("taker"), root.display());
        pop_before_smtp(&["list", "--all", "--share-url", &url])
    };
    assert_eq!(probe(&cert).code, Some(69), "a server without TLS");
    let serve = |key: &std::path::Path, cert: &std::path::Path| {
        for (from, to) in [(key, "server.key"), (cert, "server.crt")] {
            fs::copy(from, postgres.file(to)).unwrap();
            fs::set_permissions(postgres.file(to), fs::Permissions::from_mode(0o600)).unwrap();
            let user = nix::unistd::User::from_name("postgres").unwrap().unwrap();
            nix::unistd::chown(&postgres.file(to), Some(user.uid), Some(user.gid)).unwrap();
        }
        postgres.sql("ALTER SYSTEM SET ssl = on");
        postgres.sql("SELECT pg_reload_conf()");
        wait_for("TLS", SOON, || postgres.sql("SHOW ssl") == "on");
    };
    serve(&key, &cert);
    let listed = probe(&cert);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let refused = probe(&other);
    assert!(refused.code == Some(69) && refused.stderr.to_lowercase().contains("certificate"), "{refused:?}");
    serve(&wrong_key, &wrong);
    wait_for("the other certificate", SOON, || probe(&wrong).stderr.contains("not valid for name"));
    // The password of ~/.pgpass, by its rules, and the rest of a service.
    serve(&key, &cert);
    let (passes, services) = (dir.join("pgpass"), dir.join("services"));
    fs::write(&passes, format!("db:*:*:*:no\n127.0.0.1:{}:postgres:taker:secret\n", postgres.port)).unwrap();
    let service =
        format!("[relay]\nhost=127.0.0.1\nport={}\ndbname=postgres\nuser=taker\nsslmode=require\n", postgres.port);
    fs::write(&services, service + &format!("sslrootcert={}\n", cert.display())).unwrap();
    let list = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pop-before-smtp"));
        command.args(["list", "--all", "--share-url", "postgresql://"]).env("PGSERVICE", "relay");
        crate::support::command::finish(command.env("PGPASSFILE", &passes).env("PGSERVICEFILE", &services))
    };
    fs::set_permissions(&passes, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(list().stderr.contains("others can read the passwords"), "{:?}", list());
    fs::set_permissions(&passes, fs::Permissions::from_mode(0o600)).unwrap();
    wait_for("the list", SOON, || list().code == Some(0));
}

/// After a restore, or a failover to a standby that was behind, what is not there any more is taken back, and givers give
/// again what they still know of.
#[test]
fn after_a_restore_everybody_has_what_the_database_has() {
    if !can_run() {
        return;
    }
    let mut postgres = Postgres::start();
    let taker = Host::taker(&postgres, "mx1");
    let staying = Host::giver(&postgres, "imap1");
    let mut dying = Host::giver(&postgres, "imap2");
    serves(&staying, 1);
    serves(&dying, 2);
    (1..=2).for_each(|number| taker.wait_until_grants_is(true, client(number)));
    postgres.stop();
    postgres.back_up();
    postgres.start_again();
    staying.wait_connected();
    dying.wait_connected();
    serves(&staying, 3);
    serves(&dying, 4);
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
    let giver = Host::giver(&postgres, "imap1");
    let taker = Host::taker(&postgres, "mx1");
    (1..=4).for_each(|number| giver.log_in(client(number)));
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
    postgres.sql("DROP SCHEMA pop_before_smtp CASCADE");
    serves(&giver, 5);
    serves(&taker, 6);
    wait_broken(&giver, "");
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
    let giver = Host::start(&both("host1", "?target_session_attrs=read-write"), "imap1", &["--share-give"]);
    let there = Host::start(&both("host2", "?target_session_attrs=read-write"), "mx1", &["--share-take"]);
    let here = Host::start(&standby.url("host2"), "mx2", &["--share-take"]);
    serves(&giver, 1);
    there.wait_until_grants_is(true, client(1));
    here.wait_until_grants_is(true, client(1));
    // Now it is behind, and what it lacks is known to the giver alone.
    standby.sql("SELECT pg_wal_replay_pause()");
    serves(&giver, 2);
    there.wait_until_grants_is(true, client(2));
    postgres.kill9();
    serves(&giver, 3);
    standby.sql("SELECT pg_wal_replay_resume()");
    standby.sql("SELECT pg_promote()");
    for taker in [&there, &here] {
        (1..=3).for_each(|number| taker.wait_until_grants_is(true, client(number)));
    }
    giver.wait_connected();
}
