//! Several logs at once: each with a source of its own, by name or by pattern, in one ring.

use std::fs;
use std::path::Path;

use crate::support::cases::{self, Site, append, ip, login_line, old_login_line};
use crate::support::command::pop_before_smtp;
use crate::support::daemon::Daemon;
use crate::support::journal::{Journal, dovecot, login};
use crate::support::process::children;
use crate::support::{Need, SOON, require, wait_for};

/// A site whose own log is not followed.
fn site() -> Option<Site> {
    Site::new(&cases::LMDB)
}

fn start(site: &Site, arguments: &[&str]) -> Daemon {
    let daemon = Daemon::start(&site.map_arguments(arguments));
    daemon.wait_logged("serving ");
    daemon
}

fn log_in(log: &Path, client: &str) {
    append(log, &login_line(ip(client)));
}

#[test]
fn each_log_has_a_source_of_its_own() {
    if !require(&[Need::Program("journalctl"), Need::JournalRemote]) {
        return;
    }
    let Some(site) = site() else { return };
    let mut journal = Journal::new(site.join("journal"));
    journal.write(&[&dovecot(&login("198.51.100.1"))]);
    let logs = ["in-process", "by-tail", "plain"].map(|name| site.join(name));
    logs.iter().for_each(|log| fs::write(log, "").unwrap());
    let [follow, tail, plain] = logs.each_ref().map(|log| log.display().to_string());
    let (follow, tail) = (format!("follow:{follow}"), format!("tail:{tail}"));
    let directory = journal.directory().display().to_string();
    let named = ["--log", &follow, "--log", &tail, "--log", &plain, "--log", "journal:dovecot"];
    let daemon = start(&site, &[&named[..], &["--journal-directory", &directory]].concat());
    wait_for("two tails and a journalctl", SOON, || children(daemon.pid()).len() == 3);
    for (last, log) in (2..).zip(&logs) {
        log_in(log, &format!("198.51.100.{last}"));
    }
    (1..=4).for_each(|last| site.wait_listed(ip(&format!("198.51.100.{last}"))));
}

#[test]
fn files_that_appear_are_followed() {
    let Some(site) = site() else { return };
    let logs = site.join("logs");
    fs::create_dir(&logs).unwrap();
    let pattern = format!("follow:{}/*.log", logs.display());
    let mut daemon = start(&site, &["--log", &pattern]);
    daemon.wait_logged("no log file has one of the names");
    // What it holds when it is found counts by its own time.
    let first = logs.join("first.log");
    let recent = login_line(ip("198.51.100.1"));
    fs::write(site.join("first"), format!("{}\n{recent}\n", old_login_line(ip("198.51.100.66")))).unwrap();
    fs::rename(site.join("first"), &first).unwrap();
    fs::write(logs.join("first.log.1.gz"), "").unwrap();
    daemon.wait_logged("which has appeared");
    log_in(&first, "198.51.100.2");
    site.wait_listed(ip("198.51.100.2"));
    site.wait_listed(ip("198.51.100.1"));
    assert!(!site.lists(ip("198.51.100.66")), "it is old: {}", daemon.stderr());
    let second = logs.join("second.log");
    fs::write(&second, "").unwrap();
    wait_for("the second log", SOON, || daemon.stderr().matches("which has appeared").count() == 2);
    log_in(&second, "198.51.100.3");
    site.wait_listed(ip("198.51.100.3"));
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

/// `--reprocess` is about what is there at the start. Who can make a file with a fitting name could else let old logins
/// count as new ones.
#[test]
fn what_appears_later_is_not_reprocessed() {
    let Some(site) = site() else { return };
    let logs = site.join("logs");
    fs::create_dir(&logs).unwrap();
    let old = |name: &str, client: &str, new: &str| {
        let text = format!("{}\n{}\n", old_login_line(ip(client)), login_line(ip(new)));
        fs::write(site.join("aside"), text).unwrap();
        fs::rename(site.join("aside"), logs.join(name)).unwrap();
    };
    old("first.log", "198.51.100.1", "198.51.100.2");
    let pattern = format!("follow:{}/*.log", logs.display());
    let mut daemon = start(&site, &["--log", &pattern, "--reprocess"]);
    site.wait_listed(ip("198.51.100.1"));
    old("second.log", "198.51.100.3", "198.51.100.4");
    site.wait_listed(ip("198.51.100.4"));
    assert!(!site.lists(ip("198.51.100.3")), "{}", daemon.stderr());
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

/// A flood in one log must not keep a login in another waiting for its end.
#[test]
fn a_flood_in_one_log_does_not_starve_another() {
    let Some(site) = site() else { return };
    let (flood, quiet) = (site.join("flood"), site.join("quiet"));
    fs::write(&quiet, login_line(ip("198.51.100.1")) + "\n").unwrap();
    // Its last line comes after 64 MiB.
    let noise = format!("{}\n", login_line(ip("198.51.100.2")).replace("Login:", "Disconnected:"));
    let mut text = noise.repeat(64 * 1024 * 1024 / noise.len());
    text += &(login_line(ip("198.51.100.3")) + "\n");
    fs::write(&flood, text).unwrap();
    let [flood, quiet] = [&flood, &quiet].map(|log| format!("follow:{}", log.display()));
    let mut daemon = start(&site, &["--log", &flood, "--log", &quiet, "--reprocess"]);
    daemon.wait_logged("granted 198.51.100.3 ");
    let stderr = daemon.stderr();
    let place = |client| stderr.find(&format!("granted {client} ")).unwrap();
    assert!(place("198.51.100.1") < place("198.51.100.3"), "{stderr}");
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let Some(site) = site() else { return };
    for (arguments, mentions) in [
        (&["--log", "journal:"][..], "--journal-unit"),
        (&["--log", "journal:a b"], "--journal-unit"),
        (&["--source", "stdin", "--log", "/x"], "--source stdin"),
        (&["--source", "journal", "--log", "/x"], "--source journal"),
        (&["--log", "/x/[", "--once"], "--log"),
        (&["--source", "stdin", "--background"], "standard input"),
    ] {
        let refused = pop_before_smtp(&site.map_arguments(arguments));
        assert_eq!(refused.code, Some(64), "{arguments:?}: {refused:?}");
        assert!(refused.stderr.contains(mentions), "{arguments:?}: {refused:?}");
    }
}

#[test]
fn a_log_takes_the_place_of_the_journal_that_the_file_of_the_package_names() {
    let Some(site) = site() else { return };
    let shipped = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/debian/pop-before-smtp.toml")).unwrap();
    let file = site.join("pbs.toml");
    let dump = |text: &str, more: &[&str]| {
        fs::write(&file, text).unwrap();
        pop_before_smtp(&[&["--dump-config", "--config", file.to_str().unwrap()], more].concat())
    };
    for more in [["--log", "/x"], ["--log", "follow:/x"], ["--source", "follow"], ["--log", "-"]] {
        let dumped = dump(&shipped, &more);
        assert_eq!(dumped.code, Some(0), "{more:?}: {dumped:?}");
    }
    let named = shipped.replace("\nlog = []", "\nlog = [\"/x\"]");
    assert!(named != shipped && dump(&named, &[]).code == Some(0));
    let refused = dump(&shipped, &["--log", "/x", "--journal-unit", "dovecot"]);
    assert_eq!(refused.code, Some(64), "{refused:?}");
    assert!(refused.stderr.contains("the log is a file; leave it out, or add --source journal"), "{refused:?}");
}
