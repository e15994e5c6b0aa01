//! Makes an event of a line, or none: a message counts only if its server wrote it, whole, and no stranger could have.

use super::foreign;
use super::reader::Reading;
use super::sessions::{Name, Sessions};
use super::{Action, AnyMatcher, CutFailure, Event, Key, Kind, LONGEST_GRANTING, LONGEST_LINE, Matchers, SessionId};
use crate::line::syslog::{self, Header};
use crate::time::Timestamp;

/// A line as it was parsed, and the number of its program's route, if there is one.
#[derive(Clone, Copy)]
pub(super) struct Parsed<'p, 'l> {
    pub(super) line: &'l [u8],
    pub(super) parsed: Option<&'p (Header<'l>, &'l [u8])>,
    pub(super) route: Option<usize>,
}

impl Matchers {
    /// What a line without its newline says, if it is one of a chosen server.
    ///
    /// [`Matchers::scan`] does the same for many lines, faster. Every line of the log must be handed in, in order: a
    /// line that says nothing may be the first part of a message
    /// whose rest must not be believed, or tell the address of a login that follows. For the same reason one
    /// `Matchers` follows one log. `now` is when the line was read; what is remembered of it ages by that.
    pub fn event<'e>(&'e mut self, now: Timestamp, line: &'e [u8]) -> Option<Event<'e>> {
        self.event_before(now, line, b"")
    }

    /// The same, and what stands behind the line and its newline, as far as that was read: it may show that the line is only
    /// the beginning of a message.
    pub fn event_before<'e>(&'e mut self, now: Timestamp, line: &'e [u8], behind: &[u8]) -> Option<Event<'e>> {
        match self.take_piece(line) {
            Some(taken) => self.event_of_piece(now, line, taken, behind),
            None => self.event_of(now, self.parsed(line, syslog::parse(line).as_ref()), behind),
        }
    }

    /// A line that was parsed like this.
    pub(super) fn parsed<'p, 'l>(&self, line: &'l [u8], parsed: Option<&'p (Header<'l>, &'l [u8])>) -> Parsed<'p, 'l> {
        Parsed { line, parsed, route: parsed.and_then(|(header, _)| self.routes.find(header.program)) }
    }

