//! Addresses from which many log in and none relays: a webmail host, or a proxy that does not say for whom it asks. Pure.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::finding::Finding;
use crate::line::syslog::Header;
use crate::matcher::{Action, Event};

/// As many as `status` counts.
const MANY: usize = crate::grants::crowds::MANY.get();

/// Within so long; a usual grace.
const WHILE: Duration = Duration::from_secs(30 * 60);

/// How many addresses are named at most.
const MOST_NAMED: usize = 3;

/// Who logged in from where, in the newest part of a log.
#[derive(Debug, Default)]
pub(crate) struct Crowds {
    /// When each user logged in last, and the most that were seen at a time.
    users: HashMap<IpAddr, (HashMap<Vec<u8>, SystemTime>, usize)>,
    /// Addresses that Postfix took mail from.
    senders: HashSet<IpAddr>,
    smtpd: bool,
}

impl Crowds {
    /// Counts the user of a login.
    pub(crate) fn login(&mut self, event: &Event<'_>, time: SystemTime) {
        if event.action != Action::Login || event.client.is_loopback() {
            return;
        }
        let (users, most) = self.users.entry(event.client).or_default();
        users.insert(event.user.unwrap_or_default().to_vec(), time);
        if users.len() > MANY.max(*most) {
            users.retain(|_, last| *last + WHILE >= time);
            *most = users.len().max(*most);
        }
    }

    /// Notes whom Postfix took a message from: `4Xabc: client=name[address]`.
    pub(crate) fn mail(&mut self, header: &Header<'_>, message: &[u8]) {
        if !header.program.ends_with(b"/smtpd") {
            return;
        }
        self.smtpd = true;
        let address = || {
            let client = &message[memchr::memmem::find(message, b": client=")?..];
            let text = &client[memchr::memchr(b'[', client)? + 1..];
            let address = &text[..memchr::memchr(b']', text)?];
            std::str::from_utf8(address).ok()?.parse::<IpAddr>().ok()
        };
        self.senders.extend(address().map(|address| address.to_canonical()));
    }

    /// Names the addresses, those with the most users first.
    pub(crate) fn judge(&self, name: &str) -> Option<Finding> {
        let is_crowd = |(address, (_, most)): &(&IpAddr, &(_, usize))| *most > MANY && !self.senders.contains(*address);
        let mut crowds: Vec<_> =
            self.users.iter().filter(is_crowd).map(|(address, (_, most))| (*most, *address)).collect();
        crowds.sort_unstable_by(|one, other| other.cmp(one));
        let (_, first) = *crowds.first()?;
        let more = match crowds.len() {
            ..=MOST_NAMED => String::new(),
            all => format!(" and {} more", all - MOST_NAMED),
        };
        let named: Vec<_> =
            crowds.iter().take(MOST_NAMED).map(|(most, address)| format!("{address} ({most} users)")).collect();
        let relays = if self.smtpd { ", and none sent mail" } else { "; whether they send mail the log does not tell" };
        Some(Finding::warning(
            format!(
                "{name}: more than {MANY} users log in within half an hour from {}{more}{relays}: webmail, or a proxy that does \
                 not say where its clients are",
                named.join(", ")
            ),
            format!(
                "give --skip-networks {first} if that host need not relay, or let the proxy tell (docs/servers.md); \
                 --max-users-per-address {MANY} leaves out every such address"
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::line::syslog;
    use crate::matcher::Matchers;
    use crate::time::Timestamp;

    /// So many users log in from an address, so many seconds apart.
    fn crowd(crowds: &mut Crowds, address: &str, users: usize, apart: u64) {
        let mut matchers = Matchers::all();
        for user in 0..users {
            let line = format!("Nov 22 16:00:00 mail imapd: LOGIN, user=u{user}, ip=[{address}], port=[1]");
            let event = matchers.event(Timestamp::default(), line.as_bytes()).unwrap();
            crowds.login(&event, SystemTime::UNIX_EPOCH + Duration::from_secs(user as u64 * apart));
        }
    }

    fn told(crowds: &Crowds) -> String {
        crowds.judge("the log").map(|finding| finding.sentence()).unwrap_or_default()
    }

    #[test]
    fn an_address_of_many_users_is_named_unless_it_relays() {
        let mut crowds = Crowds::default();
        crowd(&mut crowds, "198.51.100.1", MANY, 1);
        crowd(&mut crowds, "198.51.100.2", 3 * MANY, 600);
        crowd(&mut crowds, "127.0.0.1", 2 * MANY, 1);
        assert_eq!(told(&crowds), "", "a household, a day, this host");
        crowd(&mut crowds, "198.51.100.3", MANY + 2, 1);
        crowd(&mut crowds, "198.51.100.4", MANY + 1, 1);
        let text = told(&crowds);
        assert!(text.contains("198.51.100.3 (22 users), 198.51.100.4 (21 users); whether"), "{text}");
        assert!(text.contains("--skip-networks 198.51.100.3"), "{text}");
        let mail = b"Nov 22 16:00:00 mail postfix/smtpd[9]: 4Xabc: client=web.example.net[198.51.100.3]";
        let (header, message) = syslog::parse(mail).unwrap();
        crowds.mail(&header, message);
        let text = told(&crowds);
        assert!(text.contains("from 198.51.100.4 (21 users), and none sent mail"), "{text}");
    }
}
