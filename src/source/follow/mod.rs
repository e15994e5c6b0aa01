//! A log file followed in-process: through rotation by rename and by copying, truncation, deletion and links that move.
//!
//! inotify tells when to look; a slow look by stat(2) finds what it does not tell, as on network file systems. A file
//! that has lost its name is read to its end before the file that has the name now, and stays open for a while, because
//! its writer may not have noticed yet.

mod copies;
mod file;
mod fingerprint;
mod left_files;
mod missed;
#[cfg(target_os = "linux")]
mod renames;
mod targets;
#[cfg_attr(not(target_os = "linux"), path = "no_watch.rs")]
mod watch;

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::copies::Copies;
use self::file::{Id, LogFile, Step};
use self::fingerprint::Change;
use self::left_files::LeftFiles;
use self::watch::Watch;
use super::backlog::Backlog;
use super::saved_position::SavedPosition;
use super::{Gap, Position, Progress, Sink, Source};
use crate::output::error::io_cause;
use crate::time::Timestamp;

/// Time between two looks at the name and at the file that wait for no event: how late a login is seen on a network file
/// system, where another host's writing makes no event here. As long as that of `tail -F`.
pub const RECHECK: Duration = Duration::from_secs(1);

/// How long a file without its name is read on after its last line. A logger is told to open its log anew after the
/// rotation, often after those of all other logs.
pub const GRACE: Duration = Duration::from_secs(30);

/// Most files open at a time, one of which may be a copy. Further ones wait until the oldest has been read to its end.
const MOST_OPEN: usize = 8;

/// Of how many files that are there at the start it is known that they have been read, even if they are written to.
const LATEST: usize = 8;

/// Where in the log to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// With its first line.
    Start,
    /// Behind its last line. A line that is unfinished now does not count.
    End,
    /// At a place that was saved: the start of the file if that is another one now, or shorter. Whoever wants the end of
    /// the file that was left has to look for it under its new name.
    At(Position),
}

/// A log file that is followed by its name.
#[derive(Debug)]
pub struct Follow {
    path: PathBuf,
    follow: bool,
    watch: Watch,
    /// Files in the order they had the name. The last has it, or had it last.
    files: VecDeque<LogFile>,
    left: LeftFiles,
    copies: Copies,
    /// Where the last file was found, with all links followed.
    target: Option<PathBuf>,
    /// Whether the name stood for the last file at the last look.
    named: bool,
    /// Whether a file waits for an older one to be read and closed.
    crowded: bool,
    next_look: Timestamp,
    trouble: Option<Trouble>,
    dropped: u64,
    /// What is to be read first.
    backlog: Option<Backlog>,
}

/// Why the log cannot be read now.
#[derive(Debug)]
struct Trouble {
    since: Timestamp,
    said: Option<String>,
}

impl Follow {
    /// Opens a log. With `follow`, one that does not exist is waited for, and then read from its start; without, the
    /// log ends at its end.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn start(path: PathBuf, from: From, follow: bool, now: Timestamp) -> io::Result<Self> {
        let (copies, latest) = Copies::start(&path, LATEST);
        let mut source = Self {
            watch: Watch::new(&path),
            target: fs::canonicalize(&path).ok(),
            path,
            follow,
            files: VecDeque::new(),
            left: LeftFiles::new(latest),
            copies,
            named: true,
            crowded: false,
            next_look: now + RECHECK,
            trouble: None,
            dropped: 0,
            backlog: None,
        };
        source.watch.watch_directories(&source.path);
        match LogFile::open(&source.path, from, now) {
            Ok(file) => source.add(file),
            Err(error) if follow && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(source)
    }

    /// Follows the files, too, that had the log's name before, the latest last, each from a place on: for as long as a writer
    /// may take to notice. False if one is not under its name any more, or not as long.
    pub fn follow_before(&mut self, files: &[(PathBuf, Position)], now: Timestamp) -> bool {
        files.iter().rev().take(MOST_OPEN / 2).all(|(path, place)| match LogFile::open(path, From::At(*place), now) {
            Ok(mut file) if file.position() == Some(*place) => {
                // What has come since is found at the next look.
                file.at_end = true;
                self.watch.watch_file(&self.path, file.descriptor());
                self.files.push_front(file);
                true
            }
            _ => false,
        })
    }

