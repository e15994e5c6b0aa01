//! Findings about who writes the log and about the servers' settings, with a real rsyslogd and a real doveconf.

use std::fs::{self, OpenOptions};
use std::process::{Child, Command, Stdio};

use super::clinic::{ANY, Clinic};
use crate::support::{Need, SOON, process, require, wait_for};

/// An rsyslogd that writes the clinic's log, in a network of its own.
struct Rsyslog(Child);

impl Rsyslog {
    #[track_caller]
    fn start(clinic: &Clinic, configuration: &str) -> Self {
        let file = clinic.site.join("rsyslog.conf");
        let log = clinic.site.log.display();
        // Its own message that it has started makes it open the log.
        fs::write(&file, format!("global(processInternalMessages=\"on\")\n{configuration}\n*.* {log}\n")).unwrap();
        let before = fs::metadata(&clinic.site.log).unwrap().len();
        let mut command = Command::new("unshare");
        command.arg("--net").arg(process::program("rsyslogd").unwrap());
        command.arg("-n").arg("-f").arg(&file).arg("-i").arg(clinic.site.join("rsyslog.pid"));
        let daemon = Self(command.stdin(Stdio::null()).spawn().unwrap());
        wait_for("rsyslogd to write", SOON, || fs::metadata(&clinic.site.log).unwrap().len() > before);
        daemon
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_syslog_daemon_that_takes_lines_from_anywhere_is_told() {
    if !require(&[Need::Program("rsyslogd"), Need::Mounts]) {
        return;
    }
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let log = clinic.site.log.display().to_string();
    let input = |more: &str| format!("module(load=\"imudp\")\ninput(type=\"imudp\" port=\"514\"{more})\n");
    let remote = "ruleset(name=\"remote\") { action(type=\"omfile\" file=\"/dev/null\") }\n";
    let tcp = "module(load=\"imtcp\")\ninput(type=\"imtcp\" port=\"514\")\n";
    for (configuration, level, text) in [
        (String::new(), "ok", format!("(rsyslogd) writes {log}, each message on one line")),
        (input(""), "error", format!("and writes them into {log}: whoever can send it one datagram")),
        (tcp.to_owned(), "error", format!("and writes them into {log}: whoever can connect to it")),
        (format!("$ModLoad imudp\n$UDPServerRun 514\n{remote}"), "error", "UDP 0.0.0.0:514".to_owned()),
        (input(" ruleset=\"remote\"") + remote, "ok", format!("does not write them into {log}")),
        (format!("$AllowedSender UDP, 192.0.2.1\n{}", input("")), "warning", "UDP, 192.0.2.1: each of".to_owned()),
        (
            "$EscapeControlCharactersOnReceive off".to_owned(),
            "warning",
            format!("(rsyslogd) writes {log}, and escapes no newlines"),
        ),
    ] {
        let rsyslog = Rsyslog::start(&clinic, &configuration);
        let findings = clinic.check(&[]);
        findings.assert(level, &text);
        match level {
            "ok" => findings.assert_well(),
            _ => findings.assert_only(level, &text),
        }
        drop(rsyslog);
    }
    let rsyslog = Rsyslog::start(&clinic, "$EscapeControlCharactersOnReceive off");
    let findings = clinic.check(&["--matcher", "nginx,dovecot"]);
    findings.assert_only(
        "error",
        "escapes no newlines: nginx, before anybody has logged in, lets a stranger write a whole line",
    );
    drop(rsyslog);
    clinic.check(&[]).assert("ok", &format!("no process is seen that has {log} open")).assert_well();
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn a_log_that_a_program_writes_itself_is_its_own() {
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let log = OpenOptions::new().append(true).open(&clinic.site.log).unwrap();
    let mut writer = Command::new("cat").stdin(Stdio::piped()).stdout(log).spawn().unwrap();
    let told = format!("process {} (cat) writes {} itself", writer.id(), clinic.site.log.display());
    clinic.check(&[]).assert("ok", &told).assert_well();
    drop(writer.stdin.take());
    writer.wait().unwrap();
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn settings_of_dovecot_that_let_others_say_who_logged_in_are_told() {
    if !require(&[Need::Mounts, Need::Dovecot, Need::Program("doveconf")]) {
        return;
    }
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let behind = |settings: &str| {
        let file = clinic.site.join("dovecot.conf");
        fs::write(&file, format!("ssl = no\n{settings}\n")).unwrap();
        clinic.check_behind(&format!("mount --bind {} /etc/dovecot/dovecot.conf", file.display()))
    };
    behind("").assert("ok", "Dovecot lets no host say for another").assert_well();
    for (settings, level, text) in [
        ("auth_username_chars =", "error", "Dovecot has an empty auth_username_chars"),
        ("login_trusted_networks = 0.0.0.0/0", "error", "holds the whole internet (0.0.0.0/0)"),
        ("login_trusted_networks = 192.0.2.0/24 127.0.0.1", "warning", "is 192.0.2.0/24: each host there"),
        (
            "auth_mechanisms = plain anonymous\nlogin_log_format_elements = user=<%u> rip=%r",
            "warning",
            "has no method=%m",
        ),
        (
            "passdb {\n driver = static\n args = proxy=y host=192.0.2.1 nopassword=y\n}",
            "warning",
            "hands logins on to other servers (args of passdb)",
        ),
        (
            "passdb {\n driver = passwd-file\n args = /etc/dovecot/README\n}\nservice imap-login {\n inet_listener imap {\n  haproxy = yes\n }\n}\nhaproxy_trusted_networks = 192.0.2.7",
            "warning",
            "haproxy_trusted_networks of Dovecot is 192.0.2.7",
        ),
        ("no such setting", "warning", "cannot ask Dovecot for its settings: doveconf: "),
    ] {
        behind(settings).assert_only(level, text);
    }
    let users = clinic.site.join("users");
    fs::write(&users, "alice:{PLAIN}x::::::proxy=y host=192.0.2.1\n").unwrap();
    let passdb = format!("passdb {{\n driver = passwd-file\n args = {}\n}}", users.display());
    behind(&passdb).assert_only("warning", &format!("hands logins on to other servers ({})", users.display()));
    // What is there may be something else.
    fs::remove_file(&users).unwrap();
    nix::unistd::mkfifo(&users, nix::sys::stat::Mode::S_IRWXU).unwrap();
    behind(&passdb).assert_well();
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn settings_of_other_servers_are_told() {
    if !require(&[Need::Mounts]) {
        return;
    }
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let log = clinic.site.log.display();
    let etc = |name: &str, text: &str| {
        let file = clinic.site.join("etc-of-host").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    let copied = Command::new("cp").arg("-a").arg("/etc").arg(clinic.site.join("etc-of-host")).status();
    assert!(copied.unwrap().success());
    etc("nginx/nginx.conf", &format!("mail {{\n error_log {log} info;\n}}\n"));
    etc("perdition/perdition.conf", "client_server_specification\n");
    // Perdition is installed where there is a program of its name.
    let script = format!(
        "mount --bind {} /etc; mount -t tmpfs none /usr/local; mkdir /usr/local/sbin; \
         cp /bin/true /usr/local/sbin/perdition; PATH=/usr/local/sbin:$PATH",
        clinic.site.join("etc-of-host").display()
    );
    let findings = clinic.check_behind(&script);
    findings.assert("warning", &format!("nginx writes {log} itself, newlines as they are"));
    findings.assert("error", "client_server_specification is on in /etc/perdition/perdition.conf: whoever names");
    assert_eq!(daemon.terminate(), Some(0));
}
