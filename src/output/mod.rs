//! All that reaches people.

pub mod error;
pub(crate) mod escape;
pub mod logger;
pub(crate) mod paint;
pub(crate) mod progress;
pub(crate) mod repeated;
pub mod shell;
