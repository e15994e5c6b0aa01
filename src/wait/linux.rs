//! Signals by signalfd(2), the deadline and the wall clock by timerfd(2).

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use nix::poll::PollTimeout;
use nix::sys::signal::Signal;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use super::Wake;
use crate::time::Timestamp;

/// What else than input ends a wait.
///
/// The deadline is a timer on `CLOCK_BOOTTIME`: the time-out of poll(2) stands still while the machine is suspended,
/// and grants must not.
#[derive(Debug)]
pub(super) struct Alarms {
    signals: SignalFd,
    timer: TimerFd,
    armed: Option<Timestamp>,
    /// Becomes readable when somebody sets the wall clock; what follows from that is told by the clock itself.
    wall: TimerFd,
}

impl Alarms {
    pub(super) fn new() -> io::Result<Self> {
        let mask = super::signals();
        mask.thread_block()?;
        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let timer = TimerFd::new(ClockId::CLOCK_BOOTTIME, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK)?;
        let wall = TimerFd::new(ClockId::CLOCK_REALTIME, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK)?;
        let alarms = Self { signals, timer, armed: None, wall };
        alarms.watch_wall_clock();
        Ok(alarms)
    }

    /// A timer that is cancelled when the clock is set (timerfd_create(2)); its end is beyond all our days. Where that does
    /// not work, the clock is still looked at whenever something else ends a wait.
    fn watch_wall_clock(&self) {
        let never = Expiration::OneShot(TimeSpec::new(i64::from(u32::MAX), 0));
        let flags = TimerSetTimeFlags::TFD_TIMER_ABSTIME | TimerSetTimeFlags::TFD_TIMER_CANCEL_ON_SET;
        let _ = self.wall.set(never, flags);
    }

    /// Sets the timer, so that poll(2) needs no time-out.
    pub(super) fn arm(&mut self, deadline: Option<Timestamp>) -> io::Result<PollTimeout> {
        if deadline == self.armed {
            return Ok(PollTimeout::NONE);
        }
        match deadline {
            Some(point) => {
                // A time of zero would disarm the timer.
                let point = TimeSpec::from(point.since_boot().max(Duration::from_nanos(1)));
                self.timer.set(Expiration::OneShot(point), TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
            }
            None => self.timer.unset()?,
        }
        self.armed = deadline;
        Ok(PollTimeout::NONE)
    }

    pub(super) fn descriptors(&self) -> [BorrowedFd<'_>; 3] {
        [self.signals.as_fd(), self.timer.as_fd(), self.wall.as_fd()]
    }

    /// Takes what the descriptors have told, of which these are `ready`.
    pub(super) fn take(&mut self, [_, timer, wall]: [bool; 3], wake: &mut Wake) {
        if timer {
            // Read, or it stays readable.
            let _ = self.timer.wait();
            self.armed = None;
        }
        if wall {
            // Read, or it stays readable: an error, because it was cancelled.
            let _ = self.wall.wait();
            self.watch_wall_clock();
        }
        while let Ok(Some(signal)) = self.signals.read_signal() {
            wake.signal(Signal::try_from(signal.ssi_signo as i32).unwrap_or(Signal::SIGTERM));
        }
    }
}
