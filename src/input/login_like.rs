//! Which lines look like logins, whether a matcher takes them or not: a known program, a word of success, none of
//! failure. Pure; guesses, and so grants nothing.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::line::syslog::{self, Header};
use crate::matcher::Matchers;

/// Words of a success, in lower case.
const SUCCESS: [&str; 6] = ["login", "logged in", "authenticated", "auth user", "log in", "began session"];

/// Words that say it was none, or something else.
const FAILURE: [&str; 28] = [
    "abort",
    "bad",
    "can't",
    "cannot",
    "debug",
    "denied",
    "disabled",
    "disconnect",
    "error",
    "exceeded",
    "expired",
    "fail",
    "illegal",
    "incorrect",
    "invalid",
    "no auth",
    "non-existent",
    "break-in",
    "not ",
    "reached",
    "refused",
    "reject",
    "timeout",
    "timed out",
    "too many",
    "unknown",
    "logout",
    "warning",
];

/// Header and message of a line that looks like a login in the log of a server that is listened to.
pub(crate) fn login<'l>(matchers: &Matchers, line: &'l [u8]) -> Option<(Header<'l>, &'l [u8])> {
    let (header, message) = syslog::parse(line)?;
    let known = !matchers.listeners(header.program).0.is_empty();
    (known && is_success(message)).then_some((header, message))
}

/// The lines, without their newlines, that hold a word of success as programs write it: in small letters, in capitals, or
/// with a capital in front. To find the other lines costs next to nothing.
pub(crate) fn candidates(lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = lines;
    std::iter::from_fn(move || {
        let found = Words::get()?.quick.find(rest)?.start();
        let begin = memchr::memrchr(b'\n', &rest[..found]).map_or(0, |newline| newline + 1);
        let end = memchr::memchr(b'\n', &rest[found..]).map_or(rest.len(), |newline| found + newline);
        let line = &rest[begin..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(line)
    })
}

fn is_success(message: &[u8]) -> bool {
    Words::get().is_some_and(|words| words.success.is_match(message) && !words.failure.is_match(message))
}

/// The words, ready to be searched for.
struct Words {
    success: AhoCorasick,
    failure: AhoCorasick,
    /// What most lines do not hold: few and exact texts, for the search with vector instructions.
    quick: AhoCorasick,
}

impl Words {
    /// Always there: so few words fit into any automaton.
    fn get() -> Option<&'static Self> {
        static WORDS: OnceLock<Option<Words>> = OnceLock::new();
        WORDS.get_or_init(Self::new).as_ref()
    }

    fn new() -> Option<Self> {
        let any_case = |words: &[&str]| AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok();
        // Only for this kind of match there is a search with vector instructions.
        let packed = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).clone();
        let quick = packed.build(SUCCESS.iter().flat_map(|word| spellings(word))).ok()?;
        Some(Self { success: any_case(&SUCCESS)?, failure: any_case(&FAILURE)?, quick })
    }
}

/// A word of success without its first letter, so that `login` and `Login` are one text to search for.
fn spellings(word: &str) -> Vec<String> {
    let rest = &word[1..];
    let mut spellings = vec![rest.to_owned(), rest.to_ascii_uppercase()];
    if let Some((first, second)) = rest.split_once(' ') {
        let (capital, small) = second.split_at(1);
        spellings.push(format!("{first} {}{small}", capital.to_ascii_uppercase()));
    }
    spellings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_success_and_none_of_failure_make_a_login() {
        for (message, expected) in [
            ("imap-login: Logged on: user=<a>, rip=192.0.2.1", true),
            ("User a LOGGED IN from 192.0.2.1", true),
            ("auth user=a", true),
            ("Auth User a", true),
            ("LOGIN FAILED, user=a", false),
            ("imap-login: Disconnected: user=<a>", false),
            ("imap-login: Warning: SSL", false),
            ("connected", false),
        ] {
            assert_eq!(is_success(message.as_bytes()), expected, "{message}");
        }
    }

    #[test]
    fn only_programs_that_are_listened_to_count() {
        let is_login = |line: &[u8]| login(&Matchers::all(), line).is_some();
        assert!(is_login(b"Nov 22 16:00:00 mail imapd: login happened for c at 192.0.2.9"));
        assert!(!is_login(b"Nov 22 16:00:00 mail cron: login happened for c at 192.0.2.9"));
        assert!(!is_login(b"login happened"));
    }

    #[test]
    fn candidates_are_whole_lines_each_once() {
        let found = |text: &'static str| -> Vec<String> {
            candidates(text.as_bytes()).map(|line| String::from_utf8_lossy(line).into_owned()).collect()
        };
        assert_eq!(
            found("a\nx Login login y\nLOGGED IN\nb\nLogged In\nthey log in"),
            ["x Login login y", "LOGGED IN", "Logged In", "they log in"]
        );
        for text in ["", "\n", "none\n", "none"] {
            assert_eq!(found(text), [""; 0], "{text:?}");
        }
        for word in SUCCESS {
            let mut capital = word.to_owned();
            capital[..1].make_ascii_uppercase();
            for text in [word.to_owned(), capital, word.to_ascii_uppercase()] {
                assert_eq!(candidates(text.as_bytes()).count(), 1, "{text}");
            }
        }
    }
}
