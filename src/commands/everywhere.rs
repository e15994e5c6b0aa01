//! The commands that are about all hosts: they ask the database between them.

use crate::cli::Deny;
use crate::commands::inspect;
use crate::commands::show;
use crate::commands::site::{print, print_json};
use crate::config;
use crate::config::options::Options;
use crate::config::share as settings;
use crate::control::request;
use crate::control::wire::{Client, text};
use crate::output::error::Error;
use crate::share::{self, Row, admin};
use crate::time::{Now, unix_seconds, unix_seconds_up};

/// Sets the database up, or prints how.
///
/// # Errors
/// No database is named, or it cannot be set up.
pub fn init(options: &Options, print: bool, longest: Option<&str>) -> Result<(), Error> {
    let longest =
        longest.map_or_else(|| settings::grace(options), |text| config::length(options, "--longest", text))?;
    if print {
        return inspect::print(&share::sql(longest));
    }
    let settings = settings::needed(options)?;
    admin::init(&settings, longest)?;
    inspect::print(
        "The database is set up. Give each host a role of its own:\n  CREATE ROLE \"pop-HOST\" LOGIN PASSWORD '...' \
                    IN ROLE pop_before_smtp_giver, pop_before_smtp_taker;\n",
    )
}

/// Prints the grants of all hosts.
///
/// # Errors
/// No database is named, or it cannot be asked.
pub fn list(options: &Options, json: bool) -> Result<(), Error> {
    let settings = settings::needed(options)?;
    let now = Now::read();
    let mut clients = Vec::new();
    admin::all(&settings, |row| clients.push(client(&now, &row)))?;
    clients.sort_by_key(|client| (client.expires, client.address));
    if json { print_json(&clients) } else { print(|out| show::clients(out, &clients)) }
}

/// The matcher column tells whose it is, too.
fn client(now: &Now, row: &Row) -> Client {
    let Row { address, lasts, ago, giver, host, user, matcher, .. } = row;
    Client {
        address: *address,
        user: Some(user).filter(|user| !user.is_empty()).map(|user| text(user)),
        matcher: Some(format!("{matcher}, {giver}@{host}")),
        since: Some(unix_seconds(now.wall.checked_sub(*ago).unwrap_or(now.wall))),
        expires: now.wall.checked_add(*lasts).map(unix_seconds_up),
        relays: None,
        last_relay: None,
    }
}

/// Ends the grant of an address on all hosts.
///
/// # Errors
/// It is no address, no database is named, or it cannot be told.
pub fn revoke(options: &Options, text: &str) -> Result<(), Error> {
    let address = request::address("revoke", text)?;
    admin::decide(&settings::needed(options)?, "revoke", address.into())?;
    inspect::print(&format!("{address} may relay on no host, until it logs in again\n"))
}

/// Denies a network on all hosts, or allows it again.
///
/// # Errors
/// It is no network, no database is named, or it cannot be told.
pub fn deny(options: &Options, what: &Deny) -> Result<(), Error> {
    let network = request::network("deny", what.network.as_deref().unwrap_or_default())?;
    let settings = settings::needed(options)?;
    let (verb, done) = if what.remove { ("allow", "is not denied any longer") } else { ("deny", "is denied") };
    admin::decide(&settings, verb, network)?;
    inspect::print(&format!("{network} {done} on all hosts\n"))
}
