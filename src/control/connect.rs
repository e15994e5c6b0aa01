//! Connects to a control socket within a limit: where as many wait as the kernel lets wait, because the daemon is stopped
//! or stuck, connect(2) would wait for good.

use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect, setsockopt, socket, sockopt::SendTimeout,
};
use nix::sys::time::{TimeVal, TimeValLike as _};

/// Connects to the socket at `path`.
///
/// # Errors
/// Those of connect(2); [`io::ErrorKind::WouldBlock`] if nobody has made room within `limit`.
pub(crate) fn within(limit: Duration, path: &Path) -> io::Result<UnixStream> {
    let socket = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    let milliseconds = limit.as_millis().try_into().unwrap_or(i64::MAX / 1000);
    setsockopt(&socket, SendTimeout, &TimeVal::milliseconds(milliseconds))?;
    let address = UnixAddr::new(path)?;
    loop {
        match connect(socket.as_raw_fd(), &address) {
            Ok(()) => return Ok(socket.into()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// A listener that nobody reads from, and as many connections as fill its queue.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) fn crowd(path: &Path) -> (std::os::fd::OwnedFd, Vec<UnixStream>) {
    use nix::sys::socket::{Backlog, bind, listen};
    let listener = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
    bind(listener.as_raw_fd(), &UnixAddr::new(path).unwrap()).unwrap();
    listen(&listener, Backlog::new(1).unwrap()).unwrap();
    let waiting = std::iter::from_fn(|| within(Duration::from_millis(50), path).ok());
    let waiting = waiting.take(10).collect();
    (listener, waiting)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_full_queue_is_waited_for_no_longer_than_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let kind = |error: io::Error| error.kind();
        assert_eq!(within(Duration::from_secs(60), &path).map_err(kind).unwrap_err(), io::ErrorKind::NotFound);
        let (listener, waiting) = crowd(&path);
        assert!((1..10).contains(&waiting.len()), "else nothing is full");
        let end = within(Duration::from_millis(50), &path).map_err(kind);
        assert_eq!(end.unwrap_err(), io::ErrorKind::WouldBlock);
        drop(listener);
        let end = within(Duration::from_secs(60), &path).map_err(kind);
        assert_eq!(end.unwrap_err(), io::ErrorKind::ConnectionRefused);
    }
}
