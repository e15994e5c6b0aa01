//! A table file that has been checked and that LMDB has mapped for writing.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use lmdb::{Cursor as _, Database, Environment, EnvironmentFlags, Error, RwTransaction, Transaction as _, WriteFlags};
use nix::sys::stat::{FileStat, fstat, lstat};

use super::Fault;
use crate::entry::{Key, Value, seconds_up};
use crate::files::cause;
use crate::lmdb::check::{self, Check, Purpose};
use crate::lmdb::lock::{self, Kind};
use crate::lmdb::{FLAGS, Table, name_of};
use crate::{Client, Update};

/// Least size of the memory map: room for some hundred thousand clients. It is address space alone, neither memory nor
/// room on the disk. Readers follow when the file outgrows the map that they made of it.
const MAP_SIZE: usize = 64 << 20;

pub(super) struct Opened {
    environment: Environment,
    database: Database,
    /// The same file, for locks.
    file: File,
    pub(super) left: Left,
}

/// What a look at the file says, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    AsLeft,
    /// The wall clock was set back, so that the time of a write says nothing.
    Unknown,
    /// Somebody else has replaced, cut or written it.
    Changed,
}

/// What tells that nobody else has replaced, cut or written a file since `until`.
pub(super) struct Left {
    /// Device, inode, size.
    file: [u64; 3],
    pub(super) until: SystemTime,
    /// Number of the newest transaction, which any writer that knows LMDB would have raised.
    transaction: usize,
    last_page: usize,
}

fn identity(found: &FileStat) -> [u64; 3] {
    [found.st_dev, found.st_ino, found.st_size.cast_unsigned()]
}

fn written(found: &FileStat) -> SystemTime {
    let since = Duration::new(found.st_mtime.try_into().unwrap_or(0), found.st_mtime_nsec.try_into().unwrap_or(0));
    SystemTime::UNIX_EPOCH + since
}

/// What a transaction is to do.
pub(super) enum Work<'a> {
    /// Write what differs from the last publish.
    Differences(&'a Update<'a>),
    /// Compare with the file, which holds anything; sorted.
    Exactly(&'a [(Key, u64)]),
    Clear,
}

impl Work<'_> {
    /// Whether it may change so much that the memory for it is worth giving back.
    pub(super) fn is_large(&self) -> bool {
        const MANY: usize = 1024;
        match self {
            Self::Differences(update) => update.added.len() + update.extended.len() + update.removed.len() >= MANY,
            Self::Exactly(entries) => entries.len() >= MANY,
            Self::Clear => false,
        }
    }
}

impl Opened {
    /// Opens a file after reading all of it.
    pub(super) fn new(table: &Table) -> Result<Self, Fault> {
        let unfit = |error: io::Error| Fault::Unfit(cause(&error));
        let file = check::open(&table.path, Purpose::Writing).map_err(unfit)??;
        lock::take(&file, Kind::Shared).map_err(Fault::Failed)?;
        let (found, until) = (fstat(&file).map_err(|errno| unfit(errno.into()))?, SystemTime::now());
        match check::contents(&file, Purpose::Writing).map_err(unfit)? {
            Check::Valid => {}
            found => return Err(found.into()),
        }
        let size = usize::try_from(found.st_size).unwrap_or(usize::MAX).saturating_mul(4).max(MAP_SIZE);
        let (environment, database) = map(table, &file, size).map_err(fault)?;
        let info = environment.info().map_err(fault)?;
        let (transaction, last_page) = (info.last_txnid(), info.last_pgno());
        lock::release(&file);
        let left = Left { file: identity(&found), until: until.max(written(&found)), transaction, last_page };
        Ok(Self { environment, database, file, left })
    }

    /// Looks whether the file of that name is the one that was opened, and whether somebody else has written it.
    pub(super) fn look(&self, path: &Path) -> Found {
        let same = |found: FileStat| identity(&found) == self.left.file && written(&found) <= self.left.until;
        // The second looks into the map, which must not have been cut.
        let same = lstat(path).is_ok_and(same)
            && self.environment.info().is_ok_and(|info| info.last_txnid() == self.left.transaction);
        match same {
            false => Found::Changed,
            true if SystemTime::now() < self.left.until => Found::Unknown,
            true => Found::AsLeft,
        }
    }

    /// Excludes readers and writers; tells whether it had to wait.
    pub(super) fn lock(&self) -> io::Result<bool> {
        lock::take(&self.file, Kind::Exclusive)
    }

    pub(super) fn unlock(&self) {
        lock::release(&self.file);
    }

