//! What a server's log message looks like, as data: the pieces of its printf format, and the rules they must keep.
//!
//! A pattern is read from the left up to the user name and from the right end for what follows it, so that nothing a
//! stranger chose stands between the reader and the address. Each piece takes the longest run of its class and never
//! gives any back: time is linear, and there is one reading.

use std::fmt;
use std::sync::Arc;

/// One message format.
pub type Pattern = &'static [Piece];

/// A piece of a message format.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Text of the server.
    Lit(&'static str),
    /// The client's address: digits, hex letters, `:` and `.`, valid as a whole.
    Client,
    /// The client's address and port: `A:PORT`, `[A]:PORT`.
    ClientPort,
    /// The same in brackets: `[A:PORT]`, `[[A]:PORT]`.
    ClientPortInBrackets,
    /// An address and port of the server, or `unix:/path`.
    Server(Ports),
    /// Another address, the server's own; read like [`Piece::Client`] and not used.
    Address,
    /// The user name: any bytes, at least one.
    User,
    /// A user name in which none of these texts can occur, because other messages of the server carry them there.
    UserWithout(&'static [&'static str]),
    /// The same, of at most so many bytes, because the server prints no longer one.
    ShortUser(usize, &'static [&'static str]),
    /// A user name of letters, digits and `._-@+=~&!#$` alone, for places where no other could be read safely.
    Name,
    /// The same, of a name that is not the user's.
    Plain,
    /// A user name as the value of a key: bare, or in quotes with escapes.
    UserValue,
    /// Another value of a key.
    Value,
    /// Words of the server, beginning with one of these, without control bytes, quotes and angle brackets.
    Words(&'static [&'static str]),
    /// Words of the server, beginning with one of these, that end at a comma; without `=` too.
    Phrase(&'static [&'static str]),
    /// Nothing, but the message must not go on with this text.
    Not(&'static str),
    /// A host name, as a stranger's name server gives it: letters, digits and `._:-`.
    Host,
    /// Decimal digits.
    Number,
    /// An identifier of the server (version, session id, file, cipher): letters, digits and `._+/=-`.
    Token,
    /// The server's id of the session, of the same bytes; at most one in a pattern.
    Session,
    /// The same where nothing encloses it: letters, digits and `._+/-`, as `=` belongs to the key in front.
    BareSession,
    /// Numbers with commas and dashes between them.
    Numbers,
    /// An authentication method other than ANONYMOUS: letters, digits and `_+-`.
    Method,
    /// Bytes other than space and control: a user name that cannot have spaces.
    Word,
    /// May be missing.
    Optional(Pattern),
    /// The first of these that fits.
    OneOf(&'static [Pattern]),
    /// These, in any order and number.
    Many(&'static [Pattern]),
    /// What a site has chosen.
    Site(Arc<SitePiece>),
}

/// A piece whose text the configuration says; it is freed with the last matcher that has it.
#[derive(Debug)]
pub enum SitePiece {
    /// As [`Piece::Lit`].
    Lit(String),
    /// As [`Piece::Not`].
    Not(String),
    /// As [`Piece::Optional`].
    Optional(Vec<Piece>),
}

impl From<SitePiece> for Piece {
    fn from(piece: SitePiece) -> Self {
        Self::Site(Arc::new(piece))
    }
}

/// Which ports of a server are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    /// These.
    Only(&'static [u16]),
    /// All but these.
    Except(&'static [u16]),
}

/// What a pattern is for; the rules depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Tells the address of a client before its login.
    Connect,
    /// Proves a login. `joined`: an earlier line of the session may tell the address.
    Login {
        /// Whether the matcher has a key, and messages that tell the address.
        joined: bool,
    },
    /// Ends a session. `joined`: counts only for a session that had logged in.
    Logout {
        /// Whether the matcher has a key.
        joined: bool,
    },
}

/// A pattern for display, in the manner of `Login user={user} host=[{client}]`.
pub struct Shown<'p>(pub &'p [Piece]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| write!(f, "{piece}"))
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Piece::Lit(text) => f.write_str(text),
            Piece::Client => f.write_str("{client}"),
            Piece::ClientPort => f.write_str("{client:port}"),
            Piece::ClientPortInBrackets => f.write_str("[{client:port}]"),
            Piece::Server(_) => f.write_str("{server}"),
            Piece::Name | Piece::UserValue => f.write_str("{user}"),
            Piece::Plain => f.write_str("{name}"),
            Piece::Value => f.write_str("{value}"),
            Piece::Words(_) | Piece::Phrase(_) => f.write_str("{words}"),
            Piece::Address => f.write_str("{address}"),
            Piece::User | Piece::UserWithout(_) | Piece::ShortUser(..) => f.write_str("{user}"),
            Piece::Not(_) => Ok(()),
            Piece::Host => f.write_str("{host}"),
            Piece::Number | Piece::Numbers => f.write_str("{number}"),
            Piece::Token => f.write_str("{token}"),
            Piece::Session | Piece::BareSession => f.write_str("{session}"),
            Piece::Method => f.write_str("{method}"),
            Piece::Word => f.write_str("{word}"),
            Piece::Optional(pieces) => write!(f, "{{?{}}}", Shown(pieces)),
            Piece::OneOf(choices) => write_choices(f, choices, ""),
            Piece::Many(choices) => write_choices(f, choices, "*"),
            Piece::Site(piece) => match &**piece {
                SitePiece::Lit(text) => f.write_str(text),
                SitePiece::Not(_) => Ok(()),
                SitePiece::Optional(pieces) => write!(f, "{{?{}}}", Shown(pieces)),
            },
        }
    }
}

