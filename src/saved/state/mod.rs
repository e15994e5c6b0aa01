//! The ring, saved between a clean stop and the next start in `<map>.state`, and where to go on in the logs.
//!
//! A clean stop empties the table, so that nobody relays while nobody watches; this file keeps the grants for the next
//! start. Who can write it can open the relay, so it is only trusted when nobody else can.
//!
//! After a first line comes a line for each log: `@cursor SECONDS CURSOR LOG` for the journal, and for a file
//! `@file SECONDS DEVICE INODE OFFSET BEFORE LOG`, what stands in front of the offset in hexadecimal or `-`; the seconds
//! tell when that was. Then a line for each grant but those by hand: `ADDRESS SECONDS`, the end in Unix seconds, and if
//! the login is known that it goes back to, ` MATCHER OFFSET USER LOG`: the offset or `-`, the user in hexadecimal or
//! `-`. With `--max-users-per-address` these follow: `@users KEY KEY CHECK`, and for each user behind an address
//! `@user ADDRESS SECONDS HASH` with the time of its last login; all but address and time in hexadecimal.

mod marks;
mod users;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

pub(crate) use pop_before_smtp_backends::replace::beside;
use pop_before_smtp_backends::replace::{Manner, replace};

pub(crate) use self::users::Users;
use crate::output::error::io_cause;
use crate::ring::login_record::LoginRecord;
use crate::ring::users_per_address::UsersPerAddress;
use crate::ring::{Grant, Ring};
use crate::saved::private_file;
use crate::source::Mark;
use crate::time::{Now, unix_seconds};

const FIRST_LINE: &str = "pop-before-smtp state 3";

/// Of a file without users behind addresses: what the versions before can read, too, if one of them is put back.
const FIRST_LINE_WITHOUT_USERS: &str = "pop-before-smtp state 2";

/// Of a file that a version wrote which knew no places in logs.
const FIRST_LINE_WITHOUT_PLACES: &str = "pop-before-smtp state 1";

/// The state file of a map.
pub(crate) fn path(map: &Path) -> PathBuf {
    beside(map, ".state")
}

/// Writes the grants of `ring`, the marks and the users behind addresses, all or nothing, mode 0600.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn save(
    path: &Path,
    now: &Now,
    ring: &Ring,
    marks: &[Mark],
    guard: Option<&UsersPerAddress>,
) -> io::Result<()> {
    let manner = Manner { mode: 0o600, owner: None, sync: true };
    replace(path, manner, |file| {
        writeln!(file, "{}", if guard.is_some() { FIRST_LINE } else { FIRST_LINE_WITHOUT_USERS })?;
        write(file, now, ring, marks)?;
        guard.map_or(Ok(()), |guard| users::write(file, now, guard))
    })
}

fn write(file: &mut impl Write, now: &Now, ring: &Ring, marks: &[Mark]) -> io::Result<()> {
    for mark in marks.iter().filter(|mark| !mark.log.contains('\n')) {
        mark.write(file)?;
    }
    // Those stand in the file of overrides.
    for Grant { address, expires } in ring.iter().filter(|grant| !ring.is_by_hand(grant.address)) {
        write!(file, "{address} {}", unix_seconds(now.wall_at(expires)))?;
        if let Some(record) = ring.last_login(address).filter(|record| !record.source.contains('\n')) {
            write_record(file, &record)?;
        }
        writeln!(file)?;
    }
    Ok(())
}

fn write_record(file: &mut impl Write, record: &LoginRecord<'_>) -> io::Result<()> {
    write!(file, " {} ", record.matcher)?;
    match record.offset {
        Some(offset) => write!(file, "{offset} ")?,
        None => write!(file, "- ")?,
    }
    write_bytes(file, record.user)?;
    write!(file, " {}", record.source)
}

fn write_bytes(file: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    match bytes {
        [] => write!(file, "-"),
        bytes => bytes.iter().try_for_each(|byte| write!(file, "{byte:02x}")),
    }
}

