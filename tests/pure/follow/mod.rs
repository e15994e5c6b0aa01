//! What following in-process does in each case by itself; `follow_model.rs` mixes them.

pub(crate) mod acts;
pub(crate) mod driver;
pub(crate) mod log_directory;
mod odd;
pub(crate) mod stamp;

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::time::Duration;

use driver::{Driver, open_below};
use log_directory::{LogDirectory, append, lines};
use nix::sys::stat::Mode;
use pop_before_smtp::source::follow::{Follow, From, GRACE, RECHECK};
use pop_before_smtp::source::lines::{BEHIND, READ};
use pop_before_smtp::source::saved_position::SavedPosition;
use pop_before_smtp::source::{Position, Progress, Source as _};
use pop_before_smtp::time::Timestamp;

#[test]
fn only_what_comes_after_the_start_is_read_unless_told_otherwise() {
    let place = LogDirectory::new("old\n");
    let (mut new, mut all) = (Driver::start(&place.log, From::End), Driver::start(&place.log, From::Start));
    append(&place.log, "new\n");
    new.turn();
    all.turn();
    assert_eq!(new.take(), ["new"]);
    assert_eq!(all.take(), ["old", "new"]);
}

#[test]
fn a_line_that_was_begun_before_the_start_does_not_count() {
    let place = LogDirectory::new("old\nhalf of a ");
    let mut driver = Driver::start(&place.log, From::End);
    append(&place.log, "line");
    driver.turn();
    assert_eq!(driver.source.position(), None, "nobody knows yet where a line begins");
    append(&place.log, " of the log\nnew\n");
    driver.turn();
    assert_eq!(driver.take(), ["new"]);
    let end = fs::metadata(&place.log).unwrap().len();
    assert_eq!(driver.source.position().map(|position| position.offset), Some(end));
}

/// What somebody puts there as a log may be old; what is added to it is not.
#[test]
fn lines_that_nobody_saw_come_count_by_their_own_times() {
    let place = LogDirectory::new("seen\n");
    let mut driver = Driver::start(&place.log, From::Start);
    driver.turn();
    append(&place.log, "live\n");
    driver.turn();
    fs::write(place.join("edited"), "edited\n".repeat(20_000)).unwrap();
    fs::rename(place.join("edited"), &place.log).unwrap();
    driver.turn();
    assert_eq!(driver.past.len(), 20_000);
    // What is written anew is not there at once.
    let live = |driver: &mut Driver| {
        append(&place.log, "soon\n");
        driver.turn();
        driver.pass(Duration::from_secs(6));
        append(&place.log, "live\n");
        driver.turn();
    };
    live(&mut driver);
    let log = File::create(&place.log).unwrap();
    driver.turn();
    (&log).write_all(b"rewritten\n").unwrap();
    driver.turn();
    live(&mut driver);
    fs::remove_file(&place.log).unwrap();
    driver.turn();
    fs::write(&place.log, "back\n").unwrap();
    driver.turn();
    live(&mut driver);
    // Longer in the middle.
    append(&place.log, "x\n".repeat(1000));
    driver.turn();
    let text = fs::read_to_string(&place.log).unwrap();
    fs::write(&place.log, text.replacen(&"x\n".repeat(500), &"x\n".repeat(600), 1)).unwrap();
    driver.turn();
    driver.past.retain(|line| line != b"x");
    let past: Vec<_> = driver.past[20_000..].iter().map(|line| String::from_utf8_lossy(line)).collect();
    assert_eq!(past, ["soon", "rewritten", "soon", "back", "soon"]);
    assert_eq!(driver.take().iter().filter(|line| *line == "live").count(), 4);
}

#[test]
fn a_saved_position_counts_only_in_its_file() {
    let place = LogDirectory::new("one\ntwo\nthree\n");
    let found = fs::metadata(&place.log).unwrap();
    let here = Position { device: found.dev(), inode: found.ino(), offset: 4 };
    let read = |position| {
        let mut driver = Driver::start(&place.log, From::At(position));
        driver.turn();
        driver.take()
    };
    assert_eq!(read(here), ["two", "three"]);
    assert_eq!(read(Position { offset: 14, ..here }), [""; 0]);
    let all = ["one", "two", "three"];
    assert_eq!(read(Position { offset: 15, ..here }), all, "shorter");
    assert_eq!(read(Position { offset: 5, ..here }), all, "no line begins there");
    assert_eq!(read(Position { inode: here.inode + 1, ..here }), all, "another file");
    assert_eq!(read(Position { device: here.device + 1, ..here }), all, "another device");
}

