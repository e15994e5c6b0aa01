//! The lines around a user name: failures, what the server logged before a login, when no login is due.

use std::net::IpAddr;

use pop_before_smtp::line::syslog::holds_later_stamp;
use pop_before_smtp::matcher::pattern::{Pattern, Piece};
use pop_before_smtp::matcher::{Action, Key, Matcher};

/// Stamp of the lines that [`line`] makes.
const STAMP: &[u8] = b"Nov 22 16:00:00";

pub(crate) fn fill(format: &str, user: &[u8], client: IpAddr) -> Vec<u8> {
    let fill = |byte| match byte {
        b'U' => user.to_vec(),
        b'A' => client.to_string().into_bytes(),
        b'Q' => quoted(user),
        other => vec![other],
    };
    // `U`, `Q` (the name in quotes) and `A` stand alone: a capital inside a word is text.
    let bytes = format.as_bytes();
    let letter = |at: Option<usize>| at.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_alphanumeric);
    let alone = |at: usize| !letter(at.checked_sub(1)) && !letter(Some(at + 1));
    bytes.iter().enumerate().flat_map(|(at, b)| if alone(at) { fill(*b) } else { vec![*b] }).collect()
}

/// Whether nothing but its end tells the failure from a success: an anonymous session, where the name is the server's, and
/// messages with the name before the verb or the verdict behind it. Only that no message of 900 bytes counts keeps a cut
/// one from being taken for a success.
pub(crate) fn must_be_whole(format: &str) -> bool {
    let anonymous = format.contains("ANONYMOUS") || format.contains("nopassword");
    anonymous
        || ["Auth: ", "LOGIN: '", "rhost=", "imap-login: Login: "].iter().any(|verb| format.starts_with(verb))
        || format.contains(" proxy(U)")
}

fn quoted(user: &[u8]) -> Vec<u8> {
    let escape = |b: &u8| if matches!(b, b'"' | b'\\') { vec![b'\\', *b] } else { vec![*b] };
    [b"\"".to_vec(), user.iter().flat_map(escape).collect(), b"\"".to_vec()].concat()
}

pub(crate) fn line(program: &str, message: &[u8]) -> Vec<u8> {
    [STAMP, b" mail ", program.as_bytes(), b"[4711]: ", message].concat()
}

/// What the server logs before: the connection if the login does not tell the address, the login before the end.
pub(crate) fn earlier(matcher: &'static Matcher, action: Action, pattern: Pattern) -> impl Iterator<Item = Pattern> {
    let named = |pattern: Pattern| {
        pattern.iter().any(|p| matches!(p, Piece::Client | Piece::ClientPort | Piece::ClientPortInBrackets))
    };
    let login = matcher.logins.iter().find(|login| named(login)).or(matcher.logins.first());
    let login = login.filter(|_| action == Action::Logout && matcher.key != Key::None);
    let connect = matcher.connects.first().filter(|_| login.is_some() || !named(pattern));
    connect.into_iter().chain(login).copied()
}

/// Some patterns share out name and domain, or name and counts, differently; some print no name, or not as it is.
pub(crate) fn is_name_shared(matcher: &Matcher, pattern: Pattern) -> bool {
    matches!(matcher.name, "qpopper" | "vm-pop3d" | "vdpop3d" | "solid-pop3d" | "popa3d" | "perdition")
        || !pattern.iter().any(|p| matches!(p, Piece::User | Piece::UserWithout(_) | Piece::ShortUser(..)))
}

/// Whether a success with this name may be missed: other messages of the server look like it, or it could be two lines in
/// one.
pub(crate) fn is_barred(pattern: Pattern, user: &[u8]) -> bool {
    let by = |piece: &Piece| match piece {
        Piece::Not(text) => user.starts_with(text.as_bytes()) || text.trim_end().as_bytes() == user,
        Piece::ShortUser(longest, _) if user.len() > *longest => true,
        Piece::UserWithout(texts) | Piece::ShortUser(_, texts) => {
            texts.iter().any(|text| user.windows(text.len()).any(|part| part == text.as_bytes()))
        }
        _ => false,
    };
    let is_printed = pattern
        .iter()
        .any(|p| matches!(p, Piece::User | Piece::UserWithout(_) | Piece::ShortUser(..) | Piece::UserValue));
    let is_strange = || holds_later_stamp(STAMP, user) || printed(pattern, user).is_empty();
    pattern.iter().any(by) || is_printed && is_strange()
}

/// The name as it can be read: a carriage return at the end of a line is not of the message.
pub(crate) fn printed(pattern: Pattern, user: &[u8]) -> &[u8] {
    match pattern.last() {
        Some(Piece::User | Piece::UserWithout(_) | Piece::ShortUser(..)) => user.strip_suffix(b"\r").unwrap_or(user),
        _ => user,
    }
}
