//! Debug mode (`-d`): tells on standard output what the daemon would do, in the words of the C program. The log's messages
//! go to standard error, so that they break no line of it.

use std::collections::HashMap;
use std::fmt::{self, Arguments};
use std::io::Write;
use std::net::IpAddr;

use crate::ring::{Change, Ring};
use crate::time::{Now, unix_seconds};

/// Writes the lines of debug mode, which docs/reference.md explains one by one.
///
/// The C program counts the entries of its table as they come; so does this: `tail` is the number of the oldest one, and
/// one past the newest is `head`.
pub struct Narrator {
    out: Box<dyn Write>,
    /// When each address that has an entry logged in last, in Unix seconds.
    logins: HashMap<IpAddr, u64>,
    /// How many entries have gone.
    tail: usize,
}

impl fmt::Debug for Narrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Narrator").field("logins", &self.logins).field("tail", &self.tail).finish_non_exhaustive()
    }
}

impl Narrator {
    /// Tells what program this is, and how it reads and publishes.
    pub fn begin(out: impl Write + 'static, logs: &[String], publish_command: &str) -> Self {
        let mut narrator = Self { out: Box::new(out), logins: HashMap::new(), tail: 0 };
        narrator.say(format_args!("pop-before-smtp   version {}", env!("CARGO_PKG_VERSION")));
        narrator.say(format_args!("Performing debug mode"));
        for log in logs {
            narrator.say(format_args!("{log}"));
        }
        narrator.say(format_args!("{publish_command}"));
        narrator
    }

    /// Tells what a login or the passing of time has done to the ring: `changes`, already made, are all since the last call.
    pub fn tell(&mut self, now: &Now, changes: &[Change], ring: &Ring) {
        if changes.is_empty() {
            return;
        }
        let seconds = unix_seconds(now.wall);
        let ends = ring.oldest().map(|oldest| unix_seconds(now.wall_at(oldest.expires)));
        self.say(format_args!("cur_time: {seconds}   oldest_entry_time: {}", ends.unwrap_or_default()));
        if let Some(ends) = ends {
            self.say(format_args!("Alarm set for {} seconds", ends.saturating_sub(seconds)));
        }
        let mut logins = Vec::new();
        for change in changes {
            match *change {
                Change::Added(grant) | Change::Extended(grant, _) => {
                    let time = unix_seconds(now.wall_at(grant.expires - ring.grace()));
                    self.logins.insert(grant.address, time);
                    logins.push((time, grant.address));
                }
                Change::Removed(address, _) => {
                    self.tail += 1;
                    let time = self.logins.remove(&address).unwrap_or_default();
                    self.say(format_args!("purging: {time}"));
                }
            }
        }
        let (head, tail) = (self.tail + ring.len(), self.tail);
        for entry in tail..head {
            self.say(format_args!("x= {entry} OK"));
        }
        for (time, address) in logins {
            self.say(format_args!("head={head} tail={tail} {time} from {address}"));
        }
    }

