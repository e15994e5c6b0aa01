//! Tables in Postfix's LMDB form, written without running a program; the only file that uses lmdb-rkv.
//!
//! Writes `<map>.new.lmdb`, complete, and renames it to `<map>.lmdb`. The form is that of lmdb_table(5) and Postfix's
//! `src/util/dict_lmdb.c`: one file, no lock file (`MDB_NOSUBDIR|MDB_NOLOCK`), the unnamed database, keys and values
//! each with one NUL byte at the end. Beside it lies `<map>.empty.lmdb`, an empty table to rename when there is no room to
//! write one.
//!
//! A file that is damaged or no LMDB table is replaced by an empty table at open, with a warning; while the daemon runs,
//! reading it fails and the next publish replaces it. A sound table of somebody else (a key that is no address,
//! a database inside) is refused at open.

mod check;

#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use lmdb::{Cursor as _, DatabaseFlags, Environment, EnvironmentFlags, Error, Transaction as _, WriteFlags};

use self::check::Check;
use crate::entry::{Key, Value, is_key, seconds_up};
use crate::files::{self, OTHER_MAP, Place, cause, read_error, remove, write_error};
use crate::{Backend, BackendError, ClientSet, ErrorKind, Listed, Options, Update};

/// Postfix opens the file without LMDB's lock file, so we must too.
const FLAGS: EnvironmentFlags = EnvironmentFlags::NO_SUB_DIR.union(EnvironmentFlags::NO_LOCK);

pub(crate) fn open(options: &Options) -> Result<Box<dyn Backend>, BackendError> {
    let mut table = Lmdb::new(options)?;
    table.place.check_writable(&table.path)?;
    let failed = |error| write_error(&table.path, &error);
    let damage = match check::file(&table.path).map_err(failed)? {
        Check::Missing => Some(None),
        Check::Damaged(cause) => Some(Some(cause)),
        Check::Foreign => return Err(files::foreign(&table.path)),
        Check::Valid => table.damage_or_foreign()?.map(Some),
    };
    remove(&table.new).map_err(failed)?;
    match damage {
        None => table.place.adopt(&table.path).map_err(failed)?,
        Some(damage) => {
            if let Some(cause) = damage {
                log::warn!("table {} is damaged: {cause}; replacing it by an empty one", table.path.display());
            }
            table.replace(&Vec::new())?;
        }
    }
    if let Err(error) = table.check_spare() {
        log::warn!("{error}; should the disk be full one day, the table cannot be emptied");
    }
    Ok(Box::new(table))
}

pub(crate) fn open_read_only(options: &Options) -> Result<Box<dyn Backend>, BackendError> {
    let table = Lmdb::new(options)?;
    match check::file(&table.path).map_err(|error| read_error(&table.path, &error))? {
        Check::Missing => Err(read_error(&table.path, &io::ErrorKind::NotFound.into())),
        Check::Damaged(cause) => Err(table.damaged(cause)),
        Check::Foreign => Err(table.not_ours()),
        Check::Valid => Ok(Box::new(table)),
    }
}

/// A table that is replaced as a whole by each publish.
struct Lmdb {
    place: Place,
    path: PathBuf,
    new: PathBuf,
    spare: PathBuf,
    value: Value,
    /// Room for the sorted entries, kept from one publish to the next.
    entries: Vec<(Key, u64)>,
}

impl Lmdb {
    fn new(options: &Options) -> Result<Self, BackendError> {
        options.refuse_other_type("lmdb")?;
        let value = Value::new(options)?;
        let place = Place::of(&options.map)?;
        let (path, new, spare) = (place.path(".lmdb"), place.path(".new.lmdb"), place.path(".empty.lmdb"));
        Ok(Self { place, path, new, spare, value, entries: Vec::new() })
    }

    /// What is wrong with a table that looks sound; an error if it is somebody else's.
    fn damage_or_foreign(&self) -> Result<Option<String>, BackendError> {
        let mut foreign = false;
        match walk(&self.path, &mut |key, _| foreign |= !is_key(key)) {
            Ok(()) if foreign => Err(files::foreign(&self.path)),
            Ok(()) => Ok(None),
            Err(error) => Ok(Some(cause(&as_io(error)))),
        }
    }

    fn replace(&mut self, clients: &dyn ClientSet) -> Result<(), BackendError> {
        self.sort(clients);
        self.write(&self.entries, &self.path)
    }

    fn write(&self, entries: &[(Key, u64)], path: &Path) -> Result<(), BackendError> {
        let done = self.write_new(entries, path);
        if done.is_err() {
            // What cannot be removed now is removed before the next attempt, or reported by it.
            let _ = remove(&self.new);
        }
        done.map_err(|error| write_error(path, &error))
    }

    /// Makes sure that the spare is there and empty.
    fn check_spare(&self) -> Result<(), BackendError> {
        match holds_nothing(&self.spare).map_err(|error| write_error(&self.spare, &error))? {
            Some(true) => Ok(()),
            Some(false) => Err(files::foreign(&self.spare)),
            None => self.write(&[], &self.spare),
        }
    }

    /// Makes a new spare in place of one that was used. Without one the table is as good; and it is tried again.
    fn renew_spare(&self) {
        if !self.spare.exists()
            && let Err(error) = self.write(&[], &self.spare)
        {
            log::debug!("{error}");
        }
    }

