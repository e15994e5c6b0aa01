//! The output of a child process as a log: `tail`.

mod tail_position;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;
use pop_before_smtp_backends::process;

use self::tail_position::TailPosition;
use super::backlog::{Backlog, SavedMark, Window};
use super::child::Child;
use super::lines::Lines;
use super::respawn::Restart;
use super::saved_position::{FileMark, SavedPosition};
use super::{Gap, Origin, Position, Progress, Sink, Source, goes_on, id};
use crate::time::{Now, Timestamp};

/// A command line whose output is the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    program: OsString,
    arguments: Vec<OsString>,
}

impl CommandLine {
    /// The command as one would type it.
    pub fn display(&self) -> String {
        let words = std::iter::once(&self.program).chain(&self.arguments);
        words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    /// This program with these arguments.
    pub(super) fn new(program: &str, arguments: Vec<OsString>) -> Self {
        Self { program: program.into(), arguments }
    }

    pub(super) fn push(&mut self, argument: String) {
        self.arguments.push(argument.into());
    }

    /// Runs it to its end; what it has printed.
    pub(super) fn run(&self) -> io::Result<Vec<u8>> {
        let arguments: Vec<&OsStr> = self.arguments.iter().map(OsString::as_os_str).collect();
        let end = process::run(Path::new(&self.program), &arguments, process::LIMIT)?;
        end.failure().map_or(Ok(end.stdout), |cause| Err(io::Error::other(cause)))
    }

    pub(super) fn spawn(&self) -> io::Result<Child> {
        Child::spawn(&self.program, &self.arguments)
    }
}

/// Where in the log `tail` starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TailFrom {
    /// With its first line.
    Start,
    /// Behind this many bytes, where a line begins.
    Byte(u64),
    /// At its end.
    End,
}

impl TailFrom {
    /// The number of bytes in front of what `tail` prints, if that is known.
    fn offset(self) -> Option<u64> {
        match self {
            Self::Start => Some(0),
            Self::Byte(offset) => Some(offset),
            Self::End => None,
        }
    }
}

/// Where in the log `tail` starts, and whether it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Where it starts.
    pub from: TailFrom,
    /// Follow the name through rotation, instead of stopping at the end.
    pub follow: bool,
    /// The process that must be alive; `tail` ends when it is gone. `None` where `tail` cannot do that.
    pub watched: Option<u32>,
}

impl Tail {
    /// The command line for one log file.
    pub(crate) fn command_line(self, log: &Path) -> CommandLine {
        let mut arguments: Vec<OsString> = match self.from {
            TailFrom::Start => vec!["-n".into(), "+1".into()],
            TailFrom::Byte(offset) => vec!["-c".into(), format!("+{}", offset + 1).into()],
            TailFrom::End => vec!["-n".into(), "0".into()],
        };
        if self.follow {
            arguments.push("-F".into());
            arguments.extend(self.watched.map(|pid| format!("--pid={pid}").into()));
        }
        if log.as_os_str().as_encoded_bytes().starts_with(b"-") {
            arguments.push("--".into());
        }
        arguments.push(log.into());
        CommandLine::new("tail", arguments)
    }
}

/// Whether this system's `tail` knows `--pid` (GNU and uutils do, busybox does not).
///
/// # Errors
/// There is no `tail`, or it does not answer.
pub(crate) fn tail_watches_pid() -> io::Result<bool> {
    let end = process::run(Path::new("tail"), &[OsStr::new("--version")], process::LIMIT)?;
    Ok(end.stdout.windows(9).any(|window| window == b"coreutils"))
}

/// A log file behind `tail`, which is started again when it ends. What is written meanwhile comes as a backlog.
#[derive(Debug)]
pub(crate) struct CommandSource {
    log: PathBuf,
    /// How to start next: at first this may read the whole log, later only what is new.
    next: Tail,
    running: Option<Running>,
    lines: Lines,
    /// Up to where the log has been read; wrong once it was rotated, and then it fits no file.
    mark: Option<FileMark>,
    place: TailPosition,
    before: Before,
    backlog: Option<Backlog>,
    restart: Restart,
}

