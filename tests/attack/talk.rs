//! Conversations with a server: the ways to bring it a name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// The account that every server has.
pub(super) const USER: &str = "alice";
/// Its password.
pub(super) const PASSWORD: &str = "secret";

/// From here come clients who log in, first and last.
pub(super) const GENUINE: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 2, 25), Ipv4Addr::new(192, 0, 2, 26)];
/// From here comes the stranger.
pub(super) const STRANGER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);

/// How long a server may take to answer; Courier lets five seconds go by after a failure.
const PATIENCE: Duration = Duration::from_secs(12);

/// A protocol, as its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Imap = 143,
    Pop3 = 110,
}

/// A way to bring a server a name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    ImapLiteral,
    ImapQuoted,
    ImapPlain,
    ImapLogin,
    ImapCramMd5,
    ImapAnonymous,
    ImapId,
    ImapTag,
    PopUser,
    PopApop,
    PopPlain,
    PopLogin,
    PopAnonymous,
    /// By the holder of an account: the name of a mailbox.
    Mailbox,
    /// By the holder of an account: whom he wants to be.
    Authorization,
}

impl Way {
    pub(super) const ALL: [Self; 15] = [
        Self::ImapLiteral,
        Self::PopUser,
        Self::ImapPlain,
        Self::PopPlain,
        Self::Mailbox,
        Self::ImapQuoted,
        Self::PopApop,
        Self::ImapLogin,
        Self::PopLogin,
        Self::ImapAnonymous,
        Self::ImapId,
        Self::Authorization,
        Self::PopAnonymous,
        Self::ImapCramMd5,
        Self::ImapTag,
    ];

    pub(super) fn protocol(self) -> Protocol {
        match self {
            Self::PopUser | Self::PopApop | Self::PopPlain | Self::PopLogin | Self::PopAnonymous => Protocol::Pop3,
            _ => Protocol::Imap,
        }
    }

    /// Who goes it.
    fn client(self) -> Ipv4Addr {
        match self {
            Self::Mailbox | Self::Authorization => GENUINE[0],
            _ => STRANGER,
        }
    }

    /// What the client says, each part behind an answer.
    fn parts(self, name: &[u8]) -> Vec<Vec<u8>> {
        let line = |start: &str, text: &[u8], end: &str| [start.as_bytes(), text, end.as_bytes(), b"\r\n"].concat();
        let encoded = |text: &[u8]| line("", BASE64.encode(text).as_bytes(), "");
        let plain = |authorization: &[u8], user: &[u8]| {
            encoded(&[authorization, b"\0", user, b"\0", PASSWORD.as_bytes()].concat())
        };
        let length = name.len();
        let literal = |start: &str| line(&format!("{start} {{{length}}}"), b"", "");
        match self {
            Self::ImapLiteral => vec![literal("a LOGIN"), line("", name, &format!(" {PASSWORD}"))],
            Self::ImapQuoted => vec![line("a LOGIN \"", &escaped(name), &format!("\" {PASSWORD}"))],
            Self::ImapPlain => vec![line("a AUTHENTICATE PLAIN", b"", ""), plain(b"", name)],
            Self::ImapLogin => vec![line("a AUTHENTICATE LOGIN", b"", ""), encoded(name), encoded(PASSWORD.as_bytes())],
            Self::ImapCramMd5 => {
                vec![
                    line("a AUTHENTICATE CRAM-MD5", b"", ""),
                    encoded(&[name, b" 0123456789abcdef0123456789abcdef"].concat()),
                ]
            }
            Self::ImapAnonymous => vec![line("a AUTHENTICATE ANONYMOUS", b"", ""), encoded(name)],
            Self::ImapId => vec![literal("a ID (\"name\""), line("", name, ")"), line("b LOGIN x y", b"", "")],
            Self::ImapTag => vec![line("", name, " LOGIN x y"), line("a ", name, "")],
            Self::PopUser => vec![line("USER ", name, ""), line("PASS ", PASSWORD.as_bytes(), "")],
            Self::PopApop => vec![line("APOP ", name, " 0123456789abcdef0123456789abcdef")],
            Self::PopPlain => vec![line("AUTH PLAIN", b"", ""), plain(b"", name)],
            Self::PopLogin => vec![line("AUTH LOGIN", b"", ""), encoded(name), encoded(PASSWORD.as_bytes())],
            Self::PopAnonymous => vec![line("AUTH ANONYMOUS", b"", ""), encoded(name)],
            Self::Mailbox => {
                vec![line(&format!("a LOGIN {USER} {PASSWORD}"), b"", ""), literal("b SELECT"), line("", name, "")]
            }
            Self::Authorization => vec![line("a AUTHENTICATE PLAIN", b"", ""), plain(name, USER.as_bytes())],
        }
    }

    /// Brings the name to the server; whether it took the connection.
    pub(super) fn go(self, name: &[u8]) -> bool {
        let mut parts = self.parts(name);
        parts.push(if self.protocol() == Protocol::Imap { b"z LOGOUT\r\n".to_vec() } else { b"QUIT\r\n".to_vec() });
        converse(self.client(), self.protocol(), &parts).is_ok_and(|answers| !answers.is_empty())
    }
}

/// As the inside of a quoted string.
fn escaped(name: &[u8]) -> Vec<u8> {
    name.iter().flat_map(|&byte| if matches!(byte, b'"' | b'\\') { vec![b'\\', byte] } else { vec![byte] }).collect()
}

/// Logs in; whether the server agreed.
pub(super) fn log_in(client: Ipv4Addr, protocol: Protocol) -> bool {
    let parts = match protocol {
        Protocol::Imap => vec![format!("a LOGIN {USER} {PASSWORD}\r\n"), "b LOGOUT\r\n".to_owned()],
        Protocol::Pop3 => vec![format!("USER {USER}\r\n"), format!("PASS {PASSWORD}\r\n"), "QUIT\r\n".to_owned()],
    };
    let parts: Vec<Vec<u8>> = parts.into_iter().map(String::into_bytes).collect();
    // imapproxy may hand on what another client left unread.
    let (first, agrees) = match protocol {
        Protocol::Imap => (1, "a OK"),
        Protocol::Pop3 => (2, "+OK"),
    };
    let contains = |answer: &Vec<u8>| String::from_utf8_lossy(answer).contains(agrees);
    converse(client, protocol, &parts)
        .is_ok_and(|answers| answers.get(first..).is_some_and(|rest| rest.iter().any(contains)))
}

/// The greeting, and an answer to each part, until the server hangs up or says nothing more. Who connects to an address of this
/// machine does so from that address.
fn converse(client: Ipv4Addr, protocol: Protocol, parts: &[Vec<u8>]) -> io::Result<Vec<Vec<u8>>> {
    let mut stream = TcpStream::connect((client, protocol as u16))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut answers = vec![answer(&mut stream)?];
    for part in parts {
        if stream.write_all(part).is_err() {
            break;
        }
        match answer(&mut stream) {
            Ok(text) if !text.is_empty() => answers.push(text),
            _ => break,
        }
    }
    Ok(answers)
}

/// What the server says, up to the end of a line; empty if it hangs up.
fn answer(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    while text.last() != Some(&b'\n') {
        let count = stream.read(&mut piece)?;
        if count == 0 {
            break;
        }
        text.extend_from_slice(&piece[..count]);
    }
    Ok(text)
}
