//! Services besides POP3 and IMAP, whose logins count only where `--services` says so. Data only.

use super::Matcher;
use super::builtin::dovecot;

/// A service: its name, and the matcher of its logins, if it is none of those that count anyway.
#[derive(Debug)]
pub struct Service {
    /// Value of `--services`.
    pub name: &'static str,
    /// What finds its logins.
    pub matcher: Option<&'static Matcher>,
}

/// All services. No constant, as [`super::BUILTIN`].
pub static SERVICES: &[Service] = &[
    Service { name: "imap", matcher: None },
    Service { name: "pop3", matcher: None },
    Service { name: "submission", matcher: Some(&dovecot::SUBMISSION) },
    Service { name: "managesieve", matcher: Some(&dovecot::MANAGESIEVE) },
];

#[cfg(test)]
mod tests {
    use super::super::Matchers;
    use super::super::pattern::lint;
    use super::*;
    use crate::time::Timestamp;

    const LOGIN: &str =
        "login: Login: user=<kevin>, method=PLAIN, rip=198.51.100.1, lip=192.0.2.25, mpid=7, TLS, session=<x>";

    #[test]
    fn a_service_hears_its_own_logins_alone() {
        for service in SERVICES {
            let Some(matcher) = service.matcher else { continue };
            for (pattern, role) in matcher.patterns() {
                assert_eq!(lint(pattern, role), Ok(()));
            }
            for other in SERVICES {
                for line in [
                    format!("Nov 22 10:00:00 mail dovecot: {}-{LOGIN}", other.name),
                    format!("Nov 22 10:00:00 {}-{}", other.name, LOGIN.replacen(": ", ": Info: ", 1)),
                ] {
                    let heard =
                        |matchers: &mut Matchers| matchers.event(Timestamp::default(), line.as_bytes()).is_some();
                    assert_eq!(
                        heard(&mut Matchers::of([matcher.into()].into_iter())),
                        other.name == service.name,
                        "{line}"
                    );
                    assert_eq!(heard(&mut Matchers::all()), other.matcher.is_none(), "{line}");
                }
            }
        }
    }
}
