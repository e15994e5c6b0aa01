//! The files that had a log's name before: `mail.log.1`, `mail.log-20261122`, or `mail-20261122.log`.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::libc::{O_NOCTTY, O_NONBLOCK};

use super::search::Window;
use crate::source::bookmark::FileMark;

/// Endings of files that another program has compressed.
const COMPRESSED: [&str; 6] = ["gz", "xz", "bz2", "zst", "lz4", "Z"];

/// An open log file.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) length: u64,
    owner: u32,
    /// When it was written last.
    written: SystemTime,
}

impl Candidate {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // O_NONBLOCK: a named pipe must not stop the daemon.
        let file = OpenOptions::new().read(true).custom_flags(O_NONBLOCK | O_NOCTTY).open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let (device, inode, length) = (metadata.dev(), metadata.ino(), metadata.len());
        let (owner, written) = (metadata.uid(), metadata.modified()?);
        Ok(Self { path: path.to_owned(), file, device, inode, length, owner, written })
    }

    fn is(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// Where a saved place was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In one of the older files, counted from the oldest.
    Older(usize),
    /// In the log itself.
    Log,
}

/// The older files, oldest first.
#[derive(Debug)]
pub(super) struct Older {
    files: Vec<Candidate>,
    /// When the newest was written that is compressed, and its name.
    compressed: Option<(SystemTime, PathBuf)>,
}

impl Older {
    /// Looks beside the log, and where it is a link, beside its target. Only files of the log's owner count.
    pub(super) fn of(path: &Path, log: &Candidate) -> Self {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
        let mut older = Self { files: Vec::new(), compressed: None };
        let mut places = vec![(path, false)];
        if is_link {
            places.push((&target, true));
        }
        for (path, is_target) in places {
            let (Some(name), Some(directory)) = (path.file_name(), path.parent()) else { continue };
            let Ok(entries) = fs::read_dir(directory) else { continue };
            for entry in entries.flatten() {
                let other = entry.file_name();
                let is_dated = is_target && without_digits(&other) == without_digits(name);
                if other != name && (is_dated || is_older_name(name, &other)) {
                    older.add(&entry.path(), log);
                }
            }
        }
        older.files.sort_by_key(|file| file.written);
        older
    }

    fn add(&mut self, path: &Path, log: &Candidate) {
        let Ok(file) = Candidate::open(path) else { return };
        if is_compressed(path) {
            if self.compressed.as_ref().is_none_or(|(newest, _)| *newest < file.written) {
                self.compressed = Some((file.written, path.to_owned()));
            }
        } else if file.owner == log.owner && !file.is(log) && !self.files.iter().any(|known| known.is(&file)) {
            self.files.push(file);
        }
    }

    /// Where a saved place is now.
    pub(super) fn find(&self, mark: &FileMark, log: &Candidate) -> Option<Place> {
        let FileMark { position, .. } = mark;
        let is_same = |file: &Candidate| (file.device, file.inode) == (position.device, position.inode);
        // An empty file has nothing in front of the place but the beginning.
        let fits = |file: &Candidate| mark.fits(&file.file) || (position.offset == 0 && is_same(file));
        let older = |wanted: &dyn Fn(&Candidate) -> bool| self.files.iter().position(wanted).map(Place::Older);
        if is_same(log) && fits(log) {
            return Some(Place::Log);
        }
        older(&|file| is_same(file) && fits(file)).or_else(|| older(&fits)).or_else(|| fits(log).then_some(Place::Log))
    }

    /// The files that hold lines which matter: behind the saved place, if that was found, and not too old.
    pub(super) fn since(self, window: &Window, place: Option<Place>) -> Vec<Candidate> {
        if place.is_none() {
            self.regret(window);
        }
        let first = match place {
            Some(Place::Log) => self.files.len(),
            Some(Place::Older(at)) => at,
            None => 0,
        };
        let matters = |(at, file): &(usize, Candidate)| Some(Place::Older(*at)) == place || window.holds(file.written);
        self.files.into_iter().enumerate().skip(first).filter(matters).map(|(_, file)| file).collect()
    }

    /// Tells of a file that matters and cannot be read: gzip keeps the time of the last write.
    fn regret(&self, window: &Window) {
        let Some((written, path)) = &self.compressed else { return };
        let is_newer = self.files.last().is_none_or(|file| file.written < *written);
        if is_newer && window.holds(*written) {
            log::warn!(
                "cannot read the latest logins from {}: it is compressed; let logrotate compress with delay \
                 (delaycompress)",
                path.display()
            );
        }
    }
}

/// Whether a file's name says that it is compressed.
pub fn is_compressed(path: &Path) -> bool {
    path.extension().and_then(OsStr::to_str).is_some_and(|ending| COMPRESSED.contains(&ending))
}

/// Whether a rotation makes a file of this name out of `log`: behind it, or in front of its ending, a separator and a
/// number.
pub fn is_older_name(log: &OsStr, other: &OsStr) -> bool {
    let numbered = |rest: &[u8]| matches!(rest, [b'.' | b'-' | b'_', b'0'..=b'9', ..]) || rest == b".old";
    let (log, other) = (log.as_bytes(), other.as_bytes());
    if let Some(rest) = other.strip_prefix(log) {
        return numbered(rest);
    }
    let Some(dot) = memchr::memrchr(b'.', log) else { return false };
    let (stem, ending) = log.split_at(dot);
    let digits = |middle: &[u8]| middle.iter().all(|byte| byte.is_ascii_digit() || b".-_".contains(byte));
    other
        .strip_prefix(stem)
        .and_then(|rest| rest.strip_suffix(ending))
        .is_some_and(|middle| numbered(middle) && digits(middle))
}

fn without_digits(name: &OsStr) -> Vec<u8> {
    name.as_bytes().iter().copied().filter(|byte| !byte.is_ascii_digit()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_older_files_are_known() {
        let is = |log: &str, other: &str| is_older_name(OsStr::new(log), OsStr::new(other));
        for other in
            ["mail.log.1", "mail.log-20261122", "mail.log.2.gz", "mail-20261122.log", "mail.log.old", "mail.log_1"]
        {
            assert!(is("mail.log", other), "{other}");
        }
        for other in ["mail.log", "mail.err", "mail.log.d", "mail.logs", "mail.err.1", "mail2.log", "mail-in1.log", "x"]
        {
            assert!(!is("mail.log", other), "{other}");
        }
        assert!(is("maillog", "maillog-20261122") && !is("mail", "mail.info") && !is("maillog", "maillog2"));
    }
}
