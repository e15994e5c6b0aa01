//! One fault on one backend, from the start of the daemon to its end.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::holder::Holder;
use super::list::{Course, Fault, Stage};
use super::probe::{Clients, Probes, Seen, View, look};
use crate::support::cases::{Case, Site, append_raw, login_line};
use crate::support::daemon::Daemon;
use crate::support::postfix::Postfix;
use crate::support::smtp::Session;
use crate::support::{SOON, eventually, process, wait_for};

/// A daemon, and what a fault may touch.
pub(crate) struct Scene {
    /// Before the site, whose directory must not be busy when it is removed.
    disk: Option<Disk>,
    pub(crate) site: Site,
    /// What the daemon takes for /usr/sbin, if that is not the real one.
    pub(crate) programs: PathBuf,
    pub(crate) holder: Mutex<Option<Holder>>,
    /// postmap, open for writing.
    upgrade: Mutex<Option<File>>,
}

impl Scene {
    fn new(fault: &Fault, case: &'static Case) -> Option<Self> {
        let site = Site::new(case)?;
        let programs = site.join("programs");
        let mut scene = Self { disk: None, site, programs, holder: Mutex::new(None), upgrade: Mutex::new(None) };
        match fault.stage {
            Stage::Plain => {}
            Stage::SmallDisk => scene.disk = Some(Disk::mount(&scene.site.map_dir())),
            Stage::Unprivileged => chown(scene.site.map_dir(), Some(65534), Some(65534)).unwrap(),
            Stage::OwnPrograms => {
                fs::create_dir(&scene.programs).unwrap();
                for name in ["postmap", "postconf"] {
                    fs::copy(process::program(name).unwrap(), scene.programs.join(name)).unwrap();
                }
            }
        }
        Some(scene)
    }

    fn start(&self, stage: Stage) -> Daemon {
        let script = match stage {
            Stage::Plain | Stage::SmallDisk => "exec \"$0\" \"$@\"".to_owned(),
            Stage::Unprivileged => "exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$0\" \"$@\"".to_owned(),
            // In a mount namespace of its own, where that directory is /usr/sbin.
            Stage::OwnPrograms => format!(
                "exec unshare -m /bin/sh -c 'mount --bind {} /usr/sbin && exec \"$0\" \"$@\"' \"$0\" \"$@\"",
                self.programs.display()
            ),
        };
        let more = ["--publish-interval", "0", "--entries", "10000"];
        let mut daemon = Daemon::start_by(&script, &self.site.arguments(&more));
        daemon.wait_following(&self.site.log);
        daemon
    }

    pub(crate) fn table(&self) -> PathBuf {
        self.site.table_file()
    }

    /// The table and what SQLite has beside it.
    pub(crate) fn table_files(&self) -> Vec<PathBuf> {
        let named = |suffix| PathBuf::from(format!("{}{suffix}", self.table().display()));
        ["", "-wal", "-shm"].map(named).into_iter().filter(|file| file.exists()).collect()
    }

    pub(crate) fn ballast(&self) -> PathBuf {
        self.site.map_dir().join("ballast")
    }

    pub(crate) fn fill_disk(&self) {
        let mut ballast = OpenOptions::new().append(true).create(true).open(self.ballast()).unwrap();
        while ballast.write_all(&[0; 4096]).is_ok() {}
    }