/// What a clean stop has saved.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct State {
    /// The grants, oldest first.
    pub grants: Vec<SavedGrant>,
    /// Where to go on in the logs.
    pub marks: Vec<Mark>,
    /// The users behind addresses.
    pub users: Users,
}

impl State {
    /// Where to go on in the log of this name.
    pub fn mark(&self, log: &str) -> Option<&Mark> {
        self.marks.iter().find(|mark| mark.log == log)
    }
}

/// A grant of the state file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedGrant {
    /// The address, and how long it may relay.
    pub grant: Grant,
    login: Option<Login>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Login {
    matcher: String,
    offset: Option<u64>,
    user: Vec<u8>,
    source: String,
}

impl SavedGrant {
    /// Which login the grant goes back to, if that is known.
    pub fn record(&self) -> Option<LoginRecord<'_>> {
        let Login { matcher, offset, user, source } = self.login.as_ref()?;
        Some(LoginRecord { source, offset: *offset, matcher, user })
    }
}

/// Reads what a clean stop has saved; nothing if there is no file, or none to trust.
pub(crate) fn load(path: &Path, now: &Now) -> State {
    match private_file::open_trusted(path, None).and_then(|file| read(file, now)) {
        Ok(state) => state,
        Err(error) if error.kind() == io::ErrorKind::NotFound => State::default(),
        Err(error) => {
            log::warn!(
                "cannot restore grants from {}: {}; clients must log in again",
                path.display(),
                io_cause(&error)
            );
            State::default()
        }
    }
}

/// Removes the state file once its grants are in the ring: a later crash must not bring them back.
pub(crate) fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            log::warn!("cannot remove {}: {}; remove it by hand", path.display(), io_cause(&error));
        }
        _ => {}
    }
}

fn read(file: File, now: &Now) -> io::Result<State> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "not a state file of this version");
    let mut lines = BufReader::new(file).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    if ![FIRST_LINE, FIRST_LINE_WITHOUT_USERS, FIRST_LINE_WITHOUT_PLACES].contains(&first.as_str()) {
        return Err(damaged());
    }
    let mut state = State::default();
    for line in lines {
        match line? {
            users if users.starts_with("@user") => state.users.read(&users, now).ok_or_else(damaged)?,
            mark if mark.starts_with('@') => state.marks.push(Mark::read(&mark).ok_or_else(damaged)?),
            grant => state.grants.push(saved(&grant, now).ok_or_else(damaged)?),
        }
    }
    state.grants.reverse();
    Ok(state)
}

fn saved(line: &str, now: &Now) -> Option<SavedGrant> {
    let (address, rest) = line.split_once(' ')?;
    let (seconds, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let address: IpAddr = address.parse().ok()?;
    let expires = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds.parse().ok()?))?;
    let login = if rest.is_empty() { None } else { Some(login(rest)?) };
    Some(SavedGrant { grant: Grant { address, expires: now.boot_at(expires) }, login })
}

