//! Files are told apart by when they were written, to some milliseconds.

use std::fs;
use std::path::Path;

/// Waits until a file that is written now gets a later time than all before it.
pub(crate) fn wait_for_later_stamp(directory: &Path) {
    let stamp = directory.join("stamp");
    let write = || {
        fs::write(&stamp, "x").unwrap();
        fs::metadata(&stamp).unwrap().modified().unwrap()
    };
    let first = write();
    while write() == first {
        std::thread::yield_now();
    }
    fs::remove_file(&stamp).unwrap();
}
