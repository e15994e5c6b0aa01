//! systemd's journal as a log: the output of `journalctl`, of which only the entries of trusted writers count.

mod entry;
mod filter;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use pop_before_smtp_backends::process;

use self::entry::{Conversion, Entry, FIELDS, Value};
pub(crate) use self::filter::Filter;
use super::child::Child;
use super::command::CommandLine;
use super::lines::Lines;
use super::respawn::Restart;
use super::saved_position::SavedPosition;
use super::{Age, Gap, Origin, Progress, Sink, Source};
use crate::output::error::io_cause;
use crate::output::repeated::Repeated;
use crate::time::{Now, Timestamp, unix_seconds};

/// Longest line of JSON that is parsed. A message of 8 KiB has at most six times as many bytes there.
const LONGEST_JSON: usize = 64 * 1024;

/// Entries in front of the first that count which are read for what the matchers have to remember. They grant nothing.
const WARM_UP: u32 = 500;

/// How `journalctl` begins to say that it may read nothing, or nothing but the user's own entries.
const NOTHING_SEEN: [&str; 2] = ["No journal files were ", "Hint: You are currently not seeing messages"];

/// What of the journal is read, and from where on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journalctl {
    /// Whose entries count.
    pub filter: Filter,
    /// Where the journal's files are; `None` for this system's.
    pub directory: Option<PathBuf>,
    /// The entry behind which to begin.
    pub cursor: Option<String>,
    /// When to begin without one; `None` for the first entry.
    pub since: Option<SystemTime>,
    /// Entries that are older were written while nobody watched.
    pub live_from: SystemTime,
    /// Whether to go on at the end.
    pub follow: bool,
}

impl Journalctl {
    /// What this log is called.
    pub fn name(&self) -> String {
        let matches: Vec<_> = self.filter.matches().collect();
        format!("journal:{}", matches.join(","))
    }

    /// The command line.
    pub fn command_line(&self) -> CommandLine {
        let mut more: Vec<String> = vec!["--all".to_owned()];
        if self.follow {
            // Without the second the first of those behind a cursor are left out.
            more.extend(["--follow", "--no-tail"].map(From::from));
            if self.directory.is_some() {
                // Or only entries of the boot that was the last in it at the start are shown (systemd 250 and later; before 257
                // either of these is not enough). Not of this system's own journal: there the first also shows what other
                // systems have sent, whose fields prove nothing.
                more.extend(["--merge", "--boot=all"].map(From::from));
            }
        }
        match (&self.cursor, self.since) {
            (Some(cursor), _) => more.push(format!("--after-cursor={cursor}")),
            (None, Some(since)) => more.push(format!("--since=@{}", unix_seconds(since))),
            (None, None) => {}
        }
        self.json(more)
    }

    /// Prints the fields of entries that count.
    fn json(&self, more: Vec<String>) -> CommandLine {
        let mut arguments: Vec<OsString> = ["--quiet", "--no-pager", "--output=json"].map(From::from).into();
        arguments.push(format!("--output-fields={FIELDS}").into());
        arguments.extend(self.directory_argument());
        arguments.extend(more.into_iter().map(OsString::from));
        arguments.extend(self.filter.matches().map(From::from));
        CommandLine::new("journalctl", arguments)
    }

    /// Prints the last entries in front of the first that [`Self::command_line`] prints, latest first; `None` if that is the
    /// first of all. Without `--all`: fields of more than 4 KiB come as null, and so as long lines.
    fn command_line_before(&self) -> Option<CommandLine> {
        let place = match (&self.cursor, self.since) {
            (Some(cursor), _) => format!("--cursor={cursor}"),
            (None, Some(since)) => format!("--until=@{}.999999", unix_seconds(since).checked_sub(1)?),
            (None, None) => return None,
        };
        Some(self.json(vec!["--reverse".to_owned(), format!("--lines={WARM_UP}"), place]))
    }

