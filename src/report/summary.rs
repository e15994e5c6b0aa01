//! What the report says, in the words of its JSON form (docs/leaving.md). Times are seconds since 1970, ages and gaps seconds,
//! days local dates.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::rc::Rc;

use serde::{Serialize, Serializer};

/// Changes when a field goes or means something else; not when one comes.
pub(crate) const VERSION: u32 = 1;

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Summary {
    pub(crate) version: u32,
    pub(crate) totals: Totals,
    pub(crate) days: Vec<Day>,
    pub(crate) addresses: Vec<Sender>,
    pub(crate) users: Vec<User>,
    pub(crate) networks: Vec<Network>,
    pub(crate) unused: Unused,
    pub(crate) grace: Grace,
    pub(crate) shared: Vec<Shared>,
    pub(crate) moved: Vec<Moved>,
    pub(crate) unexplained: Vec<Unexplained>,
    pub(crate) coverage: Coverage,
}

/// Messages that left the host, by what let them; refused recipients; logins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    pub(crate) by_grant: u64,
    pub(crate) by_grant_recipients: u64,
    /// Of `by_grant`, what only the daemon's own lines explain.
    pub(crate) by_grant_by_hand: u64,
    pub(crate) by_grant_of_other_hosts: u64,
    pub(crate) by_grant_told: u64,
    pub(crate) by_sasl: u64,
    pub(crate) by_network: u64,
    /// Neither SASL, nor a network, nor a grant that the logs show.
    pub(crate) unexplained: u64,
    pub(crate) refused: u64,
    /// Of clients that had a grant: Postfix asks another table, or got it late.
    pub(crate) refused_with_grant: u64,
    /// Refused for another reason: blocklists, filters, unknown recipients.
    pub(crate) refused_otherwise: u64,
    pub(crate) logins: u64,
    /// Logins at addresses that are never published.
    pub(crate) logins_never_published: u64,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Day {
    pub(crate) day: String,
    pub(crate) by_grant: u64,
    pub(crate) by_sasl: u64,
    pub(crate) refused: u64,
}

/// An address that relays by a grant.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Sender {
    pub(crate) address: IpAddr,
    pub(crate) users: Vec<Name>,
    pub(crate) messages: u64,
    pub(crate) recipients: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) age_mean: u64,
    pub(crate) age_max: u64,
    /// Messages by grants that the daemon's own lines tell of, and no login in the logs.
    pub(crate) without_login: u64,
    pub(crate) domains: Vec<Domain>,
    /// Messages of each day of `days`, in that order.
    pub(crate) days: Strip,
}

/// A name that stands in many places, and in memory once.
#[derive(Debug, Clone)]
pub(crate) struct Name(pub(crate) Rc<str>);

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A number for each day, of which most are 0 and are not kept.
#[derive(Debug, Clone)]
pub(crate) struct Strip {
    /// In days since 1970.
    pub(super) days: RangeInclusive<i32>,
    /// The days with a number, in their order.
    pub(super) numbers: Vec<(i32, u64)>,
}

impl Strip {
    /// A number for each day.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> {
        let mut numbers = self.numbers.iter().skip_while(|(day, _)| day < self.days.start()).peekable();
        self.days.clone().map(move |day| {
            let mut sum = 0;
            while let Some((_, number)) = numbers.next_if(|(known, _)| *known == day) {
                sum += number;
            }
            sum
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.days.clone().count()
    }
}

impl Serialize for Strip {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Domain {
    pub(crate) domain: String,
    pub(crate) messages: u64,
}

/// A user whose login let an address relay.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct User {
    pub(crate) user: String,
    pub(crate) messages: u64,
    pub(crate) recipients: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// Messages that the same user has sent with SASL.
    pub(crate) sasl_messages: u64,
}

/// An IPv4 /24 or IPv6 /64 network with addresses that relay by a grant.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Network {
    pub(crate) network: String,
    pub(crate) addresses: u64,
    pub(crate) messages: u64,
    pub(crate) recipients: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// Who logs in and relays nothing by it.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Unused {
    /// Addresses that had a grant, and those of them that relayed nothing.
    pub(crate) granted_addresses: u64,
    pub(crate) unused_addresses: u64,
    pub(crate) users: Vec<String>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Grace {
    /// What the report assumes that the daemon had, in seconds.
    pub(crate) assumed: u64,
    pub(crate) rows: Vec<GraceRow>,
    /// `null` if nobody relays by a grant.
    pub(crate) recommended_minutes: Option<u64>,
    pub(crate) reason: String,
}

/// What another grace would have meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct GraceRow {
    pub(crate) minutes: u64,
    /// Messages that left by a grant, and would have been refused.
    pub(crate) relays_refused: u64,
    /// Refusals that would not have happened.
    pub(crate) refusals_avoided: u64,
    /// Refusals within a quarter of an hour after the end of this grace.
    pub(crate) refusals_soon_after: u64,
    /// Minutes for which an address was open, summed.
    pub(crate) address_minutes: u64,
}

