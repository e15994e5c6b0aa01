//! When a row that ends by itself is written again for a grant that was extended: at most once per tenth of the grace.
//! Pure.
//!
//! Such a row must hear of extended grants, but a client that polls every few seconds need not cost a write each time.
//! A row that was written a short time ago waits until a tenth of the grace has passed since; then it gets the expiry
//! of that moment. So a row is never off by much more than a tenth, and is written long before its stored expiry
//! passes. Rows that wait are grouped, so that many of them cost one publish.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::ring::Ring;
use crate::time::Timestamp;

/// Time is counted in ticks, so many to a tenth of the grace.
const TICKS: u32 = 16;

/// A row may be written again so many ticks after the one in which it was written: a full tenth, whenever in its tick
/// that was.
const PAUSE: u32 = TICKS + 1;

/// Marks a row that waits. The other bits are the tick in which it was last written, 0 for one that never was.
const WAITS: u32 = 1 << 31;

/// What an extended grant asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Nothing now: the row waits.
    Later,
    /// A publish.
    Publish,
    /// A publish whatever the interval between two, or the row ends before its grant.
    PublishAtOnce,
}

/// When each row was written, by its slot in the ring, and which rows wait.
#[derive(Debug)]
pub(crate) struct RowRefresh {
    /// Length of a tick in nanoseconds.
    tick: u64,
    interval: Duration,
    rows: Vec<u32>,
    /// Addresses whose rows wait, by the tick in which they have waited long enough. Some may be gone since.
    waiting: BTreeMap<u64, Vec<IpAddr>>,
}

impl RowRefresh {
    /// For grants of `grace`, where a publish may have to wait for `interval`.
    pub(crate) fn new(grace: Duration, interval: Duration) -> Self {
        let tick = nanos(grace / (10 * TICKS)).max(1);
        Self { tick, interval, rows: Vec::new(), waiting: BTreeMap::new() }
    }

    /// The grant of `address` was extended. Its row, if it does not wait already, ends at `stored`.
    pub(crate) fn extended(&mut self, now: Timestamp, slot: usize, address: IpAddr, stored: Timestamp) -> Wish {
        let row = self.row(slot);
        if row & WAITS != 0 {
            return Wish::Later;
        }
        let left = stored.since(now);
        let wait = Duration::from_nanos(self.tick * u64::from(PAUSE + 1));
        if !self.has_waited(now, row) && left > wait + self.interval {
            self.rows[slot] = row | WAITS;
            let due = self.ticks(now) + u64::from(PAUSE - self.age(now, row).min(PAUSE));
            self.waiting.entry(due).or_default().push(address);
            Wish::Later
        } else if left > self.interval {
            Wish::Publish
        } else {
            Wish::PublishAtOnce
        }
    }

    /// The row of this slot was written.
    pub(crate) fn written(&mut self, now: Timestamp, slot: usize) {
        if slot >= self.rows.len() {
            self.rows.resize(slot + 1, 0);
        }
        self.rows[slot] = self.ticks(now) as u32 & !WAITS;
    }

    /// When rows have waited long enough.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let (&due, _) = self.waiting.first_key_value()?;
        Some(Timestamp::from_boot(Duration::from_nanos(due.saturating_mul(self.tick))))
    }

    /// An address whose row has waited long enough, as long as there is one; any that waits if there is no time left.
    pub(crate) fn take_due(&mut self, now: Option<Timestamp>, ring: &Ring) -> Option<IpAddr> {
        let present = now.map(|now| self.ticks(now));
        loop {
            let mut first = self.waiting.first_entry()?;
            if present.is_some_and(|present| *first.key() > present) {
                return None;
            }
            let Some(address) = first.get_mut().pop() else {
                first.remove();
                continue;
            };
            // Gone since, and perhaps back, or written for another reason.
            let row = ring.position(address).map(|slot| self.row(slot)).filter(|row| row & WAITS != 0);
            if row.is_some_and(|row| now.is_none_or(|now| self.has_waited(now, row))) {
                return Some(address);
            }
        }
    }

    fn row(&self, slot: usize) -> u32 {
        self.rows.get(slot).copied().unwrap_or(0)
    }

    fn has_waited(&self, now: Timestamp, row: u32) -> bool {
        row & !WAITS == 0 || self.age(now, row) >= PAUSE
    }

    fn ticks(&self, now: Timestamp) -> u64 {
        nanos(now.since_boot()) / self.tick
    }

    fn age(&self, now: Timestamp, row: u32) -> u32 {
        (self.ticks(now) as u32).wrapping_sub(row) & !WAITS
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
