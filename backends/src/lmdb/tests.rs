//! Damaged files, links and sizes.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use lmdb::{DatabaseFlags, WriteFlags};

use super::*;
use crate::{Client, Update};

pub(super) fn site() -> (tempfile::TempDir, TableOptions) {
    let directory = tempfile::tempdir().unwrap();
    let options = TableOptions::new(directory.path().join("map"));
    (directory, options)
}

pub(super) fn clients(count: u32) -> Vec<Client> {
    let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    let address = |number: u32| match number % 2 {
        0 => IpAddr::from(Ipv4Addr::from(0xC000_0200 + number)),
        _ => IpAddr::from(Ipv6Addr::from((0x2001_0db8 << 96) | u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15))),
    };
    (0..count).map(|number| Client { address: address(number), expires }).collect()
}

fn publish(backend: &mut dyn Backend, clients: &Vec<Client>) -> Result<(), BackendError> {
    backend.publish(&Update { added: &[], extended: &[], removed: &[], clients })
}

fn check(options: &TableOptions) -> Check {
    let path = MapPath::of(&options.map).unwrap().path(".lmdb");
    check::open(&path, Purpose::Reading)
        .unwrap()
        .map_or_else(|found| found, |file| check::contents(&file, Purpose::Reading).unwrap())
}

#[test]
fn tables_of_any_size_are_valid_and_come_back() {
    let (_directory, mut options) = site();
    for value in [None, Some("x".repeat(500)), Some("y".repeat(5000))] {
        options.value = value;
        let mut backend = open(&options).unwrap();
        for count in [0, 1, 2, 150, 5000, 3] {
            publish(&mut *backend, &clients(count)).unwrap();
            assert_eq!(check(&options), Check::Valid, "{count}");
            assert_eq!(backend.list().unwrap().len(), count as usize);
        }
    }
}

#[test]
fn the_room_for_many_entries_is_given_back() {
    let (_directory, options) = site();
    let mut table = Rename::open(Table::new(&options).unwrap()).unwrap();
    for (count, kept) in [(5000, false), (4000, true), (2, true), (5000, false)] {
        publish(&mut table, &clients(count)).unwrap();
        assert_eq!(table.entries.capacity() > 0, kept, "{count}");
    }
}

#[test]
fn a_map_that_is_too_small_is_made_anew() {
    let (_directory, options) = site();
    let mut table = Rename::new(Table::new(&options).unwrap());
    table.sort(&clients(5000));
    let file = table.create().unwrap();
    assert_eq!(table.fill(&table.entries, 65536), Err(Error::MapFull));
    drop(file);
    table.write_new(&table.entries, &table.table.path).unwrap();
    assert_eq!(table.list().unwrap().len(), 5000);
}

#[test]
fn a_file_cut_anywhere_is_found_out() {
    let (_directory, options) = site();
    publish(&mut *open(&options).unwrap(), &clients(400)).unwrap();
    let path = MapPath::of(&options.map).unwrap().path(".lmdb");
    let whole = fs::read(&path).unwrap();
    for cut in (0..whole.len()).step_by(512) {
        fs::write(&path, &whole[..cut]).unwrap();
        assert!(matches!(check(&options), Check::Damaged(_)), "cut at {cut}");
        assert_eq!(open_read_only(&options).err().unwrap().kind, ErrorKind::NoInput);
    }
    // Damaged under a running daemon.
    fs::write(&path, &whole).unwrap();
    let mut backend = open(&options).unwrap();
    fs::write(&path, &whole[..8192]).unwrap();
    assert_eq!(backend.list().unwrap_err().kind, ErrorKind::NoInput);
    publish(&mut *backend, &clients(4)).unwrap();
    assert_eq!(backend.list().unwrap().len(), 4);
}

/// The test's real promise is that it ends: without the check LMDB crashes on some of these.
#[test]
fn no_flipped_byte_ends_the_program() {
    let (_directory, mut options) = site();
    options.value = Some("z".repeat(2500));
    publish(&mut *open(&options).unwrap(), &clients(3)).unwrap();
    options.value = None;
    let large = TableOptions { map: options.map.with_file_name("large"), ..options.clone() };
    publish(&mut *open(&large).unwrap(), &clients(300)).unwrap();
    for options in [options, large] {
        let path = MapPath::of(&options.map).unwrap().path(".lmdb");
        let whole = fs::read(&path).unwrap();
        let headers = (0..whole.len()).filter(|offset| offset % 4096 < 200 || offset % 61 == 0);
        for (offset, value) in headers.flat_map(|offset| [0, 0xff, whole[offset] ^ 0x10].map(|value| (offset, value))) {
            let mut damaged = whole.clone();
            damaged[offset] = value;
            fs::write(&path, &damaged).unwrap();
            if let Ok(mut backend) = open_read_only(&options) {
                let _ = backend.list();
            }
        }
    }
}

#[test]
fn a_damaged_table_is_replaced_at_open() {
    let (_directory, options) = site();
    let path = MapPath::of(&options.map).unwrap().path(".lmdb");
    for garbage in [Vec::new(), vec![0; 8192], vec![0xAA; 100_000], b"text\n".to_vec()] {
        fs::write(&path, garbage).unwrap();
        assert_eq!(open(&options).unwrap().list().unwrap(), []);
        assert_eq!(check(&options), Check::Valid);
    }
}

#[test]
fn an_lmdb_file_of_another_program_is_refused_and_left_alone() {
    for (name, flags) in [(Some("inner"), DatabaseFlags::empty()), (None, DatabaseFlags::DUP_SORT)] {
        let (_directory, options) = site();
        let path = MapPath::of(&options.map).unwrap().path(".lmdb");
        let environment =
            Environment::new().set_flags(FLAGS).set_max_dbs(2).open_with_permissions(&path, 0o644).unwrap();
        let database = environment.create_db(name, flags).unwrap();
        let mut transaction = environment.begin_rw_txn().unwrap();
        transaction.put(database, b"192.0.2.1\0", b"5\0", WriteFlags::empty()).unwrap();
        transaction.put(database, b"192.0.2.1\0", b"6\0", WriteFlags::empty()).unwrap();
        transaction.commit().unwrap();
        drop(environment);
        let before = fs::read(&path).unwrap();
        let error = open(&options).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Config, "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(open_read_only(&options).err().unwrap().kind, ErrorKind::NoInput);
    }
}

#[test]
fn a_directory_in_the_place_of_the_table_is_reported() {
    let (_directory, options) = site();
    let path = MapPath::of(&options.map).unwrap().path(".lmdb");
    fs::create_dir(&path).unwrap();
    let error = open(&options).err().unwrap();
    assert_eq!(error.kind, ErrorKind::CannotCreate);
    assert!(error.to_string().contains(": is a directory; move the directory away"), "{error}");
    fs::remove_dir(&path).unwrap();
    let mut backend = open(&options).unwrap();
    fs::create_dir(path.with_file_name("map.new.lmdb")).unwrap();
    assert_eq!(publish(&mut *backend, &clients(2)).unwrap_err().kind, ErrorKind::CannotCreate);
    fs::remove_dir(path.with_file_name("map.new.lmdb")).unwrap();
    publish(&mut *backend, &clients(2)).unwrap();
}

#[test]
fn no_left_over_is_left() {
    let (directory, options) = site();
    fs::write(directory.path().join("map.new.lmdb"), "left over").unwrap();
    let backend = open(&options).unwrap();
    drop(backend);
    let mut names: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["map.empty.lmdb", "map.lmdb"]);
}
