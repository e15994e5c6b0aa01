//! Tells of a -wal that grows without end: SQLite cannot use it from its beginning again while a reader stays in one
//! transaction.

use super::file::TableFile;

/// A size that no publish leaves for long without such a reader.
const LARGE: u64 = 64 << 20;
/// One publish of so many looks.
const EVERY: u32 = 1000;

#[derive(Debug, Default)]
pub(super) struct Growth {
    publishes: u32,
    told: bool,
}

impl Growth {
    /// To be called after each publish; warns once until the log has shrunk.
    pub(super) fn look(&mut self, file: &TableFile) {
        self.publishes += 1;
        if self.publishes < EVERY {
            return;
        }
        self.publishes = 0;
        let size = file.log_size();
        let large = size > LARGE;
        if large && !self.told {
            let log = file.log().display();
            log::warn!(
                "{log} has grown to {} MiB, because a reader stays in its transaction; find it with fuser {log} and end it",
                size >> 20
            );
        }
        self.told = large;
    }
}
