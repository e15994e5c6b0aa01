//! kill -9 between any two steps of a publish: before each system call of it that can change a file.

use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::cases::{self, Case, Site, append};
use crate::support::daemon::Daemon;
use crate::support::{Need, SOON, eventually, require, wait_for};

/// Calls that change files or locks; those with a question mark do not exist on every machine.
const CALLS: &str = "?open,openat,?creat,?mkdir,mkdirat,?rmdir,?unlink,unlinkat,?rename,?renameat,renameat2,?link,linkat,\
                     write,writev,pwrite64,pwritev,ftruncate,fallocate,fsync,fdatasync,msync,?chmod,fchmod,fchmodat,\
                     ?chown,fchown,fchownat,fcntl";

const MORE: [&str; 6] = ["--source", "follow", "--publish-interval", "0", "--entries", "10000"];

const OLD: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 66));

#[test]
fn postmap_hash() {
    killed_before_each_step(&cases::POSTMAP_HASH);
}

#[test]
fn postmap_lmdb() {
    killed_before_each_step(&cases::POSTMAP_LMDB);
}

#[test]
fn lmdb() {
    killed_before_each_step(&cases::LMDB);
}

#[test]
fn lmdb_in_place() {
    killed_before_each_step(&cases::LMDB_IN_PLACE);
}

#[test]
fn sqlite() {
    killed_before_each_step(&cases::SQLITE);
}

/// A system call, and which of those with its name it is in one publish, from 1.
type Step = (String, usize);

enum Ran {
    /// Nobody was killed; every step of the publish.
    Through(Vec<Step>),
    Killed {
        /// Whether the new client was in the table then.
        published: bool,
    },
}

fn killed_before_each_step(case: &'static Case) {
    if !require(&[Need::Program("strace")]) {
        return;
    }
    let Some(site) = Site::new(case) else { return };
    let Ran::Through(steps) = publish(&site, None) else { panic!("killed without being asked to") };
    let (mut old, mut new) = (0, 0);
    for step in &steps {
        match publish(&site, Some(step)) {
            Ran::Killed { published: false } => old += 1,
            Ran::Killed { published: true } => new += 1,
            Ran::Through(now) => panic!("{}: not killed before {step:?} of {now:?}, seen in {steps:?}", case.name),
        }
    }
    println!(
        "{}: killed before each of {} steps; then the table was old {old} times, new {new} times",
        case.name,
        steps.len()
    );
    assert!(old > 0 && new > 0, "{}: all steps lie on one side of the change", case.name);
}

/// Lets a daemon publish one client, and kills it before one of the steps. It begins with a new table, so that it takes the
/// same steps each time.
fn publish(site: &Site, step: Option<&Step>) -> Ran {
    let context = format!("{}, killed before {step:?}", site.case.name);
    fs::remove_dir_all(site.map_dir()).unwrap();
    fs::create_dir(site.map_dir()).unwrap();
    site.start_log_anew();
    let client = |last| IpAddr::V4(Ipv4Addr::new(10, 0, 0, last));
    // Root's own lookup, the last to close an SQLite table, would remove what SQLite has beside it.
    let lists = |client| site.find_unprivileged(&[client]).is_ok_and(|found| found == [client]);
    let mut daemon = site.daemon(&MORE);
    for client in [OLD, client(1)] {
        site.log_in(client);
        wait_for(&format!("{context}: {client} in the table"), SOON, || lists(client));
    }
    let told = |daemon: &Daemon, client| daemon.stderr().contains(&format!("granted {client} "));

    // It takes the next line only when all of that is done: no call of it is left for strace.
    append(&site.log, "Nov 22 15:54:36 mail dovecot: master: Warning: a line that is no login");
    daemon.wait_following(&site.log);
    let trace = site.join("trace");
    let mut strace = attach(&daemon, step, &trace);
    let mut killed = || strace.try_wait().unwrap().is_some();
    site.log_in(client(2));
    wait_for(&format!("{context}: a kill or a publish"), SOON, || killed() || lists(client(2)));
    site.log_in(client(3));
    wait_for(&format!("{context}: a kill or the next login"), SOON, || killed() || told(&daemon, client(3)));
    if told(&daemon, client(3)) {
        daemon.kill9();
        // strace ends with it.
        strace.wait().unwrap();
        return Ran::Through(steps_in(&fs::read_to_string(trace).unwrap(), client(2), client(3)));
    }
    assert_eq!(daemon.wait(), None, "{context}: ended by itself: {}", daemon.stderr());
    let asked = [OLD, client(1), client(2), STRANGER];
    let found = site.find_unprivileged(&asked).unwrap_or_else(|why| panic!("{context}: {why}\n{}", daemon.stderr()));
    assert!(found == asked[..2] || found == asked[..3], "{context}: {found:?}");

    site.start_log_anew();
    let mut next = site.daemon(&MORE);
    assert_eq!(site.find_unprivileged(&asked).as_ref(), Ok(&found), "{context}: not taken over: {}", next.stderr());
    site.log_in(client(4));
    wait_for(&format!("{context}: {} in the table", client(4)), SOON, || lists(client(4)));
    let complaints = ["error: ", "warning: "].map(|word| next.stderr().matches(word).count());
    assert_eq!(complaints, [0, 0], "{context}: {}", next.stderr());
    next.kill9();
    Ran::Killed { published: found.len() == 3 }
}

/// The calls from the one that tells of a client up to the one that tells of the next; none if the first was not seen. What
/// is in front of it belongs to an earlier publish.
fn steps_in(trace: &str, client: IpAddr, next: IpAddr) -> Vec<Step> {
    let tells_of = |line: &str, client| line.contains(&format!("granted {client} "));
    let publish = trace.lines().skip_while(|line| !tells_of(line, client)).take_while(|line| !tells_of(line, next));
    let mut steps: Vec<Step> = Vec::new();
    for (name, _) in publish.filter_map(|line| line.split_once('(')) {
        let earlier = steps.iter().filter(|(other, _)| other == name).count();
        steps.push((name.to_owned(), earlier + 1));
    }
    steps
}

/// Has strace watch the daemon, but none of its children, and kill it before one call.
fn attach(daemon: &Daemon, step: Option<&Step>, trace: &Path) -> Child {
    let mut strace = Command::new("strace");
    strace.args(["-e", &format!("trace={CALLS}"), "-s", "100", "-p", &daemon.pid().to_string(), "-o"]).arg(trace);
    if let Some((call, number)) = step {
        strace.args(["-e", &format!("inject={call}:signal=SIGKILL:when={number}")]);
    }
    let told = trace.with_extension("stderr");
    let mut strace = strace.stdin(Stdio::null()).stderr(File::create(&told).unwrap()).spawn().unwrap();
    let told = || fs::read_to_string(&told).unwrap();
    // Then the daemon is interrupted already, and strace sees all that it does.
    let attached = || told().contains(" attached");
    assert!(eventually(SOON, attached), "strace does not attach: {:?} {}", strace.try_wait(), told());
    strace
}
