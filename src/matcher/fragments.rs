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
//! and syslogd drop what is over their limit (see [`super::LONGEST_GRANTING`]). Who splits at 8 KiB is seen by the length of a
//! line, of whatever program (`newlines`).

use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, RandomState};

use super::sessions::ByItself;

/// Most (host, program) pairs that are remembered.
const CAPACITY: usize = 64 * 1024;

/// Which (host, program) pairs owe the rest of a message.
#[derive(Debug, Clone, Default)]
pub(super) struct Fragments {
    known: Known,
    hasher: RandomState,
    overflowed: bool,
}

/// What is known of the pairs: each is a hash with a secret.
#[derive(Debug, Clone)]
enum Known {
    /// These owe a rest, and no other: the log was read from its first line.
    Owing(HashSet<u64, ByItself>),
    /// The last message of these was whole. Any other may owe a rest: what it wrote before was not seen.
    Whole(HashSet<u64, ByItself>),
    /// Any message may be a rest.
    Nothing,
}

impl Default for Known {
    fn default() -> Self {
        Self::Owing(HashSet::default())
    }
}

impl Fragments {
    /// Forgets all: what comes next stands in the middle of a log, and may be the rest of a message that was not seen.
    pub(super) fn forget(&mut self) {
        self.known = Known::Whole(HashSet::default());
    }

    /// Whatever comes may be the rest of a message that was not seen.
    pub(super) fn believe_nothing(&mut self) {
        self.known = Known::Nothing;
    }

    /// Notes a message and says whether it may be a piece of a cut one: it is as long as the limit, or the one before
    /// it was, or may have been. To be called for every message of a program whose logger cuts.
    pub(super) fn is_piece(&mut self, host: impl Hash, program: &[u8], length: usize, limit: usize) -> bool {
        let long = length >= limit;
        if let Known::Owing(owing) = &self.known
            && !long
            && owing.is_empty()
        {
            return false;
        }
        let key = self.hasher.hash_one((host, program));
        let is_full = match &mut self.known {
            Known::Nothing => return true,
            Known::Owing(owing) if !long => return owing.remove(&key),
            Known::Whole(whole) if long => {
                whole.remove(&key);
                return true;
            }
            Known::Whole(whole) if whole.contains(&key) => return false,
            Known::Owing(pairs) | Known::Whole(pairs) => !insert(pairs, key),
        };
        if is_full {
            // Whoever is not remembered may owe a rest: each pair is believed again after one more message.
            self.forget();
            self.overflowed = true;
        }
        true
    }

    /// Whether more pairs than can be remembered made it forget all since the last call.
    pub(super) fn take_overflow(&mut self) -> bool {
        std::mem::take(&mut self.overflowed)
    }
}

/// Adds a pair; false if there is no room for it.
fn insert(pairs: &mut HashSet<u64, ByItself>, key: u64) -> bool {
    let fits = pairs.len() < CAPACITY || pairs.contains(&key);
    if fits {
        pairs.insert(key);
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Option<&[u8]> = Some(b"mail");
    const NO_HOST: Option<&[u8]> = None;

    fn in_the_middle() -> Fragments {
        let mut fragments = Fragments::default();
        fragments.forget();
        fragments
    }

    #[test]
    fn the_message_after_a_long_one_is_a_piece() {
        for (mut fragments, first) in [(Fragments::default(), false), (in_the_middle(), true)] {
            let mut piece = |program: &[u8], length| fragments.is_piece(HOST, program, length, 500);
            assert_eq!(piece(b"imapd", 80), first);
            assert!(!piece(b"imapd", 80));
            assert!(piece(b"imapd", 505));
            assert_eq!(piece(b"pop3d", 80), first);
            assert!(!piece(b"pop3d", 80));
            assert!(piece(b"imapd", 511));
            assert!(piece(b"imapd", 1));
            assert!(!piece(b"imapd", 80));
        }
    }

    #[test]
    fn hosts_are_kept_apart() {
        for (mut fragments, first) in [(Fragments::default(), false), (in_the_middle(), true)] {
            assert!(fragments.is_piece(HOST, b"imapd", 505, 500));
            assert_eq!(fragments.is_piece(NO_HOST, b"imapd", 80, 500), first);
            assert!(!fragments.is_piece(NO_HOST, b"imapd", 80, 500));
            assert!(fragments.is_piece(HOST, b"imapd", 80, 500));
        }
    }

    #[test]
    fn a_full_table_distrusts_each_once() {
        for (mut fragments, length) in [(Fragments::default(), 505), (in_the_middle(), 80)] {
            for n in 0..CAPACITY {
                assert!(fragments.is_piece(HOST, n.to_string().as_bytes(), length, 500));
            }
            assert!(!fragments.take_overflow());
            assert!(fragments.is_piece(HOST, b"cut", length, 500));
            assert!(fragments.take_overflow());
            for program in [b"cut".as_slice(), b"other", b"1"] {
                assert!(fragments.is_piece(HOST, program, 80, 500));
                assert!(!fragments.is_piece(HOST, program, 80, 500));
            }
            assert!(!fragments.take_overflow());
        }
    }
}
