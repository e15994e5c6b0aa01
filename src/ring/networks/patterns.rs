//! Postfix's `mynetworks`: which addresses it permits, as far as that can be told without its tables. Pure.
//!
//! As `match_list_parse` of Postfix reads it (src/util/match_list.c): patterns stand between commas and white space, `!` turns
//! one round, `/file/name` stands for the patterns in the file, and the first pattern that fits decides.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::cidr_table;
use super::reach::{Reach, reach};

/// How deep files may name files.
const DEEPEST: usize = 8;

/// The patterns that are understood, in their order, and those that are not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns {
    patterns: Vec<Pattern>,
    /// Those behind one that may say no, and what a table stands for that holds everything.
    doubtful: Vec<Pattern>,
    skipped: Vec<Skipped>,
    /// Whether an earlier pattern may say no to what a later one permits.
    in_doubt: bool,
    /// Tables that may permit much, of which nothing is known.
    uncounted: Vec<String>,
}

/// Lookup tables that hold an address or do not; what they permit is no part of the internet to speak of.
const BY_ADDRESS: [&str; 9] = ["btree", "cdb", "dbm", "fail", "hash", "inline", "lmdb", "sdbm", "texthash"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pattern {
    permits: bool,
    network: IpNet,
}

/// A pattern that says nothing to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// As written.
    pub pattern: String,
    /// Why.
    pub cause: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pattern.escape_debug(), self.cause)
    }
}

impl Patterns {
    /// Reads the value of `mynetworks`. `read` gives the text of a file, or why there is none.
    pub fn parse(text: &str, read: &dyn Fn(&Path) -> Result<String, String>) -> Self {
        let mut patterns = Self::default();
        patterns.take(text, true, DEEPEST, read);
        patterns
    }

    /// The network in which `mynetworks` permits the address, if it surely does.
    pub fn permits(&self, address: IpAddr) -> Option<IpNet> {
        let decides = self.patterns.iter().find(|pattern| pattern.network.contains(&address))?;
        decides.permits.then_some(decides.network)
    }

    /// The networks that are permitted, as far as no pattern before them says no.
    pub fn networks(&self) -> impl Iterator<Item = IpNet> + '_ {
        self.patterns.iter().filter(|pattern| pattern.permits).map(|pattern| pattern.network)
    }

    /// Whether all that another value surely permits to clients is permitted here, too, as far as is known. Nobody is a client
    /// from a loopback address.
    pub fn holds(&self, other: &Self) -> bool {
        let loopback = |network: &IpNet| network.addr().is_loopback();
        self == other || other.networks().filter(|network| !loopback(network)).all(|network| self.holds_all(network))
    }

    fn holds_all(&self, all: IpNet) -> bool {
        // Of two networks, one holds the other or they lie apart.
        let decides = self
            .patterns
            .iter()
            .find(|Pattern { permits, network }| network.contains(&all) || (!permits && all.contains(network)));
        decides.is_some_and(|pattern| pattern.permits)
    }

    /// How much of the internet is permitted, as far as is known: of a pattern that may say no it is taken that it does not.
    pub fn reach(&self) -> Reach {
        let patterns = self.patterns.iter().chain(&self.doubtful);
        reach(patterns.map(|pattern| (pattern.permits, pattern.network)))
    }

    /// Tables that may permit much of the internet, which [`Patterns::reach`] does not know.
    pub fn uncounted(&self) -> &[String] {
        &self.uncounted
    }

    /// What was not understood. Behind a pattern that may say no, nothing is relied on.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    fn take(&mut self, text: &str, permits: bool, depth: usize, read: &dyn Fn(&Path) -> Result<String, String>) {
        for item in text.split([',', ' ', '\t', '\r', '\n']).filter(|item| !item.is_empty()) {
            let pattern = item.trim_start_matches('!');
            let permits = permits == ((item.len() - pattern.len()) % 2 == 0);
            if item.starts_with('#') {
                return self.skip(item, "Postfix knows no comment at the end of a line", true);
            }
            if pattern.starts_with('/') {
                self.file(pattern, permits, depth, read);
            } else if !pattern.starts_with('[') && pattern.contains(':') {
                self.table(item, pattern, permits, read);
            } else {
                self.network(item, pattern, permits);
            }
        }
    }

    fn file(&mut self, path: &str, permits: bool, depth: usize, read: &dyn Fn(&Path) -> Result<String, String>) {
        if depth == 0 {
            return self.skip(path, "too many files within files", false);
        }
        match read(Path::new(path)) {
            Ok(text) => {
                let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
                lines.for_each(|line| self.take(line, permits, depth - 1, read));
            }
            Err(cause) => self.skip(path, &cause, false),
        }
    }

    /// A table permits all that it holds, whatever it says of it. For the reach alone, and never relied on, it is looked into.
    fn table(&mut self, item: &str, pattern: &str, permits: bool, read: &dyn Fn(&Path) -> Result<String, String>) {
        let table = pattern.strip_prefix("proxy:").unwrap_or(pattern);
        let held = match table.split_once(':') {
            Some(("static", _)) => Some(vec![IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())]),
            Some(("cidr", path)) if path.starts_with('/') => {
                read(Path::new(path)).ok().and_then(|text| cidr_table::networks(&text))
            }
            Some((kind, _)) if BY_ADDRESS.contains(&kind) => Some(Vec::new()),
            _ => None,
        };
        match held {
            Some(held) => self.doubtful.extend(held.into_iter().map(|network| Pattern { permits, network })),
            None if permits => self.uncounted.push(item.to_owned()),
            None => {}
        }
        let address = pattern.split('/').next().unwrap_or(pattern);
        let cause = match address.parse::<IpAddr>() {
            Ok(_) => "Postfix takes it for a table; an IPv6 address stands in brackets: [2001:db8::]/32",
            Err(_) => "a table is not read here",
        };
        self.skip(item, cause, permits);
    }

    fn network(&mut self, item: &str, pattern: &str, permits: bool) {
        match network(pattern) {
            Ok(network) if !self.in_doubt => self.patterns.push(Pattern { permits, network }),
            Ok(network) => {
                self.doubtful.push(Pattern { permits, network });
                if permits {
                    self.skip(&network.to_string(), "an earlier pattern may say no to it", true);
                }
            }
            // A host name fits no address.
            Err(None) => self.skip(item, "no network; a host name is not looked up", permits),
            // Postfix gives up at it.
            Err(Some(cause)) => self.skip(item, cause, false),
        }
    }

    /// Leaves a pattern out. Unless it is `harmless`, what it stands for may say no to what comes behind it.
    fn skip(&mut self, pattern: &str, cause: &str, harmless: bool) {
        self.skipped.push(Skipped { pattern: pattern.to_owned(), cause: cause.to_owned() });
        self.in_doubt |= !harmless;
    }
}

