//! What every backend promises, checked against the memory model and against Postfix's own readers.
//!
//! Postfix must be installed; it need not run. Without an /etc/postfix/main.cf, set `MAIL_CONFIG` to a directory that
//! holds an empty one.

#![allow(unreachable_pub)]

mod faults;
mod in_place;
mod model;
mod rights;
mod ring;
mod site;

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use nix::unistd::geteuid;
use pop_before_smtp_backends::{Backend, Client, DRIVERS, ErrorKind, Listed, LmdbUpdate, TableOptions, Update, driver};

use crate::support::lock::hold_lock;
use ring::{Random, all_addresses, later, seconds};
use site::User::{Myself, Postfix};
use site::{Case, Site, cases, skip};

fn client(address: &str) -> Client {
    Client { address: address.parse().unwrap(), expires: later(0) }
}

/// Publishes the set, with the differences to what is there.
fn publish(backend: &mut dyn Backend, clients: &[Client]) {
    let clients = clients.to_vec();
    let kept = |address| clients.iter().any(|client| client.address == address);
    let held: Vec<IpAddr> = backend.list().unwrap().iter().map(|listed| listed.address).collect();
    let removed: Vec<IpAddr> = held.into_iter().filter(|&address| !kept(address)).collect();
    backend.publish(&Update { added: &clients, extended: &[], removed: &removed, clients: &clients }).unwrap();
}

fn as_table(listed: Vec<Listed>) -> BTreeMap<IpAddr, u64> {
    let count = listed.len();
    let table: BTreeMap<_, _> = listed.into_iter().map(|l| (l.address, seconds(l.expires.unwrap()))).collect();
    assert_eq!(table.len(), count, "an address was listed twice");
    table
}

#[test]
fn a_new_table_is_there_valid_and_empty() {
    for case in cases() {
        let site = Site::new(&case);
        let mut backend = (case.driver.open)(&site.options).unwrap();
        assert_eq!(backend.list().unwrap(), []);
        assert_eq!(site.lookup(&case, "192.0.2.1", Myself), Ok(None), "{}", case.name());
        assert!(fs::metadata(site.table(&case)).unwrap().len() > 0);
        publish(&mut *backend, &[client("192.0.2.1")]);
        publish(&mut *backend, &[]);
        assert_eq!(site.lookup(&case, "192.0.2.1", Myself), Ok(None), "{}", case.name());
    }
}

#[test]
fn reading_needs_a_table_and_creates_nothing() {
    for case in cases() {
        let site = Site::new(&case);
        let error = (case.driver.open_read_only)(&site.options).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Missing, "{error}");
        assert_eq!(error.cause, "no such file or directory");
        assert!(error.to_string().contains(&*site.table(&case).to_string_lossy()), "{error}");
        assert!(error.cure.is_some());
        assert_eq!(site.files(), Vec::<PathBuf>::new());
    }
}

