//! The newest part of each log: a sample of bounded size.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

use jiff::tz::TimeZone;

use super::files::with_directories;
use super::users;
use crate::check::log::{Log, Sample};
use crate::commands::suggest::Survey;
use crate::config::logs::{Logs, Lookup};
use crate::line::stamp::Stamps;
use crate::line::syslog;
use crate::matcher::Matchers;
use crate::output::error::io_cause;
use crate::source;
use crate::source::journal::Journalctl;
use crate::time::Timestamp;

/// How much of a log is looked at, in bytes from its end.
const SAMPLE: u64 = 1 << 20;

/// Groups that may read the journal, by its files' group and their access lists (systemd-journald.service(8), tmpfiles.d).
const READERS: [&str; 3] = ["systemd-journal", "adm", "wheel"];

/// How many entries of the journal are looked at.
const ENTRIES: u32 = 5000;

/// The matchers that are chosen, and all that could be.
#[derive(Clone, Copy)]
pub(crate) struct Choice<'a> {
    /// What the options say.
    pub(crate) chosen: &'a Matchers,
    /// Every matcher.
    pub(crate) all: &'a Matchers,
}

/// Looks at the logs, those included that patterns stand for; standard input is not looked at.
pub(crate) fn gather(logs: &Logs, choice: Choice<'_>, now: SystemTime) -> Vec<Log> {
    let found = Lookup::new(logs).look();
    logs.named.iter().chain(&found).filter_map(|log| one(log, choice, now)).collect()
}

fn one(log: &source::Log, choice: Choice<'_>, now: SystemTime) -> Option<Log> {
    match log {
        source::Log::Stdin => None,
        source::Log::File(path, _) => {
            let read = sample(path, choice, now).map_err(|error| io_cause(&error));
            Some(Log { name: path.display().to_string(), path: with_directories(path), groups: None, read })
        }
        source::Log::Journal(journal) => {
            let read = entries(journal).map(|lines| look(&lines, choice, now)).map_err(|error| io_cause(&error));
            let groups =
                journal.directory.is_none().then(|| READERS.iter().filter_map(|name| users::group(name)).collect());
            Some(Log { name: "the journal".to_owned(), path: Vec::new(), groups, read })
        }
    }
}

fn entries(journal: &Journalctl) -> io::Result<Vec<u8>> {
    // It tells when nothing can be seen.
    journal.check()?;
    journal.newest(ENTRIES)
}

fn sample(path: &Path, choice: Choice<'_>, now: SystemTime) -> io::Result<Sample> {
    let found = fs::metadata(path)?;
    if found.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    // A pipe would keep us waiting for its writer.
    if !found.is_file() {
        return Ok(Sample::default());
    }
    let mut file = File::open(path)?;
    let start = found.len().saturating_sub(SAMPLE);
    // One byte more, to see whether a line begins where the sample does.
    file.seek(SeekFrom::Start(start.saturating_sub(1)))?;
    let mut text = Vec::new();
    file.take(SAMPLE + 1).read_to_end(&mut text)?;
    let first = if start == 0 { 0 } else { memchr::memchr(b'\n', &text).map_or(text.len(), |newline| newline + 1) };
    Ok(Sample { modified: found.modified().ok(), ..look(&text[first..], choice, now) })
}

/// Counts what whole lines hold.
fn look(text: &[u8], choice: Choice<'_>, now: SystemTime) -> Sample {
    let text = &text[..memchr::memrchr(b'\n', text).map_or(0, |newline| newline + 1)];
    let mut sample = Sample { survey: survey(choice.chosen, text), ..Sample::default() };
    let mut stamps = Stamps::new(TimeZone::system());
    let mut matchers = choice.chosen.clone();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        sample.lines += 1;
        let event = matchers.event(Timestamp::default(), line);
        let Some((header, message)) = syslog::parse(line) else { continue };
        let time = stamps.time(header.time, now);
        sample.newest = time.or(sample.newest);
        sample.crowds.mail(&header, message);
        if let Some((event, time)) = event.zip(time) {
            sample.crowds.login(&event, time);
        }
    }
    if sample.survey.logins.is_empty() {
        sample.unchosen = survey(choice.all, text).logins.into_keys().collect();
    }
    sample
}

fn survey(matchers: &Matchers, lines: &[u8]) -> Survey {
    let mut survey = Survey::default();
    survey.look(&mut matchers.clone(), lines.into());
    survey
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LOGIN: &str = "Nov 22 16:00:00 mail imapd: LOGIN, user=alice, ip=[::ffff:198.51.100.1], port=[1]\n";

    fn sampled(text: &str, chosen: &Matchers) -> Sample {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, text).unwrap();
        sample(&path, Choice { chosen, all: &Matchers::all() }, SystemTime::now()).unwrap()
    }

    #[test]
    fn the_newest_lines_are_looked_at() {
        let old = "Nov 22 15:00:00 mail imapd: Connection, ip=[::ffff:198.51.100.1]\n".repeat(40_000);
        let sample = sampled(&format!("{LOGIN}{old}{LOGIN}{LOGIN}half a line"), &Matchers::all());
        assert_eq!(sample.survey.logins.get("courier"), Some(&2), "the first is too far back");
        assert!((10_000..40_000).contains(&sample.lines), "{}", sample.lines);
        assert!(sample.newest.is_some() && sample.modified.is_some());
        assert_eq!(sampled("", &Matchers::all()).lines, 0);
        assert_eq!(sampled("half a line", &Matchers::all()).lines, 0);
        assert_eq!(sampled(LOGIN, &Matchers::all()).lines, 1);
    }

    #[test]
    fn matchers_that_were_not_chosen_are_named() {
        let others = Matchers::select(&["dovecot"]).unwrap();
        assert_eq!(sampled(LOGIN, &others).unchosen, ["courier"]);
        assert!(sampled(LOGIN, &Matchers::all()).unchosen.is_empty());
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let matchers = Matchers::all();
        let choice = Choice { chosen: &matchers, all: &matchers };
        assert!(sample(Path::new("/"), choice, SystemTime::now()).is_err());
        assert_eq!(sample(Path::new("/dev/null"), choice, SystemTime::now()).unwrap().lines, 0);
    }
}
