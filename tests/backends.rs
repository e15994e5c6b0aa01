//! What every backend promises, checked against the memory model and against Postfix's own readers.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use pop_before_smtp_backends::memory::Memory;
use pop_before_smtp_backends::{
    Backend, Client, DRIVERS, Driver, ErrorKind, Listed, Options, SQLITE_QUERY, Update, driver,
};

/// A backend with the type under which Postfix reads its table.
struct Case {
    driver: &'static Driver,
    map_type: &'static str,
    suffix: &'static str,
}

/// All drivers that are compiled in and can work on this machine.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for driver in DRIVERS {
        for &map_type in driver.map_types {
            let Some(suffix) = suffix(map_type) else { continue };
            match unusable(driver, map_type) {
                None => cases.push(Case { driver, map_type, suffix }),
                Some(why) => skip(&format!("{} with {map_type}: {why}", driver.name)),
            }
        }
    }
    cases
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
    if !["", "lmdb", "sqlite"].contains(&driver.feature) {
        return Some("unknown feature".into());
    }
    let compiled = match driver.feature {
        "lmdb" => cfg!(feature = "lmdb"),
        "sqlite" => cfg!(feature = "sqlite"),
        _ => true,
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
fn skip(what: &str) {
    let compiled_out = what.ends_with("not compiled in");
    assert!(compiled_out || std::env::var_os("CI").is_none(), "skipped in CI: {what}");
    eprintln!("SKIPPED {what}");
}

fn sbin(program: &str) -> PathBuf {
    let installed = Path::new("/usr/sbin").join(program);
    if installed.exists() { installed } else { program.into() }
}

/// A map in a directory of its own that everybody can read.
struct Site {
    directory: tempfile::TempDir,
    options: Options,
}

impl Site {
    fn new(case: &Case) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let options =
            Options { map: directory.path().join("map"), map_type: Some(case.map_type.to_owned()), value: None };
        let cf = format!("dbpath = {}.sqlite\nquery = {SQLITE_QUERY}\n", options.map.display());
        fs::write(directory.path().join("map.cf"), cf).unwrap();
        Self { directory, options }
    }

    fn table(&self, case: &Case) -> PathBuf {
        self.path(case.suffix)
    }

    fn path(&self, suffix: &str) -> PathBuf {
        self.directory.path().join(format!("map{suffix}"))
    }

    /// The table as Postfix names it.
    fn name(&self, case: &Case) -> String {
        let suffix = if case.map_type == "sqlite" { ".cf" } else { "" };
        format!("{}:{}", case.map_type, self.path(suffix).display())
    }

    /// Files in the directory that belong to the map.
    fn files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.directory.path()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| !path.ends_with("map.cf")).collect()
    }

    /// One lookup by Postfix; also under another user.
    fn lookup(&self, case: &Case, key: &str, user: Option<&str>) -> Result<Option<String>, String> {
        let postmap = sbin("postmap");
        let mut command = match user {
            None => Command::new(postmap),
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={user}")).arg("--regid=nogroup").arg("--clear-groups").arg(postmap);
                command
            }
        };
        answer(&command.args(["-q", key, &self.name(case)]).output().unwrap())
    }

    /// Which of `keys` Postfix finds, with their values: one process for all.
    fn lookup_all(&self, case: &Case, keys: &[IpAddr]) -> BTreeMap<IpAddr, u64> {
        use std::io::Write as _;
        use std::process::Stdio;
        let mut child = Command::new(sbin("postmap"))
            .args(["-q", "-", &self.name(case)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let text: String = keys.iter().map(|key| format!("{key}\n")).collect();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let pair = |line: &str| line.split_once('\t').map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).unwrap();
        text.lines().map(pair).collect()
    }
}

fn answer(output: &Output) -> Result<Option<String>, String> {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match (output.status.code(), said.is_empty()) {
        (Some(0), true) => Ok(Some(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())),
        (Some(1), true) => Ok(None),
        _ => Err(said),
    }
}

