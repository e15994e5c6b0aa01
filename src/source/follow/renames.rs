//! Where files have gone that had the log's name for so short a time that nobody looked. Pure: what inotify tells comes
//! in, names come out.

use std::path::{Path, PathBuf};

/// Most names kept. A log is not rotated as often between two looks.
const MOST: usize = 16;

/// What has happened to a name in a watched directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happened {
    /// Its file is about to get another name. The number joins the two halves.
    MovedFrom(u32),
    /// It has got a file that had another name.
    MovedTo(u32),
    /// It is gone.
    Deleted,
}

/// The present names of files that had the log's name.
#[derive(Debug, Default)]
pub(super) struct Renames {
    moving: Vec<u32>,
    found: Vec<PathBuf>,
}

impl Renames {
    /// Takes in what has happened to `name`, while the log is called `log`.
    pub(super) fn add(&mut self, log: &Path, name: PathBuf, happened: Happened) {
        let known = self.found.iter().position(|found| *found == name);
        // Whatever happens to a name, it stands for that file no more.
        known.map(|at| self.found.remove(at));
        match happened {
            Happened::MovedFrom(number) if name == log || known.is_some() => {
                self.moving.truncate(MOST - 1);
                self.moving.insert(0, number);
            }
            Happened::MovedTo(number) if name != log && self.moving.contains(&number) => {
                self.moving.retain(|moving| *moving != number);
                if self.found.len() < MOST {
                    self.found.push(name);
                }
            }
            _ => {}
        }
    }

    /// The name of the file that was the log first, of those found so far.
    pub(super) fn first(&self) -> Option<&PathBuf> {
        self.found.first()
    }

    /// Takes that name.
    pub(super) fn take_first(&mut self) -> Option<PathBuf> {
        if self.found.is_empty() { None } else { Some(self.found.remove(0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Happened::{Deleted, MovedFrom, MovedTo};

    fn after(events: &[(&str, Happened)]) -> Vec<PathBuf> {
        let mut renames = Renames::default();
        for (name, happened) in events {
            renames.add(Path::new("/log"), PathBuf::from(name), *happened);
        }
        std::iter::from_fn(|| renames.take_first()).collect()
    }

    #[test]
    fn files_are_found_under_their_last_names() {
        let first = [("/log", MovedFrom(1)), ("/log.1", MovedTo(1))];
        let shifted =
            [("/log.1", MovedFrom(2)), ("/log.2", MovedTo(2)), ("/log", MovedFrom(3)), ("/log.1", MovedTo(3))];
        assert_eq!(after(&first), [Path::new("/log.1")]);
        assert_eq!(after(&[&first[..], &shifted].concat()), [Path::new("/log.2"), Path::new("/log.1")]);
        assert_eq!(after(&[&first[..], &shifted, &[("/log.2", Deleted)]].concat()), [Path::new("/log.1")]);
    }

    #[test]
    fn other_files_are_not_found() {
        assert!(after(&[("/other", MovedFrom(1)), ("/other.1", MovedTo(1))]).is_empty());
        assert!(after(&[("/log", MovedFrom(1)), ("/new", MovedTo(2))]).is_empty(), "gone to another directory");
        assert!(
            after(&[("/log", MovedFrom(1)), ("/a", MovedTo(1)), ("/a", MovedFrom(2)), ("/log", MovedTo(2))]).is_empty()
        );
        // An older file has taken the name.
        let replaced = [("/log", MovedFrom(1)), ("/a", MovedTo(1)), ("/b", MovedFrom(2)), ("/a", MovedTo(2))];
        assert!(after(&replaced).is_empty());
    }
}
