//! The file of a cidr_table(5): which networks it has an answer for. Pure.

use ipnet::IpNet;

use super::patterns::network;

/// The networks of the file; nothing if it has rules that are not simply a network and an answer in one line.
pub(super) fn networks(text: &str) -> Option<Vec<IpNet>> {
    let mut networks = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')) {
        let line = line.trim_end();
        let (pattern, answer) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let goes_on = pattern.is_empty();
        if goes_on || pattern.starts_with('!') || ["if", "endif"].contains(&pattern.to_ascii_lowercase().as_str()) {
            return None;
        }
        // Postfix leaves out what is no network, and what has no answer.
        networks.extend(network(pattern).ok().filter(|_| !answer.is_empty()));
    }
    Some(networks)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_postfix_takes_for_a_rule_is_one() {
        let text = "# 1.0.0.0/8 OK\n\n0.0.0.0/0 \n10.0.0.1/8 OK\n192.0.2.0/24\tOK\n # 0.0.0.0/0\n \n[2001:db8::]/32 OK\n\
                    2001:db9::/32 REJECT\n192.0.3.1 OK\nmail.example.net OK\n";
        let named: Vec<_> = networks(text).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(named, ["192.0.2.0/24", "2001:db8::/32", "2001:db9::/32", "192.0.3.1/32"]);
    }

    #[test]
    fn what_is_not_simple_is_not_read() {
        for text in [
            "!192.0.2.0/24 OK",
            "if 192.0.2.0/24\n0.0.0.0/0 OK\nendif",
            "IF !192.0.2.0/24",
            "0.0.0.0/0\n  OK",
            "0.0.0.0/0 OK\nendif",
        ] {
            assert_eq!(networks(text), None, "{text}");
        }
    }
}
