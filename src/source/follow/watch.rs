//! What inotify tells of a log: of the file, and of the directories in which its name can get another meaning.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags as Flags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};

use super::renames::{Happened, Renames};
use crate::output::error::io_cause;

/// Most symbolic links one behind the other; the kernel's own limit.
const LINKS: usize = 40;

/// Most reads of events at a time, of 4 KiB each.
const BATCHES: usize = 16;

/// What has been told since the last time.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The descriptors of the files that have been written to.
    pub(super) written: Vec<RawFd>,
    /// Anything else: the name may stand for another file.
    pub(super) moved: bool,
}

/// An inotify instance, or none where the kernel has none left for us.
#[derive(Debug)]
pub(super) struct Watch {
    inotify: Option<Inotify>,
    directories: Vec<(WatchDescriptor, PathBuf)>,
    /// What the log's name stands for when all links are followed.
    name: PathBuf,
    renames: Renames,
    files: Vec<(RawFd, WatchDescriptor)>,
    /// Whether it was said that something cannot be watched.
    said: bool,
}

impl Watch {
    pub(super) fn new(path: &Path) -> Self {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK);
        let mut watch = Self {
            inotify: None,
            directories: Vec::new(),
            name: path.to_owned(),
            renames: Renames::default(),
            files: Vec::new(),
            said: false,
        };
        match inotify {
            Ok(inotify) => watch.inotify = Some(inotify),
            Err(error) => watch.say(path, error),
        }
        watch
    }

    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.inotify.as_ref().map(AsFd::as_fd)
    }

    /// Takes what has been told so far, within bounds; the rest next time.
    pub(super) fn take(&mut self) -> Told {
        let mut told = Told::default();
        for _ in 0..BATCHES {
            let Some(Ok(events)) = self.inotify.as_ref().map(Inotify::read_events) else { break };
            for event in events {
                if event.mask == Flags::IN_MODIFY {
                    let written = self.files.iter().find(|(_, watch)| *watch == event.wd);
                    told.written.extend(written.map(|(descriptor, _)| descriptor));
                } else {
                    // An overflow of the kernel's queue is one of these.
                    told.moved = true;
                    self.follow_name(event);
                }
            }
            // Else nobody has touched a name, and what comes next can wait.
            if !told.moved {
                break;
            }
        }
        told
    }

    fn follow_name(&mut self, event: InotifyEvent) {
        let Some(name) = event.name else { return };
        let Some((_, directory)) = self.directories.iter().find(|(watch, _)| *watch == event.wd) else { return };
        let happened = match event.mask {
            mask if mask.contains(Flags::IN_MOVED_FROM) => Happened::MovedFrom(event.cookie),
            mask if mask.contains(Flags::IN_MOVED_TO) => Happened::MovedTo(event.cookie),
            mask if mask.contains(Flags::IN_DELETE) => Happened::Deleted,
            _ => return,
        };
        self.renames.add(&self.name, directory.join(name), happened);
    }

    /// Whether there are files that have lost the log's name and were not taken.
    pub(super) fn has_renamed(&self) -> bool {
        self.renames.first().is_some()
    }

    /// The present name of the oldest of them. While they wait, they are not lost if they get yet another name.
    pub(super) fn take_renamed(&mut self) -> Option<PathBuf> {
        self.renames.take_first()
    }

    /// Watches the directory of the name, and that of each symbolic link on the way to the file. What is watched
    /// already stays watched.
    pub(super) fn watch_directories(&mut self, path: &Path) {
        let Some(inotify) = &self.inotify else { return };
        let flags = Flags::IN_CREATE | Flags::IN_DELETE | Flags::IN_MOVE | Flags::IN_ATTRIB | Flags::IN_ONLYDIR;
        let mut watched: Vec<(WatchDescriptor, PathBuf)> = Vec::new();
        let mut failed = None;
        let (directories, name) = resolve(path);
        for directory in directories {
            match inotify.add_watch(&directory, flags) {
                Ok(watch) => watched.push((watch, directory)),
                // It will come back; the slow look finds it.
                Err(Errno::ENOENT | Errno::ENOTDIR) => {}
                Err(error) => failed = Some((directory, error)),
            }
        }
        for (old, _) in self.directories.iter().filter(|(old, _)| !watched.iter().any(|(watch, _)| watch == old)) {
            // Gone by itself if the directory is gone.
            let _ = inotify.rm_watch(*old);
        }
        self.directories = watched;
        self.name = name;
        if let Some((directory, error)) = failed {
            self.say(&directory, error);
        }
    }

    /// Watches an open file, under whatever name.
    pub(super) fn watch_file(&mut self, path: &Path, descriptor: RawFd) {
        let Some(inotify) = &self.inotify else { return };
        let flags = Flags::IN_MODIFY | Flags::IN_ATTRIB | Flags::IN_MOVE_SELF | Flags::IN_DELETE_SELF;
        match inotify.add_watch(format!("/proc/self/fd/{descriptor}").as_str(), flags) {
            Ok(watch) => self.files.push((descriptor, watch)),
            Err(error) => self.say(path, error),
        }
    }

    /// To be called before the file is closed.
    pub(super) fn forget_file(&mut self, descriptor: RawFd) {
        let Some(inotify) = &self.inotify else { return };
        self.files.retain(|&(known, watch)| {
            if known == descriptor {
                let _ = inotify.rm_watch(watch);
            }
            known != descriptor
        });
    }

    fn say(&mut self, path: &Path, error: Errno) {
        if !std::mem::replace(&mut self.said, true) {
            let cause = io_cause(&io::Error::from(error));
            let every = super::RECHECK.as_secs();
            log::warn!("cannot watch {}: {cause}; looking at the log every {every} s instead", path.display());
        }
    }
}

/// The directory of the name, then that of the name it stands for if it is a symbolic link, and so on; and the name at
/// the end of that.
fn resolve(path: &Path) -> (Vec<PathBuf>, PathBuf) {
    let mut found = Vec::new();
    let mut name = path.to_owned();
    for _ in 0..LINKS {
        let Some(directory) = name.parent().map(Path::to_owned) else { break };
        let target = fs::read_link(&name);
        if !found.contains(&directory) {
            found.push(directory.clone());
        }
        match target {
            Ok(target) => name = directory.join(target),
            Err(_) => break,
        }
    }
    (found, name)
}
