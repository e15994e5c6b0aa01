//! A table that sqlite_table(5) reads, updated in place and row by row; nothing outside this module uses rusqlite.
//!
//! Writes `<map>.sqlite` and SQLite's `-wal` and `-shm` beside it. Readers never notice that a file was renamed, so the
//! file is never replaced; and a reader that finds it locked makes smtpd die, so it is in WAL mode, where a writer
//! locks nobody out. A file that is damaged or not ours is refused and left alone, at open as well as later, because
//! nothing but the operator's own eye tells one from the other. Only a file that is missing or empty is made anew.
//!
//! On a full disk nothing can be added once the log has used up the room it has. Removing goes on: the log is used
//! from its beginning again. Should even that fail, rows end by themselves.

mod file;
mod growth;
mod rows;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use self::file::{FOREIGN, Identity, Index, TableFile};
use self::growth::Growth;
use self::rows::{Batch, Rows, in_transaction};
use crate::entry::Value;
use crate::files::{self, FREE, Left, PERMIT, read_error};
use crate::{Backend, BackendError, ClientSet, ErrorKind, Listed, TableOptions, Update};

/// "PBSM", for file(1) and for us: a file without it is somebody else's.
const APPLICATION_ID: u32 = 0x5042_534D;
const VERSION: u32 = 1;

/// How long another writer (an operator's sqlite3, a backup) may hold us up.
const BUSY: Duration = Duration::from_secs(2);

/// Pages in the log, as a rule, before SQLite copies them into the database.
///
/// Whoever is the first to open the table after a crash reads the whole log, and holds a lock for as long with which
/// another new reader fails ("database is locked", which ends an smtpd): 2.2 ms for SQLite's own choice of 1000 pages,
/// 0.3 ms for this. It makes a publish cost a tenth more.
const LOG_PAGES: u32 = 128;

const SCHEMA: &str = "CREATE TABLE client (
    address TEXT PRIMARY KEY NOT NULL,
    expires INTEGER NOT NULL,
    value TEXT NOT NULL
) WITHOUT ROWID";
pub(crate) fn open(options: &TableOptions) -> Result<Box<dyn Backend>, BackendError> {
    options.refuse_other_type("sqlite")?;
    let value = Value::new(options)?;
    let file = TableFile::of(&options.map)?;
    file.check_writable()?;
    let opened = Some(open_for_writing(&file, &mut |_| Ok(()))?);
    Ok(Box::new(Sqlite { file, value, opened, in_step: false, batch: Batch::default(), growth: Growth::default() }))
}

pub(crate) fn open_read_only(options: &TableOptions) -> Result<Box<dyn Backend>, BackendError> {
    options.refuse_other_type("sqlite")?;
    let value = Value::new(options)?;
    let file = TableFile::of(&options.map)?;
    if file.is_empty().map_err(|error| read_error(file.path(), &error))? {
        return Err(files::missing(file.path()));
    }
    files::check_readable(file.path())?;
    // An index that a killed writer left half changed can only be read after it has been built again.
    let connected = connect_read_only(&file, Index::LeftAlone).or_else(|_| connect_read_only(&file, Index::Mended));
    let connection = connected.map_err(|error| failed("read", &file, &error))?;
    let identity = file.identity().map_err(|error| read_error(file.path(), &error))?;
    let opened = Some(Opened { connection, identity, left: Left::default(), database: None });
    Ok(Box::new(Sqlite { file, value, opened, in_step: false, batch: Batch::default(), growth: Growth::default() }))
}

struct Sqlite {
    file: TableFile,
    value: Value,
    /// `None` only after a failed attempt to open the file again.
    opened: Option<Opened>,
    /// Whether the file holds what the last publish said, so that the differences are enough for the next.
    in_step: bool,
    batch: Batch,
    growth: Growth,
}

struct Opened {
    connection: Connection,
    identity: Identity,
    /// The database as our last write left it: in WAL mode only a checkpoint changes it, seldom one of another program.
    left: Left,
    /// The database, to look at its header. Opened before SQLite has locks on it and, as the last field, closed after:
    /// closing it drops them.
    database: Option<File>,
}

impl Opened {
    /// Whether the database was emptied, cut or overwritten since our last write.
    fn is_spoilt(&self, path: &Path) -> bool {
        let is_sound = |database| file::is_sound(database).is_ok_and(|sound| sound);
        self.left.has_changed(path) && !self.database.as_ref().is_some_and(is_sound)
    }
}

/// Puts the first rows into a new table.
type Fill<'a> = &'a mut dyn FnMut(&Connection) -> rusqlite::Result<()>;

