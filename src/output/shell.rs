//! Command lines that an operator may paste into a shell although strangers wrote a part of them. Pure.

use std::fmt::Write as _;

/// The command that tells how exactly this line is read, for any POSIX shell. It holds only printable ASCII: what a
/// terminal would take for a key is spelled out for printf(1).
pub fn explain(line: &[u8]) -> String {
    if is_plain(line) {
        format!("pop-before-smtp match --explain {}", word(line))
    } else {
        format!("printf {} | pop-before-smtp match --explain -", printf_line(line))
    }
}

/// One word of a command line that stands for exactly this text.
///
/// Nothing inside of single quotes means anything to a shell, so only the single quote has to be got round. Text that
/// could mean something to a terminal is not for this: see [`is_plain`].
pub fn word(text: &[u8]) -> String {
    format!("'{}'", String::from_utf8_lossy(text).replace('\'', r"'\''"))
}

/// One word of a command line, without quotes where none are needed.
pub(crate) fn argument(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,+@%".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) { text.to_owned() } else { word(text.as_bytes()) }
}

/// Whether the text is printable ASCII and cannot be taken for an option.
pub fn is_plain(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' '..=b'~')) && !text.starts_with(b"-")
}

/// What printf(1) makes the line of, with its newline, in quotes. An octal escape has three digits at most, so a digit
/// that follows is not taken for a fourth.
fn printf_line(line: &[u8]) -> String {
    let mut format = String::from("'");
    for (at, byte) in line.iter().enumerate() {
        let means_something = matches!(byte, b'\'' | b'\\' | b'%') || at == 0 && *byte == b'-';
        let _ = match byte {
            b' '..=b'~' if !means_something => write!(format, "{}", char::from(*byte)),
            _ => write!(format, "\\{byte:03o}"),
        };
    }
    format.push_str("\\n'");
    format
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_read_as_it_was_meant() {
        assert_eq!(argument("/etc/postfix/x"), "/etc/postfix/x");
        assert_eq!(argument("a b"), "'a b'");
        assert_eq!(argument("it's"), r"'it'\''s'");
    }

    #[test]
    fn plain_text_is_quoted_and_anything_else_spelled_out() {
        assert_eq!(explain(b"a $(b) `c` \"d\" \\ %s !"), r#"pop-before-smtp match --explain 'a $(b) `c` "d" \ %s !'"#);
        assert_eq!(explain(b"it's"), r"pop-before-smtp match --explain 'it'\''s'");
        assert_eq!(explain(b"it's\x1b1%\\"), r"printf 'it\047s\0331\045\134\n' | pop-before-smtp match --explain -");
        assert_eq!(explain(b"-x-"), r"printf '\055x-\n' | pop-before-smtp match --explain -");
        assert_eq!(explain("ü\0".as_bytes()), r"printf '\303\274\000\n' | pop-before-smtp match --explain -");
    }
}
