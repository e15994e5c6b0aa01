//! The threat model tells of each matcher what a stranger can write, and nothing but what the data beside the matchers says.

use std::fs;
use std::path::PathBuf;

use pop_before_smtp::matcher::BUILTIN;
use pop_before_smtp::matcher::strangers::{self, Stranger};

const BEGIN: &str = "<!-- Generated from src/matcher/strangers; RENEW=1 cargo test --test pure --test daemon up_to_date renews it. -->\n";
const END: &str = "<!-- End of what is generated. -->\n";

fn page() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "docs", "threat-model.md"].iter().collect()
}

fn matchers(row: &Stranger) -> impl Iterator<Item = &'static str> {
    row.matchers.split(", ")
}

fn table() -> String {
    let head = "| matcher | who | writes | what he can write | through | what stops it | read in |\n|---|---|---|---|---|---|---|\n";
    let row = |row: &Stranger| {
        let message = if row.message.is_empty() { String::new() } else { code(row.message) };
        let cells = [row.matchers, row.who, &message, row.bytes, row.logger, row.stopped_by, row.source];
        format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
    };
    strangers::all().map(row).fold(head.to_owned(), |table, row| table + &row)
}

/// Text with backquotes needs two around it.
fn code(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

#[test]
fn the_threat_model_is_up_to_date() {
    let text = fs::read_to_string(page()).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = [before, BEGIN, "\n", &table(), "\n", END, after].concat();
    if std::env::var_os("RENEW").is_some() {
        fs::write(page(), expected).unwrap();
    } else {
        assert!(text == expected, "not up to date; RENEW=1 cargo test --test pure --test daemon up_to_date renews it");
    }
}

#[test]
fn every_matcher_has_a_row_and_every_row_a_matcher() {
    for matcher in BUILTIN {
        assert!(
            strangers::all().any(|row| matchers(row).any(|name| name == matcher.name)),
            "{} has no row",
            matcher.name
        );
    }
    for name in strangers::all().flat_map(matchers) {
        assert!(BUILTIN.iter().any(|matcher| matcher.name == name), "no matcher is called {name}");
    }
}

#[test]
fn every_row_is_complete() {
    for row in strangers::all() {
        let told = [row.who, row.bytes, row.logger, row.stopped_by, row.source];
        assert!(told.iter().all(|text| !text.is_empty() && !text.contains('\n')), "{row:?}");
        let has_capitals = row.message.split(|c: char| !c.is_ascii_uppercase()).any(|word| word.len() >= 2);
        assert!(has_capitals || row.message.is_empty(), "whose text is it? {row:?}");
        assert!(
            row.source.contains(|c: char| c.is_ascii_digit()) || row.source.contains("no source"),
            "which version? {row:?}"
        );
    }
}

/// What is said to stop a message is there, where it is a property of the matcher.
#[test]
fn what_is_said_to_stop_it_is_there() {
    for row in strangers::all() {
        for matcher in BUILTIN.iter().filter(|matcher| matchers(row).any(|name| name == matcher.name)) {
            let has = [
                ("`newlines`", !matcher.newlines.is_empty()),
                ("`foreign`", matcher.foreign.is_some()),
                ("`splits`", matcher.splits.is_some()),
                ("`cut_failure`", matcher.cut_failure.is_some()),
            ];
            for (name, is_there) in has {
                assert!(is_there || !row.stopped_by.contains(name), "{} has no {name}", matcher.name);
            }
        }
    }
}
