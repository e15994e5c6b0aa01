//! Lets clients relay through Postfix for a while after a POP3 or IMAP login from the same address.
//!
//! One line's way: `source` -> `syslog` header -> `matcher` -> `networks` -> `ring` -> `publish` -> a backend of
//! `pop_before_smtp_backends` -> Postfix. Everything between the source and `publish` is pure: lines and times are
//! arguments.

pub mod background;
pub mod bytes;
pub mod catalogue;
pub mod chain;
pub mod check;
pub mod clear;
pub mod cli;
pub mod config;
pub mod config_file;
pub mod control;
pub mod counters;
mod crowds;
pub mod daemon;
pub mod debug;
pub mod denied;
pub mod departed;
pub mod drift;
pub mod dump;
pub mod effective;
pub mod error;
pub mod escape;
pub mod explain;
pub mod grants;
pub mod guard;
pub mod hold;
pub mod input;
pub mod inspect;
pub mod likeness;
pub mod lock;
pub mod log_time;
pub mod logger;
pub mod logs;
pub mod matcher;
pub mod metrics;
pub mod mynetworks;
pub mod networks;
pub mod notify;
pub mod overrides;
pub mod pace;
pub mod paint;
pub mod postfix;
pub mod private_file;
pub mod privdrop;
pub mod progress;
pub mod proof;
pub mod publish;
pub mod regular_file;
pub mod reload;
pub mod repeated;
pub mod restore;
pub mod ring;
pub mod servers;
pub mod settings;
pub mod shell;
pub mod source;
pub mod stamp;
pub mod state;
pub mod suggest;
pub mod syslog;
pub mod tally;
pub mod time;
pub mod wait;
