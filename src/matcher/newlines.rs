//! Knows which lines may be a stranger's text behind a newline. Holds a handful of numbers; no I/O.
//!
//! Some servers log a name as it came, newlines included (an IMAP literal, a base64 answer), also when the login fails, and
//! some syslog daemons (syslog-ng, a server's own file) write it so. One failed login then writes whole lines, without an
//! account: of any server, complete with a connection before and a failure behind. Nothing in such a line gives it away.
//! What the stranger cannot choose is how long the message is. So behind one that may hold his text
//! ([`super::RawNewlines`]) no line counts that ends as close as the message may be long.
//!
//! In nginx's own file, moreover, no line that is not nginx's counts so close behind one of nginx's.

use super::{BUILTIN, Bounded, CutFailure, Ends, LONGEST_LINE, RawNewlines, reader};
use crate::line::syslog::{self, Header};
use crate::source::lines::BEHIND;

/// How far the messages of one log reach, in bytes from its start. Escapes that a logger has added do not count.
#[derive(Debug, Clone, Default)]
pub(super) struct Newlines {
    read: u64,
    /// A line that ends up to here may belong to a message that began as one of nginx in its own file.
    own_file: u64,
    /// A line that ends up to here may be a stranger's text.
    doubt: u64,
    /// So may one that ends up to here but for the headers in between: BusyBox writes one behind each NUL.
    split: u64,
    /// So may one that ends up to here, if what stands behind it shows that; of each end the last.
    endings: Vec<Ending>,
    /// A container's runtime or a log runner puts something in front of each line, also of one that a newline makes.
    has_prefixes: bool,
    /// Whoever writes the log makes something else of a newline in a message.
    pub(super) escaped: bool,
}

/// A message that is known to end in a certain way.
#[derive(Debug, Clone, Copy)]
struct Ending {
    start: u64,
    until: u64,
    ends: Ends,
}

impl Newlines {
    /// Passes a line, with its newline.
    pub(super) fn pass(&mut self, line: &[u8]) {
        if self.has_prefixes && self.read < self.own_file {
            self.own_file += self.prefix(line);
        }
        if self.is_near() {
            let more = added(line) + self.prefix(line);
            self.doubt += more;
            self.split += added(line) + self.header_length(line);
            self.endings.retain(|ending| self.read < ending.until);
            self.endings.iter_mut().for_each(|ending| ending.until += more);
        }
        self.read += line.len() as u64 + 1;
    }

    /// Whether a line that begins here may be a stranger's text; most are nowhere near.
    fn is_near(&self) -> bool {
        self.read < self.doubt.max(self.split) || self.endings.iter().any(|ending| self.read < ending.until)
    }

    /// Whether any line that begins here would have to be measured.
    pub(super) fn is_anything_doubtful(&self) -> bool {
        self.is_near() || self.read < self.own_file
    }

    /// Bytes that a runtime or runner has put in front of a line.
    fn prefix(&self, line: &[u8]) -> u64 {
        if self.has_prefixes { syslog::prefix(line) as u64 } else { 0 }
    }

    /// Bytes in front of the message that a syslog daemon, a runtime or a runner may have written.
    fn header_length(&self, line: &[u8]) -> u64 {
        header_length(line).max(self.prefix(line))
    }

    /// Bytes of prefixes of all lines in `text` of which a message with so many bytes may consist.
    fn prefixes(&self, line: &[u8], text: &[u8], bytes: u64) -> u64 {
        let prefix = self.prefix(line);
        let reach = usize::try_from(bytes.saturating_mul(prefix + 1)).unwrap_or(usize::MAX);
        let lines = || memchr::memchr_iter(b'\n', &text[..text.len().min(reach)]).count() as u64 + 1;
        if prefix == 0 { 0 } else { lines() * prefix }
    }

    /// Takes what is known of another file of the same log.
    pub(super) fn go_on_as(&mut self, other: Self) {
        *self = Self { escaped: self.escaped, ..other };
    }

