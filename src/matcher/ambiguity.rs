//! Decides whether a stranger's text can imitate a group of a regular expression. Pure.
//!
//! Two machines read the same message. One is the server as it may be at its worst: the expression in which the user's
//! text, every run that may hold more than an identifier, and every run of letters behind one of these is any bytes at
//! all, and the address any address: nothing says that what looks like a word there was not chosen by the client, too.
//! The other is the expression as written. If there is a message for which the server's group and the reader's group are
//! not the same bytes, then a stranger can write it. A search through all pairs of states finds the shortest one or
//! shows that there is none; whether `*` is greedy or lazy plays no role.

use std::collections::HashSet;

use regex_automata::nfa::thompson::{Compiler, Config, NFA, State, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_syntax::hir::{Capture, Class, ClassBytes, ClassBytesRange, Dot, Hir, HirKind, Repetition};

use super::{custom, lint};

/// Most bytes of a machine, and most pairs of states that are looked at: patterns for a message need some hundreds.
const LARGEST: usize = 1 << 18;
const MOST_PAIRS: usize = 1 << 17;

/// Why the group cannot be trusted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// A message that can be read in two ways.
    Example(Vec<u8>),
    /// It was not decided.
    TooLarge,
}

/// A message in which the group could be two different texts, if there is one. The only anchors are `^` and `$` at the
/// ends, and the group is always there, once, and never empty.
pub(super) fn find(hir: &Hir, group: u32) -> Option<Finding> {
    // If no group tells which run is the user's, it may be the first.
    let mut free = !lint::names(hir).contains(&"user");
    let (Some(server), Some(reader)) = (machine(&widen(hir, &mut free)), machine(hir)) else {
        return Some(Finding::TooLarge);
    };
    Search { server: &server, reader: &reader, group, seen: HashSet::new(), steps: Vec::new() }.run()
}

/// The example with addresses in it that look like addresses, if it is still an example of the expression.
pub(super) fn illustrate(source: &str, example: &[u8]) -> Vec<u8> {
    let Ok(regex) = custom::compile(source) else { return example.to_vec() };
    let mut line = Vec::new();
    for byte in example {
        // The search uses this digit wherever a digit will do.
        line.extend_from_slice(if *byte == DIGIT { b"192.0.2.1" } else { std::slice::from_ref(byte) });
    }
    if regex.is_match(&line) { line } else { example.to_vec() }
}

const DIGIT: u8 = b'1';

fn machine(hir: &Hir) -> Option<NFA> {
    let config = Config::new().utf8(false).nfa_size_limit(Some(LARGEST)).which_captures(WhichCaptures::All);
    Compiler::new().configure(config).build_from_hir(hir).ok()
}

/// What the server may write where the expression fits. `free`: text of the client may have stood in front, so that a run
/// of letters may be the client's, too.
fn widen(hir: &Hir, free: &mut bool) -> Hir {
    if lint::is_free_run(hir) || (*free && lint::is_word_run(hir)) {
        *free = true;
        return anything();
    }
    match hir.kind() {
        HirKind::Capture(capture) => {
            let sub = match capture.name.as_deref() {
                Some("user") => {
                    *free = true;
                    anything()
                }
                Some("ip") => addresses(),
                Some("session") => capture.sub.as_ref().clone(),
                _ => widen(&capture.sub, free),
            };
            Hir::capture(Capture { sub: Box::new(sub), ..capture.clone() })
        }
        HirKind::Repetition(repetition) => repeat(widen(&repetition.sub, free), repetition.min, repetition.max),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(|part| widen(part, free)).collect()),
        HirKind::Alternation(parts) => {
            let before = *free;
            let mut widen_choice = |part: &Hir| {
                let mut behind = before;
                let choice = widen(part, &mut behind);
                *free |= behind;
                choice
            };
            Hir::alternation(parts.iter().map(&mut widen_choice).collect())
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
    }
}

fn repeat(hir: Hir, min: u32, max: Option<u32>) -> Hir {
    Hir::repetition(Repetition { min, max, greedy: true, sub: Box::new(hir) })
}

fn anything() -> Hir {
    repeat(Hir::dot(Dot::AnyByte), 0, None)
}

fn addresses() -> Hir {
    let ranges = [(b'0', b':'), (b'A', b'F'), (b'a', b'f'), (b'.', b'.')];
    let class = ClassBytes::new(ranges.map(|(first, last)| ClassBytesRange::new(first, last)));
    repeat(Hir::class(Class::Bytes(class)), 1, None)
}

/// Where one machine is, and whether it is inside the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct NfaPosition {
    state: StateID,
    inside: bool,
}

/// Both machines, and whether they have ever disagreed about the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Pair {
    server: NfaPosition,
    reader: NfaPosition,
    differ: bool,
}

