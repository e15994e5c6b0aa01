//! Addresses that are never published. Pure.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

/// Why an address is not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Loopback, unspecified, multicast or broadcast: no mail client connects from there.
    NotAClient,
    /// It lies in one of `--skip-networks`.
    Skipped(IpNet),
}

/// The networks of `--skip-networks`, and the addresses that are refused whatever it says.
#[derive(Debug, Clone, Default)]
pub struct Networks {
    skipped: Vec<IpNet>,
}

impl Networks {
    /// Refuses the addresses in `skipped` besides those that are always refused.
    pub fn new(skipped: Vec<IpNet>) -> Self {
        Self { skipped }
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
        self.skipped.iter().copied().find(|network| network.contains(&address)).map(Refusal::Skipped)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn refuses_what_is_no_client_and_what_is_skipped() {
        let networks = Networks::new(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()]);
        let refuse = |text: &str| networks.refuse(text.parse().unwrap());
        for address in ["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"] {
            assert_eq!(refuse(address), Some(Refusal::NotAClient), "{address}");
        }
        assert!(matches!(refuse("10.1.2.3"), Some(Refusal::Skipped(_))));
        assert!(matches!(refuse("2001:db8::1"), Some(Refusal::Skipped(_))));
        assert_eq!(refuse("192.0.2.1"), None);
        assert_eq!(refuse("2001:db9::1"), None);
    }
}
