//! Remembers which processes may log a stranger's words as whole messages. Holds a bounded table; no I/O.
//!
//! UW `ipop3d` hands on what a server of the stranger says; GNU `imap4d` goes on with the rest of a long name in a new
//! message (libmailutils/stream/logstream.c, syslogstream.c: a message that does not fit into the buffer is written as it is filled). Such a
//! message may be byte for byte a genuine login, and nothing tells it but a message of the same process in front of it
//! ([`super::ForeignWords`]). Behind that one no connection and no login of the process counts.
//!
//! Of a server that is a proxy, the words may come at any time while the process lives, and no later line shows that it has ended:
//! whatever it could write, the stranger can write. So where the log does not begin with its first line, or lines are missing,
//! or there are more such processes than can be remembered, no login of such a server counts. Words that pass need less: who is
//! forgotten makes every process doubtful until his end.
//!
//! A line without a process id shows no process, so it gives none away for good: Courier's logger writes none, shares a name with
//! `ipop3d`, and goes on with what a stranger wrote. Nor does such a line count as a login of a proxy. Words that pass make all
//! lines without an id doubtful, and pass.
//!
//! With an id, all that looks like the sign is taken for it. A process that is a proxy may stand behind anything: in
//! front of its sign it can log 1,000 bytes of a client (`AUTHENTICATE ... failure`), like a message that was cut, and a newline in
//! another server's message makes any line doubtful. What it cannot log is the message of another server that goes on so
//! ([`super::ForeignWords::never`]); but for one that is doubtful itself.

use std::collections::HashSet;

use super::pattern::Pattern;
use super::sessions::ByItself;
use super::{ForeignWords, SessionId, reader};
use crate::ordered_map::OrderedMap;
use crate::time::Timestamp;

/// Most processes of each kind that are remembered.
const CAPACITY: usize = 64 * 1024;

/// The processes of one log.
#[derive(Debug, Clone, Default)]
pub(super) struct Foreign {
    /// Their messages may be a stranger's for as long as they live.
    lasting: HashSet<SessionId, ByItself>,
    /// Up to this time.
    passing: OrderedMap<SessionId, Timestamp, ByItself>,
    /// Up to this time so may those of processes that had to be forgotten.
    forgotten: Timestamp,
    /// The last message of these was another server's.
    others: HashSet<SessionId, ByItself>,
    /// Whether there may be others.
    incomplete: bool,
}

/// A message of a program that may log a stranger's words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'m> {
    /// Who wrote it; without a process id any process of the program.
    pub(super) process: SessionId,
    pub(super) has_process_id: bool,
    /// Whether it may be a stranger's text behind a newline.
    pub(super) is_doubtful: bool,
    pub(super) text: &'m [u8],
}

impl Message<'_> {
    fn begins(&self, starts: &[Pattern]) -> bool {
        starts.iter().any(|start| reader::begins(start, self.text))
    }
}

impl Foreign {
    /// Lines are missing.
    pub(super) fn miss(&mut self) {
        self.incomplete = true;
    }

    /// Whether anything is remembered.
    pub(super) fn knows_any(&self, now: Timestamp) -> bool {
        !self.lasting.is_empty() || !self.passing.is_empty() || !self.others.is_empty() || self.forgotten > now
    }

    /// Notes a message, and says whether it may be a stranger's.
    pub(super) fn is_foreign(&mut self, now: Timestamp, words: &[&ForeignWords], message: Message<'_>) -> bool {
        let may_write = |words: &&ForeignWords| match words.lasts {
            None => self.lasting.contains(&message.process),
            Some(_) => self.forgotten > now || self.passing.get(&message.process).is_some_and(|end| end > now),
        };
        let is_foreign = words.iter().any(may_write);
        let is_rest = self.others.remove(&message.process);
        for words in words.iter().filter(|words| message.has_process_id || words.lasts.is_some()) {
            if !is_rest && message.begins(words.behind) {
                self.add(now, message.process, words);
            }
            if message.begins(words.never) && !message.is_doubtful && self.others.len() < CAPACITY {
                self.others.insert(message.process);
            }
        }
        is_foreign
    }

    fn add(&mut self, now: Timestamp, process: SessionId, words: &ForeignWords) {
        match words.lasts {
            None => self.add_lasting(process),
            Some(length) => self.add_passing(process, now + length),
        }
    }

    fn add_lasting(&mut self, process: SessionId) {
        if self.lasting.len() < CAPACITY || self.lasting.contains(&process) {
            self.lasting.insert(process);
        } else {
            self.incomplete = true;
        }
    }

    fn add_passing(&mut self, process: SessionId, end: Timestamp) {
        let known = self.passing.get(&process);
        if known.is_none()
            && self.passing.len() >= CAPACITY
            && let Some((_, end)) = self.passing.remove_oldest()
        {
            self.forgotten = self.forgotten.max(end);
        }
        self.passing.put(process, known.map_or(end, |known| known.max(end)));
    }

