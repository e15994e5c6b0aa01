//! Catches up with a busy host's log of one day, whose last 30 minutes matter, and prints what that takes beside reading
//! all of it. Nothing fails on speed.
//!
//! `cargo bench --bench catch_up -- [--size MIB] [--rounds N] [--core N]`

#![allow(clippy::expect_used)]

mod generate;
mod measure;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

use measure::{Cost, Run};

const DAY: u64 = 24 * 3600;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench").peekable();
    if arguments.next_if_eq(measure::ARGUMENT).is_some() {
        return measure::child(arguments);
    }
    let (mut size, mut rounds, mut core) = (1024, 5, 0);
    while let Some(name) = arguments.next() {
        let number = arguments.next().and_then(|value| value.parse().ok());
        let number = number.unwrap_or_else(|| panic!("{name} needs a number"));
        match name.as_str() {
            "--size" => size = number,
            "--rounds" => rounds = number,
            "--core" => core = number as usize,
            _ => panic!("unknown option {name}"),
        }
    }
    let scratch = tempfile::tempdir().expect("a directory for the log");
    let log = scratch.path().join("mail.log");
    write_log(&log, size << 20).expect("the log can be written");
    compare(&log, &scratch.path().join("table"), rounds, core);
}

/// A day's log that ends now, at an even pace.
fn write_log(path: &Path, size: u64) -> io::Result<()> {
    let made = path.with_extension("made");
    generate::log(&mut BufWriter::with_capacity(1 << 20, File::create(&made)?), size, 1)?;
    let end = jiff::Timestamp::now().as_second() as u64;
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let (mut input, mut line, mut read) = (BufReader::with_capacity(1 << 20, File::open(&made)?), Vec::new(), 0);
    let (mut second, mut stamp) = (0, String::new());
    let length = made.metadata()?.len();
    while input.read_until(b'\n', &mut line)? > 0 {
        read += line.len() as u64;
        let time = end - DAY + DAY * read / length;
        if time != second {
            second = time;
            let zoned = jiff::Timestamp::from_second(time as i64).map_err(io::Error::other)?;
            stamp = zoned.to_zoned(jiff::tz::TimeZone::system()).strftime("%b %e %H:%M:%S").to_string();
        }
        out.write_all(stamp.as_bytes())?;
        out.write_all(&line[stamp.len()..])?;
        line.clear();
    }
    out.flush()?;
    std::fs::remove_file(made)
}

fn compare(log: &Path, table: &Path, rounds: u64, core: usize) {
    let this = |name: &str, source: &str, more: &[&str]| {
        let run = Run::new(name, env!("CARGO_BIN_EXE_pop-before-smtp")).quiet();
        let run = run.arguments([
            "--backend",
            "lmdb",
            "--sync",
            "never",
            "--entries",
            "1000000",
            "--once",
            "--matcher",
            "all",
        ]);
        run.arguments(["--source", source])
            .arguments(more)
            .argument("--map")
            .argument(table)
            .argument("--log")
            .argument(log)
    };
    let runs = [
        this("catch up, follow", "follow", &[]),
        this("catch up, tail", "tail", &[]),
        this("all of it (--reprocess)", "follow", &["--reprocess"]),
        Run::new("grep -c of all, a text that is not there", "grep").arguments(["-c", "No such: "]).argument(log),
        Run::new("wc -l of all", "wc").argument("-l").argument(log),
    ];
    println!("{} MB, {rounds} rounds, one core\n", log.metadata().expect("the log is there").len() / 1_000_000);
    println!("| | s (clock) | s (CPU) | peak MiB |\n|---|--:|--:|--:|");
    for run in runs.iter().filter(|run| run.is_installed()) {
        // Warms the page cache.
        run.cost(core);
        let Cost { cpu, clock, peak } = Cost::median((0..rounds).map(|_| run.cost(core)).collect());
        println!("| {} | {clock:.3} | {cpu:.3} | {:.1} |", run.name, peak as f64 / 1024.0);
    }
}