    /// What a line says.
    pub(super) fn event_of<'e>(&'e mut self, now: Timestamp, what: Parsed<'_, 'e>, behind: &[u8]) -> Option<Event<'e>> {
        let Parsed { line, parsed, route } = what;
        if self.repeats.is_armed()
            && let Some(time) = self.repeats.fits(line, parsed)
        {
            return self.event_again(line, time);
        }
        let believed = match (parsed, route) {
            (Some((header, message)), Some(route)) => self.believed(now, line, header, message, route, behind),
            _ => None,
        };
        self.newlines.pass(line);
        self.repeats.disarm();
        let ((header, message), (matcher, kind, reading)) = (parsed?, believed.as_ref()?);
        self.joined(now, header, message, matcher, *kind, reading)
    }

    /// Makes an event of a reading, and notes it: it may come again.
    fn joined<'l>(
        &mut self,
        now: Timestamp,
        header: &Header<'l>,
        message: &[u8],
        matcher: &AnyMatcher,
        kind: Kind,
        reading: &Reading<'l>,
    ) -> Option<Event<'l>> {
        let event = join(&mut self.sessions, now, header, matcher, kind, reading);
        if let Some(login) = event.as_ref().filter(|event| event.action == Action::Login) {
            self.repeats.note(login, message);
        }
        event
    }

    /// The login of the last line, which this one repeats.
    #[cold]
    fn event_again<'e>(&'e mut self, line: &[u8], time: &'e [u8]) -> Option<Event<'e>> {
        let is_doubtful = self.newlines.is_anything_doubtful();
        self.newlines.pass(line);
        if is_doubtful {
            self.repeats.disarm();
        }
        self.repeats.event(time)
    }

    /// The reading of a message that is the server's own for sure. Notes what the message means for those behind it.
    fn believed<'l>(
        &mut self,
        now: Timestamp,
        line: &[u8],
        header: &Header<'_>,
        message: &'l [u8],
        route: usize,
        behind: &[u8],
    ) -> Option<(AnyMatcher, Kind, Reading<'l>)> {
        let doubtful = self.newlines.is_doubtful(header, line, behind);
        let route = self.routes.get(route);
        // A short message that a stranger may have written is no sign that a rest has come.
        let is_piece = route.limit.filter(|limit| !doubtful || message.len() >= *limit).is_some_and(|limit| {
            self.fragments.is_piece((header.container, header.host), header.program, message.len(), limit)
        });
        let is_concerned = || self.foreign.knows_any(now) || route.may_be_sign(message);
        let is_foreign = !route.foreign.is_empty() && is_concerned() && {
            let process = self.sessions.id(header, Name::Process(header.pid));
            let has_process_id = header.pid.is_some();
            let message = foreign::Message { process, has_process_id, is_doubtful: doubtful, text: message };
            self.foreign.is_foreign(now, &route.foreign, message)
        };
        let may_be_long = line.len() > LONGEST_LINE || message.len() >= LONGEST_GRANTING;
        let found = if is_piece || may_be_long { None } else { route.read(message) };
        let repeated = syslog::begin_of_repeated(message);
        // Cut by a newline; or with nginx's own stamp in front of what it says.
        if repeated.is_some() && (syslog::repeated(message).is_none() || header.program == b"nginx") {
            self.newlines.note_unread();
        }
        let said = repeated.unwrap_or(message);
        self.newlines.note(header, line, said, route.goes_on(said), doubtful);
        let (matcher, kind, reading) = found.as_ref()?;
        let is_torn = || reading.user.is_some_and(|user| syslog::holds_later_header(header, user));
        let may_have_missed = self.foreign.is_incomplete() || header.pid.is_none();
        let is_foreign = is_foreign || may_have_missed && may_be_foreign(matcher, header.program);
        let is_cut = |cut: CutFailure| {
            !self.newlines.escaped && (header.is_in_container() || cut.shows(header, message, behind))
        };
        let is_cut =
            || *kind == Kind::Login && matcher.row().and_then(|matcher| matcher.cut_failure).is_some_and(is_cut);
        // Even if a stranger has written it: the end of a session that is open takes away, and gives nothing.
        let ends = *kind == Kind::Logout && matches!(matcher.key(), Key::Pid | Key::Session);
        let is_believed = (ends || !doubtful && !is_foreign) && !is_torn() && !is_cut();
        let is_held =
            || *kind == Kind::Login && !self.newlines.escaped && header.host.is_some() && !is_foreign && !is_torn();
        self.held += u64::from(!is_believed && is_held());
        found.filter(|_| is_believed)
    }
}

/// Whether a message that the matcher reads may be a stranger's if lines are missing, or it does not show its process.
fn may_be_foreign(matcher: &AnyMatcher, program: &[u8]) -> bool {
    let words = matcher.row().and_then(|matcher| matcher.foreign).filter(|words| !words.believed_if_missed);
    words.is_some_and(|words| words.programs.iter().any(|name| name.as_bytes() == program))
}

/// Makes an event of a reading: finds the address that an earlier line of the session told, and remembers the session.
#[inline]
fn join<'l>(
    sessions: &mut Sessions,
    now: Timestamp,
    header: &Header<'l>,
    matcher: &AnyMatcher,
    kind: Kind,
    reading: &Reading<'l>,
) -> Option<Event<'l>> {
    let session = session(sessions, header, matcher.key(), reading);
    let (action, client) = match (kind, session) {
        (Kind::Connect, _) => {
            sessions.connect(now, session?, reading.client?);
            return None;
        }
        (Kind::Login, Some(session)) => (Action::Login, sessions.login(now, session, reading.client)?),
        (Kind::Login, None) => (Action::Login, reading.client?),
        (Kind::Logout, _) if matches!(matcher.key(), Key::None | Key::Peer) => (Action::Logout, reading.client?),
        (Kind::Logout, Some(session)) => (Action::Logout, sessions.logout(session)?),
        // It may be the end of a session that never logged in.
        (Kind::Logout, None) => return None,
    };
    Some(Event { action, client, user: reading.user, session, matcher: matcher.clone(), header: *header })
}

