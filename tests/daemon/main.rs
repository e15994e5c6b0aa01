//! What the program does when it runs, without a mail server: Postfix's postmap looks into the tables.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod behind;
mod catch_up;
mod catch_up_crash;
mod catch_up_restart;
mod clear;
mod command_line;
mod config;
mod control;
mod custom;
mod escapes;
mod following;
mod format_change;
mod journal;
mod links;
mod manual;
mod match_tool;
mod notify;
mod privdrop;
mod progress;
mod reload;
mod removal;
mod report;
mod report_page;
mod rests;
mod rotation;
mod servers;
mod service_managers;
mod several_logs;
mod share;
mod stdin;
#[path = "../support/mod.rs"]
mod support;
mod systemd;
mod tables;
