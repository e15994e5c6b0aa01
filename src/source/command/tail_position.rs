//! Knows where in its file stands what `tail` prints. `tail` does not tell when it goes on with another file, so each block is
//! compared with what the file holds there; what differs has no place.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::source::{self, Position, id};

/// Bytes at the end of a block that are compared: nearly always the whole last line, with its time stamp.
const COMPARED: usize = 256;

/// Where the output of one `tail` stands.
#[derive(Debug)]
pub(super) struct TailPosition {
    log: PathBuf,
    open: Option<Open>,
    /// The file in which nothing was found.
    given_up: Option<(u64, u64)>,
}

/// The file that is being printed.
#[derive(Debug)]
struct Open {
    file: File,
    device: u64,
    inode: u64,
    /// What is added to a place in the output to have that in the file.
    shift: i64,
}

impl TailPosition {
    /// For a `tail` that begins so many bytes behind the start of the file that has the log's name now; `None` if it begins
    /// elsewhere.
    pub(super) fn new(log: &Path, from: Option<u64>) -> Self {
        let shift = from.and_then(|from| i64::try_from(from).ok());
        let open = shift.and_then(|shift| Open::of(log, shift));
        // A file that is printed from an unknown place on.
        let given_up = if open.is_none() { id(log) } else { None };
        Self { log: log.to_owned(), open, given_up }
    }

    /// Where a block stands that was printed at this place of the output.
    pub(super) fn of(&mut self, output: u64, block: &[u8]) -> Option<Position> {
        let tail = block.len().saturating_sub(COMPARED);
        if let Some(open) = self.open.take_if(|open| !open.holds(output + tail as u64, &block[tail..])) {
            // It may have been cut and begun anew, too.
            self.given_up = None;
            drop(open);
        }
        if self.open.is_none() {
            self.open = self.begun_anew(output, block);
        }
        self.open.as_ref()?.position(output)
    }

    /// The file that has the log's name, if it begins with this block.
    fn begun_anew(&mut self, output: u64, block: &[u8]) -> Option<Open> {
        let id = id(&self.log)?;
        if self.given_up.replace(id) == Some(id) {
            return None;
        }
        let shift = i64::try_from(output).ok()?.checked_neg()?;
        Open::of(&self.log, shift).filter(|open| open.holds(output, block))
    }
}

impl Open {
    fn of(log: &Path, shift: i64) -> Option<Self> {
        let (file, metadata) = source::open(log).ok()?;
        Some(Self { device: metadata.dev(), inode: metadata.ino(), file, shift })
    }

    fn position(&self, output: u64) -> Option<Position> {
        let offset = output.checked_add_signed(self.shift)?;
        Some(Position { device: self.device, inode: self.inode, offset })
    }

    /// Whether the file holds what was printed at this place of the output.
    fn holds(&self, output: u64, printed: &[u8]) -> bool {
        let Some(mut offset) = output.checked_add_signed(self.shift) else { return false };
        printed.chunks(COMPARED).all(|printed| {
            let mut held = [0; COMPARED];
            let held = &mut held[..printed.len()];
            let same = self.file.read_exact_at(held, offset).is_ok() && held == printed;
            offset += printed.len() as u64;
            same
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    fn offset(place: &mut TailPosition, output: u64, block: &str) -> Option<u64> {
        place.of(output, block.as_bytes()).map(|position| position.offset)
    }

    #[test]
    fn a_place_is_told_only_where_the_file_holds_the_block() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        fs::write(&log, "one\ntwo\nthree\nfour\n").unwrap();
        let mut place = TailPosition::new(&log, Some(4));
        assert_eq!(offset(&mut place, 0, "two\n"), Some(4));
        assert_eq!(offset(&mut place, 4, "three\n"), Some(8));
        fs::rename(&log, directory.path().join("log.1")).unwrap();
        fs::write(&log, "five\nsix\nseven\n").unwrap();
        assert_eq!(offset(&mut place, 10, "four\n"), Some(14), "still of the old file");
        assert_eq!(offset(&mut place, 15, "five\nsix\n"), Some(0));
        assert_eq!(offset(&mut place, 24, "seven\n"), Some(9));
        // Cut, and begun anew.
        fs::write(&log, "eight\n").unwrap();
        assert_eq!(offset(&mut place, 30, "eight\n"), Some(0));
        // The end of one file and the begin of the next.
        fs::remove_file(&log).unwrap();
        fs::write(&log, "ten\neleven\n").unwrap();
        assert_eq!(offset(&mut place, 36, "nine\nten\n"), None);
        assert_eq!(offset(&mut place, 45, "eleven\n"), None);
        assert_eq!(offset(&mut place, 4, "eleven\n"), None, "given up");
    }

    #[test]
    fn without_a_known_begin_there_is_no_place_until_the_next_file() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        fs::write(&log, "one\n").unwrap();
        let mut place = TailPosition::new(&log, None);
        assert_eq!(offset(&mut place, 0, "one\n"), None);
        fs::rename(&log, directory.path().join("log.1")).unwrap();
        fs::write(&log, "two\n").unwrap();
        assert_eq!(offset(&mut place, 4, "two\n"), Some(0));
        // No file at all.
        assert_eq!(offset(&mut TailPosition::new(directory.path(), Some(0)), 0, "x\n"), None);
    }
}
