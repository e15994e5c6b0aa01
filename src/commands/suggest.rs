//! `match --suggest`: which matchers fit a log, and which lines look like logins and are taken by none.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use crate::commands::inspect;
use crate::config::servers;
use crate::input::login_like;
use crate::line::syslog;
use crate::line::syslog::forms::Forms;
use crate::matcher::{Action, Found, Matchers, Untaken};
use crate::output::error::Error;
use crate::output::escape::printable;
use crate::source::lines::Block;
use crate::time::Timestamp;

/// Most lines that are shown, and most bytes of one.
const SHOWN: usize = 10;
const LONGEST: usize = 300;

/// Most kinds of headers that are told.
const HEADERS_SHOWN: usize = 3;

/// Reads log files and prints what fits them.
///
/// # Errors
/// A file cannot be read; the others have been.
pub fn files(chosen: &Matchers, files: &[PathBuf]) -> Result<(), Error> {
    let mut survey = Survey::default();
    let read = inspect::each_file(files, |path| {
        let mut matchers = chosen.clone();
        inspect::each_block(path, |block| {
            survey.look(&mut matchers, block);
            true
        })
    });
    inspect::print(&survey.report())?;
    read
}

/// What has been seen.
#[derive(Debug, Default)]
pub struct Survey {
    /// Number of logins by matcher.
    pub logins: BTreeMap<String, u64>,
    /// Number of lines that look like logins and were taken by no matcher.
    pub untaken: u64,
    /// Number of lines by the forms of their header.
    headers: BTreeMap<Forms, u64>,
    shapes: HashSet<Vec<u8>>,
    /// Some of them, each of another shape.
    pub examples: Vec<Vec<u8>>,
}

impl Survey {
    /// Takes in lines.
    pub fn look(&mut self, matchers: &mut Matchers, block: Block<'_>) {
        for forms in block.lines().split(|byte| *byte == b'\n').filter_map(syslog::forms_of) {
            *self.headers.entry(forms).or_default() += 1;
        }
        let part = 0..block.lines().len();
        matchers.sort_part(Timestamp::default(), block.text(), part, |_, found| match found {
            Found::Event(event) if event.action == Action::Login => {
                *self.logins.entry(event.matcher.name().to_owned()).or_default() += 1;
            }
            Found::Event(_) => {}
            Found::Untaken(untaken) => self.look_at_untaken(untaken),
        });
    }

    fn look_at_untaken(&mut self, Untaken { line, header, message }: Untaken<'_>) {
        if !login_like::is_login(message) {
            return;
        }
        self.untaken += 1;
        if self.examples.len() < SHOWN && self.shapes.insert(shape(header.program, message)) {
            self.examples.push(line[..line.len().min(LONGEST)].to_vec());
        }
    }

    fn report(&self) -> String {
        let mut out = String::new();
        let mut found: Vec<_> = self.logins.iter().collect();
        found.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
        let width = found.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, count) in &found {
            let _ = writeln!(out, "{name:width$}  {count} {}", if **count == 1 { "login" } else { "logins" });
        }
        let (doubtful, usual): (Vec<_>, Vec<_>) =
            found.iter().map(|(name, _)| name.as_str()).partition(|name| servers::only_named(name).is_some());
        match (found.is_empty(), usual.is_empty()) {
            (true, _) => out.push_str("no matcher fits: no login was found\n"),
            (false, true) => out.push('\n'),
            (false, false) => {
                let _ = writeln!(out, "\nuse --matcher {}", usual.join(","));
            }
        }
        for name in doubtful {
            let reason = servers::only_named(name).unwrap_or_default();
            let _ = writeln!(out, "use {name} only if you are sure of it: {reason}");
        }
        let mut headers: Vec<_> = self.headers.iter().collect();
        headers.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        out.push_str(if headers.is_empty() { "" } else { "\n" });
        for (forms, count) in headers.iter().take(HEADERS_SHOWN) {
            let names: Vec<_> = forms.names().collect();
            let lines = if **count == 1 { "line has" } else { "lines have" };
            let _ = writeln!(out, "{count} {lines} this header: {}", names.join(", "));
        }
        if self.untaken > 0 {
            let _ = writeln!(out, "\n{} lines look like logins and no matcher takes them, among them:", self.untaken);
            for example in &self.examples {
                let _ = writeln!(out, "  {}", printable(example));
            }
            out.push_str("\n'pop-before-smtp match --explain LINE' tells why\n");
        }
        out
    }
}

/// Program and first words: lines that differ in names and numbers only are of one shape.
fn shape(program: &[u8], message: &[u8]) -> Vec<u8> {
    let mut shape = [program, b" "].concat();
    for word in message.split(|byte| *byte == b' ').take(3) {
        let fixed = word.split(|byte| b"=<[('\"".contains(byte)).next().unwrap_or_default();
        shape.extend(fixed.iter().map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte }));
        shape.push(b' ');
    }
    shape
}