#[test]
fn each_line_is_told_with_its_place_across_a_rotation() {
    let place = LogDirectory::new("");
    let mut driver = Driver::start(&place.log, From::Start);
    append(&place.log, lines("before", 0..20_000));
    place.rotate("log.1");
    append(&place.log, lines("after", 0..3));
    driver.turn();
    assert_eq!(driver.lines.len(), 20_003);
    for (line, told) in driver.lines.iter().zip(&driver.places) {
        let file = if line.starts_with(b"before") { place.join("log.1") } else { place.log.clone() };
        let found = fs::metadata(&file).unwrap();
        assert_eq!((told.device, told.inode), (found.dev(), found.ino()));
        let mut read = vec![0; line.len()];
        File::open(file).unwrap().read_exact_at(&mut read, told.offset).unwrap();
        assert_eq!(read, *line);
    }
}

#[test]
fn the_position_to_save_waits_for_the_old_file() {
    let place = LogDirectory::new("");
    let old = fs::metadata(&place.log).unwrap().ino();
    let mut driver = Driver::start(&place.log, From::Start);
    append(&place.log, lines("before", 0..20_000));
    place.rotate("log.1");
    append(&place.log, "after\n");
    driver.step();
    let position = driver.source.position().unwrap();
    let read: usize = driver.lines.iter().map(|line| line.len() + 1).sum();
    assert_eq!((position.inode, position.offset), (old, read as u64));
    driver.turn();
    let (new, position) = (fs::metadata(&place.log).unwrap(), driver.source.position().unwrap());
    assert_eq!((position.inode, position.offset), (new.ino(), new.len()));
}

#[test]
fn an_old_file_is_read_while_its_writer_may_not_have_noticed() {
    let place = LogDirectory::new("");
    let mut driver = Driver::start(&place.log, From::End);
    let mut late = File::options().append(true).open(&place.log).unwrap();
    place.rotate("log.1");
    append(&place.log, "new\n");
    driver.turn();
    driver.pass(GRACE - RECHECK);
    late.write_all(b"late\n").unwrap();
    driver.turn();
    driver.pass(GRACE - RECHECK);
    late.write_all(b"later\n").unwrap();
    driver.turn();
    assert_eq!(driver.take(), ["new", "late", "later"]);
    drop(late);
    assert_eq!(open_below(place.directory.path()).len(), 2);
    driver.pass(GRACE + RECHECK);
    assert_eq!(open_below(place.directory.path()), std::slice::from_ref(&place.log), "the old one is closed");
}

#[test]
fn an_old_file_that_was_packed_and_deleted_is_read_to_its_end() {
    let place = LogDirectory::new("");
    let mut driver = Driver::start(&place.log, From::End);
    append(&place.log, lines("old", 0..3));
    place.rotate("log.1");
    append(&place.log, "new\n");
    fs::copy(place.join("log.1"), place.join("log.1.gz")).unwrap();
    fs::remove_file(place.join("log.1")).unwrap();
    driver.turn();
    assert_eq!(driver.take(), ["old 0", "old 1", "old 2", "new"]);
}

#[test]
fn half_a_line_at_the_end_of_an_old_file_is_dropped_unless_it_is_completed() {
    let place = LogDirectory::new("");
    let mut driver = Driver::start(&place.log, From::End);
    let mut late = File::options().append(true).open(&place.log).unwrap();
    late.write_all(b"one\nha").unwrap();
    place.rotate("log.1");
    append(&place.log, "two\n");
    driver.turn();
    late.write_all(b"lf\n").unwrap();
    driver.turn();
    assert_eq!(driver.take(), ["one", "two", "half"]);
    append(&place.log, "ha");
    place.rotate("log.2");
    append(&place.log, "three\n");
    driver.turn();
    driver.pass(2 * GRACE);
    assert_eq!(driver.take(), ["three"]);
}

