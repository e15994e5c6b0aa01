//! What happens when postmap fails: a shell script takes its place.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::SystemTime;

use super::*;
use crate::Client;

/// A directory with a map and with scripts in place of postmap and postconf.
struct Site {
    directory: tempfile::TempDir,
    options: TableOptions,
    tools: Tools,
}

/// A stand-in for postmap: `-r` copies the text to the index, `-s` and `-q` read that copy.
const WORKING: &str = r#"
file="${3:-$2}"; file="${file#*:}"
case "$1" in
-r) cp "$file" "$file.db" ;;
-s) cat "$file.db" ;;
-q) grep "^$2	" "$file.db" | cut -f 2 ;;
esac"#;

impl Site {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let options = TableOptions { map_type: Some("hash".to_owned()), ..TableOptions::new(at("map")) };
        let limit = Duration::from_secs(30);
        let tools = Tools { postmap: at("postmap"), postconf: Some(at("postconf")), limit };
        let site = Self { directory, options, tools };
        site.postmap(WORKING);
        site.postconf("printf 'btree\\ncidr\\nhash\\nlmdb\\n'");
        site
    }

    fn postmap(&self, script: &str) {
        self.script("postmap", script);
    }

    fn postconf(&self, script: &str) {
        self.script("postconf", script);
    }

    /// Written by another process: what this one has open for writing, even for a moment in the child of another
    /// test, cannot be run ("text file busy").
    fn script(&self, name: &str, text: &str) {
        let command = "printf '#!/bin/sh\n%s\n' \"$1\" > \"$0.new\" && chmod 755 \"$0.new\" && mv \"$0.new\" \"$0\"";
        let path = self.directory.path().join(name);
        let status = std::process::Command::new("/bin/sh").args(["-c", command]).arg(path).arg(text).status();
        assert!(status.unwrap().success());
    }

    fn open(&self) -> Result<Postmap, BackendError> {
        Postmap::open(&self.options, self.tools.clone())
    }

    fn index(&self) -> Vec<u8> {
        fs::read(self.directory.path().join("map.db")).unwrap()
    }

    fn left_over(&self) -> bool {
        let names = fs::read_dir(self.directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.into_iter().any(|name| name.to_string_lossy().contains(".new"))
    }
}

fn publish(table: &mut Postmap, addresses: &[&str]) -> Result<(), BackendError> {
    let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    let client = |address: &&str| Client { address: address.parse().unwrap(), expires };
    let clients: Vec<Client> = addresses.iter().map(client).collect();
    table.publish(&Update { added: &clients, extended: &[], removed: &[], clients: &clients })
}

#[test]
fn whatever_postmap_does_the_old_table_stays_and_the_next_publish_works() {
    let failures = [
        ("echo 'postmap: fatal: no luck' >&2; exit 1", "postmap: fatal: no luck"),
        ("exit 75", "exit status 75"),
        ("echo half > \"${2#*:}.db\"; kill -9 $$", "killed by SIGKILL"),
        ("exit 0", "did not write"),
        ("echo half > \"${2#*:}.db\"; sleep 3600", "did not finish within 0.3 s"),
    ];
    for (script, cause) in failures {
        let site = Site::new();
        let mut table = site.open().unwrap();
        publish(&mut table, &["192.0.2.1"]).unwrap();
        let before = (site.index(), fs::metadata(site.directory.path().join("map.db")).unwrap().ino());

        site.postmap(script);
        table.tools.limit = Duration::from_millis(300);
        let error = publish(&mut table, &["192.0.2.2"]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains(cause), "{error}");
        assert!(error.to_string().starts_with("cannot write table /"), "{error}");
        let after = (site.index(), fs::metadata(site.directory.path().join("map.db")).unwrap().ino());
        assert_eq!(before, after);
        assert!(!site.left_over());

        site.postmap(WORKING);
        table.tools.limit = Duration::from_secs(30);
        publish(&mut table, &["192.0.2.1", "192.0.2.2"]).unwrap();
        assert_eq!(table.list().unwrap().len(), 2);
    }
}

#[test]
fn the_first_table_with_a_client_is_read_back() {
    let site = Site::new();
    let mut table = site.open().unwrap();
    site.postmap(&format!("[ \"$1\" = -q ] && exit 1\n{WORKING}"));
    publish(&mut table, &[]).unwrap();
    let error = publish(&mut table, &["192.0.2.1"]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.to_string().contains("a lookup of 192.0.2.1 gives exit status 1, not 2000000000"), "{error}");
    assert_eq!(site.index(), b"");
    site.postmap(WORKING);
    publish(&mut table, &["192.0.2.1"]).unwrap();
    site.postmap(&format!("[ \"$1\" = -q ] && exit 1\n{WORKING}"));
    publish(&mut table, &["192.0.2.1", "192.0.2.2"]).unwrap();
}

