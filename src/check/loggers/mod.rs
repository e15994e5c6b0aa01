//! Which daemon writes the log, whether a newline in a message begins a line there, and who may send it lines over the
//! network: the matchers believe what stands in the log. Pure.

mod rsyslog;
pub(crate) mod sockets;
mod syslog_ng;

use super::finding::{Finding, Level};
use crate::output::shell;
use sockets::{Listen, Transport};
use syslog_ng::Newlines;

/// A program that writes logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// rsyslogd.
    Rsyslog,
    /// syslog-ng.
    SyslogNg,
    /// `busybox syslogd`.
    Busybox,
    /// The syslogd of inetutils, or sysklogd.
    Syslogd,
    /// systemd-journal-remote.
    JournalRemote,
    /// nginx, whose mail proxy writes a log of its own.
    Nginx,
    /// Any other that has a log open for writing.
    Other,
}

impl Kind {
    /// Which program it is, by its file and its arguments.
    pub(crate) fn of(program: &str, arguments: &[String]) -> Self {
        let is_syslogd = |argument: &String| argument.rsplit('/').next() == Some("syslogd");
        match program {
            "rsyslogd" => Self::Rsyslog,
            "syslog-ng" => Self::SyslogNg,
            "busybox" if arguments.iter().take(2).any(is_syslogd) => Self::Busybox,
            "syslogd" | "inetutils-syslogd" => Self::Syslogd,
            "systemd-journal-remote" => Self::JournalRemote,
            "nginx" => Self::Nginx,
            _ => Self::Other,
        }
    }

    /// Whether it takes what other programs log.
    pub(crate) fn is_syslog(self) -> bool {
        matches!(self, Self::Rsyslog | Self::SyslogNg | Self::Busybox | Self::Syslogd)
    }
}

/// A process that writes a log, or would.
#[derive(Debug)]
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
    /// The configuration it has, or why that is not known; `None` if it was not asked for.
    pub(crate) configuration: Option<Result<String, String>>,
}

/// What was seen of the daemons that write logs.
#[derive(Debug, Default)]
pub(crate) struct Loggers {
    /// The processes.
    pub(crate) found: Vec<Logger>,
    /// Sockets at the port of syslog that nothing shows the owner of.
    pub(crate) unowned: Vec<Listen>,
}

/// Where lines from the network go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    /// Into the log.
    Here,
    /// Not into the log.
    Elsewhere,
    /// That cannot be told.
    Unknown,
}

/// What the daemon follows.
#[derive(Debug, Default)]
pub(crate) struct Followed<'a> {
    /// The log files.
    pub(crate) files: Vec<&'a str>,
    /// Whether the journal is among the logs, and its directory is named.
    pub(crate) has_journal_directory: bool,
    /// Servers in use that write a stranger's newline into their messages.
    pub(crate) newline_writers: Vec<&'static str>,
    /// Whether the daemon is told that newlines are escaped.
    pub(crate) takes_for_escaped: bool,
}

/// Everything about those who write the logs.
pub(crate) fn judge(loggers: &Loggers, followed: &Followed<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for log in &followed.files {
        let holders = || loggers.found.iter().filter(|logger| logger.holds.iter().any(|held| held == log));
        // A log may be closed between two lines.
        let is_held = holders().next().is_some();
        let writers: Vec<_> = match is_held {
            true => holders().collect(),
            false => loggers.found.iter().filter(|logger| logger.takes_syslog && logger.kind.is_syslog()).collect(),
        };
        if writers.is_empty() {
            findings.push(Finding::ok(format!(
                "no process is seen that has {log} open for writing: it cannot be told which daemon writes it"
            )));
        }
        for writer in writers {
            findings.push(newlines(writer, log, is_held, followed));
            findings.extend(senders(writer, log));
        }
    }
    let remotes = loggers.found.iter().filter(|logger| logger.kind == Kind::JournalRemote);
    findings.extend(remotes.filter(|_| followed.has_journal_directory).filter_map(remote));
    if !followed.files.is_empty() {
        findings.extend(loggers.unowned.iter().filter(|listen| listen.is_open()).map(|listen| {
            let text = format!("some program takes syslog's lines from the network at {listen}");
            Finding::warning(text, "check as root, to see whether it writes the log")
        }));
    }
    findings
}

