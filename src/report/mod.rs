//! Who relays by a login: the lines of Postfix joined with the grants that logins gave at the time. Pure: lines and times are
//! arguments, in seconds since 1970.

mod grants;
pub(crate) mod html;
pub(crate) mod postfix;
pub(crate) mod queue;
pub(crate) mod summary;
mod sums;
pub(crate) mod text;
pub(crate) mod told;
mod who;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use jiff::tz::TimeZone;

use self::postfix::{Line, Said, To};
use self::queue::{By, Granted, Origin, Queue};
use self::summary::{GraceRow, Totals};
use self::told::{Open, Why};
use self::who::{Address, Keys, User, local_part};
use crate::bounded::{Bounded, Hashed};
use crate::matcher::SessionId;
use crate::ring::networks::Networks;
use crate::ring::open_sessions::OpenSessions;
use crate::ring::{Change, Ring};
use crate::time::Timestamp;

/// Most addresses and users that are kept, clients that moved, and those whose relays nothing explains. The one used longest
/// ago is forgotten. With [`ROOM`] and [`queue::MOST`] the report takes less than 64 MiB, whatever the logs hold.
const MOST: usize = 25_000;
const MOST_MOVED: usize = 10_000;
const MOST_UNEXPLAINED: usize = 5_000;

/// Bytes for senders, domains and days of addresses, all together. What comes when they are used up is not kept, and told.
const ROOM: usize = 8 << 20;

/// Graces that are compared, in minutes.
const GRACES: [u64; 6] = [5, 10, 15, 30, 60, 120];

/// How soon after the end of a grace a refusal is one of somebody who was too late; and the time in which an address is
/// counted once as that: clients try again.
const SOON: u64 = 15 * 60;

/// How long ago a login elsewhere may be that a refusal is told together with.
const ELSEWHERE: u64 = 3600;

/// What the report assumes of the daemon, and which times count.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) grace: Duration,
    pub(crate) entries: NonZeroUsize,
    /// How long a session counts as open at most, if grants are held while one is open.
    pub(crate) hold: Option<Duration>,
    /// Never published, or permitted anyway.
    pub(crate) networks: Networks,
    pub(crate) since: Option<u64>,
    pub(crate) until: Option<u64>,
    pub(crate) zone: TimeZone,
}

/// A client that was refused, and where its user had logged in.
#[derive(Debug, Default)]
struct Elsewhere {
    address: Option<IpAddr>,
    user: u64,
    same_network: bool,
    refusals: u64,
    first: u64,
    last: u64,
}

/// Everything that is counted.
#[derive(Debug)]
pub(crate) struct Report {
    settings: Settings,
    ring: Ring,
    hold: Option<OpenSessions>,
    /// When the ring was looked at last.
    now: u64,
    told: Open,
    changes: Vec<Change>,
    evicted: u64,
    queue: Queue,
    keys: Keys,
    addresses: Bounded<IpAddr, Address>,
    users: Bounded<u64, User, Hashed>,
    /// IPv6 networks: when which address logged in last.
    networks: Bounded<IpAddr, (u64, Option<IpAddr>, u64)>,
    moved: Bounded<IpAddr, Elsewhere>,
    /// Messages of clients that nothing lets relay, and when the last was.
    unexplained: Bounded<IpAddr, (u64, u64)>,
    /// Messages by grant and by SASL, refusals.
    days: BTreeMap<i32, [u64; 3]>,
    totals: Totals,
    rows: [GraceRow; GRACES.len()],
    /// Seconds for which addresses were open, with each of the graces.
    open: [u64; GRACES.len()],
    smtpd_lines: u64,
    postfix_lines: u64,
    room: usize,
}

impl Report {
    pub(crate) fn new(settings: Settings) -> Self {
        let ring = Ring::new(settings.grace, settings.entries, None);
        Self {
            ring,
            hold: settings.hold.map(|longest| OpenSessions::new(longest, settings.grace)),
            now: 0,
            told: Open::new(),
            changes: Vec::new(),
            evicted: 0,
            queue: Queue::new(),
            keys: Keys::default(),
            addresses: Bounded::new(MOST),
            users: Bounded::new(MOST),
            networks: Bounded::new(MOST),
            moved: Bounded::new(MOST_MOVED),
            unexplained: Bounded::new(MOST_UNEXPLAINED),
            days: BTreeMap::new(),
            totals: Totals::default(),
            rows: GRACES.map(|minutes| GraceRow { minutes, ..GraceRow::default() }),
            open: [0; GRACES.len()],
            smtpd_lines: 0,
            postfix_lines: 0,
            room: ROOM,
            settings,
        }
    }

