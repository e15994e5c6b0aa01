//! Makes the summary of what was counted. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::rc::Rc;

use super::Report;
use super::summary::{
    self, Coverage, Day, Domain, Grace, GraceRow, Moved, Name, Network, Sender, Shared, Strip, Summary, Unexplained,
    Unused,
};
use super::who::{self, Address, Relays};
use crate::output::escape::printable;
use crate::ring::open_sessions::OpenSessions;

/// Of so many attempts to send after a login, one may fail with the grace that is recommended.
const TOLERATED: u64 = 100;

/// Most days that are told of, the last ones: a wrong stamp may be half a century old.
const MOST_DAYS: i32 = 1000;

impl Report {
    /// All that was found, and how far the logs went.
    pub(crate) fn finish(mut self, mut coverage: Coverage) -> Summary {
        let end = coverage.last.unwrap_or_default();
        let end = self.settings.until.map_or(end, |until| end.min(until));
        for (_, address) in self.addresses.iter().filter(|(_, address)| address.last_login > 0) {
            super::add_open(&mut self.open, end.saturating_sub(address.last_login), false);
        }
        coverage.smtpd_lines = self.smtpd_lines;
        coverage.postfix_lines = self.postfix_lines;
        coverage.unknown_messages = self.queue.unknown();
        coverage.forgotten_messages = self.queue.forgotten();
        coverage.forgotten_addresses = self.addresses.forgotten();
        coverage.forgotten_users = self.users.forgotten();
        coverage.forgotten_grants = self.told.forgotten();
        coverage.forgotten_sessions = self.hold.as_ref().map_or(0, OpenSessions::forgotten);
        coverage.evicted_grants = self.evicted;
        let names = self.names();
        Summary {
            version: summary::VERSION,
            totals: self.totals,
            days: self.day_sums(),
            addresses: self.senders(&names),
            users: self.user_sums(),
            networks: self.network_sums(),
            unused: self.unused(),
            grace: self.grace(),
            shared: self.shared(&names),
            moved: self.moved_sums(),
            unexplained: self.unexplained(),
            coverage,
        }
    }

    /// Every day from the first to the last on which anything was counted.
    fn all_days(&self) -> RangeInclusive<i32> {
        let first = self.days.first_key_value().map_or(1, |(day, _)| *day);
        let last = self.days.last_key_value().map_or(0, |(day, _)| *day);
        first.max(last - MOST_DAYS + 1)..=last
    }

    /// The names of the users, by their keys.
    fn names(&self) -> HashMap<u64, Name> {
        self.users.iter().map(|(key, user)| (key, Name(Rc::from(text(&user.name))))).collect()
    }

    fn day_sums(&self) -> Vec<Day> {
        let sum = |day: i32| {
            let [by_grant, by_sasl, refused] = self.days.get(&day).copied().unwrap_or_default();
            Day { day: date(day), by_grant, by_sasl, refused }
        };
        self.all_days().map(sum).collect()
    }

    fn relaying(&self) -> impl Iterator<Item = (IpAddr, &Address, &Relays)> {
        self.addresses.iter().filter_map(|(ip, address)| Some((ip, address, address.relays.as_deref()?)))
    }

    fn senders(&self, names: &HashMap<u64, Name>) -> Vec<Sender> {
        let mut senders: Vec<_> = self
            .relaying()
            .map(|(ip, address, relays)| {
                let mut domains: Vec<_> = relays
                    .domains
                    .iter()
                    .map(|(name, messages)| Domain { domain: text(name), messages: *messages })
                    .collect();
                domains.sort_by(|one, other| (other.messages, &one.domain).cmp(&(one.messages, &other.domain)));
                let mut numbers = relays.days.clone();
                numbers.sort_unstable();
                Sender {
                    address: ip,
                    users: of(names, &address.users),
                    messages: relays.messages,
                    recipients: relays.recipients,
                    first: relays.first,
                    last: relays.last,
                    age_mean: relays.age_sum / relays.aged.max(1),
                    age_max: relays.age_max,
                    without_login: relays.messages - relays.aged,
                    domains,
                    days: Strip { days: self.all_days(), numbers },
                }
            })
            .collect();
        senders.sort_by_key(|sender| (Reverse(sender.messages), sender.address));
        senders
    }

    fn user_sums(&self) -> Vec<summary::User> {
        let relaying = self.users.iter().map(|(_, user)| user).filter(|user| user.messages > 0);
        let sum = |user: &who::User| summary::User {
            user: text(&user.name),
            messages: user.messages,
            recipients: user.recipients,
            first: user.first,
            last: user.last,
            sasl_messages: user.sasl_messages,
        };
        let mut users: Vec<_> = relaying.map(sum).collect();
        users.sort_by(|one, other| (other.messages, &one.user).cmp(&(one.messages, &other.user)));
        users
    }

    fn network_sums(&self) -> Vec<Network> {
        let mut networks = BTreeMap::new();
        for (ip, _, relays) in self.relaying() {
            let (base, length) = who::network(ip);
            let network = networks.entry(base).or_insert_with(|| Network {
                network: format!("{base}/{length}"),
                addresses: 0,
                messages: 0,
                recipients: 0,
                first: relays.first,
                last: 0,
            });
            network.addresses += 1;
            network.messages += relays.messages;
            network.recipients += relays.recipients;
            network.first = network.first.min(relays.first);
            network.last = network.last.max(relays.last);
        }
        let mut networks: Vec<_> = networks.into_values().collect();
        networks.sort_by_key(|network| Reverse(network.messages));
        networks
    }

