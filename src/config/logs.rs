//! `--log` and `--source`: which logs there are, and how each of them is followed. Looks for files; reads none.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::cli::{OptionRow, option};
use crate::config::options::{Options, Origin};
use crate::config::{absolute, path, wrong};
use crate::output::error::Error;
use crate::source::backlog::{is_compressed, is_older_name};
use crate::source::journal::{Filter, Journalctl};
use crate::source::{LOG_FILES, Log, Means, no_log};

/// Most files that patterns may stand for: each has a follower of its own.
const MOST: usize = 256;

/// Say what of the journal counts.
const OF_JOURNAL: [&OptionRow; 3] = [option!("journal-unit"), option!("journal-uid"), option!("journal-exe")];

/// All logs to follow.
#[derive(Debug, Default, Clone)]
pub struct Logs {
    /// Those that are named.
    pub named: Vec<Log>,
    /// Names with wildcards; what they stand for is looked up again and again.
    pub patterns: Vec<(String, Means)>,
    /// Whether the journal was chosen because there is no log file.
    pub is_guess: bool,
}

impl Logs {
    /// What the options say.
    ///
    /// # Errors
    /// Exit code 64 for a value that is wrong by itself, 66 if nothing is said and no log is found.
    pub fn new(options: &Options) -> Result<Self, Error> {
        let mut logs = Self::chosen(options)?;
        if logs.named.is_empty() && logs.patterns.is_empty() {
            logs.guess(options)?;
        }
        Ok(logs)
    }

    /// What the options say; nothing if the log has to be guessed.
    ///
    /// # Errors
    /// Exit code 64 for a value that is wrong by itself.
    pub fn chosen(options: &Options) -> Result<Self, Error> {
        let (log, source) = (options.texts(option!("log")), options.text(option!("source")));
        let mut logs = Self::default();
        for text in log {
            logs.add(text.as_ref(), options)?;
        }
        match source {
            _ if !log.is_empty() => {}
            "journal" => {
                logs.named.push(Log::Journal(journal(options)?.ok_or_else(|| open_journal(options))?));
            }
            "stdin" => logs.named.push(Log::Stdin),
            _ => {}
        }
        let has_journal = logs.named.iter().any(|log| matches!(log, Log::Journal(_)));
        journal(options)?;
        // In the file they are for the day when no log is named, as in that of the package.
        let is_told = |row: &&OptionRow| options.value(row.key).is_some_and(|it| it.origin == Origin::CommandLine);
        let has_file = !has_journal && (source != "auto" || !log.is_empty());
        if let Some(row) = OF_JOURNAL.into_iter().find(is_told).filter(|_| has_file) {
            return Err(wrong(options, &format!("--{}", row.key), "or its sisters", "the log is a file")
                .cure("leave it out, or add --source journal"));
        }
        if logs.named.contains(&Log::Stdin) && options.flag(option!("background")) {
            return Err(wrong(options, "--log", "-", "a daemon in the background has no standard input")
                .cure("leave --background out"));
        }
        Ok(logs)
    }

    /// Adds what a `--log` says: a file, several by wildcards, with how it is followed in front; `-`; or `journal:`.
    fn add(&mut self, text: &Path, options: &Options) -> Result<(), Error> {
        let bytes = text.as_os_str().as_bytes();
        let after = |prefix: &str| bytes.strip_prefix(prefix.as_bytes()).map(OsStr::from_bytes);
        let log = if bytes == b"-" {
            Log::Stdin
        } else if let Some(units) = after("journal:") {
            Log::Journal(units_of_journal(units, options)?)
        } else {
            let (file, means) = match (after("tail:"), after("follow:"), options.text(option!("source"))) {
                (Some(file), ..) => (file, Means::Tail),
                (_, Some(file), _) => (file, Means::Follow),
                (.., "follow") => (text.as_os_str(), Means::Follow),
                (.., "tail" | "auto") => (text.as_os_str(), Means::Tail),
                (.., source) => {
                    return Err(wrong(options, "--source", source, "--log names a file").cure("leave one of them out"));
                }
            };
            let path = absolute(options, "--log", file.as_ref())?;
            match path.to_str().filter(|path| has_wildcards(path) && !Path::new(path).exists()) {
                None => Log::File(path, means),
                Some(pattern) => {
                    glob::Pattern::new(pattern)
                        .map_err(|error| wrong(options, "--log", pattern, &format!("no pattern: {}", error.msg)))?;
                    self.patterns.push((pattern.to_owned(), means));
                    return Ok(());
                }
            }
        };
        if !self.named.iter().any(|known| known.name() == log.name()) {
            self.named.push(log);
        }
        Ok(())
    }