/// How the search came to a pair: from which step, over which byte.
struct Step {
    pair: Pair,
    from: usize,
    byte: Option<u8>,
}

struct Search<'n> {
    server: &'n NFA,
    reader: &'n NFA,
    group: u32,
    seen: HashSet<Pair>,
    steps: Vec<Step>,
}

impl Search<'_> {
    fn run(mut self) -> Option<Finding> {
        let start = |nfa: &NFA| NfaPosition { state: nfa.start_anchored(), inside: false };
        let first = Pair { server: start(self.server), reader: start(self.reader), differ: false };
        self.visit(first, 0, None);
        let mut at = 0;
        while at < self.steps.len() {
            if at > MOST_PAIRS {
                return Some(Finding::TooLarge);
            }
            if self.leave(at) {
                return Some(Finding::Example(self.text(at)));
            }
            at += 1;
        }
        None
    }

    fn visit(&mut self, pair: Pair, from: usize, byte: Option<u8>) {
        if self.seen.insert(pair) {
            self.steps.push(Step { pair, from, byte });
        }
    }

    /// Visits what follows the step; true if it is an end at which the machines have disagreed.
    fn leave(&mut self, at: usize) -> bool {
        let pair = self.steps[at].pair;
        if let Some(places) = silent(self.server, pair.server, self.group) {
            places.into_iter().for_each(|server| self.visit(Pair { server, ..pair }, at, None));
            return false;
        }
        if let Some(places) = silent(self.reader, pair.reader, self.group) {
            places.into_iter().for_each(|reader| self.visit(Pair { reader, ..pair }, at, None));
            return false;
        }
        let differ = pair.differ || pair.server.inside != pair.reader.inside;
        let from_reader = moves(self.reader, pair.reader);
        let mut next = Vec::new();
        for (first, last, server) in moves(self.server, pair.server) {
            for &(start, end, reader) in &from_reader {
                let (start, end) = (first.max(start), last.min(end));
                if start <= end {
                    next.push((readable(start, end), Pair { server, reader, differ }));
                }
            }
        }
        // Of two bytes that lead to the same pair, the first is in the example.
        next.sort_by_key(|(byte, _)| *byte != DIGIT);
        next.into_iter().for_each(|(byte, pair)| self.visit(pair, at, Some(byte)));
        let is_end = |nfa: &NFA, place: NfaPosition| matches!(nfa.state(place.state), State::Match { .. });
        pair.differ && is_end(self.server, pair.server) && is_end(self.reader, pair.reader)
    }

    /// The message that leads to a step.
    fn text(&self, mut at: usize) -> Vec<u8> {
        let mut text = Vec::new();
        while at != 0 {
            text.extend(self.steps[at].byte);
            at = self.steps[at].from;
        }
        text.reverse();
        text
    }
}

/// Where a machine may go without a byte; `None` if it needs one, or is at its end.
fn silent(nfa: &NFA, place: NfaPosition, group: u32) -> Option<Vec<NfaPosition>> {
    let to = |state: StateID| NfaPosition { state, ..place };
    match nfa.state(place.state) {
        // Anchors stand at the ends only, where they hold.
        State::Look { next, .. } => Some(vec![to(*next)]),
        State::Union { alternates } => Some(alternates.iter().map(|state| to(*state)).collect()),
        State::BinaryUnion { alt1, alt2 } => Some(vec![to(*alt1), to(*alt2)]),
        State::Capture { next, group_index, slot, .. } if group_index.as_u32() == group => {
            Some(vec![NfaPosition { state: *next, inside: slot.as_usize() % 2 == 0 }])
        }
        State::Capture { next, .. } => Some(vec![to(*next)]),
        _ => None,
    }
}

/// Where a machine may go over which bytes.
fn moves(nfa: &NFA, place: NfaPosition) -> Vec<(u8, u8, NfaPosition)> {
    let to = |state: StateID| NfaPosition { state, ..place };
    match nfa.state(place.state) {
        State::ByteRange { trans } => vec![(trans.start, trans.end, to(trans.next))],
        State::Sparse(sparse) => sparse.transitions.iter().map(|t| (t.start, t.end, to(t.next))).collect(),
        // The first state is the one that fails.
        State::Dense(dense) => (0..=u8::MAX)
            .zip(dense.transitions.iter())
            .filter(|(_, next)| **next != StateID::ZERO)
            .map(|(byte, next)| (byte, byte, to(*next)))
            .collect(),
        _ => Vec::new(),
    }
}

/// The byte of a range that reads best in an example.
fn readable(first: u8, last: u8) -> u8 {
    let range = first..=last;
    let liked = [DIGIT, b'a', b'A', b' '];
    liked.into_iter().find(|b| range.contains(b)).unwrap_or_else(|| first.max(b'!').min(last))
}
