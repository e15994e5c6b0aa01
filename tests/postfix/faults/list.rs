//! The faults: how each begins and ends, and what it may cost on which backend.

use std::fs::{self, OpenOptions};

use super::holder::Holder;
use super::scene::Scene;
use crate::support::cases::{Case, LMDB, LMDB_IN_PLACE, POSTMAP_HASH, POSTMAP_LMDB, SQLITE};

/// What the daemon runs in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Plain,
    /// The table is alone on a disk of 4 MiB.
    SmallDisk,
    /// As nobody, who owns the directory: root may write where nobody may.
    Unprivileged,
    /// With a /usr/sbin of its own.
    OwnPrograms,
}

/// What becomes of a publish during the fault, and the messages that go with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// It works.
    Unnoticed,
    /// It puts an end to the fault.
    Mended,
    /// It fails until the cause is gone.
    Repaired,
}

impl Course {
    pub(crate) fn messages(self) -> &'static str {
        match self {
            Self::Unnoticed => "none",
            Self::Mended => "a warning",
            Self::Repaired => "an error, then \"published again\"",
        }
    }
}

pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) stage: Stage,
    cases: &'static [&'static Case],
    pub(crate) course: fn(&Case) -> Course,
    /// What the error says, where a publish fails; one of these.
    pub(crate) says: &'static [&'static str],
    /// How many clients log in during the fault.
    pub(crate) newcomers: u32,
    /// Whether the fault itself leaves readers without a table, so that the daemon can only end that.
    pub(crate) takes_the_table: bool,
    pub(crate) strike: fn(&Scene),
    /// What an operator would do, if it takes one.
    pub(crate) heal: fn(&Scene),
}

impl Fault {
    pub(crate) fn cases(&self) -> impl Iterator<Item = &'static Case> {
        self.cases.iter().copied()
    }
}

const EVERY: &[&Case] = &[&POSTMAP_HASH, &POSTMAP_LMDB, &LMDB, &LMDB_IN_PLACE, &SQLITE];
const POSTMAP: &[&Case] = &[&POSTMAP_HASH, &POSTMAP_LMDB];

fn is(case: &Case, one: &Case) -> bool {
    case.name == one.name
}

/// SQLite's file is never replaced, so the operator decides what becomes of a strange one.
fn mended_except_sqlite(case: &Case) -> Course {
    if is(case, &SQLITE) { Course::Repaired } else { Course::Mended }
}

/// Does what the daemon's message asks for.
fn move_away(scene: &Scene) {
    if is(scene.site.case, &SQLITE) {
        scene.table_files().iter().for_each(|file| fs::remove_file(file).unwrap());
    }
}

fn truncate(scene: &Scene, length: impl FnOnce(u64) -> u64) {
    let file = OpenOptions::new().write(true).open(scene.table()).unwrap();
    file.set_len(length(file.metadata().unwrap().len())).unwrap();
}

