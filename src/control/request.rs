//! The request line of the control socket: text -> command. Pure.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::wire::Failure;
use crate::saved::denied;

/// Longest request, its newline included.
pub(crate) const LONGEST: usize = 1024;

/// What is asked of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// All grants.
    List,
    /// Whether an address has one, and why.
    Explain(IpAddr),
    /// How the daemon is.
    Status,
    /// End a grant.
    Revoke(IpAddr),
    /// Give one, of this length or of a grace.
    Grant(IpAddr, Option<Duration>),
    /// Grant nothing in a network.
    Deny(IpNet),
    /// Deny it no longer.
    Allow(IpNet),
    /// All denied networks.
    Denied,
}

impl Request {
    /// Reads a line without its newline.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, Failure> {
        let refuse = |cause| Err(Failure::usage("read the request", cause, "send a command and its words on one line"));
        let Ok(line) = std::str::from_utf8(line) else { return refuse("it is not UTF-8") };
        let words: Vec<_> = line.trim_end_matches('\r').split(' ').collect();
        match words[..] {
            ["list"] => Ok(Self::List),
            ["status"] => Ok(Self::Status),
            ["denied"] => Ok(Self::Denied),
            ["explain", text] => address("explain", text).map(Self::Explain),
            ["revoke", text] => address("revoke", text).map(Self::Revoke),
            ["grant", text] => Ok(Self::Grant(address("grant", text)?, None)),
            ["grant", text, seconds] => match seconds.parse() {
                Ok(seconds) if seconds > 0 => {
                    Ok(Self::Grant(address("grant", text)?, Some(Duration::from_secs(seconds))))
                }
                _ => refuse("the length of a grant is no number of seconds"),
            },
            ["deny", text] => network("deny", text).map(Self::Deny),
            ["allow", text] => network("allow", text).map(Self::Allow),
            _ => refuse("there is no such command"),
        }
    }

    /// The line without its newline.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::List => "list".to_owned(),
            Self::Status => "status".to_owned(),
            Self::Denied => "denied".to_owned(),
            Self::Explain(address) => format!("explain {address}"),
            Self::Revoke(address) => format!("revoke {address}"),
            Self::Grant(address, None) => format!("grant {address}"),
            Self::Grant(address, Some(length)) => format!("grant {address} {}", length.as_secs()),
            Self::Deny(network) => format!("deny {network}"),
            Self::Allow(network) => format!("allow {network}"),
        }
    }
}

/// Reads an address as the table has it: IPv4-mapped IPv6 becomes IPv4.
///
/// # Errors
/// It is none; the command is named in the message.
pub(crate) fn address(command: &str, text: &str) -> Result<IpAddr, Failure> {
    text.parse::<IpAddr>().map(|address| address.to_canonical()).map_err(|_| {
        let action = format!("{command} {text}");
        Failure::usage(action, "not an address", "write it like 192.0.2.1 or 2001:db8::1")
    })
}

/// Reads a network or an address.
///
/// # Errors
/// It is none; the command is named in the message.
pub(crate) fn network(command: &str, text: &str) -> Result<IpNet, Failure> {
    denied::parse(text).ok_or_else(|| {
        let action = format!("{command} {text}");
        Failure::usage(action, "not a network", "write it like 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn requests_come_back() {
        let (address, network) = ("192.0.2.1".parse().unwrap(), "2001:db8::/32".parse().unwrap());
        for request in [
            Request::List,
            Request::Status,
            Request::Denied,
            Request::Explain(address),
            Request::Revoke(address),
            Request::Grant(address, None),
            Request::Grant(address, Some(Duration::from_secs(60))),
            Request::Deny(network),
            Request::Allow(network),
        ] {
            assert_eq!(Request::parse(request.line().as_bytes()), Ok(request));
        }
        assert_eq!(Request::parse(b"revoke ::ffff:192.0.2.1"), Ok(Request::Revoke(address)));
        for line in [
            "",
            "list ",
            "list all",
            "LIST",
            "explain",
            "explain host",
            "grant 192.0.2.1 0",
            "grant 192.0.2.1 -1",
            "deny",
        ] {
            assert!(Request::parse(line.as_bytes()).is_err(), "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(line in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Err(failure) = Request::parse(&line) {
                prop_assert!(!failure.cause.is_empty());
            }
        }
    }
}
