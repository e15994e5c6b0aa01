//! A log whose format has changed is noticed, and the command that the warning gives does what it says, whoever wrote the
//! line.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::Scratch;
use crate::support::daemon::Daemon;
use jiff::{Timestamp, ToSpan as _};
use pop_before_smtp::output::shell;
use proptest::prelude::*;

const WARNING: &str = "look like logins since ";

/// What a future Dovecot might write, with a user who hopes for an operator in a hurry.
const CHANGED: &str = "imap-login: Login done: user=<it's $(touch pwned)`touch pwned`\u{1b}[31m;\\>, method=PLAIN, \
                       rip=198.51.100.7, lip=192.0.2.25, mpid=1, TLS, session=<b>";

fn login(client: &str) -> String {
    format!("imap-login: Login: user=<a>, method=PLAIN, rip={client}, lip=192.0.2.25, mpid=1, TLS, session=<b>")
}

/// A line as syslogd writes it, so many minutes after the start.
fn line(start: Timestamp, minute: i64, message: &str) -> String {
    format!("{}+00:00 mail dovecot: {message}", (start + minute.minutes()).strftime("%Y-%m-%dT%H:%M:%S.%6f"))
}

/// Ten hours ago.
fn start() -> Timestamp {
    Timestamp::now() - 10.hours()
}

fn arguments(home: &Scratch, more: &[&str]) -> Vec<String> {
    let map = home.join("map").display().to_string();
    ["--backend", "lmdb", "--map", &map].iter().chain(more).map(|argument| (*argument).to_owned()).collect()
}

/// A daemon that reads its standard input. For a day a login is not late.
fn daemon(home: &Scratch) -> (Daemon, impl FnMut(&str)) {
    let (daemon, mut input) = Daemon::start_with_input(&arguments(home, &["--log", "-", "--grace", "1d"]));
    (daemon, move |line: &str| writeln!(input, "{line}").expect("it reads"))
}

