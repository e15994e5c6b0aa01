//! What makes a process a daemon: no terminal, no descriptors of its caller, a file with its number.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::RawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::libc::O_NOFOLLOW;

use crate::output::error::{Error, Exit, io_cause};
use crate::output::logger::{self, Sink};
use crate::saved::private_file::refuse_linked;

/// Closes what the caller has left open beyond the standard descriptors: a script that waits for the end of a pipe would
/// wait as long as the daemon lives. To be called before anything of ours is open.
pub(crate) fn close_inherited() {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else { return };
    let numbers: Vec<RawFd> = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|&number| number > 2) {
        // One of them was the directory and is closed by now.
        let _ = nix::unistd::close(number);
    }
}

/// Becomes a daemon: another process, in a session of its own, that tells the syslog daemon what it has to say.
///
/// # Errors
/// There can be no other process.
pub(crate) fn to_background() -> Result<(), Error> {
    nix::unistd::daemon(false, false)
        .map_err(|error| Error::io(Exit::System, "become a daemon", &io::Error::from(error)))?;
    logger::init(Sink::Syslog);
    Ok(())
}

/// The file of `--pid-file`; removed when it is dropped, unless it is another's.
pub(crate) struct PidFile {
    path: PathBuf,
    file: File,
    is_ours: bool,
}

impl PidFile {
    /// Opens it, while there is someone to tell that it cannot be opened, and the right to. What a running daemon has
    /// written there stays.
    ///
    /// # Errors
    /// It can neither be made nor written.
    pub(crate) fn open(path: PathBuf) -> Result<Self, Error> {
        let open = |is_new| {
            let mut options = OpenOptions::new();
            options.write(true).create_new(is_new).custom_flags(O_NOFOLLOW).open(&path).map(|file| (file, is_new))
        };
        let opened = open(true).or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => open(false).and_then(|(file, is_new)| Ok((refuse_linked(file)?, is_new))),
            _ => Err(error),
        });
        // Root's scripts will signal whom it names: nobody else may write it, whatever the umask.
        let file = opened
            .and_then(|(file, is_new)| file.set_permissions(Permissions::from_mode(0o644)).map(|()| (file, is_new)));
        match file {
            Ok((file, is_ours)) => Ok(Self { path, file, is_ours }),
            Err(error) => Err(Self::error(&path, &error)),
        }
    }

    /// Puts the number of this process into it.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(mut self) -> Result<Self, Error> {
        if self.file.metadata().is_ok_and(|found| found.nlink() == 0) {
            // A daemon that was about to stop has removed it since.
            self = Self::open(self.path.clone())?;
        }
        self.is_ours = true;
        let written = self.file.set_len(0).and_then(|()| writeln!(self.file, "{}", std::process::id()));
        written.map_err(|error| Self::error(&self.path, &error)).map(|()| self)
    }

    fn error(path: &Path, error: &io::Error) -> Error {
        Error::io(Exit::CannotCreate, format!("write {}", path.display()), error)
            .cure("name a file that the daemon's user may write with --pid-file")
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if !self.is_ours {
            return;
        }
        // Who has given up root may not remove what root has made; then it names nobody.
        let removed = fs::remove_file(&self.path).or_else(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => self.file.set_len(0),
            _ => Err(error),
        });
        if let Err(error) = removed {
            log::warn!("cannot remove {}: {}", self.path.display(), io_cause(&error));
        }
    }
}
