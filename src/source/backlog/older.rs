//! The files that had a log's name before: `mail.log.1`, `mail.log-20261122`, or `mail-20261122.log`.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::search::Window;
use crate::source::saved_position::FileMark;
use crate::source::{self, Position};

/// Endings of files that another program has compressed.
const COMPRESSED: [&str; 6] = ["gz", "xz", "bz2", "zst", "lz4", "Z"];

/// An open log file.
#[derive(Debug)]
pub(in crate::source) struct Candidate {
    pub(in crate::source) path: PathBuf,
    pub(in crate::source) file: File,
    pub(in crate::source) device: u64,
    pub(in crate::source) inode: u64,
    pub(in crate::source) length: u64,
    owner: u32,
    /// When it was written last.
    pub(in crate::source) written: SystemTime,
}

impl Candidate {
    pub(in crate::source) fn open(path: &Path) -> io::Result<Self> {
        let (file, metadata) = source::open(path)?;
        let (device, inode, length) = (metadata.dev(), metadata.ino(), metadata.len());
        let (owner, written) = (metadata.uid(), metadata.modified()?);
        Ok(Self { path: path.to_owned(), file, device, inode, length, owner, written })
    }

    /// A place in it.
    pub(super) fn position(&self, offset: u64) -> Position {
        Position { device: self.device, inode: self.inode, offset }
    }

