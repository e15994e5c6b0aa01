//! Whether an open file still holds what was read from it: a log may be cut to nothing and grow again between two looks,
//! so that its size alone tells nothing.

use std::fs::File;
use std::io::{self, IoSliceMut, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

/// Bytes compared at each end of what was read.
pub(super) const SIZE: usize = 256;

/// The first and the last bytes of what was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fingerprint {
    head: Vec<u8>,
    tail: Vec<u8>,
}

/// What has happened to a file in which other bytes stand than were read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// None after all.
    None,
    /// It was cut to nothing, and may have grown again: all it holds is new.
    Anew,
    /// It begins as before. It was cut in the middle or rewritten, and what is new in it cannot be told.
    Altered,
}

impl Fingerprint {
    /// Of the first `offset` bytes of a file.
    ///
    /// # Errors
    /// The file cannot be read, or is shorter.
    pub(super) fn take(file: &File, offset: u64) -> io::Result<Self> {
        let size = offset.min(SIZE as u64) as usize;
        let mut fingerprint = Self { head: vec![0; size], tail: vec![0; size] };
        file.read_exact_at(&mut fingerprint.head, 0)?;
        file.read_exact_at(&mut fingerprint.tail, offset - size as u64)?;
        Ok(fingerprint)
    }

    /// Takes in what was read after it.
    fn add(&mut self, bytes: &[u8]) {
        let room = SIZE - self.head.len();
        self.head.extend_from_slice(&bytes[..room.min(bytes.len())]);
        let kept = SIZE.saturating_sub(bytes.len()).min(self.tail.len());
        self.tail.drain(..self.tail.len() - kept);
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(SIZE)..]);
    }

    /// The last bytes of what was read but for `without` of them; `None` if there are none.
    pub(super) fn before(&self, without: u64) -> Option<Vec<u8>> {
        let kept = self.tail.len().checked_sub(usize::try_from(without).ok()?)?;
        Some(self.tail[..kept].to_vec()).filter(|bytes| !bytes.is_empty())
    }

    /// The first bytes of what was read.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// What has happened to a file of which the first `offset` bytes had this fingerprint.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn change(&self, file: &File, offset: u64) -> io::Result<Change> {
        match Self::take(file, offset) {
            Ok(fingerprint) if fingerprint == *self => return Ok(Change::None),
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
            _ => {}
        }
        let mut head = vec![0; self.head.len()];
        match file.read_exact_at(&mut head, 0) {
            Ok(()) if head == self.head => Ok(Change::Altered),
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            _ => Ok(Change::Anew),
        }
    }
}

/// Reads a file from an offset on, and in the same system call what stands in front of it: so there is no moment between
/// the comparison and the reading.
pub(super) struct Compared<'a> {
    pub(super) file: &'a mut File,
    pub(super) offset: u64,
    pub(super) fingerprint: &'a mut Fingerprint,
    /// What stands at the place, as far as is known.
    pub(super) ahead: &'a [u8],
    /// Set if other bytes stand there than were read; nothing is read then.
    pub(super) differs: bool,
}

impl Read for Compared<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let before = self.fingerprint.tail.len();
        let mut again = [0; SIZE];
        self.file.seek(SeekFrom::Start(self.offset - before as u64))?;
        let read =
            self.file.read_vectored(&mut [IoSliceMut::new(&mut again[..before]), IoSliceMut::new(&mut *buffer)])?;
        match read.checked_sub(before) {
            Some(fresh) if again[..before] == self.fingerprint.tail && buffer[..fresh].starts_with(self.ahead) => {
                self.fingerprint.add(&buffer[..fresh]);
                Ok(fresh)
            }
            _ => {
                self.differs = true;
                Err(io::ErrorKind::InvalidData.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_fingerprint_grows_as_if_taken_at_once() {
        let bytes: Vec<u8> = (0..5_000_u32).map(|number| (number % 251) as u8).collect();
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        for step in [1, 7, 255, 256, 257, 1000] {
            let (mut fingerprint, mut end) = (Fingerprint::default(), 0);
            for piece in bytes.chunks(step) {
                fingerprint.add(piece);
                end += piece.len();
                assert_eq!(fingerprint, Fingerprint::take(&file, end as u64).unwrap(), "in steps of {step}, at {end}");
            }
        }
    }

    #[test]
    fn changes_are_told_apart() {
        let file = tempfile::tempfile().unwrap();
        let text = "a line of the log\n".repeat(100);
        file.write_all_at(text.as_bytes(), 0).unwrap();
        let fingerprint = Fingerprint::take(&file, 1000).unwrap();
        assert_eq!(fingerprint.change(&file, 1000).unwrap(), Change::None);
        file.write_all_at(b"another", 900).unwrap();
        assert_eq!(fingerprint.change(&file, 1000).unwrap(), Change::Altered, "rewritten");
        file.set_len(500).unwrap();
        assert_eq!(fingerprint.change(&file, 1000).unwrap(), Change::Altered, "cut in the middle");
        file.set_len(100).unwrap();
        assert_eq!(fingerprint.change(&file, 1000).unwrap(), Change::Anew, "cut");
        file.write_all_at("A line of the log\n".repeat(100).as_bytes(), 0).unwrap();
        assert_eq!(fingerprint.change(&file, 1000).unwrap(), Change::Anew, "cut and grown again");
    }
}
