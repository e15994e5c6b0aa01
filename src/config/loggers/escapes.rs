//! Whether newlines are escaped in a log: where one rsyslogd writes it, and no other program, with a configuration that is
//! understood. Pure.

use super::rsyslog::understood;
use super::{Kind, Logger, Loggers};

/// A log file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// The paths by which rsyslogd may know it.
    pub(crate) names: Vec<String>,
    /// The number of its owner.
    pub(crate) owner: u32,
    /// Whether others may write it, too.
    pub(crate) is_writable: bool,
}

/// The rsyslogd that writes the log and escapes newlines; otherwise why it is not sure that they are escaped. The first of its
/// names is the log's.
pub(crate) fn judge<'l>(loggers: &'l Loggers, log: &File) -> Result<&'l Logger, String> {
    let writer = writer(loggers, log)?;
    let refuse = |why: &str| format!("of {}, {why}", writer.name());
    match (writer.kind, &writer.configuration, &writer.stale) {
        (Kind::Rsyslog, Some(Ok(text)), None) => {
            let names: Vec<_> = log.names.iter().map(String::as_str).collect();
            understood::escapes(text, &names, &writer.arguments).map(|()| writer).map_err(|why| refuse(&why))
        }
        (Kind::Rsyslog, Some(Ok(_)), Some(why)) | (Kind::Rsyslog, Some(Err(why)), _) => Err(refuse(why)),
        _ => Err(format!("{} writes it", writer.name())),
    }
}

