//! Knows which lines may be a stranger's text behind a newline. Holds a handful of numbers; no I/O.
//!
//! Some servers log a name as it came, newlines included (an IMAP literal, a base64 answer), also when the login fails, and
//! some syslog daemons (syslog-ng, a server's own file) write it so. One failed login then writes whole lines, without an
//! account: of any server, complete with a connection before and a failure behind. Nothing in such a line gives it away.
//! What the stranger cannot choose is how long the message is. So behind one that may hold his text
//! ([`super::RawNewlines`]) no line counts that ends as close as the message may be long.
//!
//! In nginx's own file, moreover, no line that is not nginx's counts so close behind one of nginx's.

mod containers;
mod endings;
mod escapes;
#[cfg(test)]
mod forged;
mod reach;
#[cfg(test)]
mod tests;

use self::containers::Containers;
use self::escapes::added;
pub(super) use self::reach::GoesOn;
use super::{BUILTIN, Ends, repeats};
use crate::line::syslog::{self, Header};

/// How far the messages of one log reach, in bytes from its start. Escapes that a logger has added do not count.
#[derive(Debug, Clone, Default)]
pub(super) struct Newlines {
    read: u64,
    /// A line that ends up to here may belong to a message that began as one of nginx in its own file.
    own_file: u64,
    /// A line that ends up to here may be a stranger's text.
    doubt: u64,
    /// So may one that ends up to here but for the headers in between: BusyBox writes one behind each NUL.
    split: u64,
    /// So may one that ends up to here, if what stands behind it shows that; of each end the last.
    endings: Vec<Ending>,
    /// A container's runtime or a log runner puts something in front of each line, also of one that a newline makes.
    has_prefixes: bool,
    /// The last of `doubt`, `split` and `endings`: most lines are nowhere near, and a comparison shows that.
    near: u64,
    /// Containers in which a message may go on, and those in which only nginx's own lines can be told.
    closed: Containers,
    closed_to_others: Containers,
    /// The last line was so long that the next may be its rest.
    is_behind_long: bool,
    /// Whoever writes the log makes something else of a newline in a message.
    pub(super) escaped: bool,
}

/// A message that is known to end in a certain way.
#[derive(Debug, Clone, Copy)]
struct Ending {
    start: u64,
    until: u64,
    ends: Ends,
}

impl Newlines {
    /// Passes a line, with its newline.
    #[inline]
    pub(super) fn pass(&mut self, line: &[u8]) {
        if self.is_anything_doubtful() {
            self.leave_room_for(line);
        }
        self.is_behind_long = line.len() >= SHORTEST_TO_BE_CUT;
        self.read += line.len() as u64 + 1;
    }

    /// What a line has in it that is of no message, a message reaches farther.
    #[cold]
    fn leave_room_for(&mut self, line: &[u8]) {
        let prefix = self.prefix(line);
        if self.read < self.own_file {
            self.own_file += prefix;
        }
        if self.is_near() {
            let added = added(line);
            self.doubt += added + prefix;
            if self.read < self.split {
                self.split += added + self.header_length(line);
            }
            self.endings.retain(|ending| self.read < ending.until);
            self.endings.iter_mut().for_each(|ending| ending.until += added + prefix);
            self.measure();
        }
    }

    /// Whether a line that begins here may be a stranger's text.
    fn is_near(&self) -> bool {
        self.read < self.near
    }

    /// To be called whenever one of what is `near` has changed.
    fn measure(&mut self) {
        let last = self.endings.iter().map(|ending| ending.until).max().unwrap_or(0);
        self.near = self.doubt.max(self.split).max(last);
    }

    /// Whether any line that begins here would have to be measured.
    pub(super) fn is_anything_doubtful(&self) -> bool {
        self.is_near() || self.read < self.own_file
    }

    /// Bytes that a runtime or runner has put in front of a line.
    fn prefix(&self, line: &[u8]) -> u64 {
        if self.has_prefixes { syslog::prefix(line) as u64 } else { 0 }
    }

