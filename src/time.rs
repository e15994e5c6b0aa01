//! Points in time, and the one place that reads a clock.

use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use nix::time::{ClockId, clock_gettime};

pub use pop_before_smtp_backends::seconds_up as unix_seconds_up;

/// A point on `CLOCK_BOOTTIME`: it never jumps and goes on while the machine is suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Timestamp {
    /// Nanoseconds since the machine started: in a ring of a million they take half the room of a `Duration`.
    nanos: u64,
}

impl Timestamp {
    /// The point `since_boot` after the machine started.
    pub const fn from_boot(since_boot: Duration) -> Self {
        let nanos = since_boot.as_nanos();
        Self { nanos: if nanos > u64::MAX as u128 { u64::MAX } else { nanos as u64 } }
    }

    /// Time from `earlier` to this point; zero if that lies in the future.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos.saturating_sub(earlier.nanos))
    }

    /// Time since the machine started.
    pub const fn since_boot(self) -> Duration {
        Duration::from_nanos(self.nanos)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self { nanos: self.nanos.saturating_add(Self::from_boot(duration).nanos) }
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self { nanos: self.nanos.saturating_sub(Self::from_boot(duration).nanos) }
    }
}

/// Both clocks, read at the same moment: grants end by `boot`, tables and people are told `wall`.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// `CLOCK_BOOTTIME`.
    pub boot: Timestamp,
    /// `CLOCK_REALTIME`.
    pub wall: SystemTime,
}

impl Now {
    /// Reads both clocks. Again if something came between, a suspended machine at worst: that would look as if the wall
    /// clock had been set.
    pub fn read() -> Self {
        let mut boot = boot_clock();
        for _ in 0..10 {
            let wall = SystemTime::now();
            let after = boot_clock();
            if after.since(boot) < Duration::from_millis(1) {
                return Self { boot, wall };
            }
            boot = after;
        }
        Self { boot, wall: SystemTime::now() }
    }

    /// What the wall clock would have shown when the machine started. It only changes when somebody sets the clock: both
    /// are slewed alike, and both go on while the machine is suspended.
    pub fn wall_at_boot(&self) -> SystemTime {
        self.wall_at(Timestamp::default())
    }

    /// What the wall clock will show at `point`, if nobody sets it.
    pub fn wall_at(&self, point: Timestamp) -> SystemTime {
        if point >= self.boot {
            self.wall.checked_add(point.since(self.boot)).unwrap_or(self.wall)
        } else {
            self.wall.checked_sub(self.boot.since(point)).unwrap_or(SystemTime::UNIX_EPOCH)
        }
    }

    /// The point at which the wall clock shows `wall`, if nobody sets it; the present for a time that has passed.
    pub fn boot_at(&self, wall: SystemTime) -> Timestamp {
        self.boot + wall.duration_since(self.wall).unwrap_or_default()
    }

    /// What both clocks showed when the wall clock showed `wall`; the present for a time to come.
    pub fn back_to(&self, wall: SystemTime) -> Self {
        let ago = self.wall.duration_since(wall).unwrap_or_default();
        Self { boot: self.boot - ago, wall: wall.min(self.wall) }
    }
}

fn boot_clock() -> Timestamp {
    // Cannot fail: the clock exists since Linux 2.6.39, and the only other error is a bad pointer.
    Timestamp::from_boot(clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default())
}

/// Microseconds on `CLOCK_MONOTONIC`, by which systemd orders what it is told.
pub fn monotonic_micros() -> u128 {
    // Cannot fail either.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default().as_micros()
}

/// How far apart two times are, whichever is earlier.
pub fn distance(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other).unwrap_or_else(|error| error.duration())
}

/// Whole seconds since 1970, rounded down; 0 for anything earlier.
pub fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Local time as RFC 3339, whole seconds, for people.
pub fn display(time: SystemTime) -> String {
    let seconds = i64::try_from(unix_seconds(time)).unwrap_or(i64::MAX);
    match jiff::Timestamp::from_second(seconds) {
        Ok(stamp) => stamp.display_with_offset(TimeZone::system().to_offset(stamp)).to_string(),
        Err(_) => seconds.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_and_boot_convert_into_each_other() {
        let now = Now {
            boot: Timestamp::from_boot(Duration::from_secs(100)),
            wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000),
        };
        let point = Timestamp::from_boot(Duration::from_secs(130));
        assert_eq!(unix_seconds(now.wall_at(point)), 1_030);
        assert_eq!(now.boot_at(now.wall_at(point)), point);
        assert_eq!(unix_seconds(now.wall_at(Timestamp::from_boot(Duration::from_secs(40)))), 940);
        assert_eq!(now.boot_at(SystemTime::UNIX_EPOCH), now.boot, "the past is now");
        let before = now.back_to(now.wall - Duration::from_secs(30));
        assert_eq!(
            (before.boot, before.wall),
            (Timestamp::from_boot(Duration::from_secs(70)), now.wall_at(before.boot))
        );
        assert_eq!(now.back_to(now.wall + Duration::from_secs(1)).boot, now.boot);
    }
}
