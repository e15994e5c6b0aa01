//! Remembers which client a session belongs to, for servers that spread a login over several lines, and for the line that
//! ends a session. Bounded in entries and in age; no I/O.
//!
//! A stranger can open connections as fast as he likes. He fills the table of those that have not logged in, which then
//! forgets its oldest entries: a client whose connection is forgotten in the moment before its login is not recognised,
//! and nothing else happens. A connection replaces an older one of the same id, and a login uses it up, so no address can be
//! left under an id for somebody else's login to find; one whose end was never logged is forgotten by age.

use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::net::IpAddr;
use std::time::Duration;

use crate::line::syslog::Header;
use crate::ordered_map::OrderedMap;
use crate::time::Timestamp;

/// Most sessions remembered before their login, and most after it.
const CAPACITY: usize = 16 * 1024;

/// How long a connection may take to log in. Servers hang up on idle clients after one to ten minutes (RFC 1939 asks for
/// ten in POP3).
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);

/// A session: host, program and the server's own id, as a number that nobody can guess or make collide: it is a hash
/// with a secret. Of the sessions remembered at a time, two have the same by chance once in 10^11 fillings of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(u64);

#[cfg(test)]
impl SessionId {
    /// An id for a test.
    pub(crate) fn of(number: u64) -> Self {
        Self(number)
    }
}

