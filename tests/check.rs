//! `check`: each finding is provoked by real files and a real postconf.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "check/clinic.rs"]
mod clinic;
#[path = "check/postfix.rs"]
mod postfix;
#[path = "check/site.rs"]
mod site;
mod support;
#[path = "check/transports.rs"]
mod transports;
#[path = "check/world.rs"]
mod world;
