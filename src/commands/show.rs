//! What the daemon says, as text for people. Strangers' text is escaped. Pure.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use crate::control::wire::{Changed, Client, Counter, Explanation, FollowedLog, Network, Share, Status, Why};
use crate::grants::crowds::MANY;
use crate::grants::taken::FOREIGN;
use crate::output::escape;
use crate::time::{self, unix_seconds};

type Out<'o> = &'o mut dyn Write;

const HEADINGS: [&str; 5] = ["ADDRESS", "EXPIRES", "SINCE", "MATCHER", "USER"];

/// Where the relays stand behind the user, if they are counted.
const WIDTH_OF_USER: usize = 24;

/// Widest column; what is longer stands out of it. A width of more than 16 bits would be a panic.
const WIDEST: usize = 200;

/// The grants as a table, one a line, the address first.
pub(super) fn clients(out: Out<'_>, clients: &[Client]) -> io::Result<()> {
    let rows: Vec<_> = clients.iter().map(row).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([HEADINGS[column].len()]).max().unwrap_or(0).min(WIDEST)
    };
    let widths: [usize; 4] = std::array::from_fn(width);
    let mut line = |cells: [&str; 5]| {
        let [a, b, c, d] = widths;
        let text = format!("{:a$}  {:b$}  {:c$}  {:d$}  {}", cells[0], cells[1], cells[2], cells[3], cells[4]);
        writeln!(out, "{}", text.trim_end())
    };
    let mut headings = HEADINGS;
    let counted = format!("{:<WIDTH_OF_USER$}  RELAYS  LAST RELAY", HEADINGS[4]);
    if clients.iter().any(|client| client.relays.is_some()) {
        headings[4] = &counted;
    }
    line(headings)?;
    rows.iter().try_for_each(|row| line(std::array::from_fn(|column| row[column].as_str())))
}

fn row(client: &Client) -> [String; 5] {
    let when = |seconds: Option<u64>| seconds.map_or_else(|| "-".to_owned(), display);
    let Client { address, user, matcher, since, expires, relays, last_relay } = client;
    let matcher = matcher.as_deref().unwrap_or("-");
    let mut user = printable(user.as_deref().unwrap_or("-"));
    if let Some(relays) = relays {
        user = format!("{user:<WIDTH_OF_USER$}  {relays:>6}  {}", when(*last_relay));
    }
    [address.to_string(), when(*expires), when(*since), printable(matcher), user]
}

/// What the daemon says may be wrong: its user may be a stranger by now, and ours is root.
pub(super) fn printable(text: &str) -> String {
    escape::printable(text.as_bytes()).to_string()
}

fn display(seconds: u64) -> String {
    let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    at.map_or_else(|| seconds.to_string(), time::display)
}

/// Whether an address has a grant, why, and what Postfix is told.
pub(super) fn explanation(out: Out<'_>, explanation: &Explanation) -> io::Result<()> {
    let Explanation { address, granted, expires, table, answer, .. } = explanation;
    match (granted, expires) {
        (true, Some(expires)) => {
            writeln!(out, "{address} may relay until {}: {}", display(*expires), why(explanation))?
        }
        (true, None) => writeln!(out, "{address} may relay: {}", why(explanation))?,
        (false, _) => writeln!(out, "{address} has no grant: {}", why(explanation))?,
    }
    login(out, explanation)?;
    let Some(table) = table.as_deref().map(printable) else { return Ok(()) };
    match answer {
        Some(answer) if answer.bytes().all(|byte| byte.is_ascii_digit()) => {
            writeln!(out, "  Postfix: {table} answers {answer}, which is OK")
        }
        Some(answer) => writeln!(out, "  Postfix: {table} answers {}", printable(answer)),
        None => writeln!(out, "  Postfix: {table} does not know it"),
    }
}

fn why(explanation: &Explanation) -> String {
    let rule = printable(explanation.rule.as_deref().unwrap_or_default());
    let ended = explanation.ended.map(display).unwrap_or_default();
    match explanation.why {
        Why::Login => "it has logged in".to_owned(),
        Why::ByHand => "it was granted by hand".to_owned(),
        Why::Table => "it is in the table; its login is not known".to_owned(),
        Why::NotAClient => "loopback, unspecified, multicast and broadcast addresses are never published".to_owned(),
        Why::Skipped => format!("{rule} is never published (--skip-networks)"),
        Why::Mynetworks => format!("{rule} is in Postfix's mynetworks and relays without us (--skip-mynetworks)"),
        Why::Denied => format!("{rule} is denied by hand; pop-before-smtp deny --remove {rule}"),
        Why::Shared => format!("{rule} have logged in from it within one grace (--max-users-per-address)"),
        Why::Revoked => format!("its grant was taken back at {ended}, and it has not logged in since"),
        Why::Expired => format!("its grant ended at {ended}"),
        Why::Evicted => format!("the ring was full, and it gave way at {ended}; raise --entries"),
        Why::NoLogin => "no login is known".to_owned(),
    }
}

