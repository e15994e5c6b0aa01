//! A daemon killed in the middle of a burst of logins: the next one grants each of them that is within its grace, until the
//! time that its own login gives.
//!
//! `CRASH_ROUNDS` sets how often the daemon is killed (default 20, a tenth of it where a publish is a whole file).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::support::cases::{self, Case, Site, append_raw};
use crate::support::command::pop_before_smtp;
use crate::support::daemon::Daemon;
use crate::support::journal::{self, Journal};
use crate::support::past::{GRACE, login_at, now};
use crate::support::{Need, SOON, require, wait_for};

/// Logins in a burst.
const BURST: u32 = 100;

/// Where lines are written, and how the daemon reads them.
trait Log {
    fn options(&self, site: &Site) -> Vec<String>;
    /// Writes logins, one for each address, that happened at that time.
    fn write(&mut self, site: &Site, time: u64, clients: &[IpAddr]);
}

struct File;

impl Log for File {
    fn options(&self, site: &Site) -> Vec<String> {
        ["--source", "follow", "--log", &site.log.display().to_string()].map(str::to_owned).into()
    }

    fn write(&mut self, site: &Site, time: u64, clients: &[IpAddr]) {
        let lines: String = clients.iter().map(|client| login_at(time, *client)).collect();
        append_raw(&site.log, lines.as_bytes());
    }
}

impl Log for Journal {
    fn options(&self, _: &Site) -> Vec<String> {
        let directory = self.directory().display().to_string();
        ["--source", "journal", "--journal-unit", "dovecot", "--journal-directory", &directory]
            .map(str::to_owned)
            .into()
    }

    fn write(&mut self, _: &Site, time: u64, clients: &[IpAddr]) {
        let messages: Vec<_> = clients.iter().map(|client| journal::login(&client.to_string())).collect();
        let entries: Vec<_> = messages.iter().map(|message| journal::dovecot(message)).collect();
        let entries: Vec<_> = entries.iter().map(|entry| &entry[..]).collect();
        self.write_old(Duration::from_secs(now() - time), &entries);
    }
}

#[test]
fn follow_with_a_table_changed_in_place() {
    killed(&cases::LMDB_IN_PLACE, 1, |_| Some(File));
}

#[test]
fn follow_with_a_table_that_is_replaced() {
    killed(&cases::LMDB, 10, |_| Some(File));
}

#[test]
fn follow_with_postmap() {
    killed(&cases::POSTMAP_HASH, 10, |_| Some(File));
}

#[test]
fn journal() {
    let needs = [Need::Program("journalctl"), Need::JournalRemote];
    killed(&cases::SQLITE, 1, |site| require(&needs).then(|| Journal::new(site.join("journal"))));
}

/// Kills daemons, and looks what the next one makes of it.
fn killed<L: Log>(case: &'static Case, share: u32, log: impl FnOnce(&Site) -> Option<L>) {
    let Some(site) = Site::new(case) else { return };
    let Some(mut log) = log(&site) else { return };
    let rounds = std::env::var("CRASH_ROUNDS").map_or(20, |rounds| rounds.parse().expect("a number"));
    let (rounds, mut cut_short) = ((rounds / share).max(1), 0);
    // What the table must say. A login counts from its own time if it was read later, from its reading else.
    let mut logins = BTreeMap::new();
    for round in 0..rounds {
        // Where each rewrite of the table carries all expiries, half of them have logged in before; the others write a row
        // again only after a while.
        let first = if share > 1 { round * BURST / 2 } else { round * BURST };
        let clients: Vec<_> = (first..first + BURST).map(address).collect();
        // One is out of its grace.
        let stranger = IpAddr::V4(Ipv4Addr::new(203, 0, 113, (round % 250) as u8));
        log.write(&site, now() - 2 * GRACE, &[stranger]);
        let mut daemon = start(&site, &log);
        let begin = now();
        for (part, clients) in clients.chunks(BURST as usize / PARTS).enumerate() {
            log.write(&site, now(), clients);
            if part == round as usize % PARTS {
                // The moment is the experiment here; nothing depends on hitting it.
                std::thread::sleep(Duration::from_micros(u64::from(round * 7919 % 30_000)));
                daemon.kill9();
            }
        }
        let end = now();
        cut_short += u32::from(!daemon.stderr().contains(&format!("granted {} ", clients[BURST as usize - 1])));
        logins.extend(clients.into_iter().map(|client| (client, (begin, end))));

        let context = format!("{}, round {round} of {rounds}", case.name);
        let mut daemon = start(&site, &log);
        // Has the table written anew, and comes behind everything else.
        let marker = IpAddr::V4(Ipv4Addr::new(192, 0, 2, (round % 250) as u8));
        log.write(&site, now(), &[marker]);
        wait_for(&format!("{context}: {marker}\n{}", daemon.stderr()), SOON, || listed(&site).contains_key(&marker));
        let table = listed(&site);
        for (client, (begin, end)) in &logins {
            let expiry = table.get(client).unwrap_or_else(|| panic!("{context}: {client}\n{}", daemon.stderr()));
            // One that a daemon saw before it was killed counts from then.
            let last = end + GRACE + 2;
            assert!((begin + GRACE..=last).contains(expiry), "{context}: {client} {expiry} {begin} {end}");
        }
        assert!(!table.contains_key(&stranger), "{context}");
        daemon.kill9();
    }
    assert!(cut_short > 0, "{}: all kills came too late", case.name);
    println!("{}: {cut_short} of {rounds} kills came before the end of the burst", case.name);
}

/// A burst is written in so many parts, and the daemon killed after one of them.
const PARTS: usize = 10;

fn address(number: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + number))
}

fn start(site: &Site, log: &impl Log) -> Daemon {
    let options = log.options(site);
    let options: Vec<&str> = options.iter().map(String::as_str).chain(["--entries", "100000"]).collect();
    let daemon = Daemon::start(&site.map_arguments(&options));
    daemon.wait_logged("serving ");
    daemon
}

/// The table, as the program lists it.
fn listed(site: &Site) -> BTreeMap<IpAddr, u64> {
    let list = pop_before_smtp(&[vec!["list".to_owned()], site.map_arguments(&[])].concat());
    assert_eq!(list.code, Some(0), "{list:?}");
    let row = |line: &str| {
        let (client, until) = line.split_once(char::is_whitespace)?;
        let until: jiff::Timestamp = until.trim().split(' ').next()?.parse().ok()?;
        Some((client.parse().ok()?, until.as_second() as u64))
    };
    list.stdout.lines().filter_map(row).collect()
}
