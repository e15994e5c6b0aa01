//! The names under which Postfix logs: `syslog_name` of main.cf, and of services in master.cf. Pure.

/// What the names of programs begin with: `postfix`, `postfix-NAME` for a further instance, and those that were said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(Vec<Box<[u8]>>);

impl Names {
    /// These names as well. They share a queue: ids of several queues that are the same hardly come at one time.
    pub(crate) fn new(said: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let names = said.into_iter().map(|name| Box::<[u8]>::from(name.as_ref().as_bytes()));
        Self(names.filter(|name| !name.is_empty() && instance(name).is_none()).collect())
    }

    /// The instance and the daemon, if a line of Postfix has this name of a program in its header. Compared whole up to the
    /// slash; a service of master.cf may add a name of its own before that of its daemon.
    pub(crate) fn program<'n>(&self, name: &'n [u8]) -> Option<(&'n [u8], &'n [u8])> {
        // Shorter than what a faster search is made for.
        let daemon = |rest: &'n [u8]| Some(&rest[rest.iter().rposition(|byte| *byte == b'/')? + 1..]);
        if let Some(end) = instance(name) {
            return Some((&name[b"postfix".len()..end], daemon(&name[end..])?));
        }
        let rest = self.0.iter().find_map(|said| name.strip_prefix(&**said).filter(|rest| rest.starts_with(b"/")))?;
        Some((b"", daemon(rest)?))
    }
}

/// Where the name of an instance ends that has its name from `multi_instance_name`, or none.
fn instance(name: &[u8]) -> Option<usize> {
    let rest = name.strip_prefix(b"postfix")?;
    let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
    (end == 0 || rest[0] == b'-').then_some(end + b"postfix".len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_compared_whole() {
        let names = Names::new(["mx", "mail/in", "postfix", ""]);
        for (name, expected) in [
            ("postfix/smtpd", Some(("", "smtpd"))),
            ("postfix-out/smtpd", Some(("-out", "smtpd"))),
            ("postfix/submission/smtpd", Some(("", "smtpd"))),
            ("postfix", None),
            ("xpostfix/smtpd", None),
            ("postfixed/smtpd", None),
            ("mx/smtpd", Some(("", "smtpd"))),
            ("mx/submission/smtpd", Some(("", "smtpd"))),
            ("mail/in/qmgr", Some(("", "qmgr"))),
            ("mail/qmgr", None),
            ("mx", None),
            ("mx2/smtpd", None),
            ("x/mx/smtpd", None),
        ] {
            let found = names.program(name.as_bytes());
            assert_eq!(found, expected.map(|(one, two): (&str, &str)| (one.as_bytes(), two.as_bytes())), "{name}");
        }
        assert_eq!(Names::default().program(b"mx/smtpd"), None);
    }
}