fn garbage() -> Vec<u8> {
    b"garbage\n".repeat(4096)
}

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "disk full",
        stage: Stage::SmallDisk,
        cases: EVERY,
        course: |_| Course::Repaired,
        says: &["; free some space"],
        // More than fit into what a file has free.
        newcomers: 3000,
        takes_the_table: false,
        strike: Scene::fill_disk,
        heal: |scene| fs::remove_file(scene.ballast()).unwrap(),
    },
    Fault {
        name: "directory read-only",
        stage: Stage::Unprivileged,
        cases: EVERY,
        course: |case| if is(case, &SQLITE) || is(case, &LMDB_IN_PLACE) { Course::Unnoticed } else { Course::Repaired },
        says: &["ermission denied"],
        newcomers: 2,
        takes_the_table: false,
        strike: |scene| scene.set_mode(0o555),
        heal: |scene| scene.set_mode(0o755),
    },
    Fault {
        name: "table deleted",
        stage: Stage::Plain,
        cases: EVERY,
        course: |_| Course::Mended,
        says: &[],
        newcomers: 2,
        takes_the_table: true,
        strike: |scene| fs::remove_file(scene.table()).unwrap(),
        heal: |_| (),
    },
    Fault {
        name: "table truncated to nothing",
        stage: Stage::Plain,
        cases: EVERY,
        course: |_| Course::Mended,
        says: &[],
        newcomers: 2,
        takes_the_table: true,
        strike: |scene| truncate(scene, |_| 0),
        heal: |_| (),
    },
    Fault {
        name: "table truncated to half",
        stage: Stage::Plain,
        cases: EVERY,
        course: mended_except_sqlite,
        says: &[".sqlite-shm away"],
        newcomers: 2,
        takes_the_table: true,
        strike: |scene| {
            // Else a small table is in SQLite's log alone, and lives on.
            if is(scene.site.case, &SQLITE) {
                Holder::checkpoint(&scene.table());
            }
            truncate(scene, |length| length / 2);
        },
        heal: move_away,
    },
    Fault {
        name: "garbage written into the table",
        stage: Stage::Plain,
        cases: EVERY,
        course: mended_except_sqlite,
        says: &["it is no SQLite database; move "],
        newcomers: 2,
        takes_the_table: true,
        strike: |scene| fs::write(scene.table(), garbage()).unwrap(),
        heal: move_away,
    },
    Fault {
        name: "table replaced by garbage",
        stage: Stage::Plain,
        cases: EVERY,
        course: mended_except_sqlite,
        says: &["it is no SQLite database; move "],
        newcomers: 2,
        takes_the_table: true,
        strike: |scene| {
            let other = scene.site.join("garbage");
            fs::write(&other, garbage()).unwrap();
            fs::rename(other, scene.table()).unwrap();
        },
        heal: move_away,
    },
    Fault {
        name: "table replaced by a directory",
        stage: Stage::Plain,
        cases: EVERY,
        course: |_| Course::Repaired,
        says: &["is a directory; move ", "it is no regular file; move "],
        newcomers: 2,
        takes_the_table: true,
        strike: |scene| {
            fs::remove_file(scene.table()).unwrap();
            fs::create_dir(scene.table()).unwrap();
        },
        heal: |scene| fs::remove_dir(scene.table()).unwrap(),
    },
    Fault {
        name: "reader stopped during a lookup",
        stage: Stage::Plain,
        cases: EVERY,
        course: |case| if is(case, &LMDB_IN_PLACE) { Course::Repaired } else { Course::Unnoticed },
        says: &["another process has kept it locked for 2 s; find it with lslocks"],
        newcomers: 2,
        takes_the_table: false,
        strike: |scene| *scene.holder.lock().unwrap() = Some(Holder::reader(&scene.table()).stop()),
        heal: |scene| drop(scene.holder.lock().unwrap().take()),
    },
    Fault {
        name: "table locked by another writer",
        stage: Stage::Plain,
        cases: &[&SQLITE],
        course: |_| Course::Repaired,
        says: &["database is locked; find the program that holds a lock on it"],
        newcomers: 2,
        takes_the_table: false,
        strike: |scene| *scene.holder.lock().unwrap() = Some(Holder::writer(&scene.table())),
        heal: |scene| drop(scene.holder.lock().unwrap().take()),
    },
    Fault {
        name: "postmap fails",
        stage: Stage::OwnPrograms,
        cases: POSTMAP,
        course: |_| Course::Repaired,
        says: &["postmap: fatal: no luck"],
        newcomers: 2,
        takes_the_table: false,
        strike: |scene| scene.set_postmap("echo 'postmap: fatal: no luck' >&2; exit 1"),
        heal: Scene::restore_postmap,
    },
    Fault {
        name: "postmap is missing",
        stage: Stage::OwnPrograms,
        cases: POSTMAP,
        course: |_| Course::Repaired,
        says: &["postmap: no such file or directory"],
        newcomers: 2,
        takes_the_table: false,
        strike: |scene| fs::remove_file(scene.programs.join("postmap")).unwrap(),
        heal: Scene::restore_postmap,
    },
    Fault {
        name: "postmap is being written by an upgrade",
        stage: Stage::OwnPrograms,
        cases: POSTMAP,
        course: |_| Course::Repaired,
        says: &["postmap: text file busy"],
        newcomers: 2,
        takes_the_table: false,
        strike: Scene::begin_upgrade,
        heal: Scene::end_upgrade,
    },
    Fault {
        name: "postmap is replaced by an upgrade",
        stage: Stage::OwnPrograms,
        cases: POSTMAP,
        course: |_| Course::Unnoticed,
        says: &[],
        newcomers: 2,
        takes_the_table: false,
        strike: Scene::restore_postmap,
        heal: |_| (),
    },
    Fault {
        name: "postmap hangs",
        stage: Stage::OwnPrograms,
        cases: POSTMAP,
        course: |_| Course::Repaired,
        says: &["postmap: did not finish within 10 s and was killed"],
        newcomers: 2,
        takes_the_table: false,
        strike: |scene| scene.set_postmap("sleep 600"),
        heal: Scene::restore_postmap,
    },
];
