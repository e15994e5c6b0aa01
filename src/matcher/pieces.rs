//! Joins the parts of a line that Kubernetes' runtime has cut. Holds two lines at most; no I/O.
//!
//! A runtime cuts what a container writes where its buffer ends (CRI-O after 8,192 bytes, containerd in lines of 16 KiB) and marks
//! every piece but the last with `P`. The rest of a line is text of the message, however it begins: a stranger may have
//! measured his name so that it looks like a line of its own. So nothing that follows a part of the same stream is a line, and
//! after lines that were not seen the first of each stream may be such a rest.

use super::{Event, LONGEST_LINE, Matchers, repeats};
use crate::line::syslog::{self, Piece, Stream};
use crate::time::Timestamp;

/// What became of the last line of each stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Pieces {
    /// Whether the next line is the first, and a piece then may be a rest.
    doubts_first: bool,
    streams: [Open; 2],
}

#[derive(Debug, Clone, Default)]
struct Open {
    state: State,
    /// The pieces so far, with the header of the first.
    line: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// The last line was whole.
    #[default]
    Whole,
    /// It goes on.
    Open,
    /// It may go on, and is not known or too long.
    Lost,
}

/// What a piece completes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Completed {
    /// The piece is a line.
    Itself,
    /// With what was before, it makes a line.
    Joined,
    /// Nothing that can be read.
    Nothing,
    /// A line that is too long to be read.
    TooLong,
}

/// A piece that was taken, and of which stream it completes a line, if it does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken(Option<Stream>);

impl Pieces {
    /// Lines are missing.
    pub(super) fn miss(&mut self) {
        self.streams.iter_mut().for_each(|stream| stream.state = State::Lost);
    }

    /// Takes a piece, of which `line` is all.
    fn take(&mut self, piece: Piece<'_>, line: &[u8]) -> Completed {
        let open = &mut self.streams[index(piece.stream)];
        match (open.state, piece.is_part) {
            (State::Whole, false) => return Completed::Itself,
            (State::Whole, true) => {
                open.line.clear();
                open.line.extend_from_slice(&line[..line.len() - piece.text.len()]);
                let tag = open.line.iter_mut().rev().find(|byte| **byte == b'P');
                tag.into_iter().for_each(|tag| *tag = b'F');
                open.state = State::Open;
            }
            (State::Open, _) => {}
            (State::Lost, is_part) => {
                open.state = if is_part { State::Lost } else { State::Whole };
                return Completed::Nothing;
            }
        }
        if open.line.len() + piece.text.len() > LONGEST_LINE {
            open.state = if piece.is_part { State::Lost } else { State::Whole };
            return Completed::TooLong;
        }
        open.line.extend_from_slice(piece.text);
        if piece.is_part {
            return Completed::Nothing;
        }
        open.state = State::Whole;
        Completed::Joined
    }

    /// Hands out the line of a stream that was completed.
    fn take_line(&mut self, stream: Stream) -> Vec<u8> {
        std::mem::take(&mut self.streams[index(stream)].line)
    }

    /// Keeps the room of that line, and lends it.
    fn keep(&mut self, stream: Stream, line: Vec<u8>) -> &[u8] {
        let open = &mut self.streams[index(stream)];
        open.line = line;
        &open.line
    }
}

impl Matchers {
    /// Says that the log begins with its first line, but may be what a rotation has left: if that line is a piece, the first line of
    /// each stream may be the rest of one in the file before.
    pub fn doubt_first_piece(&mut self) {
        self.pieces.doubts_first = true;
    }

    /// Takes a line that Kubernetes' runtime wrote, unless it is a line like any other.
    pub(super) fn take_piece(&mut self, line: &[u8]) -> Option<Taken> {
        let doubts = std::mem::take(&mut self.pieces.doubts_first);
        let piece = syslog::piece(line)?;
        if doubts {
            self.pieces.miss();
        }
        match self.pieces.take(piece, line) {
            Completed::Itself => None,
            Completed::Nothing => Some(Taken(None)),
            Completed::TooLong => {
                self.newlines.note_unread();
                Some(Taken(None))
            }
            Completed::Joined => Some(Taken(Some(piece.stream))),
        }
    }

    /// What a piece completes, if that says something.
    pub(super) fn event_of_piece(
        &mut self,
        now: Timestamp,
        line: &[u8],
        Taken(stream): Taken,
        behind: &[u8],
    ) -> Option<Event<'_>> {
        let Some(stream) = stream else {
            self.skip(line);
            return None;
        };
        let whole = self.pieces.take_line(stream);
        // Where the message began is not known any more, so it may begin in a stranger's.
        let is_doubtful = self.newlines.is_anything_doubtful();
        let parsed = syslog::parse(&whole);
        let event = self.event_of(now, self.parsed(&whole, parsed.as_ref()), behind).filter(|_| !is_doubtful);
        let found = event.map(|event| {
            let user = event.user.and_then(|user| repeats::within(&whole, user));
            (user, event.action, event.client, event.session, event.matcher)
        });
        if found.is_none() {
            self.repeats.disarm();
        }
        let whole = self.pieces.keep(stream, whole);
        let (user, action, client, session, matcher) = found?;
        // The line has another owner now.
        let (header, _) = syslog::parse(whole)?;
        Some(Event { user: user.and_then(|user| whole.get(user)), action, client, session, matcher, header })
    }
}

