//! What is said of logins. What a busy or hostile log could bring about again and again is said once a minute, with how
//! often it was.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use crate::matcher::Event;
use crate::output::escape;
use crate::output::repeated::Repeated;
use crate::ring::login_record::LoginRecord;
use crate::ring::networks::Refusal;
use crate::time::{self, Now};

/// How often what was said.
#[derive(Debug, Default)]
pub(super) struct Messages {
    evicted: Repeated,
    dropped: Repeated,
    refused: Repeated,
    late: Repeated,
    shared: Repeated,
}

impl Messages {
    /// A login of one of our networks, or of no client's address.
    pub(super) fn refused(&mut self, now: &Now, client: IpAddr, refusal: Refusal) {
        // Logins from the host itself are many (webmail), and nobody expects a grant for them.
        if refusal != Refusal::NotAClient
            && let Some(count) = self.refused.add(now.boot, 1)
        {
            log::info!("not granted {client}: {refusal}; {count} since the last such message");
        }
    }

    /// A login that comes now, though its line was written longer ago than the grace.
    pub(super) fn late(&mut self, now: &Now, client: IpAddr, written: SystemTime, source: &str) {
        if let Some(count) = self.late.add(now.boot, 1) {
            log::warn!(
                "not granted {client}: the line says it was written at {}, and logins count for one grace; {count} since the \
                 last such message; has log {source} been rewritten, or is the clock of the server that writes it wrong?",
                time::display(written)
            );
        }
    }

    /// Too many users log in from an address, which is told for each address once a grace.
    pub(super) fn shared(&mut self, now: &Now, address: IpAddr, most: usize) {
        if let Some(count) = self.shared.add(now.boot, 1) {
            log::warn!(
                "more than {most} users logged in from {address}, so it gets no grant; {count} such addresses since the last \
                 warning; grant it by hand if it is to relay, or raise --max-users-per-address"
            );
        }
    }

    /// An address lost its grant because the ring is full.
    pub(super) fn evicted(&mut self, now: &Now, address: IpAddr) {
        if let Some(count) = self.evicted.add(now.boot, 1) {
            log::warn!(
                "the ring is full: evicted {address}, {count} since the last warning; give it more room with --entries, or \
                 let users with fewer addresses give way first with --max-addresses-per-user"
            );
        }
    }

    /// Lines that were dropped for their length.
    pub(super) fn dropped(&mut self, now: &Now, lines: u64) {
        if let Some(lines) = self.dropped.add(now.boot, lines) {
            log::warn!("{lines} log lines were longer than 8 KiB and have been ignored");
        }
    }
}

/// A grant of another host, of an address that had none.
pub(super) fn taken(login: &LoginRecord<'_>, client: IpAddr, until: SystemTime) {
    let (until, log) = (end(until), escape::short(login.source.as_bytes()));
    log::info!("granted {client} until {until}, user {}, {log}", escape::short(login.user));
}

/// A login of an address that had no grant.
pub(super) fn granted(event: &Event<'_>, until: SystemTime) {
    let Event { client, matcher, user, .. } = event;
    let until = end(until);
    match user {
        Some(user) => log::info!("granted {client} until {until}, {matcher}, user {}", escape::short(user)),
        None => log::info!("granted {client} until {until}, {matcher}"),
    }
}

/// The second in which a grant has ended, as the table and `list` have it.
fn end(until: SystemTime) -> String {
    time::display(SystemTime::UNIX_EPOCH + Duration::from_secs(time::unix_seconds_up(until)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_the_second_that_the_table_has() {
        let at = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        assert_eq!((end(at(4200)), end(at(5000))), (time::display(at(5000)), time::display(at(5000))));
    }
}
