//! The loop's side: what own logs have brought goes into the queue, what the others have goes into the ring.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use super::giver;
use super::link::{Link, Part};
use super::outbox::Outbox;
use super::reader::{self, Decision, News};
use super::{Row, Standing, database};
use crate::config::share::Settings;
use crate::grants::Grants;
use crate::grants::counters::{Counters, Outcome};
use crate::grants::taken::{FOREIGN, Taking};
use crate::output::error::{Error, Exit};
use crate::ring::login_record::LoginRecord;
use crate::time::{Now, Timestamp};

/// Answers of the database that wait for the loop at most, and that it takes in one turn.
const ANSWERS: usize = 2;

/// Slots of the ring that are looked at in one turn when all is given again.
const SLOTS: usize = 4096;

/// Grants that wait for the database at most; more than the ring holds cannot be worth it, but for several users.
const LEAST_QUEUE: usize = 10_000;

/// What a thread does.
type Work = Box<dyn FnOnce(&Link, &Settings) + Send>;

/// The way to the other hosts.
pub(crate) struct Share {
    settings: Settings,
    link: Arc<Link>,
    news: Receiver<News>,
    /// Which slot is next, while all is given again.
    again: Option<usize>,
    counters: Counters,
    has_more: bool,
    /// How many were granted so far by the comparison that goes on, if one does.
    compared: Option<usize>,
}

impl Share {
    /// Starts the threads. The database need not be there.
    ///
    /// # Errors
    /// Exit code 78: the URL can never be one; 71: there is no thread to be had.
    pub(crate) fn start(settings: &Settings, grants: &mut Grants) -> Result<Self, Error> {
        database::read(&settings.url).map_err(|cause| Error::new(Exit::Config, "use --share-url", cause))?;
        let system = |error| Error::io(Exit::System, "start to share grants", &error);
        let outbox = Outbox::new(grants.ring().capacity().max(LEAST_QUEUE), settings.grace);
        let parts: &[Part] = if settings.give { &[Part::Giver, Part::Reader] } else { &[Part::Reader] };
        let link = Arc::new(Link::new(outbox, parts).map_err(system)?);
        let (sender, news) = sync_channel(ANSWERS);
        let start = |name: &str, work: Work| {
            let (link, settings) = (link.clone(), settings.clone());
            thread::Builder::new().name(name.to_owned()).spawn(move || work(&link, &settings)).map_err(system)
        };
        start("share-read", Box::new(move |link, settings| reader::run(link, settings, &sender)))?;
        if settings.give {
            grants.begin_giving();
            start("share-give", Box::new(giver::run))?;
        }
        let settings = settings.clone();
        Ok(Self { settings, link, news, again: None, counters: Counters::default(), has_more: false, compared: None })
    }

    /// Can be read when there is something to do.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.link.event.as_fd()
    }

    /// Whether there is something to do at once.
    pub(crate) fn has_more(&self) -> bool {
        self.has_more || self.again.is_some()
    }

    /// Hands over and takes in what there is, up to a bound.
    pub(crate) fn turn(&mut self, now: &Now, grants: &mut Grants) {
        // Read, or it stays readable.
        let _ = self.link.event.read();
        self.give(now, grants);
        self.has_more = true;
        for _ in 0..ANSWERS {
            match self.news.try_recv() {
                Ok(news) => self.take(now, news, grants),
                Err(end) => {
                    self.has_more = false;
                    if end == TryRecvError::Disconnected {
                        self.link.broke(Part::Reader, "its thread has ended; restart the daemon".to_owned());
                    }
                    break;
                }
            }
        }
    }

    fn give(&mut self, now: &Now, grants: &mut Grants) {
        if !self.settings.give {
            return;
        }
        let given = grants.given();
        let mut outbox = self.link.outbox();
        if std::mem::take(&mut outbox.1.again) {
            self.again = Some(0);
        }
        let again = self.again.map_or(0..0, |first| first..(first + SLOTS).min(grants.ring().slots()));
        self.again = self.again.map(|_| again.end).filter(|next| *next < grants.ring().slots());
        if given.is_empty() && again.is_empty() {
            return;
        }
        for one in again.filter_map(|slot| grants.own_at(slot)).chain(given) {
            outbox.0.put(now.boot, one);
        }
        drop(outbox);
        self.link.tell();
    }

    fn take(&mut self, now: &Now, news: News, grants: &mut Grants) {
        match news {
            News::Begin => {
                self.compared = Some(0);
                grants.begin_comparison();
            }
            News::Grants { asked, rows } => rows.iter().for_each(|row| self.take_row(now, asked, row, grants)),
            News::Decided { whole, decisions } => decide(now, whole, &decisions, grants),
            News::End if self.settings.take => {
                let gone = grants.end_comparison(now);
                let came = self.compared.take().unwrap_or_default();
                if gone + came > 0 {
                    log::info!("compared with the other hosts: {came} grants came, {gone} were taken back");
                }
            }
            News::End => self.compared = None,
        }
    }

    /// What it lasts counts from when the answer was asked for, so that the way makes nothing longer.
    fn take_row(&mut self, now: &Now, asked: Timestamp, row: &Row, grants: &mut Grants) {
        let source = format!("{FOREIGN}{}@{}:{}", row.giver, row.host, row.log);
        let login = LoginRecord { source: &source, offset: row.offset, matcher: &row.matcher, user: &row.user };
        let (address, expires) = (row.address, asked + row.lasts);
        let told = self.compared.is_none();
        let outcome = grants.take(now, &Taking { address, expires, ago: row.ago, told, login, users: &row.users });
        if let (Some(compared), Outcome::Granted) = (&mut self.compared, outcome) {
            *compared += 1;
        }
        self.counters.add_outcome(Some(outcome));
    }

    /// How it stands.
    pub(crate) fn standing(&self) -> Standing {
        let (waiting, lost) = {
            let outbox = self.link.outbox();
            (outbox.0.len(), outbox.0.lost())
        };
        let health = self.link.health();
        let (name, error) = (self.settings.name.clone(), health.error());
        Standing { name, error, since: health.since, waiting, lost, read: health.read, counters: self.counters.clone() }
    }

    /// Lets what waits be given, for no longer than this.
    pub(crate) fn stop(&mut self, limit: Duration) {
        let end = Now::read().boot + limit;
        let mut outbox = self.link.outbox();
        outbox.1.closing = true;
        self.link.tell();
        while self.settings.give && !outbox.1.closed && self.link.health().error().is_none() {
            let left = end.since(Now::read().boot);
            if left.is_zero() {
                break;
            }
            outbox = self.link.wait(outbox, left);
        }
    }
}

fn decide(now: &Now, whole: bool, decisions: &[Decision], grants: &mut Grants) {
    let networks: Vec<_> = decisions
        .iter()
        .filter_map(|decision| match decision {
            Decision::Network(network, denied) => Some((*network, *denied)),
            Decision::Revoke(..) => None,
        })
        .collect();
    if whole || !networks.is_empty() {
        grants.deny_elsewhere(now, &networks, whole);
    }
    for decision in decisions {
        if let Decision::Revoke(address, ago) = decision {
            grants.revoke_elsewhere(now, *address, *ago);
        }
    }
}
