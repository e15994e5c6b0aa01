//! Postfix 3.11 can take another type for the tables of Berkeley DB (NON_BERKELEYDB_README), and does so in smtpd, postmap
//! and everywhere; this tells which. Asks postconf, and the table of exceptions by postmap.
//!
//! The type is then asked for by its own name: postmap would choose it by the name of the table in the making, for which
//! there may be another exception than for the table.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::tools::Tools;
use super::types::Type;
use crate::{BackendError, ErrorKind};

/// A type in the place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// Value of `non_bdb_migration_level`.
    pub level: String,
    /// The type that Postfix takes.
    pub kind: String,
}

/// What Postfix takes for the table `map` of type `name`; `None` if that is what it is called.
///
/// # Errors
/// It refuses every lookup in such a table: what is set in the place of the type cannot be.
pub(super) fn redirect(tools: &Tools, name: &str, map: &Path) -> Result<Option<Redirect>, BackendError> {
    // src/global/nbdb_util.c
    let default = match name {
        "hash" => "default_database_type",
        "btree" => "default_cache_db_type",
        _ => return Ok(None),
    };
    // Who cannot be asked is told when postmap writes another file than it should.
    let ask = |parameter: &str| tools.postconf(&["-hx", parameter]).unwrap_or_default();
    let level = ask("non_bdb_migration_level");
    match level.as_str() {
        "enable-redirect" | "enable-reindex" => {}
        // Before 3.11 there is no such parameter, and a type that is not there is not listed.
        "disable" => return check_berkeley_db(tools, name).map(|()| None),
        _ => return Ok(None),
    }
    let exceptions = ask("non_bdb_custom_mapping");
    let exception = if exceptions.is_empty() { None } else { exception(tools, name, map, &exceptions)? };
    let (kind, parameter) = match exception {
        Some(kind) => (kind, "non_bdb_custom_mapping"),
        None => (ask(default), default),
    };
    if matches!(kind.as_str(), "hash" | "btree") || Type::named(&kind).is_none() {
        let cause = format!("non_bdb_migration_level is {level}, and {parameter} sets {kind:?} in its place");
        let error = BackendError::new(ErrorKind::Config, format!("use map type {name}"), cause);
        return Err(error.cure(format!("set {parameter} to lmdb, or use --backend lmdb or sqlite")));
    }
    Ok(Some(Redirect { level, kind }))
}

/// # Errors
/// Postfix was built without Berkeley DB. `postconf -m` lists its types all the same (src/global/nbdb_surrogate.c).
fn check_berkeley_db(tools: &Tools, name: &str) -> Result<(), BackendError> {
    match tools.lookup(OsStr::new("."), OsStr::new(&format!("{name}:/dev/null/none"))) {
        Err(cause) if cause.contains("Berkeley DB support") => {
            let error =
                BackendError::new(ErrorKind::Config, format!("use map type {name}"), "Postfix has no Berkeley DB");
            Err(error.cure("set --map-type lmdb, or use --backend lmdb or sqlite, and name the table so in main.cf"))
        }
        _ => Ok(()),
    }
}

/// What `non_bdb_custom_mapping` says of one table, else of its type.
fn exception(tools: &Tools, name: &str, map: &Path, exceptions: &str) -> Result<Option<String>, BackendError> {
    let mut table = OsString::from(format!("{name}:"));
    table.push(map);
    for key in [table.as_os_str(), OsStr::new(name)] {
        let answer = tools.lookup(key, OsStr::new(exceptions)).map_err(|cause| {
            let action = format!("ask non_bdb_custom_mapping for map type {name}");
            BackendError::new(ErrorKind::Config, action, cause).cure(format!("mend {exceptions}"))
        })?;
        if answer.is_some() {
            return Ok(answer);
        }
    }
    Ok(None)
}
