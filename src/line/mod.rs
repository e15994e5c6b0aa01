//! One line's header and stamp. Pure.

pub mod bytes;
pub mod log_time;
pub mod stamp;
pub mod syslog;
