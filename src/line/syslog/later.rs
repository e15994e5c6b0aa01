//! Finds the header of another line in a text. Pure; never allocates.

use super::Header;
use super::servers::nginx_stamp;
use super::stamps::stamp;
use crate::line::stamp::{civil, has_zone, instant, is_dated, is_of_same_form};

/// Whether `text` holds a time stamp that is not for sure earlier than that of the header, or than any of several.
///
/// A line whose logger died in the middle of it (disk full, power failure) has no newline, and the next message is
/// appended to it, header and all: the words of a success, then the address of somebody's failure. The header of the
/// second message is then inside what was taken for the user name. A user who has an account may put a stamp into his
/// name himself; it only hurts him.
pub(crate) fn holds_later_header(header: &Header<'_>, text: &[u8]) -> bool {
    holds_later_stamp(header.time, text) || header.inner_time.is_some_and(|time| holds_later_stamp(time, text))
}

/// Whether `text` holds a time stamp that is not for sure earlier than `time`.
pub fn holds_later_stamp(time: &[u8], text: &[u8]) -> bool {
    // Every header has a colon: in the time of day, or behind the program.
    if !text.iter().fold(false, |any, byte| any | (*byte == b':')) {
        return false;
    }
    // RFC 5424 writes this if it knows no time, so that none can be compared.
    if time == b"-" && memchr::memmem::find(text, b">1 ").is_some() {
        return true;
    }
    let is_start = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'@';
    let starts = text.iter().enumerate().filter(|(_, byte)| is_start(byte));
    let stamp = |text| stamp(text).map(|(time, _)| time).or_else(|| nginx_stamp(text).map(|(time, ..)| time));
    starts.filter_map(|(at, _)| stamp(&text[at..])).any(|other| !is_earlier(other, time))
}

/// Whether a stamp is earlier than another. Of stamps with a year and without one it cannot be told, and a log that changes its
/// form in the middle of a line is not to be expected; a month may end between two.
fn is_earlier(stamp: &[u8], than: &[u8]) -> bool {
    if than == b"-" {
        return false;
    }
    match (is_dated(stamp), is_dated(than)) {
        (false, false) => stamp.get(..3) == than.get(..3) && stamp < than,
        (true, true) if has_zone(stamp) && has_zone(than) => {
            instant(stamp).zip(instant(than)).is_some_and(|(a, b)| a < b)
        }
        (true, true) if has_zone(stamp) == has_zone(than) && is_of_same_form(stamp, than) => {
            civil(stamp).zip(civil(than)).is_some_and(|(a, b)| a < b)
        }
        (true, true) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_behind_half_a_line_is_seen() {
        let old = b"Nov 22 15:54:36";
        let new = b"2026-11-22T16:03:39.123456+00:00";
        let nginx = b"2026/11/22 16:03:39";
        for (time, text, expected) in [
            (&old[..], "alNov 22 15:54:36 mail pop3d: LOGIN FAILED, user=x", true),
            (old, "alNov 23 09:00:00 mail pop3d: x", true),
            (old, "alDec  1 09:00:00 mail pop3d: x", true),
            (old, "Nov 22 15:54:35 mail pop3d: x", false),
            (old, "al2026-11-22T16:03:39 mail x", false),
            (old, "kevin@example.net", false),
            (new, "al2026-11-22T16:03:40.000000+00:00 mail pop3d: x", true),
            (new, "al<22>2027-01-01T00:00:00Z mail pop3d: x", true),
            (new, "2026-11-22T10:00:00.000000+00:00 mail x", false),
            (new, "alNov 22 16:03:40 mail pop3d: x", false),
            // An hour later, in a zone two hours behind.
            (new, "al2026-11-22T15:03:39.123456-02:00 mail x", true),
            (new, "al2026-11-22T17:03:39.123456+02:00 mail x", false),
            (new, "al2026-11-22T16:03:39.123456Z mail x", true),
            (new, "al2026-11-22T16:03:38 mail x", true),
            (new, "al2026-11-42T10:00:00Z mail x", true),
            (&nginx[..], "al2026/11/22 16:03:40 [info] 7#7: *1 client login failed", true),
            (&nginx[..], "al2026/11/22 16:03:38 [info] 7#7: *1 client login failed", false),
        ] {
            assert_eq!(holds_later_stamp(time, text.as_bytes()), expected, "{text}");
        }
    }
}
