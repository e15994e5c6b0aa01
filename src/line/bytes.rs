//! Kinds of bytes. Pure.

/// Bytes of one kind, as a table: a run is read in no more time than it takes to look at it.
#[derive(Debug)]
pub(crate) struct Class([bool; 256]);

impl Class {
    /// Letters and digits, and these.
    pub(crate) const fn letters_digits_and(others: &[u8]) -> Self {
        Self::new(b'0', b'9', &[]).and(b'A', b'Z').and(b'a', b'z').with(others, true)
    }

    /// From the first to the last, without these.
    pub(crate) const fn new(first: u8, last: u8, without: &[u8]) -> Self {
        Self([false; 256]).and(first, last).with(without, false)
    }

    /// These as well, from the first to the last.
    #[must_use]
    pub(crate) const fn and(mut self, first: u8, last: u8) -> Self {
        let mut byte = first as usize;
        while byte <= last as usize {
            self.0[byte] = true;
            byte += 1;
        }
        self
    }

    /// Whether these belong to the class is this.
    #[must_use]
    pub(crate) const fn with(mut self, bytes: &[u8], belong: bool) -> Self {
        let mut nth = 0;
        while nth < bytes.len() {
            self.0[bytes[nth] as usize] = belong;
            nth += 1;
        }
        self
    }

    /// Whether the byte belongs to the class.
    #[inline]
    pub(crate) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }

    /// How many bytes at the start of `text` belong to the class.
    #[inline]
    pub(crate) fn run(&self, text: &[u8]) -> usize {
        // Four at a time: so the end of the text is looked for less often.
        let (fours, rest) = text.as_chunks::<4>();
        for (nth, four) in fours.iter().enumerate() {
            if let Some(at) = four.iter().position(|byte| !self.has(*byte)) {
                return 4 * nth + at;
            }
        }
        text.len() - rest.len() + rest.iter().position(|byte| !self.has(*byte)).unwrap_or(rest.len())
    }

    /// How many bytes at the end of `text` belong to the class.
    #[inline]
    pub(crate) fn run_at_end(&self, text: &[u8]) -> usize {
        let (rest, fours) = text.as_rchunks::<4>();
        for (nth, four) in fours.iter().rev().enumerate() {
            if let Some(at) = four.iter().rev().position(|byte| !self.has(*byte)) {
                return 4 * nth + at;
            }
        }
        text.len() - rest.len() + rest.iter().rev().position(|byte| !self.has(*byte)).unwrap_or(rest.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_what_it_was_made_of() {
        static CLASS: Class = Class::letters_digits_and(b"._").and(b'{', b'~').with(b"}m", false);
        for byte in 0..=255u8 {
            let expected = byte.is_ascii_alphanumeric() || b"._{|~".contains(&byte);
            assert_eq!(CLASS.has(byte), expected && byte != b'm', "{byte}");
        }
        assert_eq!(CLASS.run(b"a.B}"), 3);
        assert_eq!(CLASS.run(b"a.B"), 3);
        assert_eq!(CLASS.run(b" a"), 0);
    }

    #[test]
    fn a_run_ends_where_the_class_does() {
        static CLASS: Class = Class::new(b'a', b'z', &[]);
        for (length, end) in (0..12).flat_map(|length| (0..=length).map(move |end| (length, end))) {
            let text: Vec<u8> = (0..length).map(|at| if at == end { b'0' } else { b'x' }).collect();
            assert_eq!(CLASS.run(&text), end, "{text:?}");
            let backwards: Vec<u8> = text.iter().rev().copied().collect();
            assert_eq!(CLASS.run_at_end(&backwards), end, "{backwards:?}");
        }
    }
}
