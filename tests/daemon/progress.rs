//! A long read shows how far it has come on a terminal, and nothing anywhere else.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::cases::{self, Site, ip, login_line};
use crate::support::command::{finish, pop_before_smtp};
use crate::support::daemon::PROGRAM;
use crate::support::{Need, require};

/// What stands behind the remaining time.
const LEFT: &str = " left";

/// Runs a line of the shell with a terminal of its own; what the terminal shows.
fn on_a_terminal(line: &str) -> String {
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", line, "/dev/null"]).stdin(Stdio::null()).env("TERM", "xterm");
    let end = finish(&mut script);
    assert_eq!(end.code, Some(0), "{end:?}");
    end.stdout
}

/// A log that takes a while, some four times as long as a read that shows nothing, with a login at its end.
fn long_log(path: &Path) -> String {
    let noise = format!("{}\n", login_line(ip("198.51.100.2")).replace("Login:", "Disconnected:"));
    let text = noise.repeat(192 * 1024 * 1024 / noise.len()) + &login_line(ip("198.51.100.1")) + "\n";
    fs::write(path, text).unwrap();
    path.display().to_string()
}

#[test]
fn match_tells_how_far_it_is_unless_that_would_disturb() {
    if !require(&[Need::Program("script")]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let log = long_log(&directory.path().join("maillog"));
    let counted = on_a_terminal(&format!("{PROGRAM} match --count {log} | cat"));
    assert!(counted.contains(LEFT) && counted.contains("login\t1"), "{counted:?}");
    let printed = on_a_terminal(&format!("{PROGRAM} match {log}"));
    assert!(!printed.contains(LEFT) && printed.contains("198.51.100.1"), "{printed:?}");
    let piped = pop_before_smtp(&["match", "--count", &log]);
    assert_eq!((piped.code, &*piped.stderr), (Some(0), ""), "{piped:?}");
}

#[test]
fn a_daemon_tells_it_too_and_its_messages_stay_whole() {
    let Some(site) = require(&[Need::Program("script")]).then(|| Site::new(&cases::LMDB)).flatten() else { return };
    let log = format!("follow:{}", long_log(&site.join("long")));
    let options = site.map_arguments(&["--log", &log, "--reprocess", "--once"]).join(" ");
    let shown = on_a_terminal(&format!("{PROGRAM} {options}"));
    assert!(shown.contains(LEFT), "{shown:?}");
    let granted = shown.lines().find(|line| line.contains("granted")).unwrap();
    assert!(granted.contains("granted 198.51.100.1 until ") && granted.ends_with("user kevin"), "{granted:?}");
}
