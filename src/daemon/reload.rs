//! SIGHUP: reads the command line and the configuration file again, and tells what has come of it. Touches that file, and asks postconf for
//! `mynetworks`.

use crate::cli::{Scope, option};
use crate::config::effective;
use crate::config::options::{Options, Value};
use crate::config::{self, Live, Table};
use crate::output::error::Error;
use crate::postfix::mynetworks;

/// The settings of a running daemon.
pub struct Running {
    options: Options,
    table: Table,
}

impl Running {
    /// With these it was started.
    pub fn new(options: Options, table: Table) -> Self {
        Self { options, table }
    }

    /// What the settings are now; `None` if there is a mistake in them, which has been told. Then all stays as it was.
    pub fn read_again(&mut self) -> Option<Live> {
        match self.try_again() {
            Ok(live) => Some(live),
            Err(error) => {
                log::error!("{error}; the settings stay as they were");
                None
            }
        }
    }

    fn try_again(&mut self) -> Result<Live, Error> {
        let mut options = effective::read_again(&self.options)?;
        let mut live = config::check(&options, Some(&self.table))?;
        live.policy.networks = mynetworks::add(live.policy.networks, config::skips_mynetworks(&options))?;
        tell(&self.options, &options);
        keep(&self.options, &mut options);
        self.options = options;
        Ok(live)
    }
}

/// The settings that have changed: those that can be taken over, and those that cannot.
fn split_changes<'v>(before: &Options, now: &'v Options) -> (Vec<&'v Value>, Vec<&'v Value>) {
    let has_changed = |value: &&Value| before.value(value.row.key).is_none_or(|old| old.texts != value.texts);
    now.values.iter().filter(has_changed).partition(|value| is_live(value))
}

fn is_live(value: &Value) -> bool {
    value.row.scope == Scope::Reload
}

/// What could not be taken over is compared with what is in force the next time, too.
fn keep(before: &Options, now: &mut Options) {
    for value in now.values.iter_mut().filter(|value| !is_live(value)) {
        if let Some(old) = before.value(value.row.key) {
            *value = old.clone();
        }
    }
}

fn tell(before: &Options, now: &Options) {
    let Some(path) = now.path(option!("config")) else { return };
    let (live, fixed) = split_changes(before, now);
    let mut changed = names(&live);
    if before.file.custom() != now.file.custom() {
        changed.push("[[matcher]]".to_owned());
    }
    match changed.as_slice() {
        [] => log::info!("read {} again: nothing has changed", path.display()),
        _ => log::info!("read {} again: changed {}", path.display(), changed.join(", ")),
    }
    if !fixed.is_empty() {
        log::warn!("{} cannot be changed in a running daemon; restart it", names(&fixed).join(", "));
    }
}

/// Each with its place.
fn names(values: &[&Value]) -> Vec<String> {
    values.iter().map(|value| format!("{} ({})", value.row.key, value.origin)).collect()
}
