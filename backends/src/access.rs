//! Who may use the files of a table: their owner, and the processes of Postfix that have given up root, by their group.
//!
//! Who may open a file may lock it, and a lookup in a `hash:` table waits for as long as another holds a lock. Changes files
//! by descriptors only; asks `postconf`.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::{Once, OnceLock};

use nix::fcntl::{AtFlags, OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{Gid, Group, Uid, User, fchownat, geteuid};

use crate::files::{LINKED, MapPath, cause};
use crate::process;

/// What Postfix reads.
pub(crate) const READ: u32 = 0o640;
/// What Postfix's processes may have to mend.
#[cfg(feature = "sqlite")]
pub(crate) const SHARED: u32 = 0o660;
/// What cannot be given to Postfix's group: its processes must read it, and so everybody may.
const OPEN: u32 = 0o644;

impl MapPath {
    /// Lets Postfix use an existing file of the table, as [`MapPath::admit`] does: postmap and SQLite take over the owner of
    /// what they find, and files of an earlier version are open to everybody.
    ///
    /// By a descriptor of the path alone (`O_PATH`): to close a common one would drop every lock that this process
    /// holds on the file, SQLite's included, and with its locks gone the next reader cuts the -shm under us (SIGBUS).
    pub(crate) fn adopt(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.admit(&open_file(path)?, mode)
    }

    /// Gives a file owner, group and mode, in this order, so that Postfix can read at any moment what it could before.
    pub(crate) fn admit(&self, file: &File, mode: u32) -> io::Result<()> {
        let given = match group() {
            Some(group) => self.give(file, Some(group)).map_err(|error| (cause(&error), join(group))),
            None => {
                Err(("Postfix's user (mail_owner) does not exist".to_owned(), "start again when it does".to_owned()))
            }
        };
        let (mode, enough) = if given.is_ok() { (mode, 0o440) } else { (OPEN, 0o444) };
        if let Err((cause, cure)) = given {
            self.tell(&cause, &cure);
            self.give(file, None)?;
        }
        match set_mode(file, mode) {
            // A table of another user that Postfix can read will do.
            Err(_) if file.metadata()?.mode() & enough == enough => Ok(()),
            done => done,
        }
    }

    /// Gives a file or directory to a group, if one is named; and as root to the owner of the table's directory, unless that
    /// is root, too: Postfix warns of a root-owned table in another user's directory.
    pub(crate) fn give(&self, file: &File, group: Option<Gid>) -> io::Result<()> {
        let found = file.metadata()?;
        let owner = if geteuid().is_root() { self.owner()? } else { 0 };
        let user = Some(owner).filter(|&owner| owner != 0 && owner != found.uid()).map(Uid::from_raw);
        let group = group.filter(|group| group.as_raw() != found.gid());
        if user.is_some() || group.is_some() {
            fchownat(file, c"", user, group, AtFlags::AT_EMPTY_PATH)?;
        }
        Ok(())
    }

    /// Tells once that the table is open to everybody.
    fn tell(&self, cause: &str, cure: &str) {
        static TOLD: Once = Once::new();
        let table = self.path("");
        TOLD.call_once(|| {
            log::warn!("cannot keep other users from reading and locking table {}: {cause}; {cure}", table.display());
        });
    }
}

fn join(group: Gid) -> String {
    let name = Group::from_gid(group).ok().flatten().map_or_else(|| group.to_string(), |found| found.name);
    format!("make the daemon's user a member of group {name}, and start it again")
}

/// The group of Postfix's unprivileged processes: that of `mail_owner` (postconf(5)).
fn group() -> Option<Gid> {
    static GROUP: OnceLock<Option<Gid>> = OnceLock::new();
    *GROUP.get_or_init(|| {
        let owner = process::mail_owner().unwrap_or_else(|| "postfix".to_owned());
        Some(User::from_name(&owner).ok()??.gid)
    })
}

/// A descriptor of the path alone, through which nothing is read, written or set off (`O_PATH`, open(2)), with these flags
/// besides.
///
/// Not by [`std::fs::OpenOptions`]: musl counts the flag to those that say read or write, which it sets itself, and so leaves
/// the flag out.
///
/// # Errors
/// Those of open(2).
pub fn open_path(path: &Path, flags: OFlag) -> io::Result<File> {
    Ok(open(path, OFlag::O_PATH | OFlag::O_CLOEXEC | flags, Mode::empty())?.into())
}

/// A file of the table by its path alone; see [`MapPath::adopt`].
fn open_file(path: &Path) -> io::Result<File> {
    let file = open_path(path, OFlag::O_NOFOLLOW)?;
    let found = file.metadata()?;
    match (found.is_file(), found.nlink()) {
        (true, 0 | 1) => Ok(file),
        // Who put it here need not be allowed to write it, and would have lent our rights.
        (true, _) => Err(io::Error::other(LINKED)),
        (false, _) => Err(io::Error::other("it is no regular file")),
    }
}

fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    if file.metadata()?.mode() & 0o7777 == mode {
        return Ok(());
    }
    // The way to change the mode through a descriptor of a path.
    let itself = format!("/proc/self/fd/{}", file.as_raw_fd());
    fs::set_permissions(itself, fs::Permissions::from_mode(mode))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// With each C library: one that opens more would drop locks when it is closed, and wait for a pipe.
    #[test]
    fn a_descriptor_of_a_path_reads_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut opened = open_path(file.path(), OFlag::empty()).unwrap();
        assert_eq!(opened.read(&mut [0]).unwrap_err().raw_os_error(), Some(nix::libc::EBADF));
    }
}
