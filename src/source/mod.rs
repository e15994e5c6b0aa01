//! Where log lines come from: a descriptor to wait on, blocks of whole lines out.

pub mod backlog;
pub mod catch_up;
mod child;
pub(crate) mod command;
pub mod follow;
pub(crate) mod journal;
pub mod lines;
mod mark;
mod named;
pub(crate) mod newest;
pub(crate) mod plan;
mod respawn;
pub mod saved_position;
pub(crate) mod stdin;

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use nix::libc::{O_NOCTTY, O_NONBLOCK};

use self::backlog::Backlog;
use self::lines::Block;
pub use self::mark::Mark;
pub(crate) use self::named::{LOG_FILES, no_log};
pub use self::named::{Log, Means};
use self::saved_position::SavedPosition;
use crate::time::Timestamp;
use crate::wait::readable_within;

/// Who prints a log writes multiples of this as long as there is more: `tail` 8 KiB, BusyBox's 1 KiB, whoever fills the pipe 64.
const PIECE: usize = 1024;

/// How long the next piece may take, and where it is less likely that there is one.
const MOMENT: Duration = Duration::from_millis(100);
const SHORT_MOMENT: Duration = Duration::from_millis(5);

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

/// A place in a log file, between two lines. It outlives a restart of the daemon and a renaming of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Number of the device that the file is on.
    pub device: u64,
    /// Number of the file on that device.
    pub inode: u64,
    /// Bytes in front of the place.
    pub offset: u64,
}

/// When lines were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// While the daemon watched: they happen now.
    Live,
    /// Before the daemon watched: their own times count.
    Past,
    /// Before, and an earlier run has counted them. They are handed on for what the matchers have to remember.
    Counted,
}

/// Whether lines may be missing that were written in front of others: then what the others continue is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// The block goes on where the one before has ended, or at the start of the log.
    None,
    /// In front of the block.
    Before,
    /// Somewhere in the block.
    Within,
}

/// Where a block of lines comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Where it begins, if the source reads a file itself.
    pub position: Option<Position>,
    /// When its lines were written.
    pub age: Age,
    /// Whether it goes on where the last one has ended.
    pub gap: Gap,
}

impl Origin {
    /// Lines that happen now, at a place if that is known.
    pub fn live(position: Option<Position>) -> Self {
        Self { position, age: Age::Live, gap: Gap::None }
    }

    /// Where in its file a line is that begins so many bytes behind the start of the block.
    pub fn offset(&self, line: usize) -> Option<u64> {
        self.position.map(|position| position.offset + line as u64)
    }
}

/// Opens a log file; a named pipe must not stop the daemon.
///
/// # Errors
/// It cannot be opened, or is no regular file.
fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let file = OpenOptions::new().read(true).custom_flags(O_NONBLOCK | O_NOCTTY).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    Ok((file, metadata))
}

/// Which regular file has the name: its device and number.
fn id(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().filter(Metadata::is_file).map(|found| (found.dev(), found.ino()))
}

/// Whether a pipe has more, or will have in a moment, because what was read may be a piece of what is being written: a message
/// may lie across two.
fn goes_on(descriptor: BorrowedFd<'_>, fresh: &[u8]) -> bool {
    let moment = match fresh.len() {
        length if length % PIECE == 0 || !fresh.ends_with(b"\n") => MOMENT,
        length if length > PIECE => SHORT_MOMENT,
        _ => Duration::ZERO,
    };
    readable_within(descriptor, moment)
}

/// Takes a block of lines and where it comes from.
pub type Sink<'a> = dyn FnMut(Origin, Block<'_>) + 'a;

/// A log that is followed.
///
/// The loop waits for `descriptor` to become readable, unless the source `has_more`, and for `deadline` to pass, and
/// then calls `read` or `wake`.
pub trait Source {
    /// What to wait on; `None` while there is nothing to read from.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;

    /// When `wake` wants to be called, whatever the descriptor does.
    fn deadline(&self) -> Option<Timestamp>;

    /// Whether `read` is to be called at once, whatever the descriptor does: a file can be read at any time, and what
    /// can be waited for are its changes.
    fn has_more(&self) -> bool {
        false
    }

    /// Reads once, at most 64 KiB, and hands on the lines that are complete, as [`lines::Lines::read_on`] does: where more can
    /// be read at once, the last of them only then. Called only when the descriptor is readable or the source has more, so that it never blocks.
    fn read(&mut self, now: Timestamp, block: &mut Sink<'_>) -> Progress;

    /// Does what was put off to the deadline. Of what was missed meanwhile, lines of the last `grace` matter.
    fn wake(&mut self, now: Timestamp, grace: Duration);

    /// Starts following anew, as after a rotation that it cannot notice (SIGHUP). What the old input still held is
    /// handed on first.
    fn restart(&mut self, now: Timestamp, grace: Duration, block: &mut Sink<'_>);

    /// Number of lines dropped for their length since the last call.
    fn take_dropped(&mut self) -> u64;

    /// What was written since the source was read last and while it could not be read: to be read first. Asked after
    /// every call that may have started it.
    fn take_backlog(&mut self) -> Option<Backlog> {
        None
    }

    /// Where a next run has to go on so that no line is lost and none is handed on twice. `None` if the source cannot go
    /// on anywhere, or does not know yet where the first whole line begins.
    fn saved_position(&self) -> Option<SavedPosition> {
        None
    }
}
