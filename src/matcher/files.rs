//! Which file of a log is read, because no message goes on in another: while a log is rotated, lines of the old file come
//! between those of the new. Holds a short list; no I/O.

use super::Matchers;
use super::newlines::Newlines;

/// Of how many files it is remembered how far their messages reach. A source reads fewer at a time.
const MOST: usize = 8;

/// Device and number of a file.
type FileId = (u64, u64);

/// The file that is read, and others that were.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    current: Option<FileId>,
    others: Vec<(FileId, Newlines)>,
}

impl Files {
    /// Turns to a file that goes on, and says whether it is another. One that is not known may be a copy of the one before, and
    /// is taken to go on with that.
    fn turn_to(&mut self, file: Option<FileId>, newlines: &mut Newlines) -> bool {
        if self.current == file {
            return false;
        }
        if let Some(left) = std::mem::replace(&mut self.current, file) {
            if self.others.len() >= MOST {
                self.others.remove(0);
            }
            self.others.push((left, newlines.clone()));
        }
        if let Some(at) = self.others.iter().position(|(known, _)| Some(*known) == file) {
            let (_, known) = self.others.remove(at);
            newlines.go_on_as(known);
        }
        true
    }
}

impl Matchers {
    /// Says in which file the next lines stand, if that is known, and whether they are its first: then they are nobody's
    /// rest.
    pub fn turn_to(&mut self, file: Option<FileId>, begins: bool) {
        if self.files.turn_to(file, &mut self.newlines) {
            // The last line of this file was another.
            self.repeats.disarm();
        }
        if begins {
            self.repeats.disarm();
            self.newlines.go_on_as(Newlines::default());
        }
    }

    /// Says that the next line stands in the middle of a file: it may be the rest of a message with newlines in it, of which
    /// the first line was not handed in.
    pub fn begin_in_a_message(&mut self) {
        self.miss_lines();
        self.newlines.begin_in_a_message();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    const FAILURE: &str = "Nov 27 13:00:00 mail vpopmail[77]: vchkpw-smtp: password fail (pass: 'x";
    const LOGIN: &str = "Nov 27 13:00:01 mail pop3d: LOGIN, user=a, ip=[203.0.113.66]";
    const OLD: Option<FileId> = Some((1, 1));
    const NEW: Option<FileId> = Some((1, 2));

    fn counts(matchers: &mut Matchers, line: &str) -> bool {
        matchers.event(Timestamp::default(), line.as_bytes()).is_some()
    }

    #[test]
    fn each_file_has_its_own_messages() {
        let mut matchers = Matchers::all();
        matchers.turn_to(OLD, false);
        assert!(!counts(&mut matchers, FAILURE));
        matchers.turn_to(NEW, true);
        assert!(counts(&mut matchers, LOGIN), "the first line of its file");
        assert!(!counts(&mut matchers, &"x".repeat(1000)));
        matchers.turn_to(OLD, false);
        assert!(!counts(&mut matchers, LOGIN), "the lines of the other file are not in between");
        assert!(!counts(&mut matchers, &"x".repeat(1000)));
        assert!(counts(&mut matchers, LOGIN));
        assert!(!counts(&mut matchers, FAILURE));
        matchers.turn_to(OLD, true);
        assert!(counts(&mut matchers, LOGIN), "it was cut to nothing");
    }

    #[test]
    fn a_copy_goes_on_with_what_was_read() {
        for copy in [NEW, None] {
            let mut matchers = Matchers::all();
            matchers.turn_to(OLD, true);
            assert!(!counts(&mut matchers, FAILURE));
            matchers.turn_to(copy, false);
            assert!(!counts(&mut matchers, LOGIN));
        }
    }

    #[test]
    fn in_the_middle_of_a_file_a_line_may_be_the_rest_of_a_message() {
        let perdition = "Nov 27 13:00:00 mail x: \" server=\"127.0.0.1:2143\" protocol=IMAP4 status=\"failed: No\"\n";
        let log = format!("{}\n{LOGIN}\n{perdition}{LOGIN}\n", "x\n".repeat(33_000));
        let logins = |escaped, in_a_message: bool, log: &str| {
            let (mut matchers, mut found) = (Matchers::all(), 0);
            matchers.take_newlines_for_escaped(escaped);
            if in_a_message {
                matchers.begin_in_a_message();
            }
            matchers.scan(Timestamp::default(), log.as_bytes(), &mut |_, _| found += 1);
            found
        };
        assert_eq!(logins(false, true, &format!("{LOGIN}\n{LOGIN}\n")), 0);
        assert_eq!(logins(false, true, &log), 2, "too far for any message");
        let own_file = "2026/11/22 16:30:13 [info] 806#806: *211 client logged in, client: 203.0.113.66, server: \
                        0.0.0.0:143, login: \"a\", upstream: 127.0.0.2:1143\n";
        for (in_a_message, counting) in [(false, 2), (true, 0)] {
            assert_eq!(logins(true, in_a_message, &own_file.repeat(2)), counting, "nginx escapes nothing");
        }
        assert_eq!(logins(true, true, &format!("{}\n{LOGIN}\n", "x\n".repeat(1100))), 1);
    }
}
