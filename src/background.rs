//! What makes a process a daemon: no terminal, no descriptors of its caller, a file with its number.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::RawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::libc::O_NOFOLLOW;

use crate::error::{Error, Exit, io_cause};
use crate::logger::{self, Sink};

/// Closes what the caller has left open beyond the standard descriptors: a script that waits for the end of a pipe would
/// wait as long as the daemon lives. To be called before anything of ours is open.
pub fn close_inherited() {
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
pub fn to_background() -> Result<(), Error> {
    nix::unistd::daemon(false, false)
        .map_err(|error| Error::io(Exit::System, "become a daemon", &io::Error::from(error)))?;
    logger::init(Sink::Syslog);
    Ok(())
}

/// The file of `--pid-file`; removed when it is dropped.
pub struct PidFile {
    path: PathBuf,
    file: File,
}

impl PidFile {
    /// Makes an empty file, while there is someone to tell that it cannot be made.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(path: PathBuf) -> Result<Self, Error> {
        // Root's scripts will signal whom it names: nobody else may write it, whatever the umask.
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .custom_flags(O_NOFOLLOW)
            .open(&path)
            .and_then(|file| file.set_permissions(Permissions::from_mode(0o644)).map(|()| file));
        match file {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err(Self::error(&path, &error)),
        }
    }

    /// Puts the number of this process into it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(mut self) -> Result<Self, Error> {
        let written = writeln!(self.file, "{}", std::process::id());
        written.map_err(|error| Self::error(&self.path, &error)).map(|()| self)
    }

    fn error(path: &Path, error: &io::Error) -> Error {
        Error::io(Exit::CannotCreate, format!("write {}", path.display()), error)
            .cure("name a file that the daemon's user may write with --pid-file")
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            log::warn!("cannot remove {}: {}", self.path.display(), io_cause(&error));
        }
    }
}
