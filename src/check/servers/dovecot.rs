//! Dovecot, by what `doveconf -n` prints: whose words its lines are. Pure.

use std::net::IpAddr;

use ipnet::IpNet;

use super::InUse;
use crate::check::finding::Finding;

/// The matcher of the lines that Dovecot writes where it is a proxy.
pub(super) const PROXY: &str = "dovecot-proxy";

/// A configuration of Dovecot.
#[derive(Debug)]
pub(crate) struct Dovecot {
    /// The file that was named for it; by default Dovecot's own.
    pub(crate) file: Option<String>,
    /// What `doveconf -n` prints, or why it does not.
    pub(crate) settings: Result<String, String>,
    /// Name and text of the files that password databases are asked by.
    pub(crate) databases: Vec<(String, String)>,
}

/// A setting, and the blocks that it stands in, the outermost first.
#[derive(Debug)]
struct Setting<'a> {
    blocks: Vec<&'a str>,
    name: &'a str,
    value: &'a str,
}

impl Dovecot {
    #[cfg(test)]
    pub(super) fn of(settings: &str) -> Self {
        Self { file: None, settings: Ok(settings.to_owned()), databases: Vec::new() }
    }

    /// Whether a user's name may hold any byte.
    pub(super) fn takes_any_name(&self) -> bool {
        self.settings().iter().any(|setting| {
            setting.name == "auth_username_chars" && setting.value.is_empty() && setting.blocks.is_empty()
        })
    }

    /// Whether it logs what anybody says in an ID command, which it does up to 2.3 if it is told to.
    fn logs_ids(&self) -> bool {
        let settings = self.settings();
        settings.iter().any(|setting| setting.name == "imap_id_log" && !setting.value.trim_matches('"').is_empty())
    }

    /// The files that password databases are asked by, as far as the settings name any.
    pub(crate) fn database_files(&self) -> Vec<String> {
        let words = |setting: &Setting<'_>| match setting.name {
            "args" | "passwd_file_path" | "passdb_sql_query" => {
                setting.value.split_whitespace().map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        let mut files: Vec<String> =
            self.settings().iter().filter(|setting| setting.is_of_database()).flat_map(words).collect();
        files.retain(|word| word.starts_with('/') && !word.contains('%'));
        files.sort();
        files.dedup();
        files
    }

    fn settings(&self) -> Vec<Setting<'_>> {
        let Ok(text) = &self.settings else { return Vec::new() };
        let mut blocks = Vec::new();
        let mut settings = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            if let Some(block) = line.strip_suffix('{') {
                blocks.push(block.trim());
            } else if line == "}" {
                blocks.pop();
            } else if let Some((name, value)) = line.split_once('=') {
                settings.push(Setting { blocks: blocks.clone(), name: name.trim(), value: value.trim() });
            }
        }
        settings
    }

    /// The value of a setting of the whole server; `None` if it is the default.
    fn value(&self, name: &str) -> Option<String> {
        let settings = self.settings();
        let whole = settings.iter().find(|setting| setting.blocks.is_empty() && setting.name == name);
        // From 2.4 on a list may be a block: auth_mechanisms { plain = yes }.
        let listed: Vec<_> = settings
            .iter()
            .filter(|setting| setting.blocks == [name] && setting.value != "no")
            .map(|setting| if setting.value == "yes" { setting.name } else { setting.value })
            .collect();
        let listed = (!listed.is_empty()).then(|| listed.join(" "));
        whole.map(|setting| setting.value.trim_matches('"').to_owned()).or(listed)
    }

    /// Where it says that logins are handed on to another server.
    fn proxies(&self) -> Option<String> {
        let settings = self.settings();
        let setting = settings.iter().find(|setting| setting.is_of_database() && setting.hands_on());
        let setting =
            setting.map(|setting| format!("{} of {}", setting.name, setting.blocks.first().unwrap_or(&"passdb")));
        let file = || self.databases.iter().find(|(_, text)| text.lines().any(hands_on)).map(|(file, _)| file.clone());
        setting.or_else(file)
    }
}

impl Setting<'_> {
    fn is_of_database(&self) -> bool {
        let is_one = |name: &str| name.starts_with("passdb") || name.starts_with("userdb");
        is_one(self.name) || self.blocks.iter().any(|block| is_one(block))
    }

    fn hands_on(&self) -> bool {
        let name = self.name.rsplit('/').next().unwrap_or(self.name);
        let is_field = matches!(name, "proxy" | "proxy_maybe") && !matches!(self.value, "no" | "n" | "");
        is_field
            || words(self.value).any(|word| is_field_word(&word))
            || (name.ends_with("query") && hands_on_query(self.value))
    }
}