fn index(stream: Stream) -> usize {
    match stream {
        Stream::Out => 0,
        Stream::Err => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Action, Matchers};
    use crate::time::Timestamp;

    const STAMP: &str = "2026-11-27T12:50:00.123456789Z";
    const LOGIN: &str = "Nov 27 12:50:00 imap-login: Info: Login: user=<kevin>, method=PLAIN, rip=198.51.100.1, \
                         lip=192.0.2.10, mpid=8, TLS, session=<abc>";

    fn logins(matchers: &mut Matchers, lines: &[String]) -> Vec<(String, String)> {
        let mut logins = Vec::new();
        for line in lines {
            if let Some(event) = matchers.event(Timestamp::default(), line.as_bytes()) {
                assert_eq!(event.action, Action::Login);
                let user = String::from_utf8_lossy(event.user.unwrap_or_default()).into_owned();
                logins.push((event.client.to_string(), user));
            }
        }
        logins
    }

    fn lines(pieces: &[(&str, &str)]) -> Vec<String> {
        pieces.iter().map(|(tags, text)| format!("{STAMP} {tags} {text}")).collect()
    }

    fn kevin() -> (String, String) {
        ("198.51.100.1".to_owned(), "kevin".to_owned())
    }

    #[test]
    fn a_line_is_read_in_any_pieces() {
        for cut in 0..=LOGIN.len() {
            let (one, two) = LOGIN.split_at(cut);
            let (two, three) = two.split_at(two.len() / 2);
            let pieces =
                [("stdout P", one), ("stderr F", "P F"), ("stdout P", two), ("stdout F", three), ("stdout F", LOGIN)];
            assert_eq!(logins(&mut Matchers::all(), &lines(&pieces)), [kevin(), kevin()], "{cut}");
        }
    }

    #[test]
    fn the_rest_of_a_line_is_none() {
        let failure = "Nov 27 12:50:00 imap-login: Info: Disconnected: user=<";
        for first in [failure, "x", ""] {
            let pieces = [("stdout P", first), ("stderr F", "x"), ("stdout F", LOGIN)];
            assert_eq!(logins(&mut Matchers::all(), &lines(&pieces)).is_empty(), !first.is_empty());
        }
        let pieces = [("stdout P", failure), ("stderr F", LOGIN), ("stdout P", LOGIN), ("stdout F", LOGIN)];
        assert_eq!(logins(&mut Matchers::all(), &lines(&pieces)).len(), 1, "the streams are kept apart");
        let long = "x".repeat(5000);
        let pieces = [("stdout P", &*long), ("stdout P", &*long), ("stdout P", LOGIN), ("stdout F", LOGIN)];
        let mut matchers = Matchers::all();
        assert_eq!(logins(&mut matchers, &lines(&pieces)).len(), 0);
        // It may have held a newline, behind which a stranger wrote this.
        assert_eq!(logins(&mut matchers, &lines(&[("stdout F", LOGIN)])).len(), 0);
        let others = vec![("stdout F", &*long); 20];
        assert_eq!(logins(&mut matchers, &lines(&others)).len(), 0);
        assert_eq!(logins(&mut matchers, &lines(&[("stdout F", LOGIN)])).len(), 1);
    }

    #[test]
    fn a_log_that_begins_with_a_piece_may_begin_in_a_message() {
        let mut matchers = Matchers::all();
        matchers.doubt_first_piece();
        let pieces = [("stdout F", LOGIN), ("stdout F", LOGIN), ("stderr F", LOGIN), ("stderr F", LOGIN)];
        assert_eq!(logins(&mut matchers, &lines(&pieces)), [kevin(), kevin()]);
        let mut matchers = Matchers::all();
        matchers.doubt_first_piece();
        assert_eq!(logins(&mut matchers, &[LOGIN.to_owned()]), [kevin()]);
        assert_eq!(logins(&mut matchers, &lines(&pieces)).len(), 4, "it begins with another line");
    }

    /// Behind a part even what looks like a whole line is the rest of one.
    #[test]
    fn a_piece_that_is_not_joined_is_no_line() {
        const NGINX: &str = "nginx: 2026/11/27 12:50:00 [info] 8#8: *1 client logged in, client: 198.51.100.1, server: \
                             0.0.0.0:143, login: \"kevin\", upstream: 127.0.0.2:1143";
        for front in ["<22>", "dovecot-1  | ", "[pod/mail-0/dovecot] ", "@4000000069285d1a2b3c4d5e "] {
            for (tag, text) in [("P", LOGIN), ("F", LOGIN), ("P", NGINX)] {
                let line = format!("{front}{STAMP} stdout {tag} {text}");
                assert_eq!(logins(&mut Matchers::all(), &[line]).len(), 0, "{front}{tag} {text}");
            }
        }
    }

    #[test]
    fn where_lines_are_missing_the_first_may_be_a_rest() {
        for miss in [Matchers::begin_in_the_middle, Matchers::believe_nothing] {
            let mut matchers = Matchers::all();
            miss(&mut matchers);
            let pieces = [("stdout F", LOGIN), ("stdout F", LOGIN), ("stderr P", "x"), ("stderr F", LOGIN)];
            assert_eq!(logins(&mut matchers, &lines(&pieces)), [kevin()]);
            assert_eq!(logins(&mut matchers, &lines(&[("stderr F", LOGIN)])), [kevin()]);
        }
    }
}
