//! `--skip-mynetworks`: whom Postfix lets relay anyway is not published, and everybody is told so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cases::{self, Site, ip};
use crate::support::command::finish;
use crate::support::daemon::Daemon;
use crate::support::postfix::Postfix;
use crate::support::{SOON, wait_for, write_settled};
use pop_before_smtp::ring::networks::Patterns;

/// A site whose Postfix has this `mynetworks`, and the directory of its main.cf.
fn site(mynetworks: &str) -> Option<(Site, PathBuf)> {
    let site = Site::new(&cases::LMDB)?;
    let etc = site.join("etc");
    fs::create_dir(&etc).unwrap();
    write_settled(&etc.join("master.cf"), "smtp inet n - n - - smtpd\n");
    write_settled(&etc.join("main.cf"), &format!("compatibility_level = 3.6\n{mynetworks}\n"));
    Some((site, etc))
}

fn daemon(site: &Site, etc: &Path) -> Daemon {
    let script = format!("MAIL_CONFIG='{}' exec \"$0\" \"$@\"", etc.display());
    let mut daemon = Daemon::start_by(&script, &site.arguments(&["--skip-mynetworks"]));
    daemon.wait_following(&site.log);
    daemon
}

#[test]
fn networks_of_postfix_are_not_published() {
    let Some((site, etc)) =
        site("mynetworks = $mine, !10.1.2.3, 10.0.0.0/8 [2001:db8::]/32 /etc/mail/nets\nmine = 127.0.0.0/8")
    else {
        return;
    };
    let file = site.join("networks");
    fs::write(&file, "# printers\n192.0.2.0/25\n  !203.0.113.1, 203.0.113.0/24\n").unwrap();
    let main_cf = fs::read_to_string(etc.join("main.cf")).unwrap();
    write_settled(&etc.join("main.cf"), &main_cf.replace("/etc/mail/nets", &file.display().to_string()));

    let mut daemon = daemon(&site, &etc);
    daemon.wait_logged(
        "not published: 5 networks of mynetworks: 127.0.0.0/8, 10.0.0.0/8, 2001:db8::/32, 192.0.2.0/25, 203.",
    );
    let skipped = ["10.9.9.9", "2001:db8::1", "192.0.2.77", "203.0.113.2"];
    let published = ["10.1.2.3", "192.0.2.200", "203.0.113.1", "2001:db9::1"];
    skipped.iter().for_each(|client| site.log_in(ip(client)));
    published.iter().for_each(|client| site.log_in_and_wait(ip(client)));
    for client in skipped {
        assert!(!site.lists(ip(client)), "{client}");
    }
    daemon.wait_logged("not granted 10.9.9.9: it lies in 10.0.0.0/8 of Postfix's mynetworks, which may relay anyway");
    assert_eq!(daemon.stderr().matches("not granted").count(), 1, "not once per login: {}", daemon.stderr());
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

/// What we take for permitted, a real smtpd permits; and what it does not, we publish.
#[test]
fn smtpd_understands_mynetworks_alike() {
    let Some((site, _)) = site("") else { return };
    let file = site.join("networks");
    fs::write(&file, "# printers\n192.0.2.0/25\n  # more\n!203.0.113.1, 203.0.113.0/24\n").unwrap();
    let mynetworks = format!(
        "!10.1.2.3, 10.0.0.0/8 [2001:db8::]/32, [2001:db9::1] 198.51.100.7 {0}, !{0}, 203.0.0.0/8, !!172.16.0.0/12 static.example",
        file.display()
    );
    let main_cf = format!("mynetworks = {mynetworks}\nsmtpd_relay_restrictions = permit_mynetworks, reject\n");
    let postfix = Postfix::start_with("static:dunno", false, &main_cf);
    let ours = Patterns::parse(&mynetworks, &|path| fs::read_to_string(path).map_err(|error| error.to_string()));
    let mut permitted = 0;
    for client in [
        "10.1.2.3",
        "10.1.2.4",
        "2001:db8::9",
        "2001:db9::1",
        "2001:db9::2",
        "198.51.100.7",
        "198.51.100.8",
        "192.0.2.127",
        "192.0.2.128",
        "203.0.113.1",
        "203.0.113.2",
        "203.0.114.1",
        "172.31.0.1",
        "172.32.0.1",
    ] {
        let client = ip(client);
        let permits = ours.permits(client).is_some();
        assert_eq!(postfix.may_relay(client), permits, "{client}");
        permitted += usize::from(permits);
    }
    assert_eq!(permitted, 8);
}

#[test]
fn what_is_granted_already_ends_with_the_next_start() {
    let Some((site, etc)) = site("mynetworks = 10.0.0.0/8") else { return };
    let mut before = site.daemon(&[]);
    site.log_in_and_wait(ip("10.9.9.9"));
    site.log_in_and_wait(ip("198.51.100.1"));
    assert_eq!(before.terminate(), Some(0));
    let mut daemon = daemon(&site, &etc);
    site.wait_listed(ip("198.51.100.1"));
    assert!(!site.lists(ip("10.9.9.9")));
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

#[test]
fn sighup_asks_postfix_again() {
    let Some((site, etc)) = site("mynetworks = 10.0.0.0/8") else { return };
    let mut daemon = daemon(&site, &etc);
    site.log_in_and_wait(ip("192.0.2.7"));
    let status =
        crate::support::command::pop_before_smtp(&[vec!["status".to_owned()], site.map_arguments(&[])].concat());
    assert!(status.stdout.contains("skipped:   1 network of mynetworks: 10.0.0.0/8\n"), "{status:?}");
    write_settled(&etc.join("main.cf"), "compatibility_level = 3.6\nmynetworks = 192.0.2.0/24\n");
    daemon.send(nix::sys::signal::Signal::SIGHUP);
    daemon.wait_logged("not published: 1 network of mynetworks: 192.0.2.0/24");
    wait_for("its grant to be taken back", SOON, || !site.lists(ip("192.0.2.7")));

    fs::remove_file(etc.join("main.cf")).unwrap();
    let follower = daemon.wait_following(&site.log);
    daemon.send(nix::sys::signal::Signal::SIGHUP);
    daemon.wait_logged("the settings stay as they were");
    daemon.wait_following_by_other_than(follower, &site.log);
    site.log_in(ip("192.0.2.8"));
    site.log_in_and_wait(ip("10.9.9.9"));
    assert!(!site.lists(ip("192.0.2.8")), "as before");
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

#[test]
fn what_is_not_understood_is_said_aloud() {
    let Some((site, etc)) = site("mynetworks = hash:/etc/postfix/nets 10.0.0.0/8 /nosuch/file 192.0.2.0/24") else {
        return;
    };
    let mut daemon = daemon(&site, &etc);
    for line in [
        "warning: --skip-mynetworks leaves out hash:/etc/postfix/nets: a table is not read here; clients in it are published",
        "warning: --skip-mynetworks leaves out /nosuch/file: no such file or directory",
        "warning: --skip-mynetworks leaves out 192.0.2.0/24: an earlier pattern may say no to it",
        "not published: 1 network of mynetworks: 10.0.0.0/8",
    ] {
        daemon.wait_logged(line);
    }
    site.log_in_and_wait(ip("192.0.2.1"));
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());

    let mut check = Command::new(env!("CARGO_BIN_EXE_pop-before-smtp"));
    check.arg("check").args(site.arguments(&["--skip-mynetworks"])).env("MAIL_CONFIG", &etc);
    let told = finish(&mut check).stdout;
    assert!(told.contains("warning: --skip-mynetworks leaves out hash:/etc/postfix/nets"), "{told}");
    assert!(told.contains("ok: not published: 1 network of mynetworks: 10.0.0.0/8"), "{told}");
}

#[test]
fn a_postfix_that_does_not_answer_ends_the_start() {
    let Some((site, _)) = site("") else { return };
    let mut command = Command::new(env!("CARGO_BIN_EXE_pop-before-smtp"));
    command.args(site.arguments(&["--skip-mynetworks"])).env("MAIL_CONFIG", "/nosuch");
    let told = finish(&mut command);
    assert_eq!(told.code, Some(69), "{told:?}");
    assert!(told.stderr.starts_with("error: cannot ask postconf for mynetworks: "), "{told:?}");
    assert!(told.stderr.contains("; mend Postfix's configuration, or leave --skip-mynetworks out"), "{told:?}");
    assert!(!site.table_file().exists(), "nothing has been begun");
}

#[test]
fn without_a_setting_postfix_computes_it() {
    let Some((site, etc)) = site("mynetworks_style = host\ninet_interfaces = 127.0.0.1") else { return };
    let mut daemon = daemon(&site, &etc);
    daemon.wait_logged("of mynetworks: 127.0.0.1/32");
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

#[test]
fn a_line_of_the_log_is_explained() {
    let Some((_site, etc)) = site("mynetworks = 198.51.100.0/24") else { return };
    let line = cases::login_line(ip("198.51.100.7"));
    let explain = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pop-before-smtp"));
        finish(command.args(["match", "--explain", &line]).args(more).env("MAIL_CONFIG", &etc)).stdout
    };
    assert!(explain(&[]).contains("granted    198.51.100.7"));
    assert!(explain(&["--skip-mynetworks"]).contains("refused    it lies in 198.51.100.0/24 of Postfix's mynetworks"));
}