fn process(logger: &Logger) -> String {
    format!("process {} ({})", logger.pid, logger.program.escape_debug())
}

/// Whether a message stays on one line.
fn newlines(logger: &Logger, log: &str, is_held: bool, followed: &Followed<'_>) -> Finding {
    let writers = &followed.newline_writers[..];
    let who = process(logger);
    let writes = if is_held {
        format!("{who} writes {log}")
    } else {
        format!("{who}, to which this system logs, may write {log}")
    };
    let whole = || {
        let held_up = !followed.takes_for_escaped && writers.iter().any(|writer| *writer != "dovecot");
        let advice = "; with --escaped-newlines, logins close behind a failed one count, too";
        Finding::ok(format!("{writes}, each message on one line{}", if held_up { advice } else { "" }))
    };
    let bad = |what: &str, cure: String| {
        let level = if writers.is_empty() && !followed.takes_for_escaped { Level::Warning } else { Level::Error };
        let who = match writers {
            [] => "a server that logs what strangers say may let".to_owned(),
            writers => format!("{}, before anybody has logged in, lets", writers.join(" or ")),
        };
        let wrong = if followed.takes_for_escaped { "; --escaped-newlines says that it is not so" } else { "" };
        Finding::new(level, format!("{writes}, and {what}: {who} a stranger write a whole line{wrong}"), cure)
    };
    match (logger.kind, &logger.configuration) {
        (Kind::Rsyslog, Some(Ok(text))) if rsyslog::writes_newlines(text) => bad(
            "escapes no newlines",
            "take $EscapeControlCharactersOnReceive off, or parser.escapeControlCharactersOnReceive=\"off\", out of its \
             configuration"
                .to_owned(),
        ),
        (Kind::Rsyslog, Some(Err(why))) => {
            Finding::ok(format!("{writes}, each message on one line unless its configuration says otherwise ({why})"))
        }
        (Kind::SyslogNg, configuration) => {
            let cure = format!(
                "write flags(no-multi-line) into the destination, as file(\"{log}\" flags(no-multi-line)), and \
                 syslog-ng-ctl reload"
            );
            let found = configuration.as_ref().map(|found| found.as_ref().map(|text| syslog_ng::newlines(text, log)));
            match found {
                Some(Ok(Newlines::Cured)) => whole(),
                Some(Ok(Newlines::Raw)) => bad("writes a newline in a message as it is", cure),
                Some(Err(why)) => {
                    bad(&format!("it cannot be told whether it writes newlines as they are ({why})"), cure)
                }
                Some(Ok(Newlines::Unknown)) | None => {
                    bad("it cannot be told from its configuration whether it writes newlines as they are", cure)
                }
            }
        }
        (Kind::Busybox, _) => {
            bad("makes a message of its own of what follows a NUL", "let another daemon write it, such as rsyslogd".to_owned())
        }
        (Kind::Nginx | Kind::Other | Kind::JournalRemote, _) => Finding::ok(format!("{writes} itself")),
        (Kind::Rsyslog | Kind::Syslogd, _) => whole(),
    }
}

