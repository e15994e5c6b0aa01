//! A site as an operator has it, with files of its own: log, table, main.cf and master.cf.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use pop_before_smtp::time::display;

use crate::support::cases::{self, Case, Site, append_raw, ip, login_line};
use crate::support::command::{Finished, finish};
use crate::support::daemon::Daemon;
use crate::support::write_settled;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pop-before-smtp");

/// A site and its Postfix's configuration, which no Postfix runs with.
pub(crate) struct Clinic {
    pub(crate) site: Site,
    /// What is written into main.cf behind what every one has.
    main_cf: String,
}

impl Clinic {
    /// A site where all is well. `None` if the machine lacks what it needs.
    #[track_caller]
    pub(crate) fn new(case: &'static Case) -> Option<Self> {
        let site = Site::new(case)?;
        fs::create_dir(site.join("etc")).expect("a directory for main.cf");
        let clinic = Self { site, main_cf: String::new() };
        clinic.master_cf("");
        if case.table.ends_with("sqlite") {
            fs::copy(clinic.site.cf(), clinic.cf()).expect("the file of the sqlite table");
        }
        clinic.log(&login_line(ip("198.51.100.7")));
        let restrictions = clinic.restrictions();
        Some(clinic.with(&restrictions))
    }

    /// What `postfix-config` prints.
    pub(crate) fn restrictions(&self) -> String {
        let table = self.table();
        format!(
            "smtpd_relay_restrictions = permit_auth_destination, permit_mynetworks, check_client_access {table}, \
             reject_unauth_destination\n"
        )
    }

    /// The table as it should be named.
    pub(crate) fn table(&self) -> String {
        match self.site.case.table {
            sqlite if sqlite.ends_with("sqlite") => format!("{sqlite}:{}", self.cf().display()),
            kind => format!("{kind}:{}", self.site.map().display()),
        }
    }

    /// The sqlite_table(5) file, where the daemon's documents put it.
    pub(crate) fn cf(&self) -> PathBuf {
        self.site.map_dir().join("pop-before-smtp.cf")
    }

    /// The same site with another main.cf.
    pub(crate) fn with(mut self, main_cf: &str) -> Self {
        self.main_cf(main_cf);
        self
    }

    /// Writes another main.cf.
    pub(crate) fn main_cf(&mut self, text: &str) {
        self.main_cf = text.to_owned();
        let common = "compatibility_level = 3.6\nmynetworks = 127.0.0.0/8 [::1]/128\nmyhostname = mx.example.org\n";
        write_settled(&self.site.join("etc/main.cf"), &format!("{common}{text}"));
    }

    /// Writes master.cf with these lines below the service smtp.
    pub(crate) fn master_cf(&self, more: &str) {
        let chroot = if self.site.case.chrooted { "y" } else { "n" };
        let text = format!("smtp inet n - {chroot} - - smtpd\n{more}");
        write_settled(&self.site.join("etc/master.cf"), &text);
    }

    /// Adds a line to the log.
    pub(crate) fn log(&self, line: &str) {
        append_raw(&self.site.log, format!("{line}\n").as_bytes());
    }

    /// Starts the daemon and waits until it has published the login that was in the log before.
    #[track_caller]
    pub(crate) fn daemon(&self) -> Daemon {
        let daemon = self.site.daemon(&[]);
        self.site.wait_listed(ip("198.51.100.7"));
        daemon
    }

