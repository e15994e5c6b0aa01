#![allow(clippy::unwrap_used)]
use std::collections::HashMap;

use pop_before_smtp_backends::{DRIVERS, SQLITE_QUERY};

use super::super::finding::{Level, assert_told, assert_well};
use super::super::settings::{Parameters, parameters, services};
use super::*;
use crate::config::Table;
use crate::postfix::smtpds;
use crate::ring::networks::Patterns;

fn settings(kind: &str, table: &str, chrooted: bool) -> Settings {
    let master = format!("smtp inet n - {} - - smtpd\n", if chrooted { "y" } else { "n" });
    let main = format!(
        "smtpd_relay_restrictions = permit_auth_destination, check_client_access {table}, reject\n\
         proxy_read_maps = proxy:unix:passwd.byname {}\n",
        if table.starts_with("proxy:") { table } else { "" }
    );
    let file: Parameters = parameters(&format!("dbpath = /etc/postfix/pbs.sqlite\nquery = {SQLITE_QUERY}\n"));
    Settings {
        main: parameters(&main),
        written: parameters(&main),
        services: services(smtpds(&master, false), "", &|_| Patterns::default()),
        types: vec!["hash".to_owned(), kind.to_owned()],
        sqlite_files: HashMap::from([("/etc/postfix/pbs.cf".to_owned(), Ok(file))]),
        ..Settings::default()
    }
}

fn ours(kind: &str) -> Ours {
    Ours { asked: kind.to_owned(), kind: kind.to_owned(), map: "/etc/postfix/pbs".into() }
}

#[test]
fn what_is_right_is_ok() {
    for (kind, table, chrooted) in [
        ("lmdb", "lmdb:/etc/postfix/pbs", true),
        ("sqlite", "sqlite:/etc/postfix/pbs.cf", false),
        ("sqlite", "proxy:sqlite:/etc/postfix/pbs.cf", true),
    ] {
        let findings = judge(&settings(kind, table, chrooted), &ours(kind), kind != "sqlite");
        assert_well(&findings);
    }
}

#[test]
fn a_type_that_postfix_lacks_is_an_error() {
    let mut lacking = settings("lmdb", "lmdb:/etc/postfix/pbs", false);
    lacking.types.retain(|kind| kind != "lmdb");
    assert_told(&judge(&lacking, &ours("lmdb"), true), Level::Error, "apt-get install postfix-lmdb");
}

#[test]
fn a_table_of_another_type_is_an_error_with_the_right_line() {
    let findings = judge(&settings("lmdb", "hash:/etc/postfix/pbs", false), &ours("lmdb"), true);
    assert_told(&findings, Level::Error, "asks hash:/etc/postfix/pbs: the daemon writes lmdb:/etc/postfix/pbs");
    assert_told(&findings, Level::Error, "check_client_access lmdb:/etc/postfix/pbs, reject'");
}

#[test]
fn an_sqlite_file_that_misleads_is_an_error() {
    let table = "sqlite:/etc/postfix/pbs.cf";
    let with = |text: &str| {
        let mut settings = settings("sqlite", table, false);
        settings.sqlite_files.insert("/etc/postfix/pbs.cf".to_owned(), Ok(parameters(text)));
        judge(&settings, &ours("sqlite"), false)
    };
    let elsewhere = with(&format!("dbpath = /tmp/x.sqlite\nquery = {SQLITE_QUERY}"));
    assert_told(&elsewhere, Level::Error, "write dbpath = /etc/postfix/pbs.sqlite in /etc/postfix/pbs.cf");
    let eternal = with("dbpath = /etc/postfix/pbs.sqlite\nquery = SELECT value FROM client WHERE address = '%s'");
    assert_told(&eternal, Level::Error, "no grant ends by itself");
    let mut missing = settings("sqlite", table, false);
    missing.sqlite_files.clear();
    assert_told(&judge(&missing, &ours("sqlite"), false), Level::Error, "there is no /etc/postfix/pbs.cf");
    missing.sqlite_files.insert("/etc/postfix/pbs.cf".to_owned(), Err("permission denied".to_owned()));
    assert_told(&judge(&missing, &ours("sqlite"), false), Level::Error, "permission denied");
}

#[test]
fn a_chrooted_smtpd_needs_proxymap_for_sqlite() {
    let findings = judge(&settings("sqlite", "sqlite:/etc/postfix/pbs.cf", true), &ours("sqlite"), false);
    assert_told(&findings, Level::Error, "smtp/inet runs chrooted");
    assert_told(&findings, Level::Error, "check_client_access proxy:sqlite:/etc/postfix/pbs.cf, reject'");
}

#[test]
fn proxymap_must_be_told_of_the_table() {
    let mut settings = settings("sqlite", "proxy:sqlite:/etc/postfix/pbs.cf", true);
    settings.main.insert("proxy_read_maps".to_owned(), "proxy:unix:passwd.byname".to_owned());
    let line = "postconf -e \"proxy_read_maps = proxy:sqlite:/etc/postfix/pbs.cf $(postconf -h proxy_read_maps)\"";
    assert_told(&judge(&settings, &ours("sqlite"), false), Level::Error, line);
}

