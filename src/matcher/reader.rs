//! Reads a message by a pattern: from the left up to the user name, from the right end for the rest. Pure.

use std::net::IpAddr;

use super::address;
use super::pattern::{Piece, Ports, SitePiece, split_at_user};
use crate::line::bytes::Class;

/// How often a repeated part may occur; real messages have at most a handful.
const MOST_REPEATS: usize = 16;

/// What a pattern read in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reading<'m> {
    /// The client's address; IPv4-mapped IPv6 reduced to IPv4.
    pub(super) client: Option<IpAddr>,
    /// The user name as logged.
    pub(super) user: Option<&'m [u8]>,
    /// The server's id of the session.
    pub(super) session: Option<&'m [u8]>,
}

/// Reads the whole message by the pattern.
pub(super) fn read<'m>(pattern: &[Piece], message: &'m [u8]) -> Option<Reading<'m>> {
    let (head, user, tail) = split_at_user(pattern);
    let mut reader = Reader::new(message);
    if !reader.read(head) {
        return None;
    }
    let Some(user) = user else {
        return reader.unread.is_empty().then_some(reader.reading);
    };
    reader.side = Side::Right;
    let whole = reader.read(tail) && is_user(user, reader.unread);
    whole.then_some(Reading { user: Some(reader.unread), ..reader.reading })
}

/// Whether the message begins so; anything may follow.
pub(super) fn begins(start: &[Piece], message: &[u8]) -> bool {
    Reader::new(message).read(start)
}

pub(super) fn is_user(piece: &Piece, text: &[u8]) -> bool {
    match piece {
        Piece::ShortUser(longest, _) if text.len() > *longest => false,
        Piece::UserWithout(others) | Piece::ShortUser(_, others) => {
            let is_simple = NAME.run(text) == text.len();
            let lacks = |other: &&str| {
                // A simple name holds nothing that ends in another byte.
                let ends_otherwise = other.as_bytes().last().is_some_and(|byte| !NAME.has(*byte));
                is_simple && ends_otherwise || memchr::memmem::find(text, other.as_bytes()).is_none()
            };
            !text.is_empty() && others.iter().all(lacks)
        }
        _ => !text.is_empty(),
    }
}

/// The end of the message from which the reader takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

#[derive(Clone, Copy)]
pub(super) struct Reader<'m> {
    pub(super) unread: &'m [u8],
    reading: Reading<'m>,
    pub(super) side: Side,
}

impl<'m> Reader<'m> {
    pub(super) fn new(message: &'m [u8]) -> Self {
        Self { unread: message, reading: Reading::default(), side: Side::Left }
    }

    fn read(&mut self, pieces: &[Piece]) -> bool {
        match self.side {
            Side::Left => pieces.iter().all(|piece| self.piece(piece)),
            Side::Right => pieces.iter().rev().all(|piece| self.piece(piece)),
        }
    }

    /// What nearly every message is made of, without a call for each piece of it.
    #[inline(always)]
    pub(super) fn piece(&mut self, piece: &Piece) -> bool {
        match *piece {
            Piece::Lit(text) => self.literal(text.as_bytes()),
            Piece::Number => !self.run(&DIGITS).is_empty(),
            Piece::OneOf(choices) => self.one_of(choices),
            Piece::Optional(pieces) => {
                self.one_of(&[pieces]);
                true
            }
            Piece::Client => {
                self.reading.client = self.address();
                self.reading.client.is_some()
            }
            Piece::Session => {
                let id = self.run(&TOKEN);
                self.reading.session = Some(id);
                !id.is_empty()
            }
            Piece::Method => is_method_name(self.run(&METHOD)),
            Piece::Many(choices) => {
                for _ in 0..MOST_REPEATS {
                    if !self.one_of(choices) {
                        break;
                    }
                }
                true
            }
            Piece::Address => self.address().is_some(),
            _ => self.other(piece),
        }
    }

