//! `list`, `explain` and `status`, with a daemon and without.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::site::{ask, daemon, log_in_as, object, objects, run, socket, told, why};
use crate::support::cases::{self, Case, Site, append, ip};
use crate::support::daemon::Daemon;
use crate::support::postfix::Lookup;
use crate::support::{SOON, wait_for};

const CASES: [&Case; 4] = [&cases::POSTMAP_HASH, &cases::LMDB, &cases::LMDB_IN_PLACE, &cases::SQLITE];

/// `tail` does not tell where it reads.
#[test]
fn explain_shows_the_line_also_behind_tail_and_a_rotation() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let _daemon = site.daemon(&["--source", "tail"]);
    for (client, rotated) in
        [("198.51.100.1", false), ("198.51.100.2", false), ("198.51.100.3", true), ("198.51.100.4", false)]
    {
        if rotated {
            fs::rename(&site.log, site.join("maillog.1")).unwrap();
            fs::write(&site.log, "").unwrap();
        }
        let offset = fs::metadata(&site.log).unwrap().len();
        log_in_as(&site, "alice", ip(client));
        site.wait_listed(ip(client));
        let explained = object(&site, &["explain", client, "--json"]);
        assert_eq!(explained["offset"], json!(offset), "{explained}");
        assert!(explained["line"].as_str().is_some_and(|line| line.contains(client)), "{explained}");
    }
}

#[test]
fn list_and_explain_tell_whose_login_it_was_and_what_postfix_is_told() {
    for case in CASES {
        let Some(site) = Site::new(case) else { continue };
        let mut daemon = daemon(&site, &[]);
        let (v4, v6) = (ip("198.51.100.1"), ip("2001:db8::1"));
        let offset = fs::metadata(&site.log).unwrap().len();
        log_in_as(&site, "alice", v4);
        log_in_as(&site, "bob\u{202e}\u{9b}", v6);
        site.wait_listed(v4);
        site.wait_listed(v6);

        let text = told(&site, &["list"]);
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["ADDRESS", "EXPIRES", "SINCE", "MATCHER", "USER"]);
        assert_eq!((lines[1][0], lines[1][3], lines[1][4]), ("198.51.100.1", "dovecot", "alice"), "{text}");
        assert_eq!((lines[2][0], lines[2][4]), ("2001:db8::1", r"bob\u{202e}\u{9b}"), "{text}");
        let clients = objects(&site, &["list", "--json"]);
        assert_eq!(
            (clients.len(), &clients[0]["address"], &clients[0]["user"]),
            (2, &json!("198.51.100.1"), &json!("alice"))
        );
        let (since, expires) = (clients[0]["since"].as_u64().unwrap(), clients[0]["expires"].as_u64().unwrap());
        assert!((1800..=1801).contains(&(expires - since)), "{clients:?}");

        let answer = match site.lookup(v4) {
            Lookup::Found(answer) => answer,
            other => panic!("{other:?}"),
        };
        let explained = object(&site, &["explain", "198.51.100.1", "--json"]);
        for (member, expected) in [
            ("granted", json!(true)),
            ("why", json!("login")),
            ("user", json!("alice")),
            ("matcher", json!("dovecot")),
            ("log", json!(site.log)),
            ("offset", json!(offset)),
            ("answer", json!(answer)),
        ] {
            assert_eq!(explained[member], expected, "{}: {member} of {explained}", case.name);
        }
        let text = told(&site, &["explain", "::ffff:198.51.100.1"]);
        assert!(text.contains("198.51.100.1 may relay until ") && text.contains("user=<alice>"), "{text}");
        assert!(text.contains(&format!(" answers {answer}, which is OK\n")), "{text}");

        assert_eq!(why(&site, ip("127.0.0.1")), "not-a-client");
        assert_eq!(why(&site, ip("198.51.100.2")), "no-login");
        fs::rename(&site.log, site.join("maillog.2")).unwrap();
        fs::write(&site.log, "").unwrap();
        let text = told(&site, &["explain", "198.51.100.1"]);
        assert!(text.contains("line: not there any more"), "{text}");
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
        assert!(!socket(&site).exists(), "{}", case.name);
    }
}