/// Who may send lines.
fn senders(logger: &Logger, log: &str) -> Option<Finding> {
    let open: Vec<_> = logger.listens.iter().filter(|listen| listen.is_open()).collect();
    if open.is_empty() || !logger.kind.is_syslog() || is_deaf(logger) {
        return None;
    }
    let text = match &logger.configuration {
        Some(Ok(text)) => Some(text),
        _ => None,
    };
    let (route, allowed, cure) = match logger.kind {
        Kind::Rsyslog => (
            text.map_or(Route::Here, |text| rsyslog::route(text, log)),
            text.map(|text| rsyslog::allowed_senders(text)).unwrap_or_default(),
            "write address=\"127.0.0.1\" into its network input, or ruleset=\"remote\" and a ruleset of that name that does \
             not write the log",
        ),
        Kind::SyslogNg => (
            text.map_or(Route::Unknown, |text| syslog_ng::route(text, log)),
            Vec::new(),
            "write ip(127.0.0.1) into its network source, or lead that source into another file",
        ),
        Kind::Busybox | Kind::Syslogd | Kind::JournalRemote | Kind::Nginx | Kind::Other => {
            (Route::Here, Vec::new(), "start it without remote reception (inetutils: without -r; sysklogd: with -s)")
        }
    };
    let places: Vec<_> = open.iter().map(ToString::to_string).collect();
    let who = match open.iter().any(|listen| listen.transport == Transport::Udp) {
        true => "whoever can send it one datagram",
        false => "whoever can connect to it",
    };
    let takes = format!("{} takes lines from the network at {}", process(logger), places.join(", "));
    let grants = format!("{who} can grant any address");
    Some(match route {
        Route::Elsewhere => Finding::ok(format!("{takes}, and does not write them into {log}")),
        Route::Unknown => {
            Finding::warning(format!("{takes}, and it cannot be told whether into {log}: if so, {grants}"), cure)
        }
        Route::Here if !allowed.is_empty() => Finding::warning(
            format!(
                "{takes} from $AllowedSender {}: each of these, and over UDP whoever takes such an address for a \
                 datagram's sender, can grant any address",
                allowed.join("; ")
            ),
            cure,
        ),
        Route::Here => Finding::error(format!("{takes} and writes them into {log}: {grants}"), cure),
    })
}

/// sysklogd with `-s` has a socket to send with, and takes nothing. For inetutils, `-s` is another thing, but that one has
/// no such socket without `-r`.
fn is_deaf(logger: &Logger) -> bool {
    let has = |letter: char| {
        logger.arguments.iter().skip(1).any(|argument| {
            argument.strip_prefix('-').is_some_and(|letters| !letters.starts_with('-') && letters.contains(letter))
        })
    };
    logger.kind == Kind::Syslogd && has('s') && !has('r')
}

fn remote(logger: &Logger) -> Option<Finding> {
    let places: Vec<_> = logger.listens.iter().filter(|listen| listen.is_open()).map(ToString::to_string).collect();
    let text = format!(
        "{} takes entries of the journal from the network at {}: whoever may send them can grant any address where they are \
         in the directory that is followed",
        process(logger),
        places.join(", ")
    );
    let cure = "name the directory of this system's journal with --journal-directory, or none; else let it trust nothing but \
                certificates of your own (TrustedCertificateFile= in /etc/systemd/journal-remote.conf)";
    (!places.is_empty()).then(|| Finding::warning(text, cure))
}

/// What to change where nginx writes the log itself.
pub(crate) fn judge_nginx(loggers: &Loggers, followed: &Followed<'_>, configured: &[String]) -> Vec<Finding> {
    let is_own = |log: &&&str| {
        let nginx = loggers.found.iter().filter(|logger| logger.kind == Kind::Nginx);
        nginx.flat_map(|logger| &logger.holds).chain(configured).any(|file| file == **log)
    };
    followed.files.iter().filter(is_own).map(|log| {
        Finding::warning(
            format!("nginx writes {log} itself, newlines as they are: behind each failed IMAP login, lines do not count for \
                     a while, so a stranger can hold up grants for as long as he likes"),
            format!(
                "in /etc/nginx/nginx.conf, write 'error_log syslog:server=unix:/dev/log,facility=mail info;' for 'error_log {};', \
                 and name with --log the file that rsyslogd writes (syslog-ng: with flags(no-multi-line); not BusyBox)",
                shell::argument(log)
            ),
        )
    }).collect()
}

#[cfg(test)]
mod tests;
