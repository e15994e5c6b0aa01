//! The database is away, slow, full, read-only, wrong or lies: hosts keep what they have, and nobody waits for it.

use super::{Host, can_run, client};
use crate::support::postgres::Postgres;
use crate::support::{Need, SOON, Scratch, require, wait_for};
use nix::sys::signal::Signal;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
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
    let giver = Host::giver(&postgres, "imap1");
    let taker = Host::taker(&postgres, "mx1");
    serves(&giver, 1);
    taker.wait_until_grants_is(true, client(1));
    let packets = |words: &[&str]| assert!(Command::new("iptables").args(words).status().unwrap().success());
    let port = postgres.port.to_string();
    packets(&["-A", "INPUT", "-p", "tcp", "--dport", &port, "-j", "DROP"]);
    packets(&["-A", "INPUT", "-p", "tcp", "--sport", &port, "-j", "DROP"]);
    for number in 2..6 {
        serves(&giver, number);
        serves(&taker, number + 10);
    }
    wait_broken(&giver, "");
    wait_broken(&taker, "");
    assert!(taker.grants(client(1)));
    packets(&["-F", "INPUT"]);
    (2..6).for_each(|number| taker.wait_until_grants_is(true, client(number)));
    giver.wait_connected();
}

/// A file system so small that it is soon full.
struct Disk(Scratch);

impl Disk {
    fn mount() -> Self {
        let at = Scratch::new();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "pop-before-smtp-test"]).arg(at.path());
        assert!(mount.status().unwrap().success(), "cannot mount a tmpfs");
        Self(at)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn a_database_whose_disk_is_full_is_waited_for() {
    if !can_run() || !require(&[Need::Mounts]) {
        return;
    }
    let disk = Disk::mount();
    let user = nix::unistd::User::from_name("postgres").unwrap().unwrap();
    nix::unistd::chown(disk.0.path(), Some(user.uid), Some(user.gid)).unwrap();
    let postgres = Postgres::start();
    postgres.sql(&format!("CREATE TABLESPACE small LOCATION '{}'", disk.0.path().display()));
    postgres.sql("ALTER TABLE pop_before_smtp.grants SET TABLESPACE small");
    let giver = Host::giver(&postgres, "imap1");
    let taker = Host::taker(&postgres, "mx1");
    serves(&giver, 1);
    taker.wait_until_grants_is(true, client(1));
    let mut rest = File::create(disk.0.join("rest")).unwrap();
    while rest.write_all(&[0; 4096]).is_ok() {}
    // More than there is room for in what the table has already.
    (2..300).for_each(|number| giver.log_in(client(number)));
    giver.wait_until_grants_is(true, client(299));
    wait_broken(&giver, "No space left on device");
    serves(&giver, 300);
    serves(&taker, 301);
    assert!(taker.grants(client(1)) && !status(&taker).contains("cannot be used"), "reading goes on");
    fs::remove_file(disk.0.join("rest")).unwrap();
    drop(rest);
    (2..=300).step_by(60).chain([300]).for_each(|number| taker.wait_until_grants_is(true, client(number)));
    wait_for("all of them", SOON, || taker.count() == 301);
    drop(postgres);
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
