//! Commands of root in the directory of the daemon's user: whatever he links there, root's own files stay as they are.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::support::command::pop_before_smtp;
use crate::support::{Need, Scratch, require};

/// A user of no database.
const USER: u32 = 47_110;
const SECRET: &str = "root's own\n";

/// A file of root, and a directory of the user beside it, with the map in it.
struct Site {
    scratch: Scratch,
}

impl Site {
    fn new() -> Self {
        let scratch = Scratch::new();
        fs::set_permissions(scratch.path(), Permissions::from_mode(0o755)).unwrap();
        let site = Self { scratch };
        fs::create_dir(site.directory()).unwrap();
        chown(site.directory(), Some(USER), Some(USER)).unwrap();
        fs::write(site.secret(), SECRET).unwrap();
        fs::set_permissions(site.secret(), Permissions::from_mode(0o600)).unwrap();
        site
    }

    fn directory(&self) -> PathBuf {
        self.scratch.path().join("map")
    }

    fn secret(&self) -> PathBuf {
        self.scratch.path().join("secret")
    }

    fn map(&self, suffix: &str) -> PathBuf {
        self.directory().join(format!("m{suffix}"))
    }

    fn run(&self, backend: &str, command: &[&str]) -> (Option<i32>, String) {
        let map = self.map("");
        let in_place: &[&str] = if backend == "lmdb" { &["--lmdb-update", "in-place"] } else { &[] };
        let options = ["--backend", backend, "--map", map.to_str().unwrap(), "--control", ""];
        let finished = pop_before_smtp(&[command, &options, in_place].concat());
        (finished.code, finished.stderr)
    }

    fn is_untouched(&self) -> bool {
        let found = fs::metadata(self.secret()).unwrap();
        let as_it_was = (found.uid(), found.gid(), found.mode() & 0o7777) == (0, 0, 0o600);
        as_it_was && fs::read_to_string(self.secret()).unwrap() == SECRET
    }
}

fn tables() -> [(&'static str, &'static [&'static str]); 2] {
    [("sqlite", &[".sqlite", ".sqlite-wal", ".sqlite-shm", ".sqlite-journal"]), ("lmdb", &[".lmdb", ".lmdb.new"])]
}

fn link(site: &Site, name: &Path) {
    let _ = fs::remove_file(name);
    fs::hard_link(site.secret(), name).unwrap();
}

#[test]
fn no_command_follows_a_hard_link() {
    if !require(&[Need::Root]) {
        return;
    }
    for (backend, files) in tables() {
        let beside = [".lock", ".state", ".overrides", ".overrides.new", ".state.new"];
        for suffix in files.iter().chain(&beside) {
            for command in [&["clear"][..], &["revoke", "198.51.100.1"], &["deny", "198.51.100.0/24"]] {
                let site = Site::new();
                // A table to clear.
                assert_eq!(site.run(backend, &["revoke", "198.51.100.9"]).0, Some(0));
                let made = site.run(backend, &["--once", "--log", "/dev/null"]);
                assert!(made.0.is_some(), "{made:?}");
                link(&site, &site.map(suffix));
                let (code, told) = site.run(backend, command);
                assert!(site.is_untouched(), "{backend} {command:?} {suffix}: {code:?} {told}");
            }
        }
    }
}

#[test]
fn what_root_makes_belongs_to_the_owner_of_the_directory() {
    if !require(&[Need::Root]) {
        return;
    }
    let site = Site::new();
    assert_eq!(site.run("sqlite", &["deny", "198.51.100.0/24"]), (Some(0), String::new()));
    let mut seen = 0;
    for entry in fs::read_dir(site.directory()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().uid(), USER, "{}", entry.path().display());
        seen += 1;
    }
    assert!(seen >= 2, "the lock and the decision");
}

#[test]
fn a_daemon_refuses_files_with_another_name() {
    if !require(&[Need::Root]) {
        return;
    }
    for (backend, suffix) in [("sqlite", ".lock"), ("sqlite", ".sqlite-wal"), ("sqlite", ".sqlite-shm")] {
        let site = Site::new();
        link(&site, &site.map(suffix));
        let (code, told) = site.run(backend, &["--once", "--log", "/dev/null"]);
        assert!(code != Some(0) && told.contains("hard link"), "{backend} {suffix}: {code:?} {told}");
        assert!(site.is_untouched(), "{backend} {suffix}");
    }
    let site = Site::new();
    link(&site, &site.map(".pid"));
    let pid_file = site.map(".pid");
    let (code, told) = site.run("sqlite", &["--once", "--log", "/dev/null", "--pid-file", pid_file.to_str().unwrap()]);
    assert!(code == Some(73) && told.contains("hard link"), "{code:?} {told}");
    assert!(site.is_untouched());
}
