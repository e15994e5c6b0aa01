//! Where to go on in a log.

use std::time::SystemTime;

use super::saved_position::SavedPosition;

/// Where to go on in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// What the log is called.
    pub log: String,
    /// When that was; whole seconds.
    pub saved: SystemTime,
    /// The place.
    pub position: SavedPosition,
}
