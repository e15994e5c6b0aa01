//! A map that remembers the order in which its entries were put in, newest first. Pure.
//!
//! Entries live in slots that are linked through indices and found through a hash index: putting in, moving to the
//! front and taking out cost the same whatever the size, and no memory is asked for once the slots are there.

use std::hash::{BuildHasher, Hash, RandomState};

use hashbrown::HashTable;

/// Marks the end of the chain.
const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Slot<K, V> {
    key: K,
    value: V,
    /// Number of the putting in; counts round.
    turn: u32,
    newer: u32,
    older: u32,
}

/// Keys with their values, newest first; at most `u32::MAX - 1`. `S` hashes the keys, which strangers must not be able to
/// make collide.
#[derive(Debug, Clone)]
pub(crate) struct OrderedMap<K, V, S = RandomState> {
    slots: Vec<Slot<K, V>>,
    free: Vec<u32>,
    /// The slots in use, found by their keys.
    index: HashTable<u32>,
    hasher: S,
    head: u32,
    tail: u32,
    /// How often something was put in; counts round.
    turns: u32,
}

impl<K, V, S: Default> Default for OrderedMap<K, V, S> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            hasher: S::default(),
            head: NONE,
            tail: NONE,
            turns: 0,
        }
    }
}

impl<K: Copy + Eq + Hash, V: Copy, S: BuildHasher> OrderedMap<K, V, S> {
    /// Number of entries.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.find(key).map(|slot| self.slots[slot as usize].value)
    }

    /// Puts an entry at the head, in place of one of the same key.
    pub(crate) fn put(&mut self, key: K, value: V) {
        let slot = self.take_slot(self.find(&key), key, value);
        self.link(NONE, slot, self.head);
    }

    /// Puts an entry, in place of that of the same key in `known`, behind those of which `ahead` is true; they are all at the
    /// head. `near` is the slot of one of them, if any is known: that costs as many steps as there are between it and this one.
    /// Returns the slot.
    pub(crate) fn put_behind(
        &mut self,
        known: Option<usize>,
        (key, value): (K, V),
        near: Option<usize>,
        ahead: impl Fn(&V) -> bool,
    ) -> usize {
        let slot = self.take_slot(known.map(|slot| slot as u32), key, value);
        let slots = &self.slots;
        let mut newer = near.map_or(NONE, |near| near as u32);
        let mut older = slots.get(newer as usize).map_or(self.head, |near| near.older);
        while older != NONE && ahead(&slots[older as usize].value) {
            (newer, older) = (older, slots[older as usize].older);
        }
        self.link(newer, slot, older);
        slot as usize
    }

    /// The slot of a key, which is known or a new one, with this value, not linked.
    fn take_slot(&mut self, known: Option<u32>, key: K, value: V) -> u32 {
        let slot = match known {
            Some(slot) => {
                self.unlink(slot);
                self.slots[slot as usize].value = value;
                slot
            }
            None => self.occupy(key, value),
        };
        self.turns = self.turns.wrapping_add(1);
        self.slots[slot as usize].turn = self.turns;
        slot
    }

    /// Takes out the entry of a key.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        if self.is_empty() {
            return None;
        }
        let slots = &self.slots;
        let found = self.index.find_entry(self.hasher.hash_one(key), |&slot| slots[slot as usize].key == *key);
        let (slot, _) = found.ok()?.remove();
        self.unlink(slot);
        self.free.push(slot);
        Some(self.slots[slot as usize].value)
    }

    /// The oldest entry.
    pub(crate) fn oldest(&self) -> Option<(K, V)> {
        self.slots.get(self.tail as usize).map(|slot| (slot.key, slot.value))
    }

    /// Takes out the oldest entry.
    pub(crate) fn remove_oldest(&mut self) -> Option<(K, V)> {
        let oldest = self.oldest()?;
        self.remove(&oldest.0);
        Some(oldest)
    }

    /// All entries, newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, V)> {
        self.newest_first().map(|slot| (self.slots[slot].key, self.slots[slot].value))
    }

    /// The slots of all entries, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = usize> {
        let mut next = self.head;
        std::iter::from_fn(move || {
            let slot = next as usize;
            next = self.slots.get(slot)?.older;
            Some(slot)
        })
    }

    /// All entries, oldest first.
    pub(crate) fn oldest_first(&self) -> impl Iterator<Item = (K, V)> {
        let mut next = self.tail;
        std::iter::from_fn(move || {
            let slot = self.slots.get(next as usize)?;
            next = slot.newer;
            Some((slot.key, slot.value))
        })
    }

    /// How many slots there are; some may be free.
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// The entry in a slot, if it is not free.
    pub(crate) fn at(&self, slot: usize) -> Option<(K, V)> {
        let Slot { key, value, .. } = self.slots.get(slot)?;
        (self.slot(key) == Some(slot)).then_some((*key, *value))
    }

    /// Key and value in a slot that is in use, and a number that is higher the later they were put in.
    pub(crate) fn entry(&self, slot: usize) -> (K, V, u32) {
        let Slot { key, value, turn, .. } = self.slots[slot];
        (key, value, turn)
    }

    /// Number of the slot that holds a key.
    pub(crate) fn slot(&self, key: &K) -> Option<usize> {
        self.find(key).map(|slot| slot as usize)
    }

    /// Number of the slot of the newest entry, if there is one.
    pub(crate) fn newest_slot(&self) -> usize {
        self.head as usize
    }

    fn find(&self, key: &K) -> Option<u32> {
        if self.is_empty() {
            return None;
        }
        self.index.find(self.hasher.hash_one(key), |&slot| self.slots[slot as usize].key == *key).copied()
    }

    /// Puts an entry into a free slot, not linked yet.
    fn occupy(&mut self, key: K, value: V) -> u32 {
        let empty = Slot { key, value, turn: 0, newer: NONE, older: NONE };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = empty;
                slot
            }
            None => {
                self.slots.push(empty);
                (self.slots.len() - 1) as u32
            }
        };
        let (slots, hasher) = (&self.slots, &self.hasher);
        let hash = |&slot: &u32| hasher.hash_one(slots[slot as usize].key);
        self.index.insert_unique(hash(&slot), slot, hash);
        slot
    }

    fn unlink(&mut self, slot: u32) {
        let Slot { newer, older, .. } = self.slots[slot as usize];
        self.join(newer, older);
    }

    fn link(&mut self, newer: u32, slot: u32, older: u32) {
        self.join(newer, slot);
        self.join(slot, older);
    }

    /// Makes two slots neighbours; `NONE` stands for the end of the chain on that side.
    fn join(&mut self, newer: u32, older: u32) {
        match newer {
            NONE => self.head = older,
            newer => self.slots[newer as usize].older = older,
        }
        match older {
            NONE => self.tail = newer,
            older => self.slots[older as usize].newer = newer,
        }
    }
}
