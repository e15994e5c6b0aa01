//! What a real Postfix or Dovecot makes of it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod backends;
mod check;
mod churn;
mod crash;
mod dovecot;
mod end_to_end;
mod faults;
mod mynetworks;
mod redirect;
mod report;
mod share;
#[path = "../support/mod.rs"]
mod support;