/// A seeded xorshift generator: the same run every time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// One of sixty addresses, half of them IPv6.
fn address(number: u64) -> IpAddr {
    let low = (number % 30) as u16;
    match number / 30 {
        0 => Ipv4Addr::new(192, 0, 2, low as u8 + 1).into(),
        _ => Ipv6Addr::new(0x2001, 0xdb8, low % 3, 0, 0, low % 2, 0, low + 1).into(),
    }
}

fn all_addresses() -> Vec<IpAddr> {
    (0..60).map(address).collect()
}

/// Some time after now, with a fraction of a second.
fn later(seconds: u64) -> SystemTime {
    SystemTime::now() + Duration::from_secs(3600 + seconds)
}

fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    since.as_secs() + u64::from(since.subsec_nanos() > 0)
}

/// What the daemon's ring knows, and how it makes an update from it.
#[derive(Default)]
struct Ring {
    clients: BTreeMap<IpAddr, SystemTime>,
}

impl Ring {
    fn turn(&mut self, random: &mut Random) -> (Vec<Client>, Vec<Client>, Vec<IpAddr>) {
        let mut touched = BTreeMap::new();
        for _ in 0..random.below(12) {
            touched.insert(address(random.below(60)), random.below(3));
        }
        let (mut added, mut extended, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        for (address, what) in touched {
            let expires = later(random.below(5000));
            match (self.clients.contains_key(&address), what) {
                (true, 0) => {
                    self.clients.remove(&address);
                    removed.push(address);
                    continue;
                }
                (true, _) => extended.push(Client { address, expires }),
                (false, _) => added.push(Client { address, expires }),
            }
            self.clients.insert(address, expires);
        }
        (added, extended, removed)
    }

    fn all(&self) -> Vec<Client> {
        self.clients.iter().map(|(&address, &expires)| Client { address, expires }).collect()
    }
}

fn client(address: &str) -> Client {
    Client { address: address.parse().unwrap(), expires: later(0) }
}

/// Publishes the whole set as a daemon would after a start.
fn publish(backend: &mut dyn Backend, clients: &[Client]) {
    let clients = clients.to_vec();
    backend.publish(&Update { added: &clients, extended: &[], removed: &[], clients: &clients }).unwrap();
}

fn as_table(listed: Vec<Listed>) -> BTreeMap<IpAddr, u64> {
    let count = listed.len();
    let table: BTreeMap<_, _> = listed.into_iter().map(|l| (l.address, seconds(l.expires.unwrap()))).collect();
    assert_eq!(table.len(), count, "an address was listed twice");
    table
}

#[test]
fn random_updates_agree_with_the_model_and_with_postfix() {
    for case in cases() {
        let site = Site::new(&case);
        let (mut model, mut ring) = (Memory::new(), Ring::default());
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let mut backend = (case.driver.open)(&site.options).unwrap();
        for round in 0..25 {
            if round % 7 == 6 {
                drop(backend);
                backend = (case.driver.open)(&site.options).unwrap();
                assert_eq!(as_table(backend.list().unwrap()), model.table(), "{} after a restart", case.map_type);
            }
            let (added, extended, removed) = ring.turn(&mut random);
            let clients = ring.all();
            let update = Update { added: &added, extended: &extended, removed: &removed, clients: &clients };
            backend.publish(&update).unwrap();
            model.publish(&update).unwrap();
            assert_eq!(as_table(backend.list().unwrap()), model.table(), "{} round {round}", case.map_type);
            assert_eq!(site.lookup_all(&case, &all_addresses()), model.table(), "{} round {round}", case.map_type);
        }
        assert!(model.table().len() > 10);
        let mut reader = (case.driver.open_read_only)(&site.options).unwrap();
        assert_eq!(as_table(reader.list().unwrap()), model.table());
    }
}

#[test]
fn a_new_table_is_there_valid_and_empty() {
    for case in cases() {
        let site = Site::new(&case);
        let mut backend = (case.driver.open)(&site.options).unwrap();
        assert_eq!(backend.list().unwrap(), []);
        assert_eq!(site.lookup(&case, "192.0.2.1", None), Ok(None), "{}", case.map_type);
        assert!(fs::metadata(site.table(&case)).unwrap().len() > 0);
        publish(&mut *backend, &[client("192.0.2.1")]);
        publish(&mut *backend, &[]);
        assert_eq!(site.lookup(&case, "192.0.2.1", None), Ok(None), "{}", case.map_type);
    }
}

#[test]
fn reading_needs_a_table_and_creates_nothing() {
    for case in cases() {
        let site = Site::new(&case);
        let error = (case.driver.open_read_only)(&site.options).err().unwrap();
        assert_eq!(error.kind, ErrorKind::NoInput, "{error}");
        assert!(error.to_string().contains(&*site.table(&case).to_string_lossy()), "{error}");
        assert!(error.cure.is_some());
        assert_eq!(site.files(), Vec::<PathBuf>::new());
    }
}

#[test]
fn keys_are_written_as_postfix_asks_for_them() {
    let addresses = ["192.0.2.1", "2001:db8::1", "2001:db8:0:1::", "::1:2:3", "fe80::1", "2001:db8:a:b:c:d:e:f", "::1.2.3.4"];
    for case in cases() {
        let site = Site::new(&case);
        let mut backend = (case.driver.open)(&site.options).unwrap();
        publish(&mut *backend, &addresses.map(client));
        for address in addresses {
            assert!(site.lookup(&case, address, None).unwrap().is_some(), "{} {address}", case.map_type);
        }
        for other in ["192.0.2", "192", "192.0.2.10", "unknown", "2001:db8", "2001:db8:0:0:0:0:0:1"] {
            assert_eq!(site.lookup(&case, other, None), Ok(None), "{} {other}", case.map_type);
        }
        assert_eq!(backend.list().unwrap().len(), addresses.len());
    }
}

#[test]
fn a_fixed_value_is_what_postfix_finds() {
    for case in cases() {
        let mut site = Site::new(&case);
        site.options.value = Some("OK, and \"more\" 'text'".to_owned());
        let mut backend = (case.driver.open)(&site.options).unwrap();
        publish(&mut *backend, &[client("192.0.2.1")]);
        assert_eq!(site.lookup(&case, "192.0.2.1", None), Ok(site.options.value.clone()));
        let listed = Listed { address: "192.0.2.1".parse().unwrap(), expires: None };
        assert_eq!(backend.list().unwrap(), [listed]);
    }
}

#[test]
fn of_two_publishes_at_once_both_are_seen() {
    for case in cases() {
        let site = Site::new(&case);
        let mut backend = (case.driver.open)(&site.options).unwrap();
        let inode = || fs::metadata(site.table(&case)).unwrap().ino();
        publish(&mut *backend, &[client("192.0.2.1")]);
        let (first, held) = (inode(), fs::File::open(site.table(&case)).unwrap());
        publish(&mut *backend, &[client("192.0.2.1"), client("192.0.2.2")]);
        // A whole-file table must be a new file, an SQLite table must not.
        assert_eq!(inode() == first, case.map_type == "sqlite", "{}", case.map_type);
        assert!(site.lookup(&case, "192.0.2.2", None).unwrap().is_some());
        drop(held);
    }
}

/// Started by the tests below as another process or another user: does what its environment says.
#[test]
fn helper() {
    let Ok(task) = std::env::var("PBSM_TEST_TASK") else { return };
    let get = |name| std::env::var(name).unwrap();
    let options = Options { map: get("PBSM_TEST_MAP").into(), map_type: Some(get("PBSM_TEST_TYPE")), value: None };
    let chosen = driver(&get("PBSM_TEST_DRIVER")).unwrap();
    match task.as_str() {
        "publish" => publish(&mut *(chosen.open)(&options).unwrap(), &[client("192.0.2.1")]),
        "refused" => {
            let error = (chosen.open)(&options).err().unwrap();
            assert_eq!(error.kind, ErrorKind::CannotCreate, "{error}");
            assert!(error.cause.ends_with("permission denied"), "{error}");
            assert!(error.cure.unwrap().contains("run as its owner"));
        }
        "crash" => {
            let mut backend = (chosen.open)(&options).unwrap();
            println!("ready");
            for round in 0.. {
                let count = if round % 2 == 0 { 2 } else { 40 };
                publish(&mut *backend, &all_addresses()[..count].iter().map(|a| client(&a.to_string())).collect::<Vec<_>>());
            }
        }
        task => panic!("{task}"),
    }
}

/// This test program as a program for a child process.
fn this_test(case: &Case, site: &Site, task: &str, prefix: &str) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("{prefix} \"$0\" --exact helper --nocapture")]).arg(program);
    command.env("PBSM_TEST_TASK", task).env("PBSM_TEST_MAP", &site.options.map);
    command.env("PBSM_TEST_TYPE", case.map_type).env("PBSM_TEST_DRIVER", case.driver.name);
    command
}

