//! The table and the files that go with it: who may write, read and lock them. Pure.

use std::path::Path;

use super::{Entry, Files, SET_GROUP_WRITE, SET_OTHERS_WRITE, User, may, own_place};
use crate::check::finding::Finding;
use crate::output::shell;

const SET_OTHERS_READ: u32 = 0o004;

/// Everything about the table that is there.
pub(super) fn judge(files: &Files, table: &Entry, directory: &Entry) -> Vec<Finding> {
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

fn parent(path: &Path) -> String {
    path.parent().unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::super::judge;
    use super::super::tests::{assert_only, entry, good, user};
    use super::*;
    use crate::check::finding::{Level, assert_well};

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
    fn owners_belong_together() {
        let mut files = good();
        files.above[2].uid = 1000;
        assert_only(&files, Level::Warning, "chown --reference=/etc/postfix /etc/postfix/pbs.lmdb");
    }
}