/// Opens the file, which is created or initialised where it is missing or empty.
fn open_for_writing(file: &TableFile, fill: Fill<'_>) -> Result<Opened, BackendError> {
    file.prepare()?;
    let database = file.refuse_foreign()?;
    file.adopt_database()?;
    let connection = connect(file, fill).map_err(|error| failed("open", file, &error))?;
    let identity = file.adopt()?;
    Ok(Opened { connection, identity, left: Left::at(file.path()), database: Some(database) })
}

fn connect(file: &TableFile, fill: Fill<'_>) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(file.path(), flags)?;
    connection.busy_timeout(BUSY)?;
    // Closing would remove -wal and -shm, which a reader without write permission cannot make again.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if objects == 0 {
        initialise(&mut connection, fill)?;
    }
    check(&connection)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(corrupt(format!("journal mode stays {mode}")));
    }
    connection.execute_batch("PRAGMA journal_size_limit = 4194304")?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    with_room(&mut connection, start_log)?;
    // NORMAL: a power failure may undo the last publishes but never half of one. What comes back expires by itself,
    // what is lost comes with the next login, and no login waits for a disk.
    connection.execute_batch("PRAGMA synchronous = NORMAL")?;
    Rows::prepare(&connection)?;
    Ok(connection)
}

fn connect_read_only(file: &TableFile, index: Index) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(file.read_only_uri(index), flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    refuse_foreign(&connection)?;
    Ok(connection)
}

fn refuse_foreign(connection: &Connection) -> rusqlite::Result<()> {
    let application: u32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if application == APPLICATION_ID { Ok(()) } else { Err(corrupt(FOREIGN.to_owned())) }
}

fn check(connection: &Connection) -> rusqlite::Result<()> {
    refuse_foreign(connection)?;
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(corrupt(verdict)) }
}

/// Commits a write that changes nothing, which also tells a table of another shape.
///
/// It makes -wal and -shm, so that readers and the drop of privileges find them. And it gets the log beyond its header:
/// if we die with a log of a header alone, a reader without write permission fails with "locking protocol". SQLite
/// syncs between header and first frame, so that moment lasts milliseconds; without syncing it is gone.
fn start_log(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA synchronous = OFF")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("INSERT OR REPLACE INTO client (address, expires, value) VALUES ('', 0, '')", [])?;
    transaction.execute("DELETE FROM client WHERE address = ''", [])?;
    transaction.commit()
}

/// Does it again from the beginning of the log, if it fails because there is no room: what the log holds is copied into
/// the database, and the log is overwritten. The copying needs room only for what never fitted into the database before.
fn with_room(connection: &mut Connection, write: fn(&mut Connection) -> rusqlite::Result<()>) -> rusqlite::Result<()> {
    match write(connection) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
            connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))?;
            write(connection)
        }
        done => done,
    }
}

fn delete_all(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("DELETE FROM client", [])?;
    transaction.commit()
}

/// All in one transaction and still with a rollback journal: after a crash the file is empty or complete. No reader finds
/// a table without the clients who belong in it: that would be a refusal, where an error is one for the moment only.
fn initialise(connection: &mut Connection, fill: Fill<'_>) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.execute_batch(SCHEMA)?;
    fill(&transaction)?;
    transaction.commit()
}

fn corrupt(cause: String) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT), Some(cause))
}

fn fill(rows: &mut Rows<'_>, clients: &dyn ClientSet) -> rusqlite::Result<()> {
    let mut done = Ok(());
    clients.for_each(&mut |client| {
        if done.is_ok() {
            done = rows.upsert(client);
        }
    });
    done.and_then(|()| rows.flush())
}

impl Sqlite {
    /// Opens the file again if it is not the one that was opened, or not as it was left: deleted or replaced under us,
    /// it would be written to while Postfix reads another; overwritten, we would add to a log whose database is gone.
    /// Tells whether that was so.
    fn reopen_if_changed(&mut self, clients: &dyn ClientSet) -> Result<bool, BackendError> {
        if self.opened.is_some() && self.is_intact() {
            return Ok(false);
        }
        self.in_step = false;
        let was_open = self.opened.take().inspect(|opened| self.save_orphaned_log(opened)).is_some();
        let (value, batch) = (&self.value, &mut self.batch);
        let fill = &mut |connection: &Connection| fill(&mut Rows::new(connection, value, batch), clients);
        self.opened = Some(open_for_writing(&self.file, fill)?);
        Ok(was_open)
    }

