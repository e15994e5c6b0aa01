//! Commands that look and change nothing: `list` and `match`.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use crate::cli::{Format, Match};
use crate::config::Table;
use crate::matcher::{Action, Event, Matchers};
use crate::output::color::Color;
use crate::output::error::{Error, Exit};
use crate::output::escape;
use crate::output::progress;
use crate::source::lines::{Block, Lines};
use crate::time::{self, Timestamp};

/// Prints `text`; a reader that has seen enough is no error.
///
/// # Errors
/// Standard output cannot be written.
pub fn print(text: &str) -> Result<(), Error> {
    finish(io::stdout().lock().write_all(text.as_bytes()))
}

/// Prints address and time of expiry of every client in the table, the next to expire first.
///
/// # Errors
/// There is no table, or it cannot be read.
pub fn list(table: &Table) -> Result<(), Error> {
    let mut clients = (table.driver.open_read_only)(&table.options)?.list()?;
    clients.sort_by_key(|client| (client.expires, client.address));
    let mut out = BufWriter::new(io::stdout().lock());
    let written = clients.iter().try_for_each(|client| match client.expires {
        Some(expires) => writeln!(out, "{}\t{}", client.address, time::display(expires)),
        None => writeln!(out, "{}", client.address),
    });
    finish(written.and_then(|()| out.flush()))
}

/// Prints the events in log files, or their number. Unless it was `said` whether newlines are escaped there, tells how many
/// logins do not count for that.
///
/// # Errors
/// A file cannot be read; the others have been printed.
pub fn events(chosen: &Matchers, what: &Match, said: Option<bool>) -> Result<(), Error> {
    let mut held = 0;
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let mut totals = Totals::default();
    let paint = if what.format == Format::Text { Color::stdout() } else { Color::none() };
    let mut written = Ok(());
    let read = each_file(&what.files, |path| {
        // Lines before the one that is counted from.
        let mut number = 0u64;
        let mut matchers = chosen.clone();
        each_block(path, |block| {
            let (text, block) = (block.text(), block.lines());
            let mut counted = 0;
            matchers.scan_part(Timestamp::default(), text, 0..block.len(), &mut |at, event| {
                totals.count(event.action);
                if !what.count && written.is_ok() {
                    number += newlines(&block[counted..at]);
                    counted = at;
                    written = write_event(&mut out, what.format, paint, number + 1, event);
                }
            });
            if !what.count {
                number += newlines(&block[counted..]) + u64::from(!block.ends_with(b"\n"));
            }
            written.is_ok()
        })
        .inspect(|()| held += matchers.held())
    });
    if held > 0 && said.is_none() {
        let logins = if held == 1 {
            "1 login was not counted, which stands"
        } else {
            &format!("{held} logins were not counted, which stand")
        };
        log::info!(
            "{logins} where a stranger's text may be, and that may have newlines in it; if who writes the log escapes them, as \
             rsyslogd does, give --escaped-newlines"
        );
    }
    let written = written.and_then(|()| if what.count { totals.write(&mut out, what.format) } else { Ok(()) });
    finish(written.and_then(|()| out.flush()))?;
    read
}

/// Does the same to each file; one that cannot be read does not keep the others from it.
///
/// # Errors
/// A file could not be read. If several could not, the others' errors have been logged.
pub(crate) fn each_file(files: &[PathBuf], mut read: impl FnMut(&Path) -> Result<(), Error>) -> Result<(), Error> {
    let mut failed = Ok(());
    // What goes to the terminal would run into the bar.
    if !io::stdout().is_terminal() {
        progress::expect(files.iter().filter_map(|path| path.metadata().ok()).map(|metadata| metadata.len()).sum());
    }
    for path in files {
        let result = read(path);
        if let (Err(earlier), Err(_)) = (&failed, &result) {
            log::error!("{earlier}");
        }
        if result.is_err() {
            failed = result;
        }
    }
    progress::end();
    failed
}

/// Hands out the lines of a file in blocks, as [`Lines::read_on`] does, until one is answered with false.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn each_block(path: &Path, mut block: impl FnMut(Block<'_>) -> bool) -> Result<(), Error> {
    let mut input = open(path)?;
    let mut lines = Lines::default();
    let mut go_on = true;
    while go_on {
        let mut hand_out = |_, lines: Block<'_>| go_on = go_on && block(lines);
        match lines.read_on(&mut input, &|_, _| true, &mut hand_out).map_err(|error| cannot_read(path, &error))? {
            0 => break,
            read => progress::advance(read as u64),
        }
    }
    if go_on && lines.has_unfinished() {
        log::warn!("the last line of {} has no newline, so it may be half a line: not matched", path.display());
    }
    Ok(())
}

fn newlines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

#[derive(Debug, Default)]
struct Totals {
    logins: u64,
    logouts: u64,
}

impl Totals {
    fn count(&mut self, action: Action) {
        match action {
            Action::Login => self.logins += 1,
            Action::Logout => self.logouts += 1,
        }
    }

    fn write(&self, out: &mut impl Write, format: Format) -> io::Result<()> {
        let Self { logins, logouts } = self;
        match format {
            Format::Json => writeln!(out, r#"{{"login":{logins},"logout":{logouts}}}"#),
            Format::Text | Format::Tsv => writeln!(out, "login\t{logins}\nlogout\t{logouts}"),
        }
    }
}

fn write_event(out: &mut impl Write, format: Format, paint: Color, number: u64, event: &Event<'_>) -> io::Result<()> {
    let action = match event.action {
        Action::Login => "login",
        Action::Logout => "logout",
    };
    let Event { client, matcher, .. } = event;
    let user = escape::printable(event.user.unwrap_or_default());
    match format {
        Format::Tsv => writeln!(out, "{number}\t{action}\t{client}\t{matcher}\t{user}"),
        Format::Text => {
            let (number, client) = (paint.faint(number), paint.strong(client));
            writeln!(out, "{number}: {action} {client} {matcher} {user}")
        }
        Format::Json => {
            let user = escape::json(event.user.unwrap_or_default());
            writeln!(
                out,
                r#"{{"line":{number},"action":"{action}","address":"{client}","matcher":"{matcher}","user":"{user}"}}"#
            )
        }
    }
}

pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, Error> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    File::open(path).map(|file| Box::new(file) as Box<dyn Read>).map_err(|error| cannot_read(path, &error))
}

pub(super) fn cannot_read(path: &Path, error: &io::Error) -> Error {
    let failed = Error::io(Exit::NoInput, format!("read {}", path.display()), error);
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::IsADirectory => {
            failed.cure("name a log file, or - for standard input")
        }
        io::ErrorKind::PermissionDenied => failed.cure("run as a user that may read it"),
        _ => failed,
    }
}

pub(crate) fn finish(written: io::Result<()>) -> Result<(), Error> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::io(Exit::System, "write to standard output", &error))
        }
        _ => Ok(()),
    }
}
