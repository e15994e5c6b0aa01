//! What becomes of an address behind which too many users log in.

use std::net::IpAddr;
use std::num::NonZeroUsize;

use super::Grants;
use crate::ring::users_per_address::{UsersPerAddress, Verdict};
use crate::time::Now;

impl Grants {
    /// From now on so many users may log in from one address; any number without one.
    pub(super) fn set_most_users(&mut self, most: Option<NonZeroUsize>, entries: NonZeroUsize) {
        self.guard = most.map(|most| match self.guard.take() {
            Some(mut guard) => {
                guard.set_bounds(most, entries);
                guard
            }
            None => UsersPerAddress::new(most, entries),
        });
    }

    /// Counts the user of a login; whether there are too many behind its address. Then the address loses its grant. What
    /// was granted by hand is the operator's business.
    pub(super) fn is_shared(&mut self, now: &Now, then: &Now, address: IpAddr, user: &[u8]) -> bool {
        let Some(guard) = &mut self.guard else { return false };
        let most = guard.most().get();
        let verdict = guard.login(now.boot, self.ring.grace(), then.boot, address, user);
        // A login may have made it longer since.
        let is_by_hand = self.overrides.granted(address).is_some_and(|given| given.expires > now.wall);
        if verdict == Verdict::Fine || is_by_hand {
            return false;
        }
        self.ring.revoke(address, &mut self.changes);
        self.take_changes(now);
        if verdict == Verdict::NewlyShared {
            self.messages.shared(now, address, most);
        }
        true
    }
}
