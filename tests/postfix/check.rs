//! `check`: each finding is provoked by real files and a real postconf.

mod clinic;
mod postfix;
mod site;
mod transports;
mod world;