    #[inline(never)]
    fn other(&mut self, piece: &Piece) -> bool {
        match *piece {
            Piece::Not(text) => !self.unread.starts_with(text.as_bytes()),
            Piece::Site(ref piece) => match &**piece {
                SitePiece::Lit(text) => self.literal(text.as_bytes()),
                SitePiece::Not(text) => !self.unread.starts_with(text.as_bytes()),
                SitePiece::Optional(pieces) => {
                    self.one_of(&[pieces]);
                    true
                }
            },
            Piece::ClientPort => {
                self.reading.client = endpoint(self.run(&NUMERIC)).map(|(address, _)| address.to_canonical());
                self.reading.client.is_some()
            }
            Piece::ClientPortInBrackets => {
                let inner = self.run(&NUMERIC).strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]"));
                self.reading.client = inner.and_then(endpoint).map(|(address, _)| address.to_canonical());
                self.reading.client.is_some()
            }
            Piece::Server(ports) => is_server(self.run(&ENDPOINT), ports),
            Piece::Name => {
                let name = self.run(&PLAIN);
                self.reading.user = Some(name);
                !name.is_empty()
            }
            Piece::Plain => !self.run(&PLAIN).is_empty(),
            Piece::UserValue => {
                self.reading.user = self.value();
                self.reading.user.is_some_and(|user| !user.is_empty())
            }
            Piece::Value => self.value().is_some(),
            Piece::Words(starts) => begins_with_one(self.run(&WORDS), starts),
            Piece::Phrase(starts) => begins_with_one(self.run(&PHRASE), starts),
            Piece::BareSession => {
                let id = self.run(&ID);
                self.reading.session = Some(id);
                !id.is_empty()
            }
            Piece::Numbers => !self.run(&NUMBERS).is_empty(),
            Piece::Host => !self.run(&HOST).is_empty(),
            Piece::Token => !self.run(&TOKEN).is_empty(),
            Piece::Word => !self.run(&WORD).is_empty(),
            // `read` takes the user name, between the two sides; `piece` the others.
            _ => false,
        }
    }

    fn one_of(&mut self, choices: &[&[Piece]]) -> bool {
        choices.iter().any(|pieces| match pieces {
            [Piece::Lit(text)] => self.literal(text.as_bytes()),
            _ => self.may_be(pieces) && self.attempt(pieces),
        })
    }

    /// Whether the next byte is one that the pieces can take: to turn most choices away before anything is copied.
    fn may_be(&self, pieces: &[Piece]) -> bool {
        let (piece, byte) = match self.side {
            Side::Left => (pieces.first(), self.unread.first()),
            Side::Right => (pieces.last(), self.unread.last()),
        };
        match (piece, self.side) {
            (Some(Piece::Lit(text)), Side::Left) => text.as_bytes().first() == byte,
            (Some(Piece::Lit(text)), Side::Right) => text.as_bytes().last() == byte,
            (Some(Piece::Number), _) => byte.is_some_and(u8::is_ascii_digit),
            _ => true,
        }
    }

    /// Reads all the pieces or nothing.
    fn attempt(&mut self, pieces: &[Piece]) -> bool {
        // Neither an address nor a name stands in a part that may be missing.
        let before = (self.unread, self.reading.session);
        let whole = self.read(pieces);
        if !whole {
            (self.unread, self.reading.session) = before;
        }
        whole
    }

    /// Most literals differ in the first byte looked at, which saves the comparison of the rest.
    fn literal(&mut self, text: &[u8]) -> bool {
        let rest = match self.side {
            Side::Left if self.unread.first() == text.first() => self.unread.strip_prefix(text),
            Side::Right if self.unread.last() == text.last() => self.unread.strip_suffix(text),
            _ => None,
        };
        self.unread = rest.unwrap_or(self.unread);
        rest.is_some()
    }

    /// Takes the longest run of bytes of the class.
    #[inline(always)]
    fn run(&mut self, class: &Class) -> &'m [u8] {
        match self.side {
            Side::Left => {
                let (run, rest) = self.unread.split_at(class.run(self.unread));
                self.unread = rest;
                run
            }
            Side::Right => {
                let (rest, run) = self.unread.split_at(self.unread.len() - class.run_at_end(self.unread));
                self.unread = rest;
                run
            }
        }
    }

    /// Takes the value of a key, as it is written: a run of graphic ASCII without `"`, `=` and `\\`, or, in quotes, bytes
    /// of which `"` and `\\` stand behind a backslash. To be read from the left.
    fn value(&mut self) -> Option<&'m [u8]> {
        let Some(quoted) = self.unread.strip_prefix(b"\"") else { return Some(self.run(&BARE)) };
        let mut escaped = false;
        let end = quoted.iter().position(|b| {
            let closes = *b == b'"' && !escaped;
            escaped = *b == b'\\' && !escaped;
            closes
        })?;
        self.unread = &quoted[end + 1..];
        Some(&quoted[..end])
    }

    fn address(&mut self) -> Option<IpAddr> {
        address::parse(self.run(&ADDRESS))
    }
}

