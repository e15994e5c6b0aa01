//! What the program tells its log, for tests: each thread sees its own.

use std::cell::RefCell;

use log::{LevelFilter, Log, Metadata, Record};

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Sink;

impl Log for Sink {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        TOLD.with_borrow_mut(|told| told.push(record.args().to_string()));
    }

    fn flush(&self) {}
}

/// The warnings and errors of this thread since the last call, of which there must have been one.
pub(crate) fn told() -> Vec<String> {
    // Another test may have been first.
    let _ = log::set_logger(&Sink);
    log::set_max_level(LevelFilter::Warn);
    TOLD.take()
}
