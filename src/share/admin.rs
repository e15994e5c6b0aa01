//! What an operator does with the database: set it up, decide for all hosts, list what all hosts have.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::Row;
use super::engine::{Cause, Engine, VERSION, get};
use super::reader::row;
use crate::config::share::Settings;
use crate::output::error::{Error, Exit};

/// Makes the tables, functions and roles, or brings those of an earlier version to this one.
///
/// # Errors
/// They are of a later version, or the database does not let us.
pub(crate) fn init(settings: &Settings, longest: Duration) -> Result<(), Error> {
    let failed = |cause: Cause| {
        Error::new(Exit::Unavailable, "set up the database of --share-url", cause)
            .cure("run it as the owner of the database, or give its administrator what share init --print prints")
    };
    let mut engine = Engine::connect(&settings.url, &settings.name).map_err(failed)?;
    let there = "SELECT to_regclass('pop_before_smtp.site') IS NOT NULL";
    if engine.is(there).map_err(failed)? {
        let rows = engine.rows("SELECT version FROM pop_before_smtp.site", &[]).map_err(failed)?;
        let version = rows.first().map_or(Ok(0), |row| get(row, 0)).map_err(failed)?;
        if version > VERSION {
            let cause = format!("its tables are of version {version}, and this program knows {VERSION}");
            return Err(Error::new(Exit::Config, "set up the database of --share-url", cause)
                .cure("use a newer pop-before-smtp"));
        }
    }
    engine.run(&super::sql(longest)).map_err(failed)
}

/// Denies a network on all hosts, allows it again, or revokes an address there.
///
/// # Errors
/// The database cannot be used, or does not let us.
pub(crate) fn decide(settings: &Settings, what: &'static str, network: IpNet) -> Result<(), Error> {
    let decide = || -> Result<(), Cause> {
        let mut engine = Engine::open(&settings.url, &settings.name)?;
        let sql = "SELECT pop_before_smtp.decide($1, $2::text::cidr)";
        engine.rows(sql, &[&what, &network.to_string()]).map(drop)
    };
    decide().map_err(|cause| {
        Error::new(Exit::Unavailable, format!("{what} {network} on all hosts"), cause)
            .cure("the role must be in pop_before_smtp_operator")
    })
}

/// All grants of all hosts, in the order of their addresses.
///
/// # Errors
/// The database cannot be used, or does not let us.
pub(crate) fn all(settings: &Settings, mut each: impl FnMut(Row)) -> Result<(), Error> {
    let mut read = || -> Result<(), Cause> {
        let mut engine = Engine::open(&settings.url, &settings.name)?;
        let mut last: Option<IpAddr> = None;
        loop {
            let answer = engine.rows("SELECT * FROM pop_before_smtp.everything($1, 4000, 0)", &[&last])?;
            let Some(behind) = answer.last() else { return Ok(()) };
            last = Some(row(behind)?.address);
            for row in answer.iter().map(row) {
                let row = row?;
                if !row.lasts.is_zero() {
                    each(row);
                }
            }
        }
    };
    read().map_err(|cause| {
        Error::new(Exit::Unavailable, "list the grants of all hosts", cause)
            .cure("the role must be in pop_before_smtp_taker")
    })
}

/// Whether the database can be used as the settings say; what it is.
pub(crate) fn probe(settings: &Settings) -> Result<String, Cause> {
    let mut engine = Engine::open(&settings.url, &settings.name)?;
    if settings.give {
        let sql = "SELECT has_function_privilege(oid, 'execute') FROM pg_proc \
                   WHERE proname = 'give' AND pronamespace = 'pop_before_smtp'::regnamespace";
        if !engine.is(sql)? {
            return Err("the role must not give; GRANT pop_before_smtp_giver TO it".to_owned());
        }
    }
    if settings.take {
        engine.rows("SELECT * FROM pop_before_smtp.everything(NULL, 1, 0)", &[])?;
    }
    let rows = engine.rows("SELECT current_setting('server_version'), pg_is_in_recovery()", &[])?;
    let row = rows.first().ok_or("no answer")?;
    let (version, standby): (String, bool) = (get(row, 0)?, get(row, 1)?);
    Ok(format!("PostgreSQL {version}{}", if standby { ", a standby" } else { "" }))
}
