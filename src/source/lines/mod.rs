//! Puts whole lines together from reads that end anywhere.

mod newlines;

use std::io::{self, Read};

use self::newlines::{overlong, seen, whole};
use crate::line::syslog::LONGEST_LINE;

/// Most bytes taken by one read.
pub const READ: usize = 64 * 1024;

const READS_IN_BUFFER: usize = 4;

/// How much is seen behind a line when it is handed on, itself included, if more can be read at once. A newline in a message
/// makes several lines of it, and its end may show that the first is no login ([`crate::matcher::CutFailure`]). The longest
/// of these messages has 31,800 bytes; all others have 4,096, and a syslog daemon may write each as four.
pub const BEHIND: usize = 32 * 1024 + LONGEST_LINE;

/// Whole lines, and what was read behind them, which is handed on later.
#[derive(Debug, Clone, Copy)]
pub struct Block<'b> {
    text: &'b [u8],
    end: usize,
}

impl<'b> Block<'b> {
    /// The lines, newlines included.
    pub fn lines(&self) -> &'b [u8] {
        &self.text[..self.end]
    }

    /// The lines, and what was read behind them.
    pub fn text(&self) -> &'b [u8] {
        self.text
    }
}

impl<'b> From<&'b [u8]> for Block<'b> {
    fn from(lines: &'b [u8]) -> Self {
        Self { text: lines, end: lines.len() }
    }
}

/// Whether more can be read at once, behind what was read last from an input.
pub type GoesOn<'a, I> = dyn Fn(&I, &[u8]) -> bool + 'a;

/// Input that has been read, up to the next newline.
#[derive(Debug)]
pub struct Lines {
    /// Room for some reads: what is kept is moved to the front only where no read fits behind it any more.
    buffer: Box<[u8]>,
    /// Where in the buffer that begins which is kept.
    front: usize,
    /// Longest line that counts, in bytes without the newline.
    longest: usize,
    /// Bytes of the lines that are kept back and of the unfinished one.
    kept: usize,
    /// Whether the unfinished line is too long already and goes on.
    skipping: bool,
    dropped: u64,
    /// Where in the input the next read begins.
    offset: u64,
    /// Where the line begins that comes next; unknown in an input that begins in the middle of a line.
    next_line: Option<u64>,
}

impl Default for Lines {
    fn default() -> Self {
        Self::up_to(LONGEST_LINE)
    }
}

impl Lines {
    /// Lines of at most `longest` bytes; a log's have at most [`LONGEST_LINE`].
    pub fn up_to(longest: usize) -> Self {
        let buffer = vec![0; longest.max(BEHIND) + READS_IN_BUFFER * READ].into();
        Self { buffer, front: 0, longest, kept: 0, skipping: false, dropped: 0, offset: 0, next_line: Some(0) }
    }

    /// Forgets what is unfinished and goes on at `offset`, where a line begins.
    pub fn go_to(&mut self, offset: u64) {
        self.forget_unfinished();
        self.offset = offset;
        self.next_line = Some(offset);
    }

    /// Where in the input the next read begins: the number of bytes read, unless [`Lines::go_to`] said otherwise.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Where in the input the next line begins, which is the end of the last whole line handed on. `None` in an input
    /// that begins in the middle of a line, until that ends.
    pub fn next_line(&self) -> Option<u64> {
        self.next_line
    }

    /// Reads once and hands on every line that is complete now, newlines included, as one block. Of a line that is longer
    /// than the longest that counts and not complete the beginning is handed on, without a newline and one byte longer than
    /// that: it is too long to count, but not to be noticed. Returns the number of bytes read, 0 at the end.
    ///
    /// # Errors
    /// What `input` reports; nothing is lost.
    pub fn read(&mut self, input: &mut impl Read, block: &mut dyn FnMut(&[u8])) -> io::Result<usize> {
        self.read_on(input, &|_, _| false, &mut |_, lines| block(lines.lines()))
    }