    /// Puts the spare in the place of the table, which needs no room on the disk.
    fn use_spare(&self) -> io::Result<()> {
        if holds_nothing(&self.spare)? != Some(true) {
            return Err(io::Error::other("there is no empty spare table"));
        }
        fs::rename(&self.spare, &self.path)?;
        self.place.sync()
    }

    fn sort(&mut self, clients: &dyn ClientSet) {
        self.entries.clear();
        self.entries.reserve(clients.len());
        clients.for_each(&mut |client| self.entries.push((Key::new(client.address), seconds_up(client.expires))));
        self.entries.sort_unstable();
        self.entries.dedup_by_key(|entry| entry.0);
    }

    /// Writes the new file and renames it; a map that turns out too small is made anew, twice as large.
    fn write_new(&self, entries: &[(Key, u64)], path: &Path) -> io::Result<()> {
        let mut size = self.map_size(entries);
        loop {
            let file = self.place.create(&self.new)?;
            match self.fill(entries, size) {
                Ok(()) => return self.install(&file, path),
                Err(Error::MapFull) => size = size.saturating_mul(2),
                Err(error) => return Err(as_io(error)),
            }
        }
    }

    /// Synced first: after a power failure the name leads to the old table or to the new one, never to an empty file.
    fn install(&self, file: &File, path: &Path) -> io::Result<()> {
        file.sync_all()?;
        fs::rename(&self.new, path)?;
        self.place.sync()
    }

    /// Twice what the entries take in full pages, and some pages for the tree above them.
    fn map_size(&self, entries: &[(Key, u64)]) -> usize {
        let mut buffer = String::new();
        let bytes = |(key, expires): &(Key, u64), buffer: &mut String| {
            16 + key.with_nul().len() + self.value.text(*expires, buffer).len()
        };
        let bytes: usize = entries.iter().map(|entry| bytes(entry, &mut buffer)).sum();
        (2 * bytes + 64 * 4096).next_multiple_of(65536)
    }

    /// Fills the empty file. Not synced here: that is done once, before the rename.
    fn fill(&self, entries: &[(Key, u64)], size: usize) -> lmdb::Result<()> {
        let environment = Environment::new()
            .set_flags(FLAGS | EnvironmentFlags::NO_SYNC)
            .set_map_size(size)
            .open_with_permissions(&self.new, 0o644)?;
        let database = environment.create_db(None, DatabaseFlags::empty())?;
        let mut transaction = environment.begin_rw_txn()?;
        let (mut buffer, mut value) = (String::new(), Vec::new());
        for (key, expires) in entries {
            value.clear();
            value.extend_from_slice(self.value.text(*expires, &mut buffer).as_bytes());
            value.push(0);
            transaction.put(database, &key.with_nul(), &value, WriteFlags::APPEND)?;
        }
        transaction.commit()
    }

    fn not_ours(&self) -> BackendError {
        let action = format!("read table {}", self.path.display());
        BackendError::new(ErrorKind::NoInput, action, "it is not a table of Postfix").cure(OTHER_MAP)
    }

    fn damaged(&self, cause: String) -> BackendError {
        let action = format!("read table {}", self.path.display());
        BackendError::new(ErrorKind::NoInput, action, format!("it is damaged: {cause}"))
            .cure("restart pop-before-smtp, which replaces it")
    }

    fn read(&self) -> lmdb::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        walk(&self.path, &mut |key, value| listed.extend(self.value.listed(key, value)))?;
        Ok(listed)
    }
}

/// Visits every entry of a file that [`check::file`] has found valid: LMDB believes what a file says, a damaged one
/// would end the daemon with SIGBUS or SIGSEGV.
fn walk(path: &Path, visit: &mut dyn FnMut(&[u8], &[u8])) -> lmdb::Result<()> {
    let environment = Environment::new().set_flags(FLAGS | EnvironmentFlags::READ_ONLY).open(path)?;
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

/// Whether a table is empty; `None` if there is none that can be read.
fn holds_nothing(path: &Path) -> io::Result<Option<bool>> {
    match check::file(path)? {
        Check::Valid => {}
        Check::Foreign => return Ok(Some(false)),
        Check::Missing | Check::Damaged(_) => return Ok(None),
    }
    let mut empty = true;
    Ok(walk(path, &mut |_, _| empty = false).ok().map(|()| empty))
}

impl Backend for Lmdb {
    fn list(&mut self) -> Result<Vec<Listed>, BackendError> {
        match check::file(&self.path).map_err(|error| read_error(&self.path, &error))? {
            Check::Missing => Err(read_error(&self.path, &io::ErrorKind::NotFound.into())),
            Check::Damaged(cause) => Err(self.damaged(cause)),
            Check::Foreign => Err(self.not_ours()),
            Check::Valid => self.read().map_err(|error| self.damaged(cause(&as_io(error)))),
        }
    }

    fn publish(&mut self, update: &Update<'_>) -> Result<(), BackendError> {
        self.replace(update.clients)?;
        self.renew_spare();
        Ok(())
    }

    fn clear(&mut self) -> Result<(), BackendError> {
        let Err(error) = self.replace(&Vec::new()) else {
            self.renew_spare();
            return Ok(());
        };
        if holds_nothing(&self.path).is_ok_and(|empty| empty == Some(true)) {
            return Ok(());
        }
        match self.use_spare() {
            Ok(()) => {
                log::info!("{error}; an empty table was kept for this and took its place");
                Ok(())
            }
            Err(spare) => {
                log::debug!("{}: {}", self.spare.display(), cause(&spare));
                Err(error)
            }
        }
    }
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
