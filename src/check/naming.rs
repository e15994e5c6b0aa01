//! How a restriction names our table, rightly or not. Pure.

use std::path::{Path, PathBuf};

use pop_before_smtp_backends::SQLITE_QUERY;

use super::settings::{Parameters, Settings};
use crate::config::Table;
use crate::saved::state::beside;

/// What the daemon writes, as Postfix would name it.
#[derive(Debug, Clone)]
pub(crate) struct Ours {
    /// Type of the lookup table that is asked for.
    pub(crate) asked: String,
    /// The one that Postfix takes for it, and the daemon.
    pub(crate) kind: String,
    /// Table path without suffix.
    pub(crate) map: PathBuf,
}

/// What a table in a restriction is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Naming {
    /// The one that the daemon writes.
    Ours,
    /// Meant to be ours, and another.
    Mistaken(String),
    /// Another's.
    Foreign,
}

/// A table as a restriction names it: `proxy:sqlite:/etc/postfix/x.cf`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    /// Whether proxymap is asked for it.
    pub(crate) proxied: bool,
    /// Its type.
    pub(crate) kind: &'a str,
    /// Its file.
    pub(crate) file: &'a str,
}

impl<'a> Reference<'a> {
    /// The file without which Postfix cannot look anything up in the table, if there must be one.
    pub(crate) fn index(&self, settings: &Settings) -> Option<PathBuf> {
        let kind = settings.taken(self.kind);
        let is_file = !suffix(kind).is_empty() || ["cidr", "pcre", "regexp", "sqlite", "texthash"].contains(&kind);
        (is_file && self.file.starts_with('/')).then(|| beside(Path::new(self.file), suffix(kind)))
    }

    /// Takes the name apart.
    pub(crate) fn parse(table: &'a str) -> Option<Self> {
        let direct = table.strip_prefix("proxy:");
        let (kind, file) = direct.unwrap_or(table).split_once(':')?;
        Some(Self { proxied: direct.is_some(), kind, file })
    }
}

impl Ours {
    /// The table of the options. Without `--map-type`, `postmap` takes Postfix's default.
    pub(crate) fn new(table: &Table, settings: &Settings) -> Self {
        let asked = match (table.driver.name, table.options.map_type.as_deref()) {
            ("postmap", Some(kind)) => kind,
            ("postmap", None) => {
                Some(settings.main("default_database_type")).filter(|kind| !kind.is_empty()).unwrap_or("hash")
            }
            (name, _) => name,
        };
        Self { asked: asked.to_owned(), kind: settings.taken(asked).to_owned(), map: table.options.map.clone() }
    }

    fn is_sqlite(&self) -> bool {
        self.kind == "sqlite"
    }

    /// The name for main.cf, without `proxy:`.
    pub(crate) fn name(&self) -> String {
        let file = if self.is_sqlite() { beside(&self.map, ".cf") } else { self.map.clone() };
        format!("{}:{}", self.kind, file.display())
    }

    /// The name for main.cf, with `proxy:` where that is needed.
    pub(crate) fn name_for(&self, proxied: bool) -> String {
        format!("{}{}", if proxied { "proxy:" } else { "" }, self.name())
    }

    /// The file that Postfix reads.
    pub(crate) fn file(&self) -> PathBuf {
        if self.is_sqlite() { beside(&self.map, ".sqlite") } else { beside(&self.map, suffix(&self.kind)) }
    }

    /// Whether a restriction names our table.
    pub(crate) fn naming(&self, table: &str, settings: &Settings) -> Naming {
        let Some(reference) = Reference::parse(table) else { return Naming::Foreign };
        let file = settings.place(Path::new(reference.file));
        let map = settings.place(&self.map);
        let read = settings.sqlite_files.get(reference.file).and_then(|read| read.as_ref().ok());
        let database = read.filter(|_| reference.kind == "sqlite").and_then(|read| read.get("dbpath"));
        if let Some(database) = database.map(|database| settings.place(Path::new(database))) {
            let same = database == beside(map, ".sqlite");
            return match same {
                true if self.is_sqlite() => Naming::Ours,
                true => Naming::Mistaken(format!("the daemon writes {} (--backend)", self.name())),
                false if file == beside(map, ".cf") => {
                    let text = format!("its dbpath is {}, and the daemon writes", database.display());
                    Naming::Mistaken(format!("{text} {}", beside(&self.map, ".sqlite").display()))
                }
                false => Naming::Foreign,
            };
        }
        let names_map = file == map || SUFFIXES.iter().any(|suffix| file == beside(map, suffix));
        match names_map {
            false => Naming::Foreign,
            true if !self.is_sqlite() && settings.taken(reference.kind) == self.kind && file == map => Naming::Ours,
            true if self.is_sqlite() && file == beside(map, ".cf") && reference.kind == "sqlite" => Naming::Ours,
            true => Naming::Mistaken(format!("the daemon writes {}", self.name())),
        }
    }
}

