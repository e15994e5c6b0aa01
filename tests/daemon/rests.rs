//! The rest of a message that was cut, or whose beginning was not seen, is no line, however a stranger had it begin.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::following::{each_source, site};
use crate::support::cases::{append, append_raw, ip, login_line, stamp_now};

/// `tail` leaves a file when its name is given to another, and misses what comes then. Courier's logger cuts a long message,
/// and the rest of it looks like a login.
#[test]
fn the_rest_of_a_message_from_before_a_rotation_is_no_login() {
    each_source(|site, source| {
        let mut daemon = site.daemon(source);
        let old = site.join("maillog.1");
        let imapd = |log: &Path, message: &str| append(log, &format!("{} mail imapd: {message}", stamp_now()));
        let rest = |last| format!("LOGIN, user=alice, ip=[::ffff:198.51.100.{last}], port=[4711], protocol=IMAP");
        imapd(&site.log, "Connection, ip=[::ffff:198.51.100.5]");
        site.log_in_and_wait(ip("198.51.100.1"));
        fs::rename(&site.log, &old).unwrap();
        fs::write(&site.log, "Nov 22 15:54:36 mail dovecot: master: Warning: a line that is no login\n").unwrap();
        daemon.wait_following(&site.log);
        imapd(&old, &format!("LOGIN FAILED, user={}", "A".repeat(486)));
        imapd(&site.log, &rest(66));
        imapd(&site.log, &rest(67));
        site.wait_listed(ip("198.51.100.67"));
        assert!(!site.lists(ip("198.51.100.66")), "{}", daemon.stderr());
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    });
}

/// A failed name that may go on behind a newline, on a host whose syslog daemon writes that raw.
fn failure() -> String {
    format!("{} mail vpopmail[77]: vchkpw-smtp: password fail (pass: 'x", stamp_now())
}

#[test]
fn the_first_login_in_a_file_is_not_the_rest_of_a_message_in_the_old_one() {
    each_source(|site, source| {
        let mut daemon = site.daemon(source);
        site.log_in_and_wait(ip("198.51.100.1"));
        append(&site.log, &failure());
        fs::rename(&site.log, site.join("maillog.1")).unwrap();
        File::create(&site.log).unwrap();
        daemon.wait_following(&site.log);
        site.log_in_and_wait(ip("198.51.100.2"));
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    });
}

#[test]
fn lines_of_the_new_file_do_not_stand_in_a_message_of_the_old_one() {
    let Some(site) = site() else { return };
    let mut daemon = site.daemon(&["--source", "follow"]);
    let old = site.join("maillog.1");
    site.log_in_and_wait(ip("198.51.100.1"));
    append(&site.log, &failure());
    fs::rename(&site.log, &old).unwrap();
    fs::write(&site.log, "x\n".repeat(1000)).unwrap();
    site.log_in_and_wait(ip("198.51.100.2"));
    append(&old, &login_line(ip("198.51.100.66")));
    append(&old, &"x".repeat(1000));
    append(&old, &login_line(ip("198.51.100.3")));
    site.wait_listed(ip("198.51.100.3"));
    assert!(!site.lists(ip("198.51.100.66")), "{}", daemon.stderr());
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}

/// Its beginning is written over what had been read.
#[test]
fn the_rest_of_a_message_that_was_not_seen_is_no_login() {
    let Some(site) = site() else { return };
    append_raw(&site.log, "x\n".repeat(300).as_bytes());
    let mut daemon = site.daemon(&["--source", "follow"]);
    site.log_in_and_wait(ip("198.51.100.1"));
    let read = fs::metadata(&site.log).unwrap().len() as usize;
    let text = format!("{}\n{}\n{}\n", failure(), "z".repeat(read - 500), login_line(ip("198.51.100.66")));
    File::options().write(true).open(&site.log).unwrap().write_all_at(text.as_bytes(), 500).unwrap();
    daemon.wait_logged("was changed where it had been read");
    append_raw(&site.log, "x\n".repeat(40_000).as_bytes());
    site.log_in_and_wait(ip("198.51.100.2"));
    assert!(!site.lists(ip("198.51.100.66")), "{}", daemon.stderr());
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
}
