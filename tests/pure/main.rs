//! What needs no process: lines, rings, tables in memory and files.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod catch_up_model;
mod choice;
mod corpus;
mod custom;
mod follow;
mod follow_copies;
mod follow_model;
mod headers;
mod hold;
mod matcher_properties;
mod publish;
mod ring;
mod rooms;
mod row_refresh;
mod scan;
mod sessions;
mod strangers;
#[path = "../support/mod.rs"]
mod support;
