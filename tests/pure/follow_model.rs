//! A log that is written, rotated, copied and cut, and deleted in random order is followed as a model of it says: nothing is
//! lost but what was deleted unread, nothing comes twice, and the order stays. Here a log is cut at once when it was copied, so
//! that all its bytes are in the copies.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::follow::acts::{ACTS, Act, Random};
use super::follow::driver::{Driver, open_below};
use super::follow::stamp::wait_for_later_stamp;
use pop_before_smtp::matcher::LONGEST_LINE;
use pop_before_smtp::source::follow::{From, GRACE};

/// A file that has or had the log's name.
#[derive(Debug, Default)]
struct Generation {
    path: PathBuf,
    /// Whole lines that the follower has to hand on, in order: those in copies, and those in the file.
    copied: Vec<u64>,
    owed: Vec<u64>,
    /// Lines that were destroyed, and may or may not have been read.
    destroyed: Vec<u64>,
    /// Beginning of a line.
    half: Option<u64>,
    /// Whether the follower has looked while it had the name.
    seen: bool,
}

struct Model {
    directory: PathBuf,
    log: PathBuf,
    random: Random,
    generations: Vec<Generation>,
    /// What the writer writes to, and which generation that is.
    writer: (File, usize),
    named: bool,
    /// Whether the follower has been interrupted since its last turn.
    interrupted: bool,
    /// Since the last turn: the follower has a bounded number of files open.
    rotations: usize,
    /// Whether the name, a link, has got another target since the last turn.
    moved: bool,
    next: u64,
    /// Number of copies made.
    copies: u32,
    owner: BTreeMap<u64, usize>,
    driver: Driver,
    long: u64,
    history: Vec<Act>,
}

impl Model {
    fn new(directory: &Path, seed: u64) -> Self {
        let log = directory.join("log");
        let file = append(&log);
        Self {
            driver: Driver::start(&log, From::Start),
            directory: directory.to_owned(),
            random: Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            generations: vec![Generation { path: log.clone(), seen: true, ..Generation::default() }],
            log,
            writer: (file, 0),
            named: true,
            interrupted: false,
            rotations: 0,
            moved: false,
            next: 1,
            copies: 0,
            owner: BTreeMap::new(),
            long: 0,
            history: Vec::new(),
        }
    }

    fn current(&mut self) -> &mut Generation {
        &mut self.generations[self.writer.1]
    }

    /// The rest of a line, or a line: its number, and bytes that are neither text nor short.
    fn line(&mut self) -> Vec<u8> {
        let odd: [&[u8]; 4] = [b"", b"\0\0", b"\xff\xfe\x80", b"\r"];
        let odd = odd[self.random.below(4) as usize];
        let filler = vec![b'x'; 64 + self.random.below(300) as usize];
        [odd, &filler].concat()
    }

    fn write(&mut self) {
        let rest = self.line();
        let (number, start) = match self.current().half.take() {
            Some(number) => (number, String::new()),
            None => {
                self.next += 1;
                (self.next, format!("{} ", self.next))
            }
        };
        let text = [start.as_bytes(), &rest, b"\n"].concat();
        self.writer.0.write_all(&text).unwrap();
        self.owner.insert(number, self.writer.1);
        self.current().owed.push(number);
    }

    fn write_half(&mut self) {
        if self.current().half.is_none() {
            self.next += 1;
            // As long as two beginnings have to be to be told from each other.
            let text = format!("{} half {:64}", self.next, "");
            self.writer.0.write_all(text.as_bytes()).unwrap();
            self.current().half = Some(self.next);
        }
    }

    /// A line that does not count, but must not disturb either.
    fn write_long(&mut self) {
        if self.current().half.is_some() {
            self.write();
        }
        let length = [LONGEST_LINE + 1, 9 * 1024, 1024 * 1024][self.random.below(3) as usize];
        // No two alike, as no two lines of a log are: they have a time.
        self.long += 1;
        let words = format!("long {} ", self.long).into_bytes();
        let line: Vec<u8> = words.into_iter().cycle().take(length).chain([b'\n']).collect();
        self.writer.0.write_all(&line).unwrap();
    }

    fn archive(&self) -> PathBuf {
        self.directory.join(format!("log-{}", self.generations.len()))
    }

    fn reopen(&mut self) {
        if self.named {
            let last = self.generations.len() - 1;
            self.writer = (append(&self.log), last);
        }
    }

    /// The name gets a new file.
    fn create(&mut self) {
        // Through the link, if it is one.
        assert!(!self.log.exists());
        File::create(&self.log).unwrap();
        self.named = true;
        let path = fs::canonicalize(&self.log).unwrap();
        self.generations.push(Generation { path, ..Generation::default() });
        self.rotations += 1;
        if self.random.below(2) == 0 {
            self.reopen();
        }
    }

    /// A writer follows before the file it writes to is out of reach.
    fn before_change(&mut self) {
        self.reopen();
        // And nobody has seen the name that a link's new target has now.
        if self.rotations >= 5 || self.moved {
            self.turn();
        }
    }

    fn rotate(&mut self) -> usize {
        self.before_change();
        let (old, archive) = (self.generations.len() - 1, self.archive());
        fs::rename(&self.generations[old].path, &archive).unwrap();
        self.generations[old].path = archive;
        self.create();
        old
    }

    /// The file is gone. What nobody has seen of it is lost.
    fn remove(&mut self, generation: usize) {
        fs::remove_file(&self.generations[generation].path).unwrap();
        let gone = &mut self.generations[generation];
        if !gone.seen {
            gone.destroyed.append(&mut gone.owed);
        }
    }