    /// If -wal alone was deleted, what it held must get into the database while we can still read it: without it the
    /// database may be half of two states. An index that was cut must not be looked at.
    fn save_orphaned_log(&self, opened: &Opened) {
        let safe = |found: Identity| found.has_database_of(&opened.identity) && !found.is_cut_since(&opened.identity);
        if self.file.identity().is_ok_and(safe) && !opened.is_spoilt(self.file.path()) {
            let done = opened.connection.query_row("PRAGMA wal_checkpoint(FULL)", [], |_| Ok(()));
            if let Err(error) = done {
                log::warn!("table {}: {error}", self.file.path().display());
            }
        }
    }

    fn write(&mut self, update: &Update<'_>) -> rusqlite::Result<()> {
        let Some(Opened { connection, .. }) = &self.opened else { return Err(rusqlite::Error::InvalidQuery) };
        in_transaction(connection, || {
            let mut rows = Rows::new(connection, &self.value, &mut self.batch);
            if self.in_step {
                update.removed.iter().try_for_each(|&address| rows.delete(address))?;
                update.added.iter().chain(update.extended).try_for_each(|client| rows.upsert(client))?;
                rows.flush()
            } else {
                connection.execute("DELETE FROM client", [])?;
                fill(&mut rows, update.clients)
            }
        })
    }

    /// After a write, failed or not: it may have copied the log into the database.
    fn remember(&mut self) {
        if let Some(opened) = &mut self.opened {
            opened.left = Left::at(self.file.path());
            self.file.follow_index(&mut opened.identity);
        }
    }

    fn read(&self) -> rusqlite::Result<Vec<Listed>> {
        let Some(opened) = &self.opened else { return Err(rusqlite::Error::InvalidQuery) };
        let mut statement = opened.connection.prepare("SELECT address, value FROM client")?;
        let mut rows = statement.query([])?;
        let mut listed = Vec::new();
        while let Some(row) = rows.next()? {
            let (key, value) = (row.get_ref(0)?.as_bytes()?, row.get_ref(1)?.as_bytes()?);
            listed.extend(self.value.listed(key, value));
        }
        Ok(listed)
    }
}

impl Backend for Sqlite {
    fn list(&mut self) -> Result<Vec<Listed>, BackendError> {
        self.read().map_err(|error| failed("read", &self.file, &error))
    }

    fn publish(&mut self, update: &Update<'_>) -> Result<(), BackendError> {
        let changed = self.reopen_if_changed(update.clients)?;
        let done = self.write(update);
        self.remember();
        self.growth.look(&self.file);
        self.in_step = done.is_ok();
        if self.in_step && changed {
            files::tell_of_change(self.file.path());
        }
        done.map_err(|error| failed("write", &self.file, &error))
    }

    fn is_intact(&self) -> bool {
        let same = |opened: &Opened| {
            let files = self.file.identity().is_ok_and(|found| found.is_still(&opened.identity));
            files && !opened.is_spoilt(self.file.path())
        };
        self.opened.as_ref().is_none_or(same)
    }

    fn clear(&mut self) -> Result<(), BackendError> {
        self.reopen_if_changed(&Vec::new())?;
        // The caller may tell the next differences to what was there before.
        self.in_step = false;
        let done = match &mut self.opened {
            Some(opened) => with_room(&mut opened.connection, delete_all),
            None => Err(rusqlite::Error::InvalidQuery),
        };
        self.remember();
        done.map_err(|error| failed("write", &self.file, &error))
    }
}

fn failed(verb: &str, file: &TableFile, error: &rusqlite::Error) -> BackendError {
    let path = file.path().display();
    let (kind, cure) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (ErrorKind::Unavailable, Some("find the program that holds a lock on it".to_owned()))
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) => {
            (ErrorKind::Config, Some(file.cure()))
        }
        Some(ErrorCode::DiskFull) => (ErrorKind::CannotCreate, Some(FREE.to_owned())),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) if verb != "read" => {
            (ErrorKind::CannotCreate, Some(PERMIT.to_owned()))
        }
        _ if verb == "read" => (ErrorKind::NoInput, None),
        _ => (ErrorKind::CannotCreate, None),
    };
    let cause = match error {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        rusqlite::Error::SqliteFailure(code, None) => code.to_string(),
        other => other.to_string(),
    };
    let cause = files::cause(&std::io::Error::other(cause.lines().next().unwrap_or_default().to_owned()));
    let error = BackendError::new(kind, format!("{verb} table {path}"), cause);
    match cure {
        Some(cure) => error.cure(cure),
        None => error,
    }
}
