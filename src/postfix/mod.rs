//! `postfix-config`: the lines that make Postfix use the table. Asks `postconf`, changes nothing.

pub mod mynetworks;

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::Path;

use pop_before_smtp_backends::{self as backends, SQLITE_QUERY, process};

use crate::cli::option;
use crate::config::options::Options;
use crate::config::{self, Table};
use crate::output::error::{Error, io_cause};
use crate::saved::state::beside;

/// Whether Postfix's smtpd runs in a chroot jail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chroot {
    Yes,
    No,
    /// There is no postconf to ask.
    Unknown,
}

/// Has Postfix's programs run from the directory of the options, if one is named.
///
/// # Errors
/// Exit code 64: it cannot be a path.
pub fn choose(options: &Options) -> Result<(), Error> {
    if let Some(directory) = options.path(option!("postfix-bin")) {
        process::take_postfix_from(config::absolute(options, "--postfix-bin", directory)?);
    }
    Ok(())
}

/// The main.cf lines for `table`, and for SQLite the table file, as text to print.
pub fn configuration(table: &Table) -> String {
    match table.driver.name {
        "sqlite" => sqlite(&table.options.map, chroot()),
        _ => main_cf(&lookup_table(table), ""),
    }
}

/// The table as `postmap -q` may ask for it.
pub fn lookup_table(table: &Table) -> String {
    let map = table.options.map.display();
    match table.driver.name {
        "sqlite" => format!("sqlite:{map}.cf"),
        "lmdb" => format!("lmdb:{map}"),
        _ => format!("{}:{map}", backends::map_type(&table.options)),
    }
}

fn sqlite(map: &Path, chroot: Chroot) -> String {
    let file = beside(map, ".cf");
    let database = beside(map, ".sqlite");
    let (proxy, why) = match chroot {
        Chroot::No => ("", "# smtpd is not chrooted (postconf -M), so it opens the table itself.\n"),
        Chroot::Yes => ("proxy:", "# smtpd is chrooted (postconf -M): it must ask proxymap for an SQLite table.\n"),
        Chroot::Unknown => {
            ("proxy:", "# postconf could not be asked whether smtpd is chrooted; proxy: is right either way.\n")
        }
    };
    let mut text = main_cf(&format!("{proxy}sqlite:{}", file.display()), why);
    // Writing to a String cannot fail.
    let _ = write!(text, "\n# {}\ndbpath = {}\nquery = {SQLITE_QUERY}\n", file.display(), database.display());
    text
}

/// `permit_auth_destination` stands first: whatever happens to the table, mail to the own domains is not refused.
fn main_cf(table: &str, why: &str) -> String {
    format!(
        "# main.cf\n{why}smtpd_relay_restrictions =\n    permit_auth_destination,\n    permit_mynetworks,\n    \
         permit_sasl_authenticated,\n    check_client_access {table},\n    reject_unauth_destination\n"
    )
}

/// Asks `postconf -M` for the chroot column of every smtpd that listens on the network.
fn chroot() -> Chroot {
    let Some(services) = postconf(&["-M"]) else { return Chroot::Unknown };
    let default = default_chroot(&postconf(&["-h", "compatibility_level"]).unwrap_or_default());
    match smtpds(&services, default).iter().any(|smtpd| smtpd.chrooted) {
        true => Chroot::Yes,
        false => Chroot::No,
    }
}

/// An smtpd of master.cf that takes mail from the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Smtpd {
    /// Name and type as `postconf -P` writes them: `smtp/inet`.
    pub(crate) name: String,
    /// Whether it runs in a chroot jail.
    pub(crate) chrooted: bool,
}

/// The smtpds among what `postconf -M` prints. One of type pass gets its clients from postscreen.
pub(crate) fn smtpds(services: &str, default_chroot: bool) -> Vec<Smtpd> {
    let smtpd = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [name, kind, _, _, chroot, _, _, "smtpd", ..] = fields[..] else { return None };
        let chrooted = chroot == "y" || (chroot == "-" && default_chroot);
        matches!(kind, "inet" | "pass").then(|| Smtpd { name: format!("{name}/{kind}"), chrooted })
    };
    services.lines().filter_map(smtpd).collect()
}

/// What `-` in the chroot column means: yes before compatibility level 1 (COMPATIBILITY_README), no since.
pub(crate) fn default_chroot(compatibility_level: &str) -> bool {
    compatibility_level.trim().split('.').next().and_then(|major| major.parse::<u32>().ok()).unwrap_or(0) < 1
}

/// The output of postconf; `None` if it cannot be asked.
fn postconf(arguments: &[&str]) -> Option<String> {
    ask(arguments).ok()
}

/// The output of postconf, from where Postfix has it or from `$PATH`, or why there is none. It reads the configuration that
/// `$MAIL_CONFIG` names, else Postfix's own.
pub(crate) fn ask(arguments: &[&str]) -> Result<String, String> {
    let program = process::find_postfix("postconf")
        .ok_or_else(|| format!("there is no postconf in {}", process::places_of_postfix()))?;
    let arguments: Vec<_> = arguments.iter().map(OsStr::new).collect();
    let end = process::run(&program, &arguments, process::LIMIT).map_err(|error| io_cause(&error))?;
    match end.failure() {
        None => Ok(String::from_utf8_lossy(&end.stdout).into_owned()),
        Some(cause) => Err(cause),
    }
}
