//! The only place that waits: for signals, input and the nearest deadline; and a moment for what is just being written.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use crate::time::Timestamp;

/// What ended a wait.
#[derive(Debug, Default)]
pub struct Wake {
    /// SIGTERM or SIGINT: stop.
    pub stop: bool,
    /// SIGHUP: follow the logs anew.
    pub restart: bool,
    /// Which of the descriptors can be read, in the order given.
    pub readable: Vec<bool>,
    /// Whether one of those that are wanted besides is ready.
    pub wanted: bool,
}

/// A descriptor, and what it is to be ready for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'fd> {
    /// The descriptor.
    pub descriptor: BorrowedFd<'fd>,
    /// To be read.
    pub read: bool,
    /// To be written.
    pub write: bool,
}

impl<'fd> From<Wanted<'fd>> for PollFd<'fd> {
    fn from(Wanted { descriptor, read, write }: Wanted<'fd>) -> Self {
        let mut events = PollFlags::empty();
        events.set(PollFlags::POLLIN, read);
        events.set(PollFlags::POLLOUT, write);
        Self::new(descriptor, events)
    }
}

/// Waits for signals, descriptors and one deadline.
///
/// The deadline is a timer on `CLOCK_BOOTTIME`: the time-out of poll(2) stands still while the machine is suspended,
/// and grants must not.
#[derive(Debug)]
pub struct Waiter {
    signals: SignalFd,
    timer: TimerFd,
    armed: Option<Timestamp>,
    /// Becomes readable when somebody sets the wall clock; what follows from that is told by the clock itself.
    wall: TimerFd,
}

impl Waiter {
    /// Blocks SIGTERM, SIGINT and SIGHUP, to be read as input from now on.
    ///
    /// # Errors
    /// The kernel refuses a descriptor.
    pub fn new() -> io::Result<Self> {
        let mask: SigSet = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().collect();
        mask.thread_block()?;
        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let timer = TimerFd::new(ClockId::CLOCK_BOOTTIME, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK)?;
        let wall = TimerFd::new(ClockId::CLOCK_REALTIME, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK)?;
        let waiter = Self { signals, timer, armed: None, wall };
        waiter.watch_wall_clock();
        Ok(waiter)
    }

    /// A timer that is cancelled when the clock is set (timerfd_create(2)); its end is beyond all our days. Where that does
    /// not work, the clock is still looked at whenever something else ends a wait.
    fn watch_wall_clock(&self) {
        let never = Expiration::OneShot(TimeSpec::new(i64::from(u32::MAX), 0));
        let flags = TimerSetTimeFlags::TFD_TIMER_ABSTIME | TimerSetTimeFlags::TFD_TIMER_CANCEL_ON_SET;
        let _ = self.wall.set(never, flags);
    }

    /// Waits until a signal has arrived, one of `descriptors` is readable, one of `wanted` is ready, `deadline` has passed or
    /// somebody has set the wall clock.
    ///
    /// # Errors
    /// poll(2) fails, which it never does for a reason that could pass.
    pub fn wait(
        &mut self,
        descriptors: &[BorrowedFd<'_>],
        wanted: &[Wanted<'_>],
        deadline: Option<Timestamp>,
    ) -> io::Result<Wake> {
        self.arm(deadline)?;
        let mut polled: Vec<_> = [self.signals.as_fd(), self.timer.as_fd(), self.wall.as_fd()]
            .iter()
            .chain(descriptors)
            .map(|&descriptor| PollFd::new(descriptor, PollFlags::POLLIN))
            .chain(wanted.iter().map(|&wanted| wanted.into()))
            .collect();
        match poll(&mut polled, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = |descriptor: &PollFd<'_>| descriptor.any().unwrap_or(true);
        let (inputs, others) = polled[3..].split_at(descriptors.len());
        let readable = inputs.iter().map(ready).collect();
        let mut wake = Wake { readable, wanted: others.iter().any(ready), ..Wake::default() };
        let clock_set = ready(&polled[2]);
        if ready(&polled[1]) {
            // Read, or it stays readable.
            let _ = self.timer.wait();
            self.armed = None;
        }
        if clock_set {
            // Read, or it stays readable: an error, because it was cancelled.
            let _ = self.wall.wait();
            self.watch_wall_clock();
        }
        while let Ok(Some(signal)) = self.signals.read_signal() {
            match Signal::try_from(signal.ssi_signo as i32) {
                Ok(Signal::SIGHUP) => wake.restart = true,
                _ => wake.stop = true,
            }
        }
        Ok(wake)
    }

    fn arm(&mut self, deadline: Option<Timestamp>) -> io::Result<()> {
        if deadline == self.armed {
            return Ok(());
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
        Ok(())
    }
}

/// Whether `descriptor` can be read at once.
pub fn readable_now(descriptor: BorrowedFd<'_>) -> bool {
    readable_within(descriptor, Duration::ZERO)
}

/// Whether `descriptor` can be read at once or within a moment, for which this waits.
pub fn readable_within(descriptor: BorrowedFd<'_>, moment: Duration) -> bool {
    let mut polled = [PollFd::new(descriptor, PollFlags::POLLIN)];
    let moment = PollTimeout::try_from(moment).unwrap_or(PollTimeout::ZERO);
    poll(&mut polled, moment).is_ok() && polled[0].any().unwrap_or(false)
}
