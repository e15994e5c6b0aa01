//! Finds the events in a block of lines without looking at most of them. Pure.
//!
//! What comes out is exactly what [`Matchers::event`] would give for each line in turn: a line is left out only if it
//! holds no text that a pattern needs ([`texts`]), is too short to be a message that its logger has cut, and no such
//! message still owes its rest.

use aho_corasick::AhoCorasick;
use aho_corasick::packed::{self, Searcher};

use super::own_file::SIGN;
use super::{Event, Matcher, Matchers, texts};
use crate::time::Timestamp;

/// Searches a block for lines that must be looked at; made once for a choice of matchers.
#[derive(Debug)]
pub(super) struct Prefilter {
    search: Search,
    /// Shortest line that may have been cut by its logger.
    long: Option<usize>,
}

#[derive(Debug)]
enum Search {
    /// With vector instructions.
    Packed(Vec<Searcher>),
    Automaton(AhoCorasick),
    /// Nothing can be searched for: every line is looked at.
    Lines,
}

/// Most texts that one search takes.
const GROUP: usize = 64;

/// Most searches side by side; for more texts than they take, one automaton.
const GROUPS: usize = 8;

impl Prefilter {
    /// For these matchers, of which a message of `long` bytes may be cut.
    pub(super) fn new(matchers: &[&Matcher], long: Option<usize>) -> Self {
        Self { search: Search::new(&texts::of(matchers)), long }
    }
}

impl Search {
    fn new(texts: &[Vec<u8>]) -> Self {
        if texts.iter().any(Vec::is_empty) {
            return Self::Lines;
        }
        let search = |group: &[Vec<u8>]| packed::Config::new().builder().extend(group).build();
        let even = texts.len().div_ceil(texts.len().div_ceil(GROUP).max(1)).max(1);
        let packed: Option<Vec<_>> = texts.chunks(even).map(search).collect();
        match packed {
            Some(searchers) if searchers.len() <= GROUPS => Self::Packed(searchers),
            _ => AhoCorasick::new(texts).map_or(Self::Lines, Self::Automaton),
        }
    }

    fn places<'p>(&'p self, block: &'p [u8]) -> Places<'p> {
        Places { search: self, block, next: [None; GROUPS], sign: None }
    }
}

/// Where in a block the texts are.
struct Places<'p> {
    search: &'p Search,
    block: &'p [u8],
    /// What each search found last.
    next: [Option<usize>; GROUPS],
    /// The next line that may be one of nginx's own file.
    sign: Option<usize>,
}

impl Places<'_> {
    /// The first place from `at` on, which never is before that of the call before.
    fn from(&mut self, at: usize) -> Option<usize> {
        let rest = self.block.get(at..).filter(|rest| !rest.is_empty())?;
        let found = match self.search {
            Search::Packed(searchers) => {
                let each = self.next.iter_mut().zip(searchers);
                let place = |(next, searcher): (&mut Option<usize>, &Searcher)| {
                    place(next, at, rest, |rest| searcher.find(rest).map(|found| found.start()))
                };
                each.map(place).min().unwrap_or(self.block.len())
            }
            Search::Automaton(automaton) => {
                place(&mut self.next[0], at, rest, |rest| automaton.find(rest).map(|found| found.start()))
            }
            Search::Lines => at,
        };
        let found = found.min(place(&mut self.sign, at, rest, |rest| memchr::memchr(SIGN, rest)));
        (found < self.block.len()).then_some(found)
    }
}

/// What a search finds in `rest`, which begins at `at`; it goes on only if what it had found last is passed.
fn place(last: &mut Option<usize>, at: usize, rest: &[u8], find: impl FnOnce(&[u8]) -> Option<usize>) -> usize {
    match *last {
        Some(place) if place >= at => place,
        _ => *last.insert(at + find(rest).unwrap_or(rest.len())),
    }
}

impl Matchers {
    /// Hands on every event of a block of whole lines, with the offset of its line: the same as from
    /// [`Matchers::event`] for each line. The last line may lack its newline if it is whole all the same.
    pub fn scan<'b>(&mut self, now: Timestamp, block: &'b [u8], event: &mut dyn FnMut(usize, &Event<'b>)) {
        let mut at = 0;
        while at < block.len() {
            let next = if self.owes_rest() { at } else { self.scan_short(now, block, at, event) };
            at = if next < block.len() { self.look(now, block, next, event) } else { next };
        }
    }

    /// Goes on from the line at `at` up to the first that may have been cut, and returns where that begins.
    fn scan_short<'b>(
        &mut self,
        now: Timestamp,
        block: &'b [u8],
        mut at: usize,
        event: &mut dyn FnMut(usize, &Event<'b>),
    ) -> usize {
        let shared = self.prefilter();
        // It has just been made, if it was not there.
        let Some(prefilter) = shared.get() else { return at };
        let end = prefilter.long.map_or(block.len(), |long| find_long(block, at, long));
        let mut places = prefilter.search.places(&block[..end]);
        while let Some(found) = places.from(at) {
            let line = memchr::memrchr(b'\n', &block[at..found]).map_or(at, |newline| at + newline + 1);
            self.skip(line - at);
            at = self.look(now, block, line, event);
        }
        let rest = &block[at..end];
        self.skip(rest.len() + usize::from(!rest.is_empty() && !rest.ends_with(b"\n")));
        end
    }

    /// Looks at the line that begins at `at` and returns where the next one does.
    fn look<'b>(
        &mut self,
        now: Timestamp,
        block: &'b [u8],
        at: usize,
        event: &mut dyn FnMut(usize, &Event<'b>),
    ) -> usize {
        let end = memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |newline| at + newline);
        if let Some(found) = self.event(now, &block[at..end]) {
            event(at, &found);
        }
        (end + 1).min(block.len())
    }
}

/// Where the first line of at least `long` bytes begins, from the one at `at` on; else the end of the block.
///
/// Looks only for the last newline in each `long` bytes, so it passes over most of the block.
pub(crate) fn find_long(block: &[u8], mut at: usize, long: usize) -> usize {
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
    use super::*;

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

    #[test]
    fn any_number_of_texts_can_be_searched_for() {
        let texts: Vec<Vec<u8>> = (1000..1300).map(|n| format!("{n}").into_bytes()).collect();
        let block = [&[b'x'; 100][..], b"1150", &[b'x'; 100], b"1199"].concat();
        let places = |count: usize| {
            let search = Search::new(&texts[..count]);
            let mut places = search.places(&block);
            [0, 90, 101, 205].map(|at| places.from(at))
        };
        assert_eq!(places(20), [None; 4]);
        assert_eq!(places(60), [None; 4]);
        assert_eq!(places(160), [Some(100), Some(100), None, None]);
        assert_eq!(places(200), [Some(100), Some(100), Some(204), None]);
        assert_eq!(places(300), [Some(100), Some(100), Some(204), None]);
        assert_eq!(Search::new(&[Vec::new()]).places(&block).from(3), Some(3));
    }
}
