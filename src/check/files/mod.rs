//! Who can write the table, and who can read it. Pure.

mod table;

use std::fmt::Display;
use std::path::{Path, PathBuf};

use super::finding::Finding;
use crate::output::shell;

/// What stat(2) says of a file or directory.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its path.
    pub(crate) path: PathBuf,
    /// Type and permissions.
    pub(crate) mode: u32,
    /// Owner and group.
    pub(crate) uid: u32,
    /// Group.
    pub(crate) gid: u32,
    /// Whether the group is its owner's own, with nobody else in it.
    pub(crate) own_group: bool,
}

/// A user as the kernel sees it.
#[derive(Debug, Clone)]
pub(crate) struct User {
    /// Its name.
    pub(crate) name: String,
    /// Its number.
    pub(crate) uid: u32,
    /// All its groups.
    pub(crate) gids: Vec<u32>,
}

impl User {
    /// What makes the daemon, which is this user's, a member of a group too. Who has no name, as with `DynamicUser=`, is known
    /// to his unit alone.
    pub(crate) fn join(&self, group: impl Display) -> String {
        if self.name == self.uid.to_string() {
            return format!("write SupplementaryGroups={group} into the daemon's unit");
        }
        format!("usermod -a -G {group} {}", shell::argument(&self.name))
    }
}

/// The files of the table.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// The directories above the table, the root first, as far as they exist.
    pub(crate) above: Vec<Entry>,
    /// Why the last of them is not the map's directory.
    pub(crate) no_directory: Option<String>,
    /// The file that Postfix reads, or why there is none.
    pub(crate) table: Option<Result<Entry, String>>,
    /// Those that go with it: `-wal`, `-shm`, the sqlite_table(5) file.
    pub(crate) companions: Vec<(PathBuf, Option<Entry>)>,
    /// Postfix's user.
    pub(crate) reader: Option<User>,
    /// The daemon's user.
    pub(crate) writer: Option<User>,
    /// Whether Postfix opens the table without root's rights.
    pub(crate) read_unprivileged: bool,
    /// Who else may log in to a shell.
    pub(crate) strangers: Vec<User>,
}

const SET_GROUP_WRITE: u32 = 0o020;
const SET_OTHERS_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// Directories in which everybody must be able to write.
const SHARED: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

/// Where a daemon keeps its table that has no other place for it.
const OWN_PLACE: &str = "/var/lib/pop-before-smtp";

/// Everything about the files.
pub(crate) fn judge(files: &Files) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(why) = &files.no_directory {
        findings.push(Finding::error(why, "create the directory, or name another table with --map"));
        return findings;
    }
    let Some(directory) = files.above.last() else { return findings };
    let (name, owner) = (directory.path.display(), directory.uid);
    findings.extend(files.above.iter().filter_map(|entry| writable_directory(entry, std::ptr::eq(entry, directory))));
    if let Some(writer) = files.writer.as_ref().filter(|writer| !may(writer, directory, 0o3)) {
        let text = format!("user {} may not write in {name}", shell::argument(&writer.name));
        findings.push(Finding::error(text, own_place(&writer.name)));
    }
    if findings.is_empty() {
        let text =
            format!("{name} has owner {owner} and mode {:04o}: nobody else writes in it", directory.mode & 0o7777);
        findings.push(Finding::ok(text));
    }
    match &files.table {
        Some(Ok(table)) => findings.extend(table::judge(files, table, directory)),
        Some(Err(why)) => {
            findings.push(Finding::error(why, "start the daemon: it makes the table before anything else"))
        }
        None => {}
    }
    findings
}

/// What helps where a directory is in the way. No line for the shell gives away a directory that others use, too: whose
/// `/etc` or `/usr/local/bin` is has what root has.
fn own_place(writer: &str) -> String {
    format!(
        "install -d -o {} -m 755 {OWN_PLACE}, and name a table there: --map {OWN_PLACE}/clients",
        shell::argument(writer)
    )
}

/// Who can write in a directory can put another table in the place of ours; who can write in one above it, another
/// directory, unless the sticky bit keeps him from renaming what is not his.
fn writable_directory(entry: &Entry, is_last: bool) -> Option<Finding> {
    let sticky = entry.mode & STICKY != 0 && !is_last;
    let others = entry.mode & SET_OTHERS_WRITE != 0 && !sticky;
    let group = entry.mode & SET_GROUP_WRITE != 0 && entry.gid != 0 && !entry.own_group && !sticky;
    let path = entry.path.display();
    let who = match (others, group) {
        (true, _) => "everybody".to_owned(),
        (_, true) => format!("group {}", entry.gid),
        _ => return None,
    };
    let cure = if SHARED.iter().any(|shared| entry.path == Path::new(shared)) {
        "name a table in a directory of its own with --map".to_owned()
    } else {
        format!("chmod {} {}", if others { "go-w" } else { "g-w" }, shell::argument(&path.to_string()))
    };
    Some(Finding::error(format!("{who} may write in {path}, and so put another table there"), cure))
}

