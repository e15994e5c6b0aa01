//! What a stranger types wrong, two daemons at once, life in the background, and no process per publish.

use crate::support::cases::{self, Case, Site, ip};
use crate::support::command::{Finished, finish, pop_before_smtp};
use crate::support::daemon::{Background, Daemon};
use crate::support::process::{self, send, wait_gone};
use crate::support::{Need, SOON, require, wait_for};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// A message must say what is wrong, with what, and what to do.
#[track_caller]
fn assert_refused(finished: &Finished, code: i32, mentions: &[&str]) {
    assert_eq!(finished.code, Some(code), "{finished:?}");
    for word in mentions {
        assert!(finished.stderr.contains(word), "no {word:?} in: {}", finished.stderr);
    }
    assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
}

#[test]
fn wrong_usage_is_answered_with_the_valid_names() {
    let mistakes: [(&[&str], &[&str]); 19] = [
        (&["--no-such-option"], &["--no-such-option", "there is no such option; choose from --", " --grace, "]),
        (&["--graze", "5m"], &["use --graze: there is no such option; did you mean --grace?\n"]),
        (&["list", "--jsn"], &["use --jsn: there is no such option; did you mean --json?\n"]),
        (
            &["report", "--grace", "10m"],
            &["use --grace: it cannot stand behind the command; write it in front of report\n"],
        ),
        (&["match", "--explain"], &["the value is missing; give a line of the log, in quotes\n"]),
        (&["match", "--explain", "Nov", "30"], &["; give a line of the log, in quotes\n"]),
        (&["nosuch"], &["run command nosuch: there is no such command; choose from list, "]),
        (&["chek"], &["run command chek: there is no such command; did you mean check?\n"]),
        (&["share", "inti"], &["run command inti: there is no such command; did you mean init?\n"]),
        (&["deny", "--everywher", "x"], &["did you mean --everywhere?\n"]),
        (&["--backend", "nosuch"], &["nosuch", "postmap", "lmdb", "sqlite"]),
        (&["--matcher", "nosuch"], &["nosuch", "dovecot", "cyrus"]),
        (&["--matcher", "dovecot,nosuch"], &["nosuch", "courier"]),
        (&["--grace", "soon"], &["--grace", "soon"]),
        (&["--entries", "none"], &["--entries", "none"]),
        (&["--lmdb-update", "in-place"], &["--lmdb-update", "postmap", "--backend lmdb"]),
        (&["--backend", "sqlite", "--sync", "never"], &["--sync never", "sqlite", "--backend lmdb"]),
        (&["--log", "/dev/null", "--journal-unit", "dovecot"], &["--journal-unit", "--source journal"]),
        (&["--source", "follow", "--journal-uid", "0"], &["--journal-uid", "--source journal"]),
    ];
    for (arguments, mentions) in mistakes {
        assert_refused(&pop_before_smtp(arguments), 64, mentions);
    }
}

#[test]
fn help_is_a_command_too() {
    for [asked, same] in [[["help"].as_slice(), &["--help"]], [&["help", "list"], &["list", "--help"]]] {
        let [asked, same] = [asked, same].map(pop_before_smtp);
        assert_eq!((asked.code, asked.stdout, asked.stderr), (Some(0), same.stdout, same.stderr));
    }
}

#[test]
fn a_missing_log_is_named() {
    let Some(mut site) = Site::new(&cases::LMDB) else { return };
    site.log = site.join("nosuch.log");
    let log = site.log.display().to_string();
    // `<object>: <cause>; <cure>`, also if the daemon was to go to the background.
    let cure = "with --log, or the journal's unit with --journal-unit\n";
    assert_refused(&pop_before_smtp(&site.arguments(&[])), 66, &["cannot", &log, "; ", cure]);
    let pid_file = site.join("pid").display().to_string();
    assert_refused(&pop_before_smtp(&site.arguments(&["-b", "--pid-file", &pid_file])), 66, &["cannot", &log, "; "]);
}

