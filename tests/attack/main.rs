//! Real servers are fed with hostile names; what they log goes through real syslog daemons; no address is granted from which
//! nobody logged in. `cargo test --locked --test attack` takes minutes and tries a part of the names;
//! `ATTACK=all cargo test --locked --test attack` tries each name with each server, the ways in turn. `ATTACK=every-way` tries
//! each name in each way, and takes hours: Courier alone lets five seconds go by after each failure.
//!
//! Each server and each daemon of Debian 12 runs on a stage of its own (`stage.sh`). What a server sends to `/dev/log` is
//! recorded there, datagram by datagram, and sent again to each daemon on its stage.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod loggers;
mod names;
mod probes;
mod recorder;
mod servers;
#[path = "../support/mod.rs"]
mod support;
mod talk;
mod upstream;
mod verdict;

use loggers::{LOGGERS, Logger, probed};
use recorder::Recorder;
use servers::{SERVERS, Server};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use support::{Scratch, eventually, wait_for};
use talk::{GENUINE, Way};
use verdict::{Verdict, judge};

/// What a process on a stage is to do: `server NAME` or `logger NAME`.
const PART: &str = "ATTACK_PART";
/// Where it leaves what others read.
const PLACE: &str = "ATTACK_PLACE";
/// Words with commas: `all` for every name in every way, names of servers for these alone,
/// `loggers` for the loggers alone, `keep` to keep the logs.
const HOW_MUCH: &str = "ATTACK";

/// Of the names, each so many-th is tried, in one way; unless all are.
const STEP: usize = 23;
/// Conversations at a time: most of them wait for a server that lets time go by after a failure.
const AT_A_TIME: usize = 48;
/// How long a server or a daemon may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the last message holds that each logger is sent.
const LAST: &str = "the attack is over";

fn main() -> ExitCode {
    if let Ok(part) = std::env::var(PART) {
        return play(&part, Path::new(&std::env::var_os(PLACE).expect("the place")));
    }
    // The arguments of the usual test harness, as far as they choose tests.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        println!("strangers_get_no_address: test");
        return ExitCode::SUCCESS;
    }
    let chosen = arguments.iter().filter(|argument| !argument.starts_with('-'));
    if chosen.clone().count() > 0 && !chosen.clone().any(|name| "strangers_get_no_address".contains(&name[..])) {
        return ExitCode::SUCCESS;
    }
    if let Some(why) = missing() {
        println!("test strangers_get_no_address ... SKIPPED: {why}");
        return if std::env::var("CI").is_ok_and(|ci| ci == "true") { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    attack()
}

/// Why there can be no attack here.
fn missing() -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("not root".to_owned());
    }
    let os = fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !os.contains("VERSION_ID=\"12\"") || !os.contains("ID=debian") {
        return Some("not Debian 12, whose servers are attacked".to_owned());
    }
    let place = Scratch::new();
    let stage = on_stage(place.path(), "try", "").arg("true").output().expect("unshare");
    (!stage.status.success())
        .then(|| format!("no stage with overlays: {}", String::from_utf8_lossy(&stage.stderr).trim()))
}

/// A command on a stage with these packages; what it is to run has to be added.
fn on_stage(place: &Path, name: &str, packages: &str) -> Command {
    let stage = place.join(format!("{name}.stage"));
    fs::create_dir_all(&stage).expect("a directory for the stage");
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/attack/stage.sh")).arg(stage).arg(packages);
    command.stdin(Stdio::null());
    command
}

/// Runs a part of the suite on a stage, and prints what it says.
fn run_part(place: &Path, part: &str, name: &str, packages: &str) {
    let own = std::env::current_exe().expect("our own path");
    let output = on_stage(place, name, packages)
        .arg(own)
        .env(PART, format!("{part} {name}"))
        .env(PLACE, place)
        .output()
        .expect("unshare");
    print!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{part} {name}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Calls `work` for each of the things, two at a time.
fn each<T: Sync>(things: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(thing) = things.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(thing);
                }
            });
        }
    });
}

/// Whether the word was given with `ATTACK`.
fn is_asked_for(word: &str) -> bool {
    std::env::var(HOW_MUCH).is_ok_and(|words| words.split(',').any(|asked| asked == word))
}

/// The servers to attack.
fn servers() -> Vec<&'static Server> {
    let named = SERVERS.iter().any(|server| is_asked_for(server.name));
    SERVERS.iter().filter(|server| !named || is_asked_for(server.name)).collect()
}

