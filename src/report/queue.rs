//! Joins the lines of a message by its queue id, as far as they tell who relays. Pure.
//!
//! A content filter hands a message in again, from a loopback address: its origin is that of the first, found by the queue
//! id that the filter passes on (XFORWARD), or by the message-id.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::IpAddr;

use super::postfix::{Line, Said, To};
use super::told::Why;
use crate::bounded::{Bounded, Hashed};

/// Most messages that are followed at a time. A queue with more forgets the oldest.
pub(crate) const MOST: usize = 20_000;

/// Most clients whose messages go through a filter before they are queued, and for how many seconds they are remembered.
const MOST_PASSED: usize = 5_000;
const PASSED: u64 = 3600;

/// Longest sender that is kept.
const LONGEST_SENDER: usize = 254;

/// How a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Origin {
    /// From this host itself, or it is not known.
    #[default]
    Local,
    /// From a client that has a grant.
    Granted(Granted),
    /// From a user who logged in to smtpd: the hash of the name.
    Sasl(u64),
    /// From a network that may relay anyway.
    Network,
    /// From another client.
    Other(IpAddr),
}

/// A client with a grant, when it hands in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) client: IpAddr,
    pub(crate) by: By,
}

/// What gave the grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// A login, or the end of a session, which was so many seconds ago; 0 while a session is held.
    Login(u64),
    /// What the daemon's own lines tell, where no login in the logs does.
    Told(Why),
}

/// A recipient's copy has left the host.
#[derive(Debug)]
pub(crate) struct Relayed<'q> {
    pub(crate) origin: Origin,
    /// When the message was handed in, in seconds since 1970.
    pub(crate) at: u64,
    pub(crate) sender: &'q [u8],
    /// Whether no other copy of the message has left before.
    pub(crate) is_first: bool,
}

#[derive(Debug, Default)]
struct Message {
    at: u64,
    origin: Origin,
    sender: Box<[u8]>,
    copies: u32,
    /// It may have been here before, which its message-id tells.
    again: bool,
}

