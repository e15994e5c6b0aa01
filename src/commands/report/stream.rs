//! One log of the past: reads its parts one after the other, and hands logins and lines of Postfix to the report.

use std::collections::VecDeque;
use std::path::PathBuf;

use super::files::{Input, Log};
use super::front::Front;
use crate::commands::inspect;
use crate::matcher::Matchers;
use crate::output::error::{Error, Exit};
use crate::output::escape::printable;
use crate::output::progress;
use crate::report::Report;
use crate::report::postfix::Names;
use crate::report::summary::{Clock, Coverage, FileRead};
use crate::source::journal::Journal;
use crate::source::lines::{Block, Lines};
use crate::source::{Progress, Source};
use crate::time::Now;
use crate::wait::readable_within;

/// Where the lines come from at the moment.
enum Reading {
    File { input: Input, position: u64 },
    Journal(Box<Journal>),
}

pub(super) struct Stream {
    parts: VecDeque<PathBuf>,
    journal: Option<Log>,
    reading: Option<Reading>,
    lines: Lines,
    /// A block of lines and what is behind it, where the lines end, and how far they have been taken.
    text: Vec<u8>,
    end: usize,
    at: usize,
    front: Front,
    files: Vec<FileRead>,
}

impl Stream {
    pub(super) fn new(log: Log, mut matchers: Matchers, names: Names, now: &Now) -> Self {
        let (parts, journal) = match log {
            Log::Files(files) => (files.into(), None),
            Log::Journal(_) => (VecDeque::new(), Some(log)),
        };
        if journal.is_some() {
            matchers.take_newlines_for_escaped(true);
        }
        let front = Front::new(matchers, names, now.wall);
        Self {
            parts,
            journal,
            reading: None,
            lines: Lines::default(),
            text: Vec::new(),
            end: 0,
            at: 0,
            front,
            files: Vec::new(),
        }
    }

    /// The time of the next line that has one; `None` at the end.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn next_time(&mut self) -> Result<Option<u64>, Error> {
        loop {
            if self.at >= self.end && !self.refill()? {
                return Ok(None);
            }
            if let Some(at) = self.front.first_time(&self.text, self.at..self.end) {
                return Ok(Some(at));
            }
            let (text, part) = (&self.text, self.at..self.end);
            self.front.pass(text, part);
            self.at = self.end;
        }
    }

    /// Whether lines of Postfix were in it.
    pub(super) fn is_postfix(&self) -> bool {
        self.front.is_postfix()
    }

    /// Takes the lines up to the first that was written later than `until`, as far as they have been read.
    pub(super) fn take(&mut self, until: u64, clock: &mut Clock, report: &mut Report) {
        let Self { text, end, at, front, files, .. } = self;
        while *at < *end {
            let Some(part) = front.part(text, *at, *end, until, clock, report) else { return };
            *at = part;
        }
        if let Some(file) = files.last_mut() {
            file.last = Some(clock.last());
        }
    }

    /// Reads the next block; false at the end of the last part.
    fn refill(&mut self) -> Result<bool, Error> {
        self.count_block();
        loop {
            if self.reading.is_none() && !self.open_next()? {
                return Ok(false);
            }
            let Some(mut reading) = self.reading.take() else { return Ok(false) };
            let (goes_on, read) = self.read(&mut reading)?;
            match (goes_on, reading) {
                (true, reading) => self.reading = Some(reading),
                (false, Reading::File { input, .. }) => self.ended(input),
                (false, Reading::Journal(_)) => {}
            }
            if read {
                return Ok(true);
            }
        }
    }

    /// Reads once: whether there may be more, and whether there are lines.
    fn read(&mut self, reading: &mut Reading) -> Result<(bool, bool), Error> {
        let (text, end) = (&mut self.text, &mut self.end);
        let mut take = |block: Block<'_>| {
            text.clear();
            text.extend_from_slice(block.text());
            *end = block.lines().len();
        };
        let mut any = false;
        let goes_on = match reading {
            Reading::File { input, position } => {
                let path = self.files.last().map(|file| file.name.clone()).unwrap_or_default();
                let mut block = |_, lines: Block<'_>| {
                    any = true;
                    take(lines);
                };
                let read = self.lines.read_on(input, &|_, _| true, &mut block);
                let read = read.map_err(|error| inspect::cannot_read(path.as_ref(), &error))?;
                let advanced = input.position().map_or(read as u64, |now| now - std::mem::replace(position, now));
                progress::advance(advanced);
                self.front.dropped(self.lines.take_dropped());
                read > 0
            }
            Reading::Journal(journal) => {
                if let Some(descriptor) = journal.descriptor() {
                    readable_within(descriptor, std::time::Duration::from_secs(1));
                }
                let progress = journal.read(Now::read().boot, &mut |_, lines| {
                    any = true;
                    take(lines);
                });
                progress == Progress::Some
            }
        };
        self.at = 0;
        if !any {
            self.end = 0;
        }
        Ok((goes_on, any))
    }

    fn open_next(&mut self) -> Result<bool, Error> {
        let (name, reading) = match (self.journal.take(), self.parts.pop_front()) {
            (Some(Log::Journal(journal)), _) => {
                let name = journal.name();
                let started = Journal::start(*journal, Vec::new(), Now::read().boot);
                let failed =
                    |error: std::io::Error| Error::io(Exit::Unavailable, "read the journal by journalctl", &error);
                (name, Reading::Journal(Box::new(started.map_err(failed)?)))
            }
            (_, Some(path)) => (path.display().to_string(), Reading::File { input: Input::open(&path)?, position: 0 }),
            (_, None) => return Ok(false),
        };
        self.reading = Some(reading);
        let name = printable(name.as_bytes()).to_string();
        self.files.push(FileRead { name, lines: 0, bytes: 0, last: None, cut: None });
        Ok(true)
    }

    /// A part of the log has ended. What was read of it counts, also if it cannot be read to its end.
    fn ended(&mut self, input: Input) {
        let Some(file) = self.files.last_mut() else { return };
        file.cut = input.end();
        if let Some(cause) = &file.cut {
            log::warn!("{} ends early, what was read of it counts: {cause}", file.name);
            self.front.begin_in_the_middle();
        } else if self.lines.has_unfinished() {
            log::warn!("the last line of {} has no newline, so it may be half a line: not read", file.name);
        }
        self.lines.forget_unfinished();
    }

    /// Counts the lines of the block that has been taken.
    fn count_block(&mut self) {
        let Self { text, end, files, .. } = self;
        let block = &text[..*end];
        if let Some(file) = files.last_mut() {
            file.lines += memchr::memchr_iter(b'\n', block).count() as u64;
            file.bytes += block.len() as u64;
        }
        *end = 0;
        self.at = 0;
    }

    /// Adds what this log came to.
    pub(super) fn tell(&self, coverage: &mut Coverage) {
        self.front.tell(coverage);
        coverage.files.extend(self.files.iter().cloned());
    }
}
