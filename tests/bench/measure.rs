//! Runs a command on one core and takes its time and peak memory.
//!
//! Every run is the only child of a fresh process of this program, so that the kernel's account of children holds that
//! run alone.

// Each benchmark uses a part of this.
#![allow(dead_code)]

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::Pid;

/// First argument of the process that runs one command: core, `null` or `show`, input, command.
pub(crate) const ARGUMENT: &str = "--measure";

/// What a run took: seconds of CPU time and by the clock, most KiB resident.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) cpu: f64,
    pub(crate) clock: f64,
    pub(crate) peak: i64,
}

impl Cost {
    pub(crate) fn median(costs: Vec<Self>) -> Self {
        let middle = |of: fn(&Self) -> f64| {
            let mut values: Vec<f64> = costs.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let peak = costs.iter().map(|cost| cost.peak).max().unwrap_or(0);
        Self { cpu: middle(|cost| cost.cpu), clock: middle(|cost| cost.clock), peak }
    }
}

/// A command to run over and over.
pub(crate) struct Run {
    pub(crate) name: String,
    program: Option<PathBuf>,
    arguments: Vec<OsString>,
    input: PathBuf,
    silent: bool,
    quiet: bool,
}

impl Run {
    pub(crate) fn new(name: impl Into<String>, program: impl AsRef<Path>) -> Self {
        let program = find(program.as_ref());
        Self {
            name: name.into(),
            program,
            arguments: Vec::new(),
            input: "/dev/null".into(),
            silent: false,
            quiet: false,
        }
    }

    pub(crate) fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub(crate) fn arguments(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Standard input; nothing else.
    pub(crate) fn input(mut self, input: &Path) -> Self {
        self.input = input.to_owned();
        self
    }

    /// Prints no number, so its output is not kept.
    pub(crate) fn silent(mut self) -> Self {
        self.silent = true;
        self
    }

    /// Tells nothing on standard error that is worth reading.
    pub(crate) fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    pub(crate) fn is_installed(&self) -> bool {
        self.program.is_some()
    }

    /// What the command prints, on one line.
    pub(crate) fn output(&self, core: usize) -> String {
        let text = self.run(core, if self.silent { "null" } else { "show" });
        let (text, _) = text.rsplit_once("cost ").expect("a line with the cost");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn cost(&self, core: usize) -> Cost {
        let text = self.run(core, "null");
        let mut numbers = text.trim().split(' ').skip(1).map(|number| number.parse::<f64>().expect("a number"));
        let mut next = || numbers.next().expect("three numbers");
        Cost { cpu: next(), clock: next(), peak: next() as i64 }
    }

    fn run(&self, core: usize, output: &str) -> String {
        let this = std::env::current_exe().expect("the name of this program");
        let mut command = Command::new(this);
        command.arg(ARGUMENT).arg(core.to_string()).arg(output).arg(&self.input);
        command.args(&self.program).args(&self.arguments);
        let finished = command
            .stderr(if self.quiet { Stdio::null() } else { Stdio::inherit() })
            .output()
            .expect("this program can be started");
        assert!(finished.status.success(), "{}: {}", self.name, finished.status);
        String::from_utf8_lossy(&finished.stdout).into_owned()
    }
}

/// Runs the command that the arguments name and prints what it took.
pub(crate) fn child(mut arguments: impl Iterator<Item = String>) {
    let mut next = || arguments.next().expect("core, output, input, program");
    let core = next().parse().expect("the number of a core");
    let (output, input, program) = (next(), next(), next());
    let mut cores = CpuSet::new();
    cores.set(core).expect("a core");
    sched_setaffinity(Pid::from_raw(0), &cores).expect("a core that this process may use");
    let mut command = Command::new(program);
    command.args(arguments).stdin(File::open(input).expect("the input"));
    command.stdout(if output == "null" { Stdio::null() } else { Stdio::piped() });
    let begin = Instant::now();
    let mut running = command.spawn().expect("the program can be started");
    let mut text = String::new();
    if let Some(mut stdout) = running.stdout.take() {
        stdout.read_to_string(&mut text).expect("its output is text");
    }
    let status = running.wait().expect("it can be waited for");
    let clock = begin.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the account of children");
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    assert!(status.code().is_some_and(|code| code <= 1), "ended with {status}");
    print!("{text}cost {} {clock} {}", seconds(usage.user_time()) + seconds(usage.system_time()), usage.max_rss());
}

/// The program on the path, or where Debian keeps the helpers of sshguard.
fn find(program: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(["/usr/libexec/sshguard".into(), "/usr/lib/sshguard".into()]);
    directories.map(|directory| directory.join(program)).find(|file| file.is_file())
}
