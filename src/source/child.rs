//! A child process whose standard output is read. Starts, reaps and ends it.
//!
//! Not `std::process::Command`: its children inherit the signal mask, and the daemon blocks the signals that it reads
//! from a descriptor. A `tail` that cannot be ended by SIGTERM would be a nuisance to every administrator.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::time::Duration;

use nix::errno::Errno;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

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
        let input = File::open("/dev/null")?;
        let mut actions = PosixSpawnFileActions::init()?;
        actions.add_dup2(input.as_raw_fd(), 0)?;
        actions.add_dup2(writer.as_raw_fd(), 1)?;
        let words = std::iter::once(program).chain(arguments.iter().map(OsString::as_os_str));
        let words = words.map(|word| CString::new(word.as_bytes())).collect::<Result<Vec<_>, _>>()?;
        let pid = posix_spawnp(&words[0], &actions, &attributes()?, &words, &environment()?)?;
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

/// No signal blocked; SIGPIPE, which Rust ignores, as usual, so that `tail` ends when nobody reads; a process group of
/// its own, so that an interrupt typed at the daemon is left to the daemon.
fn attributes() -> nix::Result<PosixSpawnAttr> {
    let mut attributes = PosixSpawnAttr::init()?;
    attributes.set_flags(
        PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK
            | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF
            | PosixSpawnFlags::POSIX_SPAWN_SETPGROUP,
    )?;
    attributes.set_sigmask(&SigSet::empty())?;
    attributes.set_sigdefault(&SigSet::from(Signal::SIGPIPE))?;
    attributes.set_pgroup(Pid::from_raw(0))?;
    Ok(attributes)
}

fn environment() -> io::Result<Vec<CString>> {
    let variable = |(name, value): (OsString, OsString)| {
        CString::new([name.into_vec(), b"=".to_vec(), value.into_vec()].concat()).map_err(io::Error::from)
    };
    std::env::vars_os().map(variable).collect()
}
