//! Clients that ask smtpd whether they may relay, and what they were told.

use crate::support::smtp::{Session, refused_with};
use std::net::{IpAddr, Ipv4Addr};
use std::thread;
use std::time::{Duration, Instant};

/// Logs in all the time, so it may always relay.
pub(crate) const REGULAR: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
/// Never logs in.
pub(crate) const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 66));
/// Between two questions of one prober; leaves the processors to the others.
const PAUSE: Duration = Duration::from_millis(10);
/// Recipients of one message; then the long session begins another.
const RECIPIENTS: u32 = 500;
/// Between a newcomer and the next.
const NEXT: Duration = Duration::from_millis(50);
/// Between two logins of a newcomer who may not relay yet.
const AGAIN: Duration = Duration::from_millis(500);

/// What came of the probes.
#[derive(Default)]
pub(crate) struct Answers {
    /// Questions, answered or not.
    pub(crate) probes: u64,
    /// Replies that ask the client to come again.
    pub(crate) temporary: u64,
    /// Connections that ended before the answer.
    pub(crate) lost: u64,
    /// Answers that were not the client's due, 4xx aside.
    pub(crate) wrong: u64,
    /// The longest time from connecting, or from the question in a session that is open, to the answer.
    pub(crate) slowest: Duration,
    /// The longest time from a login to the first connection in which that client may relay.
    pub(crate) latest: Duration,
    /// The first things that went wrong.
    pub(crate) told: Vec<String>,
}

impl Answers {
    /// Notes the answer to a question that was begun at `begin`; returns whether it is one of those `due`.
    fn note(&mut self, client: IpAddr, begin: Instant, answer: &std::io::Result<u16>, due: &[u16]) -> bool {
        self.probes += 1;
        self.slowest = self.slowest.max(begin.elapsed());
        match answer {
            Ok(code) if due.contains(code) => return true,
            Ok(code) => self.refused(*code),
            Err(error) => match refused_with(error) {
                Some(code) => self.refused(code),
                None => self.lost += 1,
            },
        }
        if self.told.len() < 3 {
            self.told.push(format!("{client}: {answer:?}"));
        }
        false
    }

    fn refused(&mut self, code: u16) {
        let kind = if (400..500).contains(&code) { &mut self.temporary } else { &mut self.wrong };
        *kind += 1;
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.probes += other.probes;
        self.temporary += other.temporary;
        self.lost += other.lost;
        self.wrong += other.wrong;
        self.slowest = self.slowest.max(other.slowest);
        self.latest = self.latest.max(other.latest);
        self.told.extend(other.told);
    }
}

/// What smtpd must say to a client that is no newcomer.
fn due(client: IpAddr) -> u16 {
    if client == REGULAR { 250 } else { 554 }
}

fn ask(port: u16, client: IpAddr) -> std::io::Result<u16> {
    Session::open(port, client)?.rcpt()
}

/// Asks in a new connection each time.
pub(crate) fn in_new_sessions(port: u16, client: IpAddr, end: Instant) -> Answers {
    let mut answers = Answers::default();
    while Instant::now() < end {
        let begin = Instant::now();
        answers.note(client, begin, &ask(port, client), &[due(client)]);
        thread::sleep(PAUSE);
    }
    answers
}

/// Asks again and again in one session of the regular client and one of the stranger; in new ones if they are lost.
pub(crate) fn in_long_sessions(port: u16, end: Instant) -> Answers {
    let mut answers = Answers::default();
    let mut sessions = [(REGULAR, None), (STRANGER, None)];
    let mut asked = 0;
    while Instant::now() < end {
        asked += 1;
        for (client, open) in &mut sessions {
            let begin = Instant::now();
            let answer = open.take().map_or_else(|| Session::open(port, *client), Ok).and_then(|mut session| {
                if asked % RECIPIENTS == 0 {
                    session.begin_anew()?;
                }
                let answer = session.rcpt();
                *open = Some(session);
                answer
            });
            if !answers.note(*client, begin, &answer, &[due(*client)]) {
                *open = None;
            }
        }
        thread::sleep(PAUSE);
    }
    answers
}

/// Logs in as one new client after another, and asks in new connections until each may relay.
pub(crate) fn as_newcomers(port: u16, log_in: impl Fn(IpAddr), end: Instant) -> Answers {
    let mut answers = Answers::default();
    for number in 0.. {
        let client = IpAddr::V4(Ipv4Addr::from(0xAC10_0000 + number));
        let begin = Instant::now();
        let mut logins = 0;
        loop {
            if Instant::now() >= end {
                return answers;
            }
            // Later logins keep it from being evicted.
            if begin.elapsed() >= AGAIN * logins {
                log_in(client);
                logins += 1;
            }
            let asked = Instant::now();
            let answer = ask(port, client);
            answers.note(client, asked, &answer, &[250, 554]);
            answers.latest = answers.latest.max(begin.elapsed());
            thread::sleep(PAUSE);
            if answer.is_ok_and(|code| code == 250) {
                thread::sleep(NEXT);
                break;
            }
        }
    }
    answers
}
