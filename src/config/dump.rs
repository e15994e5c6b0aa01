//! `--dump-config`: all settings as a configuration file that makes the same again, each with where it was said.

use std::ffi::OsStr;
use std::fmt::Write as _;

use toml::Value as Toml;

use crate::config::config_file::{Custom, MATCHER};
use crate::config::logs::{self, Logs};
use crate::config::options::Options;
use crate::config::settings::{Kind, Origin, Setting, Value};
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
    for value in &options.given.values {
        let (assignment, origin) = (assignment(options, &live, value)?, origin(&value.origin));
        // Cannot fail: a string takes everything.
        let _ = match &value.origin {
            Origin::Default if value.setting.key == MATCHER => {
                writeln!(out, "{assignment}  # {origin}{}; now {}", meaning(&value.setting), found(options, &live))
            }
            Origin::Default => writeln!(out, "{assignment}  # {origin}{}", meaning(&value.setting)),
            _ => writeln!(out, "{assignment}  # {origin}"),
        };
    }
    options.given.file.matchers.iter().for_each(|custom| matcher(&mut out, custom));
    Ok(out)
}

/// `KEY = VALUE`; a comment if the setting has no value and is no list.
fn assignment(options: &Options, live: &Live, value: &Value) -> Result<String, Error> {
    let setting = &value.setting;
    let unset = value.texts.is_empty();
    let values = match setting.key.as_str() {
        "log" if unset => default_logs(options),
        "publish-interval" if unset => vec![time(live.policy.publish_interval)],
        _ => value.texts.iter().map(|text| toml(options, setting, text)).collect::<Result<_, _>>()?,
    };
    let key = setting.key_in_file();
    Ok(match values.first() {
        _ if setting.list => format!("{key} = [{}]", join(&values)),
        Some(value) => format!("{key} = {value}"),
        None => format!("# {key} ="),
    })
}

fn join(values: &[Toml]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The log that is followed if none is named; none if naming it would mean something else.
fn default_logs(options: &Options) -> Vec<Toml> {
    let journal = &options.journal;
    if !(journal.journal_unit.is_empty() && journal.journal_uid.is_empty() && journal.journal_exe.is_empty()) {
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
    let names: Vec<_> = found.used.iter().map(|(matcher, _)| matcher.name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn time(time: std::time::Duration) -> Toml {
    match time.as_millis() {
        millis if millis % 1000 == 0 => format!("{}s", millis / 1000).into(),
        millis => format!("{millis}ms").into(),
    }
}

fn toml(options: &Options, setting: &Setting, text: &OsStr) -> Result<Toml, Error> {
    let text = text.to_str().ok_or_else(|| not_utf8(setting, text))?;
    Ok(match setting.kind {
        Kind::Flag => Toml::Boolean(text == "true"),
        Kind::Number | Kind::Time => text.parse().map_or_else(|_| Toml::from(text), Toml::Integer),
        Kind::Path => Toml::from(path(options, setting, text)?),
        Kind::Choice(_) | Kind::Text => Toml::from(text),
    })
}

/// From `/` on.
fn path(options: &Options, setting: &Setting, text: &str) -> Result<String, Error> {
    let (means, path) = if setting.key == "log" { logs::parts(text) } else { ("", Some(text)) };
    let Some(path) = path else { return Ok(text.to_owned()) };
    let path = config::absolute(options, &format!("--{}", setting.key), path.as_ref())?;
    let path = path.to_str().ok_or_else(|| not_utf8(setting, path.as_os_str()))?;
    Ok(format!("{means}{path}"))
}

fn not_utf8(setting: &Setting, text: &OsStr) -> Error {
    let action = format!("print --{} {}", setting.key, escape::printable(text.as_encoded_bytes()));
    Error::new(Exit::Config, action, "it is not UTF-8, and TOML is")
}

/// What a default means that is no value: as `--help` has it.
fn meaning(setting: &Setting) -> String {
    let text = setting.help.split_once("[default: ").and_then(|(_, rest)| rest.strip_suffix(']'));
    match text {
        Some(text) => format!(": {text}"),
        None if setting.default.is_none() && !setting.list => ": not set".to_owned(),
        None => String::new(),
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
