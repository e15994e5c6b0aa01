//! Lines that are lost or doubled when a log is written and rotated at full speed. Prints a table.
//!
//! `ROTATION_LINES` sets how many lines are written in each case (default 2,000: what is printed grows with their square).

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::support::cases::login_line;
use crate::support::daemon::Daemon;
use crate::support::{SOON, Scratch, wait_for};

/// How often the log is rotated in each case.
const ROTATIONS: u32 = 10;

/// A log and its writer, which opens the log anew after each rotation.
struct Log {
    path: PathBuf,
    file: File,
    rotations: u32,
}

type Rotate = fn(&mut Log);

const STYLES: [(&str, Rotate); 4] = [
    ("rename, create", |log| {
        fs::rename(&log.path, log.old()).unwrap();
        log.reopen();
    }),
    ("copy, truncate", |log| {
        fs::copy(&log.path, log.old()).unwrap();
        log.file.set_len(0).unwrap();
    }),
    ("delete, create", |log| {
        fs::remove_file(&log.path).unwrap();
        log.reopen();
    }),
    ("link moves on", |log| {
        let (target, link) = (log.old(), log.path.with_extension("link"));
        File::create_new(&target).unwrap();
        symlink(&target, &link).unwrap();
        fs::rename(&link, &log.path).unwrap();
        log.reopen();
    }),
];

impl Log {
    fn old(&self) -> PathBuf {
        self.path.with_extension(self.rotations.to_string())
    }

    fn reopen(&mut self) {
        self.file = File::options().append(true).create(true).open(&self.path).unwrap();
    }

    fn log_in(&mut self, client: IpAddr) {
        self.file.write_all(format!("{}\n", login_line(client)).as_bytes()).unwrap();
    }
}

#[test]
fn lines_lost_and_doubled() {
    let lines = std::env::var("ROTATION_LINES").map_or(2_000, |lines| lines.parse().expect("a number"));
    println!("| rotation | source | lines | lost | doubled |\n|---|---|--:|--:|--:|");
    for (style, rotate) in STYLES {
        for source in ["tail", "follow"] {
            let (lost, doubled) = run(source, style, rotate, lines);
            println!("| {style} | {source} | {lines} | {lost} | {doubled} |");
            if source == "follow" {
                assert_eq!(doubled, 0, "{style}");
                // Else lines are destroyed unread. Here nothing is written between the copying and the cut.
                assert!(lost == 0 || style.starts_with("delete"), "{style}: {lost}");
            }
        }
    }
}

/// Number of lines lost and doubled.
fn run(source: &str, style: &str, rotate: Rotate, lines: u32) -> (usize, usize) {
    let scratch = Scratch::new();
    let path = scratch.new_log("maillog");
    if style.starts_with("link") {
        fs::rename(&path, path.with_extension("0")).unwrap();
        symlink(path.with_extension("0"), &path).unwrap();
    }
    let mut daemon = debug(source, &path);
    daemon.wait_following(&path);
    let file = File::options().append(true).open(&path).unwrap();
    let mut log = Log { path, file, rotations: 0 };
    for line in 0..lines {
        if line > 0 && line.is_multiple_of((lines / ROTATIONS).max(1)) {
            log.rotations += 1;
            rotate(&mut log);
        }
        log.log_in(address(line));
    }
    // One of these comes through, behind all others.
    let marker = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    wait_for("the last line", SOON * 4, || {
        log.log_in(marker);
        daemon.stdout().contains(&format!("from {marker}\n"))
    });
    let mut seen: HashMap<IpAddr, usize> = HashMap::new();
    for client in daemon.stdout().lines().filter_map(|line| line.rsplit_once(" from ")?.1.parse().ok()) {
        *seen.entry(client).or_default() += 1;
    }
    seen.remove(&marker);
    daemon.terminate();
    (lines as usize - seen.len(), seen.values().map(|times| times - 1).sum())
}

fn address(number: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + number))
}

/// Debug mode tells of each login, and then of the whole ring.
fn debug(source: &str, log: &Path) -> Daemon {
    let log = log.display().to_string();
    Daemon::start(&[
        "--debug",
        "--matcher",
        "all",
        "--source",
        source,
        "--log",
        &log,
        "--entries",
        "1000000",
        "--map",
        "/nonexistent",
    ])
}
