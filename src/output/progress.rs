//! How far a long read has come, shown on standard error where that is a terminal; elsewhere nothing is shown.
//!
//! There is one terminal, so there is one bar for the process; what is logged appears above it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes less than this is not worth a bar.
const SHORT: Duration = Duration::from_millis(300);

const TEMPLATE: &str = "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left";

struct Reading {
    begun: Instant,
    done: u64,
    total: u64,
    bar: Option<ProgressBar>,
}

static READING: Mutex<Option<Reading>> = Mutex::new(None);

/// This many bytes more are to be read.
pub(crate) fn expect(bytes: u64) {
    if bytes == 0 {
        return;
    }
    let mut reading = lock();
    let reading = reading.get_or_insert_with(|| Reading { begun: Instant::now(), done: 0, total: 0, bar: None });
    reading.total += bytes;
    if let Some(bar) = &reading.bar {
        bar.set_length(reading.total);
    }
}

/// So many of them have been read.
pub(crate) fn advance(bytes: u64) {
    let mut reading = lock();
    let Some(now) = reading.as_mut() else { return };
    now.done += bytes;
    if now.done >= now.total {
        *reading = None;
    } else if let Some(bar) = &now.bar {
        bar.set_position(now.done);
    } else if now.begun.elapsed() >= SHORT {
        now.bar = Some(now.show());
    }
}

/// Nothing more is read, however much was expected.
pub(crate) fn end() {
    *lock() = None;
}

/// Writes to the terminal beside the bar.
pub(crate) fn aside(write: impl FnOnce()) {
    match lock().as_ref().and_then(|reading| reading.bar.as_ref()) {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

impl Reading {
    fn show(&self) -> ProgressBar {
        // Draws nothing where standard error is no terminal.
        let bar = ProgressBar::with_draw_target(Some(self.total), ProgressDrawTarget::stderr());
        bar.set_style(ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.with_elapsed(self.begun.elapsed()).with_position(self.done)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn lock() -> MutexGuard<'static, Option<Reading>> {
    // It is as good after a panic as before.
    READING.lock().unwrap_or_else(PoisonError::into_inner)
}
