//! The commands, one file each.

pub mod catalogue;
pub mod clear;
pub mod evidence;
pub mod explain;
pub mod inspect;
pub mod offline;
pub mod show;
pub mod site;
pub mod suggest;
