use super::super::finding::{assert_told, assert_well};
use super::*;
use crate::config::loggers::sockets::Listen;

const LOG: &str = "/var/log/mail.log";

fn logger(kind: Kind, program: &str, configuration: Option<Result<&str, &str>>) -> Logger {
    Logger {
        kind,
        program: program.to_owned(),
        pid: 7,
        arguments: vec![program.to_owned()],
        holds: vec![LOG.to_owned()],
        takes_syslog: true,
        listens: Vec::new(),
        configuration: configuration.map(|read| read.map(str::to_owned).map_err(str::to_owned)),
        stale: None,
        user: Some(0),
    }
}

fn told(logger: Logger, newline_writers: &[&'static str]) -> Vec<Finding> {
    let followed = Followed { files: vec![LOG], newline_writers: newline_writers.to_vec(), ..Followed::default() };
    judge(&Loggers { found: vec![logger], ..Loggers::default() }, &followed)
}

fn listen(transport: Transport, address: &str) -> Listen {
    Listen { transport, address: address.parse().unwrap_or_else(|_| panic!("{address}")), port: 514 }
}

const SYSLOG_NG: &str = "source s { unix-dgram(\"/dev/log\"); }; destination d { file(\"/var/log/mail.log\"); }; \
                         log { source(s); destination(d); };";

#[test]
fn programs_are_known_by_their_file() {
    let kind = |program: &str, arguments: &[&str]| {
        Kind::of(program, || arguments.iter().map(|argument| (*argument).to_owned()).collect())
    };
    assert_eq!(kind("rsyslogd", &["/usr/sbin/rsyslogd", "-n"]), Kind::Rsyslog);
    assert_eq!(kind("busybox", &["syslogd", "-n"]), Kind::Busybox);
    assert_eq!(kind("busybox", &["/bin/busybox", "syslogd"]), Kind::Busybox);
    assert_eq!(kind("busybox", &["sh", "-c", "syslogd"]), Kind::Other);
    assert_eq!(kind("dovecot", &["rsyslogd"]), Kind::Other, "an argument may be anything");
    assert_eq!(kind("syslogd", &["syslogd"]), Kind::Syslogd);
    // What the files of inetutils 2.4 and of sysklogd 2.7.2, 2.0, 1.6, 1.5.1 and 1.4 hold.
    for (file, kind) in [
        ("\0syslogd (GNU inetutils 2.4): restart\0", Kind::Inetutils),
        ("\0syslogd v2.7.2: restart.\0", Kind::Sysklogd),
        ("\0syslogd v%s\n\0syslogd v2.0: restart.\0", Kind::Sysklogd),
        ("\0syslogd v%s\n\0", Kind::OldSysklogd),
        ("\0syslogd %s.%s\n\0", Kind::OldSysklogd),
        ("\0syslogd %s-%s\n\0", Kind::OldSysklogd),
        ("", Kind::Syslogd),
    ] {
        assert_eq!(Kind::of_syslogd(file), kind, "{file:?}");
    }
}

#[test]
fn newlines_are_an_error_where_a_stranger_can_write_them() {
    let raw = || logger(Kind::SyslogNg, "syslog-ng", Some(Ok(SYSLOG_NG)));
    assert_told(&told(raw(), &[]), Level::Warning, "writes a newline in a message as it is");
    assert_told(&told(raw(), &[]), Level::Warning, "; write flags(no-multi-line) into the destination, as file(");
    assert_told(
        &told(raw(), &["nginx", "mailutils"]),
        Level::Error,
        "as it is: nginx or mailutils, before anybody has logged in, lets a stranger write a whole line; write",
    );
    let cured = SYSLOG_NG.replace("mail.log\"", "mail.log\" flags(no-multi-line)");
    assert_well(&told(logger(Kind::SyslogNg, "syslog-ng", Some(Ok(&cured))), &["nginx"]));
    for unknown in [None, Some(Ok("")), Some(Err("permission denied"))] {
        let findings = told(logger(Kind::SyslogNg, "syslog-ng", unknown), &["nginx"]);
        assert_told(&findings, Level::Error, "cannot be told");
    }
    for kind in [Kind::Busybox, Kind::OldSysklogd] {
        assert_told(&told(logger(kind, "x", None), &[]), Level::Warning, "follows a NUL");
        assert_told(&told(logger(kind, "x", None), &["nginx"]), Level::Error, "follows a NUL");
    }
    assert_told(&told(logger(Kind::Syslogd, "syslogd", None), &["nginx"]), Level::Ok, "unless it is a sysklogd before");
    let off = "$EscapeControlCharactersOnReceive off";
    assert_told(
        &told(logger(Kind::Rsyslog, "rsyslogd", Some(Ok(off))), &["nginx"]),
        Level::Error,
        "escapes no newlines",
    );
    for (kind, read) in [
        (Kind::Rsyslog, Some(Ok(""))),
        (Kind::Rsyslog, Some(Err("x"))),
        (Kind::Inetutils, None),
        (Kind::Sysklogd, None),
        (Kind::Other, None),
    ] {
        assert_well(&told(logger(kind, "x", read), &["nginx"]));
    }
}

#[test]
fn a_log_that_nobody_has_open_is_the_system_loggers() {
    let closed = Logger { holds: Vec::new(), ..logger(Kind::Busybox, "busybox", None) };
    assert_told(&told(closed, &[]), Level::Warning, "to which this system logs, may write /var/log/mail.log");
    let private = Logger { holds: Vec::new(), takes_syslog: false, ..logger(Kind::Busybox, "busybox", None) };
    assert_told(&told(private, &[]), Level::Ok, "no process is seen that has /var/log/mail.log open");
    let held = Loggers {
        found: vec![
            logger(Kind::Other, "dovecot", None),
            Logger { holds: Vec::new(), ..logger(Kind::Busybox, "busybox", None) },
        ],
        ..Loggers::default()
    };
    assert_well(&judge(&held, &Followed { files: vec![LOG], ..Followed::default() }));
}

#[test]
fn lines_from_the_network_are_an_error() {
    let udp = |address: &str, configuration: &str| Logger {
        listens: vec![listen(Transport::Udp, address)],
        ..logger(Kind::Rsyslog, "rsyslogd", Some(Ok(configuration)))
    };
    let input = "input(type=\"imudp\" port=\"514\")";
    let findings = told(udp("0.0.0.0", input), &[]);
    assert_told(
        &findings,
        Level::Error,
        "at UDP 0.0.0.0:514 and writes them into /var/log/mail.log: whoever can send it one datagram",
    );
    assert_told(&told(udp("::", ""), &[]), Level::Error, "; write address=\"127.0.0.1\"");
    assert_well(&told(udp("127.0.0.1", input), &[]));
    assert_well(&told(udp("::1", input), &[]));
    let apart = "ruleset(name=\"r\") { action(type=\"omfile\" file=\"/x\") } input(type=\"imudp\" ruleset=\"r\")";
    assert_told(&told(udp("0.0.0.0", apart), &[]), Level::Ok, "does not write them into");
    let none = "input(type=\"imudp\" ruleset=\"r\")";
    assert_told(&told(udp("0.0.0.0", none), &[]), Level::Warning, "cannot be told whether");
    let allowed = format!("{input}\n$AllowedSender UDP, 192.0.2.0/24");
    assert_told(
        &told(udp("0.0.0.0", &allowed), &[]),
        Level::Warning,
        "from $AllowedSender UDP, 192.0.2.0/24: each of these",
    );
    let unread = Logger { configuration: Some(Err("x".to_owned())), ..udp("0.0.0.0", "") };
    assert_told(&told(unread, &[]), Level::Error, "whoever can send it one datagram");
    let tcp = Logger { listens: vec![listen(Transport::Tcp, "192.0.2.1")], ..udp("::1", input) };
    assert_told(&told(tcp, &[]), Level::Error, "whoever can connect to it can grant any address");
    let apart = Logger {
        listens: vec![listen(Transport::Udp, "::")],
        ..logger(Kind::SyslogNg, "syslog-ng", Some(Ok(SYSLOG_NG)))
    };
    assert_told(&told(apart, &[]), Level::Ok, "does not write them into");
    let other = Logger { listens: vec![listen(Transport::Tcp, "::")], ..logger(Kind::Other, "dovecot", None) };
    assert_well(&told(other, &[]));
}

#[test]
fn a_syslogd_that_only_sends_is_told_from_one_that_takes() {
    let with = |kind: Kind, option: &str| {
        let arguments = vec!["syslogd".to_owned(), option.to_owned()];
        let listens = vec![listen(Transport::Udp, "0.0.0.0")];
        told(Logger { listens, arguments, ..logger(kind, "syslogd", None) }, &[])
    };
    for (kind, option, cure) in [
        (Kind::Sysklogd, "-n", "start it with -ss"),
        (Kind::Sysklogd, "-f/etc/syslog.conf", "start it with -ss"),
        (Kind::OldSysklogd, "-nr", "start it without -r"),
        (Kind::Inetutils, "-r", "start it without -r"),
        (Kind::Inetutils, "-rs", "start it without -r"),
        (Kind::Syslogd, "-rs", "old sysklogd: without -r; sysklogd 2: with -ss"),
        (Kind::Syslogd, "--set", "old sysklogd: without -r; sysklogd 2: with -ss"),
    ] {
        assert_told(&with(kind, option), Level::Error, "whoever can send it one datagram");
        assert_told(&with(kind, option), Level::Error, cure);
    }
    for (kind, option) in [
        (Kind::Sysklogd, "-s"),
        (Kind::Sysklogd, "-nsr1M:5"),
        (Kind::OldSysklogd, "-n"),
        (Kind::OldSysklogd, "-s/r"),
        (Kind::Syslogd, "-ss"),
    ] {
        assert!(with(kind, option).iter().all(|finding| finding.level != Level::Error), "{option}");
    }
}

#[test]
fn entries_from_other_journals_are_told_where_their_directory_is_followed() {
    let remote = Logger {
        holds: Vec::new(),
        listens: vec![listen(Transport::Tcp, "::")],
        ..logger(Kind::JournalRemote, "systemd-journal-remote", None)
    };
    let loggers = Loggers { found: vec![remote], unowned: vec![listen(Transport::Udp, "::")], ..Loggers::default() };
    assert!(judge(&loggers, &Followed::default()).is_empty());
    let findings = judge(&loggers, &Followed { has_journal_directory: true, ..Followed::default() });
    assert_told(&findings, Level::Warning, "takes entries of the journal from the network at TCP [::]:514");
    let findings = judge(&loggers, &Followed { files: vec![LOG], ..Followed::default() });
    assert_told(&findings, Level::Warning, "at UDP [::]:514; check as root");
}

#[test]
fn a_file_of_nginx_is_told_with_the_lines_to_change() {
    let followed = Followed { files: vec![LOG], ..Followed::default() };
    let nginx = Loggers { found: vec![logger(Kind::Nginx, "nginx", None)], ..Loggers::default() };
    let cure = "write 'error_log syslog:server=unix:/dev/log,facility=mail info;' for 'error_log /var/log/mail.log;'";
    assert_told(&judge_nginx(&nginx, &followed, &[]), Level::Warning, cure);
    assert_told(&judge_nginx(&Loggers::default(), &followed, &[LOG.to_owned()]), Level::Warning, cure);
    assert!(judge_nginx(&Loggers::default(), &followed, &["/var/log/nginx/error.log".to_owned()]).is_empty());
    let rsyslog = Loggers { found: vec![logger(Kind::Rsyslog, "rsyslogd", None)], ..Loggers::default() };
    assert!(judge_nginx(&rsyslog, &followed, &[]).is_empty());
}
