//! The daemon finds out whether newlines are escaped in a log: with a real rsyslogd, in a directory of its own.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::support::cases::{self, Site};
use crate::support::command::pop_before_smtp;
use crate::support::past::{client, now, stamp};
use crate::support::{Need, SOON, process, require, wait_for};

/// An rsyslogd that takes messages at a socket of its own and writes the site's log.
struct Rsyslog {
    child: Child,
    socket: PathBuf,
    log: PathBuf,
}

impl Rsyslog {
    #[track_caller]
    fn start(site: &Site, more: &str) -> Self {
        let (file, socket, log) = (site.join("rsyslog.conf"), site.join("socket"), site.log.clone());
        let text = format!(
            "module(load=\"imuxsock\" SysSock.Use=\"off\")\ninput(type=\"imuxsock\" Socket=\"{}\" RateLimit.Interval=\"0\")\n\
             $FileGroup root\n$FileCreateMode 0640\n{more}\nmail.* {}\n",
            socket.display(),
            log.display()
        );
        fs::write(&file, text).unwrap();
        // The kernel counts the start of a process in hundredths of a second.
        wait_for("a later hundredth of a second", SOON, || is_older(&file, Duration::from_millis(20)));
        let _ = fs::remove_file(&socket);
        let mut command = Command::new(process::program("rsyslogd").unwrap());
        command.arg("-n").arg("-f").arg(&file).arg("-i").arg(site.join("rsyslog.pid"));
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        let rsyslog = Self { child, socket, log };
        wait_for("rsyslogd's socket", SOON, || UnixDatagram::unbound().unwrap().connect(&rsyslog.socket).is_ok());
        rsyslog.write("postfix/qmgr[3]: A1: removed");
        rsyslog
    }

