//! Which Postfix is asked, where there are several: that of a directory that is named, else the one that is configured.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{LIMIT, find, is_executable, run};

static NAMED: OnceLock<PathBuf> = OnceLock::new();

/// From now on Postfix's programs are those of this directory, and no others. To be called before one is looked for.
pub fn take_postfix_from(directory: PathBuf) {
    // The first one counts.
    let _ = NAMED.set(directory);
}

/// A program of Postfix (`postmap`, `postconf`): from the directory that was named; else from `command_directory` of the
/// Postfix that the first `postconf` knows, which may lie in `/opt`; else the first one.
#[must_use]
pub fn find_postfix(name: &str) -> Option<PathBuf> {
    if let Some(named) = NAMED.get() {
        return Some(named.join(name)).filter(|file| is_executable(file));
    }
    let configured = first()
        .map(|first| Path::new(&first.command_directory).join(name))
        .filter(|file| file.is_absolute() && is_executable(file));
    configured.or_else(|| find(name))
}

/// Whose Postfix's processes are that have given up root (`mail_owner`), by name.
pub(crate) fn mail_owner() -> Option<String> {
    let postconf = find_postfix("postconf")?;
    let told = match first().filter(|first| first.postconf == postconf) {
        Some(first) => first.mail_owner.clone(),
        None => ask(postconf)?.mail_owner,
    };
    Some(told).filter(|name| !name.is_empty())
}

/// Where Postfix's programs are sought, for a message.
#[must_use]
pub fn places_of_postfix() -> String {
    NAMED.get().map_or_else(|| "/usr/sbin nor in $PATH".to_owned(), |named| named.display().to_string())
}

/// What a `postconf` says, as the configuration that `$MAIL_CONFIG` names has it, else Postfix's own.
#[derive(Default)]
struct Told {
    postconf: PathBuf,
    command_directory: String,
    mail_owner: String,
}

/// The answer of the first `postconf`: to start it takes longer than all else at a start, so it is asked once.
fn first() -> Option<&'static Told> {
    static FIRST: OnceLock<Option<Told>> = OnceLock::new();
    let is_asked = NAMED.get().is_none();
    FIRST.get_or_init(|| is_asked.then(|| find("postconf").and_then(ask)).flatten()).as_ref()
}

fn ask(postconf: PathBuf) -> Option<Told> {
    let asked = run(&postconf, &["-x", "command_directory", "mail_owner"].map(OsStr::new), LIMIT).ok()?;
    let mut told = Told { postconf, ..Told::default() };
    for (name, value) in String::from_utf8_lossy(&asked.stdout).lines().filter_map(|line| line.split_once('=')) {
        match name.trim() {
            "command_directory" => told.command_directory = value.trim().to_owned(),
            "mail_owner" => told.mail_owner = value.trim().to_owned(),
            _ => {}
        }
    }
    Some(told)
}
