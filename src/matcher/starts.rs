//! Turns most patterns away by the first bytes of a message. Pure.

use super::pattern::{Piece, SitePiece};

/// Bytes that are compared.
const LENGTH: usize = 16;

/// How the messages of some patterns may start, by the first byte of the message.
#[derive(Debug, Clone)]
pub(super) struct Starts([Vec<Start>; FIRST]);

/// First bytes are told apart by their last bits, which tells letters apart.
const FIRST: usize = 32;

/// The first bytes, a mask for those that there are, and the patterns whose messages may start with them.
#[derive(Debug, Clone, Copy)]
struct Start {
    bytes: Words,
    mask: Words,
    patterns: Fitting,
}

/// The first bytes as numbers; most messages differ in the first one.
type Words = [u64; 2];

/// Patterns that a message may fit, by their numbers: one bit for each, and after the last again the first.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fitting(u64);

impl Fitting {
    fn only(nth: usize) -> Self {
        Self(1 << (nth % 64))
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn is_any(self) -> bool {
        self.0 != 0
    }

    fn has(self, nth: usize) -> bool {
        self.0 & Self::only(nth).0 != 0
    }

    /// Those of all there are, in their order.
    #[inline]
    pub(super) fn of<T>(self, all: &[T]) -> impl Iterator<Item = &T> {
        let all = if self.is_any() { all } else { &[] };
        all.iter().enumerate().filter(move |(nth, _)| self.has(*nth)).map(|(_, one)| one)
    }
}

impl Starts {
    pub(super) fn of<'p>(patterns: impl Iterator<Item = &'p [Piece]>) -> Self {
        let mut starts: Vec<Start> = Vec::new();
        for (nth, pattern) in patterns.enumerate() {
            for text in texts(pattern) {
                let (bytes, mask) = (words(&text), words(&vec![0xff; text.len()]));
                let patterns = Fitting::only(nth);
                match starts.iter_mut().find(|start| (start.bytes, start.mask) == (bytes, mask)) {
                    Some(start) => start.patterns = start.patterns.and(patterns),
                    None => starts.push(Start { bytes, mask, patterns }),
                }
            }
        }
        let may_begin_so = |start: &Start, first| start.mask[0] == 0 || start.bytes[0] as usize % FIRST == first;
        Self(std::array::from_fn(|first| starts.iter().filter(|start| may_begin_so(start, first)).copied().collect()))
    }

    pub(super) fn fitting(&self, message: &[u8]) -> Fitting {
        let first = words(message);
        let is = |start: &Start, nth: usize| first[nth] & start.mask[nth] == start.bytes[nth];
        let starts = self.0[first[0] as usize % FIRST].iter().filter(|start| is(start, 0) && is(start, 1));
        starts.fold(Fitting::default(), |fitting, start| fitting.and(start.patterns))
    }
}

/// The first bytes, zeros behind a shorter text.
fn words(text: &[u8]) -> Words {
    let all = match text.first_chunk::<LENGTH>() {
        Some(bytes) => u128::from_le_bytes(*bytes),
        None => text.iter().rev().fold(0, |all, byte| all << 8 | u128::from(*byte)),
    };
    [all as u64, (all >> 64) as u64]
}

/// Texts with one of which every message of the pattern starts, none longer than what is compared.
fn texts(pattern: &[Piece]) -> Vec<Vec<u8>> {
    let mut texts = Texts { open: vec![Vec::new()], closed: Vec::new() };
    texts.follow(pattern);
    let mut all = [texts.open, texts.closed].concat();
    all.sort();
    all.dedup();
    all
}

/// Texts that messages start with.
#[derive(Clone, Default)]
struct Texts {
    /// What is read next stands right behind them.
    open: Vec<Vec<u8>>,
    /// They are long enough, or anything may stand behind them.
    closed: Vec<Vec<u8>>,
}

impl Texts {
    fn follow(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            match piece {
                Piece::Lit(text) => self.append(text.as_bytes()),
                Piece::Not(_) => {}
                Piece::OneOf(choices) => {
                    let before = std::mem::take(&mut self.open);
                    choices.iter().for_each(|choice| self.follow_from(&before, choice));
                }
                Piece::Optional(pieces) => self.follow_from(&self.open.clone(), pieces),
                Piece::Site(piece) => match &**piece {
                    SitePiece::Lit(text) => self.append(text.as_bytes()),
                    SitePiece::Not(_) => {}
                    SitePiece::Optional(pieces) => self.follow_from(&self.open.clone(), pieces),
                },
                _ => self.closed.append(&mut self.open),
            }
        }
    }

    /// Adds to what there is: these texts with what may follow them.
    fn follow_from(&mut self, open: &[Vec<u8>], pieces: &[Piece]) {
        let mut others = Self { open: open.to_vec(), closed: Vec::new() };
        others.follow(pieces);
        self.open.append(&mut others.open);
        self.closed.append(&mut others.closed);
    }

    fn append(&mut self, text: &[u8]) {
        for mut start in std::mem::take(&mut self.open) {
            start.extend_from_slice(text);
            start.truncate(LENGTH);
            if start.len() < LENGTH { self.open.push(start) } else { self.closed.push(start) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::pattern::Pattern;
    use super::super::pattern::Piece::*;
    use super::*;

    fn may_be(pattern: Pattern, message: &str) -> bool {
        Starts::of([pattern].into_iter()).fitting(message.as_bytes()).has(0)
    }

    #[test]
    fn only_a_message_that_cannot_fit_is_turned_away() {
        const VERB: Pattern = &[OneOf(&[&[Lit("Login user=")], &[Lit("Auth")]]), User];
        for (message, fits) in [
            ("Login user=a", true),
            ("Login user", false),
            ("Login usher", false),
            ("Auth", true),
            ("Authx", true),
            ("Aut", false),
            ("xAuth", false),
            ("", false),
        ] {
            assert_eq!(may_be(VERB, message), fits, "{message}");
        }
        for pattern in [&[User][..], &[Optional(&[Number]), Lit("x")], &[OneOf(&[VERB, &[Number]])]] {
            assert!(may_be(pattern, "") && may_be(pattern, "anything at all"));
        }
    }

    #[test]
    fn a_start_goes_on_through_what_may_be_missing_and_through_choices() {
        const LOGIN: Pattern = &[
            OneOf(&[&[Lit("imap: ")], &[Lit("pop3: ")]]),
            Optional(&[Lit("Info: ")]),
            Not("Login: x"),
            Lit("Login: "),
            User,
        ];
        for (message, fits) in [
            ("imap: Login: a", true),
            ("pop3: Info: Login: a", true),
            ("pop3: Info: Logi? a", true),
            ("pop3: Info: Lost: a", false),
            ("imap: Logout", false),
            ("imap: ", false),
            ("Login: a", false),
        ] {
            assert_eq!(may_be(LOGIN, message), fits, "{message}");
        }
    }

    #[test]
    fn of_more_patterns_than_bits_those_of_one_bit_are_not_told_apart() {
        let starts = Starts::of((0..70).map(|nth| if nth == 66 { &[Lit("x")][..] } else { &[Lit("y")][..] }));
        let fitting = starts.fitting(b"x");
        assert_eq!((0..70).filter(|nth| fitting.has(*nth)).collect::<Vec<_>>(), [2, 66]);
    }
}
