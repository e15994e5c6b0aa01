//! Findings about log, table, daemons and clock.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use super::clinic::{ANY, Clinic, rival, stamped};
use crate::support::cases::{self, ip, login_line};
use crate::support::command::finish;
use crate::support::postfix::Postfix;
use crate::support::{Need, SOON, Scratch, process, require, wait_for};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn who_can_write_the_table_is_told() {
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let (directory, table) = (clinic.site.map_dir(), clinic.site.table_file());
    for (path, bad, good, told) in [
        (&directory, 0o777, 0o755, "everybody may write in"),
        (&directory, 0o1777, 0o755, "chmod go-w "),
        (&table, 0o666, 0o640, "everybody may write "),
        (&table, 0o642, 0o640, "chmod go-w "),
    ] {
        set_mode(path, bad);
        clinic.check(&[]).assert("error", told);
        set_mode(path, good);
    }
    let Some(postmap) = Clinic::new(&cases::POSTMAP_HASH) else { return };
    fs::write(postmap.site.map(), "").unwrap();
    set_mode(&postmap.site.map(), 0o666);
    fs::write(postmap.site.table_file(), "").unwrap();
    postmap.check(&[]).assert("error", "tables/pop-before-smtp, and so let anybody relay; chmod go-w ");
    chown(&directory, None, Some(12)).unwrap();
    set_mode(&directory, 0o775);
    clinic.check(&[]).assert_only("error", "group 12 may write in");
    set_mode(&directory, 0o755);
    chown(&table, Some(12), None).unwrap();
    clinic.check(&[]).assert_only("warning", "chown --reference=");
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn who_cannot_read_the_table_is_told() {
    let Some(clinic) = Clinic::new(&cases::SQLITE) else { return };
    let mut daemon = clinic.daemon();
    let (directory, table) = (clinic.site.map_dir(), clinic.site.table_file());
    set_mode(&table, 0o600);
    clinic.check(&[]).assert_only("error", "user postfix may not read");
    set_mode(&table, 0o640);
    set_mode(&directory, 0o700);
    clinic.check(&[]).assert_only("error", "user postfix may not pass through");
    set_mode(&directory, 0o755);
    assert_eq!(daemon.terminate(), Some(0));
    fs::remove_file(format!("{}-wal", table.display())).unwrap();
    clinic.check(&[]).assert("error", "-wal, without which Postfix cannot read the table; start the daemon");

    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    set_mode(&clinic.site.table_file(), 0o600);
    clinic.check(&[]).assert_only("warning", "smtpd opens it as root, but proxymap could not");
    clinic.site.log_in_and_wait(ip("198.51.100.8"));
    set_mode(&clinic.site.table_file(), 0o600);
    assert!(Postfix::start(&clinic.table(), true).may_relay(ip("198.51.100.8")), "smtpd opens it as root");
    assert_eq!(
        Postfix::start(&format!("proxy:{}", clinic.table()), true).rcpt(ip("198.51.100.8")),
        451,
        "proxymap cannot"
    );
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn who_may_lock_the_table_is_told() {
    if !require(&[Need::Mounts]) {
        return;
    }
    for case in [&cases::POSTMAP_HASH, &cases::LMDB, &cases::SQLITE] {
        let Some(clinic) = Clinic::new(case) else { return };
        let mut daemon = clinic.daemon();
        let users = clinic.site.join("passwd");
        let with = |line: &str| {
            let mut list = fs::read_to_string("/etc/passwd").unwrap();
            list = list
                .lines()
                .filter(|line| line.ends_with("nologin") || line.starts_with("root:"))
                .fold(String::new(), |list, line| list + line + "\n");
            fs::write(&users, list + line).unwrap();
            clinic.check_behind(&format!("mount --bind {} /etc/passwd", users.display()))
        };
        let alice = "alice:x:4711:4711::/home/alice:/bin/sh\n";
        with(alice).assert_well();
        set_mode(&clinic.site.table_file(), 0o644);
        with(alice).assert_only("warning", "user alice may read ");
        with("").assert_well();
        with("alice:x:4711:4711::/home/alice:/usr/sbin/nologin\n").assert_well();
        with("alice:x:471:471::/home/alice:/bin/sh\n").assert_well();
        assert_eq!(daemon.terminate(), Some(0));
        let mut daemon = clinic.daemon();
        with(alice).assert_well();
        assert_eq!(daemon.terminate(), Some(0));
    }
}

#[test]
fn a_table_that_is_not_there_is_told() {
    let Some(clinic) = Clinic::new(ANY) else { return };
    clinic.check(&[]).assert_only("error", "start the daemon: it makes the table");
    fs::write(clinic.site.table_file(), "no table").unwrap();
    clinic.check(&[]).assert("error", "cannot read ");
    fs::remove_dir_all(clinic.site.map_dir()).unwrap();
    clinic.check(&[]).assert("error", "create the directory, or name another table with --map");
}

#[test]
fn whoever_runs_it_must_be_able_to_write_and_read() {
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    // Judged by the daemon that runs, which is root's.
    clinic.check_as(65534).assert_well();
    assert_eq!(daemon.terminate(), Some(0));
    set_mode(&clinic.site.log, 0o640);
    let findings = clinic.check(&["--user", "nobody"]);
    findings
        .assert("error", "user nobody may not write in")
        .assert("error", "user nobody, who runs the daemon, may not read");
    clinic.check(&["--user", "65534"]).assert("error", "user nobody may not write in");
    clinic.check(&["--user", "no-such-user"]).assert("error", "there is no user no-such-user; create it");
    let findings = clinic.check_as(65534);
    findings
        .assert("ok", "for user root, who owns ")
        .assert("error", "permission denied; run as a user that may read it");
    // Where no daemon has left anything, it is for whom it would run for.
    fs::remove_dir_all(clinic.site.map_dir()).unwrap();
    fs::create_dir(clinic.site.map_dir()).unwrap();
    clinic.check_as(65534).assert("error", "may not write in");
}

/// A unit of systemd may name a user that no option names.
#[test]
fn the_daemons_user_is_found_without_an_option() {
    let Some(clinic) = Clinic::new(&cases::SQLITE) else { return };
    let (directory, table) = (clinic.site.map_dir(), clinic.site.table_file());
    chown(&directory, Some(65534), Some(65534)).unwrap();
    let lock = directory.join("pop-before-smtp.lock");
    let told = |what: &str| format!("directory and logs are judged for user nobody, {what}");
    clinic.check(&[]).assert("ok", &told(&format!("who owns {}, because no daemon", directory.display())));
    let mut daemon = clinic.site.daemon(&["--user", "nobody"]);
    set_mode(&clinic.site.log, 0o640);
    let findings = clinic.check(&[]);
    findings
        .assert("ok", &told(&format!("whose process {} serves the map", daemon.pid())))
        .assert("error", "user nobody, who runs the daemon, may not read")
        .assert("warning", "in the middle of a change; usermod -a -G ");
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    let findings = clinic.check(&[]);
    findings.assert("ok", &told(&format!("who owns {}, because", lock.display())));
    findings.assert("warning", "user nobody, taken for the daemon's, may not read");
    fs::remove_file(&lock).unwrap();
    clinic.check(&[]).assert("ok", &told(&format!("who owns {}, because", table.display())));
}

#[test]
fn a_log_without_logins_is_told() {
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let login = login_line(ip("198.51.100.7"));
    clinic.log(&login.replace("Login: user=", "Login: name="));
    clinic.check(&[]).assert_only("warning", "1 lines look like logins and are not taken for such");
    fs::write(&clinic.site.log, format!("{}\n", login.replace("imap-login: Login: ", "imap-login: Disconnected: ")))
        .unwrap();
    clinic.check(&[]).assert_only("warning", "holds no login in its last 1 lines");
    fs::write(&clinic.site.log, format!("{login}\n")).unwrap();
    clinic.check(&["--matcher", "courier"]).assert_only("warning", "give --matcher dovecot");
    clinic.check(&["--matcher", "dovecot"]).assert_well();
    fs::write(&clinic.site.log, "").unwrap();
    clinic.check(&[]).assert_only("warning", "is empty");
    fs::remove_file(&clinic.site.log).unwrap();
    clinic.check(&[]).assert_only("error", "name the file that your POP3 or IMAP server logs to");
    fs::create_dir(&clinic.site.log).unwrap();
    clinic.check(&[]).assert_only("error", "is a directory");
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn logs_that_a_pattern_stands_for_are_looked_at() {
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let map = clinic.site.map().display().to_string();
    let check = |pattern: &str| {
        let pattern = clinic.site.join(pattern).display().to_string();
        let mut check = Command::new(env!("CARGO_BIN_EXE_pop-before-smtp"));
        check.args(["check", "--backend", "lmdb", "--map", &map, "--log", &pattern]);
        finish(check.env("MAIL_CONFIG", clinic.site.join("etc"))).stdout
    };
    assert!(check("mail*").contains("maillog: 1 login in its last 2 lines"), "{}", check("mail*"));
    assert!(check("nosuch*").contains("warning: no log has the name "), "{}", check("nosuch*"));
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn a_clock_that_the_log_contradicts_is_told() {
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let line = login_line(ip("198.51.100.7"));
    let hours = |n: u64| Duration::from_secs(n * 3600);
    let now = SystemTime::now();
    let log = |stamp: SystemTime, written: SystemTime| {
        fs::write(&clinic.site.log, format!("{}\n", stamped(&line, stamp))).unwrap();
        let file = OpenOptions::new().write(true).open(&clinic.site.log).unwrap();
        file.set_modified(written).unwrap();
        clinic.check(&[])
    };
    log(now + hours(2), now).assert_only("warning", "timedatectl set-ntp true");
    log(now - hours(40), now - hours(40)).assert_only("warning", "nobody has written into it since");
    log(now - hours(1), now).assert_only("warning", "same time zone");
    log(now - hours(1), now - hours(1)).assert_well();
    assert_eq!(daemon.terminate(), Some(0));
}

/// A process that lives as long as the test, with a file open for writing if one is given.
struct Sleeper(Child);

impl Sleeper {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a process"))
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn another_writer_is_told() {
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let table = OpenOptions::new().read(true).write(true).open(clinic.site.table_file()).unwrap();
    // It ends with its input.
    let writer = Sleeper::start(Command::new("cat").stdout(table));
    let told = format!("process {} (cat) has the table open for writing", writer.0.id());
    clinic.check(&[]).assert_only("error", &told);
    drop(writer);
    let reader = Sleeper::start(
        Command::new("sh").args(["-c", "read x <&0"]).stdout(File::open(clinic.site.table_file()).unwrap()),
    );
    clinic.check(&[]).assert_well();
    drop(reader);
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn the_perl_program_is_told() {
    if !require(&[Need::Program("perl")]) {
        return;
    }
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let scratch = Scratch::new();
    let script = scratch.join("pop-before-smtp");
    fs::write(&script, "my $line = <STDIN>;\n").unwrap();
    let rival = rival();
    let perl = Sleeper::start(Command::new(process::program("perl").unwrap()).arg(&script));
    let told = format!("another pop-before-smtp runs: process {}", perl.0.id());
    wait_for("perl to be seen", SOON, || clinic.check_beside(&rival).text().contains(&told));
    drop(perl);
    drop(rival);
    assert!(!clinic.check(&[]).text().contains(&told));
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn grants_that_nobody_ends_are_told() {
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    clinic.log(&login_line(ip("198.51.100.8")));
    clinic.site.wait_listed(ip("198.51.100.8"));
    clinic.check(&[]).assert_well();
    daemon.kill9();
    let findings = clinic.check(&[]);
    findings.assert_only(
        "error",
        "it holds 2 grants that nobody ends; start the daemon, or pop-before-smtp clear --backend lmdb",
    );
}

#[test]
fn a_check_does_not_keep_a_daemon_from_starting() {
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    assert_eq!(daemon.terminate(), Some(0));
    // Many at once, so that one of them would hold the lock if a check took it.
    let checks: Vec<_> = (0..8).map(|_| clinic.command(&[]).stdout(Stdio::null()).spawn().unwrap()).collect();
    for _ in 0..3 {
        let mut daemon = clinic.daemon();
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    }
    checks.into_iter().for_each(|mut check| drop(check.wait()));
}

#[test]
fn a_probe_finds_what_the_table_must_not_say() {
    let Some(clinic) = Clinic::new(&cases::POSTMAP_HASH) else { return };
    let text = clinic.site.map();
    let build = |lines: &str| {
        fs::write(&text, lines).unwrap();
        let built = Command::new(process::program("postmap").unwrap()).arg(format!("hash:{}", text.display())).status();
        assert!(built.unwrap().success());
        clinic.check(&["--probe"])
    };
    let soon = pop_before_smtp::time::unix_seconds(SystemTime::now()) + 600;
    build(&format!("198.51.100.7 {soon}\nunknown OK\n")).assert("error", "says OK of unknown, so strangers may relay");
    build(&format!("198.51.100.7 {soon}\n203.0 OK\n")).assert("error", "says OK of 203.0, so strangers may relay");
    build(&format!("198.51.100.7 {soon}\n")).assert("ok", "of 198.51.100.7, which permits");
    clinic.check(&["--value", "maybe"]).assert("warning", "--value maybe permits nothing");
    fs::write(clinic.site.table_file(), "no table").unwrap();
    clinic.check(&["--probe"]).assert("error", "cannot ask hash:");
}

/// The last reader of an SQLite table as root would take its log away, and then Postfix could not read it.
#[test]
fn a_probe_leaves_an_sqlite_table_readable() {
    let Some(clinic) = Clinic::new(&cases::SQLITE) else { return };
    let mut daemon = clinic.daemon();
    assert_eq!(daemon.terminate(), Some(0));
    let findings = clinic.check(&["--probe"]);
    findings.assert("ok", "says nothing of a stranger").assert("warning", "probe: the table holds nobody");
    let answer = clinic.site.lookup_unprivileged(ip("198.51.100.7"));
    assert_eq!(answer, crate::support::postfix::Lookup::NotFound);
}

/// The daemon's user, who may be a stranger by now, can put anything beside the table, and root runs `check`.
#[test]
fn what_is_no_file_holds_up_nothing() {
    for (case, names) in [
        (&cases::POSTMAP_HASH, &[".lock", ".db", ""][..]),
        (&cases::LMDB, &[".lock", ".lmdb", ""]),
        (&cases::SQLITE, &[".lock", ".cf", ".sqlite"]),
    ] {
        for name in names {
            // Where main.cf names a sqlite_table(5) file, postconf opens it, too, and is given up after ten seconds.
            let Some(clinic) = Clinic::new(case).map(|clinic| clinic.with("")) else { return };
            let path = clinic.site.map_dir().join(format!("pop-before-smtp{name}"));
            let _ = fs::remove_file(&path);
            let mode = nix::sys::stat::Mode::S_IRWXU;
            nix::unistd::mkfifo(&path, mode).unwrap();
            let findings = clinic.check(&[]);
            assert!(!findings.text().contains("did not finish within"), "{}: {}", path.display(), findings.text());
        }
    }
    let Some(clinic) = Clinic::new(ANY) else { return };
    std::os::unix::fs::symlink("/dev/zero", clinic.site.map_dir().join("pop-before-smtp.lock")).unwrap();
    clinic.check(&[]).assert_only("error", "start the daemon: it makes the table");
}

/// As from another PID namespace, whose locks the list does not show.
#[test]
fn a_daemon_whose_lock_cannot_be_seen_is_found_by_its_socket() {
    if !require(&[Need::Mounts]) {
        return;
    }
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let hidden = || clinic.check_behind("mount --bind /dev/null /proc/locks");
    hidden().assert("ok", &format!("a daemon serves {}", clinic.site.map().display())).assert_well();
    assert_eq!(daemon.terminate(), Some(0));
    hidden().assert_only("warning", "no daemon serves ");
}
