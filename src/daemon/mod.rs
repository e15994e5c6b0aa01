//! The start-up list and the loop; the only file that knows all the others.

pub(crate) mod background;
mod following;
mod listening;
pub(crate) mod notify;
pub mod reload;
mod writers;

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use pop_before_smtp_backends::Backend;

use self::following::{Following, check_logs};
use self::listening::Listening;
use self::writers::Writers;
use crate::config::{self, Config, Live};
use crate::control::metrics::MetricsFile;
use crate::control::{About, Control, Service};
use crate::daemon::background::{PidFile, close_inherited, to_background};
use crate::daemon::notify::Notify;
use crate::daemon::reload::Running;
use crate::grants::narrator::Narrator;
use crate::grants::restore::Saved;
use crate::grants::{Grants, Start};
use crate::input::Input;
use crate::output::error::{Error, Exit};
use crate::postfix::mynetworks;
use crate::saved::lock::Lock;
use crate::saved::privdrop;
use crate::saved::state::{self, State};
use crate::share::Share;
use crate::source::Mark;
use crate::source::Progress;
use crate::source::plan::Plan;
use crate::time::{Now, Timestamp};
use crate::wait::{Waiter, Wake, Wanted};

/// How often the table is looked at, whether anything happens or not.
const LOOK: Duration = Duration::from_secs(10);

/// How long a stop waits until what was granted last has gone to the other hosts.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Why the loop has ended.
enum End {
    /// SIGTERM or SIGINT, or the end of standard input: empty the table.
    Stop,
    /// The end of the log with `--once`: leave the table.
    Done,
    /// The same, but the log could not be read to its end.
    Incomplete,
}

/// Runs the daemon until it is told to stop.
///
/// # Errors
/// Something needed is missing at start, or the table could not be brought to its last state at the end.
pub fn run(mut config: Config) -> Result<(), Error> {
    if config.background {
        close_inherited();
    }
    let pid_file = config.pid_file.clone().filter(|_| !config.debug).map(PidFile::open).transpose();
    // As root: nobody else sees which files a process writes.
    let writers = Writers::look(&config);
    if let Some(user) = &config.user {
        privdrop::become_user(user)?;
    }
    check_logs(&config.logs.named)?;
    config.policy.networks = mynetworks::add(config.policy.networks, config::skips_mynetworks(&config.options))?;
    let waiter = Waiter::new().map_err(|error| Error::io(Exit::System, "wait for signals", &error))?;
    let mut following = Following::new(&config, Listening::new(&config.matchers, &config.logs), writers);
    if config.debug {
        let logs = following.plans(&config, &State::default())?;
        return debug(Prepared { config, waiter, following, logs, control: None });
    }
    let map = config.table.options.map.clone();
    let mut lock = Lock::take(&map)?;
    let mut backend = (config.table.driver.open)(&config.table.options)?;
    let saved = Saved::load(&map).map_err(|error| give_up(&mut *backend, error))?;
    let prepared = following.plans(&config, &saved.state).and_then(|plans| {
        let control = if config.once { None } else { Control::open(&config.control, &map)? };
        Ok((plans, pid_file?, control))
    });
    let (mut logs, pid_file, control) = prepared.map_err(|error| give_up(&mut *backend, error))?;
    if config.background {
        // A database handle must not cross a fork. Opening it first has shown that it works while there is someone
        // to tell.
        drop(backend);
        to_background()?;
        lock.write_pid();
        logs.iter_mut().for_each(|log| log.set_watched(std::process::id()));
        backend = (config.table.driver.open)(&config.table.options)?;
    }
    let pid_file = pid_file.map(PidFile::write).transpose().map_err(|error| give_up(&mut *backend, error))?;
    let result = serve(Prepared { config, waiter, following, logs, control }, backend, saved);
    drop(pid_file);
    result
}

/// What a killed daemon has left in the table must not outlive the attempt to start another: nobody would take it out.
fn give_up(backend: &mut dyn Backend, why: Error) -> Error {
    if let Err(error) = backend.clear() {
        log::error!("{error}");
    }
    why
}

/// What a run has before its first grant.
struct Prepared {
    config: Config,
    waiter: Waiter,
    following: Following,
    logs: Vec<Plan>,
    control: Option<Control>,
}

