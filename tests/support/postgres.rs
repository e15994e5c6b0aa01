//! A private PostgreSQL on loopback, run by a user without rights, with the tables of `share init` in it.

use super::command::{finish, pop_before_smtp};
use super::{SOON, Scratch, eventually, free_port, process};
use nix::sys::signal::Signal;
use nix::unistd::{User, chown};
use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Who runs it: PostgreSQL refuses root.
const USER: &str = "postgres";

/// Roles that every test may use, with the password that they need over TCP.
pub(crate) const PASSWORD: &str = "secret";
const ROLES: &str = "
CREATE ROLE host1 LOGIN PASSWORD 'secret' IN ROLE pop_before_smtp_giver, pop_before_smtp_taker;
CREATE ROLE host2 LOGIN PASSWORD 'secret' IN ROLE pop_before_smtp_giver, pop_before_smtp_taker;
CREATE ROLE giver LOGIN PASSWORD 'secret' IN ROLE pop_before_smtp_giver;
CREATE ROLE taker LOGIN PASSWORD 'secret' IN ROLE pop_before_smtp_taker;
CREATE ROLE operator LOGIN PASSWORD 'secret' IN ROLE pop_before_smtp_operator;
CREATE ROLE stranger LOGIN PASSWORD 'secret';
";

/// A running server.
pub(crate) struct Postgres {
    home: Scratch,
    server: Option<Child>,
    pub(crate) port: u16,
    /// By how much its clock is wrong, in the words of faketime(1); empty if it is right.
    skew: &'static str,
}

/// Why there is none.
pub(crate) fn missing() -> Option<String> {
    let no_user = || User::from_name(USER).ok().flatten().is_none().then(|| format!("no user {USER}"));
    let no_program = || program("postgres").is_none().then(|| String::from("postgres not found"));
    let without = || (!cfg!(feature = "postgres")).then(|| String::from("built without the feature postgres"));
    without()
        .or_else(no_program)
        .or_else(no_user)
        .or_else(|| process::program("psql").is_none().then(|| "no psql".into()))
}

/// Debian keeps the server's programs in a directory for each version.
fn program(name: &str) -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> =
        versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.is_file()).collect();
    found.sort();
    found.pop().or_else(|| process::program(name))
}

impl Postgres {
    /// Starts one with the tables and the roles.
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// The same with more lines in postgresql.conf.
    pub(crate) fn start_with(settings: &str) -> Self {
        let mut server = Self::empty(settings);
        let made = pop_before_smtp(&["share", "init", "--share-url", &server.url("owner")]);
        assert_eq!(made.code, Some(0), "{made:?}");
        server.sql(ROLES);
        server.assert_runs();
        server
    }

    /// The same with a clock that is wrong by so much.
    pub(crate) fn start_skewed(skew: &'static str) -> Self {
        let mut server = Self::start();
        server.stop();
        server.skew = skew;
        server.start_again();
        let ahead = "SELECT abs(extract(epoch FROM now()) - $1) > 3000";
        let now = jiff::Timestamp::now().as_second().to_string();
        assert_eq!(server.sql(&ahead.replace("$1", &now)), "t", "libfaketime does not work");
        server
    }

    /// Starts one without anything in it.
    pub(crate) fn empty(settings: &str) -> Self {
        let home = Scratch::new();
        let user = User::from_name(USER).expect("the user list").expect("user postgres");
        chown(home.path(), Some(user.uid), Some(user.gid)).expect("its directory");
        let mut server = Self { home, server: None, port: 0, skew: "" };
        let data = server.data().display().to_string();
        let made = finish(server.command("initdb").args([
            "-D",
            &data,
            "-U",
            "owner",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]));
        assert_eq!(made.code, Some(0), "{made:?}");
        // Whoever asks by TCP needs the password; the owner does not.
        let access = "local all all trust\nlocal replication all trust\nhost all owner 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(server.data().join("pg_hba.conf"), access).expect("pg_hba.conf");
        let home = server.home.path().display().to_string();
        let conf = format!(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = '{home}'\nfsync = off\nmax_connections = 50\n{settings}\n"
        );
        fs::write(server.data().join("postgresql.conf"), conf).expect("postgresql.conf");
        for _ in 0..5 {
            server.port = free_port();
            server.spawn();
            if server.is_up() {
                return server;
            }
        }
        panic!("PostgreSQL does not start: {}", server.log());
    }

