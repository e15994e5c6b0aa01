//! The text of a table's keys and values, the same for every backend; pure.

use std::fmt;
use std::io::Write as _;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use crate::{BackendError, ErrorKind, Listed, TableOptions};

/// A key: the address as `check_client_access` asks for it, in the form of inet_ntop(3).
///
/// Kept in place and padded with NUL bytes, so that a table of a million clients costs no million allocations and the
/// order of keys is the order of their bytes with a NUL at the end, as LMDB sorts them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    text: [u8; 46],
    len: u8,
}

impl Key {
    pub(crate) fn new(address: IpAddr) -> Self {
        let mut text = [0; 46];
        let mut rest = &mut text[..45];
        // The longest form has 39 characters, so the write cannot fail.
        let _ = match embedded_ipv4(address) {
            Some(tail) => write!(rest, "::{tail}"),
            None => write!(rest, "{address}"),
        };
        let len = (45 - rest.len()) as u8;
        Self { text, len }
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.len)]).unwrap_or_default()
    }

    /// The key with one NUL byte at its end.
    #[cfg(feature = "lmdb")]
    pub(crate) fn with_nul(&self) -> &[u8] {
        &self.text[..=usize::from(self.len)]
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// inet_ntop(3) writes `::192.0.2.1` where Rust writes `::c000:201` (the old IPv4-compatible addresses).
fn embedded_ipv4(address: IpAddr) -> Option<std::net::Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => address.to_ipv4(),
        _ => None,
    }
}

/// What the table holds for a client.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    fixed: Option<String>,
}

impl Value {
    /// Takes the value from the options.
    ///
    /// # Errors
    /// A fixed text that would not come back from a lookup as it went in.
    pub(crate) fn new(options: &TableOptions) -> Result<Self, BackendError> {
        if let Some(text) = &options.value
            && (text.is_empty() || text.trim() != text || text.contains(char::is_control))
        {
            let cause = "it is empty, starts or ends with a blank, or holds a control character";
            let action = format!("use value \"{}\"", text.escape_debug());
            return Err(BackendError::new(ErrorKind::Config, action, cause).cure("choose another with --value"));
        }
        Ok(Self { fixed: options.value.clone() })
    }

    /// The value of a client whose grant ends at `expires` (Unix seconds); `buffer` is overwritten.
    pub(crate) fn text<'a>(&'a self, expires: u64, buffer: &'a mut String) -> &'a str {
        use std::fmt::Write as _;
        match &self.fixed {
            Some(text) => text,
            None => {
                buffer.clear();
                let _ = write!(buffer, "{expires}");
                buffer
            }
        }
    }

    /// The value with one NUL byte at its end, written again and again into the same room.
    #[cfg(feature = "lmdb")]
    pub(crate) fn with_nul(&self) -> ValueWithNul<'_> {
        ValueWithNul { value: self, text: String::new() }
    }

    /// Reads an entry back; `None` for one that this program did not write.
    pub(crate) fn listed(&self, key: &[u8], value: &[u8]) -> Option<Listed> {
        let address = address_of(key)?;
        let expires = if self.fixed.is_none() { parse_seconds(value) } else { None };
        Some(Listed { address, expires })
    }
}

/// See [`Value::with_nul`].
#[cfg(feature = "lmdb")]
pub(crate) struct ValueWithNul<'a> {
    value: &'a Value,
    text: String,
}

#[cfg(feature = "lmdb")]
impl ValueWithNul<'_> {
    /// The value of a client whose grant ends at `expires` (Unix seconds).
    pub(crate) fn at(&mut self, expires: u64) -> &[u8] {
        use std::fmt::Write as _;
        self.text.clear();
        let _ = match &self.value.fixed {
            Some(text) => write!(self.text, "{text}\0"),
            None => write!(self.text, "{expires}\0"),
        };
        self.text.as_bytes()
    }
}

/// The address of a key that this program writes; `None` for any other key.
fn address_of(key: &[u8]) -> Option<IpAddr> {
    let key = std::str::from_utf8(key).ok()?;
    let address: IpAddr = key.parse().ok()?;
    (Key::new(address).as_str() == key && !is_mapped(address)).then_some(address)
}

/// Whether this program writes such a key.
pub(crate) fn is_key(key: &[u8]) -> bool {
    address_of(key).is_some()
}

/// Key and value of a line that this program writes, or postmap for it. Any value will do: the last start may have had
/// another `--value`.
pub(crate) fn entry_of(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let tab = line.iter().position(|&byte| byte == b'\t')?;
    let (key, value) = (&line[..tab], &line[tab + 1..]);
    (is_key(key) && !value.is_empty()).then_some((key, value))
}

fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some())
}

fn parse_seconds(value: &[u8]) -> Option<SystemTime> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds = std::str::from_utf8(value).ok()?.parse().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Whole seconds since 1970, rounded up so that no grant ends early; 0 for anything earlier.
#[must_use]
pub fn seconds_up(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_secs() + u64::from(since.subsec_nanos() > 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_inet_ntop_prints() {
        // The right-hand sides were printed by glibc's inet_ntop.
        for (text, key) in [
            ("192.0.2.1", "192.0.2.1"),
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"),
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:0:0:1:1:0:0:1", "2001::1:1:0:0:1"),
            ("::1:2", "::0.1.0.2"),
            ("::192.0.2.1", "::192.0.2.1"),
            ("::2", "::2"),
            ("fe80::", "fe80::"),
            ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
        ] {
            assert_eq!(Key::new(text.parse().unwrap()).as_str(), key, "{text}");
        }
    }

    #[test]
    fn only_entries_of_ours_are_listed() {
        let value = Value { fixed: None };
        for key in
            ["192.0.2", "localhost", "192.0.2.1 ", "192.0.2.0/24", "2001:DB8::1", "::ffff:192.0.2.1", "", "\u{e9}"]
        {
            assert_eq!(value.listed(key.as_bytes(), b"5"), None, "{key}");
        }
        assert_eq!(value.listed(b"192.0.2.1", b"OK").unwrap().expires, None);
        assert_eq!(value.listed(b"192.0.2.1", b"99999999999999999999999").unwrap().expires, None);
        assert_eq!(value.listed(b"192.0.2.1", b"18446744073709551615").unwrap().expires, None);
        let five = SystemTime::UNIX_EPOCH + Duration::from_secs(5);
        assert_eq!(value.listed(b"192.0.2.1", b"5").unwrap().expires, Some(five));
    }

    #[test]
    fn seconds_are_rounded_up() {
        let at = |nanos| seconds_up(SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos));
        assert_eq!((at(5_000_000_000), at(5_000_000_001)), (5, 6));
        assert_eq!(seconds_up(SystemTime::UNIX_EPOCH - Duration::from_secs(9)), 0);
    }

    #[test]
    fn a_value_that_would_not_come_back_is_refused() {
        let options = |text: &str| TableOptions { value: Some(text.to_owned()), ..TableOptions::new("m") };
        for text in ["", " OK", "OK\n", "OK\nevil OK", "a\0b"] {
            assert_eq!(Value::new(&options(text)).unwrap_err().kind, ErrorKind::Config, "{text:?}");
        }
        assert!(Value::new(&options("permit_auth_destination, OK")).is_ok());
    }
}
