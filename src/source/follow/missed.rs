//! What the log had between two looks, and is read before what it has now: copies of what was cut, and files that a link
//! stood for.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::copies::{Beginning, Known, Search, Unread};
use super::file::{Id, LeftFile};
use super::targets::between;
use super::{Follow, MOST_OPEN};
use crate::source::backlog::{Backlog, Candidate};
use crate::time::Timestamp;

impl Follow {
    /// A file is going to be read from its beginning: finds what copies have of it from before, that was not read. If there are
    /// none, it can be read then.
    pub(super) fn read_copies(&mut self, at: usize, now: Timestamp) -> io::Result<()> {
        let beginnings = self.beginnings()?;
        let own = beginnings.iter().find(|(id, _)| *id == self.files[at].id).map(|(_, beginning)| beginning.clone());
        if !self.follow {
            self.files[at].beginning = own;
            return Ok(());
        }
        let Some(found) = self.copies.find(&self.search(at, &beginnings)?) else { return Ok(()) };
        // A copy is complete only if the log was cut or has another name since, and what begins as the log does now is not.
        let again = self.beginnings()?;
        let is_same =
            |((id, before), (other, after)): (&(Id, Beginning), &(Id, Beginning))| id == other && before.becomes(after);
        if beginnings.len() != again.len() || !beginnings.iter().zip(&again).all(is_same) {
            return Ok(());
        }
        self.files[at].cut = None;
        let mut files = self.copies.take(found);
        if files.is_empty() {
            self.files[at].beginning = own;
            return Ok(());
        }
        // Nobody has seen what stands there now come.
        self.files[at].distrust(now)?;
        for Unread { file: copy, .. } in &mut files {
            log::info!("lines of log file {} are in {}; reading that first", self.path.display(), copy.path.display());
            copy.length = copy.file.metadata().map_or(copy.length, |metadata| metadata.len());
            let read = LeftFile::of(Id::of_candidate(copy), &copy.file, copy.length);
            read.into_iter().for_each(|read| self.left.remember(read));
        }
        self.backlog = Some(Backlog::of(files.into_iter().map(|unread| (unread.file, unread.begin))));
        Ok(())
    }

    fn search<'a>(&'a self, at: usize, beginnings: &'a [(Id, Beginning)]) -> io::Result<Search<'a>> {
        let metadata = self.files[at].metadata()?;
        let has_name = fs::metadata(&self.path).is_ok_and(|named| Id::of(&named) == self.files[at].id);
        let open = self.files.iter().map(|file| Known { id: file.id, head: file.head(), is_open: true });
        let named = beginnings.iter().map(|(id, _)| Known { id: *id, head: &[], is_open: true });
        let left = self.left.iter().map(|file| Known { id: file.id, head: file.head(), is_open: false });
        Ok(Search {
            log: &self.path,
            owner: metadata.uid(),
            cut: self.files[at].cut.as_ref(),
            until: if has_name { None } else { Some(metadata.modified()?) },
            known: open.chain(named).chain(left).collect(),
            unread: beginnings.iter().map(|(_, beginning)| beginning).collect(),
            most: MOST_OPEN.saturating_sub(self.files.len()).max(1),
        })
    }

    /// How the files begin that are still to be read, with the one that has the name, if nobody has looked at that yet.
    fn beginnings(&self) -> io::Result<Vec<(Id, Beginning)>> {
        let unread = self.files.iter().filter(|file| file.is_unread());
        let mut found = unread.map(|file| Ok((file.id, file.begin()?))).collect::<io::Result<Vec<_>>>()?;
        if let Ok(named) = Candidate::open(&self.path) {
            let id = Id::of_candidate(&named);
            if !self.files.iter().any(|file| file.id == id) {
                found.push((id, Beginning::of(&named.file)?));
            }
        }
        Ok(found)
    }

    /// Opens files that the log's name, a link, stood for since the last one that was seen. False if some have to wait.
    pub(super) fn find_targets(&mut self, target: &Path, now: Timestamp) -> bool {
        let (Some(old), Some(last)) = (self.target.take(), self.files.back()) else { return true };
        let Ok(since) = last.metadata() else { return true };
        let mut found = between(&old, &since, target).into_iter();
        self.target = Some(old);
        found.all(|path| {
            let is_new =
                fs::metadata(&path).is_ok_and(|metadata| !self.files.iter().any(|known| known.id == Id::of(&metadata)));
            if !is_new {
                return true;
            }
            if !self.make_room() {
                return false;
            }
            if let Ok(file) = self.open(&path, now) {
                log::info!("log file {} was {} meanwhile; reading that first", self.path.display(), path.display());
                self.add(file);
                self.target = Some(path);
            }
            true
        })
    }
}
