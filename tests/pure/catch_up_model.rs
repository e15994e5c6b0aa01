//! A log that is written and rotated in random order, while its reader is stopped and started in random order: each line is
//! handed on once, in its order, as long as its bytes exist.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use pop_before_smtp::source::backlog::{Backlog, Found, SavedMark, Window};
use pop_before_smtp::source::catch_up::CatchUp;
use pop_before_smtp::source::follow::{Follow, From, RECHECK};
use pop_before_smtp::source::lines::Block;
use pop_before_smtp::source::saved_position::{FileMark, SavedPosition};
use pop_before_smtp::source::{Age, Origin, Sink, Source};
use pop_before_smtp::time::Timestamp;
use pop_before_smtp::wait::readable_now;
use proptest::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Write,
    WriteMuch,
    WriteHalf,
    /// Rename and create; the writer goes on with the old file until it reopens the log.
    Rename,
    /// The same under a name with a date, or in front of the ending.
    RenameByDate,
    Reopen,
    CopyTruncate,
    /// Old files that have been read are deleted, and their numbers are free.
    Clean,
    /// The reader is stopped in the middle of what it has to read, or at its end, and started.
    StopEarly,
    Stop,
    Start,
    Read,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    use Act::*;
    let act = prop::sample::select(vec![
        Write,
        Write,
        Write,
        Write,
        WriteMuch,
        WriteHalf,
        WriteHalf,
        Rename,
        RenameByDate,
        Reopen,
        Reopen,
        CopyTruncate,
        Clean,
        StopEarly,
        Stop,
        Start,
        Start,
        Read,
    ]);
    prop::collection::vec(act, 1..60)
}

struct Model {
    directory: PathBuf,
    log: PathBuf,
    writer: File,
    /// Whether the writer has the log open under an older name.
    late: bool,
    half: bool,
    written: u64,
    read: Vec<u64>,
    rotations: u32,
    source: Option<CatchUp>,
    mark: Option<FileMark>,
    clock: u64,
}

