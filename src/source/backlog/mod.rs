//! What was written into a log file while nobody watched: read at start, with the lines' own times.
//!
//! What matters begins where the last run has left off or one grace ago, whichever is later; the second is found by going
//! back from the end, so that it costs the same in a log of 10 GB. It may begin in the files that had the log's name
//! before.

mod older;
mod search;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use self::older::Older;
pub(super) use self::older::{Candidate, rotated_names};
pub use self::older::{is_compressed, is_older_name};
pub use self::search::Window;
use super::lines::Lines;
use super::saved_position::FileMark;
use super::{Age, Gap, Origin, Position, Sink};
use crate::output::error::io_cause;

/// Bytes in front of the first that count which are read for what the matchers have to remember: the address of a session
/// that logs in behind them, or a message whose rest comes behind them. They grant nothing. The first half may be the rest of one
/// message (GNU imap4d's has 64 KiB), and tells nothing.
const WARM_UP: u64 = 128 * 1024;

/// How often the search is begun anew because a file was cut meanwhile.
const ATTEMPTS: usize = 5;

/// A place to go on that an earlier run, or an earlier follower, has left.
#[derive(Debug, Clone, Copy)]
pub struct SavedMark<'m> {
    /// The place.
    pub mark: &'m FileMark,
    /// Whether it was left within the last grace: then everything behind it matters, whatever its stamps say.
    pub is_fresh: bool,
}

/// What was found of a log.
#[derive(Debug)]
pub struct Found {
    /// The lines that are left to be read.
    pub backlog: Backlog,
    /// Behind which line the log's follower has to go on.
    pub live: Position,
    /// The files that had the name before, the latest last, and where their lines end, if nothing has been written into the
    /// log yet: a writer may not have noticed that there is a new one.
    pub before: Vec<(PathBuf, Position)>,
}

/// Part of a file.
#[derive(Debug)]
struct Piece {
    file: Candidate,
    /// Where to begin, or behind the line that stands there.
    begin: u64,
    /// Up to here the lines are too old, or have counted in an earlier run.
    counted: u64,
    end: u64,
    /// Whether lines may be missing in front of it.
    gap: Gap,
}

/// The lines that are left to be read.
#[derive(Debug)]
pub struct Backlog {
    pieces: VecDeque<Piece>,
    lines: Lines,
    /// Whether the first piece is being read.
    begun: bool,
    bytes: u64,
}

impl Backlog {
    /// Finds what is to be read of the log of this name, and where its follower has to go on.
    ///
    /// # Errors
    /// The file cannot be read, or is no regular file.
    pub fn find(path: &Path, saved: Option<SavedMark<'_>>, window: &Window) -> io::Result<Found> {
        for _ in 1..ATTEMPTS {
            match Self::find_once(path, saved, window) {
                // A file was cut meanwhile.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                result => return result,
            }
        }
        Self::find_once(path, saved, window)
    }

    fn find_once(path: &Path, saved: Option<SavedMark<'_>>, window: &Window) -> io::Result<Found> {
        let log = Candidate::open(path)?;
        let end = end_of_lines(&log.file, log.length)?;
        let live = log.position(end);
        let mut older = Older::of(path, &log, window);
        let found = saved.and_then(|saved| Some((older.find(saved.mark, &log)?, saved.mark.position.offset)));
        let is_fresh = saved.is_some_and(|saved| saved.is_fresh);
        if found.is_none() {
            older.take_back(window);
        }
        let mut before = Vec::new();
        for file in older.files.iter_mut().filter(|_| log.length == 0) {
            file.length = end_of_lines(&file.file, file.length)?;
            before.push((file.path.clone(), file.position(file.length)));
        }
        let mut pieces = VecDeque::new();
        for (at, file) in older.files.into_iter().chain([log]).enumerate() {
            pieces.extend(match found {
                Some((first, place)) if at + 1 == first && place < WARM_UP => Some(Piece::remembered(file)),
                Some((first, _)) if at < first => None,
                Some((first, place)) if at == first && is_fresh => Some(Piece::behind_place(file, place)),
                Some((first, place)) if at == first => Some(Piece::since(file, window)?.behind(place)),
                _ => Some(Piece::since(file, window)?),
            });
        }
        if let Some(log) = pieces.back_mut() {
            log.end = end;
        }
        if let Some(first) = pieces.front_mut() {
            first.gap = Gap::Before;
        }
        Ok(Found { backlog: Self::new(pieces), live, before })
    }

