//! Signals by a thread that waits for them and a pipe, the deadline by the time-out of poll(2): on systems that are not Linux.

use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use nix::poll::PollTimeout;
use nix::sys::signal::{SigSet, Signal};

use super::Wake;
use crate::time::{Now, Timestamp};

/// Longest wait. A wall clock that was set is noticed when a wait ends, and no grant outlasts a suspend by more.
const LONGEST: Duration = Duration::from_secs(10);

/// What else than input ends a wait.
#[derive(Debug)]
pub(super) struct Alarms {
    mask: SigSet,
    told: PipeReader,
    /// Until the thread has it. It starts with the first wait: one that was there before would not be there in the background.
    teller: Option<PipeWriter>,
}

impl Alarms {
    pub(super) fn new() -> io::Result<Self> {
        let mask = super::signals();
        mask.thread_block()?;
        let (told, teller) = io::pipe()?;
        Ok(Self { mask, told, teller: Some(teller) })
    }

    /// Tells poll(2)'s time-out.
    pub(super) fn arm(&mut self, deadline: Option<Timestamp>) -> io::Result<PollTimeout> {
        if let Some(teller) = self.teller.take() {
            let mask = self.mask;
            std::thread::Builder::new().name("signals".to_owned()).spawn(move || tell(&mask, teller))?;
        }
        let left = deadline.map_or(LONGEST, |point| point.since_boot().saturating_sub(Now::read().boot.since_boot()));
        // Not a part of a millisecond too early: it would be waited for again and again.
        let left = left.min(LONGEST) + Duration::from_micros(999);
        Ok(PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO))
    }

    pub(super) fn descriptors(&self) -> [BorrowedFd<'_>; 1] {
        [self.told.as_fd()]
    }

    /// Takes the signals that have arrived, if there are some.
    pub(super) fn take(&mut self, [arrived]: [bool; 1], wake: &mut Wake) {
        let mut signals = [0; 64];
        let count = if arrived { self.told.read(&mut signals).unwrap_or(0) } else { 0 };
        for &signal in &signals[..count] {
            wake.signal(Signal::try_from(i32::from(signal)).unwrap_or(Signal::SIGTERM));
        }
    }
}

/// Writes each signal that arrives as a byte.
fn tell(mask: &SigSet, mut teller: PipeWriter) {
    while let Ok(signal) = mask.wait() {
        if teller.write_all(&[signal as u8]).is_err() {
            return;
        }
    }
}
