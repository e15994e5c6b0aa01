//! The table of matchers, for `matchers` and for docs/matchers.md. Pure.

use std::fmt::Write as _;

use crate::cli::TableFormat;
use crate::escape;
use crate::matcher::{BUILTIN, Key, Matcher};

/// A column of the table, and its name in JSON.
const HEADINGS: [(&str, &str); 6] = [
    ("name", "name"),
    ("servers", "servers"),
    ("hold while connected", "hold_while_connected"),
    ("programs", "programs"),
    ("to switch on", "enable"),
    ("source", "source"),
];

type Row = [String; HEADINGS.len()];

/// All built-in matchers and those of the configuration file, one row each.
pub fn table(custom: &[&'static Matcher], format: TableFormat) -> String {
    let rows: Vec<_> = BUILTIN.iter().chain(custom.iter().copied()).map(row).collect();
    match format {
        TableFormat::Text => text(&rows),
        TableFormat::Markdown => markdown(&rows),
        TableFormat::Json => json(&rows),
    }
}

fn row(matcher: &Matcher) -> Row {
    let holds = if matcher.key == Key::None || matcher.logouts.is_empty() { "no" } else { "yes" };
    let programs = matcher.programs.join(", ");
    [matcher.name, matcher.servers, holds, &programs, matcher.enable, matcher.source].map(str::to_owned)
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

fn markdown(rows: &[Row]) -> String {
    let headings = HEADINGS.map(|(heading, _)| heading);
    let mut out = format!("| {} |\n|{}\n", headings.join(" | "), "---|".repeat(HEADINGS.len()));
    for row in rows {
        let cells: Vec<_> = row.iter().map(|cell| cell.replace('|', r"\|")).collect();
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
