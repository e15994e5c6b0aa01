//! Programs of Postfix and of the system: starts one, or runs it with a limit on its time and on what is kept of its
//! output.
//!
//! The daemon reads no log while it waits here, so the wait ends with the program and never later than the limit.

mod postfix;
mod spawn;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, PipeReader, Read as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{AccessFlags, Pid, eaccess};

pub(crate) use self::postfix::mail_owner;
pub use self::postfix::{find_postfix, places_of_postfix, take_postfix_from};
pub use self::spawn::spawn;

/// How long a program may take that answers at once unless something is wrong.
pub const LIMIT: Duration = Duration::from_secs(10);

/// How much of a program's error output is kept, in bytes.
const COMPLAINT_LIMIT: usize = 4096;

/// How a program ended.
pub struct Finished {
    end: WaitStatus,
    /// All that the program wrote to its standard output.
    pub stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Finished {
    /// What the program said: the line that names the failure, else the first line; escaped.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.stderr);
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let first = lines.clone().next()?;
        let line = lines.find(|line| line.contains("fatal:") || line.contains("error:")).unwrap_or(first);
        Some(line.trim().escape_debug().take(300).collect::<String>().replace("\\\"", "\"").replace("\\'", "'"))
    }

    /// Why the program failed; `None` if it did not.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let how = match self.end {
            WaitStatus::Exited(_, 0) => return None,
            WaitStatus::Exited(_, code) => format!("exit status {code}"),
            WaitStatus::Signaled(_, signal, _) => format!("killed by {signal}"),
            other => format!("{other:?}"),
        };
        Some(self.complaint().unwrap_or(how))
    }
}

/// Looks for a program of the system: /usr/sbin first, because a daemon's `$PATH` may lack it or lead elsewhere.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let candidates = std::iter::once(PathBuf::from("/usr/sbin")).chain(std::env::split_paths(&path));
    candidates
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.is_file() && eaccess(file, AccessFlags::X_OK).is_ok()
}

/// Runs a program to its end. After `limit` it is killed, with everything it started.
///
/// # Errors
/// It could not be started, or took too long.
pub fn run(program: &Path, arguments: &[&OsStr], limit: Duration) -> io::Result<Finished> {
    let deadline = Instant::now() + limit;
    let (pid, stdout, stderr) = start(program, arguments)?;
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
            let cause = format!("did not finish within {} s and was killed", limit.as_secs_f32());
            Err(io::Error::new(io::ErrorKind::TimedOut, cause))
        }
        Err(error) => {
            kill(pid);
            Err(error)
        }
    }
}

fn start(program: &Path, arguments: &[&OsStr]) -> io::Result<(Pid, PipeReader, PipeReader)> {
    let (stdout, stdout_end) = io::pipe()?;
    let (stderr, stderr_end) = io::pipe()?;
    let pid = spawn(program.as_os_str(), arguments, stdout_end.as_fd(), Some(stderr_end.as_fd()))?;
    Ok((pid, stdout, stderr))
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
    use nix::sys::signal::SigSet;

    use super::*;

    fn shell(script: &str, limit: Duration) -> io::Result<Finished> {
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
    fn nothing_is_inherited_but_the_standard_descriptors() {
        let left_open = nix::unistd::dup(std::io::stdin()).unwrap();
        // The fourth is that of the directory.
        let end = shell("ls /proc/self/fd", LONG).unwrap();
        assert_eq!(String::from_utf8(end.stdout).unwrap(), "0\n1\n2\n3\n");
        drop(left_open);
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
        // What is not killed is waited for: then this takes an hour.
        for script in ["sleep 3600", "sleep 3600 & wait", "exec >&- 2>&-; sleep 3600", "sleep 3600 & exit 0"] {
            assert!(
                shell(script, SHORT).err().unwrap().to_string().contains("did not finish within 0.1 s"),
                "{script}"
            );
        }
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
    fn a_missing_program_is_told() {
        for program in ["/nonexistent/postmap", "no-such-program-of-postfix"] {
            assert_eq!(run(Path::new(program), &[], LONG).err().unwrap().kind(), io::ErrorKind::NotFound);
        }
        assert_eq!(find("no-such-program-of-postfix"), None);
    }
}
