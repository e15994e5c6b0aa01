//! The summary for a terminal: the answers in about thirty lines.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use super::summary::{Sender, Summary, Totals};
use crate::output::color::Color;
use crate::time::display;

/// Most addresses, and most names in a line.
const ADDRESSES: usize = 4;
const NAMES: usize = 4;

/// Days of which a bar is shown.
const BARS: usize = 21;

pub(crate) fn page(summary: &Summary, paint: Color) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, summary, paint);
    out
}

fn write(out: &mut String, summary: &Summary, paint: Color) -> std::fmt::Result {
    let Summary { totals, coverage, grace, unused, .. } = summary;
    let period = coverage
        .first
        .zip(coverage.last)
        .map_or_else(String::new, |(first, last)| format!(", {} to {}", when(first), when(last)));
    writeln!(out, "{} of {}{period}", count(coverage.lines, "line"), count(coverage.files.len() as u64, "file"))?;
    let recipients = count(totals.by_grant_recipients, "recipient");
    let people =
        format!("{}, {}", count(summary.addresses.len() as u64, "address"), count(summary.users.len() as u64, "user"));
    let by_grant = format!("{} to {recipients}: {people}", count(totals.by_grant, "message"));
    writeln!(out, "\nleft by a grant   {}", paint.strong(by_grant))?;
    writeln!(out, "by SASL           {}", count(totals.by_sasl, "message"))?;
    writeln!(
        out,
        "from networks     {}, and {} that nothing in the logs explains",
        totals.by_network, totals.unexplained
    )?;
    grants_without_login(out, summary)?;
    let with_grant = totals.refused_with_grant;
    writeln!(
        out,
        "refused           {}, {with_grant} of them of clients with a grant; {} for other reasons",
        count(totals.refused, "recipient"),
        totals.refused_otherwise
    )?;
    addresses(out, summary, paint)?;
    let both: Vec<_> =
        summary.users.iter().filter(|user| user.sasl_messages > 0).map(|user| user.user.clone()).collect();
    writeln!(out, "\nwho could stop now")?;
    let granted = count(unused.granted_addresses, "address");
    writeln!(out, "  {} of {granted} with a grant relayed nothing", unused.unused_addresses)?;
    writeln!(out, "  {} never relayed by a grant{}", count(unused.users.len() as u64, "user"), names(&unused.users))?;
    writeln!(out, "  {} by a grant and by SASL{}", count(both.len() as u64, "user"), names(&both))?;
    writeln!(out, "\ngrace    relays refused   refusals avoided   too late by 15 min   address-minutes")?;
    for row in &grace.rows {
        let mark = if Some(row.minutes) == grace.recommended_minutes { "*" } else { " " };
        let line = format!(
            "{:>4} min{mark} {:>14} {:>18} {:>20} {:>17}",
            row.minutes, row.relays_refused, row.refusals_avoided, row.refusals_soon_after, row.address_minutes
        );
        writeln!(out, "{}", if mark == "*" { paint.strong(line).to_string() } else { line })?;
    }
    match grace.recommended_minutes {
        Some(minutes) => writeln!(out, "recommended: {minutes} min, {}", grace.reason)?,
        None => writeln!(out, "recommended: {}", grace.reason)?,
    }
    let strange = summary.shared.iter().filter(|shared| !shared.other_senders.is_empty()).count() as u64;
    let shared = summary.shared.iter().filter(|shared| shared.users.len() > 1).count() as u64;
    writeln!(out, "{} of several users; {} with senders who are none of its users", count(shared, "address"), strange)?;
    let near = summary.moved.iter().filter(|moved| moved.same_network).count();
    let moved = count(summary.moved.len() as u64, "client");
    writeln!(out, "{moved} refused within an hour of a login elsewhere, {near} of them in the same IPv6 /64")?;
    not_understood(out, summary)
}

/// What is no login's, and who relays for no reason that the logs show.
fn grants_without_login(out: &mut String, summary: &Summary) -> std::fmt::Result {
    let Totals { by_grant_by_hand, by_grant_of_other_hosts, by_grant_told, .. } = summary.totals;
    if by_grant_by_hand + by_grant_of_other_hosts + by_grant_told > 0 {
        writeln!(
            out,
            "without a login   {by_grant_by_hand} by hand, {by_grant_of_other_hosts} shared by another host, {by_grant_told} \
             held or with a login that is not here"
        )?;
    }
    let clients: Vec<_> = summary.unexplained.iter().take(2).map(|client| client.address.to_string()).collect();
    let more = if summary.unexplained.len() > clients.len() { ", ..." } else { "" };
    match clients.is_empty() {
        true => Ok(()),
        false => writeln!(
            out,
            "unexplained       {}{more}: by another table, or a grant by hand, held or shared that is not told here",
            clients.join(", ")
        ),
    }
}

