//! The structures of an LMDB file, read from bytes with a check of the bounds; pure.

use super::Fault;

const MAGIC: u32 = 0xBEEF_C0DE;
const VERSION: u32 = 1;
/// Page numbers and sizes are machine words.
pub(super) const WORD: usize = size_of::<usize>();
pub(super) const PAGE_HEADER: usize = WORD + 8;
pub(super) const META: usize = 8 + 2 * WORD + 2 * DATABASE + 2 * WORD;
const DATABASE: usize = 8 + 5 * WORD;
pub(super) const NODE_HEADER: usize = 8;

pub(super) const BRANCH: u16 = 0x01;
pub(super) const LEAF: u16 = 0x02;
pub(super) const OVERFLOW: u16 = 0x04;
const META_PAGE: u16 = 0x08;
/// `F_BIGDATA`: the value is on pages of its own.
pub(super) const BIG: u16 = 0x01;
/// `F_SUBDATA`, `F_DUPDATA`: the entry is a database, or the values of one key.
pub(super) const NESTED: [u16; 2] = [0x02, 0x06];
/// `MDB_REVERSEKEY` to `MDB_REVERSEDUP`.
pub(super) const KINDS: u16 = 0x7E;

/// The part of `MDB_meta` that a reader follows.
pub(super) struct Meta {
    pub(super) map_size: usize,
    pub(super) page_size: usize,
    /// Free pages, then the table.
    pub(super) databases: [Tree; 2],
    pub(super) last: usize,
    pub(super) transaction: usize,
}

impl Meta {
    /// Reads a meta page, header included.
    pub(super) fn new(page: &[u8]) -> Result<Self, Fault> {
        let meta = Bytes(page.get(PAGE_HEADER..).unwrap_or_default());
        if Bytes(page).short(WORD + 2)? & META_PAGE == 0 || meta.long(0)? != MAGIC {
            return Err("it is no LMDB file".into());
        }
        if meta.long(4)? != VERSION {
            return Err("it is of another LMDB version".into());
        }
        let databases = 8 + 2 * WORD;
        Ok(Self {
            map_size: meta.word(8 + WORD)?,
            page_size: meta.long(databases)? as usize,
            databases: [Tree::new(&meta, databases)?, Tree::new(&meta, databases + DATABASE)?],
            last: meta.word(databases + 2 * DATABASE)?,
            transaction: meta.word(databases + 2 * DATABASE + WORD)?,
        })
    }
}

/// The part of `MDB_db` that a reader follows.
pub(super) struct Tree {
    pub(super) flags: u16,
    pub(super) foreign_flags: u16,
    pub(super) depth: u16,
    pub(super) root: usize,
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
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl Bytes<'_> {
    pub(super) fn get(&self, offset: usize, size: usize) -> Result<&[u8], Fault> {
        let end = offset.saturating_add(size);
        self.0.get(offset..end).ok_or(Fault::Damaged("an entry lies outside its page"))
    }

    fn array<const N: usize>(&self, offset: usize) -> Result<[u8; N], Fault> {
        self.get(offset, N)?.try_into().map_err(|_| Fault::Damaged("an entry lies outside its page"))
    }

    pub(super) fn short(&self, offset: usize) -> Result<u16, Fault> {
        self.array(offset).map(u16::from_ne_bytes)
    }

    pub(super) fn long(&self, offset: usize) -> Result<u32, Fault> {
        self.array(offset).map(u32::from_ne_bytes)
    }

    pub(super) fn word(&self, offset: usize) -> Result<usize, Fault> {
        self.array(offset).map(usize::from_ne_bytes)
    }

    /// The size of a node's value, in two halves; in a branch the low part of a child's number.
    pub(super) fn node_size(&self, node: usize) -> Result<usize, Fault> {
        let (low, high) = if cfg!(target_endian = "little") { (node, node + 2) } else { (node + 2, node) };
        Ok(usize::from(self.short(low)?) | usize::from(self.short(high)?) << 16)
    }
}
