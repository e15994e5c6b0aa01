//! Tables that restrictions ask and that are not there. Pure.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Group, Judge};
use crate::check::finding::Finding;
use crate::check::naming::Reference;
use crate::check::settings::Settings;

/// Tables of others that are asked and are not there.
pub(super) fn judge(
    settings: &Settings,
    groups: &[Group<'_>],
    judge: &Judge<'_>,
    is_absent: &dyn Fn(&Path) -> bool,
) -> Vec<Finding> {
    let items = groups.iter().flat_map(|group| &group.lists).flat_map(|list| &list.items);
    let tables = items.filter(|item| item.name.starts_with("check_")).filter_map(|item| item.argument.as_deref());
    let tables: BTreeSet<_> = tables.filter(|table| !(judge.is_ours)(table)).collect();
    let missing = tables.into_iter().filter_map(|table| {
        let file = Reference::parse(table)?.index(settings).filter(|file| is_absent(file))?;
        Some(Finding::error(
            format!("a restriction asks {table}, and there is no {}: Postfix answers 451", file.display()),
            "make the table, or take it out of main.cf and master.cf",
        ))
    });
    missing.collect()
}
