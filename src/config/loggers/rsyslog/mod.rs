//! What rsyslogd's configuration says of newlines and of lines from the network, as far as that can be told without
//! running it. Pure.

pub(super) mod understood;

use super::Route;

/// Inputs that take lines from the network.
const NETWORK: [&str; 4] = ["imudp", "imtcp", "imptcp", "imrelp"];

/// The older directives for such inputs.
const NETWORK_DIRECTIVES: [&str; 5] =
    ["$udpserverrun", "$inputtcpserverrun", "$inputptcpserverrun", "$inputrelpserverrun", "$inputgssserverrun"];

/// Whether a newline in a message is written as it is. Both directives are of the whole program, wherever they stand.
pub(crate) fn writes_newlines(configuration: &str) -> bool {
    let text = without_comments(configuration).to_ascii_lowercase();
    let is = |name: &str, value: &str| {
        let directive = text.lines().any(|line| {
            let mut words = line.split_ascii_whitespace();
            words.next() == Some(name) && words.next() == Some(value)
        });
        let parameter = objects(&text, "global")
            .any(|object| parameter(object, &format!("parser.{}", &name[1..])).as_deref() == Some(value));
        directive || parameter
    };
    is("$escapecontrolcharactersonreceive", "off") && !is("$spacelfonreceive", "on")
}

/// Whether lines from the network get into the log.
pub(crate) fn route(configuration: &str, log: &str) -> Route {
    let text = without_comments(configuration);
    let lower = text.to_ascii_lowercase();
    let has_directive = lower.lines().any(|line| NETWORK_DIRECTIVES.iter().any(|name| line.trim().starts_with(name)));
    let inputs: Vec<_> = objects(&text, "input")
        .filter(|object| parameter(object, "type").is_some_and(|kind| NETWORK.contains(&kind.as_str())))
        .map(|object| parameter(object, "ruleset"))
        .collect();
    let Some(rulesets) = inputs.into_iter().collect::<Option<Vec<_>>>().filter(|found| !found.is_empty()) else {
        return Route::Here;
    };
    if has_directive {
        return Route::Here;
    }
    let judged = rulesets.iter().map(|name| ruleset(&text, name).map(|block| goes_to(block, log)));
    match judged.collect::<Option<Vec<_>>>() {
        Some(routes) if routes.iter().all(|route| *route == Route::Elsewhere) => Route::Elsewhere,
        Some(routes) if routes.contains(&Route::Here) => Route::Here,
        _ => Route::Unknown,
    }
}

/// Whom `$AllowedSender` lets send (rsyslog's documentation, legacy directives).
pub(crate) fn allowed_senders(configuration: &str) -> Vec<String> {
    let text = without_comments(configuration);
    let senders = |line: &str| {
        let (name, rest) = line.trim().split_once(char::is_whitespace)?;
        name.eq_ignore_ascii_case("$AllowedSender").then(|| rest.trim().to_owned())
    };
    text.lines().filter_map(senders).collect()
}

fn goes_to(block: &str, log: &str) -> Route {
    let lower = block.to_ascii_lowercase();
    if block.contains(log) {
        Route::Here
    } else if ["dynafile", "call ", "call_indirect", "?", "omprog", "omruleset"].iter().any(|word| lower.contains(word))
    {
        // It may be made up, or be another ruleset's.
        Route::Unknown
    } else {
        Route::Elsewhere
    }
}

/// What stands in the parentheses of each object of this name.
fn objects<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = &'t str> {
    named(text, name).filter_map(|rest| enclosed(rest, '(', ')')).map(|(object, _)| object)
}

fn ruleset<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    named(text, "ruleset").filter_map(|rest| enclosed(rest, '(', ')')).find_map(|(object, rest)| {
        let is_it = parameter(object, "name").as_deref() == Some(name);
        is_it.then(|| enclosed(rest.trim_start(), '{', '}').map(|(block, _)| block)).flatten()
    })
}

/// What follows each word `name`, if that is a parenthesis.
fn named<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = &'t str> {
    let is_word = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '$');
    // Lower case of ASCII has the same places.
    let lower = text.to_ascii_lowercase();
    let starts: Vec<usize> = lower.match_indices(&name.to_ascii_lowercase()).map(|(at, _)| at).collect();
    starts.into_iter().filter_map(move |at| {
        let rest = text[at + name.len()..].trim_start();
        (rest.starts_with('(') && !text[..at].ends_with(is_word)).then_some(rest)
    })
}

/// What stands between the first bracket of a text and the one that closes it, and what follows. Quoted text is passed over.
fn enclosed(text: &str, open: char, close: char) -> Option<(&str, &str)> {
    let (mut depth, mut quote, mut is_escaped) = (0, None, false);
    for (at, char) in text.char_indices() {
        match quote {
            Some(_) if is_escaped => is_escaped = false,
            Some(_) if char == '\\' => is_escaped = true,
            Some(end) if char == end => quote = None,
            Some(_) => {}
            None if matches!(char, '"' | '\'') => quote = Some(char),
            None if char == open => depth += 1,
            None if char == close => {
                depth -= 1;
                if depth == 0 {
                    return Some((&text[1..at], &text[at + 1..]));
                }
            }
            None if depth == 0 => return None,
            None => {}
        }
    }
    None
}

