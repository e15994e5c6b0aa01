//! What happens to a log in the model, at random.

/// A generator that is the same everywhere (xorshift64*).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % end
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Write,
    WriteMuch,
    WriteHalf,
    WriteLong,
    /// Rename, create, and the writer goes on with the new file, now or later.
    Rotate,
    /// The same with a compressed copy in place of the old file.
    RotateAndCompress,
    /// The writer notices the rotation.
    Reopen,
    CopyTruncate,
    Delete,
    /// The name gets a file again.
    Create,
    /// The name is a link, which gets another target.
    MoveLink,
    /// The follower gets one read, and then something else happens.
    Step,
    /// The follower reads until it waits.
    Turn,
    /// Time passes until the slow look.
    Recheck,
    /// So much time that files without a name are closed.
    Wait,
}

pub(crate) const ACTS: [Act; 24] = [
    Act::Write,
    Act::Write,
    Act::Write,
    Act::Write,
    Act::Write,
    Act::WriteMuch,
    Act::WriteHalf,
    Act::WriteHalf,
    Act::WriteLong,
    Act::Rotate,
    Act::Rotate,
    Act::Rotate,
    Act::RotateAndCompress,
    Act::Reopen,
    Act::Reopen,
    Act::CopyTruncate,
    Act::Delete,
    Act::Create,
    Act::MoveLink,
    Act::Step,
    Act::Turn,
    Act::Turn,
    Act::Recheck,
    Act::Wait,
];
