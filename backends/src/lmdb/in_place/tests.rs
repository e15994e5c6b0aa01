//! Which pages are written, and files that change under us.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::*;
use crate::Client;
use crate::lmdb::Table;
use crate::lmdb::check::{self, Check, Purpose};
use crate::lmdb::tests::{clients, site};
use crate::told::told;

const PAGE: usize = 4096;

/// What is done to the table; the second path is free.
type Damage = fn(&Path, &Path);

fn opened() -> (tempfile::TempDir, InPlace) {
    let (directory, mut options) = site();
    options.sync = false;
    let table = InPlace::open(Rename::open(Table::new(&options).unwrap()).unwrap()).unwrap();
    (directory, table)
}

/// Publishes a set of which the backend knows nothing.
fn publish(table: &mut InPlace, clients: &Vec<Client>) -> Result<(), BackendError> {
    table.in_step = false;
    table.publish(&Update { added: &[], extended: &[], removed: &[], clients })
}

fn options(table: &InPlace) -> crate::TableOptions {
    crate::TableOptions::new(table.rename.table.place.path(""))
}

fn bytes(table: &InPlace) -> Vec<u8> {
    fs::read(&table.rename.table.path).unwrap()
}

fn inode(table: &InPlace) -> u64 {
    fs::metadata(&table.rename.table.path).unwrap().ino()
}

fn held(table: &mut InPlace) -> usize {
    table.list().unwrap().len()
}

fn sound(table: &InPlace) -> Check {
    let file = check::open(&table.rename.table.path, Purpose::Writing).unwrap().unwrap();
    check::contents(&file, Purpose::Writing).unwrap()
}

fn pages_changed(before: &[u8], after: &[u8]) -> usize {
    let page = |bytes: &[u8], number: usize| bytes.chunks(PAGE).nth(number).map(<[u8]>::to_vec);
    (0..after.len() / PAGE).filter(|&number| page(before, number) != page(after, number)).count()
}

#[test]
fn a_change_writes_the_pages_of_its_keys_and_no_others() {
    let (_directory, mut table) = opened();
    let all = clients(5003);
    publish(&mut table, &all[..5000].to_vec()).unwrap();
    let (before, file) = (bytes(&table), inode(&table));
    let removed = [all[7].address];
    let kept: Vec<Client> = all[..5001].iter().filter(|client| !removed.contains(&client.address)).copied().collect();
    table.publish(&Update { added: &all[5000..5001], extended: &[], removed: &removed, clients: &kept }).unwrap();
    let after = bytes(&table);
    // Two ways from the root to a leaf, the free list, one meta page.
    assert!((3..=8).contains(&pages_changed(&before, &after)), "{}", pages_changed(&before, &after));
    assert_eq!((held(&mut table), inode(&table)), (5000, file));
    // A restart, or a retry after an error, finds out what differs.
    publish(&mut table, &kept).unwrap();
    assert_eq!(bytes(&table), after);
    publish(&mut table, &all).unwrap();
    assert!(pages_changed(&after, &bytes(&table)) <= 14, "{}", pages_changed(&after, &bytes(&table)));
    assert_eq!((held(&mut table), inode(&table)), (5003, file));
}

#[test]
fn a_file_in_use_for_long_stays_sound_and_small() {
    let (_directory, mut table) = opened();
    let all = clients(3000);
    publish(&mut table, &all[..300].to_vec()).unwrap();
    let mut size = 0;
    for round in 0..2700 {
        let set = all[round + 1..round + 301].to_vec();
        let (added, removed) = ([all[round + 300]], [all[round].address]);
        table.publish(&Update { added: &added, extended: &[], removed: &removed, clients: &set }).unwrap();
        if round % 300 == 0 {
            assert_eq!(sound(&table), Check::Valid, "round {round}");
            size = size.max(bytes(&table).len());
        }
    }
    assert_eq!(held(&mut table), 300);
    assert!(size < 200_000, "{size}");
    for count in [3000, 0, 2, 1000, 1] {
        publish(&mut table, &all[..count].to_vec()).unwrap();
        assert_eq!((sound(&table), held(&mut table)), (Check::Valid, count));
    }
}

