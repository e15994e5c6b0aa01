//! The options of a run, and where each of them was said.

use std::ops::Deref;

use crate::cli;
use crate::config::settings::Given;

/// What the command line and the configuration file say.
#[derive(Debug, Clone)]
pub struct Options {
    values: cli::Options,
    /// Where each of them was said.
    pub given: Given,
}

impl Options {
    /// These options, said there.
    pub(crate) fn new(values: cli::Options, given: Given) -> Self {
        Self { values, given }
    }
}

impl Deref for Options {
    type Target = cli::Options;

    fn deref(&self) -> &Self::Target {
        &self.values
    }
}
