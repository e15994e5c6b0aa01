//! Addresses from which many log in, for `status`: webmail, or a proxy that does not say for whom it asks. Changes no grant.

use std::net::IpAddr;
use std::num::NonZeroUsize;

use super::Grants;
use crate::matcher::Event;
use crate::ring::login_record::LONGEST_USER;
use crate::ring::users_per_address::UsersPerAddress;
use crate::time::Now;

/// More users behind one address are more than a household or a small office has.
pub(crate) const MANY: NonZeroUsize = NonZeroUsize::new(20).unwrap();

/// Of how many addresses the users are counted: only those from which one logs in behind another.
const MOST_ADDRESSES: NonZeroUsize = NonZeroUsize::new(1000).unwrap();

/// Who logs in from addresses of several users.
#[derive(Debug)]
pub(super) struct Crowds(UsersPerAddress);

impl Default for Crowds {
    fn default() -> Self {
        Self(UsersPerAddress::new(MANY, MOST_ADDRESSES))
    }
}

impl Grants {
    /// Counts the user of a login that is granted, before it is. An address of one user takes no room.
    pub(super) fn count_user(&mut self, now: &Now, then: &Now, event: &Event<'_>) {
        let (address, grace) = (event.client, self.ring.grace());
        let Some(grant) = self.ring.get(address) else { return };
        let Some(last) = self.ring.last_login(address) else { return };
        let user = event.user.unwrap_or_default();
        let user = &user[..user.len().min(LONGEST_USER)];
        let Crowds(crowds) = &mut self.crowds;
        if crowds.users(now.boot, grace, address) == 0 {
            if user == last.user {
                return;
            }
            crowds.login(now.boot, grace, now.boot.min(grant.expires - grace), address, last.user);
        }
        crowds.login(now.boot, grace, then.boot, address, user);
    }

    /// The addresses from which more than [`MANY`] users have logged in within the grace, and of which no relay is known.
    pub(crate) fn crowds(&self, now: &Now) -> Vec<IpAddr> {
        let never_relays = |address: &IpAddr| self.relays_of(*address).is_none_or(|(number, _)| number == 0);
        let mut crowds: Vec<_> = self.crowds.0.crowds(now.boot, self.ring.grace()).filter(never_relays).collect();
        crowds.sort_unstable();
        crowds
    }
}
