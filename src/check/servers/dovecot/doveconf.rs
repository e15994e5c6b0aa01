//! What `doveconf -n` prints, read; and whether it says that logins are handed on to another server. Pure.

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
pub(super) struct Setting<'a> {
    blocks: Vec<&'a str>,
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

impl Dovecot {
    #[cfg(test)]
    pub(crate) fn of(settings: &str) -> Self {
        Self { file: None, settings: Ok(settings.to_owned()), databases: Vec::new() }
    }

    /// Whether a user's name may hold any byte.
    pub(crate) fn takes_any_name(&self) -> bool {
        self.settings().iter().any(|setting| {
            setting.name == "auth_username_chars" && setting.value.is_empty() && setting.blocks.is_empty()
        })
    }

    /// Whether it logs what anybody says in an ID command, which it does up to 2.3 if it is told to.
    pub(super) fn logs_ids(&self) -> bool {
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

    pub(super) fn settings(&self) -> Vec<Setting<'_>> {
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
    pub(super) fn value(&self, name: &str) -> Option<String> {
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
    pub(super) fn proxies(&self) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
