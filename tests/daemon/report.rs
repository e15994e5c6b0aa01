//! `report` on logs that were kept: numbers, forms of files, the page.

use crate::support::cases::{self, Site, ip, stamp_now};
use crate::support::command::{Finished, finish};
use crate::support::daemon::PROGRAM;
use crate::support::journal::{self, Journal};
use crate::support::past::{RFC_3339, stamp};
use crate::support::{Need, SOON, Scratch, require, wait_for};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program in a directory, without this machine's Postfix and in one time zone.
#[track_caller]
pub(crate) fn report(directory: &Path, arguments: &[&str]) -> Finished {
    let mut command = Command::new(PROGRAM);
    command.env("TZ", "UTC").env("MAIL_CONFIG", "/nonexistent").current_dir(directory);
    finish(command.args(["--matcher", "dovecot", "report"]).args(arguments))
}

fn json(done: &Finished) -> Value {
    assert_eq!(done.code, Some(0), "{done:?}");
    serde_json::from_str(&done.stdout).unwrap()
}

fn fixture() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/report/loopback"].iter().collect()
}

/// tests/postfix/report.rs has made these logs and compared each number with what it did.
#[test]
fn the_numbers_of_a_real_log_stay_the_same() {
    let found = report(&fixture(), &["--format", "json", "mail.log", "dovecot.log", "own.log"]);
    let found: Value = json(&found);
    let known = fixture().join("expected.json");
    if std::env::var_os("RENEW").is_some() {
        fs::write(&known, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
    }
    assert_eq!(found, serde_json::from_str::<Value>(&fs::read_to_string(known).unwrap()).unwrap());
    assert_eq!(found["totals"]["by_grant"], 5);
}

#[track_caller]
fn assert_a_screen_long(done: &Finished) {
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.lines().count() <= 30, "{}", done.stdout);
    assert!(done.stdout.lines().all(|line| line.chars().count() <= 80), "{}", done.stdout);
}

