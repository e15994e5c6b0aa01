//! Finds the events in a block of lines without looking closely at most of them. Pure.
//!
//! What comes out is exactly what [`Matchers::event_before`] would give for each line in turn: a line is left out only if no
//! matcher listens to its program and its logger does not cut messages, so that it changes nothing of what is remembered.

use std::ops::Range;

use super::event::Parsed;
use super::{Event, Matchers};
use crate::line::syslog::{self, Header, Layout, Tag};
use crate::time::Timestamp;

/// A line of a program that a matcher listens to.
#[derive(Debug)]
pub enum Found<'l> {
    /// It is an event.
    Event(&'l Event<'l>),
    /// It is none: no pattern fits, another line is needed, or a stranger may have written it.
    Untaken(Untaken<'l>),
}

/// A line that is no event, as it was read.
#[derive(Debug, Clone, Copy)]
pub struct Untaken<'l> {
    /// All of it, without its newline.
    pub line: &'l [u8],
    /// What stands in front of the message.
    pub header: Header<'l>,
    /// The message.
    pub message: &'l [u8],
}

impl Matchers {
    /// Hands on every event of a block of whole lines, with the offset of its line: the same as from
    /// [`Matchers::event_before`] for each line. The last line may lack its newline if it is whole all the same.
    pub fn scan(&mut self, now: Timestamp, block: &[u8], event: &mut dyn FnMut(usize, &Event<'_>)) {
        self.scan_part(now, block, 0..block.len(), event);
    }

    /// The same of the lines of a part of a text. What stands behind that is only looked at: it may show that the last
    /// lines are the beginning of a message.
    pub fn scan_part(
        &mut self,
        now: Timestamp,
        text: &[u8],
        part: Range<usize>,
        event: &mut dyn FnMut(usize, &Event<'_>),
    ) {
        self.sort_part(now, text, part, |at, found| {
            if let Found::Event(found) = found {
                event(at, found);
            }
        });
    }

    /// Hands on the lines of all programs that a matcher listens to, events or not. The stamp of the part's last line, if it
    /// has one: all that a reader needs of lines was then read once.
    pub fn sort_part<'b>(
        &mut self,
        now: Timestamp,
        text: &'b [u8],
        part: Range<usize>,
        mut found: impl FnMut(usize, Found<'_>),
    ) -> Option<&'b [u8]> {
        let mut next = part.start;
        let mut stamp = None;
        while next < part.end {
            let at = next;
            let rest = &text[at..];
            let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
            next = at + line.len() + 1;
            let is_last = next >= part.end;
            let tag = self.layout.as_ref().and_then(|layout| layout.tag(line));
            let route = tag.and_then(|tag| self.routes.find(tag.program));
            if tag.is_some_and(|tag| route.is_none() && !self.may_repeat(tag.program)) {
                // Most lines: of their headers no more is read.
                if is_last {
                    stamp = self.parse(line, tag).map(|(header, _)| header.time);
                }
                self.skip(line);
                continue;
            }
            let behind = rest.get(line.len() + 1..).unwrap_or_default();
            // The tag of a piece has another place.
            if tag.is_none()
                && let Some(taken) = self.take_piece(line)
            {
                if is_last {
                    stamp = syslog::stamp_of(line);
                }
                if let Some(event) = self.event_of_piece(now, line, taken, behind) {
                    found(at, Found::Event(&event));
                }
                continue;
            }
            let parsed = self.parse(line, tag);
            let parsed = parsed.as_ref();
            if is_last {
                stamp = parsed.map(|(header, _)| header.time).or_else(|| Some(syslog::repeat(line)?.time));
            }
            let what = if tag.is_some() { Parsed { line, parsed, route } } else { self.parsed(line, parsed) };
            let is_heard = what.route.is_some_and(|route| self.routes.is_heard(route));
            match &self.event_of(now, what, behind) {
                Some(event) => found(at, Found::Event(event)),
                None if is_heard => {
                    if let Some(&(header, message)) = parsed {
                        found(at, Found::Untaken(Untaken { line, header, message }));
                    }
                }
                None => {}
            }
        }
        stamp
    }

    /// Whether a line of a program that is not heeded may say that the login before it came again.
    fn may_repeat(&self, program: &[u8]) -> bool {
        self.repeats.is_armed() && program == syslog::REPEATER
    }

    /// Parses a line, by the layout if it has shown where the tag is; else the line tells the layout of the next.
    fn parse<'l>(&mut self, line: &'l [u8], tag: Option<Tag<'l>>) -> Option<(Header<'l>, &'l [u8])> {
        if let (Some(layout), Some(tag)) = (&self.layout, tag) {
            return layout.parse(line, tag);
        }
        let parsed = syslog::parse(line);
        if let Some(layout) = parsed.as_ref().and_then(|(header, _)| Layout::of(line, header)) {
            self.layout = Some(layout);
        }
        parsed
    }
}
