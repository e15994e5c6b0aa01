//! `--skip-mynetworks`: asks Postfix which clients may relay without us. Runs `postconf`, reads the files that it names.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::output::error::{Error, Exit, io_cause};
use crate::postfix;
use crate::ring::networks::{Networks, Patterns};

/// Largest file of patterns that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// How many networks a message names.
const NAMED: usize = 10;

/// What `mynetworks` permits now. Postfix prints what it computes from `mynetworks_style` if `mynetworks` is not set.
///
/// # Errors
/// Exit code 69: `postconf` is missing or fails.
pub fn read() -> Result<Patterns, Error> {
    let text = postfix::ask(&["-hx", "mynetworks"]).map_err(|cause| {
        Error::new(Exit::Unavailable, "ask postconf for mynetworks", cause)
            .cure("mend Postfix's configuration, or leave --skip-mynetworks out")
    })?;
    Ok(parse(&text))
}

/// Understands the value of `mynetworks`, and the files that it names.
pub fn parse(text: &str) -> Patterns {
    Patterns::parse(text, &read_file)
}

/// The networks of the options, and if `wanted` those of Postfix; tells which these are, and what of them is left out.
///
/// # Errors
/// Those of [`read`].
pub fn add(networks: Networks, wanted: bool) -> Result<Networks, Error> {
    if !wanted {
        return Ok(networks);
    }
    let mynetworks = read()?;
    for skipped in mynetworks.skipped() {
        log::warn!("--skip-mynetworks leaves out {skipped}; clients in it are published");
    }
    log::info!("not published: {}", summary(&mynetworks));
    Ok(networks.without(mynetworks))
}

/// Number and names of the networks, in one line.
pub fn summary(mynetworks: &Patterns) -> String {
    let networks: Vec<_> = mynetworks.networks().map(|network| network.to_string()).collect();
    let more = if networks.len() > NAMED { ", ..." } else { "" };
    let named = networks[..networks.len().min(NAMED)].join(", ");
    match networks.len() {
        0 => "0 networks of mynetworks".to_owned(),
        1 => format!("1 network of mynetworks: {named}"),
        count => format!("{count} networks of mynetworks: {named}{more}"),
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text));
    match read {
        Ok(size) if size as u64 > LARGEST => Err("larger than 1 MiB".to_owned()),
        Ok(_) => Ok(text),
        Err(error) => Err(io_cause(&error)),
    }
}
