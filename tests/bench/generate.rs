//! A busy mail host's log, made up: the same seed gives the same bytes.
//!
//! Nine lines of ten are Postfix, failed logins, ends of sessions and spam filters; one is a login: of Dovecot mostly,
//! else of Courier, Cyrus or UW imapd.

use std::collections::VecDeque;
use std::io::{self, Write};

/// Writes whole lines until there are `size` bytes, and returns how many of them are logins.
pub(crate) fn log(out: &mut impl Write, size: u64, seed: u64) -> io::Result<u64> {
    let mut host = Host { random: seed.max(1), second: 0, line: Vec::with_capacity(1024), open: VecDeque::new() };
    let (mut written, mut logins) = (0, 0);
    while written < size {
        host.line.clear();
        let login = host.below(10) == 0;
        if login {
            host.login()?
        } else {
            host.noise()?
        }
        host.line.push(b'\n');
        out.write_all(&host.line)?;
        written += host.line.len() as u64;
        logins += u64::from(login);
    }
    out.flush()?;
    Ok(logins)
}

const DOMAINS: &[&str] = &["example.org", "example.net", "mail.example.com", "customers.example.net"];
const USERS: &[&str] = &["alice", "bob", "carol.jones", "scanner-2", "office", "till.07", "d.e.f", "info", "s_miller"];
const METHODS: &[&str] = &["PLAIN", "PLAIN", "LOGIN", "CRAM-MD5"];
const MONTHS: &[&str] = &["Sep", "Oct", "Nov"];

/// Sessions that are open at a time.
const OPEN: usize = 300;

struct Host {
    random: u64,
    second: u64,
    line: Vec<u8>,
    /// How the lines of Dovecot's sessions will begin that are open: `imap(USER)<PID><SESSION>`.
    open: VecDeque<String>,
}

/// Appends to the line.
macro_rules! put {
    ($host:expr, $($text:tt)*) => { write!($host.line, $($text)*) };
}

