//! The daemon under test, as a child process.

use super::process::{self, send, wait_gone};
use super::{SOON, Scratch, eventually, wait_for};
use nix::sys::signal::Signal;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_pop-before-smtp");

/// What a shell in a user namespace of its own does to be without inotify.
pub(super) const NO_INOTIFY: &str = "echo 0 >/proc/sys/user/max_inotify_instances";

/// `pop-before-smtp` in the foreground, its output in files.
pub(crate) struct Daemon {
    child: Child,
    home: Scratch,
}

impl Daemon {
    /// Starts it with nothing on its standard input. Does not wait for anything.
    pub(crate) fn start<S: AsRef<OsStr>>(arguments: &[S]) -> Self {
        Self::spawn(arguments, Stdio::null())
    }

    /// Starts it and hands out its standard input.
    pub(crate) fn start_with_input<S: AsRef<OsStr>>(arguments: &[S]) -> (Self, ChildStdin) {
        let mut daemon = Self::spawn(arguments, Stdio::piped());
        let input = daemon.child.stdin.take().expect("its standard input");
        (daemon, input)
    }

    /// Starts it as a cautious administrator's shell would: nobody else may read what it creates.
    pub(crate) fn start_with_strict_umask<S: AsRef<OsStr>>(arguments: &[S]) -> Self {
        Self::start_by("umask 077; exec \"$0\" \"$@\"", arguments)
    }

    /// Has a shell start it: the script's `$0` is the program, `$@` are the arguments, and it must `exec`.
    pub(crate) fn start_by<S: AsRef<OsStr>>(script: &str, arguments: &[S]) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script, PROGRAM]);
        Self::run(shell.args(arguments), Stdio::null())
    }

    /// Starts it where the kernel has no inotify instance left for it.
    pub(crate) fn start_without_inotify<S: AsRef<OsStr>>(arguments: &[S]) -> Self {
        let mut unshare = Command::new("unshare");
        let script = format!("{NO_INOTIFY} && exec \"$0\" \"$@\"");
        unshare.args(["-Ur", "sh", "-c", &script, PROGRAM]);
        Self::run(unshare.args(arguments), Stdio::null())
    }

    fn spawn<S: AsRef<OsStr>>(arguments: &[S], stdin: Stdio) -> Self {
        Self::run(Command::new(PROGRAM).args(arguments), stdin)
    }

    fn run(command: &mut Command, stdin: Stdio) -> Self {
        let home = Scratch::new();
        let file = |name| File::create(home.join(name)).expect("a file for its output");
        let child =
            command.stdin(stdin).stdout(file("stdout")).stderr(file("stderr")).spawn().expect("the daemon starts");
        Self { child, home }
    }

    pub(crate) fn pid(&self) -> i32 {
        self.child.id().try_into().expect("a pid")
    }

    /// What it has written to standard output so far.
    pub(crate) fn stdout(&self) -> String {
        fs::read_to_string(self.home.join("stdout")).unwrap_or_default()
    }

    /// What it has written to standard error so far.
    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(self.home.join("stderr")).unwrap_or_default()
    }

    /// Fails the test if it has ended.
    #[track_caller]
    pub(crate) fn assert_runs(&mut self) {
        let status = self.child.try_wait().expect("the state of the daemon");
        assert!(status.is_none(), "the daemon has ended: {status:?}; standard error:\n{}", self.stderr());
    }

    /// Exit code, if it has ended; `Some(None)` if a signal ended it.
    fn ended(&mut self) -> Option<Option<i32>> {
        self.child.try_wait().expect("the state of the daemon").map(|status| status.code())
    }

    /// Waits until `log` is followed from its end on, so that a line written now will be seen, and returns the
    /// process that follows it.
    #[track_caller]
    pub(crate) fn wait_following(&mut self, log: &Path) -> i32 {
        self.wait_following_by_other_than(0, log)
    }

    /// As `wait_following`, by another process than `known`.
    #[track_caller]
    pub(crate) fn wait_following_by_other_than(&mut self, known: i32, log: &Path) -> i32 {
        let pid = self.pid();
        let mut found = None;
        eventually(SOON, || {
            found = process::follower(pid, log).filter(|&follower| follower != known);
            found.is_some() || self.ended().is_some()
        });
        found.unwrap_or_else(|| {
            panic!("{} is not followed; exit {:?}; standard error:\n{}", log.display(), self.ended(), self.stderr())
        })
    }

    /// Waits until it has written `text` to standard error.
    #[track_caller]
    pub(crate) fn wait_logged(&self, text: &str) {
        let told = eventually(SOON, || self.stderr().contains(text));
        assert!(told, "not logged: {text}; but:\n{}", self.stderr());
    }

    pub(crate) fn send(&self, signal: Signal) {
        send(self.pid(), signal);
    }

    /// Asks it to stop and waits; returns its exit code.
    #[track_caller]
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        self.send(Signal::SIGTERM);
        self.wait()
    }

    /// Waits until it ends by itself; returns its exit code, `None` if a signal ended it.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let mut code = None;
        eventually(SOON, || {
            code = self.ended();
            code.is_some()
        });
        code.unwrap_or_else(|| panic!("the daemon does not end; standard error:\n{}", self.stderr()))
    }

    /// Kills it as a crash would, and reaps it.
    pub(crate) fn kill9(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.ended().is_none() {
            let family = process::family(self.pid());
            self.kill9();
            family[1..].iter().for_each(|&child| send(child, Signal::SIGKILL));
        }
    }
}

/// A daemon that has put itself into the background: known by its pid file alone.
pub(crate) struct Background {
    pub(crate) pid: i32,
}

impl Background {
    /// Waits until the pid file names a process that runs.
    #[track_caller]
    pub(crate) fn from_pid_file(file: &Path) -> Self {
        let mut pid = None;
        wait_for(&format!("a pid in {}", file.display()), SOON, || {
            pid = fs::read_to_string(file).ok().and_then(|text| text.trim_end().parse().ok());
            pid.is_some_and(process::runs)
        });
        Self { pid: pid.expect("just seen") }
    }

    /// Waits until `log` is followed from its end on; returns the process that follows it.
    #[track_caller]
    pub(crate) fn wait_following(&self, log: &Path) -> i32 {
        let mut follower = None;
        wait_for(&format!("{} to be followed", log.display()), SOON, || {
            follower = process::follower(self.pid, log);
            follower.is_some()
        });
        follower.expect("just seen")
    }

    /// Asks it to stop and waits until it is gone.
    #[track_caller]
    pub(crate) fn terminate(&self) {
        send(self.pid, Signal::SIGTERM);
        wait_gone("the daemon", self.pid);
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if process::runs(self.pid) {
            let family = process::family(self.pid);
            family.iter().for_each(|&pid| send(pid, Signal::SIGKILL));
        }
    }
}