/// The messages in the queue.
#[derive(Debug)]
pub(crate) struct Queue {
    messages: Bounded<u64, Message, Hashed>,
    /// The origins of those that a filter may hand in again, by message-id.
    by_id: Bounded<u64, Origin, Hashed>,
    /// How and when clients handed in what goes through a filter first.
    passed: Bounded<IpAddr, (u64, Origin)>,
    hasher: RandomState,
    unknown: u64,
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self {
            messages: Bounded::new(MOST),
            by_id: Bounded::new(MOST),
            passed: Bounded::new(MOST_PASSED),
            hasher: RandomState::new(),
            unknown: 0,
        }
    }

    /// Takes in a line of a host, written at `at`. `origin` judges who hands in a message.
    pub(crate) fn take(
        &mut self,
        host: &[u8],
        at: u64,
        line: &Line<'_>,
        origin: impl FnOnce(IpAddr, Option<&[u8]>) -> Origin,
    ) -> Option<Relayed<'_>> {
        let id = |queue: &[u8]| {
            let mut hasher = self.hasher.build_hasher();
            // None of them has such a byte.
            [host, b":", line.instance, b":", queue].iter().for_each(|part| hasher.write(part));
            hasher.finish()
        };
        let key = id(line.queue);
        match line.said {
            Said::Client { client, sasl, original, behind } => {
                let again = client.is_loopback();
                let behind = behind.filter(|_| again);
                let by_queue = original.filter(|_| again).and_then(|queue| self.messages.get(&id(queue)));
                let passed =
                    || self.passed.get(&behind?).filter(|(then, _)| then + PASSED >= at).map(|(_, origin)| *origin);
                let earlier = by_queue.map(|message| message.origin).or_else(passed);
                let again = again && earlier.is_none();
                let origin = earlier.unwrap_or_else(|| origin(behind.unwrap_or(client), sasl));
                // The id may be that of a message which has gone.
                *self.messages.entry(key) = Message { at, origin, again, ..Message::default() };
            }
            Said::Passed { client, sasl } => *self.passed.entry(client) = (at, origin(client, sasl)),
            Said::Local => *self.messages.entry(key) = Message { at, ..Message::default() },
            Said::MessageId(text) => self.message_id(key, text, at),
            Said::Sender(sender) => {
                let message = self.messages.get_mut(&key)?;
                if matches!(message.origin, Origin::Granted(_)) {
                    message.sender = sender[..sender.len().min(LONGEST_SENDER)].into();
                }
            }
            Said::Sent(To::AnotherHost) => {
                let Some(message) = self.messages.get_mut(&key) else {
                    self.unknown += 1;
                    return None;
                };
                message.copies += 1;
                let Message { origin, at, copies, .. } = *message;
                return Some(Relayed { origin, at, sender: &message.sender, is_first: copies == 1 });
            }
            Said::Removed => self.messages.remove(&key),
            Said::Sent(To::ThisHost)
            | Said::Connection
            | Said::Refused { .. }
            | Said::RefusedOtherwise
            | Said::Other => {}
        }
        None
    }

    fn message_id(&mut self, key: u64, text: &[u8], at: u64) {
        let Some(message) = self.messages.get_mut(&key) else {
            // A bounce, or a forwarded message.
            *self.messages.entry(key) = Message { at, ..Message::default() };
            return;
        };
        let id = self.hasher.hash_one(text);
        if message.again {
            message.origin = self.by_id.get(&id).copied().unwrap_or(message.origin);
        } else if matches!(message.origin, Origin::Granted(_) | Origin::Sasl(_)) {
            *self.by_id.entry(id) = message.origin;
        }
    }

    /// How many messages have been forgotten while they were in the queue.
    pub(crate) fn forgotten(&self) -> u64 {
        self.messages.forgotten()
    }

    /// How many copies left the host of messages whose beginning is not known.
    pub(crate) fn unknown(&self) -> u64 {
        self.unknown
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::postfix;
    use super::*;

    /// What the lines `daemon text` come to: sender and origin of each copy that left.
    fn relayed(queue: &mut Queue, lines: &[&str]) -> Vec<(String, Origin, bool)> {
        let mut found = Vec::new();
        for text in lines {
            let (daemon, message) = text.split_once(' ').unwrap();
            let (instance, daemon) = postfix::Names::default().program(daemon.as_bytes()).unwrap();
            let line = postfix::read((instance, daemon), message.as_bytes());
            let origin = |client: IpAddr, sasl: Option<&[u8]>| match sasl {
                Some(_) => Origin::Sasl(7),
                None if client.is_loopback() => Origin::Network,
                None => Origin::Granted(Granted { client, by: By::Login(60) }),
            };
            if let Some(relay) = queue.take(b"mail", 1000, &line, origin) {
                found.push((String::from_utf8(relay.sender.to_vec()).unwrap(), relay.origin, relay.is_first));
            }
        }
        found
    }

    const OUT: &str = "relay=mx[192.0.2.25]:25, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 ok)";

    fn granted() -> Origin {
        Origin::Granted(Granted { client: "192.0.2.1".parse().unwrap(), by: By::Login(60) })
    }

    #[test]
    fn short_ids_come_again_and_instances_have_their_own() {
        let mut queue = Queue::new();
        let found = relayed(
            &mut queue,
            &[
                "postfix/smtpd 3F001: client=x[192.0.2.1]",
                "postfix/qmgr 3F001: from=<a@b>, size=1, nrcpt=2 (queue active)",
                "postfix-out/smtpd 3F001: client=x[192.0.2.9], sasl_method=PLAIN, sasl_username=u",
                &format!("postfix/smtp 3F001: to=<c@d>, {OUT}"),
                &format!("postfix/smtp 3F001: to=<e@d>, {OUT}"),
                &format!("postfix-out/smtp 3F001: to=<e@d>, {OUT}"),
                "postfix/qmgr 3F001: removed",
                &format!("postfix/smtp 3F001: to=<e@d>, {OUT}"),
                "postfix/smtpd 3F001: client=x[192.0.2.9], sasl_method=PLAIN, sasl_username=u",
                &format!("postfix/smtp 3F001: to=<e@d>, {OUT}"),
            ],
        );
        let expected = [
            ("a@b".to_owned(), granted(), true),
            ("a@b".to_owned(), granted(), false),
            (String::new(), Origin::Sasl(7), true),
            (String::new(), Origin::Sasl(7), true),
        ];
        assert_eq!(found, expected);
        assert_eq!((queue.unknown(), queue.forgotten()), (1, 0));
    }

    #[test]
    fn a_filter_hands_on_and_changes_nothing() {
        for again in [
            "client=localhost[127.0.0.1]",
            "client=localhost[127.0.0.1], orig_queue_id=3F001, orig_client=x[192.0.2.1]",
        ] {
            let found = relayed(
                &mut Queue::new(),
                &[
                    "postfix/smtpd 3F001: client=x[192.0.2.1]",
                    "postfix/cleanup 3F001: message-id=<m@b>",
                    &format!("postfix/smtpd 3F002: {again}"),
                    "postfix/cleanup 3F002: message-id=<m@b>",
                    "postfix/qmgr 3F002: from=<a@b>, size=1, nrcpt=1 (queue active)",
                    "postfix/smtp 3F001: to=<c@d>, relay=f[127.0.0.1]:10024, delay=1, dsn=2.0.0, status=sent (250 ok)",
                    &format!("postfix/smtp 3F002: to=<c@d>, {OUT}"),
                ],
            );
            assert_eq!(found, [("a@b".to_owned(), granted(), true)], "{again}");
        }
    }

    #[test]
    fn what_a_filter_in_front_of_the_queue_passes_on_has_its_client_origin() {
        for (sasl, expected) in [("", granted()), (", sasl_method=PLAIN, sasl_username=u", Origin::Sasl(7))] {
            let found = relayed(
                &mut Queue::new(),
                &[
                    &format!("postfix/smtpd NOQUEUE: client=x[192.0.2.1]{sasl}"),
                    "postfix/smtpd 3F002: client=localhost[127.0.0.1], orig_client=x[192.0.2.1]",
                    "postfix/cleanup 3F002: message-id=<m@b>",
                    &format!("postfix/smtp 3F002: to=<c@d>, {OUT}"),
                ],
            );
            assert_eq!(found, [(String::new(), expected, true)], "{sasl}");
        }
    }

    #[test]
    fn a_flood_of_ids_forgets_the_oldest() {
        let mut queue = Queue::new();
        let flood: Vec<String> =
            (0..=MOST).map(|n| format!("postfix/smtpd {:05X}: client=x[192.0.2.1]", n + 0x10000)).collect();
        relayed(&mut queue, &flood.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(queue.forgotten(), 1);
        assert_eq!(relayed(&mut queue, &[&format!("postfix/smtp 10000: to=<c@d>, {OUT}")]), []);
        assert_eq!(relayed(&mut queue, &[&format!("postfix/smtp 10001: to=<c@d>, {OUT}")]).len(), 1);
        assert_eq!(queue.unknown(), 1);
    }
}