#[test]
fn files_that_had_the_name_for_a_moment_are_found() {
    let place = LogDirectory::new("");
    let mut driver = Driver::start(&place.log, From::End);
    for round in 1..=3 {
        append(&place.log, format!("round {round}\n"));
        // As logrotate does it: the oldest first.
        for number in (1..round).rev() {
            fs::rename(place.join(&format!("log.{number}")), place.join(&format!("log.{}", number + 1))).unwrap();
        }
        place.rotate("log.1");
    }
    append(&place.log, "now\n");
    driver.turn();
    assert_eq!(driver.take(), ["round 1", "round 2", "round 3", "now"]);
}

#[test]
fn a_name_that_comes_back_to_a_file_makes_nothing_come_twice() {
    for wait in [Duration::ZERO, 2 * GRACE] {
        let place = LogDirectory::new("");
        let mut driver = Driver::start(&place.log, From::End);
        append(&place.log, "one\n");
        driver.turn();
        place.rotate("aside");
        append(&place.log, "two\n");
        driver.turn();
        driver.pass(wait);
        fs::rename(place.join("aside"), &place.log).unwrap();
        append(&place.log, "three\n");
        driver.turn();
        assert_eq!(driver.take(), ["one", "two", "three"], "after {wait:?}");
    }
}

#[test]
fn a_copied_and_cut_log_is_followed_even_if_it_has_grown_again() {
    for lines_after in [1, 999, 1000, 1001, 5000] {
        let place = LogDirectory::new("");
        let mut driver = Driver::start(&place.log, From::End);
        append(&place.log, lines("a", 0..1000) + "ha");
        driver.turn();
        driver.take();
        File::options().write(true).open(&place.log).unwrap().set_len(0).unwrap();
        let text = lines("b", 0..lines_after);
        append(&place.log, &text);
        driver.turn();
        assert_eq!(driver.take(), text.lines().collect::<Vec<_>>());
    }
}

#[test]
fn a_log_that_was_cut_in_the_middle_is_not_read_twice() {
    let place = LogDirectory::new("");
    let mut driver = Driver::start(&place.log, From::End);
    let text = lines("line", 0..1000);
    append(&place.log, &text);
    driver.turn();
    driver.take();
    // Between two lines, and inside one.
    for length in [text.len() / 2 / 10 * 10, 1003] {
        File::options().write(true).open(&place.log).unwrap().set_len(length as u64).unwrap();
        driver.turn();
        append(&place.log, "rest?\nnew\n");
        driver.turn();
        let read = driver.take();
        assert_eq!(read.last().map(String::as_str), Some("new"), "cut to {length}");
        assert!(read.len() <= 2, "cut to {length}: {} lines", read.len());
    }
}

#[test]
fn a_writer_that_keeps_its_place_in_a_cut_log_loses_one_line() {
    let place = LogDirectory::new("");
    let mut driver = Driver::start(&place.log, From::End);
    let mut writer = File::create(&place.log).unwrap();
    writer.write_all(lines("a", 0..5000).as_bytes()).unwrap();
    driver.turn();
    driver.take();
    File::options().write(true).open(&place.log).unwrap().set_len(0).unwrap();
    // The system fills the gap in front of it with NULs.
    writer.write_all(b"one\ntwo\nthree\n").unwrap();
    driver.turn();
    assert_eq!(driver.take(), ["two", "three"]);
}

#[test]
fn a_deleted_log_is_waited_for() {
    let place = LogDirectory::new("");
    let mut driver = Driver::start(&place.log, From::End);
    append(&place.log, "one\n");
    fs::remove_file(&place.log).unwrap();
    driver.turn();
    driver.pass(Duration::from_secs(3600));
    fs::write(&place.log, "two\n").unwrap();
    driver.turn();
    assert_eq!(driver.take(), ["one", "two"]);
}

#[test]
fn a_log_that_appears_later_is_read_from_its_start() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("later/log");
    let mut driver = Driver::start(&log, From::End);
    driver.turn();
    driver.recheck();
    // inotify cannot tell of a directory that nobody could watch.
    fs::create_dir(directory.path().join("later")).unwrap();
    fs::write(&log, "one\n").unwrap();
    driver.recheck();
    assert_eq!(driver.take(), ["one"]);
    // And now it can.
    append(&log, "two\n");
    fs::rename(&log, directory.path().join("later/log.1")).unwrap();
    fs::write(&log, "three\n").unwrap();
    driver.turn();
    assert_eq!(driver.take(), ["two", "three"]);
    assert!(Follow::start(log.with_extension("x"), From::End, false, Timestamp::default()).is_err(), "with --once");
}
