//! What `postconf` says of Postfix's settings, and the lines that would change them. Pure.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::restrictions::{join, words};
use crate::output::shell;
use crate::postfix::Smtpd;
use crate::ring::networks::Patterns;

/// Parameters by name.
pub(crate) type Parameters = HashMap<String, String>;

/// Postfix's settings, as far as they concern the table.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// main.cf and the defaults, variables expanded; restriction classes are among them.
    pub(crate) main: Parameters,
    /// The same as written.
    pub(crate) written: Parameters,
    /// Restriction classes, expanded.
    pub(crate) classes: Parameters,
    /// The smtpds of master.cf that take mail from the network.
    pub(crate) services: Vec<Service>,
    /// Lookup table types that are installed.
    pub(crate) types: Vec<String>,
    /// What the files of sqlite tables say, or why they cannot be read, by path.
    pub(crate) sqlite_files: HashMap<String, Result<Parameters, String>>,
    /// Paths in the settings without links on the way, where they are not the same.
    pub(crate) places: HashMap<PathBuf, PathBuf>,
    /// `mynetworks`, as far as it is understood.
    pub(crate) mynetworks: Patterns,
    /// Which type Postfix takes for our table where it is said to be of another; or why none can be taken, and the cure.
    pub(crate) redirects: HashMap<String, Result<String, (String, String)>>,
}

/// An smtpd and what master.cf sets for it alone.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    /// Its line.
    pub(crate) smtpd: Smtpd,
    /// Its `-o` options, variables expanded.
    pub(crate) overrides: Parameters,
    /// `mynetworks` of its own, as far as it is understood.
    pub(crate) mynetworks: Option<Patterns>,
}

impl Settings {
    /// The value of a parameter in main.cf; empty if there is none.
    pub(crate) fn main(&self, name: &str) -> &str {
        self.main.get(name).map_or("", String::as_str)
    }

    /// The type that Postfix takes for a table that is said to be of this one.
    pub(crate) fn taken<'s>(&'s self, kind: &'s str) -> &'s str {
        self.redirects.get(kind).and_then(|taken| taken.as_deref().ok()).unwrap_or(kind)
    }

    /// Major and minor version of Postfix.
    pub(crate) fn version(&self) -> Option<(u32, u32)> {
        let mut numbers = self.main("mail_version").split(['.', '-']);
        let mut next = || numbers.next()?.parse().ok();
        next().zip(next())
    }

    /// The value of a parameter for a service.
    pub(crate) fn of<'s>(&'s self, service: Option<&'s Service>, name: &str) -> &'s str {
        service.and_then(|service| service.overrides.get(name)).map_or(self.main(name), String::as_str)
    }

    /// What `mynetworks` permits at a service.
    pub(crate) fn mynetworks<'s>(&'s self, service: Option<&'s Service>) -> &'s Patterns {
        service.and_then(|service| service.mynetworks.as_ref()).unwrap_or(&self.mynetworks)
    }

    /// A path without links on the way.
    pub(crate) fn place<'s>(&'s self, path: &'s Path) -> &'s Path {
        self.places.get(path).map_or(path, PathBuf::as_path)
    }

    /// The value to start from when a parameter of main.cf is edited by its words: as written if `needed` are words of it.
    pub(crate) fn editable(&self, parameter: &str, needed: &[&str]) -> &str {
        let written = self.written.get(parameter).map_or("", String::as_str);
        let has = |word: &&str| words(written).contains(word);
        if !written.trim().is_empty() && needed.iter().all(has) && !written.contains("${") {
            return written;
        }
        self.main(parameter)
    }
}

/// Where a parameter is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WhereSet<'a> {
    /// Its name.
    pub(crate) parameter: &'a str,
    /// The service of master.cf whose `-o` it is; `None` in main.cf.
    pub(crate) service: Option<&'a str>,
}

impl WhereSet<'_> {
    /// How an operator calls it.
    pub(crate) fn name(&self) -> String {
        match self.service {
            Some(service) => format!("{} of {service} in master.cf", self.parameter),
            None => self.parameter.to_owned(),
        }
    }

    /// The shell line that sets it.
    pub(crate) fn set(&self, new: &[&str]) -> String {
        match self.service {
            None => format!("postconf -e {}", shell::argument(&format!("{} = {}", self.parameter, join(new)))),
            // postconf takes no white space here; Postfix is content with commas.
            Some(service) if new.iter().all(|word| !word.contains(char::is_whitespace)) => {
                format!("postconf -P {}", shell::argument(&format!("{service}/{}={}", self.parameter, new.join(","))))
            }
            Some(service) => {
                format!("write in master.cf below {service}: -o {{ {} = {} }}", self.parameter, join(new))
            }
        }
    }
}

