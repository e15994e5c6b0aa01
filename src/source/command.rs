//! The output of a child process as a log: `tail`.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pop_before_smtp_backends::process;

use super::child::Child;
use super::lines::Lines;
use super::restart::Restart;
use super::{Origin, Progress, Sink, Source};
use crate::time::Timestamp;

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
pub enum TailFrom {
    /// With its first line.
    Start,
    /// Behind this many bytes, where a line begins.
    Byte(u64),
    /// At its end.
    End,
}

/// Where in the log `tail` starts, and whether it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// Where it starts.
    pub from: TailFrom,
    /// Follow the name through rotation, instead of stopping at the end.
    pub follow: bool,
    /// The process that must be alive; `tail` ends when it is gone. `None` where `tail` cannot do that.
    pub watched: Option<u32>,
}

impl Tail {
    /// The command line for one log file.
    pub fn command_line(self, log: &Path) -> CommandLine {
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
pub fn tail_watches_pid() -> io::Result<bool> {
    let end = process::run(Path::new("tail"), &[OsStr::new("--version")], process::LIMIT)?;
    Ok(end.stdout.windows(9).any(|window| window == b"coreutils"))
}

/// A log file behind `tail`, which is started again when it ends.
#[derive(Debug)]
pub struct CommandSource {
    log: PathBuf,
    /// How to start next: at first this may read the whole log, later only what is new.
    next: Tail,
    running: Option<Running>,
    lines: Lines,
    restart: Restart,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// Where it began.
    from: TailFrom,
    last_read: Timestamp,
}

impl Running {
    /// Whether it may still be reading what was in the log when it started: then there is no pause of a second. `read` is
    /// what has come from it so far.
    fn is_behind(&self, log: &Path, read: u64, now: Timestamp) -> bool {
        let has_all = match self.from {
            TailFrom::Start => false,
            TailFrom::Byte(offset) => fs::metadata(log).is_ok_and(|log| log.len() == offset + read),
            TailFrom::End => true,
        };
        !has_all && now.since(self.last_read) < Duration::from_secs(1)
    }
}

impl CommandSource {
    /// Starts `tail` on a log. When that ends, it is started again, at the end of the log, unless it was not to follow.
    ///
    /// # Errors
    /// The command cannot be started.
    pub fn start(log: PathBuf, tail: Tail, now: Timestamp) -> io::Result<Self> {
        let restart = Restart::new("log");
        let mut source = Self { log, next: tail, running: None, lines: Lines::default(), restart };
        source.spawn(now)?;
        Ok(source)
    }

    fn spawn(&mut self, now: Timestamp) -> io::Result<()> {
        let at_end = self.next.from == TailFrom::End;
        // Looked at before and after, because the log may grow while `tail` starts.
        let in_a_line = at_end && ends_in_a_line(&self.log);
        let child = self.next.command_line(&self.log).spawn()?;
        self.lines.go_to(0);
        if in_a_line || at_end && ends_in_a_line(&self.log) {
            self.lines.skip_to_newline();
        }
        self.running = Some(Running { child, from: self.next.from, last_read: now });
        self.next.from = TailFrom::End;
        self.restart.started(now);
        Ok(())
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
        let Some(running) = &mut self.running else { return Progress::Paused };
        match self.lines.read(running.child.output(), &mut |bytes| block(Origin::live(None), bytes)) {
            Ok(0) => self.ended(now),
            Ok(_) => {
                running.last_read = now;
                Progress::Some
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Progress::Some,
            Err(_) => self.ended(now),
        }
    }

    fn wake(&mut self, now: Timestamp) {
        if let Err(error) = self.spawn(now) {
            let name = format!("'{}'", self.display());
            self.restart.failed(now, &name, &error);
        }
    }

    fn restart(&mut self, now: Timestamp, block: &mut Sink<'_>) {
        // A new one would start at the end, and what this one has not read yet would be lost.
        let read = self.lines.offset();
        if !self.next.follow || self.running.as_ref().is_some_and(|running| running.is_behind(&self.log, read, now)) {
            log::warn!("cannot follow the log anew: '{}' has not read it to the end yet", self.display());
            return;
        }
        if let Some(mut running) = self.running.take() {
            running.child.end();
            // The writer is gone, so this ends; what it had read is not lost.
            while self
                .lines
                .read(running.child.output(), &mut |bytes| block(Origin::live(None), bytes))
                .is_ok_and(|bytes| bytes > 0)
            {}
        }
        self.wake(now);
    }

    fn take_dropped(&mut self) -> u64 {
        self.lines.take_dropped()
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
