//! SIGHUP makes a running daemon read its configuration file again; grants end for no other reason than what it says.

use std::fs::{self, Permissions};
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::support::cases::{self, Case, Site, append, append_raw, ip};
use crate::support::daemon::{Background, Daemon};
use crate::support::past::{login_at, now};
use crate::support::postfix::Lookup;
use crate::support::process::send;
use crate::support::{SOON, wait_for};
use nix::sys::signal::Signal;

/// A site whose daemon has a configuration file. Where it follows the log itself it misses nothing during a SIGHUP.
struct Reloading {
    site: Site,
    daemon: Daemon,
    reloads: usize,
}

fn write(site: &Site, text: &str) -> PathBuf {
    let path = site.join("a.toml");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    path
}

impl Reloading {
    fn new(case: &'static Case, text: &str, source: &str) -> Option<Self> {
        let site = Site::new(case)?;
        // Whatever servers this machine has, the log shows one.
        site.log_in(ip("127.0.0.1"));
        let file = write(&site, text).display().to_string();
        let daemon = site.daemon(&["--config", &file, "--source", source]);
        Some(Self { site, daemon, reloads: 0 })
    }

    /// Has the daemon read what the file says now, and returns what it has logged about it.
    #[track_caller]
    fn reload(&mut self, text: &str) -> String {
        write(&self.site, text);
        self.hang_up()
    }

    #[track_caller]
    fn hang_up(&mut self) -> String {
        let before = self.daemon.stderr().len();
        self.daemon.send(Signal::SIGHUP);
        self.reloads += 1;
        let told = || self.daemon.stderr().matches("SIGHUP: following the log anew\n").count();
        wait_for("the reload", SOON, || told() == self.reloads);
        self.daemon.stderr()[before..].to_owned()
    }

    /// When the grant of an address ends, in Unix seconds, as the table has it.
    #[track_caller]
    fn expiry(&self, client: IpAddr) -> u64 {
        match self.site.lookup(client) {
            Lookup::Found(value) => value.parse().expect("seconds"),
            other => panic!("{client}: {other:?}"),
        }
    }

    #[track_caller]
    fn wait_gone(&self, client: IpAddr) {
        wait_for(&format!("{client} out of the table"), SOON, || !self.site.lists(client));
    }

    #[track_caller]
    fn end(mut self) {
        assert_eq!(self.daemon.terminate(), Some(0), "{}", self.daemon.stderr());
    }
}

fn client(number: u8) -> IpAddr {
    IpAddr::from([198, 51, 100, number])
}

#[test]
fn a_new_grace_is_for_new_logins() {
    for case in [&cases::LMDB_IN_PLACE, &cases::SQLITE] {
        let Some(mut running) = Reloading::new(case, "grace = 3600\n", "follow") else { return };
        running.site.log_in_and_wait(client(1));
        let first = running.expiry(client(1));
        let told = running.reload("grace = \"10m\"\n");
        assert!(told.contains("a.toml again: changed grace (") && told.contains("a.toml:1)"), "{told}");
        running.site.log_in(client(1));
        running.site.log_in_and_wait(client(2));
        assert_eq!(running.expiry(client(1)), first, "a grant keeps its end");
        let second = running.expiry(client(2));
        assert!((2900..=3000).contains(&(first - second)), "{first} {second}");

        // Longer again: both are extended.
        running.reload("grace = \"2h\"\n");
        running.site.log_in(client(1));
        running.site.log_in_and_wait(client(3));
        assert!(running.expiry(client(3)) >= first + 3600);
        wait_for("the extended grant", SOON, || running.expiry(client(1)) >= first + 3600);

        // So short that the end can be seen.
        running.reload("grace = 1\n");
        running.site.log_in(client(4));
        running.site.log_in_and_wait(client(5));
        running.wait_gone(client(5));
        running.wait_gone(client(4));
        for number in 1..=3 {
            assert!(running.site.lists(client(number)), "{number}");
        }
        running.end();
    }
}

#[test]
fn a_tail_that_is_started_again_catches_up_by_the_new_grace() {
    let Some(mut running) = Reloading::new(&cases::LMDB, "grace = 60\n", "tail") else { return };
    running.site.log_in_and_wait(client(1));
    let first = running.daemon.wait_following(&running.site.log);
    running.reload("grace = \"1h\"\n");
    let second = running.daemon.wait_following_by_other_than(first, &running.site.log);
    send(second, Signal::SIGKILL);
    running.daemon.wait_logged("has ended (killed by SIGKILL)");
    // So many behind the first that it is read only if it still matters.
    let others = login_at(now() - 500, client(3)).repeat(2000);
    append_raw(&running.site.log, (login_at(now() - 600, client(2)) + &others).as_bytes());
    running.site.wait_listed(client(3));
    assert!(running.site.lists(client(2)), "{}", running.daemon.stderr());
    running.end();
}

