//! Logs that a hostile or broken host could make: each has far more of something than the report keeps.

use std::io::{Result, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kinds, and what there is too much of.
pub(crate) const KINDS: [(&str, &str); 8] = [
    ("ids", "400,000 messages that never leave the queue"),
    ("addresses", "400,000 addresses that log in and relay"),
    ("users", "400,000 users of 116 bytes, by login and by SASL"),
    ("domains", "400,000 senders and domains at 25,000 addresses"),
    ("all", "60,000 addresses of 40,000 users, 400,000 senders, messages, refusals, over 139 days"),
    ("days", "25,000 addresses over 277 days, and a stamp of 1970"),
    ("sessions", "400,000 sessions that never end, held"),
    ("long", "lines of 1 MiB and of 6 kB"),
];

const LINES: u64 = 400_000;

/// Writes one of them.
pub(crate) fn write(kind: &str, out: &mut impl Write) -> Result<()> {
    if kind == "days" || kind == "sessions" {
        Moment(0).relay(out, "4A001", v4(7), "kevin", "kevin@example.net")?;
    }
    for n in 0..if kind == "long" { 500 } else { LINES } {
        let (second, id) = (Moment(1_600_000_000 + n / 50), format!("{:X}", n + 0x10_0000));
        match kind {
            "ids" => second.client(out, &id, v4(7), "", &format!("{}{n}@x.example", "k".repeat(200)))?,
            "addresses" => second.relay(out, &id, address(n), "kevin", "kevin@x.example")?,
            "users" => {
                let user = format!("{}{n}", "u".repeat(110));
                second.long_login(out, v4(7), &user)?;
                second.client(out, &id, v4(9), &format!(", sasl_method=PLAIN, sasl_username={user}"), "a@b")?;
                second.sent(out, &id)?;
            }
            "domains" => {
                let sender = format!("{n}@{}.{n}.{}.example", "d".repeat(60), "e".repeat(60));
                second.relay(out, &id, v4(n % 25_000), &format!("u{}", n % 25_000), &sender)?;
            }
            "all" => {
                let moment = Moment(1_600_000_000 + n * 30);
                let user = format!("{}{}", "u".repeat(110), n % 40_000);
                let client = address(n % 60_000);
                moment.long_login(out, client, &user)?;
                moment.client(out, &id, client, "", &format!("s{n}@{}.{n}.example", "d".repeat(60)))?;
                moment.sent(out, &id)?;
                moment.refused(out, v4(0x0100_0000 + n % 20_000), &format!("{user}@x"))?;
            }
            "days" => Moment(1_600_000_000 + n * 60).relay(out, &id, v4(n % 25_000), "kevin", "kevin@x.example")?,
            "sessions" => second.open(out, address(n), "kevin", &n.to_string())?,
            _ if n % 2 == 0 => second.login(out, v4(7), &"k".repeat(6000))?,
            _ => writeln!(out, "{second} mail postfix/smtpd[7]: {}", "x".repeat(1 << 20))?,
        }
    }
    out.flush()
}

fn v4(n: u64) -> IpAddr {
    Ipv4Addr::from(0x1400_0000 + n as u32).into()
}

fn address(n: u64) -> IpAddr {
    let network = (0x2001_0db8_u128 << 96) + (u128::from(n) << 64);
    if n.is_multiple_of(2) { Ipv6Addr::from(network + 7).into() } else { v4(n) }
}

/// A second since 1970, as a stamp.
struct Moment(u64);

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = jiff::Timestamp::from_second(self.0 as i64).map_err(|_| std::fmt::Error)?;
        write!(f, "{}", time.strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl Moment {
    fn login(&self, out: &mut impl Write, client: IpAddr, user: &str) -> Result<()> {
        self.open(out, client, user, "a")
    }

    /// By Courier, which logs longer names than Dovecot does.
    fn long_login(&self, out: &mut impl Write, client: IpAddr, user: &str) -> Result<()> {
        writeln!(out, "{self} mail imapd: LOGIN, user={user}, ip=[{client}], port=[9], protocol=IMAP")
    }

    fn open(&self, out: &mut impl Write, client: IpAddr, user: &str, session: &str) -> Result<()> {
        writeln!(
            out,
            "{self} mail dovecot: imap-login: Login: user=<{user}>, method=PLAIN, rip={client}, lip=192.0.2.25, mpid=1, \
             session=<{session}>"
        )
    }

    fn client(&self, out: &mut impl Write, id: &str, client: IpAddr, sasl: &str, sender: &str) -> Result<()> {
        writeln!(out, "{self} mail postfix/smtpd[7]: {id}: client=unknown[{client}]{sasl}")?;
        writeln!(out, "{self} mail postfix/cleanup[7]: {id}: message-id=<{id}@x.example>")?;
        writeln!(out, "{self} mail postfix/qmgr[8]: {id}: from=<{sender}>, size=9, nrcpt=1 (queue active)")
    }

    fn sent(&self, out: &mut impl Write, id: &str) -> Result<()> {
        writeln!(
            out,
            "{self} mail postfix/smtp[9]: {id}: to=<a@b.example>, relay=mx.b.example[192.0.2.9]:25, delay=1, delays=0/0/0/1, \
             dsn=2.0.0, status=sent (250 ok)"
        )
    }

    fn refused(&self, out: &mut impl Write, client: IpAddr, sender: &str) -> Result<()> {
        writeln!(
            out,
            "{self} mail postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[{client}]: 554 5.7.1 <a@b.example>: Relay access \
             denied; from=<{sender}> to=<a@b.example> proto=ESMTP helo=<x>"
        )
    }

    fn relay(&self, out: &mut impl Write, id: &str, client: IpAddr, user: &str, sender: &str) -> Result<()> {
        self.login(out, client, user)?;
        self.client(out, id, client, "", sender)?;
        self.sent(out, id)?;
        writeln!(out, "{self} mail postfix/qmgr[8]: {id}: removed")
    }
}