    fn counts(&self, at: u64) -> bool {
        self.settings.since.is_none_or(|since| at >= since) && self.settings.until.is_none_or(|until| at <= until)
    }

    /// A user logged in.
    pub(crate) fn login(&mut self, at: u64, client: IpAddr, user: Option<&[u8]>, session: Option<SessionId>) {
        let counts = self.counts(at);
        self.totals.logins += u64::from(counts);
        if self.settings.networks.refuse(client).is_some() || self.told.is_denied(client) {
            self.totals.logins_never_published += u64::from(counts);
            return;
        }
        self.advance(at);
        self.grant(at, client);
        let key = user.map(|user| self.keys.key(user));
        if let Some((key, name)) = key.zip(user) {
            let user = self.users.entry(key).named(name);
            user.logins += u64::from(counts);
            (user.last_login, user.last_address) = (at, Some(client));
        }
        let is_held = self.is_held(client);
        let address = self.addresses.entry(client);
        if counts {
            let since_last = at.saturating_sub(address.last_login);
            let of_last = if address.last_login == 0 { 0 } else { since_last };
            add_open(&mut self.open, of_last, is_held);
        }
        address.login(at, key);
        if client.is_ipv6() {
            *self.networks.entry(who::network(client).0) = (at, Some(client), key.unwrap_or_default());
        }
        if let (Some(hold), Some(session)) = (&mut self.hold, session) {
            hold.login(timestamp(at), session, client);
        }
    }

    /// A line of Postfix of a host.
    pub(crate) fn postfix(&mut self, host: &[u8], at: u64, line: &Line<'_>) {
        self.postfix_lines += 1;
        if let Said::Connection | Said::Client { .. } | Said::Passed { .. } | Said::Refused { .. } = line.said {
            self.smtpd_lines += 1;
        }
        match line.said {
            Said::Refused { client, sender } => return self.refused(at, client, sender),
            Said::RefusedOtherwise => {
                self.totals.refused_otherwise += u64::from(self.counts(at));
                return;
            }
            Said::Connection | Said::Sent(To::ThisHost) | Said::Other => return,
            _ => {}
        }
        if let Said::Client { .. } | Said::Passed { .. } = line.said {
            self.advance(at);
        }
        let Self { settings, ring, hold, told, users, keys, .. } = self;
        let origin = |client: IpAddr, sasl: Option<&[u8]>| {
            if let Some(user) = sasl {
                let key = keys.key(user);
                users.entry(key).named(user);
                return Origin::Sasl(key);
            }
            if settings.networks.refuse(client).is_some() {
                return Origin::Network;
            }
            let by = match (ring.get(client), told.get(at, client)) {
                (Some(_), _) if hold.as_ref().is_some_and(|hold| hold.is_held(client)) => By::Login(0),
                (Some(grant), _) => {
                    let left = grant.expires.since(timestamp(at)).as_secs();
                    By::Login(settings.grace.as_secs().saturating_sub(left))
                }
                (None, Some(why)) => By::Told(why),
                (None, None) => return Origin::Other(client),
            };
            Origin::Granted(Granted { client, by })
        };
        let Some(relayed) = self.queue.take(host, at, line, origin) else { return };
        let (origin, at, is_first) = (relayed.origin, relayed.at, relayed.is_first);
        let sender = Box::from(relayed.sender);
        if self.counts(at) {
            self.relayed(origin, at, is_first, &sender);
        }
    }

