//! A directory beside the table in which a program of Postfix builds a new one.
//!
//! Writes `<map>.new.d`. It is removed as a whole, because nobody knows all that a program leaves there when it dies:
//! Berkeley DB's `__db.<name>`, found by the next postmap, makes that one wait for ever.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::unistd::geteuid;
use tempfile::TempDir;

use crate::files::{MapPath, remove};
use crate::replace;

/// Removed, with all that is in it, when it is dropped; what cannot be removed then is removed before the next
/// attempt, or reported by it.
pub(crate) struct Scratch {
    directory: TempDir,
    handle: File,
}

impl Scratch {
    /// Makes an empty directory; what is there is removed first. It belongs to the owner of the directory around it:
    /// as root, postmap becomes the owner of the text file that it reads.
    pub(crate) fn create(place: &MapPath) -> io::Result<Self> {
        let path = Self::path(place);
        remove_all(&path)?;
        let directory = replace::create_directory(&path)?;
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
        let handle = OpenOptions::new().read(true).custom_flags(flags.bits()).open(&path)?;
        if handle.metadata()?.uid() != geteuid().as_raw() {
            return Err(io::Error::other(format!("somebody else made {}", path.display())));
        }
        place.give(&handle, None)?;
        Ok(Self { directory, handle })
    }

    /// Removes what a killed daemon left.
    pub(crate) fn remove(place: &MapPath) -> io::Result<()> {
        remove_all(&Self::path(place))
    }

    fn path(place: &MapPath) -> PathBuf {
        place.path(".new.d")
    }

    /// Where a program finds a file.
    pub(crate) fn named(&self, name: &OsStr) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Where we find a file: by the descriptor, because the owner of the directory around it may put a link in its
    /// place, and root would follow.
    pub(crate) fn file(&self, name: &OsStr) -> PathBuf {
        Path::new("/proc/self/fd").join(self.handle.as_raw_fd().to_string()).join(name)
    }
}

fn remove_all(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => remove(path),
        done => done,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_in_the_way_goes_and_nothing_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let place = MapPath::of(&directory.path().join("map")).unwrap();
        let path = directory.path().join("map.new.d");
        let precious = directory.path().join("precious");
        fs::create_dir(&precious).unwrap();
        fs::write(precious.join("file"), "x").unwrap();
        let ways: [&dyn Fn(); 4] = [
            &|| (),
            &|| fs::write(&path, "left over").unwrap(),
            &|| fs::create_dir_all(path.join("a/b")).unwrap(),
            &|| std::os::unix::fs::symlink(&precious, &path).unwrap(),
        ];
        for way in ways {
            way();
            let scratch = Scratch::create(&place).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o700);
            place.create(&scratch.file(OsStr::new("map"))).unwrap().keep().unwrap();
            assert!(path.join("map").exists());
            drop(scratch);
            assert!(fs::symlink_metadata(&path).is_err());
        }
        assert!(precious.join("file").exists());
    }
}