/// What was handed on before the next block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// All that the log holds in front of it.
    All,
    /// Perhaps not all.
    Unknown,
    /// The lines of this file, if it is known, up to the block.
    Of(Option<(u64, u64)>),
}

impl Before {
    /// Whether lines may be missing in front of a block that stands in this file, if that is known. `tail` leaves a file at
    /// once when its name is given to another, and its writer does not.
    fn gap(self, file: Option<(u64, u64)>) -> Gap {
        match self {
            Self::All => Gap::None,
            Self::Of(before) if before == file => Gap::None,
            Self::Of(_) if file.is_none() => Gap::Within,
            Self::Unknown | Self::Of(_) => Gap::Before,
        }
    }
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// Whether it began with all that was in the log when it started.
    with_all: bool,
    last_read: Timestamp,
}

impl Running {
    /// Whether it may still be reading what was in the log when it started: then there is no pause of a second.
    fn is_behind(&self, now: Timestamp) -> bool {
        self.with_all && now.since(self.last_read) < Duration::from_secs(1)
    }
}

impl CommandSource {
    /// Starts `tail` on a log, behind what was `found` of it if that was looked for. When `tail` ends, it is started again,
    /// unless it was not to follow; lines of the last grace are not lost by that.
    ///
    /// # Errors
    /// The command cannot be started.
    pub(crate) fn start(
        log: PathBuf,
        tail: Tail,
        found: Option<(Backlog, Position)>,
        now: Timestamp,
    ) -> io::Result<Self> {
        let (lines, place, restart) = (Lines::default(), TailPosition::new(&log, None), Restart::new("log"));
        let mut source = Self {
            log,
            next: tail,
            running: None,
            lines,
            mark: None,
            place,
            before: Before::Unknown,
            backlog: None,
            restart,
        };
        let is_whole = found.is_none() && tail.from == TailFrom::Start;
        source.start_behind(found, now)?;
        if is_whole {
            source.before = Before::All;
        }
        Ok(source)
    }

    /// Starts `tail` behind the lines that were written before. Should the log have got another file since, the rest of
    /// the old one is read before.
    fn start_behind(&mut self, found: Option<(Backlog, Position)>, now: Timestamp) -> io::Result<()> {
        let Some((mut backlog, place)) = found else { return self.spawn(now) };
        let is_same = |log: &Path| id(log) == Some((place.device, place.inode));
        if is_same(&self.log) {
            self.next.from = TailFrom::Byte(place.offset);
            self.spawn(now)?;
            // Nothing has been read from it yet.
            if is_same(&self.log) {
                self.mark = File::open(&self.log).and_then(|file| FileMark::at(&file, place)).ok();
                self.backlog = Some(backlog);
                self.before = Before::Of(Some((place.device, place.inode)));
                return Ok(());
            }
        }
        backlog.take_rest();
        self.backlog = Some(backlog);
        self.next.from = TailFrom::Start;
        self.spawn(now)
    }

    fn spawn(&mut self, now: Timestamp) -> io::Result<()> {
        let from = self.next.from;
        let at_end = from == TailFrom::End;
        // Looked at before and after, because the log may grow while `tail` starts.
        let in_a_line = at_end && ends_in_a_line(&self.log);
        let child = self.next.command_line(&self.log).spawn()?;
        self.lines.go_to(0);
        if in_a_line || at_end && ends_in_a_line(&self.log) {
            self.lines.skip_to_newline();
        }
        self.running = Some(Running { child, with_all: from == TailFrom::Start, last_read: now });
        let start = |(device, inode)| Position { device, inode, offset: 0 };
        let at_start = id(&self.log).filter(|_| from == TailFrom::Start).map(start);
        self.mark = at_start.map(|position| FileMark { position, before: Vec::new() });
        self.place = TailPosition::new(&self.log, from.offset());
        self.before = Before::Unknown;
        self.next.from = TailFrom::End;
        self.restart.started(now);
        Ok(())
    }

