//! What syslog-ng's configuration says of newlines and of lines from the network, as far as it is written plainly:
//! named sources and destinations, joined by log statements (the administration guide of syslog-ng). Pure.
//!
//! Tried with 3.38 of Debian 12: as shipped, a newline in a message is written as it is. `flags(no-multi-line)`, in the
//! file destination or in the source, makes a space of it. `flags(sanitize-utf8)` in the source makes `\n` of it only in a
//! message that is not UTF-8, which the stranger can avoid.

use crate::config::loggers::Route;

/// Drivers by which messages get into a source, but for syslog-ng's own and the kernel's.
const DRIVERS: [&str; 14] = [
    "unix-dgram",
    "unix-stream",
    "systemd-syslog",
    "systemd-journal",
    "network",
    "syslog",
    "udp",
    "udp6",
    "tcp",
    "tcp6",
    "default-network-drivers",
    "pipe",
    "program",
    "system",
];

/// Those of the network.
const NETWORK: [&str; 7] = ["network", "syslog", "udp", "udp6", "tcp", "tcp6", "default-network-drivers"];

/// How a newline in a message gets into the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Newlines {
    /// As it is.
    Raw,
    /// As something else.
    Cured,
    /// That cannot be told.
    Unknown,
}

/// How newlines get into the log.
pub(super) fn newlines(configuration: &str, log: &str) -> Newlines {
    let tokens = tokens(configuration);
    let statements = statements(&tokens);
    let Some((destinations, paths)) = destinations(&statements, log) else { return Newlines::Unknown };
    let is_cured = |file: &&[Token<'_>]| has_flag(file, &["no-multi-line"]);
    if destinations.iter().all(|(_, files)| files.iter().all(is_cured)) {
        return Newlines::Cured;
    }
    let judged: Vec<_> = paths.iter().map(|path| self::path(path, &destinations, &statements)).collect();
    match () {
        () if judged.iter().all(|newlines| *newlines == Newlines::Cured) => Newlines::Cured,
        () if judged.contains(&Newlines::Raw) => Newlines::Raw,
        () => Newlines::Unknown,
    }
}

/// One log statement.
fn path(path: &[Token<'_>], destinations: &[Destination<'_>], statements: &[Statement<'_>]) -> Newlines {
    // A template or a rewrite rule may do anything.
    let has_template =
        destinations.iter().any(|(_, files)| files.iter().any(|file| !calls(file, &["template"]).is_empty()));
    if has_template || !calls(path, &["rewrite", "parser"]).is_empty() {
        return Newlines::Unknown;
    }
    match sources(path, statements) {
        None => Newlines::Unknown,
        Some(sources) => {
            let drivers: Vec<_> = sources.iter().flat_map(|source| calls(source, &DRIVERS)).collect();
            let is_cured = drivers.iter().all(|driver| has_flag(driver, &["no-multi-line"]));
            if is_cured && !drivers.is_empty() { Newlines::Cured } else { Newlines::Raw }
        }
    }
}

/// Whether lines from the network get into the log.
pub(super) fn route(configuration: &str, log: &str) -> Route {
    let tokens = tokens(configuration);
    let statements = statements(&tokens);
    let Some((_, paths)) = destinations(&statements, log) else { return Route::Unknown };
    let sources: Option<Vec<_>> = paths.iter().map(|path| sources(path, &statements)).collect();
    match sources {
        None => Route::Unknown,
        Some(sources) if sources.iter().flatten().any(|source| !calls(source, &NETWORK).is_empty()) => Route::Here,
        Some(_) => Route::Elsewhere,
    }
}

/// The name of a destination, and what it says of each file of that path.
type Destination<'t> = (&'t str, Vec<&'t [Token<'t>]>);