    /// Starts a standby of it.
    pub(crate) fn standby(&self) -> Self {
        let home = Scratch::new();
        let user = User::from_name(USER).expect("the user list").expect("user postgres");
        chown(home.path(), Some(user.uid), Some(user.gid)).expect("its directory");
        let mut standby = Self { home, server: None, port: free_port(), skew: "" };
        let mut copy = standby.command("pg_basebackup");
        copy.arg("-D").arg(standby.data()).args(["-R", "-c", "fast", "-U", "owner", "-p", &self.port.to_string()]);
        let copied = finish(copy.arg("-h").arg(self.home.path()));
        assert_eq!(copied.code, Some(0), "{copied:?}");
        let conf = fs::read_to_string(standby.file("postgresql.conf")).expect("postgresql.conf");
        let (old, new) = (self.home.path().display().to_string(), standby.home.path().display().to_string());
        fs::write(standby.file("postgresql.conf"), conf.replace(&old, &new)).expect("postgresql.conf");
        standby.spawn();
        standby.assert_runs();
        standby
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// A file in its directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.data().join(name)
    }

    /// A program of the server, run by its user.
    pub(crate) fn command(&self, name: &str) -> Command {
        let user = User::from_name(USER).expect("the user list").expect("user postgres");
        let mut command = Command::new(program(name).expect("a program of PostgreSQL"));
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw()).current_dir(self.home.path()).stdin(Stdio::null());
        command
    }

    fn spawn(&mut self) {
        let out = File::options().create(true).append(true).open(self.home.join("log")).expect("its log");
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        command.stdout(out.try_clone().expect("the same file")).stderr(out);
        if !self.skew.is_empty() {
            let libraries = glob::glob("/usr/lib/*/faketime/libfaketime.so.1").expect("a pattern");
            let library = libraries.flatten().next().expect("the library of faketime");
            command.env("LD_PRELOAD", library).env("FAKETIME", self.skew);
        }
        self.server = Some(command.spawn().expect("postgres"));
    }

    fn is_up(&mut self) -> bool {
        let mut ended = false;
        let up = eventually(SOON, || {
            ended = self.server.as_mut().is_none_or(|server| !matches!(server.try_wait(), Ok(None)));
            ended || self.try_sql("SELECT 1").is_ok()
        });
        up && !ended
    }

    fn assert_runs(&mut self) {
        assert!(self.is_up(), "{}", self.log());
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }

    /// Where it is, for a role, by TCP.
    pub(crate) fn url(&self, role: &str) -> String {
        let password = if role == "owner" { String::new() } else { format!(":{PASSWORD}") };
        format!("postgresql://{role}{password}@127.0.0.1:{}/postgres", self.port)
    }

    fn psql(&self, role: &str, sql: &str) -> Result<String, String> {
        let mut psql = Command::new(process::program("psql").expect("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h"]).arg(self.home.path());
        psql.args(["-p", &self.port.to_string(), "-U", role, "-c", sql, "postgres"]).env("PGCONNECT_TIMEOUT", "5");
        let ran = finish(&mut psql);
        if ran.code == Some(0) { Ok(ran.stdout.trim().to_owned()) } else { Err(ran.stderr) }
    }

    /// What the owner gets for it.
    pub(crate) fn try_sql(&self, sql: &str) -> Result<String, String> {
        self.psql("owner", sql)
    }

    /// The same, when nothing can go wrong.
    #[track_caller]
    pub(crate) fn sql(&self, sql: &str) -> String {
        self.try_sql(sql).unwrap_or_else(|error| panic!("{sql}: {error}; {}", self.log()))
    }

    /// What a role gets for it.
    pub(crate) fn sql_as(&self, role: &str, sql: &str) -> Result<String, String> {
        self.psql(role, sql)
    }

    pub(crate) fn pid(&self) -> i32 {
        self.server.as_ref().expect("it runs").id().try_into().expect("a pid")
    }

    /// Sends a signal to the server and its processes, as a machine that hangs would stop all of them.
    pub(crate) fn send_all(&self, signal: Signal) {
        process::family(self.pid()).into_iter().for_each(|pid| process::send(pid, signal));
    }

    /// Stops it at once, as a machine that dies would.
    pub(crate) fn kill9(&mut self) {
        self.send_all(Signal::SIGKILL);
        if let Some(mut server) = self.server.take() {
            let _ = server.wait();
        }
    }

    /// Stops it, connections and all.
    pub(crate) fn stop(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        process::send(server.id().try_into().expect("a pid"), Signal::SIGINT);
        if !eventually(SOON, || !matches!(server.try_wait(), Ok(None))) {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Starts it again, with the same port.
    pub(crate) fn start_again(&mut self) {
        let _ = fs::remove_file(self.file("postmaster.pid"));
        self.spawn();
        self.assert_runs();
    }

    /// Puts a copy of what it holds aside, as a backup; it must be stopped.
    pub(crate) fn back_up(&self) {
        let copied = finish(Command::new("cp").arg("-a").arg(self.data()).arg(self.home.join("backup")));
        assert_eq!(copied.code, Some(0), "{copied:?}");
    }

    /// Puts the backup in its place; it must be stopped.
    pub(crate) fn restore(&self) {
        fs::rename(self.data(), self.home.join("lost")).expect("the data");
        fs::rename(self.home.join("backup"), self.data()).expect("the backup");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.server.is_some() {
            self.send_all(Signal::SIGCONT);
            self.stop();
        }
    }
}