static DIGITS: Class = Class::new(b'0', b'9', &[]);
static ADDRESS: Class = Class::new(b'0', b'9', &[]).and(b'A', b'F').and(b'a', b'f').with(b":.", true);
static NUMERIC: Class = Class::new(b'0', b'9', &[]).and(b'A', b'F').and(b'a', b'f').with(b":.[]", true);
static HOST: Class = Class::letters_digits_and(b"._:-");
static TOKEN: Class = Class::letters_digits_and(b"._+/=-");
static METHOD: Class = Class::letters_digits_and(b"_+-");
static PLAIN: Class = Class::letters_digits_and(b"._-@+=~&!#$");
/// Of most user names.
static NAME: Class = Class::letters_digits_and(b"._-@+");
static ENDPOINT: Class = Class::letters_digits_and(b".:[]/_-");
/// Graphic ASCII without what ends a bare value.
static BARE: Class = Class::new(b'!', b'~', b"\"=\\");
/// Neither control bytes nor what encloses a user name.
static WORDS: Class = Class::new(b' ', 0xff, b"\"<>\x7f");
static PHRASE: Class = Class::new(b' ', 0xff, b"\"<>=,\x7f");
static ID: Class = Class::letters_digits_and(b"._+/-");
static NUMBERS: Class = Class::new(b'0', b'9', &[]).with(b",-", true);
/// Neither space nor control bytes.
static WORD: Class = Class::new(b'!', 0xff, b"\x7f");

fn begins_with_one(words: &[u8], starts: &[&str]) -> bool {
    !words.is_empty() && starts.iter().any(|start| words.starts_with(start.as_bytes()))
}

/// `A:PORT` or `[A]:PORT`.
fn endpoint(text: &[u8]) -> Option<(IpAddr, u16)> {
    let (address, port) = std::str::from_utf8(text).ok()?.rsplit_once(':')?;
    let bare = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
    Some((bare.parse().ok()?, port.parse().ok()?))
}

fn is_server(text: &[u8], ports: Ports) -> bool {
    let port = match (endpoint(text), ports) {
        (Some((_, port)), _) => port,
        (None, Ports::Except(_)) => return text.starts_with(b"unix:"),
        (None, Ports::Only(_)) => return false,
    };
    match ports {
        Ports::Only(these) => these.contains(&port),
        Ports::Except(these) => !these.contains(&port),
    }
}

/// An anonymous session proves nothing about the client, so it is no login; nor is one of a Cyrus that checks no password
/// (imap/imapd.c, `nosaslpasswdcheck`).
fn is_method_name(name: &[u8]) -> bool {
    let begins = |start: &[u8]| name.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start));
    !name.is_empty() && !begins(b"anonymous") && !begins(b"nopassword")
}

#[cfg(test)]
mod tests {
    use super::super::pattern::Pattern;
    use super::Piece::*;
    use super::*;

    const TAIL: Pattern =
        &[Lit("Login user="), User, Lit(" host="), Optional(&[Host, Lit(" ")]), Lit("["), Client, Lit("]")];
    const FRONT: Pattern = &[Lit("login: ["), Client, Lit("] "), Not("anonymous "), User, Lit(" "), Method, Lit(" ok")];

    fn reading(pattern: Pattern, message: &str) -> Option<(String, String)> {
        let reading = read(pattern, message.as_bytes())?;
        Some((reading.client?.to_string(), String::from_utf8_lossy(reading.user?).into_owned()))
    }