/// Of many addresses and users with long names, of which some do all that there is a line for.
#[test]
fn the_answer_of_a_large_log_is_a_screen_long() {
    let home = Scratch::new();
    let sent = |id: u64, client: &str| {
        lines(id..id + 1).lines().skip(1).collect::<Vec<_>>().join("\n").replace("198.51.100.7", client)
    };
    let mut text = String::new();
    for n in 0..60 {
        let (client, user) =
            (format!("2001:db8:ffff:ffff:{n:04x}:ffff:ffff:ffff"), format!("{}{n}@mail.example", "name.".repeat(6)));
        let login = lines(n..n + 1).lines().next().unwrap().replace("198.51.100.7", &client);
        let own = login.replace("<kevin>", &format!("<{user}>"));
        text.extend([login, own, sent(n, &client)].map(|lines| lines + "\n"));
        let sasl = sent(n, "203.0.113.9")
            .replace(": 4A", ": 5A")
            .replace("[203.0.113.9]", &format!("[203.0.113.9], sasl_method=PLAIN, sasl_username={user}"));
        let other = sent(n, "203.0.113.7").replace(": 4A", ": 6A");
        let refused = format!(
            "{} mail postfix/smtpd[7]: NOQUEUE: reject: RCPT from x[203.0.113.5]: 554 5.7.1 <a@b>: Relay access denied; \
             from=<{user}> to=<a@b> proto=ESMTP helo=<x>",
            stamp(1_790_000_000 + n * 60, RFC_3339, 0.0)
        );
        text.extend([sasl, other, refused].map(|lines| lines + "\n"));
    }
    text.extend(lines(199..200).lines().skip(3).map(|line| format!("{line}\n")));
    fs::write(home.join("log"), text).unwrap();
    let done = report(home.path(), &["log"]);
    assert_a_screen_long(&done);
    for part in
        ["unexplained", "57 more", "60 users by a grant and by SASL: name.", "not in here", "1 client refused after"]
    {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
}

#[test]
fn the_answer_is_a_screen_long() {
    let done = report(&fixture(), &["mail.log", "dovecot.log", "own.log"]);
    assert_a_screen_long(&done);
    for line in ["left by a grant   5 messages to 7 recipients: 3 addresses, 2 users", "by SASL           3 messages"] {
        assert!(done.stdout.lines().any(|known| known == line), "{line}: {}", done.stdout);
    }
}

/// Lines of one host: a login and a message a minute later, at each of these minutes.
pub(crate) fn lines(minutes: std::ops::Range<u64>) -> String {
    let at = |seconds: u64| stamp(1_790_000_000 + seconds, RFC_3339, 0.0);
    let message = |minute: u64| {
        let (login, relay, id) = (at(minute * 60), at(minute * 60 + 30), format!("{:X}", 0x4A000 + minute));
        format!(
            "{login} mail dovecot: imap-login: Login: user=<kevin>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.25, mpid=1, session=<a>\n\
             {relay} mail postfix/smtpd[7]: {id}: client=unknown[198.51.100.7]\n\
             {relay} mail postfix/qmgr[8]: {id}: from=<kevin@example.net>, size=9, nrcpt=1 (queue active)\n\
             {relay} mail postfix/smtp[9]: {id}: to=<a@b.example>, relay=mx.b.example[192.0.2.9]:25, delay=1, delays=0/0/0/1, \
             dsn=2.0.0, status=sent (250 ok)\n\
             {relay} mail postfix/qmgr[8]: {id}: removed\n"
        )
    };
    minutes.map(message).collect()
}

/// One line with a wrong clock does not make the others late, nor wait for a log that is read beside its own.
#[test]
fn a_stamp_far_ahead_is_one_line_s_and_told() {
    let home = Scratch::new();
    let (logins, mail): (Vec<_>, Vec<_>) =
        lines(0..20).lines().map(str::to_owned).partition(|line| line.contains("imap-login"));
    let far = stamp(1_790_000_000 + 9 * 3600, RFC_3339, 0.0);
    let broken = |mut lines: Vec<String>, at: usize| {
        lines.insert(at, format!("{far} mail kernel: what time is it?"));
        lines.join("\n") + "\n"
    };
    for at in [0, 10] {
        fs::write(home.join("dovecot.log"), broken(logins.clone(), at)).unwrap();
        fs::write(home.join("mail.log"), broken(mail.clone(), at)).unwrap();
        let found = json(&report(home.path(), &["--format", "json", "mail.log", "dovecot.log"]));
        let coverage = &found["coverage"];
        assert_eq!(
            (&found["totals"]["by_grant"], &coverage["stamps_ahead"], &coverage["times_back"], &coverage["last"]),
            (&20.into(), &2.into(), &0.into(), &(1_790_000_000 + 19 * 60 + 30).into()),
            "{at}: {found:#}"
        );
        assert_eq!(found["addresses"][0]["age_max"], 30, "{found:#}");
    }
}

fn pack(program: &str, file: &Path) {
    let done = finish(Command::new(program).arg("-q").arg(file));
    assert_eq!(done.code, Some(0), "{done:?}");
    let _ = fs::remove_file(file);
}

#[test]
fn parts_of_a_log_are_unpacked_and_put_in_order() {
    if !require(&[Need::Program("gzip"), Need::Program("xz"), Need::Program("zstd")]) {
        return;
    }
    let home = Scratch::new();
    for (name, minutes, program) in [
        ("mail.log.3", 0..10, "gzip"),
        ("mail.log.2", 10..20, "xz"),
        ("mail.log.1", 20..30, "zstd"),
        ("mail.log", 30..40, ""),
    ] {
        fs::write(home.join(name), lines(minutes)).unwrap();
        if !program.is_empty() {
            pack(program, &home.join(name));
        }
    }
    let names = ["mail.log", "mail.log.1.zst", "mail.log.2.xz", "mail.log.3.gz"];
    let found = json(&report(home.path(), &[&["--format", "json"], &names[..]].concat()));
    let read: Vec<_> =
        found["coverage"]["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
    assert_eq!(read, ["mail.log.3.gz", "mail.log.2.xz", "mail.log.1.zst", "mail.log"]);
    assert_eq!((&found["totals"]["by_grant"], &found["coverage"]["times_back"]), (&40.into(), &0.into()));
    // Every login opens the address until the next, a minute later; the last one for the half minute up to the last line.
    assert_eq!(found["grace"]["rows"][0]["address_minutes"], 39);

    let [since, until] = [10, 15].map(|minute| stamp(1_790_000_000 + minute * 60, RFC_3339, 0.0));
    let some = ["--format", "json", "--since", &since, "--until", &until];
    let some = json(&report(home.path(), &[&some[..], &names[..]].concat()));
    assert_eq!((&some["totals"]["by_grant"], &some["totals"]["logins"]), (&5.into(), &6.into()), "{some:#}");
}

#[test]
fn what_was_read_of_a_cut_file_counts() {
    if !require(&[Need::Program("gzip"), Need::Program("xz"), Need::Program("zstd")]) {
        return;
    }
    for (program, ending) in [("gzip", "gz"), ("xz", "xz"), ("zstd", "zst")] {
        let home = Scratch::new();
        // More than the buffers of all three, and not to be packed well.
        let noise: String = (0..20_000u64).map(|n| format!("{:x}\n", n.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
        fs::write(home.join("log"), lines(0..10) + &noise.repeat(4) + &lines(10..20)).unwrap();
        pack(program, &home.join("log"));
        let name = format!("log.{ending}");
        let whole = fs::read(home.join(&name)).unwrap();
        fs::write(home.join(&name), &whole[..whole.len() - 200]).unwrap();
        let done = report(home.path(), &["--format", "json", &name]);
        let found = json(&done);
        assert!(
            done.stderr.contains(&format!("{name} ends early, what was read of it counts: {program}: ")),
            "{}",
            done.stderr
        );
        // What is lost besides the end is what was in the program's buffer.
        let relays = found["totals"]["by_grant"].as_u64().unwrap();
        assert!((10..20).contains(&relays), "{program}: {relays}");
        let file = &found["coverage"]["files"][0];
        assert!(
            file["cut"].as_str().unwrap().starts_with(program) && file["last"].as_u64() >= Some(1_790_000_570),
            "{file}"
        );
    }
}

#[test]
fn logs_without_smtpd_are_told() {
    let done = report(&fixture(), &["dovecot.log"]);
    assert_eq!(done.code, Some(1));
    assert!(
        done.stderr.contains("cannot tell who relays: no line of Postfix's smtpd is in these logs; add the log"),
        "{done:?}"
    );
    let missing = report(&fixture(), &["mail.log", "no-such-file"]);
    assert_eq!(missing.code, Some(66), "{missing:?}");
    let since = report(&fixture(), &["--since", "yesterday", "mail.log"]);
    assert_eq!(since.code, Some(64), "{since:?}");
}

#[test]
fn standard_input_is_a_log() {
    let home = Scratch::new();
    let mut command = Command::new(PROGRAM);
    command.env("MAIL_CONFIG", "/nonexistent").args(["--matcher", "dovecot", "report", "--format", "json", "-"]);
    fs::write(home.join("log"), lines(0..3)).unwrap();
    command.stdin(fs::File::open(home.join("log")).unwrap()).stdout(Stdio::piped()).stderr(Stdio::null());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    assert!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["totals"]["by_grant"] == 3);
}

#[test]
fn the_journal_is_a_log() {
    if !require(&[Need::JournalRemote, Need::Program("journalctl")]) {
        return;
    }
    let home = Scratch::new();
    let mut journal = Journal::new(home.join("journal"));
    let login = journal::login("198.51.100.7");
    let of = |program: &'static str, message: &'static str| {
        [("MESSAGE", message), ("SYSLOG_IDENTIFIER", program), ("_SYSTEMD_UNIT", "postfix@-.service")]
    };
    journal.write(&[
        &journal::dovecot(&login),
        &of("postfix/smtpd", "4A001: client=unknown[198.51.100.7]"),
        &of(
            "postfix/smtp",
            "4A001: to=<a@b.example>, relay=mx[192.0.2.9]:25, delay=1, dsn=2.0.0, status=sent (250 ok)",
        ),
        // What an ordinary user writes is none of these units'.
        &journal::user(&journal::login("203.0.113.66")),
    ]);
    let directory = journal.directory().display().to_string();
    let units = "journal:dovecot,postfix@-.service";
    let found = json(&report(home.path(), &["--format", "json", "--journal-directory", &directory, units]));
    assert_eq!((&found["totals"]["by_grant"], &found["totals"]["logins"]), (&1.into(), &1.into()), "{found:#}");
}

/// Postfix may log under any name, and services of master.cf under others.
#[test]
fn names_of_postfix_are_said_or_asked_of_postconf() {
    let home = Scratch::new();
    let text = lines(0..4).replace("postfix/smtpd", "sub/smtpd").replace("postfix/", "mx/");
    fs::write(home.join("log"), &text).unwrap();
    let none = report(home.path(), &["--format", "json", "log"]);
    assert_eq!(none.code, Some(1), "{none:?}");
    let said = json(&report(home.path(), &["--format", "json", "--syslog-name", "mx,sub", "log"]));
    assert_eq!(said["totals"]["by_grant"], 4, "{said:#}");
    if !require(&[Need::Postfix]) {
        return;
    }
    fs::write(home.join("main.cf"), "compatibility_level = 3.6\nsyslog_name = mx\n").unwrap();
    fs::write(home.join("master.cf"), "26 inet n - n - - smtpd\n  -o syslog_name=sub\n").unwrap();
    let mut command = Command::new(PROGRAM);
    command.env("MAIL_CONFIG", home.path()).current_dir(home.path());
    let asked = json(&finish(command.args(["--matcher", "dovecot", "report", "--format", "json", "log"])));
    assert_eq!(asked["totals"]["by_grant"], 4, "{asked:#}");
}

/// What lets clients relay besides logins: an open session, and what the daemon's own lines tell.
#[test]
fn held_grants_and_those_of_the_daemon_s_log_are_grants() {
    let home = Scratch::new();
    // The second message comes long after the login, and the session is still open.
    let login =
        "dovecot: imap-login: Login: user=<kevin>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.25, mpid=1, session=<a>";
    let end = "dovecot: imap(kevin)<1><a>: Disconnected: Logged out in=9 out=9";
    let at = |seconds: u64| stamp(1_790_000_000 + seconds, RFC_3339, 0.0);
    let message = |seconds: u64, id: &str| {
        format!(
            "{at} mail postfix/smtpd[7]: {id}: client=unknown[198.51.100.7]\n{at} mail postfix/smtp[9]: {id}: to=<a@b.example>, \
             relay=mx.b.example[192.0.2.9]:25, delay=1, dsn=2.0.0, status=sent (250 ok)\n",
            at = at(seconds)
        )
    };
    let text = format!(
        "{} mail {login}\n{}{} mail {end}\n{}",
        at(0),
        message(7200, "4A001"),
        at(7300),
        message(8000, "4A002")
    );
    fs::write(home.join("log"), text).unwrap();
    let run = |options: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command
            .env("MAIL_CONFIG", "/nonexistent")
            .current_dir(home.path())
            .args(["--matcher", "dovecot"])
            .args(options);
        json(&finish(
            command
                .args(["report", "--format", "json"])
                .args(fs::read_dir(home.path()).unwrap().map(|log| log.unwrap().path())),
        ))
    };
    let bare = run(&[]);
    assert_eq!((&bare["totals"]["by_grant"], &bare["unexplained"][0]["messages"]), (&0.into(), &2.into()), "{bare:#}");
    let held = run(&["--hold-while-connected"]);
    assert_eq!((&held["totals"]["by_grant"], &held["totals"]["unexplained"]), (&2.into(), &0.into()), "{held:#}");
    let own = format!(
        "{} mail pop-before-smtp[3]: grant 198.51.100.7, by hand of user 0, process 9; grants ended: 0\n\
         {} mail pop-before-smtp[3]: expired 198.51.100.7\n",
        at(7000),
        at(7900)
    );
    fs::write(home.join("own"), own).unwrap();
    let told = run(&[]);
    let totals = &told["totals"];
    assert_eq!(
        (&totals["by_grant_by_hand"], &totals["by_grant"], &totals["unexplained"]),
        (&1.into(), &1.into(), &1.into()),
        "{told:#}"
    );
}

#[test]
fn the_daemon_counts_relays() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let names = ["--syslog-name", "mx"];
    let mut daemon = site.daemon(&[&["--count-relays", "--relay-warning", "2"], &names[..]].concat());
    let client = ip("198.51.100.7");
    site.log_in_and_wait(client);
    let send = |id: &str, from: &str| {
        let at = stamp_now();
        for line in [
            format!("smtpd[1]: {id}: client=unknown[{from}"),
            format!("qmgr[2]: {id}: from=<a@b.example>, size=9, nrcpt=1 (queue active)"),
            format!(
                "smtp[3]: {id}: to=<c@d.example>, relay=mx[192.0.2.9]:25, delay=1, dsn=2.0.0, status=sent (250 ok)"
            ),
        ] {
            cases::append(&site.log, &format!("{at} mail mx/{line}"));
        }
    };
    send("4A001", "198.51.100.8]");
    send("4A002", "198.51.100.7], sasl_method=PLAIN, sasl_username=kevin");
    for id in ["4A003", "4A004", "4A005", "4A006"] {
        send(id, "198.51.100.7]");
    }
    let map = site.map().display().to_string();
    let ask =
        |arguments: &[&str]| finish(Command::new(PROGRAM).args(arguments).args(["--backend", "lmdb", "--map", &map]));
    let listed = || serde_json::from_str::<Value>(&ask(&["list", "--json"]).stdout).unwrap_or_default();
    wait_for("four relays", SOON, || listed()["relays"] == 4);
    assert!(listed()["last_relay"].as_u64().is_some());
    let explained = ask(&["explain", "198.51.100.7"]).stdout;
    assert!(explained.contains("\n  relays: 4, the last at "), "{explained}");
    assert!(ask(&["list"]).stdout.contains("RELAYS"));
    assert!(ask(&["status", "--prometheus"]).stdout.contains("\npop_before_smtp_relays_total 4\n"));
    let warning = "198.51.100.7 (user kevin) has relayed 3 messages by its grant within an hour, --relay-warning is 2";
    assert_eq!(daemon.stderr().matches("--relay-warning").count(), 1);
    assert!(daemon.stderr().contains(warning), "{}", daemon.stderr());
    assert_eq!(daemon.terminate(), Some(0));
}
