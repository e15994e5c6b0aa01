//! `postfix-config`: the lines that make Postfix use the table. Asks `postconf`, changes nothing.

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::Path;

use pop_before_smtp_backends::{SQLITE_QUERY, process};

use crate::config::Table;
use crate::state::beside;

/// Whether Postfix's smtpd runs in a chroot jail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chroot {
    Yes,
    No,
    /// There is no postconf to ask.
    Unknown,
}

/// The main.cf lines for `table`, and for SQLite the table file, as text to print.
pub fn configuration(table: &Table) -> String {
    let map = table.options.map.display();
    match table.driver.name {
        "sqlite" => sqlite(&table.options.map, chroot()),
        "lmdb" => main_cf(&format!("lmdb:{map}"), ""),
        _ => {
            let asked = || postconf(&["-h", "default_database_type"]).map(|answer| answer.trim().to_owned());
            let map_type = table.options.map_type.clone().or_else(asked);
            main_cf(&format!("{}:{map}", map_type.as_deref().unwrap_or("hash")), "")
        }
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
    let default = default_chroot();
    let chrooted = services.lines().filter_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        (fields.get(1) == Some(&"inet") && fields.get(7) == Some(&"smtpd")).then(|| fields[4])
    });
    if chrooted.into_iter().any(|column| column == "y" || (column == "-" && default)) {
        Chroot::Yes
    } else {
        Chroot::No
    }
}

/// What `-` in the chroot column means: yes before compatibility level 1 (COMPATIBILITY_README), no since.
fn default_chroot() -> bool {
    let level = postconf(&["-h", "compatibility_level"]).unwrap_or_default();
    level.trim().split('.').next().and_then(|major| major.parse::<u32>().ok()).unwrap_or(0) < 1
}

/// The output of postconf, from where Postfix has it or from `$PATH`; `None` if it cannot be asked.
fn postconf(arguments: &[&str]) -> Option<String> {
    let arguments: Vec<_> = arguments.iter().map(OsStr::new).collect();
    let end = process::run(&process::find("postconf")?, &arguments, process::LIMIT).ok()?;
    end.failure().is_none().then(|| String::from_utf8_lossy(&end.stdout).into_owned())
}
