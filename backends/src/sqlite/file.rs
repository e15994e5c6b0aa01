//! The three files of an SQLite table: whose they are, what they may be, and whether they are still the same.
//!
//! Touches `<map>.sqlite`, `-wal`, `-shm` and `-journal`; reads only the header of the first.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::APPLICATION_ID;
use crate::access::{READ, SHARED};
use crate::files::{MapPath, read_error, refuse_linked, remove, write_error};
use crate::{BackendError, ErrorKind};

/// What tells that the three files are still those that were opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity {
    /// Device and inode of the database, its -wal and its -shm.
    files: [(u64, u64); 3],
    /// Bytes of the -shm.
    index: u64,
}

impl Identity {
    /// Whether the database is the same, whatever became of the others.
    pub(super) fn has_database_of(&self, opened: &Self) -> bool {
        self.files[0] == opened.files[0]
    }

    /// Whether the -shm is shorter than SQLite left it, which never shortens one in use. SQLite has it mapped: reading
    /// what was cut off ends the program with SIGBUS. One that was removed is still whole in memory.
    pub(super) fn is_cut_since(&self, opened: &Self) -> bool {
        self.files[2] != <(u64, u64)>::default() && self.index < opened.index.max(LEAST_INDEX)
    }

    pub(super) fn is_still(&self, opened: &Self) -> bool {
        self.files == opened.files && !self.is_cut_since(opened)
    }
}

/// What a reader may do with the -shm.
#[derive(Debug, Clone, Copy)]
pub(super) enum Index {
    /// Nothing: with no other reader there, it keeps an index of its own.
    LeftAlone,
    /// Build it again, if it is broken or no other reader is there. Then a new smtpd may find the table locked.
    Mended,
}

/// SQLite maps the -shm in pieces of this size.
const LEAST_INDEX: u64 = 32768;

/// Why a database that another program made is left alone.
pub(super) const FOREIGN: &str = "it is an SQLite database of another program";

pub(super) struct TableFile {
    place: MapPath,
    path: PathBuf,
    wal: PathBuf,
    shm: PathBuf,
}

