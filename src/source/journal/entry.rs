//! An entry of the journal, as `journalctl --output=json` prints it, -> one line of syslog. Pure.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use crate::line::bytes::Class;
use crate::line::syslog::LONGEST_LINE;

/// The fields that are read of an entry; `--output-fields` names them, but for those of two underscores, which always
/// come. See systemd.journal-fields(7).
pub(super) const FIELDS: &str =
    "MESSAGE,SYSLOG_IDENTIFIER,SYSLOG_PID,_PID,_HOSTNAME,_SYSTEMD_UNIT,_UID,_EXE,_TRANSPORT,CONTAINER_NAME";

/// The fields of an entry. One that came twice in the JSON makes it no entry.
#[derive(Debug, Deserialize)]
pub(super) struct Entry<'j> {
    /// Where it is in the journal.
    #[serde(borrow, rename = "__CURSOR")]
    pub(super) cursor: Option<Value<'j>>,
    #[serde(borrow, rename = "_SYSTEMD_UNIT")]
    pub(super) unit: Option<Value<'j>>,
    #[serde(borrow, rename = "_UID")]
    pub(super) user: Option<Value<'j>>,
    #[serde(borrow, rename = "_EXE")]
    pub(super) program: Option<Value<'j>>,
    #[serde(borrow, rename = "__REALTIME_TIMESTAMP")]
    time: Option<Value<'j>>,
    #[serde(borrow, rename = "_HOSTNAME")]
    host: Option<Value<'j>>,
    #[serde(borrow, rename = "SYSLOG_IDENTIFIER")]
    identifier: Option<Value<'j>>,
    #[serde(borrow, rename = "SYSLOG_PID")]
    syslog_pid: Option<Value<'j>>,
    #[serde(borrow, rename = "_PID")]
    pid: Option<Value<'j>>,
    #[serde(borrow, rename = "_TRANSPORT")]
    transport: Option<Value<'j>>,
    #[serde(borrow, rename = "CONTAINER_NAME")]
    container: Option<Value<'j>>,
    // An absent message and one that is null are not the same.
    #[serde(borrow, default, rename = "MESSAGE", deserialize_with = "present")]
    message: Option<Value<'j>>,
}

