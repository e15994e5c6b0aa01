//! Tells whether a file is a whole LMDB table before LMDB maps it; reads the file, one page at a time.
//!
//! LMDB trusts every offset in the file. This walk follows the same way as its readers (`mdb.c` of LMDB 0.9, data
//! version 1, in the byte order and word size of this machine) and refuses whatever would lead them astray. A writer
//! trusts more than a reader does: see [`sound`].

mod format;
mod sound;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::fcntl::OFlag;

use self::format::{
    BIG, BRANCH, Bytes, KINDS, LEAF, META, Meta, NESTED, NODE_HEADER, OVERFLOW, PAGE_HEADER, Tree, WORD,
};
use self::sound::Sound;
use crate::files::LINKED;

/// What a file turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Check {
    Missing,
    Valid,
    Damaged(String),
    /// Sound as far as was read, but with what no table of Postfix has: databases inside it, or several values of a key.
    Foreign,
}

/// What LMDB is going to do with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Reading,
    Writing,
}

/// `CURSOR_STACK`: a deeper tree overruns a reader's stack.
const DEPTH: usize = 32;

/// A reason to call a file damaged, or an error on the way.
enum Fault {
    Damaged(&'static str),
    Foreign,
    Io(io::Error),
}

impl From<&'static str> for Fault {
    fn from(cause: &'static str) -> Self {
        Self::Damaged(cause)
    }
}

/// Opens a regular file; `Err` holds what is there instead.
///
/// # Errors
/// The file exists and cannot be opened.
pub(super) fn open(path: &Path, purpose: Purpose) -> io::Result<Result<File, Check>> {
    // A pipe or a device in the place of the table must not hold up the daemon.
    let mut flags = OFlag::O_NONBLOCK;
    let writing = purpose == Purpose::Writing;
    if writing {
        // Who may make a link here need not be allowed to write where it leads.
        flags |= OFlag::O_NOFOLLOW;
    }
    let file = match OpenOptions::new().read(true).write(writing).custom_flags(flags.bits()).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Err(Check::Missing)),
        opened => opened?,
    };
    let found = file.metadata()?;
    if found.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !found.is_file() {
        return Ok(Err(Check::Damaged("it is no regular file".to_owned())));
    }
    if writing && found.nlink() > 1 {
        return Err(io::Error::other(LINKED));
    }
    Ok(Ok(file))
}

/// Reads the file from its newest meta page down to each leaf.
///
/// # Errors
/// The file cannot be read.
pub(super) fn contents(file: &File, purpose: Purpose) -> io::Result<Check> {
    let size = file.metadata()?.len();
    match (Walk { file, size, purpose, page_size: 0, last: 0, visited: 0, sound: None }).run() {
        Ok(()) => Ok(Check::Valid),
        Err(Fault::Damaged(cause)) => Ok(Check::Damaged(cause.to_owned())),
        Err(Fault::Foreign) => Ok(Check::Foreign),
        Err(Fault::Io(error)) => Err(error),
    }
}

struct Walk<'f> {
    file: &'f File,
    size: u64,
    purpose: Purpose,
    page_size: usize,
    /// Number of the last page in use.
    last: usize,
    /// Pages seen so far.
    visited: usize,
    /// For a writer.
    sound: Option<Sound>,
}

