//! What strangers can bring each server to write into the log, as it was read in its source. Data only; the table of the
//! threat model is made of it (`tests/pure/strangers.rs`), so that neither can part from the matchers.
//!
//! A row tells a message whose bytes are somebody else's where they are dangerous: at its beginning, or with a newline, a NUL, a
//! CR, or a byte that the server's logger gives a meaning. A server that writes no such message has a row that says so.

mod pop3;
mod proxies;
mod suites;

/// A message that holds a stranger's text.
#[derive(Debug, Clone, Copy)]
pub struct Stranger {
    /// Names of the matchers that read this server's lines, separated by `, `.
    pub matchers: &'static str,
    /// Whose text it is: anybody's, that of who has an account, of a server that is not the site's.
    pub who: &'static str,
    /// How the message looks; his part is in capitals.
    pub message: &'static str,
    /// What he can write there, and how long.
    pub bytes: &'static str,
    /// What the server hands it to.
    pub logger: &'static str,
    /// What keeps it from granting anything, here or there.
    pub stopped_by: &'static str,
    /// Where it is known from: server, version, file, function.
    pub source: &'static str,
}

/// All rows, in the order of the table.
pub fn all() -> impl Iterator<Item = &'static Stranger> {
    suites::ROWS.iter().chain(proxies::ROWS).chain(pop3::ROWS)
}
