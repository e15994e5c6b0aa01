//! The control socket: how `list`, `explain`, `status`, `revoke`, `grant` and `deny` talk to the daemon.
//!
//! The daemon greets with a line that names its map. The client sends one line: a command and its words. The daemon answers
//! with lines and closes the connection; the last line says that it is the last. Every line of the daemon is a JSON object
//! with one member, which names its kind ([`wire::Line`]).

mod client;
pub mod commands;
mod connect;
mod connection;
mod desk;
mod evidence;
mod offline;
mod presence;
mod report;
mod request;
mod server;
mod service;
mod show;
pub mod wire;

use std::path::{Path, PathBuf};

pub use self::desk::About;
pub(crate) use self::presence::serves;
pub use self::server::Control;
pub use self::service::Service;
use crate::state::beside;

/// A directory that makes a good place for the socket, if somebody has made it.
const RUN_DIRECTORY: &str = "/run/pop-before-smtp";

/// Where the socket is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// There is none.
    Nowhere,
    /// In the first of the usual places that can be had.
    Usual,
    /// Here.
    Named(PathBuf),
}

impl Place {
    /// The paths to try, in this order.
    fn paths(&self, map: &Path) -> Vec<PathBuf> {
        match self {
            Self::Nowhere => Vec::new(),
            Self::Named(path) => vec![path.clone()],
            Self::Usual => {
                let run = Some(Path::new(RUN_DIRECTORY)).filter(|directory| directory.is_dir());
                run.map(|directory| directory.join("control")).into_iter().chain([beside(map, ".control")]).collect()
            }
        }
    }
}