    pub(crate) fn set_mode(&self, mode: u32) {
        fs::set_permissions(self.site.map_dir(), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Puts a script in the place of postmap; by a rename, as a package manager does.
    pub(crate) fn set_postmap(&self, script: &str) {
        let new = self.programs.join("postmap.new");
        fs::write(&new, format!("#!/bin/sh\n{script}\n")).unwrap();
        self.put_postmap(&new);
    }

    pub(crate) fn restore_postmap(&self) {
        let new = self.programs.join("postmap.new");
        fs::copy(process::program("postmap").unwrap(), &new).unwrap();
        self.put_postmap(&new);
    }

    /// The program is there and open for writing: it cannot be run (ETXTBSY).
    pub(crate) fn begin_upgrade(&self) {
        let program = self.programs.join("postmap");
        *self.upgrade.lock().unwrap() = Some(OpenOptions::new().append(true).open(program).unwrap());
    }

    pub(crate) fn end_upgrade(&self) {
        drop(self.upgrade.lock().unwrap().take());
    }

    fn put_postmap(&self, new: &Path) {
        fs::set_permissions(new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, self.programs.join("postmap")).unwrap();
    }
}

/// A line of the table in docs/backends.md.
pub(crate) struct Row {
    fault: &'static str,
    case: &'static str,
    fresh: Seen,
    staying: Seen,
    messages: String,
    healed: Duration,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let views = |seen: &Seen| seen.views.iter().map(|view| view.name()).collect::<Vec<_>>().join(", ");
        let (fresh, staying) = (views(&self.fresh), views(&self.staying));
        let Self { fault, case, messages, healed, .. } = self;
        writeln!(f, "| {fault} | {case} | {fresh} | {staying} | {messages} | {:.1} s |", healed.as_secs_f32())
    }
}

const OLD: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
/// Logs in when the failure has been told.
const MEANWHILE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 2));
/// Logs in when all is well again.
const LATE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 3));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 66));

fn newcomer(number: u32) -> IpAddr {
    Ipv4Addr::from(0x0A00_0000 + number).into()
}

/// Lets the fault happen, and heal.
///
/// # Panics
/// If anything is not as the fault's row promises.
pub(crate) fn play(fault: &'static Fault, case: &'static Case) -> Option<Row> {
    let name = format!("{}: {}", case.name, fault.name);
    let scene = Scene::new(fault, case)?;
    let mut daemon = scene.start(fault.stage);
    let pid = daemon.pid();
    scene.site.log_in_and_wait(OLD);
    let postfix = scene.site.postfix();
    let clients = Clients { old: OLD, new: newcomer(fault.newcomers), stranger: STRANGER };
    let site = &scene.site;
    let probes = Probes::new(site, &postfix, &clients);
    let row = thread::scope(|scope| {
        let probing = [scope.spawn(|| probes.look_all_the_time()), scope.spawn(|| probes.stay())];
        let over = Over(&probes);
        let row = strike_and_heal(fault, &scene, &daemon, &probes, &name);
        drop(over);
        probing.into_iter().for_each(|probe| probe.join().unwrap());
        row
    });
    scene.site.log_in_and_wait(LATE);
    daemon.assert_runs();
    assert_eq!(daemon.pid(), pid);
    assert_eq!(daemon.terminate(), Some(0), "{name}: {}", daemon.stderr());
    assert_eq!(site.find_unprivileged(&[OLD, LATE]), Ok(Vec::new()), "{name}: after a clean stop");
    Some(row)
}

