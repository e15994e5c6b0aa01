//! What needs no process: lines, rings, tables in memory and files.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod catch_up_model;
mod choice;
mod corpus;
mod custom;
mod follow;
mod follow_model;
mod follow_unseen;
mod headers;
mod hold;
mod matcher_properties;
mod pace;
mod publish;
mod ring;
mod rooms;
mod scan;
mod sessions;
mod strangers;
#[path = "../support/mod.rs"]
mod support;
