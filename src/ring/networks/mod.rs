//! Addresses that are never published. Pure.

mod cidr_table;
mod patterns;
mod reach;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

pub use self::patterns::{Patterns, Skipped};
pub use self::reach::Reach;

/// Why an address is not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Loopback, unspecified, multicast or broadcast: no mail client connects from there.
    NotAClient,
    /// It lies in one of `--skip-networks`.
    Skipped(IpNet),
    /// It lies in Postfix's `mynetworks`, and so relays without us (`--skip-mynetworks`).
    Permitted(IpNet),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAClient => f.write_str(
                "loopback, unspecified, multicast and broadcast addresses are never granted: no client has them",
            ),
            Self::Skipped(network) => write!(f, "it lies in {network} of --skip-networks"),
            Self::Permitted(network) => {
                write!(f, "it lies in {network} of Postfix's mynetworks, which may relay anyway (--skip-mynetworks)")
            }
        }
    }
}

/// The networks of `--skip-networks` and of `mynetworks`, and the addresses that are refused whatever they say.
#[derive(Debug, Clone, Default)]
pub struct Networks {
    skipped: Vec<IpNet>,
    mynetworks: Option<Patterns>,
}

impl Networks {
    /// Refuses the addresses in `skipped` besides those that are always refused.
    pub fn new(skipped: Vec<IpNet>) -> Self {
        Self { skipped, mynetworks: None }
    }

    /// Refuses besides what Postfix permits anyway.
    #[must_use]
    pub fn without(self, mynetworks: Patterns) -> Self {
        Self { mynetworks: Some(mynetworks), ..self }
    }

    /// What of Postfix's `mynetworks` is not published; `None` without `--skip-mynetworks`.
    pub fn mynetworks(&self) -> Option<&Patterns> {
        self.mynetworks.as_ref()
    }

    /// Why `address` must not be published; `None` if it may.
    pub fn refuse(&self, address: IpAddr) -> Option<Refusal> {
        if address.is_loopback()
            || address.is_unspecified()
            || address.is_multicast()
            || address == IpAddr::V4(Ipv4Addr::BROADCAST)
        {
            return Some(Refusal::NotAClient);
        }
        let skipped = self.skipped.iter().copied().find(|network| network.contains(&address));
        let permitted = || self.mynetworks.as_ref().and_then(|patterns| patterns.permits(address));
        skipped.map(Refusal::Skipped).or_else(|| permitted().map(Refusal::Permitted))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn refuses_what_is_no_client_and_what_is_skipped() {
        let networks = Networks::new(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()]);
        let networks = networks.without(Patterns::parse("!203.0.113.1 203.0.113.0/24", &|_| Err(String::new())));
        let refuse = |text: &str| networks.refuse(text.parse().unwrap());
        for address in ["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"] {
            assert_eq!(refuse(address), Some(Refusal::NotAClient), "{address}");
        }
        assert!(matches!(refuse("10.1.2.3"), Some(Refusal::Skipped(_))));
        assert!(matches!(refuse("2001:db8::1"), Some(Refusal::Skipped(_))));
        assert!(matches!(refuse("203.0.113.2"), Some(Refusal::Permitted(_))));
        assert_eq!(refuse("203.0.113.1"), None);
        assert_eq!(refuse("192.0.2.1"), None);
        assert_eq!(refuse("2001:db9::1"), None);
    }
}