impl TableFile {
    pub(super) fn of(map: &Path) -> Result<Self, BackendError> {
        let place = MapPath::of(map)?;
        let (path, wal, shm) = (place.path(".sqlite"), place.path(".sqlite-wal"), place.path(".sqlite-shm"));
        Ok(Self { place, path, wal, shm })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The -wal.
    pub(super) fn log(&self) -> &Path {
        &self.wal
    }

    /// Its bytes, as far as one can see.
    pub(super) fn log_size(&self) -> u64 {
        fs::symlink_metadata(&self.wal).map_or(0, |found| found.len())
    }

    pub(super) fn check_writable(&self) -> Result<(), BackendError> {
        self.place.check_writable(&self.path)
    }

    /// Makes sure that there is a file, if need be an empty one for SQLite to fill.
    pub(super) fn prepare(&self) -> Result<(), BackendError> {
        let failed = |error| write_error(&self.path, &error);
        // What is left of an older database would be taken for changes to the new one.
        let left_over = [&self.path, &self.wal, &self.shm, &self.place.path(".sqlite-journal")];
        // SQLite opens them by their names, and writes what it finds there.
        for path in left_over {
            refuse_linked(path).map_err(|error| write_error(path, &error))?;
        }
        match fs::symlink_metadata(&self.path) {
            Ok(found) if !found.is_file() => Err(self.refused("it is no regular file")),
            Ok(found) if found.len() > 0 => Ok(()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            // An empty file goes, too: readers from before it was emptied have a lock on it, under which it could not
            // become a table again.
            _ => left_over
                .into_iter()
                .try_for_each(|path| remove(path))
                .and_then(|()| Ok(self.place.create(&self.path)?.keep()?))
                .and_then(|_| self.place.sync())
                .map_err(failed),
        }
    }

    /// Whether nothing can be in the table, because it was never initialised.
    pub(super) fn is_empty(&self) -> io::Result<bool> {
        fs::metadata(&self.path).map(|found| found.len() == 0)
    }

    /// Only before SQLite opens the file: closing what is opened here drops the locks that SQLite holds on it.
    ///
    /// # Errors
    /// The file is no SQLite database, or not one that this program made. The header is read without SQLite, which
    /// would already repair or lock it. Both fields are in the file itself from its first transaction on
    /// (<https://sqlite.org/fileformat2.html>, section 1.3); if that one was interrupted, SQLite has to look first.
    pub(super) fn refuse_foreign(&self) -> Result<File, BackendError> {
        let failed = |error| read_error(&self.path, &error);
        let empty = self.is_empty().map_err(failed)?;
        let file = File::open(&self.path).map_err(failed)?;
        if empty || self.place.path(".sqlite-journal").exists() {
            return Ok(file);
        }
        let Some(header) = header(&file).map_err(failed)? else {
            return Err(self.refused("it is no SQLite database"));
        };
        if header[68..72] != APPLICATION_ID.to_be_bytes() {
            return Err(self.refused(FOREIGN));
        }
        if header[60..64] != super::VERSION.to_be_bytes() {
            return Err(self.refused("it was made by another version of pop-before-smtp"));
        }
        Ok(file)
    }

    /// Lets Postfix read the database. Before SQLite makes -wal and -shm, which get its mode and, from root, its group: a
    /// reader who finds a -shm that he may not write cannot mend it as long as he lives.
    pub(super) fn adopt_database(&self) -> Result<(), BackendError> {
        self.place.adopt(&self.path, READ).map_err(|error| write_error(&self.path, &error))
    }

    /// Lets Postfix read the others, too, and write the -shm, an index of the log that SQLite can build again at any time.
    /// Tells which files they are.
    ///
    /// A writer that is killed while it changes the header of the index leaves a header that nobody believes. The next
    /// connection has to build it again; if no reader may, all of them fail until we are back. The window is some 50
    /// nanoseconds of each publish; killed under load it was met once in 2,000 times.
    pub(super) fn adopt(&self) -> Result<Identity, BackendError> {
        let adopted = self.place.adopt(&self.wal, READ).and_then(|()| self.place.adopt(&self.shm, SHARED));
        adopted.and_then(|()| self.identity()).map_err(|error| write_error(&self.path, &error))
    }

    /// Which files are there now; a missing -wal or -shm counts as a file that nothing equals but another missing one.
    pub(super) fn identity(&self) -> io::Result<Identity> {
        let of = |path: &Path| fs::symlink_metadata(path).map(|found| ((found.dev(), found.ino()), found.len()));
        let (shm, index) = of(&self.shm).unwrap_or_default();
        Ok(Identity { files: [of(&self.path)?.0, of(&self.wal).unwrap_or_default().0, shm], index })
    }

    /// To be called after a write, for which SQLite may have made the -shm longer.
    pub(super) fn follow_index(&self, identity: &mut Identity) {
        let size = fs::symlink_metadata(&self.shm).map_or(0, |found| found.len());
        identity.index = identity.index.max(size);
    }

    /// How a reader opens the file: without a -wal nobody is writing, and `immutable` keeps SQLite from creating one.
    pub(super) fn read_only_uri(&self, index: Index) -> String {
        let mut uri = String::from("file:");
        for &byte in self.path.as_os_str().as_bytes() {
            match byte {
                b'/' | b'.' | b'-' | b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => uri.push(char::from(byte)),
                _ => uri.push_str(&format!("%{byte:02X}")),
            }
        }
        uri.push_str(match index {
            _ if !self.wal.exists() => "?immutable=1",
            Index::LeftAlone => "?mode=ro&readonly_shm=1",
            Index::Mended => "?mode=ro",
        });
        uri
    }

    /// All three: an old -wal would be taken for changes to the new database.
    pub(super) fn cure(&self) -> String {
        let [path, wal, shm] = [&self.path, &self.wal, &self.shm].map(|path| path.display());
        format!("move {path}, {wal} and {shm} away, or choose another with --map")
    }

    fn refused(&self, cause: &str) -> BackendError {
        let action = format!("use table {}", self.path.display());
        BackendError::new(ErrorKind::Config, action, cause).cure(self.cure())
    }
}

/// The header of an SQLite database, if it has one.
fn header(file: &File) -> io::Result<Option<[u8; 100]>> {
    let mut header = [0; 100];
    match file.read_exact_at(&mut header, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
        Ok(()) => Ok(header.starts_with(b"SQLite format 3\0").then_some(header)),
    }
}

/// Whether a database begins as one of ours does and is as long as it says.
pub(super) fn is_sound(file: &File) -> io::Result<bool> {
    let Some(header) = header(file)? else { return Ok(false) };
    let page = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => 65536,
        size => size,
    };
    let pages = u64::from(u32::from_be_bytes([header[28], header[29], header[30], header[31]]));
    Ok(header[68..72] == APPLICATION_ID.to_be_bytes() && file.metadata()?.len() >= page * pages)
}