    /// The log when `--log` does not say.
    fn guess(&mut self, options: &Options) -> Result<(), Error> {
        let source = options.text(option!("source"));
        let means = if source == "follow" { Means::Follow } else { Means::Tail };
        if let Some(path) = LOG_FILES.iter().map(PathBuf::from).find(|path| path.exists()) {
            self.named.push(Log::File(path, means));
            return Ok(());
        }
        match journal(options)? {
            Some(journal) if source == "auto" => {
                self.is_guess = true;
                self.named.push(Log::Journal(journal));
                Ok(())
            }
            _ if source == "auto" => Err(no_log(
                "the journal was not tried without --journal-unit",
                "name the file that your POP3 or IMAP server logs to with --log, or its unit with --journal-unit",
            )),
            _ => Err(no_log("", "name the file that your POP3 or IMAP server logs to with --log")),
        }
    }
}

fn has_wildcards(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// What of the journal counts; `None` if the options do not say.
fn journal(options: &Options) -> Result<Option<Journalctl>, Error> {
    let [units, users, programs] = OF_JOURNAL.map(|row| options.words(row));
    journalctl(&units, &users, &programs, options)
}

/// The journal of `--log journal:UNIT,...`; without a unit, what the other options say.
pub(crate) fn units_of_journal(units: &OsStr, options: &Options) -> Result<Journalctl, Error> {
    let Some(units) = units.to_str() else {
        return Err(wrong(options, "--log", &units.to_string_lossy(), "not the name of a unit"));
    };
    let units: Vec<String> = units.split(',').filter(|unit| !unit.is_empty()).map(str::to_owned).collect();
    let chosen = if units.is_empty() { journal(options)? } else { journalctl(&units, &[], &[], options)? };
    chosen.ok_or_else(|| open_journal(options))
}

fn journalctl(
    units: &[String],
    users: &[String],
    programs: &[String],
    options: &Options,
) -> Result<Option<Journalctl>, Error> {
    let filter = Filter::new(units, users, programs).map_err(|value| {
        wrong(options, value.option, &value.value.escape_debug().to_string(), value.cause).cure(value.cure)
    })?;
    let directory = path(options, option!("journal-directory"))?;
    let (follow, live_from) = (!options.flag(option!("once")), SystemTime::UNIX_EPOCH);
    Ok((!filter.is_empty()).then_some(Journalctl { filter, directory, cursor: None, since: None, live_from, follow }))
}

fn open_journal(options: &Options) -> Error {
    wrong(options, "--source", "journal", "any user may write any line into the journal")
        .cure("name the unit of your POP3 or IMAP server with --journal-unit, such as dovecot.service")
}

/// Which of the options about the journal is given.
pub(super) fn journal_option(options: &Options) -> Option<&'static OptionRow> {
    OF_JOURNAL.into_iter().find(|row| !options.texts(row).is_empty())
}

/// The parts of a `--log`: how it is followed, and its path if it is about a file.
pub(crate) fn parts(text: &str) -> (&str, Option<&str>) {
    if text == "-" || text.starts_with("journal:") {
        return (text, None);
    }
    let means = ["tail:", "follow:"].into_iter().find(|means| text.starts_with(means)).unwrap_or_default();
    (means, Some(&text[means.len()..]))
}