fn strike_and_heal(fault: &Fault, scene: &Scene, daemon: &Daemon, probes: &Probes<'_>, name: &str) -> Row {
    let case = scene.site.case;
    let told = || daemon.stderr();
    let told_before = told();
    probes.wait_for_a_look();
    let (fresh, staying) = probes.take();
    for seen in [fresh, staying] {
        assert!(seen.views.iter().eq([&View::Old]), "{name}: before the fault {:?} {:?}", seen.views, seen.complaint);
    }

    (fault.strike)(scene);
    probes.wait_for_a_look();
    // What counts is seen from now on, not while it struck.
    probes.take();
    probes.wait_for_a_look();
    let struck = Instant::now();
    let newcomers: Vec<IpAddr> = (1..=fault.newcomers).map(newcomer).collect();
    let lines: String = newcomers.iter().map(|&client| login_line(client) + "\n").collect();
    append_raw(&scene.site.log, lines.as_bytes());
    let course = (fault.course)(case);
    // Long enough for the failure to be there, and no longer: the pause until the next attempt doubles each time. A
    // reader that finds no table is no clock: postmap sleeps for a second before it gives up.
    let mut published = false;
    let settled = eventually(SOON, || {
        let readable = !fault.takes_the_table || told().contains("warning: ");
        published = readable && site_has(probes.site, &newcomers);
        published || told().contains("error: ")
    });
    assert!(settled, "{name}: neither a failure nor the clients\n{}", told());
    let mended = struck.elapsed();
    assert_eq!(published, course != Course::Repaired, "{name}: published during the fault\n{}", told());
    scene.site.log_in(MEANWHILE);
    daemon.wait_logged(&format!("granted {MEANWHILE} "));

    (fault.heal)(scene);
    let healing = Instant::now();
    let mut all = newcomers;
    all.extend([OLD, MEANWHILE]);
    let readable = || course != Course::Repaired || told().contains("table is published again");
    let done = eventually(SOON, || readable() && site_has(probes.site, &all));
    assert!(done, "{name}: not healed: {:?}\n{}", look(probes.site, probes.clients), told());
    let healed = if course == Course::Repaired { healing.elapsed() } else { mended };
    wait_for(&format!("{name}: smtpd sees the new client"), SOON, || may_relay(probes.postfix, probes.clients.new));
    probes.wait_for_a_look();
    let (fresh, staying) = probes.take();
    // From now on there is only the new table, for everybody.
    probes.wait_for_a_look();
    let (last, _) = probes.take();
    assert!(last.views.iter().eq([&View::New]), "{name}: after healing {:?} {:?}", last.views, last.complaint);

    let told = told().split_off(told_before.len());
    let count = |text: &str| told.matches(text).count();
    let messages = (count("error: "), count("table is published again after"), count("warning: "));
    let expected = match course {
        Course::Unnoticed => (0, 0, 0),
        Course::Mended => (0, 0, 1),
        Course::Repaired => (1, 1, 0),
    };
    assert_eq!(messages, expected, "{name}: errors, healings, warnings\n{told}");
    let error = told.lines().find(|line| line.starts_with("error: "));
    let as_promised = error.is_none_or(|error| fault.says.iter().any(|text| error.contains(text)));
    assert!(as_promised, "{name}: {error:?}");
    // An error is for the moment only; a table without its clients would have their mail refused for good.
    for seen in [&fresh, &staying] {
        assert!(!seen.views.contains(&View::Missing), "{name}: {:?}", seen.views);
    }
    if !fault.takes_the_table {
        assert_eq!(fresh.complaint, None, "{name}: a reader's complaint");
        assert_eq!(staying.complaint, None, "{name}: a session's complaint");
    }
    Row { fault: fault.name, case: case.name, fresh, staying, messages: course.messages().to_owned(), healed }
}

/// Whether a reader without root's rights finds all of them.
fn site_has(site: &Site, clients: &[IpAddr]) -> bool {
    site.find_unprivileged(clients).is_ok_and(|found| found.len() == clients.len())
}

/// Whether smtpd, whichever process of it answers, lets the client relay.
fn may_relay(postfix: &Postfix, client: IpAddr) -> bool {
    Session::open(postfix.port(), client).and_then(|mut session| session.rcpt()).is_ok_and(|code| code == 250)
}

/// Ends the probes also when a test fails.
struct Over<'a, 's>(&'a Probes<'s>);

impl Drop for Over<'_, '_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
    }
}

/// A small file system in the place of a directory.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path) -> Self {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m,mode=755", "pop-before-smtp-test"]).arg(at);
        assert!(mount.status().unwrap().success(), "cannot mount a tmpfs");
        Self(at.to_owned())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A program that another test is just starting has our descriptors for a moment.
        let gone = || Command::new("umount").arg(&self.0).output().is_ok_and(|output| output.status.success());
        if !eventually(SOON, gone) {
            eprintln!("cannot unmount {}", self.0.display());
        }
    }
}
