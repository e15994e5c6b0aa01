//! Custom patterns: whatever the linter takes reads the client's address alone, if a server writes its own text where the
//! pattern has it, and any bytes where the pattern has a stranger's. Patterns of any text: no panic, and an address that is
//! granted stands in the message.

#![no_main]

use std::net::IpAddr;

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use pop_before_smtp::matcher::custom::{Definition, build};
use pop_before_smtp::matcher::{AnyMatcher, Matchers};
use pop_before_smtp::time::Timestamp;

const CLIENTS: &[&str] =
    &["203.0.113.9", "1.1.1.1", "::ffff:203.0.113.9", "2001:db8::9", "2001:DB8:0:0:0:0:0:9", "::1", "0.0.0.0"];

const TEXTS: &[&str] = &[
    " ip=[",
    "]",
    "[",
    " ",
    ", ",
    "x",
    ", rip=",
    ", lip=",
    ">",
    "<",
    " from ",
    "(",
    ")",
    ":",
    "=",
    "'",
    "user=",
    " ok",
    "1",
    ".",
    "\\",
    " authenticated",
    "; ",
];

/// Runs of text that a server makes itself: class, and the bytes in it.
const OWN: &[(&str, &[u8])] = &[
    ("[0-9]", b"0123456789"),
    ("[0-9.]", b"0123456789."),
    ("[0-9A-Fa-f:.]", b"0123456789abcdefABCDEF:."),
    ("[a-z]", b"abfxz"),
    ("[a-z.]", b"abfxz."),
    ("[A-Za-z0-9._:-]", b"aAfFzZ019._:-"),
    ("[A-Za-z0-9+/=]", b"aAfFzZ019+/="),
];

/// Runs of a stranger's text. In the group `user` he may write anything whatever the class says.
const STRANGERS: &[&str] =
    &[".*", ".+", "[^ ]*", "[^ ]+", r"\S+", "[^]]+", "[^>]*", "[^'\"]+", ".*?", "(?:[^ ]+ )*", ".{1,20}", "[ -~]+"];

const USERS: &[&str] = &["[a-z]+", "[A-Za-z0-9.@_-]+", "[^@]+@[a-z.]+", "[a-z]+?"];

const ADDRESSES: &[&str] = &["[0-9A-Fa-f:.]+", "[0-9.]+", "[0-9a-f:.]+", r"\d+\.\d+\.\d+\.\d+", "[0-9A-Fa-f:.]{3,45}"];

#[derive(Debug)]
enum Case {
    /// A pattern, and what the server writes for it.
    Formed {
        pattern: String,
        message: Vec<u8>,
        client: IpAddr,
    },
    Any {
        login: String,
        connect: Option<String>,
        logout: Option<String>,
        messages: Vec<Vec<u8>>,
    },
}

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        if u.ratio(1, 8)? {
            return Ok(Self::Any {
                login: u.arbitrary()?,
                connect: u.arbitrary()?,
                logout: u.arbitrary()?,
                messages: u.arbitrary()?,
            });
        }
        let mut writer = Writer { u, pattern: String::from("^login"), message: b"login".to_vec(), named: false };
        writer.parts(2, 5)?;
        let client = *writer.u.choose(CLIENTS)?;
        writer.pattern += &format!("(?P<ip>{})", writer.u.choose(ADDRESSES)?);
        writer.message.extend(client.bytes());
        writer.parts(2, 5)?;
        let Writer { mut pattern, mut message, .. } = writer;
        pattern.push('$');
        message.retain(|b| *b != b'\n');
        Ok(Self::Formed { pattern, message, client: client.parse::<IpAddr>().unwrap().to_canonical() })
    }
}

struct Writer<'u, 'a> {
    u: &'u mut Unstructured<'a>,
    pattern: String,
    message: Vec<u8>,
    /// Whether the group for the user is there.
    named: bool,
}

impl Writer<'_, '_> {
    fn parts(&mut self, deep: usize, most: usize) -> Result<()> {
        for _ in 0..self.u.int_in_range(0..=most)? {
            self.part(deep)?;
        }
        Ok(())
    }

    fn part(&mut self, deep: usize) -> Result<()> {
        match self.u.int_in_range(0..=9_u8)? {
            0..=3 => {
                let text = *self.u.choose(TEXTS)?;
                self.pattern += &regex::escape(text);
                self.message.extend(text.bytes());
            }
            4 | 5 => self.own()?,
            6 | 7 => self.stranger(deep)?,
            _ if deep > 0 => self.group(deep - 1)?,
            _ => {}
        }
        Ok(())
    }

