//! Asks the table by `postmap -q`, with the rights of whom Postfix asks with. To be done last: rights are given up for good.

use std::ffi::OsStr;
use std::net::IpAddr;
use std::time::SystemTime;

use nix::unistd::geteuid;
use pop_before_smtp_backends::{Listed, process};

use crate::check::files::User;
use crate::check::probe::{Answer, Probe, keys, stranger};
use crate::output::error::io_cause;
use crate::saved::privdrop;

/// Asks for the client whose grant lasts longest, and for what smtpd asks when a stranger comes.
///
/// An SQLite table is never read as root: where no daemon runs, root's last reader would take its log away, which nobody
/// else can make again.
pub(crate) fn gather(table: &str, listed: &[Listed], reader: Option<&User>, now: SystemTime) -> Probe {
    let user = match reader.filter(|_| geteuid().is_root()) {
        Some(reader) => reader.name.clone(),
        None => super::users::ourselves().name,
    };
    let failed = |why: String| Probe {
        table: table.to_owned(),
        user: user.clone(),
        client: None,
        stranger: vec![(String::new(), Answer::Failed(why))],
    };
    if let Some(reader) = reader.filter(|_| geteuid().is_root())
        && let Err(error) = privdrop::become_user(&reader.name)
    {
        return failed(error.to_string());
    }
    let live = listed.iter().filter(|client| client.expires.is_none_or(|expires| expires > now));
    let client = live.max_by_key(|client| client.expires).map(|client| client.address);
    let addresses: Vec<IpAddr> = listed.iter().map(|client| client.address).collect();
    let asked = |key: String| {
        let answer = ask(table, &key);
        (key, answer)
    };
    let client = client.map(|address| (address, ask(table, &address.to_string())));
    let stranger = keys(stranger(&addresses)).into_iter().map(asked).collect();
    Probe { table: table.to_owned(), user, client, stranger }
}

fn ask(table: &str, key: &str) -> Answer {
    let Some(postmap) = process::find_postfix("postmap") else {
        return Answer::Failed("there is no postmap".to_owned());
    };
    let arguments = ["-q", key, table].map(OsStr::new);
    match process::run(&postmap, &arguments, process::LIMIT) {
        Err(error) => Answer::Failed(io_cause(&error)),
        Ok(end) => match (end.failure(), end.complaint()) {
            (_, Some(complaint)) => Answer::Failed(complaint),
            (None, None) => Answer::Found(String::from_utf8_lossy(&end.stdout).trim().to_owned()),
            (Some(_), None) => Answer::Missing,
        },
    }
}
