//! What the daemon does for those who look at it: the control socket and the file of metrics.

use super::answers::{About, Answers};
use super::server::Control;
use super::{report, wire};
use crate::control::metrics::MetricsFile;
use crate::grants::Grants;
use crate::input::Input;
use crate::share::Share;
use crate::time::{Now, Timestamp};
use crate::wait::Wanted;

/// The daemon's side of it.
pub(crate) struct Service {
    about: About,
    control: Option<Control>,
    metrics: Option<MetricsFile>,
}

impl Service {
    /// With a socket that is open, and a file to write.
    pub(crate) fn new(about: About, control: Option<Control>, metrics: Option<MetricsFile>) -> Self {
        Self { about, control, metrics }
    }

    /// What to wait for.
    pub(crate) fn wanted(&self) -> Vec<Wanted<'_>> {
        self.control.as_ref().map(Control::wanted).unwrap_or_default()
    }

    /// When there is something to do, whatever the descriptors do.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let metrics = self.metrics.as_ref().map(MetricsFile::deadline);
        metrics.into_iter().chain(self.control.as_ref().and_then(Control::deadline)).min()
    }

    /// Takes in what is asked, and does it. `woken` if one of those that are wanted is ready.
    pub(crate) fn turn(
        &mut self,
        now: &Now,
        woken: bool,
        grants: &mut Grants,
        inputs: &[Input],
        share: Option<&Share>,
    ) {
        if let Some(control) = &mut self.control {
            control.turn(now, woken, &mut Answers { about: &self.about, grants, inputs, share });
        }
    }

    /// Answers, once everything is published.
    pub(crate) fn answer(&mut self, now: &Now, grants: &mut Grants, inputs: &[Input], share: Option<&Share>) {
        if let Some(control) = &mut self.control {
            control.answer(now, &Answers { about: &self.about, grants, inputs, share });
        }
        if self.metrics.as_ref().is_some_and(|file| file.deadline() <= now.boot) {
            self.write_metrics(now, grants, inputs, share, true);
        }
    }

    /// Tells that it is over.
    pub(crate) fn stop(&mut self, now: &Now, grants: &Grants, inputs: &[Input], share: Option<&Share>) {
        self.write_metrics(now, grants, inputs, share, false);
    }

    fn write_metrics(&mut self, now: &Now, grants: &Grants, inputs: &[Input], share: Option<&Share>, running: bool) {
        let counts = self.control.as_ref().map_or_else(wire::Counts::default, |control| control.counts().clone());
        if let Some(metrics) = &mut self.metrics {
            let known = report::Known { about: &self.about, grants, inputs, share };
            metrics.write(now.boot, &report::status(now, known, &counts), running);
        }
    }
}
