//! The lines of the state file that tell of the users behind addresses.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use crate::ring::users_per_address::{Key, Sighting, UsersPerAddress};
use crate::time::{Now, unix_seconds};

/// What is hashed to see whether names still come to the same hashes.
const CHECKED: &[u8] = b"pop-before-smtp";

/// The users behind addresses.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Users {
    key: Option<Key>,
    sightings: Vec<Sighting>,
}

impl Users {
    /// What a guard can take over: the key of the hashes, and the newest login of each user from each address.
    pub fn known(&self) -> Option<(Key, &[Sighting])> {
        Some((self.key?, &self.sightings))
    }

    /// Takes a line; nothing if it is none.
    pub(super) fn read(&mut self, line: &str, now: &Now) -> Option<()> {
        let fields: Vec<_> = line.split(' ').collect();
        match fields[..] {
            ["@users", one, other, check] => {
                let key = Key([number(one)?, number(other)?]);
                // Rust may change how it hashes. Then each name would count as a further one.
                self.key = (number(check)? == key.hash(CHECKED)).then_some(key);
            }
            ["@user", address, at, user] => {
                let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(at.parse().ok()?))?;
                let (address, user) = (address.parse().ok()?, number(user)?);
                self.sightings.push(Sighting { address, user, at: now.back_to(at).boot });
            }
            _ => return None,
        }
        Some(())
    }
}

fn number(hexadecimal: &str) -> Option<u64> {
    u64::from_str_radix(hexadecimal, 16).ok()
}

pub(super) fn write(file: &mut impl Write, now: &Now, guard: &UsersPerAddress) -> io::Result<()> {
    let key = guard.key();
    writeln!(file, "@users {:x} {:x} {:x}", key.0[0], key.0[1], key.hash(CHECKED))?;
    guard.sightings().try_for_each(|Sighting { address, user, at }| {
        writeln!(file, "@user {address} {} {user:x}", unix_seconds(now.wall_at(at)))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::num::NonZeroUsize;

    use super::*;
    use crate::time::Timestamp;

    const GRACE: Duration = Duration::from_secs(100);

    fn now(seconds: u64) -> Now {
        Now {
            boot: Timestamp::from_boot(Duration::from_secs(1000 + seconds)),
            wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds),
        }
    }

    fn guard() -> UsersPerAddress {
        UsersPerAddress::new(NonZeroUsize::new(3).unwrap(), NonZeroUsize::new(10).unwrap())
    }

    fn read(text: &str, at: &Now) -> Option<Users> {
        let mut users = Users::default();
        text.lines().try_for_each(|line| users.read(line, at))?;
        Some(users)
    }

    /// The lines of a guard that knows two users of one address, as written at second 50.
    fn written() -> String {
        let mut guard = guard();
        for (second, user) in [(0, "a"), (30, "b")] {
            let at = now(second).boot;
            guard.login(at, GRACE, at, "192.0.2.1".parse().unwrap(), user.as_bytes());
        }
        let mut text = Vec::new();
        write(&mut text, &now(50), &guard).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn who_was_there_is_counted_on() {
        let users = read(&written(), &now(60)).unwrap();
        let (key, sightings) = users.known().unwrap();
        let mut guard = guard();
        guard.take_over(now(60).boot, GRACE, key, sightings);
        let address = "192.0.2.1".parse().unwrap();
        let mut count = |second: u64, user: &str| {
            guard.login(now(second).boot, GRACE, now(second).boot, address, user.as_bytes());
            guard.users(now(second).boot, GRACE, address)
        };
        assert_eq!(count(60, "a"), 2, "known by the same hash");
        assert_eq!(count(70, "c"), 3);
        assert_eq!(count(131, "c"), 2, "b's time has passed");
    }

    #[test]
    fn hashes_of_another_kind_count_for_nothing() {
        let text = written();
        let first = text.lines().next().unwrap();
        let other = text.replace(first, "@users 1 2 3");
        assert_eq!(read(&other, &now(60)).unwrap().known(), None);
        for damaged in ["@users 1 2", "@user 192.0.2.1 5", "@user x 5 5", "@user 192.0.2.1 5 g", "@usera"] {
            assert_eq!(read(damaged, &now(60)), None, "{damaged}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_count_longer() {
        let users = read(&written(), &Now { wall: now(0).wall - GRACE * 9, ..now(60) }).unwrap();
        let (key, sightings) = users.known().unwrap();
        let mut guard = guard();
        guard.take_over(now(60).boot, GRACE, key, sightings);
        assert_eq!(guard.users(now(159).boot, GRACE, "192.0.2.1".parse().unwrap()), 2);
        assert_eq!(guard.users(now(160).boot, GRACE, "192.0.2.1".parse().unwrap()), 0);
    }
}
