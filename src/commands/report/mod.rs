//! `report`: who relays by a login, read from logs of the past.

mod files;
mod front;
mod stream;

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use self::stream::Stream;
use crate::cli::{ReportFormat, ReportOptions};
use crate::commands::inspect;
use crate::config::options::Options;
use crate::config::{self, wrong};
use crate::output::color::Color;
use crate::output::error::{Error, Exit};
use crate::output::{escape, progress};
use crate::postfix::{self, mynetworks};
use crate::report::postfix::Names;
use crate::report::summary::{Clock, Coverage, Summary};
use crate::report::{Report, Settings, html, text};
use crate::ring::networks::Networks;
use crate::time::{Now, unix_seconds};

/// Reads the logs and tells; exit code 1 if they hold no line of smtpd.
///
/// # Errors
/// A file cannot be read, or the page cannot be written.
pub fn run(options: &Options, what: &ReportOptions) -> Result<ExitCode, Error> {
    let summary = read(options, what)?;
    if let Some(file) = &what.html {
        write_page(file, &summary)?;
    }
    match what.format {
        ReportFormat::Json => print_json(&summary)?,
        ReportFormat::Text => inspect::print(&text::page(&summary, Color::stdout()))?,
    }
    if summary.coverage.smtpd_lines > 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let cure = "add the log that Postfix writes, which 'postconf maillog_file' names or syslog keeps, such as /var/log/mail.log";
    log::error!(
        "{}",
        Error::new(Exit::NoInput, "tell who relays", "no line of Postfix's smtpd is in these logs").cure(cure)
    );
    Ok(ExitCode::from(1))
}

fn read(options: &Options, what: &ReportOptions) -> Result<Summary, Error> {
    let now = Now::read();
    let policy = config::check(options, None)?.policy;
    let networks = permitted(config::never_published(options)?, config::skips_mynetworks(options))?;
    let time = |option: &str, text: &Option<String>| {
        let parse = |text: &String| {
            point(text, now.wall).ok_or_else(|| {
                wrong(options, option, text, "not a time")
                    .cure("write 2026-11-22, '2026-11-22 16:00' or 7d for seven days ago")
            })
        };
        text.as_ref().map(parse).transpose()
    };
    let (since, until) = (time("--since", &what.since)?, time("--until", &what.until)?);
    let (grace, entries, hold, zone) = (policy.grace, policy.entries, policy.hold, TimeZone::system());
    let mut report = Report::new(Settings { grace, entries, hold, networks, since, until, zone });
    let names = names(options);
    let matchers = config::matchers(options)?.of_any_host();
    let logs = files::logs(options, what)?;
    progress::expect(logs.iter().map(files::Log::size).sum());
    let mut streams: Vec<_> =
        logs.into_iter().map(|log| Stream::new(log, matchers.clone(), names.clone(), &now)).collect();
    let mut clock = Clock::default();
    merge(&mut streams, &mut clock, &mut report)?;
    progress::end();
    let mut coverage = Coverage::default();
    clock.tell(&mut coverage);
    streams.iter().for_each(|stream| stream.tell(&mut coverage));
    Ok(report.finish(coverage))
}

/// Reads several logs as one, in the order of their times.
fn merge(streams: &mut [Stream], clock: &mut Clock, report: &mut Report) -> Result<(), Error> {
    loop {
        let mut due = Vec::new();
        for (nth, stream) in streams.iter_mut().enumerate() {
            // Of one second, logins come first: whoever relays has logged in before.
            due.extend(stream.next_time()?.map(|at| (at, stream.is_postfix(), nth)));
        }
        due.sort_unstable();
        let Some((_, is_postfix, first)) = due.first().copied() else { return Ok(()) };
        let until = due.get(1).map_or(u64::MAX, |(at, other, _)| if is_postfix && !other { at - 1 } else { *at });
        streams[first].take(until, clock, report);
    }
}

/// The networks of the options and, if Postfix is here to be asked, those of mynetworks: they relay without a grant.
fn permitted(networks: Networks, wanted: bool) -> Result<Networks, Error> {
    if wanted {
        return mynetworks::add(networks, true);
    }
    Ok(match postfix::ask(&["-hx", "mynetworks"]) {
        Ok(text) => networks.without(mynetworks::parse(&text)),
        Err(cause) => {
            log::info!("mynetworks is not known ({cause}): name what relays anyway with --skip-networks");
            networks
        }
    })
}

/// The names under which Postfix logs: those of the options, else those of main.cf and master.cf, if Postfix is here.
fn names(options: &Options) -> Names {
    let said = config::syslog_names(options);
    if !said.is_empty() {
        return Names::new(said);
    }
    let asked: [&[&str]; 2] = [&["-hx", "syslog_name"], &["-Phx", "*/*/syslog_name"]];
    let texts: Vec<String> = asked.iter().filter_map(|arguments| postfix::ask(arguments).ok()).collect();
    Names::new(texts.iter().flat_map(|text| text.lines()).map(str::trim))
}

/// `2026-11-22`, `2026-11-22 16:00`, with a zone or in local time; or `7d`, `12h`, `30m` before now. Seconds since 1970.
fn point(text: &str, now: SystemTime) -> Option<u64> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return u64::try_from(time.as_second()).ok();
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return u64::try_from(local.to_zoned(TimeZone::system()).ok()?.timestamp().as_second()).ok();
    }
    let unit = match text.as_bytes().last()? {
        b'd' => 86_400,
        b'h' => 3600,
        b'm' => 60,
        _ => return None,
    };
    let number: u64 = text[..text.len() - 1].parse().ok()?;
    Some(unix_seconds(now).saturating_sub(number.checked_mul(unit)?))
}

fn print_json(summary: &Summary) -> Result<(), Error> {
    let mut out = Unobeyed(BufWriter::new(io::stdout().lock()));
    let written = serde_json::to_writer(&mut out, summary).map_err(io::Error::from);
    inspect::finish(written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()))
}

/// Writes JSON with what a terminal would obey escaped. A long report is not to be in memory once more.
struct Unobeyed<W>(W);

impl<W: Write> Write for Unobeyed<W> {
    fn write(&mut self, json: &[u8]) -> io::Result<usize> {
        // Each piece is a token, or a part of a string between two characters.
        match std::str::from_utf8(json) {
            Ok(text) if !text.is_ascii() => self.0.write_all(escape::json_document(text).as_bytes())?,
            _ => self.0.write_all(json)?,
        }
        Ok(json.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn write_page(file: &Path, summary: &Summary) -> Result<(), Error> {
    fs::write(file, html::page(summary))
        .map_err(|error| Error::io(Exit::CannotCreate, format!("write {}", file.display()), &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn points_in_time_are_read() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (text, expected) in [
            ("2d", Some(1_000_000 - 172_800)),
            ("12h", Some(1_000_000 - 43_200)),
            ("1970-01-03T00:00:00Z", Some(172_800)),
            ("1970-01-03T00:00:10+00:00", Some(172_810)),
            ("yesterday", None),
            ("", None),
            ("d", None),
        ] {
            assert_eq!(point(text, now), expected, "{text}");
        }
        assert!(point("2026-11-22", now).is_some() && point("2026-11-22 16:00", now).is_some());
    }
}
