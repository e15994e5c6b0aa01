//! Remembers the login of the last line, because a syslog daemon writes `last message repeated 3 times` instead of the same
//! line again. Holds one line; no I/O.
//!
//! Only the line directly behind it counts: of the same host, and without a program, as no program can write it (see
//! [`crate::line::syslog::repeat`]); or of the same program and process, as rsyslog writes it (`$RepeatedMsgReduction`): these
//! words alone before version 5, which no server logs in a stranger's name; later with the same message in it. In that one a
//! stranger's text may begin a message, so it must be all of a message that was believed on the line before.

use std::net::IpAddr;
use std::ops::Range;

use super::{Action, AnyMatcher, Event, SessionId};
use crate::line::syslog::{self, Header, Repeat};

/// The last line, if it was a login.
#[derive(Debug, Clone, Default)]
pub(super) struct Repeats {
    login: Option<Login>,
    /// What is compared, one behind the other.
    text: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Login {
    client: IpAddr,
    session: Option<SessionId>,
    matcher: AnyMatcher,
    pid: Option<u32>,
    container: Option<Range<usize>>,
    host: Option<Range<usize>>,
    program: Range<usize>,
    message: Range<usize>,
    /// In the message.
    user: Option<Range<usize>>,
}

impl Repeats {
    /// Whether the last line was a login.
    #[inline]
    pub(super) fn is_armed(&self) -> bool {
        self.login.is_some()
    }

    /// The last line was none.
    #[inline]
    pub(super) fn disarm(&mut self) {
        if self.is_armed() {
            self.login = None;
        }
    }

    /// Notes the last line, a login.
    pub(super) fn note(&mut self, login: &Event<'_>, message: &[u8]) {
        let header = &login.header;
        self.text.clear();
        let mut keep = |part: &[u8]| {
            let start = self.text.len();
            self.text.extend_from_slice(part);
            start..self.text.len()
        };
        let program = keep(header.program);
        let text = keep(message);
        let user = login.user.and_then(|user| within(message, user));
        self.login = Some(Login {
            client: login.client,
            session: login.session,
            matcher: login.matcher.clone(),
            pid: header.pid,
            container: header.container.map(&mut keep),
            host: header.host.map(&mut keep),
            user: user.map(|user| text.start + user.start..text.start + user.end),
            program,
            message: text,
        });
    }

    /// When the last line, a login, came again, if a line says that it did: its stamp.
    pub(super) fn fits<'l>(&self, line: &'l [u8], parsed: Option<&(Header<'l>, &'l [u8])>) -> Option<&'l [u8]> {
        let login = self.login.as_ref()?;
        let is = |range: &Option<Range<usize>>, part: Option<&[u8]>| self.part(range.as_ref()) == part;
        if let Some(repeat) = syslog::repeat(line) {
            let is_same = match repeat {
                Repeat { host, tag: None, .. } => is(&login.host, host),
                Repeat { host, tag: Some((program, pid)), .. } => {
                    (host.is_none() || is(&login.host, host))
                        && login.pid == pid
                        && self.part(Some(&login.program)) == Some(program)
                }
            };
            return (is_same && login.host.is_some() && login.container.is_none()).then_some(repeat.time);
        }
        let (header, message) = parsed?;
        let inner = syslog::repeated(message)?;
        let is_same = is(&login.container, header.container)
            && is(&login.host, header.host)
            && self.part(Some(&login.program)) == Some(header.program)
            && login.pid == header.pid
            && self.part(Some(&login.message)) == Some(inner);
        is_same.then_some(header.time)
    }

    /// The login, again, at this time.
    pub(super) fn event<'e>(&'e self, time: &'e [u8]) -> Option<Event<'e>> {
        let Login { client, session, matcher, pid, container, host, program, user, .. } = self.login.as_ref()?;
        let part = |range: &Option<Range<usize>>| self.part(range.as_ref());
        let (program, pid) = (self.part(Some(program))?, *pid);
        let header = Header { time, inner_time: None, container: part(container), host: part(host), program, pid };
        let (user, matcher) = (part(user), matcher.clone());
        Some(Event { action: Action::Login, client: *client, user, session: *session, matcher, header })
    }

    fn part(&self, range: Option<&Range<usize>>) -> Option<&[u8]> {
        self.text.get(range?.clone())
    }
}

/// Where a part of a text lies in it.
pub(super) fn within(text: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let range = start..start.checked_add(part.len())?;
    text.get(range.clone()).map(|_| range)
}

#[cfg(test)]
mod tests {
    use super::super::Matchers;
    use crate::time::Timestamp;

    const LOGIN: &str = "Nov 27 12:50:00 mail imapd[7]: LOGIN, user=kevin, ip=[::ffff:198.51.100.1], protocol=IMAP";
    const FAILED: &str = "Nov 27 12:50:00 mail imapd[7]: LOGIN FAILED, user=kevin, ip=[::ffff:198.51.100.9]";
    const AGAIN: &str = "Nov 27 12:51:00 mail last message repeated 3 times";

    /// The numbers of the lines that are logins, all of kevin.
    fn logins(lines: &[&str]) -> Vec<usize> {
        let mut matchers = Matchers::all();
        let mut found = Vec::new();
        for (nth, line) in lines.iter().enumerate() {
            if let Some(event) = matchers.event(Timestamp::default(), line.as_bytes()) {
                assert_eq!((event.client.to_string().as_str(), event.user), ("198.51.100.1", Some(&b"kevin"[..])));
                found.push(nth);
            }
        }
        let log = lines.join("\n");
        let mut starts = Vec::new();
        Matchers::all().scan(Timestamp::default(), log.as_bytes(), &mut |at, event| {
            assert_eq!(event.user, Some(&b"kevin"[..]));
            starts.push(log[..at].matches('\n').count());
        });
        assert_eq!(starts, found, "{log}");
        found
    }

