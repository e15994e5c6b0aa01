//! Copies of a log that was copied and cut while nobody looked, perhaps again and again: which of them hold lines that were
//! not read, and from where on.
//!
//! A copy belongs if a rotation makes its name, the log's owner owns it, and it was written later than the copy in which
//! the reading had stopped, or than anything that was known before. That may be wrong, so its lines count by their own times.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::file::{Id, LeftFile};
use super::fingerprint::SIZE;
use crate::source::backlog::{Candidate, rotated_names};
use crate::source::saved_position::FileMark;
use crate::time::Now;

/// Fewer bytes may stand in two files by chance.
const TELLING: usize = 64;

/// Where the reading of a log had stopped when the log was cut.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) mark: FileMark,
    /// Where to go on: the unfinished line is to be read again.
    pub(super) begin: u64,
}

/// How a file begins that is still to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Beginning {
    head: Vec<u8>,
    /// When a file was written that is empty.
    written: Option<SystemTime>,
}

impl Beginning {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let written = file.metadata()?.modified()?;
        let head = head(file)?;
        Ok(Self { written: head.is_empty().then_some(written), head })
    }

    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether a file that began like this can begin like the other one now and was not cut.
    pub(super) fn becomes(&self, later: &Self) -> bool {
        if self.head.is_empty() { self == later } else { later.head.starts_with(&self.head) }
    }

    /// Whether a file that begins with these bytes can be a copy, or a part of one.
    fn is_of(&self, head: &[u8]) -> bool {
        !self.head.is_empty() && (head.starts_with(&self.head) || self.head.starts_with(head))
    }
}

/// A file that was read, or is going to be.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) id: Id,
    pub(super) head: &'a [u8],
    /// Whether it is open, so that its number can be no other file's.
    pub(super) is_open: bool,
}

/// What is looked for.
#[derive(Debug)]
pub(super) struct Search<'a> {
    pub(super) log: &'a Path,
    pub(super) owner: u32,
    pub(super) cut: Option<&'a Cut>,
    /// What was written later comes behind the next file.
    pub(super) until: Option<SystemTime>,
    pub(super) known: Vec<Known<'a>>,
    pub(super) unread: Vec<&'a Beginning>,
    /// Most files to open.
    pub(super) most: usize,
}

/// A file that nobody has read, from a place on.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) file: Candidate,
    pub(super) begin: u64,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    /// Oldest first.
    pub(super) files: Vec<Unread>,
    newest: SystemTime,
    /// Those, and what does not count: how each begins.
    passed: Vec<(Id, Vec<u8>)>,
    /// All that is there now.
    present: Vec<Id>,
}

/// How far the copies have been looked through.
#[derive(Debug)]
pub(super) struct Copies {
    /// What was written before has been read or does not count.
    newest: SystemTime,
    passed: Passed,
}

/// The files beside the log that have been read or do not count, whatever becomes of their times: how each begins.
#[derive(Debug, Default)]
struct Passed(HashMap<Id, Vec<u8>>);

impl Passed {
    fn add(&mut self, id: Id, mut head: Vec<u8>) {
        head.truncate(TELLING);
        self.0.insert(id, head);
    }

    /// Whether it is one of them, and no other that has got the number.
    fn holds(&self, id: Id, head: &[u8]) -> bool {
        self.0.get(&id).is_some_and(|known| !known.is_empty() && head.starts_with(known))
    }
}

/// A file beside the log.
#[derive(Debug)]
struct Listed {
    written: SystemTime,
    number: Reverse<u32>,
    path: PathBuf,
    id: Id,
    owner: u32,
}

impl Copies {
    /// What is there now counts as read; the latest `most` of that are told, because their writers may go on.
    pub(super) fn start(log: &Path, most: usize) -> (Self, VecDeque<LeftFile>) {
        let list = list(log);
        let latest = list[list.len().saturating_sub(most)..].iter().filter_map(|listed| {
            let Candidate { file, length, .. } = listed.open()?;
            LeftFile::of(listed.id, &file, length).ok()
        });
        let latest = latest.collect();
        let newest = list.last().map_or(SystemTime::UNIX_EPOCH, |last| last.written);
        let mut passed = Passed::default();
        list.iter().filter_map(Listed::begin).for_each(|(id, head)| passed.add(id, head));
        (Self { newest, passed }, latest)
    }

    /// A file that was written last at this time has been read.
    pub(super) fn pass(&mut self, written: SystemTime) {
        self.newest = self.newest.max(written);
    }

    /// Takes what was found as read.
    pub(super) fn take(&mut self, found: Found) -> Vec<Unread> {
        self.newest = found.newest;
        self.passed.0.retain(|id, _| found.present.contains(id));
        found.passed.into_iter().for_each(|(id, head)| self.passed.add(id, head));
        found.files
    }

    /// Looks for copies. `None` if they got other names meanwhile.
    pub(super) fn find(&self, search: &Search<'_>) -> Option<Found> {
        // A file from the future must not hide all others.
        let newest = self.newest.min(Now::read().wall);
        let counts = |file: &Listed| {
            let at = file.written;
            file.owner == search.owner && at >= newest && search.until.is_none_or(|until| at <= until)
        };
        let names = |listed: &[Listed]| {
            let counting = listed.iter().filter(|file| counts(file));
            let mut names: Vec<_> = counting.map(|file| (file.path.clone(), file.id)).collect();
            names.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            names
        };
        let mut listed = list(search.log);
        let (present, before) = (listed.iter().map(|file| file.id).collect(), names(&listed));
        listed.retain(counts);
        let found = match search.cut {
            None => search.behind(&listed, Vec::new(), newest, &self.passed),
            Some(cut) => search.since(cut, &listed, newest, &self.passed),
        };
        (before == names(&list(search.log))).then_some(Found { present, ..found })
    }
}

