//! Dovecot, by what `doveconf -n` prints: whose words its lines are. Pure.

mod doveconf;

use std::net::IpAddr;

use ipnet::IpNet;

pub(crate) use self::doveconf::Dovecot;
use super::InUse;
use crate::check::finding::Finding;
use crate::matcher::dovecot_format;

/// The matcher of the lines that Dovecot writes where it is a proxy.
pub(super) const PROXY: &str = "dovecot-proxy";

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
    findings.extend(elements(dovecot, &file));
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

/// Settings of what a login looks like.
fn elements(dovecot: &Dovecot, file: &str) -> Vec<Finding> {
    let Some(elements) = dovecot.value("login_log_format_elements") else { return Vec::new() };
    let mut findings = Vec::new();
    if let Err(flaw) = dovecot_format::build(&elements) {
        let text = format!(
            "Dovecot{file} has login_log_format_elements of its own, by which logins are not read: {}",
            flaw.reason
        );
        // Whose address it is cannot be told, or it is merely not known.
        let imitated = flaw.reason.contains("imitate");
        findings.push(if imitated { Finding::error(text, flaw.cure) } else { Finding::warning(text, flaw.cure) });
    }
    if dovecot.logs_ids() && !["%e", "mail_pid"].iter().any(|process| elements.contains(process)) {
        findings.push(Finding::error(
            format!(
                "Dovecot{file} logs what clients say of themselves before they log in (imap_id_log), and \
                 login_log_format_elements without mpid=%e: the rest of a message of more than 4,096 bytes may look like a login"
            ),
            "take imap_id_log out of its configuration, or put mpid=%e into login_log_format_elements, behind rip=%r",
        ));
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
    fn elements_in_which_the_address_can_be_imitated_are_an_error() {
        let elements = |text: &str| format!("login_log_format_elements = {text}\n");
        assert_well(&told(&elements("user=<%u> rip=%r mpid=%e %c"), &[]));
        assert_well(&told(&elements("\"user=<%{user}> rip=%{remote_ip} %{secured}\""), &[]));
        assert_told(&told(&elements("user=<%u> rip=%r sni=%{local_name}"), &[]), Level::Error, "imitate the address");
        assert_told(&told(&elements("user=<%u> rip=%r %{passdb:x}"), &[]), Level::Warning, "is not known here");
        let ids = |text: &str| format!("imap_id_log = *\n{}", elements(text));
        assert_told(&told(&ids("user=<%u> rip=%r"), &[]), Level::Error, "without mpid=%e");
        assert_well(&told(&ids("user=<%u> rip=%r mpid=%e"), &[]));
        assert_well(&told("imap_id_log = *\n", &[]));
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
            let with = format!(
                "{mechanisms}login_log_format_elements = user=<%{{user}}> method=%{{mechanism}} rip=%{{remote_ip}}\n"
            );
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
