//! Whether the database between the hosts can be used. Asks it.

use super::finding::Finding;
use crate::cli::option;
use crate::config::options::Options;
use crate::config::share;
use crate::output::error::Error;
use crate::share::admin;

pub(super) fn judge(options: &Options) -> Result<Vec<Finding>, Error> {
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
            "what is granted here waits, what was taken stays until its end; status tells since when",
        ),
    });
    Ok(findings)
}