    fn add(&mut self, file: LogFile) {
        self.watch.watch_file(&self.path, file.descriptor());
        self.files.push_back(file);
    }

    /// Looks what the name stands for. Everything is to be read on then, in its order.
    fn look(&mut self, now: Timestamp) {
        self.crowded = false;
        while self.watch.has_renamed() && self.make_room() {
            if let Some(name) = self.watch.take_renamed() {
                self.find_renamed(&name, now);
            }
        }
        self.watch.watch_directories(&self.path);
        // Not before the older ones.
        let found = if self.crowded { Ok(()) } else { self.find(now) };
        self.named = found.is_ok();
        if let Err(error) = found {
            self.report_failure(now, &error);
        }
        self.files.iter_mut().for_each(|file| file.at_end = false);
    }

    /// Opens the file that has the name now, if it is not the last one.
    fn find(&mut self, now: Timestamp) -> io::Result<()> {
        let id = Id::of(&fs::metadata(&self.path)?);
        if self.files.back().is_some_and(|last| last.id == id) || !self.make_room() {
            return Ok(());
        }
        if let Some(last) = self.files.back_mut() {
            last.active = now;
        }
        let target = fs::canonicalize(&self.path)?;
        if !self.find_targets(&target, now) || !self.make_room() {
            return Ok(());
        }
        let file = self.open(&target, now)?;
        if let Some(at) = self.files.iter().position(|known| known.id == file.id) {
            // Its name has come back to it.
            let known = self.files.remove(at);
            self.files.extend(known);
            self.target = Some(target);
            return Ok(());
        }
        if !self.files.is_empty() {
            log::info!("following a new log file {}", self.path.display());
        }
        self.target = Some(target);
        self.add(file);
        Ok(())
    }

    /// Opens a file at its start, or where it was left if it was open before.
    fn open(&mut self, name: &Path, now: Timestamp) -> io::Result<LogFile> {
        let mut file = LogFile::open(name, From::Start, now)?;
        file.distrust(now)?;
        // Others may have come and gone unseen.
        file.gap = Gap::Before;
        self.left.take(file.id).into_iter().for_each(|left| file.resume(left));
        Ok(file)
    }

    /// Opens a file that had the name between two looks, if it did and nobody saw it.
    fn find_renamed(&mut self, name: &Path, now: Timestamp) {
        let Ok(metadata) = fs::metadata(name) else { return };
        if self.files.iter().any(|known| known.id == Id::of(&metadata)) {
            return;
        }
        if let Ok(file) = self.open(name, now) {
            log::info!("log file {} was rotated again; reading {} first", self.path.display(), name.display());
            self.add(file);
        }
    }

    /// Takes in what inotify tells. True if the name may stand for another file.
    fn take_told(&mut self) -> bool {
        let told = self.watch.take();
        let written = self.files.iter_mut().filter(|file| told.written.contains(&file.descriptor()));
        written.for_each(LogFile::written);
        told.moved
    }

    /// Whether one more file can be opened.
    fn make_room(&mut self) -> bool {
        if self.files.len() >= MOST_OPEN - 1 && self.files.front().is_some_and(LogFile::is_read) {
            self.leave(0);
        }
        self.crowded = self.files.len() >= MOST_OPEN - 1;
        !self.crowded
    }

    /// Closes a file.
    fn leave(&mut self, at: usize) {
        let Some(mut file) = self.files.remove(at) else { return };
        self.watch.forget_file(file.descriptor());
        self.dropped += file.take_dropped();
        if at < self.files.len() {
            let written = file.metadata().and_then(|metadata| metadata.modified());
            written.into_iter().for_each(|written| self.copies.pass(written));
        }
        self.left.remember(file.leave());
    }

    /// Closes the files without a name whose writers have had their time.
    fn leave_silent(&mut self, now: Timestamp) {
        while self.files.len() > 1
            && let Some(at) = self
                .files
                .iter()
                .take(self.files.len() - 1)
                .position(|file| file.is_read() && now.since(file.active) >= GRACE)
        {
            self.leave(at);
        }
    }

    /// What could be read has been.
    fn well(&mut self) {
        if self.named && self.trouble.take().is_some_and(|trouble| trouble.said.is_some()) {
            log::info!("log file {} can be read again", self.path.display());
        }
    }

