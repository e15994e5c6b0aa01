//! The newest part of a log, of bounded size: for who wants to know what is in it without following it.

use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::backlog::rotated_names;

/// Whole lines.
#[derive(Debug, Default)]
pub(crate) struct Newest {
    /// Oldest first.
    pub lines: Vec<u8>,
    /// Whether nothing is known to stand in front of them.
    pub is_whole: bool,
    /// Whether they begin in the middle of a file.
    pub is_cut: bool,
}

/// The newest lines of a file, in at most so many bytes.
///
/// # Errors
/// It cannot be read, or is no regular file.
pub(crate) fn of_file(path: &Path, most: u64) -> io::Result<Newest> {
    let (mut file, found) = super::open(path)?;
    let start = found.len().saturating_sub(most);
    // One byte more, to see whether a line begins where the part does.
    file.seek(SeekFrom::Start(start.saturating_sub(1)))?;
    let mut lines = Vec::new();
    file.take(most + 1).read_to_end(&mut lines)?;
    lines.truncate(memchr::memrchr(b'\n', &lines).map_or(0, |newline| newline + 1));
    if start > 0 {
        lines.drain(..memchr::memchr(b'\n', &lines).map_or(0, |newline| newline + 1));
    }
    Ok(Newest { lines, is_whole: start == 0, is_cut: start > 0 })
}

/// The same of a log: where its file is shorter, also the end of the file that was rotated last.
///
/// # Errors
/// The log cannot be read, or is no regular file.
pub(crate) fn of_log(path: &Path, most: u64) -> io::Result<Newest> {
    let newest = of_file(path, most)?;
    let rest = most.saturating_sub(newest.lines.len() as u64);
    if !newest.is_whole || rest == 0 {
        return Ok(newest);
    }
    match rotated_last(path).map(|older| of_file(&older, rest)) {
        Some(Ok(older)) => {
            Ok(Newest { lines: [older.lines, newest.lines].concat(), is_whole: false, is_cut: older.is_cut })
        }
        Some(Err(_)) => Ok(Newest { is_whole: false, ..newest }),
        None => Ok(newest),
    }
}

/// Only files of the log's owner count.
fn rotated_last(path: &Path) -> Option<PathBuf> {
    let log = fs::metadata(path).ok()?;
    let written = |path: PathBuf| {
        let found = path.metadata().ok().filter(|found| found.is_file() && found.uid() == log.uid())?;
        Some((found.modified().ok()?, path))
    };
    rotated_names(path).into_iter().filter_map(written).max().map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn whole_lines_are_taken_from_the_end_and_from_the_file_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let newest = |most| {
            let newest = of_log(&path("log"), most).unwrap();
            (String::from_utf8(newest.lines).unwrap(), newest.is_whole)
        };
        fs::write(path("log"), "three\nfour\nhalf").unwrap();
        assert_eq!(newest(100), ("three\nfour\n".to_owned(), true));
        assert_eq!(newest(15), ("three\nfour\n".to_owned(), true));
        assert_eq!(newest(9), ("four\n".to_owned(), false), "a line begins there");
        assert_eq!(newest(10), ("four\n".to_owned(), false));
        assert_eq!(newest(3), (String::new(), false));
        for (name, text, days) in [("log.1", "one\ntwo\n", 1), ("log.2", "zero\n", 2)] {
            fs::write(path(name), text).unwrap();
            let file = fs::File::options().write(true).open(path(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(days * 86_400)).unwrap();
        }
        assert_eq!(newest(100), ("one\ntwo\nthree\nfour\n".to_owned(), false));
        assert_eq!(newest(16), ("two\nthree\nfour\n".to_owned(), false));
        assert!(of_log(&path("none"), 9).is_err() && of_log(directory.path(), 9).is_err());
    }
}
