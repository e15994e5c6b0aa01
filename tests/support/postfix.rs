//! A private Postfix on loopback whose smtpd asks one lookup table who may relay.

use super::smtp::Session;
use super::{SOON, Scratch, eventually, free_port, process, wait_for, write_settled};
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Group, Uid, User, chown};
use std::fs::{self, File};
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A master that outlives its test (which was killed, say) ends by itself after this many seconds.
const LIFETIME: &str = "1800";

/// A running Postfix: master, smtpd on one port of loopback, and the services that a RCPT needs.
pub(crate) struct Postfix {
    home: Scratch,
    master: Child,
    port: u16,
}

impl Postfix {
    /// Starts an instance with `check_client_access TABLE` in its relay restrictions. With `chrooted`, smtpd is
    /// locked into the queue directory, as Debian has it.
    pub(crate) fn start(table: &str, chrooted: bool) -> Self {
        Self::start_with(table, chrooted, "")
    }

    /// The same with more lines in main.cf, where the last line of a parameter counts.
    pub(crate) fn start_with(table: &str, chrooted: bool, main_cf: &str) -> Self {
        Self::start_with_options(table, chrooted, main_cf, "")
    }

    /// The same with options for smtpd in master.cf.
    pub(crate) fn start_with_options(table: &str, chrooted: bool, main_cf: &str, smtpd: &str) -> Self {
        let mut failure = String::new();
        // A port that was free when we asked may be taken when master binds it: then master ends and we ask again.
        for _ in 0..5 {
            let home = Scratch::new();
            let port = free_port();
            configure(&home, table, (port, chrooted), main_cf, smtpd);
            let mut postfix = Self { master: spawn_master(&home), home, port };
            if postfix.is_up() {
                return postfix;
            }
            failure = postfix.log();
        }
        panic!("Postfix does not start: {failure}");
    }

    /// Waits until smtpd's port is ours to connect to; false if master has ended.
    fn is_up(&mut self) -> bool {
        let mut ended = false;
        eventually(SOON, || {
            ended = self.master.try_wait().expect("the state of master").is_some();
            ended || self.log().contains("daemon started")
        });
        !ended && eventually(SOON, || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok())
    }

    /// Reply code to RCPT in a new session of `client`: 250 may relay, 554 may not, 451 table trouble.
    #[track_caller]
    pub(crate) fn rcpt(&self, client: IpAddr) -> u16 {
        let mut session = self.session(client);
        session.rcpt().unwrap_or_else(|error| panic!("RCPT from {client}: {error}; {}", self.log()))
    }

    /// A session of `client` in which RCPT can be asked again and again.
    #[track_caller]
    pub(crate) fn session(&self, client: IpAddr) -> Session {
        Session::open(self.port, client)
            .unwrap_or_else(|error| panic!("SMTP session of {client}: {error}; {}", self.log()))
    }

    /// Whether `client` may relay.
    ///
    /// # Panics
    /// If the answer is neither a plain yes nor a plain no.
    #[track_caller]
    pub(crate) fn may_relay(&self, client: IpAddr) -> bool {
        match self.rcpt(client) {
            250 => true,
            554 => false,
            other => panic!("RCPT from {client} got {other}; {}", self.log()),
        }
    }

    /// Waits until `client` may relay, or may not.
    #[track_caller]
    pub(crate) fn wait_until_relay_is(&self, allowed: bool, client: IpAddr, limit: Duration) {
        let what = format!("relay for {client} to be {}", if allowed { "allowed" } else { "refused" });
        wait_for(&what, limit, || self.may_relay(client) == allowed);
    }

    /// Where its main.cf is, for `MAIL_CONFIG`.
    pub(crate) fn config_directory(&self) -> PathBuf {
        self.home.join("etc")
    }

