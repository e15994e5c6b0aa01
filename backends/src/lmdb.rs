//! Tables in Postfix's LMDB form, written without running a program; the only file that uses lmdb-rkv.
//!
//! Writes `<map>.new.lmdb`, complete, and renames it to `<map>.lmdb`. The form is that of lmdb_table(5) and Postfix's
//! `src/util/dict_lmdb.c`: one file, no lock file (`MDB_NOSUBDIR|MDB_NOLOCK`), the unnamed database, keys and values
//! each with one NUL byte at the end.

mod check;

#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use lmdb::{Cursor as _, DatabaseFlags, Environment, EnvironmentFlags, Error, Transaction as _, WriteFlags};

use self::check::Check;
use crate::entry::{Key, Value, unix_seconds};
use crate::files::{Place, read_error, reason, remove, write_error};
use crate::{Backend, BackendError, ClientSet, ErrorKind, Listed, Options, Update};

/// Postfix opens the file without LMDB's lock file, so we must too.
const FLAGS: EnvironmentFlags = EnvironmentFlags::NO_SUB_DIR.union(EnvironmentFlags::NO_LOCK);

pub(crate) fn open(options: &Options) -> Result<Box<dyn Backend>, BackendError> {
    let mut table = Lmdb::new(options)?;
    table.place.check_writable(&table.path)?;
    let failed = |error| write_error(&table.path, &error);
    remove(&table.new).map_err(failed)?;
    match check::file(&table.path).map_err(failed)? {
        Check::Valid => table.place.adopt(&table.path).map_err(failed)?,
        Check::Missing => table.replace(&Vec::new())?,
        Check::Damaged(cause) => {
            log::warn!("table {} is damaged: {cause}; replacing it by an empty one", table.path.display());
            table.replace(&Vec::new())?;
        }
    }
    Ok(Box::new(table))
}

pub(crate) fn open_read_only(options: &Options) -> Result<Box<dyn Backend>, BackendError> {
    let table = Lmdb::new(options)?;
    match check::file(&table.path).map_err(|error| read_error(&table.path, &error))? {
        Check::Missing => Err(read_error(&table.path, &io::ErrorKind::NotFound.into())),
        Check::Damaged(cause) => Err(table.damaged(cause)),
        Check::Valid => Ok(Box::new(table)),
    }
}

/// A table that is replaced as a whole by each publish.
struct Lmdb {
    place: Place,
    path: PathBuf,
    new: PathBuf,
    value: Value,
    /// Room for the sorted entries, kept from one publish to the next.
    entries: Vec<(Key, u64)>,
}

impl Lmdb {
    fn new(options: &Options) -> Result<Self, BackendError> {
        let value = Value::new(options)?;
        let place = Place::of(&options.map)?;
        let (path, new) = (place.path(".lmdb"), place.path(".new.lmdb"));
        Ok(Self { place, path, new, value, entries: Vec::new() })
    }

    fn replace(&mut self, clients: &dyn ClientSet) -> Result<(), BackendError> {
        self.sort(clients);
        let done = self.write_new();
        if done.is_err() {
            // What cannot be removed now is removed before the next attempt, or reported by it.
            let _ = remove(&self.new);
        }
        done.map_err(|error| write_error(&self.path, &error))
    }

    fn sort(&mut self, clients: &dyn ClientSet) {
        self.entries.clear();
        self.entries.reserve(clients.len());
        clients.for_each(&mut |client| self.entries.push((Key::new(client.address), unix_seconds(client.expires))));
        self.entries.sort_unstable();
        self.entries.dedup_by_key(|entry| entry.0);
    }

    /// Writes the new file and renames it; a map that turns out too small is made anew, twice as large.
    fn write_new(&self) -> io::Result<()> {
        let mut size = self.map_size();
        loop {
            let file = self.place.create(&self.new)?;
            match self.fill(size) {
                Ok(()) => return self.install(&file),
                Err(Error::MapFull) => size = size.saturating_mul(2),
                Err(error) => return Err(as_io(error)),
            }
        }
    }

    /// Synced first: after a power failure the name leads to the old table or to the new one, never to an empty file.
    fn install(&self, file: &File) -> io::Result<()> {
        file.sync_all()?;
        fs::rename(&self.new, &self.path)?;
        self.place.sync()
    }

    /// Twice what the entries take in full pages, and some pages for the tree above them.
    fn map_size(&self) -> usize {
        let mut buffer = String::new();
        let bytes = |(key, expires): &(Key, u64), buffer: &mut String| {
            16 + key.with_nul().len() + self.value.text(*expires, buffer).len()
        };
        let bytes: usize = self.entries.iter().map(|entry| bytes(entry, &mut buffer)).sum();
        (2 * bytes + 64 * 4096).next_multiple_of(65536)
    }

    /// Fills the empty file. Not synced here: that is done once, before the rename.
    fn fill(&self, size: usize) -> lmdb::Result<()> {
        let environment = Environment::new()
            .set_flags(FLAGS | EnvironmentFlags::NO_SYNC)
            .set_map_size(size)
            .open_with_permissions(&self.new, 0o644)?;
        let database = environment.create_db(None, DatabaseFlags::empty())?;
        let mut transaction = environment.begin_rw_txn()?;
        let (mut buffer, mut value) = (String::new(), Vec::new());
        for (key, expires) in &self.entries {
            value.clear();
            value.extend_from_slice(self.value.text(*expires, &mut buffer).as_bytes());
            value.push(0);
            transaction.put(database, &key.with_nul(), &value, WriteFlags::APPEND)?;
        }
        transaction.commit()
    }

    fn damaged(&self, cause: String) -> BackendError {
        let action = format!("read table {}", self.path.display());
        BackendError::new(ErrorKind::NoInput, action, format!("it is damaged: {cause}"))
            .cure("restart pop-before-smtp, which replaces it")
    }

    fn read(&self, path: &Path) -> lmdb::Result<Vec<Listed>> {
        let environment = Environment::new().set_flags(FLAGS | EnvironmentFlags::READ_ONLY).open(path)?;
        let database = environment.open_db(None)?;
        let transaction = environment.begin_ro_txn()?;
        // The iterator does not keep its cursor alive (a flaw of lmdb-rkv): the cursor must have a name here.
        let mut cursor = transaction.open_ro_cursor(database)?;
        let mut listed = Vec::new();
        for entry in cursor.iter() {
            let (key, value) = entry?;
            listed.extend(self.value.listed(without_nul(key), without_nul(value)));
        }
        Ok(listed)
    }
}

impl Backend for Lmdb {
    fn list(&mut self) -> Result<Vec<Listed>, BackendError> {
        // LMDB believes what a file says: a damaged one would end the daemon with SIGBUS or SIGSEGV.
        match check::file(&self.path).map_err(|error| read_error(&self.path, &error))? {
            Check::Missing => Err(read_error(&self.path, &io::ErrorKind::NotFound.into())),
            Check::Damaged(cause) => Err(self.damaged(cause)),
            Check::Valid => self.read(&self.path).map_err(|error| self.damaged(reason(&as_io(error)))),
        }
    }

    fn publish(&mut self, update: &Update<'_>) -> Result<(), BackendError> {
        self.replace(update.clients)
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
