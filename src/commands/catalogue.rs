//! The table of matchers, for `matchers` and for docs/servers.md, which is about no host. Pure.

use std::fmt::Write as _;

use crate::cli::TableFormat;
use crate::config::servers::{self, Sign};
use crate::matcher::{AnyMatcher, BUILTIN, Key, Kind};
use crate::output::escape;

/// A column of the table, and its name in JSON.
const HEADINGS: [(&str, &str); 8] = [
    ("name", "name"),
    ("servers", "servers"),
    ("hold while connected", "hold_while_connected"),
    ("programs", "programs"),
    ("to switch on", "enable"),
    ("source", "source"),
    ("used unless named", "used_unless_named"),
    ("on this host", "on_this_host"),
];

type Row = [String; HEADINGS.len()];

/// All built-in matchers and those of the configuration file, one row each; `here` is what shows their servers on this host.
pub fn table(custom: &[AnyMatcher], here: &[(&str, Sign)], format: TableFormat) -> String {
    let matchers = BUILTIN.iter().map(AnyMatcher::from).chain(custom.iter().cloned());
    let rows: Vec<_> = matchers.map(|matcher| row(&matcher, here)).collect();
    match format {
        TableFormat::Text => text(&rows),
        TableFormat::Markdown => markdown(&rows),
        TableFormat::Json => json(&rows),
    }
}

fn row(matcher: &AnyMatcher, here: &[(&str, Sign)]) -> Row {
    let holds = if matcher.key() == Key::None || !matcher.has(Kind::Logout) { "no" } else { "yes" };
    let programs = matcher.programs().join(", ");
    let is_built_in = matcher.row().is_some_and(|row| BUILTIN.iter().any(|known| std::ptr::eq(known, row)));
    let (servers, enable, source) = match matcher.row() {
        Some(row) => (row.servers, row.enable, row.source),
        None => ("of the configuration file", "see the configuration file", "the configuration file"),
    };
    let used = match servers::only_named(matcher.name()) {
        Some(reason) => format!("never: {reason}"),
        None if is_built_in => "where its server is found".to_owned(),
        None => "always".to_owned(),
    };
    let seen = here.iter().find(|(name, _)| *name == matcher.name());
    let seen = seen.map_or_else(|| "no".to_owned(), |(_, sign)| format!("yes: {sign}"));
    [matcher.name(), servers, holds, &programs, enable, source, &used, &seen].map(str::to_owned)
}

/// A paragraph for each: some programs have so many names that columns would not fit a screen.
fn text(rows: &[Row]) -> String {
    let width = HEADINGS.iter().map(|(heading, _)| heading.len()).max().unwrap_or(0);
    let mut out = String::new();
    for (nth, row) in rows.iter().enumerate() {
        if nth > 0 {
            out.push('\n');
        }
        for ((heading, _), value) in HEADINGS.iter().zip(row) {
            let _ = writeln!(out, "{heading:width$}  {value}");
        }
    }
    out
}

/// For a document, so without this host.
fn markdown(rows: &[Row]) -> String {
    let headings = HEADINGS.map(|(heading, _)| heading);
    let columns = HEADINGS.len() - 1;
    let mut out = format!("| {} |\n|{}\n", headings[..columns].join(" | "), "---|".repeat(columns));
    for row in rows {
        let cells: Vec<_> = row[..columns].iter().map(|cell| cell.replace('|', r"\|")).collect();
        let [name, rest @ ..] = cells.as_slice() else { continue };
        let _ = writeln!(out, "| `{name}` | {} |", rest.join(" | "));
    }
    out
}

/// One object a line.
fn json(rows: &[Row]) -> String {
    let member = |((_, name), value): (&(&str, &str), &String)| {
        let value = escape::json(value.as_bytes());
        match *name {
            "hold_while_connected" => format!(r#""{name}":{}"#, value.to_string() == "yes"),
            "programs" => format!(r#""{name}":["{}"]"#, value.to_string().replace(", ", r#"",""#)),
            _ => format!(r#""{name}":"{value}""#),
        }
    };
    let object = |row: &Row| HEADINGS.iter().zip(row).map(member).collect::<Vec<_>>().join(",");
    rows.iter().map(|row| format!("{{{}}}\n", object(row))).collect()
}
