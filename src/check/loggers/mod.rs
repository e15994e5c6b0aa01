//! Which daemon writes the log, whether a newline in a message begins a line there, and who may send it lines over the
//! network: the matchers believe what stands in the log. Pure.

mod syslog_ng;

use super::finding::{Finding, Level};
use crate::config::loggers::escapes::{self, File};
use crate::config::loggers::sockets::Transport;
use crate::config::loggers::{Kind, Logger, Loggers, Route, rsyslog};
use crate::output::shell;
use syslog_ng::Newlines;

/// What the daemon follows.
#[derive(Debug, Default)]
pub(crate) struct Followed<'a> {
    /// The log files.
    pub(crate) files: Vec<&'a str>,
    /// Whether the journal is among the logs, and its directory is named.
    pub(crate) has_journal_directory: bool,
    /// Servers in use that write a stranger's newline into their messages.
    pub(crate) newline_writers: Vec<&'static str>,
    /// Whether newlines are escaped, if the daemon is told.
    pub(crate) said: Option<bool>,
    /// What of the files shows the daemon whether they are.
    pub(crate) places: Vec<File>,
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
            findings.push(newlines(loggers, writer, (log, is_held), followed));
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

/// Whether a message stays on one line.
fn newlines(loggers: &Loggers, logger: &Logger, (log, is_held): (&str, bool), followed: &Followed<'_>) -> Finding {
    let writers = &followed.newline_writers[..];
    let takes_for_escaped = followed.said == Some(true);
    let who = logger.name();
    let writes = if is_held {
        format!("{who} writes {log}")
    } else {
        format!("{who}, to which this system logs, may write {log}")
    };
    let whole = || {
        let place = followed.places.iter().find(|place| place.names.first().is_some_and(|name| name == log));
        let found = place.map(|place| escapes::judge(loggers, place));
        let advice = match (followed.said, found) {
            _ if takes_for_escaped || writers.iter().all(|writer| *writer == "dovecot") => String::new(),
            (None, Some(Ok(_))) => "; so logins close behind a failed one count, too".to_owned(),
            (None, Some(Err(why))) => format!(
                "; that is not sure to the daemon ({why}): with --escaped-newlines, logins close behind a failed one count, too"
            ),
            _ => "; with --escaped-newlines, logins close behind a failed one count, too".to_owned(),
        };
        Finding::ok(format!("{writes}, each message on one line{advice}"))
    };
    let bad = |what: &str, cure: String| {
        let level = if writers.is_empty() && !takes_for_escaped { Level::Warning } else { Level::Error };
        let who = match writers {
            [] => "a server that logs what strangers say may let".to_owned(),
            writers => format!("{}, before anybody has logged in, lets", writers.join(" or ")),
        };
        let wrong = if takes_for_escaped { "; --escaped-newlines says that it is not so" } else { "" };
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
        (Kind::Busybox | Kind::OldSysklogd, _) => {
            bad("makes a message of its own of what follows a NUL", "let another daemon write it, such as rsyslogd".to_owned())
        }
        (Kind::Nginx | Kind::Other | Kind::JournalRemote, _) => Finding::ok(format!("{writes} itself")),
        (Kind::Syslogd, _) => Finding::ok(format!(
            "{writes}, each message on one line unless it is a sysklogd before version 2, which cannot be told"
        )),
        (Kind::Rsyslog | Kind::Inetutils | Kind::Sysklogd, _) => whole(),
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
        Kind::Inetutils | Kind::OldSysklogd => (Route::Here, Vec::new(), "start it without -r"),
        Kind::Sysklogd => (Route::Here, Vec::new(), "start it with -ss"),
        Kind::Busybox | Kind::Syslogd | Kind::JournalRemote | Kind::Nginx | Kind::Other => (
            Route::Here,
            Vec::new(),
            "start it without remote reception (inetutils and old sysklogd: without -r; sysklogd 2: with -ss)",
        ),
    };
    let places: Vec<_> = open.iter().map(ToString::to_string).collect();
    let who = match open.iter().any(|listen| listen.transport == Transport::Udp) {
        true => "whoever can send it one datagram",
        false => "whoever can connect to it",
    };
    let takes = format!("{} takes lines from the network at {}", logger.name(), places.join(", "));
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

/// A sysklogd that sends lines has a socket for it, at which it may take nothing: from version 2 on with `-s`, before it without
/// `-r`. To inetutils `-s` is another thing, but without `-r` it has no such socket.
fn is_deaf(logger: &Logger) -> bool {
    let has = |letter: char, valued: &str| {
        let groups = logger.arguments.iter().skip(1).filter_map(|argument| argument.strip_prefix('-'));
        groups.filter(|group| !group.starts_with('-')).any(|group| {
            // Behind a letter with a value stands the value.
            let end = group.find(|letter| valued.contains(letter)).map_or(group.len(), |at| at + 1);
            group[..end].contains(letter)
        })
    };
    match logger.kind {
        Kind::Sysklogd => has('s', "abCfmMPpr"),
        Kind::OldSysklogd => !has('r', "aflmps"),
        Kind::Syslogd => has('s', "abCfmMPp") && !has('r', "abCfmMPp"),
        _ => false,
    }
}

fn remote(logger: &Logger) -> Option<Finding> {
    let places: Vec<_> = logger.listens.iter().filter(|listen| listen.is_open()).map(ToString::to_string).collect();
    let text = format!(
        "{} takes entries of the journal from the network at {}: whoever may send them can grant any address where they are \
         in the directory that is followed",
        logger.name(),
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
