//! A login line in the mail log lets the client relay through a real Postfix, for as long as the grace lasts.

use crate::support::cases::{self, Case, Site, ip};
use crate::support::command::{finish, pop_before_smtp};
use crate::support::postfix::{Lookup, Postfix};
use crate::support::{Need, SOON, Scratch, process, require, write_settled};
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

const GRACE: Duration = Duration::from_secs(5);

#[test]
fn postmap_with_a_hash_table() {
    life_of_a_grant(&cases::POSTMAP_HASH);
}

#[test]
fn postmap_with_an_lmdb_table() {
    life_of_a_grant(&cases::POSTMAP_LMDB);
}

#[test]
fn lmdb() {
    life_of_a_grant(&cases::LMDB);
}

#[test]
fn lmdb_in_place() {
    life_of_a_grant(&cases::LMDB_IN_PLACE);
}

#[test]
fn sqlite() {
    life_of_a_grant(&cases::SQLITE);
}

#[test]
fn sqlite_for_a_chrooted_smtpd() {
    life_of_a_grant(&cases::SQLITE_PROXIED);
}

fn life_of_a_grant(case: &'static Case) {
    let Some(site) = Site::new(case) else { return };
    let (v4, v6, stranger) = (ip("198.51.100.7"), ip("2001:db8:1::7"), ip("198.51.100.8"));

    let mut daemon = site.daemon(&["--grace", "5s"]);
    let postfix = site.postfix();
    for client in [v4, v6, stranger] {
        assert!(!postfix.may_relay(client), "{client} before any login");
    }

    let logged_in = Instant::now();
    site.log_in(v4);
    site.log_in(v6);
    postfix.wait_until_relay_is(true, v4, SOON);
    postfix.wait_until_relay_is(true, v6, SOON);
    assert!(!postfix.may_relay(stranger), "another address than those that logged in");

    postfix.wait_until_relay_is(false, v4, GRACE + SOON);
    assert!(logged_in.elapsed() >= GRACE, "the grace was cut short: {:?}", logged_in.elapsed());
    postfix.wait_until_relay_is(false, v6, SOON);
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());

    restart_within_the_grace(&site, &postfix);
    assert_eq!(postfix.complaints(), [""; 0], "{}: what Postfix noticed of all this", case.name);
}

