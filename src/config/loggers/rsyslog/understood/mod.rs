//! Whether rsyslogd, with a configuration, makes something else of every newline in a message of a log. Whatever is not
//! understood may undo it. Pure.
//!
//! It escapes a message when it is received (`SanitizeMsg` of runtime/parser.c: in imuxsock and imjournal always, behind another
//! input where the parser asks for it), for the whole program. So what counts is where messages come from, what may change them,
//! and the template of the log.

use std::path::PathBuf;

use super::{enclosed, goes_to, named, ruleset, uncommented};
use crate::config::loggers::Route;

/// Inputs of this host's own messages, which escape them.
const LOCAL: [&str; 5] = ["imuxsock", "imjournal", "imklog", "immark", "impstats"];

/// Inputs that are judged where they are used.
const OTHERS: [&str; 5] = ["imudp", "imtcp", "imptcp", "imrelp", "imfile"];

/// Templates for files that are built in; none brings a newline back.
const TEMPLATES: [&str; 4] = [
    "rsyslog_fileformat",
    "rsyslog_traditionalfileformat",
    "rsyslog_syslogprotocol23format",
    "rsyslog_sysklogdfileformat",
];

/// Settings of imuxsock that leave the way of a message as it is, or begin so.
const OF_SOCKETS: &str = "load type name socket hostname createpath unlink flowcontrol ignoretimestamp use usesystimestamp \
    usepidfromsystem ignoreownmessages ratelimit.";

/// Older directives that do the same, or begin so.
const DIRECTIVES: &str = "$workdirectory $fileowner $filegroup $filecreatemode $dircreatemode $dirowner $dirgroup $umask \
    $privdropto $createdirs $repeatedmsgreduction $includeconfig $addunixlistensocket $omitlocallogging \
    $systemlogsocketname $systemlogflowcontrol $systemlogratelimit $imuxsockratelimit $klog $imjournal \
    $actionqueue $mainmsgqueue $actionresume $actionfileenablesync $actionsendstreamdriver \
    $actionforwarddefaulttemplate $defaultnetstreamdriver $localhostname $preservefqdn $maxmessagesize \
    $allowedsender $dynafilecachesize $abortonuncleanconfig";

/// Whether a newline in a message of one of its logs never begins a line there; if that is not sure, why. `names` are the paths of
/// the log, `arguments` rsyslogd's own.
pub(crate) fn escapes(configuration: &str, names: &[&str], arguments: &[String]) -> Result<(), String> {
    let is_known = |argument: &&String| ["-n", "-i", "-f", "-C"].iter().any(|known| argument.starts_with(known));
    let is_value = |at: usize| at > 0 && ["-i", "-f"].contains(&&*arguments[at - 1]);
    let unknown = |(at, argument): &(usize, &String)| *at > 0 && !is_value(*at) && !is_known(argument);
    if let Some((_, argument)) = arguments.iter().enumerate().find(unknown) {
        return Err(format!("it was started with {}", argument.escape_debug()));
    }
    let text = without_comments(configuration)?;
    if text.contains('`') {
        return Err("its configuration depends on its environment".to_owned());
    }
    if !leaves_escapes_on(&text) {
        return Err("its configuration switches the escapes".to_owned());
    }
    directives(&text)?;
    objects(&text, names)?;
    mentions(&text, names)
}

/// The files that a configuration is made of, and the directories in which others were looked for.
pub(crate) fn sources(configuration: &str) -> Option<(Vec<PathBuf>, Vec<PathBuf>)> {
    let begins = configuration.lines().filter_map(|line| line.strip_prefix("##### BEGIN CONFIG: "));
    let absolute = |path: &str| path.starts_with('/').then(|| PathBuf::from(path));
    let files: Vec<_> = begins.map(|rest| absolute(rest.strip_suffix(" (put on stack)")?)).collect::<Option<_>>()?;
    let text = without_comments(configuration).ok()?;
    let directive = |line: &str| {
        let (name, pattern) = line.trim().split_once(char::is_whitespace)?;
        name.eq_ignore_ascii_case("$IncludeConfig").then(|| once(pattern.trim()).to_owned())
    };
    let mut patterns: Vec<_> = text.lines().filter_map(directive).collect();
    for rest in named(&text, "include") {
        patterns.push(parameter(&parameters(enclosed(rest, '(', ')')?.0)?, "file")?.to_owned());
    }
    let directory = |pattern: &String| {
        let directory = if pattern.ends_with('/') { &pattern[..] } else { pattern.rsplit_once('/')?.0 };
        (!directory.contains(['*', '?', '[', '{'])).then(|| absolute(directory)).flatten()
    };
    let directories = patterns.iter().map(directory).collect::<Option<_>>()?;
    (!files.is_empty()).then_some((files, directories))
}

