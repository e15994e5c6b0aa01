//! Postfix's restriction lists: what becomes of a client that asks to relay. Pure.
//!
//! As smtpd reads them (src/smtpd/smtpd_check.c): the first restriction that permits or rejects ends its list, a class is
//! evaluated in its place, and a message passes if no list rejects it.

use std::collections::HashMap;

/// How deep classes may name classes.
const DEEPEST: usize = 20;

/// The lists that are asked of a RCPT command, in the order in which smtpd asks them.
pub(crate) const LISTS: [&str; 5] = [
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
];

/// The two in which a permission to relay can stand.
pub(crate) const RELAY_LISTS: [&str; 2] = ["smtpd_relay_restrictions", "smtpd_recipient_restrictions"];

/// A restriction at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// The parameter in which it stands: the list's or that of a restriction class.
    pub(crate) parameter: String,
    /// Its name in lower case.
    pub(crate) name: String,
    /// Its table, server or number.
    pub(crate) argument: Option<String>,
    /// Whether `warn_if_reject` makes a rejection of it a warning.
    pub(crate) warns: bool,
}

/// Who asks to relay to another's domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// A client that no table knows.
    Stranger,
    /// A client that our table holds.
    Granted,
    /// A client in main.cf's `mynetworks` that our table does not hold.
    Mine,
}

/// How a list ends, and the index of the item that ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The list permits.
    Permits(usize),
    /// The list rejects or defers.
    Rejects(usize),
    /// The list has nothing to say.
    Silent,
}

/// Splits the value of a parameter as Postfix does: at commas and white space outside of braces.
pub(crate) fn words(value: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut depth) = (None, 0usize);
    for (at, char) in value.char_indices() {
        match char {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let separates = depth == 0 && (char == ',' || char.is_ascii_whitespace());
        match start {
            None if !separates => start = Some(at),
            Some(from) if separates => {
                words.push(&value[from..at]);
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|from| &value[from..]));
    words
}

/// Writes words as an operator would: a comma behind each restriction.
pub(crate) fn join(words: &[&str]) -> String {
    let mut text = String::new();
    for (at, word) in words.iter().enumerate() {
        text.push_str(word);
        let goes_on = takes_argument(&word.to_ascii_lowercase()) || word.eq_ignore_ascii_case("warn_if_reject");
        if at + 1 < words.len() {
            text.push_str(if goes_on { " " } else { ", " });
        }
    }
    text
}

/// The restrictions of a list, those of classes in their place.
pub(crate) fn items(parameter: &str, value: &str, classes: &HashMap<String, String>) -> Vec<Item> {
    let mut items = Vec::new();
    expand(parameter, parameter, value, classes, DEEPEST, &mut items);
    items
}

fn expand(
    list: &str,
    parameter: &str,
    value: &str,
    classes: &HashMap<String, String>,
    depth: usize,
    items: &mut Vec<Item>,
) {
    let mut words = words(value).into_iter().peekable();
    let mut warns = false;
    while let Some(word) = words.next() {
        let name = word.to_ascii_lowercase();
        if name == "warn_if_reject" {
            warns = true;
            continue;
        }
        if let Some(class) = classes.get(word).filter(|_| depth > 0) {
            expand(list, word, class, classes, depth - 1, items);
        } else if word.contains(':') {
            // A table alone is asked for what the list is about.
            let name = format!("check_{}_access", about(list));
            items.push(Item { parameter: parameter.to_owned(), name, argument: Some(word.to_owned()), warns });
        } else {
            let argument = if takes_argument(&name) { words.next().map(str::to_owned) } else { None };
            items.push(Item { parameter: parameter.to_owned(), name, argument, warns });
        }
        warns = false;
    }
}

fn about(list: &str) -> &'static str {
    match list {
        "smtpd_client_restrictions" => "client",
        "smtpd_helo_restrictions" => "helo",
        "smtpd_sender_restrictions" => "sender",
        _ => "recipient",
    }
}

fn takes_argument(name: &str) -> bool {
    let checks = name.starts_with("check_") && !matches!(name, "check_relay_domains" | "check_recipient_maps");
    let lists = ["reject_rbl", "reject_rhsbl", "permit_dnswl_", "permit_rhswl_"];
    checks || name == "sleep" || lists.iter().any(|start| name.starts_with(start))
}

/// What decides about a client besides the names of restrictions.
pub(crate) struct Rules<'a> {
    /// Whether a table is ours.
    pub(crate) is_ours: &'a dyn Fn(&str) -> bool,
    /// Whether `mynetworks` holds a quarter of the internet or more.
    pub(crate) everyone_is_mine: bool,
    /// Whether `mynetworks` holds all whom `Who::Mine` stands for.
    pub(crate) mine_are_permitted: bool,
}