impl Host {
    /// xorshift64*.
    fn next(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len() as u64) as usize]
    }

    fn address(&mut self) -> String {
        let (a, b) = (self.below(256), self.below(254) + 1);
        match self.below(20) {
            0 => format!("2001:db8:{:x}::{b:x}", a * 17),
            1..6 => format!("203.0.113.{b}"),
            6..11 => format!("198.51.100.{b}"),
            _ => format!("10.{a}.{}.{b}", self.below(256)),
        }
    }

    /// As a server prints it that listens on IPv6 alone.
    fn mapped(&mut self) -> String {
        let address = self.address();
        if address.contains(':') { address } else { format!("::ffff:{address}") }
    }

    fn user(&mut self) -> String {
        match (self.one(USERS), self.below(2)) {
            (user, 0) => format!("{user}{}", self.below(500)),
            (user, _) => format!("{user}@{}", self.one(DOMAINS)),
        }
    }

    /// Queue and session ids are of such letters.
    fn id(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        (0..length).map(|_| char::from(LETTERS[self.below(62) as usize])).collect()
    }

    fn queue_id(&mut self) -> String {
        format!("{:010X}", self.below(1 << 40))
    }

    fn header(&mut self, program: &str) -> io::Result<()> {
        self.second += self.below(8) / 7;
        let (day, time) = (self.second / 86_400, self.second % 86_400);
        let (month, day) = (MONTHS[(day / 30 % 3) as usize], day % 30 + 1);
        put!(self, "{month} {day:2} {:02}:{:02}:{:02} mx1 {program}", time / 3600, time / 60 % 60, time % 60)?;
        if program == "dovecot" { put!(self, ": ") } else { self.pid() }
    }

    fn pid(&mut self) -> io::Result<()> {
        let pid = self.below(30_000) + 1000;
        put!(self, "[{pid}]: ")
    }

    fn login(&mut self) -> io::Result<()> {
        let (user, address) = (self.user(), self.address());
        match self.below(20) {
            0 | 1 => {
                self.header("imapd")?;
                let (address, port) = (self.mapped(), self.below(60_000) + 1024);
                put!(self, "LOGIN, user={user}, ip=[{address}], port=[{port}], protocol=IMAP")
            }
            2 => {
                self.header("cyrus/imaps")?;
                let id = self.id(20);
                put!(self, "login: dsl.example.net [{address}] {user} PLAIN+TLS User logged in SESSIONID=<mx1-{id}>")
            }
            3 => {
                self.header("ipop3d")?;
                put!(self, "Login user={user} host=dsl.example.net [{address}] nmsgs=3/3")
            }
            n => {
                self.header("dovecot")?;
                let (service, method) = (if n % 2 == 0 { "imap" } else { "pop3" }, self.one(METHODS));
                let (pid, session) = (self.below(30_000), self.id(12));
                put!(self, "{service}-login: Login: user=<{user}>, method={method}, rip={address}, lip=192.0.2.25, ")?;
                self.open.push_back(format!("{service}({user})<{pid}><{session}+A>"));
                put!(self, "mpid={pid}, TLS, session=<{session}+A>")
            }
        }
    }

    fn noise(&mut self) -> io::Result<()> {
        match self.below(100) {
            0..60 => self.postfix(),
            60..74 => self.session_end(),
            74..88 => self.failure(),
            88..94 => self.amavis(),
            _ => self.spamd(),
        }
    }

    fn postfix(&mut self) -> io::Result<()> {
        let (address, queue, user) = (self.address(), self.queue_id(), self.user());
        let (domain, id, size) = (self.one(DOMAINS), self.id(11), self.below(90_000));
        match self.below(20) {
            0 | 10..12 => {
                self.header("postfix/smtpd")?;
                put!(self, "connect from host{size}.{domain}[{address}]")
            }
            1 => {
                self.header("postfix/smtpd")?;
                put!(self, "disconnect from unknown[{address}] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5")
            }
            2 => {
                self.header("postfix/smtpd")?;
                put!(self, "{queue}: client=host{size}.{domain}[{address}], sasl_method=PLAIN, sasl_username={user}")
            }
            3 => {
                self.header("postfix/smtpd")?;
                put!(self, "NOQUEUE: reject: RCPT from unknown[{address}]: 554 5.7.1 <{user}>: Relay access denied; ")?;
                put!(self, "from=<{id}@{domain}> to=<{user}> proto=ESMTP helo=<User>")
            }
            4 | 5 => {
                self.header("postfix/cleanup")?;
                put!(self, "{queue}: message-id=<{id}.{size}@{domain}>")
            }
            6 => {
                self.header("postfix/qmgr")?;
                put!(self, "{queue}: from=<{id}@{domain}>, size={size}, nrcpt=1 (queue active)")
            }
            7 | 12..19 => {
                self.header("postfix/qmgr")?;
                put!(self, "{queue}: removed")
            }
            8 => {
                self.header("postfix/smtp")?;
                put!(self, "{queue}: to=<{id}@{domain}>, relay=mx.{domain}[{address}]:25, delay=1.{size}, ")?;
                put!(self, "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {id})")
            }
            _ => {
                self.header("postfix/lmtp")?;
                put!(self, "{queue}: to=<{user}>, relay=mx1[private/dovecot-lmtp], delay=0.3, ")?;
                put!(self, "dsn=2.0.0, status=sent (250 2.0.0 <{user}> {id} Saved)")
            }
        }
    }

    fn session_end(&mut self) -> io::Result<()> {
        let (address, id) = (self.address(), self.id(12));
        let (pid, size) = (self.below(30_000), self.below(90_000));
        match self.below(8) {
            0 => {
                self.header("imapd")?;
                put!(self, "Disconnected, ip=[{address}], time={size}")
            }
            1 => {
                self.header("dovecot")?;
                put!(self, "imap-login: Disconnected: Connection closed (no auth attempts in 0 secs): user=<>, ")?;
                put!(self, "rip={address}, lip=192.0.2.25, session=<{id}+A>")
            }
            _ => {
                if self.open.len() < OPEN {
                    return self.postfix();
                }
                let session = self.open.pop_front().unwrap_or_default();
                self.header("dovecot")?;
                put!(self, "{session}: Disconnected: Logged out in={pid} out={size}")
            }
        }
    }

    fn failure(&mut self) -> io::Result<()> {
        let (user, address, id) = (self.user(), self.address(), self.id(12));
        match self.below(8) {
            0 => {
                self.header("imapd")?;
                put!(self, "LOGIN FAILED, user={user}, ip=[{address}]")
            }
            1 => {
                self.header("ipop3d")?;
                put!(self, "Login failed user={user} auth={user} host=dsl.example.net [{address}]")
            }
            2 => {
                self.header("postfix/smtpd")?;
                put!(self, "warning: unknown[{address}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6")
            }
            3 => {
                self.header("cyrus/imaps")?;
                put!(self, "badlogin: dsl.example.net [{address}] PLAIN [SASL(-13): authentication failure]")
            }
            _ => {
                self.header("dovecot")?;
                put!(self, "imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): ")?;
                put!(self, "user=<{user}>, method=PLAIN, rip={address}, lip=192.0.2.25, TLS, session=<{id}+A>")
            }
        }
    }

    fn amavis(&mut self) -> io::Result<()> {
        let (user, address, id, queue) = (self.user(), self.address(), self.id(12), self.queue_id());
        let (size, hits) = (self.below(90_000), self.below(90));
        self.header("amavis")?;
        put!(self, "({size}-{hits:02}) Passed CLEAN, [{address}] <{id}@example.net> -> <{user}>, ")?;
        put!(self, "Queue-ID: {queue}, Hits: -0.{hits}, size: {size}, {hits}1 ms")
    }

    fn spamd(&mut self) -> io::Result<()> {
        let (user, size, hits) = (self.user(), self.below(90_000), self.below(90));
        self.header("spamd")?;
        put!(self, "spamd: clean message (0.{hits}/5.0) for {user}:112 in 1.{hits} seconds, {size} bytes.")
    }
}