#[test]
fn fewer_entries_evict_the_oldest() {
    let Some(mut running) = Reloading::new(&cases::LMDB, "entries = 10\n", "follow") else { return };
    (1..=4).for_each(|number| running.site.log_in(client(number)));
    (1..=4).for_each(|number| running.site.wait_listed(client(number)));
    let told = running.reload("entries = 2\n");
    assert!(told.contains("warning: evicted 2 addresses, the oldest, because entries is 2 now\n"), "{told}");
    running.wait_gone(client(1));
    running.wait_gone(client(2));
    assert!(running.site.lists(client(3)) && running.site.lists(client(4)));
    running.site.log_in_and_wait(client(5));
    running.wait_gone(client(3));
    let told = running.reload("entries = 3\n");
    assert!(!told.contains("evicted"), "{told}");
    running.site.log_in_and_wait(client(6));
    assert!((4..=6).all(|number| running.site.lists(client(number))));
    running.end();
}

#[test]
fn what_must_not_be_published_any_more_leaves_the_table() {
    let Some(mut running) = Reloading::new(&cases::LMDB, "", "follow") else { return };
    running.site.log_in(ip("10.1.1.1"));
    running.site.log_in_and_wait(client(1));
    running.site.wait_listed(ip("10.1.1.1"));
    let told = running.reload("skip-networks = [\"10.0.0.0/8\"]\n");
    assert!(told.contains("1 addresses must not be published any more: took out 10.1.1.1"), "{told}");
    running.wait_gone(ip("10.1.1.1"));
    running.site.log_in(ip("10.1.1.1"));
    running.site.log_in_and_wait(client(2));
    assert!(!running.site.lists(ip("10.1.1.1")) && running.site.lists(client(1)));
    running.reload("");
    running.site.log_in_and_wait(ip("10.1.1.1"));
    running.end();
}

const ACME: &str = "\n[[matcher]]\nname = \"acme\"\nprograms = [\"acme\"]\nlogin = '^opened from (?P<ip>[0-9.]+)$'\n";

fn acme(number: u8) -> String {
    format!("{} mail acme[1]: opened from {}", cases::stamp_now(), client(number))
}

#[test]
fn matchers_come_and_go() {
    let Some(mut running) = Reloading::new(&cases::LMDB, "", "follow") else { return };
    append(&running.site.log, &acme(1));
    running.site.log_in_and_wait(client(2));
    assert!(running.reload(ACME).contains("a.toml again: changed [[matcher]]\n"));
    assert!(running.hang_up().contains("a.toml again: nothing has changed\n"));
    append(&running.site.log, &acme(3));
    running.site.wait_listed(client(3));
    assert!(!running.site.lists(client(1)));
    // Only that one.
    running.reload(&format!("matchers = [\"acme\"]\n{ACME}"));
    running.site.log_in(client(4));
    append(&running.site.log, &acme(5));
    running.site.wait_listed(client(5));
    assert!(!running.site.lists(client(4)));
    // And gone.
    running.reload("");
    append(&running.site.log, &acme(6));
    running.site.log_in_and_wait(client(7));
    assert!(!running.site.lists(client(6)));
    assert!([2, 3, 5, 7].iter().all(|&number| running.site.lists(client(number))), "grants stay");
    running.end();
}

#[test]
fn a_message_that_was_cut_before_the_reload_is_not_believed_after_it() {
    let Some(mut running) = Reloading::new(&cases::LMDB, "matchers = [\"dovecot\"]\n", "follow") else { return };
    let stamp = cases::stamp_now();
    let long = format!("{stamp} mail imapd: LOGIN FAILED, user={}", "A".repeat(486));
    let rest = |number| format!("{stamp} mail imapd: LOGIN, user=al, ip=[::ffff:{}], port=[1]", client(number));
    append(&running.site.log, &long);
    running.site.log_in_and_wait(client(1));
    running.reload("matchers = [\"dovecot\", \"courier\"]\n");
    append(&running.site.log, &rest(2));
    append(&running.site.log, &rest(3));
    running.site.wait_listed(client(3));
    assert!(!running.site.lists(client(2)));
    running.end();
}

