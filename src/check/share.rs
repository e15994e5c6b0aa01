//! Whether the database between the hosts can be used, and what the daemon says of it. Asks the database.

use std::time::{Duration, SystemTime};

use super::finding::Finding;
use crate::cli::option;
use crate::config::options::Options;
use crate::config::share;
use crate::control::wire::{Share, Status};
use crate::output::error::Error;
use crate::share::admin;
use crate::time::display;

/// `daemon` is how the daemon of the map is, if one answers us.
pub(super) fn judge(options: &Options, daemon: impl FnOnce() -> Option<Status>) -> Result<Vec<Finding>, Error> {
    let Some(settings) = share::settings(options)? else { return Ok(Vec::new()) };
    let mut findings = Vec::new();
    if !settings.give && !settings.take {
        findings.push(Finding::warning(
            "the grants of this host are neither given to the others nor theirs taken here",
            "set give or take of [share]",
        ));
    }
    let has_password = settings.url.split('@').next().is_some_and(|user| user.matches(':').count() > 1);
    if has_password && options.said(option!("config")).is_some() {
        findings.push(Finding::warning("the URL of [share] holds a password", "put it into ~/.pgpass, mode 0600"));
    }
    findings.push(match admin::probe(&settings) {
        Ok(what) => Finding::ok(format!("the database between the hosts can be used: {what}")),
        Err(cause) => Finding::error(
            format!("cannot use the database of --share-url: {cause}"),
            "what is granted here waits, what was taken stays until its end",
        ),
    });
    findings.extend(daemon().map(|status| status.share.as_ref().map_or_else(without, standing)));
    Ok(findings)
}

fn without() -> Finding {
    Finding::warning("the daemon that runs shares no grants", "restart it: SIGHUP does not take over [share]")
}

/// Since when the daemon can use the database or cannot, how many grants wait, how far it is behind.
fn standing(share: &Share) -> Finding {
    let since = display(SystemTime::UNIX_EPOCH + Duration::from_secs(share.since));
    let Share { name, waiting, .. } = share;
    let behind = share.behind.map(|behind| format!(", the others' grants known up to {behind} s ago"));
    let how = format!("as {name}, {waiting} grants wait to be given{}", behind.unwrap_or_default());
    match &share.error {
        Some(error) => Finding::error(
            format!("the daemon cannot use the database between the hosts since {since}: {error}; {how}"),
            "it goes on trying",
        ),
        None if share.lost > 0 => Finding::warning(
            format!("{} grants had no room to wait for the database between the hosts; {how}", share.lost),
            "the clients have to log in again; raise --entries",
        ),
        None => Finding::ok(format!("the daemon uses the database between the hosts since {since}: {how}")),
    }
}
