//! Tables whose cells are made of text, never of markup, and the text itself.

use std::fmt::{self, Display, Write as _};

/// Most rows of a table. The JSON form has all.
pub(super) const ROWS: usize = 500;

/// Text in which nothing is markup.
pub(super) struct Text<'t>(pub(super) &'t str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|char| match char {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            _ => f.write_char(char),
        })
    }
}

/// A row of a table.
pub(super) struct Row {
    html: String,
}

impl Row {
    /// Begins with a name. `class` is `a` for what must not be broken, such as an address.
    pub(super) fn of(name: impl Display, class: &str) -> Self {
        let name = name.to_string();
        Self { html: format!("<th scope=\"row\" class=\"{class}\">{}</th>", Text(&name)) }
    }

    fn cell(mut self, class: &str, more: &str, html: impl Display) -> Self {
        // Writing to a string cannot fail.
        let _ = write!(self.html, "<td class=\"{class}\"{more}>{html}</td>");
        self
    }

    pub(super) fn number(self, number: impl Into<u64>) -> Self {
        self.cell("n", "", number.into())
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.cell("u", "", Text(text))
    }

    /// A time, a date or an address, in one piece.
    pub(super) fn piece(self, text: impl Display) -> Self {
        self.cell("t", "", Text(&text.to_string()))
    }

    /// Seconds as minutes and seconds.
    pub(super) fn minutes(self, seconds: u64) -> Self {
        let sorted = format!(" data-v=\"{seconds}\"");
        self.cell("n", &sorted, format_args!("{}:{:02}", seconds / 60, seconds % 60))
    }

    /// A chart, which is markup of our own.
    pub(super) fn chart(self, svg: &str) -> Self {
        self.cell("t", "", svg)
    }

    /// A few names of many.
    pub(super) fn names<N: AsRef<str>>(self, names: &[N]) -> Self {
        const SHOWN: usize = 5;
        let more = names.len().saturating_sub(SHOWN);
        let shown: Vec<_> = names[..names.len() - more].iter().map(AsRef::as_ref).collect();
        let shown = shown.join(", ");
        self.text(&if more > 0 { format!("{shown} and {more} more") } else { shown })
    }
}

/// Writes a table of the first of these things. `heads` are names with the class of their column: `n` for numbers, `fixed` for
/// what is not to be sorted by.
pub(super) fn table<T>(
    out: &mut String,
    caption: &str,
    heads: &[(&str, &str)],
    things: &[T],
    row: impl Fn(&T) -> Row,
) -> fmt::Result {
    let sort = if things.len() > 1 { " class=\"sort\"" } else { "" };
    write!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table{sort}>\
         <caption>{caption}</caption><thead><tr>"
    )?;
    heads.iter().try_for_each(|(name, class)| write!(out, "<th scope=\"col\" class=\"{class}\">{name}</th>"))?;
    write!(out, "</tr></thead><tbody>")?;
    things.iter().take(ROWS).try_for_each(|thing| write!(out, "<tr>{}</tr>", row(thing).html))?;
    write!(out, "</tbody></table></div>")?;
    match things.len() {
        all if all > ROWS => write!(out, "<p class=\"soft\">The first {ROWS} of {all}; --format json has all.</p>"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        let expected = "&lt;b onclick=&#39;x&#39; y=&quot;z&quot;&gt;&amp;";
        assert_eq!(Text("<b onclick='x' y=\"z\">&").to_string(), expected);
        let names: Vec<String> = (0..7).map(|n| format!("<{n}>")).collect();
        let row = Row::of("<a>", "a").names(&names).piece("<p>").text("<t>").number(7u64).minutes(61).html;
        assert_eq!(row.matches('<').count(), 12, "{row}");
        assert!(row.contains("&lt;4&gt; and 2 more") && row.contains(">1:01<"), "{row}");
    }
}