    fn own(&mut self) -> Result<()> {
        let (class, bytes) = *self.u.choose(OWN)?;
        let (quantity, least, most) =
            *self.u.choose(&[("+", 1, 20), ("*", 0, 20), ("?", 0, 1), ("{1,3}", 1, 3), ("", 1, 1)])?;
        self.pattern += class;
        self.pattern += quantity;
        for _ in 0..self.u.int_in_range(least..=most)? {
            self.message.push(*self.u.choose(bytes)?);
        }
        Ok(())
    }

    /// The first that stands in every message may be named as the user.
    fn stranger(&mut self, deep: usize) -> Result<()> {
        let class = *self.u.choose(STRANGERS)?;
        if deep == 2 && !self.named && self.u.ratio(3, 4)? {
            self.named = true;
            let class = if self.u.arbitrary()? { class } else { *self.u.choose(USERS)? };
            self.pattern += &format!("(?P<user>{class})");
        } else {
            self.pattern += class;
        }
        for _ in 0..self.u.int_in_range(0..=6_u8)? {
            self.hostile()?;
        }
        Ok(())
    }

    fn hostile(&mut self) -> Result<()> {
        match self.u.int_in_range(0..=3_u8)? {
            0 => self.message.extend(self.u.choose(TEXTS)?.bytes()),
            1 => self.message.extend(b"198.51.100.1"),
            2 => self.message.push(self.u.arbitrary()?),
            // What the pattern itself has so far: a whole message in a name.
            _ => self.message.extend_from_within(..),
        }
        self.message.truncate(400);
        Ok(())
    }

    fn group(&mut self, deep: usize) -> Result<()> {
        let before = self.message.len();
        self.pattern += "(?:";
        self.parts(deep, 3)?;
        let written = self.message[before.min(self.message.len())..].to_vec();
        match self.u.int_in_range(0..=3_u8)? {
            0 => {
                self.pattern += ")?";
                if self.u.arbitrary()? {
                    self.message.truncate(before);
                }
            }
            1 => {
                self.pattern += ")*";
                self.message.truncate(before);
                for _ in 0..self.u.int_in_range(0..=3_u8)? {
                    self.message.extend(&written);
                }
            }
            2 => {
                self.pattern += "|";
                let first = self.u.arbitrary()?;
                if first {
                    let whole = self.message.clone();
                    self.parts(deep, 3)?;
                    self.message = whole;
                } else {
                    self.message.truncate(before);
                    self.parts(deep, 3)?;
                }
                self.pattern += ")";
            }
            _ => self.pattern += ")",
        }
        Ok(())
    }
}

fn matcher(login: &str, connect: Option<&str>, logout: Option<&str>) -> Option<AnyMatcher> {
    let programs = [String::from("x")];
    build(&Definition { name: "x", programs: &programs, login, connect, logout, key: None }).ok()
}

fn login(set: &mut Matchers, message: &[u8]) -> Option<IpAddr> {
    let line = [b"Nov 22 16:00:00 mail x: ".as_slice(), message].concat();
    set.event(Timestamp::default(), &line).map(|event| event.client)
}

fuzz_target!(|case: Case| {
    match case {
        Case::Formed { pattern, message, client } => {
            let Some(matcher) = matcher(&pattern, None, None) else { return };
            let mut set = Matchers::choose(&["x"], &[matcher]).unwrap();
            let read = login(&mut set, &message);
            assert!(read.is_none_or(|read| read == client), "{pattern} reads {read:?} in {}", message.escape_ascii());
        }
        Case::Any { login: pattern, connect, logout, messages } => {
            let Some(matcher) = matcher(&pattern, connect.as_deref(), logout.as_deref()) else { return };
            let mut set = Matchers::choose(&["x"], &[matcher]).unwrap();
            let mut before: Vec<&[u8]> = Vec::new();
            for message in &messages {
                before.push(message);
                let read = login(&mut set, message);
                assert!(read.is_none_or(|read| before.iter().any(|message| holds(message, read))), "{pattern}");
            }
        }
    }
});

/// Whether a part of the message is this address.
fn holds(message: &[u8], client: IpAddr) -> bool {
    let is_address = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b'.' | b':');
    let runs = message.split(|b| !is_address(b)).filter_map(|run| std::str::from_utf8(run).ok());
    let reads = |text: &str| text.parse::<IpAddr>().is_ok_and(|address| address.to_canonical() == client);
    runs.into_iter().any(|run| {
        let starts = 0..run.len();
        starts.into_iter().any(|start| (start + 2..=run.len()).any(|end| reads(&run[start..end])))
    })
}