/// Looks up what the patterns stand for.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    patterns: Vec<(String, Means)>,
    /// Files that are followed without a pattern.
    named: HashSet<PathBuf>,
    found: HashSet<PathBuf>,
    is_full: bool,
}

impl Lookup {
    /// For the patterns of these logs.
    pub(crate) fn new(logs: &Logs) -> Self {
        let named = logs.named.iter().filter_map(Log::path).map(Path::to_owned).collect();
        Self { patterns: logs.patterns.clone(), named, found: HashSet::new(), is_full: false }
    }

    /// Whether files may appear.
    pub(crate) fn is_needed(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// The files that have appeared since the last look. Not those whose names say that a rotation has made them out of
    /// others: what they hold was read already, or is read with the log whose name they had.
    pub(crate) fn look(&mut self) -> Vec<Log> {
        let all: Vec<(PathBuf, Means)> = self.patterns.iter().flat_map(|(text, means)| paths(text, *means)).collect();
        // Also where the log has no file at this moment.
        let known: Vec<PathBuf> = self.named.iter().chain(&self.found).cloned().collect();
        let logs = || all.iter().map(|(log, _)| log).chain(&known);
        let is_older = |path: &Path| logs().any(|log| is_older_file(log, path));
        let mut new = Vec::new();
        for (path, means) in &all {
            let is_known = self.named.contains(path) || self.found.contains(path);
            if is_known || is_compressed(path) || is_older(path) {
                continue;
            }
            if self.found.len() >= MOST {
                self.warn_full(path);
                break;
            }
            self.found.insert(path.clone());
            new.push(Log::File(path.clone(), *means));
        }
        new
    }

    /// Whether a file was found by a pattern.
    pub(crate) fn is_found(&self, path: &Path) -> bool {
        self.found.contains(path)
    }

    /// Forgets a file that is gone: one that gets its name is a new one.
    pub(crate) fn forget(&mut self, path: &Path) {
        self.found.remove(path);
        self.is_full = false;
    }

    fn warn_full(&mut self, path: &Path) {
        if !std::mem::replace(&mut self.is_full, true) {
            let path = path.display();
            log::warn!("cannot follow {path} as well: {MOST} logs are followed already; name fewer with --log");
        }
    }
}

fn paths(pattern: &str, means: Means) -> Vec<(PathBuf, Means)> {
    let Ok(paths) = glob::glob(pattern) else { return Vec::new() };
    paths.flatten().filter(|path| path.is_file()).map(|path| (path, means)).collect()
}

fn is_older_file(log: &Path, other: &Path) -> bool {
    let (Some(name), Some(other_name)) = (log.file_name(), other.file_name()) else { return false };
    log.parent() == other.parent() && is_older_name(name, other_name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    fn names(logs: &[Log]) -> Vec<String> {
        let name = |log: &Log| Path::new(&log.name()).file_name().unwrap().to_str().unwrap().to_owned();
        logs.iter().map(name).collect()
    }

    #[test]
    fn files_that_appear_are_found_once_and_rotated_ones_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let pattern = path("*").to_str().unwrap().to_owned();
        let logs = Logs { patterns: vec![(pattern, Means::Follow)], ..Logs::default() };
        let mut lookup = Lookup::new(&logs);
        assert_eq!(lookup.look(), []);
        for name in ["a.log", "a.log.1", "a.log.2.gz", "b.log.xz"] {
            fs::write(path(name), "").unwrap();
        }
        assert_eq!(names(&lookup.look()), ["a.log"]);
        fs::write(path("b.log"), "").unwrap();
        fs::create_dir(path("c.log")).unwrap();
        assert_eq!(names(&lookup.look()), ["b.log"]);
        fs::rename(path("b.log"), path("b.log-20261122")).unwrap();
        fs::write(path("b.log"), "").unwrap();
        assert_eq!(lookup.look(), [], "the same log goes on");
        lookup.forget(&path("a.log"));
        assert_eq!(names(&lookup.look()), ["a.log"], "it was forgotten");
    }
}