    /// Whether any process may be a stranger's, for all that the log tells.
    pub(super) fn is_incomplete(&self) -> bool {
        self.incomplete
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use std::ops::Range;
    use std::time::Duration;

    use nix::time::{ClockId, clock_gettime};

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

    fn mailutils(matchers: &mut Matchers, seconds: u64, lines: &[&str]) -> usize {
        let now = Timestamp::default() + Duration::from_secs(seconds);
        let read =
            |line: &&&str| matchers.event(now, format!("Nov 27 13:00:01 mail imap4d{line}").as_bytes()).is_some();
        lines.iter().filter(read).count()
    }

    #[test]
    fn an_anonymous_user_uses_up_the_connection() {
        let lines = [
            "[32014]: 2ARCt3TO 198.51.100.9",
            "[32057]: 2ARCt3TO anonymous user stranger@x logged in",
            "[32058]: 2ARCt3TO user `games' logged in (source: system)",
        ];
        assert_eq!(mailutils(&mut Matchers::all(), 0, &lines), 0);
        assert_eq!(mailutils(&mut Matchers::all(), 0, &[lines[0], lines[2]]), 1);
    }

    /// What imap4d of 3.15 writes of a name of 60,000 bytes: 8,192, 4, 8,192 and so on, each a message without a session id.
    #[test]
    fn the_rest_of_a_long_name_is_no_connection_and_no_login() {
        let long = format!("[7]: 2ARCt3TO user `{}", "A".repeat(8000));
        let rests = ["[7]: 2ARCt3TP 203.0.113.66", "[7]: 2ARCt3TP user `games' logged in (source: system)"];
        let mut matchers = Matchers::all();
        assert_eq!(mailutils(&mut matchers, 0, &[&long, rests[0], rests[1]]), 0);
        assert_eq!(mailutils(&mut matchers, 0, &["[8]: 2ARCt3TP 198.51.100.9", rests[1]]), 0);
        assert_eq!(mailutils(&mut matchers, 1, &[rests[0], "[9]: 2ARCt3TP user `a' logged in (source: system)"]), 1);
        let later = ["[8]: 2ARCt3TQ 198.51.100.9", "[7]: 2ARCt3TQ user `b' logged in (source: system)"];
        assert_eq!(mailutils(&mut matchers, 62, &later), 1, "another process has this id");
    }

    #[test]
    fn a_failure_that_is_cut_by_a_newline_is_no_login() {
        let log = "Nov 27 13:00:01 mail imap4d[6]: 2ARCt3TO 198.51.100.9\n\
                   Nov 27 13:00:01 mail imap4d[7]: 2ARCt3TO user `games' logged in (source: x)\n2ARCt3TO ' nonexistent\n";
        let found = |log: &str, escaped| {
            let mut matchers = Matchers::all();
            matchers.take_newlines_for_escaped(escaped);
            let mut found = 0;
            matchers.scan(Timestamp::default(), log.as_bytes(), &mut |_, _| found += 1);
            found
        };
        assert_eq!((found(log, false), found(log, true)), (0, 1));
        assert_eq!(found(&log.replace("\n2ARC", "\nNov 27 13:00:02 mail imap4d[7]: 2ARC"), false), 1);
    }

    fn addresses(matchers: &mut Matchers, log: &str) -> usize {
        log.lines().filter(|line| matchers.event(Timestamp::default(), line.as_bytes()).is_some()).count()
    }

    const COURIER: &str = "LOGIN, user=alice, ip=[::ffff:198.51.100.1], port=[1]";

    /// A failed login of Courier, the rest of whose name its logger writes as the sign of a proxy.
    #[test]
    fn the_rest_of_a_cut_name_of_courier_makes_no_proxy() {
        let long = format!("LOGIN FAILED, user={}", "A".repeat(493));
        for tag in ["pop3d", "pop3d[7]"] {
            let line = |message: &str| format!("Nov 27 13:00:01 mail {tag}: {message}\n");
            let log = line(&long) + &line("IMAP login to host=, ip=[::ffff:198.51.100.9]") + &line(COURIER);
            assert_eq!(addresses(&mut Matchers::all(), &log), 1, "{tag}");
        }
    }

    #[test]
    fn a_proxy_does_not_pass_for_the_rest_of_a_cut_name() {
        let line = |message: &str| format!("Nov 27 13:00:01 mail pop3d[7]: {message}\n");
        let long = "A".repeat(600);
        let own = line(&format!("AUTHENTICATE {long} failure host=[198.51.100.9]"));
        let courier = line(&format!("LOGIN FAILED, user={long}"));
        let vpopmail = "Nov 27 13:00:01 mail vpopmail[9]: vchkpw-smtp: password fail (pass: 'x\n";
        let doubtful = vpopmail.to_owned() + &line("LOGIN FAILED, user=");
        let of_another_process = courier.replace("[7]", "[8]");
        let no_more_the_last = courier.clone() + &line("AUTHENTICATE x failure host=[198.51.100.9]");
        for front in [own, doubtful, vpopmail.to_owned(), of_another_process, no_more_the_last] {
            let log = front + &line(&proxy(7)) + &"x\n".repeat(500) + &line(LOGIN) + &line(COURIER);
            assert_eq!(addresses(&mut Matchers::all(), &log), 0, "{log}");
        }
    }

    #[test]
    fn without_a_process_id_no_login_of_a_proxy_counts() {
        let log = format!("Nov 27 13:00:01 mail pop3d: {LOGIN}\n");
        assert_eq!(addresses(&mut Matchers::all(), &log), 0);
        assert_eq!(addresses(&mut Matchers::select(&["uw-imap-no-proxy"]).expect("known"), &log), 1);
    }

    #[test]
    fn without_a_process_id_the_rest_of_a_long_name_may_be_any_ones() {
        let lines = [": 2ARCt3TO 198.51.100.9", ": 2ARCt3TP user `x", ": 2ARCt3TO user `a' logged in (source: x)"];
        assert_eq!(mailutils(&mut Matchers::all(), 0, &lines), 0);
        assert_eq!(mailutils(&mut Matchers::all(), 0, &[lines[0], lines[2]]), 1);
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

    fn long_names(matchers: &mut Matchers, seconds: u64, pids: std::ops::Range<usize>) {
        for pid in pids {
            mailutils(matchers, seconds, &[&format!("[{pid}]: 2ARCt3TO user `x")]);
        }
    }

    const MASTER: &str = "[1]: 2ARCt3TP 198.51.100.9";

    #[test]
    fn proxies_take_no_room_from_long_names() {
        let mut matchers = Matchers::all();
        for pid in 0..=CAPACITY {
            assert!(!counts(&mut matchers, pid, &proxy(pid)));
        }
        long_names(&mut matchers, 0, 7..8);
        assert_eq!(mailutils(&mut matchers, 0, &[MASTER, "[7]: 2ARCt3TP user `a' logged in (source: x)"]), 0);
        assert_eq!(mailutils(&mut matchers, 0, &[MASTER, "[8]: 2ARCt3TP user `a' logged in (source: x)"]), 1);
    }

    #[test]
    fn a_long_name_that_had_to_be_forgotten_makes_all_doubtful_until_its_end() {
        let login = |pid: usize| format!("[{pid}]: 2ARCt3TP user `a' logged in (source: x)");
        let mut matchers = Matchers::all();
        long_names(&mut matchers, 0, 7..8);
        long_names(&mut matchers, 5, 8..CAPACITY + 7);
        assert_eq!(mailutils(&mut matchers.clone(), 59, &[MASTER, &login(7)]), 0);
        assert_eq!(mailutils(&mut matchers.clone(), 59, &[MASTER, &login(2)]), 1);
        long_names(&mut matchers, 6, 3..4);
        for pid in [2, 7] {
            assert_eq!(mailutils(&mut matchers.clone(), 59, &[MASTER, &login(pid)]), 0);
            assert_eq!(mailutils(&mut matchers.clone(), 60, &[MASTER, &login(pid)]), 1);
        }
        for pid in [3, 8] {
            assert_eq!(mailutils(&mut matchers.clone(), 60, &[MASTER, &login(pid)]), 0, "these are remembered");
        }
        assert_eq!(mailutils(&mut matchers, 59, &[MASTER]), 0);
        assert_eq!(mailutils(&mut matchers, 60, &[&login(2)]), 0, "nor does a connection count");
    }

    /// What this thread has taken of a processor, however busy the machine is.
    #[allow(clippy::unwrap_used)]
    fn processor_time() -> Duration {
        clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
    }

    /// The connection of a proxy, a login that goes on in another message.
    #[test]
    fn a_full_table_is_not_looked_through() {
        for message in ["ipop3d[N]: IMAP login to host=x", "imap4d[N]: 2ARCt3TO user `x"] {
            let mut matchers = Matchers::all();
            let mut read = |processes: Range<usize>| {
                let begin = processor_time();
                for process in processes {
                    let line = format!("Nov 27 13:00:01 mail {}", message.replace('N', &process.to_string()));
                    assert!(matchers.event(Timestamp::default(), line.as_bytes()).is_none());
                }
                processor_time() - begin
            };
            let empty = read(0..2000);
            read(2000..CAPACITY);
            let full = read(CAPACITY..CAPACITY + 2000);
            assert!(full < 4 * empty, "{message}: {full:?} in place of {empty:?}");
        }
    }
}
