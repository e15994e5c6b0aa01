//! Finds logins and logouts in log lines. Pure: bytes in, events out; the only state is which messages were cut, and
//! which sessions are open.
//!
//! A forged login here is an open relay, so: the program comes from its place in the header and is compared whole; a
//! pattern covers the whole message and begins with a literal verb; the address is read from the side that the user
//! name cannot reach ([`pattern`]); and a message that a logger may have cut never counts.

mod address;
mod ambiguity;
mod any;
mod builtin;
pub mod custom;
pub mod dovecot_format;
mod event;
mod files;
mod foreign;
mod fragments;
mod lint;
mod newlines;
pub mod pattern;
mod pieces;
mod reader;
mod repeats;
mod routes;
mod scan;
pub mod services;
mod sessions;
mod set;
mod starts;
pub mod strangers;
pub(crate) mod trace;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

pub use any::AnyMatcher;
pub use builtin::BUILTIN;
pub use lint::Flaw;
use pattern::{Pattern, Role};
pub use scan::{Found, Untaken};
pub use sessions::SessionId;
pub use set::{Matchers, UnknownMatcher};

use crate::line::syslog::Header;
pub use crate::line::syslog::LONGEST_LINE;

/// Shortest message that is too long to count, in bytes.
///
/// Loggers cut messages, and a cut message ends where a stranger wants it to: behind his text, if the rest is what
/// would have given him away. The shortest limit met in the field is 1,024 bytes for header and message (RFC 3164,
/// syslogd of the BSDs and Solaris); with the longest header that leaves more than this. A genuine login has at most
/// some 400 bytes.
pub const LONGEST_GRANTING: usize = 900;

/// The value of `--matcher` that stands for every matcher.
pub const ALL: &str = "all";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A client proved who it is.
    Login,
    /// The session of a client that had proved who it is ended.
    Logout,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::Login => "login",
            Action::Logout => "logout",
        })
    }
}

/// What a line of the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'l> {
    /// Login or logout.
    pub action: Action,
    /// The client's address; never an IPv4-mapped IPv6 address. May be one that must not be published (loopback).
    pub client: IpAddr,
    /// The user name as logged: raw bytes of a stranger.
    pub user: Option<&'l [u8]>,
    /// Which session it is, where the server's lines tell.
    pub session: Option<SessionId>,
    /// Who found it.
    pub matcher: AnyMatcher,
    /// What stands in front of the message, the stamp with it.
    pub header: Header<'l>,
}

/// How the lines of one session are told from those of others, on the same host and of the same program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Not at all: every line stands for itself.
    None,
    /// By the process id in the header: one process serves one client after the other.
    Pid,
    /// By an id in the message ([`pattern::Piece::Session`]).
    Session,
    /// By the client's address and port, which stand on every line of a session that is logged in; the port as
    /// [`pattern::Piece::Session`].
    Peer,
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A client connected: the address of a login that may follow.
    Connect,
    /// A client proved who it is.
    Login,
    /// A session ended, logged in or not.
    Logout,
}

/// How the logger of a server cuts long messages in two.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// A message of this many bytes or more may go on in the next message of the same host and program.
    pub bytes: usize,
}

/// Messages that hold text of a client who has not logged in, with the newlines in it. Some syslog daemons write them so.
#[derive(Debug, Clone, Copy)]
pub struct RawNewlines {
    /// The programs that write them.
    pub programs: &'static [&'static str],
    /// How they begin.
    pub messages: &'static [Pattern],
    /// Most bytes of such a message.
    pub longest: usize,
    /// Those of them in which the text is shorter.
    pub bounded: &'static [Bounded],
    /// Whether there may be NUL in the text: BusyBox begins a new message behind it.
    pub holds_nul: bool,
    /// How each of them ends, if that tells: without it behind a line, the line is a message of its own.
    pub ends: Option<Ends>,
}

/// How a message ends that holds text of a client who has not logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// One of these stands behind the text.
    pub texts: &'static [&'static str],
    /// The text may be so long that they are cut off, by the server or by a logger: at which byte of the message, from and to.
    pub cut: Option<(usize, usize)>,
}

/// How the rest of a failure is known that a newline of the client has cut in two.
#[derive(Debug, Clone, Copy)]
pub enum CutFailure {
    /// It has no header, but the session id with which the server begins each line of a message.
    WithoutHeader,
    /// It ends so.
    EndsIn {
        /// The programs that can log a newline.
        programs: &'static [&'static str],
        /// The end of every failure.
        ends: Ends,
        /// Most bytes of a message.
        longest: usize,
    },
}

/// A message whose text of the client has a limit of its own.
#[derive(Debug, Clone, Copy)]
pub struct Bounded {
    /// What the line is, if all of it is one message; [`pattern::Piece::User`] is the text.
    pub message: Pattern,
    /// Most bytes of the text; 0 if it is no stranger's.
    pub most: usize,
}

/// Messages of a process that may be a stranger's words from their first byte on: what a server of his own says, or the
/// rest of a message that was too long.
#[derive(Debug, Clone, Copy)]
pub struct ForeignWords {
    /// The programs that may log such messages.
    pub programs: &'static [&'static str],
    /// How the message begins that a process writes before them.
    pub behind: &'static [Pattern],
    /// How the messages of another server with such a program begin whose rest, cut by its logger, may look like that one.
    /// A process of this server writes none.
    pub never: &'static [Pattern],
    /// How long they may come behind it; as long as the process lives if nothing is said.
    pub lasts: Option<Duration>,
    /// Whether a process counts of which that message may have been missed.
    pub believed_if_missed: bool,
}

/// What is known about the log of one server, built in. `--help`, the manual and the tests read the table of these.
#[derive(Debug)]
pub struct Matcher {
    /// Value of `--matcher`.
    pub name: &'static str,
    /// Servers and versions.
    pub servers: &'static str,
    /// Names under which the server logs, whole.
    pub programs: &'static [&'static str],
    /// What to switch on so that the server logs the address.
    pub enable: &'static str,
    /// Where the format is known from.
    pub source: &'static str,
    /// How the lines of one session belong together.
    pub key: Key,
    /// Messages that tell the address of a client before it has logged in.
    pub connects: &'static [Pattern],
    /// Messages that prove a login; without an address only where `connects` tells it.
    pub logins: &'static [Pattern],
    /// Messages that end a session. With a `key`, one that was not logged in is no event; without, only messages that
    /// the server never writes for such a session.
    pub logouts: &'static [Pattern],
    /// Set if the server's logger goes on with the rest of a long message in a new one.
    pub splits: Option<Limit>,
    /// Set if a stranger can make the server log whole messages.
    pub foreign: Option<ForeignWords>,
    /// Where a stranger's newline may come into a message.
    pub newlines: &'static [RawNewlines],
    /// Set if a failure may look like a login up to a newline in it.
    pub cut_failure: Option<CutFailure>,
}

impl Matcher {
    /// All its patterns, and what each is for.
    pub fn patterns(&self) -> impl Iterator<Item = (Pattern, Role)> {
        let keyed = self.key != Key::None;
        let login = Role::Login { joined: keyed && !self.connects.is_empty() };
        let of = |patterns: &'static [Pattern], role| patterns.iter().map(move |pattern| (*pattern, role));
        of(self.connects, Role::Connect)
            .chain(of(self.logins, login))
            .chain(of(self.logouts, Role::Logout { joined: keyed }))
    }
}