fn addresses(out: &mut String, summary: &Summary, paint: Color) -> std::fmt::Result {
    for sender in summary.addresses.iter().take(ADDRESSES) {
        let Sender { address, messages, last, .. } = sender;
        let address = format!("{:<24}", address.to_string());
        let users: Vec<_> = sender.users.iter().take(2).map(|user| short(user.as_ref())).collect();
        writeln!(
            out,
            "  {} {messages:>6} {} until {} {}",
            paint.strong(address),
            bars(&sender.days.iter().collect::<Vec<_>>()),
            day(*last),
            users.join(", ")
        )?;
    }
    match summary.addresses.len().saturating_sub(ADDRESSES) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more: --html FILE or --format json shows them"),
    }
}

fn not_understood(out: &mut String, summary: &Summary) -> std::fmt::Result {
    let coverage = &summary.coverage;
    let mut told: Vec<String> = Vec::new();
    for (number, what) in [
        (coverage.unmatched_logins, "lines like logins that no matcher takes"),
        (coverage.unknown_messages, "copies of messages whose beginning is missing"),
        (coverage.forgotten_messages, "messages forgotten in a long queue"),
        (coverage.forgotten_addresses + coverage.forgotten_users, "addresses and users forgotten"),
        (coverage.forgotten_grants, "grants forgotten whose end the daemon had not told"),
        (coverage.without_time, "lines of Postfix without a time"),
        (coverage.too_long, "lines too long"),
        (coverage.times_back, "times that go back"),
    ] {
        if number > 0 {
            told.push(format!("{number} {what}"));
        }
    }
    if let Some(gap) = coverage.gaps.first() {
        told.push(format!(
            "gaps of {} h, the longest from {} to {}",
            coverage.gap_seconds / 3600,
            when(gap.from),
            when(gap.to)
        ));
    }
    if told.is_empty() { Ok(()) } else { writeln!(out, "not in these numbers: {}", told.join("; ")) }
}

/// Number and noun.
pub(super) fn count(number: u64, noun: &str) -> String {
    match (number, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "address") => format!("{number} addresses"),
        _ => format!("{number} {noun}s"),
    }
}

/// The first names, behind a colon.
fn names(all: &[String]) -> String {
    let first: Vec<_> = all.iter().take(NAMES).map(|name| short(name)).collect();
    match all.len() {
        0 => String::new(),
        number if number > NAMES => format!(": {}, ...", first.join(", ")),
        _ => format!(": {}", first.join(", ")),
    }
}

fn short(name: &str) -> String {
    const LONGEST: usize = 40;
    if name.chars().count() <= LONGEST {
        name.to_owned()
    } else {
        name.chars().take(LONGEST - 3).chain("...".chars()).collect()
    }
}

/// A bar for each of the last days.
fn bars(days: &[u64]) -> String {
    const LEVELS: [char; 9] = ['.', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let days = &days[days.len().saturating_sub(BARS)..];
    let most = days.iter().copied().max().unwrap_or(0).max(1);
    days.iter().map(|number| LEVELS[usize::try_from((number * 8).div_ceil(most)).unwrap_or(8).min(8)]).collect()
}

/// Local time to the minute.
pub(super) fn when(at: u64) -> String {
    display(SystemTime::UNIX_EPOCH + Duration::from_secs(at))
        .chars()
        .take(16)
        .map(|c| if c == 'T' { ' ' } else { c })
        .collect()
}

pub(super) fn day(at: u64) -> String {
    when(at).chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_the_number() {
        assert_eq!(bars(&[0, 1, 4, 8]), ".▁▄█");
        assert_eq!(bars(&[0, 0]), "..");
        assert_eq!(bars(&[1; 40]).chars().count(), BARS);
    }

    #[test]
    fn names_are_cut() {
        assert_eq!(names(&[]), "");
        assert_eq!(names(&["a".to_owned(), "b".repeat(50)]), format!(": a, {}...", "b".repeat(37)));
        assert_eq!(
            (count(1, "address"), count(2, "address"), count(0, "line")),
            ("1 address".to_owned(), "2 addresses".to_owned(), "0 lines".to_owned())
        );
    }
}