#[test]
fn the_status_counts() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let daemon = daemon(&site, &["--grace", "1h", "--entries", "7", "--skip-networks", "10.0.0.0/8"]);
    site.log_in_and_wait(ip("198.51.100.1"));
    let status = object(&site, &["status", "--json"]);
    for (member, expected) in [
        ("pid", json!(daemon.pid())),
        ("backend", json!("lmdb")),
        ("map", json!(site.map())),
        ("grace", json!(3600)),
        ("grants", json!(1)),
        ("capacity", json!(7)),
        ("publishes", json!(2)),
        ("failed_publishes", json!(0)),
        ("published", json!(true)),
        ("last_error", json!(null)),
        ("control", json!({"requests": 1, "bad": 0, "refused": 0, "dropped": 0})),
    ] {
        assert_eq!(status[member], expected, "{member} of {status}");
    }
    assert_eq!(status["sources"][0]["name"], json!(site.log));
    let counters = status["sources"][0]["counters"].as_array().unwrap();
    for counter in [
        json!({"name": "lines", "label": null, "value": 2}),
        json!({"name": "granted", "label": null, "value": 1}),
        json!({"name": "logins", "label": ["matcher", "dovecot"], "value": 1}),
    ] {
        assert!(counters.contains(&counter), "{counter}: {counters:?}");
    }
    assert_eq!(status["sources"][0]["offset"], json!(fs::metadata(&site.log).unwrap().len()));
    let text = told(&site, &["status"]);
    assert!(text.contains(", last login "), "{text}");
    assert!(text.contains("grants:    1 of 7, each for 1 h 0 min\n") && text.contains("2 requests"), "{text}");
    let explained = run(&site, &["explain", "10.1.2.3"]);
    assert!(explained.stdout.contains("10.1.2.3 has no grant: 10.0.0.0/8 is never published"), "{explained:?}");
}

#[test]
fn the_status_tells_what_each_log_has_brought() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let _daemon = daemon(&site, &["--skip-networks", "10.0.0.0/8", "--max-users-per-address", "1"]);
    told(&site, &["deny", "192.0.2.0/24"]);
    for (user, client) in [
        ("a", "127.0.0.1"),
        ("a", "10.0.0.1"),
        ("a", "10.0.0.2"),
        ("a", "192.0.2.1"),
        ("a", "198.51.100.1"),
        ("b", "198.51.100.1"),
        ("a", "198.51.100.2"),
        ("a", "198.51.100.2"),
    ] {
        log_in_as(&site, user, ip(client));
    }
    append(&site.log, "2026-11-22T16:00:00Z mail dovecot: imap-login: Login done: user=<a>, rip=198.51.100.9");
    site.log_in_and_wait(ip("198.51.100.3"));
    let status = object(&site, &["status", "--json"]);
    let counters = status["sources"][0]["counters"].as_array().unwrap();
    let count = |name: &str, kind: &str| {
        let is = |counter: &&Value| counter["name"] == name && (kind.is_empty() || counter["label"][1] == kind);
        counters.iter().find(is).map(|counter| counter["value"].as_u64().unwrap())
    };
    for (name, kind, expected) in [
        ("dropped", "", 0),
        ("unmatched", "", 1),
        ("logins", "dovecot", 9),
        ("logouts", "", 0),
        ("granted", "", 3),
        ("extended", "", 1),
        ("refused", "not-a-client", 1),
        ("refused", "skip-networks", 2),
        ("refused", "denied", 1),
        ("refused", "shared", 1),
    ] {
        assert_eq!(count(name, kind), Some(expected), "{name} {kind} of {status}");
    }
    assert_eq!(count("refused", "revoked"), None, "{status}");
    let last = |what: &str| status["sources"][0][what].as_i64().unwrap();
    let now = jiff::Timestamp::now().as_second();
    assert!((now - 60..=now + 1).contains(&last("last_login")) && last("last_line") == last("last_login"), "{status}");
    // What the log began with may be read, too.
    assert!(count("lines", "").unwrap() >= 10, "{status}");
    let text = told(&site, &["status"]);
    assert!(text.contains(" 9 logins dovecot\n"), "{text}");
    assert!(text.contains("           last line 20") && text.contains(", last login 20"), "{text}");
    let metrics = told(&site, &["status", "--prometheus"]);
    for name in ["last_line", "last_login"] {
        let sample = format!("pop_before_smtp_log_{name}_timestamp_seconds{{source=");
        let value = format!("}} {}", last(name));
        assert!(metrics.lines().any(|line| line.starts_with(&sample) && line.ends_with(&value)), "{metrics}");
    }
    let name = "pop_before_smtp_log_refused_total{source=";
    assert!(metrics.lines().any(|line| line.starts_with(name) && line.ends_with(",reason=\"shared\"} 1")), "{metrics}");
}

