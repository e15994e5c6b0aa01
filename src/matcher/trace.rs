//! Reads one message as the matchers do, and keeps what each part of a pattern took, or where it ended. Pure; not on the
//! way of a log line.

use regex_syntax::ast::{Ast, parse::Parser};

use super::Kind;
use super::any::{AnyMatcher, Form};
use super::custom::{self, Expression};
use super::pattern::{Piece, split_at_user};
use super::reader::{self, Reader, Side};

/// How one pattern reads a message.
#[derive(Debug)]
pub(crate) struct Attempt<'m> {
    pub(crate) matcher: AnyMatcher,
    pub(crate) kind: Kind,
    pub(crate) form: Form,
    /// What was taken, in the order of the message.
    pub(crate) parts: Vec<Part<'m>>,
    /// Set if the pattern does not fit.
    pub(crate) failure: Option<Failure<'m>>,
}

/// What a part of a pattern took.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part<'m> {
    pub(crate) name: String,
    /// First byte in the message.
    pub(crate) at: usize,
    pub(crate) text: &'m [u8],
}

/// Where a pattern ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure<'m> {
    /// The part that does not fit.
    pub(crate) part: String,
    /// First byte of what was left.
    pub(crate) at: usize,
    /// What was left.
    pub(crate) rest: &'m [u8],
    /// The part was looked for at the right end of what was left.
    pub(crate) from_end: bool,
}

/// How each pattern of a matcher reads the message, in the order in which they are tried.
pub(crate) fn attempts<'m>(matcher: &AnyMatcher, message: &'m [u8]) -> Vec<Attempt<'m>> {
    let attempt = |(kind, form)| {
        let (mut parts, failure) = match &form {
            Form::Pieces(pattern) => by_pieces(pattern, message),
            Form::SitePieces(pieces) => by_pieces(pieces, message),
            Form::Expression(expression) => by_expression(expression, message),
        };
        parts.sort_by_key(|part| part.at);
        Attempt { matcher: matcher.clone(), kind, form, parts, failure }
    };
    matcher.forms().into_iter().map(attempt).collect()
}

type Trace<'m> = (Vec<Part<'m>>, Option<Failure<'m>>);

fn by_pieces<'m>(pattern: &[Piece], message: &'m [u8]) -> Trace<'m> {
    let (head, user, tail) = split_at_user(pattern);
    let mut walk = Walk { reader: Reader::new(message), start: 0, parts: Vec::new() };
    if let Some(failure) = head.iter().find_map(|piece| walk.step(piece)) {
        return (walk.parts, Some(failure));
    }
    walk.reader.side = Side::Right;
    if let Some(failure) = tail.iter().rev().find_map(|piece| walk.step(piece)) {
        return (walk.parts, Some(failure));
    }
    let rest = walk.reader.unread;
    let at = walk.start;
    let failure = match user {
        Some(user) if reader::is_user(user, rest) => {
            walk.parts.push(Part { name: user.to_string(), at, text: rest });
            None
        }
        Some(Piece::ShortUser(longest, _)) if rest.len() > *longest => {
            Some(failure(format!("{{user}} of at most {longest} bytes"), at, rest))
        }
        Some(Piece::UserWithout(texts) | Piece::ShortUser(_, texts)) => {
            let texts: Vec<_> = texts.iter().map(|text| format!("{text:?}")).collect();
            Some(failure(format!("{{user}} without {}", texts.join(", ")), at, rest))
        }
        Some(user) => Some(failure(user.to_string(), at, rest)),
        None if rest.is_empty() => None,
        None => Some(failure("end of the message".to_owned(), at, rest)),
    };
    (walk.parts, failure)
}

fn failure(part: String, at: usize, rest: &[u8]) -> Failure<'_> {
    Failure { part, at, rest, from_end: false }
}

/// The reader, and where what it has not read begins.
struct Walk<'m> {
    reader: Reader<'m>,
    start: usize,
    parts: Vec<Part<'m>>,
}

