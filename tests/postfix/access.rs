//! Postfix reads the table, and a user of the machine can not even open it: whoever has it open may lock it, and lookups
//! wait for ever.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cases::{self, Case, Site, ip};
use crate::support::command::{Finished, finish};
use crate::support::daemon::Daemon;
use crate::support::postfix::{Lookup, Postfix, tells_of_a_proxymap_that_starts_anew};
use crate::support::{Need, require, wait_for};
use nix::unistd::User;

const CASES: [&Case; 5] =
    [&cases::POSTMAP_HASH, &cases::POSTMAP_LMDB, &cases::LMDB, &cases::LMDB_IN_PLACE, &cases::SQLITE];

/// The files of the table, without one that is being made and comes and goes. The daemon's own, which Postfix does not read,
/// have always been its owner's.
fn files(site: &Site) -> Vec<PathBuf> {
    let others = ["lock", "control", "state", "new"];
    let is_other = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.split('.').any(|part| others.contains(&part))
    };
    let files = fs::read_dir(site.map_dir()).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| !is_other(path)).collect()
}

/// Locks a file as util-linux's flock(1) does, as a user of the machine, and lets go at once.
fn lock_as_stranger(file: &Path) -> Finished {
    let mut flock = Command::new(crate::support::process::program("flock").unwrap());
    finish(flock.args(["-x", "-n"]).arg(file).arg("true").uid(65534).gid(65534))
}

#[track_caller]
fn assert_closed(site: &Site, when: &str) {
    let (name, group) = (site.case.name, User::from_name("postfix").unwrap().unwrap().gid);
    let files = files(site);
    assert!(files.len() >= 2, "{name}: {when}: {files:?}");
    for file in files {
        let refused = lock_as_stranger(&file);
        assert!(refused.code != Some(0) && refused.stderr.contains("Permission denied"), "{name}: {when}: {refused:?}");
        let found = fs::metadata(&file).unwrap();
        let mode = if file.extension().is_some_and(|suffix| suffix == "sqlite-shm") { 0o660 } else { 0o640 };
        let as_it_should = (found.mode() & 0o7777, found.gid()) == (mode, group.as_raw());
        assert!(as_it_should, "{name}: {when}: {} {:o} {}", file.display(), found.mode(), found.gid());
    }
}

fn can_lock() -> bool {
    require(&[Need::Root, Need::Program("flock"), Need::Postfix])
}

/// Each way in which an smtpd may ask that a type of table has: in its jail or not, by itself or through proxymap.
fn servers(site: &Site) -> Vec<(String, Postfix)> {
    let table = site.table();
    let direct = |chrooted| (table.clone(), chrooted);
    let proxied = |chrooted| (format!("proxy:{table}"), chrooted);
    let mut ways = vec![direct(false), direct(true), proxied(false), proxied(true)];
    // From its jail, smtpd sees no SQLite file.
    ways.retain(|(asked, chrooted)| !(*chrooted && asked.starts_with("sqlite:")));
    ways.into_iter()
        .map(|(asked, chrooted)| (format!("{asked} {chrooted}"), Postfix::start(&asked, chrooted)))
        .collect()
}

/// The owner of the directory is root, or the user whom the daemon serves as.
#[test]
fn postfix_lets_clients_relay_by_tables_that_no_user_can_lock() {
    if !can_lock() {
        return;
    }
    for case in CASES {
        let Some(site) = Site::new(case) else { return };
        let (early, late, stranger) = (ip("198.51.100.7"), ip("198.51.100.9"), ip("198.51.100.8"));
        let mut daemon = site.daemon(&[]);
        assert_closed(&site, "at the start");
        site.log_in_and_wait(early);
        let servers = servers(&site);
        let is_replaced = ![cases::LMDB_IN_PLACE.name, cases::SQLITE.name].contains(&case.name);
        for (what, postfix) in &servers {
            assert!(postfix.may_relay(early) && !postfix.may_relay(stranger), "{}: {what}", case.name);
        }
        // The smtpd that has the table open finds the next one.
        site.log_in_and_wait(late);
        assert_closed(&site, "after a login");
        for (what, postfix) in &servers {
            wait_for(what, crate::support::SOON, || postfix.may_relay(late));
        }
        assert_eq!(daemon.terminate(), Some(0), "{}: {}", case.name, daemon.stderr());
        assert!(!daemon.stderr().contains("from reading and locking table"), "{}", daemon.stderr());
        for (what, postfix) in &servers {
            // proxymap looks whether the table has changed when somebody new asks.
            wait_for(&format!("{what}: the stop"), crate::support::SOON, || !postfix.may_relay(late));
            let mut complaints = postfix.complaints();
            if is_replaced && what.starts_with("proxy:") {
                complaints.retain(|line| !tells_of_a_proxymap_that_starts_anew(line));
            }
            assert_eq!(complaints, [""; 0], "{}: {what}", case.name);
        }
        assert_closed(&site, "after a stop");
    }
}

