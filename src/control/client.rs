//! The commands' end of the control socket.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::Place;
use super::request::Request;
use super::wire::{End, Greeting, Line};
use crate::error::{Error, Exit};

/// How long the daemon may be busy: a postmap that hangs is given up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon that listens.
pub(super) struct Daemon {
    stream: BufReader<UnixStream>,
    map: String,
}

impl Daemon {
    /// Finds the daemon of a map. `None` if there is no socket, or nobody behind it.
    ///
    /// # Errors
    /// Exit code 77 if there is one that we may not ask.
    pub(super) fn find(place: &Place, map: &Path) -> Result<Option<Self>, Error> {
        let mut refused = None;
        for path in place.paths(map) {
            match Self::connect(&path) {
                Ok(daemon) if Path::new(&daemon.map) == map => return Ok(Some(daemon)),
                Ok(_) => {}
                Err(error) => match error.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {}
                    io::ErrorKind::PermissionDenied => refused = Some(not_allowed(&path, &error)),
                    _ => return Err(Error::io(Exit::System, asking(&path), &error)),
                },
            }
        }
        refused.map_or(Ok(None), Err)
    }

    fn connect(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut stream = BufReader::new(stream);
        match read(&mut stream)? {
            Some(Line::Greeting(Greeting { map, .. })) => Ok(Self { stream, map }),
            // It does not even greet whom it does not answer.
            None => Err(io::ErrorKind::PermissionDenied.into()),
            Some(_) => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Asks, and hands out each line of the answer.
    ///
    /// # Errors
    /// The daemon's, or it has not answered to the end.
    pub(super) fn ask(mut self, request: Request, mut take: impl FnMut(Line)) -> Result<(), Error> {
        let broken = |error: io::Error| {
            Error::io(Exit::TemporaryFailure, format!("ask the daemon of map {}", self.map), &error)
                .cure("look into its log")
        };
        self.stream.get_mut().write_all(format!("{}\n", request.line()).as_bytes()).map_err(broken)?;
        let mut lines = 0;
        loop {
            match read(&mut self.stream).map_err(broken)? {
                Some(Line::End(End { lines: told })) if told == lines => return Ok(()),
                Some(Line::Failure(failure)) => return Err(failure.into()),
                Some(line @ (Line::Client(_) | Line::Denied(_))) => take(line),
                Some(line @ (Line::Explanation(_) | Line::Status(_) | Line::Outcome(_))) => take(line),
                _ => return Err(broken(io::ErrorKind::UnexpectedEof.into())),
            }
            lines += 1;
        }
    }

    /// Asks for one line.
    ///
    /// # Errors
    /// As [`Daemon::ask`].
    pub(super) fn ask_one(self, request: Request) -> Result<Line, Error> {
        let map = self.map.clone();
        let mut answer = None;
        self.ask(request, |line| answer = Some(line))?;
        answer.ok_or_else(|| {
            Error::new(Exit::TemporaryFailure, format!("ask the daemon of map {map}"), "it says nothing")
        })
    }
}

fn read(stream: &mut BufReader<UnixStream>) -> io::Result<Option<Line>> {
    let mut text = String::new();
    if stream.read_line(&mut text)? == 0 {
        return Ok(None);
    }
    serde_json::from_str(&text).map(Some).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not in our language"))
}

fn asking(path: &Path) -> String {
    format!("ask the daemon at {}", path.display())
}

fn not_allowed(path: &Path, error: &io::Error) -> Error {
    Error::io(Exit::NoPermission, asking(path), error).cure("run as root or as the daemon's user")
}

/// There is no daemon where one is needed.
pub(super) fn nobody(place: &Place, map: &Path) -> Error {
    let paths: Vec<_> = place.paths(map).iter().map(|path| path.display().to_string()).collect();
    let cause = match paths[..] {
        [] => "--control names no socket".to_owned(),
        _ => format!("none answers at {}", paths.join(" or ")),
    };
    Error::new(Exit::Unavailable, format!("ask the daemon of map {}", map.display()), cause)
        .cure("start it, or name its socket with --control")
}
