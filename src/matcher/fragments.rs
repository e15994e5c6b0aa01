//! Remembers which program wrote a message that its logger had cut, because the next one may begin with a stranger's
//! text. Holds a bounded table; no I/O.
//!
//! `courierlogger` (liblog/logger.c) reads lines of a server into 512 bytes and logs the rest of a longer line as a
//! message of its own. A failed login with a well-measured user name so yields a message that is byte for byte a
//! genuine login. What gives it away is the message before it: 505 bytes long (511 without the `INFO: ` that the
//! logger takes off; 504 without `DEBUG: `), same host and program. Messages of other programs come in between, and
//! the rest may appear much later.
//!
//! It means to skip the rest, but skips on another stream of the same descriptor: what is lost is a line that somebody
//! else wrote next, and the rest waits until then.
//!
//! One message is enough to distrust: the server prints at most 1,023 bytes of a line with a stranger's name in it
//! (courier_safe_printf), so a third piece has one byte. That matters, as the second piece need not be long: the logger
//! also takes off leading spaces.
//!
//! Other loggers cut too, but drop the rest or are out of reach: UW, Cyrus and Dovecot cut the name itself; syslog(3)
//! and syslogd drop what is over their limit (see [`super::LONGEST_GRANTING`]); rsyslog with
//! `oversizemsg.input.mode="split"` does split, at 8 KiB, which no login server here reaches.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Programs that may be in the middle of a cut message at the same time.
const CAPACITY: usize = 4096;

/// Which (host, program) pairs owe the rest of a message.
#[derive(Debug, Clone, Default)]
pub(super) struct Fragments {
    owing: Vec<u64>,
    /// More pairs than the table holds: which messages are whole is no longer known, so none is believed.
    lost: bool,
}

impl Fragments {
    /// Notes a message and says whether it may be a piece of a cut one: it is as long as the limit, or the one before
    /// it was. To be called for every message of a program whose logger cuts.
    pub(super) fn is_piece(&mut self, host: Option<&[u8]>, program: &[u8], length: usize, limit: usize) -> bool {
        let long = length >= limit;
        if !long && self.owing.is_empty() {
            return self.lost;
        }
        let key = key(host, program);
        let owed = self.owing.iter().position(|k| *k == key);
        match owed {
            Some(at) if !long => {
                self.owing.swap_remove(at);
            }
            None if long => self.owe(key),
            _ => {}
        }
        long || owed.is_some() || self.lost
    }

    fn owe(&mut self, key: u64) {
        if self.owing.len() < CAPACITY {
            self.owing.push(key);
        } else {
            self.lost = true;
        }
    }
}

fn key(host: Option<&[u8]>, program: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (host, program).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Option<&[u8]> = Some(b"mail");

    #[test]
    fn the_message_after_a_long_one_is_a_piece() {
        let mut fragments = Fragments::default();
        let mut piece = |program: &[u8], length| fragments.is_piece(HOST, program, length, 500);
        assert!(!piece(b"imapd", 80));
        assert!(piece(b"imapd", 505));
        assert!(!piece(b"pop3d", 80));
        assert!(piece(b"imapd", 511));
        assert!(piece(b"imapd", 1));
        assert!(!piece(b"imapd", 80));
    }

    #[test]
    fn hosts_are_kept_apart() {
        let mut fragments = Fragments::default();
        assert!(fragments.is_piece(HOST, b"imapd", 505, 500));
        assert!(!fragments.is_piece(None, b"imapd", 80, 500));
        assert!(fragments.is_piece(HOST, b"imapd", 80, 500));
    }

    #[test]
    fn a_full_table_believes_nobody() {
        let mut fragments = Fragments::default();
        for n in 0..=CAPACITY {
            assert!(fragments.is_piece(HOST, n.to_string().as_bytes(), 505, 500));
        }
        assert!(fragments.is_piece(HOST, b"other", 80, 500));
        assert!(fragments.owing.len() <= CAPACITY);
    }
}