    /// Bytes in front of the message that a syslog daemon, a runtime or a runner may have written.
    fn header_length(&self, line: &[u8]) -> u64 {
        header_length(line).max(self.prefix(line))
    }

    /// Bytes of prefixes of all lines in `text` of which a message with so many bytes may consist.
    fn prefixes(&self, line: &[u8], text: &[u8], bytes: u64) -> u64 {
        let prefix = self.prefix(line);
        let reach = usize::try_from(bytes.saturating_mul(prefix + 1)).unwrap_or(usize::MAX);
        let lines = || memchr::memchr_iter(b'\n', &text[..text.len().min(reach)]).count() as u64 + 1;
        if prefix == 0 { 0 } else { lines() * prefix }
    }

    /// Takes what is known of another file of the same log.
    pub(super) fn go_on_as(&mut self, other: Self) {
        *self = Self { escaped: self.escaped, ..other };
    }

    /// Doubts what follows for as far as any message may reach of which the beginning was not seen. In nginx's own file no newline
    /// is ever escaped.
    pub(super) fn begin_in_a_message(&mut self) {
        let kinds = BUILTIN.iter().flat_map(|matcher| matcher.newlines);
        let escaped = self.escaped;
        self.is_behind_long = true;
        for kind in kinds.filter(|kind| !escaped || kind.programs.contains(&"nginx")) {
            let until = self.read.saturating_add(kind.longest as u64);
            match kind.ends {
                Some(ends) => self.note_ending(self.read, until, ends, false),
                None if kind.holds_nul => self.split = self.split.max(until),
                None => self.doubt = self.doubt.max(until),
            }
        }
        self.measure();
    }

    /// Whether the line that begins where the last one ended may be a stranger's text. To be called for every line that
    /// has a header.
    #[inline]
    pub(super) fn is_doubtful(&self, header: &Header<'_>, line: &[u8], behind: &[u8]) -> bool {
        self.is_behind_long
            || header.is_in_container() && self.is_closed(header)
            || self.is_anything_doubtful() && self.may_be_text(header, line, behind)
    }

    fn may_be_text(&self, header: &Header<'_>, line: &[u8], behind: &[u8]) -> bool {
        let is_behind_own_file = self.read < self.own_file && !is_own_file(header);
        if !is_behind_own_file && !self.is_near() {
            return false;
        }
        // As many bytes as were in the message.
        let prefix = self.prefix(line);
        let place = |length: usize| (self.read + length as u64).saturating_sub(added(&line[..length]) + prefix);
        let end = place(without_tail(line));
        let may_end = |ending: &Ending| match ending.ends.place_in(line) {
            Some(of_text) => place(of_text) <= ending.until,
            None => {
                let passed = self.read + line.len() as u64 + 1;
                let left = (ending.until + added(line) + prefix).saturating_sub(passed);
                let more = self.prefixes(line, behind, left);
                end <= ending.until && ending.ends.are_behind(behind, passed - ending.start, left, more)
            }
        };
        is_behind_own_file && end <= self.own_file
            || end <= self.doubt
            || self.is_split_near(line, end + prefix)
            || self.endings.iter().any(may_end)
    }

    /// Whether a line that ends there may belong to a message with headers in it. No header is longer than its line, and most
    /// lines are too far away whatever theirs is.
    fn is_split_near(&self, line: &[u8], end: u64) -> bool {
        let without = |header: u64| end.saturating_sub(header) <= self.split;
        without((line.len() as u64).max(self.prefix(line))) && without(self.header_length(line))
    }

    /// Lines of other containers and streams may stand between those of a message, so nothing tells where it ends: behind one that
    /// may go on, its container is not believed any more.
    fn is_closed(&self, header: &Header<'_>) -> bool {
        let is_closed = self.closed.holds(header.container)
            || self.closed_to_others.holds(header.container) && !is_own_file(header);
        is_closed && !(self.escaped && header.host.is_some())
    }

    /// Takes a line that cannot be read for one that may go on.
    pub(super) fn note_unread(&mut self) {
        if self.escaped {
            return;
        }
        self.doubt = self.doubt.max(self.read + LONGEST_UNREAD);
        self.measure();
    }

