//! Gathers what the findings are about: asks Postfix, the file system, the kernel. Changes nothing.

pub(crate) mod files;
pub(crate) mod guards;
pub(crate) mod logs;
pub(crate) mod postfix;
pub(crate) mod probe;
pub(crate) mod processes;
pub(crate) mod servers;
pub(crate) mod users;
pub(crate) mod writer;
