//! What the daemon knows, in the form in which it is told. Pure.

use std::net::IpAddr;

use super::answers::About;
use super::wire::{self, Client, Counter, Counts, Explanation, FollowedLog, Status, Why, text};
use crate::grants::counters::Counters;
use crate::grants::{Grants, Standing, View};
use crate::input::Input;
use crate::postfix::mynetworks;
use crate::ring::Reason;
use crate::ring::login_record::LoginRecord;
use crate::ring::networks::Refusal;
use crate::saved::denied;
use crate::share::{self, Share};
use crate::source::saved_position::SavedPosition;
use crate::time::{Now, unix_seconds, unix_seconds_up};

/// In place of a matcher, for a grant by hand.
const BY_HAND: &str = "by-hand";

/// How many addresses of many users are told.
const MOST_CROWDS: usize = 10;

pub(super) fn client(view: &View<'_>) -> Client {
    let matcher = if view.by_hand { Some(BY_HAND) } else { view.record.map(|record| record.matcher) };
    Client {
        address: view.address,
        user: view.record.and_then(|record| user(&record)),
        matcher: matcher.map(str::to_owned),
        since: Some(unix_seconds(view.since)),
        expires: Some(unix_seconds_up(view.expires)),
        relays: view.relays.map(|(number, _)| number),
        last_relay: view.relays.and_then(|(_, last)| last).map(unix_seconds),
    }
}

fn user(record: &LoginRecord<'_>) -> Option<String> {
    Some(record.user).filter(|user| !user.is_empty()).map(text)
}

pub(super) fn explain(now: &Now, grants: &Grants, address: IpAddr) -> Explanation {
    let nothing = Explanation::nothing(address);
    match grants.standing(now, address) {
        Standing::Granted(view) => granted(nothing, &view),
        Standing::Never(refusal) => nothing.refused(refusal),
        Standing::Denied(network) => Explanation { why: Why::Denied, rule: Some(denied::display(network)), ..nothing },
        Standing::Shared(most) => {
            Explanation { why: Why::Shared, rule: Some(format!("more than {most} users")), ..nothing }
        }
        Standing::Revoked(when) => Explanation { why: Why::Revoked, ended: Some(unix_seconds(when)), ..nothing },
        Standing::Departed(departure) => {
            let why = match departure.reason {
                Reason::Expired => Why::Expired,
                Reason::Evicted => Why::Evicted,
                Reason::Revoked => Why::Revoked,
            };
            Explanation { why, ended: Some(unix_seconds(now.wall_at(departure.at))), ..nothing }
        }
        Standing::Unknown => nothing,
    }
}

fn granted(nothing: Explanation, view: &View<'_>) -> Explanation {
    let Client { user, matcher, since, expires, relays, last_relay, .. } = client(view);
    let why = match (view.by_hand, view.record) {
        (true, _) => Why::ByHand,
        (false, Some(_)) => Why::Login,
        (false, None) => Why::Table,
    };
    let log = view.record.map(|record| record.source.to_owned());
    let offset = view.record.and_then(|record| record.offset);
    Explanation { granted: true, why, user, matcher, since, expires, log, offset, relays, last_relay, ..nothing }
}

impl Explanation {
    /// Of an address of which nothing is known.
    pub(crate) fn nothing(address: IpAddr) -> Self {
        Self {
            address,
            granted: false,
            why: Why::NoLogin,
            rule: None,
            since: None,
            expires: None,
            ended: None,
            user: None,
            matcher: None,
            log: None,
            offset: None,
            line: None,
            table: None,
            answer: None,
            relays: None,
            last_relay: None,
        }
    }

    /// Of one that is never published.
    pub(crate) fn refused(self, refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotAClient => Self { why: Why::NotAClient, ..self },
            Refusal::Skipped(network) => Self { why: Why::Skipped, rule: Some(network.to_string()), ..self },
            Refusal::Permitted(network) => Self { why: Why::Mynetworks, rule: Some(network.to_string()), ..self },
        }
    }
}

