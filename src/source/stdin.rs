//! Standard input as a log.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::lines::Lines;
use super::{Origin, Progress, Sink, Source, goes_on};
use crate::time::Timestamp;

/// Lines of standard input until it ends.
#[derive(Debug)]
pub(crate) struct Stdin {
    input: File,
    lines: Lines,
}

impl Stdin {
    /// Takes standard input.
    ///
    /// # Errors
    /// It is closed.
    pub(crate) fn open() -> io::Result<Self> {
        // A copy of the descriptor, so that the buffer of std's Stdin does not keep lines from poll(2).
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        Ok(Self { input, lines: Lines::default() })
    }
}

impl Source for Stdin {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.input.as_fd())
    }

    fn deadline(&self) -> Option<Timestamp> {
        None
    }

    fn read(&mut self, _: Timestamp, block: &mut Sink<'_>) -> Progress {
        let goes_on = |input: &File, fresh: &[u8]| goes_on(input.as_fd(), fresh);
        match self.lines.read_on(&mut self.input, &goes_on, &mut |_, lines| block(Origin::live(None), lines)) {
            Ok(0) => Progress::Ended,
            Ok(_) => Progress::Some,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Progress::Some,
            Err(error) => {
                log::error!("cannot read standard input: {}", crate::output::error::io_cause(&error));
                Progress::Failed
            }
        }
    }

    fn wake(&mut self, _: Timestamp, _: Duration) {}

    fn restart(&mut self, _: Timestamp, _: Duration, _: &mut Sink<'_>) {}

    fn take_dropped(&mut self) -> u64 {
        self.lines.take_dropped()
    }
}
