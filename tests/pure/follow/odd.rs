//! Lines, files and rotations that are not as they should be, or too many.

use std::fs;

use super::*;

#[test]
fn odd_bytes_and_long_lines_do_not_disturb() {
    let place = LogDirectory::new("");
    let mut driver = Driver::start(&place.log, From::End);
    append(&place.log, b"a\0b\n\xff\xfe\x80\n\n\0\0\0\n");
    for length in [9 * 1024, 1024 * 1024] {
        append(&place.log, [vec![b'x'; length], b"\nnext\n".to_vec()].concat());
    }
    append(&place.log, "no newline");
    driver.turn();
    let read: Vec<&[u8]> = driver.lines.iter().map(Vec::as_slice).collect();
    assert_eq!(read, [b"a\0b", &b"\xff\xfe\x80"[..], b"", b"\0\0\0", b"next", b"next"]);
    assert_eq!(driver.dropped, 2);
    append(&place.log, " until now\n");
    driver.turn();
    assert_eq!(driver.lines.last().unwrap(), b"no newline until now");
}

#[test]
fn once_ends_at_the_end() {
    let place = LogDirectory::new(&(lines("line", 0..50_000) + "half"));
    let mut driver = Driver::begin(&place.log, From::Start, false);
    while driver.step() == Progress::Some {
        assert!(driver.source.has_more(), "nothing else would make the loop read again");
    }
    assert_eq!(driver.step(), Progress::Ended);
    assert_eq!(driver.lines.len(), 50_000);
    let mut driver = Driver::begin(&place.log, From::End, false);
    assert_eq!(driver.step(), Progress::Ended);
}

#[test]
fn what_is_no_file_is_refused_and_stops_nobody() {
    let place = LogDirectory::new("");
    nix::unistd::mkfifo(&place.join("fifo"), Mode::from_bits_truncate(0o600)).unwrap();
    for name in ["fifo", "."] {
        assert!(Follow::start(place.join(name), From::End, true, Timestamp::default()).is_err(), "{name}");
    }
    let mut driver = Driver::start(&place.log, From::End);
    fs::rename(place.join("fifo"), &place.log).unwrap();
    driver.turn();
    driver.recheck();
    driver.recheck();
    fs::remove_file(&place.log).unwrap();
    fs::write(&place.log, "one\n").unwrap();
    driver.turn();
    assert_eq!(driver.take(), ["one"]);
}

#[test]
fn a_busy_log_gets_one_read_at_a_time() {
    let place = LogDirectory::new(&lines("line", 0..100_000));
    let mut driver = Driver::start(&place.log, From::Start);
    let mut before = 0;
    while driver.source.has_more() {
        driver.step();
        let read: usize = driver.lines[before..].iter().map(|line| line.len() + 1).sum();
        assert!(read <= READ + BEHIND, "{read} bytes");
        before = driver.lines.len();
    }
    assert_eq!(before, 100_000);
}

/// What may stand behind them is not read yet.
#[test]
fn lines_that_are_kept_back_are_not_lost_when_the_log_is_cut() {
    let place = LogDirectory::new(&lines("line", 0..20_000));
    let mut driver = Driver::start(&place.log, From::Start);
    driver.step();
    driver.step();
    let before = driver.lines.len();
    assert!((100..20_000).contains(&before));
    // A next run reads them again.
    let Some(SavedPosition::File(mark)) = driver.source.saved_position() else { panic!("no place") };
    let read: u64 = driver.lines.iter().map(|line| line.len() as u64 + 1).sum();
    assert_eq!(mark.position.offset, read);
    assert!(mark.fits(&File::open(&place.log).unwrap()));
    fs::write(&place.log, "new\n").unwrap();
    assert_eq!(driver.source.saved_position(), None);
    driver.turn();
    let told = driver.take();
    let kept = told.len() - 1 - before;
    assert!(kept > 100, "{kept}");
    assert_eq!(told[..before + kept].concat(), lines("line", 0..(before + kept) as u32).replace('\n', ""));
    assert_eq!(told[before + kept], "new");
}

#[test]
fn many_rotations_leave_one_file_open() {
    let place = LogDirectory::new("");
    let mut driver = Driver::start(&place.log, From::End);
    driver.turn();
    let own = || open_below(place.directory.path()).len();
    for round in 0..50 {
        place.rotate(&format!("log.{round}"));
        driver.turn();
        assert!(own() <= 8, "{} open files", own());
    }
    driver.pass(2 * GRACE);
    assert_eq!(own(), 1);
}
