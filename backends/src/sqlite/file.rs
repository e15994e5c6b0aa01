//! The three files of an SQLite table: whose they are, what they may be, and whether they are still the same.
//!
//! Touches `<map>.sqlite`, `-wal`, `-shm` and `-journal`; reads only the header of the first.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::APPLICATION_ID;
use crate::files::{Place, read_error, remove, write_error};
use crate::{BackendError, ErrorKind};

/// Device and inode of the database, its -wal and its -shm.
pub(super) type Identity = [(u64, u64); 3];

/// Why a database that another program made is left alone.
pub(super) const FOREIGN: &str = "it is an SQLite database of another program";

pub(super) struct TableFile {
    place: Place,
    path: PathBuf,
    wal: PathBuf,
    shm: PathBuf,
}

impl TableFile {
    pub(super) fn of(map: &Path) -> Result<Self, BackendError> {
        let place = Place::of(map)?;
        let (path, wal, shm) = (place.path(".sqlite"), place.path(".sqlite-wal"), place.path(".sqlite-shm"));
        Ok(Self { place, path, wal, shm })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn check_writable(&self) -> Result<(), BackendError> {
        self.place.check_writable(&self.path)
    }

    /// Makes sure that there is a file, if need be an empty one for SQLite to fill.
    pub(super) fn prepare(&self) -> Result<(), BackendError> {
        let failed = |error| write_error(&self.path, &error);
        let left_over = [self.wal.clone(), self.shm.clone(), self.place.path(".sqlite-journal")];
        match fs::symlink_metadata(&self.path) {
            Ok(found) if !found.is_file() => Err(self.refused("it is no regular file")),
            Ok(found) if found.len() > 0 => Ok(()),
            // What is left of an older database would be taken for changes to the new one.
            Ok(_) => left_over.iter().try_for_each(|path| remove(path)).map_err(failed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => left_over
                .iter()
                .try_for_each(|path| remove(path))
                .and_then(|()| self.place.create(&self.path))
                .and_then(|_| self.place.sync())
                .map_err(failed),
            Err(error) => Err(failed(error)),
        }
    }

    /// Whether nothing can be in the table, because it was never initialised.
    pub(super) fn is_empty(&self) -> io::Result<bool> {
        fs::metadata(&self.path).map(|found| found.len() == 0)
    }

    /// Only before SQLite opens the file: closing it here drops the locks that SQLite holds on it.
    ///
    /// # Errors
    /// The file is no SQLite database, or not one that this program made. The header is read without SQLite, which
    /// would already repair or lock it. Both fields are in the file itself from its first transaction on
    /// (<https://sqlite.org/fileformat2.html>, section 1.3); if that one was interrupted, SQLite has to look first.
    pub(super) fn refuse_foreign(&self) -> Result<(), BackendError> {
        let empty = self.is_empty().map_err(|error| read_error(&self.path, &error))?;
        if empty || self.place.path(".sqlite-journal").exists() {
            return Ok(());
        }
        let mut header = Vec::new();
        let found = File::open(&self.path).map_err(|error| read_error(&self.path, &error))?;
        found.take(100).read_to_end(&mut header).map_err(|error| read_error(&self.path, &error))?;
        if !header.starts_with(b"SQLite format 3\0") || header.len() < 100 {
            return Err(self.refused("it is no SQLite database"));
        }
        if header[68..72] != APPLICATION_ID.to_be_bytes() {
            return Err(self.refused(FOREIGN));
        }
        if header[60..64] != super::VERSION.to_be_bytes() {
            return Err(self.refused("it was made by another version of pop-before-smtp"));
        }
        Ok(())
    }

    /// Gives the files mode and owner, and tells which files they are.
    pub(super) fn adopt(&self) -> Result<Identity, BackendError> {
        let adopted = [&self.path, &self.wal, &self.shm].into_iter().try_for_each(|path| self.place.adopt(path));
        adopted.and_then(|()| self.identity()).map_err(|error| write_error(&self.path, &error))
    }

    /// Which files are there now; a missing -wal or -shm counts as a file that nothing equals but another missing one.
    pub(super) fn identity(&self) -> io::Result<Identity> {
        let of = |path: &Path| fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()));
        Ok([of(&self.path)?, of(&self.wal).unwrap_or_default(), of(&self.shm).unwrap_or_default()])
    }

    /// How a reader opens the file: without a -wal nobody is writing, and `immutable` keeps SQLite from creating one.
    pub(super) fn read_only_uri(&self) -> String {
        let mut uri = String::from("file:");
        for &byte in self.path.as_os_str().as_bytes() {
            match byte {
                b'/' | b'.' | b'-' | b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => uri.push(char::from(byte)),
                _ => uri.push_str(&format!("%{byte:02X}")),
            }
        }
        uri.push_str(if self.wal.exists() { "?mode=ro" } else { "?immutable=1" });
        uri
    }

    pub(super) fn cure(&self) -> String {
        format!("move {} away, or choose another with --map", self.path.display())
    }

    fn refused(&self, cause: &str) -> BackendError {
        let action = format!("use table {}", self.path.display());
        BackendError::new(ErrorKind::Config, action, cause).cure(self.cure())
    }
}
