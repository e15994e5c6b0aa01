//! Tables in Postfix's LMDB form, written without running a program; the only module that uses lmdb-rkv.
//!
//! The form is that of lmdb_table(5) and Postfix's `src/util/dict_lmdb.c`: one file `<map>.lmdb`, no lock file
//! (`MDB_NOSUBDIR|MDB_NOLOCK`), the unnamed database, keys and values each with one NUL byte at the end. It is changed
//! by a new file that takes its name ([`rename`]) or by a transaction in the file that readers have open ([`in_place`]).
//! Beside it lies `<map>.empty.lmdb`, an empty table to rename when there is no room to write one.
//!
//! A file that is damaged or no LMDB table is replaced by an empty table at open, with a warning; while the daemon runs,
//! reading it fails and the next publish replaces it. A sound table of somebody else (a key that is no address,
//! a database inside) is refused at open.

mod check;
mod in_place;
mod lock;
mod rename;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use lmdb::{Cursor as _, Environment, EnvironmentFlags, Error, Transaction as _};

use self::check::{Check, Purpose};
use self::in_place::InPlace;
use self::rename::Rename;
use crate::entry::{Value, is_key};
use crate::files::{self, MapPath, OTHER_MAP, cause, read_error, write_error};
use crate::{Backend, BackendError, ErrorKind, Listed, LmdbUpdate, TableOptions};

/// Postfix opens the file without LMDB's lock file, so we must too.
const FLAGS: EnvironmentFlags = EnvironmentFlags::NO_SUB_DIR.union(EnvironmentFlags::NO_LOCK);

pub(crate) fn open(options: &TableOptions) -> Result<Box<dyn Backend>, BackendError> {
    let rename = Rename::open(Table::new(options)?)?;
    Ok(match options.lmdb_update {
        LmdbUpdate::Rename => Box::new(rename),
        LmdbUpdate::InPlace => Box::new(InPlace::open(rename)?),
    })
}

pub(crate) fn open_read_only(options: &TableOptions) -> Result<Box<dyn Backend>, BackendError> {
    let table = Table::new(options)?;
    table.read(&mut |_, _| ())?;
    Ok(Box::new(Rename::new(table)))
}

/// The file that Postfix reads, and what is written in it.
struct Table {
    place: MapPath,
    path: PathBuf,
    value: Value,
    /// Whether each publish is forced to the disk.
    sync: bool,
}

impl Table {
    fn new(options: &TableOptions) -> Result<Self, BackendError> {
        options.refuse_other_type("lmdb")?;
        let value = Value::new(options)?;
        let place = MapPath::of(&options.map)?;
        Ok(Self { path: place.path(".lmdb"), place, value, sync: options.sync })
    }

    /// What there is at start.
    ///
    /// # Errors
    /// It is somebody else's, or cannot be looked at.
    fn found(&self) -> Result<Check, BackendError> {
        let mut foreign = false;
        let found = walk(&self.path, &mut |key, _| foreign |= !is_key(key));
        match found.map_err(|error| self.write_error(&error))? {
            Check::Foreign => Err(files::foreign(&self.path)),
            Check::Valid if foreign => Err(files::foreign(&self.path)),
            found => Ok(found),
        }
    }

    fn read(&self, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), BackendError> {
        let action = || format!("read table {}", self.path.display());
        match walk(&self.path, visit).map_err(|error| self.read_error(&error))? {
            Check::Valid => Ok(()),
            Check::Missing => Err(files::missing(&self.path)),
            Check::Damaged(cause) => {
                Err(BackendError::new(ErrorKind::NoInput, action(), format!("it is damaged: {cause}"))
                    .cure("restart pop-before-smtp, which replaces it"))
            }
            Check::Foreign => {
                Err(BackendError::new(ErrorKind::NoInput, action(), "it is not a table of Postfix").cure(OTHER_MAP))
            }
        }
    }

    fn list(&self) -> Result<Vec<Listed>, BackendError> {
        let mut listed = Vec::new();
        self.read(&mut |key, value| listed.extend(self.value.listed(key, value)))?;
        Ok(listed)
    }

    fn read_error(&self, error: &io::Error) -> BackendError {
        lock::timed_out("read", &self.path, error).unwrap_or_else(|| read_error(&self.path, error))
    }

    fn write_error(&self, error: &io::Error) -> BackendError {
        lock::timed_out("write", &self.path, error).unwrap_or_else(|| write_error(&self.path, error))
    }
}

/// Visits every entry of a table, if there is a valid one. LMDB believes what a file says, a damaged one would end the
/// daemon with SIGBUS or SIGSEGV, so it is checked first; and nobody may change it in place meanwhile.
///
/// # Errors
/// The file cannot be read.
fn walk(path: &Path, visit: &mut dyn FnMut(&[u8], &[u8])) -> io::Result<Check> {
    let file = match check::open(path, Purpose::Reading)? {
        Ok(file) => file,
        Err(found) => return Ok(found),
    };
    // Dropped with the file.
    lock::take(&file, lock::Kind::Shared)?;
    match check::contents(&file, Purpose::Reading)? {
        Check::Valid => {}
        found => return Ok(found),
    }
    let walked = walk_checked(&name_of(&file, path), visit);
    Ok(walked.map_or_else(|error| Check::Damaged(cause(&as_io(error))), |()| Check::Valid))
}

fn walk_checked(path: &Path, visit: &mut dyn FnMut(&[u8], &[u8])) -> lmdb::Result<()> {
    // LMDB raises the size to that of the pages in use; without one it would believe the file.
    let reading = FLAGS | EnvironmentFlags::READ_ONLY;
    let environment = Environment::new().set_flags(reading).set_map_size(1 << 16).open(path)?;
    let database = environment.open_db(None)?;
    let transaction = environment.begin_ro_txn()?;
    // The iterator does not keep its cursor alive (a flaw of lmdb-rkv): the cursor must have a name here.
    let mut cursor = transaction.open_ro_cursor(database)?;
    for entry in cursor.iter() {
        let (key, value) = entry?;
        visit(without_nul(key), without_nul(value));
    }
    Ok(())
}

/// A name under which LMDB opens the very file that was checked, whatever `path` leads to by now.
fn name_of(file: &File, path: &Path) -> PathBuf {
    let itself = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    if itself.exists() { itself } else { path.to_owned() }
}

fn without_nul(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\0").unwrap_or(bytes)
}

fn as_io(error: Error) -> io::Error {
    match error {
        Error::Other(errno) => io::Error::from_raw_os_error(errno),
        error => io::Error::other(error.to_string()),
    }
}
