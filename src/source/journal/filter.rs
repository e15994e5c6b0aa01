//! Whose entries of the journal count, by the fields that journald itself takes from the kernel. Pure.
//!
//! Any user may write any message under any name into the journal. He cannot write a field whose name begins with `_`.

use super::entry::{Entry, Value};

/// What the trusted fields must be. At least one list holds something; one value of each list that does must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    units: Vec<String>,
    users: Vec<String>,
    programs: Vec<String>,
}

/// What cannot be a value of a field: the option, the value and why.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong<'a> {
    /// The option.
    pub option: &'static str,
    /// Its value.
    pub value: &'a str,
    /// Why not.
    pub cause: &'static str,
    /// What would do.
    pub cure: &'static str,
}

impl Filter {
    /// Of the options: names of units (`dovecot` is `dovecot.service`), numbers of users, paths of programs.
    ///
    /// # Errors
    /// One of them cannot be one.
    pub fn new<'a>(units: &'a [String], users: &'a [String], programs: &'a [String]) -> Result<Self, Wrong<'a>> {
        Ok(Self {
            units: units.iter().map(|text| unit(text)).collect::<Result<_, _>>()?,
            users: users.iter().map(|text| user(text)).collect::<Result<_, _>>()?,
            programs: programs.iter().map(|text| program(text)).collect::<Result<_, _>>()?,
        })
    }

    /// Whether it would let everything through.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty() && self.users.is_empty() && self.programs.is_empty()
    }

    /// The same for `journalctl`, which joins values of one field by or, and fields by and.
    pub(super) fn matches(&self) -> impl Iterator<Item = String> + '_ {
        let fields = [("_SYSTEMD_UNIT", &self.units), ("_UID", &self.users), ("_EXE", &self.programs)];
        fields.into_iter().flat_map(|(field, values)| values.iter().map(move |value| format!("{field}={value}")))
    }

    /// Whether an entry counts. `journalctl` has looked already; this does not depend on it.
    pub(super) fn takes(&self, entry: &Entry<'_>) -> bool {
        let fits = |values: &[String], field: &Option<Value<'_>>| match field {
            _ if values.is_empty() => true,
            Some(Value::Text(text)) => values.iter().any(|value| value == text),
            _ => false,
        };
        !self.is_empty()
            && fits(&self.units, &entry.unit)
            && fits(&self.users, &entry.user)
            && fits(&self.programs, &entry.program)
    }
}

fn unit(value: &str) -> Result<String, Wrong<'_>> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    if value.is_empty() || !value.bytes().all(plain) {
        let cure = "write it as systemctl lists it: dovecot.service";
        return Err(Wrong { option: "--journal-unit", value, cause: "not the name of a unit", cure });
    }
    Ok(if value.contains('.') { value.to_owned() } else { format!("{value}.service") })
}

fn user(value: &str) -> Result<String, Wrong<'_>> {
    let cure = "write the number, as id -u prints it";
    let wrong = |_| Wrong { option: "--journal-uid", value, cause: "not the number of a user", cure };
    value.parse::<u32>().map(|number| number.to_string()).map_err(wrong)
}

fn program(value: &str) -> Result<String, Wrong<'_>> {
    if !value.starts_with('/') || value.chars().any(char::is_control) {
        let cure = "write it in full: /usr/lib/dovecot/log";
        return Err(Wrong { option: "--journal-exe", value, cause: "not the path of a program", cure });
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn filter(units: &str, users: &str, programs: &str) -> Result<Filter, String> {
        let list = |text: &str| text.split_terminator(',').map(str::to_owned).collect::<Vec<_>>();
        Filter::new(&list(units), &list(users), &list(programs)).map_err(|wrong| wrong.option.to_owned())
    }

    #[test]
    fn options_become_matches() {
        let filter = filter("dovecot,mail@x.service,a.scope", "0,007", "/usr/lib/dovecot/log").unwrap();
        assert_eq!(
            filter.matches().collect::<Vec<_>>(),
            [
                "_SYSTEMD_UNIT=dovecot.service",
                "_SYSTEMD_UNIT=mail@x.service",
                "_SYSTEMD_UNIT=a.scope",
                "_UID=0",
                "_UID=7",
                "_EXE=/usr/lib/dovecot/log"
            ]
        );
    }

    #[test]
    fn what_can_match_nothing_is_refused() {
        for unit in ["dovecot*", "a b", "x=y", "a/b"] {
            assert_eq!(filter(unit, "", ""), Err("--journal-unit".into()), "{unit}");
        }
        for user in ["root", "-1", "4294967296", " 0"] {
            assert_eq!(filter("", user, ""), Err("--journal-uid".into()), "{user}");
        }
        assert_eq!(filter("", "", "dovecot"), Err("--journal-exe".into()));
    }

    #[test]
    fn each_field_that_is_asked_for_must_fit() {
        let takes = |filter: &Filter, json: &str| filter.takes(&Entry::parse(json.as_bytes()).unwrap());
        let both = filter("dovecot,courier-imap", "0", "").unwrap();
        for (json, expected) in [
            (r#"{"_SYSTEMD_UNIT":"dovecot.service","_UID":"0"}"#, true),
            (r#"{"_SYSTEMD_UNIT":"courier-imap.service","_UID":"0"}"#, true),
            (r#"{"_SYSTEMD_UNIT":"dovecot.service","_UID":"1000"}"#, false),
            (r#"{"_SYSTEMD_UNIT":"dovecot.service"}"#, false),
            (r#"{"_UID":"0"}"#, false),
            (r#"{"_SYSTEMD_UNIT":"user@1000.service","_UID":"0","UNIT":"dovecot.service"}"#, false),
            (r#"{"_SYSTEMD_UNIT":["dovecot.service","x.service"],"_UID":"0"}"#, false),
            (r#"{"_SYSTEMD_UNIT":null,"_UID":"0"}"#, false),
            (r#"{}"#, false),
        ] {
            assert_eq!(takes(&both, json), expected, "{json}");
        }
        assert!(!takes(&Filter::default(), r#"{"_SYSTEMD_UNIT":"dovecot.service","_UID":"0"}"#), "no filter, no trust");
    }
}
