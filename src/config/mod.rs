//! Options -> `Config`: every value gets its type here, and every mistake its message.

pub mod config_file;
pub mod dump;
pub mod effective;
pub mod loggers;
pub(crate) mod logs;
pub(crate) mod options;
pub mod servers;
pub mod share;
pub(crate) mod socket;
mod values;

pub(crate) use values::wrong;
pub use values::{absolute, length};

use std::path::{Path, PathBuf};
use std::time::Duration;

use pop_before_smtp_backends::{self as backends, DRIVERS, Driver};

use crate::cli::option;
use crate::config::logs::Logs;
use crate::config::options::Options;
use crate::config::servers::Choice;
use crate::config::socket::Socket;
use crate::config::values::{duration, entries, hold, most_addresses, most_users, networks, path, relays};
use crate::grants::Policy;
use crate::line::syslog::{self, LinePrefix};
use crate::matcher::services::{SERVICES, Service};
use crate::matcher::{ALL, AnyMatcher, Matchers, dovecot_format};
use crate::output::error::Error;
use crate::ring;
use crate::ring::networks::Networks;

/// Longest `--publish-interval`: a grant that has ended stays in the table for as long.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);

/// The table: which backend writes it, and where.
#[derive(Clone)]
pub struct Table {
    /// The chosen backend.
    pub driver: &'static Driver,
    /// What the backend is told.
    pub options: backends::TableOptions,
}

/// Everything the daemon is told.
pub struct Config {
    /// Tell what would be done; write no table.
    pub debug: bool,
    /// Become a daemon.
    pub background: bool,
    /// The user to become.
    pub user: Option<String>,
    /// Where to write the process id.
    pub pid_file: Option<PathBuf>,
    /// The table to publish to.
    pub table: Table,
    /// The logs to follow, at least one.
    pub logs: Logs,
    /// Where the control socket is.
    pub control: Socket,
    /// Where to write the metrics.
    pub metrics_file: Option<PathBuf>,
    /// The hosts that share their grants.
    pub share: Option<share::Settings>,
    /// What a running daemon can change.
    pub policy: Policy,
    /// Which matchers are chosen.
    pub matchers: Choice,
    /// Whether newlines are escaped in the logs, if that is said.
    pub escaped_newlines: Option<bool>,
    /// Read what the logs hold already.
    pub reprocess: bool,
    /// Stop at the end of the logs.
    pub once: bool,
    /// What all this was made of.
    pub options: Options,
}

impl Config {
    /// Checks the options.
    ///
    /// # Errors
    /// Exit code 64 for a value that is wrong by itself, 78 if the configuration file has it.
    pub fn new(options: &Options) -> Result<Self, Error> {
        let table = table(options)?;
        let Live { policy, matchers, escaped_newlines } = live(options, &table)?;
        Ok(Self {
            debug: options.flag(option!("debug")),
            background: options.flag(option!("background")),
            user: options.said(option!("user")).map(str::to_owned),
            pid_file: path(options, option!("pid-file"))?,
            table,
            control: control(options)?,
            metrics_file: path(options, option!("metrics-file"))?,
            share: share::settings(options)?,
            policy,
            matchers,
            escaped_newlines,
            reprocess: options.flag(option!("reprocess")),
            once: options.flag(option!("once")),
            options: options.clone(),
            // Last: whether there is a log says nothing about the options.
            logs: Logs::new(options)?,
        })
    }
}

/// What a running daemon takes over from a changed configuration file.
pub struct Live {
    /// Who may relay and for how long.
    pub policy: Policy,
    /// Which matchers are chosen.
    pub matchers: Choice,
    /// Whether newlines are escaped in the logs, if that is said.
    pub escaped_newlines: Option<bool>,
}

/// Checks all options but whether there is a log, and gives what a running daemon takes over; `running` is its table, if
/// there is one.
///
/// # Errors
/// Those of [`Config::new`].
pub fn check(options: &Options, running: Option<&Table>) -> Result<Live, Error> {
    Logs::chosen(options)?;
    let table = table(options)?;
    live(options, running.unwrap_or(&table))
}

