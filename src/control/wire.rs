//! What goes over the control socket, and what `--json` prints. Times are Unix seconds. Pure.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::output::error::{Error, Exit};
use crate::output::escape;

/// A line of the daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// The first line, before any request.
    Greeting(Greeting),
    /// A grant.
    Client(Client),
    /// A denied network.
    Denied(Network),
    /// Whether an address has a grant, and why.
    Explanation(Box<Explanation>),
    /// How the daemon is.
    Status(Box<Status>),
    /// What a command has changed.
    Outcome(Changed),
    /// The request failed, or was none.
    Failure(Failure),
    /// The last line.
    End(End),
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Greeting {
    /// The map that is served.
    pub map: String,
    /// The daemon's process id.
    pub pid: u32,
    /// Its version.
    pub version: String,
}

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Client {
    /// The client's address.
    pub address: IpAddr,
    /// Who logged in, as far as it is known; a byte that is not UTF-8 is `\xNN`.
    pub user: Option<String>,
    /// Which matcher found the login; `by-hand` for a grant by hand.
    pub matcher: Option<String>,
    /// When it logged in last, or was granted by hand.
    pub since: Option<u64>,
    /// When the grant ends; not known where the table holds a fixed text and no daemon answers.
    pub expires: Option<u64>,
    /// How many messages it has relayed by grants; with `--count-relays` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relays: Option<u64>,
    /// When it relayed the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_relay: Option<u64>,
}

/// A denied network, or a single address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Network {
    /// In CIDR notation.
    pub network: String,
}

/// Why an address has a grant or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Why {
    /// Granted: there was a login.
    Login,
    /// Granted: the operator did.
    ByHand,
    /// Granted: the table says so; which login that was is not known.
    Table,
    /// A loopback, unspecified, multicast or broadcast address is never published.
    NotAClient,
    /// It lies in one of `--skip-networks`.
    Skipped,
    /// It lies in Postfix's `mynetworks`, and relays without us.
    Mynetworks,
    /// The operator has denied it.
    Denied,
    /// Too many users log in from it.
    Shared,
    /// The operator has taken its grant back, and it has not logged in since.
    Revoked,
    /// Its grant has ended.
    Expired,
    /// Its grant gave way to a newer one.
    Evicted,
    /// No login is known.
    NoLogin,
}

/// Whether an address has a grant, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Explanation {
    /// The address.
    pub address: IpAddr,
    /// Whether it has one.
    pub granted: bool,
    /// Why.
    pub why: Why,
    /// The network, or the number of users, that decided it.
    pub rule: Option<String>,
    /// When it logged in last, or was granted by hand.
    pub since: Option<u64>,
    /// When the grant ends.
    pub expires: Option<u64>,
    /// When it ended, or was taken back.
    pub ended: Option<u64>,
    /// Who logged in; a byte that is not UTF-8 is `\xNN`.
    pub user: Option<String>,
    /// Which matcher found the login.
    pub matcher: Option<String>,
    /// The log in which it stands.
    pub log: Option<String>,
    /// Where in the log the line begins, in bytes.
    pub offset: Option<u64>,
    /// The line, if it is still there.
    pub line: Option<String>,
    /// The table as main.cf names it.
    pub table: Option<String>,
    /// What Postfix is told when it asks the table; nothing if the address is not in it.
    pub answer: Option<String>,
    /// How many messages it has relayed by grants; with `--count-relays` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relays: Option<u64>,
    /// When it relayed the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_relay: Option<u64>,
}

/// How the daemon is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// Its process id.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// Seconds since it began to serve.
    pub uptime: u64,
    /// How the table is written.
    pub backend: String,
    /// Its path without suffix.
    pub map: String,
    /// Length of a grant in seconds.
    pub grace: u64,
    /// Addresses that have a grant.
    pub grants: u64,
    /// How many may have one.
    pub capacity: u64,
    /// Networks that are denied.
    pub denied: u64,
    /// What of Postfix's `mynetworks` is not published, in words; none without `--skip-mynetworks`.
    pub mynetworks: Option<String>,
    /// Users that may log in from one address, if that is bounded.
    pub max_users_per_address: Option<u64>,
    /// Messages that were relayed by grants since the start; with `--count-relays` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relays: Option<u64>,
    /// Some addresses from which many users log in and which never relay, as far as relays are counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crowds: Vec<IpAddr>,
    /// Publishes that succeeded.
    pub publishes: u64,
    /// Publishes that failed.
    pub failed_publishes: u64,
    /// When the last one succeeded.
    pub last_publish: Option<u64>,
    /// Whether the table holds what it should.
    pub published: bool,
    /// What the last failure said.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<u64>,
    /// The logs.
    pub sources: Vec<FollowedLog>,
    /// The other hosts, if this one shares grants with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// The control socket.
    pub control: Counts,
}

