//! Tells how far a message may go on behind a newline: most are bounded by the server, some by the length of a name. Pure.

use super::super::{Bounded, Ends, RawNewlines, reader};

/// How a message may go on behind a newline.
#[derive(Debug, Clone, Copy)]
pub(in crate::matcher) struct GoesOn {
    /// Most bytes of the message.
    pub(super) longest: usize,
    /// What stands behind the stranger's text.
    pub(super) ends: Option<Ends>,
    pub(super) holds_nul: bool,
}

impl RawNewlines {
    /// How a message may go on behind a newline that begins like one of these.
    pub(in crate::matcher) fn goes_on(&self, message: &[u8]) -> GoesOn {
        let bound = |bounded: &Bounded| {
            let text = reader::read(bounded.message, message)?.user?;
            // It is a part of the message.
            let start = text.as_ptr().addr() - message.as_ptr().addr();
            Some(start + bounded.most)
        };
        let longest = self.bounded.iter().find_map(bound).unwrap_or(self.longest);
        GoesOn { longest, ends: self.ends, holds_nul: self.holds_nul }
    }
}