#[test]
fn a_file_that_is_gone_or_replaced_is_written_anew() {
    let (directory, mut table) = opened();
    let path = table.rename.table.path.clone();
    let moved = directory.path().join("moved");
    let damages: [(&str, Damage); 7] = [
        ("deleted", |path, _| fs::remove_file(path).unwrap()),
        ("empty", |path, _| fs::write(path, "").unwrap()),
        ("truncated", |path, _| fs::OpenOptions::new().write(true).open(path).unwrap().set_len(8192).unwrap()),
        ("garbage", |path, _| fs::write(path, "garbage\n".repeat(100_000)).unwrap()),
        ("moved", |path, moved| fs::rename(path, moved).unwrap()),
        ("a link", |path, moved| {
            fs::rename(path, moved).unwrap();
            std::os::unix::fs::symlink(moved, path).unwrap();
        }),
        ("a copy", |path, moved| {
            fs::copy(path, moved).unwrap();
            fs::rename(moved, path).unwrap();
        }),
    ];
    for (what, damage) in damages {
        publish(&mut table, &clients(500)).unwrap();
        let all = clients(502);
        damage(&path, &moved);
        let old = fs::read(&moved).ok();
        table.publish(&Update { added: &all[500..], extended: &[], removed: &[], clients: &all }).unwrap();
        assert_eq!((held(&mut table), sound(&table)), (502, Check::Valid), "{what}");
        assert!(fs::symlink_metadata(&path).unwrap().is_file(), "{what}");
        assert_eq!(fs::read(&moved).ok(), old, "{what}");
        // And goes on in place.
        let file = inode(&table);
        publish(&mut table, &all[..9].to_vec()).unwrap();
        assert_eq!((held(&mut table), inode(&table)), (9, file), "{what}");
        let _ = fs::remove_file(&moved);
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(publish(&mut table, &clients(3)).unwrap_err().to_string().contains(": is a directory; move"));
    table.clear().unwrap_err();
    fs::remove_dir(&path).unwrap();
    publish(&mut table, &clients(3)).unwrap();
    assert_eq!(held(&mut table), 3);
}

/// The test's real promise is that it ends: LMDB crashes on some of these when it writes.
#[test]
fn no_flipped_byte_ends_the_program() {
    let (_directory, mut table) = opened();
    for count in [300, 260, 299, 200, 180] {
        publish(&mut table, &clients(count)).unwrap();
    }
    let whole = bytes(&table);
    let (mut refused, mut changed) = (0, 0);
    let places = (0..whole.len()).filter(|place| place % PAGE < 100 || place % 211 == 0);
    for (place, value) in places.flat_map(|place| [0, 0xff, whole[place] ^ 0x10].map(|value| (place, value))) {
        let mut damaged = whole.clone();
        damaged[place] = value;
        fs::write(&table.rename.table.path, &damaged).unwrap();
        let file = inode(&table);
        // Not told by the time of the last write, which may be a few milliseconds wrong.
        table.opened = None;
        for count in [170, 290] {
            publish(&mut table, &clients(count)).unwrap();
            assert_eq!(held(&mut table), count as usize, "byte {place} is {value}");
        }
        assert_eq!(sound(&table), Check::Valid, "byte {place} is {value}");
        let counter = if inode(&table) == file { &mut changed } else { &mut refused };
        *counter += 1;
    }
    assert!(refused > 100 && changed > 100, "{refused} {changed}");
}

#[test]
fn a_free_list_that_names_a_page_in_use_is_not_trusted() {
    let (_directory, mut table) = opened();
    for count in [300, 260, 299, 200] {
        publish(&mut table, &clients(count)).unwrap();
    }
    assert_eq!(sound(&table), Check::Valid);
    let mut whole = bytes(&table);
    let word = |bytes: &[u8], at: usize| usize::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
    // Meta pages: header of 16 bytes, 24 bytes, then two trees of 48 bytes that end in their root; last page, transaction.
    let meta = |page: usize| page * PAGE + 16;
    let newest = if word(&whole, meta(1) + 128) > word(&whole, meta(0) + 128) { meta(1) } else { meta(0) };
    let (list, root) = (word(&whole, newest + 64) * PAGE, word(&whole, newest + 112));
    let node = list + usize::from(u16::from_ne_bytes([whole[list + 16], whole[list + 17]]));
    // The first record: header, key, count of pages, their numbers.
    whole[node + 16..node + 24].copy_from_slice(&1_usize.to_ne_bytes());
    whole[node + 24..node + 32].copy_from_slice(&root.to_ne_bytes());
    fs::write(&table.rename.table.path, &whole).unwrap();
    assert_eq!(sound(&table), Check::Damaged("a page is used twice".to_owned()));
    assert_eq!(held(&mut table), 200);
    let file = inode(&table);
    table.opened = None;
    publish(&mut table, &clients(150)).unwrap();
    assert_eq!(held(&mut table), 150);
    assert_ne!(inode(&table), file);
}

#[test]
fn a_table_that_another_lmdb_writer_changed_is_mended_and_told_of_once() {
    let (_directory, mut table) = opened();
    let all = clients(12);
    publish(&mut table, &all[..10].to_vec()).unwrap();
    let mut other = InPlace::open(Rename::open(Table::new(&options(&table)).unwrap()).unwrap()).unwrap();
    publish(&mut other, &all[..3].to_vec()).unwrap();
    told();
    let file = inode(&table);
    for count in [11, 12] {
        let set = all[..count].to_vec();
        table.publish(&Update { added: &all[count - 1..count], extended: &[], removed: &[], clients: &set }).unwrap();
        assert_eq!((held(&mut table), inode(&table)), (count, file));
        let told = told();
        assert_eq!(told.len(), 12 - count, "{told:?}");
        assert!(told.iter().all(|told| told.ends_with("changed by another program; it has been written anew")));
    }
}

#[test]
fn a_wall_clock_that_was_set_back_hides_no_damage() {
    let (_directory, mut table) = opened();
    let all = clients(301);
    for damaged in [false, true] {
        publish(&mut table, &all[..300].to_vec()).unwrap();
        table.opened.as_mut().unwrap().left.until += Duration::from_secs(3600);
        let (mut whole, file) = (bytes(&table), inode(&table));
        if damaged {
            whole[2 * PAGE..].fill(0xaa);
            fs::write(&table.rename.table.path, whole).unwrap();
        }
        told();
        table.publish(&Update { added: &all[300..], extended: &[], removed: &[], clients: &all }).unwrap();
        assert_eq!((held(&mut table), sound(&table)), (301, Check::Valid));
        assert_eq!((inode(&table) == file, told().is_empty()), (!damaged, !damaged));
        assert!(damaged || table.is_intact());
    }
}

#[test]
fn a_file_that_others_keep_locked_is_replaced_after_a_while() {
    let (_directory, mut table) = opened();
    table.patience = Duration::from_secs(3);
    let all = clients(6);
    publish(&mut table, &all[..5].to_vec()).unwrap();
    let (file, reader) = (inode(&table), fs::File::open(&table.rename.table.path).unwrap());
    let lock = || crate::lmdb::lock::take(&reader, crate::lmdb::lock::Kind::Shared).unwrap();
    told();
    lock();
    assert_eq!(publish(&mut table, &all).unwrap_err().kind, crate::ErrorKind::Unavailable);
    // A break begins the time anew.
    crate::lmdb::lock::release(&reader);
    publish(&mut table, &all[..4].to_vec()).unwrap();
    lock();
    assert_eq!(publish(&mut table, &all).unwrap_err().kind, crate::ErrorKind::Unavailable);
    assert_eq!((held(&mut table), inode(&table), told()), (4, file, Vec::new()));
    publish(&mut table, &all).unwrap();
    assert_eq!((held(&mut table), told().len()), (6, 1));
    assert!(table.is_intact(), "it would be replaced again and again");
    let replaced = inode(&table);
    assert_ne!(replaced, file);
    publish(&mut table, &all[..2].to_vec()).unwrap();
    assert_eq!((held(&mut table), inode(&table)), (2, replaced));
}
