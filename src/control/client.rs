//! The commands' end of the control socket.

use std::io::{self, BufRead, BufReader, Read, Take, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::connect;
use super::request::Request;
use super::wire::{self, End, Greeting, Line};
use crate::config::socket::Socket;
use crate::output::error::{Error, Exit};

/// How long the daemon may be busy with an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long it may be too busy to look who is there: a postmap that hangs is given up after ten seconds.
const GREETING: Duration = Duration::from_secs(20);

/// How long there may be so many others that no further one can wait.
const QUEUE: Duration = Duration::from_secs(5);

/// Longest line of an answer in bytes; the longest is the status of a daemon with thousands of logs. More is no answer but
/// an attempt to use up the memory, as is a longer answer.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;

/// Most bytes of an answer: some millions of grants.
const LONGEST_ANSWER: u64 = 1024 * 1024 * 1024;

type Stream = BufReader<Take<UnixStream>>;

/// A daemon that listens.
pub(crate) struct Daemon {
    stream: Stream,
    map: String,
}

impl Daemon {
    /// Finds the daemon of a map. `None` if there is no socket, or nobody behind it.
    ///
    /// # Errors
    /// Exit code 77 if there is one that we may not ask.
    pub(crate) fn find(place: &Socket, map: &Path) -> Result<Option<Self>, Error> {
        let mut obstacle = None;
        for path in place.paths(map) {
            match Self::connect(&path, QUEUE, GREETING) {
                Ok(daemon) if Path::new(&daemon.map) == map => return Ok(Some(daemon)),
                Ok(_) => {}
                Err(error) => obstacle = obstructed(&path, &error).or(obstacle),
            }
        }
        obstacle.map_or(Ok(None), Err)
    }

    /// Waits `queue` for a place among those who wait, and `greeting` for the daemon to look.
    fn connect(path: &Path, queue: Duration, greeting: Duration) -> io::Result<Self> {
        let stream = connect::within(queue, path).map_err(|error| told(error, "more wait already than can"))?;
        stream.set_read_timeout(Some(greeting))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut stream = BufReader::new(stream.take(LONGEST_ANSWER));
        let first =
            read(&mut stream).map_err(|error| told(error, &format!("it says nothing for {} s", greeting.as_secs())))?;
        stream.get_ref().get_ref().set_read_timeout(Some(PATIENCE))?;
        match first {
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
    pub(crate) fn ask(mut self, request: Request, mut take: impl FnMut(Line)) -> Result<(), Error> {
        let broken = |error: io::Error| {
            let error = told(error, &format!("it says nothing for {} s", PATIENCE.as_secs()));
            Error::io(Exit::TemporaryFailure, format!("ask the daemon of map {}", self.map), &error)
                .cure("look into its log")
        };
        self.stream.get_mut().get_mut().write_all(format!("{}\n", wire::json(&request)).as_bytes()).map_err(broken)?;
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
    pub(crate) fn ask_one(self, request: Request) -> Result<Line, Error> {
        let map = self.map.clone();
        let mut answer = None;
        self.ask(request, |line| answer = Some(line))?;
        answer.ok_or_else(|| {
            Error::new(Exit::TemporaryFailure, format!("ask the daemon of map {map}"), "it says nothing")
        })
    }
}

fn read(stream: &mut Stream) -> io::Result<Option<Line>> {
    let mut text = String::new();
    let length = stream.take(LONGEST_LINE).read_line(&mut text)? as u64;
    if length == LONGEST_LINE || (stream.get_ref().limit() == 0 && !text.ends_with('\n')) {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it says more than a daemon has to say"));
    }
    if length == 0 {
        return Ok(None);
    }
    serde_json::from_slice(text.as_bytes())
        .map(Some)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not in our language"))
}

/// A wait that was too long, told as what it means here.
fn told(error: io::Error, meaning: &str) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::Error::new(io::ErrorKind::TimedOut, meaning),
        _ => error,
    }
}

/// What keeps us from asking there; nothing where nobody listens.
fn obstructed(path: &Path, error: &io::Error) -> Option<Error> {
    let failed = |exit: Exit| Error::io(exit, format!("ask the daemon at {}", path.display()), error);
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => None,
        io::ErrorKind::PermissionDenied => Some(failed(Exit::NoPermission).cure("run as root or as the daemon's user")),
        io::ErrorKind::TimedOut => {
            Some(failed(Exit::TemporaryFailure).cure(
                "try again; if it stays so, see whether its process is stopped (kill -CONT) or stuck (restart it)",
            ))
        }
        _ => Some(failed(Exit::System)),
    }
}

/// There is no daemon where one is needed.
pub(crate) fn nobody(place: &Socket, map: &Path) -> Error {
    let paths: Vec<_> = place.paths(map).iter().map(|path| path.display().to_string()).collect();
    let cause = match paths[..] {
        [] => "--control names no socket".to_owned(),
        _ => format!("none answers at {}", paths.join(" or ")),
    };
    Error::new(Exit::Unavailable, format!("ask the daemon of map {}", map.display()), cause)
        .cure("start it, or name its socket with --control")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::net::UnixListener;

    use super::*;

    /// What a command says that finds this at the socket.
    fn refusal(path: &Path) -> (Exit, String) {
        let short = Duration::from_millis(50);
        let error = Daemon::connect(path, short, short).map(|_| ()).unwrap_err();
        let error = obstructed(path, &error).unwrap();
        (error.exit, error.to_string())
    }

    /// A daemon that begins so, and goes on with this until nobody listens or we give up; how many bytes it got rid of.
    fn talker(path: &Path, begin: &str, part: Vec<u8>, most: usize) -> std::thread::JoinHandle<usize> {
        let (listener, begin) = (UnixListener::bind(path).unwrap(), begin.to_owned());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(begin.as_bytes()).unwrap();
            let parts = (0..most / part.len()).take_while(|_| stream.write_all(&part).is_ok());
            parts.count() * part.len()
        })
    }

    #[test]
    fn a_daemon_that_does_not_come_to_an_end_is_not_listened_to() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control");
        let most = 2 * LONGEST_LINE as usize;
        let endless = talker(&path, "", vec![b' '; 1 << 16], most);
        let (_, text) = refusal(&path);
        assert!(endless.join().unwrap() < most, "all was read");
        assert!(text.contains("it says more than a daemon has to say"), "{text}");

        std::fs::remove_file(&path).unwrap();
        let greeting = "{\"greeting\":{\"map\":\"/m\",\"pid\":1,\"version\":\"0\"}}\n";
        let client = format!("{}{{\"client\":{{\"address\":\"::1\"}}}}\n", " ".repeat(1 << 20));
        let endless = talker(&path, greeting, client.into_bytes(), most);
        let mut daemon = Daemon::connect(&path, QUEUE, GREETING).unwrap();
        assert!(daemon.stream.get_ref().limit() < LONGEST_ANSWER);
        daemon.stream.get_mut().set_limit(LONGEST_LINE);
        let error = daemon.ask(Request::List, |_| {}).unwrap_err();
        assert!(endless.join().unwrap() < most, "all was read");
        assert!(error.to_string().contains("it says more than a daemon has to say"), "{error}");
    }

    #[test]
    fn a_daemon_that_does_not_answer_is_told_with_the_cure() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control");
        let (listener, waiting) = connect::crowd(&path);
        let (exit, text) = refusal(&path);
        assert_eq!(exit, Exit::TemporaryFailure);
        assert!(text.ends_with(
            "control: more wait already than can; try again; if it stays so, see whether its process is stopped (kill \
             -CONT) or stuck (restart it)"
        ), "{text}");
        drop((listener, waiting));
        std::fs::remove_file(&path).unwrap();
        let silent = UnixListener::bind(&path).unwrap();
        let (exit, text) = refusal(&path);
        assert!(
            exit == Exit::TemporaryFailure && text.contains("control: it says nothing for 0 s; try again"),
            "{text}"
        );
        drop(silent);
        let error = Daemon::connect(&path, QUEUE, GREETING).map(|_| ()).unwrap_err();
        assert!(obstructed(&path, &error).is_none(), "nobody listens");
    }
}
