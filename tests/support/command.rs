//! Runs a program to its end, within a limit.

use super::{SOON, Scratch, eventually};
use std::fs::{self, File};
use std::process::{Command, Stdio};

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `command` with nothing on its standard input.
///
/// Its output goes to files, not pipes: a daemon that it leaves in the background must not make us wait.
///
/// # Panics
/// If it cannot be started, or is not done in time.
#[track_caller]
pub(crate) fn finish(command: &mut Command) -> Finished {
    let dir = Scratch::new();
    let (stdout, stderr) = (dir.join("stdout"), dir.join("stderr"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(File::create(&stdout).expect("a file for its output"))
        .stderr(File::create(&stderr).expect("a file for its errors"))
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut status = None;
    let done = eventually(SOON, || {
        status = child.try_wait().expect("its exit status");
        status.is_some()
    });
    if !done {
        let _ = child.kill();
        let _ = child.wait();
    }
    let text = |path| String::from_utf8_lossy(&fs::read(path).expect("its output")).into_owned();
    let finished = Finished { code: status.and_then(|s| s.code()), stdout: text(&stdout), stderr: text(&stderr) };
    assert!(done, "{command:?} did not end within {SOON:?}: {finished:?}");
    finished
}

/// Runs `pop-before-smtp` with `arguments` to its end.
#[track_caller]
pub(crate) fn pop_before_smtp<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Finished {
    finish(Command::new(env!("CARGO_BIN_EXE_pop-before-smtp")).args(arguments))
}
