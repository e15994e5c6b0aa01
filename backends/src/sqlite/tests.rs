//! Files that are not ours, locks, and files that change under us.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::SystemTime;

use super::*;
use crate::Client;
use crate::told::told;

fn site() -> (tempfile::TempDir, TableOptions, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let options = TableOptions::new(directory.path().join("map"));
    let path = directory.path().join("map.sqlite");
    (directory, options, path)
}

fn client(address: &str) -> Client {
    Client { address: address.parse().unwrap(), expires: SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000) }
}

/// Only what is new is told; `all` is for a backend that has to start over.
fn publish(backend: &mut dyn Backend, added: &[&str], all: &[&str]) -> Result<(), BackendError> {
    let of = |addresses: &[&str]| addresses.iter().map(|address| client(address)).collect::<Vec<_>>();
    backend.publish(&Update { added: &of(added), extended: &[], removed: &[], clients: &of(all) })
}

/// How many rows another connection sees.
fn rows(path: &std::path::Path) -> i64 {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(path, flags).unwrap();
    connection.query_row("SELECT count(*) FROM client", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_file_that_is_not_ours_is_refused_and_left_alone() {
    let (_directory, options, path) = site();
    let foreign = |sql: &str| {
        let _ = fs::remove_file(&path);
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        fs::read(&path).unwrap()
    };
    let ours = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;");
    for content in [
        b"access map\n".to_vec(),
        foreign("CREATE TABLE client (address, expires, value)"),
        foreign("PRAGMA user_version = 1"),
        foreign(&format!("{ours} CREATE TABLE other (a)")),
        foreign(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 2")),
    ] {
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(path.with_file_name(format!("map.sqlite{suffix}")));
        }
        fs::write(&path, &content).unwrap();
        let error = open(&options).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Config, "{error}");
        assert!(error.to_string().contains("; move /"), "{error}");
        if !content.windows(5).any(|part| part == b"other") {
            assert_eq!(fs::read(&path).unwrap(), content);
        }
    }
}

#[test]
fn a_damaged_table_is_refused() {
    let (_directory, options, path) = site();
    let mut backend = open(&options).unwrap();
    let many: Vec<String> = (0..2000).map(|n| format!("10.0.{}.{}", n / 250, n % 250)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    publish(&mut *backend, &[], &many).unwrap();
    drop(backend);
    Connection::open(&path).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let whole = fs::read(&path).unwrap();
    for damaged in [whole[..whole.len() / 2].to_vec(), [&whole[..4096], &vec![0xAA; whole.len() - 4096]].concat()] {
        fs::write(&path, &damaged).unwrap();
        let error = open(&options).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Config, "{error}");
        assert!(!error.to_string().contains('\n'));
    }
}

#[test]
fn a_damaged_header_is_refused_with_the_cure() {
    let (_directory, options, path) = site();
    publish(&mut *open(&options).unwrap(), &["192.0.2.1"], &["192.0.2.1"]).unwrap();
    Connection::open(&path).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let whole = fs::read(&path).unwrap();
    for offset in [0, 16, 46, 100] {
        let mut damaged = whole.clone();
        damaged[offset..offset + 2].fill(0xAA);
        fs::write(&path, &damaged).unwrap();
        let error = open(&options).err().unwrap_or_else(|| panic!("{offset}"));
        assert_eq!(error.kind, ErrorKind::Config, "{offset}: {error}");
        let name = path.display();
        let cure = format!("move {name}, {name}-wal and {name}-shm away, or choose another with --map");
        assert_eq!(error.cure.as_deref(), Some(&*cure), "{offset}: {error}");
        assert_eq!(fs::read(&path).unwrap(), damaged);
    }
    for suffix in ["", "-wal", "-shm"] {
        fs::remove_file(path.with_file_name(format!("map.sqlite{suffix}"))).unwrap();
    }
    publish(&mut *open(&options).unwrap(), &["192.0.2.1"], &["192.0.2.1"]).unwrap();
}

#[test]
fn the_first_publish_removes_rows_that_are_not_ours() {
    let (_directory, options, path) = site();
    publish(&mut *open(&options).unwrap(), &["192.0.2.1"], &["192.0.2.1"]).unwrap();
    let rows_of_others = "INSERT INTO client VALUES ('192.0', 9999999999, 'OK'), ('2001:DB8::1', 9999999999, 'OK')";
    Connection::open(&path).unwrap().execute_batch(rows_of_others).unwrap();
    let mut backend = open(&options).unwrap();
    assert_eq!((backend.list().unwrap().len(), rows(&path)), (1, 3));
    publish(&mut *backend, &[], &["192.0.2.1"]).unwrap();
    assert_eq!(rows(&path), 1);
}

#[test]
fn something_else_in_the_place_of_the_table_is_refused() {
    let (directory, options, path) = site();
    fs::create_dir(&path).unwrap();
    assert_eq!(open(&options).err().unwrap().kind, ErrorKind::Config);
    fs::remove_dir(&path).unwrap();
    let elsewhere = directory.path().join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    assert_eq!(open(&options).err().unwrap().kind, ErrorKind::Config);
    assert!(!elsewhere.exists());
}

#[test]
fn a_lock_of_another_program_is_waited_for_but_not_for_ever() {
    let (_directory, options, path) = site();
    let mut backend = open(&options).unwrap();
    publish(&mut *backend, &["192.0.2.1"], &["192.0.2.1"]).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = publish(&mut *backend, &["192.0.2.2"], &["192.0.2.1", "192.0.2.2"]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
    assert_eq!(rows(&path), 1);
    // What another program did meanwhile is put right as well.
    other.execute_batch("INSERT INTO client VALUES ('192.0.2.9', 5, '5'); COMMIT").unwrap();
    publish(&mut *backend, &["192.0.2.2"], &["192.0.2.1", "192.0.2.2"]).unwrap();
    assert_eq!(rows(&path), 2);
}

#[test]
fn files_that_vanish_under_us_are_made_again_with_all_clients() {
    for victims in [&["", "-wal", "-shm"][..], &[""], &["-wal"], &["-shm"], &["-wal", "-shm"]] {
        let (_directory, options, path) = site();
        let mut backend = open(&options).unwrap();
        publish(&mut *backend, &["192.0.2.1"], &["192.0.2.1"]).unwrap();
        for victim in victims {
            fs::remove_file(path.with_file_name(format!("map.sqlite{victim}"))).unwrap();
        }
        publish(&mut *backend, &["192.0.2.2"], &["192.0.2.1", "192.0.2.2"]).unwrap();
        assert_eq!(rows(&path), 2, "{victims:?}");
        publish(&mut *backend, &["192.0.2.3"], &[]).unwrap();
        assert_eq!(rows(&path), 3, "{victims:?}");
    }
}

/// Looking at what was cut off would end the test program with SIGBUS.
#[test]
fn an_index_that_was_cut_under_us_is_not_looked_at() {
    for (long, size) in [(false, 0), (false, 3), (false, 4096), (true, 0), (true, 32768)] {
        let (_directory, options, path) = site();
        let mut backend = open(&options).unwrap();
        let index = path.with_file_name("map.sqlite-shm");
        publish_often(&mut *backend, 0..1);
        if long {
            let reader = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
            reader.execute_batch("BEGIN; SELECT count(*) FROM client").unwrap();
            publish_often(&mut *backend, 1..5000);
            assert!(fs::metadata(&index).unwrap().len() > 32768);
        }
        fs::OpenOptions::new().write(true).open(&index).unwrap().set_len(size).unwrap();
        assert!(!backend.is_intact(), "{size}");
        publish(&mut *backend, &["192.0.2.2"], &["192.0.2.1", "192.0.2.2"]).unwrap();
        assert_eq!(rows(&path), 2, "{size}");
        assert!(backend.is_intact(), "{size}");
        publish(&mut *backend, &["192.0.2.3"], &[]).unwrap();
        assert_eq!(rows(&path), 3, "{size}");
    }
}

#[test]
fn a_database_that_was_spoilt_under_us_is_noticed() {
    type Spoil = fn(&std::path::Path);
    let spoil: [(&str, Spoil); 4] = [
        ("emptied", |path| fs::write(path, "").unwrap()),
        ("cut", |path| fs::OpenOptions::new().write(true).open(path).unwrap().set_len(4096).unwrap()),
        ("garbage", |path| fs::write(path, "garbage\n".repeat(4096)).unwrap()),
        ("of others", |path| {
            let other = path.with_extension("other");
            Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
            fs::write(path, fs::read(other).unwrap()).unwrap();
        }),
    ];
    for (what, spoil) in spoil {
        let (_directory, options, path) = site();
        let mut backend = open(&options).unwrap();
        publish(&mut *backend, &["192.0.2.1"], &["192.0.2.1"]).unwrap();
        Connection::open(&path).unwrap().execute_batch("PRAGMA wal_checkpoint(FULL)").unwrap();
        // Another program's checkpoint is none of our business: only what is new is written.
        publish(&mut *backend, &["192.0.2.2"], &[]).unwrap();
        assert_eq!(rows(&path), 2);
        Connection::open(&path).unwrap().execute_batch("PRAGMA wal_checkpoint(FULL)").unwrap();
        spoil(&path);
        let all = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
        for _ in 0..2 {
            match publish(&mut *backend, &["192.0.2.3"], &all) {
                // What was cut off may be in the log.
                Ok(()) => assert!(rows(&path) == 3 && ["emptied", "cut"].contains(&what), "{what}"),
                Err(error) => assert!(what != "emptied" && error.kind == ErrorKind::Config, "{what}: {error}"),
            }
        }
        for suffix in ["", "-wal", "-shm"] {
            fs::remove_file(path.with_file_name(format!("map.sqlite{suffix}"))).unwrap();
        }
        publish(&mut *backend, &[], &all).unwrap();
        assert_eq!(rows(&path), 3, "{what}");
    }
}

#[test]
fn a_file_put_in_our_place_is_refused_until_it_is_moved_away() {
    let (directory, options, path) = site();
    let mut backend = open(&options).unwrap();
    fs::rename(&path, directory.path().join("old")).unwrap();
    fs::write(&path, "something else").unwrap();
    for _ in 0..2 {
        assert_eq!(publish(&mut *backend, &["192.0.2.1"], &["192.0.2.1"]).unwrap_err().kind, ErrorKind::Config);
    }
    fs::remove_file(&path).unwrap();
    publish(&mut *backend, &["192.0.2.1"], &["192.0.2.1"]).unwrap();
    assert_eq!(rows(&path), 1);
}

#[test]
fn a_crash_while_the_table_was_made_does_no_harm() {
    let (directory, options, path) = site();
    fs::write(&path, "").unwrap();
    fs::write(directory.path().join("map.sqlite-wal"), "left over").unwrap();
    fs::write(directory.path().join("map.sqlite-journal"), "left over").unwrap();
    let mut backend = open(&options).unwrap();
    publish(&mut *backend, &["192.0.2.1"], &["192.0.2.1"]).unwrap();
    assert_eq!(rows(&path), 1);
}

/// Publishes so many times, one row each; none of it may wait for anybody.
fn publish_often(backend: &mut dyn Backend, rounds: std::ops::Range<u32>) {
    for round in rounds {
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + round).to_string();
        let begun = std::time::Instant::now();
        publish(backend, &[&address], &[&address]).unwrap();
        assert!(begun.elapsed() < BUSY, "publish {round} took {:?}", begun.elapsed());
    }
}

#[test]
fn a_write_ahead_log_stays_small() {
    let (directory, options, path) = site();
    let mut backend = open(&options).unwrap();
    let size = || fs::metadata(directory.path().join("map.sqlite-wal")).unwrap().len();
    for turn in 0..20 {
        publish_often(&mut *backend, turn * 500..(turn + 1) * 500);
        rows(&path);
    }
    // Who opens the table first after a crash reads all of it.
    assert!((1..1_000_000).contains(&size()), "{}", size());
}

/// The log grows while it holds what a reader may still need, but no publish waits, and once the reader is gone the log
/// is small again.
#[test]
fn a_reader_that_stays_makes_the_log_grow_for_as_long_but_holds_nobody_up() {
    // A reader that finds everything copied into the database is one of another kind: it needs no log at all.
    for all_copied in [false, true] {
        let (directory, options, path) = site();
        let mut backend = open(&options).unwrap();
        let size = || fs::metadata(directory.path().join("map.sqlite-wal")).unwrap().len();
        publish_often(&mut *backend, 0..1);
        if all_copied {
            Connection::open(&path).unwrap().execute_batch("PRAGMA wal_checkpoint(PASSIVE)").unwrap();
        }
        let reader = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let count = || reader.query_row("SELECT count(*) FROM client", [], |row| row.get::<_, i64>(0)).unwrap();
        reader.execute_batch("BEGIN").unwrap();
        assert_eq!(count(), 1);
        publish_often(&mut *backend, 1..10_000);
        assert!(size() > 6_000_000, "{}: the reader holds nothing up", size());
        assert_eq!(count(), 1, "and sees what it saw");
        reader.execute_batch("COMMIT").unwrap();
        assert_eq!(count(), 10_000);

        publish_often(&mut *backend, 10_000..11_100);
        assert!((1..6_000_000).contains(&size()), "{}", size());
    }
}

#[test]
fn a_log_that_grows_for_ever_is_told_of_once() {
    let (_directory, options, path) = site();
    let mut backend = open(&options).unwrap();
    let log = path.with_file_name("map.sqlite-wal");
    told();
    let mut round = 0;
    for _ in 0..2 {
        publish_often(&mut *backend, round..round + 1);
        let reader = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM client").unwrap();
        // SQLite does not mind what follows its last entry; the reader keeps it from being cut off.
        fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(70 << 20).unwrap();
        publish_often(&mut *backend, round + 1..round + 3000);
        let told = told();
        assert_eq!(told.len(), 1, "{told:?}");
        let cure = format!("; find it with fuser {} and end it", log.display());
        assert!(told[0].contains("has grown to 70 MiB") && told[0].ends_with(&cure), "{told:?}");
        drop(reader);
        publish_often(&mut *backend, round + 3000..round + 5500);
        round += 5500;
        assert!(fs::metadata(&log).unwrap().len() < 64 << 20);
    }
    assert_eq!(told(), Vec::<String>::new());
}

/// Building the index again would lock the table for a new smtpd for as long.
#[test]
fn a_reader_leaves_the_index_alone() {
    let (_directory, options, path) = site();
    publish(&mut *open(&options).unwrap(), &["192.0.2.1"], &["192.0.2.1"]).unwrap();
    let index = path.with_file_name("map.sqlite-shm");
    let state = || fs::metadata(&index).map(|found| (found.ino(), found.len(), found.mtime_nsec())).unwrap();
    let before = state();
    assert_eq!(open_read_only(&options).unwrap().list().unwrap().len(), 1);
    assert_eq!(state(), before);
}

#[test]
fn a_reader_creates_nothing() {
    let (directory, options, path) = site();
    publish(&mut *open(&options).unwrap(), &["192.0.2.1"], &["192.0.2.1"]).unwrap();
    let odd = TableOptions { map: directory.path().join("o?d %41#map"), ..options };
    let copy = directory.path().join("o?d %41#map.sqlite");
    Connection::open(&path).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    fs::copy(&path, &copy).unwrap();
    assert_eq!(open_read_only(&odd).unwrap().list().unwrap().len(), 1);
    assert!(!directory.path().join("o?d %41#map.sqlite-shm").exists());
    assert!(
        open_read_only(&odd)
            .unwrap()
            .publish(&Update { added: &[], extended: &[], removed: &[], clients: &Vec::new() })
            .is_err()
    );
}

/// The locks are what keeps a reader from cutting and removing the files that we use.
#[test]
fn we_hold_our_locks_after_opening() {
    let (_directory, options, path) = site();
    for _ in 0..2 {
        let mut backend = open(&options).unwrap();
        publish(&mut *backend, &["192.0.2.1"], &["192.0.2.1"]).unwrap();
        let inode = fs::metadata(path.with_file_name("map.sqlite-shm")).unwrap().ino();
        // While other processes lock and unlock, one look may leave out a lock that is there.
        let is_held = |_| fs::read_to_string("/proc/locks").unwrap().contains(&format!(":{inode} "));
        assert!((0..100).any(is_held), "no lock of {inode}");
    }
}
