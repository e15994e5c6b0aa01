//! The syslog daemons that the servers' messages go through: those of Debian 12, and sysklogd, which it does not have.

use std::env;

/// A syslog daemon in one of its settings.
pub(super) struct Logger {
    pub(super) name: &'static str,
    /// What it is called in the threat model.
    pub(super) title: &'static str,
    pub(super) packages: &'static str,
    /// Listens at `/dev/log` and writes to `$LOG`, in the foreground, with `$SETTING` in its configuration.
    pub(super) script: &'static str,
    pub(super) setting: &'static str,
    /// It makes something else of a newline, so that `--escaped-newlines` is right.
    pub(super) escapes: bool,
    /// Its lines have a header that is read.
    pub(super) is_read: bool,
    /// `$LOG` is a directory of systemd's journal.
    pub(super) is_journal: bool,
    /// It reads lines of one program from standard input, and writes to a file in the directory `$LOG`.
    pub(super) is_pipe: bool,
    /// Debian 12 does not have it: it is built from its source, and this variable names the program.
    pub(super) built: Option<&'static str>,
}

impl Logger {
    /// Whether it can be tried.
    pub(super) fn is_here(&self) -> bool {
        self.built.is_none_or(|variable| env::var_os(variable).is_some())
    }
}

const RSYSLOG: Logger = Logger {
    name: "rsyslog",
    title: "rsyslog 8.2302",
    packages: "rsyslog",
    script: include_str!("loggers/rsyslog.sh"),
    setting: "",
    escapes: true,
    is_read: true,
    is_journal: false,
    is_pipe: false,
    built: None,
};

const SYSLOG_NG: Logger = Logger {
    name: "syslog-ng",
    title: "syslog-ng 3.38",
    packages: "syslog-ng-core",
    script: include_str!("loggers/syslog-ng.sh"),
    escapes: false,
    ..RSYSLOG
};

const BUSYBOX: Logger = Logger {
    name: "busybox",
    title: "BusyBox 1.35",
    packages: "busybox-static",
    script: include_str!("loggers/busybox.sh"),
    escapes: false,
    is_read: false,
    ..RSYSLOG
};

const INETUTILS: Logger = Logger {
    name: "inetutils",
    title: "inetutils 2.4",
    packages: "inetutils-syslogd",
    script: include_str!("loggers/inetutils.sh"),
    escapes: true,
    ..RSYSLOG
};

const JOURNALD: Logger = Logger {
    name: "journald",
    title: "journald of systemd 252 (the journal source leaves out what is not one line)",
    packages: "systemd",
    script: include_str!("loggers/journald.sh"),
    escapes: true,
    is_journal: true,
    ..RSYSLOG
};

const SYSKLOGD: Logger = Logger {
    name: "sysklogd",
    title: "sysklogd 2.7.2",
    packages: "",
    script: include_str!("loggers/sysklogd.sh"),
    built: Some("SYSKLOGD"),
    ..INETUTILS
};

/// All of them.
pub(super) static LOGGERS: [Logger; 10] = [
    RSYSLOG,
    Logger {
        name: "rsyslog-raw",
        title: "rsyslog with `parser.escapeControlCharactersOnReceive=\"off\"`",
        setting: "global(parser.escapeControlCharactersOnReceive=\"off\")",
        escapes: false,
        ..RSYSLOG
    },
    SYSLOG_NG,
    Logger {
        name: "syslog-ng-no-multi-line",
        title: "syslog-ng with `flags(no-multi-line)` at the source",
        setting: "flags(no-multi-line)",
        escapes: true,
        ..SYSLOG_NG
    },
    BUSYBOX,
    Logger { name: "busybox-S", title: "BusyBox with `-S`", setting: "-S", is_read: true, ..BUSYBOX },
    INETUTILS,
    SYSKLOGD,
    Logger {
        name: "sysklogd-1",
        title: "sysklogd 1.5.1",
        script: include_str!("loggers/sysklogd-1.sh"),
        built: Some("SYSKLOGD_1"),
        escapes: false,
        ..SYSKLOGD
    },
    JOURNALD,
];

const SVLOGD: Logger = Logger {
    name: "svlogd",
    title: "svlogd of runit 2.1.2, reading a server's standard error",
    packages: "runit",
    script: include_str!("loggers/svlogd.sh"),
    is_pipe: true,
    ..RSYSLOG
};

/// Those whose way with bytes is told of alone.
static OTHERS: [Logger; 6] = [
    Logger {
        name: "syslog-ng-sanitize",
        title: "syslog-ng with `flags(sanitize-utf8)`",
        setting: "flags(sanitize-utf8)",
        ..SYSLOG_NG
    },
    Logger {
        name: "syslog-ng-sanitize-template",
        title: "syslog-ng with `template(\"$ISODATE $HOST $(sanitize $MSGHDR$MSG)\\n\")`",
        setting: "template(\"$ISODATE $HOST $(sanitize $MSGHDR$MSG)\\n\")",
        ..SYSLOG_NG
    },
    Logger {
        name: "syslog-ng-template-escape",
        title: "syslog-ng with a template and `template-escape(yes)`",
        setting: "template(\"$ISODATE $HOST $MSGHDR$MSG\\n\") template-escape(yes)",
        ..SYSLOG_NG
    },
    SVLOGD,
    Logger {
        name: "s6-log",
        title: "s6-log 2.11, the same",
        packages: "s6",
        script: include_str!("loggers/s6-log.sh"),
        ..SVLOGD
    },
    Logger {
        name: "multilog",
        title: "multilog of daemontools 0.76, the same",
        packages: "daemontools",
        script: include_str!("loggers/multilog.sh"),
        ..SVLOGD
    },
];

/// All whose way with bytes is told of.
pub(super) fn probed() -> impl Iterator<Item = &'static Logger> {
    LOGGERS.iter().chain(&OTHERS)
}
