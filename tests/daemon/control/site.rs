//! A site whose daemon follows the log by itself, so that it knows places in it, and its commands.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::support::cases::{Site, append};
use crate::support::command::{Finished, pop_before_smtp};
use crate::support::daemon::Daemon;

/// Starts the daemon.
#[track_caller]
pub(crate) fn daemon(site: &Site, more: &[&str]) -> Daemon {
    site.daemon(&[&["--source", "follow"], more].concat())
}

/// Runs a command on the site's map.
#[track_caller]
pub(crate) fn run(site: &Site, words: &[&str]) -> Finished {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    pop_before_smtp(&[words, site.map_arguments(&[])].concat())
}

/// What a command prints that has to work.
#[track_caller]
pub(crate) fn told(site: &Site, words: &[&str]) -> String {
    let finished = run(site, words);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{words:?}: {finished:?}");
    finished.stdout
}

/// The objects that a command prints, one a line.
#[track_caller]
pub(crate) fn objects(site: &Site, words: &[&str]) -> Vec<Value> {
    told(site, words).lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// The one object that a command prints.
#[track_caller]
pub(crate) fn object(site: &Site, words: &[&str]) -> Value {
    let objects = objects(site, words);
    assert_eq!(objects.len(), 1, "{objects:?}");
    objects.into_iter().next().unwrap()
}

/// Why an address has a grant or none.
#[track_caller]
pub(crate) fn why(site: &Site, address: IpAddr) -> String {
    object(site, &["explain", &address.to_string(), "--json"])["why"].as_str().unwrap().to_owned()
}

/// Writes a login of this very second to the log.
pub(crate) fn log_in_as(site: &Site, user: &str, client: IpAddr) {
    append(&site.log, &login_of(jiff::Timestamp::now(), user, client));
}

/// A login of that time.
pub(crate) fn login_of(time: jiff::Timestamp, user: &str, client: IpAddr) -> String {
    format!(
        "{time:.0} mail dovecot: imap-login: Login: user=<{user}>, method=PLAIN, rip={client}, lip=192.0.2.25, mpid=820, \
         session=<x>"
    )
}

/// Where the daemon of a site listens.
pub(crate) fn socket(site: &Site) -> PathBuf {
    site.map_dir().join("pop-before-smtp.control")
}

/// Connects, and waits for the greeting.
pub(crate) fn connect(site: &Site) -> BufReader<UnixStream> {
    let stream = UnixStream::connect(socket(site)).expect("the daemon listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut stream = BufReader::new(stream);
    let mut greeting = String::new();
    stream.read_line(&mut greeting).expect("a greeting");
    assert!(greeting.contains(&site.map().display().to_string()), "{greeting:?}");
    stream
}

/// Sends these bytes and nothing more; all lines behind the greeting, as far as they come.
pub(crate) fn ask(site: &Site, request: &[u8]) -> Vec<String> {
    let mut stream = connect(site);
    // It may have had enough before the end.
    let _ = stream.get_mut().write_all(request);
    let _ = stream.get_mut().shutdown(std::net::Shutdown::Write);
    stream.lines().map_while(Result::ok).collect()
}
