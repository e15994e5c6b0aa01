//! What a site's own logger puts in front of each line (`--line-prefix`). Pure; set once, before the first line is read.
//!
//! It is taken off whole, from the first byte on. All of it is fixed: letters stand for themselves, `#` for a digit, `*` for a
//! name. So it can never reach into a message: a name has no space in it, and there are few of them.

use std::sync::OnceLock;

use crate::line::bytes::Class;

/// Most bytes of the prefix as it is given, and of a name in it.
const LONGEST: usize = 128;

/// Most names in it.
const MOST_NAMES: usize = 3;

static SITE: OnceLock<LinePrefix> = OnceLock::new();

/// What stands in front of each line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePrefix(Vec<u8>);

impl LinePrefix {
    /// Reads how it is given: `mail01 #### *: `.
    ///
    /// # Errors
    /// It cannot be one; why.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let bytes = text.as_bytes();
        let is_name = |at: usize| bytes.get(at) == Some(&b'*');
        let ends_name =
            |at: usize| bytes.get(at + 1).is_some_and(|next| !NAME.has(*next) && !matches!(next, b'*' | b'#'));
        if bytes.is_empty() || bytes.len() > LONGEST || !bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err("a prefix has 1 to 128 printable letters of ASCII");
        }
        if !bytes.ends_with(b" ") {
            return Err("a prefix that ends in no space could go on in the line");
        }
        if !(0..bytes.len()).filter(|at| is_name(*at)).all(ends_name) {
            return Err("behind * must stand what no name has in it, such as a space or a colon");
        }
        if memchr::memchr_iter(b'*', bytes).count() > MOST_NAMES {
            return Err("with more than three * a prefix could reach into a message");
        }
        if bytes.iter().all(|byte| matches!(byte, b'*' | b' ')) {
            return Err("nothing but * and spaces would take off part of any line");
        }
        Ok(Self(bytes.to_vec()))
    }

    /// What stands behind it in a line, if it begins so.
    fn behind<'l>(&self, line: &'l [u8]) -> Option<&'l [u8]> {
        let mut rest = line;
        for byte in &self.0 {
            let length = match byte {
                b'*' => Some(NAME.run(rest)).filter(|length| (1..=LONGEST).contains(length))?,
                b'#' => usize::from(rest.first()?.is_ascii_digit()),
                other => usize::from(rest.first() == Some(other)),
            };
            rest = rest.get(length..).filter(|_| length > 0)?;
        }
        Some(rest)
    }
}

/// Sets what every line of this process has in front of it. Only the first time counts.
pub fn set_line_prefix(prefix: LinePrefix) {
    let _ = SITE.set(prefix);
}

/// Whether the lines of this process have one.
pub(super) fn has_prefix() -> bool {
    SITE.get().is_some()
}

/// Behind the prefix of the site, if it has one; then nothing is a line without it.
pub(super) fn behind_prefix(line: &[u8]) -> Option<&[u8]> {
    match SITE.get() {
        None => Some(line),
        Some(prefix) => prefix.behind(line),
    }
}

static NAME: Class = Class::letters_digits_and(b"._/@-");

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_is_taken_off_whole() {
        for (prefix, line, behind) in [
            ("mail01 ", "mail01 Nov 27", Some("Nov 27")),
            ("mail01 ", "mail02 Nov 27", None),
            ("mail01 ", " mail01 Nov 27", None),
            ("####/##/## *: ", "2026/11/27 a-1.b: x", Some("x")),
            ("####/##/## *: ", "2026/11/27 a b: x", None),
            ("####/##/## *: ", "2026/11/2x a: x", None),
            ("####/##/## *: ", "2026/11/27 : x", None),
            ("[*] ", "[a] [b] x", Some("[b] x")),
            ("* | ", "a | ", Some("")),
            ("* | ", "a |", None),
        ] {
            assert_eq!(LinePrefix::new(prefix).unwrap().behind(line.as_bytes()), behind.map(str::as_bytes), "{line}");
        }
        let long = format!("{} | x", "a".repeat(LONGEST + 1));
        assert_eq!(LinePrefix::new("* | ").unwrap().behind(long.as_bytes()), None);
    }

    #[test]
    fn one_that_could_reach_into_a_message_is_refused() {
        for prefix in ["", "mail01", "* ", "* * ", "a * * * * ", "** ", "*# x ", "*a x ", "ä ", "a\n ", "x *"] {
            assert!(LinePrefix::new(prefix).is_err(), "{prefix:?}");
        }
        assert!(LinePrefix::new(&format!("{} ", "a".repeat(LONGEST))).is_err());
    }
}
