//! Knows which lines may be a stranger's text behind a newline. Holds three numbers; no I/O.
//!
//! Some servers log a name as it came, newlines included (an IMAP literal, a base64 answer), also when the login fails, and
//! some syslog daemons (syslog-ng, a server's own file) write it so. One failed login then writes whole lines, without an
//! account: of any server, complete with a connection before and a failure behind. Nothing in such a line gives it away.
//! What the stranger cannot choose is how long the message is. So behind one that may hold his text
//! ([`super::RawNewlines`]) no line counts that ends as close as the message may be long.
//!
//! In nginx's own file, moreover, no line that is not nginx's counts so close behind one of nginx's.

use super::{Bounded, RawNewlines, reader};
use crate::syslog::Header;

/// How far the messages of one log reach, in bytes from its start.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Newlines {
    read: u64,
    /// A line that ends up to here may belong to a message that began as one of nginx in its own file.
    own_file: u64,
    /// A line that ends up to here may be a stranger's text.
    doubt: u64,
    /// The log's writer makes something else of a newline.
    escaped: bool,
}

impl Newlines {
    /// Takes the syslog daemon at its word that it writes no newline of a message as it is.
    pub(super) fn believe_escaped(&mut self, escaped: bool) {
        self.escaped = escaped;
    }

    /// Passes a line, with its newline.
    pub(super) fn pass(&mut self, line: &[u8]) {
        self.read = self.read.saturating_add(line.len() as u64 + 1);
    }

    /// Whether the line that begins where the last one ended may be a stranger's text. To be called for every line that
    /// has a header.
    pub(super) fn is_doubtful(&self, header: &Header<'_>, line: &[u8]) -> bool {
        let end = self.read.saturating_add(without_tail(line) as u64);
        end <= if is_own_file(header) { self.doubt } else { self.doubt.max(self.own_file) }
    }

    /// Notes a line whose message may go on, behind a newline, up to this length.
    pub(super) fn note(&mut self, header: &Header<'_>, line: &[u8], message: &[u8], longest: Option<usize>) {
        let start = self.read.saturating_add(line.len().saturating_sub(message.len()) as u64);
        if is_own_file(header) {
            self.own_file = start.saturating_add(LONGEST_OF_NGINX);
        }
        if let Some(longest) = longest
            && !(self.escaped && header.host.is_some())
        {
            self.doubt = self.doubt.max(start.saturating_add(longest as u64));
        }
    }
}

/// Most bytes of a record in nginx's own file (`NGX_MAX_ERROR_STR`).
const LONGEST_OF_NGINX: u64 = 2048;

/// How much of a line a stranger has to write himself to have it in the log: UW's messages end, behind the name, in ` host=` and
/// his real address, just as its logins do.
fn without_tail(line: &[u8]) -> usize {
    memchr::memmem::rfind(line, b" host=").unwrap_or(line.len())
}

/// nginx names no host there.
fn is_own_file(header: &Header<'_>) -> bool {
    header.host.is_none() && header.program == b"nginx"
}

impl RawNewlines {
    /// How long the message may be that begins with this line's, if a client who has not logged in may have written a newline
    /// in it.
    pub(super) fn longest_of(&self, message: &[u8]) -> Option<usize> {
        self.messages.iter().find(|start| reader::begins(start, message))?;
        let bound = |bounded: &Bounded| {
            let text = reader::read(bounded.message, message)?.user?.len();
            (text >= bounded.least).then_some(message.len() - text + bounded.most)
        };
        Some(self.bounded.iter().find_map(bound).unwrap_or(self.longest))
    }
}
