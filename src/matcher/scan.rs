//! Finds the events in a block of lines without looking closely at most of them. Pure.
//!
//! What comes out is exactly what [`Matchers::event_before`] would give for each line in turn: a line is left out only if no
//! matcher listens to its program and its logger does not cut messages, so that it changes nothing of what is remembered.

use std::ops::Range;

use super::{Event, Matchers};
use crate::line::syslog::{self, Header, Layout, Tag};
use crate::time::Timestamp;

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
        let mut at = part.start;
        while at < part.end {
            let rest = &text[at..];
            let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
            let tag = self.layout.as_ref().and_then(|layout| layout.tag(line));
            let behind = rest.get(line.len() + 1..).unwrap_or_default();
            if tag.is_some_and(|tag| !self.heeds(tag.program) && !self.may_repeat(tag.program)) {
                self.skip(line);
            } else if let Some(found) = self.look(now, line, tag, behind) {
                event(at, &found);
            }
            at += line.len() + 1;
        }
    }

    /// Whether a line of a program that is not heeded may say that the login before it came again.
    fn may_repeat(&self, program: &[u8]) -> bool {
        self.repeats.is_armed() && program == syslog::REPEATER
    }

    fn look<'e>(
        &'e mut self,
        now: Timestamp,
        line: &'e [u8],
        tag: Option<Tag<'e>>,
        behind: &[u8],
    ) -> Option<Event<'e>> {
        // The tag of a piece has another place.
        if tag.is_none()
            && let Some(piece) = syslog::piece(line)
        {
            return self.event_of_piece(now, line, piece, behind);
        }
        let parsed = self.parse(line, tag);
        self.event_of(now, line, parsed, behind)
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
