//! How much of the internet a list of networks lets in, where the first that holds an address decides. Pure.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// First and last of some addresses, as numbers.
type Range = (u128, u128);

/// What of IPv4 is given to hosts, but for the private networks in it: 1.0.0.0 to 223.255.255.255.
const INTERNET4: Range = (1 << 24, (224 << 24) - 1);

/// The same of IPv6: 2000::/3.
const INTERNET6: Range = (1 << 125, (1 << 126) - 1);

/// How much is let in, by IPv4 or by IPv6, whichever is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Networks that somebody may have.
    Some,
    /// A quarter of the internet, or more.
    Much,
    /// Nearly everything.
    Whole,
}

/// What these networks let in; with each comes whether it permits.
pub(super) fn reach(decisions: impl Iterator<Item = (bool, IpNet)>) -> Reach {
    let mut families = [Family::new(INTERNET4), Family::new(INTERNET6)];
    for (permits, network) in decisions {
        match network {
            IpNet::V4(net) => families[0].add(permits, (number4(net.network()), number4(net.broadcast()))),
            IpNet::V6(net) => families[1].add(permits, (number6(net.network()), number6(net.broadcast()))),
        }
    }
    families.iter().map(Family::reach).max().unwrap_or(Reach::Some)
}

fn number4(address: Ipv4Addr) -> u128 {
    address.to_bits().into()
}

fn number6(address: Ipv6Addr) -> u128 {
    address.to_bits()
}

/// The addresses of one family.
struct Family {
    all: Range,
    /// Those of which is decided: last by first. Networks lie one in the other or apart, so these lie apart.
    decided: BTreeMap<u128, u128>,
    permitted: u128,
}

impl Family {
    fn new(all: Range) -> Self {
        Self { all, decided: BTreeMap::new(), permitted: 0 }
    }

    fn add(&mut self, permits: bool, (first, last): Range) {
        let (first, last) = (first.max(self.all.0), last.min(self.all.1));
        let is_known = self.decided.range(..=first).next_back().is_some_and(|(_, known)| *known >= last);
        if first > last || is_known {
            return;
        }
        let within: Vec<_> = self.decided.range(first..=last).map(|(first, last)| (*first, *last)).collect();
        for (first, _) in &within {
            self.decided.remove(first);
        }
        self.decided.insert(first, last);
        if permits {
            self.permitted += size((first, last)) - within.into_iter().map(size).sum::<u128>();
        }
    }

    fn reach(&self) -> Reach {
        let all = size(self.all);
        match self.permitted {
            permitted if permitted >= all / 16 * 15 => Reach::Whole,
            permitted if permitted >= all / 4 => Reach::Much,
            _ => Reach::Some,
        }
    }
}

fn size((first, last): Range) -> u128 {
    last - first + 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn reached(text: &str) -> Reach {
        reach(text.split(' ').map(|item| (!item.starts_with('!'), item.trim_start_matches('!').parse().unwrap())))
    }

    #[test]
    fn a_whole_is_seen_in_its_parts() {
        for whole in [
            "0.0.0.0/0",
            "::/0",
            "0.0.0.0/1 128.0.0.0/1",
            "::/1 8000::/1",
            "127.0.0.0/8 0.0.0.0/2 64.0.0.0/2 128.0.0.0/2 192.0.0.0/3",
            "10.0.0.0/8 2000::/4 3000::/4",
            "!127.0.0.0/8 !10.0.0.0/8 0.0.0.0/0",
        ] {
            assert_eq!(reached(whole), Reach::Whole, "{whole}");
        }
        let slices: Vec<_> = (0..256).map(|n| format!("{n}.0.0.0/8")).collect();
        assert_eq!(reached(&slices.join(" ")), Reach::Whole);
        for much in ["128.0.0.0/1", "64.0.0.0/3 96.0.0.0/3", "2000::/4", "!0.0.0.0/1 0.0.0.0/0"] {
            assert_eq!(reached(much), Reach::Much, "{much}");
        }
    }

    #[test]
    fn what_is_decided_before_counts() {
        for less in [
            "127.0.0.0/8 ::1/128",
            "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fd00::/8 fe80::/10",
            "32.0.0.0/3 32.0.0.0/3 33.2.3.0/24",
            "!0.0.0.0/0 0.0.0.0/1 128.0.0.0/1",
            "!0.0.0.0/1 !128.0.0.0/2 0.0.0.0/0",
            "!::/0 ::/1 8000::/1",
        ] {
            assert_eq!(reached(less), Reach::Some, "{less}");
        }
    }
}