    /// Does the work in one transaction, under the lock. After an error the file must be opened anew.
    pub(super) fn write(&mut self, work: &Work<'_>, value: &Value) -> Result<(), Fault> {
        loop {
            match self.transact(work, value) {
                Err(Error::MapFull) => self.grow().map_err(fault)?,
                done => break done.map_err(fault)?,
            }
        }
        let now = SystemTime::now();
        let info = self.environment.info().map_err(fault)?;
        self.left.transaction = info.last_txnid();
        // Only then it may have grown; or, if it was left in the future, not have been written now.
        if info.last_pgno() != self.left.last_page || now < self.left.until {
            let found = fstat(&self.file).map_err(|errno| Fault::Failed(errno.into()))?;
            self.left.last_page = info.last_pgno();
            self.left.file = identity(&found);
            self.left.until = now.max(written(&found));
        } else {
            self.left.until = now;
        }
        Ok(())
    }

    /// Gives back the memory of a large transaction: LMDB keeps a page for each that it has changed, for the next. To be
    /// called while the file is locked and as left.
    pub(super) fn give_back_memory(&mut self, table: &Table) -> Result<(), Fault> {
        let size = self.environment.info().map_err(fault)?.map_size();
        (self.environment, self.database) = map(table, &self.file, size).map_err(fault)?;
        Ok(())
    }

    fn grow(&self) -> lmdb::Result<()> {
        let size = self.environment.info()?.map_size().checked_mul(2).ok_or(Error::MapFull)?;
        self.environment.set_map_size(size)
    }

    fn transact(&self, work: &Work<'_>, value: &Value) -> lmdb::Result<()> {
        let transaction = self.environment.begin_rw_txn()?;
        let mut writer = Writer { transaction, database: self.database, value };
        match *work {
            Work::Differences(update) => writer.apply(update)?,
            Work::Exactly(entries) => writer.bring_to(entries)?,
            Work::Clear => writer.transaction.clear_db(self.database)?,
        }
        writer.transaction.commit()
    }
}

/// Maps a file that has been checked.
fn map(table: &Table, file: &File, size: usize) -> lmdb::Result<(Environment, Database)> {
    let flags = if table.sync { FLAGS } else { FLAGS | EnvironmentFlags::NO_SYNC };
    let environment = Environment::new().set_flags(flags).set_map_size(size).open(&name_of(file, &table.path))?;
    let database = environment.open_db(None)?;
    Ok((environment, database))
}

struct Writer<'e> {
    transaction: RwTransaction<'e>,
    database: Database,
    value: &'e Value,
}

impl Writer<'_> {
    fn apply(&mut self, update: &Update<'_>) -> lmdb::Result<()> {
        for &address in update.removed {
            self.delete(Key::new(address).with_nul())?;
        }
        let mut value = self.value.with_nul();
        for &Client { address, expires } in update.added.iter().chain(update.extended) {
            let (key, value) = (Key::new(address), value.at(seconds_up(expires)));
            self.transaction.put(self.database, &key.with_nul(), &value, WriteFlags::empty())?;
        }
        Ok(())
    }

    /// Writes only what differs, so that a restart costs a large table little.
    fn bring_to(&mut self, entries: &[(Key, u64)]) -> lmdb::Result<()> {
        let mut value = self.value.with_nul();
        let (mut gone, mut changed, mut empty) = (Vec::new(), Vec::new(), true);
        let mut entries = entries.iter().peekable();
        let mut cursor = self.transaction.open_ro_cursor(self.database)?;
        for held in cursor.iter() {
            let (key, text) = held?;
            empty = false;
            while let Some(entry) = entries.next_if(|entry| entry.0.with_nul() < key) {
                changed.push(entry);
            }
            match entries.next_if(|entry| entry.0.with_nul() == key) {
                Some(entry) if value.at(entry.1) == text => {}
                Some(entry) => changed.push(entry),
                None => gone.push(key.to_vec()),
            }
        }
        drop(cursor);
        changed.extend(entries);
        let flags = if empty { WriteFlags::APPEND } else { WriteFlags::empty() };
        for key in gone {
            self.delete(&key)?;
        }
        for (key, expires) in changed {
            self.transaction.put(self.database, &key.with_nul(), &value.at(*expires), flags)?;
        }
        Ok(())
    }

    fn delete(&mut self, key: &[u8]) -> lmdb::Result<()> {
        match self.transaction.del(self.database, &key, None) {
            Err(Error::NotFound) => Ok(()),
            done => done,
        }
    }
}

impl From<Check> for Fault {
    fn from(found: Check) -> Self {
        Self::Unfit(match found {
            Check::Missing => "it is missing".to_owned(),
            Check::Damaged(why) => why,
            Check::Valid | Check::Foreign => "it is not a table of Postfix".to_owned(),
        })
    }
}

fn fault(error: Error) -> Fault {
    match error {
        Error::Other(errno) if errno > 0 => Fault::Failed(io::Error::from_raw_os_error(errno)),
        error => Fault::Unfit(error.to_string()),
    }
}
