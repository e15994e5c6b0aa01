//! Postfix's settings, by `postconf`, and the sqlite_table(5) files that they name.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use pop_before_smtp_backends::{self as backends, process};

use crate::check::naming::{Ours, Reference};
use crate::check::restrictions::{LISTS, items, words};
use crate::check::settings::{Parameters, Service, Settings, file_parameters, parameters, services};
use crate::output::error::io_cause;
use crate::postfix::mynetworks;
use crate::postfix::{ask, default_chroot, smtpds};
use crate::saved::regular_file;
use crate::saved::state::beside;

/// What is asked of main.cf besides the restriction lists.
const PARAMETERS: [&str; 8] = [
    "compatibility_level",
    "default_database_type",
    "mail_owner",
    "mail_version",
    "mynetworks",
    "non_bdb_migration_level",
    "proxy_read_maps",
    "smtpd_restriction_classes",
];

/// Most bytes of a sqlite_table(5) file.
const LARGEST: u64 = 64 * 1024;

/// Asks Postfix.
///
/// # Errors
/// Why it does not answer.
pub(crate) fn gather() -> Result<Settings, String> {
    let names: Vec<_> = LISTS.into_iter().chain(PARAMETERS).collect();
    let main = parameters(&ask(&[&["-x"], &names[..]].concat())?);
    let written = parameters(&ask(&names)?);
    let classes = classes(&main, "-x")?;
    let get = |name: &str| main.get(name).map_or("", String::as_str);
    let smtpds = smtpds(&ask(&["-M"])?, default_chroot(get("compatibility_level")));
    let services = services(smtpds, &ask(&["-Px"])?, &mynetworks::parse);
    let types = ask(&["-m"])?.lines().map(|line| line.trim().to_owned()).collect();
    let mynetworks = mynetworks::parse(get("mynetworks"));
    let written = written.into_iter().chain(self::classes(&main, "")?).collect();
    Ok(Settings { main, written, classes, services, types, mynetworks, ..Settings::default() })
}

/// Where Postfix's programs are.
pub(crate) fn directory() -> Option<PathBuf> {
    Some(process::find_postfix("postconf")?.parent()?.to_owned())
}

/// Asks what Postfix takes for the types of Berkeley DB, where our table is said to be of one.
pub(crate) fn redirect(settings: &mut Settings, map: &Path) {
    for kind in ["hash", "btree"] {
        let taken = match backends::redirect(kind, map) {
            Ok(None) => continue,
            Ok(Some(redirect)) => Ok(redirect.kind),
            Err(error) => Err((format!("cannot {}: {}", error.action, error.cause), error.cure.unwrap_or_default())),
        };
        settings.redirects.insert(kind.to_owned(), taken);
    }
}

fn classes(main: &Parameters, how: &str) -> Result<Parameters, String> {
    let names = words(main.get("smtpd_restriction_classes").map_or("", String::as_str));
    if names.is_empty() {
        return Ok(Parameters::new());
    }
    let how = Some(how).filter(|how| !how.is_empty());
    Ok(parameters(&ask(&how.into_iter().chain(names).collect::<Vec<_>>())?))
}

/// Follows the names of tables to their files.
pub(crate) fn follow(settings: &mut Settings, ours: &Ours) {
    let mut files: Vec<(bool, String)> = Vec::new();
    let services = settings.services.iter().map(Some).chain([None]);
    for (service, list) in services.flat_map(|service| LISTS.map(|list| (service, list))) {
        files.extend(tables(settings, service, list));
    }
    if ours.kind == "sqlite" {
        files.push((true, beside(&ours.map, ".cf").display().to_string()));
    }
    files.sort();
    files.dedup();
    let mut paths: Vec<PathBuf> = vec![ours.map.clone()];
    for (is_sqlite, file) in files {
        if is_sqlite && let Some(read) = read(Path::new(&file)) {
            paths.extend(read.as_ref().ok().and_then(|read| read.get("dbpath")).map(PathBuf::from));
            settings.sqlite_files.insert(file.clone(), read);
        }
        paths.push(file.into());
    }
    settings.places = paths.into_iter().filter_map(|path| Some((path.clone(), without_links(&path)?))).collect();
}

/// The tables that a list names: whether one is of type sqlite, and its file.
fn tables(settings: &Settings, service: Option<&Service>, list: &str) -> Vec<(bool, String)> {
    let items = items(list, settings.of(service, list), &settings.classes);
    let file = |table: String| {
        let reference = Reference::parse(&table)?;
        reference.file.starts_with('/').then(|| (reference.kind == "sqlite", reference.file.to_owned()))
    };
    items.into_iter().filter_map(|item| file(item.argument?)).collect()
}

/// `None` if there is no such file.
fn read(path: &Path) -> Option<Result<Parameters, String>> {
    let mut text = String::new();
    match regular_file::open(path).and_then(|file| file.take(LARGEST).read_to_string(&mut text)) {
        Ok(_) => Some(Ok(file_parameters(&text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => Some(Err(io_cause(&error))),
    }
}

/// A path whose directory is named without links; the last part may not exist.
fn without_links(path: &Path) -> Option<PathBuf> {
    Some(fs::canonicalize(path.parent()?).ok()?.join(path.file_name()?))
}