    /// Does the same, and tells of each block where in the input it begins. As long as the input `goes_on`, the last
    /// [`BEHIND`] bytes are kept back, to be seen behind other lines first; so it must be read again then. Where that brings
    /// nothing, or fails, they are handed on.
    ///
    /// # Errors
    /// Those of [`Lines::read`].
    pub fn read_on<I: Read>(
        &mut self,
        input: &mut I,
        goes_on: &GoesOn<'_, I>,
        block: &mut dyn FnMut(u64, Block<'_>),
    ) -> io::Result<usize> {
        let start = self.make_room();
        let result = input.read(&mut self.buffer[start..start + READ]);
        let read = match &result {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return result,
            Err(_) => 0,
            Ok(read) => *read,
        };
        let end = start + read;
        let (front, place_of_front) = (self.front, self.again());
        let place = |at: usize| place_of_front + (at - front) as u64;
        self.offset += read as u64;
        let fresh = &self.buffer[start..end];
        let mut begin = front;
        if self.skipping {
            // Nothing is kept then.
            let Some(newline) = memchr::memchr(b'\n', fresh) else { return result };
            self.skipping = false;
            begin = start + newline + 1;
            self.next_line = Some(place(begin));
        }
        let goes_on = read > 0 && goes_on(input, fresh);
        let text = &self.buffer[begin..end];
        let next = if goes_on { seen(text) } else { whole(text) };
        if next > 0 {
            self.dropped += overlong(&text[..next], self.longest);
            let text = if goes_on { text } else { &text[..next] };
            block(place(begin), Block { text, end: next });
            self.next_line = Some(place(begin + next));
        }
        self.front = begin + next;
        self.kept = end - self.front;
        let most = if goes_on { self.longest.max(BEHIND) } else { self.longest };
        if self.kept > most {
            block(place(self.front), Block::from(&self.buffer[self.front..=self.front + self.longest]));
            self.dropped += 1;
            self.skipping = true;
            self.kept = 0;
        }
        result
    }

    /// Where in the buffer the next read goes, behind what is kept.
    fn make_room(&mut self) -> usize {
        let kept = self.front..self.front + self.kept;
        if kept.is_empty() || kept.end + READ > self.buffer.len() {
            self.buffer.copy_within(kept, 0);
            self.front = 0;
        }
        self.front + self.kept
    }

    /// Forgets the beginning of a line whose end will never come. Half a line is never handed on: an address cut short
    /// is another address.
    pub fn forget_unfinished(&mut self) {
        self.kept = 0;
        self.skipping = false;
    }

    /// Forgets everything up to the next newline: the input begins in the middle of a line, and what stands there may be
    /// a stranger's text.
    pub fn skip_to_newline(&mut self) {
        self.kept = 0;
        self.skipping = true;
        self.next_line = None;
    }

    /// Where a reader has to begin who reads the unfinished line again: not before one that is too long, which was noticed.
    pub fn again(&self) -> u64 {
        self.offset - self.kept as u64
    }

    /// Whether there is a line without its newline, behind the end of the input.
    pub fn has_unfinished(&self) -> bool {
        self.kept > 0 || self.skipping
    }

    /// Number of lines dropped for their length since the last call.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::matcher::{BUILTIN, CutFailure};

    /// Hands out the input in pieces of the given sizes.
    struct Pieces<'a>(&'a [u8], Vec<usize>);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = self.1.pop().unwrap_or(usize::MAX).min(self.0.len()).min(buffer.len());
            buffer[..size].copy_from_slice(&self.0[..size]);
            self.0 = &self.0[size..];
            Ok(size)
        }
    }

    fn split(text: &[u8], sizes: Vec<usize>) -> (Vec<Vec<u8>>, u64) {
        let (mut lines, mut whole, mut input) = (Lines::default(), Vec::new(), Pieces(text, sizes));
        let mut take = |block: &[u8]| {
            let block = block.strip_suffix(b"\n").unwrap_or(block);
            whole.extend(block.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
        };
        while lines.read(&mut input, &mut take).unwrap() > 0 {}
        (whole, lines.take_dropped())
    }

    #[test]
    fn lines_do_not_depend_on_where_reads_end() {
        let text = b"one\n\ntwo \xff\0\r\nhalf";
        for size in 1..text.len() {
            let (lines, dropped) = split(text, vec![1; 40 / size].into_iter().map(|one| one * size).collect());
            assert_eq!(lines, [&b"one"[..], b"", b"two \xff\0\r"], "pieces of {size}");
            assert_eq!(dropped, 0);
        }
    }

    #[test]
    fn an_input_that_begins_in_the_middle_of_a_line_begins_with_the_next() {
        for text in ["rest of a line\none\n", "\none\n"] {
            let (mut lines, mut whole) = (Lines::default(), Vec::new());
            lines.skip_to_newline();
            lines.read(&mut text.as_bytes(), &mut |block| whole.extend_from_slice(block)).unwrap();
            assert_eq!(whole, b"one\n", "{text:?}");
            assert_eq!(lines.take_dropped(), 0);
        }
    }

    #[test]
    fn blocks_and_the_next_line_are_told_where_they_are() {
        let long = "x".repeat(2 * READ);
        let text = format!("rest\none\n{long}\ntwo\nhalf");
        for size in [1, 7, 1000, READ] {
            let mut lines = Lines::default();
            lines.go_to(100);
            lines.skip_to_newline();
            assert_eq!(lines.next_line(), None);
            let mut input = Pieces(text.as_bytes(), vec![size; 2 * text.len() / size]);
            let mut check = |place: u64, block: Block<'_>| {
                let (at, block) = (place as usize - 100, block.lines());
                assert_eq!(block, &text.as_bytes()[at..at + block.len()], "pieces of {size}");
            };
            while lines.read_on(&mut input, &|_, _| false, &mut check).unwrap() > 0 {}
            assert_eq!(lines.next_line(), Some(100 + text.len() as u64 - 4));
            assert_eq!(lines.offset(), 100 + text.len() as u64);
        }
    }

    /// What is seen behind each line when it is handed on, from its beginning on.
    fn seen_behind(text: &[u8], size: usize) -> Vec<(Vec<u8>, usize)> {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        let mut input = Pieces(text, vec![size; text.len() / size + 1]);
        let mut take = |place: u64, block: Block<'_>| {
            assert_eq!(block.text(), &text[place as usize..place as usize + block.text().len()]);
            let mut left = block.text().len();
            for line in block.lines().split_inclusive(|byte| *byte == b'\n') {
                seen.push((line.to_vec(), left));
                left -= line.len();
            }
        };
        while lines.read_on(&mut input, &|_, _| true, &mut take).unwrap() > 0 {
            assert!(lines.kept <= BEHIND);
        }
        seen
    }

    #[test]
    fn lines_are_kept_back_until_enough_is_read_behind_them() {
        let short = "a line of the log\n".repeat(20_000);
        let long = format!("{}\n{}", "x".repeat(8000), "y\n".repeat(500)).repeat(20);
        for text in [short.as_str(), &long, "one\n", ""] {
            for size in [100, 8192, READ] {
                let seen = seen_behind(text.as_bytes(), size);
                let mut left = text.len();
                for (line, seen) in &seen {
                    assert!(*seen >= left.min(BEHIND), "{seen} of {left} in pieces of {size}");
                    left -= line.len();
                }
                assert_eq!(left, 0, "in pieces of {size}");
            }
        }
        // Longer than any line that counts.
        for text in [format!("one\n{}\ntwo\n", "x".repeat(20_000)), format!("one\n{}\ntwo\n", "x".repeat(5 * READ))] {
            for size in [100, READ] {
                let seen = seen_behind(text.as_bytes(), size);
                let lines: Vec<_> = seen.iter().map(|(line, _)| String::from_utf8_lossy(line)).collect();
                assert_eq!((&*lines[0], &*lines[2], lines.len()), ("one\n", "two\n", 3));
                assert!(lines[1].len() > LONGEST_LINE);
            }
        }
    }

    #[test]
    fn what_was_kept_back_is_handed_on_when_the_input_fails() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("no more"))
            }
        }
        let (mut lines, mut whole) = (Lines::default(), Vec::new());
        lines.read_on(&mut &b"one\ntwo\nhalf"[..], &|_, _| true, &mut |_, _| panic!("kept back")).unwrap();
        assert_eq!((lines.next_line(), lines.again()), (Some(0), 0));
        let mut take = |place, block: Block<'_>| whole.push((place, block.lines().to_vec()));
        assert!(lines.read_on(&mut Fails, &|_, _| true, &mut take).is_err());
        assert!(lines.read_on(&mut Fails, &|_, _| true, &mut take).is_err());
        assert_eq!(whole, [(0, b"one\ntwo\n".to_vec())]);
        assert_eq!((lines.next_line(), lines.again(), lines.offset()), (Some(8), 8, 12));
    }

    #[test]
    fn the_end_of_each_message_is_seen_that_may_tell_of_its_beginning() {
        let ends = BUILTIN.iter().flat_map(|matcher| {
            let cut = matcher.cut_failure.and_then(|cut| match cut {
                CutFailure::EndsIn { longest, .. } => Some(longest),
                CutFailure::WithoutHeader => None,
            });
            let newlines = matcher.newlines.iter().filter(|newlines| newlines.ends.is_some());
            newlines.map(|newlines| newlines.longest).chain(cut)
        });
        let longest = ends.max().unwrap();
        assert!(longest + LONGEST_LINE <= BEHIND, "{longest}");
    }

    #[test]
    fn long_lines_are_dropped_whole() {
        for (length, kept) in [(LONGEST_LINE, true), (LONGEST_LINE + 1, false), (5 * READ, false)] {
            let mut text = vec![b'x'; length];
            text.extend_from_slice(b"\nnext\n");
            for size in [1000, READ] {
                let (lines, dropped) = split(&text, vec![size; 400]);
                assert_eq!(lines.len(), 2, "{length} in pieces of {size}");
                assert_eq!(lines[0].len() <= LONGEST_LINE, kept);
                assert_eq!(lines[1], b"next");
                assert_eq!(dropped, u64::from(!kept));
            }
        }
    }
}
