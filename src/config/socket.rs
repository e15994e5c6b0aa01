//! Where the control socket is.

use std::path::{Path, PathBuf};

use crate::saved::state::beside;

/// A directory that makes a good place for the socket, if somebody has made it.
const RUN_DIRECTORY: &str = "/run/pop-before-smtp";

/// Where the socket is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Socket {
    /// There is none.
    Nowhere,
    /// In the first of the usual places that can be had.
    Usual,
    /// Here.
    Named(PathBuf),
}

impl Socket {
    /// The paths to try, in this order.
    pub(crate) fn paths(&self, map: &Path) -> Vec<PathBuf> {
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
