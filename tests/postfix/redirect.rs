//! A Postfix other than the system's: found where it is, and followed where it takes another type for Berkeley DB's.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::cases::{self, Site, ip};
use crate::support::command::finish;
use crate::support::daemon::{Daemon, PROGRAM};
use crate::support::postfix::Postfix;
use crate::support::{Need, SOON, process, require, wait_for};

/// Stand-ins for postmap and postconf of Postfix 3.12 with `non_bdb_migration_level = enable-redirect`.
const POSTMAP: &str = r#"#!/bin/sh
file="${3:-$2}"; type="${file%%:*}"; file="${file#*:}"
[ "$type" = hash ] && { echo "postmap: redirecting hash:$file to lmdb:$file" >&2; type=lmdb; }
case "$1" in
-r) cp "$file" "$file.$type" ;;
-s) cat "$file.$type" ;;
-q) grep "^$2	" "$file.$type" | cut -f 2 | grep . ;;
esac
"#;
const POSTCONF: &str = r#"#!/bin/sh
case "$*" in
'-hx non_bdb_migration_level') echo enable-redirect ;;
'-h default_database_type' | '-hx default_database_type') echo lmdb ;;
'-x command_directory mail_owner') echo 'mail_owner = postfix' ;;
esac
"#;

/// Postfix in a place of its own, to which the configuration in `etc` leads.
fn stand_in(site: &Site) -> String {
    let (etc, programs) = (site.join("etc"), site.join("sbin"));
    fs::create_dir(&etc).unwrap();
    fs::create_dir(&programs).unwrap();
    fs::write(etc.join("main.cf"), format!("command_directory = {}\n", programs.display())).unwrap();
    for (name, text) in [("postmap", POSTMAP), ("postconf", POSTCONF)] {
        script(&programs.join(name), text);
    }
    etc.display().to_string()
}

/// By another process: what this one has open for writing cannot be run.
fn script(path: &Path, text: &str) {
    let command = "printf '%s' \"$1\" > \"$0\" && chmod 755 \"$0\"";
    assert!(Command::new("/bin/sh").args(["-c", command]).arg(path).arg(text).status().unwrap().success());
}

#[test]
fn a_postfix_that_is_named_is_asked_and_no_other() {
    let Some(site) = Site::new(&cases::POSTMAP_HASH) else { return };
    stand_in(&site);
    let (programs, map) = (site.join("sbin"), site.map().display().to_string());
    let named = programs.display().to_string();
    let line = format!("check_client_access lmdb:{map},");
    let run = |arguments: &[&str]| finish(Command::new(PROGRAM).args(arguments));
    let arguments = ["postfix-config", "--map", &map];
    assert!(!run(&arguments).stdout.contains(&line), "the system's Postfix");
    assert!(run(&[&arguments[..], &["--postfix-bin", &named]].concat()).stdout.contains(&line));
    let file = site.join("config.toml");
    fs::write(&file, format!("postfix-bin = \"{named}\"\n")).unwrap();
    assert!(run(&[&arguments[..], &["--config", &file.display().to_string()]].concat()).stdout.contains(&line));
    fs::remove_file(programs.join("postmap")).unwrap();
    let log = site.log.display().to_string();
    let refused = run(&["--map", &map, "--log", &log, "--once", "--postfix-bin", &named]);
    assert_eq!(refused.code, Some(69), "{refused:?}");
    let cause = format!("cannot find postmap: it is not in {named}; install Postfix, name the directory");
    assert!(refused.stderr.contains(&cause), "{refused:?}");
}

#[test]
fn the_configured_postfix_is_asked_and_its_redirect_followed() {
    let Some(site) = Site::new(&cases::POSTMAP_HASH) else { return };
    let etc = stand_in(&site);
    let mut daemon = Daemon::start_by(&format!("MAIL_CONFIG={etc} exec \"$0\" \"$@\""), &site.arguments(&[]));
    daemon.wait_following(&site.log);
    let said = format!(
        "Postfix takes lmdb for hash (non_bdb_migration_level), and so is the table written; name it lmdb:{}",
        site.map().display()
    );
    assert_eq!(daemon.stderr().matches(&said).count(), 1, "{}", daemon.stderr());
    site.log_in(ip("198.51.100.7"));
    let table = site.map().with_extension("lmdb");
    wait_for("the grant", SOON, || fs::read_to_string(&table).is_ok_and(|text| text.starts_with("198.51.100.7\t")));
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    assert_eq!(fs::read(&table).unwrap(), b"");
    assert!(!site.map().with_extension("db").exists());

    let told = |command: &str| {
        let arguments = [&[command.to_owned()][..], &site.map_arguments(&[])].concat();
        finish(Command::new(PROGRAM).args(arguments).env("MAIL_CONFIG", &etc)).stdout
    };
    let line = format!("check_client_access lmdb:{},", site.map().display());
    assert!(told("postfix-config").contains(&line), "{}", told("postfix-config"));
    let told = finish(Command::new(PROGRAM).args(site.arguments(&["-d", "--once"])).env("MAIL_CONFIG", &etc)).stdout;
    assert!(told.contains(&format!("Postmap command: postmap -r lmdb:{}\n", site.map().display())), "{told}");
}

/// `PATH=/opt/postfix/sbin:$PATH MAIL_CONFIG=/opt/postfix/etc cargo test --test postfix -- --include-ignored redirect`.
#[test]
#[ignore = "needs Postfix 3.11 or later, which Debian 12 lacks"]
fn the_newest_postfix_asks_the_table_that_is_written_for_it() {
    if !require(&[Need::Postfix]) {
        return;
    }
    for (level, owner) in [("enable-redirect", "root"), ("enable-reindex", "nobody")] {
        let site = Site::new(&cases::POSTMAP_HASH).unwrap();
        let owned = Command::new("chown").arg(owner).arg(site.map_dir()).status();
        assert!(owned.unwrap().success());
        let main_cf = format!(
            "non_bdb_migration_level = {level}\ndefault_database_type = lmdb\ndefault_cache_db_type = lmdb\n\
             command_directory = {}\n",
            process::program("postmap").unwrap().parent().unwrap().display()
        );
        // The daemon comes first: it makes the table that Postfix opens.
        let etc = site.join("etc");
        fs::create_dir(&etc).unwrap();
        fs::write(etc.join("main.cf"), &main_cf).unwrap();
        let script = format!("MAIL_CONFIG={} exec \"$0\" \"$@\"", etc.display());
        let mut daemon = Daemon::start_by(&script, &site.arguments(&["--grace", "5s"]));
        daemon.wait_following(&site.log);
        let postfix = Postfix::start_with(&site.table(), false, &main_cf);
        let (client, stranger) = (ip("198.51.100.7"), ip("198.51.100.8"));
        assert!(!postfix.may_relay(client));
        site.log_in(client);
        postfix.wait_until_relay_is(true, client, SOON);
        assert!(!postfix.may_relay(stranger));
        postfix.wait_until_relay_is(false, client, SOON + SOON);
        let mut check = Command::new(PROGRAM);
        check.arg("check").args(site.arguments(&[])).env("MAIL_CONFIG", postfix.config_directory());
        let told = finish(&mut check).stdout;
        assert!(
            told.contains(&format!(
                "postconf -e 'smtpd_relay_restrictions = permit_auth_destination, check_client_access lmdb:{},",
                site.map().display()
            )),
            "{told}"
        );
        assert!(!told.contains("error: "), "{told}");
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
        assert_eq!(postfix.complaints(), [""; 0], "{level}: what Postfix noticed of all this");
        assert!(!daemon.stderr().contains("warning"), "{}", daemon.stderr());
    }
}
