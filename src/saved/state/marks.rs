//! The lines of the state file that tell where to go on in the logs.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use super::{bytes, write_bytes};
use crate::source::saved_position::{FileMark, SavedPosition};
use crate::source::{Mark, Position};
use crate::time::unix_seconds;

impl Mark {
    pub(super) fn write(&self, file: &mut impl Write) -> io::Result<()> {
        let saved = unix_seconds(self.saved);
        match &self.position {
            SavedPosition::Cursor(cursor) => write!(file, "@cursor {saved} {cursor}")?,
            SavedPosition::File(FileMark { position: Position { device, inode, offset }, before }) => {
                write!(file, "@file {saved} {device} {inode} {offset} ")?;
                write_bytes(file, before)?;
            }
        }
        writeln!(file, " {}", self.log)
    }

    pub(super) fn read(line: &str) -> Option<Self> {
        let (kind, rest) = line.split_once(' ')?;
        let (saved, rest) = rest.split_once(' ')?;
        let (position, log) = match kind {
            "@cursor" => {
                let (cursor, log) = rest.split_once(' ')?;
                (SavedPosition::Cursor(cursor.to_owned()), log)
            }
            "@file" => file(rest)?,
            _ => return None,
        };
        let saved = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(saved.parse().ok()?))?;
        Some(Self { log: log.to_owned(), saved, position })
    }
}

fn file(text: &str) -> Option<(SavedPosition, &str)> {
    let mut fields = text.splitn(5, ' ');
    let mut number = || fields.next()?.parse().ok();
    let position = Position { device: number()?, inode: number()?, offset: number()? };
    let before = match fields.next()? {
        "-" => Vec::new(),
        hexadecimal => bytes(hexadecimal)?,
    };
    Some((SavedPosition::File(FileMark { position, before }), fields.next()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn marks_come_back() {
        let saved = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let position = Position { device: 254, inode: 4711, offset: 12 };
        let file = |before: &[u8]| SavedPosition::File(FileMark { position, before: before.to_vec() });
        let cursor = SavedPosition::Cursor("s=0639;i=4be;b=26a5;m=84d;t=4fa;x=88".to_owned());
        for position in [file(b"a line\n\xff"), file(b""), cursor] {
            let mark = Mark { log: "/var/log/the mail.log".to_owned(), saved, position };
            let mut line = Vec::new();
            mark.write(&mut line).unwrap();
            let line = String::from_utf8(line).unwrap();
            assert_eq!(Mark::read(line.trim_end()), Some(mark));
        }
    }

    #[test]
    fn what_is_no_mark_is_refused() {
        for line in
            ["@", "@file", "@file 1 2 3 4 -", "@file 1 2 3 -4 - x", "@file 1 2 3 4 zz x", "@cursor 1 x", "@x 1 2 3"]
        {
            assert_eq!(Mark::read(line), None, "{line}");
        }
    }
}