fn login(out: Out<'_>, explanation: &Explanation) -> io::Result<()> {
    let Explanation { user, matcher, since, log, offset, line, .. } = explanation;
    let mut field = |name: &str, value: Option<&dyn Display>| match value {
        Some(value) => writeln!(out, "  {name}: {value}"),
        None => Ok(()),
    };
    let of = |text: &Option<String>| text.as_deref().map(printable);
    let place = of(log).map(|log| match offset {
        Some(offset) => format!("{log}, byte {offset}"),
        None => log,
    });
    field("user", of(user).as_ref().map(|user| user as _))?;
    field("matcher", of(matcher).as_ref().map(|matcher| matcher as _))?;
    field("since", since.map(display).as_ref().map(|since| since as _))?;
    let last = |number: u64| {
        explanation.last_relay.map_or_else(|| number.to_string(), |at| format!("{number}, the last at {}", display(at)))
    };
    field("relays", explanation.relays.map(last).as_ref().map(|relays| relays as _))?;
    let is_elsewhere = log.as_deref().is_some_and(|log| log.starts_with(FOREIGN));
    field(if is_elsewhere { "log there" } else { "log" }, place.as_ref().map(|place| place as _))?;
    match (of(line), offset) {
        (None, _) if is_elsewhere => Ok(()),
        (Some(line), _) => field("line", Some(&line)),
        (None, Some(_)) => field("line", Some(&"not there any more")),
        (None, None) => Ok(()),
    }
}

/// Denied networks, one a line.
pub(super) fn networks(out: Out<'_>, networks: &[Network]) -> io::Result<()> {
    networks.iter().try_for_each(|network| writeln!(out, "{}", printable(&network.network)))
}

/// How the daemon is.
pub(super) fn status(out: Out<'_>, status: &Status) -> io::Result<()> {
    let Status { pid, version, uptime, backend, map, grace, grants, capacity, denied, .. } = status;
    writeln!(out, "pop-before-smtp {}, process {pid}, running for {}", printable(version), length(*uptime))?;
    writeln!(out, "table:     {}, backend {}", printable(map), printable(backend))?;
    writeln!(out, "grants:    {grants} of {capacity}, each for {}", length(*grace))?;
    let last = status.last_publish.map(|last| format!(", the last at {}", display(last))).unwrap_or_default();
    writeln!(out, "publishes: {}{last}; {} failed", status.publishes, status.failed_publishes)?;
    if !status.published {
        writeln!(out, "           the table cannot be written, or was changed by another program")?;
    }
    if let (Some(error), Some(at)) = (&status.last_error, status.last_error_at) {
        writeln!(out, "           last failure at {}: {}", display(at), printable(error))?;
    }
    writeln!(out, "denied:    {denied} networks")?;
    if let Some(mynetworks) = &status.mynetworks {
        writeln!(out, "skipped:   {}", printable(mynetworks))?;
    }
    if let Some(most) = status.max_users_per_address {
        writeln!(out, "users:     at most {most} for an address")?;
    }
    if let Some(relays) = status.relays {
        writeln!(out, "relays:    {relays} messages by grants")?;
    }
    let relays = match status.relays {
        Some(_) => "and never relays",
        None => "and whether it relays is not counted (--count-relays)",
    };
    for address in &status.crowds {
        writeln!(out, "crowd:     more than {MANY} users log in from {address}, {relays};")?;
        writeln!(out, "           --skip-networks {address} leaves it out, if it is webmail or a proxy")?;
    }
    status.sources.iter().try_for_each(|log| source(out, log))?;
    status.share.iter().try_for_each(|share| self::share(out, share))?;
    let counts = &status.control;
    writeln!(
        out,
        "control:   {} requests, {} bad, {} refused, {} given up",
        counts.requests, counts.bad, counts.refused, counts.dropped
    )
}

fn source(out: Out<'_>, source: &FollowedLog) -> io::Result<()> {
    let place = source.offset.map(|offset| format!(", read to byte {offset}")).unwrap_or_default();
    writeln!(out, "log:       {}{place}", printable(&source.name))?;
    if let Some(line) = source.last_line {
        let login = source.last_login.map(|login| format!("last login {}", display(login)));
        let login = login.as_deref().unwrap_or("no login since the start");
        writeln!(out, "           last line {}, {login}", display(line))?;
    }
    source.counters.iter().try_for_each(|counter| count(out, counter))
}

fn share(out: Out<'_>, share: &Share) -> io::Result<()> {
    let since = display(share.since);
    match &share.error {
        Some(error) => writeln!(out, "share:     cannot be used since {since}: {}", printable(error))?,
        None => writeln!(out, "share:     in use since {since}")?,
    }
    let behind = share.behind.map(|behind| format!(", the others' known up to {} ago", length(behind)));
    let (name, waiting) = (printable(&share.name), share.waiting);
    writeln!(out, "           as {name}, {waiting} wait to be given{}", behind.unwrap_or_default())?;
    if share.lost > 0 {
        writeln!(out, "           {} had no room to wait", share.lost)?;
    }
    share.counters.iter().try_for_each(|counter| count(out, counter))
}