#[test]
fn a_bad_file_changes_nothing_and_says_so() {
    let good = format!("entries = 10\nskip-networks = [\"10.0.0.0/8\"]\n{ACME}");
    let Some(mut running) = Reloading::new(&cases::LMDB, &good, "follow") else { return };
    running.site.log_in_and_wait(client(1));
    let path = running.site.join("a.toml").display().to_string();
    let bad: [(&str, &str); 5] = [
        ("entries = 1\nskip-networks = []\ngrace = \"soon\"\n", ":3:9: grace soon: not a time; "),
        ("entries = 1\ngraze = 5\n", ":2:1: there is no key graze; did you mean grace?; "),
        ("entries = 1\nmatchers = [\"acme\"]\n", ":2:13: matchers acme: there is no such matcher; "),
        ("entries = 1\n[[matcher]]\nname = \"x\"\nprograms = [\"x\"]\nlogin = 'x'\n", ":5:9: login of matcher x: "),
        ("entries = 1\nbackend = \"sqlite\"\nentries = \n", ":3:1"),
    ];
    for ((text, expected), number) in bad.into_iter().zip(2..) {
        let told = running.reload(text);
        assert!(told.contains(&format!("error: cannot use {path}{expected}")), "{told}");
        assert!(told.contains("; the settings stay as they were\n") && !told.contains("evicted"), "{told}");
        append(&running.site.log, &acme(number));
        running.site.wait_listed(client(number));
        running.site.log_in(ip("10.1.1.1"));
    }
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    assert!(running.hang_up().contains(&format!("error: cannot trust configuration file {path}: ")));
    fs::remove_file(&path).unwrap();
    let told = running.hang_up();
    assert!(
        told.contains(&format!("error: cannot read configuration file {path}: no such file or directory; ")),
        "{told}"
    );
    running.site.log_in_and_wait(client(9));
    append(&running.site.log, &acme(10));
    running.site.wait_listed(client(10));
    assert!((1..=6).all(|number| running.site.lists(client(number))) && !running.site.lists(ip("10.1.1.1")));
    // And what is good again is taken.
    running.reload("entries = 1\n");
    (1..=9).for_each(|number| running.wait_gone(client(number)));
    assert!(running.site.lists(client(10)));
    running.end();
}

#[test]
fn what_needs_a_restart_is_named_each_time() {
    let Some(mut running) = Reloading::new(&cases::LMDB, "", "follow") else { return };
    running.site.log_in_and_wait(client(1));
    let path = running.site.join("a.toml").display().to_string();
    let fixed = "pid-file = \"/nonexistent/pid\"\nvalue = \"OK\"\nlmdb-update = \"in-place\"\n";
    for _ in 0..2 {
        let told = running.reload(&format!("{fixed}grace = 3600\n"));
        let names = format!("pid-file ({path}:1), value ({path}:2), lmdb-update ({path}:3)");
        let warning = format!("warning: {names} cannot be changed in a running daemon; restart it\n");
        assert!(told.contains(&warning), "{told}");
        running.site.log_in_and_wait(client(2));
        assert!(running.expiry(client(2)) > 0, "the value of the table is still a number");
    }
    let told = running.reload("");
    assert!(!told.contains("restart it"), "{told}");
    // The command line wins, now and later.
    let told = running.reload("backend = \"sqlite\"\nmap = \"/nonexistent\"\n");
    assert!(!told.contains("restart it"), "{told}");
    assert!(running.site.lists(client(1)));
    running.end();
}

#[test]
fn what_is_taken_over_is_named() {
    let Some(mut running) = Reloading::new(&cases::LMDB, "", "follow") else { return };
    let path = running.site.join("a.toml").display().to_string();
    let told = running.reload("escaped-newlines = true\nmax-addresses-per-user = 1\nmax-users-per-address = 2\n");
    let names = ["escaped-newlines", "max-addresses-per-user", "max-users-per-address"];
    let places: Vec<_> = (1..).zip(names).map(|(line, name)| format!("{name} ({path}:{line})")).collect();
    assert!(
        told.contains(&format!("again: changed {}\n", places.join(", "))) && !told.contains("restart it"),
        "{told}"
    );
    running.end();
}

#[test]
fn a_daemon_in_the_background_finds_its_file_again() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let pid_file = site.join("pid");
    write(&site, "matchers = [\"all\"]\ngrace = 3600\n");
    // Relative to where it was started, which is not where it works.
    let script = "cd \"$1\" && shift && exec \"$0\" \"$@\"";
    let home = site.join("");
    let home = home.to_str().unwrap();
    let arguments = site.arguments(&["-b", "--pid-file", "pid", "--source", "follow", "--config", "a.toml"]);
    let mut starting = Daemon::start_by(script, &[&[home.to_owned()], &arguments[..]].concat());
    assert_eq!(starting.wait(), Some(0), "{}", starting.stderr());
    let daemon = Background::from_pid_file(&pid_file);
    daemon.wait_following(&site.log);
    site.log_in(ip("10.1.1.1"));
    site.log_in_and_wait(client(1));
    write(&site, "matchers = [\"all\"]\nskip-networks = [\"10.0.0.0/8\"]\n");
    send(daemon.pid, Signal::SIGHUP);
    wait_for("the address to leave the table", SOON, || !site.lists(ip("10.1.1.1")));
    assert!(site.lists(client(1)));
    daemon.terminate();
    assert!(!pid_file.exists(), "the pid file goes with the daemon");
}
