//! Opens a regular file and nothing else, where somebody else chooses what is there: to open a FIFO is to wait for its
//! writer, to read `/dev/zero` never ends, and with some devices to open is to act.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::fcntl::OFlag;
use nix::libc::{O_NOCTTY, O_NONBLOCK};
use pop_before_smtp_backends::open_path;

/// Opens a regular file for reading; it may be a link to one.
///
/// # Errors
/// It cannot be opened, or is none.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    reopened(path, OFlag::empty())
}

/// Opens a regular file for reading that is no link.
///
/// # Errors
/// As [`open`].
pub(crate) fn open_no_link(path: &Path) -> io::Result<File> {
    reopened(path, OFlag::O_NOFOLLOW)
}

/// What is there is looked at before it is opened, and the same is opened.
fn reopened(path: &Path, flags: OFlag) -> io::Result<File> {
    let place = open_path(path, flags)?;
    if !place.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let same = format!("/proc/self/fd/{}", place.as_raw_fd());
    OpenOptions::new().read(true).custom_flags(O_NONBLOCK | O_NOCTTY).open(same)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_link_is_followed_only_where_it_may_be() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        std::fs::write(&file, "x").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(open(&file).is_ok() && open(&link).is_ok() && open_no_link(&file).is_ok());
        assert!(open_no_link(&link).is_err() && open(Path::new("/dev/null")).is_err());
    }
}
