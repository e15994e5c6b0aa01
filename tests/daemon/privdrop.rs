//! Root is given up for good, and what the daemon needs afterwards still works.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use crate::support::cases::{self, Case, Site, ip};
use crate::support::command::{Finished, finish, pop_before_smtp};
use crate::support::daemon::{Background, Daemon};
use crate::support::postfix::Lookup;
use crate::support::{Need, require};
use nix::sys::signal::Signal;
use nix::unistd::{Gid, User, geteuid, getgrouplist};
use pop_before_smtp::saved::privdrop;

const CASES: [&Case; 4] = [&cases::POSTMAP_HASH, &cases::LMDB, &cases::LMDB_IN_PLACE, &cases::SQLITE];

/// A user of Debian's with a group beside its own, if there is one, as whom a daemon may run here.
fn user() -> User {
    let with_groups = ["postfix", "daemon", "nobody"].into_iter().filter_map(|name| User::from_name(name).unwrap());
    let many = |user: &User| groups_of(user).len() > 1;
    let users: Vec<_> = with_groups.collect();
    users.iter().find(|user| many(user)).or(users.first()).expect("a user to become").clone()
}

/// The groups of the user database.
fn groups_of(user: &User) -> Vec<u32> {
    let name = std::ffi::CString::new(user.name.as_str()).unwrap();
    let mut groups: Vec<u32> = getgrouplist(&name, user.gid).unwrap().into_iter().map(Gid::as_raw).collect();
    groups.sort_unstable();
    groups
}

/// A site whose log the user can read only through its group, and whose directory is the user's.
fn site(case: &'static Case, user: &User) -> Option<Site> {
    let site = Site::new(case)?;
    chown(site.map_dir(), Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
    chown(&site.log, Some(0), groups_of(user).last().copied()).unwrap();
    fs::set_permissions(&site.log, fs::Permissions::from_mode(0o640)).unwrap();
    Some(site)
}

/// A field of `/proc/PID/status`.
fn status(pid: i32, field: &str) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {field} in {text}")).split_whitespace().map(|id| id.parse().unwrap()).collect()
}

/// None of root's rights is left, and the groups are the user's.
#[track_caller]
fn assert_dropped(pid: i32, user: &User) {
    assert_eq!(status(pid, "Uid"), [user.uid.as_raw(); 4]);
    assert_eq!(status(pid, "Gid"), [user.gid.as_raw(); 4]);
    let mut groups = status(pid, "Groups");
    groups.sort_unstable();
    assert_eq!(groups, groups_of(user));
    assert_eq!(status(pid, "NoNewPrivs"), [1]);
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert!(text.contains(&format!("{set}:\t0000000000000000\n")), "{text}");
    }
}

fn owner(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).uid()
}

#[test]
fn the_daemon_serves_as_the_user() {
    let user = user();
    for case in CASES {
        let Some(site) = site(case, &user) else { return };
        let mut daemon = Daemon::start(&site.arguments(&["--user", &user.name]));
        let follower = daemon.wait_following(&site.log);
        assert_dropped(daemon.pid(), &user);
        assert_dropped(follower, &user);
        site.log_in(ip("192.0.2.1"));
        crate::support::wait_for("the login to be published", crate::support::SOON, || {
            matches!(site.lookup_unprivileged(ip("192.0.2.1")), Lookup::Found(_))
        });
        assert_eq!(owner(&site.table_file()), user.uid.as_raw(), "{}", case.name);

        // The log is rotated as logrotate does it, and opened again as the user.
        fs::rename(&site.log, site.join("maillog.1")).unwrap();
        fs::write(&site.log, "Nov 22 15:54:36 mail dovecot: master: Dovecot v2.3.19.1 starting up\n").unwrap();
        chown(&site.log, Some(0), groups_of(&user).last().copied()).unwrap();
        fs::set_permissions(&site.log, fs::Permissions::from_mode(0o640)).unwrap();
        daemon.send(Signal::SIGHUP);
        daemon.wait_following(&site.log);
        site.log_in_and_wait(ip("192.0.2.2"));

        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
        assert_eq!(site.lookup_unprivileged(ip("192.0.2.1")), Lookup::NotFound, "{}", case.name);
        assert_eq!(owner(&site.state()), user.uid.as_raw(), "{}", case.name);
        // The state file alone tells of them.
        site.start_log_anew();
        fs::remove_file(site.join("maillog.1")).unwrap();
        let mut next = Daemon::start(&site.arguments(&["--user", &user.uid.to_string()]));
        next.wait_following(&site.log);
        assert!(site.lists(ip("192.0.2.1")) && site.lists(ip("192.0.2.2")), "{}: {}", case.name, next.stderr());
        assert_dropped(next.pid(), &user);
        assert_eq!(next.terminate(), Some(0), "{}", next.stderr());
    }
}