/// rsyslogd 8.2302 prints a pattern twice.
fn once(text: &str) -> &str {
    text.split_at_checked(text.len() / 2).filter(|(one, two)| one == two).map_or(text, |(one, _)| one)
}

fn strange(text: &str) -> String {
    let shown: String = text.trim().chars().take(60).collect();
    format!("its configuration has {}", shown.escape_debug())
}

/// Where it is sure what is a comment.
fn without_comments(text: &str) -> Result<String, String> {
    let mut kept = String::new();
    for line in text.lines() {
        let code = uncommented(line);
        let begins_other = code.match_indices("/*").any(|(at, _)| code[..at].trim_end().len() < at || at == 0);
        if begins_other || code.len() < line.len() && code.contains(['\'', '\\']) {
            return Err(strange(line));
        }
        kept.push_str(code);
        kept.push('\n');
    }
    Ok(kept)
}

/// Whether the setting is on wherever it stands.
fn leaves_escapes_on(text: &str) -> bool {
    const SETTING: &str = "escapecontrolcharactersonreceive";
    let lower = text.to_ascii_lowercase();
    lower.match_indices(SETTING).all(|(at, _)| {
        let value = lower[at + SETTING.len()..]
            .trim_start_matches(|char: char| char.is_ascii_whitespace() || "=\"".contains(char));
        value.strip_prefix("on").is_some_and(|rest| !rest.starts_with(|char: char| char.is_ascii_alphanumeric()))
    })
}

/// The lines that begin with `$`.
fn directives(text: &str) -> Result<(), String> {
    for line in text.lines().map(str::trim).filter(|line| line.starts_with('$')) {
        let lower = line.to_ascii_lowercase();
        let (name, value) = lower.split_once(char::is_whitespace).unwrap_or((&lower, ""));
        let value = value.trim();
        let is_known = match name {
            "$escapecontrolcharactersonreceive" => value == "on",
            "$spacelfonreceive" => ["on", "off"].contains(&value),
            "$actionfiledefaulttemplate" => TEMPLATES.contains(&value),
            "$template" | "$outchannel" => !value.starts_with("rsyslog_"),
            "$modload" => is_module(value),
            _ => DIRECTIVES.split_whitespace().any(|known| name.starts_with(known)),
        };
        if !is_known {
            return Err(strange(line));
        }
    }
    Ok(())
}

/// A module that reads what this host logs, is judged elsewhere, or only writes.
fn is_module(name: &str) -> bool {
    let name = name.trim_end_matches(".so").trim_start_matches("builtin:");
    LOCAL.contains(&name) || OTHERS.contains(&name) || name.starts_with("om")
}

/// What stands in parentheses behind one of the names that begin a statement.
fn objects(text: &str, names: &[&str]) -> Result<(), String> {
    for name in ["parser", "global", "module", "input", "action", "ruleset", "template", "include"] {
        for rest in named(text, name) {
            let refuse = || strange(&format!("{name}{rest}"));
            let (object, _) = enclosed(rest, '(', ')').ok_or_else(refuse)?;
            let given = parameters(object).ok_or_else(refuse)?;
            let value = |key: &str| parameter(&given, key).unwrap_or_default().to_ascii_lowercase();
            let has_all = |is_known: &dyn Fn(&str, &str) -> bool| given.iter().all(|(key, value)| is_known(key, value));
            let of_sockets = |kind: &str| {
                let known = |key: &str| {
                    let key = key.strip_prefix("syssock.").unwrap_or(key);
                    OF_SOCKETS
                        .split_whitespace()
                        .any(|known| key == known || known.ends_with('.') && key.starts_with(known))
                };
                kind != "imuxsock" || has_all(&|key, _| known(key))
            };
            let is_understood = match name {
                "global" => has_all(&|key, value| match key {
                    "parser.escapecontrolcharactersonreceive" => value.eq_ignore_ascii_case("on"),
                    "parser.spacelfonreceive" => true,
                    _ => !key.starts_with("parser.") && !key.starts_with("oversizemsg."),
                }),
                "module" => {
                    let (kind, template) = (value("load"), value("template"));
                    is_module(&kind) && of_sockets(&kind) && (template.is_empty() || TEMPLATES.contains(&&*template))
                }
                "input" => match &*value("type") {
                    kind if LOCAL.contains(&kind) => of_sockets(kind),
                    kind => OTHERS.contains(&kind) && is_kept_apart(text, parameter(&given, "ruleset"), names),
                },
                "action" => value("type").starts_with("om"),
                "ruleset" => has_all(&|key, _| key == "name" || key.starts_with("queue.")),
                "template" => !value("name").starts_with("rsyslog_"),
                "include" => has_all(&|key, _| ["file", "mode"].contains(&key)),
                _ => false,
            };
            if !is_understood {
                return Err(refuse());
            }
        }
    }
    Ok(())
}

