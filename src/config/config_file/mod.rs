//! The file of `--config`: text -> settings and matchers, each mistake with its place. Reads that one file.

mod tables;
mod values;
mod written_at;

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::libc::O_NONBLOCK;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use self::tables::Custom;
pub use self::values::FileValue;
pub use self::written_at::WrittenAt;
use self::written_at::{FileText, line_behind};
use crate::cli::OptionRow;
use crate::matcher::AnyMatcher;
use crate::output::error::{Error, Exit};

/// Largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// The option that names the matchers to use, and the key whose tables describe further ones.
pub const MATCHER: &str = "matcher";

/// The key that stands for the option where there are such tables.
pub const MATCHERS: &str = "matchers";

/// The table whose keys are those of the options with this in front.
const SHARE: &str = "share";

/// The key of an option that is always right in the file.
pub fn key_of(row: &OptionRow) -> &'static str {
    if row.key == MATCHER { MATCHERS } else { row.key }
}

/// What the file says.
#[derive(Debug, Clone, Default)]
pub struct ConfigFile {
    /// The matchers of its `[[matcher]]` tables.
    pub matchers: Vec<Custom>,
    /// The settings that it makes.
    pub values: Vec<FileValue>,
}

impl ConfigFile {
    /// What it says of a setting.
    pub fn value(&self, key: &str) -> Option<&FileValue> {
        self.values.iter().find(|value| value.key == key)
    }

    /// Its matchers.
    pub fn custom(&self) -> Vec<AnyMatcher> {
        self.matchers.iter().map(|custom| custom.matcher.clone()).collect()
    }
}

/// Reads the file: what it says, and the first mistake in it; the settings and tables with mistakes are left out. A matcher
/// that is as in `known` is taken from there.
///
/// # Errors
/// Exit code 66 if it cannot be read, 78 if it is no TOML, or if others could have written it.
pub fn read(path: &Path, known: &ConfigFile) -> Result<(ConfigFile, Option<Error>), Error> {
    let action = || format!("read configuration file {}", path.display());
    let unreadable = |error: io::Error| {
        Error::io(Exit::NoInput, action(), &error).cure("name a file that can be read with --config")
    };
    // Not blocking: opening a FIFO would wait for its writer.
    let file = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(path).map_err(unreadable)?;
    check_trust(path, &file, unreadable)?;
    let mut text = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LARGEST {
        return Err(Error::new(Exit::Config, action(), "it is larger than 1 MiB").cure("name another with --config"));
    }
    let text = String::from_utf8(text).map_err(|error| {
        let line = line_behind(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        Error::new(Exit::Config, action(), format!("line {line} is not UTF-8")).cure("save it as UTF-8")
    })?;
    sound_part(path, &text, known)
}

/// Who writes the file decides who may relay.
fn check_trust(path: &Path, file: &File, unreadable: impl Fn(io::Error) -> Error) -> Result<(), Error> {
    let metadata = file.metadata().map_err(unreadable)?;
    let refuse = |cause: &str, cure: String| {
        Err(Error::new(Exit::Config, format!("trust configuration file {}", path.display()), cause).cure(cure))
    };
    if !metadata.is_file() {
        return refuse("it is no regular file", "name a file with --config".to_owned());
    }
    let (owner, own) = (metadata.uid(), nix::unistd::geteuid().as_raw());
    if owner != 0 && owner != own {
        let cause = format!("it belongs to user {owner}, who could let anybody relay");
        return refuse(&cause, format!("chown {} {}", if own == 0 { "root" } else { "root, or own," }, path.display()));
    }
    if metadata.mode() & 0o022 != 0 {
        let cause = format!("its mode {:04o} lets others write it", metadata.mode() & 0o7777);
        return refuse(&cause, format!("chmod go-w {}", path.display()));
    }
    Ok(())
}

/// Reads the text of the file; `path` is for messages.
///
/// # Errors
/// Exit code 78.
pub fn parse(path: &Path, text: &str) -> Result<ConfigFile, Error> {
    parse_again(path, text, &ConfigFile::default())
}

fn parse_again(path: &Path, text: &str, known: &ConfigFile) -> Result<ConfigFile, Error> {
    let (file, mistake) = sound_part(path, text, known)?;
    mistake.map_or(Ok(file), Err)
}

fn sound_part(path: &Path, text: &str, known: &ConfigFile) -> Result<(ConfigFile, Option<Error>), Error> {
    let source = FileText { path, text };
    let document = DeTable::parse(text).map_err(|error| source.refuse_syntax(&error))?;
    // In the order of the file, so that the first mistake is told first.
    let mut entries: Vec<_> = document.into_inner().into_iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut file = ConfigFile::default();
    let mut mistake = None;
    for (key, value) in entries {
        if let Err(error) = take(&source, &key, value, &mut file, known) {
            mistake.get_or_insert(error);
        }
    }
    Ok((file, mistake))
}

/// Takes what one key of the document says.
fn take<'t>(
    source: &FileText<'_>,
    key: &Spanned<Cow<'t, str>>,
    value: Spanned<DeValue<'t>>,
    file: &mut ConfigFile,
    known: &ConfigFile,
) -> Result<(), Error> {
    let name = key.get_ref().as_ref();
    if name == MATCHER && !is_choice(&value) {
        file.matchers = tables::read(source, matcher_tables(source, value)?, &known.matchers)?;
    } else if let (SHARE, DeValue::Table(table)) = (name, value.get_ref()) {
        for (key, value) in table.iter() {
            let value = setting(source, key.span().start, &format!("{SHARE}-{}", key.get_ref()), value, file)?;
            file.values.push(value);
        }
    } else {
        let value = setting(source, key.span().start, name, &value, file)?;
        file.values.push(value);
    }
    Ok(())
}

