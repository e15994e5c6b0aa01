//! A stand-in for the daemon's ring, driven by chance: the same run every time.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use pop_before_smtp_backends::Client;

/// A seeded xorshift generator: the same run every time.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// One of sixty addresses, half of them IPv6.
pub fn address(number: u64) -> IpAddr {
    let low = (number % 30) as u16;
    match number / 30 {
        0 => Ipv4Addr::new(192, 0, 2, low as u8 + 1).into(),
        _ => Ipv6Addr::new(0x2001, 0xdb8, low % 3, 0, 0, low % 2, 0, low + 1).into(),
    }
}

pub fn all_addresses() -> Vec<IpAddr> {
    (0..60).map(address).collect()
}

/// Some time after now, with a fraction of a second.
pub fn later(seconds: u64) -> SystemTime {
    SystemTime::now() + Duration::from_secs(3600 + seconds)
}

pub fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    since.as_secs() + u64::from(since.subsec_nanos() > 0)
}

/// What the daemon's ring knows, and how it makes an update from it.
#[derive(Default)]
pub struct Ring {
    pub clients: BTreeMap<IpAddr, SystemTime>,
}

impl Ring {
    pub fn turn(&mut self, random: &mut Random) -> (Vec<Client>, Vec<Client>, Vec<IpAddr>) {
        let mut touched = BTreeMap::new();
        for _ in 0..random.below(12) {
            touched.insert(address(random.below(60)), random.below(3));
        }
        let (mut added, mut extended, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        for (address, what) in touched {
            let expires = later(random.below(5000));
            match (self.clients.contains_key(&address), what) {
                (true, 0) => {
                    self.clients.remove(&address);
                    removed.push(address);
                    continue;
                }
                (true, _) => extended.push(Client { address, expires }),
                (false, _) => added.push(Client { address, expires }),
            }
            self.clients.insert(address, expires);
        }
        (added, extended, removed)
    }

    pub fn all(&self) -> Vec<Client> {
        self.clients.iter().map(|(&address, &expires)| Client { address, expires }).collect()
    }
}
