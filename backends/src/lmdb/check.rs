//! Tells whether a file is a whole LMDB table before LMDB maps it; reads the file, one page at a time.
//!
//! LMDB trusts every offset in the file. This walk follows the same way as its readers (`mdb.c` of LMDB 0.9, data
//! version 1, in the byte order and word size of this machine) and refuses whatever would lead them astray.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::fcntl::OFlag;

/// What a file turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Check {
    Missing,
    Valid,
    Damaged(String),
    /// Sound as far as was read, but with what no table of Postfix has: databases inside it, or several values of a key.
    Foreign,
}

const MAGIC: u32 = 0xBEEF_C0DE;
const VERSION: u32 = 1;
/// Page numbers and sizes are machine words.
const WORD: usize = size_of::<usize>();
const PAGE_HEADER: usize = WORD + 8;
const META: usize = 8 + 2 * WORD + 2 * DATABASE + 2 * WORD;
const DATABASE: usize = 8 + 5 * WORD;
const NODE_HEADER: usize = 8;
/// `CURSOR_STACK`: a deeper tree overruns a reader's stack.
const DEPTH: usize = 32;

const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
const OVERFLOW: u16 = 0x04;
const META_PAGE: u16 = 0x08;
/// `F_BIGDATA`: the value is on pages of its own.
const BIG: u16 = 0x01;
/// `F_SUBDATA`, `F_DUPDATA`: the entry is a database, or the values of one key.
const NESTED: [u16; 2] = [0x02, 0x06];
/// `MDB_REVERSEKEY` to `MDB_REVERSEDUP`.
const KINDS: u16 = 0x7E;

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

/// Reads the file at `path` from its newest meta page down to each leaf.
///
/// # Errors
/// The file exists and cannot be read.
pub(super) fn file(path: &Path) -> io::Result<Check> {
    // A pipe or a device in the place of the table must not hold up the daemon.
    let file = match OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Check::Missing),
        opened => opened?,
    };
    let found = file.metadata()?;
    if found.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !found.is_file() {
        return Ok(Check::Damaged("it is no regular file".to_owned()));
    }
    match (Walk { file, size: found.len(), page_size: 0, last: 0 }).run() {
        Ok(()) => Ok(Check::Valid),
        Err(Fault::Damaged(cause)) => Ok(Check::Damaged(cause.to_owned())),
        Err(Fault::Foreign) => Ok(Check::Foreign),
        Err(Fault::Io(error)) => Err(error),
    }
}

struct Walk {
    file: File,
    size: u64,
    page_size: usize,
    /// Number of the last page in use.
    last: usize,
}

