//! A child process whose standard output is read. Starts, reaps and ends it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use pop_before_smtp_backends::process;

/// Room in the pipe, so that a burst is read in few turns. The kernel's default is 64 KiB.
#[cfg(target_os = "linux")]
const PIPE: i32 = 1024 * 1024;

/// A running child and the reading end of its output.
#[derive(Debug)]
pub(super) struct Child {
    pid: Pid,
    output: File,
    reaped: bool,
}

impl Child {
    /// Starts `program`, looked up in `$PATH`, with no input.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn spawn(program: &OsStr, arguments: &[OsString]) -> io::Result<Self> {
        let (output, writer) = io::pipe()?;
        let pid = process::spawn(program, arguments, writer.as_fd(), None)?;
        // More room is a help, not a need: an unprivileged user may be over his quota.
        #[cfg(target_os = "linux")]
        let _ = nix::fcntl::fcntl(&output, nix::fcntl::FcntlArg::F_SETPIPE_SZ(PIPE));
        Ok(Self { pid, output: File::from(OwnedFd::from(output)), reaped: false })
    }

    /// The reading end of its output.
    pub(super) fn output(&mut self) -> &mut File {
        &mut self.output
    }

    /// The descriptor to wait on.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }

    /// Reaps a child that has closed its output.
    ///
    /// # Errors
    /// How it ended, if not with success. It is about to end by itself, with a status worth telling, and gets a moment
    /// for that.
    pub(super) fn reap(&mut self) -> Result<(), String> {
        for _ in 0..50 {
            match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => std::thread::sleep(Duration::from_millis(1)),
                Ok(WaitStatus::Exited(_, status)) => {
                    self.reaped = true;
                    return if status == 0 { Ok(()) } else { Err(format!("exit status {status}")) };
                }
                Ok(WaitStatus::Signaled(_, signal, _)) => {
                    self.reaped = true;
                    return Err(format!("killed by {signal}"));
                }
                _ => break,
            }
        }
        self.end();
        Err("closed its output".to_owned())
    }

    /// Ends and reaps it. `tail` has nothing to clean up, and one that is stopped would not see a milder signal.
    pub(super) fn end(&mut self) {
        if !std::mem::replace(&mut self.reaped, true) {
            let _ = kill(self.pid, Signal::SIGKILL);
            while waitpid(self.pid, None) == Err(Errno::EINTR) {}
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}
