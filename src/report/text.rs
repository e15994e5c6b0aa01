//! The summary for a terminal: the answers in about thirty lines of eighty columns.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use super::summary::{Sender, Summary, Totals};
use crate::output::color::Color;
use crate::time::display;

/// Columns of a line, and where what is said of a thing begins.
const COLUMNS: usize = 80;
const INDENT: usize = 18;

/// Most addresses.
const ADDRESSES: usize = 3;

/// Days of which a bar is shown.
const BARS: usize = 21;

pub(crate) fn page(summary: &Summary, paint: Color) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, summary, paint);
    out
}

fn write(out: &mut String, summary: &Summary, paint: Color) -> std::fmt::Result {
    let Summary { totals, coverage, grace, .. } = summary;
    let period = coverage
        .first
        .zip(coverage.last)
        .map_or_else(String::new, |(first, last)| format!(", {} to {}", when(first), when(last)));
    writeln!(out, "{} of {}{period}", count(coverage.lines, "line"), count(coverage.files.len() as u64, "file"))?;
    let recipients = count(totals.by_grant_recipients, "recipient");
    let people =
        format!("{}, {}", count(summary.addresses.len() as u64, "address"), count(summary.users.len() as u64, "user"));
    let by_grant = format!("{} to {recipients}: {people}", count(totals.by_grant, "message"));
    writeln!(out, "left by a grant   {}", paint.strong(by_grant))?;
    writeln!(out, "by SASL           {}", count(totals.by_sasl, "message"))?;
    let (networks, unexplained) = (totals.by_network, totals.unexplained);
    say(out, "from networks", &format!("{networks}, and {unexplained} that nothing in the logs explains"))?;
    grants_without_login(out, summary)?;
    let (with_grant, otherwise) = (totals.refused_with_grant, totals.refused_otherwise);
    let refused = count(totals.refused, "recipient");
    say(out, "refused", &format!("{refused}, {with_grant} of clients with a grant; {otherwise} for other reasons"))?;
    addresses(out, summary, paint)?;
    who_could_stop(out, summary)?;
    writeln!(out, "\ngrace     relays refused  refusals avoided  too late by 15 min  address-minutes")?;
    for row in &grace.rows {
        let mark = if Some(row.minutes) == grace.recommended_minutes { "*" } else { " " };
        let line = format!(
            "{:>4} min{mark} {:>14} {:>17} {:>19} {:>16}",
            row.minutes, row.relays_refused, row.refusals_avoided, row.refusals_soon_after, row.address_minutes
        );
        writeln!(out, "{}", if mark == "*" { paint.strong(line).to_string() } else { line })?;
    }
    let minutes = grace.recommended_minutes.map(|minutes| format!("{minutes} min, ")).unwrap_or_default();
    say(out, "recommended", &format!("{minutes}{}", grace.reason))?;
    let strange = summary.shared.iter().filter(|shared| !shared.other_senders.is_empty()).count();
    let shared = summary.shared.iter().filter(|shared| shared.users.len() > 1).count() as u64;
    let shared = format!("{} of several users; {strange} with other senders", count(shared, "address"));
    say(out, "shared", &shared)?;
    let near = summary.moved.iter().filter(|moved| moved.same_network).count();
    let moved = count(summary.moved.len() as u64, "client");
    say(out, "moved", &format!("{moved} refused after a login elsewhere, {near} in the same /64"))?;
    not_understood(out, summary)
}

/// What is no login's, and who relays for no reason that the logs show.
fn grants_without_login(out: &mut String, summary: &Summary) -> std::fmt::Result {
    let Totals { by_grant_by_hand, by_grant_of_other_hosts, by_grant_told, .. } = summary.totals;
    if by_grant_by_hand + by_grant_of_other_hosts + by_grant_told > 0 {
        let others = format!("{by_grant_by_hand} by hand, {by_grant_of_other_hosts} of other hosts");
        say(out, "without a login", &format!("{others}, {by_grant_told} held or not logged in here"))?;
    }
    let clients: Vec<_> = summary.unexplained.iter().map(|client| client.address.to_string()).collect();
    if clients.is_empty() { Ok(()) } else { say(out, "unexplained", &fitting(COLUMNS - INDENT, &clients)) }
}

fn addresses(out: &mut String, summary: &Summary, paint: Color) -> std::fmt::Result {
    for sender in summary.addresses.iter().take(ADDRESSES) {
        let Sender { address, messages, .. } = sender;
        let address = format!("{:<25}", address.to_string());
        let numbers = format!("{messages:>6} {}", bars(&sender.days.iter().collect::<Vec<_>>()));
        let left = COLUMNS.saturating_sub(address.len() + numbers.chars().count() + 4);
        writeln!(out, "  {} {numbers} {}", paint.strong(address), fitting(left, &sender.users))?;
    }
    match summary.addresses.len().saturating_sub(ADDRESSES) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more: --html FILE or --format json shows them"),
    }
}

