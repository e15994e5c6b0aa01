//! An SMTP client that plays any client address (XCLIENT) and asks for relaying. A session stops after RCPT: no mail is sent.

use base64::Engine as _;
use std::fmt;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::time::Duration;

/// A session that has said MAIL FROM and may ask RCPT as often as it likes.
pub(crate) struct Session {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

impl Session {
    /// Connects to a Postfix on loopback that believes our XCLIENT.
    pub(crate) fn open(port: u16, client: IpAddr) -> std::io::Result<Self> {
        let mut session = Self::connect(port)?;
        session.begin(client)?;
        Ok(session)
    }

    fn connect(port: u16) -> std::io::Result<Self> {
        let writer = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        // Longer than any delay of a healthy smtpd, so that a test ends instead of hanging.
        writer.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut session = Self { reader: BufReader::new(writer.try_clone()?), writer };
        session.expect_reply(220, "greeting")?;
        Ok(session)
    }

    /// Goes on as another client: the smtpd process stays the same.
    pub(crate) fn change_client(&mut self, client: IpAddr) -> std::io::Result<()> {
        self.expect("RSET", 250)?;
        self.begin(client)
    }

    fn greet(&mut self, client: IpAddr) -> std::io::Result<()> {
        let address = match client {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("IPV6:{v6}"),
        };
        self.expect("EHLO client.example.net", 250)?;
        self.expect(&format!("XCLIENT NAME=[UNAVAILABLE] ADDR={address}"), 220)?;
        self.expect("EHLO client.example.net", 250)
    }

    fn begin(&mut self, client: IpAddr) -> std::io::Result<()> {
        self.greet(client)?;
        self.expect("MAIL FROM:<a@example.org>", 250)
    }

    /// Reply code to one more recipient in another domain: 250 may relay, 554 may not, 451 table trouble.
    pub(crate) fn rcpt(&mut self) -> std::io::Result<u16> {
        Ok(self.ask("RCPT TO:<b@elsewhere.example>")?.0)
    }

    /// Forgets the recipients and says MAIL FROM again.
    pub(crate) fn begin_anew(&mut self) -> std::io::Result<()> {
        self.expect("RSET", 250)?;
        self.expect("MAIL FROM:<a@example.org>", 250)
    }

    fn expect(&mut self, command: &str, code: u16) -> std::io::Result<()> {
        let (got, text) = self.ask(command)?;
        if got == code { Ok(()) } else { Err(Unexpected::error(got, format!("{command}: {text}"))) }
    }

    fn expect_reply(&mut self, code: u16, what: &str) -> std::io::Result<()> {
        let (got, text) = self.reply()?;
        if got == code { Ok(()) } else { Err(Unexpected::error(got, format!("{what}: {text}"))) }
    }

    fn ask(&mut self, command: &str) -> std::io::Result<(u16, String)> {
        self.writer.write_all(format!("{command}\r\n").as_bytes())?;
        self.reply()
    }

    /// One reply, continuation lines skipped.
    fn reply(&mut self) -> std::io::Result<(u16, String)> {
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                return Err(std::io::Error::other("the server hung up"));
            }
            if line.as_bytes().get(3) == Some(&b' ') {
                let code = line[..3].parse().map_err(std::io::Error::other)?;
                return Ok((code, line.trim_end().to_owned()));
            }
        }
    }
}

/// Hands in a message as a client, with SASL if there are a user and a password; the reply code of each recipient. There is
/// no message if all are refused.
pub(crate) fn hand_in(
    port: u16,
    client: IpAddr,
    auth: Option<(&str, &str)>,
    sender: &str,
    recipients: &[&str],
) -> std::io::Result<Vec<u16>> {
    let mut session = Session::connect(port)?;
    session.greet(client)?;
    if let Some((user, password)) = auth {
        let secret = base64::engine::general_purpose::STANDARD.encode(format!("\0{user}\0{password}"));
        session.expect(&format!("AUTH PLAIN {secret}"), 235)?;
    }
    session.expect(&format!("MAIL FROM:<{sender}>"), 250)?;
    let ask = |recipient: &&str| Ok(session.ask(&format!("RCPT TO:<{recipient}>"))?.0);
    let codes = recipients.iter().map(ask).collect::<std::io::Result<Vec<u16>>>()?;
    if codes.contains(&250) {
        session.expect("DATA", 354)?;
        session.expect("Subject: a test\r\n\r\nHello\r\n.", 250)?;
    }
    Ok(codes)
}

/// A reply with another code than its command should get.
#[derive(Debug)]
struct Unexpected {
    code: u16,
    told: String,
}

impl Unexpected {
    fn error(code: u16, told: String) -> std::io::Error {
        std::io::Error::other(Self { code, told })
    }
}

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

impl std::error::Error for Unexpected {}

/// Code of the reply by which a session failed; `None` if it failed without one.
pub(crate) fn refused_with(error: &std::io::Error) -> Option<u16> {
    error.get_ref()?.downcast_ref::<Unexpected>().map(|unexpected| unexpected.code)
}

impl Drop for Session {
    fn drop(&mut self) {
        // RSET makes smtpd drop the queue file that an accepted recipient has opened.
        let _ = self.writer.write_all(b"RSET\r\nQUIT\r\n");
    }
}
