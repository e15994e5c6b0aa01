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
fn report(directory: &Path, arguments: &[&str]) -> Finished {
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
    let found = report(&fixture(), &["--format", "json", "mail.log", "dovecot.log"]);
    let found: Value = json(&found);
    let known = fixture().join("expected.json");
    if std::env::var_os("RENEW").is_some() {
        fs::write(&known, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
    }
    assert_eq!(found, serde_json::from_str::<Value>(&fs::read_to_string(known).unwrap()).unwrap());
    assert_eq!(found["totals"]["by_grant"], 4);
}

#[test]
fn the_answer_is_a_screen_long() {
    let done = report(&fixture(), &["mail.log", "dovecot.log"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.lines().count() <= 30, "{}", done.stdout);
    for line in ["left by a grant   4 messages to 6 recipients: 2 addresses, 2 users", "by SASL           3 messages"] {
        assert!(done.stdout.lines().any(|known| known == line), "{line}: {}", done.stdout);
    }
}

/// Lines of one host: a login and a message a minute later, at each of these minutes.
fn lines(minutes: std::ops::Range<u64>) -> String {
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

#[test]
fn the_daemon_counts_relays() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let mut daemon = site.daemon(&["--count-relays", "--relay-warning", "2"]);
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
            cases::append(&site.log, &format!("{at} mail postfix/{line}"));
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

/// A name that is a script, an image from elsewhere, and the end of a script.
const HOSTILE: &str = "</script><script>console.log('owned')</script><img src=http://evil.invalid/x onerror=alert(1)>";

fn hostile_page(home: &Scratch) -> PathBuf {
    let text = lines(0..400)
        .replace("user=<kevin>", &format!("user=<{HOSTILE}>"))
        .replace("kevin@example.net", "a@\"><svg/onload=alert(1)>");
    let refused = "NOQUEUE: reject: RCPT from x[203.0.113.9]: 554 5.7.1 <a@b.example>: Relay access denied; from=";
    let refused = format!(
        "2026-09-21T15:00:00Z mail postfix/smtpd[7]: {refused}<{HOSTILE}> to=<a@b.example> proto=ESMTP helo=<x>\n"
    );
    fs::write(home.join("<b>log"), text + &refused).unwrap();
    let done = report(home.path(), &["--html", "page.html", "<b>log"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    home.join("page.html")
}

#[test]
fn the_page_holds_no_markup_of_strangers_and_allows_its_own_parts_alone() {
    use base64::Engine as _;
    let home = Scratch::new();
    let page = fs::read_to_string(hostile_page(&home)).unwrap();
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;console.log(&#39;owned&#39;)"), "the name is there");
    for markup in ["<img", "<b>", "<svg/", "onerror=\"", "http://evil.invalid/x\""] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert_eq!((page.matches("<script").count(), page.matches("<style").count()), (1, 1));
    // The policy names the hashes of what stands there.
    for element in ["style", "script"] {
        let (_, rest) = page.split_once(&format!("<{element}>")).unwrap();
        let text = rest.split_once(&format!("</{element}>")).unwrap().0;
        fs::write(home.join("part"), text).unwrap();
        let sum = finish(Command::new("sha256sum").arg(home.join("part"))).stdout;
        let bytes: Vec<u8> = (0..32).map(|nth| u8::from_str_radix(&sum[nth * 2..nth * 2 + 2], 16).unwrap()).collect();
        let hash = base64::engine::general_purpose::STANDARD.encode(bytes);
        assert!(page.contains(&format!("{element}-src 'sha256-{hash}'")), "{element}: {hash}");
    }
    assert!(page.contains("default-src 'none'") && !page.contains("unsafe"));
    // What a screen reader needs.
    assert!(page.contains("<html lang=\"en\">") && page.matches("<h1>").count() == 1);
    assert_eq!(page.matches("<table").count(), page.matches("<caption>").count());
    assert_eq!(page.matches("<svg").count(), page.matches("role=\"img\" aria-label=").count());
    assert!(!page.contains("<th>") && page.contains("<th scope=\"row\""));
}

/// A real browser: nothing on its console, no request for anything in the page, names shown as text. The pictures can be
/// looked at with `KEEP=DIRECTORY`: `cargo test --locked --test daemon -- --ignored browser`.
#[test]
#[ignore = "needs Chromium, whose packages are 124 MB"]
fn a_browser_shows_the_page() {
    let home = Scratch::new();
    let page = hostile_page(&home);
    for width in [1280, 400] {
        let (picture, requests) = (home.join(&format!("{width}.png")), home.join("requests.json"));
        let mut chromium = Command::new("timeout");
        chromium.args([
            "25",
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--enable-logging=stderr",
        ]);
        chromium.args([
            "--disable-background-networking",
            "--disable-component-update",
            "--host-resolver-rules=MAP * ~NOTFOUND",
        ]);
        chromium
            .arg(format!("--user-data-dir={}", home.join("profile").display()))
            .arg(format!("--window-size={width},2400"));
        chromium
            .arg(format!("--log-net-log={}", requests.display()))
            .arg(format!("--screenshot={}", picture.display()));
        let done = finish(chromium.arg(format!("file://{}", page.display())));
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(!done.stderr.contains("CONSOLE"), "{}", done.stderr);
        assert!(!fs::read_to_string(&requests).unwrap().contains("evil.invalid"), "a request");
        let picture_bytes = fs::read(&picture).unwrap();
        assert_eq!(picture_bytes[16..20], u32::to_be_bytes(width), "the width of the picture");
        if let Some(keep) = std::env::var_os("KEEP") {
            fs::copy(&picture, Path::new(&keep).join(format!("{width}.png"))).unwrap();
        }
    }
    let mut chromium = Command::new("timeout");
    chromium.args([
        "25",
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--dump-dom",
    ]);
    let dom = finish(chromium.arg(format!("file://{}", page.display()))).stdout;
    assert!(dom.contains("&lt;/script&gt;&lt;script&gt;console.log('owned')&lt;/script&gt;&lt;img"), "shown as text");
    assert!(dom.contains("role=\"button\"") && !dom.contains("<img"), "its own script has run, and nobody else's");
}