/// The only process that writes a log. Where none has it open (it may be closed between two lines), or that cannot be seen, the
/// only syslog daemon, if nobody but its user may write the file.
fn writer<'l>(loggers: &'l Loggers, log: &File) -> Result<&'l Logger, String> {
    let name = log.names.first().map_or("", String::as_str);
    let holders: Vec<_> = loggers.found.iter().filter(|logger| logger.holds.iter().any(|held| held == name)).collect();
    if let ([writer], false) = (&holders[..], loggers.is_blind) {
        return Ok(writer);
    }
    let daemons = loggers.found.iter().filter(|logger| logger.takes_syslog && logger.kind.is_syslog());
    let mut others: Vec<_> =
        daemons.chain(&loggers.hidden).filter(|logger| !logger.holds.iter().any(|held| held == name)).collect();
    others.splice(..0, holders.iter().copied());
    match &others[..] {
        [writer] if !log.is_writable && [Some(0), Some(log.owner)].contains(&writer.user) => Ok(writer),
        [_] => Err("other users may write it".to_owned()),
        [] => Err("no process is seen that writes it".to_owned()),
        [..] => {
            let names: Vec<_> = others.iter().map(|logger| logger.name()).collect();
            Err(format!("several processes may write it: {}", names.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LOG: &str = "/var/log/mail.log";

    fn daemon(kind: Kind, program: &str, pid: u32) -> Logger {
        Logger {
            kind,
            program: program.to_owned(),
            pid,
            arguments: vec![program.to_owned()],
            holds: vec![LOG.to_owned()],
            takes_syslog: true,
            listens: Vec::new(),
            configuration: Some(Ok(format!("mail.* {LOG}\n"))),
            stale: None,
            user: Some(0),
        }
    }

    fn rsyslogd(pid: u32) -> Logger {
        daemon(Kind::Rsyslog, "rsyslogd", pid)
    }

    fn closed(logger: Logger) -> Logger {
        Logger { holds: Vec::new(), ..logger }
    }

    const FILE: File = File { names: Vec::new(), owner: 0, is_writable: false };

    fn seen(found: Vec<Logger>) -> Result<u32, String> {
        judged(&Loggers { found, ..Loggers::default() }, FILE)
    }

    fn hidden(hidden: Vec<Logger>) -> Result<u32, String> {
        judged(
            &Loggers { hidden: hidden.into_iter().map(closed).collect(), is_blind: true, ..Loggers::default() },
            FILE,
        )
    }

    fn judged(loggers: &Loggers, log: File) -> Result<u32, String> {
        judge(loggers, &File { names: vec![LOG.to_owned()], ..log }).map(|writer| writer.pid)
    }

    #[test]
    fn the_only_writer_must_be_an_rsyslogd_that_is_understood() {
        assert_eq!(seen(vec![rsyslogd(7)]), Ok(7));
        assert_eq!(seen(vec![rsyslogd(7), closed(rsyslogd(8))]), Ok(7), "another log's");
        let told = |logger: Logger| seen(vec![logger]).unwrap_err();
        assert_eq!(told(daemon(Kind::SyslogNg, "syslog-ng", 8)), "process 8 (syslog-ng) writes it");
        assert_eq!(told(daemon(Kind::Other, "rsyslogd", 8)), "process 8 (rsyslogd) writes it");
        let off = Some(Ok(format!("$EscapeControlCharactersOnReceive off\nmail.* {LOG}\n")));
        assert_eq!(
            told(Logger { configuration: off, ..rsyslogd(7) }),
            "of process 7 (rsyslogd), its configuration switches the escapes"
        );
        for bad in [
            Logger { configuration: Some(Err("no".to_owned())), ..rsyslogd(7) },
            Logger { configuration: None, ..rsyslogd(7) },
            Logger { stale: Some("/x has been changed".to_owned()), ..rsyslogd(7) },
            Logger { arguments: vec!["rsyslogd".to_owned(), "-M/x".to_owned()], ..rsyslogd(7) },
        ] {
            assert!(seen(vec![bad]).is_err());
        }
    }

    #[test]
    fn of_several_writers_none_is_believed() {
        let nginx = daemon(Kind::Nginx, "nginx", 8);
        assert!(seen(vec![rsyslogd(7), nginx]).unwrap_err().starts_with("several processes may write it: process 7"));
        assert!(seen(vec![rsyslogd(7), daemon(Kind::Other, "x", 8)]).is_err());
    }

    #[test]
    fn a_log_that_is_closed_is_the_only_syslog_daemons() {
        assert_eq!(seen(vec![closed(rsyslogd(7))]), Ok(7));
        let private = Logger { takes_syslog: false, ..closed(rsyslogd(7)) };
        assert_eq!(seen(vec![private]).unwrap_err(), "no process is seen that writes it");
        assert!(seen(vec![closed(rsyslogd(7)), closed(daemon(Kind::Busybox, "busybox", 8))]).is_err());
        let elsewhere = Logger { configuration: Some(Ok("mail.* /x\n".to_owned())), ..closed(rsyslogd(7)) };
        assert!(seen(vec![elsewhere]).is_err());
    }

    /// Any user may run a program of that name.
    #[test]
    fn who_cannot_see_what_is_open_believes_the_only_daemon_of_root_or_of_the_logs_owner() {
        assert_eq!(hidden(vec![rsyslogd(7)]), Ok(7));
        assert!(hidden(vec![]).is_err() && hidden(vec![rsyslogd(7), rsyslogd(8)]).is_err());
        assert!(hidden(vec![rsyslogd(7), daemon(Kind::SyslogNg, "syslog-ng", 8)]).is_err());
        let of = |user: u32| Loggers {
            hidden: vec![closed(Logger { user: Some(user), ..rsyslogd(7) })],
            is_blind: true,
            ..Loggers::default()
        };
        assert!(judged(&of(1000), FILE).is_err());
        assert_eq!(judged(&of(104), File { owner: 104, ..FILE }), Ok(7), "as on Ubuntu");
        assert!(judged(&of(0), File { is_writable: true, ..FILE }).is_err());
        // One that is seen to write it is not the only one that may.
        let both = Loggers { found: vec![daemon(Kind::Other, "x", 8)], ..of(0) };
        assert!(judged(&both, FILE).is_err());
    }
}