/// Reads `name = value` lines, as `postconf` prints them.
pub(crate) fn parameters(text: &str) -> Parameters {
    text.lines().filter_map(|line| pair(line).map(|(name, value)| (name.to_owned(), value.to_owned()))).collect()
}

/// Reads a file of such lines by hand: with comments, and lines that go on when the next begins with white space.
pub(crate) fn file_parameters(text: &str) -> Parameters {
    let mut logical: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')) {
        match logical.last_mut().filter(|_| line.starts_with(char::is_whitespace)) {
            Some(last) => last.push_str(line),
            None => logical.push(line.to_owned()),
        }
    }
    parameters(&logical.join("\n"))
}

fn pair(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    Some((name.trim(), value.trim()))
}

/// Joins what `postconf -M` and `postconf -Px` say of the smtpds; `networks` understands a value of `mynetworks`.
pub(crate) fn services(smtpds: Vec<Smtpd>, overrides: &str, networks: &dyn Fn(&str) -> Patterns) -> Vec<Service> {
    let of = |smtpd: &Smtpd| {
        let own = |line: &str| {
            let (left, value) = pair(line)?;
            let (service, parameter) = left.rsplit_once('/')?;
            (service == smtpd.name).then(|| (parameter.to_owned(), value.to_owned()))
        };
        overrides.lines().filter_map(own).collect()
    };
    let service = |smtpd: Smtpd| {
        let overrides: Parameters = of(&smtpd);
        let mynetworks = overrides.get("mynetworks").map(|value| networks(value));
        Service { smtpd, overrides, mynetworks }
    };
    smtpds.into_iter().map(service).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::postfix::smtpds;

    #[test]
    fn overrides_find_their_service() {
        let master =
            "smtp inet n - y - - smtpd\n127.0.0.1:10025 inet n - n - - smtpd -o x=y\nlmtp unix - - y - - lmtp\n";
        let overrides = "127.0.0.1:10025/inet/smtpd_relay_restrictions =\nlmtp/unix/syslog_name = x\n";
        let services = services(smtpds(master, true), overrides, &|_| Patterns::default());
        assert_eq!(services.len(), 2);
        assert!(services[0].smtpd.chrooted && services[0].overrides.is_empty());
        assert_eq!(services[1].smtpd.name, "127.0.0.1:10025/inet");
        assert_eq!(services[1].overrides.get("smtpd_relay_restrictions").map(String::as_str), Some(""));
        let mut settings = Settings { services, ..Settings::default() };
        settings.main.insert("smtpd_relay_restrictions".to_owned(), "reject".to_owned());
        assert_eq!(settings.of(settings.services.first(), "smtpd_relay_restrictions"), "reject");
        assert_eq!(settings.of(settings.services.last(), "smtpd_relay_restrictions"), "");
    }

    #[test]
    fn a_release_and_a_snapshot_have_a_version() {
        for (text, version) in
            [("3.7.11", Some((3, 7))), ("3.12-20260821", Some((3, 12))), ("3.11.0", Some((3, 11))), ("", None)]
        {
            let main = parameters(&format!("mail_version = {text}\n"));
            assert_eq!(Settings { main, ..Settings::default() }.version(), version);
        }
    }

    #[test]
    fn a_line_goes_on_and_a_comment_does_not_count() {
        let read = file_parameters("# x = y\ndbpath = /a\nquery = SELECT x\n   FROM y\n\n");
        assert_eq!(read.get("dbpath").unwrap(), "/a");
        assert_eq!(read.get("query").unwrap(), "SELECT x   FROM y");
        assert_eq!(read.len(), 2);
    }

    #[test]
    fn a_setting_is_changed_by_a_line_for_the_shell() {
        let words = ["check_client_access", "hash:/x", "reject"];
        let main = WhereSet { parameter: "p", service: None };
        assert_eq!(main.set(&words), "postconf -e 'p = check_client_access hash:/x, reject'");
        let service = WhereSet { parameter: "p", service: Some("submission/inet") };
        assert_eq!(service.set(&words), "postconf -P submission/inet/p=check_client_access,hash:/x,reject");
        assert_eq!(service.set(&["{ a b }"]), "write in master.cf below submission/inet: -o { p = { a b } }");
    }
}