    /// TCP port of smtpd, for sessions from other threads.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Everything that this instance has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.join("maillog")).unwrap_or_default()
    }

    /// Logged lines that tell of trouble with a table or a process. "table has changed -- restarting" is none.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let trouble = ["fatal:", "panic:", "error:", "warning:"];
        let lines = self.log();
        lines.lines().filter(|line| trouble.iter().any(|word| line.contains(word))).map(str::to_owned).collect()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let master = self.master.id().try_into().expect("a pid");
        // On SIGTERM, master passes the signal on to its process group.
        process::send(master, Signal::SIGTERM);
        if !eventually(SOON, || !matches!(self.master.try_wait(), Ok(None))) {
            let _ = self.master.kill();
            let _ = self.master.wait();
        }
    }
}

/// Starts master without systemd and without `postfix start`, which would want a whole installation.
fn spawn_master(home: &Scratch) -> Child {
    let out = File::create(home.join("master.out")).expect("a file for its output");
    Command::new(Path::new(&postconf(&["-h", "daemon_directory"])).join("master"))
        .arg("-c")
        .arg(home.join("etc"))
        // Not detached: a child of ours, without a session of its own.
        .args(["-d", "-e", LIFETIME])
        // master ends its services by a signal to the process group that it takes for its own.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(out.try_clone().expect("the same file"))
        .stderr(out)
        .spawn()
        .expect("master")
}

fn configure(home: &Scratch, table: &str, (port, chrooted): (u16, bool), more: &str, smtpd: &str) {
    let (etc, spool, data) = (home.join("etc"), home.join("spool"), home.join("data"));
    let postfix = User::from_name("postfix").expect("the user list").expect("user postfix");
    let postdrop = Group::from_name("postdrop").expect("the group list").expect("group postdrop");
    make_dir(&etc, 0o755, None, None);
    make_dir(&spool, 0o755, None, None);
    make_dir(&data, 0o700, Some(postfix.uid), None);
    make_dir(&spool.join("pid"), 0o755, None, None);
    make_dir(&spool.join("private"), 0o700, Some(postfix.uid), None);
    make_dir(&spool.join("public"), 0o710, Some(postfix.uid), Some(postdrop.gid));
    for queue in ["incoming", "active", "deferred", "defer", "bounce", "trace", "flush", "hold", "corrupt"] {
        make_dir(&spool.join(queue), 0o700, Some(postfix.uid), None);
    }
    make_dir(&spool.join("maildrop"), 0o730, Some(postfix.uid), Some(postdrop.gid));
    write_settled(&etc.join("main.cf"), &(main_cf(home.path(), table) + more));
    let master_cf = MASTER_CF.replace("PORT", &port.to_string()).replace("CHROOT", if chrooted { "y" } else { "n" });
    let master_cf = master_cf.replace("OPTIONS", smtpd);
    write_settled(&etc.join("master.cf"), &master_cf);
}

fn make_dir(path: &PathBuf, mode: u32, user: Option<Uid>, group: Option<Gid>) {
    fs::create_dir(path).expect("a directory of Postfix");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
    chown(path, user, group).expect("its owner");
}

/// Whether a line of Postfix's log tells what a proxied table that is replaced costs by Postfix's design: a proxymap that
/// finds its table changed exits at its next connection, and those whom it serves ask again a second later
/// (`proxymap.c`, `pre_accept`; `dict_proxy.c`, `dict_proxy_lookup`).
pub(crate) fn tells_of_a_proxymap_that_starts_anew(line: &str) -> bool {
    line.contains("warning: dict_proxy_lookup: service proxymap:")
}

/// The table is named in main.cf, not in master.cf: proxymap serves only tables that main.cf mentions.
fn main_cf(home: &Path, table: &str) -> String {
    let home = home.display();
    format!(
        "compatibility_level = 3.6
queue_directory = {home}/spool
data_directory = {home}/data
maillog_file = {home}/maillog
maillog_file_prefixes = {home}
myhostname = mx.example.org
mydestination = example.org
mynetworks = 127.0.0.255/32
inet_interfaces = 127.0.0.1
inet_protocols = all
alias_maps =
alias_database =
local_recipient_maps =
smtpd_relay_restrictions = permit_auth_destination, check_client_access {table}, reject
# Also whoever has become another client.
smtpd_authorized_xclient_hosts = 0.0.0.0/0, [::]/0
smtpd_peername_lookup = no
# One answer at once, however often a test asks.
in_flow_delay = 0s
smtpd_error_sleep_time = 0s
smtpd_soft_error_limit = 1000000
smtpd_hard_error_limit = 1000000
smtpd_junk_command_limit = 1000000
smtpd_recipient_limit = 1000000
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
# An smtpd that dies is counted by the test, not waited for.
service_throttle_time = 1s
"
    )
}

