//! Who can write the table, and who can read it. Pure.

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
const SET_OTHERS_READ: u32 = 0o004;
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
        Some(Ok(table)) => findings.extend(self::table(files, table, directory)),
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

fn table(files: &Files, table: &Entry, directory: &Entry) -> Vec<Finding> {
    let mut findings = Vec::new();
    let present = files.companions.iter().filter_map(|(_, entry)| entry.as_ref());
    // SQLite's shared memory belongs to Postfix's group: who finds it half written mends it.
    let (index, others): (Vec<_>, Vec<_>) = present.clone().partition(|entry| is_index(entry));
    for entry in [table].into_iter().chain(others) {
        findings.extend(writable_file(entry));
    }
    findings.extend(index.first().and_then(|index| unmendable(files, index)));
    if table.uid != directory.uid {
        let path = shell::argument(&table.path.display().to_string());
        let text = format!("{} has owner {}, its directory {}", table.path.display(), table.uid, directory.uid);
        findings.push(Finding::warning(
            text,
            format!("chown --reference={} {path}", shell::argument(&parent(&table.path))),
        ));
    }
    for (path, _) in files.companions.iter().filter(|(_, entry)| entry.is_none()) {
        let text = format!("there is no {}, without which Postfix cannot read the table", path.display());
        findings.push(Finding::error(text, "start the daemon: it makes what is missing"));
    }
    if let Some(reader) = &files.reader {
        let read = [table].into_iter().chain(present);
        findings.extend(unreadable(files, reader, read.clone()));
        findings.extend(lockable(files, reader, read));
    }
    if findings.is_empty() {
        let reader =
            files.reader.as_ref().map_or(String::new(), |reader| format!(", readable by user {}", reader.name));
        let text =
            format!("{} has owner {} and mode {:04o}{reader}", table.path.display(), table.uid, table.mode & 0o7777);
        findings.push(Finding::ok(text));
    }
    findings
}

fn is_index(entry: &Entry) -> bool {
    entry.path.to_string_lossy().ends_with("-shm")
}

/// Killed in the middle of a change, the daemon leaves an index that nobody can read with before somebody has mended it.
fn unmendable(files: &Files, index: &Entry) -> Option<Finding> {
    let reader = files.reader.as_ref().filter(|reader| !may(reader, index, 0o6))?;
    let group = reader.gids.first()?;
    let text = format!(
        "user {} may not write {}, and so cannot mend it should the daemon be killed in the middle of a change",
        reader.name,
        index.path.display()
    );
    Some(Finding::warning(text, format!("{}, and reload Postfix", give(files, *group))))
}

/// Who may open a file may lock it. What the sqlite_table(5) file says is read without a lock.
fn lockable<'a>(files: &Files, reader: &User, mut read: impl Iterator<Item = &'a Entry>) -> Option<Finding> {
    let group = reader.gids.first()?;
    let passes = |user: &&User| files.above.iter().all(|directory| may(user, directory, 0o1));
    let stranger = files.strangers.iter().find(passes)?;
    let open =
        read.find(|entry| entry.mode & SET_OTHERS_READ != 0 && !entry.path.to_string_lossy().ends_with(".cf"))?;
    let path = open.path.display();
    let text = format!("user {} may read {path}, and hold up lookups or grants by a lock on it", stranger.name);
    Some(Finding::warning(text, give(files, *group)))
}

/// What makes the daemon give its files to Postfix's group.
fn give(files: &Files, group: u32) -> String {
    let writer = files.writer.as_ref().filter(|writer| writer.uid != 0 && !writer.gids.contains(&group));
    let join = writer.map(|writer| format!("{}, and ", writer.join(group))).unwrap_or_default();
    format!("{join}start the daemon again, which gives it to Postfix's group")
}

fn writable_file(entry: &Entry) -> Option<Finding> {
    let others = entry.mode & SET_OTHERS_WRITE != 0;
    let group = entry.mode & SET_GROUP_WRITE != 0 && entry.gid != 0 && !entry.own_group;
    let path = entry.path.display();
    (others || group).then(|| {
        let who = if others { "everybody".to_owned() } else { format!("group {}", entry.gid) };
        Finding::error(
            format!("{who} may write {path}, and so let anybody relay"),
            format!("chmod go-w {}", shell::argument(&path.to_string())),
        )
    })
}