    /// What the matchers have to remember of the entries in front of the first, as lines. It only helps: of a program that
    /// is not in it, the first message does not count if it can be the rest of one.
    pub fn before(&self) -> Vec<u8> {
        let Some(command) = self.command_line_before() else { return Vec::new() };
        let mut taken = Entries::default();
        match command.run() {
            Ok(end) => {
                let lines = end.split_inclusive(|byte| *byte == b'\n');
                lines.rev().for_each(|line| taken.take(line, &mut self.clone()));
            }
            Err(error) => log::debug!("cannot read the journal before its place: {}", io_cause(&error)),
        }
        taken.lines
    }

    /// The newest entries that count, at most so many, as lines.
    ///
    /// # Errors
    /// There is no `journalctl`, or it fails.
    pub fn newest(&self, entries: u32) -> io::Result<Vec<u8>> {
        let mut all = Self { cursor: None, since: None, follow: false, ..self.clone() };
        let mut command = all.command_line();
        command.push(format!("--lines={entries}"));
        let end = command.run()?;
        let mut taken = Entries::default();
        taken.take(&end, &mut all);
        Ok(taken.lines)
    }

    /// Makes sure that the journal can be read.
    ///
    /// # Errors
    /// There is no `journalctl`, or no journal that it may read; then the cause tells what it said.
    pub fn check(&self) -> io::Result<()> {
        let mut arguments: Vec<OsString> = ["--no-pager", "--lines=0", "--show-cursor"].map(From::from).into();
        arguments.extend(self.directory_argument());
        arguments.extend(self.filter.matches().map(From::from));
        let arguments: Vec<&OsStr> = arguments.iter().map(OsString::as_os_str).collect();
        let end = process::run(Path::new("journalctl"), &arguments, process::LIMIT)?;
        // It fails also where no entry matches, but says so; and it complains of files that it leaves out.
        let is_answer = end.failure().is_none() || String::from_utf8_lossy(&end.stdout).contains("-- No entries --");
        match end.complaint() {
            Some(complaint) if !is_answer || NOTHING_SEEN.iter().any(|start| complaint.starts_with(start)) => {
                return Err(io::Error::other(complaint.trim_end_matches('.').to_owned()));
            }
            Some(complaint) => log::warn!("journalctl: {complaint}"),
            None => {}
        }
        Ok(())
    }

    fn directory_argument(&self) -> Option<OsString> {
        let mut argument = OsString::from("--directory=");
        argument.push(self.directory.as_ref()?);
        Some(argument)
    }
}

/// The journal behind `journalctl`, which is started again when it ends, behind the entry that was handed on last.
#[derive(Debug)]
pub(crate) struct Journal {
    /// How to start next.
    next: Journalctl,
    /// Lines in front of the first that counts; to be handed on first.
    before: Vec<u8>,
    running: Option<Child>,
    json: Lines,
    entries: Entries,
    restart: Restart,
}

impl Journal {
    /// Starts `journalctl`, and hands on the lines that stand `before` its first entry first.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn start(next: Journalctl, before: Vec<u8>, now: Timestamp) -> io::Result<Self> {
        let (json, entries) = (Lines::up_to(LONGEST_JSON), Entries::default());
        let mut journal = Self { next, before, running: None, json, entries, restart: Restart::new("journal") };
        journal.spawn(now)?;
        Ok(journal)
    }

    fn spawn(&mut self, now: Timestamp) -> io::Result<()> {
        let child = self.next.command_line().spawn()?;
        // An entry of which only the beginning has come comes again, whole.
        self.json.forget_unfinished();
        self.running = Some(child);
        self.restart.started(now);
        Ok(())
    }

    fn hand_on_before(&mut self, block: &mut Sink<'_>) {
        let before = std::mem::take(&mut self.before);
        if !before.is_empty() {
            block(Origin { position: None, age: Age::Counted, gap: Gap::Before }, before[..].into());
        }
    }

    /// Reads once from the child; the number of bytes.
    fn read_entries(&mut self, child: &mut Child, block: &mut Sink<'_>) -> io::Result<usize> {
        let Self { next, json, entries, .. } = self;
        let read = json.read(child.output(), &mut |bytes| entries.take(bytes, next))?;
        if !entries.lines.is_empty() {
            let age = if std::mem::take(&mut entries.past) { Age::Past } else { Age::Live };
            block(Origin { position: None, age, gap: Gap::None }, entries.lines[..].into());
            entries.lines.clear();
        }
        Ok(read)
    }

    /// The child has ended, or its output cannot be read.
    fn ended(&mut self, mut child: Child, now: Timestamp) -> Progress {
        let command = self.next.command_line().display();
        self.restart.ended(now, &mut child, self.next.follow, &command)
    }
}

