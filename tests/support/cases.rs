//! The backends as an operator sets them up, and a site that uses one of them.

use super::daemon::Daemon;
use super::postfix::{self, Postfix};
use super::{Need, SOON, Scratch, wait_for, write_settled};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// One way to publish and to read: arguments of the daemon, table name in main.cf.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Arguments that choose the backend.
    pub(crate) backend: &'static [&'static str],
    /// The table's name before the colon.
    pub(crate) table: &'static str,
    /// Whether smtpd is locked into the queue directory, as it is on Debian.
    pub(crate) chrooted: bool,
    pub(crate) needs: &'static [Need],
}

pub(crate) const POSTMAP_HASH: Case = Case {
    name: "postmap, hash",
    backend: &["--backend", "postmap", "--map-type", "hash"],
    table: "hash",
    chrooted: false,
    needs: &[Need::Postfix, Need::Table("hash")],
};

pub(crate) const POSTMAP_LMDB: Case = Case {
    name: "postmap, lmdb",
    backend: &["--backend", "postmap", "--map-type", "lmdb"],
    table: "lmdb",
    chrooted: false,
    needs: &[Need::Postfix, Need::Table("lmdb")],
};

pub(crate) const LMDB: Case = Case {
    name: "lmdb",
    backend: &["--backend", "lmdb"],
    table: "lmdb",
    chrooted: false,
    needs: &[Need::Postfix, Need::Table("lmdb")],
};

pub(crate) const LMDB_IN_PLACE: Case = Case {
    name: "lmdb, in place",
    backend: &["--backend", "lmdb", "--lmdb-update", "in-place"],
    table: "lmdb",
    chrooted: false,
    needs: &[Need::Postfix, Need::Table("lmdb")],
};

pub(crate) const SQLITE: Case = Case {
    name: "sqlite",
    backend: &["--backend", "sqlite"],
    table: "sqlite",
    chrooted: false,
    needs: &[Need::Postfix, Need::Table("sqlite")],
};

pub(crate) const SQLITE_PROXIED: Case = Case {
    name: "sqlite through proxymap, smtpd chrooted",
    backend: &["--backend", "sqlite"],
    table: "proxy:sqlite",
    chrooted: true,
    needs: &[Need::Postfix, Need::Table("sqlite"), Need::Table("proxy")],
};

/// A directory with a mail log and a map, and how they are used.
pub(crate) struct Site {
    scratch: Scratch,
    pub(crate) case: &'static Case,
    pub(crate) log: PathBuf,
}