/// The first thing that keeps Postfix's user from reading.
fn unreadable<'a>(files: &Files, reader: &User, read: impl Iterator<Item = &'a Entry>) -> Option<Finding> {
    let name = &reader.name;
    let closed = files.above.iter().find(|directory| !may(reader, directory, 0o1));
    let (text, cure) = match closed {
        Some(directory) => {
            let writer = files.writer.as_ref().map_or("root", |writer| &writer.name);
            (format!("user {name} may not pass through {}", directory.path.display()), own_place(writer))
        }
        None => {
            let entry = read.into_iter().find(|entry| !may(reader, entry, 0o4))?;
            let (path, group) = (entry.path.display().to_string(), reader.gids.first()?);
            let shown = shell::argument(&path);
            (format!("user {name} may not read {path}"), format!("chgrp {group} {shown} && chmod g+r {shown}"))
        }
    };
    // smtpd opens a table of one file while it is root; proxymap, and whoever asks SQLite, is not.
    Some(match files.read_unprivileged {
        true => Finding::error(text, cure),
        false => Finding::warning(format!("{text}; smtpd opens it as root, but proxymap could not"), cure),
    })
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

fn parent(path: &Path) -> String {
    path.parent().unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::super::finding::{Level, assert_well};
    use super::*;

    fn entry(path: &str, mode: u32, uid: u32, gid: u32) -> Entry {
        Entry { path: path.into(), mode, uid, gid, own_group: false }
    }

    fn user(name: &str, uid: u32, gids: &[u32]) -> User {
        User { name: name.to_owned(), uid, gids: gids.to_vec() }
    }

    fn good() -> Files {
        Files {
            above: vec![entry("/", 0o755, 0, 0), entry("/etc", 0o755, 0, 0), entry("/etc/postfix", 0o755, 0, 0)],
            table: Some(Ok(entry("/etc/postfix/pbs.lmdb", 0o640, 0, 105))),
            reader: Some(user("postfix", 102, &[105])),
            writer: Some(user("root", 0, &[0])),
            ..Files::default()
        }
    }

    #[track_caller]
    fn assert_only(files: &Files, level: Level, text: &str) {
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
    fn the_table_itself_must_not_be_writable() {
        for (mode, gid) in [(0o646, 0), (0o666, 0), (0o664, 105)] {
            let mut files = good();
            files.table = Some(Ok(entry("/etc/postfix/pbs.lmdb", mode, 0, gid)));
            assert_only(&files, Level::Error, "chmod go-w /etc/postfix/pbs.lmdb");
        }
        let mut files = good();
        let shm = entry("/etc/postfix/pbs.sqlite-shm", 0o660, 0, 105);
        files.companions = vec![(shm.path.clone(), Some(shm))];
        assert_well(&judge(&files));
    }

    #[test]
    fn postfix_must_be_able_to_mend_the_index() {
        for (mode, gid) in [(0o664, 0), (0o644, 105)] {
            let mut files = good();
            let shm = entry("/etc/postfix/pbs.sqlite-shm", mode, 0, gid);
            files.companions = vec![(shm.path.clone(), Some(shm))];
            assert_only(&files, Level::Warning, "in the middle of a change; start the daemon again, which gives it");
            files.above[2].uid = 1000;
            files.table = Some(Ok(entry("/etc/postfix/pbs.sqlite", 0o644, 1000, 1000)));
            files.writer = Some(user("pbs", 1000, &[1000]));
            assert_only(&files, Level::Warning, "; usermod -a -G 105 pbs, and start the daemon again");
            files.writer = Some(user("1000", 1000, &[1000]));
            assert_only(&files, Level::Warning, "; write SupplementaryGroups=105 into the daemon's unit, and start");
            files.writer = Some(user("pbs", 1000, &[1000, 105]));
            assert_only(&files, Level::Warning, "in the middle of a change; start the daemon again");
        }
    }

    #[test]
    fn postfix_must_be_able_to_read_it() {
        let mut files = good();
        files.above[2].mode = 0o700;
        assert_only(
            &files,
            Level::Warning,
            "install -d -o root -m 755 /var/lib/pop-before-smtp, and name a table there",
        );
        files.read_unprivileged = true;
        assert_only(&files, Level::Error, "user postfix may not pass through /etc/postfix");
        let mut files = good();
        files.read_unprivileged = true;
        files.table = Some(Ok(entry("/etc/postfix/pbs.lmdb", 0o640, 0, 0)));
        assert_only(&files, Level::Error, "chgrp 105 /etc/postfix/pbs.lmdb && chmod g+r ");
    }

    #[test]
    fn whoever_can_read_it_can_lock_it() {
        let mut files = Files { strangers: vec![user("alice", 1001, &[1001])], ..good() };
        assert_well(&judge(&files));
        let again = "; start the daemon again, which gives it to Postfix's group";
        let shm = entry("/etc/postfix/pbs.sqlite-shm", 0o664, 0, 105);
        files.companions = vec![(shm.path.clone(), Some(shm))];
        assert_only(&files, Level::Warning, "user alice may read /etc/postfix/pbs.sqlite-shm, and hold up");
        files.companions.clear();
        files.table = Some(Ok(entry("/etc/postfix/pbs.lmdb", 0o644, 0, 0)));
        assert_only(&files, Level::Warning, again);
        files.above[2] = entry("/etc/postfix", 0o755, 1000, 1000);
        files.table = Some(Ok(entry("/etc/postfix/pbs.lmdb", 0o644, 1000, 1000)));
        files.writer = Some(user("pbs", 1000, &[1000]));
        assert_only(&files, Level::Warning, "; usermod -a -G 105 pbs, and start the daemon again");
        // No way to it.
        files.above[2].mode = 0o750;
        files.reader = Some(user("postfix", 102, &[105, 1000]));
        assert_well(&judge(&files));
        files.above[2].mode = 0o755;
        files.strangers.clear();
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
    fn owners_belong_together() {
        let mut files = good();
        files.above[2].uid = 1000;
        assert_only(&files, Level::Warning, "chown --reference=/etc/postfix /etc/postfix/pbs.lmdb");
        let mut files = good();
        files.writer = Some(user("pbs", 1000, &[1000]));
        assert_only(&files, Level::Error, "user pbs may not write in /etc/postfix");
    }
}
