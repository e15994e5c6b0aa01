#![allow(clippy::unwrap_used)]
use std::collections::HashMap;

use pop_before_smtp_backends::SQLITE_QUERY;

use super::super::finding::{Level, assert_told, assert_well};
use super::super::settings::{Parameters, parameters, services};
use super::*;
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
    Ours { kind: kind.to_owned(), map: "/etc/postfix/pbs".into() }
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

#[test]
fn a_redirected_type_is_an_error() {
    for (kind, level, other) in [("hash", "enable-redirect", "lmdb"), ("btree", "enable-reindex", "cdb")] {
        let mut settings = settings(kind, &format!("{kind}:/etc/postfix/pbs"), false);
        settings.main.extend(parameters(&format!(
            "non_bdb_migration_level = {level}\ndefault_database_type = lmdb\ndefault_cache_db_type = cdb\n"
        )));
        let findings = judge(&settings, &ours(kind), true);
        assert_told(&findings, Level::Error, &format!("give --map-type {other}, and write {other}:/etc/postfix/pbs"));
        settings.main.insert("non_bdb_migration_level".to_owned(), "disable".to_owned());
        let findings = judge(&settings, &ours(kind), true);
        assert_well(&findings);
    }
}
