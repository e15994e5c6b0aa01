//! Writes log messages by a pattern, the way the server's printf would.

use std::net::{IpAddr, SocketAddr};

use pop_before_smtp::matcher::pattern::{Piece, Ports};

/// What to put into the pieces, and which way to go where there is a choice.
pub(crate) struct Values<'v> {
    pub(crate) user: &'v [u8],
    pub(crate) client: IpAddr,
    pub(crate) server: IpAddr,
    pub(crate) host: &'v str,
    pub(crate) method: &'v str,
    /// Bits, taken from the lowest up: whether an optional part is there, which alternative it is.
    pub(crate) choices: u64,
}

pub(crate) fn render(pattern: &[Piece], values: &Values<'_>) -> Vec<u8> {
    let mut writer = Writer { values, choices: values.choices, text: Vec::new() };
    writer.write(pattern);
    writer.text
}

struct Writer<'v> {
    values: &'v Values<'v>,
    choices: u64,
    text: Vec<u8>,
}

impl Writer<'_> {
    fn choose(&mut self, among: usize) -> usize {
        let choice = self.choices as usize % among;
        self.choices /= among as u64;
        choice
    }

    fn write(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            self.piece(piece);
        }
    }

    fn quoted(&mut self, value: &[u8]) {
        self.text.push(b'"');
        for byte in value {
            if matches!(byte, b'"' | b'\\') {
                self.text.push(b'\\');
            }
            self.text.push(*byte);
        }
        self.text.push(b'"');
    }

    fn piece(&mut self, piece: &Piece) {
        let values = self.values;
        match piece {
            Piece::Lit(text) => self.text.extend(text.as_bytes()),
            Piece::Client => self.text.extend(values.client.to_string().bytes()),
            Piece::ClientPort => self.text.extend(SocketAddr::new(values.client, 4711).to_string().bytes()),
            Piece::ClientPortInBrackets => {
                self.text.extend(format!("[{}]", SocketAddr::new(values.client, 4711)).bytes());
            }
            Piece::Server(ports) => {
                let port = match ports {
                    Ports::Only(these) => these[0],
                    Ports::Except(_) => 143,
                };
                self.text.extend(SocketAddr::new(values.server, port).to_string().bytes());
            }
            Piece::Name => self.text.extend(b"kevin.o-x@example.org"),
            Piece::Plain => self.text.extend(b"other"),
            Piece::UserValue => self.quoted(values.user),
            Piece::Value => self.quoted(b"x \" login.tls=1"),
            Piece::Words(starts) => {
                let start = self.choose(starts.len());
                self.text.extend(starts[start].bytes());
                self.text.extend(b" (x, y) in=1");
            }
            Piece::Phrase(starts) => {
                let start = self.choose(starts.len());
                self.text.extend(starts[start].bytes());
                self.text.extend(b"failed: (x)");
            }
            Piece::Address => self.text.extend(values.server.to_string().bytes()),
            Piece::User | Piece::UserWithout(_) | Piece::ShortUser(..) => self.text.extend(values.user),
            Piece::Not(_) => {}
            Piece::Host => self.text.extend(values.host.bytes()),
            Piece::Number => self.text.extend(b"4711"),
            Piece::Numbers => self.text.extend(b"771,4866-4867,0-23"),
            Piece::BareSession => self.text.extend(b"RjEydYzO/w+GB"),
            Piece::Token | Piece::Session => self.text.extend(b"4.0.9+/x="),
            Piece::Word => self.text.extend(b"`x'`(203.0.113.66)"),
            Piece::Method => self.text.extend(values.method.bytes()),
            Piece::Optional(pieces) => {
                if self.choose(2) == 1 {
                    self.write(pieces);
                }
            }
            Piece::OneOf(choices) => {
                let choice = self.choose(choices.len());
                self.write(choices[choice]);
            }
            Piece::Site(piece) => unreachable!("no piece of a built-in pattern: {piece:?}"),
            Piece::Many(choices) => {
                for _ in 0..self.choose(4) {
                    let choice = self.choose(choices.len());
                    self.write(choices[choice]);
                }
            }
        }
    }
}
