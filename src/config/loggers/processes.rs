//! What the kernel tells of a process (proc(5)).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::libc::{O_RDWR, O_WRONLY};
use nix::unistd::{SysconfVar, sysconf};

use crate::time::{Now, Timestamp};

/// The numbers of all processes that can be seen.
pub(crate) fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Whether a process has this open for writing.
pub(crate) fn is_writable(pid: u32, descriptor: &Path) -> bool {
    let number = descriptor.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| i32::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok());
    flags.is_some_and(|flags| flags & (O_WRONLY | O_RDWR) != 0)
}

/// What a process has open, as links.
///
/// # Errors
/// It has ended, or that may not be seen.
pub(crate) fn descriptors(pid: u32) -> io::Result<impl Iterator<Item = PathBuf>> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.flatten().map(|entry| entry.path()))
}

/// What a process sees as `/`, if that can be seen.
pub(crate) fn root(pid: u32) -> Option<PathBuf> {
    let path = PathBuf::from(format!("/proc/{pid}/root"));
    path.join("proc").exists().then_some(path)
}

/// When a process was started: whole hundredths of a second, rounded down. The wall clock is taken not to have been set since.
pub(crate) fn started(pid: u32, now: &Now) -> Option<SystemTime> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Its name, in brackets, may hold anything.
    let fields = text.rsplit_once(')')?.1;
    let ticks: u64 = fields.split_whitespace().nth(19)?.parse().ok()?;
    let second = u64::try_from(sysconf(SysconfVar::CLK_TCK).ok()??).ok()?;
    let micros = u64::try_from(u128::from(ticks) * 1_000_000 / u128::from(second.max(1))).ok()?;
    Some(now.wall_at(Timestamp::from_boot(Duration::from_micros(micros))))
}

/// The arguments of a process, the first of which is its name.
pub(crate) fn command(pid: u32) -> Vec<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = line.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// The name of the file that a process runs; without the right to see it, what the kernel calls the process. None for a
/// thread of the kernel's, which runs no file and has none open.
pub(crate) fn program(pid: u32) -> Option<String> {
    match fs::read_link(format!("/proc/{pid}/exe")) {
        Ok(file) => Some(file.file_name()?.to_string_lossy().trim_end_matches(" (deleted)").to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(_) => Some(fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim_end().to_owned()),
    }
}

/// The numbers behind a label in what the kernel tells everybody of a process, such as `Uid:`, of which the second is the
/// effective one (proc(5)).
pub(crate) fn numbers(pid: u32, label: &str) -> Option<Vec<u32>> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(label))?;
    Some(line.split_whitespace().filter_map(|number| number.parse().ok()).collect())
}

/// The number of the user whose rights a process has.
pub(crate) fn user(pid: u32) -> Option<u32> {
    numbers(pid, "Uid:")?.get(1).copied()
}