/// Whether the key `matcher` names matchers, as the option does, and does not describe them.
fn is_choice(value: &Spanned<DeValue<'_>>) -> bool {
    match value.get_ref() {
        DeValue::Array(values) => values.iter().all(|value| value.get_ref().is_str()),
        DeValue::Table(_) => false,
        _ => true,
    }
}

fn matcher_tables<'t>(
    source: &FileText<'_>,
    value: Spanned<DeValue<'t>>,
) -> Result<impl Iterator<Item = Spanned<DeValue<'t>>>, Error> {
    let at = value.span().start;
    match value.into_inner() {
        DeValue::Array(tables) => Ok(tables.into_iter()),
        _ => Err(source.refuse(at, "matcher is one table").cure("write [[matcher]], with two brackets")),
    }
}

fn setting(
    source: &FileText<'_>,
    at: usize,
    name: &str,
    value: &Spanned<DeValue<'_>>,
    file: &ConfigFile,
) -> Result<FileValue, Error> {
    let row = values::row(source, at, name)?;
    if let Some(other) = file.value(row.key) {
        let cause = format!("{name} says the same as {} in line {}", other.written, other.place.line);
        return Err(source.refuse(at, cause).cure("leave one of them out"));
    }
    values::value(source, row, name, value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refusal(text: &str) -> String {
        let error = parse(Path::new("pbs.toml"), text).unwrap_err();
        assert_eq!(error.exit, Exit::Config);
        error.to_string()
    }

    #[test]
    fn mistakes_have_a_place_and_a_cure() {
        let table = [
            ("[[matchr]]\n", "cannot use pbs.toml:1:3: there is no key matchr; did you mean matcher?"),
            ("graze = '3m'\n", "cannot use pbs.toml:1:1: there is no key graze; did you mean grace?"),
            (
                "[[matcher]]\nname = 'x'\n loginn = 'y'\n",
                "cannot use pbs.toml:3:2: there is no key loginn; did you mean login?",
            ),
            ("[[matcher]]\nname = 'x'\n", "cannot use pbs.toml:1:1: the key programs is missing"),
            (
                "[[matcher]]\nname = 'x'\ngrace = 5\n",
                "cannot use pbs.toml:3:1: grace does not belong to the table in which it is; move it above the first line in \
                 brackets",
            ),
            (
                "matcher = ['dovecot']\n[[matcher]]\n",
                "cannot use pbs.toml:2:3: the key matcher is there twice; name those to use in matchers, and describe \
                 others in [[matcher]]",
            ),
            ("grace = 5\ngrace = 6\n", "cannot use pbs.toml:2:1: the key grace is there twice; leave one of them out"),
        ];
        for (text, expected) in table {
            assert_eq!(refusal(text), expected);
        }
        assert!(refusal("[[matcher]]\nname = 'x\n").starts_with("cannot use pbs.toml:2:"));
    }

    #[test]
    fn the_table_of_many_hosts_holds_their_options() {
        let file = parse(Path::new("a.toml"), "[share]\nurl = 'postgresql://x/y'\ntake = true\n").unwrap();
        let said = |key: &str| file.value(key).map(|value| value.texts[0].0.clone());
        assert_eq!(said("share-url").as_deref(), Some("postgresql://x/y"));
        assert_eq!((said("share-take").as_deref(), said("share-give")), (Some("true"), None));
        assert!(refusal("[share]\nurll = 'x'\n").contains("there is no key share-urll; did you mean share-url?"));
        let twice = refusal("share-url = 'x'\n[share]\nurl = 'y'\n");
        assert!(twice.contains("share-url says the same as share-url in line 1"), "{twice}");
    }

    #[test]
    fn a_matcher_that_is_the_same_is_not_made_again() {
        let table = "[[matcher]]\nname = 'x'\nprograms = ['x']\nlogin = '^login (?P<ip>[0-9.]+)$'\n";
        let first = parse(Path::new("a.toml"), table).unwrap();
        let read = |text: &str| parse_again(Path::new("a.toml"), text, &first).unwrap().custom().remove(0);
        assert!(read(&format!("grace = 5\n{table}")) == first.custom()[0]);
        assert!(read(&table.replace("login (", "login: (")) != first.custom()[0]);
    }
}
