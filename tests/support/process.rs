//! Processes as /proc shows them: who is whose child, who has which file open and how far it has read.

use super::{SOON, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Finds a program on the path or where system programs live.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin", "/usr/lib/dovecot", "/usr/libexec/dovecot"];
    std::env::split_paths(&path)
        .chain(system.iter().map(PathBuf::from))
        .map(|dir| dir.join(name))
        .find(|candidate| candidate.is_file())
}

/// Why nothing can be mounted for one process alone.
pub(crate) fn missing_mounts() -> Option<String> {
    let mounts = Command::new("unshare").args(["--mount", "mount", "-t", "tmpfs", "none", "/var/log"]).output();
    (!mounts.is_ok_and(|end| end.status.success())).then(|| "mounting is not permitted".to_owned())
}

/// What `/proc/PID/stat` tells: state letter and parent. `None` once the process is gone.
fn stat(pid: i32) -> Option<(char, i32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, so the fields are counted from its end.
    let mut fields = text[text.rfind(')')? + 1..].split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Whether the process runs; a zombie does not.
pub(crate) fn runs(pid: i32) -> bool {
    stat(pid).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

/// Whether the process has ended and nobody has asked for its exit status.
pub(crate) fn is_zombie(pid: i32) -> bool {
    stat(pid).is_some_and(|(state, _)| state == 'Z')
}

/// Children of `pid`, zombies included.
pub(crate) fn children(pid: i32) -> Vec<i32> {
    let entries = fs::read_dir("/proc").expect("/proc");
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|&child| stat(child).is_some_and(|(_, parent)| parent == pid))
        .collect()
}

/// `pid` and everything below it.
pub(crate) fn family(pid: i32) -> Vec<i32> {
    let mut found = vec![pid];
    let mut next = 0;
    while next < found.len() {
        found.extend(children(found[next]));
        next += 1;
    }
    found
}

/// Position at which `pid` has `file` open for reading; the furthest one if it has it open more than once.
pub(crate) fn read_position(pid: i32, file: &Path) -> Option<u64> {
    let wanted = fs::metadata(file).ok()?;
    let open = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    open.filter_map(|entry| {
        let path = entry.ok()?.path();
        let found = fs::metadata(&path).ok()?;
        if (found.dev(), found.ino()) != (wanted.dev(), wanted.ino()) {
            return None;
        }
        let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{}", path.file_name()?.to_str()?)).ok()?;
        info.lines().find_map(|line| line.strip_prefix("pos:")?.trim().parse().ok())
    })
    .max()
}

/// The process of the daemon's family that has read `file` to its end, if there is one: a line that is written now
/// will be seen.
pub(crate) fn follower(daemon: i32, file: &Path) -> Option<i32> {
    let size = fs::metadata(file).ok()?.len();
    family(daemon).into_iter().find(|&pid| read_position(pid, file) == Some(size))
}

pub(crate) fn send(pid: i32, signal: Signal) {
    // A process that is gone already is what most callers want.
    let _ = kill(Pid::from_raw(pid), signal);
}

/// Waits until `pid` does not run any more.
#[track_caller]
pub(crate) fn wait_gone(what: &str, pid: i32) {
    wait_for(&format!("end of {what} (pid {pid})"), SOON, || !runs(pid));
}
