//! Runs a program of Postfix with a limit on its time and on what is kept of its output.
//!
//! The daemon reads no log while it waits here, so the wait ends with the program and never later than the limit.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{AccessFlags, Pid, eaccess};

use crate::files::reason;

/// How much of a program's error output is kept, in bytes.
const COMPLAINT_LIMIT: usize = 4096;

/// How a program ended.
pub(crate) struct Finished {
    end: WaitStatus,
    pub(crate) stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Finished {
    /// What the program said: the line that names the failure, else the first line; escaped.
    pub(crate) fn complaint(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.stderr);
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let first = lines.clone().next()?;
        let line = lines.find(|line| line.contains("fatal:") || line.contains("error:")).unwrap_or(first);
        Some(line.trim().escape_debug().take(300).collect::<String>().replace("\\\"", "\"").replace("\\'", "'"))
    }

    /// Why the program failed; `None` if it did not.
    pub(crate) fn failure(&self) -> Option<String> {
        let how = match self.end {
            WaitStatus::Exited(_, 0) => return None,
            WaitStatus::Exited(_, code) => format!("exit status {code}"),
            WaitStatus::Signaled(_, signal, _) => format!("killed by {signal}"),
            other => format!("{other:?}"),
        };
        Some(self.complaint().unwrap_or(how))
    }
}

/// Looks for a program of Postfix: /usr/sbin first, because a daemon's `$PATH` may lack it or lead elsewhere.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let candidates = std::iter::once(PathBuf::from("/usr/sbin")).chain(std::env::split_paths(&path));
    candidates
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        .find(|file| file.is_file() && eaccess(file, AccessFlags::X_OK).is_ok())
}

/// Runs a program to its end. After `limit` it is killed, with everything it started.
///
/// # Errors
/// The cause, in words: it could not be started, or took too long.
pub(crate) fn run(program: &Path, arguments: &[&OsStr], limit: Duration) -> Result<Finished, String> {
    let deadline = Instant::now() + limit;
    let failed = |error: io::Error| format!("{}: {}", program.display(), reason(&error));
    let (pid, stdout, stderr) = spawn(program, arguments).map_err(failed)?;
    let mut stdout = Pipe::new(stdout, usize::MAX);
    let mut stderr = Pipe::new(stderr, COMPLAINT_LIMIT);
    let ended = match drain(&mut [&mut stdout, &mut stderr], deadline) {
        Ok(true) => reap(pid, deadline),
        Ok(false) => Ok(None),
        Err(error) => Err(error),
    };
    match ended {
        Ok(Some(end)) => Ok(Finished { end, stdout: stdout.kept, stderr: stderr.kept }),
        Ok(None) => {
            kill(pid);
            Err(format!("{} did not finish within {} s and was killed", program.display(), limit.as_secs_f32()))
        }
        Err(error) => {
            kill(pid);
            Err(failed(error))
        }
    }
}

/// Starts the program with no input and with pipes for its output.
///
/// Not by `std::process::Command`, whose children inherit the signal mask: the daemon blocks the signals that it reads
/// from a descriptor, and to unblock them for a moment would be the moment in which one kills it.
fn spawn(program: &Path, arguments: &[&OsStr]) -> io::Result<(Pid, PipeReader, PipeReader)> {
    let (stdout, stdout_end) = io::pipe()?;
    let (stderr, stderr_end) = io::pipe()?;
    let stdin = File::open("/dev/null")?;
    let (actions, attributes) = (redirections(&stdin, &stdout_end, &stderr_end)?, attributes()?);
    let arguments: Vec<CString> = [program.as_os_str()]
        .iter()
        .chain(arguments)
        .map(|text| CString::new(text.as_bytes()))
        .collect::<Result<_, _>>()?;
    let variable = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        CString::new([name.as_bytes(), b"=", value.as_bytes()].concat())
    };
    let environment: Vec<CString> = std::env::vars_os().map(variable).collect::<Result<_, _>>()?;
    let pid = posix_spawn(program, &actions, &attributes, &arguments, &environment)?;
    Ok((pid, stdout, stderr))
}

fn redirections(stdin: &File, stdout: &PipeWriter, stderr: &PipeWriter) -> nix::Result<PosixSpawnFileActions> {
    let mut actions = PosixSpawnFileActions::init()?;
    actions.add_dup2(stdin.as_raw_fd(), 0)?;
    actions.add_dup2(stdout.as_raw_fd(), 1)?;
    actions.add_dup2(stderr.as_raw_fd(), 2)?;
    Ok(actions)
}

/// No signal blocked; SIGPIPE, which Rust ignores, as usual; and a process group of its own: an interrupt typed at the
/// daemon must not break a write, and a kill must reach the children of a script.
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

/// One end of a pipe, read until its end or until nothing more is wanted.
struct Pipe {
    source: Option<File>,
    kept: Vec<u8>,
    limit: usize,
}

