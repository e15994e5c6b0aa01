//! What the commands do when no daemon runs: read the table, and write what is decided by hand for the next start. Touches
//! the map's lock, the file of overrides and the table.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use ipnet::IpNet;
use pop_before_smtp_backends::{self as backends, ErrorKind, Update};

use super::site::Site;
use crate::config::Table;
use crate::control::wire::{Changed, Client, Explanation, Network, Why};
use crate::grants::restore::load_overrides;
use crate::output::error::{Error, Exit};
use crate::saved::denied;
use crate::saved::lock::{self, Lock};
use crate::saved::overrides::{self, Overrides};
use crate::saved::privdrop;
use crate::time::{Now, unix_seconds, unix_seconds_up};

/// What the table holds.
pub(super) fn clients(table: &Table) -> Result<Vec<Client>, Error> {
    let listed = (table.driver.open_read_only)(&table.options)?.list()?;
    let client = |listed: &backends::Listed| Client {
        address: listed.address,
        user: None,
        matcher: None,
        since: None,
        expires: listed.expires.map(unix_seconds_up),
        relays: None,
        last_relay: None,
    };
    Ok(listed.iter().map(client).collect())
}

pub(super) fn explain(site: &Site, address: IpAddr) -> Result<Explanation, Error> {
    let nothing = Explanation::nothing(address);
    if let Some(client) = clients(&site.table)?.into_iter().find(|client| client.address == address) {
        return Ok(Explanation { granted: true, why: Why::Table, expires: client.expires, ..nothing });
    }
    if let Some(refusal) = site.networks.refuse(address) {
        return Ok(nothing.refused(refusal));
    }
    // Not everybody may read it.
    let overrides = decided(&site.table.options.map).unwrap_or_default();
    Ok(match (overrides.find_denied(address), overrides.revoked(address)) {
        (Some(network), _) => Explanation { why: Why::Denied, rule: Some(denied::display(network)), ..nothing },
        (None, Some(when)) => Explanation { why: Why::Revoked, ended: Some(unix_seconds(when)), ..nothing },
        (None, None) => nothing,
    })
}

/// What is denied.
pub(super) fn denied(table: &Table) -> Result<Vec<Network>, Error> {
    let overrides = decided(&table.options.map)?;
    Ok(overrides.denied.iter().map(|network| Network { network: denied::display(network) }).collect())
}

pub(super) fn revoke(table: &Table, address: IpAddr) -> Result<Changed, Error> {
    let decide = |overrides: &mut Overrides| {
        overrides.revoke(address, Now::read().wall);
        true
    };
    change(table, "revoke", address.to_string(), decide, |other| other == address)
}

pub(super) fn deny(table: &Table, network: IpNet) -> Result<Changed, Error> {
    let subject = denied::display(network);
    if decided(&table.options.map)?.denied.len() >= denied::MOST {
        let cause = format!("there are {} already, the most that are kept", denied::MOST);
        return Err(Error::new(Exit::CannotCreate, format!("deny {subject}"), cause));
    }
    change(table, "deny", subject, |overrides| overrides.deny(network), |address| network.contains(&address))
}

pub(super) fn allow(table: &Table, network: IpNet) -> Result<Changed, Error> {
    let subject = denied::display(network);
    change(table, "allow", subject, |overrides| overrides.denied.remove(network), |_| false)
}

/// Changes the file of overrides, and takes what must not be there any more out of the table that a killed daemon has left.
fn change(
    table: &Table,
    command: &str,
    subject: String,
    decide: impl FnOnce(&mut Overrides) -> bool,
    is_meant: impl Fn(IpAddr) -> bool,
) -> Result<Changed, Error> {
    let map = &table.options.map;
    privdrop::become_owner_of_directory(map)?;
    let _lock = Lock::take_to_change(map, &format!("{command} {subject} for map"))?;
    let mut overrides = decided(map)?;
    let changed = decide(&mut overrides);
    let path = overrides::path(map);
    overrides
        .save(&path, owner(map))
        .map_err(|error| Error::io(Exit::CannotCreate, format!("write {}", path.display()), &error))?;
    let removed = take_out(table, is_meant)?;
    Ok(Changed {
        command: command.to_owned(),
        subject,
        changed: changed || removed > 0,
        removed: removed as u64,
        expires: None,
        published: true,
        error: None,
        unsaved: None,
    })
}

/// What was decided so far.
fn decided(map: &Path) -> Result<Overrides, Error> {
    load_overrides(map, &Now::read(), owner(map).map(|(user, _)| user))
}

/// Whose files the daemon's are, for root: its lock is.
fn owner(map: &Path) -> Option<(u32, u32)> {
    let lock = fs::symlink_metadata(lock::path(map)).ok().filter(|_| nix::unistd::geteuid().is_root());
    lock.map(|metadata| (metadata.uid(), metadata.gid()))
}

fn take_out(table: &Table, is_meant: impl Fn(IpAddr) -> bool) -> Result<usize, Error> {
    let meant = |listed: &backends::Listed| is_meant(listed.address);
    match (table.driver.open_read_only)(&table.options).and_then(|mut table| table.list()) {
        Ok(listed) if listed.iter().any(meant) => {}
        Ok(_) => return Ok(0),
        Err(error) if error.kind == ErrorKind::Missing => return Ok(0),
        Err(error) => return Err(error.into()),
    }
    let mut backend = (table.driver.open)(&table.options)?;
    let (removed, kept): (Vec<_>, Vec<_>) = backend.list()?.into_iter().partition(meant);
    let removed: Vec<_> = removed.iter().map(|listed| listed.address).collect();
    // Where the table tells no end, the one that is written is not told either.
    let end = |listed: &backends::Listed| listed.expires.unwrap_or(SystemTime::now() + Duration::from_secs(60));
    let clients: Vec<_> =
        kept.iter().map(|listed| backends::Client { address: listed.address, expires: end(listed) }).collect();
    backend.publish(&Update { added: &[], extended: &[], removed: &removed, clients: &clients })?;
    Ok(removed.len())
}
