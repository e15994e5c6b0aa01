//! One line's header and stamp. Pure.

pub(crate) mod bytes;
pub(crate) mod log_time;
pub(crate) mod stamp;
pub mod syslog;
