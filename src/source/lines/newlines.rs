//! Looks for the newlines that decide how far a block goes, and which lines are too long. Pure.

use super::BEHIND;

/// Where the unfinished line begins.
pub(super) fn whole(text: &[u8]) -> usize {
    memchr::memrchr(b'\n', text).map_or(0, |newline| newline + 1)
}

/// Where the first line begins behind which not enough can be seen; the unfinished one, if that is longer than any counts.
pub(super) fn seen(text: &[u8]) -> usize {
    let Some(from) = text.len().checked_sub(BEHIND) else { return 0 };
    memchr::memchr(b'\n', &text[from..]).map_or_else(|| whole(text), |newline| from + newline + 1)
}

/// Number of lines longer than `longest`.
pub(super) fn overlong(block: &[u8], longest: usize) -> u64 {
    let (mut lines, mut at) = (0, 0);
    loop {
        at = find_long(block, at, longest + 1);
        match memchr::memchr(b'\n', &block[at..]) {
            Some(newline) => at += newline + 1,
            None => return lines,
        }
        lines += 1;
    }
}

/// Where the first line of at least `long` bytes begins, from the one at `at` on; else the end of the block.
///
/// Looks only for the last newline in each `long` bytes, so it passes over most of the block.
fn find_long(block: &[u8], mut at: usize, long: usize) -> usize {
    while let Some(window) = block.get(at..at + long) {
        match memchr::memrchr(b'\n', window) {
            Some(newline) => at += newline + 1,
            None => return at,
        }
    }
    block.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_found_whatever_stands_around_them() {
        for (block, expected) in [
            (&b""[..], 0),
            (b"123\n1234\n", 9),
            (b"12345", 0),
            (b"12345\n", 0),
            (b"\n\n12345\n1\n", 2),
            (b"1234\n1\n123456789012\n", 7),
            (b"1234\n1234", 9),
        ] {
            assert_eq!(find_long(block, 0, 5), expected, "{:?}", String::from_utf8_lossy(block));
        }
    }
}
