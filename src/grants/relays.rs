//! How often addresses relay by their grants, with `--count-relays`. Changes no grant.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::SystemTime;

use super::{CountRelays, Grants};
use crate::bounded::Bounded;
use crate::output::escape::short;
use crate::time::{Now, unix_seconds};

/// In how many minutes relays count together, and how long nothing more is said of an address then.
const HOUR: u64 = 60;

/// The relays of each address.
pub(super) struct Relays {
    addresses: Bounded<IpAddr, Count>,
    total: u64,
    how: CountRelays,
}

#[derive(Debug, Default)]
struct Count {
    number: u64,
    last: Option<SystemTime>,
    /// The minutes of the last hour in which there were any.
    minutes: VecDeque<(u64, u32)>,
    warned: Option<u64>,
}

impl Count {
    /// How many there were within the last hour, this one included.
    fn add(&mut self, at: SystemTime) -> u32 {
        let minute = unix_seconds(at) / 60;
        self.number += 1;
        self.last = Some(at);
        while self.minutes.front().is_some_and(|(old, _)| old + HOUR <= minute) {
            self.minutes.pop_front();
        }
        match self.minutes.back_mut() {
            Some((newest, count)) if *newest >= minute => *count += 1,
            _ => self.minutes.push_back((minute, 1)),
        }
        self.minutes.iter().map(|(_, count)| count).sum()
    }
}

impl Grants {
    /// From now on relays are counted so, or no longer.
    pub(super) fn set_relays(&mut self, how: Option<CountRelays>) {
        let known = self.relays.take();
        self.relays = how.map(|how| match known {
            Some(relays) => Relays { how, ..relays },
            None => Relays { addresses: Bounded::new(self.ring.capacity()), total: 0, how },
        });
    }

    /// How relays are counted, if they are.
    pub(crate) fn counts_relays(&self) -> Option<&CountRelays> {
        self.relays.as_ref().map(|relays| &relays.how)
    }

    /// A message has left the host that an address handed in while it had a grant.
    pub(crate) fn relayed(&mut self, now: &Now, address: IpAddr) {
        let Some(relays) = &mut self.relays else { return };
        relays.total += 1;
        let count = relays.addresses.entry(address);
        let within_an_hour = count.add(now.wall);
        let minute = unix_seconds(now.wall) / 60;
        let is_told = count.warned.is_some_and(|warned| minute < warned + HOUR);
        if relays.how.most == 0 || within_an_hour <= relays.how.most || is_told {
            return;
        }
        count.warned = Some(minute);
        let user =
            self.ring.last_login(address).map(|record| format!(" (user {})", short(record.user))).unwrap_or_default();
        log::warn!(
            "{address}{user} has relayed {within_an_hour} messages by its grant within an hour, --relay-warning is {}; \
             'pop-before-smtp deny {address}' ends it",
            relays.how.most
        );
    }

    /// How many messages an address has relayed since it was first counted, and when the last; with `--count-relays` alone.
    pub(super) fn relays_of(&self, address: IpAddr) -> Option<(u64, Option<SystemTime>)> {
        let count = self.relays.as_ref()?.addresses.get(&address);
        Some(count.map_or((0, None), |count| (count.number, count.last)))
    }

    /// How many messages have been relayed by grants.
    pub(crate) fn relays(&self) -> Option<u64> {
        self.relays.as_ref().map(|relays| relays.total)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_older_than_an_hour_does_not_count() {
        let mut count = Count::default();
        let mut at = |minute: u64| count.add(SystemTime::UNIX_EPOCH + Duration::from_secs(minute * 60 + 7));
        assert_eq!([0, 0, 1, 59, 60, 60, 61, 200].map(&mut at), [1, 2, 3, 4, 3, 4, 4, 1]);
        assert_eq!(at(190), 2, "a clock that was set back");
        assert!(count.minutes.len() == 1 && count.number == 9);
    }
}
