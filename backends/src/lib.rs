//! Writers of Postfix lookup tables.
//!
//! This crate turns a set of client addresses into a table that `check_client_access` can read. It knows nothing of
//! logs, matchers or rings; the daemon knows nothing of the file formats here. A backend is a row in [`DRIVERS`].

mod access;
mod entry;
mod error;
mod files;
#[cfg(feature = "lmdb")]
mod lmdb;
pub mod memory;
mod postmap;
pub mod process;
pub mod replace;
mod scratch;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(all(test, any(feature = "lmdb", feature = "sqlite")))]
mod told;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::SystemTime;

pub use access::open_path;
pub use entry::seconds_up;
pub use error::{BackendError, ErrorKind};
pub use files::cause;
pub use postmap::{Redirect, map_type, redirect};

/// An address that may relay, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The client's address; never an IPv4-mapped IPv6 address.
    pub address: IpAddr,
    /// End of the grant, wall clock; tables keep whole seconds, rounded up.
    pub expires: SystemTime,
}

/// A client as a table holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The client's address.
    pub address: IpAddr,
    /// End of the grant; `None` where the table holds a fixed text (`--value`) instead of an expiry.
    pub expires: Option<SystemTime>,
}

/// The whole set of clients, walked only by a backend that rewrites its whole table.
pub trait ClientSet {
    /// How many clients `for_each` visits.
    fn len(&self) -> usize;
    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Visits every client once, in no particular order.
    fn for_each(&self, visit: &mut dyn FnMut(&Client));
}

impl ClientSet for [Client] {
    fn len(&self) -> usize {
        <[Client]>::len(self)
    }

    fn for_each(&self, visit: &mut dyn FnMut(&Client)) {
        self.iter().for_each(visit);
    }
}

impl ClientSet for Vec<Client> {
    fn len(&self) -> usize {
        <[Client]>::len(self)
    }

    fn for_each(&self, visit: &mut dyn FnMut(&Client)) {
        self.iter().for_each(visit);
    }
}

/// What changed since the last successful publish, and what the table must hold now.
///
/// An address appears in at most one of `added`, `extended` and `removed`.
pub struct Update<'a> {
    /// Clients that the table did not hold.
    pub added: &'a [Client],
    /// Clients that the table held with an earlier expiry.
    pub extended: &'a [Client],
    /// Addresses that the table held and must not hold any more.
    pub removed: &'a [IpAddr],
    /// The whole set after this update.
    pub clients: &'a dyn ClientSet,
}

/// A table that the daemon writes and Postfix reads.
///
/// One daemon owns a table at a time (the daemon holds a lock on it) and calls from one thread. `publish` is called
/// for every change and may block, for at most some ten seconds where another process is involved.
pub trait Backend {
    /// What the table holds now. Read once at start, so that a restart keeps the grants with their own expiry, and by
    /// `pop-before-smtp list`. Entries that this program did not write (keys that are no address) are left out.
    ///
    /// # Errors
    /// The table cannot be read.
    fn list(&mut self) -> Result<Vec<Listed>, BackendError>;

    /// Makes the table hold exactly the clients of `update`. All or nothing for every reader: on success readers see
    /// the new set, on failure (also a crash or a full disk in the middle) the old one. After a failure the caller
    /// keeps the changes and calls again with all of them; a backend that writes only differences must then not
    /// assume anything about the file.
    ///
    /// # Errors
    /// The table could not be written; it still holds what it held.
    fn publish(&mut self, update: &Update<'_>) -> Result<(), BackendError>;

    /// Makes the table empty, also when there is no room for a new one: grants must end even on a full disk. Until the
    /// next publish, which may tell differences to the empty table or to what was there before, nothing is in it.
    ///
    /// # Errors
    /// The table could not be emptied; it still holds what it held.
    fn clear(&mut self) -> Result<(), BackendError>;

    /// Whether the table is still as the last publish left it, as far as one can see without reading it. Asked now and
    /// then, so that a table that somebody has removed is made anew before the next login.
    fn is_intact(&self) -> bool {
        true
    }
}

/// Where the table is and what is written in it.
#[derive(Debug, Clone)]
pub struct TableOptions {
    /// Table path without suffix, as in `hash:/etc/postfix/pop-before-smtp`.
    pub map: PathBuf,
    /// Lookup table type handed to postmap; `None` asks `postconf -h default_database_type`.
    pub map_type: Option<String>,
    /// Text to store instead of the expiry in Unix seconds.
    pub value: Option<String>,
    /// How backend `lmdb` changes its file.
    pub lmdb_update: LmdbUpdate,
    /// Whether backend `lmdb` forces each publish to the disk; without, a power failure may take the table with it.
    pub sync: bool,
}

/// How an LMDB table is changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LmdbUpdate {
    /// A new file is written and takes the name of the old one; every smtpd(8) restarts at its next client.
    #[default]
    Rename,
    /// One transaction changes the file under a lock that excludes Postfix's readers; nothing restarts.
    InPlace,
}