/// Whether the mode lets a user do what `bits` (4 read, 2 write, 1 execute) say. Root may.
pub(crate) fn may(user: &User, entry: &Entry, bits: u32) -> bool {
    let shift = match () {
        () if user.uid == 0 => return true,
        () if user.uid == entry.uid => 6,
        () if user.gids.contains(&entry.gid) => 3,
        () => 0,
    };
    (entry.mode >> shift) & bits == bits
}

#[cfg(test)]
mod tests {
    use super::super::finding::{Level, assert_well};
    use super::*;

    pub(super) fn entry(path: &str, mode: u32, uid: u32, gid: u32) -> Entry {
        Entry { path: path.into(), mode, uid, gid, own_group: false }
    }

    pub(super) fn user(name: &str, uid: u32, gids: &[u32]) -> User {
        User { name: name.to_owned(), uid, gids: gids.to_vec() }
    }

    pub(super) fn good() -> Files {
        Files {
            above: vec![entry("/", 0o755, 0, 0), entry("/etc", 0o755, 0, 0), entry("/etc/postfix", 0o755, 0, 0)],
            table: Some(Ok(entry("/etc/postfix/pbs.lmdb", 0o640, 0, 105))),
            reader: Some(user("postfix", 102, &[105])),
            writer: Some(user("root", 0, &[0])),
            ..Files::default()
        }
    }

    #[track_caller]
    pub(super) fn assert_only(files: &Files, level: Level, text: &str) {
        let findings = judge(files);
        let bad: Vec<_> = findings.iter().filter(|finding| finding.level != Level::Ok).collect();
        assert_eq!(bad.len(), 1, "{findings:#?}");
        assert!(bad[0].level == level && bad[0].to_string().contains(text), "{bad:#?}");
    }

    #[test]
    fn the_daemons_files_are_as_they_should_be() {
        assert_well(&judge(&good()));
    }

    /// The directory that there is stays whose it is: with one of the system's goes root.
    #[test]
    fn a_daemon_that_is_not_root_needs_a_directory_of_its_own() {
        for directory in ["/etc/postfix", "/var/lib", "/usr/local/bin", "/run", "/", "/var/lib/postfix", "/srv/tables"]
        {
            let mut files = Files { writer: Some(user("nobody", 65534, &[65534])), ..good() };
            files.above[2].path = directory.into();
            let cure = "install -d -o nobody -m 755 /var/lib/pop-before-smtp, and name a table there: --map \
                        /var/lib/pop-before-smtp/clients";
            assert_only(&files, Level::Error, cure);
            let told: String = judge(&files).iter().map(ToString::to_string).collect();
            assert!(!["chown", "chgrp", "chmod"].iter().any(|line| told.contains(line)), "{told}");
        }
    }

    #[test]
    fn whoever_can_write_the_directory_can_let_anybody_relay() {
        for (at, mode, cure) in [
            (2, 0o777, "chmod go-w /etc/postfix"),
            (2, 0o1777, "chmod go-w /etc/postfix"),
            (2, 0o775, "chmod g-w /etc/postfix"),
            (1, 0o777, "chmod go-w /etc"),
        ] {
            let mut files = good();
            files.above[at].mode = mode;
            files.above[at].gid = 100;
            assert_only(&files, Level::Error, cure);
        }
        let mut files = good();
        files.above[2].path = "/tmp".into();
        files.above[2].mode = 0o1777;
        assert_only(&files, Level::Error, "name a table in a directory of its own with --map");
        let mut files = good();
        files.above[1].mode = 0o1777;
        files.above[2].mode = 0o775;
        assert_well(&judge(&files));
        files.above[2].gid = 1000;
        files.above[2].own_group = true;
        assert_well(&judge(&files));
    }

    #[test]
    fn what_is_missing_is_told() {
        let mut files = good();
        files.table = Some(Err("there is no /etc/postfix/pbs.lmdb".to_owned()));
        assert_only(&files, Level::Error, "start the daemon");
        let mut files = good();
        files.companions = vec![("/etc/postfix/pbs.sqlite-wal".into(), None)];
        assert_only(&files, Level::Error, "there is no /etc/postfix/pbs.sqlite-wal");
        let files = Files { no_directory: Some("there is no /nosuch".to_owned()), ..good() };
        assert_only(&files, Level::Error, "create the directory");
    }

    #[test]
    fn the_daemon_must_be_able_to_write_in_the_directory() {
        let mut files = good();
        files.writer = Some(user("pbs", 1000, &[1000]));
        assert_only(&files, Level::Error, "user pbs may not write in /etc/postfix");
    }
}
