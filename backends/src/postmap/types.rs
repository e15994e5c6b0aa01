//! Lookup table types that postmap can index, and the files it makes for them; data only.

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
    pub(super) fn all() -> &'static [Self] {
        TYPES
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        TYPES.iter().copied().find(|kind| kind.name == name)
    }
}
