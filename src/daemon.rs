//! The start-up list and the loop; the only file that knows all the others.

use std::fs::{self, File};
use std::io::{self, Stdout};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;

use pop_before_smtp_backends::memory::Memory;
use pop_before_smtp_backends::{Backend, Listed};

use crate::background::{PidFile, close_inherited, to_background};
use crate::config::Config;
use crate::debug::Narrator;
use crate::error::{Error, Exit};
use crate::grants::Grants;
use crate::hold::Hold;
use crate::input::Input;
use crate::lock::Lock;
use crate::logs::{Log, Lookup};
use crate::matcher::Matchers;
use crate::mynetworks;
use crate::networks::Networks;
use crate::notify::Notify;
use crate::privdrop;
use crate::publish::Publisher;
use crate::reload::Running;
use crate::ring::{Grant, Ring};
use crate::source::Progress;
use crate::source::plan::{self, Plan};
use crate::state::{self, Mark, Saved, State};
use crate::time::{Now, Timestamp};
use crate::wait::{Waiter, Wake};

/// How often the table is looked at, whether anything happens or not.
const LOOK: Duration = Duration::from_secs(10);

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
    if let Some(user) = &config.user {
        privdrop::become_user(user)?;
    }
    check_logs(&config.logs.named)?;
    config.policy.networks = mynetworks::add(config.policy.networks, config.options.skip_mynetworks)?;
    let waiter = Waiter::new().map_err(|error| Error::io(Exit::System, "wait for signals", &error))?;
    if config.debug {
        return debug(config, waiter);
    }
    let map = config.table.options.map.clone();
    let mut lock = Lock::take(&map)?;
    let mut backend = (config.table.driver.open)(&config.table.options)?;
    let state = state::load(&state::path(&map), &Now::read());
    let mut following = following(&config);
    let prepared = plans(&config, &mut following, &state).and_then(|plans| Ok((plans, pid_file?)));
    let (mut logs, pid_file) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return Err(give_up(backend, error)),
    };
    if config.background {
        // A database handle must not cross a fork. Opening it first has shown that it works while there is someone
        // to tell.
        drop(backend);
        to_background()?;
        lock.write_pid();
        logs.iter_mut().for_each(|log| log.set_watched(std::process::id()));
        backend = (config.table.driver.open)(&config.table.options)?;
    }
    let pid_file = match pid_file.map(PidFile::write).transpose() {
        Ok(pid_file) => pid_file,
        Err(error) => return Err(give_up(backend, error)),
    };
    let result = serve(config, backend, (logs, following), &state, waiter);
    drop(pid_file);
    result
}

/// What a killed daemon has left in the table must not outlive the attempt to start another: nobody would take it out.
fn give_up(mut backend: Box<dyn Backend>, why: Error) -> Error {
    if let Err(error) = backend.clear() {
        log::error!("{error}");
    }
    why
}

fn following(config: &Config) -> Following {
    let lookup = Lookup::new(&config.logs);
    let Config { once, reprocess, .. } = *config;
    let options = plan::Options { once, reprocess, grace: config.policy.grace, is_guess: config.logs.is_guess };
    Following { lookup, options, matchers: config.policy.matchers.clone() }
}

/// Finds out how the logs are going to be followed, those included that patterns stand for.
fn plans(config: &Config, following: &mut Following, state: &State) -> Result<Vec<Plan>, Error> {
    let now = Now::read();
    let mut logs = config.logs.named.clone();
    logs.extend(following.lookup.look());
    if logs.is_empty() {
        log::warn!("no log file has one of the names; waiting for one to appear");
    }
    logs.iter().map(|log| Plan::new(log, &following.options, state.mark(&log.name()), &now)).collect()
}

