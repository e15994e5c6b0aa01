//! Starts a program that shares nothing with the daemon but what it is given.
//!
//! Not by `std::process::Command`, whose children inherit the signal mask: the daemon blocks the signals that it reads
//! from a descriptor, a child that cannot be ended by SIGTERM would be a nuisance to every administrator, and to
//! unblock them for a moment would be the moment in which one kills the daemon.

use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, RawFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::Pid;

/// Starts `program` (looked up in `$PATH` if it is a bare name), without input, with `stdout` as its output and
/// `stderr`, else the daemon's, for its complaints. It leads a process group of its own.
///
/// # Errors
/// It cannot be started.
pub fn spawn<S: AsRef<OsStr>>(
    program: &OsStr,
    arguments: &[S],
    stdout: BorrowedFd<'_>,
    stderr: Option<BorrowedFd<'_>>,
) -> io::Result<Pid> {
    let stdin = File::open("/dev/null")?;
    let mut actions = PosixSpawnFileActions::init()?;
    actions.add_dup2(stdin.as_raw_fd(), 0)?;
    actions.add_dup2(stdout.as_raw_fd(), 1)?;
    if let Some(stderr) = stderr {
        actions.add_dup2(stderr.as_raw_fd(), 2)?;
    }
    for number in inheritable()? {
        actions.add_close(number)?;
    }
    let words = std::iter::once(program).chain(arguments.iter().map(AsRef::as_ref));
    let words = words.map(|word| CString::new(word.as_bytes())).collect::<Result<Vec<_>, _>>()?;
    Ok(posix_spawnp(&words[0], &actions, &attributes()?, &words, &environment()?)?)
}

/// Every descriptor but the standard ones: LMDB's do not close by themselves, and a child that kept one would keep the lock
/// on the table beyond the daemon's death. One that is not open any more does no harm.
fn inheritable() -> io::Result<Vec<RawFd>> {
    let numbers = fs::read_dir("/proc/self/fd")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(numbers.filter(|&number| number > 2).collect())
}

/// No signal blocked; SIGPIPE, which Rust ignores, as usual, so that a writer ends when nobody reads; and a process
/// group of its own: an interrupt typed at the daemon must not break a write, and a kill must reach the children of a
/// script.
fn attributes() -> nix::Result<PosixSpawnAttr> {
    let mut attributes = PosixSpawnAttr::init()?;
    let flags = PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK
        | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF
        | PosixSpawnFlags::POSIX_SPAWN_SETPGROUP;
    attributes.set_flags(flags)?;
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
