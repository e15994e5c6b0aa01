//! The daemon's end of the control socket. It is waited for with everything else, and does a bounded amount of work in
//! each turn of the loop.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::socket::{getsockopt, sockopt};
use nix::sys::stat::{Mode, umask};
use nix::unistd::geteuid;
use pop_before_smtp_backends::replace::{self, beside};

use super::answers::{Answer, Answers, Asker};
use super::connect;
use super::connection::{Connection, Progress};
use super::wire::{Counts, Failure, Greeting, Line};
use crate::config::socket::Socket;
use crate::output::error::{Error, Exit, io_cause};
use crate::output::repeated::Repeated;
use crate::time::{Now, Timestamp};
use crate::wait::Wanted;

/// Most clients at once. Others wait.
const MOST: usize = 16;

/// Most clients that are accepted in one turn.
const ACCEPTED_PER_TURN: usize = 2 * MOST;

/// How long none is accepted when the system has no descriptors left.
const REST: Duration = Duration::from_secs(1);

/// How long another daemon is given to take a connection; that nobody refuses it tells enough.
const KNOCK: Duration = Duration::from_millis(200);

/// The socket and its clients.
pub(crate) struct Control {
    listener: UnixListener,
    /// Where it is, and which file that is.
    path: PathBuf,
    file: (u64, u64),
    greeting: Greeting,
    connections: Vec<(Connection, Asker)>,
    counts: Counts,
    refused: Repeated,
    rest_until: Option<Timestamp>,
}

impl Control {
    /// Opens the socket of a map in the first place that can be had. Without one in the usual places the daemon still serves,
    /// and a warning says so.
    ///
    /// # Errors
    /// It cannot be where it was said to be.
    pub(crate) fn open(place: &Socket, map: &Path) -> Result<Option<Self>, Error> {
        let mut why = None;
        for path in place.paths(map) {
            match listen(&path) {
                Ok((listener, file)) => return Ok(Some(Self::new(listener, path, file, map))),
                Err(error) => why = Some((path, error)),
            }
        }
        let Some((path, error)) = why else { return Ok(None) };
        let error = Error::io(Exit::CannotCreate, format!("open control socket {}", path.display()), &error)
            .cure("name another with --control, or none with --control=");
        if matches!(place, Socket::Named(_)) {
            return Err(error);
        }
        log::warn!("{error}");
        Ok(None)
    }

    fn new(listener: UnixListener, path: PathBuf, file: (u64, u64), map: &Path) -> Self {
        let greeting =
            Greeting { map: map.display().to_string(), pid: 0, version: env!("CARGO_PKG_VERSION").to_owned() };
        Self {
            listener,
            path,
            file,
            greeting,
            connections: Vec::new(),
            counts: Counts::default(),
            refused: Repeated::default(),
            rest_until: None,
        }
    }

