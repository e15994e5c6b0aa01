//! What earlier runs have left: the table, the state file, and what was decided by hand. Reads the files beside the map.

use std::path::Path;

use pop_before_smtp_backends::Listed;

use crate::config::LONGEST;
use crate::error::{Error, Exit};
use crate::networks::Networks;
use crate::overrides::{self, Overrides};
use crate::ring::{Grant, Ring};
use crate::state::{self, State};
use crate::time::Now;

/// What stands in the files beside the map.
#[derive(Debug, Default)]
pub struct Saved {
    /// What a clean stop has saved.
    pub state: State,
    /// What was decided by hand.
    pub overrides: Overrides,
}

impl Saved {
    /// Reads both.
    ///
    /// # Errors
    /// Exit code 78: it is not known what is denied. To go on would grant it.
    pub fn load(map: &Path) -> Result<Self, Error> {
        let now = Now::read();
        Ok(Self { state: state::load(&state::path(map), &now), overrides: load_overrides(map, &now, None)? })
    }

    /// Takes over what table and state file hold, as far as it may be published, and what was granted by hand. Where several
    /// know an address, the latest expiry counts.
    pub fn restore(&self, ring: &mut Ring, networks: &Networks, listed: &[Listed], now: &Now) {
        let full = now.boot + ring.grace();
        let may_be_published = |grant: &Grant| {
            networks.refuse(grant.address).is_none() && self.overrides.denied.find(grant.address).is_none()
        };
        let mut grants: Vec<_> = self.state.grants.iter().map(|saved| saved.grant).collect();
        grants.extend(listed.iter().map(|client| Grant {
            address: client.address,
            expires: client.expires.map_or(full, |expires| now.boot_at(expires)),
        }));
        // A login since would have made the revocation be forgotten.
        grants.retain(|grant| may_be_published(grant) && self.overrides.revoked(grant.address).is_none());
        // Oldest first, so that each finds its place at the head, and the ring keeps the newest if they are too many.
        grants.sort_by_key(|grant| grant.expires);
        for grant in grants {
            ring.restore(now.boot, grant, &mut Vec::new());
        }
        self.state.grants.iter().for_each(|saved| ring.prove(saved.grant.address, saved.proof()));
        let by_hand = self.overrides.all_granted().map(|(address, given)| {
            // No longer than it was given for, whatever the clock shows.
            let whole = given.expires.duration_since(given.since).unwrap_or_default().min(LONGEST);
            Grant { address, expires: now.boot_at(given.expires).min(now.boot + whole) }
        });
        by_hand.filter(may_be_published).for_each(|grant| ring.give(now.boot, grant, &mut Vec::new()));
    }
}

/// What was decided by hand for a map. The file may belong to its daemon's user, if that is known.
///
/// # Errors
/// Exit code 78: the file cannot be read, or others could have written it.
pub fn load_overrides(map: &Path, now: &Now, user: Option<u32>) -> Result<Overrides, Error> {
    let path = overrides::path(map);
    Overrides::load(&path, now.wall, user).map_err(|error| {
        Error::io(Exit::Config, format!("read what is denied by hand in {}", path.display()), &error)
            .cure("let it belong to the daemon's user with mode 0600, or remove it and deny anew")
    })
}
