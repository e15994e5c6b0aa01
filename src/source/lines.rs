//! Puts whole lines together from reads that end anywhere.

use std::io::{self, Read};

use crate::matcher::LONGEST_LINE;

/// Most bytes taken by one read.
pub const READ: usize = 64 * 1024;

/// Input that has been read, up to the next newline.
#[derive(Debug)]
pub struct Lines {
    /// The beginning of a line at the front, then room for one read.
    buffer: Box<[u8]>,
    /// Longest line that counts, in bytes without the newline.
    longest: usize,
    /// Bytes of the unfinished line.
    unfinished: usize,
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
        let buffer = vec![0; longest + READ].into();
        Self { buffer, longest, unfinished: 0, skipping: false, dropped: 0, offset: 0, next_line: Some(0) }
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
        self.read_placed(input, &mut |_, bytes| block(bytes))
    }

    /// Does the same, and tells of each block where in the input it begins.
    ///
    /// # Errors
    /// Those of [`Lines::read`].
    pub fn read_placed(&mut self, input: &mut impl Read, block: &mut dyn FnMut(u64, &[u8])) -> io::Result<usize> {
        let start = self.unfinished;
        let read = input.read(&mut self.buffer[start..start + READ])?;
        let end = start + read;
        // Of the first byte of the buffer.
        let place = self.offset - start as u64;
        self.offset += read as u64;
        let fresh = &self.buffer[start..end];
        let Some(last) = memchr::memrchr(b'\n', fresh) else {
            self.keep(place, 0, end, block);
            return Ok(read);
        };
        let begin = match std::mem::take(&mut self.skipping) {
            true => memchr::memchr(b'\n', fresh).map_or(start, |newline| start + newline + 1),
            false => 0,
        };
        let whole = &self.buffer[begin..=start + last];
        if !whole.is_empty() {
            self.dropped += overlong(whole, self.longest);
            block(place + begin as u64, whole);
        }
        let next = start + last + 1;
        self.next_line = Some(place + next as u64);
        self.keep(place, next, end, block);
        Ok(read)
    }

    /// Forgets the beginning of a line whose end will never come. Half a line is never handed on: an address cut short
    /// is another address.
    pub fn forget_unfinished(&mut self) {
        self.unfinished = 0;
        self.skipping = false;
    }

    /// Forgets everything up to the next newline: the input begins in the middle of a line, and what stands there may be
    /// a stranger's text.
    pub fn skip_to_newline(&mut self) {
        self.unfinished = 0;
        self.skipping = true;
        self.next_line = None;
    }

    /// Where a reader has to begin who reads the unfinished line again: not before one that is too long, which was noticed.
    pub fn again(&self) -> u64 {
        self.offset - self.unfinished as u64
    }

    /// Whether there is a line without its newline.
    pub fn has_unfinished(&self) -> bool {
        self.unfinished > 0 || self.skipping
    }

    /// Number of lines dropped for their length since the last call.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn keep(&mut self, place: u64, begin: usize, end: usize, block: &mut dyn FnMut(u64, &[u8])) {
        self.unfinished = end - begin;
        if self.skipping {
            self.unfinished = 0;
        } else if self.unfinished > self.longest {
            block(place + begin as u64, &self.buffer[begin..=begin + self.longest]);
            self.dropped += 1;
            self.skipping = true;
            self.unfinished = 0;
        } else {
            self.buffer.copy_within(begin..end, 0);
        }
    }
}

/// Number of lines longer than `longest`.
fn overlong(block: &[u8], longest: usize) -> u64 {
    let (mut lines, mut at) = (0, 0);
    loop {
        at = find_long(block, at, longest + 1);
        match memchr::memchr(b'\n', &block[at..]) {
            Some(newline) => at += newline + 1,
            None => return lines,
        }
        lines += 1;
    }
}

/// Where the first line of at least `long` bytes begins, from the one at `at` on; else the end of the block.
///
/// Looks only for the last newline in each `long` bytes, so it passes over most of the block.
fn find_long(block: &[u8], mut at: usize, long: usize) -> usize {
    while let Some(window) = block.get(at..at + long) {
        match memchr::memrchr(b'\n', window) {
            Some(newline) => at += newline + 1,
            None => return at,
        }
    }
    block.len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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
            let mut check = |place: u64, block: &[u8]| {
                let at = place as usize - 100;
                assert_eq!(block, &text.as_bytes()[at..at + block.len()], "pieces of {size}");
            };
            while lines.read_placed(&mut input, &mut check).unwrap() > 0 {}
            assert_eq!(lines.next_line(), Some(100 + text.len() as u64 - 4));
            assert_eq!(lines.offset(), 100 + text.len() as u64);
        }
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

    #[test]
    fn long_lines_are_found_whatever_stands_around_them() {
        for (block, expected) in [
            (&b""[..], 0),
            (b"123\n1234\n", 9),
            (b"12345", 0),
            (b"12345\n", 0),
            (b"\n\n12345\n1\n", 2),
            (b"1234\n1\n123456789012\n", 7),
            (b"1234\n1234", 9),
        ] {
            assert_eq!(find_long(block, 0, 5), expected, "{:?}", String::from_utf8_lossy(block));
        }
    }
}