impl Search<'_> {
    /// From the latest copy on of what was read.
    fn since(&self, cut: &Cut, listed: &[Listed], newest: SystemTime, passed: &Passed) -> Found {
        let fitting = listed.iter().enumerate().rev().find_map(|(at, listed)| {
            let file = listed.open().filter(|file| cut.fits(&file.file))?;
            let head = head(&file.file).ok()?;
            (!self.is_same_known(listed.id, &head) && !passed.holds(listed.id, &head)).then_some((at, file))
        });
        // Whatever the others are, they are none of this log.
        let Some((at, file)) = fitting else { return self.found(Vec::new(), newest, listed) };
        let written = listed[at].written;
        let first = listed.iter().position(|listed| listed.written == written).unwrap_or(at);
        self.behind(&listed[first..], vec![Unread { file, begin: cut.begin }], written, passed)
    }

    /// Those that nobody has read at all, behind what was found.
    fn behind(&self, listed: &[Listed], mut files: Vec<Unread>, mut newest: SystemTime, passed: &Passed) -> Found {
        let mut heads: Vec<Vec<u8>> = files.iter().filter_map(|unread| head(&unread.file.file).ok()).collect();
        for listed in listed {
            if files.len() >= self.most {
                break;
            }
            let Some(file) = listed.open() else { continue };
            let Ok(head) = head(&file.file) else { continue };
            let is_told = head.len() >= TELLING && heads.contains(&head);
            let is_passed = self.is_known(listed.id, &head) || passed.holds(listed.id, &head);
            if head.is_empty() || is_told || is_passed || self.is_coming(&head) {
                continue;
            }
            newest = newest.max(listed.written);
            heads.push(head);
            files.push(Unread { file, begin: 0 });
        }
        self.found(files, newest, listed)
    }

    /// What was found is not looked for again; if that is nothing, none of the others is. So a search comes to its end,
    /// however many files there are, and whatever their times say.
    fn found(&self, files: Vec<Unread>, newest: SystemTime, listed: &[Listed]) -> Found {
        let passed = if files.is_empty() {
            listed.iter().filter_map(Listed::begin).filter(|(_, head)| !self.is_coming(head)).collect()
        } else {
            let taken = files.iter().map(|unread| &unread.file);
            taken.filter_map(|file| Some((Id::of_candidate(file), head(&file.file).ok()?))).collect()
        };
        Found { files, newest, passed, present: Vec::new() }
    }

    /// Whether a file has been read, or a copy of it. A number alone says little: it is given to the next file.
    fn is_known(&self, id: Id, head: &[u8]) -> bool {
        let is_copy = |known: &Known<'_>| known.head.len() >= TELLING && head.starts_with(known.head);
        self.is_same_known(id, head) || self.known.iter().any(is_copy)
    }

    fn is_same_known(&self, id: Id, head: &[u8]) -> bool {
        let begins = |known: &Known<'_>| !known.head.is_empty() && head.starts_with(known.head);
        self.known.iter().any(|known| known.id == id && (known.is_open || begins(known)))
    }

    /// Whether it may be a copy of what is to be read then, which may not be finished.
    fn is_coming(&self, head: &[u8]) -> bool {
        self.unread.iter().any(|unread| unread.is_of(head))
    }
}

impl Cut {
    /// Whether a file is a copy of what was read.
    fn fits(&self, file: &File) -> bool {
        self.mark.before.len() >= TELLING && self.mark.fits(file)
    }
}

impl Listed {
    /// Opens it, if it is still under that name.
    fn open(&self) -> Option<Candidate> {
        Candidate::open(&self.path).ok().filter(|file| Id::of_candidate(file) == self.id)
    }

    /// Which file it is, and how it begins.
    fn begin(&self) -> Option<(Id, Vec<u8>)> {
        Some((self.id, head(&self.open()?.file).ok()?))
    }
}

/// Files that a rotation has made of the log, oldest first. With hundreds of them, only their names cost.
fn list(log: &Path) -> Vec<Listed> {
    let listed = rotated_names(log).into_iter().filter_map(|path| {
        let metadata = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
        let number = path.extension().and_then(|number| number.to_str()?.parse().ok()).unwrap_or(0);
        let (written, id, owner) = (metadata.modified().ok()?, Id::of(&metadata), metadata.uid());
        Some(Listed { written, number: Reverse(number), path, id, owner })
    });
    let mut listed: Vec<Listed> = listed.collect();
    // Of two that were written at the same time the one with the higher number is older, as logrotate counts.
    listed.sort_by(|one, other| (one.written, one.number, &one.path).cmp(&(other.written, other.number, &other.path)));
    listed.dedup_by(|one, other| one.id == other.id);
    listed
}

/// The first bytes of a file.
fn head(file: &File) -> io::Result<Vec<u8>> {
    let mut head = vec![0; SIZE];
    let mut length = 0;
    loop {
        match file.read_at(&mut head[length..], length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    head.truncate(length);
    Ok(head)
}
