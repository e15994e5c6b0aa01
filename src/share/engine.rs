//! A connection to the database. Every call ends within a time, whatever the other side does.

use std::fmt::Display;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_postgres::row::RowIndex;
use tokio_postgres::types::{FromSql, ToSql};
use tokio_postgres::{AsyncMessage, Client, Connection, Row, Statement};

use super::database::{self, Database};

/// How long a statement may take on the server. And what is asked is always a range of an index, so the planner shall not
/// weigh other ways: it knows nothing of tables that are new. Not as `options` of the connection, which poolers refuse.
const SETTINGS: &str = "SET statement_timeout = '8s'; SET lock_timeout = '8s'; \
                        SET idle_in_transaction_session_timeout = '8s'; SET enable_seqscan = off; SET jit = off";

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What these programs make of the tables, and the oldest tables that they can use.
pub(super) const VERSION: i32 = 1;

/// Why something cannot be done there, in one line.
pub(super) type Cause = String;

/// The connection.
pub(super) struct Engine {
    runtime: Runtime,
    client: Client,
    statements: Vec<(&'static str, Statement)>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    woken: Notify,
    closed: AtomicBool,
}

impl Engine {
    /// Connects, and looks whether there are tables that this program can use.
    pub(super) fn open(url: &str, who: &str) -> Result<Self, Cause> {
        let mut engine = Self::connect(url, who)?;
        let sql = "SELECT version, understood_from FROM pop_before_smtp.site";
        let row = engine.rows(sql, &[])?.into_iter().next();
        let row = row.ok_or("there is no site in pop_before_smtp.site; run pop-before-smtp share init")?;
        let (version, understood_from): (i32, i32) = (get(&row, 0)?, get(&row, 1)?);
        if understood_from > VERSION {
            return Err(format!("its tables are of version {version}, and this program knows {VERSION}"));
        }
        Ok(engine)
    }

    /// Connects.
    pub(super) fn connect(url: &str, who: &str) -> Result<Self, Cause> {
        let Database { mut config, tls } = database::read(url)?;
        config.application_name(format!("pop-before-smtp {who}"));
        // A timer and one socket: no thread but ours.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("cannot wait for it: {error}"))?;
        let state = Arc::new(State::default());
        let client = runtime.block_on(async {
            let connecting = timeout(PATIENCE, config.connect(tls)).await;
            let (client, connection) = connecting.map_err(|_| late())?.map_err(|error| cause(&error))?;
            tokio::spawn(listen(connection, state.clone()));
            Ok::<_, Cause>(client)
        })?;
        let mut engine = Self { runtime, client, statements: Vec::new(), state };
        engine.run(SETTINGS)?;
        Ok(engine)
    }

    /// Asks.
    pub(super) fn rows(&mut self, sql: &'static str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Cause> {
        let Self { runtime, client, statements, .. } = self;
        let known = statements.iter().find(|(text, _)| *text == sql).map(|(_, statement)| statement.clone());
        let ask = async {
            let statement = match known {
                Some(statement) => statement,
                None => {
                    let statement = client.prepare(sql).await?;
                    statements.push((sql, statement.clone()));
                    statement
                }
            };
            client.query(&statement, values).await
        };
        runtime.block_on(async { timeout(PATIENCE, ask).await }).map_err(|_| late())?.map_err(|error| cause(&error))
    }

    /// Whether a question's answer is true.
    pub(super) fn is(&mut self, sql: &'static str) -> Result<bool, Cause> {
        self.rows(sql, &[])?.first().map_or(Ok(false), |row| get(row, 0))
    }

    /// Runs several statements, all or none.
    pub(super) fn run(&mut self, sql: &str) -> Result<(), Cause> {
        let ran = self.runtime.block_on(async { timeout(PATIENCE, self.client.batch_execute(sql)).await });
        ran.map_err(|_| late())?.map_err(|error| cause(&error))
    }

    /// Waits until somebody has changed something, or for this long.
    pub(super) fn wait(&mut self, limit: Duration) -> Result<(), Cause> {
        let Self { runtime, state, .. } = self;
        let _ = runtime.block_on(async { timeout(limit, state.woken.notified()).await });
        if self.state.closed.load(Ordering::Relaxed) {
            return Err("the connection has ended".to_owned());
        }
        Ok(())
    }
}

/// A value of a row. What an operator has made of the tables must not end the daemon.
pub(super) fn get<'r, T: FromSql<'r>>(row: &'r Row, column: impl RowIndex + Display) -> Result<T, Cause> {
    row.try_get(column).map_err(|error| error.to_string())
}

/// Reads what the server says by itself; that something has changed is all that counts in it.
async fn listen<S, T>(mut connection: Connection<S, T>, state: Arc<State>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(_))) => state.woken.notify_one(),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => break,
        }
    }
    state.closed.store(true, Ordering::Relaxed);
    state.woken.notify_one();
}

fn late() -> Cause {
    format!("no answer within {} s", PATIENCE.as_secs())
}

/// What went wrong, on one line.
fn cause(error: &tokio_postgres::Error) -> Cause {
    if let Some(said) = error.as_db_error() {
        let hint = said.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        return format!("{}{hint}", said.message()).replace('\n', " ");
    }
    let mut last: &dyn std::error::Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    match last.downcast_ref::<io::Error>() {
        Some(io) => crate::output::error::io_cause(io),
        None => last.to_string(),
    }
}
