//! The commands that ask the daemon, and what they do without one. Writes to standard output.

use std::io::{self, BufWriter, Write};
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::time::Duration;

use serde::Serialize;

use super::{evidence, offline, show};
use crate::cli::Deny;
use crate::commands::inspect;
use crate::config::options::Options;
use crate::config::socket::Socket;
use crate::config::{self, Table};
use crate::control::client::{Daemon, nobody};
use crate::control::metrics;
use crate::control::request::{Request, address, network};
use crate::control::wire::{self, Changed, Client, Explanation, Line, Network, Status};
use crate::output::error::{Error, Exit};
use crate::ring::networks::Networks;

/// Which daemon is meant, and what is known of it without asking.
pub struct Site {
    place: Socket,
    pub(super) table: Table,
    pub(super) networks: Networks,
}

impl Site {
    /// The daemon of these options.
    ///
    /// # Errors
    /// An option cannot be.
    pub fn new(options: &Options) -> Result<Self, Error> {
        Ok(Self {
            place: config::control(options)?,
            table: config::table(options)?,
            networks: config::never_published(options)?,
        })
    }

    fn daemon(&self) -> Result<Option<Daemon>, Error> {
        Daemon::find(&self.place, &self.table.options.map)
    }

    fn needed_daemon(&self) -> Result<Daemon, Error> {
        self.daemon()?.ok_or_else(|| nobody(&self.place, &self.table.options.map))
    }

    /// Everybody may read the table; without a daemon, or not allowed to ask it, that is what there is to look at.
    fn daemon_unless_refused(&self) -> Result<Option<Daemon>, Error> {
        match self.daemon() {
            Err(error) if error.exit == Exit::NoPermission => Ok(None),
            other => other,
        }
    }

    /// Prints the grants, the next to end first.
    ///
    /// # Errors
    /// There is neither a daemon nor a table.
    pub fn list(&self, json: bool) -> Result<(), Error> {
        let mut clients: Vec<Client> = Vec::new();
        match self.daemon_unless_refused()? {
            Some(daemon) => daemon.ask(Request::List, |line| {
                if let Line::Client(client) = line {
                    clients.push(client);
                }
            })?,
            None if !json => return inspect::list(&self.table),
            None => clients = offline::clients(&self.table)?,
        }
        clients.sort_by_key(|client| (client.expires, client.address));
        if json { print_json(&clients) } else { print(|out| show::clients(out, &clients)) }
    }

    /// Prints whether an address has a grant, and why.
    ///
    /// # Errors
    /// It is no address, or there is neither a daemon nor a table.
    pub fn explain(&self, text: &str, json: bool) -> Result<(), Error> {
        let address = address("explain", text)?;
        let explanation = self.explanation(address)?;
        if json { print_json(&[explanation]) } else { print(|out| show::explanation(out, &explanation)) }
    }

    fn explanation(&self, address: IpAddr) -> Result<Explanation, Error> {
        let explanation = match self.daemon_unless_refused()? {
            Some(daemon) => match daemon.ask_one(Request::Explain(address))? {
                Line::Explanation(explanation) => *explanation,
                _ => Explanation::nothing(address),
            },
            None => offline::explain(self, address)?,
        };
        Ok(evidence::gather(explanation, &self.table))
    }

    /// Prints how the daemon is.
    ///
    /// # Errors
    /// There is none.
    pub fn status(&self, json: bool, prometheus: bool) -> Result<(), Error> {
        let Line::Status(status) = self.needed_daemon()?.ask_one(Request::Status)? else {
            return Err(nobody(&self.place, &self.table.options.map));
        };
        let status: &Status = &status;
        match (json, prometheus) {
            (true, _) => print_json(&[status]),
            (_, true) => inspect::print(&metrics::text(status, true)),
            _ => print(|out| show::status(out, status)),
        }
    }

    /// Ends a grant.
    ///
    /// # Errors
    /// It is no address, or what was done cannot be written.
    pub fn revoke(&self, text: &str) -> Result<(), Error> {
        let address = address("revoke", text)?;
        let outcome = match self.daemon()? {
            Some(daemon) => change(daemon, Request::Revoke(address))?,
            None => offline::revoke(&self.table, address)?,
        };
        conclude(&outcome)
    }

    /// Gives a grant.
    ///
    /// # Errors
    /// It is no address or must not have one, there is no daemon, or what was done cannot be written.
    pub fn grant(&self, text: &str, length: Option<Duration>) -> Result<(), Error> {
        let address = address("grant", text)?;
        let seconds = length.and_then(|length| NonZeroU64::new(length.as_secs()));
        conclude(&change(self.needed_daemon()?, Request::Grant { address, seconds })?)
    }

    /// Denies, allows again, or prints what is denied.
    ///
    /// # Errors
    /// It is no network, or what was done cannot be written.
    pub fn deny(&self, what: &Deny) -> Result<(), Error> {
        if what.list {
            return self.denied(what.form.json);
        }
        let text = what.network.as_deref().unwrap_or_default();
        let network = network("deny", text)?;
        let outcome = match self.daemon()? {
            Some(daemon) if what.remove => change(daemon, Request::Allow(network))?,
            Some(daemon) => change(daemon, Request::Deny(network))?,
            None if what.remove => offline::allow(&self.table, network)?,
            None => offline::deny(&self.table, network)?,
        };
        conclude(&outcome)
    }

    fn denied(&self, json: bool) -> Result<(), Error> {
        let mut networks: Vec<Network> = Vec::new();
        match self.daemon()? {
            Some(daemon) => daemon.ask(Request::Denied, |line| {
                if let Line::Denied(network) = line {
                    networks.push(network);
                }
            })?,
            None => networks = offline::denied(&self.table)?,
        }
        if json { print_json(&networks) } else { print(|out| show::networks(out, &networks)) }
    }
}

fn change(daemon: Daemon, request: Request) -> Result<Changed, Error> {
    match daemon.ask_one(request)? {
        Line::Outcome(outcome) => Ok(outcome),
        _ => Err(Error::new(Exit::TemporaryFailure, "change the grants", "the daemon does not say what it has done")),
    }
}

/// Says what was done. That it does not hold yet, or not for long, is an error.
fn conclude(outcome: &Changed) -> Result<(), Error> {
    print(|out| show::outcome(out, outcome))?;
    let Changed { published, error, unsaved, .. } = outcome;
    let (command, subject) = (show::printable(&outcome.command), show::printable(&outcome.subject));
    if let Some(unsaved) = unsaved.as_deref().map(show::printable) {
        let error = Error::new(Exit::CannotCreate, format!("keep {command} {subject} beyond a restart"), unsaved);
        return Err(error.cure("repeat it when that is mended"));
    }
    match (published, error) {
        (true, _) => Ok(()),
        (false, error) => Err(Error::new(
            Exit::TemporaryFailure,
            format!("bring {command} {subject} into the table yet"),
            error.as_deref().map_or_else(|| "it cannot be written".to_owned(), show::printable),
        )
        .cure("the daemon goes on trying")),
    }
}

pub(super) fn print_json<T: Serialize>(values: &[T]) -> Result<(), Error> {
    print(|out| values.iter().try_for_each(|value| writeln!(out, "{}", wire::json(value))))
}

pub(super) fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    let mut out = BufWriter::new(io::stdout().lock());
    inspect::finish(write(&mut out).and_then(|()| out.flush()))
}
