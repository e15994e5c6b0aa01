//! A directory with a log in it, and what is done to a log.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

pub(crate) struct LogDirectory {
    pub(crate) directory: TempDir,
    pub(crate) log: PathBuf,
}

impl LogDirectory {
    /// A directory with a log in it.
    pub(crate) fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        fs::write(&log, text).unwrap();
        Self { directory, log }
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The log is rotated by rename, and there is a new one.
    pub(crate) fn rotate(&self, name: &str) {
        fs::rename(&self.log, self.join(name)).unwrap();
        File::create_new(&self.log).unwrap();
    }
}

pub(crate) fn append(path: &Path, text: impl AsRef<[u8]>) {
    let mut file = File::options().append(true).open(path).unwrap();
    file.write_all(text.as_ref()).unwrap();
}

pub(crate) fn lines(text: &str, numbers: std::ops::Range<u32>) -> String {
    numbers.map(|number| format!("{text} {number}\n")).collect()
}