#[test]
fn keys_are_written_as_postfix_asks_for_them() {
    let addresses =
        ["192.0.2.1", "2001:db8::1", "2001:db8:0:1::", "::1:2:3", "fe80::1", "2001:db8:a:b:c:d:e:f", "::1.2.3.4"];
    for case in cases() {
        let site = Site::new(&case);
        let mut backend = (case.driver.open)(&site.options).unwrap();
        publish(&mut *backend, &addresses.map(client));
        for address in addresses {
            assert!(site.lookup(&case, address, Myself).unwrap().is_some(), "{} {address}", case.name());
        }
        for other in ["192.0.2", "192", "192.0.2.10", "unknown", "2001:db8", "2001:db8:0:0:0:0:0:1"] {
            assert_eq!(site.lookup(&case, other, Myself), Ok(None), "{} {other}", case.name());
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
        assert_eq!(site.lookup(&case, "192.0.2.1", Myself), Ok(site.options.value.clone()));
        let listed = Listed { address: "192.0.2.1".parse().unwrap(), expires: None };
        assert_eq!(backend.list().unwrap(), [listed]);
    }
}

#[test]
fn a_row_that_has_expired_does_not_match() {
    for case in cases() {
        if !case.driver.expires_rows {
            continue;
        }
        let site = Site::new(&case);
        let mut backend = (case.driver.open)(&site.options).unwrap();
        let past =
            Client { address: "192.0.2.1".parse().unwrap(), expires: SystemTime::now() - Duration::from_secs(1) };
        publish(&mut *backend, &[past, client("192.0.2.2")]);
        assert_eq!(site.lookup(&case, "192.0.2.1", Myself), Ok(None));
        assert!(site.lookup(&case, "192.0.2.2", Myself).unwrap().is_some());
        assert_eq!(backend.list().unwrap().len(), 2);
        // A further login.
        let again = [client("192.0.2.1")];
        let update = Update { added: &[], extended: &again, removed: &[], clients: &again.to_vec() };
        backend.publish(&update).unwrap();
        assert!(site.lookup(&case, "192.0.2.1", Myself).unwrap().is_some());
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
        // A whole-file table must be a new file, one that is changed in place must not.
        assert_eq!(inode() == first, case.keeps_its_file(), "{}", case.name());
        assert!(site.lookup(&case, "192.0.2.2", Myself).unwrap().is_some());
        drop(held);
    }
}

/// Started by the tests below as another process or another user: does what its environment says.
#[test]
fn helper() {
    let Ok(task) = std::env::var("PBSM_TEST_TASK") else { return };
    let get = |name| std::env::var(name).unwrap();
    let lmdb_update = if get("PBSM_TEST_UPDATE") == "InPlace" { LmdbUpdate::InPlace } else { LmdbUpdate::Rename };
    let (map_type, sync) = (Some(get("PBSM_TEST_TYPE")), get("PBSM_TEST_SYNC") == "true");
    let options = TableOptions { map_type, lmdb_update, sync, ..TableOptions::new(get("PBSM_TEST_MAP")) };
    let chosen = driver(&get("PBSM_TEST_DRIVER")).unwrap();
    match task.as_str() {
        "publish" => publish(&mut *(chosen.open)(&options).unwrap(), &[client("192.0.2.1")]),
        "refused" => {
            let error = (chosen.open)(&options).err().unwrap();
            assert_eq!(error.kind, ErrorKind::CannotCreate, "{error}");
            assert!(error.cause.ends_with("permission denied"), "{error}");
            assert!(error.cure.unwrap().contains("run as its owner"));
        }
        "list" => assert_eq!((chosen.open_read_only)(&options).unwrap().list().unwrap().len(), 2),
        "not list" => {
            let error = (chosen.open_read_only)(&options).err().unwrap();
            assert_eq!((error.kind, error.cause.as_str()), (ErrorKind::NoInput, "permission denied"), "{error}");
            assert!(error.cure.unwrap().starts_with("run as root, or as the owner"));
        }
        "hold lock" => hold_lock(get("PBSM_TEST_TABLE")),
        "crash" => {
            let mut backend = (chosen.open)(&options).unwrap();
            println!("ready");
            for round in 0.. {
                let count = if round % 2 == 0 { 2 } else { 40 };
                publish(
                    &mut *backend,
                    &all_addresses()[..count].iter().map(|a| client(&a.to_string())).collect::<Vec<_>>(),
                );
                // A daemon rests between publishes. Without that a reader may get no lock for as long as it waits for one.
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        task => panic!("{task}"),
    }
}

/// This test program as a program for a child process.
fn this_test(case: &Case, site: &Site, task: &str, prefix: &str) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("{prefix} \"$0\" --exact backends::helper --nocapture")]).arg(program);
    command.env("PBSM_TEST_TASK", task).env("PBSM_TEST_MAP", &site.options.map);
    command.env("PBSM_TEST_TYPE", case.map_type).env("PBSM_TEST_DRIVER", case.driver.name);
    command.env("PBSM_TEST_UPDATE", format!("{:?}", case.lmdb_update));
    command.env("PBSM_TEST_SYNC", site.options.sync.to_string());
    command
}

#[test]
fn a_table_is_forced_to_the_disk_unless_told_not_to() {
    if Command::new("strace").arg("-V").output().is_err() {
        return skip("forcing to the disk: strace is not installed");
    }
    for case in cases().into_iter().filter(|case| case.driver.name == "lmdb") {
        let site = Site::new(&case);
        let trace = site.directory.path().join("trace");
        let strace = format!("exec strace -f -e trace=fsync,fdatasync -o {}", trace.display());
        let output = this_test(&case, &site, "publish", &strace).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let calls = fs::read_to_string(trace).unwrap().matches("sync(").count();
        assert_eq!(calls > 0, case.sync, "{}: {calls} calls", case.name());
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
                // Each of these lookups may see another state, but none an error.
                site.lookup_all(&case, &all_addresses(), Myself);
                let count = (case.driver.open_read_only)(&site.options).unwrap().list().unwrap().len();
                assert!([0, 2, 40].contains(&count), "{}: half a table: {count}", case.name());
            }
            child.kill().unwrap();
            child.wait().unwrap();
            let user = if geteuid().is_root() { Postfix } else { Myself };
            let count = site.lookup_all(&case, &all_addresses(), user).len();
            assert!([0, 2, 40].contains(&count), "{}: half a table: {count}", case.name());
            let mut backend = (case.driver.open)(&site.options).unwrap();
            assert_eq!(backend.list().unwrap().len(), count);
        }
    }
}

#[test]
fn the_table_of_drivers_is_complete() {
    let names: Vec<&str> = DRIVERS.iter().map(|driver| driver.name).collect();
    assert_eq!(names, ["postmap", "lmdb", "sqlite"]);
    assert!(driver("mysql").is_none());
    let options = TableOptions { map_type: Some("hash".into()), ..TableOptions::new("/etc/postfix/map") };
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
