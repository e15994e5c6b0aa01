//! What a log was between two looks of following in-process: copies of what was cut, and files that a link stood for.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::follow::driver::{Driver, open_below};
use super::follow::log_directory::{LogDirectory, append};
use super::follow::stamp::wait_for_later_stamp;
use pop_before_smtp::source::follow::From;

/// A line that is as long as those of a log.
fn line(number: u32) -> String {
    format!("{number:04} {}", "x".repeat(80))
}

/// Adds lines to the log.
fn write(place: &LogDirectory, numbers: std::ops::Range<u32>) {
    append(&place.log, numbers.map(|number| line(number) + "\n").collect::<String>());
}

/// Copies the log, and shifts the names of the older copies, as logrotate does it.
fn copy(place: &LogDirectory) {
    let name = |number: u32| place.join(&format!("log.{number}"));
    let last = (1..).find(|number| !name(*number).exists()).unwrap();
    for number in (1..last).rev() {
        fs::rename(name(number), name(number + 1)).unwrap();
    }
    // Which was first is told by when they were written.
    wait_for_later_stamp(place.directory.path());
    fs::copy(&place.log, name(1)).unwrap();
}

fn cut(place: &LogDirectory) {
    wait_for_later_stamp(place.directory.path());
    File::options().write(true).open(&place.log).unwrap().set_len(0).unwrap();
}

/// The numbers of the lines that were handed on since the last time.
fn numbers(driver: &mut Driver) -> Vec<u32> {
    driver.take().iter().map(|line| line[..4].parse().unwrap()).collect()
}

#[track_caller]
fn assert_reads(driver: &mut Driver, expected: std::ops::Range<u32>) {
    driver.turn();
    assert_eq!(numbers(driver), expected.collect::<Vec<_>>());
}

#[test]
fn what_a_copy_has_of_a_log_that_was_cut_is_read_from_there() {
    let place = LogDirectory::new("old\n");
    let mut driver = Driver::start(&place.log, From::End);
    let one = format!("one {}", "x".repeat(80));
    append(&place.log, format!("{one}\nhalf of "));
    driver.turn();
    append(&place.log, "two\nthree\n");
    fs::rename(&place.log, place.join("log.2")).unwrap();
    fs::copy(place.join("log.2"), &place.log).unwrap();
    driver.turn();
    assert_eq!(driver.take(), [&one, "half of two", "three", "old", &one, "half of two", "three"], "another file");
    append(&place.log, "four\nfive\n");
    fs::copy(&place.log, place.join("log.1")).unwrap();
    fs::write(&place.log, format!("six\n{one}\n")).unwrap();
    driver.turn();
    assert_eq!(driver.take(), ["four", "five", "six", &one]);
    // Without a copy what was not read is lost, and no other file is taken for one.
    append(&place.log, "seven\n");
    fs::write(&place.log, "eight\n").unwrap();
    driver.turn();
    assert_eq!(driver.take(), ["eight"]);
}

#[test]
fn a_log_that_was_copied_and_cut_several_times_unseen_is_read_from_its_copies() {
    for at_first in [0, 3] {
        for at_last in [0, 5] {
            let place = LogDirectory::new("");
            let mut driver = Driver::start(&place.log, From::End);
            write(&place, 0..at_first);
            assert_reads(&mut driver, 0..at_first);
            for round in 0..4 {
                write(&place, at_first + 10 * round..at_first + 10 * round + 10);
                copy(&place);
                cut(&place);
            }
            let end = at_first + 40 + at_last;
            write(&place, at_first + 40..end);
            assert_reads(&mut driver, at_first..end);
            let past: Vec<Vec<u8>> = (at_first..at_first + 40).map(|number| line(number).into_bytes()).collect();
            assert_eq!(driver.past[..40], past, "they count by their own times");
            // And so on, as ever.
            write(&place, end..end + 1);
            assert_reads(&mut driver, end..end + 1);
            copy(&place);
            cut(&place);
            write(&place, end + 1..end + 2);
            assert_reads(&mut driver, end + 1..end + 2);
        }
    }
}

#[test]
fn more_copies_than_may_be_open_are_read_in_their_order() {
    let place = LogDirectory::new("");
    let mut driver = Driver::start(&place.log, From::End);
    write(&place, 0..1);
    assert_reads(&mut driver, 0..1);
    for round in 0..30 {
        write(&place, 1 + 2 * round..3 + 2 * round);
        copy(&place);
        cut(&place);
    }
    write(&place, 61..62);
    assert_reads(&mut driver, 1..62);
    assert_eq!(open_below(place.directory.path()), std::slice::from_ref(&place.log));
}

