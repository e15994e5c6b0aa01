//! `check`: looks for what keeps logins from becoming permissions, or lets strangers relay. Changes nothing.
//!
//! `gather` asks Postfix, the file system and the kernel once; every other module judges one subject by the facts alone.

mod crowd;
mod daemons;
mod files;
mod finding;
mod gather;
mod guards;
mod log;
mod loggers;
mod lookup;
mod naming;
mod probe;
mod relay;
mod restrictions;
mod servers;
mod settings;
mod share;
mod writer;

use std::fs;
use std::path::Path;

use self::finding::{Finding, Level};
use self::log::Log;
use self::loggers::Followed;
use self::naming::Ours;
use self::servers::InUse;
use self::settings::Settings;
use self::writer::Writer;
use crate::cli::option;
use crate::commands::inspect;
use crate::config::loggers::{Kind, facts, finder};
use crate::config::logs::Logs;
use crate::config::options::{Options, Origin};
use crate::config::servers::{Choice, Servers};
use crate::config::{self, Table};
use crate::matcher::{ALL, Matchers};
use crate::output::color::Color;
use crate::output::error::Error;
use crate::postfix::mynetworks;
use crate::time::Now;

/// Exit code of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Well = 0,
    /// There are warnings.
    Warnings = 1,
    /// There is an error (`EX_CONFIG`).
    Errors = 78,
}

/// Prints a line for each finding. With `probe`, asks the table as Postfix does, and gives up root's rights for that.
///
/// # Errors
/// The options are wrong, or nothing can be printed.
pub fn run(options: &Options, probe: bool) -> Result<Verdict, Error> {
    let findings = findings(options, probe)?;
    let paint = Color::stdout();
    let line = |finding: &Finding| {
        let word = match finding.level {
            Level::Ok => paint.good(finding.word()).to_string(),
            Level::Warning => paint.strong(finding.word()).to_string(),
            Level::Error => paint.bad(finding.word()).to_string(),
        };
        format!("{word}: {}\n", finding.sentence())
    };
    inspect::print(&findings.iter().map(line).collect::<String>())?;
    Ok(match findings.iter().map(|finding| finding.level).max() {
        Some(Level::Error) => Verdict::Errors,
        Some(Level::Warning) => Verdict::Warnings,
        Some(Level::Ok) | None => Verdict::Well,
    })
}

fn findings(options: &Options, probe: bool) -> Result<Vec<Finding>, Error> {
    let table = config::table(options)?;
    config::never_published(options)?;
    let mut findings = Vec::new();
    findings.extend(other_settings(options));
    let (settings, ours) = postfix(&table, config::skips_mynetworks(options), &mut findings);
    let owner = settings.as_ref().map_or("postfix", |settings| settings.main("mail_owner"));
    let reader = gather::users::named(owner);
    let is_proxied = settings.as_ref().is_some_and(|settings| lookup::is_proxied(settings, &ours));
    let read_unprivileged = ours.kind == "sqlite" || is_proxied;

    let listed = gather::processes::list(&table, &ours.file());
    let control = config::control(options)?;
    let daemons = gather::processes::gather(&ours.map, &ours.file(), listed.as_ref(), &control);
    let writer = gather::writer::gather(&ours, daemons.holder.flatten(), options.said(option!("user")));
    let files = gather::files::gather(&ours, reader.clone(), writer.user.clone(), read_unprivileged);
    findings.extend(value(&table));
    findings.extend(
        options
            .said(option!("user"))
            .filter(|name| gather::users::named(name).is_none())
            .map(|name| Finding::error(format!("there is no user {name}"), "create it, or name another with --user")),
    );
    findings.extend(writer::judge(&writer, gather::users::ourselves().uid));
    findings.extend(files::judge(&files));
    findings.extend(daemons::judge(&daemons, &table));
    let (logs, chosen, about_logs) = logs(options, &writer)?;
    findings.extend(about_logs);
    findings.extend(transports(options, &chosen, &logs));
    if let Some(settings) = settings.as_ref().filter(|_| config::skips_mynetworks(options)) {
        findings.extend(skipped_networks(settings));
    }
    findings.extend(guards::judge(&gather::guards::gather(Path::new("/")), &ours));
    findings.extend(share::judge(options, || gather::processes::status(&control, &ours.map))?);
    if probe {
        let listed = listed.and_then(Result::ok).unwrap_or_default();
        let reader = reader.as_ref().filter(|_| read_unprivileged);
        findings.extend(probe::judge(&gather::probe::gather(&ours.name(), &listed, reader, Now::read().wall)));
    }
    Ok(findings)
}

/// Settings of a daemon that the command line says nothing of: what is found may concern another table.
fn other_settings(options: &Options) -> Option<Finding> {
    let is_said = |key: &str| options.value(key).is_some_and(|value| value.origin != Origin::Default);
    let is_chosen = is_said("config") || is_said("map");
    (!is_chosen && Path::new(PACKAGED).exists()).then(|| {
        let text = format!("this is about a daemon without --config, and there is a file {PACKAGED}");
        Finding::warning(text, format!("if it is the daemon's, type: pop-before-smtp check --config {PACKAGED}"))
    })
}

/// Where the packages have the daemon's configuration file.
const PACKAGED: &str = "/etc/pop-before-smtp.toml";

