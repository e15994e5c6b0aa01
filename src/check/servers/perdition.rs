//! Perdition: whether its users name the server that says who has logged in. Pure.

use crate::check::finding::Finding;

/// The option by which they do (perdition(8) of 2.2).
const OPTION: &str = "client_server_specification";

/// Its short name.
const SHORT: char = 'c';

/// Short options that are followed by a value: what stands behind one is no option (perdition(8) of 2.2).
const WITH_VALUE: &str = "AbDeFfgILlMmOPpSstu";

/// An error for each place that switches it on.
pub(super) fn judge(processes: &[Vec<String>], files: &[(String, String)]) -> Vec<Finding> {
    let mut places = Vec::new();
    if processes.iter().any(|arguments| has_option(arguments.iter().skip(1).map(String::as_str))) {
        places.push("the command line of perdition".to_owned());
    }
    let is_on = |(name, text): &&(String, String)| {
        if name.ends_with(".conf") { text.lines().any(is_setting) } else { text.lines().any(has_flags) }
    };
    places.extend(files.iter().filter(is_on).map(|(name, _)| name.clone()));
    let error = |place: String| {
        Finding::error(
            format!(
                "{OPTION} is on in {place}: whoever names a server of his own in his user name is logged in by it, and so \
                 grants his address"
            ),
            format!(
                "take {OPTION} (-{SHORT}) out of {place} and start perdition again, or take perdition out of --matcher"
            ),
        )
    };
    places.into_iter().map(error).collect()
}

/// A line of a configuration file: a long or a short option without dashes.
fn is_setting(line: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default().trim_start_matches('-');
    word == OPTION || word == SHORT.to_string()
}

/// A line of /etc/default/perdition: `FLAGS="..."`, `POP3_FLAGS=...`.
fn has_flags(line: &str) -> bool {
    let Some((name, value)) = line.trim().split_once('=') else { return false };
    let words = value.split(|char: char| char.is_whitespace() || char == '"' || char == '\'');
    !name.starts_with('#') && name.ends_with("FLAGS") && has_option(words)
}

fn has_option<'a>(arguments: impl Iterator<Item = &'a str>) -> bool {
    let is_it = |argument: &str| match argument.strip_prefix("--") {
        Some(long) => long == OPTION,
        None => argument.strip_prefix('-').is_some_and(|letters| {
            letters.chars().take_while(|letter| !WITH_VALUE.contains(*letter)).any(|letter| letter == SHORT)
        }),
    };
    arguments.into_iter().any(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::{Level, assert_told};

    #[test]
    fn a_server_that_the_user_names_is_an_error_wherever_it_is_switched_on() {
        let process = |arguments: &str| vec![arguments.split(' ').map(str::to_owned).collect::<Vec<_>>()];
        for (arguments, is_on) in [
            ("perdition.pop3 -c", true),
            ("perdition.pop3 --client_server_specification -s imap", true),
            ("perdition.pop3 -qc", true),
            ("perdition.pop3 -C", false),
            ("perdition.pop3 -mc", false),
            ("perdition.pop3 --connect_relog 3 -m c", false),
            ("perdition.pop3", false),
        ] {
            assert_eq!(judge(&process(arguments), &[]).len(), usize::from(is_on), "{arguments}");
        }
        for (name, text, is_on) in [
            (
                "/etc/perdition/perdition.conf",
                "# c|client_server_specification:\n#c\n#client_server_specification\n",
                false,
            ),
            ("/etc/perdition/perdition.conf", "L 10\nclient_server_specification\n", true),
            ("/etc/perdition/perdition.pop3.conf", " c\n", true),
            ("/etc/perdition/perdition.pop3.conf", "connect_relog 3\n", false),
            ("/etc/default/perdition", "RUN_PERDITION=yes\nPOP3_FLAGS=\"-d -c\"\n", true),
            ("/etc/default/perdition", "#FLAGS=-c\nIMAP4_FLAGS=\n", false),
        ] {
            let findings = judge(&[], &[(name.to_owned(), text.to_owned())]);
            assert_eq!(findings.len(), usize::from(is_on), "{name}: {text}");
            if is_on {
                assert_told(
                    &findings,
                    Level::Error,
                    &format!("client_server_specification is on in {name}: whoever names"),
                );
            }
        }
    }
}