    fn is(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// The older files that hold lines which matter, by when they were written.
#[derive(Debug)]
pub(super) struct Older {
    /// Oldest first.
    pub(super) files: Vec<Candidate>,
    /// When the newest was written that is compressed, and its name.
    compressed: Option<(SystemTime, PathBuf)>,
}

impl Older {
    /// Looks beside the log, and where it is a link, beside its target. Only files of the log's owner count.
    pub(super) fn of(path: &Path, log: &Candidate, window: &Window) -> Self {
        let mut older = Self { files: Vec::new(), compressed: None };
        let is_older = |name: &OsStr, other: &OsStr, is_target| {
            let plain = without_compression(other);
            is_older_name(name, plain) || is_target && is_dated_alike(name, plain)
        };
        beside(path, is_older).iter().for_each(|path| older.add(path, log, window));
        older.files.sort_by_key(|file| file.written);
        older
    }

    fn add(&mut self, path: &Path, log: &Candidate, window: &Window) {
        let Ok(file) = Candidate::open(path) else { return };
        // There may be hundreds, and too many to have open.
        if !window.holds(file.written) {
            return;
        }
        if is_compressed(path) {
            if self.compressed.as_ref().is_none_or(|(newest, _)| *newest < file.written) {
                self.compressed = Some((file.written, path.to_owned()));
            }
        } else if file.owner == log.owner && !file.is(log) && !self.files.iter().any(|known| known.is(&file)) {
            self.files.push(file);
        }
    }

    /// In which of the files a saved place is now, counted from the oldest; the log comes behind them.
    pub(super) fn find(&self, mark: &FileMark, log: &Candidate) -> Option<usize> {
        let FileMark { position, .. } = mark;
        let is_same = |file: &Candidate| (file.device, file.inode) == (position.device, position.inode);
        let fits = |file: &Candidate| mark.fits(&file.file);
        let older = |wanted: &dyn Fn(&Candidate) -> bool| self.files.iter().position(wanted);
        let log_is_last = || Some(self.files.len());
        if is_same(log) && fits(log) {
            return log_is_last();
        }
        older(&|file| is_same(file) && fits(file))
            .or_else(|| older(&fits))
            .or_else(|| if fits(log) { log_is_last() } else { None })
    }

    /// Tells of a file that matters and cannot be read: gzip keeps the time of the last write.
    pub(super) fn take_back(&self, window: &Window) {
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

/// Files in the log's directory, and where it is a link, in its target's, that are wanted: by the log's name there, their own,
/// and whether it is the target's.
fn beside(path: &Path, is_wanted: impl Fn(&OsStr, &OsStr, bool) -> bool) -> Vec<PathBuf> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    let mut places = vec![(path, false)];
    if is_link {
        places.push((&target, true));
    }
    let mut found = Vec::new();
    for (path, is_target) in places {
        let (Some(name), Some(directory)) = (path.file_name(), path.parent()) else { continue };
        let Ok(entries) = fs::read_dir(directory) else { continue };
        for entry in entries.flatten() {
            let other = entry.file_name();
            if other != name && is_wanted(name, &other, is_target) {
                found.push(entry.path());
            }
        }
    }
    found
}

/// Paths of the files that a rotation makes out of the log, but for compressed ones.
pub(in crate::source) fn rotated_names(path: &Path) -> Vec<PathBuf> {
    beside(path, |name, other, _| is_older_name(name, other))
}

/// Whether a file's name says that it is compressed.
pub fn is_compressed(path: &Path) -> bool {
    path.extension().and_then(OsStr::to_str).is_some_and(|ending| COMPRESSED.contains(&ending))
}

/// Whether a rotation makes a file of this name out of `log`: behind it, or in front of its ending, a number or a date. A
/// number behind another separator than a dot may as well tell two hosts apart.
pub fn is_older_name(log: &OsStr, other: &OsStr) -> bool {
    let (log, other) = (log.as_bytes(), other.as_bytes());
    if let Some(rest) = other.strip_prefix(log) {
        return is_rotation(rest) || rest == b".old";
    }
    let Some(dot) = memchr::memrchr(b'.', log) else { return false };
    let (stem, ending) = log.split_at(dot);
    other.strip_prefix(stem).and_then(|rest| rest.strip_suffix(ending)).is_some_and(is_rotation)
}

/// `.1` to `.999`, or a date behind a separator: of at least six digits.
fn is_rotation(rest: &[u8]) -> bool {
    let Some((separator, rest)) = rest.split_first() else { return false };
    let digits = rest.iter().filter(|byte| byte.is_ascii_digit()).count();
    let plain = rest.iter().all(|byte| byte.is_ascii_digit() || b".-_:T".contains(byte));
    match separator {
        b'.' if digits == rest.len() && (1..=3).contains(&digits) => true,
        b'.' | b'-' | b'_' => plain && digits >= 6 && has_year(rest),
        _ => false,
    }
}

fn has_year(date: &[u8]) -> bool {
    matches!(date, [b'1', b'9', b'0'..=b'9', b'0'..=b'9', ..] | [b'2', b'0', b'0'..=b'9', b'0'..=b'9', ..])
}

/// `mail.1.log` for `mail.1.log.gz`.
fn without_compression(name: &OsStr) -> &OsStr {
    if is_compressed(Path::new(name)) { Path::new(name).file_stem().unwrap_or(name) } else { name }
}

/// Whether two names differ in a date alone: in digits, of which eight or more stand together. Fewer may as well tell two
/// hosts apart.
fn is_dated_alike(name: &OsStr, other: &OsStr) -> bool {
    let (name, other) = (name.as_bytes(), other.as_bytes());
    let has_date = |name: &[u8]| name.split(|byte| !byte.is_ascii_digit()).any(|digits| digits.len() >= 8);
    let alike = |(one, other): (&u8, &u8)| one == other || one.is_ascii_digit() && other.is_ascii_digit();
    name.len() == other.len() && has_date(name) && name.iter().zip(other).all(alike)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_older_files_are_known() {
        let is = |log: &str, other: &str| is_older_name(OsStr::new(log), OsStr::new(other));
        for other in
            ["mail.log.1", "mail.log-20261122", "mail-20261122.log", "mail.1.log", "mail.log.old", "mail.log_2026-11"]
        {
            assert!(is("mail.log", other), "{other}");
        }
        for other in ["mail.log", "mail.err", "mail.log.d", "mail.logs", "mail.err.1", "mail2.log", "mail-in1.log", "x"]
        {
            assert!(!is("mail.log", other), "{other}");
        }
        let older = |log: &str, other: &str| is_older_name(OsStr::new(log), without_compression(OsStr::new(other)));
        assert!(older("mail.log", "mail.1.log.gz") && older("mail.log", "mail.log.1.xz") && !older("mail", "mail.gz"));
        for other in
            ["mail-2.log", "mail_2.log", "mail.log-2ndhost", "mail.log.1a", "mail.log.2000", "mail-192.0.2.1.log"]
        {
            assert!(!is("mail.log", other), "{other}");
        }
        let dated = |name: &str, other: &str| is_dated_alike(OsStr::new(name), OsStr::new(other));
        assert!(dated("mail-20261122.log", "mail-20261121.log") && !dated("host1.log", "host2.log"));
        assert!(!dated("10.0.0.11.log", "10.0.0.12.log") && !dated("host1001.log", "host1002.log"));
        assert!(is("maillog", "maillog-20261122") && !is("mail", "mail.info") && !is("maillog", "maillog2"));
    }
}
