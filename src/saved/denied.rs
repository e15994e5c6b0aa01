//! Networks that the operator has denied: no login grants them anything. Pure.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// Most networks denied at once. Each change writes all of them to the disk, while the daemon waits.
pub(crate) const MOST: usize = 100_000;

/// Denied networks, found by address in a few steps however many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Denied {
    networks: BTreeSet<IpNet>,
    /// Lengths of the prefixes that occur, with their number, for IPv4 and IPv6.
    lengths: [Lengths; 2],
}

type Lengths = std::collections::BTreeMap<u8, usize>;

impl Denied {
    /// Denies a network; false if it was denied before.
    pub fn add(&mut self, network: IpNet) -> bool {
        let is_new = self.networks.insert(network);
        if is_new {
            *self.lengths[family(network.addr())].entry(network.prefix_len()).or_default() += 1;
        }
        is_new
    }

    /// Denies a network no longer; false if it was not denied.
    pub fn remove(&mut self, network: IpNet) -> bool {
        let was_there = self.networks.remove(&network);
        let lengths = &mut self.lengths[family(network.addr())];
        if was_there && let Some(count) = lengths.get_mut(&network.prefix_len()) {
            *count -= 1;
            if *count == 0 {
                lengths.remove(&network.prefix_len());
            }
        }
        was_there
    }

    /// The smallest denied network that holds an address.
    pub fn find(&self, address: IpAddr) -> Option<IpNet> {
        let holds = |length: &u8| {
            let network = IpNet::new(address, *length).ok()?.trunc();
            self.networks.contains(&network).then_some(network)
        };
        self.lengths[family(address)].keys().rev().find_map(holds)
    }

    /// Number of networks.
    pub fn len(&self) -> usize {
        self.networks.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// All networks, in order of their addresses.
    pub fn iter(&self) -> impl Iterator<Item = IpNet> {
        self.networks.iter().copied()
    }

    /// The first networks behind this one, in the same order.
    pub fn behind(&self, network: Option<IpNet>) -> impl Iterator<Item = IpNet> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.networks.range((network.map_or(Unbounded, Excluded), Unbounded)).copied()
    }
}

fn family(address: IpAddr) -> usize {
    usize::from(address.is_ipv6())
}

/// Reads an address or a network, without the bits that do not belong to it. IPv4-mapped IPv6 becomes IPv4, as in the table.
pub(crate) fn parse(text: &str) -> Option<IpNet> {
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    let (address, length) = (network.addr().to_canonical(), network.prefix_len());
    match address {
        // Up to 96 bits stand in front of the IPv4 address; a shorter prefix holds more than IPv4.
        IpAddr::V4(address) if network.addr().is_ipv6() && length >= 96 => {
            Ipv4Net::new(address, length - 96).ok().map(|network| IpNet::V4(network.trunc()))
        }
        _ => Some(network.trunc()),
    }
}

/// As [`parse`] reads it; a single address without its prefix length.
pub(crate) fn display(network: IpNet) -> String {
    if network.prefix_len() == network.max_prefix_len() { network.addr().to_string() } else { network.to_string() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_and_networks_are_read_as_the_table_has_them() {
        let read = |text| parse(text).map(display);
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.77/24", "192.0.2.0/24"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1/120", "192.0.2.0/24"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("2001:DB8::1", "2001:db8::1"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "192.0.2", "192.0.2.0/33", "fe80::1%eth0", "mail.example.net", "192.0.2.1 "] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    /// Few bits, so that networks often hold addresses.
    fn networks() -> impl Strategy<Value = IpNet> {
        let v4 = (0..16u32, 24..=32u8).prop_map(|(bits, length)| (IpAddr::from(Ipv4Addr::from_bits(bits)), length));
        let v6 = (0..16u128, 120..=128u8).prop_map(|(bits, length)| (IpAddr::from(Ipv6Addr::from_bits(bits)), length));
        prop_oneof![v4, v6].prop_map(|(address, length)| IpNet::new(address, length).unwrap().trunc())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn finds_what_a_search_through_all_of_them_finds(steps in proptest::collection::vec((networks(), any::<bool>()), 0..40)) {
            let mut denied = Denied::default();
            let mut model: Vec<IpNet> = Vec::new();
            for (network, add) in steps {
                let known = model.contains(&network);
                if add {
                    prop_assert_eq!(denied.add(network), !known);
                    model.push(network);
                } else {
                    prop_assert_eq!(denied.remove(network), known);
                    model.retain(|other| *other != network);
                }
                model.sort();
                model.dedup();
                prop_assert_eq!(denied.iter().collect::<Vec<_>>(), model.clone());
                for bits in 0..32u8 {
                    for address in [IpAddr::from(Ipv4Addr::from_bits(bits.into())), Ipv6Addr::from_bits(bits.into()).into()] {
                        let holding = model.iter().filter(|network| network.contains(&address));
                        prop_assert_eq!(denied.find(address), holding.max_by_key(|network| network.prefix_len()).copied());
                    }
                }
            }
        }
    }
}