#[test]
fn a_map_that_cannot_be_written_is_named() {
    for case in [&cases::POSTMAP_HASH, &cases::LMDB, &cases::SQLITE] {
        let Some(site) = Site::new(case) else { return };
        // A copy, because user nobody may have no way to the directory it was built in; by another process, because a
        // file that is open for writing, be it in a child that another test is about to start, cannot be run.
        let program = site.join("program");
        let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_pop-before-smtp")).arg(&program).status();
        assert!(copied.unwrap().success());
        let refused = |map: String, cure: &str, run: &dyn Fn(&mut Command)| {
            let mut command = Command::new(&program);
            command.args(case.backend).args(["--map", &map, "--log"]).arg(&site.log);
            run(&mut command);
            assert_refused(
                &finish(&mut command),
                73,
                &["cannot", &map, &format!("; {cure}name another table with --map\n")],
            );
        };
        let directory = site.map_dir().display().to_string();
        let create = "create the directory and let the daemon's user write to it, or ";
        refused(site.join("nosuch/pop-before-smtp").display().to_string(), create, &|_| {});
        refused(format!("{}/pop-before-smtp", site.log.display()), "", &|_| {});
        // As user nobody, in a directory of root.
        refused(
            site.map().display().to_string(),
            &format!("let the daemon's user write to {directory}, or "),
            &|command| {
                command.uid(65534).gid(65534);
            },
        );
        assert_eq!(fs::read_dir(site.map_dir()).unwrap().count(), 0, "{}: nothing is left behind", case.name);
        // A lock that root has left.
        fs::write(site.map().with_added_extension("lock"), "").unwrap();
        refused(site.map().display().to_string(), "give it to the daemon's user, or ", &|command| {
            command.uid(65534).gid(65534);
        });
    }
}

#[test]
fn a_second_daemon_on_the_same_map_is_refused() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let mut first = site.daemon(&[]);
    let map = site.map().display().to_string();
    let (log, pid_file) = (site.log.display().to_string(), site.join("pid").display().to_string());
    let others: [&[&str]; 5] = [
        &["--backend", "lmdb"],
        &["--backend", "sqlite"],
        &["--backend", "postmap", "--map-type", "hash"],
        &["--backend", "lmdb", "-b", "--pid-file", &pid_file],
        &["--backend", "sqlite", "--once", "--reprocess"],
    ];
    for other in others {
        let arguments = [other, &["--map", &map, "--log", &log]].concat();
        assert_refused(&pop_before_smtp(&arguments), 75, &[&map]);
    }
    site.log_in_and_wait(ip("198.51.100.1"));

    // The lock ends with its owner, also if the owner had no time to clean up.
    first.kill9();
    site.start_log_anew();
    let mut second = site.daemon(&[]);
    assert!(site.lists(ip("198.51.100.1")), "the second takes over what the first has granted");
    assert_eq!(second.terminate(), Some(0), "{}", second.stderr());
}

#[test]
fn life_in_the_background() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let pid_file = site.join("pop-before-smtp.pid");
    let pid_path = pid_file.display().to_string();
    let started = pop_before_smtp(&site.arguments(&["-b", "--pid-file", &pid_path]));
    assert_eq!(started.code, Some(0), "{started:?}");

    let daemon = Background::from_pid_file(&pid_file);
    assert_eq!(fs::read_to_string(&pid_file).unwrap(), format!("{}\n", daemon.pid));
    let follower = daemon.wait_following(&site.log);
    site.log_in_and_wait(ip("198.51.100.1"));
    assert_refused(&pop_before_smtp(&site.arguments(&["-b", "--pid-file", &pid_path])), 75, &["pop-before-smtp"]);

    daemon.terminate();
    wait_gone("its child", follower);
    assert!(!site.lists(ip("198.51.100.1")), "after a clean stop");
    assert!(!pid_file.exists(), "the pid file goes with the daemon");

    let started = pop_before_smtp(&site.arguments(&["-b", "--pid-file", &pid_path]));
    assert_eq!(started.code, Some(0), "{started:?}");
    let daemon = Background::from_pid_file(&pid_file);
    site.wait_listed(ip("198.51.100.1"));
    daemon.terminate();
}

