//! The thread that gives: what waits in the queue, in batches. What could not be given waits on, with its end.

use std::time::{Duration, SystemTime};

use super::engine::{Cause, Engine, get};
use super::link::{BackOff, Link, Part};
use crate::config::share::Settings;
use crate::grants::taken::Given;
use crate::time::Now;

/// Most grants in one statement.
const MOST: usize = 2000;

/// How often the database is asked whether it is still there, if there is nothing to give.
const IDLE: Duration = Duration::from_secs(5);

/// How often rows that have ended are removed, and how many at least.
const TIDY: (Duration, i32) = (Duration::from_secs(1), 100);

const GIVE: &str = "SELECT pop_before_smtp.give($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Gives until it is told to end.
pub(super) fn run(link: &Link, settings: &Settings) {
    let mut back_off = BackOff::new();
    loop {
        match serve(link, settings, &mut back_off) {
            Ok(()) => break,
            Err(cause) => link.broke(Part::Giver, cause),
        }
        if link.rest(back_off.next()) {
            break;
        }
    }
    link.outbox().1.closed = true;
    link.tell();
}

fn serve(link: &Link, settings: &Settings, back_off: &mut BackOff) -> Result<(), Cause> {
    let mut engine = Engine::open(&settings.url, &settings.name)?;
    // Nothing, to see whether it could be something: a server may be read-only, a role without rights.
    give(&mut engine, settings, &[])?;
    link.healed(Part::Giver);
    *back_off = BackOff::new();
    // A standby that took over may never have heard of what was given.
    let mut outbox = link.outbox();
    outbox.0.begin_again(Now::read().boot);
    outbox.1.again = true;
    drop(outbox);
    link.wake();
    let mut tidied = Now::read().boot;
    let mut given = 0;
    loop {
        let (batch, is_end) = next(link);
        // Nothing to give wakes nobody.
        let done = match batch.is_empty() {
            true => engine.rows("SELECT 1", &[]).map(drop),
            false => give(&mut engine, settings, &batch),
        };
        let now = Now::read().boot;
        match done {
            Ok(()) => link.outbox().0.sent(now, &batch),
            Err(cause) => {
                link.outbox().0.put_back(now, batch);
                return Err(cause);
            }
        }
        given += 2 * batch.len() as i32;
        if now.since(tidied) >= TIDY.0 {
            (tidied, given) = (now, {
                engine.rows("SELECT pop_before_smtp.tidy($1)", &[&(given + TIDY.1)])?;
                0
            });
        }
        if is_end {
            return if settings.withdraw { withdraw(&mut engine, settings) } else { Ok(()) };
        }
    }
}

/// Waits for what may go; whether it is the end, and there is no more.
fn next(link: &Link) -> (Vec<Given>, bool) {
    let mut outbox = link.outbox();
    let since = Now::read().boot;
    loop {
        let now = Now::read().boot;
        let closing = outbox.1.closing;
        let batch = outbox.0.take(now, MOST, closing);
        let is_end = closing && outbox.0.len() == 0;
        if !batch.is_empty() || is_end || now.since(since) >= IDLE {
            return (batch, is_end);
        }
        let limit = outbox.0.deadline().map_or(IDLE, |due| due.since(now)).min(IDLE).max(Duration::from_millis(1));
        outbox = link.wait(outbox, limit);
    }
}

fn give(engine: &mut Engine, settings: &Settings, batch: &[Given]) -> Result<(), Cause> {
    // Ends are told on the database's own clock, so that no message that is held up makes a grant longer. Its clock was read
    // between `asked` and `now`: so no end comes out later than it is, and no login earlier than a revocation before it.
    let asked = Now::read().boot;
    let told = engine.rows("SELECT statement_timestamp()", &[])?;
    let told: SystemTime = get(told.first().ok_or("no answer")?, 0)?;
    let now = Now::read().boot;
    let addresses: Vec<_> = batch.iter().map(|given| given.address).collect();
    let lasts: Vec<_> = batch.iter().map(|given| given.expires.since(now).as_secs_f64()).collect();
    let ago = |given: &Given| settings.grace.saturating_sub(given.expires.since(asked)).as_secs_f64();
    let lasted: Vec<_> = batch.iter().map(ago).collect();
    let users: Vec<_> = batch.iter().map(|given| given.user.as_slice()).collect();
    let matchers: Vec<_> = batch.iter().map(|given| given.matcher.as_str()).collect();
    let logs: Vec<_> = batch.iter().map(|given| given.log.as_str()).collect();
    let places: Vec<_> = batch.iter().map(|given| given.offset.and_then(|offset| i64::try_from(offset).ok())).collect();
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
        [&settings.name, &addresses, &lasts, &lasted, &users, &matchers, &logs, &places, &told];
    engine.rows(GIVE, &values).map(drop)
}

fn withdraw(engine: &mut Engine, settings: &Settings) -> Result<(), Cause> {
    loop {
        let rows = engine.rows("SELECT pop_before_smtp.withdraw($1)", &[&settings.name])?;
        let ended: i32 = rows.first().map_or(Ok(0), |row| get(row, 0))?;
        if ended == 0 {
            return Ok(());
        }
    }
}
