//! Faults that really happen to a daemon that runs, on every backend: what readers saw, what was said, how long it took
//! to heal.
//!
//! `FAULT_TABLE=1 cargo test --test postfix every_fault -- --nocapture` prints the table of docs/backends.md.
//! `FAULT=text` runs only those whose fault or backend contains the text.

mod holder;
mod list;
mod probe;
mod scene;
mod steps;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use crate::support::cases::Case;
use crate::support::{Need, require};
use list::{FAULTS, Fault};
use scene::Row;

/// Most faults at a time: they are spent waiting.
const AT_A_TIME: usize = 6;

#[test]
fn every_fault_ends_with_a_whole_table_and_all_clients_in_it() {
    if !require(&[Need::Postfix, Need::Program("setpriv"), Need::Program("unshare"), Need::Program("sqlite3")]) {
        return;
    }
    let wanted = std::env::var("FAULT").unwrap_or_default();
    let is_wanted = |fault: &Fault, case: &Case| format!("{}: {}", case.name, fault.name).contains(&wanted);
    let all = FAULTS.iter().flat_map(|fault| fault.cases().map(move |case| (fault, case)));
    let todo: Vec<_> = all.filter(|(fault, case)| is_wanted(fault, case)).enumerate().collect();
    // The slowest come last in the list.
    let (todo, done) = (Mutex::new(todo), Mutex::new(BTreeMap::new()));
    let failed = Mutex::new(Vec::new());
    let next = || todo.lock().unwrap().pop();
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some((number, (fault, case))) = next() {
                    // The others are told, too, if one fails.
                    match catch_unwind(AssertUnwindSafe(|| scene::play(fault, case))) {
                        Ok(Some(row)) => drop(done.lock().unwrap().insert(number, row)),
                        Ok(None) => {}
                        Err(_) => failed.lock().unwrap().push(format!("{}: {}", case.name, fault.name)),
                    }
                }
            });
        }
    });
    if std::env::var_os("FAULT_TABLE").is_some() {
        print!("{}", table(done.into_inner().unwrap().values()));
    }
    assert_eq!(failed.into_inner().unwrap(), [""; 0], "failed; see above");
}

fn table<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let head = "| fault | backend | a new reader saw | a running smtpd saw | messages | time to heal |\n|---|---|---|---|---|---|\n";
    rows.fold(head.to_owned(), |text, row| text + &row.to_string())
}
