//! Who writes the logs, for what that means for newlines in them: found out at start, at SIGHUP, and when the process ends that
//! was seen.

use crate::config::Config;
use crate::config::loggers::{Escapes, Finder};
use crate::config::logs::Lookup;
use crate::input::Input;
use crate::source::Log;

/// How often another process is looked for that writes a log: once each time the table is looked at.
const ATTEMPTS: u32 = 6;

/// What is known of the logs' writers.
pub(super) struct Writers {
    pub(super) said: Option<bool>,
    /// The logs, and what was found out before they were opened.
    known: Vec<(Log, Escapes)>,
    /// What was seen at start, until the logs are taken.
    seen: Finder,
    attempts: u32,
}

impl Writers {
    /// Looks at the processes.
    pub(super) fn look(config: &Config) -> Self {
        let (said, found) = (config.escaped_newlines, Lookup::new(&config.logs).look());
        let seen = Finder::look(said, config.logs.named.iter().chain(&found));
        Self { said, known: Vec::new(), seen, attempts: 0 }
    }

    /// Takes the logs that are there at start.
    pub(super) fn take(&mut self, logs: &[Log]) {
        self.known = logs.iter().map(|log| (log.clone(), self.seen.of(log))).collect();
    }

    /// Takes one that has appeared.
    pub(super) fn appeared(&mut self, log: &Log) {
        self.forget(&log.name());
        self.known.push((log.clone(), Finder::look(self.said, [log]).of(log)));
    }

    /// Forgets one that is gone.
    pub(super) fn forget(&mut self, name: &str) {
        self.known.retain(|(known, _)| known.name() != name);
    }

    /// What was known of a log when it was taken.
    pub(super) fn of(&self, name: &str) -> Escapes {
        let found = self.known.iter().find(|(log, _)| log.name() == name).map(|(_, escapes)| escapes.clone());
        found.unwrap_or_else(Escapes::unknown)
    }

    /// Looks again, at all of them. Who has no right to see it goes on believing what was seen with more rights.
    pub(super) fn look_anew(&mut self, inputs: &mut [Input]) {
        let finder = Finder::look(self.said, self.known.iter().map(|(log, _)| log));
        for input in inputs {
            let Some((log, _)) = self.known.iter().find(|(log, _)| log.name() == input.name()) else { continue };
            let (found, before) = (finder.of(log), input.escapes());
            let is_kept =
                found.is_same(before) || finder.is_blind() && matches!(found, Escapes::Unknown(_)) && before.runs();
            if !is_kept {
                input.set_escapes(found);
            }
            tell(input);
        }
    }

    /// Looks again where the process has ended, some times.
    pub(super) fn look_again(&mut self, inputs: &mut [Input]) {
        if inputs.iter().any(|input| input.escapes().is_over()) {
            self.attempts = ATTEMPTS;
        }
        if self.attempts == 0 {
            return;
        }
        self.attempts -= 1;
        let finder = Finder::look(self.said, self.known.iter().map(|(log, _)| log));
        for input in inputs {
            let Some((log, _)) = self.known.iter().find(|(log, _)| log.name() == input.name()) else { continue };
            let (found, is_over) = (finder.of(log), input.escapes().is_over());
            let has_found = matches!(input.escapes(), Escapes::Unknown(_)) && matches!(found, Escapes::Written(_));
            if is_over || has_found {
                input.set_escapes(found);
                tell(input);
            }
        }
    }
}

/// Tells what is known of the newlines in a log.
pub(super) fn tell(input: &Input) {
    if let Some(text) = input.escapes().told(input.name()) {
        log::info!("{text}");
    }
}