    /// What to wait for.
    pub(crate) fn wanted(&self) -> Vec<Wanted<'_>> {
        let mut wanted: Vec<_> = self.connections.iter().map(|(connection, _)| connection.wanted()).collect();
        if self.connections.len() < MOST && self.rest_until.is_none() {
            wanted.push(Wanted { descriptor: self.listener.as_fd(), read: true, write: false });
        }
        wanted
    }

    /// When `turn` has something to do, whatever the descriptors do.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.connections.iter().map(|(connection, _)| connection.deadline()).chain(self.rest_until).min()
    }

    /// What has come in so far.
    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Takes in what the clients ask, and does it. `woken` if a client or the socket is ready.
    pub(crate) fn turn(&mut self, now: &Now, woken: bool, answers: &mut Answers<'_>) {
        let rested = self.rest_until.take_if(|until| *until <= now.boot).is_some();
        let counts = &mut self.counts;
        self.connections.retain(|(connection, _)| {
            let is_late = connection.deadline() <= now.boot;
            counts.dropped += u64::from(is_late);
            !is_late
        });
        if woken || rested {
            self.accept(now);
            self.read(now, answers);
        }
    }

    fn read(&mut self, now: &Now, answers: &mut Answers<'_>) {
        let counts = &mut self.counts;
        self.connections.retain_mut(|(connection, asker)| {
            let answer = match connection.read() {
                Ok(None) => return true,
                Ok(Some(Ok(request))) => {
                    counts.requests += 1;
                    answers.answer(now, request, *asker, counts)
                }
                Ok(Some(Err(failure))) => {
                    counts.bad += 1;
                    Err(failure)
                }
                Err(_) => {
                    counts.bad += 1;
                    return false;
                }
            };
            hand_over(now, connection, answer);
            true
        });
    }

    /// Lets the clients have their answers, once everything is published.
    pub(crate) fn answer(&mut self, now: &Now, answers: &Answers<'_>) {
        let counts = &mut self.counts;
        self.connections.retain_mut(|(connection, _)| {
            if let Some(outcome) = connection.take_outcome() {
                connection.answer(now.boot, &Line::Outcome(answers.published(outcome)));
            }
            if connection.wants_more() {
                connection.take_lines(|place| answers.line(now, place));
            }
            let progress = connection.write(now.boot);
            counts.bad += u64::from(progress == Progress::Gone);
            progress == Progress::Open
        });
    }

    fn accept(&mut self, now: &Now) {
        for _ in 0..ACCEPTED_PER_TURN {
            if self.connections.len() >= MOST || self.rest_until.is_some() {
                return;
            }
            match self.listener.accept() {
                Ok((stream, _)) => self.welcome(now, stream),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return,
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    _ => self.rest_until = Some(now.boot + REST),
                },
            }
        }
    }

    /// Only root and the daemon's own user may ask, whoever could open the socket.
    fn welcome(&mut self, now: &Now, stream: UnixStream) {
        let Ok(peer) = asker(&stream) else { return };
        if peer.uid != 0 && peer.uid != geteuid().as_raw() {
            self.counts.refused += 1;
            if let Some(count) = self.refused.add(now.boot, 1) {
                log::warn!("refused user {} at the control socket, {count} times since the last warning", peer.uid);
            }
            return;
        }
        // Not at start: a daemon in the background has another number then.
        self.greeting.pid = std::process::id();
        if let Ok(connection) = Connection::open(stream, &self.greeting, now.boot) {
            self.connections.push((connection, peer));
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // Not that of another daemon, which may have come to the same place.
        if identity(&self.path).is_ok_and(|file| file == self.file)
            && let Err(error) = fs::remove_file(&self.path)
        {
            log::warn!("cannot remove {}: {}", self.path.display(), io_cause(&error));
        }
    }
}

fn hand_over(now: &Now, connection: &mut Connection, answer: Result<Answer, Failure>) {
    match answer {
        Ok(Answer::Line(line)) => connection.answer(now.boot, &line),
        Ok(Answer::Lines(place)) => connection.tell_from(now.boot, place),
        Ok(Answer::Changed(outcome)) => connection.answer_when_published(now.boot, outcome),
        Err(failure) => connection.answer(now.boot, &Line::Failure(failure)),
    }
}

/// Listens at `path`, where the socket of a daemon that is gone may be. It is made aside and renamed, so that it is never
/// there with another mode, and no daemon's place is empty.
fn listen(path: &Path) -> io::Result<(UnixListener, (u64, u64))> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is something else"));
        }
        Ok(_) if is_alive(path) => return Err(io::Error::new(io::ErrorKind::AddrInUse, "another daemon serves it")),
        _ => {}
    }
    let new = replace::make(&beside(path, ".new"), |new| {
        let before = umask(Mode::from_bits_truncate(0o177));
        let listener = UnixListener::bind(new);
        umask(before);
        listener
    })?;
    new.as_file().set_nonblocking(true)?;
    let file = identity(new.path())?;
    Ok((new.persist(path)?, file))
}

fn is_alive(path: &Path) -> bool {
    // Refused by the kernel if nobody listens; any other failure may be that of a daemon that is busy, or stopped.
    !connect::within(KNOCK, path)
        .is_err_and(|error| matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound))
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Who is at the other end.
#[cfg(target_os = "linux")]
fn asker(stream: &UnixStream) -> nix::Result<Asker> {
    getsockopt(stream, sockopt::PeerCredentials).map(|peer| Asker { uid: peer.uid(), pid: peer.pid() })
}

/// Who is at the other end; the number of the process is not told.
#[cfg(not(target_os = "linux"))]
fn asker(stream: &UnixStream) -> nix::Result<Asker> {
    getsockopt(stream, sockopt::LocalPeerCred).map(|peer| Asker { uid: peer.uid(), pid: 0 })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A daemon that is stopped, with as many clients waiting as can, is one all the same.
    #[test]
    fn the_socket_of_a_daemon_that_takes_no_more_connections_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control");
        let (stopped, waiting) = connect::crowd(&path);
        let before = identity(&path).unwrap();
        assert_eq!(listen(&path).map(|_| ()).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert_eq!(identity(&path).unwrap(), before);
        drop((stopped, waiting));
        assert!(listen(&path).is_ok(), "nobody listens");
    }
}
