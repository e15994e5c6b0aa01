//! Reads a header in less time where it is laid out like an earlier one. Pure; never allocates.
//!
//! From one line of a log to the next the form of the stamp hardly ever changes, and all that [`super::parse`] asks of its
//! digits is that they are digits. So they are compared all at once.

use std::ops::Range;

use super::origin::{behind_program, is_priority, may_have_unit, program};
use super::stamps::may_be_of_runner;
use super::{HOST, Header, nginx_time, runner, skip_priority};

/// Bytes that are compared: a priority, a stamp of RFC 3339 and the space behind it have up to 38.
const LENGTH: usize = 48;

/// How lines begin: a priority or none, and a stamp of some form. A host must follow.
#[derive(Debug, Clone)]
pub struct Layout {
    begin: Begin,
    /// The same up to the tag, with the host of the line that showed it: nearly always that of the next as well.
    with_host: Option<(Begin, usize)>,
    /// Where the stamp begins, and where the host does.
    time: usize,
    host: usize,
    /// Whether what follows may be a line with a stamp of its own.
    may_hold_line: bool,
}

/// What may stand at the start of a line.
#[derive(Debug, Clone, Copy)]
struct Begin {
    /// The least byte for each place, and how much greater one may be.
    least: [u8; LENGTH],
    span: [u8; LENGTH],
}

impl Begin {
    /// These bytes, behind `time` with other digits.
    fn of(bytes: &[u8], time: Range<usize>) -> Option<Self> {
        let (mut least, mut span) = ([0; LENGTH], [u8::MAX; LENGTH]);
        least.get_mut(..bytes.len())?.copy_from_slice(bytes);
        span[..bytes.len()].fill(0);
        for at in time.filter(|at| bytes[*at].is_ascii_digit()) {
            (least[at], span[at]) = (b'0', 9);
        }
        Some(Self { least, span })
    }

    #[inline]
    fn fits(&self, line: &[u8]) -> bool {
        let Some(start) = line.first_chunk::<LENGTH>() else { return false };
        (0..LENGTH).fold(true, |all, at| all & (start[at].wrapping_sub(self.least[at]) <= self.span[at]))
    }
}

/// Lengths of the shortest and the longest `mail.info`.
const PRIORITY: std::ops::RangeInclusive<usize> = 7..=16;

/// Where the tag of a line is.
#[derive(Debug, Clone, Copy)]
pub struct Tag<'l> {
    /// The program's name.
    pub program: &'l [u8],
    start: usize,
}

impl Layout {
    /// That of a line in which [`super::parse`] found this header, if it has a host and no odd stamp.
    pub fn of(line: &[u8], header: &Header<'_>) -> Option<Self> {
        let rest = skip_priority(line);
        // The stamp in the header may be nginx's own.
        let behind = rest.strip_prefix(header.time)?;
        let is_odd = header.is_behind_runner() || may_have_unit(header.time);
        if header.host.is_none() || is_odd || !behind.starts_with(b" ") {
            return None;
        }
        let (time, host) = (line.len() - rest.len(), line.len() - behind.len() + 1);
        let begin = Begin::of(&line[..host], time..host)?;
        let may_hold_line = may_be_of_runner(header.time);
        let layout = Self { begin, with_host: None, time, host, may_hold_line };
        let tag = layout.tag(line).filter(|_| line[host].is_ascii_alphabetic());
        let with_host = tag.and_then(|tag| Some((Begin::of(&line[..tag.start], time..host)?, tag.start)));
        Some(Self { with_host, ..layout })
    }

    /// The tag of a line that is laid out so. [`super::parse`] finds this program in it or, as what follows may be no
    /// message, none.
    #[inline(always)]
    pub fn tag<'l>(&self, line: &'l [u8]) -> Option<Tag<'l>> {
        match &self.with_host {
            Some((begin, start)) if begin.fits(line) => tag(line, *start),
            _ => self.tag_behind_host(line),
        }
    }

    fn tag_behind_host<'l>(&self, line: &'l [u8]) -> Option<Tag<'l>> {
        let rest = line.get(self.host..).filter(|_| self.begin.fits(line))?;
        let (host, rest) = rest.split_at(HOST.run(rest));
        let is_host = rest.starts_with(b" ") && !host.is_empty() && !host.ends_with(b":") && !self.is_odd(line, host);
        tag(line, self.host + host.len() + 1).filter(|_| is_host)
    }

    /// Whether what stands in the place of the host may be something else.
    fn is_odd(&self, line: &[u8], host: &[u8]) -> bool {
        let may_be_stamp = self.may_hold_line && matches!(host[0], b'0'..=b'9' | b'@');
        may_be_stamp && runner::may_have_own_header(&line[self.host..])
            || PRIORITY.contains(&host.len()) && is_priority(host)
    }

    /// The same as [`super::parse`] for a line with this tag.
    pub fn parse<'l>(&self, line: &'l [u8], tag: Tag<'l>) -> Option<(Header<'l>, &'l [u8])> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Tag { program, start } = tag;
        let (pid, message) = behind_program(line.get(start + program.len()..)?)?;
        let (time, host) = (&line[self.time..self.host - 1], &line[self.host..start - 1]);
        let header = Header { host: Some(host), ..Header::of(time, program, pid) };
        Some(if program == b"nginx" { nginx_time(header, message) } else { (header, message) })
    }
}