/// What a server calls a session.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name<'n> {
    /// The process that serves it, if that is known.
    Process(Option<u32>),
    /// An id.
    Id(&'n [u8]),
    /// The client's address and port.
    Peer(IpAddr, &'n [u8]),
}

/// The id is as good a hash of itself as any.
#[derive(Default)]
pub(super) struct Itself(u64);

impl Hasher for Itself {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, id: u64) {
        self.0 = id;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// For keys that are hashes with a secret.
pub(super) type ByItself = BuildHasherDefault<Itself>;

#[derive(Debug, Clone, Copy)]
struct Waiting {
    client: IpAddr,
    since: Timestamp,
}

/// The sessions of one log.
#[derive(Debug, Clone, Default)]
pub(super) struct Sessions {
    waiting: OrderedMap<SessionId, Waiting, ByItself>,
    open: OrderedMap<SessionId, IpAddr, ByItself>,
    hasher: RandomState,
    /// What is hashed.
    text: Vec<u8>,
}

impl Sessions {
    /// The id of a session by what its server calls it.
    pub(super) fn id(&mut self, header: &Header<'_>, name: Name<'_>) -> SessionId {
        let host = header.host.unwrap_or_default();
        let (kind, end) = match name {
            Name::Process(_) => (0, &[][..]),
            Name::Id(id) => (1, id),
            Name::Peer(_, port) => (2, port),
        };
        // What follows, and how long it is.
        let kind = kind << 1 | u64::from(header.container.is_some());
        let lengths = kind << 60 | (host.len() as u64) << 30 | header.program.len() as u64;
        let text = &mut self.text;
        text.clear();
        text.extend_from_slice(&lengths.to_ne_bytes());
        text.extend_from_slice(host);
        text.extend_from_slice(header.program);
        if let Some(container) = header.container {
            text.extend_from_slice(&container.len().to_ne_bytes());
            text.extend_from_slice(container);
        }
        match name {
            Name::Process(Some(id)) => text.extend_from_slice(&id.to_ne_bytes()),
            Name::Peer(IpAddr::V4(client), _) => text.extend_from_slice(&client.to_ipv6_mapped().octets()),
            Name::Peer(IpAddr::V6(client), _) => text.extend_from_slice(&client.octets()),
            Name::Process(None) | Name::Id(_) => {}
        }
        // Nothing stands behind it, so its length need not be told.
        text.extend_from_slice(end);
        // One call of the hasher takes less time than one for each part.
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text);
        SessionId(hasher.finish())
    }

    /// A client has connected. Whatever had this id before has ended.
    pub(super) fn connect(&mut self, now: Timestamp, id: SessionId, client: IpAddr) {
        self.open.remove(&id);
        while self.waiting.len() >= CAPACITY || self.waiting.oldest().is_some_and(|(_, oldest)| has_aged(now, oldest)) {
            self.waiting.remove_oldest();
        }
        self.waiting.put(id, Waiting { client, since: now });
    }

    /// Forgets all who have not logged in yet.
    pub(super) fn forget_connections(&mut self) {
        self.waiting = OrderedMap::default();
    }

    /// The session has logged in: the address is that of the line, else that of its connection, which is used up.
    pub(super) fn login(&mut self, now: Timestamp, id: SessionId, client: Option<IpAddr>) -> Option<IpAddr> {
        let waiting = self.waiting.remove(&id).filter(|waiting| !has_aged(now, *waiting));
        let client = client.or(waiting.map(|waiting| waiting.client))?;
        if self.open.len() >= CAPACITY {
            self.open.remove_oldest();
        }
        self.open.put(id, client);
        Some(client)
    }

    /// The session has ended; its address, if it had logged in.
    pub(super) fn logout(&mut self, id: SessionId) -> Option<IpAddr> {
        self.waiting.remove(&id);
        self.open.remove(&id)
    }
}

fn has_aged(now: Timestamp, waiting: Waiting) -> bool {
    now.since(waiting.since) > LONGEST_WAIT
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_boot(Duration::from_secs(seconds))
    }

    fn id(number: u64) -> SessionId {
        SessionId(number)
    }

    fn client(number: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, number))
    }

    #[test]
    fn a_login_finds_its_connection_once() {
        let mut sessions = Sessions::default();
        sessions.connect(at(0), id(1), client(1));
        sessions.connect(at(0), id(2), client(2));
        assert_eq!(sessions.login(at(1), id(2), None), Some(client(2)));
        assert_eq!(sessions.login(at(1), id(1), None), Some(client(1)));
        assert_eq!(sessions.login(at(1), id(1), None), None, "a second success needs a second connection");
        assert_eq!(sessions.login(at(1), id(3), None), None);
        assert_eq!(sessions.login(at(1), id(3), Some(client(3))), Some(client(3)));
    }

    #[test]
    fn only_a_session_that_was_logged_in_logs_out_and_only_once() {
        let mut sessions = Sessions::default();
        sessions.connect(at(0), id(1), client(1));
        assert_eq!(sessions.logout(id(1)), None);
        assert_eq!(sessions.login(at(0), id(1), None), None, "it had ended");
        sessions.connect(at(0), id(1), client(1));
        sessions.login(at(0), id(1), None);
        assert_eq!(sessions.logout(id(1)), Some(client(1)));
        assert_eq!(sessions.logout(id(1)), None);
    }

    #[test]
    fn an_id_that_is_used_again_belongs_to_the_new_client() {
        let mut sessions = Sessions::default();
        sessions.connect(at(0), id(1), client(1));
        sessions.connect(at(1), id(1), client(2));
        assert_eq!(sessions.login(at(1), id(1), None), Some(client(2)));
        sessions.connect(at(2), id(1), client(3));
        assert_eq!(sessions.logout(id(1)), None, "the logout of the one before was lost");
    }

    #[test]
    fn connections_are_forgotten_by_age_and_by_number() {
        let mut sessions = Sessions::default();
        sessions.connect(at(0), id(0), client(1));
        assert_eq!(sessions.clone().login(at(600), id(0), None), Some(client(1)));
        assert_eq!(sessions.login(at(601), id(0), None), None);
        for number in 0..CAPACITY as u64 * 2 {
            sessions.connect(at(0), id(number), client(1));
        }
        assert_eq!(sessions.waiting.len(), CAPACITY);
        assert_eq!(sessions.login(at(0), id(0), None), None);
        assert!(sessions.login(at(0), id(CAPACITY as u64 * 2 - 1), None).is_some());
    }
}