/// What concerns the logs, read by the daemon's user, and the clock.
fn logs(options: &Options, reader: &Writer) -> Result<(Vec<Log>, Matchers, Vec<Finding>), Error> {
    let choice = config::matchers(options)?;
    let now = Now::read().wall;
    Logs::chosen(options)?;
    let logs = match Logs::new(options) {
        Ok(logs) => logs,
        Err(error) => {
            let finding = Finding::error(error, "see --log in pop-before-smtp --help");
            return Ok((Vec::new(), choice.of_any_host(), vec![finding]));
        }
    };
    let (chosen, servers) = choice.look(&logs, None);
    let all = Choice::new(None, options.file.custom(), config::said_of_newlines(options) == Some(true)).of_any_host();
    let choice = gather::logs::Choice { chosen: &chosen, all: &all };
    let mut findings: Vec<_> = servers.iter().flat_map(found).collect();
    let patterns: Vec<_> = logs.patterns.iter().map(|(pattern, _)| pattern.as_str()).collect();
    let mut logs = gather::logs::gather(&logs, choice, now);
    if servers.is_some() {
        // Those that are not used have been told, and why not.
        logs.iter_mut().filter_map(|log| log.read.as_mut().ok()).for_each(|sample| sample.unchosen.clear());
    }
    if logs.is_empty() && !patterns.is_empty() {
        let text = format!("no log has the name {}", patterns.join(" or "));
        findings.push(Finding::warning(text, "name the file that your POP3 or IMAP server logs to with --log"));
        return Ok((logs, chosen, findings));
    }
    findings.extend(logs.iter().flat_map(|log| log::judge(log, Some(reader))));
    findings.extend(log::clock(now, &logs));
    Ok((logs, chosen, findings))
}

/// What concerns those who write the logs: the syslog daemon, and the settings of servers.
fn transports(options: &Options, chosen: &Matchers, logs: &[Log]) -> Vec<Finding> {
    let files: Vec<_> = logs.iter().filter_map(|log| Some((log.name.as_str(), &*log.path.last()?.path))).collect();
    let (loggers, servers) = (
        facts::gather(files.iter().copied(), &[Kind::Rsyslog, Kind::SyslogNg]),
        gather::servers::gather(Path::new("/etc")),
    );
    let samples = logs.iter().filter_map(|log| log.read.as_ref().ok());
    let in_use = InUse {
        // Whoever wants all of them means none of them.
        named: if options.texts(option!("matcher")).iter().any(|name| name == ALL) {
            Vec::new()
        } else {
            chosen.names().collect()
        },
        seen: samples.flat_map(|sample| sample.survey.logins.keys().map(String::as_str)).collect(),
    };
    let followed = Followed {
        files: files.iter().map(|(name, _)| *name).collect(),
        places: files.iter().filter_map(|(name, path)| finder::file(name, path)).collect(),
        has_journal_directory: options.path(option!("journal-directory")).is_some()
            && logs.iter().any(|log| log.path.is_empty()),
        newline_writers: servers::newline_writers(&servers, &in_use),
        said: config::said_of_newlines(options),
    };
    let mut findings = loggers::judge(&loggers, &followed);
    findings.extend(loggers::judge_nginx(&loggers, &followed, &servers.nginx_logs));
    findings.extend(servers::judge(&servers, &in_use));
    findings
}

/// What concerns the servers that this host has, where no matcher is named.
fn found(servers: &Servers) -> Vec<Finding> {
    let used = match servers.is_empty() {
        true => {
            let (text, cure) = servers.nothing();
            Finding::warning(text, cure)
        }
        false => Finding::ok(servers.summary()),
    };
    let unused = servers.unused.iter().map(|unused| {
        let (text, cure) = servers.notice(unused);
        Finding::warning(text, cure)
    });
    [used].into_iter().chain(unused).collect()
}

/// What concerns Postfix's settings, and the settings.
fn postfix(table: &Table, skips_mynetworks: bool, findings: &mut Vec<Finding>) -> (Option<Settings>, Ours) {
    match gather::postfix::gather() {
        Ok(mut settings) => {
            findings.extend(gather::postfix::directory().map(|directory| {
                let version = settings.main("mail_version");
                Finding::ok(format!("Postfix is version {version}, with its programs in {}", directory.display()))
            }));
            gather::postfix::redirect(&mut settings, &table.options.map);
            let ours = Ours::new(table, &settings);
            gather::postfix::follow(&mut settings, &ours);
            findings.extend(lookup::judge(&settings, &ours, (table.driver.restarts_readers)(&table.options)));
            let is_absent = |file: &Path| fs::exists(file).is_ok_and(|is_there| !is_there);
            findings.extend(relay::judge(&settings, &ours, skips_mynetworks, &is_absent));
            (Some(settings), ours)
        }
        Err(why) => {
            findings.push(Finding::error(
                format!("cannot ask Postfix for its settings: {why}"),
                "install Postfix, mend what postconf says, or name its configuration with MAIL_CONFIG=DIRECTORY",
            ));
            (None, Ours::new(table, &Settings::default()))
        }
    }
}

/// A text of one's own in the table must permit.
fn value(table: &Table) -> Option<Finding> {
    let value = table.options.value.as_deref().filter(|value| !restrictions::grants(value))?;
    let text = format!("--value {value} permits nothing, unless it is the name of a restriction that does (access(5))");
    Some(Finding::warning(text, "leave it out, or give --value OK"))
}

fn skipped_networks(settings: &Settings) -> Vec<Finding> {
    let left_out = settings.mynetworks.skipped().iter().map(|skipped| {
        let text = format!("--skip-mynetworks leaves out {skipped}");
        Finding::warning(text, "clients in it are published; name networks in mynetworks, or use --skip-networks")
    });
    let summary = Finding::ok(format!("not published: {}", mynetworks::summary(&settings.mynetworks)));
    left_out.chain([summary]).collect()
}