fn count(out: Out<'_>, counter: &Counter) -> io::Result<()> {
    let label = counter.label.as_ref().map(|(_, value)| format!(" {}", printable(value))).unwrap_or_default();
    writeln!(out, "           {} {}{label}", counter.value, printable(&counter.name.replace('_', " ")))
}

fn length(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) if !seconds.is_multiple_of(60) => format!("{minutes} min {} s", seconds % 60),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// What a command has done.
pub(super) fn outcome(out: Out<'_>, outcome: &Changed) -> io::Result<()> {
    let Changed { command, subject, changed, removed, expires, .. } = outcome;
    let (command, subject) = (printable(command), printable(subject));
    match (command.as_str(), expires) {
        ("revoke", _) if *removed == 0 => writeln!(out, "{subject} had no grant"),
        ("revoke", _) => writeln!(out, "{subject} may relay no longer, until it logs in again"),
        ("grant", Some(expires)) => {
            let left = expires.saturating_sub(unix_seconds(SystemTime::now()));
            let had = if *changed { "" } else { " as it could before" };
            writeln!(out, "{subject} may relay until {}, for {}{had}", display(*expires), length(left))
        }
        ("deny", _) => {
            let again = if *changed { "is denied" } else { "was denied already" };
            writeln!(out, "{subject} {again}; grants ended: {removed}")
        }
        ("allow", _) if *changed => {
            writeln!(out, "{subject} is not denied any longer; who is there has to log in again")
        }
        ("allow", _) => writeln!(out, "{subject} was not denied; pop-before-smtp deny --list prints what is"),
        _ => writeln!(out, "{command} {subject}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;
    use crate::control::wire::Line;

    /// A text that a terminal would obey, and a line of its own.
    const HOSTILE: &str = "x\u{1b}]0;x\u{7}\r\n\u{202e}";

    /// What is printed of a line in which every text is hostile and every number the largest that there is.
    fn shown(line: Value) -> String {
        let mut out = Vec::new();
        match serde_json::from_value(line).unwrap() {
            Line::Client(client) => clients(&mut out, &[client]),
            Line::Explanation(told) => explanation(&mut out, &told),
            Line::Status(told) => status(&mut out, &told),
            Line::Outcome(told) => outcome(&mut out, &told),
            Line::Denied(network) => networks(&mut out, &[network]),
            line => panic!("{line:?}"),
        }
        .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_that_a_daemon_says_moves_the_cursor() {
        let (text, most) = (HOSTILE, u64::MAX);
        let client = json!({"address": "::1", "user": text, "matcher": text, "since": most, "expires": most});
        let log = json!({
            "name": text, "offset": most, "last_line": most, "last_login": most,
            "counters": [{"name": text, "label": [text, text], "value": most}],
        });
        let share = json!({
            "name": text, "error": text, "since": most, "waiting": most, "lost": most, "behind": most,
            "counters": [{"name": text, "label": [text, text], "value": most}],
        });
        let status = json!({
            "pid": 1, "version": text, "uptime": most, "backend": text, "map": text, "grace": most, "grants": most,
            "capacity": most, "denied": most, "mynetworks": text, "max_users_per_address": most, "publishes": most,
            "failed_publishes": most, "last_publish": most, "published": false, "last_error": text,
            "last_error_at": most, "sources": [log], "share": share,
            "control": {"requests": most, "bad": most, "refused": most, "dropped": most},
        });
        let explanation = |why: &str| {
            json!({
                "address": "::1", "granted": true, "why": why, "rule": text, "since": most, "expires": most,
                "ended": most, "user": text, "matcher": text, "log": text, "offset": most, "line": text,
                "table": text, "answer": text,
            })
        };
        let outcome = |command: &str| {
            json!({
                "command": command, "subject": text, "changed": true, "removed": 1, "expires": most,
                "published": false, "error": text, "unsaved": text,
            })
        };
        let lines =
            [json!({"client": client}), json!({"status": status}), json!({"denied": {"network": text}})].into_iter();
        let lines = lines.chain(["shared", "denied", "expired"].map(|why| json!({"explanation": explanation(why)})));
        let commands = ["revoke", "grant", "deny", "allow", text];
        for line in lines.chain(commands.map(|command| json!({"outcome": outcome(command)}))) {
            let shown = shown(line.clone());
            assert!(shown.contains(r"x\u{1b}]0;x\u{7}\u{d}\u{a}\u{202e}"), "{line}: {shown:?}");
            assert!(!shown.contains(|char: char| "\u{1b}\u{7}\r\u{202e}".contains(char)), "{line}: {shown:?}");
        }
    }

    #[test]
    fn a_long_name_is_no_panic() {
        let shown = shown(json!({"client": {"address": "::1", "matcher": "x".repeat(1 << 17)}}));
        assert!(shown.contains("xxx"));
    }
}
