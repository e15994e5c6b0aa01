//! Matchers of the configuration file: one regular expression for each kind of message. Pure.
//!
//! What is made of them is freed with the last that uses it ([`super::AnyMatcher`]).

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use regex::bytes::{CaptureLocations, Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

use super::any::Form;
use super::lint::{self, Flaw, Need};
use super::reader::Reading;
use super::services::SERVICES;
use super::{ALL, AnyMatcher, BUILTIN, Key, Kind, dovecot_format};

/// Most bytes of a compiled expression: a pattern for one message needs some 10 KiB.
const LARGEST: usize = 1 << 20;

/// Deepest nesting of groups.
const DEEPEST: u32 = 50;

/// A matcher as the configuration file has it.
#[derive(Debug, Clone, Copy)]
pub struct Definition<'d> {
    /// Value of `--matcher`.
    pub name: &'d str,
    /// Names under which the server logs.
    pub programs: &'d [String],
    /// The message that proves a login.
    pub login: &'d str,
    /// The message that tells the address before the login.
    pub connect: Option<&'d str>,
    /// The message that ends a session.
    pub logout: Option<&'d str>,
    /// How the lines of a session belong together; by the group `session` if there is one and nothing is said.
    pub key: Option<Key>,
}

/// A value of a [`Definition`], to say where a flaw is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `name`
    Name,
    /// `programs`
    Programs,
    /// `login`
    Login,
    /// `connect`
    Connect,
    /// `logout`
    Logout,
    /// `key`
    Key,
}

/// What is known of one server's log from the configuration.
#[derive(Debug)]
pub struct CustomMatcher {
    pub(super) name: String,
    pub(super) programs: Vec<String>,
    pub(super) key: Key,
    /// In the order in which they are tried.
    pub(super) forms: Vec<(Kind, Form)>,
}

/// Makes a matcher of its definition.
///
/// # Errors
/// The value that cannot be used, why, and what to write.
pub fn build(definition: &Definition<'_>) -> Result<AnyMatcher, (Field, Flaw)> {
    check_name(definition.name).map_err(|flaw| (Field::Name, flaw))?;
    check_programs(definition.programs).map_err(|flaw| (Field::Programs, flaw))?;
    let key = key(definition);
    check_key(definition, key).map_err(|flaw| (Field::Key, flaw))?;
    let session = key == Key::Session;
    let login = Need { ip: definition.connect.is_none(), session };
    let logout = Need { ip: key == Key::None, session };
    let mut forms = Vec::new();
    for (field, kind, source, need) in [
        (Field::Login, Kind::Login, Some(definition.login), login),
        (Field::Connect, Kind::Connect, definition.connect, Need { ip: true, session }),
        (Field::Logout, Kind::Logout, definition.logout, logout),
    ] {
        let expression =
            source.map(|source| Expression::new(source, need)).transpose().map_err(|flaw| (field, flaw))?;
        forms.extend(expression.map(|expression| (kind, Form::Expression(Arc::new(expression)))));
    }
    // The order of mistakes is that of the fields; a connection is tried last.
    forms.sort_by_key(|(kind, _)| *kind == Kind::Connect);
    let (name, programs) = (definition.name.to_owned(), definition.programs.to_vec());
    Ok(AnyMatcher::Custom(Arc::new(CustomMatcher { name, programs, key, forms })))
}

fn key(definition: &Definition<'_>) -> Key {
    let has_session = [Some(definition.login), definition.connect, definition.logout]
        .into_iter()
        .flatten()
        .any(|pattern| pattern.contains("<session>"));
    definition.key.unwrap_or(if has_session { Key::Session } else { Key::None })
}

fn check_name(name: &str) -> Result<(), Flaw> {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.bytes().all(letters) {
        return Err(Flaw::new("not a name", "use lower-case letters, digits and -, a letter first"));
    }
    if name == ALL {
        return Err(Flaw::new("it stands for every matcher", format!("call it my-{name}")));
    }
    let of_services = SERVICES.iter().filter_map(|service| service.matcher);
    if BUILTIN.iter().chain(of_services).any(|matcher| matcher.name == name) || name == dovecot_format::NAME {
        return Err(Flaw::new("a built-in matcher has this name", format!("call it my-{name}")));
    }
    Ok(())
}

