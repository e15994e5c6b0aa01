//! One file that is read: where it is read to, its unfinished line, and whether it is still the same.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::From;
use super::copies::{Beginning, Cut};
use super::fingerprint::{Change, Compared, Fingerprint};
use crate::source::backlog::{Candidate, begins_a_line};
use crate::source::lines::{Lines, READ};
use crate::source::saved_position::FileMark;
use crate::source::{self, Age, Gap, Origin, Position, Sink};
use crate::time::Timestamp;

/// For how long lines count by their own times that come into a log which was cut or found.
const SETTLES: Duration = Duration::from_secs(5);

/// Device and number: which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Id {
    device: u64,
    inode: u64,
}

impl Id {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    pub(super) fn of_candidate(file: &Candidate) -> Self {
        Self { device: file.device, inode: file.inode }
    }
}

/// A file that is not read any more, in case its name comes back to it.
#[derive(Debug)]
pub(super) struct LeftFile {
    pub(super) id: Id,
    offset: u64,
    fingerprint: Fingerprint,
    in_a_line: bool,
}

impl LeftFile {
    /// A file of which the first `end` bytes were read.
    ///
    /// # Errors
    /// It cannot be read, or is shorter.
    pub(super) fn of(id: Id, file: &File, end: u64) -> io::Result<Self> {
        let in_a_line = end > 0 && !begins_a_line(file, end)?;
        Ok(Self { id, offset: end, fingerprint: Fingerprint::take(file, end)?, in_a_line })
    }

    /// How it begins, as far as it was read.
    pub(super) fn head(&self) -> &[u8] {
        self.fingerprint.head()
    }
}

/// What a read has brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Bytes of the log.
    Some,
    /// Nothing: all has been read.
    End,
    /// Nothing, because the file is not what it was; what to do about that is done.
    Changed(Change),
    /// Nothing, because the file is at its beginning, where copies of it may come first.
    Unread,
}

/// An open log file.
#[derive(Debug)]
pub(super) struct LogFile {
    file: File,
    pub(super) id: Id,
    lines: Lines,
    fingerprint: Fingerprint,
    /// Whether all has been read, as far as is known.
    pub(super) at_end: bool,
    /// When something was read last, or the file got a successor.
    pub(super) active: Timestamp,
    /// Up to here its lines were there when it was found or was cut, and nobody has seen them come: they may be old.
    found: u64,
    /// Until then nobody can tell either: whoever rewrites a log in place does not write it at once.
    settles: Timestamp,
    /// Whether lines may be missing in front of the next.
    pub(super) gap: Gap,
    /// Whether something was read from it that is not there any more.
    was_cut: bool,
    /// Up to where it had been read when it was cut: its lines may live on in copies that were not looked for yet.
    pub(super) cut: Option<Cut>,
    /// How it began when nothing that comes in front of it was left to be read.
    pub(super) beginning: Option<Beginning>,
}

impl LogFile {
    /// Opens the file that has the name now.
    ///
    /// # Errors
    /// It cannot be opened, or is no regular file.
    pub(super) fn open(path: &Path, from: From, now: Timestamp) -> io::Result<Self> {
        let (file, metadata) = source::open(path)?;
        let id = Id::of(&metadata);
        let offset = match from {
            From::Start => 0,
            From::End => metadata.len(),
            From::At(position) => saved_offset(&file, &metadata, position),
        };
        let mut opened = Self {
            file,
            id,
            lines: Lines::default(),
            fingerprint: Fingerprint::default(),
            at_end: false,
            active: now,
            found: 0,
            settles: now,
            gap: Gap::None,
            was_cut: false,
            cut: None,
            beginning: None,
        };
        opened.go_to(offset)?;
        Ok(opened)
    }

    /// Lets all it holds now, or gets soon, count by its own time.
    ///
    /// # Errors
    /// It cannot be looked at.
    pub(super) fn distrust(&mut self, now: Timestamp) -> io::Result<()> {
        self.found = self.file.metadata()?.len();
        self.settles = now + SETTLES;
        Ok(())
    }

    /// Goes on where it was left, if it is still that file.
    pub(super) fn resume(&mut self, left: LeftFile) {
        if matches!(left.fingerprint.change(&self.file, left.offset), Ok(Change::Anew)) {
            return;
        }
        self.lines.go_to(left.offset);
        self.fingerprint = left.fingerprint;
        if left.in_a_line {
            self.lines.skip_to_newline();
        }
    }

    pub(super) fn leave(self) -> LeftFile {
        let in_a_line = self.lines.has_unfinished();
        LeftFile { id: self.id, offset: self.lines.offset(), fingerprint: self.fingerprint, in_a_line }
    }

    /// Goes on at `offset`, or behind the line that stands there.
    fn go_to(&mut self, offset: u64) -> io::Result<()> {
        self.fingerprint = Fingerprint::take(&self.file, offset)?;
        self.lines.go_to(offset);
        if offset > 0 && !begins_a_line(&self.file, offset)? {
            self.lines.skip_to_newline();
        }
        Ok(())
    }

