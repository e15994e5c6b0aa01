//! Refuses regular expressions that a stranger's text could turn into a forged login. Pure.
//!
//! The rules are those of the built-in patterns: anchored at both ends, a verb in front of the user name, one strict
//! address. That no user name can imitate the address is not guessed but decided: see [`ambiguity`].

use std::fmt;

use regex_syntax::hir::{Class, ClassBytes, Hir, HirKind, Look};

use super::ambiguity;

/// What to write for the address.
const ADDRESS: &str = "(?P<ip>[0-9A-Fa-f:.]+)";

/// What to write for the id of a session.
const SESSION: &str = "(?P<session>[A-Za-z0-9._+/=-]+)";

/// Letters of literal text that make a verb.
const VERB: usize = 4;

/// Why a value cannot be used, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong.
    pub reason: String,
    /// What helps.
    pub cure: String,
}

impl Flaw {
    pub(super) fn new(reason: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { reason: reason.into(), cure: cure.into() }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.reason, self.cure)
    }
}

/// The groups that a pattern cannot do without.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    pub(super) ip: bool,
    pub(super) session: bool,
}

/// Checks the rules.
pub(super) fn check(source: &str, hir: &Hir, need: Need) -> Result<(), Flaw> {
    let pieces = pieces(hir);
    check_anchors(source, hir, &pieces)?;
    check_names(hir)?;
    check_verb(hir)?;
    let ip = check_group(&pieces, hir, "ip", need.ip, ADDRESS, is_address)?;
    let session = check_group(&pieces, hir, "session", need.session, SESSION, is_session)?;
    if let Some(ip) = ip {
        check_lazy(&pieces[..ip])?;
    }
    for (at, what) in [(ip, "an address"), (session, "a session id")] {
        if let Some(HirKind::Capture(group)) = at.map(|at| pieces[at].kind()) {
            check_imitation(source, hir, group.index, what)?;
        }
    }
    Ok(())
}

/// The parts that stand one behind the other in every message; groups without a meaning are opened.
fn pieces(hir: &Hir) -> Vec<&Hir> {
    match hir.kind() {
        HirKind::Concat(parts) => parts.iter().flat_map(pieces).collect(),
        HirKind::Capture(capture) if capture.name.is_none() => pieces(&capture.sub),
        _ => vec![hir],
    }
}

fn check_anchors(source: &str, hir: &Hir, pieces: &[&Hir]) -> Result<(), Flaw> {
    let source = source.replace(char::is_control, " ");
    let is = |piece: Option<&&Hir>, look| matches!(piece.map(|p| p.kind()), Some(HirKind::Look(l)) if *l == look);
    let (front, end) = (is(pieces.first(), Look::Start), is(pieces.last(), Look::End));
    if matches!(hir.kind(), HirKind::Alternation(_))
        || (front != end && source.starts_with('^') && source.ends_with('$'))
    {
        let inner = source.trim_start_matches('^').trim_end_matches('$').replace("$|^", "|");
        let reason = "an alternation | escapes the anchors, or they do not mean the ends of the message";
        return Err(Flaw::new(reason, format!("write ^(?:{inner})$")));
    }
    if !(front && end) {
        let (start, stop) = (if front { "" } else { "^" }, if end { "" } else { "$" });
        return Err(Flaw::new("not anchored at both ends of the message", format!("write {start}{source}{stop}")));
    }
    if pieces[1..pieces.len() - 1].iter().any(|piece| !piece.properties().look_set().is_empty()) {
        let reason = "an anchor or word boundary inside";
        return Err(Flaw::new(reason, "use ^ first and $ last only, and write the bytes that stand between"));
    }
    Ok(())
}

/// A misspelt group would be ignored.
fn check_names(hir: &Hir) -> Result<(), Flaw> {
    match names(hir).into_iter().find(|name| !matches!(*name, "ip" | "user" | "session")) {
        Some(name) => {
            let cure = "the groups are ip, user and session; write (?:...) for others";
            Err(Flaw::new(format!("there is no use for a group {name}"), cure))
        }
        None => Ok(()),
    }
}

pub(super) fn names(hir: &Hir) -> Vec<&str> {
    let own = match hir.kind() {
        HirKind::Capture(capture) => capture.name.as_deref(),
        _ => None,
    };
    own.into_iter().chain(hir.kind().subs().iter().flat_map(names)).collect()
}

fn check_verb(hir: &Hir) -> Result<(), Flaw> {
    let (letters, _) = letters(hir);
    if letters < VERB {
        return Err(Flaw::new(
            "no literal verb stands in front of the user's text, so a failure could look like a login",
            "begin with the server's words for a success: ^Login: user=(?P<user>.*) ...",
        ));
    }
    Ok(())
}

/// Letters of literal text in front of the first text that may be anything, and whether such text was met.
fn letters(hir: &Hir) -> (usize, bool) {
    match hir.kind() {
        HirKind::Literal(literal) => (literal.0.iter().filter(|b| b.is_ascii_alphabetic()).count(), false),
        HirKind::Class(class) => (usize::from(is_letter(class)), false),
        HirKind::Capture(capture) if capture.name.as_deref() == Some("user") => (0, true),
        HirKind::Capture(capture) => letters(&capture.sub),
        HirKind::Repetition(_) if is_free_run(hir) => (0, true),
        HirKind::Repetition(repetition) => {
            let (count, met) = letters(&repetition.sub);
            (if repetition.min > 0 { count } else { 0 }, met)
        }
        HirKind::Concat(parts) => {
            let mut sum = 0;
            for part in parts {
                let (count, met) = letters(part);
                sum += count;
                if met {
                    return (sum, true);
                }
            }
            (sum, false)
        }
        HirKind::Alternation(choices) => {
            let each = choices.iter().map(letters);
            each.reduce(|one, other| (one.0.min(other.0), one.1 || other.1)).unwrap_or_default()
        }
        HirKind::Empty | HirKind::Look(_) => (0, false),
    }
}

