//! Reads a busy host's log with this program and with others, and prints how fast each is. Nothing fails on speed.
//!
//! `cargo bench --bench scan -- [--size MIB] [--seed N] [--rounds N] [--core N] [--output FILE] [--with PROGRAM]`
//!
//! `--output` only writes the log; `--with` also runs another build of this program.

#![allow(clippy::expect_used)]

mod generate;
mod measure;
mod regex;

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use measure::{Cost, Run};

/// Where the Perl program keeps its patterns (Debian's package).
const PERL_PATTERNS: &str = "/etc/pop-before-smtp/pop-before-smtp.conf";

struct Arguments {
    size: u64,
    seed: u64,
    rounds: usize,
    core: usize,
    output: Option<PathBuf>,
    with: Vec<PathBuf>,
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench").peekable();
    if arguments.next_if_eq(measure::ARGUMENT).is_some() {
        return measure::child(arguments);
    }
    let options = options(arguments);
    if let Some(output) = &options.output {
        let logins = write_log(output, &options).expect("the log can be written");
        return eprintln!("{logins} logins in {}", output.display());
    }
    let scratch = tempfile::tempdir().expect("a directory for the log");
    let log = scratch.path().join("mail.log");
    let logins = write_log(&log, &options).expect("the log can be written");
    compare(&options, &log, logins);
}

fn options(mut arguments: impl Iterator<Item = String>) -> Arguments {
    let mut options = Arguments { size: 1024 << 20, seed: 1, rounds: 5, core: 0, output: None, with: Vec::new() };
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_else(|| panic!("{name} needs a value"));
        let number = || value.parse::<u64>().unwrap_or_else(|_| panic!("{name} needs a number"));
        match name.as_str() {
            "--size" => options.size = number() << 20,
            "--seed" => options.seed = number(),
            "--rounds" => options.rounds = number() as usize,
            "--core" => options.core = number() as usize,
            "--output" => options.output = Some(value.into()),
            "--with" => options.with.push(value.into()),
            _ => panic!("unknown option {name}"),
        }
    }
    options
}

fn write_log(path: &Path, options: &Arguments) -> io::Result<u64> {
    generate::log(&mut BufWriter::with_capacity(1 << 20, File::create(path)?), options.size, options.seed)
}

fn compare(options: &Arguments, log: &Path, logins: u64) {
    let runs = runs(options, log);
    let size = log.metadata().expect("the log is there").len();
    println!("{} MB, {logins} logins, {} rounds, one core\n", size / 1_000_000, options.rounds);
    // One round that does not count warms the page cache and tells what each one found.
    let found: Vec<String> = runs.iter().map(|run| run.output(options.core)).collect();
    let mut costs = vec![Vec::new(); runs.len()];
    for _ in 0..options.rounds {
        for (run, costs) in runs.iter().zip(&mut costs) {
            costs.push(run.cost(options.core));
        }
    }
    let costs: Vec<Cost> = costs.into_iter().map(Cost::median).collect();
    let reference = runs.iter().position(|run| run.name.starts_with("rg"));
    print_table(&runs, &costs, &found, size, reference.map(|at| costs[at].cpu));
}

fn print_table(runs: &[Run], costs: &[Cost], found: &[String], size: u64, reference: Option<f64>) {
    println!("| program | MB/s (CPU) | MB/s (clock) | x ripgrep | peak MiB | found |");
    println!("|---|--:|--:|--:|--:|---|");
    for ((run, cost), found) in runs.iter().zip(costs).zip(found) {
        let speed = |seconds: f64| size as f64 / 1e6 / seconds;
        let ratio = reference.map_or_else(|| "-".to_owned(), |rg| format!("{:.2}", rg / cost.cpu));
        println!(
            "| {} | {:.0} | {:.0} | {ratio} | {:.1} | {found} |",
            run.name,
            speed(cost.cpu),
            speed(cost.clock),
            cost.peak as f64 / 1024.0,
        );
    }
}

fn runs(options: &Arguments, log: &Path) -> Vec<Run> {
    let this = Path::new(env!("CARGO_BIN_EXE_pop-before-smtp"));
    let count = |name: &str, program: &Path| Run::new(name, program).arguments(["match", "--count"]).argument(log);
    let regex = regex::of_builtin();
    let rg = |name, pattern: &[&str]| {
        let run = Run::new(name, "rg").arguments(["--no-config", "-j1", "-a", "-c"]);
        run.arguments(pattern).argument("--").argument(log)
    };
    let verbs = ["-e", "Login: ", "-e", "LOGIN, user=", "-e", "User logged in", "-e", "Login user=", "-F"];
    let mut runs = vec![count("match --count, all matchers", this)];
    runs.extend(options.with.iter().map(|other| count("the same of another build", other)));
    runs.extend([
        rg("rg -c, one equivalent regex", &["-e", &regex]),
        rg("rg -c -F, the verbs of success only", &verbs),
        Run::new("sshg-parser", "sshg-parser").input(log).silent(),
        Run::new("Perl program's patterns", "perl").arguments(["-e", PERL, PERL_PATTERNS]).input(log),
        Run::new("wc -l", "wc").argument("-l").input(log),
    ]);
    runs.retain(|run| {
        let installed =
            run.is_installed() && (run.name != "Perl program's patterns" || Path::new(PERL_PATTERNS).exists());
        if !installed {
            eprintln!("skipped, not installed: {}", run.name);
        }
        installed
    });
    runs
}

/// Counts the lines that the Perl program's `$pat` matches.
const PERL: &str = r#"do shift; our $pat; my $n = 0; while (<STDIN>) { $n++ if /$pat/o } print "$n\n""#;