#[test]
fn cuts_while_the_copies_are_read_are_found() {
    let place = LogDirectory::new("");
    let mut driver = Driver::start(&place.log, From::End);
    write(&place, 0..5);
    assert_reads(&mut driver, 0..5);
    // After so many calls of the loop's: before and behind each of its steps.
    let mut next = 5;
    for steps in 0..12 {
        for _ in 0..2 {
            write(&place, next..next + 3);
            copy(&place);
            cut(&place);
            write(&place, next + 3..next + 4);
            next += 4;
        }
        for _ in 0..steps {
            driver.step();
        }
    }
    assert_reads(&mut driver, 5..next);
}

#[test]
fn a_copy_that_is_being_written_counts_only_when_the_log_is_cut() {
    for was_cut in [false, true] {
        let place = LogDirectory::new("");
        let mut driver = Driver::start(&place.log, From::End);
        write(&place, 0..5);
        assert_reads(&mut driver, 0..5);
        write(&place, 5..10);
        if was_cut {
            copy(&place);
            cut(&place);
        }
        write(&place, 10..20);
        copy(&place);
        let finished = fs::read(place.join("log.1")).unwrap();
        fs::write(place.join("log.1"), &finished[..300]).unwrap();
        assert_reads(&mut driver, 5..20);
        driver.recheck();
        write(&place, 20..25);
        fs::copy(&place.log, place.join("log.1")).unwrap();
        cut(&place);
        write(&place, 25..26);
        assert_reads(&mut driver, 20..26);
    }
}

#[test]
fn files_that_were_the_log_are_not_read_again_as_copies() {
    let place = LogDirectory::new("");
    let mut driver = Driver::start(&place.log, From::End);
    let mut next = 0;
    for round in 0..12 {
        write(&place, next..next + 3);
        assert_reads(&mut driver, next..next + 3);
        fs::rename(&place.log, place.join(&format!("log.{}", 900 - round))).unwrap();
        File::create_new(&place.log).unwrap();
        write(&place, next + 3..next + 5);
        wait_for_later_stamp(place.directory.path());
        fs::copy(&place.log, place.join(&format!("log.{}", 100 + round))).unwrap();
        cut(&place);
        write(&place, next + 5..next + 6);
        assert_reads(&mut driver, next + 3..next + 6);
        next += 6;
    }
    // Nor are they when they are written to again, long after.
    append(&place.join("log.900"), line(9999) + "\n");
    cut(&place);
    write(&place, next..next + 1);
    assert_reads(&mut driver, next..next + 1);
}

#[test]
fn nothing_is_read_without_the_copy_in_which_the_reading_had_stopped() {
    let place = LogDirectory::new("");
    fs::write(place.join("log.9"), line(9999)).unwrap();
    let mut driver = Driver::start(&place.log, From::End);
    write(&place, 0..5);
    assert_reads(&mut driver, 0..5);
    wait_for_later_stamp(place.directory.path());
    for name in ["log.1", "log-20261122", "log.2.gz", "other.1"] {
        fs::write(place.join(name), line(9999) + "\n").unwrap();
    }
    cut(&place);
    write(&place, 5..7);
    assert_reads(&mut driver, 5..7);
    // Nor are they at the next cut, which leaves a copy.
    write(&place, 7..8);
    copy(&place);
    cut(&place);
    write(&place, 8..9);
    assert_reads(&mut driver, 7..9);
}

#[test]
fn a_short_beginning_fits_no_copy() {
    let place = LogDirectory::new("");
    let mut driver = Driver::start(&place.log, From::End);
    append(&place.log, "0000\n");
    assert_reads(&mut driver, 0..1);
    append(&place.log, "0001\n");
    copy(&place);
    cut(&place);
    append(&place.log, "0002\n");
    assert_reads(&mut driver, 2..3);
}

#[test]
fn a_link_that_moves_is_followed_at_once() {
    let place = LogDirectory::new("");
    for name in ["day1", "day2"] {
        fs::create_dir(place.join(name)).unwrap();
        fs::write(place.join(name).join("mail"), "").unwrap();
    }
    fs::remove_file(&place.log).unwrap();
    symlink("today/mail", &place.log).unwrap();
    symlink("day1", place.join("today")).unwrap();
    let mut driver = Driver::start(&place.log, From::End);
    append(&place.log, "one\n");
    driver.turn();
    let switch = |target: &str, link: &Path| {
        symlink(target, place.join("new")).unwrap();
        fs::rename(place.join("new"), link).unwrap();
    };
    // The link to the directory.
    append(&place.log, "two\n");
    switch("day2", &place.join("today"));
    append(&place.log, "three\n");
    driver.recheck();
    assert_eq!(driver.take(), ["one", "two", "three"]);
    // The log itself, and without waiting.
    fs::write(place.join("day3"), "").unwrap();
    append(&place.log, "four\n");
    switch("day3", &place.log);
    append(&place.log, "five\n");
    driver.turn();
    assert_eq!(driver.take(), ["four", "five"]);
    // A rotation where the link points to is seen at once, too.
    fs::rename(place.join("day3"), place.join("day3.old")).unwrap();
    fs::write(place.join("day3"), "six\n").unwrap();
    driver.turn();
    assert_eq!(driver.take(), ["six"]);
}

