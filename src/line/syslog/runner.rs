//! What container runtimes and log runners put in front of each line that a program writes. Pure.
//!
//! multilog, s6-log and svlogd put a stamp there, `docker logs -t` as well, `docker compose logs` the container's name and a
//! bar, Kubernetes a stamp and the stream, `kubectl logs --prefix` the pod and the container. Behind it stands what the program
//! wrote: its own line with its own stamp, one of a syslog daemon, or a tag. The runtime does that for every line, so a
//! stranger's newline in a message gets it, too (`src/matcher/newlines.rs`).

use super::forms::Form;
use super::servers::{nginx_stamp, program_first};
use super::site::behind_prefix;
use super::stamps::{may_be_of_runner, stamp};
use super::{Found, Header, origin, within};
use crate::line::bytes::Class;
use crate::line::stamp::is_of_svlogd;

/// Headers of runtimes and runners that may stand in front of each other: compose, a stamp, a runner in the container.
const MOST: usize = 3;

/// The stream of a container that a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// `stdout`.
    Out,
    /// `stderr`.
    Err,
}

/// A line that Kubernetes' runtime wrote: a whole line of the container or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'l> {
    /// Where it comes from.
    pub stream: Stream,
    /// Whether the line of the container goes on in the next of the same stream.
    pub is_part: bool,
    /// What the container wrote.
    pub text: &'l [u8],
}

/// What the runtime of Kubernetes says of a line, if it wrote it: `STAMP stdout F text`.
pub fn piece(line: &[u8]) -> Option<Piece<'_>> {
    let line = behind_prefix(line)?;
    line.first().filter(|first| first.is_ascii_digit())?;
    let (time, rest) = stamp(line)?;
    piece_behind(time, rest)
}

fn piece_behind<'l>(time: &[u8], rest: &'l [u8]) -> Option<Piece<'l>> {
    let (stream, rest) = match rest.strip_prefix(b"std").filter(|_| time.get(10) == Some(&b'T'))? {
        [b'o', b'u', b't', b' ', rest @ ..] => (Stream::Out, rest),
        [b'e', b'r', b'r', b' ', rest @ ..] => (Stream::Err, rest),
        _ => return None,
    };
    match rest {
        [tag @ (b'F' | b'P'), b' ', text @ ..] => Some(Piece { stream, is_part: *tag == b'P', text }),
        // Nothing but a newline.
        [tag @ (b'F' | b'P')] => Some(Piece { stream, is_part: *tag == b'P', text: &rest[1..] }),
        _ => None,
    }
}

/// Whether a line is a part of one, or may be the rest: something in front keeps its pieces from being joined.
pub(super) fn is_loose_piece(time: &[u8], rest: &[u8], has_front: bool) -> bool {
    piece_behind(time, rest).is_some_and(|piece| piece.is_part || has_front)
}

/// A stamp that only runners write.
pub(super) fn is_of_runner(time: &[u8]) -> bool {
    time.first() == Some(&b'@') || is_of_svlogd(time)
}

/// A line that begins with a stamp of a runtime or runner, with a line of its own behind it.
pub(super) fn stamped<'l>(time: &'l [u8], rest: &'l [u8], depth: usize) -> Option<Found<'l>> {
    if !may_be_of_runner(time) || depth >= MOST {
        return None;
    }
    if let Some(piece) = piece_behind(time, rest) {
        let inner = within(piece.text, depth + 1).map(|found| behind(time, found));
        // What it would be without the stream is not a runner's by itself.
        let inner = inner.or_else(|| origin::read(time, piece.text).map(|found| with_inner(found, time)));
        return inner.map(|found| found.with(Form::Kubernetes));
    }
    if !may_have_own_header(rest) {
        return None;
    }
    within(rest, depth + 1).map(|found| behind(time, found).with(Form::of_runner(time)))
}