    /// Has it write a message, and waits until it has.
    #[track_caller]
    fn write(&self, message: &str) {
        let before = fs::metadata(&self.log).map_or(0, |found| found.len());
        let datagram = format!("<22>Nov 22 16:00:00 {message}");
        UnixDatagram::unbound().unwrap().send_to(datagram.as_bytes(), &self.socket).unwrap();
        wait_for("rsyslogd to write", SOON, || fs::metadata(&self.log).is_ok_and(|found| found.len() > before));
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_older(file: &Path, age: Duration) -> bool {
    let changed = fs::metadata(file).unwrap().modified().unwrap();
    SystemTime::now().duration_since(changed).is_ok_and(|now| now > age)
}

/// Messages of a captured log as its servers sent them, and how many logins are among them.
fn captured(directory: &str) -> (Vec<String>, usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs").join(directory).join("traditional.log");
    let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
    let messages = text.lines().filter_map(|line| Some(line.get(16..)?.split_once(' ')?.1.trim_start()));
    let verdicts = fs::read_to_string(path.with_extension("log.expected.tsv")).unwrap();
    let logins = verdicts.lines().filter(|line| line.split('\t').nth(1) == Some("login")).count();
    (messages.map(|message| message.replace("#012", "\n")).collect(), logins)
}

const SERVERS: [&str; 2] = ["--matcher", "imapproxy,perdition,nginx"];

const FORGED: u32 = 66;

/// A line of nginx's mail proxy, which has a stamp of its own.
fn nginx(message: &str) -> String {
    format!("nginx: {} [info] 806#806: {message}", stamp(now(), "%Y/%m/%d %H:%M:%S", 0.0))
}

fn login(last: u32) -> String {
    let client = client(last);
    nginx(&format!(
        "*212 client logged in, client: {client}, server: 0.0.0.0:143, login: \"b\", upstream: 127.0.0.2:1143"
    ))
}

/// A login fails, and the name in it is a line that would be another's.
fn attack() -> String {
    let name = format!("x\nNov 22 16:30:13 mail {}\n", login(FORGED));
    nginx(&format!(
        "*210 client login failed: \"no\" while in http auth state, client: 203.0.113.9, server: 0.0.0.0:143, login: \"{name}\""
    ))
}

/// How many logins a running daemon has counted.
fn logins(site: &Site) -> u64 {
    let status = pop_before_smtp(&site.map_arguments(&["status", "--json"]));
    let told: serde_json::Value = serde_json::from_str(&status.stdout).unwrap_or_default();
    let counters = told["sources"][0]["counters"].as_array().cloned().unwrap_or_default();
    counters.iter().filter(|counter| counter["name"] == "logins").filter_map(|counter| counter["value"].as_u64()).sum()
}

/// Writes of one server are no longer than a message of nginx may be, so a login behind counts even in doubt.
fn write_far_behind(rsyslog: &Rsyslog, message: &str) {
    for _ in 0..3 {
        rsyslog.write(&format!("postfix/qmgr[3]: {}", "x".repeat(1000)));
    }
    rsyslog.write(message);
}

fn needs() -> bool {
    require(&[Need::Program("rsyslogd"), Need::Root])
}

#[test]
fn every_login_of_a_log_that_rsyslogd_writes_counts_without_an_option() {
    if !needs() {
        return;
    }
    for directory in ["imapproxy", "perdition", "nginx-mail"] {
        let Some(site) = Site::new(&cases::LMDB) else { return };
        let rsyslog = Rsyslog::start(&site, "");
        let mut daemon = site.daemon(&SERVERS);
        daemon.wait_logged(&format!(
            "newlines are escaped in {}: process {} (rsyslogd)",
            site.log.display(),
            rsyslog.child.id()
        ));
        daemon.wait_following(&site.log);
        let (messages, expected) = captured(directory);
        let socket = UnixDatagram::unbound().unwrap();
        for message in &messages {
            socket.send_to(format!("<22>Nov 22 16:00:00 {message}").as_bytes(), &rsyslog.socket).unwrap();
        }
        assert!(expected > 20, "{directory}");
        wait_for(directory, SOON, || logins(&site) == expected as u64);
        // What stands behind is nobody else's.
        rsyslog.write(&login(1));
        site.wait_listed(client(1));
        assert_eq!(logins(&site), expected as u64 + 1, "{directory}");
        assert_eq!(daemon.terminate(), Some(0));
    }
}

#[test]
fn a_line_of_a_stranger_grants_nothing_whatever_rsyslogd_does_with_newlines() {
    if !needs() {
        return;
    }
    for (setting, is_escaped, said) in [
        ("", true, &[][..]),
        ("$EscapeControlCharactersOnReceive off", false, &[]),
        ("global(parser.escapeControlCharactersOnReceive=\"off\")", false, &[]),
        ("", false, &["--escaped-newlines=false"]),
    ] {
        let Some(site) = Site::new(&cases::LMDB) else { return };
        let rsyslog = Rsyslog::start(&site, setting);
        let mut daemon = site.daemon(&[&SERVERS[..], said].concat());
        daemon.wait_following(&site.log);
        let told = if is_escaped { "newlines are escaped in " } else { "newlines may not be escaped in " };
        match said {
            [] => daemon.wait_logged(told),
            _ => assert!(!daemon.stderr().contains("newlines")),
        }
        rsyslog.write(&attack());
        rsyslog.write(&login(1));
        write_far_behind(&rsyslog, &login(2));
        site.wait_listed(client(2));
        assert_eq!(site.lists(client(1)), is_escaped, "{setting}: {}", daemon.stderr());
        assert!(!site.lists(client(FORGED)), "{setting}: {}", daemon.stderr());
        let is_raw =
            fs::read_to_string(&site.log).unwrap().lines().any(|line| line.starts_with("Nov 22 16:30:13 mail nginx"));
        assert_eq!(is_raw, setting.contains("off"), "what the stranger wrote is in the log");
        assert_eq!(daemon.terminate(), Some(0));
    }
    // The test has a line that would be a login.
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let rsyslog = Rsyslog::start(&site, "$EscapeControlCharactersOnReceive off");
    let mut daemon = site.daemon(&[&SERVERS[..], &["--escaped-newlines"]].concat());
    daemon.wait_following(&site.log);
    rsyslog.write(&attack());
    site.wait_listed(client(FORGED));
    assert_eq!(daemon.terminate(), Some(0));
}

/// It reads its configuration at its start alone.
#[test]
fn another_rsyslogd_is_not_taken_for_the_one_that_was_seen() {
    if !needs() {
        return;
    }
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let first = Rsyslog::start(&site, "");
    let mut daemon = site.daemon(&SERVERS);
    daemon.wait_logged("newlines are escaped in ");
    daemon.wait_following(&site.log);
    first.write(&login(1));
    site.wait_listed(client(1));
    // Still the one that was seen, whatever its file says.
    drop(first);
    let second = Rsyslog::start(&site, "$EscapeControlCharactersOnReceive off");
    second.write(&attack());
    write_far_behind(&second, &login(2));
    site.wait_listed(client(2));
    assert!(!site.lists(client(FORGED)), "{}", daemon.stderr());
    daemon.wait_logged(&format!("newlines may not be escaped in {} (of process", site.log.display()));
    second.write(&attack());
    drop(second);
    let third = Rsyslog::start(&site, "");
    daemon.wait_logged(&format!(": process {} (rsyslogd) writes it", third.child.id()));
    wait_for("a login behind a failed one", SOON, || {
        third.write(&attack());
        third.write(&login(3));
        site.lists(client(3))
    });
    assert!(!site.lists(client(FORGED)), "{}", daemon.stderr());
    assert_eq!(daemon.terminate(), Some(0));
}

/// What the log held before may be another program's.
#[test]
fn what_was_written_before_is_doubted_and_so_is_a_file_that_was_changed_since() {
    if !needs() {
        return;
    }
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let raw = Rsyslog::start(&site, "$EscapeControlCharactersOnReceive off");
    raw.write(&attack());
    drop(raw);
    let rsyslog = Rsyslog::start(&site, "");
    for options in [&["--reprocess"][..], &[]] {
        let mut daemon = site.daemon(&[&SERVERS[..], options].concat());
        daemon.wait_logged("newlines are escaped in ");
        write_far_behind(&rsyslog, &login(1));
        site.wait_listed(client(1));
        assert!(!site.lists(client(FORGED)), "{}", daemon.stderr());
        assert_eq!(daemon.terminate(), Some(0));
        fs::remove_file(site.state()).unwrap();
    }
    let file = site.join("rsyslog.conf");
    fs::write(&file, fs::read(&file).unwrap()).unwrap();
    let mut daemon = site.daemon(&SERVERS);
    daemon.wait_logged(&format!("{} has been changed since it started", file.display()));
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn a_log_that_another_process_writes_too_is_doubted() {
    if !needs() {
        return;
    }
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let rsyslog = Rsyslog::start(&site, "");
    let log = fs::OpenOptions::new().append(true).open(&site.log).unwrap();
    let mut writer = Command::new("cat").stdin(Stdio::piped()).stdout(log).spawn().unwrap();
    let mut daemon = site.daemon(&SERVERS);
    daemon.wait_logged("several processes may write it: ");
    daemon.wait_following(&site.log);
    drop(writer.stdin.take());
    writer.wait().unwrap();
    daemon.send(nix::sys::signal::Signal::SIGHUP);
    daemon.wait_logged(&format!(": process {} (rsyslogd) writes it", rsyslog.child.id()));
    assert_eq!(daemon.terminate(), Some(0));
}