    fn relayed(&mut self, origin: Origin, at: u64, is_first: bool, sender: &[u8]) {
        let day = self.day(at);
        let first = u64::from(is_first);
        match origin {
            Origin::Granted(Granted { client, by }) => {
                self.totals.by_grant += first;
                let age = match by {
                    By::Login(age) => Some(age),
                    By::Told(why) => {
                        let kind = match why {
                            Why::Login => &mut self.totals.by_grant_told,
                            Why::Hand => &mut self.totals.by_grant_by_hand,
                            Why::OtherHost => &mut self.totals.by_grant_of_other_hosts,
                        };
                        *kind += first;
                        None
                    }
                };
                self.totals.by_grant_recipients += 1;
                self.days.entry(day).or_default()[0] += first;
                let address = self.addresses.entry(client);
                let user = address.users.first().and_then(|user| self.users.get_mut(user));
                let mut none = User::default();
                let user = user.unwrap_or(&mut none);
                if is_first {
                    address.relay(at, day, age, sender, &mut self.room);
                    user.relay(at);
                    // What no login gives needs no grace.
                    let is_late = |row: &&mut GraceRow| age.is_some_and(|age| age >= row.minutes * 60);
                    self.rows.iter_mut().filter(is_late).for_each(|row| row.relays_refused += 1);
                }
                user.recipients += 1;
                address.relays.get_or_insert_default().recipients += 1;
            }
            Origin::Sasl(user) => {
                self.totals.by_sasl += first;
                self.days.entry(day).or_default()[1] += first;
                if let Some(user) = self.users.get_mut(&user) {
                    user.sasl_messages += first;
                }
            }
            Origin::Network => self.totals.by_network += first,
            Origin::Other(client) => {
                self.totals.unexplained += first;
                let (messages, last) = self.unexplained.entry(client);
                (*messages, *last) = (*messages + first, at.max(*last));
            }
            Origin::Local => {}
        }
    }

    fn refused(&mut self, at: u64, client: IpAddr, sender: &[u8]) {
        if !self.counts(at) {
            return;
        }
        self.totals.refused += 1;
        let day = self.day(at);
        self.days.entry(day).or_default()[2] += 1;
        self.advance(at);
        if self.ring.get(client).is_some() {
            self.totals.refused_with_grant += 1;
            return;
        }
        if let Some(address) = self.addresses.get_mut(&client)
            && address.last_refused.replace(at).is_none_or(|last| last + SOON <= at)
        {
            let age = at.saturating_sub(address.last_login);
            for row in &mut self.rows {
                let grace = row.minutes * 60;
                row.refusals_avoided += u64::from(age < grace);
                row.refusals_soon_after += u64::from((grace..grace + SOON).contains(&age));
            }
        }
        self.look_elsewhere(at, client, sender);
    }

    /// Looks where the user of a refused client had logged in.
    fn look_elsewhere(&mut self, at: u64, client: IpAddr, sender: &[u8]) {
        let network = who::network(client).0;
        let is_near = |login: u64| login + ELSEWHERE >= at;
        let names = [sender, local_part(sender)];
        let user = names.iter().map(|name| self.keys.key(name)).find_map(|key| Some((key, self.users.get(&key)?)));
        let by_user = user.and_then(|(key, user)| Some((user.last_address.filter(|_| is_near(user.last_login))?, key)));
        let by_network = self.networks.get(&network).filter(|_| client.is_ipv6());
        let by_network =
            by_network.and_then(|(login, address, key)| Some((address.filter(|_| is_near(*login))?, *key)));
        let Some((address, user)) = by_user.or(by_network).filter(|(address, _)| *address != client) else { return };
        let moved = self.moved.entry(client);
        let first = if moved.refusals == 0 { at } else { moved.first };
        let same_network = client.is_ipv6() && who::network(address).0 == network;
        *moved =
            Elsewhere { address: Some(address), user, same_network, refusals: moved.refusals + 1, first, last: at };
    }

    /// The local date, in days since 1970.
    fn day(&self, at: u64) -> i32 {
        let time = jiff::Timestamp::from_second(i64::try_from(at).unwrap_or_default()).unwrap_or_default();
        let offset = i64::from(self.settings.zone.to_offset(time).seconds());
        i32::try_from((time.as_second() + offset).div_euclid(86_400)).unwrap_or_default()
    }
}

/// The time that a login kept its address open is that until the next, or a grace; all of it while a session is held.
fn add_open(open: &mut [u64; GRACES.len()], until_next: u64, is_held: bool) {
    for (open, minutes) in open.iter_mut().zip(GRACES) {
        *open += if is_held { until_next } else { until_next.min(minutes * 60) };
    }
}

fn timestamp(at: u64) -> Timestamp {
    Timestamp::from_boot(Duration::from_secs(at))
}

#[cfg(test)]
mod tests;
