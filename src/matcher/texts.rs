//! Texts of which every line that a matcher reads must hold one: what to search a log for before any line of it is
//! looked at. Derived from the patterns, so that a new matcher needs nothing more. Pure.

use super::Matcher;
use super::pattern::{Pattern, Piece};

/// A shorter text is found too often, and the search compares this many bytes at once.
const SHORTEST: usize = 4;

/// Programs to search for by name in place of a text that other programs log as well.
const FEW_PROGRAMS: usize = 4;

/// A set of texts that does: no line without one of them is a message of any of the matchers. None is part of another.
pub(super) fn of(matchers: &[&Matcher]) -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = matchers.iter().flat_map(|matcher| of_matcher(matcher)).collect();
    // Its lines must be seen whatever is chosen: see `own_file`.
    texts.push(of_program("nginx"));
    texts.sort_by_key(Vec::len);
    let mut set: Vec<Vec<u8>> = Vec::new();
    for text in texts {
        if !set.iter().any(|part| memchr::memmem::find(&text, part).is_some()) {
            set.push(text);
        }
    }
    // Neighbours are searched for together, which is cheaper the more they are alike.
    set.sort();
    set
}

fn of_matcher(matcher: &Matcher) -> Vec<Vec<u8>> {
    let sets: Option<Vec<_>> = matcher.patterns().map(|(pattern, _)| of_message(pattern)).collect();
    let few = matcher.programs.len() <= FEW_PROGRAMS && matcher.programs.iter().all(|program| is_written(program));
    match sets.map(|sets| sets.concat()) {
        Some(texts) if !(few && texts.iter().any(|text| is_common(text))) => texts,
        _ => matcher.programs.iter().map(|program| of_program(program)).collect(),
    }
}

/// The program's name, which stands in front of every message; nothing, which is found everywhere, where it does not.
fn of_program(program: &str) -> Vec<u8> {
    if is_written(program) { program.into() } else { Vec::new() }
}

/// Whether every header of the program has its name. Of nginx, those that do not are found by [`super::own_file::SIGN`].
fn is_written(program: &str) -> bool {
    !matches!(program, "AppleMailServer" | "dovecot" | "qpopper")
}

/// Texts of which a message of this pattern holds at least one, or a line with this message in it.
fn of_message(pattern: Pattern) -> Option<Vec<Vec<u8>>> {
    let needed = needed(pattern)?;
    match (pattern.first(), needed.as_slice()) {
        // In front of a message stands a space, or else the colon of the tag.
        (Some(Piece::Lit(first)), [text]) if first.as_bytes() == *text && is_common(text) => {
            Some([b" ", b":"].map(|before| [before, *text].concat()).to_vec())
        }
        _ => Some(needed.iter().map(|text| rarest_end(text).to_vec()).collect()),
    }
}

/// Texts of which a message of this pattern holds at least one: of all such sets that the pattern gives, the rarest.
fn needed(pattern: Pattern) -> Option<Vec<&'static [u8]>> {
    let long = |text: &'static [u8]| (text.len() >= SHORTEST).then_some(text);
    let sets = pattern.iter().filter_map(|piece| match piece {
        Piece::Lit(text) => long(text.as_bytes()).map(|text| vec![text]),
        Piece::OneOf(choices) => {
            choices.iter().map(|c| needed(c)).collect::<Option<Vec<_>>>().map(|sets| sets.concat())
        }
        Piece::Whole(expression) => expression.literals()?.iter().map(|text| long(text)).collect(),
        _ => None,
    });
    // Of equals the first.
    sets.reduce(|best, set| if rarity(&set) > rarity(&best) { set } else { best })
}

/// The end of the text that begins with its rarest bytes: a search looks at the beginning first. So different ways to
/// begin a message often need one text only.
fn rarest_end(text: &[u8]) -> &[u8] {
    let windows = text.windows(SHORTEST).enumerate();
    let start = windows.max_by_key(|(_, window)| weight(window)).map_or(0, |(start, _)| start);
    if is_common(text) { text } else { &text[start..] }
}

