//! A table that never grows beyond its limit: what was used longest ago is forgotten, and counted. Pure.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use crate::ordered_map::OrderedMap;

/// For keys that are hashes already.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Hashed(u64);

impl BuildHasher for Hashed {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Values by key, at most so many.
#[derive(Debug)]
pub(crate) struct Bounded<K, T, S = RandomState> {
    order: OrderedMap<K, (), S>,
    /// By the slots of `order`.
    values: Vec<T>,
    most: usize,
    forgotten: u64,
}

impl<K: Copy + Eq + Hash, T: Default, S: BuildHasher + Default> Bounded<K, T, S> {
    pub(crate) fn new(most: usize) -> Self {
        Self { order: OrderedMap::default(), values: Vec::new(), most, forgotten: 0 }
    }

    /// The value of a key, which now was used last; a new one if there is none.
    pub(crate) fn entry(&mut self, key: K) -> &mut T {
        if self.order.len() >= self.most && self.order.slot(&key).is_none() {
            self.order.remove_oldest();
            self.forgotten += 1;
        }
        let known = self.order.len();
        self.order.put(key, ());
        let slot = self.order.newest_slot();
        if slot >= self.values.len() {
            self.values.resize_with(slot + 1, T::default);
        } else if self.order.len() > known {
            self.values[slot] = T::default();
        }
        &mut self.values[slot]
    }

    pub(crate) fn get(&self, key: &K) -> Option<&T> {
        self.order.slot(key).and_then(|slot| self.values.get(slot))
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut T> {
        self.order.slot(key).and_then(|slot| self.values.get_mut(slot))
    }

    pub(crate) fn remove(&mut self, key: &K) {
        self.order.remove(key);
    }

    /// All entries, the one used last first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &T)> {
        self.order.iter().filter_map(|(key, ())| Some((key, self.get(&key)?)))
    }

    /// How many have been forgotten for want of room.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_is_forgotten() {
        let mut table = Bounded::<u32, u32>::new(2);
        *table.entry(1) += 1;
        *table.entry(2) += 2;
        *table.entry(1) += 1;
        *table.entry(3) += 3;
        assert_eq!(table.iter().map(|(key, value)| (key, *value)).collect::<Vec<_>>(), [(3, 3), (1, 2)]);
        assert_eq!((table.get(&2), table.forgotten()), (None, 1));
        table.remove(&1);
        assert_eq!(*table.entry(4), 0);
        assert_eq!(table.forgotten(), 1);
    }
}