impl Site {
    /// `None` if the machine lacks what the case needs, which `require` has then told.
    #[track_caller]
    pub(crate) fn new(case: &'static Case) -> Option<Self> {
        if !super::require(case.needs) {
            return None;
        }
        let scratch = Scratch::new();
        let log = scratch.new_log("maillog");
        let site = Self { scratch, case, log };
        fs::create_dir(site.map_dir()).expect("a directory for the map");
        write_settled(&site.cf(), &sqlite_cf(&site.map()));
        Some(site)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// The directory of the map, with nothing else in it.
    pub(crate) fn map_dir(&self) -> PathBuf {
        self.join("tables")
    }

    /// Value of `--map`: the table's path without a suffix.
    pub(crate) fn map(&self) -> PathBuf {
        self.map_dir().join("pop-before-smtp")
    }

    /// The file that Postfix reads.
    pub(crate) fn table_file(&self) -> PathBuf {
        let suffix = match self.case.table {
            "hash" => "db",
            "lmdb" => "lmdb",
            _ => "sqlite",
        };
        self.map().with_extension(suffix)
    }

    /// Where a clean stop leaves the grants.
    pub(crate) fn state(&self) -> PathBuf {
        self.map_dir().join("pop-before-smtp.state")
    }

    /// What main.cf refers to if the table is SQLite.
    pub(crate) fn cf(&self) -> PathBuf {
        self.join("pop-before-smtp.cf")
    }

    /// The table as main.cf names it.
    pub(crate) fn table(&self) -> String {
        let file = if self.case.table.ends_with("sqlite") { self.cf() } else { self.map() };
        format!("{}:{}", self.case.table, file.display())
    }

    /// The table as `postmap -q` may ask for it: there is no proxymap without a mail system.
    fn direct_table(&self) -> String {
        let table = self.table();
        table.strip_prefix("proxy:").map(str::to_owned).unwrap_or(table)
    }

    /// Arguments that choose backend and map, then `more`. Every matcher is used, whatever servers this machine has, unless
    /// `more` or its configuration file says which.
    pub(crate) fn map_arguments(&self, more: &[&str]) -> Vec<String> {
        let map = self.map().display().to_string();
        let says_which = more.iter().any(|argument| ["--matcher", "--config"].contains(argument));
        let every: &[&str] = if says_which { &[] } else { &["--matcher", "all"] };
        self.case
            .backend
            .iter()
            .copied()
            .chain(["--map", map.as_str()])
            .chain(every.iter().copied())
            .chain(more.iter().copied())
            .map(str::to_owned)
            .collect()
    }

    /// Arguments for the daemon that follows the site's log, then `more`.
    pub(crate) fn arguments(&self, more: &[&str]) -> Vec<String> {
        let log = self.log.display().to_string();
        self.map_arguments(&[&["--log", log.as_str()], more].concat())
    }

    /// Starts the daemon and waits until it follows the log.
    #[track_caller]
    pub(crate) fn daemon(&self, more: &[&str]) -> Daemon {
        let mut daemon = Daemon::start(&self.arguments(more));
        daemon.wait_following(&self.log);
        daemon
    }

    /// Starts a Postfix that asks the table.
    pub(crate) fn postfix(&self) -> Postfix {
        Postfix::start(&self.table(), self.case.chrooted)
    }

    /// Replaces what is in the log, so that a daemon which starts does not find its logins again.
    pub(crate) fn start_log_anew(&self) {
        // An empty log would make its follower be at its end before it has looked.
        fs::write(&self.log, "Nov 22 15:54:36 mail dovecot: master: Warning: a line that is no login\n")
            .expect("the log");
    }

    /// Writes the line of a login from `client` to the log.
    pub(crate) fn log_in(&self, client: IpAddr) {
        append(&self.log, &login_line(client));
    }

    /// Whether the table lists `client`, as `postmap -q` sees it.
    #[track_caller]
    pub(crate) fn lists(&self, client: IpAddr) -> bool {
        postfix::lists(&self.direct_table(), client)
    }

    /// What `postmap -q` says of `client`.
    pub(crate) fn lookup(&self, client: IpAddr) -> postfix::Lookup {
        postfix::lookup(&self.direct_table(), client)
    }

    /// The same, asked by a process without root's rights.
    pub(crate) fn lookup_unprivileged(&self, client: IpAddr) -> postfix::Lookup {
        postfix::lookup_unprivileged(&self.direct_table(), client)
    }

    /// Which of `clients` a process without root's rights finds, all asked of one table; or why it finds none.
    pub(crate) fn find_unprivileged(&self, clients: &[IpAddr]) -> Result<Vec<IpAddr>, String> {
        postfix::find_unprivileged(&self.direct_table(), clients)
    }

    /// Starts a reader, as user postfix, that keeps the table open until its input ends, and has asked for `client`.
    pub(crate) fn reader_that_stays(&self, client: IpAddr) -> Child {
        let mut postmap = postfix::unprivileged_postmap();
        let mut reader =
            postmap.args(["-q", "-", &self.direct_table()]).stdin(Stdio::piped()).spawn().expect("postmap");
        writeln!(reader.stdin.as_mut().expect("its input"), "{client}").expect("a query");
        reader
    }

    #[track_caller]
    pub(crate) fn wait_listed(&self, client: IpAddr) {
        wait_for(&format!("{client} in {}", self.table()), SOON, || self.lists(client));
    }

    /// Writes the line of a login from `client` and waits until the table lists it: everything that was written to
    /// the log before has then been seen too.
    #[track_caller]
    pub(crate) fn log_in_and_wait(&self, client: IpAddr) {
        self.log_in(client);
        self.wait_listed(client);
    }
}

/// The table file of SQLite: what `postfix-config` prints behind the main.cf lines.
fn sqlite_cf(map: &Path) -> String {
    let map = map.display().to_string();
    let printed = super::command::pop_before_smtp(&["postfix-config", "--backend", "sqlite", "--map", &map]);
    let (main_cf, table) = printed.stdout.split_once(&format!("# {map}.cf\n")).expect("both parts");
    assert!(main_cf.contains(&format!("sqlite:{map}.cf,\n")), "{main_cf}");
    table.to_owned()
}

/// A line as Dovecot 2.3 logs a login through syslog, written now.
pub(crate) fn login_line(client: IpAddr) -> String {
    login_line_at(&stamp_now(), client)
}

/// The time stamp of a line that is written now.
pub(crate) fn stamp_now() -> String {
    format!("{:.0}", jiff::Timestamp::now())
}

/// The same, written long before.
pub(crate) fn old_login_line(client: IpAddr) -> String {
    login_line_at("2020-01-22T16:03:39+00:00", client)
}

fn login_line_at(stamp: &str, client: IpAddr) -> String {
    let server = if client.is_ipv4() { "192.0.2.25" } else { "2001:db8::25" };
    format!(
        "{stamp} mail dovecot: imap-login: Login: user=<kevin>, method=PLAIN, rip={client}, lip={server}, mpid=820, \
         session=<eFVmtd9glbogAQ24AAEAAAAAAAAAAAAL>"
    )
}

/// Adds a line to a log as syslogd would: in one write.
pub(crate) fn append(log: &Path, line: &str) {
    append_raw(log, format!("{line}\n").as_bytes());
}

/// Adds bytes to a log.
pub(crate) fn append_raw(log: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().append(true).open(log).expect("the log");
    file.write_all(bytes).expect("room in the log");
}

/// The address that `text` stands for.
pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}