#[test]
fn debug_mode_writes_no_table() {
    let Some(site) = Site::new(&cases::POSTMAP_HASH) else { return };
    site.log_in(ip("198.51.100.1"));
    site.log_in(ip("198.51.100.1"));
    let told = pop_before_smtp(&site.arguments(&["-d", "--once", "--reprocess"]));
    assert_eq!(told.code, Some(0), "{told:?}");
    // Numbers aside, this is all of it.
    let told: String = told.stdout.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    let squeezed = told.split('9').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("9");
    let start = format!(
        "pop-before-smtp   version {}\nPerforming debug mode\nStarting command in 9 seconds: tail -n +9 {}\n\
         Postmap command: postmap -r {}\n",
        env!("CARGO_PKG_VERSION"),
        site.log.display(),
        site.table()
    );
    let login =
        "cur_time: 9   oldest_entry_time: 9\nAlarm set for 9 seconds\nx= 9 OK\nhead=9 tail=9 9 from 198.51.100.1\n";
    let expected = format!("{start}{login}{login}");
    let plain: String = expected.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    assert_eq!(squeezed, plain.split('9').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("9"));
    let told = pop_before_smtp(&site.arguments(&["-d", "--once", "--source", "follow"]));
    let log = format!("\nLog file: {}\n", site.log.display());
    assert!(told.stdout.contains(&log) && !told.stdout.contains("Starting command"), "{}", told.stdout);
    for table in ["pop-before-smtp", "pop-before-smtp.db"] {
        assert!(!site.map_dir().join(table).exists(), "{table} was written");
    }
}

#[test]
fn debug_mode_counts_the_users_behind_an_address() {
    let Some(site) = Site::new(&cases::SQLITE) else { return };
    for user in ["ada", "bo", "cy"] {
        cases::append(&site.log, &cases::login_line(ip("198.51.100.1")).replace("kevin", user));
    }
    let run = |more: &[&str]| {
        let bounded = ["--once", "--reprocess", "--max-users-per-address", "2"];
        let finished = pop_before_smtp(&site.arguments(&[&bounded, more].concat()));
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert!(finished.stderr.contains("more than 2 users"), "{more:?}: {}", finished.stderr);
        finished.stdout
    };
    assert_eq!(run(&["-d"]).matches(" from 198.51.100.1\n").count(), 2);
    assert_eq!(fs::read_dir(site.map_dir()).unwrap().count(), 0, "no table, no lock, no state");
    run(&[]);
    assert!(!site.lists(ip("198.51.100.1")), "the daemon refuses alike");
}

#[test]
fn no_process_is_started_per_publish() {
    if !require(&[Need::Program("strace")]) {
        return;
    }
    for case in [&cases::LMDB, &cases::SQLITE] {
        let Some((started, trace)) = processes_started(case) else { return };
        assert_eq!(started, 0, "{}: {trace}", case.name);
    }
    // The count counts: postmap is a process.
    let Some((started, trace)) = processes_started(&cases::POSTMAP_HASH) else { return };
    assert!(started > 0, "strace does not see what it should: {trace}");
}

/// How many processes the daemon starts while it publishes five logins, each by itself; and the trace.
fn processes_started(case: &'static Case) -> Option<(usize, String)> {
    let site = Site::new(case)?;
    let daemon = site.daemon(&[]);
    let trace = site.join("trace");
    let mut strace = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=execve,execveat,fork,vfork,clone,clone3", "-e", "signal=none", "-o"])
        .arg(&trace)
        .args(["-p", &daemon.pid().to_string()])
        .spawn()
        .expect("strace");
    wait_for("strace to attach", SOON, || traced(&daemon));
    for last in 1..=5 {
        site.log_in_and_wait(ip(&format!("198.51.100.{last}")));
    }
    // Asked to stop, strace lets the daemon go on.
    send(strace.id().try_into().expect("a pid"), nix::sys::signal::Signal::SIGINT);
    strace.wait().expect("the end of strace");
    let trace = fs::read_to_string(trace).expect("the trace");
    Some((trace.lines().count(), trace))
}

fn traced(daemon: &Daemon) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap_or_default();
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|pid| pid.trim() != "0") && process::runs(daemon.pid())
}
