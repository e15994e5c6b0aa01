//! The files that were closed last: none is read twice if its name comes back to it. In memory only.

use std::collections::VecDeque;

use super::file::{Id, Retired};

/// How many are remembered.
const MOST: usize = 32;

/// Files that were read, oldest first.
#[derive(Debug)]
pub(super) struct RetiredFiles(VecDeque<Retired>);

impl RetiredFiles {
    pub(super) fn new(files: VecDeque<Retired>) -> Self {
        Self(files)
    }

    /// Remembers one more. A file of the same number is gone by then.
    pub(super) fn remember(&mut self, file: Retired) {
        self.0.retain(|known| known.id != file.id);
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(file);
    }

    pub(super) fn take(&mut self, id: Id) -> Option<Retired> {
        let at = self.0.iter().position(|known| known.id == id)?;
        self.0.remove(at)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Retired> {
        self.0.iter()
    }
}
