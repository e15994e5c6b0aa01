//! A map in a directory of its own, and Postfix's own readers to look into it.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use pop_before_smtp_backends::{DRIVERS, Driver, LmdbUpdate, SQLITE_QUERY, TableOptions};

use crate::support::{SOON, eventually};

/// A backend with the type under which Postfix reads its table.
pub struct Case {
    pub driver: &'static Driver,
    pub map_type: &'static str,
    pub suffix: &'static str,
    pub lmdb_update: LmdbUpdate,
    pub sync: bool,
}

impl Case {
    /// For messages.
    pub fn name(&self) -> String {
        let Self { driver, map_type, lmdb_update, sync, .. } = self;
        format!("{} {map_type} {lmdb_update:?} sync: {sync}", driver.name)
    }

    /// Whether a change goes into the file that readers have open.
    pub fn keeps_its_file(&self) -> bool {
        self.map_type == "sqlite" || self.lmdb_update == LmdbUpdate::InPlace
    }
}

/// All drivers that are compiled in and can work on this machine.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for driver in DRIVERS {
        for &map_type in driver.map_types {
            let Some(suffix) = suffix(map_type) else { continue };
            match unusable(driver, map_type) {
                None => cases.extend(modes(driver).iter().map(|&(lmdb_update, sync)| Case {
                    driver,
                    map_type,
                    suffix,
                    lmdb_update,
                    sync,
                })),
                Some(why) => skip(&format!("{} with {map_type}: {why}", driver.name)),
            }
        }
    }
    cases
}

/// How a table is changed, and whether it is forced to the disk: only `lmdb` knows more than one way.
fn modes(driver: &Driver) -> &'static [(LmdbUpdate, bool)] {
    use LmdbUpdate::{InPlace, Rename};
    if driver.name == "lmdb" {
        &[(Rename, true), (InPlace, true), (Rename, false), (InPlace, false)]
    } else {
        &[(Rename, true)]
    }
}

fn suffix(map_type: &str) -> Option<&'static str> {
    Some(match map_type {
        "hash" | "btree" => ".db",
        "lmdb" => ".lmdb",
        "sqlite" => ".sqlite",
        // Not on any machine we know; the same code as the others.
        _ => return None,
    })
}

fn unusable(driver: &Driver, map_type: &str) -> Option<String> {
    let compiled = match driver.feature {
        "" => true,
        "lmdb" => cfg!(feature = "lmdb"),
        "sqlite" => cfg!(feature = "sqlite"),
        other => panic!("unknown feature {other}"),
    };
    if !compiled {
        return Some("not compiled in".into());
    }
    let postfix = Command::new(sbin("postconf")).arg("-m").output();
    match postfix {
        Err(_) => Some("Postfix is not installed".into()),
        Ok(output) if String::from_utf8_lossy(&output.stdout).lines().any(|known| known == map_type) => None,
        Ok(_) => Some("Postfix does not know this type".into()),
    }
}

/// Says aloud that something is not tested; where everything must be there, that is a failure.
pub fn skip(what: &str) {
    let compiled_out = what.ends_with("not compiled in");
    assert!(compiled_out || std::env::var_os("CI").is_none(), "skipped in CI: {what}");
    eprintln!("SKIPPED {what}");
}

fn sbin(program: &str) -> PathBuf {
    let installed = Path::new("/usr/sbin").join(program);
    if installed.exists() { installed } else { program.into() }
}

/// A map in a directory of its own that everybody can read.
pub struct Site {
    /// Before the directory, which must not be busy when it is removed.
    disk: Option<Disk>,
    pub directory: tempfile::TempDir,
    pub options: TableOptions,
}

impl Site {
    pub fn new(case: &Case) -> Self {
        Self::at(case, tempfile::tempdir().unwrap(), None)
    }