/// Makes the link point to another file, in which there is a line then.
fn link_to(place: &LogDirectory, target: &str, number: u32) {
    wait_for_later_stamp(place.directory.path());
    let target = place.join(target);
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    let link = place.join("new-link");
    File::create(&target).unwrap();
    symlink(&target, &link).unwrap();
    fs::rename(&link, &place.log).unwrap();
    append(&place.log, line(number) + "\n");
}

#[test]
fn files_that_a_link_stood_for_unseen_are_read() {
    let several: [&[&str]; 4] = [
        &["mail.8", "mail.9", "mail.10", "mail.11"],
        &["mail-20261129.log", "mail-20261130.log", "mail-20261201.log"],
        &["mail-2026-11-29", "mail-2026-11-30", "mail-2026-12-01", "mail-2026-12-02"],
        &["day1/mail", "day2/mail", "day3/mail"],
    ];
    for targets in several {
        let place = LogDirectory::new("");
        link_to(&place, targets[0], 0);
        let mut driver = Driver::start(&place.log, From::Start);
        assert_reads(&mut driver, 0..1);
        append(&place.log, line(1) + "\n");
        let others = ["mail.9.gz", "mail.x9", "mail.12", "mail-20261202.log", "main-2026-11-30", "day2/main"];
        for name in others.iter().filter(|name| place.join(name).parent().unwrap().exists()) {
            fs::write(place.join(name), line(9999) + "\n").unwrap();
        }
        for (target, number) in targets[1..].iter().zip(2..) {
            link_to(&place, target, number);
        }
        let end = targets.len() as u32 + 1;
        assert_reads(&mut driver, 1..end);
        let unseen = targets.len() - 2;
        assert!(driver.past.len() >= unseen, "they count by their own times");
        append(&place.log, line(end) + "\n");
        assert_reads(&mut driver, end..end + 1);
    }
}

#[test]
fn more_targets_than_may_be_open_are_read_in_their_order() {
    let place = LogDirectory::new("");
    link_to(&place, "mail.0", 0);
    let mut driver = Driver::start(&place.log, From::Start);
    assert_reads(&mut driver, 0..1);
    (1..40).for_each(|number| link_to(&place, &format!("mail.{number}"), number));
    while driver.take().last().is_none_or(|last| !last.starts_with("0039")) {
        driver.step();
        assert!(open_below(place.directory.path()).len() <= 8);
    }
    assert_eq!(driver.dropped, 0);
}

#[test]
fn a_file_of_another_time_was_no_target() {
    for written in [SystemTime::UNIX_EPOCH, SystemTime::now() + Duration::from_secs(3600)] {
        let place = LogDirectory::new("");
        link_to(&place, "mail.1", 0);
        let mut driver = Driver::start(&place.log, From::Start);
        assert_reads(&mut driver, 0..1);
        fs::write(place.join("mail.2"), line(9999) + "\n").unwrap();
        File::options().write(true).open(place.join("mail.2")).unwrap().set_modified(written).unwrap();
        link_to(&place, "mail.3", 1);
        assert_reads(&mut driver, 1..2);
    }
}

/// `touch` gives all files one time, and a clock may have been wrong.
#[test]
fn many_files_of_one_time_are_read_once_at_most() {
    const FILES: u32 = 60;
    for (known, ahead) in [(true, 0), (true, 3600), (false, 0), (false, 3600)] {
        let place = LogDirectory::new("");
        let others = || (1..=FILES).map(|number| place.join(&format!("log.{number}")));
        let fill = || others().zip(1000..).for_each(|(path, number)| fs::write(path, line(number) + "\n").unwrap());
        if known {
            fill();
        }
        let mut driver = Driver::start(&place.log, From::Start);
        write(&place, 0..3);
        assert_reads(&mut driver, 0..3);
        if !known {
            fill();
        }
        let time = SystemTime::now() + Duration::from_secs(ahead);
        others().for_each(|path| File::options().write(true).open(path).unwrap().set_modified(time).unwrap());
        place.rotate("log.0");
        write(&place, 3..5);
        driver.turn();
        let mut read = numbers(&mut driver);
        assert!(read.ends_with(&[3, 4]), "known {known}, ahead {ahead}: {read:?}");
        read.sort_unstable();
        let all = read.len();
        read.dedup();
        assert_eq!(read.len(), all, "known {known}, ahead {ahead}: twice");
        assert!(!known || all == 2, "known: {read:?}");
    }
}
