//! What the file system says of a path and of the directories above it.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nix::unistd::{Gid, Group, Uid, User as Account};

use crate::check::files::{Entry, Files, User};
use crate::check::gather::users;
use crate::check::naming::Ours;
use crate::output::error::io_cause;
use crate::saved::state::beside;

/// The files of the table.
pub(crate) fn gather(ours: &Ours, reader: Option<User>, writer: User, read_unprivileged: bool) -> Files {
    let directory = ours.map.parent().unwrap_or(Path::new("/"));
    let (above, no_directory) = match directories(directory) {
        Ok(above) => (above, None),
        Err(error) => (Vec::new(), Some(format!("cannot use directory {}: {}", directory.display(), io_cause(&error)))),
    };
    let companions = match ours.kind.as_str() {
        "sqlite" => ["-wal", "-shm"].map(|suffix| beside(&ours.file(), suffix)).to_vec(),
        _ => Vec::new(),
    };
    let mut companions: Vec<_> = companions.into_iter().map(|path| (path.clone(), entry(&path).ok())).collect();
    // The sqlite_table(5) file says what is asked, the text of postmap what a restart takes over. They may be missing.
    let source = if ours.kind == "sqlite" { beside(&ours.map, ".cf") } else { ours.map.clone() };
    companions.extend(entry(&source).ok().map(|found| (source, Some(found))));
    let file = ours.file();
    let table = entry(&file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no {}", file.display()),
        _ => format!("cannot look at {}: {}", file.display(), io_cause(&error)),
    });
    let table = no_directory.is_none().then_some(table);
    let strangers = users::with_shells().into_iter().filter(|user| user.uid != writer.uid).collect();
    Files { above, no_directory, table, companions, reader, writer: Some(writer), read_unprivileged, strangers }
}

/// The directory and those above it, the root first, without links.
fn directories(directory: &Path) -> io::Result<Vec<Entry>> {
    let directory = fs::canonicalize(directory)?;
    if !directory.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let mut above = directory.ancestors().map(entry).collect::<io::Result<Vec<_>>>()?;
    above.reverse();
    Ok(above)
}

/// A file and the directories above it, the root first; as far as they can be seen.
pub(crate) fn with_directories(file: &Path) -> Vec<Entry> {
    let Ok(file) = fs::canonicalize(file) else { return Vec::new() };
    let mut entries: Vec<_> = file.ancestors().filter_map(|path| entry(path).ok()).collect();
    entries.reverse();
    entries
}

fn entry(path: &Path) -> io::Result<Entry> {
    let found = fs::metadata(path)?;
    Ok(Entry {
        path: path.to_owned(),
        mode: found.mode(),
        uid: found.uid(),
        gid: found.gid(),
        own_group: has_own_group(&found),
    })
}

/// Whether the group is named like the owner and holds nobody else, as many systems make them.
fn has_own_group(found: &Metadata) -> bool {
    let group = Group::from_gid(Gid::from_raw(found.gid())).ok().flatten();
    let owner = Account::from_uid(Uid::from_raw(found.uid())).ok().flatten();
    group.zip(owner).is_some_and(|(group, owner)| {
        group.name == owner.name && owner.gid == group.gid && group.mem.iter().all(|member| *member == owner.name)
    })
}
