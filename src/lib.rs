//! Lets clients relay through Postfix for a while after a POP3 or IMAP login from the same address.
//!
//! One line's way: `source` -> `syslog` header -> `matcher` -> `networks` -> `ring` -> `publish` -> a backend of
//! `pop_before_smtp_backends` -> Postfix. Everything between the source and `publish` is pure: lines and times are
//! arguments.

pub mod matcher;
pub mod syslog;
