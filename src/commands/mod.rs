//! The commands, one file each.

pub mod catalogue;
pub mod clear;
pub mod everywhere;
pub(crate) mod evidence;
pub mod explain;
pub mod inspect;
pub(crate) mod offline;
pub mod report;
pub(crate) mod show;
pub mod site;
pub mod suggest;
