//! Where a next run goes on in a log: saved with the ring at a clean stop.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::Position;

/// Most bytes in front of a place that are remembered: nearly always the whole last line, with its time stamp. The ends of
/// lines may be alike.
const BEFORE: usize = 256;

/// A place in a log that outlives the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SavedPosition {
    /// In a file, between two lines.
    File(FileMark),
    /// Behind an entry of systemd's journal, in the words of `journalctl`.
    Cursor(String),
}

/// A place in a file. Neither name nor number tell which file it was: names move on with each rotation, a rotation by
/// copying gives the old lines a new number, and a number is used again. What stands in front of the place does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMark {
    /// The place.
    pub position: Position,
    /// Up to 256 bytes that stand in front of it.
    pub before: Vec<u8>,
}

impl FileMark {
    /// Of a place in an open file.
    ///
    /// # Errors
    /// The file cannot be read, or is shorter.
    pub fn at(file: &File, position: Position) -> io::Result<Self> {
        Ok(Self { position, before: before(file, position.offset, BEFORE)? })
    }

    /// Moves behind bytes that stand behind the place.
    pub(super) fn move_behind(&mut self, bytes: &[u8]) {
        self.position.offset += bytes.len() as u64;
        let fresh = &bytes[bytes.len().saturating_sub(BEFORE)..];
        let kept = (BEFORE - fresh.len()).min(self.before.len());
        self.before.drain(..self.before.len() - kept);
        self.before.extend_from_slice(fresh);
    }

    /// Whether the place can be one of this file, going by what stands in front of it. That says nothing of the start of
    /// a file.
    pub fn fits(&self, file: &File) -> bool {
        let Self { position: Position { offset, .. }, before: expected } = self;
        !expected.is_empty() && before(file, *offset, expected.len()).is_ok_and(|before| before == *expected)
    }
}

fn before(file: &File, offset: u64, most: usize) -> io::Result<Vec<u8>> {
    let size = offset.min(most as u64);
    let mut bytes = vec![0; size as usize];
    file.read_exact_at(&mut bytes, offset - size)?;
    Ok(bytes)
}