/// A line of a file that a password database is asked by: `password_query` of SQL, `pass_attrs` of LDAP, or a user in a
/// passwd-file. There the word alone may be a user's name.
fn hands_on(line: &str) -> bool {
    let line = line.trim();
    let is_query = || line.split('=').next().is_some_and(|name| name.trim().ends_with("query")) && hands_on_query(line);
    !line.starts_with('#')
        && (words(line).any(|word| is_field_word(&word) && word.contains('=')) || is_query() || hands_on_as(line))
}

fn is_field_word(word: &str) -> bool {
    matches!(
        word.trim_start_matches('='),
        "proxy" | "proxy=y" | "proxy=yes" | "proxy_maybe" | "proxy_maybe=y" | "proxy_maybe=yes"
    )
}

/// `SELECT ..., proxy FROM`; `'y' AS proxy`.
fn hands_on_query(query: &str) -> bool {
    words(query).any(|word| word == "proxy" || word == "proxy_maybe")
}

fn hands_on_as(line: &str) -> bool {
    let words: Vec<_> = words(line).collect();
    words.windows(2).any(|pair| pair[0] == "as" && matches!(pair[1].as_str(), "proxy" | "proxy_maybe"))
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '=';
    text.split(move |char| !is_word(char)).filter(|word| !word.is_empty()).map(str::to_ascii_lowercase)
}

/// Everything about one configuration.
pub(super) fn judge(dovecot: &Dovecot, in_use: &InUse<'_>) -> Vec<Finding> {
    let file = dovecot.file.as_deref().map(|file| format!(" ({})", file.escape_debug())).unwrap_or_default();
    if let Err(why) = &dovecot.settings {
        let text = format!("cannot ask Dovecot{file} for its settings: {why}");
        return vec![Finding::warning(text, "check as root, or mend what doveconf says")];
    }
    let mut findings = Vec::new();
    if dovecot.takes_any_name() {
        findings.push(Finding::error(
            format!(
                "Dovecot{file} has an empty auth_username_chars: a user's name may hold a newline and whatever makes a message \
                 of its own of what follows, as a login from any address"
            ),
            "take auth_username_chars out of its configuration, or name the characters that your users' names have (doveconf \
             -d auth_username_chars prints the default)",
        ));
    }
    if in_use.names(PROXY) && dovecot.logs_ids() {
        findings.push(Finding::error(
            format!(
                "Dovecot{file} logs what clients say of themselves before they log in (imap_id_log), without a limit: the rest of \
                 a message of more than 4,096 bytes may be byte for byte a login of matcher {PROXY}"
            ),
            "take imap_id_log out of its configuration",
        ));
    }
    findings.extend(trusted(dovecot, "login_trusted_networks", &file));
    if dovecot.settings().iter().any(|setting| setting.name == "haproxy" && setting.value == "yes") {
        findings.extend(trusted(dovecot, "haproxy_trusted_networks", &file));
    }
    findings.extend(anonymous(dovecot, &file));
    findings.extend(proxy(dovecot, in_use, &file));
    if findings.is_empty() {
        findings.push(Finding::ok(format!(
            "Dovecot{file} lets no host say for another where a client is, and hands on no login"
        )));
    }
    findings
}

/// Hosts that say for a client where he is.
fn trusted(dovecot: &Dovecot, name: &str, file: &str) -> Option<Finding> {
    let value = dovecot.value(name)?;
    let networks: Vec<_> = value.split([' ', ',', '\t']).filter(|network| !network.is_empty()).collect();
    let open: Vec<_> = networks.into_iter().filter(|network| !is_loopback(network)).collect();
    if open.is_empty() {
        return None;
    }
    let list = open.join(", ");
    let cure = format!("name in {name} no more than the hosts of your own proxies");
    Some(if open.iter().any(|network| prefix(network) == Some(0)) {
        let text = format!(
            "{name} of Dovecot{file} holds the whole internet ({list}): everybody may say that he is at any address"
        );
        Finding::error(text, cure)
    } else {
        let text =
            format!("{name} of Dovecot{file} is {list}: each host there may say of a client that he is at any address");
        Finding::warning(text, cure)
    })
}

fn is_loopback(network: &str) -> bool {
    let network = network.trim_start_matches('[').replace(']', "");
    let address = network.split('/').next().and_then(|address| address.parse::<IpAddr>().ok());
    let is_narrow = prefix(&network).is_none_or(|prefix| prefix >= 8);
    network.starts_with("unix:") || address.is_some_and(|address| address.to_canonical().is_loopback()) && is_narrow
}