#[test]
fn proxymap_is_a_detour_to_a_file_that_is_replaced() {
    let settings = settings("lmdb", "proxy:lmdb:/etc/postfix/pbs", true);
    assert_told(&judge(&settings, &ours("lmdb"), true), Level::Warning, "makes smtpd wait for proxymap");
    let findings = judge(&settings, &ours("lmdb"), false);
    assert_well(&findings);
}

/// What postconf of Postfix 3.12 prints, built with LMDB for its defaults as on a system without Berkeley DB, after `postfix
/// non-bdb enable-redirect`, and with nothing said of it.
const NEWEST: &str = "default_cache_db_type = lmdb\ndefault_database_type = lmdb\nmail_owner = postfix\n\
                      mail_version = 3.12-20260821\nnon_bdb_migration_level = LEVEL\n";

/// Settings of the newest Postfix, where `taken` is what it takes for hash.
fn newest(table: &str, level: &str, taken: Option<Result<&str, (String, String)>>) -> Settings {
    let mut settings = settings("lmdb", table, false);
    settings.main.extend(parameters(&NEWEST.replace("LEVEL", level)));
    settings.redirects = taken.into_iter().map(|taken| ("hash".to_owned(), taken.map(str::to_owned))).collect();
    settings
}

fn asked(map_type: Option<&str>, settings: &Settings) -> Ours {
    let mut options = pop_before_smtp_backends::TableOptions::new("/etc/postfix/pbs");
    options.map_type = map_type.map(str::to_owned);
    Ours::new(&Table { driver: &DRIVERS[0], options }, settings)
}

#[test]
fn a_type_that_postfix_takes_for_another_is_ours_and_its_name_advised() {
    let old = newest("hash:/etc/postfix/pbs", "enable-redirect", Some(Ok("lmdb")));
    let new = newest("lmdb:/etc/postfix/pbs", "enable-redirect", Some(Ok("lmdb")));
    let table = "smtpd_relay_restrictions asks hash:/etc/postfix/pbs: Postfix takes lmdb for it \
                 (non_bdb_migration_level = enable-redirect); postconf -e 'smtpd_relay_restrictions = \
                 permit_auth_destination, check_client_access lmdb:/etc/postfix/pbs, reject'";
    let option = "Postfix takes lmdb for hash (non_bdb_migration_level = enable-redirect), and so does the daemon; give \
                  --map-type lmdb";
    for (map_type, settings, told) in [
        (Some("hash"), &old, &[option, table][..]),
        (Some("lmdb"), &old, &[table]),
        (None, &old, &[table]),
        (Some("hash"), &new, &[option]),
        (Some("lmdb"), &new, &[]),
        (None, &new, &[]),
    ] {
        let ours = asked(map_type, settings);
        assert_eq!((ours.kind.as_str(), ours.file()), ("lmdb", "/etc/postfix/pbs.lmdb".into()));
        let findings = judge(settings, &ours, true);
        told.iter().for_each(|text| assert_told(&findings, Level::Warning, text));
        assert_eq!(findings.iter().filter(|finding| finding.level != Level::Ok).count(), told.len(), "{findings:#?}");
    }
}

#[test]
fn a_type_that_cannot_be_taken_is_an_error() {
    let why = (
        "cannot use map type hash: non_bdb_migration_level is enable-reindex, and so on".to_owned(),
        "mend".to_owned(),
    );
    let settings = newest("hash:/etc/postfix/pbs", "enable-reindex", Some(Err(why)));
    assert_told(&judge(&settings, &asked(Some("hash"), &settings), true), Level::Error, "and so on; mend");
}

/// main.cf still says hash, the option nothing.
#[test]
fn a_new_default_is_told() {
    let settings = newest("hash:/etc/postfix/pbs", "disable", None);
    let findings = judge(&settings, &asked(None, &settings), true);
    assert_told(
        &findings,
        Level::Error,
        "asks hash:/etc/postfix/pbs: the daemon writes lmdb:/etc/postfix/pbs; postconf -e",
    );
}

#[test]
fn berkeley_db_is_told_where_postfix_prepares_to_leave_it() {
    let mut settings = newest("hash:/etc/postfix/pbs", "disable", None);
    let findings = judge(&settings, &asked(Some("hash"), &settings), true);
    assert_told(&findings, Level::Warning, "give --backend lmdb, and write lmdb:/etc/postfix/pbs in main.cf");
    // postconf -m lists it, and there is none.
    let why = ("cannot use map type hash: Postfix has no Berkeley DB".to_owned(), "set --map-type lmdb".to_owned());
    settings.redirects.insert("hash".to_owned(), Err(why));
    let findings = judge(&settings, &asked(Some("hash"), &settings), true);
    assert_told(&findings, Level::Error, "Postfix has no Berkeley DB; set --map-type lmdb");
    assert_eq!(findings.len(), 1, "{findings:#?}");
    settings.redirects.clear();
    settings.main.insert("mail_version".to_owned(), "3.10.4".to_owned());
    let findings = judge(&settings, &asked(Some("hash"), &settings), true);
    assert_well(&findings);
}