impl Prepared {
    /// Begins to follow the logs. Debug mode answers nobody.
    fn follow(self, now: &Now, grants: &mut Grants) -> Result<Loop, Error> {
        let Self { config, waiter, following, logs, control } = self;
        let inputs = following.start(logs, now)?;
        following.tell(&inputs);
        let notify = if config.debug { Notify::default() } else { Notify::from_environment() };
        let (driver, map) = (config.table.driver, config.table.options.map.clone());
        let metrics = config.metrics_file.filter(|_| !config.debug).map(MetricsFile::new);
        // Debug mode tells nobody anything.
        let share = config.share.as_ref().filter(|_| !config.debug);
        let share = share.map(|settings| Share::start(settings, grants)).transpose()?;
        let service = Service::new(About { started: now.boot, backend: driver.name, map }, control, metrics);
        let running = Running::new(config.options, config.table);
        Ok(Loop { waiter, inputs, following, running, share, service, failed: false, look_at: now.boot + LOOK, notify })
    }
}

/// Takes over the grants of an earlier run, follows the logs, and leaves the table as it has to be left.
fn serve(prepared: Prepared, mut backend: Box<dyn Backend>, saved: Saved) -> Result<(), Error> {
    let table = &prepared.config.table;
    let (map, state) = (table.options.map.clone(), state::path(&table.options.map));
    let now = Now::read();
    let listed = backend.list().map_err(|error| give_up(&mut *backend, error.into()))?;
    let expires_rows = table.driver.expires_rows;
    let takes = prepared.config.share.as_ref().is_some_and(|share| share.take);
    let start = Start { backend, expires_rows, listed, saved, map: Some(map.clone()), takes, narrator: None };
    let mut grants = Grants::new(&now, &prepared.config.policy, start);
    log::info!("serving {} with {} grants", map.display(), grants.ring().len());
    let mut marks = Vec::new();
    let end = prepared.follow(&now, &mut grants).and_then(|mut turns| {
        turns.tell_ready(&grants);
        let end = turns.run(&mut grants);
        turns.notify.stopping();
        if let Some(share) = &mut turns.share {
            share.turn(&Now::read(), &mut grants);
            share.stop(LAST_WORDS);
        }
        turns.service.stop(&Now::read(), &grants, &turns.inputs, turns.share.as_ref());
        marks = turns.marks();
        end
    });
    match end {
        Ok(End::Stop) => grants.stop(&Now::read(), &state, &marks),
        Ok(End::Done) => grants.finish(&Now::read()),
        Ok(End::Incomplete) => grants.finish(&Now::read()).and(Err(Error::new(
            Exit::NoInput,
            "bring the table up to date",
            "a log could not be read to its end",
        ))),
        // Nobody would take the addresses out of the table any more.
        Err(error) => grants.stop(&Now::read(), &state, &marks).and(Err(error)),
    }
}

/// Follows the logs and tells; writes no table, takes no lock, reads and leaves no state.
fn debug(prepared: Prepared) -> Result<(), Error> {
    let Config { table, policy, .. } = &prepared.config;
    let plans: Vec<_> = prepared.logs.iter().map(Plan::display).collect();
    let narrator = Narrator::begin(io::stdout(), &plans, &(table.driver.describe)(&table.options));
    let now = Now::read();
    let mut grants = Grants::new(&now, policy, Start { narrator: Some(narrator), ..Start::default() });
    prepared.follow(&now, &mut grants)?.run(&mut grants).map(drop)
}

/// Waits and hands on, in this order each turn: signals, input, expiry, other hosts, requests, one publish, answers.
struct Loop {
    waiter: Waiter,
    inputs: Vec<Input>,
    following: Following,
    running: Running,
    share: Option<Share>,
    service: Service,
    /// Whether an input could not be read to its end.
    failed: bool,
    /// When the table is looked at next.
    look_at: Timestamp,
    notify: Notify,
}