impl Pipe {
    fn new(source: PipeReader, limit: usize) -> Self {
        Self { source: Some(File::from(OwnedFd::from(source))), kept: Vec::new(), limit }
    }

    /// Reads what is there; what exceeds the limit is read and dropped, so that the program is not held up.
    fn read(&mut self) -> io::Result<()> {
        let Some(source) = &mut self.source else { return Ok(()) };
        let mut buffer = [0; 8192];
        match source.read(&mut buffer) {
            Ok(0) => self.source = None,
            Ok(count) => {
                let room = self.limit.saturating_sub(self.kept.len());
                self.kept.extend_from_slice(&buffer[..count.min(room)]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Reads all pipes to their end, which is the program's; `false` if the deadline comes first.
fn drain(pipes: &mut [&mut Pipe], deadline: Instant) -> io::Result<bool> {
    while pipes.iter().any(|pipe| pipe.source.is_some()) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        for index in ready(pipes, left)? {
            pipes[index].read()?;
        }
    }
    Ok(true)
}

/// Waits for one of the pipes; which ones have something to read.
fn ready(pipes: &[&mut Pipe], left: Duration) -> io::Result<Vec<usize>> {
    let open = |(index, pipe): (usize, &&mut Pipe)| pipe.source.is_some().then_some(index);
    let open: Vec<usize> = pipes.iter().enumerate().filter_map(open).collect();
    let mut waiting: Vec<PollFd<'_>> = open
        .iter()
        .filter_map(|&index| pipes[index].source.as_ref())
        .map(|source| PollFd::new(source.as_fd(), PollFlags::POLLIN))
        .collect();
    // Rounded up: poll counts whole milliseconds and must not spin through the last one.
    let timeout = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
    match poll(&mut waiting, timeout) {
        Ok(_) => Ok(open.into_iter().zip(&waiting).filter(|(_, fd)| fd.any() == Some(true)).map(|(i, _)| i).collect()),
        Err(Errno::EINTR) => Ok(Vec::new()),
        Err(errno) => Err(errno.into()),
    }
}

/// Waits for the end of a program that has closed its output: it is there, or a few microseconds away.
fn reap(pid: Pid, deadline: Instant) -> io::Result<Option<WaitStatus>> {
    let mut pause = Duration::from_micros(50);
    loop {
        match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => {}
            Ok(end) => return Ok(Some(end)),
            Err(errno) => return Err(errno.into()),
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Ends the program, which is not reaped yet: the number of its group cannot be somebody else's.
fn kill(pid: Pid) {
    let _ = killpg(pid, Signal::SIGKILL);
    while waitpid(pid, None) == Err(Errno::EINTR) {}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Result<Finished, String> {
        run(Path::new("/bin/sh"), &["-c".as_ref(), script.as_ref()], limit)
    }

    const LONG: Duration = Duration::from_secs(30);
    const SHORT: Duration = Duration::from_millis(100);

    #[test]
    fn output_and_complaint_are_kept_within_limits() {
        let end = shell("echo out; head -c 100000 /dev/zero | tr '\\0' x >&2; head -c 200000 /dev/zero", LONG).unwrap();
        assert!(end.failure().is_none());
        assert_eq!((end.stdout.len(), end.stderr.len()), (200_004, COMPLAINT_LIMIT));
    }

    #[test]
    fn the_line_that_names_the_failure_is_told_escaped() {
        let end = shell("printf 'x: warning: a\\nx: fatal: b\\033[2J\"c\"\\n' >&2; exit 3", LONG).unwrap();
        assert_eq!(end.failure().unwrap(), "x: fatal: b\\u{1b}[2J\"c\"");
        assert_eq!(shell("exit 3", LONG).unwrap().failure().unwrap(), "exit status 3");
        assert_eq!(shell("kill -9 $$", LONG).unwrap().failure().unwrap(), "killed by SIGKILL");
    }

    #[test]
    fn a_program_that_hangs_is_killed_with_its_children() {
        let start = Instant::now();
        for script in ["sleep 60", "sleep 60 & wait", "exec >&- 2>&-; sleep 60", "sleep 60 & exit 0"] {
            assert!(shell(script, SHORT).err().unwrap().contains("did not finish within 0.1 s"), "{script}");
        }
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_child_inherits_no_blocked_signal() {
        let mask = SigSet::from(Signal::SIGTERM);
        mask.thread_block().unwrap();
        let end = shell("exec grep SigBlk /proc/self/status", LONG).unwrap();
        mask.thread_unblock().unwrap();
        assert_eq!(String::from_utf8(end.stdout).unwrap().trim_end(), "SigBlk:\t0000000000000000");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(Path::new("/nonexistent/postmap"), &[], LONG).err().unwrap();
        assert_eq!(error, "/nonexistent/postmap: no such file or directory");
        assert_eq!(find("no-such-program-of-postfix"), None);
    }
}
