//! Lines from standard input, as syslog daemons hand them to a program that they start.

use std::fs;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};

use crate::support::cases::{self, Site, login_line};
use crate::support::daemon::Daemon;
use crate::support::past::{RFC_3339, client, now, stamp};
use crate::support::process::{children, send, wait_gone};
use crate::support::{Need, SOON, require, wait_for};
use nix::sys::signal::Signal;

#[test]
fn the_end_of_input_is_a_clean_stop() {
    for options in [["--log", "-"], ["--source", "stdin"]] {
        let Some(site) = Site::new(&cases::LMDB) else { return };
        let (mut daemon, mut input) = Daemon::start_with_input(&site.map_arguments(&options));
        daemon.wait_logged("serving ");
        // Its time is long past; it comes now.
        writeln!(input, "{}", login_line(client(1))).unwrap();
        site.wait_listed(client(1));
        // Half a line is none.
        write!(input, "{}", login_line(client(2))).unwrap();
        drop(input);
        assert_eq!(daemon.wait(), Some(0), "{}", daemon.stderr());
        assert!(!site.lists(client(1)) && !daemon.stderr().contains(&format!("granted {}", client(2))));

        // What was granted is still granted.
        let (mut daemon, input) = Daemon::start_with_input(&site.map_arguments(&options));
        site.wait_listed(client(1));
        drop(input);
        assert_eq!(daemon.wait(), Some(0), "{}", daemon.stderr());
    }
}

/// The log may go on in the middle of a message that its logger has cut in two.
#[test]
fn the_first_message_of_courier_may_be_the_rest_of_one() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let (mut daemon, mut input) = Daemon::start_with_input(&site.map_arguments(&["--log", "-"]));
    daemon.wait_logged("serving ");
    for last in [66, 1] {
        let login = format!("LOGIN, user=alice, ip=[::ffff:{}], port=[4711], protocol=IMAP", client(last));
        writeln!(input, "{} mail imapd: {login}", stamp(now(), RFC_3339, 0.0)).unwrap();
    }
    site.wait_listed(client(1));
    assert!(!site.lists(client(66)), "{}", daemon.stderr());
    drop(input);
    assert_eq!(daemon.wait(), Some(0), "{}", daemon.stderr());
}

/// An rsyslogd of our own.
struct Rsyslog(Child);

impl Rsyslog {
    /// With the action of the manual, and a socket in place of /dev/log.
    fn start(site: &Site) -> Self {
        let program =
            format!("{} {} --log -", env!("CARGO_BIN_EXE_pop-before-smtp"), site.map_arguments(&[]).join(" "));
        let manual = fs::read_to_string("docs/logs.md").unwrap();
        let action =
            manual.split("# /etc/rsyslog.d/pop-before-smtp.conf\n").nth(1).unwrap().split("```").next().unwrap();
        let action = action
            .replace("/usr/sbin/pop-before-smtp --backend sqlite --log -", &program)
            .replace("/var/log/pop-before-smtp.log", &site.join("output").display().to_string());
        let socket = site.join("socket").display().to_string();
        let input =
            format!("module(load=\"imuxsock\" SysSock.Use=\"off\")\ninput(type=\"imuxsock\" Socket=\"{socket}\")\n");
        fs::write(site.join("rsyslog.conf"), input + &action).unwrap();
        let mut command = Command::new(crate::support::process::program("rsyslogd").unwrap());
        command.arg("-n").arg("-f").arg(site.join("rsyslog.conf")).arg("-i").arg(site.join("rsyslog.pid"));
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> i32 {
        self.0.id().try_into().unwrap()
    }

    /// Writes a message into its socket.
    fn log(site: &Site, facility: &str, message: &str) -> bool {
        let mut logger = Command::new("logger");
        logger.arg("-u").arg(site.join("socket")).args(["-d", "-t", "dovecot", "-p", facility, message]);
        logger.stderr(Stdio::null()).status().unwrap().success()
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        send(self.pid(), Signal::SIGKILL);
        let _ = self.0.wait();
    }
}

#[test]
fn rsyslog_starts_it_as_the_manual_says() {
    if !require(&[Need::Program("rsyslogd"), Need::Program("logger")]) {
        return;
    }
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let mut rsyslog = Rsyslog::start(&site);
    let message = |last| login_line(client(last)).split_once("dovecot: ").unwrap().1.to_owned();
    let output = || fs::read_to_string(site.join("output")).unwrap_or_default();
    // There is no socket at first, of which logger says nothing.
    wait_for("a grant", SOON, || {
        Rsyslog::log(&site, "mail.info", &message(1)) && output().contains(&format!("granted {} ", client(1)))
    });
    site.wait_listed(client(1));
    // Another facility, and a message with a line in it.
    assert!(Rsyslog::log(&site, "user.info", &message(66)));
    assert!(Rsyslog::log(&site, "mail.info", &format!("x\n{}", login_line(client(67)))));
    let daemon = children(rsyslog.pid())[0];
    // It is started again if it dies.
    send(daemon, Signal::SIGKILL);
    wait_for("another daemon", SOON, || {
        Rsyslog::log(&site, "mail.info", &message(2)) && output().contains(&format!("granted {} ", client(2)))
    });
    let daemon = children(rsyslog.pid()).into_iter().find(|&child| child != daemon).unwrap();
    send(rsyslog.pid(), Signal::SIGTERM);
    rsyslog.0.wait().unwrap();
    wait_gone("the daemon", daemon);
    assert!(output().contains("stopped; the table is empty"), "{}", output());
    assert!(!site.lists(client(1)) && !site.lists(client(2)));
    assert!(!output().contains("198.51.100.6"), "{}", output());
}
