//! Remembers which processes may log what another server says. Holds a bounded table; no I/O.
//!
//! UW `ipop3d` and `ipop2d` are proxies for whoever asks, without an account: `USER host:name` and any password make
//! them connect to that host (ipopd/ipop3d.c, `pass_login`, unless built with DISABLE_POP_PROXY), and what it says in an
//! error goes to syslog as a message of its own, without a word of the server in front (`mm_log`). So it may be byte for
//! byte a genuine login, and nothing tells it but the line before: `IMAP login to host=...`, written by the same process
//! before it connects. After that line nothing of the process counts.
//!
//! A process that was not seen from its first line may have written that line before. How long it goes on is up to
//! the stranger, and no later line shows that it has ended: whatever it could write, he can write. So where the log does not
//! begin with its first line, or lines are missing, or there are more such processes than can be remembered, no login counts
//! of a server that is a proxy for strangers.

use std::collections::HashSet;

use super::SessionId;
use super::sessions::ByItself;

/// Most processes that are remembered.
const CAPACITY: usize = 64 * 1024;

/// The processes of one log.
#[derive(Debug, Clone, Default)]
pub(super) struct Proxied {
    /// Their messages may be another server's.
    processes: HashSet<SessionId, ByItself>,
    /// Whether there may be others.
    incomplete: bool,
}

impl Proxied {
    /// Lines are missing.
    pub(super) fn miss(&mut self) {
        self.incomplete = true;
    }

    /// Notes a message of a process, and says whether it may be another server's. `begins`: it says that the process connects
    /// to one.
    pub(super) fn is_proxied(&mut self, process: SessionId, begins: bool) -> bool {
        if begins && self.processes.len() < CAPACITY {
            self.processes.insert(process);
        } else if begins {
            self.incomplete = true;
        }
        begins || self.processes.contains(&process)
    }

    /// Whether any process may be one.
    pub(super) fn is_incomplete(&self) -> bool {
        self.incomplete
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::super::Matchers;
    use super::CAPACITY;
    use crate::time::Timestamp;

    const LOGIN: &str = "Login user=alice host=[203.0.113.66] nmsgs=0/0";

    fn counts(matchers: &mut Matchers, pid: usize, message: &str) -> bool {
        let line = format!("Nov 27 13:00:01 mail ipop3d[{pid}]: {message}");
        matchers.event(Timestamp::default(), line.as_bytes()).is_some()
    }

    fn proxy(pid: usize) -> String {
        format!("IMAP login to host=203.0.113.9 user={pid} host=pc.example.net [198.51.100.9]")
    }

    #[test]
    fn nothing_of_a_process_counts_after_it_became_a_proxy() {
        let mut matchers = Matchers::all();
        assert!(!counts(&mut matchers, 694, &proxy(694)));
        assert!(!counts(&mut matchers, 694, "pop3 service init from 198.51.100.9"), "so may say the other server");
        assert!(!counts(&mut matchers, 694, LOGIN));
        assert!(counts(&mut matchers, 695, LOGIN));
        assert!(!counts(&mut matchers, 694, LOGIN), "a process id is not given back");
    }

    #[test]
    fn a_process_that_was_not_seen_from_its_first_line_does_not_count() {
        let mut matchers = Matchers::all();
        matchers.begin_in_the_middle();
        assert!(!counts(&mut matchers, 694, LOGIN));
        assert!(!counts(&mut matchers, 694, LOGIN));
        let mut trusting = Matchers::select(&["uw-imap-no-proxy"]).expect("known");
        trusting.begin_in_the_middle();
        assert!(counts(&mut trusting, 694, LOGIN), "the operator says that it is no proxy");
        assert!(!counts(&mut trusting, 694, &proxy(694)));
        assert!(!counts(&mut trusting, 694, LOGIN), "and is wrong");
    }

    #[test]
    fn a_reload_forgets_no_proxy() {
        let mut matchers = Matchers::all();
        assert!(!counts(&mut matchers, 694, &proxy(694)));
        matchers.choose_as(&Matchers::select(&["uw-imap-no-proxy"]).expect("known"));
        assert!(!counts(&mut matchers, 694, LOGIN));
        assert!(counts(&mut matchers, 695, LOGIN));
    }

    #[test]
    fn imapd_is_no_proxy() {
        let mut matchers = Matchers::all();
        matchers.begin_in_the_middle();
        let line = b"Nov 27 13:00:01 mail imapsd[7]: Login user=alice host=[198.51.100.1]";
        assert!(matchers.event(Timestamp::default(), line).is_some());
    }

    #[test]
    fn more_than_can_be_remembered_makes_all_doubtful() {
        let mut matchers = Matchers::all();
        for pid in 1..=CAPACITY {
            assert!(!counts(&mut matchers, pid, &proxy(pid)));
        }
        assert!(counts(&mut matchers, CAPACITY + 1, LOGIN));
        assert!(!counts(&mut matchers, CAPACITY + 2, &proxy(0)));
        assert!(!counts(&mut matchers, CAPACITY + 1, LOGIN));
    }
}