/// How long the prefix of a network is, if it is one.
fn prefix(network: &str) -> Option<u8> {
    network.replace(['[', ']'], "").parse::<IpNet>().ok().map(|network| network.prefix_len())
}

fn anonymous(dovecot: &Dovecot, file: &str) -> Option<Finding> {
    let mechanisms = dovecot.value("auth_mechanisms")?;
    if !mechanisms.split_whitespace().any(|mechanism| mechanism.eq_ignore_ascii_case("anonymous")) {
        return None;
    }
    let is_told = dovecot.value("login_log_format_elements").is_none_or(|elements| elements.contains("method=%"));
    Some(if is_told {
        Finding::ok(format!(
            "Dovecot{file} lets anybody log in as anonymous, and its lines tell: such logins do not count"
        ))
    } else {
        Finding::warning(
            format!(
                "Dovecot{file} lets anybody log in as anonymous, and login_log_format_elements has no method=%m, by which \
                 such logins are told from others"
            ),
            "write method=%m into login_log_format_elements behind user=<%u>, or take anonymous out of auth_mechanisms",
        )
    })
}

fn proxy(dovecot: &Dovecot, in_use: &InUse<'_>, file: &str) -> Option<Finding> {
    let trusts = "every server that it hands a login on to says who has logged in";
    match (dovecot.proxies(), in_use.names(PROXY)) {
        (Some(place), true) => {
            Some(Finding::ok(format!("Dovecot{file} hands logins on ({place}), and {PROXY} takes its lines: {trusts}")))
        }
        (Some(place), false) => Some(Finding::warning(
            format!(
                "Dovecot{file} hands logins on to other servers ({place}), and these permit nothing without {PROXY}"
            ),
            format!("give --matcher dovecot,{PROXY} (and the others that you use); then {trusts}"),
        )),
        (None, true) => Some(Finding::warning(
            format!("{PROXY} is chosen, and nothing is seen by which Dovecot{file} hands logins on (proxy=y)"),
            format!("leave {PROXY} out of --matcher, unless a password database that check cannot see says proxy"),
        )),
        (None, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::check::finding::{Level, assert_told, assert_well};

    fn told(settings: &str, named: &[&str]) -> Vec<Finding> {
        judge(&Dovecot::of(settings), &InUse { named: named.to_vec(), seen: BTreeSet::new() })
    }

    /// Printed by `doveconf -n` of 2.3.19 on Debian 12, shortened.
    const DEBIAN: &str = "\
# 2.3.19.1 (9b53102964): /etc/dovecot/dovecot.conf
mail_location = mbox:~/mail:INBOX=/var/mail/%u
namespace inbox {
  inbox = yes
  mailbox Drafts {
    special_use = \\Drafts
  }
  prefix = 
}
passdb {
  driver = pam
}
protocols = \" imap pop3\"
ssl_cert = </etc/dovecot/private/dovecot.pem
userdb {
  driver = passwd
}
";

    #[test]
    fn debians_settings_are_well() {
        assert_well(&told(DEBIAN, &[]));
        assert_told(&told(DEBIAN, &[]), Level::Ok, "Dovecot lets no host say");
    }

    #[test]
    fn names_of_any_bytes_are_an_error() {
        assert_told(&told("auth_username_chars = \n", &[]), Level::Error, "has an empty auth_username_chars");
        assert_well(&told("auth_username_chars = abc\n", &[]));
    }

    #[test]
    fn words_of_anybody_are_an_error_beside_the_matcher_of_a_proxy() {
        let logs = "protocol imap {\n  imap_id_log = *\n}\n";
        assert_told(&told(logs, &[PROXY]), Level::Error, "imap_id_log");
        assert!(!told(logs, &[]).iter().any(|finding| format!("{finding:?}").contains("imap_id_log")));
        assert!(
            !told("imap_id_log = \n", &[PROXY]).iter().any(|finding| format!("{finding:?}").contains("imap_id_log"))
        );
    }

    #[test]
    fn hosts_that_say_where_a_client_is_are_told() {
        for (value, level, text) in [
            ("0.0.0.0/0", Level::Error, "holds the whole internet (0.0.0.0/0)"),
            ("127.0.0.1 ::/0", Level::Error, "holds the whole internet (::/0)"),
            ("10.0.0.0/8 127.0.0.1, 192.0.2.1", Level::Warning, "is 10.0.0.0/8, 192.0.2.1: each host there"),
            ("proxy.example.org", Level::Warning, "is proxy.example.org: each"),
            ("127.0.0.1/0", Level::Error, "(127.0.0.1/0)"),
            ("127.0.0.0/8 ::1", Level::Ok, "lets no host say"),
        ] {
            assert_told(&told(&format!("login_trusted_networks = {value}\n"), &[]), level, text);
        }
        let haproxy = "haproxy_trusted_networks = 192.0.2.0/24\n";
        assert_well(&told(haproxy, &[]));
        let listener = "service imap-login {\n  inet_listener imap {\n    haproxy = yes\n  }\n}\n";
        assert_told(
            &told(&format!("{haproxy}{listener}"), &[]),
            Level::Warning,
            "haproxy_trusted_networks of Dovecot is 192",
        );
    }

    #[test]
    fn anonymous_logins_must_be_told_from_others() {
        for mechanisms in
            ["auth_mechanisms = plain anonymous\n", "auth_mechanisms {\n  plain = yes\n  anonymous = yes\n}\n"]
        {
            assert_told(&told(mechanisms, &[]), Level::Ok, "such logins do not count");
            let without = format!("{mechanisms}login_log_format_elements = user=<%u> rip=%r\n");
            assert_told(&told(&without, &[]), Level::Warning, "has no method=%m");
            let with = format!("{mechanisms}login_log_format_elements = user=<%{{user}}> method=%{{mechanism}}\n");
            assert_well(&told(&with, &[]));
        }
        assert_well(&told("login_log_format_elements = user=<%u> rip=%r\n", &[]));
    }

    #[test]
    fn the_matcher_for_proxies_goes_with_a_proxy() {
        for proxy in [
            "passdb {\n  args = proxy=y host=10.1.1.1 nopassword=y\n  driver = static\n}\n",
            "passdb {\n  default_fields = proxy host=x\n}\n",
            "passdb {\n  override_fields = proxy_maybe=y\n}\n",
            "passdb static {\n  fields {\n    host = x\n    proxy = y\n  }\n}\n",
            "passdb sql {\n  query = SELECT password, 'y' AS proxy FROM users\n}\n",
        ] {
            assert_told(&told(proxy, &[]), Level::Warning, "give --matcher dovecot,dovecot-proxy");
            assert_told(
                &told(proxy, &["dovecot", "dovecot-proxy"]),
                Level::Ok,
                "every server that it hands a login on to",
            );
        }
        for none in [
            DEBIAN,
            "passdb {\n  args = host=proxyserver proxy_timeout=3\n}\n",
            "passdb {\n  fields {\n    proxy = no\n  }\n}\n",
        ] {
            assert_well(&told(none, &[]));
            assert_told(
                &told(none, &["dovecot-proxy"]),
                Level::Warning,
                "dovecot-proxy is chosen, and nothing is seen",
            );
        }
    }

    #[test]
    fn files_of_password_databases_are_looked_into() {
        let settings = "passdb {\n  args = scheme=CRYPT username_format=%n /etc/dovecot/users\n  driver = passwd-file\n}\n\
                        passdb {\n  args = /etc/dovecot/dovecot-sql.conf.ext\n}\nuserdb {\n  args = /home/%u/x\n}\n";
        assert_eq!(Dovecot::of(settings).database_files(), ["/etc/dovecot/dovecot-sql.conf.ext", "/etc/dovecot/users"]);
        let with = |line: &str| {
            let file = ("/etc/dovecot/x".to_owned(), format!("# proxy=y\n{line}\n"));
            let dovecot = Dovecot { databases: vec![file], ..Dovecot::of("") };
            dovecot.proxies().is_some()
        };
        assert!(with("alice:{PLAIN}x::::::proxy=y host=10.0.0.1"));
        assert!(with("password_query = SELECT NULL AS password, host, 'Y' as nopassword, proxy FROM users"));
        assert!(with("  'Y' AS proxy \\"));
        assert!(with("pass_attrs = uid=user, mailHost=host, =proxy=y"));
        assert!(!with("proxy:x:13:13:proxy:/bin:/usr/sbin/nologin") && !with("user_query = SELECT home FROM users"));
    }

    #[test]
    fn what_doveconf_does_not_say_is_told() {
        let dovecot =
            Dovecot { file: Some("/srv/d.conf".to_owned()), settings: Err("x".to_owned()), databases: Vec::new() };
        let findings = judge(&dovecot, &InUse::default());
        assert_told(&findings, Level::Warning, "cannot ask Dovecot (/srv/d.conf) for its settings: x; check as root");
        for text in ["}\n}\n", "{", "a {\nb", "= =\n"] {
            assert_well(&told(text, &[]));
        }
    }
}
