//! The settings of a host that shares its grants with others.

use std::time::Duration;

use crate::cli::option;
use crate::config::options::Options;
use crate::config::{self, wrong};
use crate::output::error::{Error, Exit};
use crate::ring;

/// Longest name of a host: what the database takes.
const LONGEST_NAME: usize = 64;

/// Which database, and what this host does with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where it is, as for psql.
    pub url: String,
    /// Whether this host's grants go there.
    pub give: bool,
    /// Whether the others' come from there.
    pub take: bool,
    /// Who this host is.
    pub name: String,
    /// Whether a clean stop ends what it has given.
    pub withdraw: bool,
    /// Length of a grant here.
    pub grace: Duration,
    /// Users that are asked for of each address: none unless they are counted.
    pub users: usize,
}

/// What the options say of it; none if no database is named.
///
/// # Errors
/// Exit code 64, or 78 if the configuration file says it: there is nothing to do for it, or the name is none.
pub fn settings(options: &Options) -> Result<Option<Settings>, Error> {
    let flag = |row| options.flag(row);
    let (give, take, withdraw) =
        (flag(option!("share-give")), flag(option!("share-take")), flag(option!("share-withdraw")));
    let Some(url) = options.said(option!("share-url")) else {
        if give || take {
            let option = if give { "--share-give" } else { "--share-take" };
            return Err(wrong(options, option, "true", "no database is named").cure("name it with --share-url"));
        }
        return Ok(None);
    };
    let name = match options.said(option!("share-name")) {
        Some(name) => name.to_owned(),
        None => nix::sys::utsname::uname().map(|host| host.nodename().display().to_string()).unwrap_or_default(),
    };
    let is_name = (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_name {
        return Err(wrong(options, "--share-name", &name, "not a name of 1 to 64 letters, digits and the like")
            .cure("name this host, like imap3"));
    }
    let grace = grace(options)?;
    let users = config::most_users(options)?.map_or(0, |most| most.get() + 1);
    Ok(Some(Settings { url: url.to_owned(), give, take, name, withdraw, grace, users }))
}

/// The database of a command that needs one.
///
/// # Errors
/// None is named.
pub fn needed(options: &Options) -> Result<Settings, Error> {
    settings(options)?.ok_or_else(|| {
        Error::new(Exit::Usage, "ask the database between the hosts", "none is named")
            .cure("name it with --share-url, or in [share] of the configuration file")
    })
}

/// What the SQL depends on; no database need be named.
///
/// # Errors
/// Exit code 64, or 78 if the configuration file says it: the grace is none.
pub fn grace(options: &Options) -> Result<Duration, Error> {
    config::duration(options, option!("grace"), Duration::from_secs(1), ring::LONGEST)
}
