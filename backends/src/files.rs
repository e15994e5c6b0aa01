//! Files that Postfix must be able to read, and what is said about them.
//!
//! Touches the directory of the map and nothing else.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, eaccess};
use tempfile::NamedTempFile;

pub(crate) use crate::replace::remove;
use crate::{BackendError, ErrorKind, access, replace};

/// The map as given, made absolute, and the directory that holds its files.
#[derive(Debug, Clone)]
pub(crate) struct MapPath {
    map: PathBuf,
    directory: PathBuf,
}

impl MapPath {
    /// The place of `map`; absolute, because a daemon leaves its working directory.
    pub(crate) fn of(map: &Path) -> Result<Self, BackendError> {
        let refused = |cause: &str| {
            let action = format!("use map {}", map.display());
            Err(BackendError::new(ErrorKind::Config, action, cause).cure(OTHER_MAP))
        };
        let Ok(absolute) = std::path::absolute(map) else { return refused("it is no path") };
        match (absolute.file_name(), absolute.parent()) {
            (Some(_), Some(parent)) if !map.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                let directory = parent.to_owned();
                Ok(Self { map: absolute, directory })
            }
            _ => refused("it names a directory, not a table"),
        }
    }

    /// The map's path with `suffix` at its end.
    pub(crate) fn path(&self, suffix: &str) -> PathBuf {
        replace::beside(&self.map, suffix)
    }

    /// The map's name without its directory, and with `suffix` at its end.
    pub(crate) fn name(&self, suffix: &str) -> OsString {
        let mut name = OsString::from(self.map.file_name().unwrap_or_default());
        name.push(suffix);
        name
    }

    /// Tells in time, and in words, that nothing can be written here.
    ///
    /// # Errors
    /// The directory is missing, is no directory, or this user cannot write in it or read it.
    pub(crate) fn check_writable(&self, table: &Path) -> Result<(), BackendError> {
        let directory = self.directory.display();
        let failed = |cause: String| Err(cannot_create(table, cause));
        match fs::metadata(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                failed(format!("directory {directory} does not exist")).map_err(|e| e.cure(CHOOSE))
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                failed(format!("directory {directory}: permission denied")).map_err(|e| e.cure(PERMIT))
            }
            Err(error) => failed(format!("directory {directory}: {}", cause(&error))).map_err(|e| e.cure(CHOOSE)),
            Ok(found) if !found.is_dir() => {
                failed(format!("{directory} is not a directory")).map_err(|e| e.cure(CHOOSE))
            }
            Ok(_) => {
                if let Err(errno) = eaccess(&self.directory, AccessFlags::W_OK | AccessFlags::X_OK) {
                    let cause = cause(&errno.into());
                    return failed(format!("directory {directory}: {cause}")).map_err(|e| e.cure(PERMIT));
                }
                // It must be opened to be synced.
                if let Err(errno) = eaccess(&self.directory, AccessFlags::R_OK) {
                    let cause = cause(&errno.into());
                    return failed(format!("directory {directory} cannot be read: {cause}"))
                        .map_err(|e| e.cure(PERMIT_READING));
                }
                Ok(())
            }
        }
    }

    /// Creates `path` afresh, empty, for Postfix to read whatever the umask ([`MapPath::admit`]).
    pub(crate) fn create(&self, path: &Path) -> io::Result<NamedTempFile> {
        let new = replace::create(path)?;
        self.admit(new.as_file(), access::READ)?;
        Ok(new)
    }

    /// Whose the directory is.
    pub(crate) fn owner(&self) -> io::Result<u32> {
        Ok(fs::metadata(&self.directory)?.uid())
    }

    /// Makes the names in the directory durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        replace::sync_directory(&self.map)
    }
}

/// What tells that nobody else has removed, replaced or written a file that was left complete.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Left(Option<[i128; 5]>);

impl Left {
    /// Remembers a file as it is now. One that is gone already is like none.
    pub(crate) fn at(path: &Path) -> Self {
        Self(Some(identity(path).unwrap_or([-1; 5])))
    }

    /// Whether it is another by now, or gone; never, if none is remembered.
    pub(crate) fn has_changed(&self, path: &Path) -> bool {
        self.0.is_some_and(|left| identity(path) != Some(left))
    }
}

fn identity(path: &Path) -> Option<[i128; 5]> {
    let found = fs::symlink_metadata(path).ok()?;
    let (size, device, inode) = (found.len().into(), found.dev().into(), found.ino().into());
    Some([device, inode, size, found.mtime().into(), found.mtime_nsec().into()])
}

/// Lets an empty table that was kept for this take the place of one that could not be emptied because of `error`.
pub(crate) fn instead(
    error: BackendError,
    spare: &Path,
    use_spare: impl FnOnce() -> io::Result<()>,
) -> Result<(), BackendError> {
    match use_spare() {
        Ok(()) => {
            log::info!("{error}; an empty table was kept for this and took its place");
            Ok(())
        }
        Err(failed) => {
            log::debug!("{}: {}", spare.display(), cause(&failed));
            Err(error)
        }
    }
}

/// To be told once the table is right again; until then the failure of the publish tells enough.
pub(crate) fn tell_of_change(table: &Path) {
    log::warn!("table {} had been removed or changed by another program; it has been written anew", table.display());
}

