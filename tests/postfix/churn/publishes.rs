//! Counts what the daemon publishes, by the table itself.

use crate::support::cases::Site;
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Publishes since it was made.
pub(crate) enum Publishes {
    /// Each is a file that is moved to the table's name.
    Renames { events: Inotify, index: OsString, count: u64 },
    /// Each is a transaction, and the table counts those.
    Transactions { table: PathBuf, read: fn(&File) -> u64, before: u64 },
}

impl Publishes {
    pub(crate) fn watch(site: &Site) -> Self {
        let has = |argument| site.case.backend.contains(&argument);
        if has("sqlite") {
            Self::transactions(site.map().with_extension("sqlite-shm"), sqlite_commits)
        } else if has("in-place") {
            Self::transactions(site.map().with_extension("lmdb"), lmdb_transaction)
        } else {
            let index = site.map().with_extension(if has("hash") { "db" } else { "lmdb" });
            Self::renames(&site.map_dir(), index.file_name().expect("a name").to_owned())
        }
    }

    fn transactions(table: PathBuf, read: fn(&File) -> u64) -> Self {
        let before = read(&File::open(&table).expect("the table"));
        Self::Transactions { table, read, before }
    }

    fn renames(dir: &Path, index: OsString) -> Self {
        let events = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).expect("inotify");
        // The kernel makes one of equal events that follow each other, so the ones between them are asked for, too.
        let kinds = AddWatchFlags::IN_MOVE | AddWatchFlags::IN_CREATE | AddWatchFlags::IN_DELETE;
        events.add_watch(dir, kinds).expect("a watch");
        Self::Renames { events, index, count: 0 }
    }

    /// How many there were so far. Asked now and then, no event gets lost.
    pub(crate) fn count(&mut self) -> u64 {
        match self {
            Self::Renames { events, index, count } => {
                *count += renames(events, index);
                *count
            }
            Self::Transactions { table, read, before } => {
                read(&File::open(table).expect("the table")).checked_sub(*before).expect("the same table as before")
            }
        }
    }
}

fn renames(events: &Inotify, index: &OsString) -> u64 {
    let mut count = 0;
    loop {
        let read = match events.read_events() {
            Ok(read) => read,
            Err(Errno::EAGAIN) => return count,
            Err(error) => panic!("inotify: {error}"),
        };
        for event in read {
            assert!(!event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW), "events were lost");
            let renamed = event.mask.contains(AddWatchFlags::IN_MOVED_TO) && event.name.as_ref() == Some(index);
            count += u64::from(renamed);
        }
    }
}

/// `mm_txnid` of the newer one of LMDB's two meta pages (`mdb.c`, `struct MDB_meta`), on a machine of 64 bits.
fn lmdb_transaction(table: &File) -> u64 {
    const META: u64 = 16;
    // Magic and version, two words, two descriptions of databases, a page number.
    const TRANSACTION: u64 = 8 + 16 + 2 * 48 + 8;
    // The page size is the first thing in the description of the free pages.
    let page = u64::from(u32::from_ne_bytes(bytes(table, META + 8 + 16)));
    let of = |start| u64::from_ne_bytes(bytes(table, start + META + TRANSACTION));
    of(0).max(of(page))
}

/// `iChange` of the wal-index (SQLite's `wal.c`, `struct WalIndexHdr`), which counts transactions.
fn sqlite_commits(shm: &File) -> u64 {
    u64::from(u32::from_ne_bytes(bytes(shm, 8)))
}

fn bytes<const N: usize>(file: &File, position: u64) -> [u8; N] {
    let mut bytes = [0; N];
    file.read_exact_at(&mut bytes, position).expect("bytes of the table");
    bytes
}
