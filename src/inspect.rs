//! Commands that look and change nothing: `list` and `match`.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use crate::cli::{Format, Match};
use crate::config::Table;
use crate::error::{Error, Exit};
use crate::escape;
use crate::matcher::{Action, Event, Matchers};
use crate::source::lines::Lines;
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

/// Prints the events in log files, or their number.
///
/// # Errors
/// A file cannot be read. Files before it have been printed.
pub fn events(chosen: &Matchers, what: &Match) -> Result<(), Error> {
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let mut totals = Totals::default();
    for path in &what.files {
        let mut input = open(path)?;
        let mut matchers = chosen.clone();
        let mut number = 0u64;
        let mut written = Ok(());
        let mut lines = Lines::default();
        loop {
            let mut line = |text: &[u8]| {
                number += 1;
                let Some(event) = matchers.event(Timestamp::default(), text) else { return };
                totals.count(event.action);
                if !what.count && written.is_ok() {
                    written = write_event(&mut out, what.format, number, &event);
                }
            };
            let read = lines.read(&mut input, &mut line).map_err(|error| cannot_read(path, &error))?;
            if read == 0 || written.is_err() {
                break;
            }
        }
        finish(written)?;
        if lines.has_unfinished() {
            log::warn!("the last line of {} has no newline, so it may be half a line: not matched", path.display());
        }
    }
    let written = if what.count { totals.write(&mut out, what.format) } else { Ok(()) };
    finish(written.and_then(|()| out.flush()))
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

fn write_event(out: &mut impl Write, format: Format, number: u64, event: &Event<'_>) -> io::Result<()> {
    let action = match event.action {
        Action::Login => "login",
        Action::Logout => "logout",
    };
    let Event { client, matcher, .. } = event;
    let user = escape::printable(event.user.unwrap_or_default());
    match format {
        Format::Tsv => writeln!(out, "{number}\t{action}\t{client}\t{matcher}\t{user}"),
        Format::Text => writeln!(out, "{number}: {action} {client} {matcher} {user}"),
        Format::Json => {
            let user = escape::json(event.user.unwrap_or_default());
            writeln!(
                out,
                r#"{{"line":{number},"action":"{action}","address":"{client}","matcher":"{matcher}","user":"{user}"}}"#
            )
        }
    }
}

fn open(path: &Path) -> Result<Box<dyn Read>, Error> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    File::open(path).map(|file| Box::new(file) as Box<dyn Read>).map_err(|error| cannot_read(path, &error))
}

fn cannot_read(path: &Path, error: &io::Error) -> Error {
    Error::io(Exit::NoInput, format!("read {}", path.display()), error)
}

fn finish(written: io::Result<()>) -> Result<(), Error> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::io(Exit::System, "write to standard output", &error))
        }
        _ => Ok(()),
    }
}