    /// Doubts what follows for as far as any message may reach of which the beginning was not seen. In nginx's own file no newline
    /// is ever escaped.
    pub(super) fn begin_in_a_message(&mut self) {
        let kinds = BUILTIN.iter().flat_map(|matcher| matcher.newlines);
        let escaped = self.escaped;
        for kind in kinds.filter(|kind| !escaped || kind.programs.contains(&"nginx")) {
            let until = self.read.saturating_add(kind.longest as u64);
            match kind.ends {
                Some(ends) => self.note_ending(self.read, until, ends, false),
                None if kind.holds_nul => self.split = self.split.max(until),
                None => self.doubt = self.doubt.max(until),
            }
        }
    }

    /// Whether the line that begins where the last one ended may be a stranger's text. To be called for every line that
    /// has a header.
    pub(super) fn is_doubtful(&self, header: &Header<'_>, line: &[u8], behind: &[u8]) -> bool {
        let is_behind_own_file = self.read < self.own_file && !is_own_file(header);
        if !is_behind_own_file && !self.is_near() {
            return false;
        }
        // As many bytes as were in the message.
        let prefix = self.prefix(line);
        let place = |length: usize| (self.read + length as u64).saturating_sub(added(&line[..length]) + prefix);
        let end = place(without_tail(line));
        let may_end = |ending: &Ending| match ending.ends.place_in(line) {
            Some(of_text) => place(of_text) <= ending.until,
            None => {
                let passed = self.read + line.len() as u64 + 1;
                let left = (ending.until + added(line) + prefix).saturating_sub(passed);
                let more = self.prefixes(line, behind, left);
                end <= ending.until && ending.ends.are_behind(behind, passed - ending.start, left, more)
            }
        };
        is_behind_own_file && end <= self.own_file
            || end <= self.doubt
            || (end + prefix).saturating_sub(self.header_length(line)) <= self.split
            || self.endings.iter().any(may_end)
    }

    /// One that may be the text of another does not take its place.
    fn note_ending(&mut self, start: u64, until: u64, ends: Ends, is_doubtful: bool) {
        let read = self.read;
        match self.endings.iter_mut().find(|known| known.ends == ends && known.until > read) {
            Some(last) => {
                last.until = until.max(last.until);
                last.start = if is_doubtful { last.start } else { start };
            }
            None => self.endings.push(Ending { start, until, ends }),
        }
    }

    /// Notes a line whose message may go on, behind a newline.
    pub(super) fn note(
        &mut self,
        header: &Header<'_>,
        line: &[u8],
        message: &[u8],
        goes_on: Option<GoesOn>,
        is_doubtful: bool,
    ) {
        let start = self.read + (line.len() - message.len()) as u64;
        self.has_prefixes |= header.is_behind_runner();
        // To be passed yet.
        let prefix = self.prefix(line);
        if is_own_file(header) {
            self.own_file = start + LONGEST_OF_NGINX - prefix;
        }
        let Some(GoesOn { longest, ends, holds_nul }) = goes_on.filter(|_| !(self.escaped && header.host.is_some()))
        else {
            return;
        };
        let until = start + longest as u64;
        match ends {
            Some(ends) => self.note_ending(start, until - prefix, ends, is_doubtful),
            None if holds_nul => self.split = self.split.max(until - self.header_length(line)),
            None => self.doubt = self.doubt.max(until - prefix),
        }
    }
}

/// Bytes in front of the message that a syslog daemon may have written; all of a line that has a stamp and no message.
fn header_length(line: &[u8]) -> u64 {
    let message = match syslog::parse(line) {
        Some((header, _)) if is_own_file(&header) => line.len(),
        Some((_, message)) => message.len(),
        None if syslog::is_stamped(line) => 0,
        None => line.len(),
    };
    (line.len() - message) as u64
}

impl Ends {
    /// Where such an end begins in a line.
    fn place_in(&self, line: &[u8]) -> Option<usize> {
        self.texts.iter().filter_map(|text| memchr::memmem::find(line, text.as_bytes())).min()
    }

