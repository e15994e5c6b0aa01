//! Finds the header of another line in a text. Pure; never allocates.

use super::stamp;

/// Whether `text` holds a time stamp of the same form as `time` that is not earlier.
///
/// A line whose logger died in the middle of it (disk full, power failure) has no newline, and the next message is
/// appended to it, header and all: the words of a success, then the address of somebody's failure. The header of the
/// second message is then inside what was taken for the user name. A user who has an account may put a stamp into his
/// name himself; it only hurts him, and only if it lies in the future.
pub fn holds_later_stamp(time: &[u8], text: &[u8]) -> bool {
    // Every stamp has the time of day.
    if memchr::memchr(b':', text).is_none() {
        return false;
    }
    let starts = text.iter().enumerate().filter(|(_, byte)| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    starts.filter_map(|(at, _)| stamp(&text[at..])).any(|(other, _)| !is_earlier(other, time))
}

/// Whether a stamp is earlier than another of the same form. Another form or month cannot be told; a log that changes its
/// form in the middle of a line does not, a month may end there.
fn is_earlier(stamp: &[u8], than: &[u8]) -> bool {
    match (stamp.first_chunk::<3>(), than.first_chunk::<3>()) {
        (Some(month), Some(other)) if month[0].is_ascii_uppercase() && other[0].is_ascii_uppercase() => {
            month == other && stamp < than
        }
        (Some(year), Some(other)) if year[0].is_ascii_digit() && other[0].is_ascii_digit() => stamp < than,
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
        ] {
            assert_eq!(holds_later_stamp(time, text.as_bytes()), expected, "{text}");
        }
    }
}