    fn act(&mut self, act: Act) {
        self.history.push(act);
        match act {
            Act::Write => self.write(),
            Act::WriteMuch => (0..self.random.below(1500)).for_each(|_| self.write()),
            Act::WriteHalf => self.write_half(),
            Act::WriteLong => self.write_long(),
            Act::Rotate if self.named => drop(self.rotate()),
            Act::RotateAndCompress if self.named => {
                let old = self.rotate();
                self.reopen();
                let path = self.generations[old].path.clone();
                fs::copy(&path, path.with_extension("gz")).unwrap();
                self.remove(old);
            }
            Act::Reopen => self.reopen(),
            Act::CopyTruncate if self.named => {
                self.reopen();
                self.copies += 1;
                // Which was first is told by when they were written.
                wait_for_later_stamp(&self.directory);
                fs::copy(&self.log, self.log.with_extension(self.copies.to_string())).unwrap();
                wait_for_later_stamp(&self.directory);
                File::options().write(true).open(&self.log).unwrap().set_len(0).unwrap();
                let cut = self.current();
                cut.half = None;
                cut.copied.append(&mut cut.owed);
            }
            Act::Delete if self.named => {
                self.before_change();
                self.remove(self.generations.len() - 1);
                self.named = false;
                if !self.generations[self.writer.1].seen {
                    // Nobody can ever read what is written there.
                    self.create();
                    self.reopen();
                }
            }
            Act::Create if !self.named => self.create(),
            Act::MoveLink if self.named => {
                // Which file a link stood for is told by the names of its targets; else it can be seen only by looking.
                let is_link = self.log.is_symlink();
                if self.rotations > 0 || !is_link {
                    self.turn();
                }
                self.reopen();
                let target = self.directory.join(format!("target-{}", self.generations.len()));
                File::create_new(&target).unwrap();
                let link = self.directory.join("link");
                symlink(target.file_name().unwrap(), &link).unwrap();
                let archive = self.archive();
                if !is_link {
                    fs::rename(&self.log, &archive).unwrap();
                    self.generations.last_mut().unwrap().path = archive;
                }
                fs::rename(&link, &self.log).unwrap();
                self.generations.push(Generation { path: target, ..Generation::default() });
                self.moved = true;
                self.reopen();
                if !is_link {
                    self.turn();
                }
            }
            Act::Step => {
                self.interrupted = true;
                self.driver.step();
                self.look();
            }
            Act::Turn => self.turn(),
            Act::Recheck => {
                self.driver.recheck();
                self.turn();
            }
            Act::Wait => {
                self.turn();
                self.reopen();
                if self.named {
                    self.driver.pass(GRACE + Duration::from_secs(2));
                }
            }
            _ => {}
        }
    }

    fn look(&mut self) {
        self.generations.iter_mut().for_each(|generation| generation.seen = true);
    }

    /// The follower reads what there is, and that is compared with what it owes.
    fn turn(&mut self) {
        self.driver.turn();
        self.look();
        self.rotations = 0;
        self.moved = false;
        let read: Vec<u64> = self.driver.take().iter().map(|line| number(line)).collect();
        let mut order = read.clone();
        // If the follower was interrupted, an older file may have got a line after a newer one was read.
        order.sort_by_key(|line| self.owner.get(line));
        assert!(self.interrupted || order == read, "order of files in {read:?}");
        let mut read = order.into_iter().peekable();
        for generation in &mut self.generations {
            // What was destroyed may have been read before that, up to some line.
            for line in generation.destroyed.drain(..) {
                read.next_if_eq(&line);
            }
            for line in generation.copied.drain(..).chain(generation.owed.drain(..)) {
                assert_eq!(read.next(), Some(line), "of {} after {:?}", generation.path.display(), self.history);
            }
        }
        assert_eq!(read.next(), None, "after {:?}", self.history);
        self.interrupted = false;
    }
}

fn number(line: &str) -> u64 {
    let digits = line.split(' ').next().unwrap();
    digits.parse().unwrap_or_else(|_| panic!("no line of ours: {line:?}"))
}

fn append(path: &Path) -> File {
    File::options().append(true).create(true).open(path).unwrap()
}

#[track_caller]
fn run(directory: &Path, seed: u64, acts: usize) {
    let home = tempfile::tempdir_in(directory).unwrap();
    println!("seed {seed} in {}", directory.display());
    let mut model = Model::new(home.path(), seed);
    for _ in 0..acts {
        let act = ACTS[model.random.below(ACTS.len() as u64) as usize];
        model.act(act);
    }
    model.turn();
    model.reopen();
    if !model.named {
        model.create();
        model.reopen();
    }
    model.act(Act::Wait);
    let open = open_below(home.path());
    assert_eq!(open.len(), 2, "the follower's and the writer's: {open:?}");
    // A next run goes on where this one was.
    let position = model.driver.source.position().unwrap();
    model.write();
    model.driver = Driver::start(&model.log, From::At(position));
    model.turn();
}

#[test]
fn logs_are_followed_through_anything() {
    for seed in 1..=25 {
        run(&std::env::temp_dir(), seed, 200);
    }
}

/// A file system that gives the number of a deleted file to the next.
#[test]
fn logs_in_memory_are_followed_through_anything() {
    let memory = Path::new("/dev/shm");
    if !memory.is_dir() {
        eprintln!("SKIPPED logs_in_memory_are_followed_through_anything: there is no /dev/shm");
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "nothing may be skipped with CI=true");
        return;
    }
    for seed in 101..=115 {
        run(memory, seed, 200);
    }
}
