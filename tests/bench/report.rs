//! Reads a busy host's log with `report`, with `match --count` and with pflogsumm, and prints how fast each is and how much
//! memory it takes. Nothing fails on speed.
//!
//! With `--floods 1` it reads logs in their place of which no more than a part can be kept, as text, JSON and a page, and prints
//! how much memory that takes.
//!
//! `cargo bench --bench report -- [--size MIB] [--rounds N] [--core N] [--floods 1]`

#![allow(clippy::expect_used)]

mod flood;
mod generate;
mod measure;

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use measure::{Cost, Run};

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench").peekable();
    if arguments.next_if_eq(measure::ARGUMENT).is_some() {
        return measure::child(arguments);
    }
    let (mut size, mut rounds, mut core, mut is_flood) = (1024, 5, 0, false);
    while let Some(name) = arguments.next() {
        let value = arguments.next().and_then(|value| value.parse::<u64>().ok());
        let value = value.unwrap_or_else(|| panic!("{name} needs a number"));
        match name.as_str() {
            "--size" => size = value,
            "--rounds" => rounds = value,
            "--core" => core = value as usize,
            "--floods" => is_flood = value > 0,
            _ => panic!("unknown option {name}"),
        }
    }
    let scratch = tempfile::tempdir().expect("a directory for the log");
    let log = scratch.path().join("mail.log");
    if is_flood {
        return floods(&log, core);
    }
    let file = File::create(&log).expect("the log can be written");
    generate::log(&mut BufWriter::with_capacity(1 << 20, file), size << 20, 1).expect("the log can be written");
    let bytes = log.metadata().expect("the log is there").len() as f64 / 1e6;
    println!("{bytes:.0} MB, {rounds} rounds, one core\n");
    println!("| program | MB/s (CPU) | MB/s (clock) | peak MiB |\n|---|--:|--:|--:|");
    let this = Path::new(env!("CARGO_BIN_EXE_pop-before-smtp"));
    let runs = [
        Run::new("report, all matchers", this).arguments(["--matcher", "all", "report"]).argument(&log).quiet(),
        Run::new("match --count, all matchers", this).arguments(["match", "--count"]).argument(&log),
        Run::new("pflogsumm", "pflogsumm").argument(&log).quiet(),
    ];
    for run in runs.iter().filter(|run| run.is_installed()) {
        // What takes minutes is not run again and again.
        let rounds = if run.name == "pflogsumm" { 1 } else { rounds };
        let cost = Cost::median((0..rounds).map(|_| run.cost(core)).collect());
        let (cpu, clock, peak) = (bytes / cost.cpu, bytes / cost.clock, cost.peak as f64 / 1024.0);
        println!("| {} | {cpu:.0} | {clock:.0} | {peak:.1} |", run.name);
    }
}

fn floods(log: &Path, core: usize) {
    println!("| log | MB | text, peak MiB | JSON | page |\n|---|--:|--:|--:|--:|");
    let page = log.with_extension("html");
    for (kind, what) in flood::KINDS {
        let file = File::create(log).expect("the log can be written");
        flood::write(kind, &mut BufWriter::with_capacity(1 << 20, file)).expect("the log can be written");
        let bytes = log.metadata().expect("the log is there").len() as f64 / 1e6;
        let hold: &[&str] = if kind == "sessions" { &["--hold-while-connected"] } else { &[] };
        let run = || {
            let run = Run::new(kind, Path::new(env!("CARGO_BIN_EXE_pop-before-smtp")));
            run.arguments(hold.iter().copied()).arguments(["--matcher", "all", "report"])
        };
        let forms = [
            run().argument(log).quiet(),
            run().arguments(["--format", "json"]).argument(log).quiet(),
            run().arguments(["--html"]).argument(&page).argument(log).quiet(),
        ];
        let [text, json, html] = forms.map(|form| form.cost(core).peak as f64 / 1024.0);
        println!("| {what} | {bytes:.0} | {text:.1} | {json:.1} | {html:.1} |");
    }
}