/// smtpd, what it asks before it answers RCPT, and the log writer. Service, type, private, unprivileged, chroot,
/// wake-up, process limit, command.
const MASTER_CF: &str = "
127.0.0.1:PORT inet  n - CHROOT - -  smtpd OPTIONS
cleanup    unix      n - n      - 0  cleanup
rewrite    unix      - - n      - -  trivial-rewrite
proxymap   unix      - - n      - -  proxymap
anvil      unix      - - n      - 1  anvil
postlog    unix-dgram n - n     - 1  postlogd
";

fn postconf(arguments: &[&str]) -> String {
    let program = process::program("postconf").expect("postconf");
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().expect("postconf runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Lookup table types that this Postfix knows.
pub(crate) fn table_types() -> Vec<String> {
    postconf(&["-m"]).lines().map(str::to_owned).collect()
}

/// What a lookup with `postmap -q` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    Found(String),
    NotFound,
    /// The table could not be opened or read.
    Failed(String),
}

/// Asks `table` for `key`, as a Postfix process does that has not given up root yet.
pub(crate) fn lookup(table: &str, key: IpAddr) -> Lookup {
    ask(table, key, &mut Command::new(process::program("postmap").expect("postmap")))
}

/// Asks `table` for `key`, as a Postfix process does that has given up root (proxymap, say).
pub(crate) fn lookup_unprivileged(table: &str, key: IpAddr) -> Lookup {
    ask(table, key, &mut unprivileged_postmap())
}

/// Asks `table` for all `keys` as one Postfix process that has given up root; which ones it lists, or what is wrong.
pub(crate) fn find_unprivileged(table: &str, keys: &[IpAddr]) -> Result<Vec<IpAddr>, String> {
    let mut postmap = unprivileged_postmap();
    postmap.args(["-q", "-", table]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut postmap = postmap.spawn().expect("postmap runs");
    let text: String = keys.iter().map(|key| format!("{key}\n")).collect();
    // One that has given up does not read; it tells why.
    let _ = postmap.stdin.take().expect("its input").write_all(text.as_bytes());
    let output = postmap.wait_with_output().expect("its output");
    let errors = String::from_utf8_lossy(&output.stderr);
    if !errors.is_empty() || !matches!(output.status.code(), Some(0 | 1)) {
        return Err(format!("{} {}", errors.trim(), output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| line.split('\t').next()?.parse().ok()).collect())
}

/// postmap as user postfix.
pub(crate) fn unprivileged_postmap() -> Command {
    let postfix = User::from_name("postfix").expect("the user list").expect("user postfix");
    let mut postmap = Command::new(process::program("postmap").expect("postmap"));
    postmap.uid(postfix.uid.as_raw()).gid(postfix.gid.as_raw());
    postmap
}

fn ask(table: &str, key: IpAddr, postmap: &mut Command) -> Lookup {
    let output = postmap.args(["-q", &key.to_string(), table]).stdin(Stdio::null()).output().expect("postmap runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let errors = text(&output.stderr);
    match output.status.code() {
        _ if !errors.is_empty() => Lookup::Failed(errors),
        Some(0) => Lookup::Found(text(&output.stdout)),
        Some(1) => Lookup::NotFound,
        _ => Lookup::Failed(output.status.to_string()),
    }
}

/// Whether `table` lists `client`.
///
/// # Panics
/// If the table cannot be read.
#[track_caller]
pub(crate) fn lists(table: &str, client: IpAddr) -> bool {
    match lookup(table, client) {
        Lookup::Found(_) => true,
        Lookup::NotFound => false,
        Lookup::Failed(why) => panic!("postmap -q {client} {table}: {why}"),
    }
}
