//! The summary as one page for a browser: it loads nothing, and shows all without its script.
//!
//! Names come from logs, which strangers write. So all text goes through [`Text`], no text becomes an attribute or a part of
//! the style or the script, and the page forbids all but its own style and script, by their hashes.

mod charts;
mod table;

use std::fmt::{self, Write as _};

use self::table::{ROWS, Row, Text, table};
use super::summary::{Day, Domain, Summary};
use super::text::{count, day, when};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("sort.js");

/// SHA-256 of style and script, in base 64. The tests compute them.
const STYLE_HASH: &str = "A8oBn92sJTYWyQW6p7wT1QPq4Cec0OE08xLl0Ws/YR0=";
const SCRIPT_HASH: &str = "Gdsi/O+kKoe4ztGwDEqYmP3CLWWJH4P+CMcfhaHGiEI=";

/// The page.
pub(crate) fn page(summary: &Summary) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, summary);
    out
}

fn write(out: &mut String, summary: &Summary) -> fmt::Result {
    let Summary { coverage, .. } = summary;
    let period = coverage.first.zip(coverage.last).map(|(first, last)| format!("{} to {}", when(first), when(last)));
    let period = period.unwrap_or_default();
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; \
         script-src 'sha256-{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"referrer\" content=\"no-referrer\">\
         <title>Who relays by a login, {period}</title><style>{STYLE}</style></head>\n<body><header><h1>Who relays by a login</h1>\
         <p class=\"soft\">{period} · {} of {}</p></header>\n<main>",
        count(coverage.lines, "line"),
        count(coverage.files.len() as u64, "file")
    )?;
    answer(out, summary)?;
    tiles(out, summary)?;
    if !summary.days.is_empty() {
        write!(out, "<h2>Messages a day</h2><figure>{}</figure>", charts::days(&summary.days))?;
        days(out, summary)?;
    }
    senders(out, summary)?;
    people(out, summary)?;
    grace(out, summary)?;
    others(out, summary)?;
    not_understood(out, summary)?;
    let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    write!(
        out,
        "</main>\n<footer>Made by {name} {version}. A grant is what a POP3 or IMAP login gives its address for a while. Times are \
         local.</footer>\n<script>{SCRIPT}</script></body></html>\n"
    )
}

fn answer(out: &mut String, summary: &Summary) -> fmt::Result {
    let grace = &summary.grace;
    if summary.totals.by_grant == 0 {
        return write!(
            out,
            "<p class=\"answer done\">Nobody relays by a login in these logs: it can be switched off.</p>"
        );
    }
    let addresses = count(summary.addresses.len() as u64, "address");
    let users = count(summary.users.len() as u64, "user");
    let both = summary.users.iter().filter(|user| user.sasl_messages > 0).count();
    write!(
        out,
        "<p class=\"answer\">{addresses} of {users} still relay by a login. {both} of these users send with SASL already. A grace \
         of <strong>{} minutes</strong> would do: {}.</p>",
        grace.recommended_minutes.unwrap_or_default(),
        Text(&grace.reason)
    )
}

fn tiles(out: &mut String, summary: &Summary) -> fmt::Result {
    let totals = &summary.totals;
    let unused = &summary.unused;
    let tiles = [
        ("left by a grant", totals.by_grant, format!("to {}", count(totals.by_grant_recipients, "recipient"))),
        ("left by SASL", totals.by_sasl, "messages".to_owned()),
        ("left otherwise", totals.by_network + totals.unexplained, format!("{} unexplained", totals.unexplained)),
        ("refused relays", totals.refused, format!("{} in spite of a grant", totals.refused_with_grant)),
        ("grants for nothing", unused.unused_addresses, format!("of {}", count(unused.granted_addresses, "address"))),
        ("logins", totals.logins, format!("{} never published", totals.logins_never_published)),
    ];
    write!(out, "<dl class=\"tiles\">")?;
    for (name, number, more) in tiles {
        write!(out, "<div><dt>{name}</dt><dd>{number}<small>{more}</small></dd></div>")?;
    }
    write!(out, "</dl>")
}

fn days(out: &mut String, summary: &Summary) -> fmt::Result {
    write!(out, "<details class=\"long\"><summary>The numbers</summary>")?;
    let heads = [("day", ""), ("by a grant", "n"), ("by SASL", "n"), ("refused", "n")];
    let caption = "Messages by grant and by SASL, and refused recipients, of each day";
    let newest_first: Vec<&Day> = summary.days.iter().rev().collect();
    table(out, caption, &heads, &newest_first, |day| {
        Row::of(&day.day, "a").number(day.by_grant).number(day.by_sasl).number(day.refused)
    })?;
    write!(out, "</details>")
}