impl Loop {
    fn run(&mut self, grants: &mut Grants) -> Result<End, Error> {
        loop {
            let deadlines = [Some(self.look_at), grants.deadline(), self.notify.deadline()];
            let (wake, ready) = self.wait(deadlines.into_iter().flatten().min())?;
            if wake.stop {
                return Ok(End::Stop);
            }
            if wake.restart {
                self.notify.reloading();
                let now = Now::read();
                self.reload(&now, grants);
                log::info!("SIGHUP: following the log anew");
                self.inputs.iter_mut().for_each(|input| input.restart(&now, grants));
                self.tell_ready(grants);
            } else {
                // Not after a restart: what could be read was another descriptor.
                self.read(&ready, grants);
            }
            let now = Now::read();
            self.notify.beat(now.boot);
            self.wake(now.boot, grants.ring().grace());
            grants.expire(&now);
            if let Some(share) = &mut self.share {
                share.turn(&now, grants);
            }
            self.service.turn(&now, wake.wanted, grants, &self.inputs, self.share.as_ref());
            let once = self.following.run.once;
            if self.inputs.is_empty() && (once || !self.following.lookup.is_needed()) {
                return Ok(match (once, self.failed) {
                    (false, _) => End::Stop,
                    (true, false) => End::Done,
                    (true, true) => End::Incomplete,
                });
            }
            if self.look_at <= now.boot {
                self.look_at = now.boot + LOOK;
                grants.look();
                self.following.look(&mut self.inputs, grants.ring().grace(), &now);
                self.look_for_servers();
                self.following.look_at_writers(&mut self.inputs);
                self.tell_status(grants);
            }
            grants.publish(&now);
            let now = Now::read();
            grants.published(now.boot);
            self.service.answer(&now, grants, &self.inputs, self.share.as_ref());
        }
    }

    fn tell_ready(&mut self, grants: &Grants) {
        self.tell_status(grants);
        self.notify.ready();
    }

    fn tell_status(&mut self, grants: &Grants) {
        self.notify.status(match grants.ring().len() {
            1 => "1 client may relay".to_owned(),
            count => format!("{count} clients may relay"),
        });
    }

    /// Where a next run has to go on.
    fn marks(&self) -> Vec<Mark> {
        let saved = Now::read().wall;
        self.inputs.iter().filter_map(|input| input.mark(saved)).collect()
    }

    /// Takes over the settings as they are now.
    fn reload(&mut self, now: &Now, grants: &mut Grants) {
        if let Some(Live { policy, matchers, escaped_newlines }) = self.running.read_again() {
            self.following.listening.reload(matchers);
            self.listen();
            self.following.look_at_writers_anew(&mut self.inputs, escaped_newlines);
            grants.set_policy(now, policy);
        }
    }

    fn look_for_servers(&mut self) {
        if self.following.listening.look() {
            self.listen();
        }
    }

    /// Puts the matchers that are used now in front of every log.
    fn listen(&mut self) {
        let matchers = &self.following.listening.matchers;
        self.inputs.iter_mut().for_each(|input| input.choose_as(matchers));
    }

    /// Waits; besides what happened, tells which of the inputs can be read.
    fn wait(&mut self, deadline: Option<Timestamp>) -> Result<(Wake, Vec<bool>), Error> {
        let sources = || self.inputs.iter().map(|input| &input.source);
        // What can be read at once is not waited for.
        let has_more = sources().any(|source| source.has_more()) || self.share.as_ref().is_some_and(Share::has_more);
        let at_once = has_more.then(Timestamp::default);
        let others = deadline.into_iter().chain(self.service.deadline()).chain(at_once);
        let deadline = sources().filter_map(|source| source.deadline()).chain(others).min();
        let mut wanted = self.service.wanted();
        let share = self.share.as_ref().map(Share::descriptor);
        wanted.extend(share.map(|descriptor| Wanted { descriptor, read: true, write: false }));
        let descriptors: Vec<BorrowedFd<'_>> = sources().filter_map(|source| source.descriptor()).collect();
        let wake = self
            .waiter
            .wait(&descriptors, &wanted, deadline)
            .map_err(|error| Error::io(Exit::System, "wait for input", &error))?;
        let mut readable = wake.readable.iter();
        let is_ready = |Input { source, .. }: &Input| {
            let readable = source.descriptor().is_some() && readable.next() == Some(&true);
            readable || source.has_more()
        };
        let ready = self.inputs.iter().map(is_ready).collect();
        Ok((wake, ready))
    }

    /// Reads from the inputs that are ready and forgets those that have ended.
    fn read(&mut self, ready: &[bool], grants: &mut Grants) {
        let mut ready = ready.iter();
        self.inputs.retain_mut(|input| {
            let progress = if ready.next() == Some(&true) { input.read(grants) } else { Progress::Paused };
            self.failed |= progress == Progress::Failed;
            !matches!(progress, Progress::Ended | Progress::Failed)
        });
    }

    fn wake(&mut self, now: Timestamp, grace: Duration) {
        for Input { source, .. } in &mut self.inputs {
            if source.deadline().is_some_and(|deadline| deadline <= now) {
                source.wake(now, grace);
            }
        }
    }
}