/// The value of a parameter, such as `imudp` of `type="imudp"`, in lower case but for names of rulesets.
fn parameter(object: &str, name: &str) -> Option<String> {
    let lower = object.to_ascii_lowercase();
    lower.match_indices(&name.to_ascii_lowercase()).find_map(|(at, found)| {
        let is_whole = !lower[..at].ends_with(|char: char| char.is_ascii_alphanumeric() || char == '.' || char == '_');
        let rest = object[at + found.len()..].trim_start().strip_prefix('=')?.trim_start().strip_prefix('"')?;
        let value = rest.split_once('"')?.0;
        is_whole.then(|| if matches!(name, "name" | "ruleset") { value.to_owned() } else { value.to_ascii_lowercase() })
    })
}

/// `#` begins a comment where no text is quoted, and `/*` one that `*/` ends.
fn without_comments(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        kept.push_str(before);
        // Files are often named by a pattern: /etc/rsyslog.d/*.conf.
        match after.split_once("*/").filter(|_| before.is_empty() || before.ends_with(char::is_whitespace)) {
            Some((_, after)) => rest = after,
            None => {
                kept.push_str("/*");
                rest = after;
            }
        }
    }
    kept.push_str(rest);
    kept.lines().map(|line| format!("{}\n", uncommented(line))).collect()
}

fn uncommented(line: &str) -> &str {
    let mut is_quoted = false;
    for (at, char) in line.char_indices() {
        match char {
            '"' => is_quoted = !is_quoted,
            '#' if !is_quoted => return &line[..at],
            _ => {}
        }
    }
    line
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// As rsyslogd 8.2302 of Debian 12 writes it by `-N1 -o`, shortened.
    pub(super) const DEBIAN: &str = r#"
##### BEGIN CONFIG: /etc/rsyslog.conf (put on stack)
module(load="imuxsock") # provides
#module(load="imudp")
#input(type="imudp" port="514")
$FileOwner root
$IncludeConfig /etc/rsyslog.d/*.conf/etc/rsyslog.d/*.conf
##### BEGIN CONFIG: /etc/rsyslog.d/postfix.conf (put on stack)
$AddUnixListenSocket /var/spool/postfix/dev/log

##### END   CONFIG: /etc/rsyslog.d/postfix.conf
*.*;auth,authpriv.none		-/var/log/syslog
mail.*				-/var/log/mail.log
*.emerg				:omusrmsg:*
##### END   CONFIG: /etc/rsyslog.conf
"#;
    const LOG: &str = "/var/log/mail.log";

    #[test]
    fn newlines_are_escaped_unless_that_is_switched_off() {
        assert!(!writes_newlines(DEBIAN));
        let with = |line: &str| writes_newlines(&format!("{DEBIAN}\n{line}\n"));
        assert!(with("$EscapeControlCharactersOnReceive off"));
        assert!(with("global(workDirectory=\"/x\"\n parser.escapeControlCharactersOnReceive=\"off\")"));
        assert!(!with("#$EscapeControlCharactersOnReceive off"));
        assert!(!with("$EscapeControlCharactersOnReceive on"));
        assert!(!with("$EscapeControlCharactersOnReceive off\n$SpaceLFOnReceive on # each a space"));
        assert!(with("$EscapeControlCharactersOnReceive off\nglobal(parser.spaceLFOnReceive=\"off\")"));
    }

    #[test]
    fn a_ruleset_keeps_lines_from_the_network_apart() {
        let with = |text: &str| route(&format!("{DEBIAN}\n{text}\n"), LOG);
        let remote = "ruleset(name=\"remote\") {\n action(type=\"omfile\" file=\"/var/log/remote.log\")\n}\n";
        let input = "module(load=\"imudp\")\ninput(type=\"imudp\" port=\"514\" ruleset=\"remote\")\n";
        assert_eq!(with(&format!("{remote}{input}")), Route::Elsewhere);
        assert_eq!(with(input), Route::Unknown, "there is no such ruleset");
        assert_eq!(with(&format!("{remote}{}", input.replace("ruleset=\"remote\"", ""))), Route::Here);
        assert_eq!(with(&format!("{remote}{input}$InputTCPServerRun 514")), Route::Here);
        assert_eq!(with(&format!("{remote}{input}#$InputTCPServerRun 514")), Route::Elsewhere);
        assert_eq!(with(&format!("{remote}{input}input(type=\"imtcp\" port=\"514\")")), Route::Here);
        assert_eq!(with(&format!("{remote}{input}input(type=\"imfile\" File=\"/x\")")), Route::Elsewhere);
        assert_eq!(with(&format!("{}{input}", remote.replace("remote.log", "mail.log"))), Route::Here);
        assert_eq!(with(&format!("{}{input}", remote.replace("file=", "dynaFile="))), Route::Unknown);
        assert_eq!(with(&format!("{}{input}", remote.replace("}", "call mail\n}"))), Route::Unknown);
        assert_eq!(with(""), Route::Here, "the commented inputs are none");
    }

    #[test]
    fn allowed_senders_are_found() {
        assert!(allowed_senders(DEBIAN).is_empty());
        let told =
            allowed_senders("$AllowedSender UDP, 127.0.0.1, 192.0.2.0/24 # x\n#$AllowedSender TCP, 10.0.0.0/8\n");
        assert_eq!(told, ["UDP, 127.0.0.1, 192.0.2.0/24"]);
    }

    #[test]
    fn text_that_is_no_configuration_is_read_to_its_end() {
        for text in ["input(", "input(type=\"imudp", "ruleset(name=\"x\") {", "/*", "ß(input(ß", "\"#", ""] {
            assert!(!writes_newlines(text));
            assert_ne!(route(text, LOG), Route::Elsewhere);
        }
    }
}