/// The harm: with the lock that a stranger could take, a lookup does not come back.
#[test]
fn a_lock_on_a_hash_table_holds_up_lookups() {
    if !can_lock() {
        return;
    }
    let Some(site) = Site::new(&cases::POSTMAP_HASH) else { return };
    let mut daemon = site.daemon(&[]);
    fs::set_permissions(site.table_file(), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(lock_as_stranger(&site.table_file()).code, Some(0));
    let mut holder = Command::new("flock");
    holder.arg("-x").arg(site.table_file()).args(["sh", "-c", "echo locked; read line"]).uid(65534).gid(65534);
    holder.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut holder = holder.spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(holder.stdout.as_mut().unwrap()), &mut line).unwrap();
    let mut lookup = crate::support::postfix::unprivileged_postmap();
    let mut lookup = lookup.args(["-q", "198.51.100.7", &site.table()]).spawn().unwrap();
    let waits = format!("/proc/{}/wchan", lookup.id());
    wait_for("the lookup to wait for the lock", crate::support::SOON, || {
        fs::read_to_string(&waits).is_ok_and(|place| place.contains("lock"))
            || fs::read_to_string("/proc/locks")
                .unwrap()
                .contains(&format!("-> FLOCK  ADVISORY  READ  {} ", lookup.id()))
    });
    drop(holder.stdin.take());
    holder.wait().unwrap();
    assert_eq!(lookup.wait().unwrap().code(), Some(1));
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

/// The directory is a user's who is in no group of Postfix.
#[test]
fn a_user_outside_the_group_says_once_that_everybody_may_read() {
    if !can_lock() {
        return;
    }
    for case in CASES {
        let Some(site) = Site::new(case) else { return };
        let user = User::from_name("daemon").unwrap().unwrap();
        chown(site.map_dir(), Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
        let mut daemon = Daemon::start(&site.arguments(&["--user", &user.name]));
        daemon.wait_following(&site.log);
        for last in 1..=3 {
            site.log_in_and_wait(ip(&format!("198.51.100.{last}")));
        }
        assert!(matches!(site.lookup_unprivileged(ip("198.51.100.3")), Lookup::Found(_)), "{}", case.name);
        for file in files(&site) {
            assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o644, "{}", file.display());
        }
        assert_eq!(daemon.terminate(), Some(0), "{}: {}", case.name, daemon.stderr());
        let told = daemon.stderr();
        assert_eq!(told.matches("from reading and locking table").count(), 1, "{}: {told}", case.name);
        assert!(told.contains("make the daemon's user a member of group postfix, and start it again"), "{told}");
        // What is open is closed by root.
        let mut daemon = site.daemon(&[]);
        assert_closed(&site, "with root's daemon");
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    }
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let etc = site.join("etc");
    fs::create_dir(&etc).unwrap();
    crate::support::write_settled(&etc.join("main.cf"), "mail_owner = nosuchuser\n");
    let mut daemon =
        Daemon::start_by(&format!("MAIL_CONFIG={} exec \"$0\" \"$@\"", etc.display()), &site.arguments(&[]));
    daemon.wait_following(&site.log);
    assert_eq!(fs::metadata(site.table_file()).unwrap().mode() & 0o7777, 0o644);
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    assert!(daemon.stderr().contains("Postfix's user (mail_owner) does not exist; start again"), "{}", daemon.stderr());
    // Postfix's own user is a member.
    let Some(site) = Site::new(&cases::LMDB) else { return };
    chown(site.map_dir(), Some(User::from_name("postfix").unwrap().unwrap().uid.as_raw()), None).unwrap();
    let mut daemon = Daemon::start(&site.arguments(&["--user", "postfix"]));
    daemon.wait_following(&site.log);
    site.log_in_and_wait(ip("198.51.100.7"));
    assert_closed(&site, "with --user");
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}