fn check_programs(programs: &[String]) -> Result<(), Flaw> {
    let is_program = |b: u8| b.is_ascii_alphanumeric() || b"-_./+".contains(&b);
    if programs.is_empty() {
        return Err(Flaw::new("no program is named", "list the names that stand in front of [pid]: in the log"));
    }
    match programs.iter().find(|name| name.is_empty() || !name.bytes().all(is_program)) {
        Some(name) => {
            let reason = format!("{name:?} cannot be the program of a log line");
            Err(Flaw::new(reason, "write it as it stands in front of [pid]: in the log"))
        }
        None => Ok(()),
    }
}

/// Lines can only be joined by something.
fn check_key(definition: &Definition<'_>, key: Key) -> Result<(), Flaw> {
    if definition.connect.is_some() && key == Key::None {
        return Err(Flaw::new(
            "connect tells the address of a login that follows, but nothing says which",
            "set key = \"pid\", or a group (?P<session>[A-Za-z0-9]+) in both patterns",
        ));
    }
    Ok(())
}

/// A regular expression that passed the linter.
pub struct Expression {
    regex: Regex,
    ip: Option<usize>,
    user: Option<usize>,
    session: Option<usize>,
    /// Kept, so that a login costs no allocation.
    locations: Mutex<CaptureLocations>,
}

impl Expression {
    /// Compiles and checks.
    pub(super) fn new(source: &str, need: Need) -> Result<Self, Flaw> {
        let hir = parse(source)?;
        lint::check(source, &hir, need)?;
        let regex = compile(source)?;
        let group = |name| regex.capture_names().position(|group| group == Some(name));
        Ok(Self {
            ip: group("ip"),
            user: group("user"),
            session: group("session"),
            locations: Mutex::new(regex.capture_locations()),
            regex,
        })
    }

    /// The expression as written.
    pub fn source(&self) -> &str {
        self.regex.as_str()
    }

    /// Where the groups are in a message that fits: name, first byte, one behind the last.
    pub(super) fn groups(&self, message: &[u8]) -> Option<Vec<(&str, usize, usize)>> {
        let captures = self.regex.captures(message)?;
        let names = self.regex.capture_names().flatten();
        let groups = names.filter_map(|name| captures.name(name).map(|group| (name, group.start(), group.end())));
        Some(groups.collect())
    }

    /// Reads the whole message.
    pub(super) fn read<'m>(&self, message: &'m [u8]) -> Option<Reading<'m>> {
        let mut locations = self.locations.lock().unwrap_or_else(PoisonError::into_inner);
        self.regex.captures_read(&mut locations, message)?;
        let text = |group: Option<usize>| locations.get(group?).and_then(|(start, end)| message.get(start..end));
        let client = match text(self.ip) {
            Some(text) => Some(std::str::from_utf8(text).ok()?.parse::<IpAddr>().ok()?.to_canonical()),
            None => None,
        };
        Some(Reading { client, user: text(self.user), session: text(self.session) })
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.source())
    }
}

fn parse(source: &str) -> Result<Hir, Flaw> {
    ParserBuilder::new()
        .utf8(false)
        .unicode(false)
        .nest_limit(DEEPEST)
        .build()
        .parse(source)
        .map_err(|error| no_expression(&error.to_string()))
}

/// Compiles with the settings of all expressions: bytes, no multi-line mode, bounded.
pub(super) fn compile(source: &str) -> Result<Regex, Flaw> {
    RegexBuilder::new(source)
        .unicode(false)
        .multi_line(false)
        .size_limit(LARGEST)
        .dfa_size_limit(LARGEST)
        .nest_limit(DEEPEST)
        .build()
        .map_err(|error| no_expression(&error.to_string()))
}

/// The parser draws a picture over several lines; its last line says what is wrong.
fn no_expression(error: &str) -> Flaw {
    let last = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
    Flaw::new(format!("not a regular expression that can be used: {last}"), "see docs.rs/regex for the syntax")
}
