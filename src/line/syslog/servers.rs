//! Headers of servers that write files in a form of their own. Pure; never allocates.

use super::Header;

/// `2026-11-22T16:03:39Z INFO Authentication successful (auth.success) ...`: Stalwart's log, of which the level is part of the
/// message; it names neither host nor program (crates/trc/src/serializers/text.rs). No syslog daemon writes a host and then
/// no tag.
pub(super) fn stalwart<'l>(time: &'l [u8], rest: &'l [u8]) -> Option<(Header<'l>, &'l [u8])> {
    let is_level = [b"ERROR ".as_slice(), b"WARN ", b"INFO ", b"DEBUG ", b"TRACE "].iter().any(|l| rest.starts_with(l));
    let is_event = is_level && time.ends_with(b"Z") && memchr::memmem::find(rest, b" (").is_some();
    is_event.then_some((Header { time, host: None, program: b"stalwart", pid: None }, rest))
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn a_line_of_stalwart_has_a_level() {
        let program = |line: &'static str| parse(line.as_bytes()).map(|(header, _)| header.program.to_vec());
        assert_eq!(
            program("2026-11-22T16:03:39Z INFO Authentication successful (auth.success) x = 1"),
            Some(b"stalwart".to_vec())
        );
        assert_eq!(program("2026-11-22T16:03:39Z mail Authentication successful (auth.success)"), None);
        assert_eq!(program("2026-11-22T16:03:39Z INFO imapd[7]: x (y)"), Some(b"imapd".to_vec()));
        assert_eq!(program("Nov 22 16:03:39 INFO Authentication successful (auth.success)"), None);
    }
}
