//! The table of matchers, for `matchers` and for docs/matchers.md. Pure.

use std::fmt::Write as _;

use crate::cli::TableFormat;
use crate::matcher::{BUILTIN, Key, Matcher};

const HEADINGS: [&str; 5] = ["name", "servers", "hold while connected", "programs", "to switch on"];

/// All built-in matchers and those of the configuration file, one row each.
pub fn table(custom: &[&'static Matcher], format: TableFormat) -> String {
    let rows: Vec<_> = BUILTIN.iter().chain(custom.iter().copied()).map(row).collect();
    match format {
        TableFormat::Text => text(&rows),
        TableFormat::Markdown => markdown(&rows),
    }
}

fn row(matcher: &Matcher) -> [String; 5] {
    let holds = if matcher.key == Key::None || matcher.logouts.is_empty() { "no" } else { "yes" };
    [matcher.name, matcher.servers, holds, &matcher.programs.join(", "), matcher.enable].map(str::to_owned)
}

/// A paragraph for each: some programs have so many names that columns would not fit a screen.
fn text(rows: &[[String; 5]]) -> String {
    let width = HEADINGS.iter().map(|heading| heading.len()).max().unwrap_or(0);
    let mut out = String::new();
    for (nth, row) in rows.iter().enumerate() {
        if nth > 0 {
            out.push('\n');
        }
        for (heading, value) in HEADINGS.iter().zip(row) {
            let _ = writeln!(out, "{heading:width$}  {value}");
        }
    }
    out
}

fn markdown(rows: &[[String; 5]]) -> String {
    let mut out = format!("| {} |\n|{}\n", HEADINGS.join(" | "), "---|".repeat(HEADINGS.len()));
    for row in rows {
        let cells: Vec<_> = row.iter().map(|cell| cell.replace('|', r"\|")).collect();
        let [name, rest @ ..] = cells.as_slice() else { continue };
        let _ = writeln!(out, "| `{name}` | {} |", rest.join(" | "));
    }
    out
}
