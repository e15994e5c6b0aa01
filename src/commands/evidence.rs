//! What an explanation can be checked against: the line in the log, and what the table answers. Reads both.

use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::config::Table;
use crate::control::wire::{Explanation, text};
use crate::grants::taken::FOREIGN;
use crate::postfix;
use crate::saved::regular_file;
use crate::saved::state::beside;
use crate::time::{Now, unix_seconds_up};

/// Longest line that is looked at, as when logs are followed.
const LONGEST: usize = 8 * 1024;

/// Adds the line and the answer, as far as they can be had.
pub(super) fn gather(explanation: Explanation, table: &Table) -> Explanation {
    let line = line(&explanation);
    Explanation { line, table: Some(postfix::lookup_table(table)), answer: answer(&explanation, table), ..explanation }
}

/// What Postfix is told of the address.
fn answer(explanation: &Explanation, table: &Table) -> Option<String> {
    let listed = match (table.driver.open_read_only)(&table.options).and_then(|mut table| table.list()) {
        Ok(listed) => listed,
        Err(error) => {
            log::warn!("{error}");
            return None;
        }
    };
    let client = listed.iter().find(|client| client.address == explanation.address)?;
    if table.driver.expires_rows && client.expires.is_some_and(|expires| expires <= Now::read().wall) {
        return None;
    }
    let seconds = client.expires.map(|expires| unix_seconds_up(expires).to_string());
    table.options.value.clone().or(seconds)
}

/// The line of the login, in the log or in the file that had its name before.
fn line(explanation: &Explanation) -> Option<String> {
    let log = explanation.log.as_ref().filter(|log| !log.starts_with(FOREIGN)).map(PathBuf::from)?;
    let offset = explanation.offset?;
    let user = explanation.user.as_deref().unwrap_or_default();
    let address = explanation.address.to_string();
    let lines = [log.clone(), beside(&log, ".1")].into_iter().filter_map(|path| line_at(&path, offset).ok());
    // Another log may have the name by now, with another line there.
    lines.map(|line| text(&line)).find(|line| line.contains(&address) || (!user.is_empty() && line.contains(user)))
}

/// The line that begins at a place.
fn line_at(path: &Path, offset: u64) -> io::Result<Vec<u8>> {
    let none = || io::Error::from(io::ErrorKind::NotFound);
    // The daemon tells which: one that a stranger has taken over could name a device.
    let file = regular_file::open(path)?;
    let mut before = [b'\n'];
    if offset > 0 {
        file.read_exact_at(&mut before, offset - 1)?;
    }
    let mut block = vec![0; LONGEST];
    let read = file.read_at(&mut block, offset)?;
    let end = memchr::memchr(b'\n', &block[..read]).filter(|_| before == [b'\n']).ok_or_else(none)?;
    block.truncate(end);
    Ok(block)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs::{File, OpenOptions};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_line_is_shown_only_if_it_is_that_of_the_login() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let explain = |offset, user: &str| {
            let nothing = Explanation::nothing("192.0.2.1".parse().unwrap());
            let (log, user) = (Some(log.display().to_string()), Some(user.to_owned()));
            line(&Explanation { log, user, offset: Some(offset), ..nothing })
        };
        assert_eq!(explain(0, "a"), None, "there is no log");
        std::fs::write(&log, "first\nlogin of alice\nfrom 192.0.2.1\nhalf").unwrap();
        assert_eq!(explain(6, "alice").as_deref(), Some("login of alice"));
        assert_eq!(explain(21, "").as_deref(), Some("from 192.0.2.1"));
        assert_eq!(explain(6, "bob"), None, "another line");
        assert_eq!(explain(7, "alice"), None, "in the middle");
        assert_eq!(explain(36, "half"), None, "half a line");
        assert_eq!(explain(1000, "a"), None);
        std::fs::rename(&log, directory.path().join("log.1")).unwrap();
        std::fs::write(&log, "x\n").unwrap();
        assert_eq!(explain(6, "alice").as_deref(), Some("login of alice"));
    }

    /// Whoever waits for a reader of a FIFO does not meet one.
    #[test]
    fn nothing_but_a_file_is_opened() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let (tell, opened) = mpsc::channel();
        let fifo = path.clone();
        let writer = thread::spawn(move || {
            tell.send(nix::unistd::gettid()).unwrap();
            OpenOptions::new().write(true).open(fifo).unwrap();
            tell.send(nix::unistd::gettid()).unwrap();
        });
        let thread = opened.recv().unwrap();
        let stat = format!("/proc/self/task/{thread}/stat");
        while !std::fs::read_to_string(&stat).unwrap().contains(") S ") {
            thread::yield_now();
        }
        assert!(line_at(&path, 0).is_err());
        assert!(opened.recv_timeout(Duration::from_millis(300)).is_err(), "it was opened");
        let reader = File::open(&path).unwrap();
        writer.join().unwrap();
        drop(reader);
        assert!(line_at(Path::new("/dev/null"), 0).is_err() && line_at(directory.path(), 0).is_err());
        let (log, link) = (directory.path().join("maillog"), directory.path().join("link"));
        std::fs::write(&log, "a line\n").unwrap();
        std::os::unix::fs::symlink(&log, &link).unwrap();
        assert_eq!(line_at(&link, 0).unwrap(), b"a line");
    }
}