/// Takes over the grants of an earlier run, follows the logs, and leaves the table as it has to be left.
fn serve(
    config: Config,
    mut backend: Box<dyn Backend>,
    (logs, following): (Vec<Plan>, Following),
    saved: &State,
    waiter: Waiter,
) -> Result<(), Error> {
    let Config { table, .. } = &config;
    let state = state::path(&table.options.map);
    let now = Now::read();
    let listed = match backend.list() {
        Ok(listed) => listed,
        Err(error) => return Err(give_up(backend, error.into())),
    };
    let mut ring = Ring::new(config.policy.grace, config.policy.entries);
    restore(&mut ring, &config.policy.networks, &listed, &saved.grants, &now);
    let expiring = table.driver.expires_rows.then_some(config.policy.grace);
    let mut publisher = Publisher::new(backend, expiring, config.policy.publish_interval);
    // An error has been logged, and it is tried again.
    let _ = publisher.begin(&now, &listed, &ring);
    log::info!("serving {} with {} grants", table.options.map.display(), ring.len());
    let hold = config.policy.hold.map(|longest| Hold::new(longest, config.policy.grace));
    let mut grants = Grants::new(config.policy.networks, ring, publisher, hold, None);
    grants.remove_when_published(state.clone());
    let mut marks = Vec::new();
    let end = following.start(logs, &now).and_then(|inputs| {
        let (running, notify) = (Running::new(config.options, config.table), Notify::from_environment());
        let mut turns = Loop { waiter, inputs, following, running, failed: false, look_at: now.boot + LOOK, notify };
        turns.tell_ready(&grants);
        let end = turns.run(&mut grants);
        turns.notify.stopping();
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
fn debug(config: Config, waiter: Waiter) -> Result<(), Error> {
    let mut following = following(&config);
    let logs = plans(&config, &mut following, &State::default())?;
    let plans: Vec<_> = logs.iter().map(Plan::display).collect();
    let publish_command = (config.table.driver.describe)(&config.table.options);
    let narrator: Narrator<Stdout> = Narrator::begin(io::stdout(), &plans, &publish_command);
    let ring = Ring::new(config.policy.grace, config.policy.entries);
    let publisher = Publisher::new(Box::new(Memory::default()), None, config.policy.publish_interval);
    let now = Now::read();
    let inputs = following.start(logs, &now)?;
    let hold = config.policy.hold.map(|longest| Hold::new(longest, config.policy.grace));
    let mut grants = Grants::new(config.policy.networks, ring, publisher, hold, Some(narrator));
    let (running, notify) = (Running::new(config.options, config.table), Notify::default());
    let mut turns = Loop { waiter, inputs, following, running, failed: false, look_at: now.boot + LOOK, notify };
    turns.run(&mut grants).map(drop)
}

/// Takes over what the table and the state file hold, as far as it may be published; where both know an address, the
/// later expiry counts.
fn restore(ring: &mut Ring, networks: &Networks, listed: &[Listed], saved: &[Saved], now: &Now) {
    let full = now.boot + ring.grace();
    let mut grants: Vec<_> = saved.iter().map(|saved| saved.grant).collect();
    grants.extend(listed.iter().map(|client| Grant {
        address: client.address,
        expires: client.expires.map_or(full, |expires| now.boot_at(expires)),
    }));
    grants.retain(|grant| networks.refuse(grant.address).is_none());
    // Oldest first, so that each finds its place at the head, and the ring keeps the newest if they are too many.
    grants.sort_by_key(|grant| grant.expires);
    for grant in grants {
        ring.restore(now.boot, grant, &mut Vec::new());
    }
    saved.iter().for_each(|saved| ring.prove(saved.grant.address, saved.proof()));
}

fn check_logs(logs: &[Log]) -> Result<(), Error> {
    logs.iter().try_for_each(|log| match log {
        Log::Stdin | Log::Journal(_) => Ok(()),
        Log::File(path, _) => check_log(path).map_err(|error| {
            let cure = match error.kind() {
                io::ErrorKind::PermissionDenied => "run as a user that may read it: on Debian a member of group adm",
                _ => "name the file that your POP3 or IMAP server logs to with --log",
            };
            Error::io(Exit::NoInput, format!("read log file {}", path.display()), &error).cure(cure)
        }),
    })
}

fn check_log(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    File::open(path).map(drop)
}

/// What it takes to follow one more log.
struct Following {
    lookup: Lookup,
    options: plan::Options,
    matchers: Matchers,
}

impl Following {
    fn start(&self, logs: Vec<Plan>, now: &Now) -> Result<Vec<Input>, Error> {
        logs.into_iter().map(|log| Input::start(log, self.matchers.clone(), now)).collect()
    }

    /// Follows files that have appeared, and forgets those that are gone.
    fn look(&mut self, inputs: &mut Vec<Input>, now: &Now) {
        if !self.lookup.is_needed() || self.options.once {
            return;
        }
        for log in self.lookup.look() {
            let plan = Plan::new(&log, &self.options, None, now);
            match plan.and_then(|plan| Input::start(plan, self.matchers.clone(), now)) {
                Ok(input) => {
                    log::info!("following {}, which has appeared", log.name());
                    inputs.push(input);
                }
                Err(error) => {
                    log::warn!("{error}; trying again");
                    self.lookup.forget(Path::new(&log.name()));
                }
            }
        }
        inputs.retain_mut(|input| {
            let is_gone = self.lookup.is_found(Path::new(&input.name)) && input.is_gone(now.boot);
            if is_gone {
                log::info!("log file {} is gone; no longer waiting for it", input.name);
                self.lookup.forget(Path::new(&input.name));
            }
            !is_gone
        });
    }
}

/// Waits and hands on, in this order each turn: signals, input, expiry, one publish.
struct Loop {
    waiter: Waiter,
    inputs: Vec<Input>,
    following: Following,
    running: Running,
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
            self.wake(now.boot);
            grants.expire(&now);
            let once = self.following.options.once;
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
                self.following.look(&mut self.inputs, &now);
                self.tell_status(grants);
            }
            grants.publish(&now);
            grants.published(Now::read().boot);
        }
    }

    fn tell_ready(&mut self, grants: &Grants) {
        self.tell_status(grants);
        self.notify.ready();
    }

    fn tell_status(&mut self, grants: &Grants) {
        self.notify.status(format!("{} clients may relay", grants.ring().len()));
    }

    /// Where a next run has to go on.
    fn marks(&self) -> Vec<Mark> {
        let saved = Now::read().wall;
        self.inputs.iter().filter_map(|input| input.mark(saved)).collect()
    }

    /// Takes over the settings as they are now.
    fn reload(&mut self, now: &Now, grants: &mut Grants) {
        if let Some(policy) = self.running.read_again() {
            self.following.options.grace = policy.grace;
            self.following.matchers.choose_as(&policy.matchers);
            self.inputs.iter_mut().for_each(|input| input.choose_as(&policy.matchers));
            grants.set_policy(now, policy);
        }
    }

    /// Waits; besides what happened, tells which of the inputs can be read.
    fn wait(&mut self, deadline: Option<Timestamp>) -> Result<(Wake, Vec<bool>), Error> {
        let sources = || self.inputs.iter().map(|input| &input.source);
        // What can be read at once is not waited for.
        let at_once = sources().any(|source| source.has_more()).then(Timestamp::default);
        let deadline = sources().filter_map(|source| source.deadline()).chain(deadline).chain(at_once).min();
        let descriptors: Vec<BorrowedFd<'_>> = sources().filter_map(|source| source.descriptor()).collect();
        let wake = self
            .waiter
            .wait(&descriptors, deadline)
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

    fn wake(&mut self, now: Timestamp) {
        for Input { source, .. } in &mut self.inputs {
            if source.deadline().is_some_and(|deadline| deadline <= now) {
                source.wake(now);
            }
        }
    }
}
