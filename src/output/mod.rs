//! All that reaches people.

pub(crate) mod color;
pub mod error;
pub(crate) mod escape;
pub mod logger;
pub(crate) mod progress;
pub(crate) mod repeated;
pub mod shell;