fn session(sessions: &mut Sessions, header: &Header<'_>, key: Key, reading: &Reading<'_>) -> Option<SessionId> {
    let name = match key {
        Key::None => return None,
        Key::Pid => Name::Process(Some(header.pid?)),
        Key::Session => Name::Id(reading.session?),
        Key::Peer => Name::Peer(reading.client?, reading.session?),
    };
    Some(sessions.id(header, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &[u8] = b"Nov 22 16:00:00 mail pop3d: LOGIN, user=alice, ip=[::ffff:198.51.100.1], port=[1]";

    fn client(matchers: &mut Matchers, line: &[u8]) -> Option<String> {
        Some(matchers.event(Timestamp::default(), line)?.client.to_string())
    }
    /// The rest of an `ID sent: ` of more than 4,096 bytes, without and behind a failed login.
    #[test]
    fn the_rest_of_a_long_message_of_dovecot_is_no_login() {
        for own in ["user=<>", "user=<bob>, method=PLAIN"] {
            let rest = format!(
                "Nov 22 16:00:00 mail dovecot: imap-login: Login: user=<a, k=v: {own}, rip=203.0.113.66, lip=192.0.2.25, \
                 session=<a>"
            );
            assert_eq!(client(&mut Matchers::all(), rest.as_bytes()), None, "{rest}");
            let login =
                rest.replace(&format!(", k=v: {own}"), ">, method=PLAIN").replace(", session", ", mpid=7, session");
            assert!(client(&mut Matchers::all(), login.as_bytes()).is_some(), "{login}");
        }
    }

    /// The last word of an `ID sent: ` may be `Login`; the elements behind it are those of who failed to log in.
    #[test]
    fn a_session_of_dovecot_that_no_process_took_over_is_no_login() {
        let rest = "Nov 30 17:45:09 mail dovecot: imap-login: Login: user=<bob>, method=PLAIN, rip=198.51.100.9, lip=192.0.2.25, \
                    TLS, session=<e6uI+IFh1sp/AAAB>";
        let orders = [rest.to_owned(), rest.replace("method=PLAIN, ", ""), rest.replace(", lip=192.0.2.25", "")];
        for rest in orders {
            assert_eq!(client(&mut Matchers::all(), rest.as_bytes()), None, "{rest}");
            let login = rest.replace(", TLS", ", mpid=7, TLS");
            assert_eq!(client(&mut Matchers::all(), login.as_bytes()).as_deref(), Some("198.51.100.9"), "{login}");
        }
    }

    #[test]
    fn the_rest_of_a_cut_message_is_no_login_of_any_server() {
        let long = [b"Nov 22 16:00:00 mail imapd: LOGIN FAILED, user=".as_slice(), &[b'A'; 486]].concat();
        let uw = b"Nov 22 16:00:00 mail imapd: Login user=alice host=[198.51.100.1]";
        let mut matchers = Matchers::all();
        assert_eq!(client(&mut matchers, &long), None);
        assert_eq!(client(&mut matchers, LOGIN).as_deref(), Some("198.51.100.1"));
        assert_eq!(client(&mut matchers, uw), None);
        assert_eq!(client(&mut matchers, uw).as_deref(), Some("198.51.100.1"));
    }

    #[test]
    fn an_overlong_line_is_dropped_and_still_noted_as_cut() {
        let long = [b"Nov 22 16:00:00 mail pop3d: ".as_slice(), &[b'A'; LONGEST_LINE]].concat();
        let mut matchers = Matchers::all();
        assert_eq!(client(&mut matchers, &long), None);
        assert_eq!(client(&mut matchers, LOGIN), None, "it may be the rest of the line");
        assert_eq!(client(&mut matchers, LOGIN), None, "and this that of the message");
        assert!(client(&mut matchers, LOGIN).is_some());
    }

    #[test]
    fn the_first_message_in_the_middle_of_a_log_is_no_login() {
        let mut matchers = Matchers::all();
        matchers.begin_in_the_middle();
        let other = [b"Nov 22 16:00:00 other".as_slice(), &LOGIN[20..]].concat();
        for expected in [None, Some("198.51.100.1")] {
            assert_eq!(client(&mut matchers, LOGIN).as_deref(), expected);
            assert_eq!(client(&mut matchers, &other).as_deref(), expected);
        }
        // The logger of Dovecot does not go on with the rest.
        let dovecot = b"Nov 22 16:00:00 mail dovecot: imap-login: Login: user=<a>, method=PLAIN, rip=198.51.100.2, \
                        lip=192.0.2.25, mpid=820, session=<a>";
        assert_eq!(client(&mut matchers, dovecot).as_deref(), Some("198.51.100.2"));
    }

    /// The failure that ended it, and the connection of who has its process id now, may be what is missing.
    #[test]
    fn a_connection_in_front_of_missing_lines_counts_for_nothing() {
        let connection = b"Nov 22 16:00:00 mail popa3d[7]: Session from 198.51.100.66";
        let login = b"Nov 22 16:00:01 mail popa3d[7]: Authentication passed for alice";
        for missing in [false, true] {
            let mut matchers = Matchers::all();
            assert_eq!(client(&mut matchers, connection), None);
            if missing {
                matchers.begin_in_the_middle();
            }
            assert_eq!(client(&mut matchers, login).is_some(), !missing);
        }
    }

    #[test]
    fn half_a_success_in_front_of_a_failure_is_no_login() {
        for (half, rest) in [
            ("pop3d: LOGIN, user=al", "pop3d: LOGIN FAILED, user=x, ip=[::ffff:198.51.100.1], port=[1]"),
            (
                "dovecot: imap-login: Login: user=<al",
                "dovecot: pop3-login: Aborted login: user=<x>, method=PLAIN, rip=198.51.100.1, lip=192.0.2.25",
            ),
            ("ipop3d[3]: Login user=al", "ipop3d[4]: Login failed user=x auth=x host=h [198.51.100.1]"),
            ("teapop[3]: Successful login for al", "teapop[4]: Failed login for x [192.0.2.25] from h [198.51.100.1]"),
        ] {
            for stamp in ["Nov 22 16:00:00", "2026-11-22T16:03:39.123456+00:00"] {
                let line = format!("{stamp} mail {half}{stamp} mail {rest}");
                assert_eq!(client(&mut Matchers::all(), line.as_bytes()), None, "{line}");
            }
        }
    }

    /// The end of the first session was never logged, and a stranger has its process id now. imapd keeps the name of a LOGIN
    /// that failed for the end of the session; the failure is logged to another facility, or not at all.
    #[test]
    fn the_end_of_a_session_that_is_open_may_hold_a_name_of_a_stranger() {
        for failure in ["Login failed user=x auth=x host=[198.51.100.9]", "x"] {
            let mut matchers = Matchers::all();
            let lines = [
                "mail imapd[830]: Login user=al host=[198.51.100.1]",
                &format!("mail imapd[830]: {failure}"),
                "mail postfix/smtpd[9]: connect from x[192.0.2.1], of which there are many in three seconds",
                "mail postfix/smtpd[9]: connect from x[192.0.2.1], of which there are many in three seconds",
                "mail imapd[830]: Logout user=x host=[1.1.1.1]",
                "m imap:Auth user=a host=pc9.example.net [198.51.100.9]",
            ];
            let events = lines.map(|line| client(&mut matchers, format!("Nov 27 13:00:00 {line}").as_bytes()));
            assert_eq!(events[5], None, "{failure}");
            assert!(events[0].is_some() && events[4].is_some());
        }
    }

    #[test]
    fn a_message_that_syslogd_may_have_cut_does_not_count() {
        let line = |n| {
            [
                b"Nov 22 16:00:00 mail teapop[1]: Successful login for ".as_slice(),
                &vec![b'a'; n],
                b" [192.0.2.25] from h [198.51.100.1]",
            ]
            .concat()
        };
        let mut matchers = Matchers::all();
        assert!(client(&mut matchers, &line(500)).is_some());
        assert_eq!(client(&mut matchers, &line(LONGEST_GRANTING)), None);
    }
}
