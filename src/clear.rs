//! The command `clear`: empties the table that a killed daemon has left. Touches the map's lock and the table.

use pop_before_smtp_backends::{BackendError, ErrorKind};

use crate::config::Table;
use crate::error::Error;
use crate::lock::Lock;

/// Makes the table empty, also on a full disk. Where there is none, none is made. The grants that a clean stop has saved
/// stay: the next start takes them over.
///
/// # Errors
/// A running daemon serves the map, or the table cannot be emptied; it holds what it held.
pub fn clear(table: &Table) -> Result<(), Error> {
    let Table { driver, options } = table;
    let map = options.map.display();
    if (driver.open_read_only)(options).is_err_and(|error| error.kind == ErrorKind::Missing) {
        log::info!("there is no {} table {map}: nothing to clear", driver.name);
        return Ok(());
    }
    let _lock = Lock::take_to_clear(&options.map)?;
    let cleared = (driver.open)(options).and_then(|mut backend| backend.clear());
    cleared.map_err(|error: BackendError| {
        let known = error.cure.is_some();
        let error = Error::from(error);
        if known { error } else { error.cure("take check_client_access out of main.cf until it can be written again") }
    })?;
    log::info!("the table {map} is empty");
    Ok(())
}