    #[test]
    fn a_login_that_is_repeated_counts_again() {
        assert_eq!(logins(&[LOGIN, AGAIN, AGAIN, "x", AGAIN]), [0, 1, 2]);
        for again in [
            "Nov 27 12:51:00 mail last message repeated 1 time",
            "Nov 27 12:51:00 mail syslogd: last message repeated 3 times",
            "Nov 27 12:51:00 mail imapd[7]: last message repeated 3 times",
            "Nov 27 12:51:00  imapd[7]: last message repeated 3 times",
            "Nov 27 12:51:00 mail imapd[7]:last message repeated 3 times",
            "Nov 27 12:51:00 <mail.info> mail last message repeated 3 times\r",
            "<22>Nov 27 12:51:00 mail last message buffered 3 times",
            "<46>1 2026-11-27T12:51:00.123456+01:00 mail syslogd - - - last message repeated 3 times",
            "<22>1 2026-11-27T12:51:00.123456+01:00 mail - - - - last message repeated 3 times",
            "Nov 27 12:51:00 mail imapd[7]: message repeated 3 times: [ LOGIN, user=kevin, ip=[::ffff:198.51.100.1], protocol=IMAP]",
        ] {
            assert_eq!(logins(&[LOGIN, again, again]), [0, 1, 2], "{again}");
        }
    }

    #[test]
    fn nothing_else_does() {
        let other = "Nov 27 12:50:00 mail postfix/smtpd[7]: x";
        for lines in [&[AGAIN][..], &[FAILED, AGAIN], &[other, AGAIN], &["x", AGAIN]] {
            assert_eq!(logins(lines), [0; 0], "{lines:?}");
        }
        for between in [other, FAILED, "", "x", "Nov 27 12:51:00 mail x"] {
            assert_eq!(logins(&[LOGIN, between, AGAIN]), [0], "{between}");
        }
        for again in [
            "Nov 27 12:51:00 other last message repeated 3 times",
            "Nov 27 12:51:00 last message repeated 3 times",
            "Nov 27 12:51:00 mail imapd[8]: last message repeated 3 times",
            "Nov 27 12:51:00 mail imapd: last message repeated 3 times",
            "Nov 27 12:51:00 mail pop3d[7]: last message repeated 3 times",
            "Nov 27 12:51:00 other imapd[7]: last message repeated 3 times",
            "Nov 27 12:51:00 imapd[7]: last message repeated 3 times",
            "Nov 27 12:51:00  last message repeated 3 times",
            "Nov 27 12:51:00   imapd[7]: last message repeated 3 times",
            "Nov 27 12:51:00 mail imapd[7]: imapd[7]: last message repeated 3 times",
            "<22>1 2026-11-27T12:51:00.123456+01:00 mail syslogd - - - imapd[7]: last message repeated 3 times",
            "Nov 27 12:51:00 mail imapd[7]: syslogd: last message repeated 3 times",
            "Nov 27 12:51:00 mail x last message repeated 3 times",
            "Nov 27 12:51:00 mail last message repeated 3 times ",
            "Nov 27 12:51:00 mail last message repeated  times",
            "Nov 27 12:51:00 mail last message repeated 3 timesx",
            "last message repeated 3 times",
            "<22>1 2026-11-27T12:51:00.123456+01:00 mail imapd - - - last message repeated 3 times",
            // Of another process, of another program, another login, more than one.
            "Nov 27 12:51:00 mail imapd[8]: message repeated 3 times: [ LOGIN, user=kevin, ip=[::ffff:198.51.100.1], protocol=IMAP]",
            "Nov 27 12:51:00 mail pop3d[7]: message repeated 3 times: [ LOGIN, user=kevin, ip=[::ffff:198.51.100.1], protocol=IMAP]",
            "Nov 27 12:51:00 mail imapd[7]: message repeated 3 times: [ LOGIN, user=kevin, ip=[::ffff:203.0.113.66], protocol=IMAP]",
            "Nov 27 12:51:00 mail imapd[7]: message repeated 3 times: [ LOGIN, user=kevin, ip=[::ffff:198.51.100.1], protocol=IMAP]]",
            "Nov 27 12:51:00 mail imapd[7]: message repeated 3 times: [ LOGIN, user=kevin, ip=[::ffff:198.51.100.1], protocol=IMAP",
            "Nov 27 12:51:00 mail imapd[7]: message repeated x times: [ LOGIN, user=kevin, ip=[::ffff:198.51.100.1], protocol=IMAP]",
        ] {
            assert_eq!(logins(&[LOGIN, again, AGAIN]), [0], "{again}");
        }
    }

    #[test]
    fn the_line_before_must_have_been_seen() {
        for miss in [Matchers::begin_in_the_middle, Matchers::believe_nothing, Matchers::begin_in_a_message] {
            let mut matchers = Matchers::all();
            assert!(matchers.event(Timestamp::default(), LOGIN.as_bytes()).is_some());
            miss(&mut matchers);
            assert!(matchers.event(Timestamp::default(), AGAIN.as_bytes()).is_none());
        }
    }
}
