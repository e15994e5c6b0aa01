//! Grants of many hosts, with a PostgreSQL database between them (docs/many-hosts.md).
//!
//! Two threads talk to the database: one gives, one reads. The loop hands over and takes in what they have, and never
//! waits for them: between them are a bounded queue each way, and an eventfd that wakes the loop.

#[cfg(feature = "postgres")]
pub(crate) mod admin;
#[cfg(feature = "postgres")]
mod database;
#[cfg(feature = "postgres")]
mod engine;
#[cfg(feature = "postgres")]
mod giver;
#[cfg(feature = "postgres")]
mod link;
#[cfg(feature = "postgres")]
mod ours;
#[cfg(feature = "postgres")]
mod outbox;
#[cfg(feature = "postgres")]
mod reader;
#[cfg(not(feature = "postgres"))]
mod without;

use std::net::IpAddr;
use std::time::Duration;

#[cfg(feature = "postgres")]
pub(crate) use self::ours::Share;
#[cfg(not(feature = "postgres"))]
pub(crate) use self::without::{Share, admin};
use crate::grants::counters::Counters;
use crate::time::Timestamp;

/// How it stands with the database.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// Who this host is there.
    pub(crate) name: String,
    /// Why it cannot be used, if so.
    pub(crate) error: Option<String>,
    /// Since when that is so, or it can be.
    pub(crate) since: Timestamp,
    /// How many grants wait to be given.
    pub(crate) waiting: usize,
    /// How many had no room there.
    pub(crate) lost: u64,
    /// When the others' grants were last known to be all here.
    pub(crate) read: Option<Timestamp>,
    /// What has come from the others.
    pub(crate) counters: Counters,
}

/// A grant as the database has it.
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "nothing makes one"))]
pub(crate) struct Row {
    pub(crate) address: IpAddr,
    /// How long it lasts; zero if it has ended.
    pub(crate) lasts: Duration,
    /// How long ago the login was.
    pub(crate) ago: Duration,
    pub(crate) giver: String,
    pub(crate) host: String,
    pub(crate) user: Vec<u8>,
    pub(crate) matcher: String,
    pub(crate) log: String,
    pub(crate) offset: Option<u64>,
    /// Who has logged in from there, and how long ago.
    pub(crate) users: Vec<(Vec<u8>, Duration)>,
}

/// What makes the tables, for a site whose longest grant is so long.
pub(crate) fn sql(longest: Duration) -> String {
    let longest = format!("interval '{} seconds'", longest.as_secs());
    let schema = include_str!("schema.sql").replace("interval '30 minutes'", &longest);
    format!("BEGIN;\n{schema}COMMIT;\n")
}