/// SIGTERM takes the grants out of the table; the next start brings back those whose grace is not over.
fn restart_within_the_grace(site: &Site, postfix: &Postfix) {
    let (v4, v6) = (ip("198.51.100.17"), ip("2001:db8:1::17"));
    let mut daemon = site.daemon(&["--grace", "10m"]);
    site.log_in(v4);
    site.log_in(v6);
    postfix.wait_until_relay_is(true, v4, SOON);
    postfix.wait_until_relay_is(true, v6, SOON);
    let expiry = expiry(site, v4);
    let in_ten_minutes = now() + 600;
    assert!(
        (in_ten_minutes - 60..=in_ten_minutes + 1).contains(&expiry),
        "{expiry}, ten minutes from now: {in_ten_minutes}"
    );

    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    for client in [v4, v6] {
        assert!(!postfix.may_relay(client), "{client} after the daemon has stopped");
    }
    let mode = fs::metadata(site.state()).expect("the state file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "mode of {}", site.state().display());

    // Another grace than before: what comes back keeps its own expiry.
    let mut daemon = site.daemon(&["--grace", "20m"]);
    postfix.wait_until_relay_is(true, v4, SOON);
    postfix.wait_until_relay_is(true, v6, SOON);
    assert!(
        self::expiry(site, v4).abs_diff(expiry) <= 1,
        "{} after the restart, {expiry} before",
        self::expiry(site, v4)
    );
    assert!(!site.state().exists(), "the state file is read once");
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    assert!(!postfix.may_relay(v4));
}

/// The table's value for `client`: Unix seconds.
#[track_caller]
fn expiry(site: &Site, client: IpAddr) -> u64 {
    match site.lookup(client) {
        Lookup::Found(value) => value.parse().unwrap_or_else(|_| panic!("not in Unix seconds: {value}")),
        other => panic!("postmap -q {client} {}: {other:?}", site.table()),
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// What `postfix-config` prints for SQLite is a table file that works as it stands.
#[test]
fn the_printed_sqlite_table_file_works() {
    let Some(site) = Site::new(&cases::SQLITE) else { return };
    let printed = pop_before_smtp(&[vec!["postfix-config".to_owned()], site.map_arguments(&[])].concat());
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert!(printed.stdout.contains("permit_auth_destination"), "{}", printed.stdout);
    let setting = |line: &&str| ["dbpath", "query"].iter().any(|name| line.trim_start().starts_with(name));
    let cf: Vec<&str> = printed.stdout.lines().filter(setting).map(str::trim_start).collect();
    assert_eq!(cf.len(), 2, "dbpath and query in {}", printed.stdout);
    write_settled(&site.cf(), &(cf.join("\n") + "\n"));

    let mut daemon = site.daemon(&["--grace", "5s"]);
    let client = ip("198.51.100.7");
    site.log_in_and_wait(client);
    // The row stops matching by itself, also if nobody is there to take it out.
    daemon.kill9();
    crate::support::wait_for("the end of the row", GRACE + SOON, || !site.lists(client));
}

/// The harness itself: tables made by hand, no daemon.
#[test]
fn an_unlisted_client_is_refused_and_a_listed_one_accepted() {
    let needs = [Need::Postfix, Need::Table("hash"), Need::Table("lmdb"), Need::Table("sqlite")];
    if !require(&needs) || !require(&[Need::Program("sqlite3")]) {
        return;
    }
    let dir = Scratch::new();
    let map = dir.join("map").display().to_string();
    fs::write(&map, "198.51.100.7\t1790000000\n2001:db8:1::7\t1790000000\n").unwrap();
    for kind in ["hash", "lmdb"] {
        let postmap = process::program("postmap").unwrap();
        let made = finish(Command::new(postmap).arg(format!("{kind}:{map}")));
        assert_eq!((made.code, made.stderr.as_str()), (Some(0), ""));
    }
    let sql = "CREATE TABLE client (address TEXT PRIMARY KEY, value TEXT);
        INSERT INTO client VALUES ('198.51.100.7', '1790000000'), ('2001:db8:1::7', '1790000000');";
    let made = finish(Command::new("sqlite3").arg(format!("{map}.sqlite")).arg(sql));
    assert_eq!(made.code, Some(0), "{made:?}");
    let cf = format!("dbpath = {map}.sqlite\nquery = SELECT value FROM client WHERE address = '%s'\n");
    write_settled(&dir.join("map.cf"), &cf);

    let tables = [
        (format!("hash:{map}"), false),
        (format!("lmdb:{map}"), true),
        (format!("sqlite:{map}.cf"), false),
        (format!("proxy:sqlite:{map}.cf"), true),
    ];
    for (table, chrooted) in tables {
        let postfix = Postfix::start(&table, chrooted);
        for listed in ["198.51.100.7", "2001:db8:1::7"] {
            assert_eq!(postfix.rcpt(ip(listed)), 250, "{listed} by {table}; {}", postfix.log());
        }
        for unlisted in ["198.51.100.8", "2001:db8:1::8"] {
            assert_eq!(postfix.rcpt(ip(unlisted)), 554, "{unlisted} by {table}; {}", postfix.log());
        }
        let mut session = postfix.session(ip("198.51.100.7"));
        for _ in 0..30 {
            assert_eq!(session.rcpt().unwrap(), 250);
        }
        assert_eq!(postfix.complaints(), [""; 0]);
    }
}

/// The harness itself: a table that cannot be read is seen as such, in the reply code and in Postfix's log.
#[test]
fn a_missing_table_is_noticed() {
    if !require(&[Need::Postfix, Need::Table("hash")]) {
        return;
    }
    let dir = Scratch::new();
    let postfix = Postfix::start(&format!("hash:{}/missing", dir.path().display()), false);
    assert_eq!(postfix.rcpt(ip("198.51.100.7")), 451);
    crate::support::wait_for("a complaint", SOON, || !postfix.complaints().is_empty());
}
