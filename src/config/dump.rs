//! `--dump-config`: all settings as a configuration file that makes the same again, each with where it was said.

use std::ffi::OsStr;
use std::fmt::Write as _;

use toml::Value as Toml;

use crate::cli::{Kind, OptionRow, Preset};
use crate::config::config_file::{self, Custom, MATCHER};
use crate::config::logs::{self, Logs};
use crate::config::options::{Options, Origin, Value};
use crate::config::{self, Live};
use crate::output::error::{Error, Exit};
use crate::output::escape;
use crate::source::Log;

/// The settings in TOML.
///
/// # Errors
/// They cannot be used, or hold what TOML cannot.
pub fn settings(options: &Options) -> Result<String, Error> {
    let live = config::check(options, None)?;
    let mut out = String::new();
    for value in options.values.iter().filter(|value| value.row.is_in_file()) {
        let (assignment, origin) = (assignment(options, &live, value)?, origin(&value.origin));
        // Cannot fail: a string takes everything.
        let _ = match &value.origin {
            Origin::Default if value.row.key == MATCHER => {
                writeln!(out, "{assignment}  # {origin}{}; now {}", meaning(value.row), found(options, &live))
            }
            Origin::Default => writeln!(out, "{assignment}  # {origin}{}", meaning(value.row)),
            _ => writeln!(out, "{assignment}  # {origin}"),
        };
    }
    options.file.matchers.iter().for_each(|custom| matcher(&mut out, custom));
    Ok(out)
}

/// `KEY = VALUE`; a comment if the setting has no value and is no list.
fn assignment(options: &Options, live: &Live, value: &Value) -> Result<String, Error> {
    let row = value.row;
    let unset = value.texts.is_empty();
    let values = match row.key {
        "log" if unset => default_logs(options),
        "publish-interval" if unset => vec![time(live.policy.publish_interval)],
        _ => value.texts.iter().map(|text| toml(options, row, text)).collect::<Result<_, _>>()?,
    };
    let key = config_file::key_of(row);
    Ok(match values.first() {
        _ if row.is_list() => format!("{key} = [{}]", join(&values)),
        Some(value) => format!("{key} = {value}"),
        None => format!("# {key} ="),
    })
}

fn join(values: &[Toml]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The log that is followed if none is named; none if naming it would mean something else.
fn default_logs(options: &Options) -> Vec<Toml> {
    if logs::journal_option(options).is_some() {
        return Vec::new();
    }
    let path = |log: Log| match log {
        Log::File(path, _) => path.to_str().map(Toml::from),
        Log::Journal(_) | Log::Stdin => None,
    };
    Logs::new(options).unwrap_or_default().named.into_iter().filter_map(path).collect()
}

/// The matchers that are used if none is named: naming them would fix them.
fn found(options: &Options, live: &Live) -> String {
    let logs = Logs::new(options).unwrap_or_default();
    let found = live.matchers.look(&logs, None).1.unwrap_or_default();
    let names: Vec<_> = found.used.iter().map(|(matcher, _)| matcher.name()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn time(time: std::time::Duration) -> Toml {
    match time.as_millis() {
        millis if millis % 1000 == 0 => format!("{}s", millis / 1000).into(),
        millis => format!("{millis}ms").into(),
    }
}

fn toml(options: &Options, row: &OptionRow, text: &OsStr) -> Result<Toml, Error> {
    let text = text.to_str().ok_or_else(|| not_utf8(row, text))?;
    Ok(match row.kind {
        Kind::Flag => Toml::Boolean(text == "true"),
        Kind::Number | Kind::Time => text.parse().map_or_else(|_| Toml::from(text), Toml::Integer),
        Kind::Path => Toml::from(path(options, row, text)?),
        Kind::Choice(_) | Kind::Text => Toml::from(text),
    })
}

/// From `/` on.
fn path(options: &Options, row: &OptionRow, text: &str) -> Result<String, Error> {
    let (means, path) = if row.key == "log" { logs::parts(text) } else { ("", Some(text)) };
    let Some(path) = path else { return Ok(text.to_owned()) };
    let path = config::absolute(options, &format!("--{}", row.key), path.as_ref())?;
    let path = path.to_str().ok_or_else(|| not_utf8(row, path.as_os_str()))?;
    Ok(format!("{means}{path}"))
}

fn not_utf8(row: &OptionRow, text: &OsStr) -> Error {
    let action = format!("print --{} {}", row.key, escape::printable(text.as_encoded_bytes()));
    Error::new(Exit::Config, action, "it is not UTF-8, and TOML is")
}

/// What a default means that is no value.
fn meaning(row: &OptionRow) -> String {
    match row.default {
        Preset::Found(text) => format!(": {text}"),
        Preset::Nothing if row.default_value().is_none() && !row.is_list() => ": not set".to_owned(),
        Preset::Nothing | Preset::Value(_) => String::new(),
    }
}

/// On one line, whatever the file is called.
fn origin(origin: &Origin) -> String {
    escape::printable(origin.to_string().as_bytes()).to_string()
}

fn matcher(out: &mut String, custom: &Custom) {
    let place = origin(&Origin::File(custom.place.clone()));
    let _ = writeln!(out, "\n[[matcher]]  # {place}");
    for (key, text) in custom.texts() {
        let _ = writeln!(out, "{key} = {}", Toml::from(text));
    }
    let programs: Vec<_> = custom.programs().iter().map(|program| Toml::from(program.as_str())).collect();
    let _ = writeln!(out, "programs = [{}]", join(&programs));
}
