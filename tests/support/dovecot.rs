//! A private Dovecot on loopback that believes PROXY headers, so that a test can log in from any address.

use super::{SOON, Scratch, eventually, free_port, process, wait_for};
use nix::sys::signal::Signal;
use nix::unistd::{User, chown};
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The password of every account of the instance.
pub(crate) const PASSWORD: &str = "secret";

/// A host that may say where its clients are.
pub(crate) const PROXY: &str = "192.0.2.80";

/// Owner of the mailboxes; a user without other rights that every system has.
const MAIL_USER: &str = "nobody";

/// A running Dovecot: POP3 and IMAP, each on a port of loopback.
pub(crate) struct Dovecot {
    home: Scratch,
    master: Child,
    pub(crate) pop3: u16,
    pub(crate) imap: u16,
}

impl Dovecot {
    pub(crate) fn start() -> Self {
        Self::start_trusting("")
    }

    /// It believes these networks where a client is.
    pub(crate) fn start_trusting(networks: &str) -> Self {
        let mut failure = String::new();
        // As with Postfix: a port may be taken between our asking and Dovecot's binding.
        for _ in 0..5 {
            let home = Scratch::new();
            let (pop3, imap) = (free_port(), free_port());
            configure(&home, (pop3, imap), networks);
            let master = spawn_master(&home);
            let mut dovecot = Self { master, home, pop3, imap };
            if dovecot.is_up() {
                return dovecot;
            }
            let out = fs::read_to_string(dovecot.home.join("dovecot.out")).unwrap_or_default();
            failure = out + &fs::read_to_string(dovecot.log()).unwrap_or_default();
        }
        panic!("Dovecot does not start: {failure}");
    }

    /// Waits until a login is answered, so that the log holds more than the start; false if Dovecot has ended.
    fn is_up(&mut self) -> bool {
        let greets = |port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        let mut ended = false;
        eventually(SOON, || {
            ended = self.master.try_wait().expect("the state of Dovecot").is_some();
            ended || (self.log().exists() && greets(self.pop3) && greets(self.imap))
        });
        !ended
    }

    /// Where smtpd asks for SASL.
    pub(crate) fn auth_socket(&self) -> PathBuf {
        self.home.join("base/auth-client")
    }

    /// Dovecot's own log file.
    pub(crate) fn log(&self) -> PathBuf {
        self.home.join("dovecot.log")
    }

    /// Logs in by POP3 as a client at `client`; whether the password was accepted.
    pub(crate) fn pop3_login(&self, client: IpAddr, user: &str, password: &str) -> bool {
        let mut talk = Talk::open(self.pop3, client).expect("a POP3 connection");
        talk.reply_starting("+OK").expect("a POP3 greeting");
        talk.say(&format!("USER {user}")).expect("USER is sent");
        talk.reply_starting("+OK").expect("an answer to USER");
        talk.say(&format!("PASS {password}")).expect("PASS is sent");
        let answer = talk.reply_starting("").expect("an answer to PASS");
        talk.say("QUIT").expect("QUIT is sent");
        answer.starts_with("+OK")
    }

    /// Logs in by IMAP as a client at `client`; whether the password was accepted.
    pub(crate) fn imap_login(&self, client: IpAddr, user: &str, password: &str) -> bool {
        let mut talk = Talk::open(self.imap, client).expect("an IMAP connection");
        talk.reply_starting("* OK").expect("an IMAP greeting");
        talk.say(&format!("a LOGIN {user} {password}")).expect("LOGIN is sent");
        let answer = talk.reply_starting("a ").expect("an answer to LOGIN");
        talk.say("b LOGOUT").expect("LOGOUT is sent");
        answer.starts_with("a OK")
    }

    /// Logs in by POP3 from `host`, which says by XCLIENT that the client is elsewhere: answered with OK, believed or not.
    pub(crate) fn pop3_login_for(&self, host: IpAddr, client: &str, user: &str) {
        let mut talk = Talk::open(self.pop3, host).expect("a POP3 connection");
        talk.reply_starting("+OK").expect("a POP3 greeting");
        talk.say(&format!("XCLIENT ADDR={client} PORT=40000")).expect("XCLIENT is sent");
        talk.reply_starting("+OK").expect("an answer to XCLIENT");
        talk.say(&format!("USER {user}")).expect("USER is sent");
        talk.reply_starting("+OK").expect("an answer to USER");
        talk.say(&format!("PASS {PASSWORD}")).expect("PASS is sent");
        talk.reply_starting("+OK").expect("a login");
    }

