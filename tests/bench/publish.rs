//! What a publish costs, for every backend side by side; and what the whole daemon does with a flood of logins.
//!
//! `cargo bench --bench publish [-- [--clients N,...] [--seconds S] [--logins N] [--directory DIR] [--core N]]`

#![allow(clippy::expect_used, missing_docs)]

mod measure;

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use measure::Run;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pop_before_smtp_backends::{Backend, Client, LmdbUpdate, TableOptions, Update, driver};

const THIS: &str = env!("CARGO_BIN_EXE_pop-before-smtp");

/// Fewest and most publishes that a figure is made of.
const PUBLISHES: (u32, u32) = (3, 20_000);

/// A backend with one way to use it.
struct Mode {
    name: &'static str,
    driver: &'static str,
    map_type: &'static str,
    lmdb_update: LmdbUpdate,
    sync: bool,
}

const fn mode(name: &'static str, driver: &'static str, map_type: &'static str) -> Mode {
    Mode { name, driver, map_type, lmdb_update: LmdbUpdate::Rename, sync: true }
}

/// The first is what the others are compared with.
const MODES: [Mode; 6] = [
    mode("postmap hash", "postmap", "hash"),
    mode("lmdb rename", "lmdb", "lmdb"),
    Mode { sync: false, ..mode("lmdb rename, no sync", "lmdb", "lmdb") },
    Mode { lmdb_update: LmdbUpdate::InPlace, ..mode("lmdb in-place", "lmdb", "lmdb") },
    Mode { lmdb_update: LmdbUpdate::InPlace, sync: false, ..mode("lmdb in-place, no sync", "lmdb", "lmdb") },
    mode("sqlite", "sqlite", "sqlite"),
];

struct Settings {
    clients: Vec<u32>,
    seconds: f64,
    logins: u32,
    directory: Option<PathBuf>,
    core: usize,
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench").peekable();
    if arguments.peek().is_some_and(|first| first == measure::ARGUMENT) {
        return measure::child(arguments.skip(1));
    }
    let mut settings = Settings {
        clients: vec![250, 10_000, 100_000, 1_000_000],
        seconds: 1.0,
        logins: 1_000_000,
        directory: None,
        core: 0,
    };
    while let Some(option) = arguments.next() {
        let value = arguments.next().expect("a value behind the option");
        match option.as_str() {
            "--clients" => settings.clients = value.split(',').map(|n| n.parse().expect("a number")).collect(),
            "--seconds" => settings.seconds = value.parse().expect("a number"),
            "--logins" => settings.logins = value.parse().expect("a number"),
            "--directory" => settings.directory = Some(value.into()),
            "--core" => settings.core = value.parse().expect("a number"),
            _ => panic!("no such option: {option}"),
        }
    }
    publishes(&settings);
    floods(&settings);
}

fn scratch(settings: &Settings) -> tempfile::TempDir {
    let directory = settings.directory.clone().unwrap_or_else(std::env::temp_dir);
    tempfile::tempdir_in(directory).expect("a directory")
}

/// One publish after the other, each with one client more or one less.
fn publishes(settings: &Settings) {
    println!(
        "CPU per publish of one change, us; behind it time by the clock, and how many times less CPU than {}\n",
        MODES[0].name
    );
    println!("| clients | {} |", MODES.map(|mode| mode.name).join(" | "));
    println!("|--:|{}", "--:|".repeat(MODES.len()));
    for &clients in &settings.clients {
        let mut cells = Vec::new();
        let mut reference = None;
        for mode in &MODES {
            let Some((cpu, clock)) = publish(settings, mode, clients) else {
                cells.push("-".to_owned());
                continue;
            };
            let reference = *reference.get_or_insert(cpu);
            cells.push(format!("{} / {} / {:.0}x", micros(cpu), micros(clock), reference / cpu));
        }
        println!("| {clients} | {} |", cells.join(" | "));
    }
}

fn micros(seconds: f64) -> String {
    let micros = seconds * 1e6;
    if micros < 100.0 { format!("{micros:.1}") } else { format!("{micros:.0}") }
}

/// CPU and clock seconds of one publish; `None` where the backend cannot work.
fn publish(settings: &Settings, mode: &Mode, count: u32) -> Option<(f64, f64)> {
    let directory = scratch(settings);
    let options = TableOptions {
        map_type: Some(mode.map_type.to_owned()),
        lmdb_update: mode.lmdb_update,
        sync: mode.sync,
        ..TableOptions::new(directory.path().join("map"))
    };
    let opened = (driver(mode.driver).expect("a driver").open)(&options);
    let mut backend = opened.map_err(|error| eprintln!("skipped: {}: {error}", mode.name)).ok()?;
    let mut clients: Vec<Client> = (0..count).map(client).collect();
    let update = |added: &[Client], removed: &[IpAddr], clients: &Vec<Client>, backend: &mut Box<dyn Backend>| {
        backend.publish(&Update { added, extended: &[], removed, clients }).expect("a publish");
    };
    update(&clients, &[], &clients, &mut backend);
    let (begin, cpu) = (Instant::now(), cpu_seconds());
    let mut rounds = 0;
    while rounds < PUBLISHES.0 || (rounds < PUBLISHES.1 && begin.elapsed().as_secs_f64() < settings.seconds) {
        let one = client(count + rounds / 2);
        if rounds % 2 == 0 {
            clients.push(one);
            update(&[one], &[], &clients, &mut backend);
        } else {
            clients.pop();
            update(&[], &[one.address], &clients, &mut backend);
        }
        rounds += 1;
    }
    let per_publish = |seconds: f64| seconds / f64::from(rounds);
    Some((per_publish(cpu_seconds() - cpu), per_publish(begin.elapsed().as_secs_f64())))
}

