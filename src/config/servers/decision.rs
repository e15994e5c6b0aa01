//! Which matchers are used where none is named. Pure.
//!
//! What is seen on the host decides. The logs count besides, because a relay may get them from the hosts that have the servers;
//! and a stranger must not turn a matcher on by what he brings a server to write:
//!
//! - A login of another host counts. Who can write a host into the header writes whole lines, and needs no further matcher.
//!   Who can only choose a message is bound to program and host of his server: of one program of one host the matcher counts
//!   that takes most of its logins.
//! - A login of this host, or of a file without hosts, counts only where nothing shows any server: otherwise what this host has
//!   is known, and the text of a server that it has may look like a login of one that it has not.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::facts::{Facts, Logged};
use super::only_named;
use crate::matcher::{ALL, AnyMatcher, BUILTIN, Matchers};
use crate::output::escape::printable;

/// What shows that there is a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// A process of this name.
    Process(&'static str),
    /// This program.
    Program(PathBuf),
    /// This unit of systemd.
    Unit(&'static str),
    /// Logins.
    Log {
        /// In this log.
        log: String,
        /// Of this host.
        host: Option<String>,
        /// So many.
        logins: u64,
    },
    /// The configuration file.
    Described,
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(name) => write!(f, "process {name} runs"),
            Self::Program(path) => write!(f, "{} is there", path.display()),
            Self::Unit(name) => write!(f, "{name} is there"),
            Self::Log { log, host, logins } => {
                write!(f, "{logins} {}", if *logins == 1 { "login" } else { "logins" })?;
                if let Some(host) = host {
                    write!(f, " of host {}", printable(host.as_bytes()))?;
                }
                write!(f, " in {}", printable(log.as_bytes()))
            }
            Self::Described => f.write_str("in the configuration file"),
        }
    }
}

/// Why a matcher is not used, although something shows its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It never is by itself, for this reason.
    OnlyNamed(&'static str),
    /// This host has others.
    NotHere,
    /// Most logins of the same program and host are of this one.
    Outnumbered(&'static str),
}

/// A matcher that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// Its name.
    pub matcher: &'static str,
    /// What shows its server.
    pub sign: Sign,
    /// Why not.
    pub why: Why,
}

/// What is used where no matcher is named, and why.
#[derive(Debug, Clone, Default)]
pub struct Servers {
    /// Those that are used.
    pub used: Vec<(AnyMatcher, Sign)>,
    /// Those that are not, at most once each.
    pub unused: Vec<Unused>,
}

impl Servers {
    /// Decides. What `earlier` was used because of a log still is.
    pub fn judge(facts: &Facts, custom: &[AnyMatcher], earlier: Option<&Self>) -> Self {
        let mut verdict = Verdict::default();
        for (matcher, sign) in &facts.signs {
            verdict.shows(matcher, sign.clone());
        }
        let has_none = facts.signs.is_empty();
        for logged in &facts.logged {
            let counts = has_none || !is_this_host(logged.host.as_deref(), &facts.host);
            verdict.log_shows(logged, counts);
        }
        for (matcher, sign) in earlier.iter().flat_map(|earlier| &earlier.used) {
            if let (AnyMatcher::Row(matcher), Sign::Log { .. }) = (matcher, sign) {
                verdict.shows(matcher.name, sign.clone());
            }
        }
        let described = custom.iter().map(|matcher| (matcher.clone(), Sign::Described));
        let used = BUILTIN.iter().filter_map(|matcher| Some((matcher.into(), verdict.used.remove(matcher.name)?)));
        Self { used: used.chain(described).collect(), unused: verdict.unused.into_values().collect() }
    }

    /// The matchers that are used.
    pub fn matchers(&self) -> Matchers {
        Matchers::of(self.used.iter().map(|(matcher, _)| matcher.clone()))
    }

    /// Whether no login can count.
    pub fn is_empty(&self) -> bool {
        self.used.is_empty()
    }

    /// What is used and why, on one line.
    pub fn summary(&self) -> String {
        let used: Vec<_> = self.used.iter().map(|(matcher, sign)| format!("{matcher} ({sign})")).collect();
        format!("matchers: {}; --matcher {ALL} turns on every one", used.join(", "))
    }

