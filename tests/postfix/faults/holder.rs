//! Another process that has a lock on the table, and may be stopped with it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::lock::hold_lock;

const TABLE: &str = "PBSM_TEST_TABLE";

/// Started by [`Holder::reader`] as another process: takes the lock of a Postfix lookup and keeps it until its input
/// ends.
#[test]
fn helper() {
    let Some(table) = std::env::var_os(TABLE) else { return };
    hold_lock(table);
}

pub(crate) struct Holder {
    child: Child,
    /// Or it could not write its last words.
    _output: BufReader<ChildStdout>,
}

impl Holder {
    /// A reader in the middle of a lookup.
    pub(crate) fn reader(table: &Path) -> Self {
        if table.extension().is_some_and(|suffix| suffix == "sqlite") {
            return Self::sqlite(table, "BEGIN; SELECT count(*) FROM client; SELECT 'ready';");
        }
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "faults::holder::helper", "--nocapture"]).env(TABLE, table);
        Self::start(&mut command, "")
    }

    /// Another writer, in the middle of a change.
    pub(crate) fn writer(table: &Path) -> Self {
        Self::sqlite(table, "BEGIN IMMEDIATE; SELECT 'ready';")
    }

    /// Puts all that is in the log of SQLite into the database.
    pub(crate) fn checkpoint(table: &Path) {
        drop(Self::sqlite(table, "PRAGMA wal_checkpoint(FULL); SELECT 'ready';"));
    }

    fn sqlite(table: &Path, statements: &str) -> Self {
        Self::start(Command::new("sqlite3").arg(table), &format!("{statements}\n"))
    }

    fn start(command: &mut Command, input: &str) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(input.as_bytes()).unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.trim_end().ends_with("ready") {
            line.clear();
            assert!(output.read_line(&mut line).unwrap() > 0, "{command:?} has ended");
        }
        Self { child, _output: output }
    }

    pub(crate) fn stop(self) -> Self {
        kill(self.pid(), Signal::SIGSTOP).unwrap();
        self
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Lets one that was stopped go on, to its end.
        let _ = kill(self.pid(), Signal::SIGCONT);
        let _ = self.child.wait();
    }
}
