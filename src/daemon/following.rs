//! The logs of the daemon: those at start, and those that appear and go.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::listening::Listening;
use super::writers::{Writers, tell as tell_escapes};
use crate::config::Config;
use crate::config::logs::Lookup;
use crate::input::Input;
use crate::output::error::{Error, Exit};
use crate::saved::state::State;
use crate::source::Log;
use crate::source::plan::{self, Plan};
use crate::time::Now;

/// Whether the logs can be read.
///
/// # Errors
/// Exit code 66.
pub(super) fn check_logs(logs: &[Log]) -> Result<(), Error> {
    logs.iter().try_for_each(|log| match log {
        Log::Stdin | Log::Journal(_) => Ok(()),
        Log::File(path, _) => check_log(path).map_err(|error| {
            let cure = match error.kind() {
                io::ErrorKind::PermissionDenied => "run as a user that may read it: on Debian a member of group adm",
                _ => {
                    "name the file that your POP3 or IMAP server logs to with --log, or the journal's unit with \
                     --journal-unit"
                }
            };
            Error::io(Exit::NoInput, format!("read log file {}", path.display()), &error).cure(cure)
        }),
    })
}

fn check_log(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    File::open(path).map(drop)
}

/// What it takes to follow one more log.
pub(super) struct Following {
    pub(super) lookup: Lookup,
    pub(super) run: plan::Run,
    pub(super) listening: Listening,
    writers: Writers,
}

impl Following {
    pub(super) fn new(config: &Config, listening: Listening, writers: Writers) -> Self {
        let lookup = Lookup::new(&config.logs);
        let Config { once, reprocess, .. } = *config;
        let run = plan::Run { once, reprocess, is_guess: config.logs.is_guess };
        Self { lookup, run, listening, writers }
    }

    /// Tells what is listened to, and how the logs are read.
    pub(super) fn tell(&self, inputs: &[Input]) {
        self.listening.tell();
        inputs.iter().for_each(tell_escapes);
    }

    /// Finds out anew who writes the logs, now that the option says this.
    pub(super) fn look_at_writers_anew(&mut self, inputs: &mut [Input], said: Option<bool>) {
        self.writers.said = said;
        self.writers.look_anew(inputs);
    }

    /// Finds out anew who writes a log if that process has ended.
    pub(super) fn look_at_writers(&mut self, inputs: &mut [Input]) {
        self.writers.look_again(inputs);
    }

    /// Finds out how the logs are going to be followed, those included that patterns stand for.
    pub(super) fn plans(&mut self, config: &Config, state: &State) -> Result<Vec<Plan>, Error> {
        let now = Now::read();
        let mut logs = config.logs.named.clone();
        logs.extend(self.lookup.look());
        if logs.is_empty() {
            log::warn!("no log file has one of the names; waiting for one to appear");
        }
        self.writers.take(&logs);
        let plan = |log: &Log| Plan::new(log, &self.run, config.policy.grace, state.mark(&log.name()), &now);
        let plans = logs.iter().map(plan).collect();
        // What appears later was not there at the start.
        self.run.reprocess = false;
        plans
    }

    pub(super) fn start(&self, logs: Vec<Plan>, now: &Now) -> Result<Vec<Input>, Error> {
        let start = |plan: Plan| {
            let escapes = self.writers.of(plan.name());
            Input::start(plan, self.listening.matchers.clone(), escapes, now)
        };
        logs.into_iter().map(start).collect()
    }

    /// Follows files that have appeared, and forgets those that are gone.
    pub(super) fn look(&mut self, inputs: &mut Vec<Input>, grace: Duration, now: &Now) {
        if !self.lookup.is_needed() || self.run.once {
            return;
        }
        for log in self.lookup.look() {
            self.writers.appeared(&log);
            let escapes = self.writers.of(&log.name());
            let plan = Plan::new(&log, &self.run, grace, None, now);
            match plan.and_then(|plan| Input::start(plan, self.listening.matchers.clone(), escapes, now)) {
                Ok(input) => {
                    log::info!("following {}, which has appeared", log.name());
                    tell_escapes(&input);
                    inputs.push(input);
                }
                Err(error) => {
                    log::warn!("{error}; trying again");
                    self.lookup.forget(Path::new(&log.name()));
                }
            }
        }
        inputs.retain_mut(|input| {
            let is_gone = self.lookup.is_found(Path::new(input.name())) && input.is_gone(now.boot);
            if is_gone {
                log::info!("log file {} is gone; no longer waiting for it", input.name());
                self.lookup.forget(Path::new(input.name()));
                self.writers.forget(input.name());
            }
            !is_gone
        });
    }
}
