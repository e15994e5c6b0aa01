//! The lock that keeps two daemons off one map.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::libc::O_NOFOLLOW;
use nix::unistd::geteuid;

use crate::output::error::{Error, Exit};
use crate::saved::private_file::refuse_linked;
use crate::saved::state::beside;

/// Holds `<map>.lock` locked until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Locks a map, whatever backend and mode the daemon runs in.
    ///
    /// # Errors
    /// Exit code 75 if another daemon serves the map, 73 if the lock file cannot be written.
    pub(crate) fn take(map: &Path) -> Result<Self, Error> {
        Self::acquire(map, "serve map", "stop it first, or name another table with --map")
    }

    /// Locks a map whose table is to be emptied.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub(crate) fn take_to_clear(map: &Path) -> Result<Self, Error> {
        Self::acquire(map, "clear the table of map", "stop it; a clean stop empties the table")
    }

    /// Locks a map without a daemon for what is done by hand.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub(crate) fn take_to_change(map: &Path, action: &str) -> Result<Self, Error> {
        Self::acquire(map, action, "name its control socket with --control")
    }

    fn acquire(map: &Path, action: &str, cure: &str) -> Result<Self, Error> {
        let path = path(map);
        let file = open(&path)
            // Who can read it can lock it, and keep the daemon from starting.
            .and_then(|file| file.set_permissions(Permissions::from_mode(0o600)).map(|()| file))
            .map_err(|error| {
                Error::io(Exit::CannotCreate, format!("write {}", path.display()), &error)
                    .cure(cure_of_write(&path, &error))
            })?;
        match file.try_lock() {
            Ok(()) => {
                let mut lock = Self { file };
                lock.write_pid();
                Ok(lock)
            }
            Err(TryLockError::WouldBlock) => Err(Error::new(
                Exit::TemporaryFailure,
                format!("{action} {}", map.display()),
                format!("a running pop-before-smtp{} serves it", holder(&file)),
            )
            .cure(cure)),
            Err(TryLockError::Error(error)) => {
                Err(Error::io(Exit::CannotCreate, format!("lock {}", path.display()), &error))
            }
        }
    }

    /// Writes who holds the lock into the file, for people; again after a change to the background.
    pub(crate) fn write_pid(&mut self) {
        // The lock holds without it.
        let _ = self.file.set_len(0);
        let _ = self.file.seek(SeekFrom::Start(0));
        let _ = writeln!(self.file, "{}", std::process::id());
    }
}

fn cure_of_write(path: &Path, error: &io::Error) -> String {
    let other = "name another table with --map";
    match (error.kind(), path.parent()) {
        (io::ErrorKind::NotFound, _) => {
            format!("create the directory and let the daemon's user write to it, or {other}")
        }
        (io::ErrorKind::PermissionDenied, _) if path.exists() => {
            format!("give it to the daemon's user, or {other}")
        }
        (io::ErrorKind::PermissionDenied, Some(directory)) => {
            format!("let the daemon's user write to {}, or {other}", directory.display())
        }
        _ => other.to_owned(),
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600).custom_flags(O_NOFOLLOW);
    match options.clone().create_new(true).open(path) {
        Ok(file) => give_to_owner_of_directory(&file, path).map(|()| file),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path).and_then(refuse_linked),
        Err(error) => Err(error),
    }
}

/// What root has made, a daemon of the directory's owner must be able to open. Only what we have made ourselves: that
/// owner may put a link to anything there.
fn give_to_owner_of_directory(file: &File, path: &Path) -> io::Result<()> {
    match path.parent().map(fs::metadata).transpose()? {
        Some(directory) if geteuid().is_root() => fchown(file, Some(directory.uid()), Some(directory.gid())),
        _ => Ok(()),
    }
}

/// The lock file of a map.
pub(crate) fn path(map: &Path) -> PathBuf {
    beside(map, ".lock")
}

fn holder(mut file: &File) -> String {
    let mut text = String::new();
    let _ = file.read_to_string(&mut text);
    text.trim().parse::<u32>().map(|pid| format!(" (process {pid})")).unwrap_or_default()
}