    /// `check` with these options behind those of the site.
    pub(crate) fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.env("MAIL_CONFIG", self.site.join("etc")).arg("check").args(self.site.arguments(more));
        command
    }

    /// What `check` finds.
    #[track_caller]
    pub(crate) fn check(&self, more: &[&str]) -> Findings {
        let _undisturbed = RIVALS.read();
        Findings::of(finish(&mut self.command(more)))
    }

    /// What `check` finds while a rival runs, which no other check may see.
    #[track_caller]
    pub(crate) fn check_beside(&self, _rival: &Rival) -> Findings {
        Findings::of(finish(&mut self.command(&[])))
    }

    /// What `check` finds in a world of its own, which a script has made as root before it starts `check`.
    #[track_caller]
    pub(crate) fn check_behind(&self, script: &str) -> Findings {
        let _undisturbed = RIVALS.read();
        let check = self.command(&[]);
        let mut command = Command::new("unshare");
        let script = format!("{script} && exec \"$0\" \"$@\"");
        command.args(["--mount", "sh", "-ec", &script]).arg(check.get_program()).args(check.get_args());
        Findings::of(finish(command.env("MAIL_CONFIG", self.site.join("etc"))))
    }

    /// What `check` finds as another user, by a copy of the program, because he may have no way to where it was built.
    #[track_caller]
    pub(crate) fn check_as(&self, user: u32) -> Findings {
        let _undisturbed = RIVALS.read();
        let program = self.site.join("program");
        assert!(Command::new("cp").arg(PROGRAM).arg(&program).status().expect("cp").success());
        let check = self.command(&[]);
        let mut command = Command::new(program);
        command.args(check.get_args()).env("MAIL_CONFIG", self.site.join("etc")).uid(user).gid(user);
        Findings::of(finish(&mut command))
    }
}

/// Programs of our name, and a Dovecot that believes others, are told of by every `check` on the machine.
static RIVALS: RwLock<()> = RwLock::new(());

/// The right to run one.
pub(crate) type Rival = RwLockWriteGuard<'static, ()>;

pub(crate) fn rival() -> Rival {
    RIVALS.write().unwrap_or_else(PoisonError::into_inner)
}

/// A line of the log that is of another time. Its first word is its stamp.
pub(crate) fn stamped(line: &str, time: std::time::SystemTime) -> String {
    let (_, rest) = line.split_once(' ').expect("a stamp");
    format!("{} {rest}", display(time))
}

/// Lines and exit code of a check.
#[derive(Debug)]
pub(crate) struct Findings(Finished);

impl Findings {
    #[track_caller]
    fn of(finished: Finished) -> Self {
        for line in finished.stdout.lines() {
            let known = ["ok: ", "warning: ", "error: "].iter().any(|level| line.starts_with(level));
            assert!(known, "{line:?} in {finished:#?}");
            // Whatever is not well has a cure.
            assert!(line.starts_with("ok: ") || line.contains("; "), "{line}");
        }
        let code = match () {
            () if finished.stdout.contains("\nerror: ") || finished.stdout.starts_with("error: ") => 78,
            () if finished.stdout.contains("\nwarning: ") || finished.stdout.starts_with("warning: ") => 1,
            () => 0,
        };
        assert_eq!(finished.code, Some(code), "{finished:#?}");
        assert_eq!(finished.stderr, "", "{finished:#?}");
        Self(finished)
    }

    /// Fails unless there is a line that begins and goes on so.
    #[track_caller]
    pub(crate) fn assert(&self, level: &str, text: &str) -> &Self {
        let found = self.0.stdout.lines().any(|line| line.starts_with(&format!("{level}: ")) && line.contains(text));
        assert!(found, "no {level} with {text:?} in:\n{}", self.0.stdout);
        self
    }

    /// Fails unless nothing is found but what is well.
    #[track_caller]
    pub(crate) fn assert_well(&self) {
        assert_eq!(self.0.code, Some(0), "{}", self.0.stdout);
    }

    /// Fails unless one finding is a warning or an error, and as told.
    #[track_caller]
    pub(crate) fn assert_only(&self, level: &str, text: &str) {
        let bad: Vec<_> = self.0.stdout.lines().filter(|line| !line.starts_with("ok: ")).collect();
        let as_told = bad.len() == 1 && bad[0].starts_with(&format!("{level}: ")) && bad[0].contains(text);
        assert!(as_told, "not only a {level} with {text:?}, but:\n{}", self.0.stdout);
    }

    /// All lines.
    pub(crate) fn text(&self) -> &str {
        &self.0.stdout
    }
}

/// The cases that most findings do not depend on.
pub(crate) const ANY: &Case = &cases::LMDB;