/// What is behind a table's name in that of the file.
fn suffix(kind: &str) -> &'static str {
    match kind {
        "hash" | "btree" => ".db",
        "lmdb" => ".lmdb",
        "cdb" => ".cdb",
        "dbm" | "sdbm" => ".pag",
        _ => "",
    }
}

const SUFFIXES: [&str; 7] = [".cf", ".db", ".lmdb", ".cdb", ".pag", ".dir", ".sqlite"];

/// What is wrong with the query in the file of our sqlite table.
pub(crate) fn query_flaw(file: &Parameters) -> Option<&'static str> {
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let query = squeezed(file.get("query").map_or("", String::as_str));
    match query {
        _ if query == squeezed(SQLITE_QUERY) => None,
        _ if query.is_empty() => Some("it has no query"),
        // The column must be compared, not only chosen.
        _ if !query.contains("expires >") => Some("its query does not look at expires, so no grant ends by itself"),
        _ => Some("its query is another than postfix-config prints"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn ours(kind: &str) -> Ours {
        Ours { asked: kind.to_owned(), kind: kind.to_owned(), map: "/etc/postfix/pbs".into() }
    }

    fn settings() -> Settings {
        let file = |database: &str| {
            Ok(HashMap::from([
                ("dbpath".to_owned(), database.to_owned()),
                ("query".to_owned(), SQLITE_QUERY.to_owned()),
            ]))
        };
        let sqlite_files = HashMap::from([
            ("/etc/postfix/pbs.cf".to_owned(), file("/etc/postfix/pbs.sqlite")),
            ("/etc/postfix/other.cf".to_owned(), file("/etc/postfix/pbs.sqlite")),
            ("/etc/postfix/users.cf".to_owned(), file("/var/lib/users.sqlite")),
        ]);
        let places = HashMap::from([("/etc/mail/pbs".into(), "/etc/postfix/pbs".into())]);
        Settings { sqlite_files, places, ..Settings::default() }
    }

    #[test]
    fn our_table_is_known_by_file_and_type() {
        let settings = settings();
        for (kind, table, expected) in [
            ("lmdb", "lmdb:/etc/postfix/pbs", "ours"),
            ("lmdb", "proxy:lmdb:/etc/postfix/pbs", "ours"),
            ("lmdb", "lmdb:/etc/mail/pbs", "ours"),
            ("lmdb", "hash:/etc/postfix/pbs", "the daemon writes lmdb:/etc/postfix/pbs"),
            ("lmdb", "lmdb:/etc/postfix/pbs.lmdb", "the daemon writes lmdb:/etc/postfix/pbs"),
            ("lmdb", "lmdb:/etc/postfix/access", "foreign"),
            ("lmdb", "sqlite:/etc/postfix/other.cf", "the daemon writes lmdb:/etc/postfix/pbs (--backend)"),
            ("sqlite", "proxy:sqlite:/etc/postfix/pbs.cf", "ours"),
            ("sqlite", "sqlite:/etc/postfix/other.cf", "ours"),
            ("sqlite", "sqlite:/etc/postfix/users.cf", "foreign"),
            ("sqlite", "sqlite:/etc/postfix/pbs", "the daemon writes sqlite:/etc/postfix/pbs.cf"),
            ("sqlite", "lmdb:/etc/postfix/pbs", "the daemon writes sqlite:/etc/postfix/pbs.cf"),
            ("hash", "static:ok", "foreign"),
        ] {
            let told = match ours(kind).naming(table, &settings) {
                Naming::Ours => "ours".to_owned(),
                Naming::Foreign => "foreign".to_owned(),
                Naming::Mistaken(why) => why,
            };
            assert_eq!(told, expected, "{kind} {table}");
        }
    }

    #[test]
    fn a_file_that_leads_elsewhere_is_told() {
        let mut settings = settings();
        let moved = HashMap::from([("dbpath".to_owned(), "/tmp/pbs.sqlite".to_owned())]);
        settings.sqlite_files.insert("/etc/postfix/pbs.cf".to_owned(), Ok(moved));
        let naming = ours("sqlite").naming("sqlite:/etc/postfix/pbs.cf", &settings);
        let why = "its dbpath is /tmp/pbs.sqlite, and the daemon writes /etc/postfix/pbs.sqlite";
        assert_eq!(naming, Naming::Mistaken(why.to_owned()));
    }

    #[test]
    fn a_query_must_compare_the_expiry() {
        let flaw = |query: &str| query_flaw(&HashMap::from([("query".to_owned(), query.to_owned())]));
        assert_eq!(flaw(SQLITE_QUERY), None);
        assert_eq!(flaw(&SQLITE_QUERY.replace(' ', "\n  ")), None);
        assert!(
            flaw("SELECT value FROM client WHERE address = '%s'").is_some_and(|flaw| flaw.contains("no grant ends"))
        );
        assert!(flaw("").is_some() && flaw("SELECT 1 WHERE expires > 0").is_some());
    }
}
