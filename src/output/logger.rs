//! Sink of the `log` facade: standard error in the foreground, syslog (facility mail) in the background.

use std::io::Write;
use std::sync::atomic::{AtomicU8, Ordering};

use log::{Level, LevelFilter, Log, Metadata, Record};
use nix::syslog::{Facility, LogFlags, Severity};

use crate::output::escape::printable;
use crate::output::progress;

/// Where messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Sink {
    /// Standard error, for people.
    Stderr = 0,
    /// Standard error with `<N>` in front, as systemd's journal reads it (sd-daemon(3)).
    Journal = 1,
    /// syslog(3), facility mail.
    Syslog = 2,
}

struct Logger {
    sink: AtomicU8,
}

static LOGGER: Logger = Logger { sink: AtomicU8::new(Sink::Stderr as u8) };

/// Makes the sink the one that every message goes to. May be called again when the program changes to the background.
pub fn init(sink: Sink) {
    if sink == Sink::Syslog {
        // Without syslogd the C library drops the messages; there is nobody left to tell.
        #[cfg(target_os = "linux")]
        let _ = nix::syslog::openlog(Some(c"pop-before-smtp"), LogFlags::LOG_PID, Facility::LOG_MAIL);
        // Elsewhere nix keeps no name for the C library, which takes that of the program.
        #[cfg(not(target_os = "linux"))]
        let _ = nix::syslog::openlog(None::<&str>, LogFlags::LOG_PID, Facility::LOG_MAIL);
    }
    LOGGER.sink.store(sink as u8, Ordering::Relaxed);
    // An error means that it is set already.
    let _ = log::set_logger(&LOGGER);
    log::set_max_level(LevelFilter::Info);
}

/// Tells of a panic where every other message goes: in the background nobody reads standard error. A release then ends
/// at once, whichever thread it was (`panic` in Cargo.toml), and the supervisor has the table emptied.
pub fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let cause = panic.payload();
        let cause =
            cause.downcast_ref::<&str>().copied().or_else(|| cause.downcast_ref::<String>().map(String::as_str));
        let cause = printable(cause.unwrap_or_default().as_bytes());
        log::error!("cannot go on: {cause} ({place}); this is a fault of the program, please report it");
    }));
}

/// The sink for a program in the foreground: under systemd standard error is the journal.
pub fn foreground() -> Sink {
    if std::env::var_os("JOURNAL_STREAM").is_some() { Sink::Journal } else { Sink::Stderr }
}

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let sink = self.sink.load(Ordering::Relaxed);
        let word = match record.level() {
            Level::Error => "error: ",
            Level::Warn => "warning: ",
            _ => "",
        };
        // One line, one write: a pipe or file that others write to does not get it in pieces.
        let line = match sink {
            sink if sink == Sink::Journal as u8 => {
                format!("<{}>{word}{}\n", severity(record.level()) as u8, record.args())
            }
            sink if sink == Sink::Syslog as u8 => format!("{word}{}", record.args()),
            _ => format!("{word}{}\n", record.args()),
        };
        // A failure to log must not end the daemon.
        if sink == Sink::Syslog as u8 {
            let _ = nix::syslog::syslog(severity(record.level()), &line);
        } else {
            progress::aside(|| {
                let _ = std::io::stderr().write_all(line.as_bytes());
            });
        }
    }

    fn flush(&self) {}
}

fn severity(level: Level) -> Severity {
    match level {
        Level::Error => Severity::LOG_ERR,
        Level::Warn => Severity::LOG_WARNING,
        Level::Info => Severity::LOG_INFO,
        Level::Debug | Level::Trace => Severity::LOG_DEBUG,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::process::Command;

    use super::{Sink, init, tell_panics};

    #[test]
    fn a_panic_is_told_like_any_error() {
        const HERE: &str = "output::logger::tests::a_panic_is_told_like_any_error";
        if std::env::var_os("PANIC").is_some() {
            init(Sink::Journal);
            tell_panics();
            let _ = std::thread::spawn(|| panic!("a stranger's\n\x1b[2J text")).join();
            return;
        }
        let mut itself = Command::new(std::env::current_exe().unwrap());
        let end = itself.args(["--exact", HERE, "--nocapture"]).env("PANIC", "1").output().unwrap();
        let said = String::from_utf8(end.stderr).unwrap();
        let begin = r"<3>error: cannot go on: a stranger's\u{a}\u{1b}[2J text (src/output/logger.rs:";
        assert!(said.starts_with(begin), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
