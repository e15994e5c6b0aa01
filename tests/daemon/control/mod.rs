//! The commands that talk to a running daemon, who may give them, and what strangers can do at the control socket.

mod commands;
mod crowds;
mod hand;
mod metrics;
mod shared;
mod site;
mod slow;
mod strangers;