/// How rare the most common one of the texts is.
fn rarity(texts: &[&[u8]]) -> usize {
    let rarest = |text: &[u8]| text.windows(SHORTEST).map(weight).max().unwrap_or(0);
    texts.iter().map(|text| 4 * rarest(text) + text.len().min(16)).min().unwrap_or(0)
}

/// Most of what a mail server logs is in the common small letters, digits, blanks and the signs of `key=value, ...`.
fn weight(text: &[u8]) -> usize {
    let of = |byte: &u8| match byte {
        b'A'..=b'Z' => 4,
        b'b' | b'f'..=b'h' | b'j' | b'k' | b'q' | b'u'..=b'z' => 2,
        b' ' | b'0'..=b'9' | b',' | b':' | b'=' | b'[' | b']' | b'.' | b'-' | b'<' | b'>' => 0,
        _ => 1,
    };
    text.iter().map(of).sum()
}

/// Postfix and spam filters write nearly everything in small letters: `connect from`, `client=`.
fn is_common(text: &[u8]) -> bool {
    !text.iter().any(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::super::pattern::Piece::*;
    use super::super::{BUILTIN, Key};
    use super::*;

    fn shown(texts: Option<Vec<Vec<u8>>>) -> Option<Vec<String>> {
        texts.map(|texts| texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect())
    }

    #[test]
    fn a_pattern_needs_its_rarest_text() {
        const VERB: Piece = OneOf(&[&[Lit("imap-login: Login: ")], &[Lit("Info: Login: ")]]);
        let table: [(Pattern, Option<&[&str]>); 7] = [
            (&[Lit("login: "), Client, Lit("] "), User], Some(&[" login: ", ":login: "])),
            (&[Lit("LOGIN, user="), User, Lit(", ip=["), Client, Lit("]")], Some(&["OGIN, user="])),
            (&[VERB, User, Lit(" ["), Client], Some(&["Login: ", "Login: "])),
            (&[Lit("login: "), Client, User, Lit(" User logged in")], Some(&["User logged in"])),
            (&[OneOf(&[&[Lit("Login ")], &[Number]]), Lit(" from "), Client], Some(&[" from "])),
            (&[Optional(&[Lit("LOGIN ")]), Many(&[&[Lit("VERB")]]), Not("LOGIN"), Client], None),
            (&[Lit("in "), Client], None),
        ];
        for (pattern, texts) in table {
            let texts = texts.map(|texts| texts.iter().map(|text| (*text).to_owned()).collect());
            assert_eq!(shown(of_message(pattern)), texts, "{}", super::super::pattern::Shown(pattern));
        }
    }

    #[test]
    fn a_matcher_without_a_text_of_its_own_is_found_by_program() {
        let matcher = |connects| Matcher {
            name: "test",
            servers: "",
            programs: &["popd"],
            enable: "",
            source: "",
            key: Key::Pid,
            connects,
            logins: &[&[Lit("Login of "), User]],
            logouts: &[],
            splits: None,
        };
        assert_eq!(of(&[&matcher(&[&[Client]])]), [&b"nginx"[..], b"popd"]);
        assert_eq!(of(&[&matcher(&[&[Lit("connect from "), Client]])]), [&b"nginx"[..], b"popd"]);
        assert_eq!(
            of(&[&matcher(&[&[Lit("Connect from "), Client]])]),
            [&b"Connect from "[..], b"Login of ", b"nginx"]
        );
    }

    #[test]
    fn no_text_is_part_of_another_or_could_cross_a_line() {
        let all: Vec<&Matcher> = BUILTIN.iter().collect();
        let texts = of(&all);
        for (nth, text) in texts.iter().enumerate() {
            assert!(!text.is_empty() && !text.contains(&b'\n'));
            let others = texts.iter().enumerate().filter(|(other, _)| *other != nth);
            assert!(others.into_iter().all(|(_, other)| memchr::memmem::find(text, other).is_none()));
        }
    }
}
