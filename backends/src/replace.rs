//! Files that are replaced as a whole: made complete under a name beside theirs, then renamed. Never half a file.
//!
//! The name beside is a fixed one, so that what a killed process has left is found without a search: it is removed at the
//! next start and before the next attempt.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile, TempDir};

/// How a file is replaced.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Permissions, whatever the umask.
    pub mode: u32,
    /// User and group that are to own it; those of the process if not said.
    pub owner: Option<(u32, u32)>,
    /// Whether it is on the disk when this returns.
    pub sync: bool,
}

/// Writes a file as `<path>.new` and renames it: all or nothing.
///
/// # Errors
/// The file cannot be written; the one that was there stays.
pub fn replace(
    path: &Path,
    manner: Manner,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let new = create(&beside(path, ".new"))?;
    new.as_file().set_permissions(Permissions::from_mode(manner.mode))?;
    if let Some((user, group)) = manner.owner {
        fchown(new.as_file(), Some(user), Some(group))?;
    }
    let mut file = BufWriter::new(new.as_file());
    write(&mut file)?;
    file.flush()?;
    drop(file);
    install(new, path, manner.sync)
}

/// Removes what a killed [`replace`] has left.
///
/// # Errors
/// It is there and cannot be removed.
pub fn remove_left_over(path: &Path) -> io::Result<()> {
    remove(&beside(path, ".new"))
}

/// Makes something afresh at `new`. It is removed when it is dropped before it has its place.
///
/// # Errors
/// What is there cannot be removed, or as `make`.
pub fn make<T>(new: &Path, make: impl FnMut(&Path) -> io::Result<T>) -> io::Result<NamedTempFile<T>> {
    remove(new)?;
    builder(new).make_in(directory(new), make)
}

fn builder(new: &Path) -> Builder<'_, '_> {
    let mut builder = Builder::new();
    builder.prefix(new.file_name().unwrap_or_default()).rand_bytes(0);
    builder
}

/// Makes an empty file that only this user can open. A link that somebody puts there meanwhile is not followed.
pub(crate) fn create(new: &Path) -> io::Result<NamedTempFile> {
    make(new, |new| OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(new))
}

/// Makes a directory that only this user can open, where nothing is. Dropped, it is removed with all that is in it.
pub(crate) fn create_directory(new: &Path) -> io::Result<TempDir> {
    builder(new).permissions(Permissions::from_mode(0o700)).tempdir_in(directory(new))
}

/// Gives a complete file its place. What is synced before: after a power failure the name leads to the old file or to the
/// new one, never to an empty one.
pub(crate) fn install(new: NamedTempFile, path: &Path, sync: bool) -> io::Result<()> {
    if sync {
        new.as_file().sync_all()?;
    }
    new.persist(path)?;
    if sync { sync_directory(path) } else { Ok(()) }
}

/// Makes the names in the directory of `path` durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(directory(path))?.sync_all()
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes a file that may be missing.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// A path with something behind its name.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    #[test]
    fn a_file_is_replaced_with_its_mode_or_stays_and_nothing_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let (path, victim) = (directory.path().join("state"), directory.path().join("victim"));
        let manner = |mode| Manner { mode, owner: None, sync: true };
        let write = |text: &'static str, mode| replace(&path, manner(mode), |file| file.write_all(text.as_bytes()));
        write("old", 0o600).unwrap();
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, beside(&path, ".new")).unwrap();
        write("new", 0o644).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o644);
        replace(&path, manner(0o600), |_| Err(io::ErrorKind::StorageFull.into())).unwrap_err();
        assert_eq!((fs::read(&path).unwrap(), fs::read(&victim).unwrap()), (b"new".to_vec(), b"precious".to_vec()));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "something is left");
        fs::write(beside(&path, ".new"), "half").unwrap();
        remove_left_over(&path).and_then(|()| remove_left_over(&path)).unwrap();
        assert!(!beside(&path, ".new").exists());
    }
}
