//! Lookup table types that postmap can index, and the files it makes for them; no I/O.

use std::ffi::OsString;
use std::path::Path;

/// A type as DATABASE_README and postmap(1) describe it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Type {
    pub(super) name: &'static str,
    /// Index files: `<map>.<extension>`.
    pub(super) extensions: &'static [&'static str],
}

/// A type that shares its extension with another comes after the one to recommend.
const TYPES: &[Type] = &[
    Type { name: "hash", extensions: &["db"] },
    Type { name: "btree", extensions: &["db"] },
    Type { name: "lmdb", extensions: &["lmdb"] },
    Type { name: "cdb", extensions: &["cdb"] },
    // Readers look at the .pag file for changes, so it is renamed last.
    Type { name: "dbm", extensions: &["dir", "pag"] },
    Type { name: "sdbm", extensions: &["dir", "pag"] },
];

impl Type {
    /// The table at `path` as Postfix names it.
    pub(super) fn table(self, path: &Path) -> OsString {
        let mut name = OsString::from(self.name);
        name.push(":");
        name.push(path);
        name
    }

    /// What the names of the index files add to the name of the text file.
    pub(super) fn suffixes(self) -> impl Iterator<Item = String> {
        self.extensions.iter().map(|extension| format!(".{extension}"))
    }

    pub(super) fn all() -> &'static [Self] {
        TYPES
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        TYPES.iter().copied().find(|kind| kind.name == name)
    }
}
