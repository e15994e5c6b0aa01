//! Debug mode (`-d`): tells on standard output what the daemon would do, in the words of the C program.

use std::fmt::Arguments;
use std::io::Write;
use std::net::IpAddr;

use crate::ring::Ring;
use crate::time::{Now, unix_seconds};

/// Writes the lines of debug mode, which docs/reference.md explains one by one.
#[derive(Debug)]
pub struct Narrator<W> {
    out: W,
}

/// How the ring looked before a login or the passing of time changed it.
#[derive(Debug)]
pub struct Before {
    oldest_entry_time: u64,
    purged: Vec<usize>,
    position: Option<usize>,
}

impl<W: Write> Narrator<W> {
    /// Tells what program this is, and how it reads and publishes.
    pub fn begin(out: W, logs: &[String], publish_command: &str) -> Self {
        let mut narrator = Self { out };
        narrator.say(format_args!("pop-before-smtp version {}", env!("CARGO_PKG_VERSION")));
        narrator.say(format_args!("Performing debug mode"));
        for log in logs {
            narrator.say(format_args!("{log}"));
        }
        narrator.say(format_args!("{publish_command}"));
        narrator
    }

    /// Tells what a login of `address` has done to the ring; without an address, what the passing of time has done.
    pub fn tell(&mut self, now: &Now, before: &Before, ring: &Ring, address: Option<IpAddr>) {
        let seconds = unix_seconds(now.wall);
        self.say(format_args!("cur_time: {seconds}   oldest_entry_time: {}", before.oldest_entry_time));
        if let Some(oldest) = ring.oldest() {
            self.say(format_args!("Alarm set for {} seconds", oldest.expires.since(now.boot).as_secs()));
        }
        for slot in &before.purged {
            self.say(format_args!("purging: {slot}"));
        }
        if let Some(slot) = before.position {
            self.say(format_args!("x= {slot} OK"));
        }
        if let (Some(address), Some((head, tail))) = (address, ring.ends()) {
            self.say(format_args!("head={head} tail={tail} {seconds} from {address}"));
        }
    }

    fn say(&mut self, line: Arguments<'_>) {
        // Whoever read along has gone; the daemon goes on.
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
    }
}

impl Before {
    /// Looks at the ring before a login of `address`, or before the passing of time is taken in.
    pub fn look(now: &Now, ring: &Ring, address: Option<IpAddr>) -> Self {
        let login_time = |expires| unix_seconds(now.wall_at(expires - ring.grace()));
        let mut purged: Vec<_> = ring
            .iter()
            .filter(|grant| grant.expires <= now.boot)
            .filter_map(|grant| ring.position(grant.address))
            .collect();
        purged.reverse();
        let position = address.and_then(|address| ring.position(address)).filter(|slot| !purged.contains(slot));
        let oldest_entry_time = ring.oldest().map_or(0, |grant| login_time(grant.expires));
        Self { oldest_entry_time, purged, position }
    }
}