#[test]
fn files_are_readable_whatever_the_umask() {
    for case in cases() {
        let site = Site::new(&case);
        let output = this_test(&case, &site, "publish", "umask 077; exec").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(site.files().len() >= if case.driver.name == "lmdb" { 1 } else { 2 });
        for file in site.files() {
            assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o644, "{}", file.display());
        }
    }
}

#[test]
fn after_a_clean_stop_another_user_can_read_and_so_can_we() {
    for case in cases() {
        if !nix::unistd::geteuid().is_root() {
            return skip("reading as another user: not run as root");
        }
        let site = Site::new(&case);
        let mut backend = (case.driver.open)(&site.options).unwrap();
        publish(&mut *backend, &[client("192.0.2.1")]);
        for stopped in [false, true] {
            if stopped {
                publish(&mut *backend, &[client("192.0.2.1"), client("192.0.2.2")]);
                drop(std::mem::replace(&mut backend, Box::new(Memory::new())));
            }
            let found = site.lookup(&case, "192.0.2.1", Some("nobody"));
            assert!(matches!(found, Ok(Some(_))), "{} stopped: {stopped}: {found:?}", case.map_type);
            assert_eq!(site.lookup(&case, "192.0.2.3", Some("nobody")), Ok(None));
        }
        // A table that another user's reader has touched can still be opened.
        let mut backend = (case.driver.open)(&site.options).unwrap();
        assert_eq!(backend.list().unwrap().len(), 2);
    }
}

