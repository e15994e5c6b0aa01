//! Changes a table as a whole: writes `<map>.new.lmdb`, complete, and renames it to `<map>.lmdb`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lmdb::{DatabaseFlags, Environment, EnvironmentFlags, Error, Transaction as _, WriteFlags};
use tempfile::NamedTempFile;

use super::check::Check;
use super::{FLAGS, Table, as_io, walk};
use crate::access::READ;
use crate::entry::{Key, seconds_up};
use crate::files::{self, Left, remove, write_error};
use crate::{Backend, BackendError, ClientSet, Listed, Update, replace};

/// For how many entries the room is kept.
const KEPT: usize = 4096;

/// A table that is replaced as a whole by each publish.
pub(super) struct Rename {
    pub(super) table: Table,
    new: PathBuf,
    spare: PathBuf,
    left: Left,
    /// Room for the sorted entries, kept from one publish to the next unless there were many.
    pub(super) entries: Vec<(Key, u64)>,
}

impl Rename {
    pub(super) fn new(table: Table) -> Self {
        let (new, spare) = (table.place.path(".new.lmdb"), table.place.path(".empty.lmdb"));
        Self { table, new, spare, left: Left::default(), entries: Vec::new() }
    }

    /// Makes sure that a valid table is there, and the spare.
    pub(super) fn open(table: Table) -> Result<Self, BackendError> {
        let mut rename = Self::new(table);
        let table = &rename.table;
        table.place.check_writable(&table.path)?;
        let found = table.found()?;
        remove(&rename.new).map_err(|error| table.write_error(&error))?;
        match found {
            Check::Valid => table.place.adopt(&table.path, READ).map_err(|error| table.write_error(&error))?,
            found => {
                if let Check::Damaged(cause) = found {
                    log::warn!("table {} is damaged: {cause}; replacing it by an empty one", table.path.display());
                }
                rename.replace(&Vec::new())?;
            }
        }
        if let Err(error) = rename.check_spare() {
            log::warn!("{error}; should the disk be full one day, the table cannot be emptied");
        }
        rename.left = Left::at(&rename.table.path);
        Ok(rename)
    }

    /// Puts a new file in the place of the table and remembers it.
    pub(super) fn replace(&mut self, clients: &dyn ClientSet) -> Result<(), BackendError> {
        self.left = Left::default();
        self.sort(clients);
        let done = self.write(&self.entries, &self.table.path);
        if done.is_ok() {
            self.left = Left::at(&self.table.path);
        }
        // A burst must not hold its memory for good.
        if self.entries.capacity() > KEPT {
            self.entries = Vec::new();
        }
        done
    }

    fn write(&self, entries: &[(Key, u64)], path: &Path) -> Result<(), BackendError> {
        self.write_new(entries, path).map_err(|error| write_error(path, &error))
    }

    /// Makes sure that the spare is there and empty.
    fn check_spare(&self) -> Result<(), BackendError> {
        match holds_nothing(&self.spare).map_err(|error| write_error(&self.spare, &error))? {
            Some(true) => self.table.place.adopt(&self.spare, READ).map_err(|error| write_error(&self.spare, &error)),
            Some(false) => Err(files::foreign(&self.spare)),
            None => self.write(&[], &self.spare),
        }
    }

    /// Makes a new spare in place of one that was used. Without one the table is as good; and it is tried again.
    pub(super) fn renew_spare(&self) {
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
        fs::rename(&self.spare, &self.table.path)?;
        if self.table.sync { self.table.place.sync() } else { Ok(()) }
    }

    /// Sorts clients as LMDB does, into `entries`.
    pub(super) fn sort(&mut self, clients: &dyn ClientSet) {
        self.entries.clear();
        self.entries.reserve(clients.len());
        clients.for_each(&mut |client| self.entries.push((Key::new(client.address), seconds_up(client.expires))));
        self.entries.sort_unstable();
        self.entries.dedup_by_key(|entry| entry.0);
    }

    /// Writes the new file and renames it; a map that turns out too small is made anew, twice as large.
    pub(super) fn write_new(&self, entries: &[(Key, u64)], path: &Path) -> io::Result<()> {
        let mut size = self.map_size(entries);
        loop {
            let new = self.create()?;
            match self.fill(entries, size) {
                Ok(()) => return replace::install(new, path, self.table.sync),
                Err(Error::MapFull) => size = size.saturating_mul(2),
                Err(error) => return Err(as_io(error)),
            }
        }
    }

    pub(super) fn create(&self) -> io::Result<NamedTempFile> {
        self.table.place.create(&self.new)
    }

    /// Twice what the entries take in full pages, and some pages for the tree above them.
    fn map_size(&self, entries: &[(Key, u64)]) -> usize {
        let mut buffer = String::new();
        let bytes = |(key, expires): &(Key, u64), buffer: &mut String| {
            16 + key.with_nul().len() + self.table.value.text(*expires, buffer).len()
        };
        let bytes: usize = entries.iter().map(|entry| bytes(entry, &mut buffer)).sum();
        (2 * bytes + 64 * 4096).next_multiple_of(65536)
    }

    /// Fills the empty file. Not synced here: that is done once, before the rename.
    pub(super) fn fill(&self, entries: &[(Key, u64)], size: usize) -> lmdb::Result<()> {
        let environment = Environment::new()
            .set_flags(FLAGS | EnvironmentFlags::NO_SYNC)
            .set_map_size(size)
            .open_with_permissions(&self.new, 0o600)?;
        let database = environment.create_db(None, DatabaseFlags::empty())?;
        let mut transaction = environment.begin_rw_txn()?;
        let mut value = self.table.value.with_nul();
        for (key, expires) in entries {
            transaction.put(database, &key.with_nul(), &value.at(*expires), WriteFlags::APPEND)?;
        }
        transaction.commit()
    }
}

/// Whether a table is empty; `None` if there is none that can be read.
fn holds_nothing(path: &Path) -> io::Result<Option<bool>> {
    let mut empty = true;
    Ok(match walk(path, &mut |_, _| empty = false)? {
        Check::Valid => Some(empty),
        Check::Foreign => Some(false),
        Check::Missing | Check::Damaged(_) => None,
    })
}

impl Backend for Rename {
    fn list(&mut self) -> Result<Vec<Listed>, BackendError> {
        self.table.list()
    }

    fn publish(&mut self, update: &Update<'_>) -> Result<(), BackendError> {
        let changed = self.left.has_changed(&self.table.path);
        self.replace(update.clients)?;
        if changed {
            files::tell_of_change(&self.table.path);
        }
        self.renew_spare();
        Ok(())
    }

    fn is_intact(&self) -> bool {
        !self.left.has_changed(&self.table.path)
    }

    fn clear(&mut self) -> Result<(), BackendError> {
        let done = self.replace(&Vec::new());
        // The spare that takes the table's place instead is an empty one, too.
        self.left = Left::default();
        match done {
            Ok(()) => {
                self.renew_spare();
                Ok(())
            }
            Err(_) if holds_nothing(&self.table.path).is_ok_and(|empty| empty == Some(true)) => Ok(()),
            Err(error) => files::instead(error, &self.spare, || self.use_spare()),
        }
    }
}
