//! Reads what the daemon itself logged of grants that no login in the logs shows: by hand, of other hosts, held. Pure.
//!
//! Formats: `src/grants/messages.rs`, `src/grants/mod.rs` (`expired`), `src/control/answers.rs` (`by hand`).

use std::net::IpAddr;

use ipnet::IpNet;

use crate::bounded::Bounded;

/// The daemon's name in a log.
pub(crate) const PROGRAM: &[u8] = b"pop-before-smtp";

/// Most grants that are remembered, and most networks that are denied.
const MOST: usize = 10_000;
const MOST_DENIED: usize = 1_000;

/// A grant of which no end is told is believed for no longer, in seconds.
const LONGEST: u64 = crate::ring::LONGEST.as_secs();

/// Why an address had a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Why {
    /// A login, which the logs do not show or which the daemon held for longer.
    #[default]
    Login,
    /// An operator gave it.
    Hand,
    /// Another host shared it.
    OtherHost,
}

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Granted(IpAddr, Why),
    Expired(IpAddr),
    Revoked(IpAddr),
    Denied(IpNet),
    Allowed(IpNet),
}

/// Reads a message of the daemon.
pub(crate) fn read(message: &[u8]) -> Option<Told> {
    let (verb, rest) = word(message)?;
    match verb {
        b"granted" => {
            let (address, rest) = word(rest)?;
            let (_, rest) = word(rest.strip_prefix(b"until ")?)?;
            // Of an own login the matcher stands here, and a comma behind it.
            let why = if rest.starts_with(b"user ") { Why::OtherHost } else { Why::Login };
            Some(Told::Granted(parse(address)?, why))
        }
        b"expired" => Some(Told::Expired(parse(rest)?)),
        b"grant" | b"revoke" | b"deny" | b"allow" => {
            let (subject, rest) = rest.split_at(memchr::memchr(b',', rest)?);
            rest.strip_prefix(b", by hand of ")?;
            Some(match verb {
                b"grant" => Told::Granted(parse(subject)?, Why::Hand),
                b"revoke" => Told::Revoked(parse(subject)?),
                b"deny" => Told::Denied(network(subject)?),
                _ => Told::Allowed(network(subject)?),
            })
        }
        _ => None,
    }
}

fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b' ', text)?;
    Some((&text[..end], &text[end + 1..]))
}

fn parse<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A network, or an address alone.
fn network(text: &[u8]) -> Option<IpNet> {
    parse::<IpNet>(text).or_else(|| parse::<IpAddr>(text).map(IpNet::from))
}

/// The grants that were told and have not ended, and what is denied.
#[derive(Debug)]
pub(super) struct Open {
    grants: Bounded<IpAddr, (u64, Why)>,
    denied: Bounded<IpNet, ()>,
}

impl Open {
    pub(super) fn new() -> Self {
        Self { grants: Bounded::new(MOST), denied: Bounded::new(MOST_DENIED) }
    }

    pub(super) fn take(&mut self, at: u64, told: Told) {
        match told {
            Told::Granted(address, why) => *self.grants.entry(address) = (at, why),
            Told::Expired(address) | Told::Revoked(address) => self.grants.remove(&address),
            Told::Denied(network) => *self.denied.entry(network) = (),
            Told::Allowed(network) => self.denied.remove(&network),
        }
    }

    /// Why an address has a grant then, if it has one.
    pub(super) fn get(&self, at: u64, address: IpAddr) -> Option<Why> {
        let (since, why) = *self.grants.get(&address)?;
        (since + LONGEST > at && !self.is_denied(address)).then_some(why)
    }

    pub(super) fn forgotten(&self) -> u64 {
        self.grants.forgotten() + self.denied.forgotten()
    }

    pub(super) fn is_denied(&self, address: IpAddr) -> bool {
        self.denied.iter().any(|(network, ())| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_daemon_s_own_words_are_read() {
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        for (message, expected) in [
            ("granted 192.0.2.1 until 2026-11-30T20:00:00+01:00, dovecot, user k", Told::Granted(address, Why::Login)),
            ("granted 192.0.2.1 until 2026-11-30T20:00:00+01:00, dovecot", Told::Granted(address, Why::Login)),
            (
                "granted 192.0.2.1 until 2026-11-30T20:00:00+01:00, user k, share:mx@a:/var/log/mail.log",
                Told::Granted(address, Why::OtherHost),
            ),
            ("grant 192.0.2.1, by hand of user 0, process 7; grants ended: 0", Told::Granted(address, Why::Hand)),
            ("expired 192.0.2.1", Told::Expired(address)),
            ("revoke 192.0.2.1, by hand of user 0, process 7; grants ended: 1", Told::Revoked(address)),
            ("revoke 192.0.2.1, by hand of an operator on all hosts; grants ended: 1", Told::Revoked(address)),
            (
                "deny 192.0.2.0/24, by hand of user 0, process 7; grants ended: 1",
                Told::Denied("192.0.2.0/24".parse().unwrap()),
            ),
            ("allow 192.0.2.1, by hand of user 0, process 7; grants ended: 0", Told::Allowed(address.into())),
        ] {
            assert_eq!(read(message.as_bytes()), Some(expected), "{message}");
        }
        for message in ["granted x until y, z", "not granted 192.0.2.1: loopback", "expired", "grant 192.0.2.1", ""] {
            assert_eq!(read(message.as_bytes()), None, "{message}");
        }
    }

    #[test]
    fn a_grant_ends_when_it_is_told_or_in_a_week() {
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let mut open = Open::new();
        open.take(1000, Told::Granted(address, Why::Hand));
        assert_eq!((open.get(1000 + LONGEST - 1, address), open.get(1000 + LONGEST, address)), (Some(Why::Hand), None));
        let network = "192.0.2.0/24".parse().unwrap();
        (0..=MOST_DENIED).for_each(|_| open.take(1000, Told::Denied(network)));
        assert_eq!((open.get(1000, address), open.forgotten()), (None, 0));
        open.take(1000, Told::Allowed(network));
        assert!(open.get(1000, address).is_some());
        open.take(1001, Told::Expired(address));
        assert_eq!(open.get(1001, address), None);
        for host in 0..=MOST_DENIED {
            open.take(1002, Told::Denied(IpAddr::from(u32::try_from(host).unwrap().to_be_bytes()).into()));
        }
        assert_eq!(
            (open.forgotten(), open.is_denied([0, 0, 0, 1].into())),
            (1, true),
            "the oldest is forgotten, and told"
        );
    }
}
