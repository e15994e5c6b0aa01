//! The only place that waits: for signals, input and the nearest deadline; and a moment for what is just being written.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod alarms;

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};

use self::alarms::Alarms;
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
#[derive(Debug)]
pub struct Waiter {
    alarms: Alarms,
}

impl Waiter {
    /// Blocks SIGTERM, SIGINT and SIGHUP, to be read as input from now on.
    ///
    /// # Errors
    /// The kernel refuses a descriptor.
    pub fn new() -> io::Result<Self> {
        Ok(Self { alarms: Alarms::new()? })
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
        let patience = self.alarms.arm(deadline)?;
        let own = self.alarms.descriptors();
        let mut polled: Vec<_> = own
            .iter()
            .chain(descriptors)
            .map(|&descriptor| PollFd::new(descriptor, PollFlags::POLLIN))
            .chain(wanted.iter().map(|&wanted| wanted.into()))
            .collect();
        match poll(&mut polled, patience) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = |descriptor: &PollFd<'_>| descriptor.any().unwrap_or(true);
        let (alarms, others) = polled.split_at(own.len());
        let (inputs, others) = others.split_at(descriptors.len());
        let alarms = std::array::from_fn(|at| ready(&alarms[at]));
        let readable = inputs.iter().map(ready).collect();
        let mut wake = Wake { readable, wanted: others.iter().any(ready), ..Wake::default() };
        self.alarms.take(alarms, &mut wake);
        Ok(wake)
    }
}

impl Wake {
    /// A signal has arrived.
    fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::SIGHUP => self.restart = true,
            _ => self.stop = true,
        }
    }
}

/// The signals that are waited for.
fn signals() -> SigSet {
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().collect()
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