    /// One that may be the text of another does not take its place.
    fn note_ending(&mut self, start: u64, until: u64, ends: Ends, is_doubtful: bool) {
        let read = self.read;
        match self.endings.iter_mut().find(|known| known.ends == ends && known.until > read) {
            Some(last) => {
                last.until = until.max(last.until);
                last.start = if is_doubtful { last.start } else { start };
            }
            None => self.endings.push(Ending { start, until, ends }),
        }
    }

    /// Notes a line whose message may go on, behind a newline.
    #[inline]
    pub(super) fn note(
        &mut self,
        header: &Header<'_>,
        line: &[u8],
        message: &[u8],
        goes_on: Option<GoesOn>,
        is_doubtful: bool,
    ) {
        self.has_prefixes |= header.is_behind_runner();
        if goes_on.is_some() || is_own_file(header) {
            self.note_reach(header, line, message, goes_on, is_doubtful);
        }
    }

    fn note_reach(
        &mut self,
        header: &Header<'_>,
        line: &[u8],
        message: &[u8],
        goes_on: Option<GoesOn>,
        is_doubtful: bool,
    ) {
        let start = self.read + (line.len() - message.len()) as u64;
        // To be passed yet.
        let prefix = self.prefix(line);
        if is_own_file(header) && header.is_in_container() {
            self.closed_to_others.add(header.container);
        }
        if is_own_file(header) {
            self.own_file = start + LONGEST_OF_NGINX - prefix;
        }
        let is_escaped = self.escaped && header.host.is_some() && !is_from_stderr(header, line);
        let Some(GoesOn { longest, ends, holds_nul }) = goes_on.filter(|_| !is_escaped) else {
            return;
        };
        if header.is_in_container() {
            self.closed.add(header.container);
        }
        let until = start + longest as u64;
        match ends {
            Some(ends) => self.note_ending(start, until - prefix, ends, is_doubtful),
            None if holds_nul => self.split = self.split.max(until - self.header_length(line)),
            None => self.doubt = self.doubt.max(until - prefix),
        }
        self.measure();
    }
}

/// Bytes in front of the message that a syslog daemon may have written; all of a line that has a stamp and no message.
fn header_length(line: &[u8]) -> u64 {
    let message = match syslog::parse(line) {
        Some((header, _)) if is_own_file(&header) => line.len(),
        Some((_, message)) => message.len(),
        None if syslog::is_stamped(line) => 0,
        None => line.len(),
    };
    (line.len() - message) as u64
}

/// Fewest bytes of a line of which a logger may have cut the rest off, to begin a new line with it: s6-log does at 8,192 bytes of a
/// server's, rsyslog at 8 KiB where it is told to split (`oversizemsg.input.mode`), whatever is escaped.
const SHORTEST_TO_BE_CUT: usize = 7900;

/// More bytes than any message has, in whatever parts.
const LONGEST_UNREAD: u64 = 64 * 1024;

/// Most bytes of a record in nginx's own file (`NGX_MAX_ERROR_STR`).
const LONGEST_OF_NGINX: u64 = 2048;

/// How much of a line a stranger has to write himself to have it in the log: UW's messages end, behind the name, in ` host=` and
/// his real address, just as its logins do.
fn without_tail(line: &[u8]) -> usize {
    let mut ends = memchr::memrchr_iter(b'=', line).map(|at| &line[..at]);
    ends.find_map(|front| front.strip_suffix(b" host")).map_or(line.len(), <[u8]>::len)
}

/// nginx names no host there.
fn is_own_file(header: &Header<'_>) -> bool {
    header.host.is_none() && header.program == b"nginx"
}

/// nginx writes no process id into its tag. Who adds it may be journald or a container's runtime: of what nginx writes to its
/// standard error they make a message of each line.
fn is_from_stderr(header: &Header<'_>, line: &[u8]) -> bool {
    let tag = || repeats::within(line, header.program).and_then(|program| line.get(program.end..));
    header.program == b"nginx" && matches!(tag(), Some([b'[', ..] | [b' ', b'0'..=b'9', ..]))
}
