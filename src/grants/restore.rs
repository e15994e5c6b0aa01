//! What earlier runs have left: the table, the state file, and what was decided by hand. Reads the files beside the map.

use std::path::Path;

use pop_before_smtp_backends::Listed;
use pop_before_smtp_backends::replace::remove_left_over;

use crate::output::error::{Error, Exit};
use crate::ring::LONGEST;
use crate::ring::networks::Networks;
use crate::ring::{Grant, Ring};
use crate::saved::overrides::{self, Overrides};
use crate::saved::state::{self, State};
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
    /// Reads both, and removes what a killed daemon has left of them half written.
    ///
    /// # Errors
    /// Exit code 78: it is not known what is denied. To go on would grant it.
    pub fn load(map: &Path) -> Result<Self, Error> {
        let now = Now::read();
        for path in [state::path(map), overrides::path(map)] {
            // What cannot be removed is told by the next attempt to write the file.
            let _ = remove_left_over(&path);
        }
        Ok(Self { state: state::load(&state::path(map), &now), overrides: load_overrides(map, &now, None)? })
    }

    /// Takes over what table and state file hold, as far as it may be published, and what was granted by hand. Where several
    /// know an address, the latest expiry counts.
    pub fn restore(&self, ring: &mut Ring, networks: &Networks, listed: &[Listed], now: &Now) {
        let full = now.boot + ring.grace();
        let may_be_published = |grant: &Grant| {
            networks.refuse(grant.address).is_none() && self.overrides.find_denied(grant.address).is_none()
        };
        let mut grants: Vec<_> = self.state.grants.iter().map(|saved| (saved.grant, Some(saved))).collect();
        // A row without a time may be of a grant by hand, which is shorter than a full grace.
        let is_by_hand =
            |client: &&Listed| client.expires.is_none() && self.overrides.granted(client.address).is_some();
        grants.extend(listed.iter().filter(|client| !is_by_hand(client)).map(|client| {
            let expires = client.expires.map_or(full, |expires| now.boot_at(expires));
            (Grant { address: client.address, expires }, None)
        }));
        // A login since would have made the revocation be forgotten.
        grants.retain(|(grant, _)| may_be_published(grant) && self.overrides.revoked(grant.address).is_none());
        // Oldest first, so that each finds its place at the head, and the ring keeps the newest if they are too many.
        grants.sort_by_key(|(grant, _)| grant.expires);
        for (grant, saved) in grants {
            ring.restore(now.boot, grant, &mut Vec::new());
            // At once: if they are too many, it counts who has many.
            if let Some(saved) = saved {
                ring.note_login(grant.address, saved.record());
            }
        }
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
pub(crate) fn load_overrides(map: &Path, now: &Now, user: Option<u32>) -> Result<Overrides, Error> {
    let path = overrides::path(map);
    Overrides::load(&path, now.wall, user).map_err(|error| {
        Error::io(Exit::Config, format!("read what is denied by hand in {}", path.display()), &error)
            .cure("let it belong to the daemon's user with mode 0600, or remove it and deny anew")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::num::NonZeroUsize;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::ring::login_record::LoginRecord;
    use crate::saved::overrides::ByHand;
    use crate::time::Timestamp;

    const GRACE: Duration = Duration::from_secs(1800);

    fn now() -> Now {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_363_419);
        Now { boot: Timestamp::from_boot(Duration::from_secs(1000)), wall }
    }

    /// How long a grant lasts that is restored, in seconds; nothing if it is not.
    fn left(overrides: Overrides, listed: &[Listed]) -> Option<u64> {
        let mut ring = Ring::new(GRACE, NonZeroUsize::new(10).unwrap(), None);
        let saved = Saved { state: State::default(), overrides };
        saved.restore(&mut ring, &Networks::default(), listed, &now());
        ring.get("198.51.100.1".parse().unwrap()).map(|grant| grant.expires.since(now().boot).as_secs())
    }

    /// By hand, given `since` seconds from now until `expires` seconds from now.
    fn given(since: i64, expires: i64) -> Overrides {
        let at = |seconds: i64| {
            let length = Duration::from_secs(seconds.unsigned_abs());
            if seconds < 0 { now().wall - length } else { now().wall + length }
        };
        let mut overrides = Overrides::default();
        let by_hand = ByHand { since: at(since), expires: at(expires) };
        assert!(overrides.grant("198.51.100.1".parse().unwrap(), by_hand));
        overrides
    }

    #[test]
    fn what_a_killed_daemon_has_left_half_written_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let map = directory.path().join("map");
        for path in [state::path(&map), overrides::path(&map)] {
            std::fs::write(state::beside(&path, ".new"), "half").unwrap();
        }
        Saved::load(&map).unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    /// `grant A` for a minute, kill -9, and a table of `--value`.
    #[test]
    fn a_row_without_a_time_makes_no_grant_by_hand_longer() {
        let now = Now::read();
        let address = "192.0.2.1".parse().unwrap();
        let mut saved = Saved::default();
        let expires = now.wall + Duration::from_secs(60);
        saved.overrides.grant(address, ByHand { since: now.wall, expires });
        let mut ring = Ring::new(Duration::from_secs(1800), NonZeroUsize::new(8).unwrap(), None);
        saved.restore(&mut ring, &Networks::default(), &[Listed { address, expires: None }], &now);
        let ends: Vec<_> = ring.iter().map(|grant| grant.expires).collect();
        assert_eq!(ends.len(), 1);
        assert!(ends[0] <= now.boot + Duration::from_secs(61), "{ends:?}");
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_grant_longer_than_it_was() {
        assert_eq!(left(given(-60, 540), &[]), Some(540));
        assert_eq!(left(given(3600, 4200), &[]), Some(600), "for ten minutes, given in an hour");
        assert_eq!(left(given(-10, 86_400), &[]), Some(86_400), "longer than a grace");
        let most = LONGEST.as_secs();
        assert_eq!(
            left(given(0, 10 * i64::try_from(most).unwrap()), &[]),
            Some(most),
            "a file that somebody has edited"
        );
        let listed =
            |end: Duration| Listed { address: "198.51.100.1".parse().unwrap(), expires: Some(now().wall + end) };
        assert_eq!(left(Overrides::default(), &[listed(GRACE / 2)]), Some(900));
        assert_eq!(left(Overrides::default(), &[listed(10 * GRACE)]), Some(1800), "no more than a grace");
    }

    #[test]
    fn what_was_revoked_or_denied_does_not_come_back() {
        let address = "198.51.100.1".parse().unwrap();
        let listed = [Listed { address, expires: Some(now().wall + GRACE) }];
        let mut revoked = Overrides::default();
        revoked.revoke(address, now().wall);
        assert_eq!(left(revoked, &listed), None);
        let mut denied = given(-60, 540);
        assert!(denied.deny("198.51.100.0/24".parse().unwrap()));
        assert_eq!(left(denied, &listed), None);
    }

    #[test]
    fn if_there_is_less_room_than_before_who_has_many_addresses_gives_way() {
        let directory = tempfile::tempdir().unwrap();
        let mut before = Ring::new(GRACE, NonZeroUsize::new(100).unwrap(), None);
        for number in 0..100u8 {
            let (address, user) = ([192, 0, 2, number].into(), if number < 5 { [number; 3] } else { *b"all" });
            before.login(now().boot - Duration::from_secs(100 - u64::from(number)), address, &mut Vec::new());
            before.note_login(
                address,
                Some(LoginRecord { source: "log", offset: None, matcher: "dovecot", user: &user }),
            );
        }
        let path = directory.path().join("map.state");
        state::save(&path, &now(), &before, &[], None).unwrap();
        let saved = Saved { state: state::load(&path, &now()), overrides: Overrides::default() };
        let mut ring = Ring::new(GRACE, NonZeroUsize::new(20).unwrap(), Some(10));
        saved.restore(&mut ring, &Networks::default(), &[], &now());
        assert_eq!(ring.len(), 20);
        assert!((0..5).all(|number| ring.get([192, 0, 2, number].into()).is_some()));
    }
}
