//! Each way to publish, with each way in which smtpd can ask.

use crate::support::Need;
use crate::support::cases::{self, Case};
use crate::support::postfix::tells_of_a_proxymap_that_starts_anew;

pub(crate) struct Table {
    pub(crate) case: Case,
    pub(crate) cost: Cost,
    /// Whether a publish makes Postfix's processes start anew.
    pub(crate) restarts: bool,
}

/// What a publish waits for, so that the machine decides how many there are in a second.
pub(crate) enum Cost {
    Processes,
    Disk,
    Nothing,
}

pub(crate) const TABLES: &[Table] = &[
    Table::forking(named("postmap, hash", cases::POSTMAP_HASH)),
    Table::forking(chrooted(named("postmap, hash", cases::POSTMAP_HASH))),
    Table::forking(proxied(named("postmap, hash", cases::POSTMAP_HASH))),
    Table::forking(named("postmap, lmdb", cases::POSTMAP_LMDB)),
    Table::forking(proxied(named("postmap, lmdb", cases::POSTMAP_LMDB))),
    Table::renaming(named("lmdb, rename", cases::LMDB)),
    Table::renaming(chrooted(named("lmdb, rename", cases::LMDB))),
    Table::renaming(proxied(named("lmdb, rename", cases::LMDB))),
    Table::syncing(named("lmdb, in place, sync always", cases::LMDB_IN_PLACE)),
    Table::syncing(chrooted(named("lmdb, in place, sync always", cases::LMDB_IN_PLACE))),
    Table::syncing(proxied(named("lmdb, in place, sync always", cases::LMDB_IN_PLACE))),
    Table::changing(named("lmdb, in place, sync never", WITHOUT_SYNC)),
    Table::changing(chrooted(named("lmdb, in place, sync never", WITHOUT_SYNC))),
    Table::changing(proxied(named("lmdb, in place, sync never", WITHOUT_SYNC))),
    Table::changing(named("sqlite", cases::SQLITE)),
    Table::changing(named("sqlite", cases::SQLITE_PROXIED)),
];

const WITHOUT_SYNC: Case =
    Case { backend: &["--backend", "lmdb", "--lmdb-update", "in-place", "--sync", "never"], ..cases::LMDB_IN_PLACE };

const fn named(name: &'static str, case: Case) -> Case {
    Case { name, ..case }
}

/// Asked by an smtpd that is locked into the queue directory, as it is on Debian.
const fn chrooted(case: Case) -> Case {
    Case { chrooted: true, ..case }
}

/// The same, through proxymap, which is not locked in.
const fn proxied(case: Case) -> Case {
    let (table, needs): (_, &[Need]) = match case.table.as_bytes()[0] {
        b'h' => ("proxy:hash", &[Need::Postfix, Need::Table("hash"), Need::Table("proxy")]),
        _ => ("proxy:lmdb", &[Need::Postfix, Need::Table("lmdb"), Need::Table("proxy")]),
    };
    Case { table, needs, chrooted: true, ..case }
}

impl Table {
    const fn forking(case: Case) -> Self {
        Self { case, cost: Cost::Processes, restarts: true }
    }

    const fn renaming(case: Case) -> Self {
        Self { case, cost: Cost::Disk, restarts: true }
    }

    /// Whether a line of Postfix's log is what these tables cost by Postfix's design.
    pub(crate) fn explains(&self, line: &str) -> bool {
        let proxied = self.case.table.starts_with("proxy:");
        proxied && self.restarts && tells_of_a_proxymap_that_starts_anew(line)
    }

    const fn syncing(case: Case) -> Self {
        Self { case, cost: Cost::Disk, restarts: false }
    }

    const fn changing(case: Case) -> Self {
        Self { case, cost: Cost::Nothing, restarts: false }
    }
}
