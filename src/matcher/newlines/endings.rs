//! Looks behind a line for the end of its message: some messages end in words that a stranger cannot leave away. Pure.

use super::super::{CutFailure, Ends, LONGEST_LINE};
use super::escapes::added;
use crate::line::syslog::{self, Header};
use crate::source::lines::BEHIND;

impl Ends {
    /// Where such an end begins in a line.
    pub(super) fn place_in(&self, line: &[u8]) -> Option<usize> {
        self.texts.iter().filter_map(|text| memchr::memmem::find(line, text.as_bytes())).min()
    }

    /// Whether such an end stands within what is behind a line, of which `passed` bytes of the message are over and `left` may
    /// be to come; or what is there may be cut off. `prefixes` are bytes of no message in there.
    pub(super) fn are_behind(&self, behind: &[u8], passed: u64, left: u64, prefixes: u64) -> bool {
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

impl CutFailure {
    /// Whether what stands behind the line of a login shows that it is the beginning of a failure.
    /// A runtime or runner may have put something in front of each line.
    pub(in crate::matcher) fn shows(&self, header: &Header<'_>, message: &[u8], behind: &[u8]) -> bool {
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

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::super::super::Matchers;
    use super::super::forged::{FORGED, scanned};
    use crate::time::Timestamp;

    const PERDITION: &str = "Nov 27 13:00:00 mail perdition.imap4[7]: Auth: 198.51.100.9:51363->192.0.2.25:143 \
                             client-secure=plaintext authorisation_id=NONE authentication_id=\"";
    const PERDITION_OK: &str = "\" server=\"127.0.0.1:2143\" protocol=IMAP4 server-secure=plaintext status=\"ok\"";
    const PERDITION_FAILED: &str = "\" server=\"127.0.0.1:2143\" protocol=IMAP4 server-secure=plaintext \
                                    status=\"failed: Re-Authentication Failure\"";

    const IMAPPROXY: &str = "Nov 27 13:00:00 mail in.imapproxyd[7]: LOGIN: '";

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
                let log = format!("{id}{start}: \"x\" \"x\n{FORGED}\n{}\n{FORGED}\n{end}\n", "x\n".repeat(4000));
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

    #[test]
    fn a_server_name_of_tls_and_what_a_client_of_cyrus_said_are_not_believed_at_the_end() {
        let ended = "imap[7]: session ended: sessionid=<cyrus-7-1-1>";
        let sni = "TLS Server Name Indication (SNI) Extension: \"";
        for (start, end) in [
            (format!("cyrus/imaps[7]: {sni}x"), "\""),
            (format!("cyrus/https[7]: {sni}x\""), "\""),
            (format!("{ended} userid=<> id.name=<x"), "> "),
            (format!("{ended} userid=<k> id.vendor=<x"), "> id.name=<> id.version=<> "),
            (format!("{ended} userid=<k> id.vendor=<> id.name=<> id.version=<x"), "> idle=<1> "),
            (format!("{ended} userid=<k> id.vendor=<x> id.name=<> id.version=<> "), "> id.name=<> id.version=<> "),
            (format!("{ended} userid=<k> id.vendor=<> id.name=<> id.version=<>"), "> "),
            (format!("{ended} userid=<k> id.vendor=<> id.name=<> id.version=<> "), "> "),
            (format!("{ended} userid=<k> id.vendor=<> id.name=<>"), "> id.version=<> "),
            (format!("{ended} userid=<k> id.vendor=<> id.name=<> idle=<1> "), "> id.version=<> "),
            (format!("{ended} userid=<> id.vendor=<> id.name=<> id.version=<x"), ">"),
            (format!("{ended} userid=<> id.vendor=<> id.name=<> id.version=<x"), "> func=<imapd_log_client_behavior>"),
        ] {
            let log = format!("Nov 27 13:00:00 mail {start}\n{FORGED}\ny{end}\n");
            assert_eq!(scanned(&log, false), [""; 0], "{log}");
            assert_eq!(scanned(&log, true).len(), 1, "the test has no forged line");
        }
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
}