    fn say(&mut self, line: Arguments<'_>) {
        // Whoever read along has gone; the daemon goes on.
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::cell::RefCell;
    use std::io;
    use std::num::NonZeroUsize;
    use std::rc::Rc;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::grants::{Grants, Line, Policy, Start};
    use crate::line::syslog::Header;
    use crate::matcher::{Action, Event};
    use crate::ring::networks::Networks;
    use crate::time::Timestamp;

    /// What was told, shared with whoever tells it.
    #[derive(Clone, Default)]
    struct Told(Rc<RefCell<Vec<u8>>>);

    impl Write for Told {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Debug mode, with a clock that the test sets.
    struct Site {
        grants: Grants,
        told: Told,
    }

    impl Site {
        fn new(grace: u64, entries: usize) -> Self {
            let told = Told::default();
            let policy = Policy {
                grace: Duration::from_secs(grace),
                entries: NonZeroUsize::new(entries).unwrap(),
                hold: None,
                networks: Networks::default(),
                publish_interval: Duration::ZERO,
                most_users: None,
                most_addresses: None,
                relays: None,
            };
            let narrator = Some(Narrator::begin(told.clone(), &["Log".to_owned()], "Publish"));
            let grants = Grants::new(&now(0), &policy, Start { narrator, ..Start::default() });
            told.0.borrow_mut().clear();
            Self { grants, told }
        }

        /// What is told when an address logs in at a time.
        fn login(&mut self, seconds: u64, address: &str) -> String {
            let (client, line) = (address.parse().unwrap(), Line { source: "log", offset: None });
            let matcher = (&crate::matcher::BUILTIN[0]).into();
            let header = Header::default();
            let event = Event { action: Action::Login, client, user: None, session: None, matcher, header };
            self.grants.event(&now(seconds), None, &event, line);
            self.told()
        }

        fn alarm(&mut self, seconds: u64) -> String {
            self.grants.expire(&now(seconds));
            self.told()
        }

        fn told(&self) -> String {
            String::from_utf8(std::mem::take(&mut *self.told.0.borrow_mut())).unwrap()
        }
    }

    /// A quarter of a second past a whole one: clocks have fractions.
    fn now(seconds: u64) -> Now {
        let since = Duration::from_millis(seconds * 1000 + 250);
        Now { boot: Timestamp::from_boot(since), wall: SystemTime::UNIX_EPOCH + since }
    }

    /// The first sample in the C program's documentation: one login, and another in the same second.
    #[test]
    fn the_first_logins_are_told_as_by_the_c_program() {
        let mut site = Site::new(1800, 250);
        assert_eq!(
            site.login(1_027_023_217, "192.0.2.1"),
            "cur_time: 1027023217   oldest_entry_time: 1027025017\nAlarm set for 1800 seconds\nx= 0 OK\n\
             head=1 tail=0 1027023217 from 192.0.2.1\n"
        );
        assert_eq!(
            site.login(1_027_023_217, "192.0.2.2"),
            "cur_time: 1027023217   oldest_entry_time: 1027025017\nAlarm set for 1800 seconds\nx= 0 OK\nx= 1 OK\n\
             head=2 tail=0 1027023217 from 192.0.2.2\n"
        );
    }

    /// The second sample: five entries have ended, three are left.
    #[test]
    fn entries_that_have_ended_are_told_by_their_times() {
        let mut site = Site::new(200, 250);
        let times = [866, 866, 872, 873, 874, 930, 1000];
        for (number, time) in times.iter().enumerate() {
            site.login(1_016_220_000 + time, &format!("192.0.2.{number}"));
        }
        assert_eq!(
            site.login(1_016_221_109, "192.0.2.7"),
            "cur_time: 1016221109   oldest_entry_time: 1016221130\nAlarm set for 21 seconds\n\
             purging: 1016220866\npurging: 1016220866\npurging: 1016220872\npurging: 1016220873\npurging: 1016220874\n\
             x= 5 OK\nx= 6 OK\nx= 7 OK\nhead=8 tail=5 1016221109 from 192.0.2.7\n"
        );
        assert_eq!(
            site.alarm(1_016_221_130),
            "cur_time: 1016221130   oldest_entry_time: 1016221200\nAlarm set for 70 seconds\npurging: 1016220930\n\
             x= 6 OK\nx= 7 OK\n"
        );
        assert_eq!(site.alarm(1_016_221_131), "", "nothing has changed");
        site.alarm(1_016_221_200);
        assert_eq!(
            site.alarm(1_016_221_400),
            "cur_time: 1016221400   oldest_entry_time: 0\npurging: 1016221109\n",
            "nothing is left to set an alarm for"
        );
    }

    #[test]
    fn a_known_address_keeps_the_number_of_entries() {
        let mut site = Site::new(1800, 250);
        site.login(1000, "192.0.2.1");
        site.login(1010, "192.0.2.2");
        assert_eq!(
            site.login(1020, "192.0.2.1"),
            "cur_time: 1020   oldest_entry_time: 2810\nAlarm set for 1790 seconds\nx= 0 OK\nx= 1 OK\n\
             head=2 tail=0 1020 from 192.0.2.1\n"
        );
    }

    #[test]
    fn an_entry_that_gives_way_goes_as_one_that_has_ended() {
        let mut site = Site::new(1800, 2);
        site.login(1000, "192.0.2.1");
        site.login(1010, "192.0.2.2");
        assert_eq!(
            site.login(1020, "192.0.2.3"),
            "cur_time: 1020   oldest_entry_time: 2810\nAlarm set for 1790 seconds\npurging: 1000\nx= 1 OK\nx= 2 OK\n\
             head=3 tail=1 1020 from 192.0.2.3\n"
        );
    }

    /// An address that is never published has no entry.
    #[test]
    fn a_login_without_a_grant_changes_nothing() {
        let mut site = Site::new(1800, 250);
        assert_eq!(site.login(1000, "127.0.0.1"), "");
    }
}
