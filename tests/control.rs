//! The commands that talk to a running daemon, who may give them, and what strangers can do at the control socket.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "control/commands.rs"]
mod commands;
#[path = "control/hand.rs"]
mod hand;
#[path = "control/metrics.rs"]
mod metrics;
#[path = "control/shared.rs"]
mod shared;
#[path = "control/site.rs"]
mod site;
#[path = "control/slow.rs"]
mod slow;
#[path = "control/strangers.rs"]
mod strangers;
mod support;