fn attack() -> ExitCode {
    let scratch = Scratch::new();
    let place = &scratch.path().to_owned();
    fs::set_permissions(place, PermissionsExt::from_mode(0o711)).expect("its mode");
    if is_asked_for("keep") {
        println!("attack: what was logged is kept in {}", place.display());
        std::mem::forget(scratch);
    }
    let servers = servers();
    let all_servers = servers.len() == SERVERS.len();
    if all_servers {
        probe_all(place);
    }
    if is_asked_for("loggers") {
        return ExitCode::SUCCESS;
    }
    each(&servers, |server| run_part(place, "server", server.name, server.packages));
    let is_fed = servers.iter().any(|server| !server.own_log);
    let loggers: Vec<&Logger> = LOGGERS.iter().filter(|logger| is_fed && logger.is_here()).collect();
    each(&loggers, |logger| run_part(place, "logger", logger.name, logger.packages));
    let logs: Vec<(&Server, Option<&Logger>)> = servers
        .iter()
        .flat_map(|server| match server.own_log {
            true => vec![(*server, None)],
            false => loggers.iter().map(|logger| (*server, Some(*logger))).collect(),
        })
        .collect();
    let all = Mutex::new(Verdict::default());
    each(&logs, |(server, logger)| {
        let verdict = judge(server, *logger, place);
        all.lock().unwrap().add(verdict);
    });
    let all = all.into_inner().unwrap();
    println!("attack: in all {all}");
    assert_eq!(all.forged, 0, "addresses were granted from which nobody logged in");
    assert!(
        all.teeth > 0 || !all_servers,
        "no name would fool a reader who takes each line for a message: the attack is none"
    );
    ExitCode::SUCCESS
}

/// Tries each logger alone.
fn probe_all(place: &Path) {
    let (here, elsewhere): (Vec<&Logger>, Vec<_>) = probed().partition(|logger| logger.is_here());
    each(&here, |logger| run_part(place, "probe", logger.name, logger.packages));
    probes::compare(place);
    println!("attack: {} loggers do with bytes what the threat model says", here.len());
    for logger in elsewhere {
        println!("attack: {} is not tried: {} names none", logger.title, logger.built.unwrap_or_default());
    }
}

fn recording(place: &Path, server: &Server) -> PathBuf {
    place.join(format!("{}.datagrams", server.name))
}

fn own_log(place: &Path, server: &Server) -> PathBuf {
    place.join(format!("{}.log", server.name))
}

fn log_of(place: &Path, logger: &Logger, server: &Server) -> PathBuf {
    place.join(format!("{}.{}.log", server.name, logger.name))
}

/// On a stage.
fn play(part: &str, place: &Path) -> ExitCode {
    let (kind, name) = part.split_once(' ').expect("a kind and a name");
    let logger = || probed().find(|logger| logger.name == name).expect("a logger");
    match kind {
        "server" => attack_server(place, SERVERS.iter().find(|server| server.name == name).expect("a server")),
        "logger" => feed_all(place, logger()),
        _ => probes::probe(place, logger()),
    }
    ExitCode::SUCCESS
}

