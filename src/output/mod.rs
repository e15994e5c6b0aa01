//! All that reaches people.

pub mod error;
pub mod escape;
pub mod logger;
pub mod paint;
pub mod progress;
pub mod repeated;
pub mod shell;
