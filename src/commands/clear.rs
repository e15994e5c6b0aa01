//! The command `clear`: empties the table that a killed daemon has left. Touches the map's lock and the table.

use std::path::Path;

use pop_before_smtp_backends::{BackendError, ErrorKind};

use crate::config::Table;
use crate::output::error::{Error, Exit};
use crate::saved::lock::Lock;
use crate::saved::privdrop;
use crate::saved::state::beside;

/// Makes the table empty, also on a full disk. Where there is none, none is made. The grants that a clean stop has saved
/// stay: the next start takes them over.
///
/// # Errors
/// A running daemon serves the map, or the table cannot be emptied; it holds what it held.
pub fn clear(table: &Table) -> Result<(), Error> {
    let Table { driver, options } = table;
    privdrop::become_owner_of_directory(&options.map)?;
    let map = options.map.display();
    // With a lock file there was a daemon, and there may still be one; without, none is made where nothing is.
    let mut lock = None;
    if beside(&options.map, ".lock").exists() {
        lock = Some(Lock::take_to_clear(&options.map)?);
    }
    if (driver.open_read_only)(options).is_err_and(|error| error.kind == ErrorKind::Missing) {
        return nothing_to_clear(driver.name, &options.map);
    }
    let _lock = lock.map_or_else(|| Lock::take_to_clear(&options.map), Ok)?;
    let cleared = (driver.open)(options).and_then(|mut backend| backend.clear());
    cleared.map_err(|error: BackendError| {
        let known = error.cure.is_some();
        let error = Error::from(error);
        if known { error } else { error.cure("take check_client_access out of main.cf until it can be written again") }
    })?;
    log::info!("the table {map} is empty");
    Ok(())
}

/// As it should be, if there never was a table; a mistake in the options must not look like that.
fn nothing_to_clear(driver: &str, map: &Path) -> Result<(), Error> {
    let missing = |cause: String, cure: &str| {
        Err(Error::new(Exit::NoInput, format!("clear {driver} table {}", map.display()), cause).cure(cure))
    };
    if !map.parent().is_some_and(Path::is_dir) {
        return missing("its directory does not exist".to_owned(), "name the daemon's table with --map");
    }
    let others = [".db", ".lmdb", ".sqlite", ".cdb", ".dir", ".pag"].map(|suffix| beside(map, suffix));
    if let Some(other) = others.iter().find(|path| path.exists()) {
        return missing(format!("there is none, but {}", other.display()), "name the daemon's backend with --backend");
    }
    log::info!("there is no {driver} table {}: nothing to clear", map.display());
    Ok(())
}