    /// What is to be told where nothing is used, and the cure.
    pub fn nothing(&self) -> (String, String) {
        (
            "no matcher is used, so no login counts: this host shows no POP3 or IMAP server, nor does a log".to_owned(),
            format!("name the server that writes the log, as in --matcher dovecot; --matcher {ALL} turns on every one"),
        )
    }

    /// What is to be told of a matcher that is not used, and the cure.
    pub fn notice(&self, unused: &Unused) -> (String, String) {
        let Unused { matcher, sign, why } = unused;
        let because = match why {
            Why::OnlyNamed(reason) => format!("it is used only when named, because {reason}"),
            Why::NotHere => "nothing else shows that server on this host, which has others".to_owned(),
            Why::Outnumbered(other) => {
                format!("the same program of that host writes as many logins of {other}, or more")
            }
        };
        let names: Vec<_> = self.used.iter().map(|(used, _)| used.name()).chain([*matcher]).collect();
        let cure = format!("if its logins are genuine, name it: --matcher {}", names.join(","));
        (format!("matcher {matcher} is not used ({sign}): {because}"), cure)
    }
}

/// What is found out, step by step.
#[derive(Default)]
struct Verdict {
    used: BTreeMap<&'static str, Sign>,
    unused: BTreeMap<&'static str, Unused>,
}

impl Verdict {
    /// Something shows the server that must be believed.
    fn shows(&mut self, matcher: &'static str, sign: Sign) {
        match only_named(matcher) {
            Some(reason) => self.leave_out(matcher, sign, Why::OnlyNamed(reason)),
            None => {
                self.unused.remove(matcher);
                self.used.entry(matcher).or_insert(sign);
            }
        }
    }

    fn leave_out(&mut self, matcher: &'static str, sign: Sign, why: Why) {
        if !self.used.contains_key(matcher) {
            self.unused.entry(matcher).or_insert(Unused { matcher, sign, why });
        }
    }

    /// A log shows logins of one program of one host.
    fn log_shows(&mut self, logged: &Logged, counts: bool) {
        let Logged { log, host, logins, .. } = logged;
        for (matcher, count) in logins {
            let sign = Sign::Log { log: log.clone(), host: host.clone(), logins: *count };
            let rivals = logins.iter().filter(|(other, _)| *other != matcher && only_named(other).is_none());
            match rivals.max_by_key(|(_, count)| **count).filter(|(_, most)| *most >= count) {
                _ if only_named(matcher).is_some() => self.shows(matcher, sign),
                _ if !counts => self.leave_out(matcher, sign, Why::NotHere),
                Some((rival, _)) => self.leave_out(matcher, sign, Why::Outnumbered(rival)),
                None => self.shows(matcher, sign),
            }
        }
    }
}

