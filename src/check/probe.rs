//! `--probe`: what Postfix is answered when it asks the table. Pure.

use std::net::{IpAddr, Ipv4Addr};

use super::finding::Finding;
use super::restrictions::grants;
use crate::output::escape::short;

/// What `postmap -q` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The table holds the key, with this value.
    Found(String),
    /// It does not.
    Missing,
    /// It cannot be asked.
    Failed(String),
}

/// Questions and answers.
#[derive(Debug)]
pub(crate) struct Probe {
    /// The table as `postmap` was told it.
    pub(crate) table: String,
    /// The user who asked.
    pub(crate) user: String,
    /// A client that the table holds.
    pub(crate) client: Option<(IpAddr, Answer)>,
    /// Keys that smtpd asks for when a stranger comes.
    pub(crate) stranger: Vec<(String, Answer)>,
}

/// An address from the networks for documentation (RFC 5737) that is none of those listed.
pub(crate) fn stranger(listed: &[IpAddr]) -> Ipv4Addr {
    let candidates = (1..=254).map(|last| Ipv4Addr::new(203, 0, 113, last));
    candidates
        .into_iter()
        .find(|address| !listed.contains(&IpAddr::V4(*address)))
        .unwrap_or(Ipv4Addr::new(203, 0, 113, 255))
}

/// What smtpd asks for about a client without a name: `unknown`, the address, and its networks (access(5)).
pub(crate) fn keys(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, _] = address.octets();
    vec!["unknown".to_owned(), address.to_string(), format!("{a}.{b}.{c}"), format!("{a}.{b}"), a.to_string()]
}

/// Whether the answers are right.
pub(crate) fn judge(probe: &Probe) -> Vec<Finding> {
    let Probe { table, user, client, stranger } = probe;
    let failed = |why: &str| {
        Finding::error(
            format!("probe: user {user} cannot ask {table}: {why}"),
            format!("try postmap -q 192.0.2.1 {table}"),
        )
    };
    if let Some(why) =
        stranger.iter().find_map(|(_, answer)| if let Answer::Failed(why) = answer { Some(why) } else { None })
    {
        return vec![failed(why)];
    }
    let client = match client {
        None => Finding::warning(
            "probe: the table holds nobody, so that no permission can be proved",
            "log in by POP3 or IMAP, and probe again",
        ),
        Some((address, Answer::Found(value))) if grants(value) => {
            Finding::ok(format!("probe: {table} says {value} of {address}, which permits"))
        }
        Some((address, Answer::Found(value))) => Finding::error(
            format!(
                "probe: {table} says {} of {address}, which Postfix does not take for a permission",
                short(value.as_bytes())
            ),
            "leave --value out, or give --value OK",
        ),
        Some((address, Answer::Missing)) => Finding::error(
            format!("probe: {table} does not know {address}, whom the daemon has granted"),
            "look whether another table of that name is read, and whether the clock is right",
        ),
        Some((_, Answer::Failed(why))) => failed(why),
    };
    let known = stranger.iter().find_map(|(key, answer)| match answer {
        Answer::Found(value) => Some((key, value)),
        _ => None,
    });
    let stranger = match known {
        Some((key, value)) => Finding::error(
            format!("probe: {table} says {} of {key}, so strangers may relay", short(value.as_bytes())),
            "find out who writes into the table; the daemon writes whole addresses of clients that have logged in",
        ),
        None => Finding::ok(format!("probe: {table} says nothing of a stranger")),
    };
    vec![client, stranger]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn told(client: Option<Answer>, unknown: Answer) -> String {
        let address = "198.51.100.7".parse().unwrap();
        let stranger = vec![("unknown".to_owned(), unknown), ("203.0.113.1".to_owned(), Answer::Missing)];
        let client = client.map(|answer| (address, answer));
        let probe = Probe { table: "lmdb:/x".to_owned(), user: "postfix".to_owned(), client, stranger };
        judge(&probe).iter().map(|finding| format!("{finding}\n")).collect()
    }

    #[test]
    fn answers_are_proof_or_disproof() {
        let found = |value: &str| Some(Answer::Found(value.to_owned()));
        let good = told(found("1795363419"), Answer::Missing);
        assert!(good.lines().all(|line| line.starts_with("ok: ")), "{good}");
        assert!(told(None, Answer::Missing).contains("warning: probe: the table holds nobody"));
        assert!(told(found("REJECT"), Answer::Missing).contains("does not take for a permission"));
        assert!(told(Some(Answer::Missing), Answer::Missing).contains("does not know 198.51.100.7"));
        assert!(
            told(found("OK"), Answer::Found("OK".to_owned())).contains("says OK of unknown, so strangers may relay")
        );
        assert!(told(None, Answer::Failed("no such file".to_owned())).contains("cannot ask lmdb:/x: no such file"));
    }

    #[test]
    fn a_stranger_is_nobody_in_the_table() {
        assert_eq!(stranger(&[]), Ipv4Addr::new(203, 0, 113, 1));
        assert_eq!(stranger(&["203.0.113.1".parse().unwrap()]), Ipv4Addr::new(203, 0, 113, 2));
        assert_eq!(keys(Ipv4Addr::new(203, 0, 113, 1)), ["unknown", "203.0.113.1", "203.0.113", "203.0", "203"]);
    }
}
