//! Changes a table in the file that readers have open: one transaction for each publish, under a lock that excludes them.
//!
//! LMDB writes changed pages to free ones and then one of two meta pages, so a daemon that dies in the middle leaves the
//! old state or the new one. It trusts the file as it maps it: what is truncated under it ends the daemon with SIGBUS.
//! So each publish looks first whether the file is as the last one left it, and reads all of a file that is not. What
//! cannot be changed in place is replaced the way of [`super::rename`].

mod opened;
#[cfg(test)]
mod tests;

use std::io;
use std::time::{Duration, Instant};

use self::opened::{Found, Opened, Work};
use super::rename::Rename;
use crate::{Backend, BackendError, Listed, Update, files};

/// How often a file may change between check and lock.
const ATTEMPTS: usize = 3;
/// How long others may keep the file locked without a break before it is replaced, which needs no lock.
const LOCKED_OUT: Duration = Duration::from_secs(60);

/// A table that is changed by transactions.
pub(super) struct InPlace {
    rename: Rename,
    opened: Option<Opened>,
    /// Whether the file holds what the last publish said, so that the differences are enough for the next.
    in_step: bool,
    /// Whether the log tells already that something is wrong with the file.
    told: bool,
    /// Since when the lock could not be had.
    locked_out: Option<Instant>,
    /// [`LOCKED_OUT`].
    patience: Duration,
}

/// Why a file was not changed.
enum Fault {
    /// It cannot be changed in place, however often that is tried.
    Unfit(String),
    Failed(io::Error),
}

impl InPlace {
    /// Takes over what [`Rename::open`] has made sure of.
    pub(super) fn open(rename: Rename) -> Result<Self, BackendError> {
        let table = &rename.table;
        let opened = match Opened::new(table) {
            Ok(opened) => Some(opened),
            Err(Fault::Unfit(why)) => {
                log::debug!("table {}: {why}", table.path.display());
                None
            }
            Err(Fault::Failed(error)) => return Err(table.write_error(&error)),
        };
        Ok(Self { rename, opened, in_step: false, told: false, locked_out: None, patience: LOCKED_OUT })
    }

    /// Makes the table hold the clients of the update, or nothing without one.
    fn change(&mut self, update: Option<&Update<'_>>) -> Result<(), Fault> {
        let in_step = std::mem::take(&mut self.in_step);
        let (mut opened, found) = self.lock()?;
        let work = match update {
            None => Work::Clear,
            Some(update) if in_step && found == Found::AsLeft => Work::Differences(update),
            Some(update) => {
                self.rename.sort(update.clients);
                Work::Exactly(&self.rename.entries)
            }
        };
        let mut done = opened.write(&work, &self.rename.table.value);
        if done.is_ok() && work.is_large() {
            done = opened.give_back_memory(&self.rename.table);
        }
        opened.unlock();
        // Not needed again while all goes well.
        self.rename.entries = Vec::new();
        done?;
        self.opened = Some(opened);
        self.in_step = update.is_some();
        if self.in_step && in_step && found == Found::Changed {
            files::tell_of_change(&self.rename.table.path);
        }
        Ok(())
    }

    /// Locks the file, as long as others do not keep us from it for ever.
    fn lock(&mut self) -> Result<(Opened, Found), Fault> {
        let began = Instant::now();
        let done = self.try_lock();
        match &done {
            Err(Fault::Failed(error)) if error.kind() == io::ErrorKind::ResourceBusy => {
                let since = self.locked_out.get_or_insert(began).elapsed();
                if since >= self.patience {
                    let seconds = since.as_secs();
                    return Err(Fault::Unfit(format!("another process has kept it locked for {seconds} s")));
                }
            }
            _ => self.locked_out = None,
        }
        done
    }

    /// Locks the file, opened anew where it is not as we left it; tells how it was found.
    fn try_lock(&mut self) -> Result<(Opened, Found), Fault> {
        let table = &self.rename.table;
        let mut found = Found::Unknown;
        if let Some(opened) = self.opened.take() {
            found = opened.look(&table.path);
            if found == Found::AsLeft {
                match opened.lock() {
                    Err(error) => {
                        self.opened = Some(opened);
                        return Err(Fault::Failed(error));
                    }
                    Ok(false) => {}
                    Ok(true) => found = opened.look(&table.path),
                }
            }
            if found == Found::AsLeft {
                return Ok((opened, found));
            }
        }
        for _ in 0..ATTEMPTS {
            let opened = Opened::new(table)?;
            opened.lock().map_err(Fault::Failed)?;
            if opened.look(&table.path) != Found::Changed {
                return Ok((opened, found));
            }
        }
        Err(Fault::Unfit("another program keeps changing it".to_owned()))
    }

    fn tell(&mut self, why: &str) {
        let path = self.rename.table.path.display();
        if !std::mem::replace(&mut self.told, true) {
            log::warn!("cannot change table {path} in place: {why}; the whole file has been replaced");
        }
    }
}

impl Backend for InPlace {
    fn list(&mut self) -> Result<Vec<Listed>, BackendError> {
        self.rename.list()
    }

    fn publish(&mut self, update: &Update<'_>) -> Result<(), BackendError> {
        if !self.in_step {
            self.rename.renew_spare();
        }
        match self.change(Some(update)) {
            Ok(()) => {
                self.told = false;
                Ok(())
            }
            Err(Fault::Failed(error)) => Err(self.rename.table.write_error(&error)),
            Err(Fault::Unfit(why)) => {
                self.opened = None;
                let done = self.rename.replace(update.clients);
                self.rename.entries = Vec::new();
                self.rename.renew_spare();
                match done {
                    Ok(()) => self.tell(&why),
                    // The failure tells enough.
                    Err(_) => self.told = true,
                }
                done
            }
        }
    }

    fn is_intact(&self) -> bool {
        let path = &self.rename.table.path;
        self.opened.as_ref().map_or_else(|| self.rename.is_intact(), |opened| opened.look(path) == Found::AsLeft)
    }

    /// Grants must end even where a reader keeps its lock or the file has no free page left: then an empty table takes
    /// the name of the old one.
    fn clear(&mut self) -> Result<(), BackendError> {
        match self.change(None) {
            Ok(()) => return Ok(()),
            Err(Fault::Failed(error)) => log::info!("{}; replacing the file", self.rename.table.write_error(&error)),
            Err(Fault::Unfit(why)) => log::debug!("table {}: {why}", self.rename.table.path.display()),
        }
        self.opened = None;
        self.rename.clear()
    }
}
