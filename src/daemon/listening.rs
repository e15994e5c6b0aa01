//! Which matchers the daemon uses: those that are named, or those of the servers that are found.

use crate::config::logs::Logs;
use crate::config::servers::{Choice, Servers};
use crate::matcher::Matchers;

/// What is used now, and how it was chosen.
pub(super) struct Listening {
    choice: Choice,
    logs: Logs,
    /// What was found, unless the matchers are named.
    servers: Option<Servers>,
    pub(super) matchers: Matchers,
}

impl Listening {
    pub(super) fn new(choice: &Choice, logs: &Logs) -> Self {
        let (matchers, servers) = choice.look(logs, None);
        Self { choice: choice.clone(), logs: logs.clone(), servers, matchers }
    }

    /// Chooses again.
    pub(super) fn reload(&mut self, choice: Choice) {
        self.choice = choice;
        (self.matchers, self.servers) = self.choice.look(&self.logs, self.servers.as_ref());
        self.tell();
    }

    /// Where nothing was found, looks again: a server may have been installed, or have written its first login. Tells
    /// whether there is one.
    pub(super) fn look(&mut self) -> bool {
        if !self.servers.as_ref().is_some_and(Servers::is_empty) {
            return false;
        }
        (self.matchers, self.servers) = self.choice.look(&self.logs, None);
        let has_found = !self.servers.as_ref().is_some_and(Servers::is_empty);
        if has_found {
            self.tell();
        }
        has_found
    }

    /// Tells what is used, and why.
    pub(super) fn tell(&self) {
        let Some(servers) = &self.servers else { return };
        if servers.is_empty() {
            let (text, cure) = servers.nothing();
            log::warn!("{text}; {cure}");
        } else {
            log::info!("{}", servers.summary());
        }
        for unused in &servers.unused {
            let (text, cure) = servers.notice(unused);
            log::warn!("{text}; {cure}");
        }
    }
}