/// The destinations that write the log, and the log statements that lead to one of them; `None` if there are none, or
/// more than was understood.
fn destinations<'t>(statements: &[Statement<'t>], log: &str) -> Option<(Vec<Destination<'t>>, Vec<&'t [Token<'t>]>)> {
    let is_it = |file: &&[Token<'_>]| file.first().and_then(Token::text) == Some(log);
    let destinations: Vec<Destination<'t>> = statements
        .iter()
        .filter(|statement| statement.kind == "destination")
        .map(|statement| (statement.name, calls(statement.block, &["file"]).into_iter().filter(is_it).collect()))
        .filter(|(_, files): &Destination<'t>| !files.is_empty())
        .collect();
    let logs = || statements.iter().filter(|statement| statement.kind == "log").map(|statement| statement.block);
    let leads = |block: &&[Token<'_>]| {
        names(block, "destination").iter().any(|name| destinations.iter().any(|(known, _)| known == name))
    };
    let paths: Vec<_> = logs().filter(leads).collect();
    // Elsewhere in the configuration the same file may be written by other means.
    let mentions =
        statements.iter().flat_map(|statement| statement.block).filter(|token| token.text() == Some(log)).count();
    let is_understood = mentions == destinations.iter().map(|(_, files)| files.len()).sum::<usize>();
    (is_understood && !paths.is_empty()).then_some((destinations, paths))
}

/// The sources of a log statement; `None` if it has others than named ones.
fn sources<'t>(path: &[Token<'_>], statements: &[Statement<'t>]) -> Option<Vec<&'t [Token<'t>]>> {
    let is_nested = path.windows(2).any(|pair| {
        matches!(pair[0], Token::Word("source" | "log" | "channel" | "junction")) && pair[1] == Token::Mark('{')
    });
    let known = |name: &&str| {
        let is_it = |statement: &&Statement<'_>| statement.kind == "source" && statement.name == *name;
        statements.iter().find(is_it).map(|statement| statement.block)
    };
    let names = names(path, "source");
    let found: Option<Vec<_>> = names.iter().map(known).collect();
    found.filter(|found| !is_nested && !found.is_empty())
}

/// What stands in the parentheses behind each of these words.
fn calls<'t>(tokens: &'t [Token<'t>], words: &[&str]) -> Vec<&'t [Token<'t>]> {
    let at = |index: usize| match (&tokens[index], tokens.get(index + 1)) {
        // Older names have an underscore.
        (Token::Word(word), Some(Token::Mark('('))) if words.contains(&word.replace('_', "-").as_str()) => {
            enclosed(&tokens[index + 1..])
        }
        _ => None,
    };
    (0..tokens.len()).filter_map(at).collect()
}

/// The names in `source(NAME)` or `destination(NAME)`.
fn names<'t>(tokens: &'t [Token<'t>], word: &str) -> Vec<&'t str> {
    let texts = |call: &'t [Token<'t>]| call.iter().filter_map(Token::text);
    calls(tokens, &[word]).into_iter().flat_map(texts).collect()
}

fn has_flag(call: &[Token<'_>], flags: &[&str]) -> bool {
    let is_one = |token: &Token<'_>| token.text().is_some_and(|text| flags.contains(&text.replace('_', "-").as_str()));
    calls(call, &["flags"]).iter().any(|call| call.iter().any(is_one))
}

/// What stands between a bracket, the first token, and the one that closes it.
fn enclosed<'t>(tokens: &'t [Token<'t>]) -> Option<&'t [Token<'t>]> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Mark('(' | '{') => depth += 1,
            Token::Mark(')' | '}') if depth == 1 => return Some(&tokens[1..at]),
            Token::Mark(')' | '}') => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// `source NAME { ... }`, or another; a log statement has no name.
#[derive(Debug)]
struct Statement<'t> {
    kind: &'t str,
    name: &'t str,
    block: &'t [Token<'t>],
}

/// The statements of the highest level.
fn statements<'t>(tokens: &'t [Token<'t>]) -> Vec<Statement<'t>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (kind, name, brace) = match &tokens[at..] {
            [Token::Word(kind), Token::Mark('{'), ..] => (*kind, "", at + 1),
            [Token::Word(kind), name, Token::Mark('{'), ..] => (*kind, name.text().unwrap_or_default(), at + 2),
            _ => {
                at += 1;
                continue;
            }
        };
        let Some(block) = enclosed(&tokens[brace..]) else { break };
        found.push(Statement { kind, name, block });
        at = brace + block.len() + 2;
    }
    found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Word(&'t str),
    Quoted(&'t str),
    Mark(char),
}

impl<'t> Token<'t> {
    fn text(&self) -> Option<&'t str> {
        match self {
            Self::Word(text) | Self::Quoted(text) => Some(text),
            Self::Mark(_) => None,
        }
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let is_word = |char: char| !char.is_whitespace() && !"(){};,#\"'".contains(char);
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = |length: Option<usize>| length.unwrap_or(rest.len());
        let length = match first {
            '#' => end(rest.find('\n')),
            '"' | '\'' => {
                let length = quoted(rest, first);
                tokens.push(Token::Quoted(rest[1..length].trim_end_matches(first)));
                length
            }
            _ if is_word(first) => {
                let length = end(rest.find(|char| !is_word(char)));
                tokens.push(Token::Word(&rest[..length]));
                length
            }
            _ => {
                tokens.push(Token::Mark(first));
                first.len_utf8()
            }
        };
        rest = rest[length..].trim_start();
    }
    tokens
}

/// The length of a quoted text with its quotes. A backslash has a meaning in double quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, char) in text.char_indices().skip(1) {
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' if quote == '"' => is_escaped = true,
            _ if char == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "/var/log/mail.log";

    /// As `syslog-ng-ctl config --preprocessed` prints that of 3.38 on Debian 12, shortened.
    const DEBIAN: &str = r##"
@version: 3.38
options { chain_hostnames(off); flush_lines(0); owner("root"); group("adm"); perm(0640); };
source s_src {
#Start Block source generator system
channel {
    source {
channel {
    source { unix-dgram("/dev/log" so_rcvbuf(8192) flags(syslog-protocol));
 };
    rewrite { set("${.unix.pid}" value("PID") condition("${.unix.pid}" ne "")); };
};
file("/dev/kmsg" program-override("kernel") flags(kernel) format(linux-kmsg) keep-timestamp(no));
    }; # source
};
; internal(); };
# source s_net { tcp(ip(127.0.0.1) port(1000)); };
destination d_syslog { file("/var/log/syslog"); };
destination d_mail { file("/var/log/mail.log"); };
filter f_mail { facility(mail) and not filter(f_dbg); };
log { source(s_src); filter(f_syslog3); destination(d_syslog); };
log { source(s_src); filter(f_mail); destination(d_mail); };
"##;

    #[test]
    fn newlines_are_raw_unless_a_flag_says_otherwise() {
        let told = |from: &str, to: &str| {
            assert!(DEBIAN.contains(from), "{from}");
            newlines(&DEBIAN.replace(from, to), LOG)
        };
        assert_eq!(newlines(DEBIAN, LOG), Newlines::Raw);
        assert_eq!(told("mail.log\"", "mail.log\" flags(no-multi-line)"), Newlines::Cured);
        assert_eq!(told("mail.log\"", "mail.log\" perm(0640) flags(threaded, no_multi_line)"), Newlines::Cured);
        assert_eq!(told("/var/log/syslog\"", "/var/log/syslog\" flags(no-multi-line)"), Newlines::Raw, "another file");
        assert_eq!(told("mail.log\"", "mail.log\" # flags(no-multi-line)\n"), Newlines::Raw, "a comment");
        assert_eq!(told("syslog-protocol", "syslog-protocol, sanitize-utf8"), Newlines::Raw);
        assert_eq!(told("syslog-protocol", "syslog-protocol, no-multi-line"), Newlines::Cured);
        assert_eq!(told("mail.log\"", "mail.log\" template(\"$(sanitize $MSG)\\n\")"), Newlines::Unknown);
        assert_eq!(told("filter(f_mail);", "rewrite(r_newline);"), Newlines::Unknown);
        assert_eq!(told("/mail.log", "/$PROGRAM.log"), Newlines::Unknown);
        let two = "log { source(s_src); source(s_two); destination(d_mail); };";
        let with = |source: &str| newlines(&format!("{DEBIAN}{source}{two}").replace("ol)", "ol no-multi-line)"), LOG);
        assert_eq!(with("source s_two { unix-stream(\"/x\" flags(no-multi-line)); };"), Newlines::Cured);
        assert_eq!(with("source s_two { systemd-journal(); };"), Newlines::Raw);
        assert_eq!(with(""), Newlines::Unknown, "there is no such source");
        let inline = format!("{DEBIAN} log {{ source(s_src); destination {{ file(\"{LOG}\"); }}; }};");
        assert_eq!(newlines(&inline, LOG), Newlines::Unknown);
    }

    #[test]
    fn lines_from_the_network_are_followed_to_the_log() {
        let net = "source s_net { network(ip(0.0.0.0) transport(\"udp\")); };";
        let with = |log: &str| route(&format!("{DEBIAN}{net}{log}"), LOG);
        assert_eq!(route(DEBIAN, LOG), Route::Elsewhere);
        assert_eq!(with(""), Route::Elsewhere);
        assert_eq!(with("log { source(s_net); destination(d_syslog); };"), Route::Elsewhere);
        assert_eq!(with("log { source(s_net); destination(d_mail); };"), Route::Here);
        assert_eq!(with("log { source { udp(); }; destination(d_mail); };"), Route::Unknown);
        assert_eq!(route("", LOG), Route::Unknown);
        assert_eq!(route("@include \"scl.conf\"", LOG), Route::Unknown);
    }

    #[test]
    fn text_that_is_no_configuration_is_read_to_its_end() {
        for text in ["source x {", "log { }}}", "\"", "'\\", "#", "destination d { file(\"/var/log/mail.log\"", "ß{("]
        {
            assert_eq!((newlines(text, LOG), route(text, LOG)), (Newlines::Unknown, Route::Unknown), "{text}");
        }
    }
}
