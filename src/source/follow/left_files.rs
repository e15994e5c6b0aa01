//! The files that were closed last: none is read twice if its name comes back to it. In memory only.

use std::collections::VecDeque;

use super::file::{Id, LeftFile};

/// How many are remembered.
const MOST: usize = 32;

/// Files that were read, oldest first.
#[derive(Debug)]
pub(super) struct LeftFiles(VecDeque<LeftFile>);

impl LeftFiles {
    pub(super) fn new(files: VecDeque<LeftFile>) -> Self {
        Self(files)
    }

    /// Remembers one more. A file of the same number is gone by then.
    pub(super) fn remember(&mut self, file: LeftFile) {
        self.0.retain(|known| known.id != file.id);
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(file);
    }

    pub(super) fn take(&mut self, id: Id) -> Option<LeftFile> {
        let at = self.0.iter().position(|known| known.id == id)?;
        self.0.remove(at)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &LeftFile> {
        self.0.iter()
    }
}