pub(crate) const OTHER_MAP: &str = "choose another with --map";
const CHOOSE: &str = "create the directory or choose another with --map";
pub(crate) const FREE: &str = "free some space";
pub(crate) const PERMIT: &str = "run as its owner, or give the user write permission";
const PERMIT_READING: &str = "run as its owner, or give the user read permission, too";

/// Why a file with another name is not written.
pub(crate) const LINKED: &str = "it has more than one hard link";

/// Refuses a file that has another name, if there is a file at all.
///
/// # Errors
/// It has, or cannot be looked at.
#[cfg(feature = "sqlite")]
pub(crate) fn refuse_linked(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() && found.nlink() > 1 => Err(io::Error::other(LINKED)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// An error's text without Rust's "(os error N)", in lower case as our messages are.
#[must_use]
pub fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

fn cannot_create(table: &Path, cause: String) -> BackendError {
    BackendError::new(ErrorKind::CannotCreate, format!("create table {}", table.display()), cause)
}

/// A failed write of `table`, with the cure where the error tells it.
pub(crate) fn write_error(table: &Path, error: &io::Error) -> BackendError {
    let failed = BackendError::new(ErrorKind::CannotCreate, format!("write table {}", table.display()), cause(error));
    match error.kind() {
        io::ErrorKind::PermissionDenied => failed.cure(PERMIT),
        io::ErrorKind::IsADirectory => failed.cure("move the directory away or choose another with --map"),
        io::ErrorKind::StorageFull => failed.cure(FREE),
        _ => failed,
    }
}

/// A file that other hands fill: it must not be emptied, because nobody could bring it back.
pub(crate) fn foreign(path: &Path) -> BackendError {
    let action = format!("use map {}", path.display());
    BackendError::new(ErrorKind::Config, action, "it holds entries of somebody else").cure(OTHER_MAP)
}

/// There is no table to read.
#[cfg(any(feature = "lmdb", feature = "sqlite"))]
pub(crate) fn missing(table: &Path) -> BackendError {
    read_error(table, &nix::errno::Errno::ENOENT.into())
}

/// Refuses a table that this user may not read, before a program or a library says so in its own words.
///
/// # Errors
/// He may not, or there is none.
pub(crate) fn check_readable(table: &Path) -> Result<(), BackendError> {
    eaccess(table, AccessFlags::R_OK).map_err(|errno| read_error(table, &errno.into()))
}

/// A table that cannot be opened for reading.
pub(crate) fn read_error(table: &Path, error: &io::Error) -> BackendError {
    let missing = error.kind() == io::ErrorKind::NotFound;
    let kind = if missing { ErrorKind::Missing } else { ErrorKind::NoInput };
    let failed = BackendError::new(kind, format!("read table {}", table.display()), cause(error));
    match error.kind() {
        io::ErrorKind::NotFound => failed.cure("start pop-before-smtp, or choose the table with --map and --backend"),
        io::ErrorKind::PermissionDenied => {
            failed.cure("run as root, or as the owner of the table or a member of its group")
        }
        _ => failed,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, MapPath) {
        let directory = tempfile::tempdir().unwrap();
        let place = MapPath::of(&directory.path().join("map")).unwrap();
        (directory, place)
    }

    #[test]
    fn a_map_that_is_no_file_name_is_refused() {
        for map in ["/", "/etc/postfix/", "", "/etc/.."] {
            assert_eq!(MapPath::of(Path::new(map)).unwrap_err().kind, ErrorKind::Config, "{map}");
        }
        assert!(MapPath::of(Path::new("map")).unwrap().path(".db").is_absolute());
    }

    #[test]
    fn what_is_wrong_with_the_directory_is_said() {
        let (directory, _) = place();
        fs::write(directory.path().join("file"), "").unwrap();
        for (map, cause) in [("missing/map", "does not exist"), ("file/map", "is not a directory")] {
            let map = directory.path().join(map);
            let error = MapPath::of(&map).unwrap().check_writable(&map).unwrap_err();
            assert_eq!(error.kind, ErrorKind::CannotCreate);
            assert!(error.cause.ends_with(cause), "{error}");
            assert!(error.action.contains(&*map.to_string_lossy()), "{error}");
            assert_eq!(error.cure.as_deref(), Some(CHOOSE));
        }
    }

    #[test]
    fn a_file_that_is_gone_has_changed_however_early_it_went() {
        let (_directory, place) = place();
        let path = place.path(".db");
        assert!(!Left::default().has_changed(&path));
        assert!(Left::at(&path).has_changed(&path), "removed before it could be remembered");
        fs::write(&path, "x").unwrap();
        let left = Left::at(&path);
        assert!(!left.has_changed(&path));
        fs::write(&path, "xy").unwrap();
        assert!(left.has_changed(&path));
        fs::remove_file(&path).unwrap();
        assert!(left.has_changed(&path));
    }

    #[test]
    fn reasons_read_like_our_messages() {
        assert_eq!(cause(&io::Error::from_raw_os_error(28)), "no space left on device");
        let words = if cfg!(target_env = "musl") { "I/O error" } else { "input/output error" };
        assert_eq!(cause(&io::Error::from_raw_os_error(5)), words);
    }
}
