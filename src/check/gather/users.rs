//! Users and their groups.

use std::ffi::CString;
use std::fs;

use nix::unistd::{self, Gid, Uid};

use crate::check::files::User;
use crate::config::loggers::processes::{self, numbers};

/// The user of that name or, where none has it, of that number.
pub(crate) fn named(name: &str) -> Option<User> {
    let by_number = || unistd::User::from_uid(Uid::from_raw(name.parse().ok()?)).ok()?;
    let found = unistd::User::from_name(name).ok()?.or_else(by_number)?;
    let name = CString::new(found.name.as_str()).ok()?;
    let groups = unistd::getgrouplist(&name, found.gid).unwrap_or_else(|_| vec![found.gid]);
    Some(User { name: found.name, uid: found.uid.as_raw(), gids: groups.into_iter().map(Gid::as_raw).collect() })
}

/// The number of a group.
pub(crate) fn group(name: &str) -> Option<u32> {
    unistd::Group::from_name(name).ok().flatten().map(|found| found.gid.as_raw())
}

/// The user of that number; one that the system's user database does not know has no groups.
pub(crate) fn numbered(uid: u32) -> User {
    let known = unistd::User::from_uid(Uid::from_raw(uid)).ok().flatten().and_then(|found| named(&found.name));
    known.unwrap_or_else(|| User { name: uid.to_string(), uid, gids: Vec::new() })
}

/// The first number of an ordinary user (`UID_MIN` of login.defs(5)).
const ORDINARY: u32 = 1000;

/// Ordinary users whom the system's own list gives a shell; those of a directory service are not asked for.
pub(crate) fn with_shells() -> Vec<User> {
    let list = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let has_shell = |line: &&str| !["nologin", "/false", "/sync"].iter().any(|shell| line.ends_with(shell));
    let uid = |line: &str| line.split(':').nth(2)?.parse().ok();
    list.lines().filter(has_shell).filter_map(uid).filter(|uid| *uid >= ORDINARY).map(numbered).collect()
}

/// Who we are.
pub(crate) fn ourselves() -> User {
    let groups = unistd::getgroups().unwrap_or_default().into_iter().chain([unistd::getegid()]);
    let uid = unistd::geteuid();
    User { name: name(uid.as_raw()), uid: uid.as_raw(), gids: groups.map(Gid::as_raw).collect() }
}

/// Whose process it is, with the groups that it has.
pub(crate) fn of_process(pid: u32) -> Option<User> {
    let uid = processes::user(pid)?;
    let gids = numbers(pid, "Groups:")?.into_iter().chain(numbers(pid, "Gid:")?.get(1).copied()).collect();
    Some(User { name: name(uid), uid, gids })
}

fn name(uid: u32) -> String {
    let found = unistd::User::from_uid(Uid::from_raw(uid)).ok().flatten();
    found.map_or_else(|| uid.to_string(), |found| found.name)
}