impl<'m> Walk<'m> {
    /// Takes one piece; how it fails, if it does.
    fn step(&mut self, piece: &Piece) -> Option<Failure<'m>> {
        let before = self.reader.unread;
        let from_end = self.reader.side == Side::Right;
        if !self.reader.piece(piece) {
            return Some(Failure { part: piece.to_string(), at: self.start, rest: before, from_end });
        }
        let left = self.reader.unread.len();
        let (at, text) =
            if from_end { (self.start + left, &before[left..]) } else { (self.start, &before[..before.len() - left]) };
        if !from_end {
            self.start += text.len();
        }
        if !text.is_empty() {
            self.parts.push(Part { name: piece.to_string(), at, text });
        }
        None
    }
}

fn by_expression<'m>(expression: &Expression, message: &'m [u8]) -> Trace<'m> {
    let Some(groups) = expression.groups(message) else {
        return (Vec::new(), Some(end_of_expression(expression.source(), message)));
    };
    let parts = groups.into_iter().map(|(name, start, end)| {
        let text = &message[start..end];
        Part { name: format!("{{{name}}}"), at: start, text }
    });
    let parts: Vec<_> = parts.collect();
    let no_address = expression.read(message).is_none().then(|| {
        let at = parts.iter().find(|part| part.name == "{ip}").map_or(0, |part| part.at);
        failure("an address".to_owned(), at, parts.iter().find(|part| part.at == at).map_or(b"", |part| part.text))
    });
    (parts, no_address)
}

/// The longest beginning of the expression that fits a beginning of the message tells how far it got.
fn end_of_expression<'m>(source: &str, message: &'m [u8]) -> Failure<'m> {
    let ends = ends(source);
    let fits = |end: &usize| custom::compile(source.get(..*end)?).ok()?.find(message).map(|found| found.end());
    let (from, at) = ends.iter().rev().find_map(|end| Some((*end, fits(end)?))).unwrap_or((0, 0));
    let part = source.get(from..).unwrap_or_default();
    failure(part.to_owned(), at, &message[at..])
}

/// Where the parts of an expression that stand one behind the other end.
fn ends(source: &str) -> Vec<usize> {
    match &Parser::new().parse(source) {
        Ok(Ast::Concat(concat)) => concat.asts.iter().map(|ast| ast.span().end.offset).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;
    use crate::matcher::BUILTIN;

    fn failures(name: &str, message: &'static str) -> Vec<Option<(String, usize)>> {
        let matcher = BUILTIN.iter().find(|m| m.name == name).expect("built in");
        let attempts = attempts(&matcher.into(), message.as_bytes());
        attempts.into_iter().map(|a| a.failure.map(|failure| (failure.part, failure.at))).collect()
    }

    #[test]
    fn what_fits_is_shown_in_order_and_covers_the_message() {
        let message = b"LOGIN, user=alice, ip=[198.51.100.1], port=[99]";
        let matcher = BUILTIN.iter().find(|m| m.name == "courier").expect("built in");
        let login = &attempts(&matcher.into(), message)[0];
        assert_eq!(login.failure, None);
        let texts: Vec<_> = login.parts.iter().map(|part| part.text).collect();
        assert_eq!(texts.concat(), message);
        assert_eq!((login.parts[1].name.as_str(), login.parts[1].at), ("{user}", 12));
        assert_eq!(login.parts[1].text, b"alice");
    }

    #[test]
    fn a_failure_has_a_part_and_a_place() {
        let message = "LOGIN, user=alice, ip=[198.51.100.1 ]";
        assert_eq!(failures("courier", message)[0], Some(("]".to_owned(), 12)).map(|_| ("{client}".to_owned(), 12)));
        assert_eq!(failures("uw-imap", message)[0].as_ref().map(|f| f.1), Some(0));
    }

    #[test]
    fn an_expression_tells_how_far_it_got() {
        let end = end_of_expression("^Login user=(?P<user>[a-z]+) ip=(?P<ip>[0-9.]+)$", b"Login user=bob ip=x");
        assert_eq!((end.part.as_str(), end.at), ("(?P<ip>[0-9.]+)$", 18));
        assert_eq!(end_of_expression("^Login$", b"Logout").part, "in$");
    }
}