/// One letter in either case, as `(?i)` makes it.
fn is_letter(class: &Class) -> bool {
    let Some(ranges) = bytes(class) else { return false };
    match ranges.ranges() {
        [one, two] => {
            let single = one.start() == one.end() && two.start() == two.end();
            single && one.start().is_ascii_alphabetic() && one.start().eq_ignore_ascii_case(&two.start())
        }
        _ => false,
    }
}

/// Where the group stands among the pieces.
fn check_group(
    pieces: &[&Hir],
    hir: &Hir,
    name: &str,
    needed: bool,
    better: &str,
    allowed: fn(u8) -> bool,
) -> Result<Option<usize>, Flaw> {
    let own = |piece: &&Hir| matches!(piece.kind(), HirKind::Capture(c) if c.name.as_deref() == Some(name));
    let Some(at) = pieces.iter().position(own) else {
        if names(hir).contains(&name) {
            let reason = format!("the group {name} may be missing, be repeated, or is inside another");
            return Err(Flaw::new(reason, "put it outside of ?, *, +, | and other named groups"));
        }
        return if needed {
            Err(Flaw::new(format!("there is no group {name}"), format!("write {better} where it stands")))
        } else {
            Ok(None)
        };
    };
    if !has_only(pieces[at], allowed) || pieces[at].properties().minimum_len() == Some(0) {
        let reason = format!("the group {name} may hold other text than its own, or none");
        return Err(Flaw::new(reason, format!("write {better}")));
    }
    Ok(Some(at))
}

/// Whether all bytes of a text that fits are of the class.
fn has_only(hir: &Hir, allowed: fn(u8) -> bool) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => literal.0.iter().all(|b| allowed(*b)),
        HirKind::Class(class) => class_has_only(class, allowed),
        kind => kind.subs().iter().all(|sub| has_only(sub, allowed)),
    }
}

fn class_has_only(class: &Class, allowed: fn(u8) -> bool) -> bool {
    match bytes(class) {
        Some(bytes) => bytes.iter().all(|range| (range.start()..=range.end()).all(allowed)),
        None => false,
    }
}

/// The class in bytes; `None` if it has characters of several bytes.
fn bytes(class: &Class) -> Option<ClassBytes> {
    match class {
        Class::Bytes(bytes) => Some(bytes.clone()),
        Class::Unicode(characters) => characters.to_byte_class(),
    }
}

fn is_address(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
}

fn is_session(byte: u8) -> bool {
    is_identifier(byte)
}

/// Bytes of host names, numbers, and identifiers that servers make.
fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._:+/=@-".contains(&byte)
}

/// A repetition that may hold more than an identifier: a space, a bracket, a quote.
pub(super) fn is_free_run(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(repetition) => repetition.max != Some(1) && holds_free_class(&repetition.sub),
        _ => false,
    }
}

fn holds_free_class(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Class(class) => !class_has_only(class, is_identifier),
        kind => kind.subs().iter().any(holds_free_class),
    }
}

/// A repetition of bytes that a name may consist of, letters among them; an address is none.
pub(super) fn is_word_run(hir: &Hir) -> bool {
    fn holds_letters(hir: &Hir) -> bool {
        match hir.kind() {
            HirKind::Class(class) => {
                !class_has_only(class, is_address) && !class_has_only(class, |b| !b.is_ascii_alphabetic())
            }
            kind => kind.subs().iter().any(holds_letters),
        }
    }
    matches!(hir.kind(), HirKind::Repetition(r) if r.max != Some(1) && holds_letters(&r.sub))
}

fn check_lazy(before: &[&Hir]) -> Result<(), Flaw> {
    fn is_lazy(hir: &Hir) -> bool {
        let lazy = matches!(hir.kind(), HirKind::Repetition(repetition) if !repetition.greedy);
        (lazy && is_free_run(hir)) || hir.kind().subs().iter().any(is_lazy)
    }
    if before.iter().any(|piece| is_lazy(piece)) {
        let reason =
            "lazy free text in front of the address prefers the first address, which the user may have written";
        return Err(Flaw::new(reason, "write .* for .*?"));
    }
    Ok(())
}

fn check_imitation(source: &str, hir: &Hir, group: u32, what: &str) -> Result<(), Flaw> {
    let Some(finding) = ambiguity::find(hir, group) else { return Ok(()) };
    let cure = "say exactly what stands on one side of it, up to the end: a user name may hold anything, so behind it only \
                text of the server may follow, such as (?:, port=[0-9]+)?$, and an id of the server is named \
                (?P<session>...)";
    let named = names(hir).contains(&"user");
    let cure = if named { cure.to_owned() } else { format!("name the user's text (?P<user>...), and {cure}") };
    let reason = match finding {
        ambiguity::Finding::Example(line) => {
            let line = ambiguity::illustrate(source, &line);
            format!(
                "the user's text could imitate {what}: \"{}\" can be read in two ways",
                crate::output::escape::printable(&line)
            )
        }
        ambiguity::Finding::TooLarge => format!("too large to show that no text can imitate {what}"),
    };
    Err(Flaw::new(reason, cure))
}