/// A stand-in for the postmap of Postfix 3.11, which takes lmdb for hash if `redirected` is there.
const REDIRECTING: &str = r#"
file="${3:-$2}"; type="${file%%:*}"; file="${file#*:}"
if [ -e "${0%/*}/redirected" ] && [ "$type" = hash ]; then
    echo "postmap: redirecting hash:$file to lmdb:$file" >&2; type=lmdb
fi
case "$type" in hash) index="$file.db" ;; *) index="$file.$type" ;; esac
case "$1" in
-r) cp "$file" "$index" ;;
-s) cat "$index" ;;
-q) grep "^$2	" "$index" | cut -f 2 | grep . ;;
esac"#;

/// What postconf of Postfix 3.12 answers about its level, its types and its table of exceptions.
fn postconf(level: &str, hash: &str, btree: &str, exceptions: &str) -> String {
    format!(
        "case \"$*\" in '-hx non_bdb_migration_level') echo {level} ;; '-hx default_database_type') echo {hash} ;;\n\
         '-h default_database_type') echo {hash} ;; '-hx default_cache_db_type') echo {btree} ;;\n\
         '-hx non_bdb_custom_mapping') echo {exceptions} ;; -m) printf 'cdb\\nhash\\nlmdb\\nsqlite\\n' ;; esac"
    )
}

#[test]
fn the_type_that_postfix_takes_is_written() {
    for (asked, level, hash, btree, taken) in [
        ("hash", "enable-redirect", "lmdb", "lmdb", "lmdb"),
        ("hash", "enable-reindex", "cdb", "lmdb", "cdb"),
        ("btree", "enable-redirect", "cdb", "lmdb", "lmdb"),
        ("hash", "disable", "lmdb", "lmdb", "hash"),
        ("cdb", "enable-redirect", "lmdb", "lmdb", "cdb"),
    ] {
        let mut site = Site::new();
        site.postmap(REDIRECTING);
        site.postconf(&postconf(level, hash, btree, ""));
        if level != "disable" {
            fs::write(site.directory.path().join("redirected"), "").unwrap();
        }
        site.options.map_type = Some(asked.to_owned());
        let mut table = site.open().unwrap();
        publish(&mut table, &["192.0.2.1"]).unwrap();
        assert_eq!((table.kind.name, table.list().unwrap().len()), (taken, 1), "{asked}, {level}");
        assert!(table.index(0, "").exists(), "{asked}, {level}");
        table.clear().unwrap();
        assert!(table.is_intact());
    }
}

#[test]
fn a_table_with_an_exception_of_its_own_has_that_type() {
    let site = Site::new();
    let at = |name: &str| site.directory.path().join(name).display().to_string();
    site.postmap(REDIRECTING);
    site.postconf(&postconf("enable-redirect", "lmdb", "lmdb", &format!("cdb:{}", at("exceptions"))));
    for (exceptions, taken) in [
        (format!("hash:{}\tcdb\nhash\tlmdb\n", at("map")), "cdb"),
        ("hash\tcdb\n".to_owned(), "cdb"),
        (format!("hash:{}\tcdb\n", at("other")), "lmdb"),
    ] {
        fs::write(at("exceptions.cdb"), exceptions).unwrap();
        assert_eq!(site.open().unwrap().kind.name, taken);
    }
    fs::remove_file(at("exceptions.cdb")).unwrap();
    let error = site.open().err().unwrap();
    assert!(error.to_string().starts_with("cannot ask non_bdb_custom_mapping for map type hash: grep: "), "{error}");
}

/// Postfix then refuses every lookup.
#[test]
fn what_cannot_be_in_the_place_of_a_type_is_told() {
    for hash in ["hash", "btree", "sqlite", "nosuch"] {
        let site = Site::new();
        site.postconf(&postconf("enable-redirect", hash, "lmdb", ""));
        let error = site.open().err().unwrap();
        assert_eq!(error.kind, ErrorKind::Config);
        let cause = format!(
            "cannot use map type hash: non_bdb_migration_level is enable-redirect, and default_database_type sets \
             \"{hash}\" in its place; set default_database_type to lmdb, or use --backend lmdb or sqlite"
        );
        assert_eq!(error.to_string(), cause);
    }
}

#[test]
fn a_postfix_without_berkeley_db_is_told() {
    let site = Site::new();
    site.postconf(&postconf("disable", "lmdb", "lmdb", ""));
    // As postmap of 3.12 says it.
    site.postmap(
        "echo \"postmap: fatal: Berkeley DB support for '$3' is not available for this OS distribution; see \
         https://www.postfix.org/NON_BERKELEYDB_README.html for alternatives\" >&2; exit 1",
    );
    let error = site.open().err().unwrap();
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(
        error.to_string().starts_with("cannot use map type hash: Postfix has no Berkeley DB; set --map-type lmdb,")
    );
}

