//! Files that decide who may relay, and others that are replaced as a whole: never half a file, never one to trust that
//! strangers could have written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::libc::{O_NOFOLLOW, O_NONBLOCK};

use crate::saved::state::beside;

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

/// How a file is replaced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// Permissions, whatever the umask.
    pub mode: u32,
    /// User and group that are to own it; those of the process if not said.
    pub owner: Option<(u32, u32)>,
    /// Whether it is on the disk when this returns.
    pub sync: bool,
}

/// Writes a file aside and renames it: all or nothing. What a killed attempt has left is overwritten.
///
/// # Errors
/// The file cannot be written; the one that was there stays.
pub(crate) fn replace(
    path: &Path,
    manner: Manner,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let new = beside(path, ".new");
    let replaced = write_aside(&new, manner, write).and_then(|()| fs::rename(&new, path));
    if replaced.is_err() {
        // A part of a file is of no use, and may be what fills the disk.
        let _ = fs::remove_file(&new);
    } else if manner.sync {
        sync_directory(path)?;
    }
    replaced
}

fn write_aside(
    new: &Path,
    manner: Manner,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(manner.mode).open(new)?;
    file.set_permissions(fs::Permissions::from_mode(manner.mode))?;
    if let Some((user, group)) = manner.owner {
        std::os::unix::fs::fchown(&file, Some(user), Some(group))?;
    }
    let mut file = BufWriter::new(file);
    write(&mut file)?;
    file.flush()?;
    if manner.sync { file.get_ref().sync_all() } else { Ok(()) }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}