/// Whether what such an input brings goes to a ruleset that does not write the log.
fn is_kept_apart(text: &str, name: Option<&str>, names: &[&str]) -> bool {
    let block = name.and_then(|name| ruleset(text, name));
    block.is_some_and(|block| names.iter().all(|log| goes_to(block, log) == Route::Elsewhere))
}

/// The log must be named where it is written, and each time with a template that is built in.
fn mentions(text: &str, names: &[&str]) -> Result<(), String> {
    let mut written = false;
    for name in names {
        let is_name = |at: &usize| {
            let end = text[at + name.len()..].chars().next();
            let start = text[..*at].chars().next_back();
            !start.is_some_and(|char| char == '/' || char.is_ascii_alphanumeric())
                && !end.is_some_and(|char| char.is_ascii_alphanumeric() || "/._-%".contains(char))
        };
        for at in text.match_indices(name).map(|(at, _)| at).filter(is_name) {
            let action = action_around(text, at);
            let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            let rest = text[at + name.len()..].lines().next().unwrap_or_default().trim_end();
            let is_understood = match action.and_then(parameters) {
                Some(given) => {
                    let template = parameter(&given, "template").unwrap_or("RSYSLOG_FileFormat").to_ascii_lowercase();
                    parameter(&given, "type") == Some("omfile")
                        && parameter(&given, "file") == Some(name)
                        && TEMPLATES.contains(&&*template)
                }
                None => {
                    let template = rest.strip_prefix(';').map(|template| template.trim().to_ascii_lowercase());
                    let in_front = text[line..at].trim_end_matches('-');
                    let is_action =
                        in_front.ends_with(char::is_whitespace) && !in_front.contains(['"', '\'', '(', '$']);
                    is_action && template.map_or(rest.is_empty(), |template| TEMPLATES.contains(&&*template))
                }
            };
            if !is_understood {
                return Err(strange(text[line..].lines().next().unwrap_or_default()));
            }
            written = true;
        }
    }
    if written { Ok(()) } else { Err("its configuration does not name it".to_owned()) }
}

/// What stands in the parentheses of the `action` that holds the place.
fn action_around(text: &str, at: usize) -> Option<&str> {
    let objects = named(text, "action").filter_map(|rest| enclosed(rest, '(', ')'));
    let place = text.as_ptr().addr() + at;
    objects.map(|(object, _)| object).find(|object| {
        let start = object.as_ptr().addr();
        (start..start + object.len()).contains(&place)
    })
}

/// Each `KEY="VALUE"`, keys in lower case and each once; `None` if there is anything else.
fn parameters(object: &str) -> Option<Vec<(String, String)>> {
    let (mut found, mut rest) = (Vec::new(), object.trim_start());
    while !rest.is_empty() {
        let (key, value) = rest.split_once('=')?;
        let key = key.trim();
        let is_key = !key.is_empty() && key.chars().all(|char| char.is_ascii_alphanumeric() || "._".contains(char));
        let (value, behind) = value.trim_start().strip_prefix('"')?.split_once('"')?;
        if !is_key || value.contains('\\') && !key.eq_ignore_ascii_case("string") {
            return None;
        }
        let key = key.to_ascii_lowercase();
        if found.iter().any(|(known, _)| *known == key) {
            return None;
        }
        found.push((key, value.to_owned()));
        rest = behind.trim_start().trim_start_matches(',').trim_start();
    }
    Some(found)
}

/// The value of a key.
fn parameter<'g>(given: &'g [(String, String)], key: &str) -> Option<&'g str> {
    given.iter().find(|(known, _)| known == key).map(|(_, value)| &value[..])
}

#[cfg(test)]
mod tests;