/// A file without hosts is this host's. Names without a domain are compared without.
fn is_this_host(host: Option<&str>, own: &str) -> bool {
    let Some(host) = host else { return true };
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let has_domain = |name: &str| name.contains('.');
    match has_domain(host) && has_domain(own) {
        _ if host.eq_ignore_ascii_case("localhost") || host.is_empty() => true,
        true => host.eq_ignore_ascii_case(own),
        false => short(host) == short(own),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Host, program, and the number of logins by matcher.
    type Lines<'a> = (Option<&'a str>, &'a str, &'a [(&'static str, u64)]);

    fn facts(signs: &[&'static str], logged: &[Lines<'_>]) -> Facts {
        let logged = logged.iter().map(|(host, program, logins)| Logged {
            log: "/var/log/mail.log".to_owned(),
            host: host.map(str::to_owned),
            program: (*program).to_owned(),
            logins: logins.iter().copied().collect(),
        });
        let signs = signs.iter().map(|name| (*name, Sign::Process(name))).collect();
        Facts { host: "mail.example.net".to_owned(), signs, logged: logged.collect() }
    }

    fn used(facts: &Facts) -> Vec<String> {
        Servers::judge(facts, &[], None).used.iter().map(|(matcher, _)| matcher.to_string()).collect()
    }

    fn notices(facts: &Facts) -> String {
        let servers = Servers::judge(facts, &[], None);
        let notices = servers.unused.iter().map(|unused| servers.notice(unused));
        notices.map(|(text, cure)| format!("{text}; {cure}\n")).collect()
    }

    const HERE: Option<&str> = Some("mail");

    #[test]
    fn what_the_host_has_is_used_and_why_is_told() {
        let mut facts = facts(&["dovecot", "courier"], &[]);
        assert_eq!(used(&facts), ["courier", "dovecot"]);
        facts.signs[1].1 = Sign::Program("/usr/sbin/couriertcpd".into());
        assert_eq!(
            Servers::judge(&facts, &[], None).summary(),
            "matchers: courier (/usr/sbin/couriertcpd is there), dovecot (process dovecot runs); --matcher all turns on every \
             one"
        );
    }

    #[test]
    fn nothing_is_used_where_nothing_shows_a_server() {
        let servers = Servers::judge(&facts(&[], &[]), &[], None);
        assert!(servers.is_empty() && servers.unused.is_empty());
        assert!(servers.nothing().1.contains("--matcher dovecot; --matcher all turns on every one"));
    }

    /// A message of a server that this host has may have the form of another's.
    #[test]
    fn a_login_of_this_host_turns_nothing_on_that_it_does_not_show() {
        for host in [HERE, None, Some("MAIL.example.net"), Some("localhost")] {
            let facts = facts(&["courier"], &[(host, "imapd", &[("uw-imap", 9)])]);
            assert_eq!(used(&facts), ["courier"], "{host:?}");
            assert!(notices(&facts).contains("matcher uw-imap is not used (9 logins"), "{host:?}");
            assert!(notices(&facts).contains("name it: --matcher courier,uw-imap"), "{host:?}");
        }
    }

    #[test]
    fn a_login_of_this_host_counts_where_nothing_shows_any_server() {
        for host in [HERE, None] {
            assert_eq!(used(&facts(&[], &[(host, "dovecot", &[("dovecot", 1)])])), ["dovecot"]);
        }
    }

    #[test]
    fn a_login_of_another_host_counts() {
        for host in ["imap1", "mail.example.com", "192.0.2.7"] {
            let facts = facts(&["dovecot"], &[(Some(host), "imapd", &[("courier", 1)])]);
            assert_eq!(used(&facts), ["courier", "dovecot"], "{host}");
            assert_eq!(notices(&facts), "");
        }
    }

    #[test]
    fn of_one_program_of_one_host_one_matcher_counts() {
        let logged: [Lines<'_>; 2] =
            [(Some("imap1"), "imapd", &[("courier", 3), ("uw-imap", 2)]), (Some("imap2"), "imapd", &[("cyrus", 1)])];
        assert_eq!(used(&facts(&[], &logged)), ["courier", "cyrus"]);
        assert!(notices(&facts(&[], &logged)).contains("as many logins of courier, or more"));
        // Who is right cannot be known.
        let tie = facts(&[], &[(Some("imap1"), "imapd", &[("courier", 2), ("uw-imap", 2)])]);
        assert!(used(&tie).is_empty());
        assert_eq!(notices(&tie).lines().count(), 2);
        // One that is turned on by something else is not told of.
        let both = facts(&["uw-imap"], &[(Some("imap1"), "imapd", &[("courier", 3), ("uw-imap", 2)])]);
        assert_eq!(used(&both), ["courier", "uw-imap"]);
        assert_eq!(notices(&both), "");
    }

    #[test]
    fn some_are_used_only_when_named() {
        for (signs, logins) in [(&[][..], &[("dovecot-proxy", 5)][..]), (&["cyrus-1"], &[])] {
            let facts = facts(signs, &[(Some("imap1"), "x", logins)]);
            assert!(used(&facts).is_empty());
            assert!(notices(&facts).contains("it is used only when named, because "));
        }
    }

    /// A reload behind a rotation finds empty logs.
    #[test]
    fn what_a_log_has_shown_stays_and_what_the_host_had_does_not() {
        let logged: [Lines<'_>; 1] = [(Some("imap1"), "imapd", &[("courier", 1)])];
        let before = Servers::judge(&facts(&["dovecot"], &logged), &[], None);
        let after = Servers::judge(&facts(&["popa3d"], &[]), &[], Some(&before));
        let names: Vec<_> = after.used.iter().map(|(matcher, _)| matcher.name()).collect();
        assert_eq!(names, ["courier", "popa3d"]);
    }

    #[test]
    fn text_of_a_log_is_escaped() {
        let facts = facts(&[], &[(Some("a\u{1b}[2J"), "dovecot", &[("dovecot", 1)])]);
        assert!(
            Servers::judge(&facts, &[], None).summary().contains(r"1 login of host a\u{1b}[2J in /var/log/mail.log")
        );
    }
}
