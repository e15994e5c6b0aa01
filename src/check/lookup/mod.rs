//! Whether Postfix can ask the table as it is named: type, chroot, proxymap, Berkeley DB. Pure.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::naming::{Naming, Ours, Reference, query_flaw};
use super::restrictions::{LISTS, items, words};
use super::settings::{Service, Settings, WhereSet};
use crate::output::shell;
use crate::saved::state::beside;

/// Everything about the table's name in Postfix's settings. `whole_files` says that each publish replaces the file.
pub(crate) fn judge(settings: &Settings, ours: &Ours, whole_files: bool) -> Vec<Finding> {
    let mut findings = vec![supported(settings, ours)];
    let uses = uses(settings, ours);
    findings.extend(berkeley_db(settings, ours, &uses));
    findings.extend(uses.iter().filter_map(|found| mistaken(settings, ours, found)));
    if ours.kind == "sqlite" {
        findings.push(sqlite_file(settings, ours));
        findings.extend(chrooted(settings, &uses));
    } else if whole_files {
        findings.extend(uses.iter().filter(|found| found.table.starts_with("proxy:")).map(|found| {
            let table = found.table.trim_start_matches("proxy:");
            let text = format!("{} makes smtpd wait for proxymap each time the table is replaced", found.table);
            Finding::warning(text, found.replaced(settings, table))
        }));
    }
    findings.extend(proxied(settings, &uses));
    let mut seen = BTreeSet::new();
    findings.retain(|finding| seen.insert(finding.to_string()));
    findings
}

/// Whether some smtpd asks proxymap for our table.
pub(crate) fn is_proxied(settings: &Settings, ours: &Ours) -> bool {
    uses(settings, ours).iter().any(|found| found.table.starts_with("proxy:"))
}

/// Our table, named in a restriction of a service.
struct Use<'a> {
    service: &'a Service,
    place: WhereSet<'a>,
    parameter: String,
    table: String,
    naming: Naming,
}

impl Use<'_> {
    /// The line with another name for the table.
    fn replaced(&self, settings: &Settings, table: &str) -> String {
        let value = match self.place.service {
            None => words(settings.editable(&self.parameter, &[&self.table])),
            Some(_) => words(settings.of(Some(self.service), &self.parameter)),
        };
        let place = WhereSet { parameter: &self.parameter, ..self.place };
        let new: Vec<_> = value.iter().map(|word| if *word == self.table { table } else { word }).collect();
        if new == value { format!("write {table} in its place") } else { place.set(&new) }
    }
}

fn uses<'a>(settings: &'a Settings, ours: &Ours) -> Vec<Use<'a>> {
    let mut uses = Vec::new();
    for service in &settings.services {
        for parameter in LISTS {
            let overriding = service.overrides.contains_key(parameter);
            let place = WhereSet { parameter, service: overriding.then_some(service.smtpd.name.as_str()) };
            for item in items(parameter, settings.of(Some(service), parameter), &settings.classes) {
                let Some(table) = item.argument else { continue };
                let naming = ours.naming(&table, settings);
                if naming != Naming::Foreign {
                    uses.push(Use { service, place, parameter: item.parameter, table, naming });
                }
            }
        }
    }
    uses
}

fn supported(settings: &Settings, ours: &Ours) -> Finding {
    let kind = &ours.kind;
    if let Some(Err((why, cure))) = settings.redirects.get(&ours.asked) {
        return Finding::error(why, cure);
    }
    if settings.types.contains(kind) {
        return Finding::ok(format!("Postfix knows the table type {kind} (postconf -m)"));
    }
    let cure = match kind.as_str() {
        "lmdb" | "sqlite" | "cdb" => {
            format!("install it (Debian: apt-get install postfix-{kind}), or choose another --backend or --map-type")
        }
        "hash" | "btree" => "choose --backend lmdb or --map-type lmdb".to_owned(),
        _ => "choose another --map-type, of those that postconf -m prints".to_owned(),
    };
    Finding::error(format!("Postfix does not know the table type {kind} (postconf -m)"), cure)
}

