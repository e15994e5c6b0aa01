//! Files that a link stood for between two of which it was seen. Names tell: `mail-20261121.log` was the log between
//! `mail-20261120.log` and `mail-20261122.log`.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// Paths between two that differ in the numbers of one component, in their order: of files that have the new one's owner, and
/// were written last between the two. `since` is the old file.
pub(super) fn between(old: &Path, since: &Metadata, new: &Path) -> Vec<PathBuf> {
    let (Some((directory, old, rest)), Ok(last)) = (differing(old, new), fs::metadata(new)) else { return Vec::new() };
    let Some(present) = new.strip_prefix(&directory).ok().and_then(|new| new.iter().next()) else { return Vec::new() };
    let Ok(entries) = fs::read_dir(&directory) else { return Vec::new() };
    let mut found: Vec<(Vec<u64>, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((place_between(old, present, &entry.file_name())?, entry.path())))
        .map(|(place, path)| (place, if rest.as_os_str().is_empty() { path } else { path.join(&rest) }))
        .filter(|(_, path)| fs::symlink_metadata(path).is_ok_and(|file| is_between(since, &file, &last)))
        .collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

/// What two paths have in common in front of the one component in which they differ, that one of the first, and what they
/// have in common behind it.
fn differing<'p>(one: &'p Path, other: &Path) -> Option<(PathBuf, &'p OsStr, PathBuf)> {
    let same = one.components().zip(other.components()).take_while(|(one, other)| one == other).count();
    let mut behind = one.components().skip(same);
    let Some(Component::Normal(component)) = behind.next() else { return None };
    let rest: PathBuf = behind.collect();
    let is_alike = other.components().skip(same + 1).collect::<PathBuf>() == rest;
    let directory = one.components().take(same).collect();
    (is_alike && other.components().nth(same).is_some()).then_some((directory, component, rest))
}

fn is_between(since: &Metadata, file: &Metadata, last: &Metadata) -> bool {
    let written = |file: &Metadata| file.modified().ok();
    file.is_file() && file.uid() == last.uid() && written(file) >= written(since) && written(file) <= written(last)
}

/// Where a name stands between two, which are the same but for numbers. A number that is the same in both is no date, and
/// has to be so in it, too.
fn place_between(old: &OsStr, new: &OsStr, name: &OsStr) -> Option<Vec<u64>> {
    let [(text, old), (new_text, new), (own_text, place)] =
        [numbers(old.as_bytes())?, numbers(new.as_bytes())?, numbers(name.as_bytes())?];
    let is_alike = text == new_text && text == own_text;
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let keeps = || old.iter().zip(&new).zip(&place).all(|((old, new), own)| old != new || own == old);
    (is_alike && same < old.len() && old < place && place < new && keeps()).then_some(place)
}

/// The text of a name between its numbers, and these.
fn numbers(name: &[u8]) -> Option<(Vec<&[u8]>, Vec<u64>)> {
    let is_same_kind = |one: &u8, other: &u8| one.is_ascii_digit() == other.is_ascii_digit();
    let (mut text, mut numbers) = (Vec::new(), Vec::new());
    for part in name.chunk_by(is_same_kind) {
        if part[0].is_ascii_digit() {
            numbers.push(std::str::from_utf8(part).ok()?.parse().ok()?);
            // So that a number stands in the same place of all names.
            text.push(&b""[..]);
        } else {
            text.push(part);
        }
    }
    Some((text, numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_between(old: &str, new: &str, name: &str) -> bool {
        place_between(OsStr::new(old), OsStr::new(new), OsStr::new(name)).is_some()
    }

    #[test]
    fn names_between_two_are_known() {
        assert!(is_between("mail.8", "mail.11", "mail.9") && is_between("mail.8", "mail.11", "mail.10"));
        assert!(is_between("mail-20261129.log", "mail-20261202.log", "mail-20261130.log"));
        assert!(is_between("mail-2026-11-29", "mail-2026-12-02", "mail-2026-11-30"));
        assert!(is_between("mail-2026-11-29", "mail-2026-12-02", "mail-2026-12-01"));
        assert!(is_between("20261129-host1", "20261202-host1", "20261130-host1"));
    }

    #[test]
    fn other_names_are_not() {
        for (old, new, name) in [
            ("mail.8", "mail.11", "mail.8"),
            ("mail.8", "mail.11", "mail.11"),
            ("mail.8", "mail.11", "mail.12"),
            ("mail.11", "mail.8", "mail.9"),
            ("mail.8", "mail.11", "main.9"),
            ("mail.8", "mail.11", "mail.9.gz"),
            ("mail.8", "mail.11", "mail.x9"),
            ("mail.8", "mail.8", "mail.8"),
            ("mail", "mail", "mail"),
            ("1.mail", "mail.3", "2.mail"),
            ("20261129-host1", "20261202-host1", "20261130-host2"),
            ("mail.8", "mail.99999999999999999999999", "mail.9"),
        ] {
            assert!(!is_between(old, new, name), "{name} between {old} and {new}");
        }
    }

    #[test]
    fn one_component_of_a_path_may_differ() {
        let differ = |one, other| differing(Path::new(one), Path::new(other));
        let day = |rest: &str| Some((PathBuf::from("/log"), OsStr::new("day1"), PathBuf::from(rest)));
        assert_eq!(differ("/log/day1/mail", "/log/day2/mail"), day("mail"));
        assert_eq!(differ("/log/day1", "/log/day2"), day(""));
        assert_eq!(differ("/log/day1/mail", "/log/day2/main"), None);
        assert_eq!(differ("/log/day1/mail", "/log/day2"), None);
        assert_eq!(differ("/log/day1", "/log"), None);
        assert_eq!(differ("/log/day1", "/log/day1"), None);
    }
}
