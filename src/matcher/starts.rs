//! Turns most patterns away by the first bytes of a message. Pure.

use super::pattern::{Pattern, Piece};

/// Bytes that are compared.
const LENGTH: usize = 8;

/// How the messages of a pattern may start; empty if in any way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Starts(Vec<Start>);

/// The first bytes, and a mask for those that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start {
    bytes: u64,
    mask: u64,
}

/// The first bytes of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct First(u64);

impl First {
    pub(super) fn of(message: &[u8]) -> Self {
        Self(word(message))
    }
}

impl Starts {
    pub(super) fn of(pattern: Pattern) -> Self {
        let mut starts: Vec<Start> = texts(pattern).unwrap_or_default().into_iter().map(Start::of).collect();
        starts.dedup();
        Self(starts)
    }

    pub(super) fn may_be(&self, first: First) -> bool {
        self.0.is_empty() || self.0.iter().any(|start| first.0 & start.mask == start.bytes)
    }
}

impl Start {
    fn of(text: &[u8]) -> Self {
        Self { bytes: word(text), mask: word(&vec![0xff; text.len().min(LENGTH)]) }
    }
}

/// The first bytes as a number, zeros behind a shorter text.
fn word(text: &[u8]) -> u64 {
    match text.first_chunk::<LENGTH>() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => text.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// Texts with one of which every message of the pattern starts.
fn texts(pattern: Pattern) -> Option<Vec<&'static [u8]>> {
    match pattern.first()? {
        Piece::Lit(text) => Some(vec![text.as_bytes()]),
        Piece::OneOf(choices) => {
            choices.iter().map(|choice| texts(choice)).collect::<Option<Vec<_>>>().map(|all| all.concat())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::pattern::Piece::*;
    use super::*;

    #[test]
    fn only_a_message_that_cannot_fit_is_turned_away() {
        let may_be = |pattern, message: &str| Starts::of(pattern).may_be(First::of(message.as_bytes()));
        const VERB: Pattern = &[OneOf(&[&[Lit("Login user=")], &[Lit("Auth")]]), User];
        for (message, fits) in [
            ("Login user=a", true),
            ("Login usher", true),
            ("Login u", false),
            ("Auth", true),
            ("Authx", true),
            ("Aut", false),
            ("xAuth", false),
            ("", false),
        ] {
            assert_eq!(may_be(VERB, message), fits, "{message}");
        }
        for pattern in [&[User][..], &[Optional(VERB), Lit("x")], &[OneOf(&[VERB, &[Number]])]] {
            assert!(may_be(pattern, "") && may_be(pattern, "anything at all"));
        }
    }
}
