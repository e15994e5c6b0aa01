//! Writing rows: the statements, and the order in which they go.
//!
//! Addresses come in the order of logins, which is any order for a table sorted by address: of many rows, each would
//! change another page. So rows are gathered and sorted first, and a page is changed once for all its rows.

use std::net::IpAddr;

use rusqlite::{Connection, params};

use crate::Client;
use crate::entry::{Key, Value, seconds_up};

const UPSERT: &str = "INSERT INTO client (address, expires, value) VALUES (?1, ?2, ?3)
    ON CONFLICT (address) DO UPDATE SET expires = excluded.expires, value = excluded.value";
const DELETE: &str = "DELETE FROM client WHERE address = ?1";

/// Most rows that are sorted at once: a table of millions must not need their memory a second time.
const MOST: usize = 32 * 1024;

/// Room for rows, kept from one publish to the next: the key, and the expiry if the row is to stay.
pub(super) type Batch = Vec<(Key, Option<u64>)>;

/// All or nothing of what `write` does. Unlike rusqlite's own, it keeps the statements that begin and end it.
pub(super) fn in_transaction(
    connection: &Connection,
    write: impl FnOnce() -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let done = write().and_then(|()| connection.prepare_cached("COMMIT")?.execute([]).map(drop));
    if done.is_err() && !connection.is_autocommit() {
        // What failed first is what the operator should hear of.
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}

/// Writes and deletes rows within a transaction, without an allocation for each.
pub(super) struct Rows<'a> {
    connection: &'a Connection,
    value: &'a Value,
    batch: &'a mut Batch,
}

impl<'a> Rows<'a> {
    pub(super) fn new(connection: &'a Connection, value: &'a Value, batch: &'a mut Batch) -> Self {
        batch.clear();
        Self { connection, value, batch }
    }

    /// Fails if the table has another shape.
    pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
        connection.prepare_cached(UPSERT)?;
        connection.prepare_cached(DELETE).map(drop)
    }

    pub(super) fn upsert(&mut self, client: &Client) -> rusqlite::Result<()> {
        self.put(client.address, Some(seconds_up(client.expires)))
    }

    pub(super) fn delete(&mut self, address: IpAddr) -> rusqlite::Result<()> {
        self.put(address, None)
    }

    fn put(&mut self, address: IpAddr, expires: Option<u64>) -> rusqlite::Result<()> {
        self.batch.push((Key::new(address), expires));
        if self.batch.len() < MOST { Ok(()) } else { self.flush() }
    }

    /// To be called at the end.
    pub(super) fn flush(&mut self) -> rusqlite::Result<()> {
        self.batch.sort_unstable_by_key(|&(key, _)| key);
        let mut upsert = self.connection.prepare_cached(UPSERT)?;
        let mut delete = self.connection.prepare_cached(DELETE)?;
        let mut buffer = String::new();
        for (key, expires) in self.batch.drain(..) {
            match expires {
                Some(expires) => {
                    let value = self.value.text(expires, &mut buffer);
                    upsert.execute(params![key.as_str(), i64::try_from(expires).unwrap_or(i64::MAX), value])?;
                }
                None => {
                    delete.execute([key.as_str()])?;
                }
            }
        }
        // A burst must not hold its memory for good.
        self.batch.shrink_to(256);
        Ok(())
    }
}