impl Walk {
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
        let mut visited = 0;
        newest.databases.iter().try_for_each(|tree| self.tree(tree, &mut visited))
    }

    fn meta(&self, offset: u64) -> Result<Meta, Fault> {
        let mut bytes = [0; PAGE_HEADER + META];
        self.read(&mut bytes, offset)?;
        let bytes = Bytes(&bytes);
        let meta = Bytes(&bytes.0[PAGE_HEADER..]);
        if bytes.short(WORD + 2)? & META_PAGE == 0 || meta.long(0)? != MAGIC {
            return Err("it is no LMDB file".into());
        }
        if meta.long(4)? != VERSION {
            return Err("it is of another LMDB version".into());
        }
        let databases = 8 + 2 * WORD;
        Ok(Meta {
            page_size: meta.long(databases)? as usize,
            databases: [Tree::new(&meta, databases)?, Tree::new(&meta, databases + DATABASE)?],
            last: meta.word(databases + 2 * DATABASE)?,
            transaction: meta.word(databases + 2 * DATABASE + WORD)?,
        })
    }

    fn tree(&self, tree: &Tree, visited: &mut usize) -> Result<(), Fault> {
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
        self.page(tree.root, usize::from(tree.depth), visited)
    }

    /// Checks a page and all below it; `depth` counts it and the levels below.
    fn page(&self, number: usize, depth: usize, visited: &mut usize) -> Result<(), Fault> {
        *visited += 1;
        // More pages than there are: the tree runs in a circle.
        if depth == 0 || *visited > self.last {
            return Err("its tree has no end".into());
        }
        let mut bytes = vec![0; self.page_size];
        self.read(&mut bytes, self.offset(number)?)?;
        let page = Bytes(&bytes);
        let flags = page.short(WORD + 2)?;
        let end = usize::from(page.short(WORD + 4)?);
        let kind = if depth == 1 { LEAF } else { BRANCH };
        if page.word(0)? != number || flags != kind || end < PAGE_HEADER || end > self.page_size {
            return Err("a page is not what it should be".into());
        }
        if kind == BRANCH && end < PAGE_HEADER + 4 {
            return Err("a branch leads nowhere".into());
        }
        for slot in (PAGE_HEADER..end).step_by(2) {
            let node = usize::from(page.short(slot)?);
            if node < end {
                return Err("an entry lies outside its page".into());
            }
            self.node(&page, node, depth, visited)?;
        }
        Ok(())
    }

    fn node(&self, page: &Bytes<'_>, node: usize, depth: usize, visited: &mut usize) -> Result<(), Fault> {
        let (low, high) = if cfg!(target_endian = "little") { (node, node + 2) } else { (node + 2, node) };
        let low = usize::from(page.short(low)?) | usize::from(page.short(high)?) << 16;
        let flags = page.short(node + 4)?;
        let key = usize::from(page.short(node + 6)?);
        page.get(node + NODE_HEADER, key)?;
        if depth > 1 {
            // A branch keeps a child's number in the size and the flags.
            let child = if WORD > 4 { low | usize::from(flags).wrapping_shl(32) } else { low };
            return self.page(child, depth - 1, visited);
        }
        match flags {
            0 => page.get(node + NODE_HEADER + key, low).map(|_| ()),
            BIG => self.overflow(page.word(node + NODE_HEADER + key)?, low, visited),
            kind if NESTED.contains(&kind) => Err(Fault::Foreign),
            _ => Err("an entry is not one of Postfix".into()),
        }
    }

    fn overflow(&self, number: usize, size: usize, visited: &mut usize) -> Result<(), Fault> {
        let mut header = [0; PAGE_HEADER];
        self.read(&mut header, self.offset(number)?)?;
        let header = Bytes(&header);
        let pages = header.long(WORD + 4)? as usize;
        *visited = visited.saturating_add(pages);
        let fits = pages >= 1 && size <= pages.saturating_mul(self.page_size) - PAGE_HEADER;
        if header.word(0)? != number || header.short(WORD + 2)? != OVERFLOW || !fits || *visited > self.last {
            return Err("a long value is not what it should be".into());
        }
        self.offset(number.saturating_add(pages - 1)).map(|_| ())
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

/// The part of `MDB_meta` that a reader follows.
struct Meta {
    page_size: usize,
    /// Free pages, then the table.
    databases: [Tree; 2],
    last: usize,
    transaction: usize,
}

/// The part of `MDB_db` that a reader follows.
struct Tree {
    flags: u16,
    foreign_flags: u16,
    depth: u16,
    root: usize,
}

impl Tree {
    fn new(meta: &Bytes<'_>, offset: usize) -> Result<Self, Fault> {
        // The first tree keeps flags of the whole file in its own; the second must be a plain table.
        let foreign_flags = if offset == 8 + 2 * WORD { 0 } else { u16::MAX };
        let flags = meta.short(offset + 4)?;
        let depth = meta.short(offset + 6)?;
        Ok(Self { flags, foreign_flags, depth, root: meta.word(offset + 8 + 4 * WORD)? })
    }
}

/// Bytes whose numbers are read with a check of the bounds.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn get(&self, offset: usize, size: usize) -> Result<&[u8], Fault> {
        let end = offset.saturating_add(size);
        self.0.get(offset..end).ok_or(Fault::Damaged("an entry lies outside its page"))
    }

    fn array<const N: usize>(&self, offset: usize) -> Result<[u8; N], Fault> {
        self.get(offset, N)?.try_into().map_err(|_| Fault::Damaged("an entry lies outside its page"))
    }

    fn short(&self, offset: usize) -> Result<u16, Fault> {
        self.array(offset).map(u16::from_ne_bytes)
    }

    fn long(&self, offset: usize) -> Result<u32, Fault> {
        self.array(offset).map(u32::from_ne_bytes)
    }

    fn word(&self, offset: usize) -> Result<usize, Fault> {
        self.array(offset).map(usize::from_ne_bytes)
    }
}