    /// Whether such an end stands within what is behind a line, of which `passed` bytes of the message are over and `left` may
    /// be to come; or what is there may be cut off. `prefixes` are bytes of no message in there.
    fn are_behind(&self, behind: &[u8], passed: u64, left: u64, prefixes: u64) -> bool {
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let first = |length: usize| &behind[..behind.len().min(length)];
        let (passed, left) = (number(passed), number(left));
        let prefixes = number(prefixes);
        let added = number(added(first(left.saturating_mul(4).saturating_add(prefixes)))).saturating_add(prefixes);
        let stretched = left.saturating_add(added);
        let holds = |text: &&str| {
            let length = stretched.saturating_add(text.len());
            // No more is seen of a message that escapes have made so long.
            let is_out_of_sight = (BEHIND - LONGEST_LINE..length).contains(&behind.len());
            is_out_of_sight || memchr::memmem::find(first(length), text.as_bytes()).is_some()
        };
        let is_cut = |(from, to): (usize, usize)| {
            let to = to.saturating_add(added);
            let mut ends = memchr::memchr_iter(b'\n', first(to)).map(|at| passed.saturating_add(at));
            ends.any(|end| (from..=to).contains(&end)) || (from..=to).contains(&passed.saturating_sub(1))
        };
        self.texts.iter().any(holds) || self.cut.is_some_and(is_cut)
    }
}

/// How a message may go on behind a newline.
#[derive(Debug, Clone, Copy)]
pub(super) struct GoesOn {
    /// Most bytes of the message.
    longest: usize,
    /// What stands behind the stranger's text.
    ends: Option<Ends>,
    holds_nul: bool,
}

/// Bytes that were not in the message. Of one byte syslog-ng's sanitize-utf8 makes `\xff`, rsyslog `#000`, BusyBox and inetutils
/// `^M`; newlines stay.
fn added(text: &[u8]) -> u64 {
    memchr::memchr3_iter(b'\\', b'#', b'^', text).map(|at| added_by_escape(&text[at..])).sum()
}

fn added_by_escape(text: &[u8]) -> u64 {
    match text {
        [b'\\', b'x', ..] => 3,
        [b'#', b'0'..=b'7', b'0'..=b'7', b'0'..=b'7', ..] => 3,
        [b'^', b'?'..=b'_', ..] => 1,
        _ => 0,
    }
}

impl CutFailure {
    /// Whether what stands behind the line of a login shows that it is the beginning of a failure.
    /// A runtime or runner may have put something in front of each line.
    pub(super) fn shows(&self, header: &Header<'_>, message: &[u8], behind: &[u8]) -> bool {
        let behind_runner = if header.is_behind_runner() { syslog::prefix(behind) } else { 0 };
        match self {
            Self::WithoutHeader => {
                let id = &message[..memchr::memchr(b' ', message).map_or(0, |at| at + 1)];
                behind[behind_runner..].starts_with(id)
            }
            Self::EndsIn { programs, ends, longest } => {
                let passed = message.len() + 1;
                let left = longest.saturating_sub(passed) as u64 + added(message);
                let prefixes = left.saturating_mul(behind_runner as u64);
                programs.iter().any(|name| name.as_bytes() == header.program)
                    && ends.are_behind(behind, passed as u64, left, prefixes)
            }
        }
    }
}

/// Most bytes of a record in nginx's own file (`NGX_MAX_ERROR_STR`).
const LONGEST_OF_NGINX: u64 = 2048;

/// How much of a line a stranger has to write himself to have it in the log: UW's messages end, behind the name, in ` host=` and
/// his real address, just as its logins do.
fn without_tail(line: &[u8]) -> usize {
    memchr::memmem::rfind(line, b" host=").unwrap_or(line.len())
}

/// nginx names no host there.
fn is_own_file(header: &Header<'_>) -> bool {
    header.host.is_none() && header.program == b"nginx"
}

