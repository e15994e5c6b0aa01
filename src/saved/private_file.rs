//! Files that decide who may relay: none is trusted that strangers could have written.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::libc::{O_NOFOLLOW, O_NONBLOCK};

/// Refuses a file that has another name, too: who put it there need not be allowed to write it, and has lent our rights.
///
/// # Errors
/// It has, or cannot be looked at.
pub(crate) fn refuse_linked(file: File) -> io::Result<File> {
    match file.metadata()?.nlink() {
        0 | 1 => Ok(file),
        _ => Err(io::Error::other("it has more than one hard link; remove it if it is not known what it is")),
    }
}

/// Opens a file that nobody but root and this process's user can write, nor any other but the one that is trusted.
///
/// # Errors
/// There is none, it cannot be read, or others could have written it.
pub(crate) fn open_trusted(path: &Path, trusted: Option<u32>) -> io::Result<File> {
    // Not blocking: opening a FIFO would wait for its writer.
    let file = OpenOptions::new().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path)?;
    let file = refuse_linked(file)?;
    let metadata = file.metadata()?;
    let owner = metadata.uid();
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let is_trusted = owner == 0 || owner == nix::unistd::geteuid().as_raw() || Some(owner) == trusted;
    if metadata.mode() & 0o022 != 0 || !is_trusted {
        return Err(io::Error::other("others can write it, so it could grant anything"));
    }
    Ok(file)
}
