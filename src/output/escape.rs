//! Makes text from a log line safe to print: strangers wrote it.

use std::fmt::{self, Display};

/// `text` in which every character that is not printable is escaped as in Rust, and the backslash doubled.
pub(crate) fn printable(text: &[u8]) -> impl Display {
    Escaped { text, json: false }
}

/// The first 80 bytes of it, for a message.
pub(crate) fn short(text: &[u8]) -> impl Display {
    let cut = text.len() > 80;
    let text = if cut { &text[..80] } else { text };
    Short { text, cut }
}

/// `text` as the inside of a JSON string (RFC 8259); a byte that is not UTF-8 becomes `\\xNN`.
pub(crate) fn json(text: &[u8]) -> impl Display {
    Escaped { text, json: true }
}

/// A JSON document in which every character that a terminal would obey is escaped, too; it stands in strings only.
pub(crate) fn json_document(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for char in json.chars() {
        if is_obeyed(char) {
            let mut units = [0; 2];
            escaped.extend(char.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            escaped.push(char);
        }
    }
    escaped
}

struct Short<'t> {
    text: &'t [u8],
    cut: bool,
}

impl Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        printable(self.text).fmt(f)?;
        if self.cut { f.write_str("...") } else { Ok(()) }
    }
}

struct Escaped<'t> {
    text: &'t [u8],
    json: bool,
}

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.text.utf8_chunks() {
            let mut text = chunk.valid();
            while let Some((at, char)) = text.char_indices().find(|(_, char)| self.is_escaped(*char)) {
                f.write_str(&text[..at])?;
                match char {
                    '\\' | '"' => write!(f, "\\{char}")?,
                    _ => self.code(f, char)?,
                }
                text = &text[at + char.len_utf8()..];
            }
            f.write_str(text)?;
            for byte in chunk.invalid() {
                write!(f, "{}\\x{byte:02x}", if self.json { "\\" } else { "" })?;
            }
        }
        Ok(())
    }
}

impl Escaped<'_> {
    fn is_escaped(&self, char: char) -> bool {
        char == '\\' || self.json && char == '"' || is_obeyed(char)
    }

    fn code(&self, f: &mut fmt::Formatter<'_>, char: char) -> fmt::Result {
        if self.json {
            let mut units = [0; 2];
            return char.encode_utf16(&mut units).iter().try_for_each(|unit| write!(f, "\\u{unit:04x}"));
        }
        write!(f, "{}", char.escape_unicode())
    }
}

/// Whether a terminal does not show the character but does something. Format characters (bidirectional overrides and the
/// like) reorder what it shows.
pub(crate) fn is_obeyed(char: char) -> bool {
    char.is_control() || is_format(char)
}

/// General category Cf, as far as it changes how its surroundings look.
fn is_format(char: char) -> bool {
    matches!(char, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_the_cursor_gets_through() {
        assert_eq!(printable(b"kevin@example.net").to_string(), "kevin@example.net");
        assert_eq!(printable(b"a\x1b[31m\tb\n\xff\\").to_string(), r"a\u{1b}[31m\u{9}b\u{a}\xff\\");
        assert_eq!(printable("müller\u{202e}x".as_bytes()).to_string(), r"müller\u{202e}x");
        assert_eq!(short(&[b'a'; 100]).to_string(), format!("{}...", "a".repeat(80)));
    }

    #[test]
    fn json_strings_are_json() {
        assert_eq!(json(b"a\"b\\c\n\xff").to_string(), r#"a\"b\\c\u000a\\xff"#);
    }
}
