//! The thread that reads: everything after each connect, then what has changed. A notification only wakes it; what is
//! true is read by number. Numbers become visible in their order (schema.sql), so that none is skipped.

use std::net::IpAddr;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use ipnet::IpNet;
use tokio_postgres::Row as Columns;

use super::Row;
use super::engine::{Cause, Engine, get};
use super::link::{BackOff, Link, Part};
use crate::config::share::Settings;
use crate::saved::denied;
use crate::time::{Now, Timestamp};

/// Most grants of one answer, and so in one turn of the loop. Those of one commit come together.
const MOST: i32 = 4000;

/// How often the database is asked if nothing wakes us.
const IDLE: Duration = Duration::from_secs(5);

/// The same of a standby, which wakes nobody.
const ON_STANDBY: Duration = Duration::from_millis(500);

/// Rows that ended early are kept for ten minutes. Whoever has not read for half of that compares everything.
const LONGEST_GAP: Duration = Duration::from_secs(300);

/// What the loop is told.
#[derive(Debug)]
pub(super) enum News {
    /// Everything follows.
    Begin,
    /// What operators have decided.
    Decided { whole: bool, decisions: Vec<Decision> },
    /// Grants, as they were when the answer was asked for.
    Grants { asked: Timestamp, rows: Vec<Row> },
    /// That was everything.
    End,
}

/// What an operator has decided for all hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// A network is denied, or is no longer.
    Network(IpNet, bool),
    /// A grant is taken back, so long ago.
    Revoke(IpAddr, Duration),
}

/// The loop has ended, or the database cannot be used.
enum End {
    Loop,
    Cause(Cause),
}

impl<C: Into<Cause>> From<C> for End {
    fn from(cause: C) -> Self {
        Self::Cause(cause.into())
    }
}

/// Reads until the loop has ended.
pub(super) fn run(link: &Link, settings: &Settings, news: &SyncSender<News>) {
    let mut back_off = BackOff::new();
    let mut reader = Reader { link, settings, news };
    while let Err(End::Cause(cause)) = reader.serve(&mut back_off) {
        link.broke(Part::Reader, cause);
        if link.rest(back_off.next()) {
            break;
        }
    }
}

struct Reader<'r> {
    link: &'r Link,
    settings: &'r Settings,
    news: &'r SyncSender<News>,
}

/// Up to which numbers and which generation it has read.
struct ReadUpTo {
    grants: i64,
    decisions: i64,
    generation: i64,
}