    /// Said once, and only if it lasts: a rotation takes a moment.
    fn report_failure(&mut self, now: Timestamp, error: &io::Error) {
        let cause = io_cause(error);
        let trouble = self.trouble.get_or_insert(Trouble { since: now, said: None });
        if now.since(trouble.since) >= RECHECK && trouble.said.as_ref() != Some(&cause) {
            log::warn!("cannot read log file {}: {cause}; trying again", self.path.display());
            trouble.said = Some(cause);
        }
    }

    fn say_changed(&self, change: &Change) {
        match change {
            Change::None => {}
            Change::Anew => log::info!("log file {} was cut; following it from its start", self.path.display()),
            Change::Altered => {
                log::warn!(
                    "log file {} was changed where it had been read; going on where that ended",
                    self.path.display()
                );
            }
        }
    }

    /// Reads once from the first file that has something to be read.
    fn read_once(&mut self, now: Timestamp, block: &mut Sink<'_>) -> io::Result<Progress> {
        while let Some(at) = self.files.iter().position(|file| !file.at_end) {
            let step = match self.files[at].read(now, block) {
                Ok(Step::Unread) => self.read_copies(at, now).map(|()| Step::Unread),
                step => step,
            };
            match step {
                // At most one read; the rest next time.
                Ok(Step::Some | Step::Unread) => return Ok(Progress::Some),
                Ok(Step::End) => {}
                Ok(Step::Changed(change)) => {
                    self.say_changed(&change);
                    return Ok(Progress::Some);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Progress::Some),
                Err(error) if self.follow && at + 1 < self.files.len() => {
                    let (path, cause) = (self.path.display(), io_cause(&error));
                    log::warn!("cannot read the log file that was {path} to its end: {cause}");
                    self.leave(at);
                    self.files.iter_mut().for_each(|file| file.gap = Gap::Before);
                }
                Err(error) => {
                    // Such as a file that its server has forgotten: to be opened anew, and read on where it was left.
                    self.leave(at);
                    self.named = false;
                    return Err(error);
                }
            }
        }
        Ok(if self.follow { Progress::Paused } else { Progress::Ended })
    }
}

impl Follow {
    /// Where the next line begins in the file that has the name, unless that has to wait for an older one.
    pub fn position(&self) -> Option<Position> {
        let last = self.files.back()?;
        let unread = self.files.iter().find(|file| last.is_new() && !file.at_end);
        unread.unwrap_or(last).position()
    }
}

impl Source for Follow {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.watch.descriptor()
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.follow.then_some(self.next_look)
    }

    fn has_more(&self) -> bool {
        !self.follow || self.crowded || self.files.iter().any(|file| !file.at_end)
    }

    fn read(&mut self, now: Timestamp, block: &mut Sink<'_>) -> Progress {
        let moved = self.take_told();
        if self.follow && (moved || self.crowded) {
            self.look(now);
        }
        match self.read_once(now, block) {
            Ok(progress) => {
                self.well();
                progress
            }
            Err(error) if self.follow => {
                self.report_failure(now, &error);
                Progress::Paused
            }
            Err(error) => {
                log::error!("cannot read log file {} to its end: {}", self.path.display(), io_cause(&error));
                Progress::Failed
            }
        }
    }

    fn wake(&mut self, now: Timestamp, _: Duration) {
        self.next_look = now + RECHECK;
        self.take_told();
        self.leave_silent(now);
        self.look(now);
    }

    /// Nothing has to be read first: what is open stays open and is read to its end.
    fn restart(&mut self, now: Timestamp, grace: Duration, _: &mut Sink<'_>) {
        if self.watch.descriptor().is_none() {
            // There may be room for it now.
            self.watch = Watch::new(&self.path);
            self.files.iter().for_each(|file| self.watch.watch_file(&self.path, file.descriptor()));
        }
        if self.follow {
            self.wake(now, grace);
        }
    }

    fn take_dropped(&mut self) -> u64 {
        let open: u64 = self.files.iter_mut().map(LogFile::take_dropped).sum();
        open + std::mem::take(&mut self.dropped)
    }

    fn take_backlog(&mut self) -> Option<Backlog> {
        self.backlog.take()
    }

    fn saved_position(&self) -> Option<SavedPosition> {
        // Nothing may have been read yet from the file that has the name, and the writer of the one before may not have
        // noticed that there is another.
        self.files.iter().rev().find(|file| !file.is_new())?.mark().map(SavedPosition::File)
    }
}