#[test]
fn as_root_the_files_belong_to_the_owner_of_the_directory() {
    if !nix::unistd::geteuid().is_root() {
        return skip("files of another owner: not run as root");
    }
    for case in cases() {
        let site = Site::new(&case);
        std::os::unix::fs::chown(site.directory.path(), Some(65534), Some(65534)).unwrap();
        let mut backend = (case.driver.open)(&site.options).unwrap();
        publish(&mut *backend, &[client("192.0.2.1")]);
        for file in site.files() {
            assert_eq!(fs::metadata(&file).unwrap().uid(), 65534, "{}", file.display());
        }
        drop(backend);
        // The owner can go on where root stopped.
        let output = this_test(&case, &site, "publish", SETPRIV).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

const SETPRIV: &str = "exec setpriv --reuid=nobody --regid=nogroup --clear-groups";

#[test]
fn a_directory_that_cannot_be_written_is_reported_with_its_cure() {
    for case in cases() {
        let mut site = Site::new(&case);
        if nix::unistd::geteuid().is_root() {
            let output = this_test(&case, &site, "refused", SETPRIV).output().unwrap();
            assert!(output.status.success(), "{output:?}");
        } else {
            skip("a directory without write permission: not run as root");
        }
        for (below, why) in [("missing/map", "does not exist"), ("map.cf/map", "is not a directory")] {
            site.options.map = site.directory.path().join(below);
            let error = (case.driver.open)(&site.options).err().unwrap();
            assert_eq!(error.kind, ErrorKind::CannotCreate, "{error}");
            assert!(error.action.contains(&*site.options.map.to_string_lossy()), "{error}");
            assert!(error.cause.ends_with(why), "{error}");
            assert!(error.cure.unwrap().ends_with("choose another with --map"));
        }
    }
}

#[test]
fn left_overs_of_a_killed_daemon_are_in_nobodys_way() {
    for case in cases() {
        let site = Site::new(&case);
        for suffix in [".new", ".new.db", ".new.lmdb"] {
            fs::write(site.path(suffix), "left over").unwrap();
        }
        let mut backend = (case.driver.open)(&site.options).unwrap();
        publish(&mut *backend, &[client("192.0.2.1")]);
        assert!(site.lookup(&case, "192.0.2.1", None).unwrap().is_some());
        let own = if case.driver.name == "postmap" { vec![".new", ".new.db", ".new.lmdb"] } else { vec![] };
        for suffix in own {
            assert!(!site.path(suffix).exists(), "{suffix}");
        }
    }
}

#[test]
fn a_reader_finds_a_whole_table_however_the_writer_dies() {
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;
    for case in cases() {
        let site = Site::new(&case);
        let mut random = Random(42);
        for _ in 0..4 {
            let mut child = this_test(&case, &site, "crash", "exec").stdout(Stdio::piped()).spawn().unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            while !lines.next().unwrap().unwrap().ends_with("ready") {}
            for _ in 0..random.below(6) {
                let count = site.lookup_all(&case, &all_addresses()).len();
                assert!([0, 2, 40].contains(&count), "{}: half a table: {count}", case.map_type);
            }
            child.kill().unwrap();
            child.wait().unwrap();
            let count = site.lookup_all(&case, &all_addresses()).len();
            assert!([0, 2, 40].contains(&count), "{}: half a table: {count}", case.map_type);
            let mut backend = (case.driver.open)(&site.options).unwrap();
            assert_eq!(backend.list().unwrap().len(), count);
        }
    }
}

#[test]
fn a_damaged_table_is_replaced_or_refused_never_trusted() {
    for case in cases() {
        for garbage in ["garbage\n".repeat(3000), "x".to_owned()] {
            let site = Site::new(&case);
            fs::write(site.table(&case), &garbage).unwrap();
            match (case.driver.open)(&site.options) {
                Ok(mut backend) => {
                    assert_ne!(case.map_type, "sqlite");
                    assert_eq!(backend.list().unwrap(), []);
                    assert_eq!(site.lookup(&case, "192.0.2.1", None), Ok(None));
                }
                Err(error) => {
                    assert_eq!((case.map_type, error.kind), ("sqlite", ErrorKind::Config), "{error}");
                    assert!(error.cure.unwrap().starts_with("move "));
                    assert_eq!(fs::read(site.table(&case)).unwrap(), garbage.as_bytes());
                }
            }
        }
    }
}

#[test]
fn an_empty_file_becomes_a_table() {
    for case in cases() {
        let site = Site::new(&case);
        fs::write(site.table(&case), "").unwrap();
        let mut backend = (case.driver.open)(&site.options).unwrap();
        publish(&mut *backend, &[client("192.0.2.1")]);
        assert!(site.lookup(&case, "192.0.2.1", None).unwrap().is_some());
    }
}

#[test]
fn the_table_of_drivers_is_complete() {
    let names: Vec<&str> = DRIVERS.iter().map(|driver| driver.name).collect();
    assert_eq!(names, ["postmap", "lmdb", "sqlite"]);
    assert!(driver("mysql").is_none());
    let options = Options { map: "/etc/postfix/map".into(), map_type: Some("hash".into()), value: None };
    let said = |name| (driver(name).unwrap().describe)(&options);
    assert_eq!(said("postmap"), "Postmap command: postmap -r hash:/etc/postfix/map");
    assert_eq!(said("lmdb"), "Table file: /etc/postfix/map.lmdb");
    assert_eq!(said("sqlite"), "Table file: /etc/postfix/map.sqlite");
    for driver in DRIVERS {
        assert_eq!(driver.expires_rows, driver.name == "sqlite");
        let compiled = driver.feature.is_empty()
            || driver.feature == "lmdb" && cfg!(feature = "lmdb")
            || driver.feature == "sqlite" && cfg!(feature = "sqlite");
        if !compiled {
            let error = (driver.open)(&options).err().unwrap();
            let name = driver.name;
            assert_eq!(error.kind, ErrorKind::Config);
            let text = format!("cannot open backend {name}: not compiled in; build with --features {name}");
            assert_eq!(error.to_string(), text);
        }
    }
}
