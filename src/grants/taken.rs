//! Grants of other hosts: taken as logins of an own log are, and taken out again when the others have them no longer.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use ipnet::IpNet;

use super::Grants;
use super::counters::{Outcome, Reason as Refused};
use super::messages;
use crate::ordered_map::OrderedMap;
use crate::ring::login_record::LoginRecord;
use crate::ring::{Change, Grant, LONGEST, Ring};
use crate::saved::denied;
use crate::time::{Now, Timestamp, unix_seconds};

/// What the name of a log begins with that is another host's. No log of this host is called like that.
pub(crate) const FOREIGN: &str = "share:";

/// By how much two answers may differ about the same end: the way takes its time, and each counts with the longest.
const SLACK: Duration = Duration::from_secs(2);

/// Most names of hosts, logs and matchers that are remembered: others write them.
const MOST_NAMES: usize = 1000;

/// A grant of another host.
#[derive(Debug, Clone)]
pub struct Taking<'t> {
    /// The client's address.
    pub address: IpAddr,
    /// When it ends, on this host's clock.
    pub expires: Timestamp,
    /// How long ago the login was.
    pub ago: Duration,
    /// Whether the operator is told: not of each of a million.
    pub told: bool,
    /// Where that login is logged.
    pub login: LoginRecord<'t>,
    /// Who has logged in from there, and how long ago, if users are counted.
    pub users: &'t [(Vec<u8>, Duration)],
}

/// A grant that an own log has brought, for the other hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The client's address.
    pub address: IpAddr,
    /// When it ends.
    pub expires: Timestamp,
    /// Whether it had none before.
    pub is_new: bool,
    /// The user's name; empty if it is not known.
    pub user: Vec<u8>,
    /// Which matcher found the login.
    pub matcher: String,
    /// The log.
    pub log: String,
    /// Where in it, if that is known.
    pub offset: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    /// When it ends by what the others say.
    end: Timestamp,
    /// When the login was.
    login: Timestamp,
    round: u32,
}

/// Which grants are there because others have them.
#[derive(Debug, Default)]
pub(super) struct Taken {
    held: OrderedMap<IpAddr, Held>,
    /// When the grants end that this host's own log has brought, where the others had to make them longer.
    own: BTreeMap<IpAddr, Timestamp>,
    /// Counts the comparisons with all that the others have.
    round: u32,
    names: BTreeSet<String>,
}

impl Taken {
    /// Takes those of an earlier run for what they were: others' as far as that is known, and of those that only the table
    /// has told of, all. The first comparison shows which of them there are.
    pub(super) fn restored(ring: &Ring) -> Self {
        let is_ours = |address| ring.last_login(address).is_some_and(|record| !record.source.starts_with(FOREIGN));
        let others = ring.iter().filter(|grant| !is_ours(grant.address) && !ring.is_by_hand(grant.address));
        let mut taken = Self::default();
        for Grant { address, expires } in others {
            taken.held.put(address, Held { end: expires, login: expires - ring.grace(), round: 0 });
        }
        taken
    }

    pub(super) fn forget(&mut self, address: IpAddr) {
        self.held.remove(&address);
        self.own.remove(&address);
    }

    fn hold(&mut self, address: IpAddr, held: Held, own: Option<Timestamp>) {
        self.held.put(address, held);
        match own {
            Some(end) => drop(self.own.insert(address, end)),
            None => drop(self.own.remove(&address)),
        }
    }

    /// The name, unless there are too many.
    fn known<'n>(&mut self, name: &'n str, instead: &'n str) -> &'n str {
        if self.names.contains(name) {
            return name;
        }
        if self.names.len() >= MOST_NAMES {
            return instead;
        }
        self.names.insert(name.to_owned());
        name
    }
}

impl Grants {
    /// From now on the grants of own logs are kept for [`Grants::given`].
    pub fn begin_giving(&mut self) {
        self.given = Some(Vec::new());
    }