/// `postfix non-bdb enable-redirect` while the daemon runs.
#[test]
fn a_redirect_is_followed_while_the_daemon_runs_and_leaves_no_grant_behind() {
    let site = Site::new();
    site.postmap(REDIRECTING);
    let mut table = site.open().unwrap();
    publish(&mut table, &["192.0.2.1"]).unwrap();
    assert_ne!(site.index(), b"");
    fs::write(site.directory.path().join("redirected"), "").unwrap();
    let error = publish(&mut table, &["192.0.2.1", "192.0.2.2"]).unwrap_err();
    assert_eq!(error.cause, "postmap wrote a lmdb table where hash was asked for", "nobody says why");
    assert_ne!(site.index(), b"", "whatever that is, the old table stays");
    site.postconf(&postconf("enable-redirect", "lmdb", "lmdb", ""));
    publish(&mut table, &["192.0.2.1", "192.0.2.2"]).unwrap();
    assert_eq!((table.kind.name, table.list().unwrap().len()), ("lmdb", 2));
    assert!(table.is_intact() && table.has_spare());
    assert_eq!(site.index(), b"", "should the redirect end one day");
    assert!(!site.left_over());
}

#[test]
fn a_type_that_cannot_work_is_answered_with_those_that_can() {
    for (map_type, postmap) in [("cidr", "exit 9"), ("no\u{1b}sense", "exit 9"), ("cdb", "exit 1")] {
        let mut site = Site::new();
        site.postmap(postmap);
        site.options.map_type = Some(map_type.to_owned());
        let error = site.open().err().unwrap();
        assert_eq!(error.kind, ErrorKind::Config, "{error}");
        assert_eq!(error.cure.as_deref(), Some("set --map-type to one of btree, hash, lmdb"));
        assert!(!error.to_string().contains('\u{1b}'));
    }
}

#[test]
fn the_default_type_is_asked_for_and_the_answer_bounded_in_time() {
    let mut site = Site::new();
    site.options.map_type = None;
    site.postconf("[ \"$*\" = '-h default_database_type' ] && echo btree");
    assert_eq!(site.open().unwrap().kind.name, "btree");

    site.postconf("sleep 60");
    site.tools.limit = Duration::from_millis(300);
    let error = site.open().err().unwrap();
    assert_eq!((error.kind, error.cure.as_deref()), (ErrorKind::Unavailable, Some("set --map-type")));

    site.tools.postconf = None;
    let error = site.open().err().unwrap();
    assert!(error.to_string().starts_with("cannot find postconf: "), "{error}");
    assert!(error.to_string().ends_with(", or use --backend lmdb or sqlite"), "{error}");
}

#[test]
fn a_table_that_can_be_read_is_kept_at_open() {
    let site = Site::new();
    let mut table = site.open().unwrap();
    publish(&mut table, &["192.0.2.1"]).unwrap();
    drop(table);
    fs::write(site.directory.path().join("map.new.d"), "left over").unwrap();
    assert_eq!(site.open().unwrap().list().unwrap().len(), 1);
    assert!(!site.left_over());
}

#[test]
fn a_spare_takes_the_place_of_a_table_that_cannot_be_written() {
    let site = Site::new();
    let mut table = site.open().unwrap();
    publish(&mut table, &["192.0.2.1"]).unwrap();
    for _ in 0..2 {
        site.postmap(&format!("[ \"$1\" = -r ] && exit 1\n{WORKING}"));
        publish(&mut table, &["192.0.2.2"]).unwrap_err();
        assert_ne!(site.index(), b"");
        table.clear().unwrap();
        assert_eq!((site.index(), table.has_spare()), (Vec::new(), false));
        table.clear().unwrap();
        site.postmap(WORKING);
        publish(&mut table, &["192.0.2.1"]).unwrap();
        assert!(table.has_spare());
    }
}

#[test]
fn a_spare_that_is_not_empty_is_never_used_nor_overwritten() {
    let site = Site::new();
    let text = site.directory.path().join("map.empty");
    fs::write(&text, "192.0.2.9\tOK\n").unwrap();
    fs::write(site.directory.path().join("map.empty.db"), "192.0.2.9\tOK\n").unwrap();
    let mut table = site.open().unwrap();
    publish(&mut table, &["192.0.2.1"]).unwrap();
    site.postmap(&format!("[ \"$1\" = -r ] && exit 1\n{WORKING}"));
    table.clear().unwrap_err();
    assert_ne!(site.index(), b"");
    assert_eq!(fs::read(&text).unwrap(), b"192.0.2.9\tOK\n");
}
