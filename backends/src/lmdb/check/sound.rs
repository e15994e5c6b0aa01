//! What a writer trusts beyond what a reader does: that pages are packed without gaps, keys in order, each page used
//! once, and the list of free pages true. Where it is not, LMDB would stop the daemon or write over pages in use.

use super::Fault;
use super::format::{BIG, BRANCH, Bytes, Meta, NODE_HEADER, PAGE_HEADER, WORD};

/// `MDB_INTEGERKEY`: the list of free pages is a tree with page-sized words as keys, and no other kind.
const INTEGER_KEY: u16 = 0x08;
const KINDS: u16 = 0x7E;
/// `MDB_MAXKEYSIZE`.
const LONGEST_KEY: usize = 511;
/// LMDB leaves pages at the end unwritten if a transaction did not need them after all; that many at most.
const UNWRITTEN: usize = 1024;

const UNORDERED: &str = "its keys are out of order";

pub(super) struct Sound {
    page_size: usize,
    last: usize,
    /// One bit for each page.
    used: Vec<u64>,
    free: Vec<usize>,
    /// The tree of the free pages is being read, not that of the table.
    in_free_list: bool,
    /// The key before, and whether that one was in a branch, so that an entry may have it, too.
    key: Vec<u8>,
    inclusive: bool,
    began: bool,
    /// Room for the places of a page's nodes.
    nodes: Vec<(usize, usize)>,
}

impl Sound {
    /// Begins with what the newest meta page of a file of `size` bytes says.
    pub(super) fn new(meta: &Meta, size: u64) -> Result<Self, Fault> {
        let pages = usize::try_from(size / meta.page_size as u64).unwrap_or(usize::MAX);
        let [free, table] = &meta.databases;
        if meta.last < 1 || meta.last >= pages.saturating_add(UNWRITTEN) {
            return Err("its last page is far behind its end".into());
        }
        // A writer hands this on to the readers, which could not map so much.
        if WORD > 4 && meta.map_size >= 1 << (usize::BITS - 18) {
            return Err("its map is too large".into());
        }
        if free.flags & KINDS != INTEGER_KEY || table.flags & KINDS != 0 || meta.transaction > usize::MAX / 2 {
            return Err("its meta page is not one of Postfix".into());
        }
        Ok(Self {
            page_size: meta.page_size,
            last: meta.last,
            used: vec![0; meta.last / 64 + 1],
            free: Vec::new(),
            in_free_list: false,
            key: Vec::new(),
            inclusive: false,
            began: false,
            nodes: Vec::new(),
        })
    }

    /// Begins with a tree.
    pub(super) fn begin(&mut self, free_list: bool) {
        self.in_free_list = free_list;
        self.began = false;
    }

    /// Notes that pages are in use, which no other may use.
    pub(super) fn take(&mut self, first: usize, pages: usize) -> Result<(), Fault> {
        for page in first..first.saturating_add(pages) {
            let Some(word) = self.used.get_mut(page / 64).filter(|_| (2..=self.last).contains(&page)) else {
                return Err("a page number is out of range".into());
            };
            let bit = 1 << (page % 64);
            if *word & bit != 0 {
                return Err("a page is used twice".into());
            }
            *word |= bit;
        }
        Ok(())
    }

    /// The nodes of a page fill it from its upper bound to its end, none over another. A node is rounded up to an even
    /// size, and two of the largest fit into a page.
    pub(super) fn check_page(&mut self, page: &Bytes<'_>, end: usize, kind: u16) -> Result<(), Fault> {
        let largest = (((self.page_size - PAGE_HEADER) / 2) & !1) - 2;
        self.nodes.clear();
        for slot in (PAGE_HEADER..end).step_by(2) {
            let node = usize::from(page.short(slot)?);
            let key = usize::from(page.short(node + 6)?);
            let value = match page.short(node + 4)? {
                _ if kind == BRANCH => 0,
                BIG => WORD,
                _ => page.node_size(node)?,
            };
            let size = NODE_HEADER.saturating_add(key).saturating_add(value);
            if key > LONGEST_KEY || size > largest {
                return Err("an entry is too large".into());
            }
            self.nodes.push((node, size.next_multiple_of(2)));
        }
        self.nodes.sort_unstable();
        let mut place = usize::from(page.short(WORD + 6)?);
        for &(node, size) in &self.nodes {
            if node != place {
                return Err("a page is not packed".into());
            }
            place += size;
        }
        if place == self.page_size && end.is_multiple_of(2) { Ok(()) } else { Err("a page is not packed".into()) }
    }

    /// A key of a branch: greater than all before it, not greater than the one after it.
    pub(super) fn separator(&mut self, key: &[u8]) -> Result<(), Fault> {
        self.follow(key, true)
    }

    /// A key of a leaf.
    pub(super) fn entry(&mut self, key: &[u8]) -> Result<(), Fault> {
        self.follow(key, false)
    }

    fn follow(&mut self, key: &[u8], inclusive: bool) -> Result<(), Fault> {
        // The keys of the free list are numbers; as bytes, the greatest first, they sort as numbers do.
        let number: [u8; WORD];
        let key = if self.in_free_list {
            let Ok(word) = key.try_into().map(usize::from_ne_bytes) else { return Err(UNORDERED.into()) };
            number = word.to_be_bytes();
            &number[..]
        } else {
            key
        };
        let after = key > self.key.as_slice() || self.inclusive && key == self.key.as_slice();
        if key.is_empty() || self.began && !after {
            return Err(UNORDERED.into());
        }
        self.key.clear();
        self.key.extend_from_slice(key);
        (self.inclusive, self.began) = (inclusive, true);
        Ok(())
    }

    /// Whether [`Sound::value`] looks at what it is given.
    pub(super) fn reads_values(&self) -> bool {
        self.in_free_list
    }

    /// A value of the free list: how many pages, then their numbers, descending.
    pub(super) fn value(&mut self, value: &[u8]) -> Result<(), Fault> {
        if !self.in_free_list {
            return Ok(());
        }
        let value = Bytes(value);
        let count = value.word(0)?;
        let mut above = usize::MAX;
        for index in 1..=count {
            let page = value.word(index.saturating_mul(WORD))?;
            if page >= above {
                return Err("its list of free pages is out of order".into());
            }
            above = page;
            self.free.push(page);
        }
        Ok(())
    }

    /// When both trees have been read: no free page is in use, none is free twice.
    pub(super) fn check_free_pages(mut self) -> Result<(), Fault> {
        let free = std::mem::take(&mut self.free);
        free.into_iter().try_for_each(|page| self.take(page, 1))
    }
}