/// Starts a logger.
fn start(logger: &Logger, log: &Path) -> Child {
    let mut shell = shell(logger.script);
    shell.env("LOG", log).env("SETTING", logger.setting);
    shell.stdin(if logger.is_pipe { Stdio::piped() } else { Stdio::null() }).spawn().expect("bash")
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("bash");
    command.args(["-euc", script]).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Starts the server, logs in, attacks it, logs in again; and leaves what was logged.
fn attack_server(place: &Path, server: &Server) {
    let recorder = Recorder::start();
    upstream::start();
    let own_log = own_log(place, server);
    if server.own_log {
        // Perdition opens it as user nobody.
        fs::write(&own_log, "").expect("its log file");
        fs::set_permissions(&own_log, PermissionsExt::from_mode(0o666)).expect("its mode");
    }
    let own_log = server.own_log.then_some(("OWN_LOG", own_log));
    let mut script = shell(server.script).envs(own_log).spawn().expect("bash");
    for protocol in server.protocols {
        wait_for(&format!("{}: a login by {protocol:?}", server.name), PATIENCE, || {
            talk::log_in(GENUINE[0], *protocol)
        });
    }
    let names = names::all(&jiff::Zoned::now().strftime("%b %e %H:%M:%S").to_string());
    let ways: Vec<Way> = Way::ALL.into_iter().filter(|way| server.protocols.contains(&way.protocol())).collect();
    let some: Vec<&[u8]> = match is_asked_for("all") {
        true => names.iter().map(Vec::as_slice).collect(),
        false => names.iter().step_by(STEP).chain(names.iter().rev().take(20)).map(Vec::as_slice).collect(),
    };
    let attempts: Vec<(&[u8], Way)> = match is_asked_for("every-way") {
        true => names.iter().flat_map(|name| ways.iter().map(move |way| (&name[..], *way))).collect(),
        false => some.iter().enumerate().map(|(number, name)| (*name, ways[number % ways.len()])).collect(),
    };
    let taken = fight(&attempts);
    recorder.fill();
    for protocol in server.protocols {
        let answers = eventually(PATIENCE, || talk::log_in(GENUINE[1], *protocol));
        assert!(answers, "{}: no login any more by {protocol:?}; the log ends in {}", server.name, recorder.end());
    }
    let datagrams = recorder.stop();
    println!(
        "attack: {}: {} names in {} ways, {} conversations, {taken} taken, {} messages",
        server.name,
        names.len(),
        ways.len(),
        attempts.len(),
        datagrams.len()
    );
    // Some servers turn clients away that come all at a time.
    assert!(taken * 2 > attempts.len(), "{}: only {taken} of {} were taken", server.name, attempts.len());
    let mut bytes = Vec::new();
    for datagram in datagrams {
        bytes.extend_from_slice(&u32::try_from(datagram.len()).expect("a datagram").to_le_bytes());
        bytes.extend_from_slice(&datagram);
    }
    fs::write(recording(place, server), bytes).expect("the recording");
    let _ = script.kill();
    let _ = script.wait();
}

/// Has the conversations, many at a time; how many the server took part in.
fn fight(attempts: &[(&[u8], Way)]) -> usize {
    let (next, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some((name, way)) = attempts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    taken.fetch_add(usize::from(way.go(name)), Ordering::Relaxed);
                }
            });
        }
    });
    taken.into_inner()
}

/// Sends each recording to the logger, and leaves what it writes.
fn feed_all(place: &Path, logger: &Logger) {
    for server in servers().into_iter().filter(|server| !server.own_log) {
        let recording = fs::read(recording(place, server)).expect("a recording");
        let mut rest = &recording[..];
        let datagrams = std::iter::from_fn(|| {
            let (length, behind) = rest.split_first_chunk()?;
            let (datagram, next) = behind.split_at(u32::from_le_bytes(*length) as usize);
            rest = next;
            Some(datagram.to_vec())
        });
        feed(logger, &log_of(place, logger, server), datagrams, || ());
    }
    println!("attack: {}: fed", logger.name);
}

/// Starts the logger, sends it these datagrams, and ends it once all is written and looked at.
fn feed(logger: &Logger, log: &Path, datagrams: impl Iterator<Item = Vec<u8>>, look: impl FnOnce()) {
    let mut daemon = start(logger, log);
    let socket = UnixDatagram::unbound().expect("a socket");
    wait_for(&format!("{} at /dev/log", logger.name), PATIENCE, || socket.connect("/dev/log").is_ok());
    let last = format!("<22>Nov 27 13:00:00 last: {LAST}").into_bytes();
    for datagram in datagrams.chain([last]) {
        send(&socket, &datagram).unwrap_or_else(|error| panic!("{}: {error}", logger.name));
    }
    wait_for(&format!("{}: the last message", logger.name), PATIENCE, || has_last(logger, log));
    look();
    let _ = daemon.kill();
    let _ = daemon.wait();
    let _ = fs::remove_file("/dev/log");
}

/// A message that is too long for the socket is dropped by syslog(3) as well.
fn send(socket: &UnixDatagram, datagram: &[u8]) -> io::Result<()> {
    match socket.send(datagram) {
        Err(error) if error.raw_os_error() == Some(nix::libc::EMSGSIZE) => Ok(()),
        other => other.map(drop),
    }
}

fn has_last(logger: &Logger, log: &Path) -> bool {
    if !logger.is_journal {
        return fs::read(log).is_ok_and(|text| memchr::memmem::find(&text, LAST.as_bytes()).is_some());
    }
    let journal = Command::new("journalctl").arg("--directory").arg(log).args(["-n", "3", "-o", "cat"]).output();
    journal.is_ok_and(|output| memchr::memmem::find(&output.stdout, LAST.as_bytes()).is_some())
}