    /// Files that are read one behind the other, each from a place on: or behind the line that stands there. One that is read
    /// whole may have lost its end before the next one was begun.
    pub(super) fn of(files: impl Iterator<Item = (Candidate, u64)>) -> Self {
        let gap = |begin| if begin == 0 { Gap::Before } else { Gap::None };
        let pieces =
            files.map(|(file, begin)| Piece { begin, counted: 0, end: file.length, file, gap: gap(begin) }).collect();
        Self::new(pieces)
    }

    fn new(pieces: VecDeque<Piece>) -> Self {
        Self { pieces, lines: Lines::default(), begun: false, bytes: 0 }
    }

    /// Adds what the log got since: it has lost its name, and who follows the name begins with the next file.
    pub(super) fn take_rest(&mut self) {
        if let Some(last) = self.pieces.back_mut()
            && let Ok(metadata) = last.file.file.metadata()
        {
            last.end = metadata.len();
        }
    }

    /// Reads once. False when all has been read.
    pub fn read(&mut self, sink: &mut Sink<'_>) -> bool {
        let Some(piece) = self.pieces.front_mut() else { return false };
        match piece.read(&mut self.lines, !std::mem::replace(&mut self.begun, true), sink) {
            Ok(0) => self.next(),
            Ok(read) => self.bytes += read as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                let path = piece.file.path.display();
                log::warn!("cannot read log file {path} to its end: {}; going on behind it", io_cause(&error));
                self.next();
            }
        }
        !self.pieces.is_empty()
    }

    fn next(&mut self) {
        self.pieces.pop_front();
        self.begun = false;
    }

    /// Number of bytes to be read.
    pub(super) fn size(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.end.saturating_sub(piece.begin)).sum()
    }

    /// Number of bytes read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn take_dropped(&mut self) -> u64 {
        self.lines.take_dropped()
    }
}

impl Piece {
    /// The end of a file, as far as it matters by its time.
    fn since(file: Candidate, window: &Window) -> io::Result<Self> {
        let begin = window.begin(&file.file, file.length)?;
        Ok(Self::behind_place(file, begin))
    }

    /// What stands behind a place.
    fn behind_place(file: Candidate, place: u64) -> Self {
        Self { begin: place.saturating_sub(WARM_UP), counted: place, end: file.length, file, gap: Gap::None }
    }

    /// The end of a file of which all has counted.
    fn remembered(file: Candidate) -> Self {
        let end = file.length;
        Self::behind_place(file, end)
    }

    /// Leaves out what has counted.
    fn behind(self, place: u64) -> Self {
        let place = self.counted.max(place);
        Self::behind_place(self.file, place)
    }

    fn read(&mut self, lines: &mut Lines, first: bool, sink: &mut Sink<'_>) -> io::Result<usize> {
        let Self { file: Candidate { file, device, inode, .. }, begin, counted, end, gap } = self;
        if first {
            lines.go_to(*begin);
            if *begin > 0 && !begins_a_line(file, *begin)? {
                lines.skip_to_newline();
            }
        }
        let offset = lines.offset();
        let (part, age) = if offset < *counted { (*counted, Age::Counted) } else { (*end, Age::Past) };
        // Only what was looked for may be behind the end: the log's unfinished line is its follower's.
        let mut section = Section { file, offset, end: part.min(*end) };
        let (device, inode) = (*device, *inode);
        // What is handed on with the next read has the age of that.
        let goes_on = |section: &Section<'_>, _: &[u8]| section.offset < section.end;
        lines.read_on(&mut section, &goes_on, &mut |offset, lines| {
            let gap = std::mem::replace(gap, Gap::None);
            sink(Origin { position: Some(Position { device, inode, offset }), age, gap }, lines);
        })
    }
}

/// A part of a file, to be read.
struct Section<'f> {
    file: &'f File,
    offset: u64,
    end: u64,
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_sub(self.offset).min(buffer.len() as u64) as usize;
        let read = self.file.read_at(&mut buffer[..left], self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

/// Whether the byte in front of a place ends a line.
pub(super) fn begins_a_line(file: &File, offset: u64) -> io::Result<bool> {
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset - 1)?;
    Ok(byte == [b'\n'])
}

/// Where the last line that is complete ends.
fn end_of_lines(file: &File, length: u64) -> io::Result<u64> {
    let mut block = vec![0; 64 * 1024];
    let mut end = length;
    while end > 0 {
        let begin = end.saturating_sub(block.len() as u64);
        let part = &mut block[..(end - begin) as usize];
        file.read_exact_at(part, begin)?;
        if let Some(newline) = memchr::memrchr(b'\n', part) {
            return Ok(begin + newline as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}