fn senders(out: &mut String, summary: &Summary) -> fmt::Result {
    write!(
        out,
        "<h2>Who relays by a grant</h2><p>A device draws a comb of even bars, a person a rag: move devices to a port with \
         SASL or into mynetworks, and call the people.</p>"
    )?;
    let heads = [
        ("address", ""),
        ("users", ""),
        ("messages", "n"),
        ("recipients", "n"),
        ("each day", "fixed"),
        ("first", ""),
        ("last", ""),
        ("age of the grant", "n"),
        ("at most", "n"),
        ("sender domains", ""),
    ];
    table(out, "Addresses that relay by a grant; ages in minutes and seconds", &heads, &summary.addresses, |sender| {
        let domain = |domain: &Domain| format!("{} ({})", domain.domain, domain.messages);
        let row = Row::of(sender.address, "a")
            .names(&sender.users)
            .number(sender.messages)
            .number(sender.recipients)
            .chart(&charts::strip(&sender.days))
            .piece(day(sender.first))
            .piece(day(sender.last));
        let row = match sender.without_login {
            without if without == sender.messages => row.piece("no login").piece(""),
            _ => row.minutes(sender.age_mean).minutes(sender.age_max),
        };
        row.names(&sender.domains.iter().map(domain).collect::<Vec<_>>())
    })
}

fn people(out: &mut String, summary: &Summary) -> fmt::Result {
    write!(out, "<h2>By user and by network</h2>")?;
    let heads = [("user", ""), ("messages", "n"), ("recipients", "n"), ("by SASL", "n"), ("first", ""), ("last", "")];
    let caption = "Users whose login let an address relay, and what they send with SASL already";
    table(out, caption, &heads, &summary.users, |user| {
        let row = Row::of(&user.user, "").number(user.messages).number(user.recipients).number(user.sasl_messages);
        row.piece(day(user.first)).piece(day(user.last))
    })?;
    let heads =
        [("network", ""), ("addresses", "n"), ("messages", "n"), ("recipients", "n"), ("first", ""), ("last", "")];
    table(out, "Networks with addresses that relay by a grant", &heads, &summary.networks, |network| {
        let row = Row::of(&network.network, "a").number(network.addresses).number(network.messages);
        row.number(network.recipients).piece(day(network.first)).piece(day(network.last))
    })?;
    let idle = &summary.unused.users;
    let users = count(idle.len() as u64, "user");
    write!(out, "<h2>Who could stop now</h2><p>{users} logged in and relayed nothing by it.</p>")?;
    if idle.is_empty() {
        return Ok(());
    }
    write!(out, "<details class=\"names\"><summary>Their names</summary><ul class=\"names\">")?;
    idle.iter().take(ROWS).try_for_each(|name| write!(out, "<li>{}</li>", Text(name)))?;
    write!(out, "</ul>")?;
    if idle.len() > ROWS {
        write!(out, "<p class=\"soft\">The first {ROWS}; --format json has all.</p>")?;
    }
    write!(out, "</details>")
}

fn grace(out: &mut String, summary: &Summary) -> fmt::Result {
    let grace = &summary.grace;
    let best = grace.recommended_minutes;
    let (refused, open) = ("Messages that would have been refused", "Hours for which addresses would have been open");
    write!(
        out,
        "<h2>The grace</h2><p>The numbers assume that it was {} minutes. A longer one refuses less and leaves addresses open \
         longer.</p><div class=\"pair\"><figure><figcaption>{refused}</figcaption>{}</figure><figure>\
         <figcaption>{open}</figcaption>{}</figure></div>",
        grace.assumed / 60,
        charts::graces(&grace.rows, best, refused, |row| row.relays_refused),
        charts::graces(&grace.rows, best, open, |row| row.address_minutes / 60)
    )?;
    let heads = [
        ("grace", ""),
        ("messages refused", "n"),
        ("refusals avoided", "n"),
        ("refused within 15 min after", "n"),
        ("minutes open", "n"),
    ];
    table(out, "What each grace would have meant", &heads, &grace.rows, |row| {
        let mark = if Some(row.minutes) == best { " (recommended)" } else { "" };
        Row::of(format_args!("{} min{mark}", row.minutes), "")
            .number(row.relays_refused)
            .number(row.refusals_avoided)
            .number(row.refusals_soon_after)
            .number(row.address_minutes)
    })
}