fn who_could_stop(out: &mut String, summary: &Summary) -> std::fmt::Result {
    let unused = &summary.unused;
    let granted = count(unused.granted_addresses, "address");
    writeln!(out, "\nwho could stop    {} of {granted} with a grant relayed nothing", unused.unused_addresses)?;
    let both: Vec<_> = summary.users.iter().filter(|user| user.sasl_messages > 0).map(|user| &user.user).collect();
    for (number, what, names) in [
        (unused.users.len(), "never relayed by a grant", unused.users.iter().collect()),
        (both.len(), "by a grant and by SASL", both),
    ] {
        let text = format!("{} {what}{}", count(number as u64, "user"), if names.is_empty() { "" } else { ": " });
        let names = fitting(COLUMNS.saturating_sub(INDENT + text.len()), &names);
        say(out, "", &(text + &names))?;
    }
    Ok(())
}

fn not_understood(out: &mut String, summary: &Summary) -> std::fmt::Result {
    let coverage = &summary.coverage;
    let mut told: Vec<String> = Vec::new();
    for (number, what) in [
        (coverage.unmatched_logins, "lines like logins that no matcher takes"),
        (coverage.unknown_messages, "copies of messages whose beginning is missing"),
        (coverage.forgotten_messages, "messages forgotten in a long queue"),
        (coverage.forgotten_addresses + coverage.forgotten_users, "addresses and users forgotten"),
        (coverage.forgotten_grants + coverage.forgotten_sessions, "grants told and sessions forgotten"),
        (coverage.evicted_grants, "grants that gave way, being more than --entries"),
        (coverage.without_time, "lines of Postfix without a time"),
        (coverage.too_long, "lines too long"),
        (coverage.stamps_ahead, "stamps ahead of the next lines"),
        (coverage.times_back, "times that go back"),
    ] {
        if number > 0 {
            told.push(format!("{number} {what}"));
        }
    }
    if let Some(gap) = coverage.gaps.first() {
        let hours = coverage.gap_seconds / 3600;
        told.push(format!("gaps of {hours} h, the longest from {} to {}", when(gap.from), when(gap.to)));
    }
    if told.is_empty() { Ok(()) } else { say(out, "not in here", &told.join("; ")) }
}

/// Writes what is to be said of a thing, in lines that fit.
fn say(out: &mut String, name: &str, text: &str) -> std::fmt::Result {
    write!(out, "{name:<width$}", width = INDENT - 1)?;
    let mut column = INDENT - 1;
    for word in text.split(' ') {
        let length = word.chars().count() + 1;
        if column + length > COLUMNS && column >= INDENT {
            write!(out, "\n{:width$}", "", width = INDENT - 1)?;
            column = INDENT - 1;
        }
        write!(out, " {word}")?;
        column += length;
    }
    writeln!(out)
}

/// The first names, as many as there is room for, and of the first as much.
fn fitting(room: usize, names: &[impl AsRef<str>]) -> String {
    const MORE: &str = ", ...";
    const LEAST: usize = 11;
    let mut line = String::new();
    for (nth, name) in names.iter().map(AsRef::as_ref).enumerate() {
        let room = room.saturating_sub(line.chars().count() + if nth + 1 < names.len() { MORE.len() } else { 0 });
        let length = name.chars().count() + 2 * usize::from(nth > 0);
        match nth {
            0 if length > room.max(LEAST) => line.extend(name.chars().take(room.max(LEAST) - 3).chain("...".chars())),
            0 => line.push_str(name),
            _ if length > room => return line + MORE,
            _ => line.extend([", ", name]),
        }
    }
    line
}

/// Number and noun.
pub(super) fn count(number: u64, noun: &str) -> String {
    match (number, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "address") => format!("{number} addresses"),
        _ => format!("{number} {noun}s"),
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
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bars_are_as_high_as_the_number() {
        assert_eq!(bars(&[0, 1, 4, 8]), ".▁▄█");
        assert_eq!(bars(&[0, 0]), "..");
        assert_eq!(bars(&[1; 40]).chars().count(), BARS);
    }

    #[test]
    fn names_are_cut() {
        let names = ["anna".to_owned(), "b".repeat(20), "carl".to_owned()];
        for (room, expected) in [
            (0, "anna, ..."),
            (30, "anna, ..."),
            (31, "anna, bbbbbbbbbbbbbbbbbbbb, ..."),
            (32, "anna, bbbbbbbbbbbbbbbbbbbb, carl"),
        ] {
            assert_eq!(fitting(room, &names), expected, "{room}");
        }
        assert_eq!(
            (fitting(12, &names[1..2]), fitting(80, &names[..0])),
            (format!("{}...", "b".repeat(9)), String::new())
        );
        assert_eq!(
            (count(1, "address"), count(2, "address"), count(0, "line")),
            ("1 address".to_owned(), "2 addresses".to_owned(), "0 lines".to_owned())
        );
    }

    #[test]
    fn lines_are_wrapped() {
        let mut out = String::new();
        say(&mut out, "moved", "word ".repeat(30).trim()).unwrap();
        assert!(out.lines().count() == 3 && out.lines().all(|line| line.len() <= COLUMNS), "{out}");
        assert!(out.lines().skip(1).all(|line| line.starts_with(&" ".repeat(INDENT))), "{out}");
    }
}
