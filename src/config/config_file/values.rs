//! The keys of the configuration file that are options, too: each value checked for its type, as a text for the command
//! line. Pure.

use toml::Spanned;
use toml::de::{DeInteger, DeValue};

use super::written_at::{FileText, WrittenAt};
use super::{MATCHER, MATCHERS, key_of};
use crate::cli::{Kind, OPTIONS, OptionRow};
use crate::config::logs;
use crate::output::error::Error;

/// A value of the file.
#[derive(Debug, Clone)]
pub struct FileValue {
    /// Name of the option.
    pub key: &'static str,
    /// The key as it stands in the file.
    pub written: String,
    /// Where the value begins.
    pub place: WrittenAt,
    /// The value as the command line would have it; of a list, each, and where it is.
    pub texts: Vec<(String, WrittenAt)>,
}

impl FileValue {
    /// Where one of its texts is, or the whole value if none is like that.
    pub fn place_of(&self, text: &str) -> &WrittenAt {
        self.texts.iter().find(|(known, _)| known == text).map_or(&self.place, |(_, place)| place)
    }
}

/// The option of a key; an error if there is none.
pub(super) fn row(source: &FileText<'_>, at: usize, key: &str) -> Result<&'static OptionRow, Error> {
    let name = if key == MATCHERS { MATCHER } else { key };
    match OPTIONS.iter().find(|row| row.key == name) {
        Some(row) if row.is_in_file() => Ok(row),
        Some(_) => {
            let cause = format!("{key} is about one run, not about a site");
            Err(source.refuse(at, cause).cure(format!("give --{key} on the command line")))
        }
        None => {
            let known = OPTIONS.iter().filter(|row| row.is_in_file()).map(|row| row.key).chain([MATCHERS]);
            Err(source.refuse_unknown(at, "key", key, &known.collect::<Vec<_>>()))
        }
    }
}

/// Reads the value of an option.
pub(super) fn value(
    source: &FileText<'_>,
    row: &OptionRow,
    written: &str,
    value: &Spanned<DeValue<'_>>,
) -> Result<FileValue, Error> {
    let texts = match value.get_ref() {
        DeValue::Array(values) if row.is_list() => {
            values.iter().map(|value| text(source, row, value)).collect::<Result<_, _>>()?
        }
        _ => vec![text(source, row, value)?],
    };
    let place = source.place(value.span().start);
    Ok(FileValue { key: row.key, written: written.to_owned(), place, texts })
}

fn text(source: &FileText<'_>, row: &OptionRow, value: &Spanned<DeValue<'_>>) -> Result<(String, WrittenAt), Error> {
    let at = value.span().start;
    let key = row.key;
    let text = match (value.get_ref(), row.kind) {
        (DeValue::Boolean(value), Kind::Flag) => value.to_string(),
        (DeValue::Integer(number), Kind::Number | Kind::Time) => decimal(number),
        (DeValue::String(text), Kind::Choice(choices)) => {
            let known: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            if !known.contains(&text.as_ref()) {
                return Err(source.refuse_unknown(at, key, text, &known));
            }
            text.to_string()
        }
        (DeValue::String(text), Kind::Path) if !is_absolute(row, text) => {
            let cause = format!("{key} {}: not an absolute path", text.escape_debug());
            return Err(source.refuse(at, cause).cure("write it from / on"));
        }
        (DeValue::String(text), Kind::Path | Kind::Text | Kind::Time) => text.to_string(),
        (value, _) => {
            let cause = format!("{key} takes {}, not {}", expected(row), found(value));
            let example = if row.kind == Kind::Flag { "true" } else { &row.value_in_file() };
            return Err(source.refuse(at, cause).cure(format!("write it like {} = {example}", key_of(row))));
        }
    };
    if text.contains('\0') {
        return Err(source.refuse(at, format!("{key}: a byte of value 0 cannot be part of it")));
    }
    Ok((text, source.place(at)))
}

/// The daemon may be started anywhere, and reads the file again elsewhere.
fn is_absolute(row: &OptionRow, text: &str) -> bool {
    let path = if row.key == "log" { logs::parts(text).1 } else { Some(text) };
    path.is_none_or(|path| path.starts_with('/'))
}

/// TOML has numbers to other bases.
fn decimal(number: &DeInteger<'_>) -> String {
    i128::from_str_radix(number.as_str(), number.radix())
        .map_or_else(|_| number.to_string(), |number| number.to_string())
}

fn expected(row: &OptionRow) -> &'static str {
    match (row.kind, row.is_list()) {
        (Kind::Flag, _) => "true or false",
        (Kind::Number, false) => "a number",
        (Kind::Number, true) => "a list of numbers",
        (Kind::Time, _) => "a number of seconds or text",
        (Kind::Choice(_) | Kind::Path | Kind::Text, false) => "text",
        (Kind::Choice(_) | Kind::Path | Kind::Text, true) => "a list of texts",
    }
}

fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
