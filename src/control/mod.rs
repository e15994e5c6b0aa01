//! The control socket: how `list`, `explain`, `status`, `revoke`, `grant` and `deny` talk to the daemon.
//!
//! The daemon greets with a line that names its map. The client sends one line: a command and its words. The daemon answers
//! with lines and closes the connection; the last line says that it is the last. Every line of the daemon is a JSON object
//! with one member, which names its kind ([`wire::Line`]).

mod answers;
pub(crate) mod client;
mod connect;
mod connection;
pub(crate) mod metrics;
mod presence;
mod report;
pub(crate) mod request;
mod server;
mod service;
pub(crate) mod wire;

pub(crate) use self::answers::About;
pub(crate) use self::presence::serves;
pub(crate) use self::server::Control;
pub(crate) use self::service::Service;
