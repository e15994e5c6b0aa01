//! Where log lines come from: a descriptor to wait on, blocks of whole lines out.

mod child;
pub mod command;
pub mod lines;
pub mod stdin;

use std::os::fd::BorrowedFd;

use crate::time::Timestamp;

/// What a read left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Some input was read; there may be more.
    Some,
    /// The input has ended for now; the source tells by its deadline when it starts again.
    Paused,
    /// The input has ended for good.
    Ended,
    /// The input cannot be read to its end; that has been logged.
    Failed,
}

/// A log that is followed.
///
/// The loop waits for `descriptor` to become readable and for `deadline` to pass, and then calls `read` or `wake`.
pub trait Source {
    /// What to wait on; `None` while there is nothing to read from.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;

    /// When `wake` wants to be called, whatever the descriptor does.
    fn deadline(&self) -> Option<Timestamp>;

    /// Reads once, at most 64 KiB, and hands on the lines that are complete, as [`lines::Lines::read`] does. Called only
    /// when the descriptor is readable, so that it never blocks.
    fn read(&mut self, now: Timestamp, block: &mut dyn FnMut(&[u8])) -> Progress;

    /// Does what was put off to the deadline.
    fn wake(&mut self, now: Timestamp);

    /// Starts following anew, as after a rotation that it cannot notice (SIGHUP). What the old input still held is
    /// handed on first.
    fn restart(&mut self, now: Timestamp, block: &mut dyn FnMut(&[u8]));

    /// Number of lines dropped for their length since the last call.
    fn take_dropped(&mut self) -> u64;
}