fn live(options: &Options, table: &Table) -> Result<Live, Error> {
    let publish_interval = match options.said(option!("publish-interval")) {
        Some(_) => duration(options, option!("publish-interval"), Duration::ZERO, LONGEST_INTERVAL)?,
        None if (table.driver.restarts_readers)(&table.options) => Duration::from_secs(1),
        None => Duration::ZERO,
    };
    let policy = Policy {
        publish_interval,
        grace: duration(options, option!("grace"), Duration::from_secs(1), ring::LONGEST)?,
        entries: entries(options)?,
        hold: hold(options)?,
        networks: never_published(options)?,
        most_users: most_users(options)?,
        most_addresses: most_addresses(options)?,
        relays: relays(options)?,
    };
    Ok(Live { policy, matchers: matchers(options)?, escaped_newlines: said_of_newlines(options) })
}

/// The networks of the options that are never published, and those that never are.
///
/// # Errors
/// Exit code 64: one is no network.
pub fn never_published(options: &Options) -> Result<Networks, Error> {
    networks(options).map(Networks::new)
}

/// The backend and the table of the options.
///
/// # Errors
/// Exit code 64: there is no such backend, or the map or the value cannot be one.
pub fn table(options: &Options) -> Result<Table, Error> {
    let name = options.text(option!("backend"));
    let driver = DRIVERS.iter().find(|driver| driver.name == name).ok_or_else(|| {
        let names: Vec<_> = DRIVERS.iter().map(|driver| driver.name).collect();
        wrong(options, "--backend", name, "there is no such backend").cure(format!("choose from {}", names.join(", ")))
    })?;
    let map = map(options)?;
    let value = options.said(option!("value"));
    if let Some(value) = value
        && (value.trim().is_empty() || value.trim() != value || value.chars().any(char::is_control))
    {
        return Err(
            wrong(options, "--value", &value.escape_default().to_string(), "not a text of one line").cure("try OK")
        );
    }
    let lmdb_update = match options.text(option!("lmdb-update")) {
        "in-place" => backends::LmdbUpdate::InPlace,
        _ => backends::LmdbUpdate::Rename,
    };
    let sync = options.text(option!("sync")) != "never";
    if driver.name != "lmdb" {
        let cause = format!("backend {} knows no such thing", driver.name);
        if lmdb_update == backends::LmdbUpdate::InPlace {
            return Err(wrong(options, "--lmdb-update", "in-place", &cause).cure("add --backend lmdb"));
        }
        if !sync {
            return Err(wrong(options, "--sync", "never", &cause).cure("add --backend lmdb, or leave it out"));
        }
    }
    let map_type = options.said(option!("map-type")).map(str::to_owned);
    let value = value.map(str::to_owned);
    Ok(Table { driver, options: backends::TableOptions { map, map_type, value, lmdb_update, sync } })
}

/// Whether newlines are escaped in the logs, if the options say.
pub fn said_of_newlines(options: &Options) -> Option<bool> {
    options.said(option!("escaped-newlines")).map(|text| text == "true")
}

/// The matchers of the options, built in or in the configuration file; if none is named, those of the servers that are found.
///
/// # Errors
/// Exit code 64: there is no such matcher.
pub fn matchers(options: &Options) -> Result<Choice, Error> {
    let switched_on = of_options(options)?;
    let custom = [options.file.custom(), switched_on.clone()].concat();
    let choice = |named| Choice::new(named, custom.clone(), said_of_newlines(options) == Some(true));
    let words = options.words(option!("matcher"));
    if words.is_empty() {
        return Ok(choice(None));
    }
    let named: Vec<_> = words.iter().map(String::as_str).filter(|name| *name != ALL).collect();
    let has_all = named.len() < words.len();
    let named = [named, switched_on.iter().map(AnyMatcher::name).collect()].concat();
    let chosen = Matchers::choose(&named, &custom).map_err(|unknown| {
        let valid = unknown.valid.join(", ");
        wrong(options, "--matcher", &unknown.name, "there is no such matcher")
            .cure(format!("choose from {ALL}, {valid}"))
    })?;
    Ok(choice(Some(if has_all { Matchers::all_and(&custom) } else { chosen })))
}

