//! The request line of the control socket: JSON -> command. Pure.

use std::net::IpAddr;
use std::num::NonZeroU64;

use ipnet::IpNet;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};

use super::wire::Failure;
use crate::saved::denied;

/// Longest request, its newline included.
pub(crate) const LONGEST: usize = 1024;

/// What is asked of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    /// All grants.
    List,
    /// Whether an address has one, and why.
    Explain(#[serde(deserialize_with = "canonical")] IpAddr),
    /// How the daemon is.
    Status,
    /// End a grant.
    Revoke(#[serde(deserialize_with = "canonical")] IpAddr),
    /// Give one, of this length or of a grace.
    Grant {
        #[serde(deserialize_with = "canonical")]
        address: IpAddr,
        seconds: Option<NonZeroU64>,
    },
    /// Grant nothing in a network.
    Deny(#[serde(with = "cidr")] IpNet),
    /// Deny it no longer.
    Allow(#[serde(with = "cidr")] IpNet),
    /// All denied networks.
    Denied,
}

impl Request {
    /// Reads a line without its newline.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, Failure> {
        serde_json::from_slice(line).map_err(|error| Failure::no_request(&error.to_string()))
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

fn canonical<'de, D: Deserializer<'de>>(from: D) -> Result<IpAddr, D::Error> {
    IpAddr::deserialize(from).map(|address| address.to_canonical())
}

/// A network as the operator may write it, too: a single address, or with bits that do not belong to it.
mod cidr {
    use super::*;

    pub(super) fn serialize<S: Serializer>(network: &IpNet, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(network)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<IpNet, D::Error> {
        denied::parse(&String::deserialize(from)?).ok_or_else(|| D::Error::custom("not a network"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::control::wire::json;

    #[test]
    fn requests_come_back() {
        let (address, network) = ("192.0.2.1".parse().unwrap(), "2001:db8::/32".parse().unwrap());
        for (request, line) in [
            (Request::List, r#""list""#),
            (Request::Status, r#""status""#),
            (Request::Denied, r#""denied""#),
            (Request::Explain(address), r#"{"explain":"192.0.2.1"}"#),
            (Request::Revoke(address), r#"{"revoke":"192.0.2.1"}"#),
            (Request::Grant { address, seconds: None }, r#"{"grant":{"address":"192.0.2.1","seconds":null}}"#),
            (
                Request::Grant { address, seconds: NonZeroU64::new(60) },
                r#"{"grant":{"address":"192.0.2.1","seconds":60}}"#,
            ),
            (Request::Deny(network), r#"{"deny":"2001:db8::/32"}"#),
            (Request::Allow(network), r#"{"allow":"2001:db8::/32"}"#),
        ] {
            assert_eq!(json(&request), line);
            assert_eq!(Request::parse(line.as_bytes()), Ok(request));
        }
        let read = |line: &str| Request::parse(line.as_bytes());
        assert_eq!(read("{\"revoke\": \"::ffff:192.0.2.1\"}\r"), Ok(Request::Revoke(address)));
        assert_eq!(read(r#"{"grant":{"address":"192.0.2.1"}}"#), Ok(Request::Grant { address, seconds: None }));
        assert_eq!(read(r#"{"deny":"192.0.2.1"}"#), Ok(Request::Deny("192.0.2.1/32".parse().unwrap())));
        for line in [
            "",
            "list",
            r#""list" all"#,
            r#""LIST""#,
            r#""explain""#,
            r#"{"explain":"host"}"#,
            r#"{"explain":"192.0.2.1","list":null}"#,
            r#"{"grant":{"address":"192.0.2.1","seconds":0}}"#,
            r#"{"grant":{"address":"192.0.2.1","seconds":-1}}"#,
            r#"{"grant":{"address":"192.0.2.1","second":60}}"#,
            r#"{"deny":"0.0.0.0/33"}"#,
        ] {
            assert!(read(line).is_err(), "{line:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_answered(line in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Err(failure) = Request::parse(&line) {
                prop_assert!(!failure.cause.is_empty());
            }
        }
    }
}
