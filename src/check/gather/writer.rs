//! Finds out whose the daemon is.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::users;
use crate::check::files::User;
use crate::check::naming::Ours;
use crate::check::writer::{KnownFrom, Writer};
use crate::saved::lock;

/// The user of process `holder`, which serves the map; else the one that is named; else the owner of what a daemon has left.
pub(crate) fn gather(ours: &Ours, holder: Option<u32>, named: Option<&str>) -> Writer {
    let running = || Some((users::of_process(holder?)?, KnownFrom::Process(holder?)));
    let named = || Some((users::named(named?)?, KnownFrom::Named));
    let ourselves = || (users::ourselves(), KnownFrom::Ourselves);
    let (user, source) = running().or_else(named).or_else(|| owner(ours)).unwrap_or_else(ourselves);
    Writer { user, source }
}

/// The lock is the daemon's even where root has made it ([`crate::saved::lock`]). That a directory belongs to root tells nothing.
fn owner(ours: &Ours) -> Option<(User, KnownFrom)> {
    let of = |path: PathBuf| Some((fs::symlink_metadata(&path).ok()?.uid(), path));
    let directory = || of(ours.map.parent().unwrap_or(Path::new("/")).to_owned()).filter(|(uid, _)| *uid != 0);
    let (uid, path) = of(lock::path(&ours.map)).or_else(|| of(ours.file())).or_else(directory)?;
    Some((users::numbered(uid), KnownFrom::Owner(path)))
}