impl Walk<'_> {
    fn run(mut self) -> Result<(), Fault> {
        let first = self.meta(0)?;
        self.page_size = first.page_size;
        if !self.page_size.is_power_of_two() || !(512..=65536).contains(&self.page_size) {
            return Err("its page size is impossible".into());
        }
        let second = self.meta(self.page_size as u64)?;
        let newest = if second.transaction > first.transaction { second } else { first };
        if newest.page_size != self.page_size {
            return Err("its meta pages contradict each other".into());
        }
        self.last = newest.last;
        if self.purpose == Purpose::Writing {
            self.sound = Some(Sound::new(&newest, self.size)?);
        }
        for (number, tree) in newest.databases.iter().enumerate() {
            if let Some(sound) = &mut self.sound {
                sound.begin(number == 0);
            }
            self.tree(tree)?;
        }
        match self.sound {
            Some(sound) => sound.check_free_pages(),
            None => Ok(()),
        }
    }

    fn meta(&self, offset: u64) -> Result<Meta, Fault> {
        let mut bytes = [0; PAGE_HEADER + META];
        self.read(&mut bytes, offset)?;
        Meta::new(&bytes)
    }

    fn tree(&mut self, tree: &Tree) -> Result<(), Fault> {
        // An empty tree has no root.
        if tree.root == usize::MAX {
            return Ok(());
        }
        let kind = tree.flags & tree.foreign_flags;
        if kind != 0 && kind & !KINDS == 0 {
            return Err(Fault::Foreign);
        }
        if usize::from(tree.depth) > DEPTH || kind != 0 {
            return Err("it is not a table of Postfix".into());
        }
        self.page(tree.root, usize::from(tree.depth))
    }

    /// Checks a page and all below it; `depth` counts it and the levels below.
    fn page(&mut self, number: usize, depth: usize) -> Result<(), Fault> {
        self.visited += 1;
        // More pages than there are: the tree runs in a circle.
        if depth == 0 || self.visited > self.last {
            return Err("its tree has no end".into());
        }
        let mut bytes = vec![0; self.page_size];
        self.read(&mut bytes, self.offset(number)?)?;
        let page = Bytes(&bytes);
        let flags = page.short(WORD + 2)?;
        let end = usize::from(page.short(WORD + 4)?);
        let kind = if depth == 1 { LEAF } else { BRANCH };
        if page.word(0)? != number || flags != kind || end < PAGE_HEADER + 2 || end > self.page_size {
            return Err("a page is not what it should be".into());
        }
        if kind == BRANCH && end < PAGE_HEADER + 4 {
            return Err("a branch leads nowhere".into());
        }
        if let Some(sound) = &mut self.sound {
            sound.take(number, 1)?;
            sound.check_page(&page, end, kind)?;
        }
        for slot in (PAGE_HEADER..end).step_by(2) {
            let node = usize::from(page.short(slot)?);
            if node < end {
                return Err("an entry lies outside its page".into());
            }
            self.node(&page, node, depth, slot == PAGE_HEADER)?;
        }
        Ok(())
    }

    fn node(&mut self, page: &Bytes<'_>, node: usize, depth: usize, first: bool) -> Result<(), Fault> {
        let low = page.node_size(node)?;
        let flags = page.short(node + 4)?;
        let key = usize::from(page.short(node + 6)?);
        let name = page.get(node + NODE_HEADER, key)?;
        if let Some(sound) = &mut self.sound {
            match depth {
                1 => sound.entry(name)?,
                // The first key of a branch means nothing.
                _ if first => {}
                _ => sound.separator(name)?,
            }
        }
        if depth > 1 {
            // A branch keeps a child's number in the size and the flags.
            let child = if WORD > 4 { low | usize::from(flags).wrapping_shl(32) } else { low };
            return self.page(child, depth - 1);
        }
        let data = node + NODE_HEADER + key;
        match flags {
            0 => {
                let value = page.get(data, low)?;
                self.sound.as_mut().map_or(Ok(()), |sound| sound.value(value))
            }
            BIG => self.overflow(page.word(data)?, low),
            kind if NESTED.contains(&kind) => Err(Fault::Foreign),
            _ => Err("an entry is not one of Postfix".into()),
        }
    }

    fn overflow(&mut self, number: usize, size: usize) -> Result<(), Fault> {
        let mut header = [0; PAGE_HEADER];
        let offset = self.offset(number)?;
        self.read(&mut header, offset)?;
        let header = Bytes(&header);
        let pages = header.long(WORD + 4)? as usize;
        self.visited = self.visited.saturating_add(pages);
        let fits = pages >= 1 && size <= pages.saturating_mul(self.page_size) - PAGE_HEADER;
        if header.word(0)? != number || header.short(WORD + 2)? != OVERFLOW || !fits || self.visited > self.last {
            return Err("a long value is not what it should be".into());
        }
        self.offset(number.saturating_add(pages - 1))?;
        let Some(mut sound) = self.sound.take() else { return Ok(()) };
        sound.take(number, pages)?;
        if sound.reads_values() {
            let mut value = vec![0; size];
            self.read(&mut value, offset + PAGE_HEADER as u64)?;
            sound.value(&value)?;
        }
        self.sound = Some(sound);
        Ok(())
    }

    /// Where a page lies, if all of it is there and in use.
    fn offset(&self, number: usize) -> Result<u64, Fault> {
        if number < 2 || number > self.last {
            return Err("a page number is out of range".into());
        }
        let offset = (number as u64).saturating_mul(self.page_size as u64);
        if offset.saturating_add(self.page_size as u64) > self.size {
            return Err("it is cut short".into());
        }
        Ok(offset)
    }

    fn read(&self, bytes: &mut [u8], offset: u64) -> Result<(), Fault> {
        self.file.read_exact_at(bytes, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Fault::Damaged("it is cut short"),
            _ => Fault::Io(error),
        })
    }
}
