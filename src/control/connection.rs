//! One connection of the control socket: reads a request, writes its answer, never blocks, and takes no more room than its
//! two buffers.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use ipnet::IpNet;

use super::request::{self, Request};
use super::wire::{self, Changed, End, Failure, Greeting, Line};
use crate::time::Timestamp;
use crate::wait::Wanted;

/// How long a request may take to come, and how long a client may read nothing.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an answer may take as a whole.
const LONGEST: Duration = Duration::from_secs(120);

/// How many bytes of an answer are made before the client has read those that there are.
const CHUNK: usize = 64 * 1024;

/// How many places are looked at in one turn: a ring that was large has free slots.
const PLACES_PER_TURN: usize = 4096;

/// What a connection waits for.
#[derive(Debug, PartialEq)]
enum State {
    /// The request.
    Asking,
    /// The publish that follows a change.
    Publishing(Box<Changed>),
    /// The client, for more lines: those behind this place.
    Telling(ListPosition),
    /// The client, for the rest.
    Ending,
}

/// How far a long answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListPosition {
    /// The next slot of the ring.
    Slot(usize),
    /// The last network.
    Network(Option<IpNet>),
}

/// What has become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// It goes on.
    Open,
    /// It is over; the client has all of the answer, or has gone.
    Over,
    /// The client has gone before there was a request.
    Gone,
}

/// A client.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    state: State,
    input: Vec<u8>,
    output: Vec<u8>,
    written: usize,
    lines: u64,
    /// When the client has done something last.
    heard: Timestamp,
    opened: Timestamp,
}

impl Connection {
    /// Greets a client.
    ///
    /// # Errors
    /// The socket cannot be made not to block.
    pub(super) fn open(stream: UnixStream, greeting: &Greeting, now: Timestamp) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let mut connection = Self {
            stream,
            state: State::Asking,
            input: Vec::new(),
            output: Vec::new(),
            written: 0,
            lines: 0,
            heard: now,
            opened: now,
        };
        connection.push(&Line::Greeting(greeting.clone()));
        connection.lines = 0;
        Ok(connection)
    }

    /// What to wait for.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted { descriptor: self.descriptor(), read: self.state == State::Asking, write: self.has_to_write() }
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    fn has_to_write(&self) -> bool {
        !self.is_flushed() || matches!(self.state, State::Telling(_))
    }

    /// When the client has been too slow.
    pub(super) fn deadline(&self) -> Timestamp {
        (self.heard + PATIENCE).min(self.opened + LONGEST)
    }

    /// Reads what there is of the request. `None` while it is not complete.
    ///
    /// # Errors
    /// There will be none.
    pub(super) fn read(&mut self) -> Result<Option<Result<Request, Failure>>, Progress> {
        if self.state != State::Asking {
            return Ok(None);
        }
        let mut block = [0; request::LONGEST + 1];
        let room = block.len() - self.input.len();
        match self.stream.read(&mut block[..room]) {
            Ok(0) => return Err(Progress::Gone),
            Ok(read) => self.input.extend_from_slice(&block[..read]),
            Err(error) if is_later(&error) => return Ok(None),
            Err(_) => return Err(Progress::Gone),
        }
        let request = match memchr::memchr(b'\n', &self.input) {
            Some(end) if end < request::LONGEST => Some(Request::parse(&self.input[..end])),
            None if self.input.len() < request::LONGEST => None,
            _ => {
                let cause = format!("it is longer than {} bytes", request::LONGEST);
                Some(Err(Failure::no_request(&cause)))
            }
        };
        Ok(request)
    }

    /// Takes a whole answer.
    pub(super) fn answer(&mut self, now: Timestamp, line: &Line) {
        self.heard = now;
        self.push(line);
        self.end();
    }

    /// Waits for the publish before it tells what was done.
    pub(super) fn answer_when_published(&mut self, now: Timestamp, outcome: Changed) {
        self.heard = now;
        self.state = State::Publishing(Box::new(outcome));
    }

    /// What was done, if it waits for the publish.
    pub(super) fn take_outcome(&mut self) -> Option<Changed> {
        if !matches!(self.state, State::Publishing(_)) {
            return None;
        }
        match std::mem::replace(&mut self.state, State::Ending) {
            State::Publishing(outcome) => Some(*outcome),
            _ => None,
        }
    }

    /// Tells lines that are made as the client reads them.
    pub(super) fn tell_from(&mut self, now: Timestamp, place: ListPosition) {
        self.heard = now;
        self.state = State::Telling(place);
    }

    /// Whether it wants more lines of a long answer now.
    pub(super) fn wants_more(&self) -> bool {
        self.is_flushed() && matches!(self.state, State::Telling(_))
    }

    /// Takes lines from `next` until that has nothing more, or it is enough for one turn: what is at a place, if anything
    /// is, and the place behind it.
    pub(super) fn take_lines(&mut self, mut next: impl FnMut(ListPosition) -> Option<(Option<Line>, ListPosition)>) {
        for _ in 0..PLACES_PER_TURN {
            let State::Telling(place) = self.state else { return };
            if self.output.len() >= CHUNK {
                return;
            }
            match next(place) {
                Some((line, behind)) => {
                    line.iter().for_each(|line| self.push(line));
                    self.state = State::Telling(behind);
                }
                None => self.end(),
            }
        }
    }

    /// Writes what the client takes.
    pub(super) fn write(&mut self, now: Timestamp) -> Progress {
        while !self.is_flushed() {
            match self.stream.write(&self.output[self.written..]) {
                Ok(0) => return Progress::Over,
                Ok(written) => {
                    self.written += written;
                    self.heard = now;
                }
                Err(error) if is_later(&error) => return Progress::Open,
                Err(_) if self.state == State::Asking => return Progress::Gone,
                Err(_) => return Progress::Over,
            }
        }
        self.output.clear();
        self.written = 0;
        if self.state == State::Ending { Progress::Over } else { Progress::Open }
    }

    fn is_flushed(&self) -> bool {
        self.written == self.output.len()
    }

    fn end(&mut self) {
        self.push(&Line::End(End { lines: self.lines }));
        self.state = State::Ending;
    }

    fn push(&mut self, line: &Line) {
        self.output.extend_from_slice(wire::json(line).as_bytes());
        self.output.push(b'\n');
        self.lines += 1;
    }
}

fn is_later(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