fn login(text: &str) -> Option<Login> {
    let mut fields = text.splitn(4, ' ');
    let (matcher, offset, user, source) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let unless_dash = |text| Some(text).filter(|text: &&str| *text != "-");
    Some(Login {
        matcher: matcher.to_owned(),
        offset: unless_dash(offset).map(str::parse).transpose().ok()?,
        user: unless_dash(user).map_or(Some(Vec::new()), bytes)?,
        source: source.to_owned(),
    })
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let pairs = hexadecimal.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
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
        let mut ring = Ring::new(Duration::from_secs(100), NonZeroUsize::new(10).unwrap(), None);
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
        save(&path, &now(10), &saved, &[], None).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let mut grants: Vec<_> = load(&path, &now(50)).grants.into_iter().map(|saved| saved.grant).collect();
        grants.reverse();
        assert_eq!(grants, saved.iter().collect::<Vec<_>>(), "newest first");
        remove(&path);
        assert_eq!(load(&path, &now(50)), State::default());
    }

    #[test]
    fn an_earlier_version_is_read_and_can_be_put_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map.state");
        let first_line = || fs::read_to_string(&path).unwrap().lines().next().unwrap().to_owned();
        let guard = UsersPerAddress::new(NonZeroUsize::new(3).unwrap(), NonZeroUsize::new(10).unwrap());
        save(&path, &now(10), &ring(&["192.0.2.1"]), &[], Some(&guard)).unwrap();
        assert_eq!(first_line(), "pop-before-smtp state 3");
        assert!(load(&path, &now(10)).users.known().is_some());
        save(&path, &now(10), &ring(&["192.0.2.1"]), &[], None).unwrap();
        assert_eq!(first_line(), "pop-before-smtp state 2", "there is nothing in it that version 2 did not have");

        let place = "@file 1000010 254 4711 12 - /var/log/mail.log\n";
        for (version, place) in [(1, ""), (2, ""), (2, place)] {
            let grant = "192.0.2.1 1000100 dovecot 7 61 /var/log/mail.log\n";
            fs::write(&path, format!("pop-before-smtp state {version}\n{place}{grant}")).unwrap();
            let state = load(&path, &now(10));
            assert_eq!(state.grants.len(), 1, "{version}");
            assert_eq!(state.mark("/var/log/mail.log").is_some(), !place.is_empty(), "{version}");
        }
        fs::write(&path, "pop-before-smtp state 4\n192.0.2.1 1000100\n").unwrap();
        assert_eq!(load(&path, &now(10)), State::default(), "nobody knows what that will mean");
    }

    #[test]
    fn a_clock_that_was_set_meanwhile_gives_nobody_more_than_a_grace() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map.state");
        save(&path, &now(10), &ring(&["192.0.2.1"]), &[], None).unwrap();
        for (by, left) in [(0, 50), (3600, 0), (-3600, 100), (30, 20), (-30, 80)] {
            let mut later = now(50);
            later.wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_050u64.checked_add_signed(by).unwrap());
            let mut restored = ring(&[]);
            for saved in load(&path, &later).grants {
                restored.restore(later.boot, saved.grant, &mut Vec::new());
            }
            let expires = restored.oldest().map(|grant| grant.expires.since(later.boot).as_secs());
            assert_eq!(expires.unwrap_or(0), left, "{by}");
        }
    }

    #[test]
    fn the_logins_come_back_with_the_grants() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map.state");
        let addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
        let mut ring = ring(&addresses);
        let known =
            LoginRecord { source: "/var/log/the mail.log", offset: Some(4711), matcher: "dovecot", user: b"a b\xff\n" };
        let less = LoginRecord { source: "-", offset: None, matcher: "uw-imap", user: b"" };
        ring.note_login("192.0.2.1".parse().unwrap(), Some(known));
        ring.note_login("192.0.2.2".parse().unwrap(), Some(less));
        save(&path, &now(10), &ring, &[], None).unwrap();
        let loaded = load(&path, &now(10)).grants;
        assert_eq!(loaded.iter().map(SavedGrant::record).collect::<Vec<_>>(), [Some(known), Some(less), None]);
    }

    #[test]
    fn a_file_that_others_can_write_or_that_is_damaged_grants_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map.state");
        save(&path, &now(10), &ring(&["192.0.2.1"]), &[], None).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
        assert_eq!(load(&path, &now(11)), State::default());

        let link = directory.path().join("link");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(load(&link, &now(11)), State::default());

        for text in [
            "",
            "192.0.2.1 1000100\n",
            "pop-before-smtp state 1\n192.0.2.1\n",
            "pop-before-smtp state 1\n192.0.2.1 1000100 dovecot\n",
            "pop-before-smtp state 1\n192.0.2.1 1000100 dovecot x - /var/log/mail.log\n",
            "pop-before-smtp state 1\n192.0.2.1 1000100 dovecot 1 x /var/log/mail.log\n",
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(load(&path, &now(11)), State::default(), "{text:?}");
        }
    }
}