    /// On a file system of its own, of one MiB; `None` where none can be mounted.
    pub fn on_small_disk(case: &Case) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let disk = Disk::mount(directory.path())?;
        Some(Self::at(case, directory, Some(disk)))
    }

    fn at(case: &Case, directory: tempfile::TempDir, disk: Option<Disk>) -> Self {
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let options = TableOptions {
            map_type: Some(case.map_type.to_owned()),
            lmdb_update: case.lmdb_update,
            sync: case.sync,
            ..TableOptions::new(directory.path().join("map"))
        };
        let cf = format!("dbpath = {}.sqlite\nquery = {SQLITE_QUERY}\n", options.map.display());
        fs::write(directory.path().join("map.cf"), cf).unwrap();
        Self { disk, directory, options }
    }

    /// Leaves no room on the small disk.
    pub fn fill_disk(&self) {
        assert!(self.disk.is_some());
        let mut ballast = OpenOptions::new().append(true).create(true).open(self.ballast()).unwrap();
        while ballast.write_all(&[0; 4096]).is_ok() {}
    }

    pub fn free_disk(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.directory.path().join("ballast")
    }

    pub fn table(&self, case: &Case) -> PathBuf {
        self.path(case.suffix)
    }

    pub fn path(&self, suffix: &str) -> PathBuf {
        self.directory.path().join(format!("map{suffix}"))
    }

    /// The table as Postfix names it.
    fn name(&self, case: &Case) -> String {
        let suffix = if case.map_type == "sqlite" { ".cf" } else { "" };
        format!("{}:{}", case.map_type, self.path(suffix).display())
    }

    /// Files in the directory that belong to the map.
    pub fn files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.directory.path()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| !path.ends_with("map.cf")).collect()
    }

    /// One lookup by Postfix.
    pub fn lookup(&self, case: &Case, key: &str, user: User) -> Result<Option<String>, String> {
        answer(&user.run(&sbin("postmap")).args(["-q", key, &self.name(case)]).output().unwrap())
    }

    /// A reader of Postfix that answers one key a line as long as it is asked.
    pub fn reader(&self, case: &Case) -> Child {
        let mut command = Command::new(sbin("postmap"));
        let command = command.args(["-q", "-", &self.name(case)]).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).spawn().unwrap()
    }

    /// Which of `keys` Postfix finds, with their values: one process for all.
    pub fn lookup_all(&self, case: &Case, keys: &[IpAddr], user: User) -> BTreeMap<IpAddr, u64> {
        let mut command = user.run(&sbin("postmap"));
        let command = command.args(["-q", "-", &self.name(case)]).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let text: String = keys.iter().map(|key| format!("{key}\n")).collect();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{}", case.map_type);
        let text = String::from_utf8(output.stdout).unwrap();
        let pair = |line: &str| line.split_once('\t').map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).unwrap();
        text.lines().map(pair).collect()
    }
}

/// A mounted file system.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path) -> Option<Self> {
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "pop-before-smtp-test"]).arg(at).output();
        mount.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A program that another test is just starting has our descriptors for a moment.
        let mut told = String::new();
        let gone = eventually(SOON, || {
            let output = Command::new("umount").arg(&self.0).output().unwrap();
            told = String::from_utf8_lossy(&output.stderr).into_owned();
            output.status.success()
        });
        assert!(gone || std::thread::panicking(), "cannot unmount {}: {told}", self.0.display());
    }
}

/// Who looks a key up.
#[derive(Clone, Copy)]
pub enum User {
    Myself,
    /// Needs root.
    Nobody,
    /// Needs root.
    Postfix,
}

impl User {
    fn run(self, program: &Path) -> Command {
        match self {
            Self::Myself => Command::new(program),
            Self::Nobody => as_user("nobody", "nogroup", program),
            Self::Postfix => as_user("postfix", "postfix", program),
        }
    }
}

fn as_user(user: &str, group: &str, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups"]).arg(program);
    command
}

fn answer(output: &Output) -> Result<Option<String>, String> {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match (output.status.code(), said.is_empty()) {
        (Some(0), true) => Ok(Some(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())),
        (Some(1), true) => Ok(None),
        _ => Err(said),
    }
}
