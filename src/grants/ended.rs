//! The addresses that have lost their grants lately, and why, for `explain`. Pure.

use std::net::IpAddr;

use crate::ordered_map::OrderedMap;
use crate::ring::Reason;
use crate::time::Timestamp;

/// How many are remembered.
const CAPACITY: usize = 1024;

/// Why an address has no grant any more, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// What ended the grant.
    pub reason: Reason,
    /// When.
    pub at: Timestamp,
}

/// The departures of the addresses that left last.
#[derive(Debug, Default)]
pub(crate) struct Departed {
    departures: OrderedMap<IpAddr, Departure>,
}

impl Departed {
    /// Remembers one; the oldest is forgotten if they are too many.
    pub(crate) fn add(&mut self, address: IpAddr, departure: Departure) {
        if self.departures.len() >= CAPACITY && self.departures.get(&address).is_none() {
            self.departures.remove_oldest();
        }
        self.departures.put(address, departure);
    }

    /// Why an address has lost its grant, if that is remembered.
    pub(crate) fn get(&self, address: IpAddr) -> Option<Departure> {
        self.departures.get(&address)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_last_ones_are_remembered() {
        let mut departed = Departed::default();
        let departure =
            |second| Departure { reason: Reason::Expired, at: Timestamp::from_boot(Duration::from_secs(second)) };
        let address = |number: usize| IpAddr::V4(Ipv4Addr::from_bits(number as u32));
        for number in 0..=CAPACITY {
            departed.add(address(number), departure(number as u64));
        }
        assert_eq!(departed.get(address(0)), None);
        assert_eq!(departed.get(address(1)), Some(departure(1)));
        assert_eq!(departed.get(address(CAPACITY)), Some(departure(CAPACITY as u64)));
        departed.add(address(1), departure(9));
        assert_eq!(departed.get(address(1)), Some(departure(9)));
        assert_eq!(departed.get(address(2)), Some(departure(2)), "nobody had to go for one who is known");
    }
}