/// An address of several users, or with senders who are none of its users.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Shared {
    pub(crate) address: IpAddr,
    pub(crate) users: Vec<Name>,
    /// Whether there were more users or senders than are kept.
    pub(crate) more: bool,
    pub(crate) messages: u64,
    pub(crate) other_senders: Vec<String>,
}

/// A client that was refused while its user had logged in elsewhere within the hour.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Moved {
    pub(crate) address: IpAddr,
    /// Where the user, or another address of the same network, had logged in.
    pub(crate) login_address: IpAddr,
    pub(crate) user: String,
    /// Whether both lie in one IPv6 /64 network: a device that changes its address.
    pub(crate) same_network: bool,
    pub(crate) refusals: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// A client that relayed though nothing in the logs lets it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Unexplained {
    pub(crate) address: IpAddr,
    pub(crate) messages: u64,
    pub(crate) last: u64,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Coverage {
    pub(crate) files: Vec<FileRead>,
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    pub(crate) first: Option<u64>,
    pub(crate) last: Option<u64>,
    /// The longest gaps of an hour and more, longest first.
    pub(crate) gaps: Vec<Gap>,
    pub(crate) gap_seconds: u64,
    /// Lines that were written earlier than the line before them, by more than two minutes.
    pub(crate) times_back: u64,
    /// Lines stamped an hour or more later than lines behind them. They count at the time of the line before.
    pub(crate) stamps_ahead: u64,
    pub(crate) without_time: u64,
    pub(crate) too_long: u64,
    pub(crate) unmatched_logins: u64,
    pub(crate) smtpd_lines: u64,
    pub(crate) postfix_lines: u64,
    /// Copies that left the host of messages whose beginning is not in the logs.
    pub(crate) unknown_messages: u64,
    pub(crate) forgotten_messages: u64,
    pub(crate) forgotten_addresses: u64,
    pub(crate) forgotten_users: u64,
    /// What the daemon told of grants whose end was waited for, and of what is denied.
    pub(crate) forgotten_grants: u64,
    /// Open sessions that held a grant.
    pub(crate) forgotten_sessions: u64,
    /// Grants that gave way because there were more than `--entries`.
    pub(crate) evicted_grants: u64,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct FileRead {
    pub(crate) name: String,
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    pub(crate) last: Option<u64>,
    /// Why not all of it was read.
    pub(crate) cut: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Gap {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// Looks for gaps between the times of lines, and for times that go back.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    first: Option<u64>,
    last: u64,
    gaps: Vec<Gap>,
    gap_seconds: u64,
    back: u64,
}

/// Shortest gap, and most that are listed.
const GAP: u64 = 3600;
const GAPS: usize = 5;
/// How far lines may be out of order.
const DISORDER: u64 = crate::line::stamp::DISORDER.as_secs();

impl Clock {
    /// A line was written then; the time that counts for it, which never goes back.
    pub(crate) fn line(&mut self, at: u64) -> u64 {
        if self.first.is_none() {
            self.first = Some(at);
        } else if at >= self.last + GAP {
            self.gap_seconds += at - self.last;
            self.gaps.push(Gap { from: self.last, to: at });
            self.gaps.sort_by_key(|gap| gap.from.wrapping_sub(gap.to));
            self.gaps.truncate(GAPS);
        } else if at + DISORDER < self.last {
            self.back += 1;
        }
        self.last = self.last.max(at);
        self.last
    }

    /// The time of the last line.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    pub(crate) fn tell(&self, coverage: &mut Coverage) {
        coverage.first = self.first;
        coverage.last = self.first.map(|_| self.last);
        (coverage.gaps, coverage.gap_seconds, coverage.times_back) = (self.gaps.clone(), self.gap_seconds, self.back);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_told_and_times_never_go_back() {
        let mut clock = Clock::default();
        let times = [1000, 1010, 1005, 800, 4609, 8209, 20_000].map(|at| clock.line(at));
        assert_eq!(times, [1000, 1010, 1010, 1010, 4609, 8209, 20_000]);
        let mut coverage = Coverage::default();
        clock.tell(&mut coverage);
        assert_eq!((coverage.first, coverage.last, coverage.times_back), (Some(1000), Some(20_000), 1));
        assert_eq!(coverage.gaps, [Gap { from: 8209, to: 20_000 }, Gap { from: 4609, to: 8209 }]);
        assert_eq!(coverage.gap_seconds, 11_791 + 3600);
    }
}
