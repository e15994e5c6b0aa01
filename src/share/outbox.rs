//! The grants that are to go to the other hosts: of each user of an address the newest, at most once per tenth of the
//! grace, and no more than a bound. Pure.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use crate::grants::taken::Given;
use crate::time::Timestamp;

type Key = (IpAddr, Vec<u8>);

/// What waits, and when each was last sent.
#[derive(Debug)]
pub(super) struct Outbox {
    /// How many wait at most.
    most: usize,
    pause: Duration,
    waiting: HashMap<Key, (Timestamp, Given)>,
    /// When each may go; the keys of those that wait.
    due: BTreeSet<(Timestamp, Key)>,
    /// When those were sent that may not go again yet, and the same in order.
    sent: HashMap<Key, Timestamp>,
    sent_order: BTreeSet<(Timestamp, Key)>,
    /// How many had no room.
    lost: u64,
}

impl Outbox {
    pub(super) fn new(most: usize, grace: Duration) -> Self {
        Self {
            most,
            pause: grace / 10,
            waiting: HashMap::new(),
            due: BTreeSet::new(),
            sent: HashMap::new(),
            sent_order: BTreeSet::new(),
            lost: 0,
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// How many had no room so far.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// Lets a grant wait; in place of an older one of the same user and address.
    pub(super) fn put(&mut self, now: Timestamp, given: Given) {
        let key = (given.address, given.user.clone());
        self.forget_sent(now);
        let due = self.sent.get(&key).filter(|_| !given.is_new).map_or(now, |sent| *sent + self.pause);
        self.wait(key, due, given);
    }

    /// Nobody knows any more what was sent.
    pub(super) fn begin_again(&mut self, now: Timestamp) {
        self.sent.clear();
        self.sent_order.clear();
        self.due = self.waiting.keys().map(|key| (now, key.clone())).collect();
        self.waiting.values_mut().for_each(|(due, _)| *due = now);
    }

    /// Takes up to `most` of those that may go now; all of them may with `at_once`.
    pub(super) fn take(&mut self, now: Timestamp, most: usize, at_once: bool) -> Vec<Given> {
        let mut taken = Vec::new();
        while let Some((due, key)) = self.due.pop_first() {
            if taken.len() >= most || (due > now && !at_once) {
                self.due.insert((due, key));
                break;
            }
            if let Some((_, given)) = self.waiting.remove(&key).filter(|(_, given)| given.expires > now) {
                taken.push(given);
            }
        }
        taken
    }

    /// Those have arrived.
    pub(super) fn sent(&mut self, now: Timestamp, batch: &[Given]) {
        for given in batch {
            let key = (given.address, given.user.clone());
            if let Some(before) = self.sent.insert(key.clone(), now) {
                self.sent_order.remove(&(before, key.clone()));
            }
            // What has come meanwhile has to wait.
            if let Some((due, _)) = self.waiting.get_mut(&key).filter(|(_, later)| !later.is_new) {
                let later = now + self.pause;
                self.due.remove(&(std::mem::replace(due, later), key.clone()));
                self.due.insert((later, key.clone()));
            }
            self.sent_order.insert((now, key));
        }
        self.forget_sent(now);
    }

    /// Those have not. What has come meanwhile is newer.
    pub(super) fn put_back(&mut self, now: Timestamp, batch: Vec<Given>) {
        for given in batch {
            let key = (given.address, given.user.clone());
            if !self.waiting.contains_key(&key) {
                self.wait(key, now, given);
            }
        }
    }

    /// When the next may go.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    fn wait(&mut self, key: Key, due: Timestamp, given: Given) {
        let is_full = self.waiting.len() >= self.most;
        match self.waiting.get_mut(&key) {
            Some((known_due, known)) => {
                if *known_due > due {
                    self.due.remove(&(std::mem::replace(known_due, due), key.clone()));
                    self.due.insert((due, key));
                }
                if known.expires <= given.expires {
                    *known = given;
                }
            }
            None if is_full => self.lost += 1,
            None => {
                self.due.insert((due, key.clone()));
                self.waiting.insert(key, (due, given));
            }
        }
    }

    fn forget_sent(&mut self, now: Timestamp) {
        while self.sent_order.first().is_some_and(|(sent, _)| now.since(*sent) >= self.pause) {
            if let Some((_, key)) = self.sent_order.pop_first() {
                self.sent.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Timestamp {
        Timestamp::from_boot(Duration::from_secs(second))
    }

    fn given(last: u8, user: &str, expires: u64) -> Given {
        let (matcher, log) = ("dovecot".to_owned(), "log".to_owned());
        Given {
            address: [192, 0, 2, last].into(),
            expires: at(expires),
            is_new: false,
            user: user.into(),
            matcher,
            log,
            offset: None,
        }
    }

    #[test]
    fn an_extended_grant_goes_once_per_tenth_of_the_grace_with_its_newest_end() {
        let mut outbox = Outbox::new(10, Duration::from_secs(100));
        outbox.put(at(0), given(1, "a", 100));
        let batch = outbox.take(at(0), 10, false);
        assert_eq!(batch, [given(1, "a", 100)]);
        outbox.sent(at(0), &batch);
        for second in 1..10 {
            outbox.put(at(second), given(1, "a", 100 + second));
            assert_eq!((outbox.take(at(second), 10, false), outbox.len()), (vec![], 1));
        }
        assert_eq!(outbox.deadline(), Some(at(10)));
        outbox.put(at(5), given(1, "b", 105));
        assert_eq!(outbox.take(at(5), 10, false), [given(1, "b", 105)], "another user is news");
        assert_eq!(outbox.take(at(10), 10, false), [given(1, "a", 109)]);
    }

    #[test]
    fn what_was_not_sent_waits_with_its_end_and_the_newest_counts() {
        let mut outbox = Outbox::new(2, Duration::from_secs(100));
        (1..=3).for_each(|last| outbox.put(at(0), given(last, "a", 100)));
        assert_eq!((outbox.len(), outbox.lost()), (2, 1));
        let batch = outbox.take(at(0), 10, false);
        outbox.put(at(1), given(1, "a", 101));
        outbox.put_back(at(1), batch);
        assert_eq!(outbox.len(), 2);
        assert_eq!(outbox.take(at(100), 10, false), [given(1, "a", 101)], "the other has ended");
        assert_eq!((outbox.len(), outbox.deadline()), (0, None));
    }

    #[test]
    fn what_comes_while_a_batch_is_on_its_way_waits() {
        let mut outbox = Outbox::new(10, Duration::from_secs(100));
        outbox.put(at(0), given(1, "a", 100));
        let batch = outbox.take(at(0), 10, false);
        outbox.put(at(1), given(1, "a", 101));
        outbox.sent(at(2), &batch);
        assert_eq!(outbox.deadline(), Some(at(12)));
        assert_eq!(outbox.take(at(3), 10, true), [given(1, "a", 101)], "at the end it cannot wait");
    }
}
