//! Findings about what surrounds the site: no Postfix, no log, AppArmor, SELinux, the journal.

use std::process::Command;

use super::clinic::{ANY, Clinic};
use crate::support::command::finish;
use crate::support::journal::{self, Journal};
use crate::support::{Need, require};

#[test]
fn without_postfix_the_rest_is_checked() {
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let told = finish(clinic.command(&[]).env("MAIL_CONFIG", "/nosuch"));
    assert_eq!(told.code, Some(78), "{told:?}");
    assert!(told.stdout.starts_with("error: cannot ask Postfix for its settings: "), "{told:?}");
    assert!(told.stdout.contains("ok: ") && told.stdout.contains("1 login in its last"), "{told:?}");
    if require(&[Need::Mounts]) {
        let script = "mount -t tmpfs none /usr/sbin; PATH=/usr/bin";
        clinic
            .check_behind(script)
            .assert_only("error", "there is no postconf in /usr/sbin nor in $PATH; install Postfix");
    }
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn guards_of_the_system_are_told() {
    if !require(&[Need::Mounts]) {
        return;
    }
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let table = clinic.site.table_file().display().to_string();
    let apparmor = "mount -t tmpfs none /sys/kernel; mkdir -p /sys/kernel/security/apparmor; \
                    echo 'postfix-smtpd (enforce)' >/sys/kernel/security/apparmor/profiles";
    let rules = "mount -t tmpfs none /etc/apparmor.d; mkdir /etc/apparmor.d/local; \
                 echo 'profile postfix-smtpd {}' >/etc/apparmor.d/postfix-smtpd";
    let local = "/etc/apparmor.d/local/postfix-smtpd";
    if std::path::Path::new("/etc/apparmor.d").is_dir() {
        let findings = clinic.check_behind(&format!("{apparmor}; {rules}"));
        findings
            .assert_only("warning", &format!("write '{table} rk,' in {local} and load it: apparmor_parser -r /etc/"));
        clinic
            .check_behind(&format!("{apparmor}; {rules}; echo '{table} rk,' >{local}"))
            .assert("ok", "AppArmor has a rule")
            .assert_well();
    } else {
        clinic.check_behind(apparmor).assert_only("warning", &format!("write '{table} rk,'"));
    }
    let selinux = "mount -t tmpfs none /sys/fs; mkdir /sys/fs/selinux; echo 1 >/sys/fs/selinux/enforce";
    clinic.check_behind(selinux).assert_only("warning", "semanage fcontext -a -t postfix_etc_t ");
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn the_journal_is_looked_at() {
    if !require(&[Need::JournalRemote, Need::Program("journalctl")]) {
        return;
    }
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut journal = Journal::new(clinic.site.join("journal"));
    let map = clinic.site.map().display().to_string();
    let directory = journal.directory().display().to_string();
    let check = || {
        let mut check = Command::new(env!("CARGO_BIN_EXE_pop-before-smtp"));
        check.args(["check", "--backend", "lmdb", "--map", &map, "--source", "journal", "--journal-unit", "dovecot"]);
        finish(check.args(["--journal-directory", &directory]).env("MAIL_CONFIG", clinic.site.join("etc"))).stdout
    };
    let told = check();
    assert!(told.contains("error: cannot read the journal: ") && told.contains("; name the file"), "{told}");
    journal.write(&[&journal::user(&journal::login("198.51.100.1"))]);
    let told = check();
    assert!(told.contains("warning: the journal is empty"), "what others write does not count: {told}");
    journal.write(&[&journal::dovecot(&journal::login("198.51.100.2"))]);
    let told = check();
    assert!(told.contains("ok: the journal: 1 login in its last 1 lines: 1 by dovecot"), "{told}");
}

#[test]
fn a_log_that_nobody_named_is_told() {
    if !require(&[Need::Mounts]) {
        return;
    }
    let Some(clinic) = Clinic::new(ANY) else { return };
    let map = clinic.site.map().display().to_string();
    let mut check = Command::new("unshare");
    check.args(["--mount", "sh", "-ec", "mount -t tmpfs none /var/log && exec \"$0\" \"$@\""]);
    check.args([env!("CARGO_BIN_EXE_pop-before-smtp"), "check", "--backend", "lmdb", "--map", &map]);
    let told = finish(check.env("MAIL_CONFIG", clinic.site.join("etc")));
    assert!(told.stdout.contains("error: cannot find the mail log: "), "{told:?}");
    let wrong = finish(Command::new(env!("CARGO_BIN_EXE_pop-before-smtp")).args(["check", "--backend", "nosuch"]));
    assert_eq!(wrong.code, Some(64), "{wrong:?}");
}
