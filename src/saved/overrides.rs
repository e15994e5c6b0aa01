//! What the operator has decided against the log or without it, in `<map>.overrides`: denied networks, addresses whose
//! grants were revoked, and addresses that were granted by hand. It survives `clear`, a restart and kill -9.
//!
//! After a first line comes a line for each: `deny NETWORK`, `deny-everywhere NETWORK`, `revoke ADDRESS SECONDS` with the time when, or
//! `grant ADDRESS SECONDS SECONDS` with beginning and end; Unix seconds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ipnet::IpNet;
use pop_before_smtp_backends::replace::{Manner, replace};

use crate::ring::LONGEST;
use crate::saved::denied::{self, Denied};
use crate::saved::private_file;
use crate::saved::state::beside;
use crate::time::{unix_seconds, unix_seconds_up};

const FIRST_LINE: &str = "pop-before-smtp overrides 1";

/// Most addresses revoked, and most granted by hand, that are remembered.
pub(crate) const MOST: usize = 10_000;

/// Largest file that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// A grant by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByHand {
    /// When it was given; whole seconds.
    pub since: SystemTime,
    /// When it ends; whole seconds.
    pub expires: SystemTime,
}

/// The operator's decisions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Networks that get nothing.
    pub denied: Denied,
    /// Networks that are denied on all hosts that share their grants.
    pub everywhere: Denied,
    /// When an address was revoked.
    revoked: BTreeMap<IpAddr, SystemTime>,
    granted: BTreeMap<IpAddr, ByHand>,
}

/// The file of a map.
pub(crate) fn path(map: &Path) -> PathBuf {
    beside(map, ".overrides")
}