#[test]
fn a_failed_publish_is_told() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let _daemon = daemon(&site, &[]);
    let granted = ip("198.51.100.1");
    site.log_in_and_wait(granted);
    // In the way of the next table, also for root.
    let aside = site.map().with_extension("new.lmdb");
    fs::create_dir(&aside).unwrap();
    fs::write(aside.join("file"), "").unwrap();
    let failed = run(&site, &["revoke", "198.51.100.1"]);
    assert_eq!(failed.code, Some(75), "{failed:?}");
    let said = "error: cannot bring revoke 198.51.100.1 into the table yet: cannot write ";
    assert!(failed.stderr.starts_with(said) && failed.stderr.contains("the daemon goes on trying"), "{failed:?}");
    let status = object(&site, &["status", "--json"]);
    assert_eq!((&status["published"], &status["grants"]), (&json!(false), &json!(0)), "{status}");
    assert!(status["failed_publishes"].as_u64() > Some(0), "{status}");
    assert!(status["last_error"].as_str().is_some_and(|error| failed.stderr.contains(error)), "{status}");
    assert!(site.lists(granted), "else nothing has failed");
    assert_eq!(why(&site, granted), "revoked");
    let explained = told(&site, &["explain", "198.51.100.1"]);
    assert!(explained.contains(" answers "), "Postfix still hears the old: {explained}");
    fs::remove_dir_all(&aside).unwrap();
    wait_for("the next attempt", SOON, || !site.lists(granted));
    assert_eq!(object(&site, &["status", "--json"])["published"], json!(true));
}

#[test]
fn without_a_daemon_the_table_is_read() {
    for case in CASES {
        let Some(site) = Site::new(case) else { continue };
        let mut daemon = daemon(&site, &[]);
        site.log_in_and_wait(ip("198.51.100.1"));
        daemon.kill9();
        assert!(socket(&site).exists(), "else this is no test of a dead socket");
        let listed = told(&site, &["list"]);
        assert!(listed.starts_with("198.51.100.1\t") && listed.lines().count() == 1, "{listed}");
        let clients = objects(&site, &["list", "--json"]);
        assert_eq!((&clients[0]["address"], &clients[0]["user"]), (&json!("198.51.100.1"), &json!(null)));
        assert_eq!(why(&site, ip("198.51.100.1")), "table");
        assert_eq!(why(&site, ip("198.51.100.2")), "no-login");
        for words in [&["status"][..], &["grant", "198.51.100.2"]] {
            let refused = run(&site, words);
            assert_eq!(refused.code, Some(69), "{refused:?}");
            assert!(refused.stderr.contains("pop-before-smtp.control; start it, or name its socket"), "{refused:?}");
        }
        // The next daemon takes the place.
        let _next = super::site::daemon(&site, &[]);
        assert_eq!(object(&site, &["status", "--json"])["grants"], json!(1));
    }
}

#[test]
fn what_is_no_address_is_refused() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    for words in
        [&["explain", "mail.example.net"][..], &["revoke", "192.0.2.0/24"], &["grant", "x\x1b"], &["deny", "192.0.2"]]
    {
        let refused = run(&site, words);
        assert_eq!(refused.code, Some(64), "{refused:?}");
        assert!(refused.stderr.contains("; write it like 192.0.2.1"), "{refused:?}");
        assert!(!refused.stderr.contains('\x1b'), "{refused:?}");
    }
    for time in ["8d", "0", "soon"] {
        assert_eq!(run(&site, &["grant", "192.0.2.1", "--for", time]).code, Some(64), "{time}");
    }
}

