//! Settings of POP3 and IMAP servers under which their lines do not say who has logged in. Pure.

mod dovecot;
mod perdition;

use std::collections::BTreeSet;

pub(crate) use self::dovecot::Dovecot;
use super::finding::Finding;

/// Servers whose messages may hold a newline of a client who has not logged in, by the names of their matchers; Dovecot only
/// without `auth_username_chars`.
const NEWLINE_WRITERS: [&str; 2] = ["mailutils", "nginx"];

/// What was seen of the servers on this host.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    /// Each configuration of Dovecot.
    pub(crate) dovecot: Vec<Dovecot>,
    /// Arguments of each process of Perdition.
    pub(crate) perditions: Vec<Vec<String>>,
    /// Name and text of each configuration file of Perdition, if it is installed.
    pub(crate) perdition_files: Vec<(String, String)>,
    /// Files that nginx's configuration names as its logs.
    pub(crate) nginx_logs: Vec<String>,
    /// The files of running programs.
    pub(crate) programs: BTreeSet<String>,
    /// Name and text of each configuration file of inetd and xinetd.
    pub(crate) inetd: Vec<(String, String)>,
}

/// Which matchers count.
#[derive(Debug, Default)]
pub(crate) struct InUse<'a> {
    /// Those that are named; where there are none, all by default.
    pub(crate) named: Vec<&'a str>,
    /// Those that find logins in the logs.
    pub(crate) seen: BTreeSet<&'a str>,
}

impl InUse<'_> {
    fn names(&self, matcher: &str) -> bool {
        self.named.contains(&matcher)
    }

    fn could_be(&self, matcher: &str) -> bool {
        self.named.is_empty() || self.names(matcher) || self.names("all")
    }
}

/// Servers in use that write a stranger's newline into their messages.
pub(crate) fn newline_writers(servers: &Servers, in_use: &InUse<'_>) -> Vec<&'static str> {
    let runs = |matcher: &str| match matcher {
        // Courier and Cyrus have a pop3d, too, elsewhere.
        "mailutils" => ["/usr/sbin/imap4d", "/usr/sbin/pop3d"].iter().any(|file| servers.programs.contains(*file)),
        _ => servers.programs.iter().any(|file| file.rsplit('/').next() == Some(matcher)),
    };
    let is_used = |matcher: &&str| in_use.names(matcher) || in_use.seen.contains(*matcher) || runs(matcher);
    let dovecot = servers.dovecot.iter().any(Dovecot::takes_any_name).then_some("dovecot");
    NEWLINE_WRITERS.into_iter().filter(is_used).chain(dovecot).collect()
}

/// Everything about the servers whose matchers could be used.
pub(crate) fn judge(servers: &Servers, in_use: &InUse<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if in_use.could_be("dovecot") || in_use.names(dovecot::PROXY) {
        findings.extend(servers.dovecot.iter().flat_map(|dovecot| dovecot::judge(dovecot, in_use)));
    }
    if in_use.could_be("perdition") {
        findings.extend(perdition::judge(&servers.perditions, &servers.perdition_files));
    }
    findings.extend(ipop3d(servers).filter(|_| in_use.names("ipop3d")));
    findings
}

/// UW's servers, unless they were built without it, connect to the server that a user names, and log what it says as a
/// message of their own (`DISABLE_POP_PROXY` in ipop3d.c of UW imap 2007).
fn ipop3d(servers: &Servers) -> Option<Finding> {
    let is_it = |word: &str| ["ipop3d", "ipop2d"].contains(&word.rsplit('/').next().unwrap_or(word));
    let lines =
        |text: &str| text.lines().any(|line| !line.trim_start().starts_with('#') && line.split_whitespace().any(is_it));
    let process = servers.programs.iter().find(|file| is_it(file)).map(|file| format!("{file} runs"));
    let started = || servers.inetd.iter().find(|(_, text)| lines(text)).map(|(file, _)| format!("{file} starts it"));
    let where_seen = process.or_else(started)?;
    Some(Finding::warning(
        format!(
            "ipop3d ({}) connects to whatever server a stranger names in USER SERVER:NAME, and logs what that server says as \
             messages of its own, which may be a login from any address",
            where_seen.escape_debug()
        ),
        "build it with DISABLE_POP_PROXY, or take ipop3d out of --matcher",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::finding::{Level, assert_told};
    use super::*;

    fn in_use<'a>(named: &[&'a str]) -> InUse<'a> {
        InUse { named: named.to_vec(), seen: BTreeSet::new() }
    }

    fn running(programs: &[&str]) -> Servers {
        Servers { programs: programs.iter().map(|file| (*file).to_owned()).collect(), ..Servers::default() }
    }

    #[test]
    fn who_writes_newlines_is_told_if_it_is_in_use() {
        let none = running(&[]);
        assert!(newline_writers(&none, &in_use(&[])).is_empty());
        assert_eq!(newline_writers(&none, &in_use(&["nginx", "courier"])), ["nginx"]);
        assert_eq!(newline_writers(&running(&["/usr/sbin/nginx"]), &in_use(&["courier"])), ["nginx"], "another's line");
        assert_eq!(newline_writers(&running(&["/usr/sbin/imap4d"]), &in_use(&[])), ["mailutils"]);
        assert!(newline_writers(&running(&["/usr/lib/cyrus/bin/pop3d"]), &in_use(&[])).is_empty());
        let seen = InUse { named: Vec::new(), seen: BTreeSet::from(["mailutils"]) };
        assert_eq!(newline_writers(&none, &seen), ["mailutils"]);
        let open = Servers { dovecot: vec![Dovecot::of("auth_username_chars = \n")], ..Servers::default() };
        assert_eq!(newline_writers(&open, &in_use(&[])), ["dovecot"]);
    }

    #[test]
    fn a_pop_server_that_asks_any_other_is_told() {
        let told = |servers: &Servers, named: &[&str]| judge(servers, &in_use(named));
        let runs = running(&["/usr/sbin/ipop3d"]);
        assert_told(
            &told(&runs, &["ipop3d"]),
            Level::Warning,
            "ipop3d (/usr/sbin/ipop3d runs) connects to whatever server",
        );
        assert!(told(&runs, &[]).is_empty() && told(&runs, &["uw-imap"]).is_empty());
        let inetd =
            |line: &str| Servers { inetd: vec![("/etc/inetd.conf".to_owned(), line.to_owned())], ..Servers::default() };
        let line = "pop-3 stream tcp nowait root /usr/sbin/tcpd /usr/sbin/ipop3d\n";
        assert_told(&told(&inetd(line), &["ipop3d"]), Level::Warning, "(/etc/inetd.conf starts it)");
        assert_told(
            &told(&inetd("service pop3 {\n server = /usr/sbin/ipop3d\n}"), &["ipop3d"]),
            Level::Warning,
            "starts it",
        );
        assert!(told(&inetd(&format!("#{line}")), &["ipop3d"]).is_empty());
    }
}