impl Model {
    fn new(directory: &Path) -> Self {
        let log = directory.join("mail.log");
        let writer = append(&log);
        let mut model = Self {
            directory: directory.to_owned(),
            log,
            writer,
            late: false,
            half: false,
            written: 0,
            read: Vec::new(),
            rotations: 0,
            source: None,
            mark: None,
            clock: 1000,
        };
        model.start();
        model
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Write => self.write(1),
            Act::WriteMuch => self.write(1500),
            Act::WriteHalf => self.write_half(),
            Act::Rename => self.rename(|number| format!("mail.log.{number}")),
            Act::RenameByDate => self.rename(|number| format!("mail-2026{number:04}.log")),
            Act::Reopen => self.reopen(),
            Act::CopyTruncate => self.copy_truncate(),
            Act::Clean => self.clean(),
            Act::StopEarly => self.stop(1),
            Act::Stop => self.stop(usize::MAX),
            Act::Start => self.start(),
            Act::Read => self.read(usize::MAX),
        }
    }

    fn write(&mut self, lines: u64) {
        self.finish_half();
        let line = |number| format!("{} mail postfix/qmgr[815]: {number} was removed\n", stamp());
        let text: String = (self.written..self.written + lines).map(line).collect();
        self.writer.write_all(text.as_bytes()).unwrap();
        self.written += lines;
    }

    fn write_half(&mut self) {
        self.finish_half();
        write!(self.writer, "{} mail postfix/qmgr[815]: {}", stamp(), self.written).unwrap();
        self.half = true;
    }

    fn finish_half(&mut self) {
        if std::mem::take(&mut self.half) {
            self.writer.write_all(b" was removed\n").unwrap();
            self.written += 1;
        }
    }

    fn rename(&mut self, name: impl Fn(u32) -> String) {
        self.reopen();
        if fs::metadata(&self.log).unwrap().len() == 0 {
            // Else its time is older than that of the file before, whose writer was late.
            self.write(1);
        }
        self.let_time_pass();
        self.rotations += 1;
        fs::rename(&self.log, self.directory.join(name(100 + self.rotations))).unwrap();
        File::create_new(&self.log).unwrap();
        self.late = true;
    }

    fn reopen(&mut self) {
        self.finish_half();
        self.writer = append(&self.log);
        if std::mem::take(&mut self.late) {
            self.let_time_pass();
        }
    }

    fn copy_truncate(&mut self) {
        self.reopen();
        // What is unread when it is cut is lost to whoever reads the file at that time.
        self.read(usize::MAX);
        self.let_time_pass();
        self.rotations += 1;
        fs::copy(&self.log, self.directory.join(format!("mail.log.{}", 100 + self.rotations))).unwrap();
        self.writer.set_len(0).unwrap();
        self.let_time_pass();
    }

    /// Files are in the order of their times, which move on in ticks of some milliseconds.
    fn let_time_pass(&self) {
        let probe = self.directory.join("probe");
        let last =
            fs::read_dir(&self.directory).unwrap().map(|entry| entry.unwrap().metadata().unwrap().modified().unwrap());
        let last = last.max().unwrap();
        while fs::write(&probe, "").is_ok() && fs::metadata(&probe).unwrap().modified().unwrap() <= last {}
        fs::remove_file(&probe).unwrap();
    }

    fn clean(&mut self) {
        if self.source.is_none() || self.late {
            return;
        }
        self.read(usize::MAX);
        for entry in fs::read_dir(&self.directory).unwrap().map(Result::unwrap) {
            if entry.path() != self.log {
                fs::remove_file(entry.path()).unwrap();
            }
        }
    }

    fn start(&mut self) {
        if self.source.is_some() {
            return;
        }
        let is_fresh = self.written.is_multiple_of(2);
        let saved = self.mark.as_ref().map(|mark| SavedMark { mark, is_fresh });
        let window = Window::new(SystemTime::now(), Duration::from_secs(1800), TimeZone::UTC);
        let Found { backlog, live, before } = Backlog::find(&self.log, saved, &window).unwrap();
        let mut follow = Follow::start(self.log.clone(), From::At(live), true, self.now()).unwrap();
        assert_eq!(follow.position(), Some(live));
        assert!(follow.follow_before(&before, self.now()));
        self.source = Some(CatchUp::new("mail.log".to_owned(), backlog, Box::new(follow)));
    }

    fn stop(&mut self, reads: usize) {
        self.read(reads);
        // As long as it catches up it does not say where it is, nor at the start of a file; it is stopped a little later.
        while self.source.as_ref().is_some_and(|source| source.saved_position().is_none()) {
            if self.source.as_ref().is_some_and(|source| !source.has_more()) {
                self.write(1);
            }
            self.read(1);
        }
        if let Some(source) = self.source.take() {
            let Some(SavedPosition::File(mark)) = source.saved_position() else { panic!("no place in a file") };
            self.mark = Some(mark);
        }
    }

    fn read(&mut self, most: usize) {
        let now = self.now();
        let Self { source: Some(source), read, .. } = self else { return };
        source.wake(now, Duration::ZERO);
        let mut take = |origin: Origin, block: Block<'_>| {
            let block = block.lines();
            assert!(block.ends_with(b"\n"));
            if origin.age != Age::Counted {
                read.extend(block.split_inclusive(|byte| *byte == b'\n').map(number));
            }
        };
        for _ in 0..most {
            if !source.has_more() && !source.descriptor().is_some_and(readable_now) {
                break;
            }
            source.read(now, &mut take as &mut Sink<'_>);
        }
    }

    fn now(&mut self) -> Timestamp {
        self.clock += RECHECK.as_secs();
        Timestamp::from_boot(Duration::from_secs(self.clock))
    }

    /// Everything has been read once.
    fn check(&mut self) {
        self.start();
        self.finish_half();
        self.read(usize::MAX);
        let all: Vec<u64> = (0..self.written).collect();
        let wrong = self.read.iter().zip(&all).position(|(read, line)| read != line);
        assert_eq!(
            (self.read.len(), wrong),
            (all.len(), None),
            "{:?}",
            wrong.map(|at| self.read[at.saturating_sub(2)..].iter().take(6).collect::<Vec<_>>())
        );
    }
}

fn stamp() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn number(line: &[u8]) -> u64 {
    let line = std::str::from_utf8(line).unwrap();
    let number = line.strip_suffix(" was removed\n").and_then(|line| line.rsplit(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no line of ours: {line:?}"))
}

fn append(path: &Path) -> File {
    File::options().append(true).create(true).open(path).unwrap()
}

fn run(directory: &Path, acts: &[Act]) {
    let home = tempfile::tempdir_in(directory).unwrap();
    let mut model = Model::new(home.path());
    for act in acts {
        model.act(*act);
    }
    model.check();
}

/// More files than can be open at a time, of which the first got a line that nobody has read.
#[test]
fn a_file_is_read_before_it_makes_room() {
    let acts = [&[Act::Read] as &[_], &[Act::Rename; 9]].concat();
    run(&std::env::temp_dir(), &acts);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_line_is_handed_on_once(acts in acts()) {
        run(&std::env::temp_dir(), &acts);
    }

    /// A file system that may give the number of a deleted file to the next.
    #[test]
    fn each_line_is_handed_on_once_from_memory(acts in acts()) {
        let memory = Path::new("/dev/shm");
        run(if memory.is_dir() { memory } else { Path::new("/tmp") }, &acts);
    }
}
