//! What the operator decides against the log or without it: revoke, grant, deny. Writes the file of overrides.

use std::io;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use ipnet::IpNet;

use super::Grants;
use crate::output::error::io_cause;
use crate::ring::Grant;
use crate::ring::LONGEST;
use crate::ring::networks::Refusal;
use crate::saved::denied;
use crate::saved::overrides::{self, ByHand, Overrides};
use crate::time::Now;

/// How long it may take until the file tells that an address has logged in again since it was revoked.
const SAVE_AFTER: Duration = Duration::from_secs(10);

/// What came of a decision.
#[derive(Debug, Default)]
pub struct Done {
    /// How many grants it has ended.
    pub removed: usize,
    /// Whether something has changed at all.
    pub changed: bool,
    /// When a grant by hand ends.
    pub expires: Option<SystemTime>,
    /// It holds, but not beyond the end of this run: the file cannot be written.
    pub unsaved: Option<io::Error>,
}

/// Why an address cannot be granted by hand, or a network not be denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// It is never published.
    Never(Refusal),
    /// It is denied by hand.
    Denied(IpNet),
    /// There are too many decisions already.
    TooMany(usize),
}

impl Grants {
    /// Networks that are denied.
    pub fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    /// Ends the grant of an address. No login that was logged before brings it back, a later one does.
    pub fn revoke(&mut self, now: &Now, address: IpAddr) -> Done {
        self.overrides.revoke(address, now.wall);
        let removed = self.take_out(now, |other| other == address);
        Done { removed, changed: removed > 0, unsaved: self.save_overrides(), ..Done::default() }
    }

    /// Gives an address a grant of this length without a login; it may have a longer one already.
    ///
    /// # Errors
    /// It must not have one, or there are too many.
    pub fn grant_by_hand(&mut self, now: &Now, address: IpAddr, length: Duration) -> Result<Done, Obstacle> {
        if let Some(refusal) = self.networks.refuse(address) {
            return Err(Obstacle::Never(refusal));
        }
        if let Some(network) = self.overrides.find_denied(address) {
            return Err(Obstacle::Denied(network));
        }
        let expires = now.boot + length.min(LONGEST);
        if !self.overrides.grant(address, ByHand { since: now.wall, expires: now.wall_at(expires) }) {
            return Err(Obstacle::TooMany(overrides::MOST));
        }
        self.ring.give(now.boot, Grant { address, expires }, &mut self.changes);
        let changed = !self.changes.is_empty();
        self.take_changes(now);
        let expires = self.ring.get(address).map(|grant| now.wall_at(grant.expires));
        Ok(Done { removed: 0, changed, expires, unsaved: self.save_overrides() })
    }

    /// Grants nothing in a network from now on, and ends what was granted there.
    ///
    /// # Errors
    /// Too many are denied.
    pub fn deny(&mut self, now: &Now, network: IpNet) -> Result<Done, Obstacle> {
        if self.overrides.denied.len() >= denied::MOST {
            return Err(Obstacle::TooMany(denied::MOST));
        }
        let changed = self.overrides.deny(network);
        let removed = self.take_out(now, |address| network.contains(&address));
        Ok(Done { removed, changed, unsaved: self.save_overrides(), ..Done::default() })
    }

    /// Denies a network no longer. Who is in it has to log in again.
    pub fn allow(&mut self, network: IpNet) -> Done {
        let changed = self.overrides.denied.remove(network);
        Done { changed, unsaved: self.save_overrides(), ..Done::default() }
    }

    /// Lets the next publish come at once: a person waits for it.
    pub fn publish_soon(&mut self) {
        self.publisher.publish_soon();
    }

    /// Whether the table holds what it should.
    pub fn is_published(&self) -> bool {
        !self.publisher.is_behind()
    }

    /// What was granted by hand, if that is why an address has its grant.
    pub(super) fn by_hand(&self, address: IpAddr) -> Option<ByHand> {
        self.overrides.granted(address).filter(|_| self.ring.is_by_hand(address))
    }

    /// Whether a login that was logged at `written` was revoked later. It may say that it is from the future, after `latest`;
    /// then nobody knows, and it counts as the earlier.
    pub(super) fn is_revoked(&self, latest: SystemTime, address: IpAddr, written: SystemTime) -> bool {
        let login = if written > latest { SystemTime::UNIX_EPOCH } else { written };
        self.overrides.is_revoked(address, login)
    }

    /// There is a login since: what the table or the state file say of the address counts again. The file is written later,
    /// not while a login waits for its grant; until then a start takes it from the log that the login is later.
    pub(super) fn forget_revocation(&mut self, now: &Now, address: IpAddr) {
        if self.overrides.forget_revocation(address) {
            self.save_at.get_or_insert(now.boot + SAVE_AFTER);
        }
    }

    /// Writes the file if what was forgotten has waited long enough, or can wait no longer.
    pub(super) fn save_forgotten(&mut self, now: Option<&Now>) {
        if self.save_at.is_some_and(|at| now.is_none_or(|now| at <= now.boot))
            && let Some(error) = self.save_overrides()
        {
            log::warn!(
                "cannot write which addresses have logged in again since they were revoked: {}",
                io_cause(&error)
            );
        }
    }

    pub(super) fn take_out(&mut self, now: &Now, is_meant: impl Fn(IpAddr) -> bool) -> usize {
        let meant: Vec<_> = self.ring.iter().map(|grant| grant.address).filter(|address| is_meant(*address)).collect();
        meant.iter().for_each(|&address| self.ring.revoke(address, &mut self.changes));
        self.take_changes(now);
        meant.len()
    }

    /// Writes the file, and tells if that cannot be.
    pub(super) fn tell_unsaved(&mut self) {
        if let Some(error) = self.save_overrides() {
            log::warn!("cannot write what was decided by hand for all hosts: {}", io_cause(&error));
        }
    }

    fn save_overrides(&mut self) -> Option<io::Error> {
        self.save_at = None;
        let file = self.overrides_file.as_deref()?;
        self.overrides.save(file, None).err()
    }
}