impl Source for Journal {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.running.as_ref().map(Child::descriptor)
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.restart.deadline()
    }

    fn read(&mut self, now: Timestamp, block: &mut Sink<'_>) -> Progress {
        self.hand_on_before(block);
        let Some(mut child) = self.running.take() else { return Progress::Paused };
        match self.read_entries(&mut child, block) {
            Ok(0) => return self.ended(child, now),
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return self.ended(child, now),
            _ => self.running = Some(child),
        }
        self.entries.warn(now);
        Progress::Some
    }

    fn wake(&mut self, now: Timestamp, _: Duration) {
        // What came while nobody read counts from its own time, unless everything happens now.
        if self.next.live_from != SystemTime::UNIX_EPOCH {
            self.next.live_from = Now::read().wall;
        }
        if let Err(error) = self.spawn(now) {
            self.restart.failed(now, "journalctl", &error);
        }
    }

    fn restart(&mut self, now: Timestamp, grace: Duration, block: &mut Sink<'_>) {
        self.hand_on_before(block);
        if let Some(mut child) = self.running.take() {
            child.end();
            // The writer is gone, so this ends.
            while self.read_entries(&mut child, block).is_ok_and(|bytes| bytes > 0) {}
        }
        self.wake(now, grace);
    }

    fn take_dropped(&mut self) -> u64 {
        self.json.take_dropped() + std::mem::take(&mut self.entries.dropped)
    }

    fn saved_position(&self) -> Option<SavedPosition> {
        self.next.cursor.clone().map(SavedPosition::Cursor)
    }
}

/// Turns entries into lines.
#[derive(Debug, Default)]
struct Entries {
    /// Lines to hand on.
    lines: Vec<u8>,
    /// Whether one of them was written while nobody watched.
    past: bool,
    /// Number of messages that were too long.
    dropped: u64,
    /// Number of entries that were left out by the last read.
    odd: u64,
    left_out: Repeated,
}

impl Entries {
    /// Takes lines of JSON and moves the cursor behind them.
    fn take(&mut self, block: &[u8], next: &mut Journalctl) {
        // The beginning of a line that is too long has no newline.
        for json in block.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n")) {
            if json.len() > LONGEST_JSON {
                continue;
            }
            let Some(entry) = Entry::parse(json) else {
                self.odd += 1;
                continue;
            };
            if next.filter.takes(&entry) {
                self.past |= entry.written().is_some_and(|written| written < next.live_from);
                match entry.append(&mut self.lines) {
                    Conversion::Line => {}
                    Conversion::TooLong => self.dropped += 1,
                    Conversion::Odd => self.odd += 1,
                }
            }
            if let Some(Value::Text(cursor)) = entry.cursor {
                next.cursor = Some(cursor.into_owned());
            }
        }
    }

    fn warn(&mut self, now: Timestamp) {
        if let Some(odd) = self.left_out.add(now, std::mem::take(&mut self.odd)) {
            log::warn!(
                "{odd} entries of the journal have been ignored: no message of one line, an odd name, or not written through syslog"
            );
        }
    }
}