impl Reader<'_> {
    fn serve(&mut self, back_off: &mut BackOff) -> Result<(), End> {
        let mut engine = Engine::open(&self.settings.url, &self.settings.name)?;
        let mut listens = false;
        loop {
            let mut read_up_to = self.compare(&mut engine)?;
            self.link.healed(Part::Reader);
            *back_off = BackOff::new();
            let mut read = Now::read().boot;
            loop {
                // Before what is read then, which nobody would tell of. A standby cannot, until it is one no longer.
                listens = listens || engine.run("LISTEN pop_before_smtp").is_ok();
                let asked = Now::read().boot;
                if asked.since(read) > LONGEST_GAP || !self.follow(&mut engine, &mut read_up_to)? {
                    break;
                }
                read = asked;
                self.link.has_read(read);
                engine.wait(if listens { IDLE } else { ON_STANDBY })?;
            }
        }
    }

    fn tell(&self, news: News) -> Result<(), End> {
        self.news.send(news).map_err(|_| End::Loop)?;
        self.link.wake();
        Ok(())
    }

    /// Reads everything.
    fn compare(&mut self, engine: &mut Engine) -> Result<ReadUpTo, End> {
        let mut read_up_to = ReadUpTo { grants: 0, decisions: 0, generation: 0 };
        if self.settings.take {
            // Before what it stands for: what changes meanwhile is read again.
            let rows = engine.rows("SELECT coalesce(max(change), 0) FROM pop_before_smtp.grants", &[])?;
            read_up_to.grants = rows.first().map_or(Ok(0), |row| get(row, 0))?;
        }
        self.tell(News::Begin)?;
        read_up_to.generation = self.decided(engine, &mut read_up_to, true)?;
        if self.settings.take {
            self.everything(engine)?;
        }
        self.tell(News::End)?;
        Ok(read_up_to)
    }

    fn everything(&mut self, engine: &mut Engine) -> Result<(), End> {
        let users = self.settings.users as i32;
        let mut last: Option<IpAddr> = None;
        loop {
            let asked = Now::read().boot;
            let answer =
                engine.rows("SELECT * FROM pop_before_smtp.everything($1, $2, $3)", &[&last, &MOST, &users])?;
            let rows: Vec<_> = answer.iter().map(row).collect::<Result<_, _>>()?;
            let Some(behind) = rows.last().map(|row| row.address) else { return Ok(()) };
            last = Some(behind);
            self.tell(News::Grants { asked, rows })?;
        }
    }

    /// Reads what has changed; false if somebody has meddled, and everything has to be compared.
    fn follow(&mut self, engine: &mut Engine, read_up_to: &mut ReadUpTo) -> Result<bool, End> {
        if self.decided(engine, read_up_to, false)? != read_up_to.generation {
            return Ok(false);
        }
        if !self.settings.take {
            return Ok(true);
        }
        let users = self.settings.users as i32;
        loop {
            let asked = Now::read().boot;
            let sql = "SELECT * FROM pop_before_smtp.news($1, $2, $3)";
            let answer = engine.rows(sql, &[&read_up_to.grants, &MOST, &users])?;
            let Some(last) = answer.last() else { return Ok(true) };
            read_up_to.grants = get(last, "change")?;
            let rows = answer.iter().map(row).collect::<Result<_, _>>()?;
            self.tell(News::Grants { asked, rows })?;
        }
    }

    /// Reads what was decided, and gives the generation.
    fn decided(&mut self, engine: &mut Engine, read_up_to: &mut ReadUpTo, whole: bool) -> Result<i64, End> {
        let sql = "SELECT s.generation, d.change, d.kind, d.network, d.lasted \
                   FROM pop_before_smtp.site s LEFT JOIN pop_before_smtp.decided($1) d ON true ORDER BY d.change";
        let answer = engine.rows(sql, &[&read_up_to.decisions])?;
        let mut decisions = Vec::new();
        for row in &answer {
            if let Some(change) = get::<Option<i64>>(row, "change")? {
                read_up_to.decisions = change;
                let (kind, network): (String, String) = (get(row, "kind")?, get(row, "network")?);
                let lasted = seconds(get(row, "lasted")?);
                let network = denied::parse(&network).ok_or("a decision is about no network")?;
                decisions.push(match kind.as_str() {
                    "revoke" => Decision::Revoke(network.addr(), lasted),
                    kind => Decision::Network(network, kind == "deny"),
                });
            }
        }
        if whole || !decisions.is_empty() {
            self.tell(News::Decided { whole, decisions })?;
        }
        let first = answer.first().ok_or("there is no site in pop_before_smtp.site; run pop-before-smtp share init")?;
        Ok(get(first, "generation")?)
    }
}

/// A number of seconds as a time; zero for none, and for one that cannot be.
fn seconds(seconds: Option<f64>) -> Duration {
    Duration::try_from_secs_f64(seconds.unwrap_or_default()).unwrap_or_default()
}

/// A row of `news` or of `everything`.
pub(super) fn row(columns: &Columns) -> Result<Row, Cause> {
    let logins: Vec<Vec<u8>> = get::<Option<_>>(columns, "logins")?.unwrap_or_default();
    let ages: Vec<f64> = get::<Option<_>>(columns, "ages")?.unwrap_or_default();
    let address: IpAddr = get(columns, "address")?;
    Ok(Row {
        address: address.to_canonical(),
        lasts: seconds(get(columns, "lasts")?),
        ago: seconds(get(columns, "lasted")?),
        giver: get(columns, "giver")?,
        host: get(columns, "host")?,
        user: get(columns, "login")?,
        matcher: get(columns, "matcher")?,
        log: get(columns, "log")?,
        offset: get::<Option<i64>>(columns, "place")?.and_then(|offset| u64::try_from(offset).ok()),
        users: logins.into_iter().zip(ages.into_iter().map(|age| seconds(Some(age)))).collect(),
    })
}
