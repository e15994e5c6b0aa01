//! Who serves the map, by its lock and by /proc, and what the table holds.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, eaccess};
use pop_before_smtp_backends::Listed;

use crate::check::daemons::{Daemons, Process, holder, is_namesake};
use crate::config::Table;
use crate::config::loggers::processes::{command, descriptors, is_writable, processes};
use crate::config::socket::Socket;
use crate::control;
use crate::control::client::Daemon;
use crate::control::request::Request;
use crate::control::wire::{Line, Status};
use crate::output::error::Error;
use crate::saved::regular_file;
use crate::saved::state::beside;

/// How often the list of locks is looked through before it is believed that a lock is not there.
const LOOKS: usize = 5;

/// Most bytes of a lock that are read.
const LONGEST_PID: u64 = 32;

/// Looks at the lock and at all processes that can be seen, and at the control socket if no lock is. `listed` is what the table holds, if there is one.
pub(crate) fn gather(map: &Path, table: &Path, listed: Option<&Result<Vec<Listed>, Error>>, place: &Socket) -> Daemons {
    // The list shows no locks of other PID namespaces, and not everybody may read it.
    let holder = held(&beside(map, ".lock")).or_else(|| control::serves(place, map).then_some(None));
    let known = holder.flatten();
    let is_daemons = move |pid: u32| known.is_some() && (Some(pid) == known || parent(pid) == known);
    let others = || processes().filter(move |pid| *pid != std::process::id() && !is_daemons(*pid));
    let table = fs::metadata(table).ok().map(|found| (found.dev(), found.ino()));
    let writers = others().filter(|pid| table.is_some_and(|table| has_open_for_writing(*pid, table)));
    let namesakes = others().filter(|pid| namesake(*pid)).map(process).collect();
    let listed = listed.map(|listed| listed.as_ref().map(Vec::len).map_err(ToString::to_string));
    Daemons { holder, writers: writers.map(process).collect(), namesakes, listed }
}

/// How the daemon of the map is; `None` if there is none, or it does not answer us.
pub(crate) fn status(place: &Socket, map: &Path) -> Option<Status> {
    let daemon = Daemon::find(place, map).ok().flatten()?;
    match daemon.ask_one(Request::Status).ok()? {
        Line::Status(status) => Some(*status),
        _ => None,
    }
}

/// What the table holds; `None` if there is no table. One that we may not read holds nothing that could be told.
pub(crate) fn list(table: &Table, file: &Path) -> Option<Result<Vec<Listed>, Error>> {
    if eaccess(file, AccessFlags::R_OK) == Err(Errno::EACCES) {
        return Some(Ok(Vec::new()));
    }
    let read = || (table.driver.open_read_only)(&table.options)?.list();
    file.exists().then(|| read().map_err(Error::from))
}

/// Looks without trying to lock: a daemon that starts at this moment would find the lock taken.
fn held(lock: &Path) -> Option<Option<u32>> {
    let found = fs::symlink_metadata(lock).ok()?;
    let known = pid_in(lock);
    let device = numbers(found.dev());
    // The list is read in pieces, and a lock may be missed while others come and go.
    (0..LOOKS).find_map(|_| holder(&fs::read_to_string("/proc/locks").ok()?, device, found.ino(), known))
}

/// The numbers of a device, as /proc/locks has them.
#[cfg(target_os = "linux")]
fn numbers(device: u64) -> (u64, u64) {
    (nix::sys::stat::major(device), nix::sys::stat::minor(device))
}

/// Elsewhere there is no /proc/locks.
#[cfg(not(target_os = "linux"))]
fn numbers(_: u64) -> (u64, u64) {
    (0, 0)
}

/// The process that the lock names. The file is the daemon's, whose user may have put something else there.
fn pid_in(lock: &Path) -> Option<u32> {
    let mut text = String::new();
    regular_file::open_no_link(lock).ok()?.take(LONGEST_PID).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// A child of the daemon may have inherited what it has open.
fn parent(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

fn has_open_for_writing(pid: u32, file: (u64, u64)) -> bool {
    let is_it = |path: &PathBuf| fs::metadata(path).is_ok_and(|found| (found.dev(), found.ino()) == file);
    descriptors(pid).into_iter().flatten().any(|path| is_it(&path) && is_writable(pid, &path))
}

/// A program of our name that is another than ours, which has its lock open while it serves a map.
fn namesake(pid: u32) -> bool {
    let Ok(program) = fs::read_link(format!("/proc/{pid}/exe")) else { return false };
    let command = command(pid);
    let arguments: Vec<_> = command.iter().map(String::as_str).collect();
    is_namesake(&program, &arguments) && !descriptors(pid).into_iter().flatten().any(|path| has_name_of_lock(&path))
}

fn has_name_of_lock(descriptor: &Path) -> bool {
    fs::read_link(descriptor).is_ok_and(|target| target.extension().is_some_and(|extension| extension == "lock"))
}

fn process(pid: u32) -> Process {
    let command: String = command(pid).join(" ").chars().take(200).collect();
    Process { pid, command }
}
