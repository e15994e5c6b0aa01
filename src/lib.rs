//! Lets clients relay through Postfix for a while after a POP3 or IMAP login from the same address.
//!
//! The rooms import downwards only (`tests/pure/rooms.rs`). From below: [`mod@line`] reads one line's header and stamp; [`output`] is
//! all that reaches people; [`source`] makes whole lines of bytes, [`matcher`] events of messages; [`ring`] knows who may relay
//! until when; [`publish`] hands changes to a backend of `pop_before_smtp_backends`; [`saved`] are the files beside the map;
//! [`grants`] decides; [`cli`] and [`config`] are options as text and with types; [`postfix`] asks Postfix; `report` joins
//! its lines with grants; `share` are the grants of other hosts; [`input`] is one followed log; `control` is the socket;
//! [`commands`], [`daemon`] and [`check`] are what can be run. [`mod@line`],
//! [`matcher`] and [`ring`] are pure: lines and times are arguments.

pub(crate) mod bounded;
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
pub(crate) mod ordered_map;
pub mod output;
pub mod postfix;
pub mod publish;
pub(crate) mod report;
pub mod ring;
pub mod saved;
pub(crate) mod share;
pub mod source;
pub mod time;
pub mod wait;