/// The matchers that options switch on beside others: services that do not count by themselves, Dovecot with elements of the
/// site.
fn of_options(options: &Options) -> Result<Vec<AnyMatcher>, Error> {
    take_line_prefix(options)?;
    let services = options.words(option!("services"));
    let is_named = |service: &&Service| services.iter().any(|name| *name == service.name);
    let named = SERVICES.iter().filter(is_named).filter_map(|service| service.matcher);
    let mut matchers: Vec<_> = named.map(AnyMatcher::from).collect();
    if let Some(elements) = options.said(option!("dovecot-login-format")) {
        let matcher = dovecot_format::build(elements).map_err(|flaw| {
            wrong(options, "--dovecot-login-format", &elements.escape_default().to_string(), &flaw.reason)
                .cure(flaw.cure)
        })?;
        matchers.push(matcher);
    }
    Ok(matchers)
}

/// Has what the site's logger puts in front of each line taken off.
fn take_line_prefix(options: &Options) -> Result<(), Error> {
    let Some(text) = options.said(option!("line-prefix")) else { return Ok(()) };
    let prefix = LinePrefix::new(text).map_err(|cause| {
        wrong(options, "--line-prefix", &text.escape_default().to_string(), cause).cure(
            "write what stands in front of each line up to a space, with # for a digit and * for a name, such as \
             'mail01 ####/##/## *: '",
        )
    })?;
    syslog::set_line_prefix(prefix);
    Ok(())
}

/// The table's path.
fn map(options: &Options) -> Result<PathBuf, Error> {
    let path = options.path(option!("map")).unwrap_or(Path::new(""));
    let named = path.file_name().is_some() && !path.as_os_str().as_encoded_bytes().ends_with(b"/");
    match named {
        true => absolute(options, "--map", path),
        false => Err(wrong(options, "--map", &path.display().to_string(), "not the name of a file")
            .cure("give the table's path without suffix, such as /etc/postfix/pop-before-smtp")),
    }
}

/// Under which names Postfix logs besides its usual ones, if that is said.
pub(crate) fn syslog_names(options: &Options) -> Vec<String> {
    options.words(option!("syslog-name"))
}

/// Whether Postfix's `mynetworks` are never published.
pub fn skips_mynetworks(options: &Options) -> bool {
    options.flag(option!("skip-mynetworks"))
}

/// Where the control socket is.
///
/// # Errors
/// Exit code 64: it cannot be a path.
pub fn control(options: &Options) -> Result<Socket, Error> {
    match options.said(option!("control")) {
        None => Ok(Socket::Usual),
        Some("") => Ok(Socket::Nowhere),
        Some(path) => absolute(options, "--control", Path::new(path)).map(Socket::Named),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn matchers_may_have_the_names_of_the_c_program() {
        let directory = tempfile::tempdir().unwrap();
        let read = |given: &[&str]| {
            let arguments = ["pop-before-smtp"].iter().chain(given).map(Into::into);
            let options = crate::config::effective::read(arguments).unwrap().unwrap().options;
            let matchers = matchers(&options)?.of_any_host();
            Ok::<_, Error>(matchers.names().map(str::to_owned).collect::<Vec<_>>())
        };
        assert_eq!(read(&["--matcher", "VMPOP3D,IPOP3D"]).unwrap(), ["uw-imap", "vm-pop3d"]);
        let file = directory.path().join("config.toml");
        let with_file = |text: &str| {
            std::fs::write(&file, text).unwrap();
            read(&["--config", file.to_str().unwrap()])
        };
        assert_eq!(with_file("matchers = [\"QPOPPER\"]").unwrap(), ["qpopper"]);
        let error = with_file("matchers = [\"QPOPER\"]").unwrap_err().to_string();
        assert!(error.contains("there is no such matcher; choose from all, apple-mail, courier, "), "{error}");
    }
}