/// Addresses as a site has them: no order, none twice.
fn client(number: u32) -> Client {
    Client { address: address(number), expires: SystemTime::now() + Duration::from_secs(1800) }
}

fn address(number: u32) -> IpAddr {
    // Odd, so every number below 2^24 gives another.
    let scattered = number.wrapping_mul(0x009E_3779) & 0x00FF_FFFF;
    IpAddr::V4(Ipv4Addr::from(0x0A00_0000 | scattered))
}

/// Of this process and the programs that it has run.
fn cpu_seconds() -> f64 {
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let of = |who| getrusage(who).map(|usage| seconds(usage.user_time()) + seconds(usage.system_time()));
    of(UsageWho::RUSAGE_SELF).expect("own account") + of(UsageWho::RUSAGE_CHILDREN).expect("account of children")
}

/// The daemon, with many logins on its standard input.
fn floods(settings: &Settings) {
    let log = tempfile::NamedTempFile::new().expect("a file");
    write_logins(log.path(), settings.logins);
    let few = tempfile::NamedTempFile::new().expect("a file");
    write_logins(few.path(), 250);
    println!("\n{} logins of as many addresses through standard input, one core\n", settings.logins);
    println!("| table | logins/s (CPU) | logins/s (clock) | in the table | bytes of memory per client |");
    println!("|---|--:|--:|--:|--:|");
    for mode in &MODES {
        let directory = scratch(settings);
        let flood = daemon(Run::new(mode.name, THIS), mode, &directory).argument("--once").input(log.path());
        let cost = flood.cost(settings.core);
        let found = listed(&directory.path().join("map"), mode);
        assert_eq!(found, settings.logins as usize, "{}: logins are missing", mode.name);
        let speed = |seconds: f64| f64::from(settings.logins) / seconds;
        let memory = (resident(mode, log.path(), settings) - resident(mode, few.path(), settings))
            / f64::from(settings.logins.saturating_sub(250).max(1));
        println!("| {} | {:.0} | {:.0} | {found} | {memory:.0} |", mode.name, speed(cost.cpu), speed(cost.clock));
    }
}

fn write_logins(path: &Path, logins: u32) {
    let mut log = BufWriter::new(File::create(path).expect("a file"));
    for number in 0..logins {
        let address = address(number);
        writeln!(
            log,
            "Nov 22 16:00:00 mx1 dovecot: imap-login: Login: user=<user{number}@example.org>, method=PLAIN, rip={address}, \
             lip=192.0.2.25, mpid={}, TLS, session=<{number:012}+A>",
            number % 30_000
        )
        .expect("room for the log");
    }
    log.flush().expect("room for the log");
}

fn arguments(mode: &Mode, directory: &Path) -> Vec<String> {
    let update = if mode.lmdb_update == LmdbUpdate::InPlace { "in-place" } else { "rename" };
    let sync = if mode.sync { "always" } else { "never" };
    let map = directory.join("map").display().to_string();
    let options =
        ["--backend", mode.driver, "--lmdb-update", update, "--sync", sync, "--matcher", "all", "--map", &map];
    options
        .into_iter()
        .chain(["--log", "-", "--reprocess", "--entries", "5000000", "--grace", "2h"])
        .map(str::to_owned)
        .collect()
}

fn daemon(run: Run, mode: &Mode, directory: &tempfile::TempDir) -> Run {
    run.arguments(arguments(mode, directory.path())).quiet()
}

/// How many clients the table holds.
fn listed(map: &Path, mode: &Mode) -> usize {
    let command = Command::new(THIS).args(["list", "--backend", mode.driver, "--map"]).arg(map).output();
    command.expect("the program runs").stdout.iter().filter(|byte| **byte == b'\n').count()
}

/// Bytes of memory of a daemon's own, without the pages of files, once it has published all logins of the log.
fn resident(mode: &Mode, log: &Path, settings: &Settings) -> f64 {
    let directory = scratch(settings);
    let mut command = Command::new(THIS);
    command.args(arguments(mode, directory.path())).stdin(Stdio::piped()).stderr(Stdio::null());
    let mut running = command.spawn().expect("the program runs");
    let mut input = running.stdin.take().expect("its standard input");
    std::io::copy(&mut File::open(log).expect("the log"), &mut input).expect("it reads");
    let lines = fs::read(log).expect("the log").iter().filter(|byte| **byte == b'\n').count();
    let begin = Instant::now();
    while listed(&directory.path().join("map"), mode) < lines {
        assert!(begin.elapsed() < Duration::from_secs(120), "{}: logins are missing", mode.name);
        std::thread::sleep(Duration::from_millis(50));
    }
    let status = fs::read_to_string(format!("/proc/{}/status", running.id())).expect("Linux");
    let anonymous = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("RssAnon");
    let kibibytes: f64 = anonymous.trim().trim_end_matches(" kB").parse().expect("a number");
    kill(Pid::from_raw(running.id() as i32), Signal::SIGTERM).expect("it runs");
    running.wait().expect("it ends");
    kibibytes * 1024.0
}
