//! Which servers a daemon listens to that is told of none: those that its host has or its log shows, and no others.

use std::fs;
use std::path::PathBuf;

use crate::support::cases::{append, ip, login_line, stamp_now};
use crate::support::command::pop_before_smtp;
use crate::support::daemon::Daemon;
use crate::support::{Need, SOON, Scratch, require, wait_for};
use nix::sys::signal::Signal;

/// A log, and a table that needs no Postfix.
struct Host {
    scratch: Scratch,
    log: PathBuf,
}

impl Host {
    fn new() -> Self {
        let scratch = Scratch::new();
        let log = scratch.new_log("mail.log");
        fs::create_dir(scratch.join("tables")).unwrap();
        Self { scratch, log }
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let (map, log) = (self.scratch.join("tables/map"), self.log.display().to_string());
        let map = map.display().to_string();
        let own = ["--backend", "sqlite", "--map", &map, "--log", &log, "--source", "follow"];
        [&own, more].concat().into_iter().map(str::to_owned).collect()
    }

    fn daemon(&self, more: &[&str]) -> Daemon {
        let mut daemon = Daemon::start(&self.arguments(more));
        daemon.wait_following(&self.log);
        daemon
    }

    fn lists(&self, client: &str) -> bool {
        let map = self.scratch.join("tables/map").display().to_string();
        pop_before_smtp(&["list", "--backend", "sqlite", "--map", &map]).stdout.contains(client)
    }

    #[track_caller]
    fn wait_listed(&self, client: &str) {
        wait_for(&format!("{client} in the table"), SOON, || self.lists(client));
    }

    fn dovecot(&self, client: &str) {
        append(&self.log, &login_line(ip(client)));
    }

    /// A login of a server that no machine has on which this runs.
    fn tpop3d(&self, client: &str) {
        let message =
            format!("fork_child: [5]alice({client}): began session for `alice' with passwd; child PID is 813");
        append(&self.log, &format!("{} pop tpop3d[812]: {message}", stamp_now()));
    }
}

fn has_tpop3d() -> bool {
    let found = pop_before_smtp(&["matchers", "--format", "json"]).stdout;
    found.lines().any(|line| line.contains(r#""name":"tpop3d""#) && line.contains(r#""on_this_host":"yes"#))
}

/// The log tells of Dovecot on another host, if this one has none.
#[test]
fn a_server_that_the_host_does_not_have_is_not_believed() {
    assert!(!has_tpop3d(), "this machine runs tpop3d: choose another server for this test");
    for (more, believes) in [(&[][..], false), (&["--matcher", "all"], true), (&["--matcher", "tpop3d,all"], true)] {
        let place = Host::new();
        place.dovecot("127.0.0.1");
        let mut daemon = place.daemon(more);
        place.tpop3d("198.51.100.1");
        place.dovecot("198.51.100.2");
        place.wait_listed("198.51.100.2");
        assert_eq!(place.lists("198.51.100.1"), believes, "{more:?}: {}", daemon.stderr());
        let line = daemon.stderr().lines().find(|line| line.starts_with("matchers: ")).map(str::to_owned);
        assert_eq!(line.is_some(), !believes, "{}", daemon.stderr());
        if let Some(line) = line {
            assert!(line.contains("dovecot (") && !line.contains("tpop3d"), "{line}");
            assert!(line.ends_with("; --matcher all turns on every one"), "{line}");
        }
        assert_eq!(daemon.terminate(), Some(0));
    }
}

/// It is one of another host. What the log has shown is used as long as the daemon runs.
#[test]
fn a_server_that_the_log_shows_is_used_and_stays_after_a_rotation() {
    let place = Host::new();
    place.tpop3d("127.0.0.1");
    let mut daemon = place.daemon(&[]);
    assert!(daemon.stderr().contains("tpop3d (1 login of host pop in "), "{}", daemon.stderr());
    place.tpop3d("198.51.100.1");
    place.wait_listed("198.51.100.1");
    fs::rename(&place.log, place.scratch.join("elsewhere")).unwrap();
    place.scratch.new_log("mail.log");
    daemon.send(Signal::SIGHUP);
    daemon.wait_logged("SIGHUP: following the log anew\n");
    assert_eq!(daemon.stderr().matches("tpop3d (1 login of host pop in ").count(), 2, "{}", daemon.stderr());
    place.tpop3d("198.51.100.2");
    place.wait_listed("198.51.100.2");
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn debug_mode_check_and_the_dump_choose_alike() {
    assert!(!has_tpop3d());
    let place = Host::new();
    place.dovecot("127.0.0.1");
    let run = |more: &[&str]| pop_before_smtp(&place.arguments(more));
    let debug = run(&["-d", "--once"]);
    let checked = run(&["check"]);
    let dumped = run(&["--dump-config"]);
    for (told, summary) in [
        (&debug.stderr, "matchers: "),
        (&checked.stdout, "ok: matchers: "),
        (&dumped.stdout, "matchers = []  # default: those that this host has or its log shows; now "),
    ] {
        let line = told.lines().find_map(|line| line.strip_prefix(summary)).unwrap_or_else(|| panic!("{told}"));
        assert!(line.contains("dovecot") && !line.contains("tpop3d"), "{line}");
    }
    for (more, of) in
        [(&["-d", "--once", "--matcher", "all"][..], "matchers: "), (&["check", "--matcher", "all"], "ok: ma")]
    {
        let told = run(more);
        assert!(!told.stderr.contains(of) && !told.stdout.contains(of), "{told:?}");
    }
}

/// In name spaces of its own the daemon sees no server, whatever this machine has.
#[test]
fn a_server_that_appears_later_is_found() {
    if !require(&[Need::Mounts]) {
        return;
    }
    let place = Host::new();
    let hide = "for place in /usr/sbin /usr/local/sbin /etc/systemd/system /usr/lib/systemd/system; do \
                if [ -d $place ]; then mount -t tmpfs none $place || exit; fi; done; exec \"$@\"";
    let script = format!("exec unshare --mount --pid --fork --kill-child --mount-proc sh -c '{hide}' sh \"$0\" \"$@\"");
    let daemon = Daemon::start_by(&script, &place.arguments(&[]));
    daemon.wait_logged("warning: no matcher is used, so no login counts: this host shows no POP3 or IMAP server");
    place.dovecot("198.51.100.1");
    daemon.wait_logged("matchers: dovecot (1 login of host mail in ");
    place.dovecot("198.51.100.2");
    place.wait_listed("198.51.100.2");
    assert!(!place.lists("198.51.100.1"), "it came before");
    assert_eq!(daemon.stderr().matches("no matcher is used").count(), 1);
}
