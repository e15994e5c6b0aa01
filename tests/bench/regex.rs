//! The matchers as one regular expression, for tools that know no others.

use pop_before_smtp::matcher::pattern::Piece;
use pop_before_smtp::matcher::{BUILTIN, Matcher};

const STAMP: &str = r"(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.Z+-]{8,32})";

/// Finds the lines that `match` prints, except that it cannot look ahead and knows nothing of other lines.
pub(crate) fn of_builtin() -> String {
    let matchers: Vec<String> = BUILTIN.iter().map(of_matcher).collect();
    format!(r"(?-u)^{STAMP} [0-9A-Za-z._:/@-]+ (?:{})\r?$", matchers.join("|"))
}

fn of_matcher(matcher: &Matcher) -> String {
    let programs: Vec<String> = matcher.programs.iter().map(|program| escape(program)).collect();
    let patterns: Vec<String> =
        matcher.logins.iter().chain(matcher.logouts).map(|pattern| of_pieces(pattern)).collect();
    format!(r"(?:{})(?:\[[0-9]+\])?: (?:{})", programs.join("|"), patterns.join("|"))
}

fn of_pieces(pieces: &[Piece]) -> String {
    pieces.iter().map(of_piece).collect()
}

fn of_piece(piece: &Piece) -> String {
    let any = |choices: &[&[Piece]]| choices.iter().map(|choice| of_pieces(choice)).collect::<Vec<_>>().join("|");
    match piece {
        Piece::Lit(text) => escape(text),
        Piece::Not(_) => String::new(),
        Piece::Client | Piece::Address => "[0-9A-Fa-f:.]+".to_owned(),
        Piece::User | Piece::UserWithout(_) | Piece::ShortUser(..) => ".+".to_owned(),
        Piece::Number => "[0-9]+".to_owned(),
        Piece::Optional(pieces) => format!("(?:{})?", of_pieces(pieces)),
        Piece::OneOf(choices) => format!("(?:{})", any(choices)),
        Piece::Many(choices) => format!("(?:{})*", any(choices)),
        Piece::Words(starts) => {
            let starts: Vec<String> = starts.iter().map(|start| escape(start)).collect();
            format!("(?:{})[^\"<>]*", starts.join("|"))
        }
        // Names and identifiers of some kind.
        _ => "[^ ]+".to_owned(),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() * 2);
    for char in text.chars() {
        if r"\.+*?()|[]{}^$".contains(char) {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}