impl Rules<'_> {
    /// How a list ends for a client that asks to relay to another's domain. Tables of others, and what depends on the
    /// client's name or on what it says, are taken to say nothing.
    pub(crate) fn walk(&self, items: &[Item], who: Who) -> End {
        let ends = items.iter().enumerate().map(|(at, item)| self.effect(item, who, at));
        ends.into_iter().find(|end| *end != End::Silent).unwrap_or(End::Silent)
    }

    fn effect(&self, item: &Item, who: Who, at: usize) -> End {
        let permits = match item.name.as_str() {
            "permit" => true,
            // Whoever is granted must be let through by the table, too.
            "permit_mynetworks" => match who {
                Who::Mine => self.mine_are_permitted,
                Who::Stranger => self.everyone_is_mine,
                Who::Granted => false,
            },
            "check_client_access" => item.argument.as_deref().is_some_and(|table| self.table_permits(table, who)),
            _ => false,
        };
        if permits {
            return End::Permits(at);
        }
        if is_refusal(&item.name) && !item.warns { End::Rejects(at) } else { End::Silent }
    }

    fn table_permits(&self, table: &str, who: Who) -> bool {
        let always = table.strip_prefix("static:").is_some_and(grants);
        always || (who == Who::Granted && (self.is_ours)(table))
    }
}

/// Whether a restriction refuses whoever asks to relay to another's domain. One of these smtpd demands before it starts.
pub(crate) fn is_refusal(name: &str) -> bool {
    matches!(name, "reject" | "defer" | "reject_unauth_destination" | "defer_unauth_destination" | "defer_if_permit")
}

/// Whether the result of a lookup permits: `OK`, or a number (access(5)), or the name of such a restriction.
pub(crate) fn grants(result: &str) -> bool {
    let result = result.trim();
    let is_number = !result.is_empty() && result.bytes().all(|byte| byte.is_ascii_digit());
    is_number || ["ok", "permit"].contains(&result.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "lmdb:/etc/postfix/pop-before-smtp";

    fn classes() -> HashMap<String, String> {
        let pairs = [("pbs", format!("check_client_access {TABLE}")), ("open", "permit".to_owned())];
        let pairs = pairs.into_iter().chain([("loop", "loop, reject".to_owned())]);
        pairs.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn end(value: &str, who: Who) -> End {
        let rules = Rules { is_ours: &|table| table == TABLE, everyone_is_mine: false, mine_are_permitted: true };
        rules.walk(&items("smtpd_relay_restrictions", value, &classes()), who)
    }

    #[test]
    fn words_are_split_as_postfix_splits_them() {
        assert_eq!(words("a, b\n  c,d"), ["a", "b", "c", "d"]);
        assert_eq!(words("a { b, { c } } d"), ["a", "{ b, { c } }", "d"]);
        assert!(words(" ,").is_empty());
        let value = "permit_mynetworks, warn_if_reject reject_rbl_client x, check_client_access hash:/x, reject";
        assert_eq!(join(&words(value)), value);
    }

    #[test]
    fn arguments_and_classes_are_told_from_restrictions() {
        let all = items(
            "smtpd_client_restrictions",
            "hash:/x, reject_rbl_client reject, warn_if_reject Reject, pbs, sleep 1 check_client_access inline:{a=b, c}",
            &classes(),
        );
        let told: Vec<_> = all.iter().map(|i| (i.parameter.as_str(), i.name.as_str(), i.argument.as_deref())).collect();
        let list = "smtpd_client_restrictions";
        assert_eq!(
            told,
            [
                (list, "check_client_access", Some("hash:/x")),
                (list, "reject_rbl_client", Some("reject")),
                (list, "reject", None),
                ("pbs", "check_client_access", Some(TABLE)),
                (list, "sleep", Some("1")),
                (list, "check_client_access", Some("inline:{a=b, c}")),
            ]
        );
        assert!(all[2].warns && !all[3].warns);
    }

    #[test]
    fn a_list_ends_where_smtpd_ends_it() {
        let permitted = format!("permit_mynetworks, check_client_access {TABLE}, reject_unauth_destination");
        for (value, stranger, granted) in [
            (permitted.as_str(), End::Rejects(2), End::Permits(1)),
            ("permit_mynetworks pbs reject", End::Rejects(2), End::Permits(1)),
            ("defer_unauth_destination pbs", End::Rejects(0), End::Rejects(0)),
            ("open, reject", End::Permits(0), End::Permits(0)),
            ("warn_if_reject reject_unauth_destination", End::Silent, End::Silent),
            ("check_client_access static:ok reject", End::Permits(0), End::Permits(0)),
            ("check_client_access static:dunno reject", End::Rejects(1), End::Rejects(1)),
            ("check_recipient_access hash:/x", End::Silent, End::Silent),
            ("", End::Silent, End::Silent),
            ("loop", End::Rejects(1), End::Rejects(1)),
        ] {
            assert_eq!(end(value, Who::Stranger), stranger, "{value}");
            assert_eq!(end(value, Who::Granted), granted, "{value}");
        }
    }

    #[test]
    fn a_number_and_ok_are_permissions() {
        assert!(grants("1795363419") && grants("OK") && grants("permit"));
        assert!(!grants("REJECT") && !grants("") && !grants("dunno") && !grants("12x"));
    }
}
