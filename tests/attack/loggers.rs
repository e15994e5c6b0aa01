//! The syslog daemons that the servers' messages go through: those of Debian 12.

/// A syslog daemon in one of its settings.
pub(super) struct Logger {
    pub(super) name: &'static str,
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
}

const RSYSLOG: Logger = Logger {
    name: "rsyslog",
    packages: "rsyslog",
    script: include_str!("loggers/rsyslog.sh"),
    setting: "",
    escapes: true,
    is_read: true,
    is_journal: false,
};

const SYSLOG_NG: Logger = Logger {
    name: "syslog-ng",
    packages: "syslog-ng-core",
    script: include_str!("loggers/syslog-ng.sh"),
    escapes: false,
    ..RSYSLOG
};

const BUSYBOX: Logger = Logger {
    name: "busybox",
    packages: "busybox-static",
    script: include_str!("loggers/busybox.sh"),
    escapes: false,
    is_read: false,
    ..RSYSLOG
};

const INETUTILS: Logger = Logger {
    name: "inetutils",
    packages: "inetutils-syslogd",
    script: include_str!("loggers/inetutils.sh"),
    escapes: true,
    ..RSYSLOG
};

const JOURNALD: Logger = Logger {
    name: "journald",
    packages: "systemd",
    script: include_str!("loggers/journald.sh"),
    escapes: true,
    is_journal: true,
    ..RSYSLOG
};

/// All of them.
pub(super) const LOGGERS: [Logger; 8] = [
    RSYSLOG,
    Logger {
        name: "rsyslog-raw",
        setting: "global(parser.escapeControlCharactersOnReceive=\"off\")",
        escapes: false,
        ..RSYSLOG
    },
    SYSLOG_NG,
    Logger { name: "syslog-ng-no-multi-line", setting: "flags(no-multi-line)", escapes: true, ..SYSLOG_NG },
    BUSYBOX,
    Logger { name: "busybox-S", setting: "-S", is_read: true, ..BUSYBOX },
    INETUTILS,
    JOURNALD,
];