    /// What own logs have brought since the last call.
    pub fn given(&mut self) -> Vec<Given> {
        self.given.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Keeps what the others are to know of a grant.
    pub(super) fn give(&mut self, address: IpAddr, outcome: Outcome) {
        if self.given.is_none() || outcome == Outcome::Unchanged {
            return;
        }
        let own = self.own(address).map(|own| Given { is_new: outcome == Outcome::Granted, ..own });
        self.given.get_or_insert_default().extend(own);
    }

    /// The grant of an own log in a slot of the ring.
    pub fn own_at(&self, slot: usize) -> Option<Given> {
        self.ring.at(slot).and_then(|grant| self.own(grant.address))
    }

    fn own(&self, address: IpAddr) -> Option<Given> {
        let grant = self.ring.get(address).filter(|_| !self.ring.is_by_hand(address))?;
        let record = self.ring.last_login(address).filter(|record| !record.source.starts_with(FOREIGN))?;
        Some(Given {
            address,
            expires: grant.expires,
            is_new: false,
            user: record.user.to_vec(),
            matcher: record.matcher.to_owned(),
            log: record.source.to_owned(),
            offset: record.offset,
        })
    }

    /// Takes in what the others say of an address. One whose grant has ended loses it, unless an own log has brought it.
    pub fn take(&mut self, now: &Now, taking: &Taking<'_>) -> Outcome {
        let Taking { address, expires, ago, .. } = *taking;
        let written = now.wall.checked_sub(ago).unwrap_or(SystemTime::UNIX_EPOCH);
        let refused = match expires > now.boot {
            true => self.refuse_taken(now, written, taking),
            false => {
                self.take_back(now, address);
                return Outcome::Unchanged;
            }
        };
        if let Some(reason) = refused {
            self.take_back(now, address);
            return Outcome::Refused(reason);
        }
        self.forget_revocation(now, address);
        let (held, own) = (self.taken.held.get(&address), self.taken.own.get(&address).copied());
        let end = self.ring.get(address).map(|grant| grant.expires);
        let is_theirs = held.is_some_and(|held| Some(held.end) == end);
        if is_theirs && end.is_some_and(|end| expires + SLACK < end) {
            // The longest of the others' is gone, and this is the next.
            self.take_back(now, address);
        }
        self.hold(now, taking, if is_theirs { own } else { end })
    }

    fn refuse_taken(&mut self, now: &Now, written: SystemTime, taking: &Taking<'_>) -> Option<Refused> {
        let address = taking.address;
        if self.overrides.is_revoked(address, written) {
            return Some(Refused::Revoked);
        }
        if let Some(refusal) = self.networks.refuse(address) {
            self.messages.refused(now, address, refusal);
            return Some(refusal.into());
        }
        if self.overrides.find_denied(address).is_some() {
            return Some(Refused::Denied);
        }
        let seen = |(user, ago): &(Vec<u8>, Duration)| {
            let then = Now { boot: now.boot - *ago, wall: now.wall };
            self.is_shared(now, &then, address, user)
        };
        // Each counts, also behind one that was too many.
        (taking.users.iter().map(seen).filter(|shared| *shared).count() > 0).then_some(Refused::Shared)
    }

    /// Lets the grant end no earlier than the others say; `own` is when it would without them.
    fn hold(&mut self, now: &Now, taking: &Taking<'_>, own: Option<Timestamp>) -> Outcome {
        let Taking { address, expires, ago, told, login: record, .. } = *taking;
        let before = self.ring.get(address).map(|grant| grant.expires);
        let (round, login) = (self.taken.round, now.boot - ago);
        // An answer that differs by its way alone is no news.
        if let Some(end) = before.filter(|end| *end + SLACK / 2 >= expires) {
            match self.taken.held.get(&address) {
                Some(held) => self.taken.held.put(address, Held { round, login, ..held }),
                None => self.taken.hold(address, Held { end: expires.min(end), login, round }, own),
            }
            return Outcome::Unchanged;
        }
        self.ring.restore(now.boot, Grant { address, expires }, &mut self.changes);
        if let (true, Some(Change::Added(grant))) = (told, self.changes.last()) {
            messages::taken(&record, grant.address, now.wall_at(grant.expires));
        }
        let outcome = self.outcome();
        self.take_changes(now);
        if let Some(grant) = self.ring.get(address).filter(|_| outcome != Outcome::Unchanged) {
            self.taken.hold(address, Held { end: grant.expires, login, round }, own);
            let source = self.taken.known(record.source, FOREIGN);
            // It gets into the state file, where a space would be the end of it.
            let is_name = record.matcher.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            let matcher = Some(record.matcher).filter(|name| is_name && !name.is_empty()).unwrap_or("unknown");
            let matcher = self.taken.known(matcher, "unknown");
            self.ring.note_login(address, Some(LoginRecord { source, matcher, ..record }));
        }
        outcome
    }

    /// The others do not have it any more: its grant ends, or goes back to what an own log has brought.
    fn take_back(&mut self, now: &Now, address: IpAddr) {
        let own = self.taken.own.remove(&address);
        let Some(held) = self.taken.held.remove(&address) else { return };
        let is_theirs = self.ring.get(address).is_some_and(|grant| grant.expires == held.end);
        if !is_theirs || self.ring.is_by_hand(address) {
            return;
        }
        self.ring.revoke(address, &mut self.changes);
        if let Some(expires) = own {
            self.ring.restore(now.boot, Grant { address, expires }, &mut self.changes);
        }
        self.take_changes(now);
    }

    /// Everything that the others have is about to be taken.
    pub fn begin_comparison(&mut self) {
        self.taken.round += 1;
    }

    /// Everything was: what was taken before and is not there any more is taken back. How many that were.
    pub fn end_comparison(&mut self, now: &Now) -> usize {
        let round = self.taken.round;
        let gone: Vec<_> =
            self.taken.held.iter().filter(|(_, held)| held.round != round).map(|(address, _)| address).collect();
        gone.iter().for_each(|&address| self.take_back(now, address));
        gone.len()
    }

    /// An operator has revoked an address on all hosts, this long ago. A later login counts.
    pub fn revoke_elsewhere(&mut self, now: &Now, address: IpAddr, ago: Duration) {
        let when = now.wall.checked_sub(ago).unwrap_or(SystemTime::UNIX_EPOCH);
        let grant = self.ring.get(address);
        let held = self.taken.held.get(&address).filter(|held| grant.is_some_and(|grant| grant.expires == held.end));
        let login = held.map(|held| held.login).or(grant.map(|grant| grant.expires - self.ring.grace()));
        // It is told again at each comparison.
        let is_known = self.overrides.revoked(address).is_some_and(|known| known + SLACK > when);
        let is_later = login.is_some_and(|login| unix_seconds(now.wall_at(login)) > unix_seconds(when));
        if is_known || is_later || ago > LONGEST {
            return;
        }
        self.overrides.revoke(address, when);
        let ended = self.take_out(now, |other| other == address);
        log::info!("revoke {address}, by hand of an operator on all hosts; grants ended: {ended}");
        self.tell_unsaved();
    }

    /// An operator has denied networks on all hosts; `whole` if these are all of them.
    pub fn deny_elsewhere(&mut self, now: &Now, networks: &[(IpNet, bool)], whole: bool) {
        let before = self.overrides.everywhere.clone();
        if whole {
            self.overrides.everywhere = denied::Denied::default();
        }
        for &(network, is_denied) in networks {
            match is_denied {
                true if self.overrides.everywhere.len() < denied::MOST => {
                    self.overrides.everywhere.add(network);
                }
                true => log::warn!("cannot deny {network}: {} networks are denied already", denied::MOST),
                false => {
                    self.overrides.everywhere.remove(network);
                }
            }
        }
        if self.overrides.everywhere == before {
            return;
        }
        let everywhere = self.overrides.everywhere.clone();
        let ended = self.take_out(now, |address| everywhere.find(address).is_some());
        log::info!("{} networks are denied on all hosts; grants ended: {ended}", everywhere.len());
        self.tell_unsaved();
    }
}
