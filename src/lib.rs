//! Lets clients relay through Postfix for a while after a POP3 or IMAP login from the same address.
//!
//! One line's way: `source` -> `syslog` header -> `matcher` -> `networks` -> `ring` -> `publish` -> a backend of
//! `pop_before_smtp_backends` -> Postfix. Everything between the source and `publish` is pure: lines and times are
//! arguments.

pub(crate) mod chain;
pub mod check;
pub mod cli;
pub mod commands;
pub mod config;
pub(crate) mod control;
pub mod daemon;
pub mod grants;
pub mod input;
pub mod line;
pub mod matcher;
pub mod output;
pub mod postfix;
pub mod publish;
pub mod ring;
pub mod saved;
pub mod source;
pub mod time;
pub mod wait;
