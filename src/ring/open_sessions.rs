//! Open sessions, for `--hold-while-connected`: an address keeps its grant while a session of its own is open. Pure.
//!
//! Sessions are counted by the server's own ids, so that a doubled line changes nothing. A session whose end was never
//! logged counts as ended when its id is used again, and in any case after `--max-session`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::matcher::SessionId;
use crate::ordered_map::OrderedMap;
use crate::time::Timestamp;

/// Most sessions remembered. When there are more, the oldest are forgotten, and their grants end by their grace.
const CAPACITY: usize = 256 * 1024;

/// Grants of open sessions are renewed this long before they end, or a tenth of the grace if that is less.
const MARGIN: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy)]
struct Session {
    client: IpAddr,
    since: Timestamp,
}

/// The sessions that are open, and the addresses that have one.
#[derive(Debug)]
pub(crate) struct OpenSessions {
    longest: Duration,
    margin: Duration,
    sessions: OrderedMap<SessionId, Session>,
    /// Number of open sessions of each address, never 0.
    clients: HashMap<IpAddr, u32>,
    renewed: Timestamp,
    /// How many were forgotten for want of room.
    forgotten: u64,
}

impl OpenSessions {
    /// No session; one counts for `longest`, and grants are for `grace`.
    pub(crate) fn new(longest: Duration, grace: Duration) -> Self {
        Self {
            longest,
            margin: margin(grace),
            sessions: OrderedMap::default(),
            clients: HashMap::new(),
            renewed: Timestamp::default(),
            forgotten: 0,
        }
    }

    /// From now on a session counts for `longest`, and grants are for `grace`.
    pub(crate) fn set_times(&mut self, longest: Duration, grace: Duration) {
        (self.longest, self.margin) = (longest, margin(grace));
    }

    /// A session has begun. One that had the same id has ended without a word.
    pub(crate) fn login(&mut self, now: Timestamp, id: SessionId, client: IpAddr) {
        self.logout(id);
        if self.sessions.len() >= CAPACITY {
            self.forget_oldest();
            self.forgotten += 1;
        }
        self.sessions.put(id, Session { client, since: now });
        *self.clients.entry(client).or_insert(0) += 1;
    }

    /// A session has ended; its address, if the session was open.
    pub(crate) fn logout(&mut self, id: SessionId) -> Option<IpAddr> {
        let Session { client, .. } = self.sessions.remove(&id)?;
        self.release(client);
        Some(client)
    }

    /// How many sessions were forgotten because there were too many.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Whether an address has an open session.
    pub(crate) fn is_held(&self, client: IpAddr) -> bool {
        self.clients.contains_key(&client)
    }

    /// When `renewal` wants to be asked; never without open sessions.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        (!self.clients.is_empty()).then(|| self.renewed + self.margin / 2)
    }

    /// If it is time to renew the grants of open sessions: up to which end they are due.
    pub(crate) fn renewal(&mut self, now: Timestamp) -> Option<Timestamp> {
        if self.deadline().is_none_or(|due| due > now) {
            return None;
        }
        while self.sessions.oldest().is_some_and(|(_, oldest)| now.since(oldest.since) >= self.longest) {
            self.forget_oldest();
        }
        self.renewed = now;
        Some(now + self.margin)
    }

    fn forget_oldest(&mut self) {
        if let Some((_, Session { client, .. })) = self.sessions.remove_oldest() {
            self.release(client);
        }
    }

    fn release(&mut self, client: IpAddr) {
        if let Some(sessions) = self.clients.get_mut(&client) {
            *sessions -= 1;
            if *sessions == 0 {
                self.clients.remove(&client);
            }
        }
    }
}

fn margin(grace: Duration) -> Duration {
    MARGIN.min(grace / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_beyond_the_most_are_forgotten_and_counted() {
        let mut open = OpenSessions::new(Duration::from_secs(3600), Duration::from_secs(1800));
        let client = |n: usize| IpAddr::from(u32::try_from(n).unwrap_or_default().to_be_bytes());
        (0..=CAPACITY).for_each(|n| open.login(Timestamp::default(), SessionId::of(n as u64), client(n)));
        assert_eq!((open.forgotten(), open.is_held(client(0)), open.is_held(client(1))), (1, false, true));
    }
}