/// How it stands with the database between the hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Share {
    /// Who this host is there.
    pub name: String,
    /// Why it cannot be used, if so.
    pub error: Option<String>,
    /// Since when that is so, or it can be.
    pub since: u64,
    /// Grants that wait to be given.
    pub waiting: u64,
    /// Those that had no room there.
    pub lost: u64,
    /// Seconds since the others' grants were last known to be all here.
    pub behind: Option<u64>,
    /// What has come from the others.
    pub counters: Vec<Counter>,
}

/// A log that is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FollowedLog {
    /// What it is called.
    pub name: String,
    /// How far it has been read, in bytes, if it is a file that the daemon reads itself.
    pub offset: Option<u64>,
    /// Time of the last line read, as its stamp says.
    pub last_line: Option<u64>,
    /// Time of the last login that a matcher took, as the stamp of its line says.
    pub last_login: Option<u64>,
    /// What has been counted in it.
    pub counters: Vec<Counter>,
}

/// Something counted in a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counter {
    /// What: `lines`, `matched`.
    pub name: String,
    /// Of which kind, if it is counted by kinds: name and value, such as `matcher` and `dovecot`.
    pub label: Option<(String, String)>,
    /// How many since the daemon started.
    pub value: u64,
}

/// What has come in at the control socket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Requests that were answered.
    pub requests: u64,
    /// Requests that were none.
    pub bad: u64,
    /// Connections of users who may not ask.
    pub refused: u64,
    /// Connections that were given up because the client was too slow.
    pub dropped: u64,
}

/// What a command has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Changed {
    /// `revoke`, `grant`, `deny` or `allow`.
    pub command: String,
    /// The address or network.
    pub subject: String,
    /// Whether anything is different now.
    pub changed: bool,
    /// How many grants have ended by it.
    pub removed: u64,
    /// When the grant ends.
    pub expires: Option<u64>,
    /// Whether the table holds it already.
    pub published: bool,
    /// Why not.
    pub error: Option<String>,
    /// Why it will not survive a restart.
    pub unsaved: Option<String>,
}

/// Why a request failed, as [`Error`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Exit code.
    pub exit: u8,
    /// What cannot be done.
    pub action: String,
    /// Why.
    pub cause: String,
    /// What helps.
    pub cure: Option<String>,
}

/// The last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End {
    /// How many lines came between it and the greeting.
    pub lines: u64,
}

impl Failure {
    /// What has come in is not to be understood.
    pub(crate) fn no_request(cause: &str) -> Self {
        Self::usage("read the request", cause, r#"send one line, such as "list" or {"explain":"192.0.2.1"}"#)
    }

    pub(crate) fn usage(action: impl Into<String>, cause: &str, cure: &str) -> Self {
        Self { exit: Exit::Usage as u8, action: action.into(), cause: cause.to_owned(), cure: Some(cure.to_owned()) }
    }
}

impl From<Failure> for Error {
    /// Escapes what a stranger may have said: the operator whose text is no address, or a daemon whose user is taken over.
    fn from(failure: Failure) -> Self {
        let printable = |text: String| escape::printable(text.as_bytes()).to_string();
        let Failure { exit, action, cause, cure } = failure;
        let (action, cause, cure) = (printable(action), printable(cause), cure.map(printable));
        let exit =
            [Exit::Usage, Exit::CannotCreate, Exit::TemporaryFailure].into_iter().find(|known| *known as u8 == exit);
        let error = Self::new(exit.unwrap_or(Exit::System), action, cause);
        match cure {
            Some(cure) => error.cure(cure),
            None => error,
        }
    }
}

/// Anything of the above as a JSON object on one line, without the newline. Strangers' text in it moves no cursor.
pub(crate) fn json(value: &impl Serialize) -> String {
    // Cannot fail: there is no map in these types whose keys are no strings.
    escape::json_document(&serde_json::to_string(value).unwrap_or_default())
}

/// A stranger's bytes as a text; what is not UTF-8 becomes `\xNN`.
pub(crate) fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_failure_moves_no_cursor() {
        let hostile = || "\u{1b}[2J\n".to_owned();
        let failure = Failure { exit: 64, action: hostile(), cause: hostile(), cure: Some(hostile()) };
        let text = Error::from(failure).to_string();
        assert_eq!(text, r"cannot \u{1b}[2J\u{a}: \u{1b}[2J\u{a}; \u{1b}[2J\u{a}");
    }

    #[test]
    fn lines_come_back_and_are_safe_to_print() {
        let client = Client {
            address: "2001:db8::1".parse().unwrap(),
            user: Some(text(b"a\x1b[31m\"\xff\x9b\xe2\x80\xae\n")),
            matcher: Some("dovecot".to_owned()),
            since: Some(1),
            expires: None,
            relays: None,
            last_relay: None,
        };
        let line = Line::Client(client.clone());
        let written = json(&line);
        assert!(written.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{written}");
        assert_eq!(serde_json::from_str::<Line>(&written).unwrap(), line);
        assert!(written.starts_with(r#"{"client":{"address":"2001:db8::1","user":"a\u001b[31m\"\\xff\\x9b\u202e\n","#));
    }
}