/// The tag that begins there.
#[inline]
fn tag(line: &[u8], start: usize) -> Option<Tag<'_>> {
    let (program, rest) = program(line.get(start..)?)?;
    // A space behind it makes it the second host in a line of nginx, a level behind the colon a priority of AIX.
    matches!(rest, [b'[', ..] | [b':', b' ', ..]).then_some(Tag { program, start })
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::parse;
    use super::*;

    const OLD: &str = "Nov 22 15:54:36 mx1 postfix/smtpd[20325]: connect from unknown[192.0.2.1]";
    const NEW: &str = "2026-11-22T16:03:39.123456+00:00 mx1 imapd: LOGIN, user=alice, ip=[192.0.2.1]";

    /// Lines of all kinds, long enough to be compared.
    const LINES: &[&str] = &[
        OLD,
        NEW,
        "Nov  2 00:00:00 mail.example.com imapd[7]:LOGIN, user=alice, ip=[192.0.2.1]",
        "<22>Nov 22 15:54:36 mx1 dovecot: imap-login: Login: user=<a>, rip=192.0.2.1\r",
        "<mail.info>Nov 22 15:54:36 mx1 imapd[7]: LOGIN, user=alice, ip=[192.0.2.1], port=[7]",
        "Nov 22 15:54:36 mx1 mail:info imapd[7]: LOGIN, user=alice, ip=[192.0.2.1], port=[7]",
        "Nov 22 15:54:36 mx1 auth|security:info imapd[7]: LOGIN, user=alice, ip=[192.0.2.1]",
        "Nov 22 15:54:36 mx1 mail:info imapd LOGIN, user=alice, ip=[192.0.2.1], port=[7]",
        "Nov 22 15:54:36 [192.0.2.9.2.2] imapd[7]: [ID 702911 mail.info] LOGIN, user=alice",
        "2026-11-22T16:03:39.123456+00:00 mx1 imapd 7 - - LOGIN, user=alice, ip=[192.0.2.1]",
        "[pod/mail-0/courier] Nov 22 15:54:36 mx1 imapd[7]: LOGIN, user=alice, ip=[192.0.2.1]",
        "2026-11-22 16:03:39Z mx1 ipop3d[7]: Login user=a host=[192.0.2.1] nmsgs=0/0",
        "Nov 22 15:54:36 imap-login: Info: Login: user=<a>, method=PLAIN, rip=192.0.2.1",
        "Nov 22 15:54:36 imap(alice)<7><x>: Info: Disconnected: Logged out in=1 out=2",
        "Nov 22 15:54:36 [imapd] LOGIN, user=alice, ip=[192.0.2.1], protocol=IMAP",
        "Nov 22 15:54:36 mx1 mx1 nginx: 2026/11/22 15:54:36 [info] 7#8: *1 client logged in",
        "Nov 22 15:54:36 mx1  nginx: 2026/11/22 15:54:36 [info] 7#8: *1 client logged in",
        "Nov 22 15:54:36 mx1 nginx: 2026/11/22 15:54:36 [info] 7#8: *1 client logged in",
        "2026/11/22 15:54:36 [info] 7#8: *1 client logged in, client: 192.0.2.1, server: x",
        "Nov 22 15:54:36 2026 [7] (v4.0.9) POP login by user \"a\" at (192.0.2.1) 192.0.2.1",
        "Nov 22 15:54:36 mx1 last message repeated 2 times: [imapd: LOGIN, user=alice]",
        "dovecot: Nov 22 15:54:36 Info: imap-login: Login: user=<a>, rip=192.0.2.1",
        "2026-11-22T16:03:39.123456789Z Nov 22 15:54:36 mx1 imapd: LOGIN, user=alice",
        "2026-11-22T16:03:39.123456789Z 2026/11/22 15:54:36 [info] 7#8: *1 client logged in",
        "2026-11-22T16:03:39.123456+00:00 1 2026-11-22T16:03:39Z mx1 imapd - - - LOGIN, user=a",
        "2026-11-22T16:03:39.123456+00:00 @4000000069285d1a2b3c4d5e imapd: LOGIN, user=alice",
        "2026-11-22T16:03:39.123456+00:00 1795782600.123456 imapd: LOGIN, user=alice, ip=[x]",
        "2026-11-22T16:03:39.123456789Z stdout F Nov 22 15:54:36 imap-login: Info: Login: x",
        "<22>1 2026-11-22T16:03:39.123456+00:00 mx1 imapd 7 - - LOGIN, user=alice, ip=[x]",
        "Nov 22 15:54:36 mail.info imapd[7]: LOGIN, user=alice, ip=[192.0.2.1], protocol=IMAP",
        "Nov 22 15:54:36 mx1 mail.info imapd: LOGIN, user=alice, ip=[192.0.2.1], protocol=IMAP",
        "Nov 22 15:54:36 <mail.info> mx1 imapd: LOGIN, user=alice, ip=[192.0.2.1], protocol=x",
        "Nov 22 15:54:36 mx1 imapd[7]: [ID 702911 mail.info] LOGIN, user=alice, protocol=IMAP",
        "1795782600.123456 mx1 imapd[7]: LOGIN, user=alice, ip=[192.0.2.1], protocol=IMAP",
        "2026 Nov 22 15:54:36 mx1 imapd[7]: LOGIN, user=alice, ip=[192.0.2.1], protocol=IMAP",
        "Fri 2026-11-22 15:54:36 CET mx1 imapd.service[7]: LOGIN, user=alice, protocol=IMAP",
        "dovecot-1  | Nov 22 15:54:36 mx1 imapd[7]: LOGIN, user=alice, ip=[x], protocol=IMAP",
        "Nov 22 15:54:36 (none) imapd[7]:  LOGIN, user=alice, ip=[192.0.2.1], protocol=IMAP",
        "Nov 22 15:54:36 fe80::1%eth0 imapd[7]: LOGIN, user=alice, ip=[192.0.2.1], protocol=x",
        "2026-11-22T16:03:39.123456789Z mail_courier.1.x4f@n1    | Nov 22 15:54:36 imapd: LOGIN",
        "\x1b[36mdovecot-1  | \x1b[0mNov 22 15:54:36 mx1 imapd[7]: LOGIN, user=alice, ip=[x]",
    ];

    fn layout(line: &[u8]) -> Option<Layout> {
        Layout::of(line, &parse(line)?.0)
    }

    /// The program that is found in one line by the layout of another, if the rest is read as well as without.
    fn program<'l>(line: &'l [u8], layout: &Layout) -> Option<&'l [u8]> {
        let tag = layout.tag(line)?;
        let parsed = parse(line);
        assert!(parsed.is_none_or(|(header, _)| header.program == tag.program));
        assert_eq!(layout.parse(line, tag), parsed);
        Some(tag.program)
    }

    #[test]
    fn a_stamp_of_the_same_form_is_enough() {
        let later = OLD.replace("22 15:54:36 mx1", "23 09:00:07 another-host.example.com");
        let layout = layout(OLD.as_bytes()).expect("it has a host");
        assert_eq!(program(later.as_bytes(), &layout), Some(&b"postfix/smtpd"[..]));
        for other in [
            NEW.to_owned(),
            OLD.replace("Nov", "Dec"),
            OLD.replace("54", "5x"),
            OLD.replace("mx1", ""),
            OLD.replace("mx1", "mx1:"),
            OLD.replace("mx1", "mx1 mx1"),
            OLD.replace(" mx1", ".123 mx1"),
            OLD.replace("postfix/smtpd", ""),
            OLD[..LENGTH - 1].to_owned(),
        ] {
            assert_eq!(program(other.as_bytes(), &layout), None, "{other}");
        }
    }

    /// One of the lines, with some bytes changed that could make another header of it.
    fn changed() -> impl Strategy<Value = Vec<u8>> {
        let change = (0..60usize, prop::sample::select(b" :[]()<>.#/09aN\r".to_vec()));
        (prop::sample::select(LINES), prop::collection::vec(change, 0..4)).prop_map(|(line, changes)| {
            let mut line = line.as_bytes().to_vec();
            changes.into_iter().for_each(|(at, byte)| line[at] = byte);
            line
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_line_is_read_as_without(one in changed(), other in changed()) {
            if let Some(layout) = layout(&one) {
                program(&other, &layout);
            }
        }
    }
}