/// The value of a field.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value<'j> {
    Text(Cow<'j, str>),
    /// An array of numbers: not UTF-8, or not printable.
    Bytes(Vec<u8>),
    /// The field is there several times.
    Several,
    /// `null`: too large for `journalctl` to print.
    TooLarge,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conversion {
    /// It is a line.
    Line,
    /// It is a line, or was one, that is too long to count.
    TooLong,
    /// It cannot be a line of a server that is known.
    Odd,
}

impl<'j> Entry<'j> {
    /// Reads a line of JSON.
    pub(super) fn parse(json: &'j [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// When the journal received it.
    pub(super) fn written(&self) -> Option<SystemTime> {
        let micros = Duration::from_micros(text(&self.time)?.parse().ok()?);
        SystemTime::UNIX_EPOCH.checked_add(micros)
    }

    /// Appends the entry to `lines` as `STAMP HOST IDENTIFIER[PID]: MESSAGE` with its newline.
    ///
    /// A message with a newline is left out: in a line its second half could pose as a message of any program, and no
    /// login has one. Of a message that is too long so much goes in that the line is too long, too: the next one may be
    /// its rest, and only who has seen the long one can know.
    ///
    /// Of what a program writes to its standard output or error, journald makes an entry of each line, and so do container
    /// runtimes: a newline, NUL or 48 KiB in a message begin an entry that holds nothing but a stranger's text.
    pub(super) fn append(&self, lines: &mut Vec<u8>) -> Conversion {
        let start = lines.len();
        let outcome = self.line(lines).unwrap_or(Conversion::Odd);
        if outcome == Conversion::Odd {
            lines.truncate(start);
        }
        outcome
    }

    fn line(&self, lines: &mut Vec<u8>) -> Option<Conversion> {
        let start = lines.len();
        let is_whole = self.transport.is_none() || matches!(text(&self.transport), Some("syslog" | "journal"));
        if !is_whole || self.container.is_some() {
            return None;
        }
        let time = jiff::Timestamp::from_microsecond(text(&self.time)?.parse().ok()?).ok()?;
        let host = text(&self.host).filter(|host| is_all(&HOST, host))?;
        let identifier = text(&self.identifier).filter(|identifier| is_all(&PROGRAM, identifier))?;
        write!(lines, "{time:.6} {host} {identifier}").ok()?;
        if let Some(pid) = number(&self.syslog_pid).or_else(|| number(&self.pid)) {
            write!(lines, "[{pid}]").ok()?;
        }
        lines.extend_from_slice(b": ");
        match self.message.as_ref()? {
            Value::Text(text) => lines.extend_from_slice(text.as_bytes()),
            Value::Bytes(bytes) => lines.extend_from_slice(bytes),
            Value::TooLarge => lines.resize(start + LONGEST_LINE + 1, b'.'),
            Value::Several => return None,
        }
        if memchr::memchr(b'\n', &lines[start..]).is_some() {
            return None;
        }
        let is_long = lines.len() - start > LONGEST_LINE;
        lines.truncate(start + LONGEST_LINE + 1);
        lines.push(b'\n');
        Some(if is_long { Conversion::TooLong } else { Conversion::Line })
    }
}

/// Not even a colon: what ends in one would be read as the tag.
static HOST: Class = Class::letters_digits_and(b"-_.");
/// What `syslog.rs` takes for a program.
static PROGRAM: Class = Class::letters_digits_and(b"-_./+");

fn is_all(class: &Class, text: &str) -> bool {
    !text.is_empty() && class.run(text.as_bytes()) == text.len()
}

fn text<'a>(field: &'a Option<Value<'_>>) -> Option<&'a str> {
    match field {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

fn number(field: &Option<Value<'_>>) -> Option<u32> {
    text(field).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

fn present<'de: 'j, 'j, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value<'j>>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl<'de: 'j, 'j> Deserialize<'de> for Value<'j> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, an array or null")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Value::TooLarge)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let (mut bytes, mut several) = (Vec::new(), false);
        while let Some(element) = elements.next_element::<Element>()? {
            match element {
                Element::Byte(byte) => bytes.push(byte),
                Element::Value(_) => several = true,
            }
        }
        Ok(if several { Value::Several } else { Value::Bytes(bytes) })
    }
}

/// Of an array: a byte of the one value, or one of several values.
#[derive(Deserialize)]
#[serde(untagged)]
enum Element {
    Byte(u8),
    Value(de::IgnoredAny),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::line::syslog;
    use proptest::prelude::*;

    fn convert(fields: &str) -> (String, Conversion) {
        let json = format!(r#"{{"__REALTIME_TIMESTAMP":"1795363419123456","_HOSTNAME":"mail",{fields}}}"#);
        let mut lines = b"before\n".to_vec();
        let outcome = Entry::parse(json.as_bytes()).unwrap().append(&mut lines);
        (String::from_utf8_lossy(lines.strip_prefix(b"before\n").unwrap()).into_owned(), outcome)
    }

    #[test]
    fn an_entry_becomes_a_line() {
        let head = "2026-11-22T16:03:39.123456Z mail";
        for (fields, expected) in [
            (r#""SYSLOG_IDENTIFIER":"dovecot","MESSAGE":"a: b"}"#, "dovecot: a: b"),
            (r#""SYSLOG_IDENTIFIER":"imapd","SYSLOG_PID":"7","_PID":"8","MESSAGE":"a"}"#, "imapd[7]: a"),
            (r#""SYSLOG_IDENTIFIER":"cyrus/imap","_PID":"8","MESSAGE":"a\\b\"\tü"}"#, "cyrus/imap[8]: a\\b\"\tü"),
            (r#""SYSLOG_IDENTIFIER":"a","SYSLOG_PID":"7]: x","_PID":"8","MESSAGE":""}"#, "a[8]: "),
            (r#""SYSLOG_IDENTIFIER":"a","SYSLOG_PID":"+7","MESSAGE":[97,27,255]}"#, "a: a\u{1b}\u{fffd}"),
            (r#""SYSLOG_IDENTIFIER":"a","MESSAGE":[]}"#, "a: "),
            (r#""SYSLOG_IDENTIFIER":"a","MESSAGE":"b","_TRANSPORT":"syslog"}"#, "a: b"),
            (r#""SYSLOG_IDENTIFIER":"a","MESSAGE":"b","_TRANSPORT":"journal"}"#, "a: b"),
        ] {
            let fields = fields.strip_suffix('}').unwrap();
            assert_eq!(convert(fields), (format!("{head} {expected}\n"), Conversion::Line), "{fields}");
        }
    }

    #[test]
    fn what_can_be_no_line_is_left_out() {
        for fields in [
            r#""MESSAGE":"a""#,
            r#""SYSLOG_IDENTIFIER":"","MESSAGE":"a""#,
            r#""SYSLOG_IDENTIFIER":"a b","MESSAGE":"a""#,
            r#""SYSLOG_IDENTIFIER":"a:","MESSAGE":"a""#,
            r#""SYSLOG_IDENTIFIER":"a[7]","MESSAGE":"a""#,
            r#""SYSLOG_IDENTIFIER":["a","b"],"MESSAGE":"a""#,
            r#""SYSLOG_IDENTIFIER":"a""#,
            r#""SYSLOG_IDENTIFIER":"a","MESSAGE":["a","b"]"#,
            r#""SYSLOG_IDENTIFIER":"a","MESSAGE":[[97],"b"]"#,
            r#""SYSLOG_IDENTIFIER":"a","MESSAGE":"a\nb""#,
            r#""SYSLOG_IDENTIFIER":"a","MESSAGE":"a\n""#,
            r#""SYSLOG_IDENTIFIER":"a","MESSAGE":[97,10,98]"#,
            r#""SYSLOG_IDENTIFIER":"a","MESSAGE":"b","_TRANSPORT":"stdout""#,
            r#""SYSLOG_IDENTIFIER":"a","MESSAGE":"b","_TRANSPORT":["syslog","stdout"]"#,
            r#""SYSLOG_IDENTIFIER":"a","MESSAGE":"b","_TRANSPORT":"journal","CONTAINER_NAME":"c""#,
        ] {
            assert_eq!(convert(fields), (String::new(), Conversion::Odd), "{fields}");
        }
        for (time, host) in [("x", "mail"), ("9999999999999999999", "mail"), ("0", "a b"), ("0", "dovecot:"), ("0", "")]
        {
            let json = format!(
                r#"{{"__REALTIME_TIMESTAMP":"{time}","_HOSTNAME":"{host}","SYSLOG_IDENTIFIER":"a","MESSAGE":"b"}}"#
            );
            let outcome = Entry::parse(json.as_bytes()).unwrap().append(&mut Vec::new());
            assert_eq!(outcome, Conversion::Odd, "{json}");
        }
    }

    #[test]
    fn a_program_that_is_called_by_a_number_is_read_back() {
        let json = br#"{"__REALTIME_TIMESTAMP":"0","_HOSTNAME":"dovecot","SYSLOG_IDENTIFIER":"7","SYSLOG_PID":"dovecot","_PID":"dovecot","MESSAGE":"dovecot"}"#;
        let mut lines = Vec::new();
        assert_eq!(Entry::parse(json).unwrap().append(&mut lines), Conversion::Line);
        let (header, message) = syslog::parse(lines.strip_suffix(b"\n").unwrap()).unwrap();
        assert_eq!((header.host, header.program, message), (Some(&b"dovecot"[..]), &b"7"[..], &b"dovecot"[..]));
    }

    #[test]
    fn json_that_is_no_entry_is_refused() {
        for json in
            ["", "{", "[]", "7", r#"{"MESSAGE":7}"#, r#"{"_UID":"0","_UID":"1"}"#, r#"{"_UID":{"a":"0"}}"#, "{} {}"]
        {
            assert!(Entry::parse(json.as_bytes()).is_none(), "{json}");
        }
        // Fields of no interest.
        assert!(Entry::parse(br#"{"_BOOT_ID":"x","__SEQNUM":"7","OTHER":["a",[1]]}"#).is_some());
    }

    #[test]
    fn a_long_message_is_noticed_and_cannot_count() {
        let head = "2026-11-22T16:03:39.123456Z mail a: ".len();
        for (length, outcome) in
            [(LONGEST_LINE - head, Conversion::Line), (LONGEST_LINE - head + 1, Conversion::TooLong)]
        {
            let (line, is) = convert(&format!(r#""SYSLOG_IDENTIFIER":"a","MESSAGE":"{}""#, "x".repeat(length)));
            assert_eq!((line.len(), is), (head + length + 1, outcome));
        }
        for message in [format!(r#""{}""#, "x".repeat(60_000)), "null".to_owned()] {
            let (line, is) = convert(&format!(r#""SYSLOG_IDENTIFIER":"a","MESSAGE":{message}"#));
            assert_eq!((line.len(), is), (LONGEST_LINE + 2, Conversion::TooLong));
            assert!(line.contains(" mail a: ") && line.ends_with('\n'));
        }
    }

    /// JSON of any value: a text, an array of bytes, several, null.
    fn value() -> impl Strategy<Value = String> {
        let odd = prop::collection::vec(prop::sample::select(&b"a/-[]:<>() 7\n\r\0\t\"\\\xff"[..]), 0..12);
        let names = prop::sample::select(&["dovecot", "imapd", "nginx", "imap-login", "mail", "7", "a:", "a[7]"][..]);
        let line = "x\n2026-11-22T16:03:39Z mail dovecot: imap-login: Login: user=<a>, rip=203.0.113.66";
        prop_oneof![
            4 => names.prop_map(|name| serde_json::to_string(name).unwrap()),
            2 => odd.clone().prop_map(|bytes| serde_json::to_string(&String::from_utf8_lossy(&bytes)).unwrap()),
            1 => odd.prop_map(|bytes| serde_json::to_string(&bytes).unwrap()),
            2 => any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
            1 => Just(serde_json::to_string(line).unwrap()),
            1 => Just("null".to_owned()),
            1 => Just(r#"["a","b"]"#.to_owned()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn at_most_one_line_comes_out_and_its_program_is_the_identifier(
            time in prop_oneof![4 => (0..4_000_000_000_000_000u64).prop_map(|n| format!("\"{n}\"")), 1 => value()],
            (host, identifier) in (value(), value()),
            (syslog_pid, pid, message) in (value(), value(), value()),
        ) {
            let json = format!(
                r#"{{"__REALTIME_TIMESTAMP":{time},"_HOSTNAME":{host},"SYSLOG_IDENTIFIER":{identifier},"SYSLOG_PID":{syslog_pid},"_PID":{pid},"MESSAGE":{message}}}"#
            );
            let entry = Entry::parse(json.as_bytes()).unwrap();
            let mut lines = Vec::new();
            let outcome = entry.append(&mut lines);
            if outcome == Conversion::Odd {
                prop_assert!(lines.is_empty());
                return Ok(());
            }
            let line = lines.strip_suffix(b"\n").unwrap();
            prop_assert!(!line.contains(&b'\n'));
            let (header, rest) = syslog::parse(line).unwrap();
            prop_assert_eq!(Some(std::str::from_utf8(header.program).unwrap()), text(&entry.identifier));
            prop_assert_eq!(header.host, text(&entry.host).map(str::as_bytes));
            let message = match entry.message.as_ref() {
                Some(Value::Text(text)) => text.as_bytes(),
                Some(Value::Bytes(bytes)) => bytes,
                other => { prop_assert_eq!(other, Some(&Value::TooLarge)); rest }
            };
            let message = message.strip_suffix(b"\r").unwrap_or(message);
            // Of two spaces behind the tag both are the logger's, wherever the line comes from.
            prop_assert_eq!(rest, message.strip_prefix(b" ").unwrap_or(message));
        }
    }
}
