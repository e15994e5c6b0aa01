//! On systems without inotify nobody tells of a log: it is looked at every second.

use std::os::fd::{BorrowedFd, RawFd};
use std::path::{Path, PathBuf};

/// What has been told since the last time: nothing.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) written: Vec<RawFd>,
    pub(super) moved: bool,
}

/// As where inotify has no instance left.
#[derive(Debug)]
pub(super) struct Watch;

impl Watch {
    pub(super) fn new(_: &Path) -> Self {
        Self
    }

    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    pub(super) fn take(&mut self) -> Told {
        Told::default()
    }

    pub(super) fn has_renamed(&self) -> bool {
        false
    }

    pub(super) fn take_renamed(&mut self) -> Option<PathBuf> {
        None
    }

    pub(super) fn watch_directories(&mut self, _: &Path) {}

    pub(super) fn watch_file(&mut self, _: &Path, _: RawFd) {}

    pub(super) fn forget_file(&mut self, _: RawFd) {}
}
