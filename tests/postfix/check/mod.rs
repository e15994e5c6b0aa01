//! `check`: each finding is provoked by real files and a real postconf.

pub(crate) mod clinic;
mod postfix;
mod site;
mod transports;
mod world;