#[test]
fn a_log_of_an_unknown_version_is_noticed_and_again_when_it_is_known() {
    let (home, start) = (Scratch::new(), start());
    let (mut daemon, mut write) = daemon(&home);
    write(&line(start, 0, &login("198.51.100.7")));
    for minute in 1..=61 {
        write(&line(start, minute, CHANGED));
    }
    daemon.wait_logged(WARNING);
    for minute in 62..=200 {
        write(&line(start, minute, CHANGED));
    }
    write(&line(start, 201, &login("198.51.100.8")));
    daemon.wait_logged("log -: logins are matched again, after 200 lines like logins that were not");
    let told = daemon.stderr();
    assert_eq!(told.matches(WARNING).count(), 1, "{told}");
    let warning = told.lines().find(|line| line.contains(WARNING)).unwrap();
    assert!(warning.starts_with("warning: log -: 61 lines look like logins since "), "{warning}");
    assert!(warning.contains(r"user=<it's $(touch pwned)`touch pwned`\u{1b}[31m;\\>"), "{warning}");
    let (_, command) = warning.split_once("; run ").unwrap();
    let (command, _) = command.split_once("; such as: ").unwrap();
    assert_eq!(paste(command, &fake(&home)), line(start, 1, CHANGED).into_bytes());
    let program = Path::new(env!("CARGO_BIN_EXE_pop-before-smtp")).parent().unwrap();
    let explained = String::from_utf8(paste(command, program)).unwrap();
    assert!(explained.contains("none: no pattern fits"), "{explained}");
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn failures_and_logins_that_are_refused_are_no_change_of_format() {
    let (home, start) = (Scratch::new(), start());
    let (daemon, mut write) = daemon(&home);
    for minute in 0..300 {
        write(&line(
            start,
            minute,
            "imap-login: Login aborted: Connection closed (auth failed): user=<a>, rip=192.0.2.1",
        ));
        // Lines of other programs may speak of logins as they like.
        write(&line(start, minute, "x").replace("dovecot: x", "sshd[1]: Login of user root"));
        if minute % 59 == 0 {
            write(&line(start, minute, CHANGED));
            write(&line(start, minute, &login("127.0.0.1")));
        }
    }
    write(&line(start, 300, &login("198.51.100.7")));
    daemon.wait_logged("granted 198.51.100.7 ");
    assert!(!daemon.stderr().contains(WARNING), "{}", daemon.stderr());
}

#[test]
fn what_was_written_while_nobody_watched_counts() {
    let home = Scratch::new();
    let (log, start) = (home.join("maillog"), Timestamp::now() - 100.minutes());
    let lines: String = (0..90).map(|minute| line(start, minute, CHANGED) + "\n").collect();
    fs::write(&log, lines).unwrap();
    let name = log.display().to_string();
    let more = ["--source", "follow", "--grace", "2h", "--log", &name];
    let daemon = Daemon::start(&arguments(&home, &more));
    daemon.wait_logged(&format!("warning: log {name}: 61 lines {WARNING}"));
    daemon.wait_logged(&format!(", or pop-before-smtp match --suggest '{name}'; such as: "));
}

/// A directory with a program of our name that prints the line it is given, exactly.
fn fake(home: &Scratch) -> std::path::PathBuf {
    let directory = home.join("bin");
    fs::create_dir_all(&directory).unwrap();
    let program = directory.join("pop-before-smtp");
    let script = "#!/bin/sh\n[ $# = 3 ] && [ \"$1 $2\" = 'match --explain' ] || exit 1\n\
                  if [ \"$3\" = - ]; then head -c -1; else printf %s \"$3\"; fi\n";
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    directory
}

/// What a shell prints that is given this command line, with the programs of this directory first. It must print nothing
/// else, and leave nothing behind.
#[track_caller]
fn paste(command: &str, programs: &Path) -> Vec<u8> {
    assert!(command.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{command:?}");
    let home = Scratch::new();
    let mut path = OsString::from(programs);
    path.push(":/usr/bin:/bin");
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).env("PATH", path).current_dir(home.path());
    let output = shell.stdin(Stdio::null()).output().expect("a shell");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""), "{command}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "something was run: {command}");
    OsString::from_vec(output.stdout).into_vec()
}

#[test]
fn a_pasted_command_stands_for_exactly_the_line_and_runs_nothing_else() {
    let home = Scratch::new();
    let programs = fake(&home);
    for line in [
        &b"Nov 22 16:00:00 mail imapd: login done"[..],
        b"it's ''quoted'' \"twice\" '",
        b"'; touch pwned; '",
        b"'\\''; touch pwned #",
        b"$(touch pwned) `touch pwned` ${IFS} $HOME $'\\n' !! !touch ~ *",
        b"& touch pwned | touch pwned > pwned < pwned && touch pwned",
        b"%s %n %% %d %c %b \\n \\044 \\x41 \\c \\",
        b"\r\x03\x04\x1b[201~\x0btouch pwned\r",
        b"\x001\x0012\x7f7\xff8\\9 nul and digits",
        "müller\u{202e}\u{85}\u{feff}".as_bytes(),
        b"\xc3\xff\xfe\x80",
        b"- -x --help",
        b"-\x01",
        b"\t tab and trailing space ",
        b"\\",
        b"\x01\\",
    ] {
        assert_eq!(paste(&shell::explain(line), &programs), line, "{:?}", String::from_utf8_lossy(line));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn so_does_any_line(line in prop::collection::vec(
        prop_oneof![any::<u8>(), prop::sample::select(b"'\\%$`\"!-;&|\n0123".to_vec())], 1..60,
    )) {
        let line: Vec<u8> = line.into_iter().filter(|byte| *byte != b'\n').collect();
        let home = Scratch::new();
        prop_assert_eq!(paste(&shell::explain(&line), &fake(&home)), line);
    }
}