/// Postfix 3.11 can take another type for Berkeley DB's (NON_BERKELEYDB_README), which some systems have no more.
fn berkeley_db(settings: &Settings, ours: &Ours, uses: &[Use<'_>]) -> Vec<Finding> {
    let level = settings.main("non_bdb_migration_level");
    let asked = &ours.asked;
    let mut findings = Vec::new();
    if *asked != ours.kind {
        let text = format!(
            "Postfix takes {} for {asked} (non_bdb_migration_level = {level}), and so does the daemon",
            ours.kind
        );
        findings.push(Finding::warning(text, format!("give --map-type {}", ours.kind)));
    } else if matches!(asked.as_str(), "hash" | "btree")
        && settings.types.contains(asked)
        && !settings.redirects.contains_key(asked)
        && settings.version() >= Some((3, 11))
    {
        let text = format!("{asked} is a type of Berkeley DB, which Postfix prepares to leave (NON_BERKELEYDB_README)");
        let cure = format!("give --backend lmdb, and write lmdb:{} in main.cf", ours.map.display());
        findings.push(Finding::warning(text, cure));
    }
    let redirected = uses.iter().filter(|found| found.naming == Naming::Ours).filter_map(|found| {
        let reference = Reference::parse(&found.table)?;
        let taken = Some(settings.taken(reference.kind)).filter(|taken| *taken != reference.kind)?;
        let text = format!(
            "{} asks {}: Postfix takes {taken} for it (non_bdb_migration_level = {level})",
            found.place.name(),
            found.table
        );
        Some(Finding::warning(text, found.replaced(settings, &ours.name_for(reference.proxied))))
    });
    findings.extend(redirected);
    findings
}

fn mistaken(settings: &Settings, ours: &Ours, found: &Use<'_>) -> Option<Finding> {
    let Naming::Mistaken(why) = &found.naming else { return None };
    let proxied = found.table.starts_with("proxy:") || (ours.kind == "sqlite" && found.service.smtpd.chrooted);
    let text = format!("{} asks {}: {why}", found.place.name(), found.table);
    let cure = if ours.kind == "sqlite" && why.contains("dbpath") {
        let file = beside(&ours.map, ".cf");
        format!("write dbpath = {} in {}", beside(&ours.map, ".sqlite").display(), file.display())
    } else {
        found.replaced(settings, &ours.name_for(proxied))
    };
    Some(Finding::error(text, cure))
}

fn sqlite_file(settings: &Settings, ours: &Ours) -> Finding {
    let file = beside(&ours.map, ".cf");
    let ask = format!(
        "pop-before-smtp postfix-config --backend sqlite --map {}",
        shell::argument(&ours.map.display().to_string())
    );
    let name = file.display().to_string();
    // The file may have another name, and lead to our table all the same.
    let leads = |(path, read): (&String, &Result<_, String>)| {
        let table = format!("sqlite:{path}");
        (read.is_ok() && ours.naming(&table, settings) == Naming::Ours).then(|| path.clone())
    };
    let used = settings.sqlite_files.iter().find_map(leads).unwrap_or(name);
    match settings.sqlite_files.get(&used) {
        None => Finding::error(
            format!("there is no {used}"),
            format!("write into it the second part of what '{ask}' prints"),
        ),
        Some(Err(why)) => Finding::error(
            format!("cannot read {used}: {why}"),
            format!("write into it the second part of what '{ask}' prints"),
        ),
        Some(Ok(read)) => match query_flaw(read) {
            None => Finding::ok(format!("{used} leads to {} and asks the right question", ours.file().display())),
            Some(flaw) => Finding::error(format!("{used}: {flaw}"), format!("take the query that '{ask}' prints")),
        },
    }
}

/// A process in a jail cannot open an SQLite database that is in use.
fn chrooted(settings: &Settings, uses: &[Use<'_>]) -> Vec<Finding> {
    let jailed = |found: &&Use<'_>| found.service.smtpd.chrooted && !found.table.starts_with("proxy:");
    let judged = uses.iter().filter(jailed).map(|found| {
        let name = &found.service.smtpd.name;
        let text = format!("{name} runs chrooted (postconf -M), where it cannot ask {}", found.table);
        Finding::error(text, found.replaced(settings, &format!("proxy:{}", found.table)))
    });
    judged.collect()
}

/// Proxymap answers for the tables in proxy_read_maps alone.
fn proxied(settings: &Settings, uses: &[Use<'_>]) -> Vec<Finding> {
    let approved = words(settings.main("proxy_read_maps"));
    let judged = uses.iter().filter(|found| found.table.starts_with("proxy:")).map(|found| {
        if approved.contains(&found.table.as_str()) {
            return Finding::ok(format!("proxy_read_maps holds {}", found.table));
        }
        let by_reference = Reference::parse(&found.table).map_or("", |reference| reference.file);
        Finding::error(
            format!("proxymap does not answer for {by_reference}: proxy_read_maps does not hold {}", found.table),
            format!("postconf -e \"proxy_read_maps = {} $(postconf -h proxy_read_maps)\"", found.table),
        )
    });
    judged.collect()
}

#[cfg(test)]
mod tests;