fn others(out: &mut String, summary: &Summary) -> fmt::Result {
    if !summary.shared.is_empty() {
        let heads = [("address", ""), ("users", "n"), ("who", ""), ("messages", "n"), ("other senders", "")];
        write!(out, "<h2>Shared addresses</h2><p>A grant for one is a grant for all behind the address.</p>")?;
        let caption = "Addresses of several users, and senders who are not among the users that logged in there";
        table(out, caption, &heads, &summary.shared, |shared| {
            let more = if shared.more { " (and more)" } else { "" };
            Row::of(format_args!("{}{more}", shared.address), "a")
                .number(shared.users.len() as u64)
                .names(&shared.users)
                .number(shared.messages)
                .names(&shared.other_senders)
        })?;
    }
    if !summary.unexplained.is_empty() {
        let heads = [("client", ""), ("messages", "n"), ("last", "")];
        write!(
            out,
            "<h2>Unexplained</h2><p>Relays without SASL, from outside mynetworks, of clients with no grant that these logs \
             tell of: by another table, or by a grant that was given by hand, held or shared by another host while the daemon's \
             own lines are in another log. Name that log, too.</p>"
        )?;
        table(out, "Clients that relay and nothing here tells why", &heads, &summary.unexplained, |client| {
            Row::of(client.address, "a").number(client.messages).piece(when(client.last))
        })?;
    }
    if summary.moved.is_empty() {
        return Ok(());
    }
    let heads =
        [("refused", ""), ("user", ""), ("had logged in at", ""), ("which is", ""), ("recipients", "n"), ("last", "")];
    write!(out, "<h2>Refused after a login elsewhere</h2>")?;
    let caption = "Clients without a grant whose user had logged in at another address within the hour";
    table(out, caption, &heads, &summary.moved, |moved| {
        let kind = if moved.same_network { "same IPv6 /64" } else { "another network" };
        let row = Row::of(moved.address, "a").text(&moved.user).piece(moved.login_address).piece(kind);
        row.number(moved.refusals).piece(when(moved.last))
    })
}

fn not_understood(out: &mut String, summary: &Summary) -> fmt::Result {
    let coverage = &summary.coverage;
    write!(out, "<h2>What was read</h2>")?;
    let heads = [("file", ""), ("lines", "n"), ("bytes", "n"), ("up to", ""), ("read", "")];
    table(out, "Files", &heads, &coverage.files, |file| {
        let last = file.last.map(when).unwrap_or_default();
        Row::of(&file.name, "")
            .number(file.lines)
            .number(file.bytes)
            .piece(last)
            .text(file.cut.as_deref().unwrap_or("all"))
    })?;
    let numbers = [
        ("lines of Postfix", coverage.postfix_lines),
        ("of these, smtpd's about clients", coverage.smtpd_lines),
        ("lines like logins that no matcher takes", coverage.unmatched_logins),
        ("copies of messages whose beginning is not in the logs", coverage.unknown_messages),
        ("messages forgotten, because the queue was long", coverage.forgotten_messages),
        ("addresses forgotten, because there were too many", coverage.forgotten_addresses),
        ("users forgotten, because there were too many", coverage.forgotten_users),
        ("the daemon's grants and denials forgotten, because there were too many", coverage.forgotten_grants),
        ("open sessions forgotten, because there were too many", coverage.forgotten_sessions),
        ("grants that gave way because there were more than --entries", coverage.evicted_grants),
        ("relays by grants given by hand", summary.totals.by_grant_by_hand),
        ("relays by grants of other hosts", summary.totals.by_grant_of_other_hosts),
        ("relays by grants that were held, or whose login is not in these logs", summary.totals.by_grant_told),
        ("refused for other reasons: blocklists, filters, unknown recipients", summary.totals.refused_otherwise),
        ("lines of Postfix without a time", coverage.without_time),
        ("lines that were too long", coverage.too_long),
        ("lines stamped an hour or more later than those behind them", coverage.stamps_ahead),
        ("lines whose time goes back by more than two minutes", coverage.times_back),
        ("seconds without a line, in gaps of an hour and more", coverage.gap_seconds),
    ];
    let heads = [("what", ""), ("number", "n")];
    table(out, "What is in these numbers and what is not", &heads, &numbers, |(what, number)| {
        Row::of(what, "").number(*number)
    })?;
    if coverage.gaps.is_empty() {
        return Ok(());
    }
    write!(out, "<p>The longest gaps:</p><ul>")?;
    coverage.gaps.iter().try_for_each(|gap| write!(out, "<li>{} to {}</li>", when(gap.from), when(gap.to)))?;
    write!(out, "</ul>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_summary_is_a_whole_page() {
        let page = page(&Summary::default());
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
        assert_eq!(page.matches("<main>").count(), page.matches("</main>").count());
    }
}