    /// Logs in by IMAP from `host`, which says by ID that the client is elsewhere.
    pub(crate) fn imap_login_for(&self, host: IpAddr, client: &str, user: &str) {
        let mut talk = Talk::open(self.imap, host).expect("an IMAP connection");
        talk.reply_starting("* OK").expect("an IMAP greeting");
        talk.say(&format!("i ID (\"x-originating-ip\" \"{client}\")")).expect("ID is sent");
        talk.reply_starting("i OK").expect("an answer to ID");
        talk.say(&format!("a LOGIN {user} {PASSWORD}")).expect("LOGIN is sent");
        talk.reply_starting("a OK").expect("a login");
    }

    /// Waits until the log holds a line with all of `parts`.
    #[track_caller]
    pub(crate) fn wait_logged(&self, parts: &[&str]) {
        wait_for(&format!("a line with {parts:?} in Dovecot's log"), SOON, || {
            let text = fs::read_to_string(self.log()).unwrap_or_default();
            text.lines().any(|line| parts.iter().all(|part| line.contains(part)))
        });
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        process::send(self.master.id().try_into().expect("a pid"), Signal::SIGTERM);
        if !eventually(SOON, || !matches!(self.master.try_wait(), Ok(None))) {
            let _ = self.master.kill();
            let _ = self.master.wait();
        }
    }
}

/// One client connection, introduced by a PROXY protocol header (version 1).
struct Talk {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

impl Talk {
    fn open(port: u16, client: IpAddr) -> io::Result<Self> {
        let mut writer = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        writer.set_read_timeout(Some(Duration::from_secs(60)))?;
        let (family, server) = if client.is_ipv4() { ("TCP4", "192.0.2.25") } else { ("TCP6", "2001:db8::25") };
        writer.write_all(format!("PROXY {family} {client} {server} 40000 {port}\r\n").as_bytes())?;
        Ok(Self { reader: BufReader::new(writer.try_clone()?), writer })
    }

    fn say(&mut self, command: &str) -> io::Result<()> {
        self.writer.write_all(format!("{command}\r\n").as_bytes())
    }

    /// The next line that begins with `start`; others are skipped.
    fn reply_starting(&mut self, start: &str) -> io::Result<String> {
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                return Err(io::Error::other("the server hung up"));
            }
            if line.starts_with(start) {
                return Ok(line);
            }
        }
    }
}

/// Tells which server is missing beside the master process.
pub(crate) fn missing_server() -> Option<String> {
    let missing = |name: &&str| process::program(name).is_none();
    ["pop3-login", "imap-login", "pop3", "imap"]
        .iter()
        .find(|name| missing(name))
        .map(|name| format!("{name} not found"))
}

fn spawn_master(home: &Scratch) -> Child {
    let out = File::create(home.join("dovecot.out")).expect("a file for its output");
    Command::new(process::program("dovecot").expect("dovecot"))
        .arg("-F")
        .arg("-c")
        .arg(home.join("dovecot.conf"))
        .stdin(Stdio::null())
        .stdout(out.try_clone().expect("the same file"))
        .stderr(out)
        .spawn()
        .expect("dovecot")
}

fn configure(home: &Scratch, ports: (u16, u16), trusted: &str) {
    let mail = home.join("mail");
    fs::create_dir(&mail).expect("a directory for mail");
    let user = User::from_name(MAIL_USER).expect("the user list").expect("the owner of the mail");
    chown(&mail, Some(user.uid), Some(user.gid)).expect("its owner");
    fs::write(home.join("dovecot.conf"), dovecot_conf(home.path(), &user, ports, trusted)).expect("dovecot.conf");
}

fn dovecot_conf(home: &Path, owner: &User, (pop3, imap): (u16, u16), trusted: &str) -> String {
    let (home, uid, gid) = (home.display(), owner.uid, owner.gid);
    let listener = |service: &str, port: u16| {
        format!(
            "service {service}-login {{
  inet_listener {service} {{
    address = 127.0.0.1
    port = {port}
    haproxy = yes
  }}
  inet_listener {service}s {{
    port = 0
  }}
}}
"
        )
    };
    format!(
        "protocols = pop3 imap
listen = 127.0.0.1
base_dir = {home}/base
state_dir = {home}/state
log_path = {home}/dovecot.log
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
haproxy_trusted_networks = 127.0.0.0/8
login_trusted_networks = {trusted}
mail_location = maildir:{home}/mail/%u
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail/%u
}}
service auth {{
  unix_listener auth-client {{
    mode = 0666
  }}
}}
{}{}",
        listener("pop3", pop3),
        listener("imap", imap),
    )
}