    fn unused(&self) -> Unused {
        let granted: Vec<_> = self.addresses.iter().filter(|(_, address)| address.last_login > 0).collect();
        let unused_addresses = granted.iter().filter(|(_, address)| address.relays.is_none()).count() as u64;
        let idle = self.users.iter().filter(|(_, user)| user.logins > 0 && user.messages == 0);
        let mut users: Vec<_> = idle.map(|(_, user)| text(&user.name)).collect();
        users.sort_unstable();
        Unused { granted_addresses: granted.len() as u64, unused_addresses, users }
    }

    fn shared(&self, names: &HashMap<u64, Name>) -> Vec<Shared> {
        let mut shared: Vec<_> = self
            .addresses
            .iter()
            .filter_map(|(ip, address)| {
                let relays = address.relays.as_deref();
                let users: Vec<_> = address.users.iter().filter_map(|user| self.users.get(user)).collect();
                let senders = relays.map(|relays| &relays.senders[..]).unwrap_or_default();
                let is_other = |sender: &[u8]| !users.iter().any(|user| who::sends_as(&user.name, sender));
                let other_senders: Vec<_> =
                    senders.iter().filter(|sender| is_other(sender)).map(|sender| text(sender)).collect();
                let is_shared = address.users.len() > 1 || !address.users.is_empty() && !other_senders.is_empty();
                is_shared.then(|| Shared {
                    address: ip,
                    users: of(names, &address.users),
                    more: address.more,
                    messages: relays.map_or(0, |relays| relays.messages),
                    other_senders,
                })
            })
            .collect();
        shared.sort_by_key(|one| (Reverse(one.users.len()), Reverse(one.messages), one.address));
        shared
    }

    fn moved_sums(&self) -> Vec<Moved> {
        let sum = |(address, moved): (IpAddr, &super::Elsewhere)| {
            Some(Moved {
                address,
                login_address: moved.address?,
                user: self.users.get(&moved.user).map(|user| text(&user.name)).unwrap_or_default(),
                same_network: moved.same_network,
                refusals: moved.refusals,
                first: moved.first,
                last: moved.last,
            })
        };
        let mut moved: Vec<_> = self.moved.iter().filter_map(sum).collect();
        moved.sort_by_key(|one| (Reverse(one.refusals), one.address));
        moved
    }

    fn unexplained(&self) -> Vec<Unexplained> {
        let clients = self.unexplained.iter().filter(|(_, (messages, _))| *messages > 0);
        let mut clients: Vec<_> =
            clients.map(|(address, &(messages, last))| Unexplained { address, messages, last }).collect();
        clients.sort_by_key(|client| (Reverse(client.messages), client.address));
        clients
    }

    fn grace(&self) -> Grace {
        let minutes = |(row, open): (&GraceRow, &u64)| GraceRow { address_minutes: open / 60, ..*row };
        let rows: Vec<_> = self.rows.iter().zip(&self.open).map(minutes).collect();
        let assumed = self.settings.grace.as_secs();
        let (recommended_minutes, reason) = recommend(&rows, self.totals.by_grant);
        Grace { assumed, rows, recommended_minutes, reason }
    }
}

/// The names of the users that are still known.
fn of(names: &HashMap<u64, Name>, users: &[u64]) -> Vec<Name> {
    users.iter().filter_map(|user| names.get(user)).cloned().collect()
}

/// The shortest grace with which nearly all that was sent after a login would have been accepted, and why.
fn recommend(rows: &[GraceRow], by_grant: u64) -> (Option<u64>, String) {
    if by_grant == 0 {
        return (None, "no message left the host by a grant: nothing in these logs needs one".to_owned());
    }
    let longest = rows.last().map_or(0, |row| row.refusals_avoided);
    let attempts = by_grant + longest;
    let fails = |row: &GraceRow| row.relays_refused + longest - row.refusals_avoided;
    let row = rows.iter().find(|row| fails(row) * TOLERATED <= attempts).or(rows.last()).copied().unwrap_or_default();
    let reason = format!(
        "the shortest that refuses at most 1 of {TOLERATED} messages sent after a login ({} of {attempts})",
        fails(&row)
    );
    (Some(row.minutes), reason)
}

/// Text of a stranger, printable.
fn text(bytes: &[u8]) -> String {
    printable(bytes).to_string()
}

fn date(day: i32) -> String {
    let seconds = i64::from(day) * 86_400;
    jiff::Timestamp::from_second(seconds).map(|time| time.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::GRACES;
    use super::*;

    fn rows(refused: [u64; 6], avoided: [u64; 6]) -> Vec<GraceRow> {
        let row = |at: usize| GraceRow {
            minutes: GRACES[at],
            relays_refused: refused[at],
            refusals_avoided: avoided[at],
            address_minutes: GRACES[at] * 10,
            ..GraceRow::default()
        };
        (0..6).map(row).collect()
    }

    #[test]
    fn the_shortest_grace_that_serves_nearly_all_is_recommended() {
        let recommended = |refused, avoided| recommend(&rows(refused, avoided), 1000).0;
        assert_eq!(recommended([900, 11, 10, 0, 0, 0], [0; 6]), Some(15));
        assert_eq!(recommended([0; 6], [0; 6]), Some(5));
        assert_eq!(recommended([900, 100, 50, 0, 0, 0], [0, 0, 0, 0, 40, 60]), Some(120), "refusals count, too");
        assert_eq!(recommend(&rows([0; 6], [0; 6]), 0).0, None);
        let (_, reason) = recommend(&rows([900, 11, 10, 0, 0, 0], [0; 6]), 1000);
        assert!(reason.ends_with("(10 of 1000)"), "{reason}");
    }

    #[test]
    fn days_are_dates() {
        assert_eq!((date(0), date(20_000)), ("1970-01-01".to_owned(), "2024-10-04".to_owned()));
    }
}