    #[test]
    fn the_address_is_read_from_the_side_without_the_user() {
        let table = [
            (TAIL, "Login user=a host=[192.0.2.1]", Some(("192.0.2.1", "a"))),
            (TAIL, "Login user=a host=pc.example [192.0.2.1]", Some(("192.0.2.1", "a"))),
            (TAIL, "Login user=a host=[::ffff:192.0.2.1]", Some(("192.0.2.1", "a"))),
            (TAIL, "Login user=a host=h [1.1.1.1] host=[192.0.2.1]", Some(("192.0.2.1", "a host=h [1.1.1.1]"))),
            (FRONT, "login: [2001:DB8::1] [1.1.1.1] PLAIN PLAIN ok", Some(("2001:db8::1", "[1.1.1.1] PLAIN"))),
            (TAIL, "Login user= host=[192.0.2.1]", None),
            (TAIL, "Login failed user=a host=[192.0.2.1]", None),
            (TAIL, "xLogin user=a host=[192.0.2.1]", None),
            (TAIL, "Login user=a host=[192.0.2.1] ", None),
            (FRONT, "login: [192.0.2.1] anonymous PLAIN ok", None),
            (FRONT, "login: [192.0.2.1] a Anonymous+TLS ok", None),
            (FRONT, "login: [192.0.2.1] a nopassword+TLS ok", None),
        ];
        for (pattern, message, expected) in table {
            let expected = expected.map(|(client, user)| (client.to_string(), user.to_string()));
            assert_eq!(reading(pattern, message), expected, "{message}");
        }
    }

    #[test]
    fn what_is_not_just_an_address_is_refused() {
        for address in [
            "",
            "1.2.3",
            "1.2.3.4.5",
            "01.2.3.4",
            "1.2.3.4:80",
            "1.2.3.0/24",
            "fe80::1%eth0",
            "fe80::1%1",
            "::1::",
            "1.2.3.256",
            "example.org",
            "1.2.3.4 ",
            " 1.2.3.4",
            "cafe",
            "[1.2.3.4]",
        ] {
            assert_eq!(reading(TAIL, &format!("Login user=a host=[{address}]")), None, "{address}");
        }
    }

    #[test]
    fn an_address_may_have_a_port() {
        const PORT: Pattern = &[Lit("Auth: "), ClientPort, Lit("->"), Server(Ports::Except(&[25]))];
        let client = |text: &str| Some(read(PORT, format!("Auth: {text}").as_bytes())?.client?.to_string());
        assert_eq!(client("192.0.2.1:5->[::1]:110").as_deref(), Some("192.0.2.1"));
        assert_eq!(client("[::ffff:192.0.2.1]:5->unix:/run/x").as_deref(), Some("192.0.2.1"));
        assert_eq!(client("2001:db8::1:5->192.0.2.2:110").as_deref(), Some("2001:db8::1"));
        for wrong in ["192.0.2.1->192.0.2.2:110", "192.0.2.1:5->192.0.2.2:25", "h:5->192.0.2.2:110", ":5->192.0.2.2:1"]
        {
            assert_eq!(client(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_quoted_value_ends_at_its_own_quote() {
        const VALUE: Pattern = &[Lit("event=good user="), UserValue, Lit(" at="), Client];
        let read = |text: &str| reading(VALUE, text);
        let name = |user: &str| Some(("192.0.2.1".to_owned(), user.to_owned()));
        assert_eq!(read("event=good user=a at=192.0.2.1"), name("a"));
        assert_eq!(read(r#"event=good user="a \" b" at=192.0.2.1"#), name(r#"a \" b"#));
        assert_eq!(read(r#"event=good user="a\\" at=192.0.2.1"#), name(r"a\\"));
        assert_eq!(read(r#"event=good user="a\" at=192.0.2.1"#), None);
        assert_eq!(read("event=good user= at=192.0.2.1"), None);
        assert_eq!(read("event=good user=a at=192.0.2.1 at=1.1.1.1"), None);
    }

    #[test]
    fn repeats_are_bounded() {
        const MANY: Pattern = &[Lit("login ["), Client, Lit("]"), Many(&[&[Lit("x")]])];
        let message = |n| format!("login [::1]{}", "x".repeat(n));
        assert!(read(MANY, message(MOST_REPEATS).as_bytes()).is_some());
        assert!(read(MANY, message(MOST_REPEATS + 1).as_bytes()).is_none());
    }
}