/// `192.0.2.0/24`, `192.0.2.1`, `[2001:db8::]/32`, `[::1]`; otherwise what is wrong with a network, nothing for a name.
pub(super) fn network(pattern: &str) -> Result<IpNet, Option<&'static str>> {
    let plain = match pattern.strip_prefix('[') {
        Some(rest) => rest.replacen(']', "", 1),
        None => pattern.to_owned(),
    };
    let network = plain.parse().or_else(|_| plain.parse::<IpAddr>().map(IpNet::from));
    let is_numeric =
        plain.bytes().all(|byte| byte.is_ascii_hexdigit() || b".:/".contains(&byte)) && plain.contains('/');
    let network: IpNet = network.map_err(|_| is_numeric.then_some("no network"))?;
    if network.addr() != network.network() {
        return Err(Some("Postfix refuses a network whose address has bits behind its prefix"));
    }
    Ok(unmapped(network))
}

/// IPv4 inside of IPv6, as Postfix lists it for its own interfaces, is IPv4.
fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let Some((v4, length)) = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96)) else { return network };
    Ipv4Net::new(v4, length).map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(text: &str) -> Patterns {
        Patterns::parse(text, &|path| match path.to_str() {
            Some("/etc/networks") => Ok("# ours\n203.0.113.0/24\n  # theirs\n!203.0.114.1 203.0.114.0/24\n".to_owned()),
            Some("/loop") => Ok("/loop 10.0.0.0/8".to_owned()),
            Some("/open") => Ok("10.0.0.0/8 OK\n0.0.0.0/0 REJECT\n".to_owned()),
            Some("/if") => Ok("if 10.0.0.0/8\n10.1.0.0/16 OK\nendif\n".to_owned()),
            _ => Err("no such file or directory".to_owned()),
        })
    }

    fn permitted(text: &str, address: &str) -> Option<String> {
        parse(text).permits(address.parse().unwrap()).map(|network| network.to_string())
    }

    #[test]
    fn each_form_of_a_network_is_understood() {
        for (text, address, network) in [
            ("192.0.2.0/24", "192.0.2.7", "192.0.2.0/24"),
            ("10.0.0.0/8,192.0.2.7", "192.0.2.7", "192.0.2.7/32"),
            ("127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128", "::1", "::1/128"),
            ("[::ffff:10.0.0.0]/104", "10.1.2.3", "10.0.0.0/8"),
            ("[2001:db8::]/32", "2001:db8::7", "2001:db8::/32"),
            ("[2001:db8::7]", "2001:db8::7", "2001:db8::7/128"),
            ("\t0.0.0.0/0\n", "198.51.100.1", "0.0.0.0/0"),
            ("/etc/networks", "203.0.113.9", "203.0.113.0/24"),
        ] {
            assert_eq!(permitted(text, address).as_deref(), Some(network), "{text}");
            assert_eq!(parse(text).skipped(), [], "{text}");
        }
        assert_eq!(permitted("192.0.2.0/24", "192.0.3.1"), None);
        assert_eq!(permitted("", "127.0.0.1"), None);
    }

    #[test]
    fn the_first_that_fits_decides() {
        assert_eq!(permitted("!10.1.0.0/16, 10.0.0.0/8", "10.1.2.3"), None);
        assert_eq!(permitted("!10.1.0.0/16, 10.0.0.0/8", "10.2.2.3").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(permitted("10.0.0.0/8, !10.1.0.0/16", "10.1.2.3").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(permitted("!!10.0.0.0/8", "10.1.2.3").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(permitted("/etc/networks", "203.0.114.1"), None);
        assert_eq!(permitted("!/etc/networks 203.0.113.0/24", "203.0.113.9"), None);
        assert_eq!(permitted("!/etc/networks 203.0.114.1", "203.0.114.1").as_deref(), Some("203.0.114.1/32"));
    }

    #[test]
    fn what_cannot_be_told_is_named_and_published() {
        for (text, named) in [
            ("hash:/etc/postfix/network_table", "hash:/etc/postfix/network_table: a table is not read here"),
            ("2001:db8::/32", "2001:db8::/32: Postfix takes it for a table"),
            ("mail.example.net", "mail.example.net: no network"),
            ("10.0.0.1/8", "10.0.0.1/8: Postfix refuses"),
            ("192.0.2.0/33", "192.0.2.0/33: no network"),
            ("/nosuch", "/nosuch: no such file or directory"),
            ("/loop", "/loop: too many files within files"),
            ("192.0.2.1 # the printer", "#: Postfix knows no comment"),
        ] {
            let skipped: Vec<_> = parse(text).skipped().iter().map(ToString::to_string).collect();
            assert!(skipped.iter().any(|line| line.starts_with(named)), "{text}: {skipped:?}");
        }
    }

    #[test]
    fn nothing_is_relied_on_behind_what_may_say_no() {
        for doubtful in ["!hash:/etc/postfix/x", "/nosuch", "10.0.0.1/8", "!mail.example.net"] {
            let text = format!("192.0.2.1 {doubtful} 198.51.100.0/24");
            assert!(permitted(&text, "192.0.2.1").is_some(), "{doubtful}");
            assert_eq!(permitted(&text, "198.51.100.1"), None, "{doubtful}");
        }
        assert!(permitted("hash:/etc/postfix/x 198.51.100.0/24", "198.51.100.1").is_some());
    }

    #[test]
    fn a_value_holds_another_only_if_it_surely_permits_all_of_it() {
        for (here, other) in [
            ("10.0.0.0/8", "10.1.0.0/16 10.2.3.4"),
            ("[2001:db8::]/32, 192.0.2.0/24", "127.0.0.0/8 [::1]/128 192.0.2.0/24"),
            ("", "127.0.0.0/8"),
            ("!10.1.0.0/16 10.0.0.0/8", "10.2.0.0/16"),
            ("hash:/x", "hash:/x"),
        ] {
            assert!(parse(here).holds(&parse(other)), "{here}: {other}");
        }
        for (here, other) in [
            ("", "10.0.0.0/8"),
            ("127.0.0.0/8", "127.0.0.0/8 192.0.2.7"),
            ("10.1.0.0/16", "10.0.0.0/8"),
            ("!10.1.0.0/16 10.0.0.0/8", "10.0.0.0/8"),
            ("/nosuch 10.0.0.0/8", "10.0.0.0/8"),
        ] {
            assert!(!parse(here).holds(&parse(other)), "{here}: {other}");
        }
    }

    #[test]
    fn an_open_relay_is_seen_behind_what_is_not_understood() {
        for text in
            ["0.0.0.0/1, 128.0.0.0/1", "!hash:/etc/postfix/x 0.0.0.0/0", "/nosuch [::]/1 [8000::]/1", "static:all"]
        {
            assert_eq!(parse(text).reach(), Reach::Whole, "{text}");
        }
        for text in ["127.0.0.0/8", "!static:all 0.0.0.0/0", "hash:/etc/postfix/x", "!hash:/etc/postfix/x !0.0.0.0/0"] {
            assert_eq!(parse(text).reach(), Reach::Some, "{text}");
        }
    }

    #[test]
    fn a_table_counts_or_is_named() {
        for text in ["cidr:/open", "192.0.2.1 proxy:cidr:/open"] {
            assert_eq!(parse(text).reach(), Reach::Whole, "{text}");
            assert_eq!(parse(text).uncounted(), [] as [&str; 0], "{text}");
            assert_eq!(permitted(text, "10.1.2.3"), None, "{text}");
        }
        assert_eq!(parse("!cidr:/open 0.0.0.0/0").reach(), Reach::Some);
        for text in ["cidr:/if", "cidr:/nosuch", "pcre:/etc/postfix/x", "proxy:mysql:/etc/postfix/x"] {
            assert_eq!(parse(text).uncounted(), [text]);
        }
        for text in ["hash:/etc/postfix/x", "!pcre:/etc/postfix/x", "static:all"] {
            assert_eq!(parse(text).uncounted(), [] as [&str; 0], "{text}");
        }
    }
}