impl Overrides {
    /// Reads the file; nothing if there is none. It may belong to a daemon's user, if that is known.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or others could have written it.
    pub fn load(path: &Path, now: SystemTime, user: Option<u32>) -> io::Result<Self> {
        match private_file::open_trusted(path, user) {
            Ok(file) => read(file).map(|mut overrides| {
                overrides.forget(now);
                overrides
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes the file and forces it to the disk.
    ///
    /// # Errors
    /// It cannot be written; the one that was there stays.
    pub fn save(&self, path: &Path, owner: Option<(u32, u32)>) -> io::Result<()> {
        replace(path, Manner { mode: 0o600, owner, sync: true }, |file| self.write(file))
    }

    fn write(&self, file: &mut impl Write) -> io::Result<()> {
        writeln!(file, "{FIRST_LINE}")?;
        self.denied.iter().try_for_each(|network| writeln!(file, "deny {network}"))?;
        self.everywhere.iter().try_for_each(|network| writeln!(file, "deny-everywhere {network}"))?;
        for (address, when) in &self.revoked {
            writeln!(file, "revoke {address} {}", unix_seconds(*when))?;
        }
        for (address, ByHand { since, expires }) in &self.granted {
            writeln!(file, "grant {address} {} {}", unix_seconds(*since), unix_seconds_up(*expires))?;
        }
        Ok(())
    }

    /// Takes back what logins up to `now` have granted, and what was granted by hand.
    pub fn revoke(&mut self, address: IpAddr, now: SystemTime) {
        self.forget(now);
        if self.revoked.len() >= MOST
            && let Some(oldest) = self.revoked.iter().min_by_key(|(_, when)| **when).map(|(address, _)| *address)
        {
            self.revoked.remove(&oldest);
        }
        self.granted.remove(&address);
        self.revoked.insert(address, now);
    }

    /// Remembers a grant by hand; false if there are too many.
    pub fn grant(&mut self, address: IpAddr, grant: ByHand) -> bool {
        self.forget(grant.since);
        if self.granted.len() >= MOST && !self.granted.contains_key(&address) {
            return false;
        }
        // A revocation stays: logins before it count no more than they did.
        self.granted.insert(address, grant);
        true
    }

    /// Denies a network, which takes back what was granted by hand in it.
    pub fn deny(&mut self, network: IpNet) -> bool {
        self.granted.retain(|address, _| !network.contains(address));
        self.denied.add(network)
    }

    /// The smallest network that holds an address and is denied, here or on all hosts.
    pub fn find_denied(&self, address: IpAddr) -> Option<IpNet> {
        self.denied.find(address).or_else(|| self.everywhere.find(address))
    }

    /// The grant that an address was given by hand.
    pub fn granted(&self, address: IpAddr) -> Option<ByHand> {
        self.granted.get(&address).copied()
    }

    /// All grants by hand.
    pub fn all_granted(&self) -> impl Iterator<Item = (IpAddr, ByHand)> {
        self.granted.iter().map(|(address, grant)| (*address, *grant))
    }

    /// When an address was revoked.
    pub fn revoked(&self, address: IpAddr) -> Option<SystemTime> {
        self.revoked.get(&address).copied()
    }

    /// Whether a login of that time was revoked later. Log lines and tables tell whole seconds; within the second of the
    /// revocation the login counts as the earlier.
    pub fn is_revoked(&self, address: IpAddr, login: SystemTime) -> bool {
        self.revoked(address).is_some_and(|revoked| unix_seconds(login) <= unix_seconds(revoked))
    }

    /// Forgets that an address was revoked: it has logged in since. False if it was not.
    pub fn forget_revocation(&mut self, address: IpAddr) -> bool {
        self.revoked.remove(&address).is_some()
    }

    /// Forgets what makes no difference any more. No login of the longest grace ago grants anything.
    fn forget(&mut self, now: SystemTime) {
        self.revoked.retain(|_, when| now.duration_since(*when).is_ok_and(|ago| ago < LONGEST) || *when > now);
        self.granted.retain(|_, grant| grant.expires > now);
    }
}

fn read(file: File) -> io::Result<Overrides> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "not a file of overrides of this version");
    if file.metadata()?.len() > LARGEST {
        return Err(damaged());
    }
    let mut lines = BufReader::new(file.take(LARGEST)).lines();
    if lines.next().transpose()?.as_deref() != Some(FIRST_LINE) {
        return Err(damaged());
    }
    let mut overrides = Overrides::default();
    for line in lines {
        overrides.take(&line?).ok_or_else(damaged)?;
    }
    Ok(overrides)
}

impl Overrides {
    fn take(&mut self, line: &str) -> Option<()> {
        let fields: Vec<_> = line.split(' ').collect();
        match fields[..] {
            ["deny", network] => {
                self.denied.add(denied::parse(network)?);
            }
            ["deny-everywhere", network] => {
                self.everywhere.add(denied::parse(network)?);
            }
            ["revoke", address, when] => {
                self.revoked.insert(address.parse().ok()?, time(when)?);
            }
            ["grant", address, since, expires] => {
                self.granted.insert(address.parse().ok()?, ByHand { since: time(since)?, expires: time(expires)? });
            }
            _ => return None,
        }
        Some(())
    }
}

fn time(seconds: &str) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds.parse().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn at(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + second)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn some() -> Overrides {
        let mut overrides = Overrides::default();
        overrides.deny("192.0.2.0/24".parse().unwrap());
        overrides.deny("2001:db8::1/128".parse().unwrap());
        overrides.revoke(ip("198.51.100.1"), at(0));
        overrides.grant(ip("2001:db8::2"), ByHand { since: at(0), expires: at(3600) });
        overrides
    }

    #[test]
    fn what_was_decided_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map.overrides");
        assert_eq!(Overrides::load(&path, at(0), None).unwrap(), Overrides::default());
        some().save(&path, None).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Overrides::load(&path, at(1), None).unwrap(), some());
        let later = Overrides::load(&path, at(3600), None).unwrap();
        assert_eq!((later.granted(ip("2001:db8::2")), later.revoked(ip("198.51.100.1"))), (None, Some(at(0))));
        assert_eq!(Overrides::load(&path, at(8 * 24 * 3600), None).unwrap().revoked(ip("198.51.100.1")), None);
    }

    #[test]
    fn a_file_that_others_can_write_or_that_is_damaged_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map.overrides");
        some().save(&path, None).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o602)).unwrap();
        assert!(Overrides::load(&path, at(0), None).is_err());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for text in
            ["", "deny 192.0.2.1\n", "pop-before-smtp overrides 1\ndeny\n", "pop-before-smtp overrides 1\nallow all\n"]
        {
            fs::write(&path, text).unwrap();
            assert!(Overrides::load(&path, at(0), None).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_later_decision_takes_the_place_of_an_earlier_one() {
        let mut overrides = some();
        overrides.grant(ip("198.51.100.1"), ByHand { since: at(5), expires: at(60) });
        assert!(overrides.granted(ip("198.51.100.1")).is_some());
        assert!(overrides.is_revoked(ip("198.51.100.1"), at(0)), "a login before it counts no more than it did");
        overrides.revoke(ip("198.51.100.1"), at(7));
        assert_eq!(overrides.granted(ip("198.51.100.1")), None);
        assert!(overrides.is_revoked(ip("198.51.100.1"), at(7)));
        assert!(!overrides.is_revoked(ip("198.51.100.1"), at(8)));
        overrides.deny("2001:db8::/32".parse().unwrap());
        assert_eq!(overrides.granted(ip("2001:db8::2")), None);
    }
}
