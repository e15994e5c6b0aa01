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
    static CONFIGURED: OnceLock<Option<PathBuf>> = OnceLock::new();
    let configured = CONFIGURED.get_or_init(configured).as_ref().map(|directory| directory.join(name));
    configured.filter(|file| is_executable(file)).or_else(|| find(name))
}

/// Where Postfix's programs are sought, for a message.
#[must_use]
pub fn places_of_postfix() -> String {
    NAMED.get().map_or_else(|| "/usr/sbin nor in $PATH".to_owned(), |named| named.display().to_string())
}

/// `command_directory` (postconf(5)), as the configuration that `$MAIL_CONFIG` names has it, else Postfix's own.
fn configured() -> Option<PathBuf> {
    let asked = run(&find("postconf")?, &["-hx", "command_directory"].map(OsStr::new), LIMIT).ok()?;
    let directory = String::from_utf8_lossy(&asked.stdout);
    Some(Path::new(directory.trim()).to_owned()).filter(|directory| directory.is_absolute())
}
