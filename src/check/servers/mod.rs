//! Settings of POP3 and IMAP servers under which their lines do not say who has logged in. Pure.

mod courier;
mod dovecot;
mod nginx;
mod perdition;

use std::collections::BTreeSet;

pub(crate) use self::dovecot::Dovecot;
use super::finding::Finding;
use crate::matcher::BUILTIN;

/// What was seen of the servers on this host.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    /// Each configuration of Dovecot.
    pub(crate) dovecot: Vec<Dovecot>,
    /// Arguments of each process of Perdition.
    pub(crate) perditions: Vec<Vec<String>>,
    /// Name and text of each configuration file of Perdition, if it is installed.
    pub(crate) perdition_files: Vec<(String, String)>,
    /// Name and text of each configuration file of Courier's imapd.
    pub(crate) courier_files: Vec<(String, String)>,
    /// Name and text of each configuration file of nginx.
    pub(crate) nginx_files: Vec<(String, String)>,
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
    /// Those that are named or chosen by what the host has; where there are none, any may be.
    pub(crate) named: Vec<&'a str>,
    /// Those that find logins in the logs.
    pub(crate) seen: BTreeSet<&'a str>,
}

impl InUse<'_> {
    fn names(&self, matcher: &str) -> bool {
        self.named.contains(&matcher)
    }

    fn could_be(&self, matcher: &str) -> bool {
        self.named.is_empty() || self.names(matcher)
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
    let writers = BUILTIN.iter().filter(|matcher| !matcher.newlines.is_empty()).map(|matcher| matcher.name);
    writers.filter(is_used).chain(dovecot).collect()
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
    if in_use.could_be("courier") {
        findings.extend(courier::judge(&servers.courier_files));
    }
    if in_use.could_be("nginx") {
        findings.extend(nginx::judge(&servers.nginx_files));
    }
    findings.extend(ipop3d(servers, in_use));
    findings
}

/// UW's servers, unless they were built without it, connect to the server that a user names, and log what it says as a
/// message of their own (`DISABLE_POP_PROXY` in ipop3d.c of UW imap 2007).
fn ipop3d(servers: &Servers, in_use: &InUse<'_>) -> Option<Finding> {
    let trusting = in_use.names("uw-imap-no-proxy") && !in_use.names("uw-imap");
    if !trusting && !in_use.names("uw-imap") {
        return None;
    }
    let is_it = |word: &str| ["ipop3d", "ipop2d"].contains(&word.rsplit('/').next().unwrap_or(word));
    let lines =
        |text: &str| text.lines().any(|line| !line.trim_start().starts_with('#') && line.split_whitespace().any(is_it));
    let process = servers.programs.iter().find(|file| is_it(file)).map(|file| format!("{file} runs"));
    let started = || servers.inetd.iter().find(|(_, text)| lines(text)).map(|(file, _)| format!("{file} starts it"));
    let where_seen = process.or_else(started)?;
    let seen = where_seen.escape_debug();
    Some(if trusting {
        Finding::warning(
            format!(
                "ipop3d ({seen}), unless it was built without that, connects to whatever server a stranger names in USER \
                 SERVER:NAME, and logs what that server says as messages of its own, which may be a login from any address; \
                 --matcher uw-imap-no-proxy says that it cannot"
            ),
            "see that it was built with DISABLE_POP_PROXY, or that a packet filter lets user nobody connect to no host",
        )
    } else {
        Finding::warning(
            format!(
                "ipop3d ({seen}) can be made to log what a stranger's server says, so its logins count only in a log that is \
                 read from its first line (--reprocess)"
            ),
            "build it with DISABLE_POP_PROXY, or let a packet filter keep user nobody from connecting to other hosts, and write \
             --matcher uw-imap-no-proxy",
        )
    })
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
        let no_proxy = &["uw-imap-no-proxy"];
        assert_told(&told(&runs, no_proxy), Level::Warning, "says that it cannot");
        assert_told(&told(&runs, &["uw-imap"]), Level::Warning, "count only in a log that is read from its first line");
        assert!(told(&runs, &[]).is_empty() && told(&running(&[]), no_proxy).is_empty());
        let inetd =
            |line: &str| Servers { inetd: vec![("/etc/inetd.conf".to_owned(), line.to_owned())], ..Servers::default() };
        let line = "pop-3 stream tcp nowait root /usr/sbin/tcpd /usr/sbin/ipop3d\n";
        assert_told(&told(&inetd(line), no_proxy), Level::Warning, "(/etc/inetd.conf starts it)");
        assert_told(
            &told(&inetd("service pop3 {\n server = /usr/sbin/ipop3d\n}"), no_proxy),
            Level::Warning,
            "starts it",
        );
        assert!(told(&inetd(&format!("#{line}")), no_proxy).is_empty());
    }
}
