//! Which login each grant goes back to: what `list` and the state file tell of it. Pure.
//!
//! Beside the ring and not in it: one entry for each slot of the ring, small, because a site may have a million.

/// Where the login stands, and whose it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginRecord<'p> {
    /// Name of the log.
    pub source: &'p str,
    /// Where in the log the line begins, in bytes, if the source knows.
    pub offset: Option<u64>,
    /// Name of the matcher.
    pub matcher: &'p str,
    /// The user name as logged, raw bytes of a stranger, cut to [`LONGEST_USER`] bytes; empty if the line has none.
    pub user: &'p [u8],
}

/// Bytes of a user name that are remembered; with more each grant would take more room.
pub const LONGEST_USER: usize = 43;

/// In place of an offset that is not known; no file is as long.
const UNKNOWN: u64 = u64::MAX;

/// In place of the length of a user name, where nothing is known.
const NOTHING: u8 = u8::MAX;

/// Holds the name itself: a million small boxes would take more room, and scatter the heap.
#[derive(Debug, Clone, Copy)]
struct Stored {
    offset: u64,
    /// Which of the names.
    source: u16,
    matcher: u16,
    length: u8,
    user: [u8; LONGEST_USER],
}

const EMPTY: Stored = Stored { offset: UNKNOWN, source: 0, matcher: 0, length: NOTHING, user: [0; LONGEST_USER] };

/// The records of the slots of a ring.
#[derive(Debug, Default)]
pub struct LoginRecords {
    slots: Vec<Stored>,
    /// Logs and matchers, of which there are few.
    names: Vec<String>,
}

impl LoginRecords {
    /// Remembers what the grant in a slot goes back to; `None` if that is not known.
    pub fn set(&mut self, slot: usize, record: Option<LoginRecord<'_>>) {
        if slot >= self.slots.len() {
            if record.is_none() {
                return;
            }
            self.slots.resize(slot + 1, EMPTY);
        }
        let Some(LoginRecord { source, offset, matcher, user }) = record else {
            self.slots[slot] = EMPTY;
            return;
        };
        let (source, matcher) = (self.name(source), self.name(matcher));
        let length = user.len().min(LONGEST_USER);
        let stored = &mut self.slots[slot];
        stored.user[..length].copy_from_slice(&user[..length]);
        *stored =
            Stored { offset: offset.unwrap_or(UNKNOWN), source, matcher, length: length as u8, user: stored.user };
    }

    /// What the grant in a slot goes back to, if that is known.
    pub fn get(&self, slot: usize) -> Option<LoginRecord<'_>> {
        let stored = self.slots.get(slot)?;
        let name = |index: u16| self.names.get(usize::from(index)).map_or("", String::as_str);
        Some(LoginRecord {
            source: name(stored.source),
            offset: Some(stored.offset).filter(|offset| *offset != UNKNOWN),
            matcher: name(stored.matcher),
            // Longer than any only where nothing is known.
            user: stored.user.get(..usize::from(stored.length))?,
        })
    }

    /// The number of a name. There are as many as logs and matchers; one too many is not remembered.
    fn name(&mut self, name: &str) -> u16 {
        let at = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            if self.names.len() < usize::from(u16::MAX) {
                self.names.push(name.to_owned());
                self.names.len() - 1
            } else {
                usize::from(u16::MAX)
            }
        });
        at as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_tells_the_last_login() {
        let mut records = LoginRecords::default();
        let record = |offset, user| LoginRecord { source: "/var/log/mail.log", offset, matcher: "dovecot", user };
        assert_eq!(records.get(3), None);
        records.set(3, None);
        records.set(3, Some(record(Some(0), b"alice")));
        assert_eq!(records.get(3), Some(record(Some(0), b"alice")));
        assert_eq!(records.get(2), None);
        records.set(3, Some(LoginRecord { source: "-", ..record(None, b"") }));
        assert_eq!(records.get(3), Some(LoginRecord { source: "-", ..record(None, b"") }));
        records.set(0, Some(record(Some(7), &[b'x'; 100])));
        assert_eq!(records.get(0), Some(record(Some(7), &[b'x'; LONGEST_USER])));
        records.set(3, None);
        assert_eq!(records.get(3), None);
        assert_eq!(std::mem::size_of::<Stored>(), 56);
    }
}
