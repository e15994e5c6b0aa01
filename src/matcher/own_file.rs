//! Knows which lines of nginx's own log file may be text of a stranger. Holds two numbers; no I/O.
//!
//! nginx writes a name into its file as it came, newlines included (an IMAP literal, a base64 answer), also when the login
//! fails. One failure so writes whole lines, without an account: forged lines of nginx, complete with a forged
//! `connected` line before and a forged failure behind, or lines of any other server. Nothing in such a line gives it
//! away. What the stranger cannot choose is how long his record is: nginx (`NGX_MAX_ERROR_STR`) cuts at 2,048 bytes. So after
//! a line with such a text nothing counts for that many bytes, counted from its start; and no line that is not nginx's
//! counts so close behind one of nginx's.
//!
//! Through syslog the daemon writes a newline as `#012`, and all this is out of reach.

use super::builtin::NGINX_WHOLE;
use super::reader;
use super::{BUILTIN, Matcher};
use crate::syslog::Header;

/// Most bytes of one record, with its line end.
const LONGEST_RECORD: u64 = 2048 + 2;

/// How far the records of one log reach, in bytes from its start.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OwnFile {
    read: u64,
    /// Up to here a line may belong to a record that began as one of nginx.
    record: u64,
    /// Up to here a line of nginx may be a stranger's text.
    doubt: u64,
}

impl OwnFile {
    /// Notes bytes that were not looked at.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.read = self.read.saturating_add(bytes as u64);
    }

    /// Whether the line that begins where the last one ended may be a stranger's text. To be called for every line that
    /// has a header, with the bytes of the line.
    pub(super) fn is_doubtful(&mut self, header: &Header<'_>, message: &[u8]) -> bool {
        let at = self.read;
        if header.host.is_some() || header.program != b"nginx" {
            return at < self.record;
        }
        let doubtful = at < self.doubt;
        self.record = at.saturating_add(LONGEST_RECORD);
        if has_name(message) && !is_harmless(message) {
            self.doubt = self.record;
        }
        doubtful
    }
}

/// Whether it is about a connection and quotes something.
fn has_name(message: &[u8]) -> bool {
    message.starts_with(b"*") && memchr::memchr(b'"', message).is_some()
}

/// Whether the whole record is this line.
fn is_harmless(message: &[u8]) -> bool {
    let reads = |pattern| reader::read(pattern, message).is_some();
    let nginx = |matcher: &Matcher| matcher.logins.iter().chain(matcher.logouts).any(|pattern| reads(*pattern));
    NGINX_WHOLE.iter().any(|pattern| reads(*pattern)) || BUILTIN.iter().find(|m| m.name == "nginx").is_some_and(nginx)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syslog;

    const START: &str = "2026/11/22 16:30:13 [info] 806#806: *210 client login failed: \"no\" while in http auth state, \
                         client: 198.51.100.85, server: ";
    const LOGIN: &str = "2026/11/22 16:30:13 [info] 806#806: *211 client logged in, client: 203.0.113.66, server: \
                         0.0.0.0:143, login: \"a\", upstream: 127.0.0.2:1143";

    fn doubts(file: &mut OwnFile, line: &str) -> Option<bool> {
        let (header, message) = syslog::parse(line.as_bytes())?;
        let doubtful = file.is_doubtful(&header, message);
        file.skip(line.len() + 1);
        Some(doubtful)
    }

    #[test]
    fn what_may_be_a_name_is_not_believed() {
        for name in ["x", "x\"", "x\", upstream: 127.0.0.2:1143"] {
            let mut file = OwnFile::default();
            assert_eq!(doubts(&mut file, LOGIN), Some(false));
            assert_eq!(doubts(&mut file, &format!("{START}0.0.0.0:143, login: \"{name}")), Some(false));
            assert_eq!(doubts(&mut file, LOGIN), Some(true));
            assert_eq!(doubts(&mut file, "Nov 22 16:30:13 mail imapd: LOGIN, user=a, ip=[203.0.113.66]"), Some(true));
            assert_eq!(doubts(&mut file, LOGIN), Some(true));
            file.skip(2048);
            assert_eq!(doubts(&mut file, LOGIN), Some(false));
        }
    }

    #[test]
    fn a_short_failure_of_pop3_does_no_harm_but_only_nginx_may_follow() {
        let mut file = OwnFile::default();
        assert_eq!(doubts(&mut file, &format!("{START}0.0.0.0:110, login: \"x\"")), Some(false));
        assert_eq!(doubts(&mut file, LOGIN), Some(false));
        assert_eq!(doubts(&mut file, "Nov 22 16:30:13 mail imapd: LOGIN, user=a, ip=[203.0.113.66]"), Some(true));
        assert_eq!(doubts(&mut file, &format!("{START}0.0.0.0:110, login: \"x")), Some(false));
        assert_eq!(doubts(&mut file, LOGIN), Some(true));
    }

    /// nginx reads a POP3 command into 128 bytes, so a name in base64 has at most 94.
    #[test]
    fn no_forged_line_fits_into_a_name_of_pop3() {
        let shortest =
            "\n2026/11/22 16:30:13 [info] 1#1: *1 client logged in, client: 1.1.1.1, server: 1.1.1.1:1, login: \"x";
        assert!(shortest.len() > 94);
    }
}