impl RawNewlines {
    /// How a message may go on behind a newline that begins like one of these.
    pub(super) fn goes_on(&self, message: &[u8]) -> GoesOn {
        let bound = |bounded: &Bounded| {
            let text = reader::read(bounded.message, message)?.user?;
            // It is a part of the message.
            let start = text.as_ptr().addr() - message.as_ptr().addr();
            let length = message.len() as u64 - added(message).min(message.len() as u64);
            (length >= bounded.least as u64).then_some(start + bounded.most)
        };
        let longest = self.bounded.iter().find_map(bound).unwrap_or(self.longest);
        GoesOn { longest, ends: self.ends, holds_nul: self.holds_nul }
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::super::Matchers;
    use crate::time::Timestamp;

    const FORGED: &str = "Nov 27 13:00:01 mail pop3d: LOGIN, user=a, ip=[203.0.113.66]";

    /// The addresses that the lines of a log yield.
    fn clients(matchers: &mut Matchers, log: &str) -> Vec<String> {
        let client = |line: &str| Some(matchers.event(Timestamp::default(), line.as_bytes())?.client.to_string());
        log.lines().filter_map(client).collect()
    }

    fn nothing_in(log: &str) {
        assert_eq!(clients(&mut Matchers::all(), log), [""; 0], "{log}");
        let mut escaped = Matchers::all();
        escaped.take_newlines_for_escaped(true);
        assert_eq!(clients(&mut escaped, log).len(), 1, "the test has no forged line:\n{log}");
    }

    const NGINX: &str = "*210 client login failed: \"no\" while in http auth state, client: 198.51.100.85, server: ";
    const NGINX_LOGIN: &str = "2026/11/22 16:30:13 [info] 806#806: *211 client logged in, client: 203.0.113.66, server: \
                               0.0.0.0:143, login: \"a\", upstream: 127.0.0.2:1143";

    fn own_file(matchers: &mut Matchers, failure: &str, next: &str) -> usize {
        let stamp = "2026/11/22 16:30:13 [info] 806#806: ";
        clients(matchers, &format!("{NGINX_LOGIN}\n{stamp}{NGINX}{failure}\n{next}\n")).len()
    }

    #[test]
    fn what_may_be_a_name_in_the_file_of_nginx_is_not_believed() {
        for name in ["x", "x\"", "x\", upstream: 127.0.0.2:1143"] {
            let failure = format!("0.0.0.0:143, login: \"{name}");
            for mut matchers in [Matchers::all(), {
                let mut matchers = Matchers::all();
                matchers.take_newlines_for_escaped(true);
                matchers
            }] {
                assert_eq!(own_file(&mut matchers, &failure, NGINX_LOGIN), 1, "only the one before");
                assert_eq!(clients(&mut matchers, FORGED), [""; 0]);
                assert_eq!(clients(&mut matchers, NGINX_LOGIN), [""; 0]);
                let filler = "x".repeat(2048);
                assert_eq!(clients(&mut matchers, &format!("{filler}\n{NGINX_LOGIN}")).len(), 1);
            }
        }
    }

    #[test]
    fn behind_a_short_name_of_pop3_only_nginx_may_follow_in_its_file() {
        assert_eq!(own_file(&mut Matchers::all(), "0.0.0.0:110, login: \"x\"", NGINX_LOGIN), 2);
        assert_eq!(own_file(&mut Matchers::all(), "0.0.0.0:110, login: \"x\"", FORGED), 1);
        assert_eq!(own_file(&mut Matchers::all(), "0.0.0.0:110, login: \"x", NGINX_LOGIN), 1, "it goes on");
    }

    #[test]
    fn a_name_with_newlines_is_not_believed_through_syslog() {
        let start = "Nov 27 13:00:00 mail mail nginx: 2026/11/27 13:00:00 [info] 8#8: ";
        for port in ["143", "993", "110"] {
            nothing_in(&format!("{start}{NGINX}0.0.0.0:{port}, login: \"x\n{FORGED}\n\"\n"));
            nothing_in(&format!("{start}{NGINX}0.0.0.0:{port}, login: \"x\"\n{FORGED}\n\"\n"));
        }
        let start = "Nov 27 13:00:00 mail vpopmail[77]: vchkpw-smtp: password fail (pass: 'x";
        nothing_in(&format!("{start}\n{FORGED}\ny') kevin@example.net:198.51.100.9\n"));
        let start = "Nov 27 13:00:00 mail imapd[7]: Login failed user=";
        nothing_in(&format!("{start}\n{FORGED}\n auth=\n{FORGED}\n host=pc.example.net [198.51.100.9]\n").replacen(
            &format!("{FORGED}\n host"),
            " host",
            1,
        ));
    }

    /// A web site of the same nginx decodes `%0A` in a path.
    #[test]
    fn a_path_of_nginx_with_newlines_is_not_believed() {
        let start = "Nov 27 13:00:00 mail mail nginx: 2026/11/27 13:00:00 [error] 8#8: *9 ";
        for words in ["", "open() ", "directory index of "] {
            nothing_in(&format!(
                "{start}{words}\"/srv/www/x\n{FORGED}\n\" is not found (2: No such file or directory)\n"
            ));
        }
    }

    /// `a LOGIN {82}`, that name, `{99999}`.
    #[test]
    fn a_name_in_front_of_an_overlong_literal_of_uw_is_not_believed() {
        let forged = "Nov 27 13:00:01 m pop3d: LOGIN, user=a, ip=[203.0.113.66]";
        for words in ["Overlong (99999) client literal", "Fatal error", "Fatal mailbox error"] {
            nothing_in(&format!("Nov 27 13:00:00 mail imapd[7]: {words} user=x\n{forged}\n host=h [198.51.100.9]\n"));
        }
    }

    #[test]
    fn a_forged_line_does_not_pass_for_the_rest_of_a_cut_message() {
        let long = format!("Nov 27 13:00:00 mail pop3d: LOGIN FAILED, user={}", "A".repeat(490));
        let nginx =
            format!("Nov 27 13:00:00 mail mail nginx: 2026/11/27 13:00:00 [info] 8#8: {NGINX}0.0.0.0:143, login: \"x");
        let log = format!("{long}\n{nginx}\n{FORGED}\n\"\n{}\n{FORGED}\n{FORGED}\n", "x".repeat(2048));
        assert_eq!(clients(&mut Matchers::all(), &log).len(), 1, "the first one is the rest");
    }

    #[test]
    fn escaped_bytes_take_no_room_from_a_stranger() {
        let nginx =
            format!("Nov 27 13:00:00 mail mail nginx: 2026/11/27 13:00:00 [info] 8#8: {NGINX}0.0.0.0:143, login: \"");
        nothing_in(&format!("{nginx}{}\n{}\n{FORGED}\n\"\n", r"\xff".repeat(800), r"\xff".repeat(800)));
    }

    const PERDITION: &str = "Nov 27 13:00:00 mail perdition.imap4[7]: Auth: 198.51.100.9:51363->192.0.2.25:143 \
                             client-secure=plaintext authorisation_id=NONE authentication_id=\"";
    const PERDITION_OK: &str = "\" server=\"127.0.0.1:2143\" protocol=IMAP4 server-secure=plaintext status=\"ok\"";
    const PERDITION_FAILED: &str = "\" server=\"127.0.0.1:2143\" protocol=IMAP4 server-secure=plaintext \
                                    status=\"failed: Re-Authentication Failure\"";

    fn scanned(log: &str, escaped: bool) -> Vec<String> {
        let mut matchers = Matchers::all();
        matchers.take_newlines_for_escaped(escaped);
        let mut clients = Vec::new();
        matchers.scan(Timestamp::default(), log.as_bytes(), &mut |_, event| clients.push(event.client.to_string()));
        clients
    }

    /// As Perdition 2.2 wrote it of IMAP literals.
    #[test]
    fn a_failure_of_perdition_is_no_login_and_holds_none() {
        let own = format!("{PERDITION}x{PERDITION_OK}\nNov 27 13:00:00 mail x: {PERDITION_FAILED}\n");
        let other = format!("{PERDITION}x{PERDITION_FAILED}\n{FORGED}\n{PERDITION_FAILED}\n");
        for (log, forged) in [(own, "198.51.100.9"), (other, "203.0.113.66")] {
            assert_eq!(scanned(&log, false), [""; 0], "{log}");
            assert_eq!(scanned(&log, true), [forged], "the test has no forged line");
        }
        let long =
            format!("{PERDITION}x{PERDITION_OK}\nNov 27 13:00:00 mail x: {}{PERDITION_FAILED}\n", r"\xff".repeat(3000));
        assert_eq!(scanned(&long, false), [""; 0]);
        let genuine = format!("{PERDITION}x{PERDITION_FAILED}\n{PERDITION}alice{PERDITION_OK}\n");
        assert_eq!(scanned(&genuine, false), ["198.51.100.9"]);
        let pop3 = genuine.replace("imap4[", "pop3[").replace("IMAP4", "POP3");
        let next = pop3.clone() + &pop3;
        assert_eq!(scanned(&next, false).len(), 2, "POP3 reads lines");
    }

    /// `a ID ("x" {90}`, in front of any login.
    #[test]
    fn what_a_client_of_cyrus_says_of_itself_is_not_believed() {
        let id = "Nov 27 13:00:00 mail cyrus/imap[7]: client id";
        for start in ["", " sessionid=<cyrus-7-1-1>", " sessionid=<cyrus-7-1-1> userid=<>"] {
            for end in ["\"", "y\" \"z\" NIL"] {
                let log = format!("{id}{start}: \"x\" \"x\n{FORGED}\n{}\n{FORGED}\n{end}\n", "x".repeat(8000));
                assert_eq!(scanned(&log, false), [""; 0], "{log}");
                assert_eq!(scanned(&log, true).len(), 2, "the test has no forged line");
            }
        }
        let login = "Nov 27 13:00:01 mail cyrus/imap[7]: login: [198.51.100.1] alice plaintext User logged in";
        let genuine = format!("{id}: \"name\" \"x\"\n{login}\nNov 27 13:00:01 mail cyrus/imap[7]: open: user alice\n");
        assert_eq!(scanned(&genuine, false), ["198.51.100.1"]);
    }

    /// `AUTHENTICATE DIGEST-MD5` with `x="`, any text, `"`.
    #[test]
    fn what_the_sasl_library_of_cyrus_says_of_a_client_is_not_believed() {
        for (start, end) in [
            ("DIGEST-MD5 unrecognized pair x/y", ": ignoring"),
            ("No reauth info for 'y", "' found"),
            ("ANONYMOUS login: \"y", "\""),
        ] {
            for sasl in ["SASL ", ""] {
                let log = format!("Nov 27 13:00:00 mail cyrus/imap[7]: {sasl}{start}\n{FORGED}\n{end}\n");
                assert_eq!(scanned(&log, false), [""; 0], "{log}");
                assert_eq!(scanned(&log, true).len(), 1, "the test has no forged line");
            }
        }
    }

    /// BusyBox begins a new message behind each NUL of nginx, and believes its tag.
    #[test]
    fn headers_behind_nul_do_not_count() {
        let failure = "Nov 27 13:00:00 mail mail.info nginx: 2026/11/27 13:00:00 [info] 8#8: *9 client login failed: \"x\" while in \
                       http auth state, client: 198.51.100.9, server: 0.0.0.0:143, login: \"x";
        let parts = "Nov 27 13:00:00 mail mail.info a: \n".repeat(500);
        assert_eq!(scanned(&format!("{failure}\n{parts}{FORGED}\n"), false), [""; 0]);
        let parts = "Nov 27 13:00:00 mail mail.info a: \n".repeat(2100);
        assert_eq!(scanned(&format!("{failure}\n{parts}{FORGED}\n"), false), ["203.0.113.66"]);
    }

    /// rsyslog that does not escape newlines makes `#000` of NUL.
    #[test]
    fn escapes_do_not_count() {
        for nul in ["#000", "\\x00", "^A"] {
            let failure = "Nov 27 13:00:00 mail nginx: 2026/11/27 13:00:00 [info] 8#8: *9 client login failed: \"x\" while in \
                           http auth state, client: 198.51.100.9, server: 0.0.0.0:143, login: \"x";
            assert_eq!(scanned(&format!("{failure}{}\n{FORGED}\n", nul.repeat(1500)), false), [""; 0]);
        }
    }

    /// Whoever resets the connection ends a session like this, without an account.
    #[test]
    fn no_end_of_imapd_is_believed() {
        for end in [
            "Connection reset by peer, while reading line",
            "Broken pipe, while discarding unread literal",
            "Command stream end of file, while flushing line",
            "Hangup",
            "Killed (terminated)",
        ] {
            nothing_in(&format!("Nov 27 13:00:00 mail imapd[7]: {end} user=x\n{FORGED}\n host=h [198.51.100.9]\n"));
        }
    }

    /// They may stand in the forged line itself.
    #[test]
    fn escapes_in_the_line_do_not_count_either() {
        let forged = |pad: &str| format!("Nov 27 13:00:01 m pop3d:LOGIN, user={pad}, ip=[203.0.113.66]");
        for escape in ["\\xff", "#001", "^A"] {
            let line = forged(&escape.repeat(22));
            for failure in [
                "imapd[7]: Logout user=x",
                "imapd[7]: Login failed user=abcde auth=x",
                "vpopmail[77]: vchkpw-smtp: password fail (pass: 'x",
                "in.imapproxyd[7]: LOGIN: 'x",
            ] {
                let end = "' (198.51.100.9:1) failed: no host=h [198.51.100.9]";
                let log = format!("Nov 27 13:00:00 mail {failure}\n{line}\n{end}\n");
                assert_eq!(scanned(&log, false), [""; 0], "{log}");
                assert_eq!(scanned(&log, true).len(), 1, "the test has no forged line");
            }
        }
    }

    /// nginx logs all that a client of POP3 has sent at once.
    #[test]
    fn a_command_of_nginx_that_is_too_long_holds_others() {
        nothing_in(
            "Nov 27 13:00:00 mail nginx: 2026/11/27 13:00:00 [info] 8#8: *7 client sent too long command \"x\" while in auth \
             state, client: ::, server: [::]:110\nNov 27 13:00:01 m pop3d:LOGIN, user=a, ip=[9.9.9.9]\nUSER aaaaaaaaaaaaaaaaa\" \
             while in auth state, client: 198.51.100.9, server: 0.0.0.0:110\n",
        );
    }

    /// The quote behind the text is not in the log; rsyslog with its escapes switched off took 8,076 bytes.
    #[test]
    fn what_a_logger_cuts_off_of_cyrus_is_not_missed() {
        for start in ["client id: \"x\" \"w", "SASL ANONYMOUS login: \"w"] {
            for inside in ["", "\nNov 27 13:00:00 m imapd[7]: client id: \"x\" \"w"] {
                let head = format!("{start}{inside}\n{FORGED}\n");
                let cut = format!("{head}{}", "z".repeat(8076 - head.len()));
                let more = "Nov 27 13:00:02 mail postfix/qmgr[3]: A1: removed\n".repeat(300);
                let log = format!("Nov 27 13:00:00 mail cyrus/imap[7]: {cut}\n{more}");
                assert_eq!(scanned(&log, false), [""; 0], "{start}{inside}");
                assert_eq!(scanned(&log, true).len(), 1, "the test has no forged line");
            }
        }
    }

    /// A name of UW's that looks like two.
    #[test]
    fn a_name_of_uw_that_looks_like_two_is_not_shorter() {
        let forged = "Nov 27 13:00:00 m imap:Auth user=a";
        for name in [format!("x auth={}", "y".repeat(20)), "x auth=x host=[1.1.1.1]".to_owned()] {
            let log = format!(
                "Nov 27 13:00:00 mail imapd[7]: Login failed user={name}\n{forged} auth={name}\n{forged} host=[198.51.100.9]\n"
            );
            assert_eq!(scanned(&log, false), [""; 0], "{log}");
        }
    }

    const IMAPPROXY: &str = "Nov 27 13:00:00 mail in.imapproxyd[7]: LOGIN: '";

    /// A name may be a literal, or base64 of AUTHENTICATE LOGIN.
    #[test]
    fn a_failure_of_imapproxy_is_no_login_and_holds_none() {
        let end = "' (198.51.100.9:51363) failed: non-OK server response to LOGIN command";
        let login = "' (203.0.113.66:1) on new sd [5]";
        let own = format!("{IMAPPROXY}x{login}\nNov 27 13:00:00 mail x: {end}\n");
        let other = format!("{IMAPPROXY}x\n{FORGED}\n{end}\n");
        let attempt = other
            .replace("failed: non-OK server response to LOGIN command", "no previous connection: creating a new one");
        let login_of_cyrus_1 = "Nov 27 13:00:00 mail imapd: login: h[203.0.113.66] a plaintext User";
        let tail = format!(
            "{IMAPPROXY}x\n{login_of_cyrus_1}' (198.51.100.9:51363) no previous connection: creating a new one\n"
        );
        let whole = format!("{IMAPPROXY}x{end}\n{FORGED}\n{end}\n");
        let between = format!("{IMAPPROXY}x\n{PERDITION}x\n{FORGED}\n{end}\n");
        for log in [own, other, attempt, tail, whole, between] {
            assert_eq!(scanned(&log, false), [""; 0], "{log}");
            assert_eq!(scanned(&log, true), ["203.0.113.66"], "the test has no forged line");
        }
        let genuine = format!("{IMAPPROXY}x{end}\n{IMAPPROXY}alice{login}\n{IMAPPROXY}bob{login}\n");
        assert_eq!(scanned(&genuine, false).len(), 2);
    }

    /// A reader who looks at a log in pieces must not be shown the first half of a failure alone.
    #[test]
    fn a_part_does_not_hide_what_stands_behind() {
        let failure = format!("{PERDITION}x{PERDITION_OK}\n{FORGED}\nNov 27 13:09:00 mail x: {PERDITION_FAILED}\n");
        let whole = format!("{PERDITION}x{PERDITION_OK}\n{FORGED}\n");
        let counted = |block: &str, part: usize| {
            let (mut matchers, mut found) = (Matchers::all(), 0);
            matchers.scan_part(Timestamp::default(), block.as_bytes(), 0..part, &mut |_, _| found += 1);
            found
        };
        assert_eq!(counted(&whole, whole.len()), 2, "as far as it goes");
        assert_eq!(counted(&failure, whole.len()), 0);
    }

    /// Of a name of 4,000 bytes Perdition writes 4,095 bytes of message, and no verdict.
    #[test]
    fn a_name_that_cuts_off_the_verdict_of_perdition_is_no_login() {
        let start = format!("{PERDITION}x{PERDITION_OK}\n{FORGED}\n");
        let (_, message) = crate::line::syslog::parse(start.as_bytes()).expect("a header");
        let cut = format!("{start}{}\n", "A".repeat(4095 - message.len()));
        assert_eq!(scanned(&cut, false), [""; 0]);
        assert_eq!(scanned(&cut, true).len(), 2, "the test has no forged line");
        assert_eq!(scanned(&format!("{start}{}\n", "A".repeat(4080 - message.len())), false).len(), 2);
    }

    /// UW's own words behind the name make a login of a stranger's real address.
    #[test]
    fn words_of_uw_behind_a_newline_complete_no_login() {
        let forged = "Nov 27 13:00:00 m imap: Login user=a";
        nothing_in(&format!(
            "Nov 27 13:00:00 mail imapd[7]: Logout user=\n{forged} host=pc.example.net [198.51.100.9]\n"
        ));
        nothing_in(&format!(
            "Nov 27 13:00:00 mail imapd[7]: Logout user=x host=[1.1.1.1]\n{forged} host=pc.example.net [198.51.100.9]\n"
        ));
        nothing_in(&format!(
            "Nov 27 13:00:00 mail imapd[7]: Login failed user=al auth=a host=[1.1.1.1]\n{forged} host=h [198.51.100.9]\n"
        ));
    }

    #[test]
    fn a_genuine_login_behind_a_failure_is_too_long_to_be_its_name() {
        let next = "Nov 27 13:00:00 mail imapd[831]: Login user=alice host=[198.51.100.1]";
        for failure in [
            "Login failed user=alice auth=alice host=[198.51.100.9]",
            "Logout user=alice host=pc9.example.net [198.51.100.9]",
        ] {
            let log = format!("Nov 27 13:00:00 mail imapd[830]: {failure}\n{next}\n");
            assert_eq!(clients(&mut Matchers::all(), &log), ["198.51.100.1"], "{log}");
        }
        let nginx = "Nov 27 13:00:00 mail mail nginx: ";
        let log = format!(
            "{nginx}2026/11/27 13:00:00 [info] 8#8: {NGINX}0.0.0.0:110, login: \"alice\"\n{nginx}{NGINX_LOGIN}\n"
        );
        assert_eq!(clients(&mut Matchers::all(), &log).len(), 1, "{log}");
    }
}