/// Whether a line begins as if it had a stamp or priority of its own, not just a host or program.
pub(super) fn may_have_own_header(line: &[u8]) -> bool {
    match line.first() {
        Some(b'<' | b'@') => true,
        Some(b'0'..=b'9') if line.starts_with(b"1 ") || stamp(line).is_some() || nginx_stamp(line).is_some() => true,
        Some(b'A'..=b'Z') if stamp(line).is_some() => true,
        Some(b'0'..=b'9') => compose(line).is_some(),
        _ => program_first(line).is_some() || compose(line).is_some(),
    }
}

/// A line with the name of a container in front.
pub(super) fn named(line: &[u8], depth: usize) -> Option<Found<'_>> {
    let (container, text, form) = compose(line).or_else(|| pod(line)).filter(|_| depth < MOST)?;
    let found = within(text, depth + 1)?;
    Some(Found { header: Header { container: Some(container), ..found.header }, ..found }.with(form))
}

/// `name  | ` of `docker compose logs`, and what is behind it; both may be coloured. `docker service logs` names the task and the
/// node: `mail_dovecot.1.abc@node    | `.
fn compose(line: &[u8]) -> Option<(&[u8], &[u8], Form)> {
    const MOST_SPACES: usize = 64;
    let coloured = colour(line);
    let (container, rest) = coloured.unwrap_or(line).split_at(TASK.run(coloured.unwrap_or(line)));
    let bar = rest.iter().take(MOST_SPACES).position(|byte| *byte != b' ').filter(|spaces| *spaces > 0)?;
    let rest = rest[bar..].strip_prefix(b"|")?;
    // Version 1 takes the colour back in front of the space, later ones behind it.
    let text = match (coloured, colour(rest)) {
        (None, _) => rest.strip_prefix(b" ")?,
        (Some(_), Some(behind)) => behind.strip_prefix(b" ")?,
        (Some(_), None) => colour(rest.strip_prefix(b" ")?)?,
    };
    (!container.is_empty()).then_some((container, text, Form::Compose))
}

/// Behind what sets a colour of the terminal.
fn colour(text: &[u8]) -> Option<&[u8]> {
    let codes = text.strip_prefix(b"\x1b[")?;
    codes[CODES.run(codes)..].strip_prefix(b"m")
}

/// `[pod/name/container] ` of `kubectl logs --prefix`, and what is behind it.
fn pod(line: &[u8]) -> Option<(&[u8], &[u8], Form)> {
    let inner = line.strip_prefix(b"[")?;
    let behind_pod = inner.strip_prefix(b"pod/")?;
    let container = behind_pod[name(behind_pod)?..].strip_prefix(b"/")?;
    let rest = &container[name(container)?..];
    Some((&inner[..inner.len() - rest.len()], rest.strip_prefix(b"] ")?, Form::Pod))
}

fn name(text: &[u8]) -> Option<usize> {
    Some(NAME.run(text)).filter(|length| *length > 0)
}

/// Bytes in front of what a program wrote, as far as a runtime or runner may have put them there.
pub fn prefix(line: &[u8]) -> usize {
    let mut text = behind_prefix(line).unwrap_or(line);
    for _ in 0..MOST {
        let name = || compose(text).or_else(|| pod(text)).map(|(_, rest, _)| rest);
        text = match stamp(text).filter(|(time, _)| may_be_of_runner(time)) {
            Some((time, rest)) => piece_behind(time, rest).map_or(rest, |piece| piece.text),
            None => match name() {
                Some(rest) => rest,
                None => break,
            },
        };
    }
    line.len() - text.len()
}

/// A line with a stamp of a runtime or runner in front of it.
fn behind<'l>(time: &'l [u8], found: Found<'l>) -> Found<'l> {
    let inner = found.header.inner_time.unwrap_or(found.header.time);
    Found { header: Header { time, inner_time: Some(inner), ..found.header }, ..found }
}

fn with_inner<'l>(found: Found<'l>, time: &'l [u8]) -> Found<'l> {
    Found { header: Header { inner_time: Some(time), ..found.header }, ..found }
}

/// What the names of containers are made of, and of tasks on a node.
static NAME: Class = Class::letters_digits_and(b"._-");
static TASK: Class = Class::letters_digits_and(b"._-@");
static CODES: Class = Class::new(b'0', b'9', b"").with(b";", true);