#[test]
fn a_socket_of_somebody_else_is_left_alone() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let path = site.join("control");
    let named = path.display().to_string();
    let living = UnixListener::bind(&path).unwrap();
    for what in ["another daemon serves it", "there is something else"] {
        let mut refused = Daemon::start(&site.arguments(&["--control", &named]));
        assert_eq!(refused.wait(), Some(73), "{}", refused.stderr());
        assert!(refused.stderr().contains(what), "{}", refused.stderr());
        drop(fs::remove_file(&path));
        fs::write(&path, "a file").unwrap();
    }
    drop(living);
    assert_eq!(fs::read(&path).unwrap(), b"a file");
    // A dead one is replaced.
    fs::remove_file(&path).unwrap();
    drop(UnixListener::bind(&path).unwrap());
    let mut daemon = daemon(&site, &["--control", &named]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(object(&site, &["status", "--json", "--control", &named])["pid"].as_i64() == Some(daemon.pid().into()));
    assert_eq!(run(&site, &["status"]).code, Some(69), "nobody listens at the usual place");
    // Somebody else's in its place stays, too.
    fs::remove_file(&path).unwrap();
    fs::write(&path, "a file").unwrap();
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    assert_eq!(fs::read(&path).unwrap(), b"a file");
}

/// It is told what helps, and a daemon that is to come in its place leaves its socket alone.
#[test]
fn a_daemon_that_is_stopped_is_waited_for_with_a_limit() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let path = site.join("control").display().to_string();
    let named = ["--control", path.as_str()];
    let mut daemon = daemon(&site, &named);
    daemon.send(Signal::SIGSTOP);
    let told = run(&site, &[&["status"], &named[..]].concat());
    assert_eq!(told.code, Some(75), "{told:?}");
    let text =
        format!("error: cannot ask the daemon at {path}: it says nothing for 20 s; try again; if it stays so, see ");
    assert!(told.stderr.starts_with(&text) && told.stderr.contains("kill -CONT"), "{told:?}");
    let Some(other) = Site::new(&cases::LMDB) else { return };
    let mut second = Daemon::start(&other.arguments(&named));
    assert_eq!(second.wait(), Some(73), "{}", second.stderr());
    assert!(second.stderr().contains("another daemon serves it"), "{}", second.stderr());
    daemon.send(Signal::SIGCONT);
    assert_eq!(object(&site, &[&["status", "--json"], &named[..]].concat())["grants"], json!(0));
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

#[test]
fn no_socket_is_no_socket() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    append(&site.log, "a line");
    let once = crate::support::command::pop_before_smtp(&site.arguments(&["--once"]));
    assert_eq!(once.code, Some(0), "{once:?}");
    let mut daemon = daemon(&site, &["--control="]);
    let sockets =
        fs::read_dir(site.map_dir()).unwrap().filter(|entry| entry.as_ref().unwrap().file_type().unwrap().is_socket());
    assert_eq!(sockets.count(), 0);
    // Whoever would change the files behind its back is told.
    let refused = run(&site, &["deny", "192.0.2.1"]);
    assert_eq!(refused.code, Some(75), "{refused:?}");
    assert!(refused.stderr.contains("name its control socket with --control"), "{refused:?}");
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

#[test]
fn the_protocol_is_one_line_and_an_answer_with_an_end() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let _daemon = daemon(&site, &[]);
    site.log_in_and_wait(ip("198.51.100.1"));
    let answer = ask(&site, b"\"list\"\n");
    assert_eq!(answer.len(), 2, "{answer:?}");
    assert!(answer[0].starts_with(r#"{"client":{"address":"198.51.100.1","user":"kevin","#), "{answer:?}");
    assert_eq!(answer[1], r#"{"end":{"lines":1}}"#);
    assert_eq!(ask(&site, b"\"denied\"\r\n"), [r#"{"end":{"lines":0}}"#]);
    let refused = ask(&site, b"{\"explain\":\"host\"}\n");
    assert!(refused[0].starts_with(r#"{"failure":{"exit":64,"#), "{refused:?}");
    assert_eq!(ask(&site, b"\"list\""), [""; 0], "half a line is no request");
}