impl TableOptions {
    /// The table `map` with the defaults for everything else.
    pub fn new(map: impl Into<PathBuf>) -> Self {
        Self { map: map.into(), map_type: None, value: None, lmdb_update: LmdbUpdate::default(), sync: true }
    }

    /// # Errors
    /// Another map type was asked for than the only one that the backend `name` writes.
    #[cfg(any(feature = "lmdb", feature = "sqlite"))]
    fn refuse_other_type(&self, name: &str) -> Result<(), BackendError> {
        match &self.map_type {
            Some(asked) if asked != name => {
                let action = format!("use map type {}", asked.escape_debug());
                let cause = format!("backend {name} writes {name} tables");
                Err(BackendError::new(ErrorKind::Config, action, cause).cure("leave --map-type out"))
            }
            _ => Ok(()),
        }
    }
}

/// A backend as it can be chosen: help, manual, `check` and the contract tests read this table.
pub struct Driver {
    /// Value of `--backend`.
    pub name: &'static str,
    /// Postfix lookup table types that read the table.
    pub map_types: &'static [&'static str],
    /// One line for `--help`.
    pub summary: &'static str,
    /// Cargo feature that compiles it in; empty for one that is always there.
    pub feature: &'static str,
    /// Whether a lookup checks the expiry stored in the row, so that an extended grant alone is worth a publish.
    pub expires_rows: bool,
    /// Whether each publish makes the readers that run restart, so that there should not be many.
    pub restarts_readers: fn(&TableOptions) -> bool,
    /// Makes sure that a valid table exists (creating an empty one) and opens it for writing.
    pub open: fn(&TableOptions) -> Result<Box<dyn Backend>, BackendError>,
    /// Opens an existing table for [`Backend::list`] alone: creates nothing, needs no right to write.
    pub open_read_only: fn(&TableOptions) -> Result<Box<dyn Backend>, BackendError>,
    /// What a publish does, in one line, for debug mode: the postmap command or the file written.
    pub describe: fn(&TableOptions) -> String,
}

/// Every backend, in the order of `--help`; the first is the default.
pub const DRIVERS: &[Driver] = &[
    Driver {
        name: "postmap",
        map_types: &["hash", "btree", "lmdb", "cdb", "dbm", "sdbm"],
        summary: "run postmap(1) for each change; any table type that Postfix can index",
        feature: "",
        expires_rows: false,
        restarts_readers: |_| true,
        open: postmap::open,
        open_read_only: postmap::open_read_only,
        describe: postmap::describe,
    },
    Driver {
        name: "lmdb",
        map_types: &["lmdb"],
        summary: "write an lmdb_table(5) without running a program",
        feature: "lmdb",
        expires_rows: false,
        restarts_readers: |options| options.lmdb_update == LmdbUpdate::Rename,
        #[cfg(feature = "lmdb")]
        open: lmdb::open,
        #[cfg(not(feature = "lmdb"))]
        open: |_| Err(not_compiled_in("lmdb")),
        #[cfg(feature = "lmdb")]
        open_read_only: lmdb::open_read_only,
        #[cfg(not(feature = "lmdb"))]
        open_read_only: |_| Err(not_compiled_in("lmdb")),
        describe: |options| describe_file(options, ".lmdb"),
    },
    Driver {
        name: "sqlite",
        map_types: &["sqlite"],
        summary: "update an sqlite_table(5) in place, row by row; rows expire by themselves",
        feature: "sqlite",
        expires_rows: true,
        restarts_readers: |_| false,
        #[cfg(feature = "sqlite")]
        open: sqlite::open,
        #[cfg(not(feature = "sqlite"))]
        open: |_| Err(not_compiled_in("sqlite")),
        #[cfg(feature = "sqlite")]
        open_read_only: sqlite::open_read_only,
        #[cfg(not(feature = "sqlite"))]
        open_read_only: |_| Err(not_compiled_in("sqlite")),
        describe: |options| describe_file(options, ".sqlite"),
    },
];

/// The `query` line of the sqlite_table(5) configuration file that reads the table of backend `sqlite`; `%%` is
/// Postfix's way to write a percent sign.
pub const SQLITE_QUERY: &str =
    "SELECT value FROM client WHERE address = '%s' AND expires > CAST(strftime('%%s','now') AS INTEGER)";

/// The backend of that name, compiled in or not.
#[must_use]
pub fn driver(name: &str) -> Option<&'static Driver> {
    DRIVERS.iter().find(|driver| driver.name == name)
}

fn describe_file(options: &TableOptions, suffix: &str) -> String {
    format!("Table file: {}{suffix}", options.map.display())
}

#[cfg(not(all(feature = "lmdb", feature = "sqlite")))]
fn not_compiled_in(name: &str) -> BackendError {
    BackendError::new(ErrorKind::Config, format!("open backend {name}"), "not compiled in")
        .cure(format!("build with --features {name}"))
}
