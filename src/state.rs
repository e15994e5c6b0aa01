//! The ring, saved between a clean stop and the next start in `<map>.state`.
//!
//! A clean stop empties the table, so that nobody relays while nobody watches; this file keeps the grants for the next
//! start. Who can write it can open the relay, so it is only trusted when nobody else can.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::libc::{O_NOFOLLOW, O_NONBLOCK};

use crate::error::io_cause;
use crate::ring::{Grant, Ring};
use crate::time::{Now, unix_seconds};

const FIRST_LINE: &str = "pop-before-smtp state 1";

/// `<map>` with something behind its name.
pub fn beside(map: &Path, suffix: &str) -> PathBuf {
    let mut path = map.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// The state file of a map.
pub fn path(map: &Path) -> PathBuf {
    beside(map, ".state")
}

/// Writes the grants of `ring`, all or nothing, mode 0600.
///
/// # Errors
/// The file cannot be written.
pub fn save(path: &Path, now: &Now, ring: &Ring) -> io::Result<()> {
    let new = beside(path, ".new");
    let saved = write(&new, now, ring).and_then(|()| fs::rename(&new, path));
    if saved.is_err() {
        // A part of a file is of no use, and may be what fills the disk.
        let _ = fs::remove_file(&new);
    }
    saved
}

fn write(new: &Path, now: &Now, ring: &Ring) -> io::Result<()> {
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = BufWriter::new(OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?);
    writeln!(file, "{FIRST_LINE}")?;
    for Grant { address, expires } in ring.iter() {
        writeln!(file, "{address} {}", unix_seconds(now.wall_at(expires)))?;
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

/// Reads the grants that a clean stop has saved, oldest first; none if there is no file, or none to trust.
pub fn load(path: &Path, now: &Now) -> Vec<Grant> {
    let grants = match open_trusted(path).and_then(|file| read(file, now)) {
        Ok(grants) => grants,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            log::warn!(
                "cannot restore grants from {}: {}; clients must log in again",
                path.display(),
                io_cause(&error)
            );
            Vec::new()
        }
    };
    grants.into_iter().rev().collect()
}

/// Removes the state file once its grants are in the ring: a later crash must not bring them back.
pub fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            log::warn!("cannot remove {}: {}; remove it by hand", path.display(), io_cause(&error));
        }
        _ => {}
    }
}

fn open_trusted(path: &Path) -> io::Result<File> {
    // Not blocking: opening a FIFO would wait for its writer.
    let file = OpenOptions::new().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    let owner = metadata.uid();
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if metadata.mode() & 0o022 != 0 || (owner != 0 && owner != nix::unistd::geteuid().as_raw()) {
        return Err(io::Error::other("others can write it, so it could grant anything"));
    }
    Ok(file)
}

fn read(file: File, now: &Now) -> io::Result<Vec<Grant>> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "not a state file of this version");
    let mut lines = BufReader::new(file).lines();
    if lines.next().transpose()?.as_deref() != Some(FIRST_LINE) {
        return Err(damaged());
    }
    lines.map(|line| grant(&line?, now).ok_or_else(damaged)).collect()
}

fn grant(line: &str, now: &Now) -> Option<Grant> {
    let (address, seconds) = line.split_once(' ')?;
    let address: IpAddr = address.parse().ok()?;
    let expires = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds.parse().ok()?))?;
    Some(Grant { address, expires: now.boot_at(expires) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::num::NonZeroUsize;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::time::Timestamp;

    fn now(seconds: u64) -> Now {
        Now {
            boot: Timestamp::from_boot(Duration::from_secs(seconds)),
            wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds),
        }
    }

    fn ring(addresses: &[&str]) -> Ring {
        let mut ring = Ring::new(Duration::from_secs(100), NonZeroUsize::new(10).unwrap());
        for (second, address) in addresses.iter().enumerate() {
            ring.login(now(second as u64).boot, address.parse().unwrap(), &mut Vec::new());
        }
        ring
    }

    #[test]
    fn grants_come_back_with_their_own_expiry() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map.state");
        let saved = ring(&["192.0.2.1", "2001:db8::1"]);
        save(&path, &now(10), &saved).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let mut grants = load(&path, &now(50));
        grants.reverse();
        assert_eq!(grants, saved.iter().collect::<Vec<_>>(), "newest first");
        remove(&path);
        assert_eq!(load(&path, &now(50)), []);
    }

    #[test]
    fn a_clock_that_was_set_meanwhile_gives_nobody_more_than_a_grace() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map.state");
        save(&path, &now(10), &ring(&["192.0.2.1"])).unwrap();
        for (by, left) in [(0, 50), (3600, 0), (-3600, 100), (30, 20), (-30, 80)] {
            let mut later = now(50);
            later.wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_050u64.checked_add_signed(by).unwrap());
            let mut restored = ring(&[]);
            for grant in load(&path, &later) {
                restored.restore(later.boot, grant, &mut Vec::new());
            }
            let expires = restored.oldest().map(|grant| grant.expires.since(later.boot).as_secs());
            assert_eq!(expires.unwrap_or(0), left, "{by}");
        }
    }

    #[test]
    fn a_file_that_others_can_write_or_that_is_damaged_grants_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map.state");
        save(&path, &now(10), &ring(&["192.0.2.1"])).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
        assert_eq!(load(&path, &now(11)), []);

        let link = directory.path().join("link");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(load(&link, &now(11)), []);

        for text in ["", "192.0.2.1 1000100\n", "pop-before-smtp state 1\n192.0.2.1\n"] {
            fs::write(&path, text).unwrap();
            assert_eq!(load(&path, &now(11)), [], "{text:?}");
        }
    }
}
