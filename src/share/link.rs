//! What the loop and the threads share: the queue of what is given, and how it stands with the database.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::eventfd::{EfdFlags, EventFd};

use super::engine::Cause;
use super::outbox::Outbox;
use crate::time::{Now, Timestamp};

/// First and longest pause before the next attempt to connect. Short, so that a site is whole soon after its database is.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));

/// Which thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Giver,
    Reader,
}

/// How it stands.
#[derive(Debug)]
pub(super) struct Health {
    /// Why the giver or the reader cannot do its work; an empty text until it has begun.
    errors: [Option<Cause>; 2],
    /// Since when one cannot, or both can.
    pub(super) since: Timestamp,
    has_told: bool,
    pub(super) read: Option<Timestamp>,
}

impl Health {
    /// Why it cannot be used, if so.
    pub(super) fn error(&self) -> Option<Cause> {
        self.errors.iter().flatten().max_by_key(|cause| cause.len()).cloned()
    }
}

/// What the giver does next.
#[derive(Debug, Default)]
pub(super) struct Orders {
    /// It may give whatever waits, and end.
    pub(super) closing: bool,
    /// It has given all, or cannot.
    pub(super) closed: bool,
    /// All grants are to be given again.
    pub(super) again: bool,
}

pub(super) struct Link {
    outbox: Mutex<(Outbox, Orders)>,
    changed: Condvar,
    health: Mutex<Health>,
    /// Wakes the loop.
    pub(super) event: EventFd,
}

impl Link {
    pub(super) fn new(outbox: Outbox, parts: &[Part]) -> std::io::Result<Self> {
        let begins = |part| parts.contains(&part).then(Cause::new);
        let errors = [begins(Part::Giver), begins(Part::Reader)];
        let health = Health { errors, since: Now::read().boot, has_told: false, read: None };
        Ok(Self {
            outbox: Mutex::new((outbox, Orders::default())),
            changed: Condvar::new(),
            health: Mutex::new(health),
            event: EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?,
        })
    }

    /// The queue and the orders. Nobody panics while it is locked; if one did, what is in it is still right.
    pub(super) fn outbox(&self) -> MutexGuard<'_, (Outbox, Orders)> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the giver, or who waits for it.
    pub(super) fn tell(&self) {
        self.changed.notify_all();
    }

    /// Wakes the loop.
    pub(super) fn wake(&self) {
        // It can only be full, and then the loop is awake.
        let _ = self.event.write(1);
    }

    /// Lets go of the queue until somebody has changed it, or for this long.
    pub(super) fn wait<'l>(
        &self,
        outbox: MutexGuard<'l, (Outbox, Orders)>,
        limit: Duration,
    ) -> MutexGuard<'l, (Outbox, Orders)> {
        self.changed.wait_timeout(outbox, limit).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits before the next attempt; true if it is time to end.
    pub(super) fn rest(&self, pause: Duration) -> bool {
        let end = Now::read().boot + pause;
        let mut outbox = self.outbox();
        while !outbox.1.closing {
            let left = end.since(Now::read().boot);
            if left.is_zero() {
                return false;
            }
            outbox = self.wait(outbox, left);
        }
        true
    }

    /// Says it once, when the first of them breaks.
    pub(super) fn broke(&self, part: Part, cause: Cause) {
        let now = Now::read().boot;
        let mut health = self.health();
        health.errors[part as usize] = Some(cause.clone());
        if !std::mem::replace(&mut health.has_told, true) {
            health.since = now;
            log::error!(
                "cannot use the database of --share-url: {cause}; what is granted here waits, what was taken stays until \
                 its end; trying again"
            );
        }
    }

    /// Says it once, when both are well again.
    pub(super) fn healed(&self, part: Part) {
        let now = Now::read().boot;
        let mut health = self.health();
        health.errors[part as usize] = None;
        if health.errors.iter().all(Option::is_none) && std::mem::take(&mut health.has_told) {
            log::info!("the database of --share-url is in use again after {} s", now.since(health.since).as_secs());
            health.since = now;
        }
    }

    /// The reader knows all that there is.
    pub(super) fn has_read(&self, at: Timestamp) {
        self.health().read = Some(at);
    }
}

/// Pauses that grow, each some other than that of another host.
pub(super) struct BackOff(Duration);

impl BackOff {
    pub(super) fn new() -> Self {
        Self(BACK_OFF.0)
    }

    pub(super) fn next(&mut self) -> Duration {
        let whole = self.0;
        self.0 = (whole * 2).min(BACK_OFF.1);
        // A random number, as good as is needed here: half of the pause to all of it.
        let random = (RandomState::new().hash_one(0) % 1024) as u32;
        whole / 2 + whole / 2048 * random
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_not_the_same_on_all_hosts() {
        let pauses = |_| {
            let mut back_off = BackOff::new();
            [200, 400, 800, 1600, 3000, 3000].map(|most| {
                let (pause, most) = (back_off.next(), Duration::from_millis(most));
                assert!((most / 2..=most).contains(&pause), "{pause:?} of {most:?}");
                pause
            })
        };
        let hosts: std::collections::HashSet<_> = (0..10).map(pauses).collect();
        assert!(hosts.len() > 1);
    }
}
