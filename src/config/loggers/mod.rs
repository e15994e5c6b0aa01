//! The daemons that write the logs, and whether a newline in a message begins a line there: a stranger's text may hold some.
//!
//! `facts` looks at the processes and asks rsyslogd and syslog-ng for their configurations, `rsyslog` and `escapes` judge by that
//! alone. The daemon asks [`Finder`]; `check` uses the same facts and judgement.

pub(crate) mod escapes;
pub(crate) mod facts;
pub(crate) mod finder;
pub(crate) mod processes;
pub(crate) mod rsyslog;
pub(crate) mod sockets;

pub use self::finder::{Escapes, Finder};
use self::sockets::Listen;

/// A program that writes logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// rsyslogd.
    Rsyslog,
    /// syslog-ng.
    SyslogNg,
    /// `busybox syslogd`.
    Busybox,
    /// The syslogd of inetutils.
    Inetutils,
    /// sysklogd from version 2 on.
    Sysklogd,
    /// sysklogd before it.
    OldSysklogd,
    /// A syslogd that may be any of them.
    Syslogd,
    /// systemd-journal-remote.
    JournalRemote,
    /// nginx, whose mail proxy writes a log of its own.
    Nginx,
    /// Any other that has a log open for writing.
    Other,
}

impl Kind {
    /// Which program it is, by its file and, where that has to be known, its arguments.
    pub(crate) fn of(program: &str, arguments: impl FnOnce() -> Vec<String>) -> Self {
        let is_syslogd = |argument: &String| argument.rsplit('/').next() == Some("syslogd");
        match program {
            "rsyslogd" => Self::Rsyslog,
            "syslog-ng" => Self::SyslogNg,
            "busybox" if arguments().iter().take(2).any(is_syslogd) => Self::Busybox,
            "syslogd" | "inetutils-syslogd" => Self::Syslogd,
            "systemd-journal-remote" => Self::JournalRemote,
            "nginx" => Self::Nginx,
            _ => Self::Other,
        }
    }

    /// Which syslogd a program is, by words in its file.
    pub(crate) fn of_syslogd(file: &str) -> Self {
        let has = |words: &str| file.contains(words);
        if has("GNU inetutils") {
            Self::Inetutils
        } else if has("syslogd v2.") {
            Self::Sysklogd
        } else if has("syslogd v%s") || has("syslogd %s") {
            Self::OldSysklogd
        } else {
            Self::Syslogd
        }
    }

    /// Whether it takes what other programs log.
    pub(crate) fn is_syslog(self) -> bool {
        !matches!(self, Self::JournalRemote | Self::Nginx | Self::Other)
    }
}

/// A process that writes a log, or would.
#[derive(Debug, Clone)]
pub(crate) struct Logger {
    /// Which program it is.
    pub(crate) kind: Kind,
    /// The name of its file.
    pub(crate) program: String,
    /// Its number.
    pub(crate) pid: u32,
    /// Its arguments, the first of which is its name.
    pub(crate) arguments: Vec<String>,
    /// Those of our logs that it has open for writing.
    pub(crate) holds: Vec<String>,
    /// Whether the programs of this system log to it.
    pub(crate) takes_syslog: bool,
    /// Where it takes what others send.
    pub(crate) listens: Vec<Listen>,
    /// The configuration in its files, or why that is not known; `None` if it was not asked for.
    pub(crate) configuration: Option<Result<String, String>>,
    /// Why it may have read another configuration when it started than stands there now.
    pub(crate) stale: Option<String>,
    /// The number of the user whose rights it has.
    pub(crate) user: Option<u32>,
}

/// What was seen of the daemons that write logs.
#[derive(Debug, Default)]
pub(crate) struct Loggers {
    /// The processes.
    pub(crate) found: Vec<Logger>,
    /// Syslog daemons of which it cannot be seen what they have open.
    pub(crate) hidden: Vec<Logger>,
    /// Whether that cannot be seen of any process at all.
    pub(crate) is_blind: bool,
    /// Sockets at the port of syslog that nothing shows the owner of.
    pub(crate) unowned: Vec<Listen>,
}

/// Where lines from the network go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// Into the log.
    Here,
    /// Not into the log.
    Elsewhere,
    /// That cannot be told.
    Unknown,
}

impl Logger {
    /// What it is called in a message.
    pub(crate) fn name(&self) -> String {
        format!("process {} ({})", self.pid, self.program.escape_debug())
    }
}
