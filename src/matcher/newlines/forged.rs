//! Logs that hold a stranger's line behind a newline, and what is found in them; for the tests of this room's parts.

use super::super::Matchers;
use crate::time::Timestamp;

pub(super) const FORGED: &str = "Nov 27 13:00:01 mail pop3d: LOGIN, user=a, ip=[203.0.113.66]";

/// The addresses that the lines of a log yield.
pub(super) fn clients(matchers: &mut Matchers, log: &str) -> Vec<String> {
    let client = |line: &str| Some(matchers.event(Timestamp::default(), line.as_bytes())?.client.to_string());
    log.lines().filter_map(client).collect()
}

pub(super) fn nothing_in(log: &str) {
    assert_eq!(clients(&mut Matchers::all(), log), [""; 0], "{log}");
    let mut escaped = Matchers::all();
    escaped.take_newlines_for_escaped(true);
    assert_eq!(clients(&mut escaped, log).len(), 1, "the test has no forged line:\n{log}");
}

pub(super) const NGINX: &str =
    "*210 client login failed: \"no\" while in http auth state, client: 198.51.100.85, server: ";

pub(super) fn scanned(log: &str, escaped: bool) -> Vec<String> {
    let mut matchers = Matchers::all();
    matchers.take_newlines_for_escaped(escaped);
    let mut clients = Vec::new();
    matchers.scan(Timestamp::default(), log.as_bytes(), &mut |_, event| clients.push(event.client.to_string()));
    clients
}