#[test]
fn what_root_has_left_can_be_gone_on_with() {
    let user = user();
    for case in CASES {
        let Some(site) = site(case, &user) else { return };
        let mut daemon = site.daemon(&[]);
        site.log_in_and_wait(ip("192.0.2.1"));
        daemon.kill9();
        site.start_log_anew();
        let mut daemon = Daemon::start(&site.arguments(&["--user", &user.name]));
        daemon.wait_following(&site.log);
        assert!(site.lists(ip("192.0.2.1")), "{}: {}", case.name, daemon.stderr());
        site.log_in_and_wait(ip("192.0.2.2"));
        assert_eq!(daemon.terminate(), Some(0), "{}: {}", case.name, daemon.stderr());
    }
}

#[test]
fn in_the_background_the_pid_file_is_roots() {
    let user = user();
    let Some(site) = site(&cases::LMDB, &user) else { return };
    let pid_file = site.join("pid");
    let arguments = site.arguments(&["-b", "--pid-file", &pid_file.display().to_string(), "--user", &user.name]);
    let started = pop_before_smtp(&arguments);
    assert_eq!(started.code, Some(0), "{started:?}");
    let daemon = Background::from_pid_file(&pid_file);
    daemon.wait_following(&site.log);
    assert_dropped(daemon.pid, &user);
    assert_eq!((owner(&pid_file), fs::metadata(&pid_file).unwrap().mode() & 0o7777), (0, 0o644));

    let refused = pop_before_smtp(&arguments);
    assert_eq!(refused.code, Some(75), "{refused:?}");
    assert_eq!(fs::read_to_string(&pid_file).unwrap(), format!("{}\n", daemon.pid), "the other's number");
    daemon.terminate();
    assert_eq!(fs::read_to_string(&pid_file).unwrap(), "", "it names a process that is gone");
}

#[track_caller]
fn assert_refused(finished: &Finished, code: i32, says: &str) {
    assert_eq!(finished.code, Some(code), "{finished:?}");
    assert!(finished.stderr.contains(says), "no {says:?} in {}", finished.stderr);
}

#[test]
fn who_cannot_be_become_is_named() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let start = |user: &str| pop_before_smtp(&site.arguments(&["--user", user]));
    assert_refused(&start("no-such-user"), 67, "error: cannot find user no-such-user: ");
    assert_refused(&start("4000000001"), 67, "cannot find user 4000000001: ");
    assert_refused(&start(""), 67, "cannot find user ");
    assert_refused(&start("a\nb"), 67, "cannot find user a\\nb: ");
    assert_refused(&start("root"), 71, "cannot become user root: that is root; ");
    assert_refused(&start("0"), 71, "cannot become user 0: that is root; ");
    assert_eq!(fs::read_dir(site.map_dir()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn what_the_user_may_not_do_is_told_at_start() {
    let user = user();
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let start = || pop_before_smtp(&site.arguments(&["--user", &user.name]));
    // A directory of root.
    assert_refused(&start(), 73, "permission denied; ");
    chown(site.map_dir(), Some(user.uid.as_raw()), None).unwrap();
    fs::set_permissions(&site.log, fs::Permissions::from_mode(0o600)).unwrap();
    assert_refused(&start(), 66, &format!("read log file {}: permission denied; ", site.log.display()));
}

#[test]
fn others_than_root_become_nobody() {
    if !require(&[Need::Program("setpriv"), Need::Postfix]) {
        return;
    }
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let program = site.join("program");
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_pop-before-smtp")).arg(&program).status();
    assert!(copied.unwrap().success());
    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(&program);
    let refused = finish(setpriv.args(site.arguments(&["--user", "nobody"])));
    assert_refused(&refused, 71, "cannot become user nobody: only root can; ");
}

/// Run in a process of its own by the test below.
#[test]
#[ignore = "gives up root for the whole process"]
fn drop_and_try_to_come_back() {
    use nix::unistd::{Uid, setgroups, setresgid, setresuid};
    privdrop::become_user(&user().name).unwrap();
    let root = Uid::from_raw(0);
    assert!(setresuid(root, root, root).is_err());
    assert!(nix::unistd::seteuid(root).is_err());
    let group = Gid::from_raw(0);
    assert!(setresgid(group, group, group).is_err());
    assert!(setgroups(&[group]).is_err());
    assert!(fs::read("/etc/shadow").is_err() || groups_of(&user()).contains(&42));
    // A set-user-id program, should this machine have one, gives nothing either.
    let ids = Command::new("/bin/su").args(["-c", "id -u", "root"]).output();
    assert!(!ids.is_ok_and(|end| String::from_utf8_lossy(&end.stdout).trim() == "0"));
    assert!(!geteuid().is_root());
}

#[test]
fn there_is_no_way_back() {
    if !require(&[Need::Postfix]) {
        return;
    }
    let mut this = Command::new(std::env::current_exe().unwrap());
    let end = finish(this.args(["--exact", "privdrop::drop_and_try_to_come_back", "--ignored", "--nocapture"]));
    assert_eq!(end.code, Some(0), "{end:?}");
    assert!(end.stdout.contains("1 passed"), "{end:?}");
}
