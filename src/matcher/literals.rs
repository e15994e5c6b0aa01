//! Texts that a message must hold to fit a regular expression, for the search that comes before matching. Pure.

use regex_syntax::hir::{Hir, HirKind};

/// Shorter texts find too much to be of use.
const SHORTEST: usize = 3;

/// Texts of which every message that fits holds at least one; the set whose shortest text is longest.
pub(super) fn required(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    best(hir).filter(|texts| shortest(texts) >= SHORTEST)
}

fn shortest(texts: &[Vec<u8>]) -> usize {
    texts.iter().map(Vec::len).min().unwrap_or(0)
}

fn best(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_vec()]),
        HirKind::Capture(capture) => best(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => best(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(best).max_by_key(|texts| shortest(texts)),
        HirKind::Alternation(choices) => choices.iter().map(best).collect::<Option<Vec<_>>>().map(|all| all.concat()),
        HirKind::Repetition(_) | HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &str) -> Option<Vec<String>> {
        let hir = regex_syntax::parse(pattern).ok()?;
        let texts = required(&hir)?;
        Some(texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect())
    }

    #[test]
    fn the_longest_text_is_found_and_every_choice_is_covered() {
        assert_eq!(of("^Login user=(.*) ip=$"), Some(vec!["Login user=".to_owned()]));
        assert_eq!(of("^(?:Login|Auth)[0-9]$"), Some(vec!["Login".to_owned(), "Auth".to_owned()]));
        assert_eq!(of("^(?:Login|[0-9])$"), None);
        assert_eq!(of("^(?:Login)?ab$"), None);
    }
}
