//! `match --explain`: how one line is read, and what would come of it.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, Read as _};
use std::os::unix::ffi::OsStrExt as _;

use crate::commands::inspect;
use crate::line::syslog::{self, Header};
use crate::matcher::trace::{Attempt, attempts};
use crate::matcher::{Action, AnyMatcher, Event, Kind, LONGEST_GRANTING, LONGEST_LINE, Matchers};
use crate::output::color::Color;
use crate::output::error::{Error, Exit};
use crate::output::escape::{printable, short};
use crate::ring::networks::Networks;
use crate::time::Timestamp;

/// Most bytes read from standard input to find a line.
const LARGEST: u64 = 1 << 20;

/// Prints how the line is read; `-` stands for the first line of standard input.
///
/// # Errors
/// Standard input cannot be read, or standard output not written.
pub fn line(matchers: &Matchers, networks: &Networks, line: &OsStr) -> Result<(), Error> {
    let text = if line == "-" { first_line_of_stdin()? } else { line.as_bytes().to_vec() };
    let text = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    inspect::print(&explain(matchers, networks, text, Color::stdout()))
}

fn first_line_of_stdin() -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    io::stdin()
        .lock()
        .take(LARGEST)
        .read_until(b'\n', &mut text)
        .map_err(|error| Error::io(Exit::NoInput, "read standard input", &error))?;
    Ok(text)
}

/// How the line is read, as a text of several lines.
pub fn explain(matchers: &Matchers, networks: &Networks, line: &[u8], paint: Color) -> String {
    let mut out = Report { text: String::new(), paint, offset: 0 };
    let Some((header, message)) = syslog::parse(line) else {
        out.say("header", "none that is known: no time stamp and program at their places, so the line is not read");
        return out.text;
    };
    out.offset = line.strip_suffix(b"\r").unwrap_or(line).len() - message.len();
    out.header(&header, message);
    let (listeners, limit) = matchers.listeners(header.program);
    out.listeners(listeners);
    if listeners.is_empty() {
        return out.text;
    }
    let attempts: Vec<_> = listeners.iter().flat_map(|matcher| attempts(matcher, message)).collect();
    let read = attempts.iter().find(|attempt| attempt.failure.is_none());
    attempts.iter().for_each(|attempt| out.attempt(attempt));
    // The length comes first: what is too long is not even read.
    if let Some(reason) = length_refusal(line, message, limit) {
        out.refuse(&reason);
        return out.text;
    }
    let mut fresh = matchers.clone();
    match (fresh.event(Timestamp::default(), line), read) {
        (Some(event), _) => out.event(&event, networks, limit),
        (None, Some(attempt)) => out.say("event", alone(attempt)),
        (None, None) => out.say("event", "none: no pattern fits"),
    }
    out.text
}

fn length_refusal(line: &[u8], message: &[u8], limit: Option<usize>) -> Option<String> {
    let length = message.len();
    if line.len() > LONGEST_LINE {
        return Some(format!("the line has {} bytes, and more than {LONGEST_LINE} are not read", line.len()));
    }
    if let Some(limit) = limit.filter(|limit| length >= *limit) {
        return Some(format!(
            "the message has {length} bytes: a logger of this program cuts at {limit}, so it and the next may be pieces"
        ));
    }
    (length >= LONGEST_GRANTING).then(|| {
        format!("the message has {length} bytes, and one of {LONGEST_GRANTING} or more may have been cut by syslogd")
    })
}

