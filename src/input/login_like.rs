//! Which messages look like logins, whether a matcher takes them or not: a word of success, none of failure. Pure; guesses,
//! and so grants nothing.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};

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

/// Whether a message of a server that is listened to looks like a login.
pub(crate) fn is_login(message: &[u8]) -> bool {
    let looks = |words: &Words| {
        words.quick.is_match(message) && words.success.is_match(message) && !words.failure.is_match(message)
    };
    Words::get().is_some_and(looks)
}

/// The words, ready to be searched for.
struct Words {
    success: AhoCorasick,
    failure: AhoCorasick,
    /// What most messages do not hold: words of success as programs write them, in small letters, in capitals, or with a
    /// capital in front. Few and exact texts, for the search with vector instructions.
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
            assert_eq!(is_login(message.as_bytes()), expected, "{message}");
        }
    }

    #[test]
    fn a_word_of_success_may_begin_with_a_capital_or_be_all_capitals() {
        for word in SUCCESS {
            let mut capital = word.to_owned();
            capital[..1].make_ascii_uppercase();
            for text in [word.to_owned(), capital, word.to_ascii_uppercase()] {
                assert!(is_login(text.as_bytes()) && is_login(format!("x {text} y").as_bytes()), "{text}");
            }
        }
        assert!(is_login(b"a User Logged In") && !is_login(b"") && !is_login(b"none"));
    }
}
