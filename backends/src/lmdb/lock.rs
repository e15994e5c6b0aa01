//! Locks on a table file that Postfix's readers and postmap(1) respect.
//!
//! Postfix guards LMDB files by fcntl(2) locks on the whole file, shared for a lookup, exclusive for a change
//! (`src/util/dict_lmdb.c`). Ours exclude them, but belong to the open file description: closing another descriptor of
//! the file does not drop them, as it would drop a process's locks.

use std::fs::File;
use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc::{self, c_short};

use crate::{BackendError, ErrorKind};

/// How long a lock is waited for. Postfix holds one for microseconds; a process that was stopped, for ever.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// First and longest pause between two attempts.
const PAUSES: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(20));

/// What a lock excludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Writers.
    Shared,
    /// Everybody.
    Exclusive,
}

/// Locks the whole file, or changes the lock that the descriptor has; tells whether it had to wait.
///
/// # Errors
/// [`io::ErrorKind::ResourceBusy`] if others do not give way in time.
pub(super) fn take(file: &File, kind: Kind) -> io::Result<bool> {
    let kind = if kind == Kind::Shared { libc::F_RDLCK } else { libc::F_WRLCK };
    let mut waits: Option<(Instant, Duration)> = None;
    loop {
        match set(file, kind) {
            Ok(()) => return Ok(waits.is_some()),
            Err(Errno::EAGAIN | Errno::EACCES | Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let (until, pause) = waits.get_or_insert_with(|| (Instant::now() + PATIENCE, PAUSES.0));
        if Instant::now() >= *until {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        sleep(*pause);
        *pause = (*pause * 2).min(PAUSES.1);
    }
}

/// Drops the lock.
pub(super) fn release(file: &File) {
    // It cannot fail on a descriptor that is open; and closing it would drop the lock, too.
    let _ = set(file, libc::F_UNLCK);
}

fn set(file: &File, kind: libc::c_int) -> nix::Result<()> {
    let whole =
        libc::flock { l_type: kind as c_short, l_whence: libc::SEEK_SET as c_short, l_start: 0, l_len: 0, l_pid: 0 };
    fcntl(file, FcntlArg::F_OFD_SETLK(&whole)).map(|_| ())
}

/// The message for a lock that could not be had, where `error` is one.
pub(super) fn timed_out(verb: &str, table: &Path, error: &io::Error) -> Option<BackendError> {
    (error.kind() == io::ErrorKind::ResourceBusy).then(|| {
        let cause = format!("another process has kept it locked for {} s", PATIENCE.as_secs());
        let table = table.display();
        BackendError::new(ErrorKind::Unavailable, format!("{verb} table {table}"), cause).cure(format!(
            "find it with lslocks or fuser {table}: a Postfix process that was stopped during a lookup keeps its lock"
        ))
    })
}