/// Why a message that fits makes no event when it stands alone.
fn alone(attempt: &Attempt<'_>) -> &'static str {
    match attempt.kind {
        Kind::Connect => "none by itself: it tells the address of a login that may follow",
        Kind::Login => "only if an earlier line of the same session told the address",
        Kind::Logout => "only if an earlier line of the same session was a login",
    }
}

struct Report {
    text: String,
    paint: Color,
    /// Where the message begins in the line.
    offset: usize,
}

impl Report {
    fn say(&mut self, subject: &str, text: impl std::fmt::Display) {
        let _ = writeln!(self.text, "{}  {text}", self.paint.strong(format!("{subject:9}")));
    }

    fn header(&mut self, header: &Header<'_>, message: &[u8]) {
        let host = header.host.map_or("none".to_owned(), |host| printable(host).to_string());
        let pid = header.pid.map_or("none".to_owned(), |pid| pid.to_string());
        let (time, program) = (printable(header.time), printable(header.program));
        self.say("header", format!("time {time}, host {host}, program {program}, pid {pid}"));
        self.say("message", format!("from column {}: {}", self.offset + 1, printable(message)));
    }

    fn listeners(&mut self, listeners: &[AnyMatcher]) {
        let names: Vec<_> = listeners.iter().map(AnyMatcher::name).collect();
        if names.is_empty() {
            self.say("matchers", "none listens to this program");
        } else {
            self.say("matchers", names.join(", "));
        }
    }

    fn attempt(&mut self, attempt: &Attempt<'_>) {
        let verdict = match attempt.failure {
            None => self.paint.good("fits").to_string(),
            Some(_) => self.paint.bad("does not fit").to_string(),
        };
        let (name, kind) = (&attempt.matcher, kind(attempt.kind));
        let _ = writeln!(
            self.text,
            "\n{name} {kind} {verdict}: {}",
            self.paint.faint(cut(&attempt.form.to_string(), LONGEST_FORM))
        );
        for part in &attempt.parts {
            let column = self.offset + part.at + 1;
            let _ = match part.name.as_bytes() == part.text {
                true => writeln!(self.text, "  column {column:3}  '{}'", printable(part.text)),
                false => writeln!(
                    self.text,
                    "  column {column:3}  {}  takes \"{}\"",
                    cut(&part.name, LONGEST_PART),
                    short(part.text)
                ),
            };
        }
        if let Some(failure) = &attempt.failure {
            let column = self.offset + failure.at + 1;
            let place = if failure.from_end { "is not at the end of" } else { "does not fit" };
            let rest = short(failure.rest);
            let part = self.paint.bad(format!("'{}'", cut(&failure.part, LONGEST_PART))).to_string();
            let _ = writeln!(self.text, "  column {column:3}  {part}  {place} \"{rest}\"");
        }
        if attempt.parts.is_empty() && attempt.failure.is_none() {
            let _ = writeln!(self.text, "  as a whole");
        }
    }

    fn event(&mut self, event: &Event<'_>, networks: &Networks, limit: Option<usize>) {
        self.text.push('\n');
        let Event { action, client, matcher, .. } = event;
        let user = event.user.map(|user| format!(", user {}", printable(user))).unwrap_or_default();
        self.say("event", format!("{action} of {client}{user}, by {matcher}"));
        if *action == Action::Login {
            match networks.refuse(*client) {
                Some(refusal) => self.refuse(&refusal.to_string()),
                None => self.say("granted", self.paint.good(client)),
            }
        }
        if let Some(limit) = limit {
            self.say(
                "unless",
                format!("the message before it, of the same host and program, had {limit} bytes or more"),
            );
        }
    }

    fn refuse(&mut self, reason: &str) {
        let refused = self.paint.bad(reason).to_string();
        self.say("refused", refused);
    }
}

/// How much of a pattern, and of a part of it, is shown.
const LONGEST_FORM: usize = 160;
const LONGEST_PART: usize = 60;

/// The beginning of a pattern: those of a matcher often begin in the same way, and can be two thousand bytes long.
fn cut(pattern: &str, longest: usize) -> Cow<'_, str> {
    match pattern.char_indices().nth(longest) {
        Some((end, _)) => format!("{}...", &pattern[..end]).into(),
        None => pattern.into(),
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Connect => "connect",
        Kind::Login => "login",
        Kind::Logout => "logout",
    }
}