    /// Starts `tail` again, where the last one has left off if the log is still the same, else with what was written within
    /// the grace: a login that counts twice does no harm.
    fn start_again(&mut self, now: Timestamp, grace: Duration) -> io::Result<()> {
        let mut found = None;
        if self.log.is_file() {
            let window = Window::new(Now::read().wall, grace, TimeZone::system());
            let saved = self.mark.as_ref().map(|mark| SavedMark { mark, is_fresh: false });
            let looked = Backlog::find(&self.log, saved, &window);
            found = looked.ok().map(|found| (found.backlog, found.live));
        }
        self.start_behind(found, now)
    }

    /// Reads once from the child; the number of bytes.
    fn read_child(&mut self, block: &mut Sink<'_>) -> io::Result<usize> {
        let Self { running: Some(running), lines, mark, place, before, .. } = self else { return Ok(0) };
        let goes_on = |output: &File, fresh: &[u8]| goes_on(output.as_fd(), fresh);
        lines.read_on(running.child.output(), &goes_on, &mut |output, lines| {
            if let Some(mark) = mark {
                mark.move_behind(lines.lines());
            }
            let position = place.of(output, lines.lines());
            let file = position.map(|position| (position.device, position.inode));
            let gap = before.gap(file);
            *before = Before::Of(file);
            block(Origin { gap, ..Origin::live(position) }, lines);
        })
    }

    fn display(&self) -> String {
        self.next.command_line(&self.log).display()
    }

    /// The child has ended, or its output cannot be read.
    fn ended(&mut self, now: Timestamp) -> Progress {
        let Some(mut running) = self.running.take() else { return Progress::Ended };
        let command = self.display();
        self.restart.ended(now, &mut running.child, self.next.follow, &command)
    }
}

impl Source for CommandSource {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.running.as_ref().map(|running| running.child.descriptor())
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.restart.deadline()
    }

    fn read(&mut self, now: Timestamp, block: &mut Sink<'_>) -> Progress {
        if self.running.is_none() {
            return Progress::Paused;
        }
        match self.read_child(block) {
            Ok(0) => return self.ended(now),
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return self.ended(now),
            _ => {}
        }
        if let Some(running) = &mut self.running {
            running.last_read = now;
        }
        Progress::Some
    }

    fn wake(&mut self, now: Timestamp, grace: Duration) {
        if let Err(error) = self.start_again(now, grace) {
            let name = format!("'{}'", self.display());
            self.restart.failed(now, &name, &error);
        }
    }

    fn restart(&mut self, now: Timestamp, grace: Duration, block: &mut Sink<'_>) {
        // A new one would not read again what was there long before, and this one has not read it yet.
        if !self.next.follow || self.running.as_ref().is_some_and(|running| running.is_behind(now)) {
            log::warn!("cannot follow the log anew: '{}' has not read it to the end yet", self.display());
            return;
        }
        if let Some(running) = &mut self.running {
            running.child.end();
            // The writer is gone, so this ends; what it had read is not lost.
            while self.read_child(block).is_ok_and(|bytes| bytes > 0) {}
            self.running = None;
        }
        self.wake(now, grace);
    }

    fn take_dropped(&mut self) -> u64 {
        self.lines.take_dropped()
    }

    fn take_backlog(&mut self) -> Option<Backlog> {
        self.backlog.take()
    }

    fn saved_position(&self) -> Option<SavedPosition> {
        self.mark.clone().map(SavedPosition::File)
    }
}

/// Whether the last byte of a file is no newline.
fn ends_in_a_line(path: &Path) -> bool {
    let last = || {
        let file = File::open(path)?;
        let mut byte = [b'\n'];
        if let Some(at) = file.metadata()?.len().checked_sub(1) {
            file.read_at(&mut byte, at)?;
        }
        Ok::<_, io::Error>(byte != [b'\n'])
    };
    // A log that cannot be read now begins, when it comes back, with its first line.
    last().unwrap_or(false)
}