fn write_choices(f: &mut fmt::Formatter<'_>, choices: &[Pattern], suffix: &str) -> fmt::Result {
    f.write_str("{")?;
    for (nth, pieces) in choices.iter().enumerate() {
        write!(f, "{}{}", if nth == 0 { "" } else { "|" }, Shown(pieces))?;
    }
    write!(f, "}}{suffix}")
}

impl Piece {
    fn is_user(&self) -> bool {
        matches!(self, Piece::User | Piece::UserWithout(_) | Piece::ShortUser(..))
    }

    /// Whether it is the user name, opaque or not.
    fn is_name(&self) -> bool {
        self.is_user() || matches!(self, Piece::Name | Piece::UserValue)
    }

    fn is_client(&self) -> bool {
        matches!(self, Piece::Client | Piece::ClientPort | Piece::ClientPortInBrackets)
    }

    /// Whether the piece has the length of what it finds, so that it needs a literal on both sides.
    fn is_run(&self) -> bool {
        let is_group = matches!(self, Piece::Optional(_) | Piece::OneOf(_) | Piece::Many(_) | Piece::Site(_));
        !is_group && !matches!(self, Piece::Lit(_) | Piece::Not(_))
    }

    /// Its text, if it is nothing else.
    pub(super) fn literal(&self) -> Option<&str> {
        match self {
            Piece::Lit(text) => Some(text),
            Piece::Site(piece) => match &**piece {
                SitePiece::Lit(text) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    fn is_look_ahead(&self) -> bool {
        matches!(self, Piece::Not(_)) || matches!(self, Piece::Site(piece) if matches!(**piece, SitePiece::Not(_)))
    }

    fn groups(&self) -> Vec<&[Piece]> {
        match self {
            Piece::Optional(pieces) => vec![pieces],
            Piece::OneOf(choices) | Piece::Many(choices) => choices.to_vec(),
            Piece::Site(piece) => match &**piece {
                SitePiece::Optional(pieces) => vec![pieces],
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }
}

/// Splits a pattern at its user name: what is read from the left, the name, what is read from the right.
pub fn split_at_user(pattern: &[Piece]) -> (&[Piece], Option<&Piece>, &[Piece]) {
    match pattern.iter().position(Piece::is_user) {
        Some(at) => (&pattern[..at], Some(&pattern[at]), &pattern[at + 1..]),
        None => (pattern, None, &[]),
    }
}

/// Checks the rules that make a pattern safe against text of strangers.
///
/// # Errors
/// Names the rule that is broken.
pub fn lint(pattern: &[Piece], role: Role) -> Result<(), &'static str> {
    let (_, _, tail) = split_at_user(pattern);
    if !has_verb(pattern, role) {
        return Err("no literal verb in front of the user name");
    }
    if pattern.iter().filter(|p| p.is_name()).count() > 1 {
        return Err("more than one user name");
    }
    let clients = pattern.iter().filter(|p| p.is_client()).count();
    let elsewhere = matches!(role, Role::Login { joined: true } | Role::Logout { joined: true });
    if clients > 1 || (clients == 0 && !elsewhere) {
        return Err("not exactly one client address");
    }
    if tail.iter().any(|p| p.is_look_ahead() || matches!(p, Piece::Value | Piece::UserValue)) {
        return Err("a look ahead behind the user name");
    }
    if tail.first().is_some_and(|piece| piece.literal().is_none()) {
        return Err("no literal text behind the user name");
    }
    lint_neighbours(pattern)?;
    pattern.iter().flat_map(Piece::groups).try_for_each(|group| lint_group(group))
}

/// A line that ends a session may begin with the user name, if only the process of a session that had logged in is heard.
/// One that tells an address before the login may be nothing but the session and the address.
fn has_verb(pattern: &[Piece], role: Role) -> bool {
    let end = pattern.iter().position(Piece::is_name).unwrap_or(pattern.len());
    match role {
        // A plain name with the address right behind it leaves no room for a stranger's text.
        Role::Login { .. } if matches!(pattern, [Piece::Name, Piece::Lit(_), Piece::Client, ..]) => true,
        Role::Logout { joined: true } => pattern.iter().any(|p| matches!(p, Piece::Lit(_) | Piece::OneOf(_))),
        Role::Connect if end == pattern.len() => matches!(pattern.first(), Some(Piece::Session | Piece::Lit(_))),
        _ => letters_before_user(&pattern[..end]) >= 4,
    }
}

fn lint_group(group: &[Piece]) -> Result<(), &'static str> {
    if group.iter().any(|p| p.is_name() || p.is_client()) {
        return Err("a user name or client address that may be missing");
    }
    if !group.iter().any(|p| p.literal().is_some() || matches!(p, Piece::OneOf(_) | Piece::Phrase(_))) {
        return Err("a part that may be missing and has no literal text");
    }
    lint_neighbours(group)?;
    group.iter().flat_map(Piece::groups).try_for_each(|inner| lint_group(inner))
}

fn lint_neighbours(pieces: &[Piece]) -> Result<(), &'static str> {
    if pieces.windows(2).any(|pair| pair[0].is_run() && pair[1].is_run()) {
        return Err("nothing between two pieces of variable length");
    }
    Ok(())
}

/// Letters of the shortest literal text that a message must begin with; 0 if it need not begin with literal text.
fn letters_before_user(head: &[Piece]) -> usize {
    let letters = |text: &str| text.bytes().filter(u8::is_ascii_alphabetic).count();
    let of = |piece: &Piece| match piece {
        Piece::Lit(text) => letters(text),
        Piece::OneOf(choices) => choices.iter().map(|c| letters_before_user(c)).min().unwrap_or(0),
        _ => 0,
    };
    match head.first() {
        Some(Piece::Lit(_) | Piece::OneOf(_) | Piece::Session) => head.iter().map(of).sum(),
        _ => 0,
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::Piece::*;
    use super::*;

    #[test]
    fn a_pattern_is_shown_as_it_is_written() {
        let pattern: &[Piece] =
            &[Lit("Login user="), User, Lit(" host=["), Client, Lit("]"), Optional(&[Lit("."), Number])];
        assert_eq!(Shown(pattern).to_string(), "Login user={user} host=[{client}]{?.{number}}");
        assert_eq!(OneOf(&[&[Lit("a")], &[Lit("b")]]).to_string(), "{a|b}");
    }

    #[test]
    fn unsafe_patterns_are_named() {
        let table: [(&[Piece], &str); 8] = [
            (&[User, Lit(" login from "), Client], "verb"),
            (&[Optional(&[Lit("login: ")]), User, Lit("["), Client], "verb"),
            (&[Lit("login "), User, Lit("@"), User, Lit("["), Client], "more than one user"),
            (&[Lit("login "), User, Lit("[")], "exactly one client"),
            (&[Lit("login "), User, Client], "behind the user name"),
            (&[Lit("login "), Client, Number, Lit(" "), User], "between two"),
            (&[Lit("login "), User, Lit("["), Client, Lit("]"), Optional(&[Number])], "no literal text"),
            (&[Lit("login "), Optional(&[Lit("x"), Client]), Client], "may be missing"),
        ];
        for (pattern, rule) in table {
            let flaw = lint(pattern, Role::Login { joined: false }).expect_err("the pattern breaks a rule");
            assert!(flaw.contains(rule), "{}: {flaw}", Shown(pattern));
        }
    }

    #[test]
    fn only_a_session_that_is_joined_may_leave_the_address_out() {
        let pattern: &[Piece] = &[Lit("passed for "), User];
        assert_eq!(lint(pattern, Role::Login { joined: true }), Ok(()));
        assert!(lint(pattern, Role::Login { joined: false }).is_err());
        assert!(lint(pattern, Role::Connect).is_err());
        let nameless: &[Piece] = &[User, Lit(" ["), Address, Lit("]")];
        assert_eq!(lint(nameless, Role::Logout { joined: true }), Ok(()));
        assert!(lint(nameless, Role::Logout { joined: false }).is_err());
    }
}
