//! Gives up root for good, before anything is read that a stranger wrote. Failure is fatal: nothing goes on as root
//! that was not meant to.

use std::collections::HashSet;
use std::ffi::CString;
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{Gid, ROOT, Uid, User};
use nix::unistd::{
    geteuid, getgrouplist, getgroups, getresgid, getresuid, initgroups, setgid, setgroups, setresgid, setresuid, setuid,
};

use crate::output::error::{Error, Exit, io_cause};

/// Becomes a user, by name or number, with the groups that the system's user database gives him, and makes sure that
/// there is no way back: not for this process, nor through a set-user-id program for one that it starts.
///
/// # Errors
/// Exit code 67: there is no such user. 71: this process is not root's, or a system call failed; it must end then.
pub fn become_user(name: &str) -> Result<(), Error> {
    let failed = |cause: &dyn fmt::Display| Error::new(Exit::System, format!("become user {}", shown(name)), cause);
    if !geteuid().is_root() {
        return Err(failed(&"only root can").cure("start the daemon as root, or leave out --user"));
    }
    let user = find(name)?;
    if user.uid.is_root() {
        return Err(failed(&"that is root").cure("name a user of the daemon's own with --user"));
    }
    become_known(&user).map_err(|cause| failed(&cause))
}

/// Before root writes beside a map: becomes the owner of its directory, unless that is root, too. He may put a link to any
/// file there; what it leads to is then opened with his rights. Does nothing in a process that is not root's, or where there
/// is no directory.
///
/// # Errors
/// Exit code 71: a system call failed; the process must end then.
pub fn become_owner_of_directory(map: &Path) -> Result<(), Error> {
    let Some(directory) = map.parent().and_then(|directory| fs::metadata(directory).ok()) else { return Ok(()) };
    let (uid, gid) = (Uid::from_raw(directory.uid()), Gid::from_raw(directory.gid()));
    if !geteuid().is_root() || uid.is_root() {
        return Ok(());
    }
    let action = || format!("become user {uid}, the owner of the directory of {}", map.display());
    let failed = |cause: &dyn fmt::Display| Error::new(Exit::System, action(), cause);
    match User::from_uid(uid) {
        Ok(Some(user)) => become_known(&user).map_err(|cause| failed(&cause)),
        // He is in no user database, and in no group but that of the directory.
        Ok(None) => setgroups(&[gid])
            .and_then(|()| change_ids(uid, gid))
            .map_err(|errno| io_cause(&errno.into()))
            .and_then(|()| verify((uid, gid), &[gid]).map_err(str::to_owned))
            .map_err(|cause| failed(&cause)),
        Err(errno) => Err(failed(&io_cause(&errno.into()))),
    }
}

fn become_known(user: &User) -> Result<(), String> {
    let cause = |errno: Errno| io_cause(&errno.into());
    let name = CString::new(user.name.as_str()).map_err(|error| error.to_string())?;
    // The groups first: afterwards nobody may set them any more.
    initgroups(&name, user.gid).and_then(|()| change_ids(user.uid, user.gid)).map_err(cause)?;
    let groups = getgrouplist(&name, user.gid).map_err(cause)?;
    verify((user.uid, user.gid), &groups).map_err(str::to_owned)
}

/// The user of this name or, where none has it, of this number.
fn find(name: &str) -> Result<User, Error> {
    let failed = |cause: &dyn fmt::Display| Error::new(Exit::NoUser, format!("find user {}", shown(name)), cause);
    let found = User::from_name(name).and_then(|user| match (user, name.parse()) {
        (None, Ok(number)) => User::from_uid(Uid::from_raw(number)),
        (user, _) => Ok(user),
    });
    match found {
        Ok(Some(user)) => Ok(user),
        Ok(None) => Err(failed(&"there is none in the user database").cure("create it, or name another with --user")),
        Err(errno) => Err(failed(&io_cause(&errno.into()))),
    }
}

fn change_ids(uid: Uid, gid: Gid) -> Result<(), Errno> {
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    forgo_set_user_id()
}

#[cfg(target_os = "linux")]
fn forgo_set_user_id() -> Result<(), Errno> {
    nix::sys::prctl::set_no_new_privs()?;
    // Or /proc/self would go on belonging to root, and files are changed through the descriptors in it.
    nix::sys::prctl::set_dumpable(true)
}

/// No other system has a safe call for it: there set-user-id programs give what they give.
#[cfg(not(target_os = "linux"))]
fn forgo_set_user_id() -> Result<(), Errno> {
    Ok(())
}

/// Looks whether this process is what it should be, and tries to undo it.
fn verify((uid, gid): (Uid, Gid), groups: &[Gid]) -> Result<(), &'static str> {
    let users = getresuid().is_ok_and(|now| (now.real, now.effective, now.saved) == (uid, uid, uid));
    if !users || !getresgid().is_ok_and(|now| (now.real, now.effective, now.saved) == (gid, gid, gid)) {
        return Err("the process has kept other rights");
    }
    let set = |groups: &[Gid]| groups.iter().map(|group| group.as_raw()).collect::<HashSet<_>>();
    if !getgroups().is_ok_and(|now| set(&now).is_subset(&set(groups))) {
        return Err("the process has kept groups that are not the user's");
    }
    let regained_group = gid.as_raw() != 0 && setgid(Gid::from_raw(0)).is_ok();
    if regained_group || setuid(ROOT).is_ok() {
        return Err("root's rights can be regained");
    }
    #[cfg(target_os = "linux")]
    if nix::sys::prctl::get_no_new_privs() != Ok(true) {
        return Err("set-user-id programs would still give rights");
    }
    Ok(())
}

/// A name from the command line, fit to be printed.
fn shown(name: &str) -> String {
    name.escape_debug().to_string()
}