    /// Reads once.
    ///
    /// # Errors
    /// It cannot be read; nothing is lost.
    pub(super) fn read(&mut self, now: Timestamp, sink: &mut Sink<'_>) -> io::Result<Step> {
        if self.is_unread() && !self.begins_as_known()? {
            return Ok(if self.at_end { Step::End } else { Step::Unread });
        }
        let Self { file, id, lines, fingerprint, found, settles, gap, beginning, .. } = self;
        let offset = lines.offset();
        let ahead = beginning.as_ref().filter(|_| offset == 0).map_or(&[][..], Beginning::head);
        let mut input = Compared { file, offset, fingerprint, ahead, differs: false };
        let mut place = |offset| {
            let age = if offset < *found || now < *settles { Age::Past } else { Age::Live };
            let position = Position { device: id.device, inode: id.inode, offset };
            Origin { position: Some(position), age, gap: std::mem::replace(gap, Gap::None) }
        };
        let goes_on = |_: &Compared<'_>, fresh: &[u8]| fresh.len() == READ;
        let result = lines.read_on(&mut input, &goes_on, &mut |offset, lines| sink(place(offset), lines));
        if input.differs && offset == 0 {
            self.distrust(now)?;
            self.beginning = None;
            return Ok(Step::Unread);
        }
        if input.differs {
            return self.changed(offset, now).map(Step::Changed);
        }
        let read = result?;
        // What is written from now on is told by another event.
        self.at_end = read < READ;
        if read == 0 {
            return Ok(Step::End);
        }
        self.active = now;
        Ok(Step::Some)
    }

    fn changed(&mut self, offset: u64, now: Timestamp) -> io::Result<Change> {
        let change = self.fingerprint.change(&self.file, offset)?;
        match change {
            Change::None => {}
            Change::Anew => {
                self.distrust(now)?;
                self.gap = Gap::Before;
                let position = Position { device: self.id.device, inode: self.id.inode, offset };
                let mark = FileMark { position, before: self.fingerprint.before(0).unwrap_or_default() };
                self.cut = Some(Cut { mark, begin: self.lines.again() });
                self.beginning = None;
                self.fingerprint = Fingerprint::default();
                self.lines.go_to(0);
                self.was_cut = true;
            }
            Change::Altered => {
                self.distrust(now)?;
                self.gap = Gap::Before;
                self.go_to(offset.min(self.found))?;
            }
        }
        Ok(change)
    }

    /// Whether nothing has been read from it, as it is now.
    pub(super) fn is_unread(&self) -> bool {
        self.lines.offset() == 0
    }

    /// Whether it can be read from its beginning, of which nothing is in another file; else it is at its end, or that is to
    /// be found out.
    fn begins_as_known(&mut self) -> io::Result<bool> {
        match &self.beginning {
            Some(known) if known.head().is_empty() => {
                self.at_end = *known == Beginning::of(&self.file)?;
                if !self.at_end {
                    self.beginning = None;
                }
                Ok(false)
            }
            known => Ok(known.is_some()),
        }
    }

    /// How it begins now.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn begin(&self) -> io::Result<Beginning> {
        Beginning::of(&self.file)
    }

    /// Takes in that it was written to.
    pub(super) fn written(&mut self) {
        self.at_end = false;
        self.beginning.take_if(|known| known.head().is_empty());
    }

    /// How it began, as far as it was read.
    pub(super) fn head(&self) -> &[u8] {
        self.fingerprint.head()
    }

    /// What the file system tells of it.
    ///
    /// # Errors
    /// It has forgotten it, as a server may.
    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Where the next line begins, if that is known.
    pub(super) fn position(&self) -> Option<Position> {
        let Id { device, inode } = self.id;
        self.lines.next_line().map(|offset| Position { device, inode, offset })
    }

    /// Whether nothing has ever been read from it.
    pub(super) fn is_new(&self) -> bool {
        !self.was_cut && self.lines.next_line() == Some(0)
    }

    /// The place to which it was read, to be found by a next run. Nothing tells the start of one file from that of another, and
    /// what has no name, whatever that is, is not found.
    pub(super) fn mark(&self) -> Option<FileMark> {
        let position = self.position().filter(|position| position.offset > 0)?;
        let has_name = self.file.metadata().is_ok_and(|metadata| metadata.nlink() > 0);
        // Not as the file is now: it may have been cut since, and have grown again.
        let offset = self.lines.offset();
        let known = self.fingerprint.before(offset - position.offset).map(|before| FileMark { position, before });
        // In front of lines that are kept back.
        let is_same = || matches!(self.fingerprint.change(&self.file, offset), Ok(Change::None));
        known.or_else(|| FileMark::at(&self.file, position).ok().filter(|_| is_same())).filter(|_| has_name)
    }

    /// Whether nothing is left to be read, nor has come since.
    pub(super) fn is_read(&self) -> bool {
        self.at_end && self.file.metadata().map_or(true, |metadata| metadata.len() <= self.lines.offset())
    }

    pub(super) fn take_dropped(&mut self) -> u64 {
        self.lines.take_dropped()
    }

    pub(super) fn descriptor(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

/// The offset of a position that was saved for this file. Its start, if the position is another file's, or cannot be
/// this one's because no line begins there: a new file may have got the old one's number.
fn saved_offset(file: &File, metadata: &Metadata, position: Position) -> u64 {
    let Position { device, inode, offset } = position;
    let same = Id::of(metadata) == Id { device, inode } && offset <= metadata.len();
    if same && offset > 0 && begins_a_line(file, offset).unwrap_or(false) { offset } else { 0 }
}
