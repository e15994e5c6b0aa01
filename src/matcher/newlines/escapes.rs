//! Counts what loggers add to the bytes that a server wrote, because a stranger's text is as long as it was before. Pure.

/// Bytes that were not in the message. Of one byte syslog-ng's sanitize-utf8 makes `\xff`, rsyslog `#000`, BusyBox and inetutils
/// `^M`; newlines stay.
pub(super) fn added(text: &[u8]) -> u64 {
    memchr::memchr3_iter(b'\\', b'#', b'^', text).map(|at| added_by_escape(&text[at..])).sum()
}

fn added_by_escape(text: &[u8]) -> u64 {
    match text {
        [b'\\', b'x', ..] => 3,
        [b'#', b'0'..=b'7', b'0'..=b'7', b'0'..=b'7', ..] => 3,
        [b'^', b'?'..=b'_', ..] => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::forged::{FORGED, NGINX, nothing_in, scanned};

    #[test]
    fn escaped_bytes_take_no_room_from_a_stranger() {
        let nginx =
            format!("Nov 27 13:00:00 mail mail nginx: 2026/11/27 13:00:00 [info] 8#8: {NGINX}0.0.0.0:143, login: \"");
        nothing_in(&format!("{nginx}{}\n{}\n{FORGED}\n\"\n", r"\xff".repeat(800), r"\xff".repeat(800)));
    }

    /// rsyslog that does not escape newlines makes `#000` of NUL.
    #[test]
    fn escapes_do_not_count() {
        for nul in ["#000", "\\x00", "^A"] {
            let failure = "Nov 27 13:00:00 mail nginx: 2026/11/27 13:00:00 [info] 8#8: *9 client login failed: \"x\" while in \
                           http auth state, client: 198.51.100.9, server: 0.0.0.0:143, login: \"x";
            assert_eq!(scanned(&format!("{failure}{}\n{FORGED}\n", nul.repeat(1500)), false), [""; 0]);
        }
    }

    /// They may stand in the forged line itself.
    #[test]
    fn escapes_in_the_line_do_not_count_either() {
        let forged = |pad: &str| format!("Nov 27 13:00:01 m pop3d:LOGIN, user={pad}, ip=[203.0.113.66]");
        for escape in ["\\xff", "#001", "^A"] {
            let line = forged(&escape.repeat(22));
            for failure in [
                "imapd[7]: Logout user=x",
                "imapd[7]: Login failed user=abcde auth=x",
                "vpopmail[77]: vchkpw-smtp: password fail (pass: 'x",
                "in.imapproxyd[7]: LOGIN: 'x",
            ] {
                let end = "' (198.51.100.9:1) failed: no host=h [198.51.100.9]";
                let log = format!("Nov 27 13:00:00 mail {failure}\n{line}\n{end}\n");
                assert_eq!(scanned(&log, false), [""; 0], "{log}");
                assert_eq!(scanned(&log, true).len(), 1, "the test has no forged line");
            }
        }
    }
}