/// What a status is made of.
#[derive(Clone, Copy)]
pub(super) struct Known<'k> {
    pub(super) about: &'k About,
    pub(super) grants: &'k Grants,
    pub(super) inputs: &'k [Input],
    pub(super) share: Option<&'k Share>,
}

/// How the daemon is.
pub(super) fn status(now: &Now, known: Known<'_>, counts: &Counts) -> Status {
    let Known { about, grants, inputs, share } = known;
    let history = grants.history();
    Status {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime: now.boot.since(about.started).as_secs(),
        backend: about.backend.to_owned(),
        map: about.map.display().to_string(),
        grace: grants.ring().grace().as_secs(),
        grants: grants.ring().len() as u64,
        capacity: grants.ring().capacity() as u64,
        denied: grants.overrides().denied.len() as u64,
        mynetworks: grants.networks().mynetworks().map(mynetworks::summary),
        max_users_per_address: grants.most_users().map(|most| most as u64),
        relays: grants.relays(),
        crowds: grants.crowds(now).into_iter().take(MOST_CROWDS).collect(),
        publishes: history.publishes,
        failed_publishes: history.failures,
        last_publish: history.last.map(unix_seconds),
        published: !grants.is_failing(),
        last_error: history.last_error.as_ref().map(|(error, _)| error.clone()),
        last_error_at: history.last_error.as_ref().map(|(_, at)| unix_seconds(*at)),
        sources: sources(inputs).collect(),
        share: share.map(|share| shared(now, share.standing())),
        control: counts.clone(),
    }
}

/// How it stands with the database between the hosts.
fn shared(now: &Now, standing: share::Standing) -> wire::Share {
    let share::Standing { name, error, since, waiting, lost, read, counters: all } = standing;
    wire::Share {
        name,
        // None was tried to the end yet.
        error: error.map(|error| if error.is_empty() { "not connected yet".to_owned() } else { error }),
        since: unix_seconds(now.wall_at(since)),
        waiting: waiting as u64,
        lost,
        behind: read.map(|read| now.boot.since(read).as_secs()),
        counters: counters(&all).filter(|counter| counter.value > 0).collect(),
    }
}

/// The logs with what is counted in them; the one place where counters come in.
fn sources(inputs: &[Input]) -> impl Iterator<Item = FollowedLog> {
    inputs.iter().map(|input| {
        let offset = match input.source.saved_position() {
            Some(SavedPosition::File(mark)) => Some(mark.position.offset),
            Some(SavedPosition::Cursor(_)) | None => None,
        };
        let all = input.counters();
        FollowedLog {
            name: input.name().to_owned(),
            offset,
            last_line: all.last_line().map(unix_seconds),
            last_login: all.last_login().map(unix_seconds),
            counters: counters(all).collect(),
        }
    })
}

/// Kinds that have not come up are left out; the totals never are.
fn counters(counters: &Counters) -> impl Iterator<Item = Counter> {
    let total = |name: &str, value| Counter { name: name.to_owned(), label: None, value };
    let kind = |name: &str, label: &str, kind: &str, value| Counter {
        name: name.to_owned(),
        label: Some((label.to_owned(), kind.to_owned())),
        value,
    };
    let totals = [
        ("lines", counters.lines()),
        ("bytes", counters.bytes()),
        ("unmatched", counters.unmatched()),
        ("granted", counters.granted()),
        ("extended", counters.extended()),
        ("logouts", counters.logouts()),
        ("dropped", counters.dropped()),
    ];
    let logins = counters.logins().map(move |(matcher, value)| kind("logins", "matcher", matcher, value));
    let refused = counters.refused().filter(|(_, value)| *value > 0);
    let refused = refused.map(move |(reason, value)| kind("refused", "reason", reason.name(), value));
    totals.into_iter().map(move |(name, value)| total(name, value)).chain(logins).chain(refused)
}
