//! What systemd is told, with the test in the place of systemd.

use std::fs::File;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::cases::{self, Site, ip};
use crate::support::daemon::Daemon;
use crate::support::{SOON, wait_for};
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::sys::signal::Signal;
use nix::time::{ClockId, clock_gettime};

/// Where systemd listens.
struct Manager(UnixDatagram);

impl Manager {
    fn on(address: &SocketAddr) -> Self {
        let socket = UnixDatagram::bind_addr(address).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        Self(socket)
    }

    fn next(&self) -> String {
        let mut message = [0; 4096];
        let length = self.0.recv(&mut message).expect("a message within the limit");
        String::from_utf8(message[..length].to_vec()).unwrap()
    }

    /// Waits for a message that begins with `wanted`; returns it, and what came before.
    fn wait(&self, wanted: &str) -> (String, Vec<String>) {
        let mut before = Vec::new();
        loop {
            let message = self.next();
            if message.starts_with(wanted) {
                return (message, before);
            }
            before.push(message);
        }
    }
}

/// Starts the site's daemon with these variables, `$$` being its process id.
fn start(site: &Site, variables: &str) -> Daemon {
    Daemon::start_by(&format!("{variables} exec \"$0\" \"$@\""), &site.arguments(&[]))
}

#[test]
fn systemd_hears_of_start_reload_and_stop() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let path = site.join("notify");
    let manager = Manager::on(&SocketAddr::from_pathname(&path).unwrap());
    let mut daemon = start(&site, &format!("NOTIFY_SOCKET={}", path.display()));

    let (_, before) = manager.wait("READY=1");
    assert_eq!(before, ["STATUS=0 clients may relay"]);
    assert!(site.table_file().exists(), "ready before there is a table");
    site.log_in_and_wait(ip("192.0.2.1"));

    let sent = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap();
    daemon.send(Signal::SIGHUP);
    let (reloading, _) = manager.wait("RELOADING=1\nMONOTONIC_USEC=");
    let micros = reloading.rsplit('=').next().unwrap().parse().unwrap();
    assert!(Duration::from_micros(micros) >= sent, "systemd would take it for an earlier reload: {reloading}");
    let (_, before) = manager.wait("READY=1");
    assert!(before.iter().all(|message| message == "STATUS=1 client may relay"), "{before:?}");

    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    let (_, before) = manager.wait("STOPPING=1");
    assert!(!before.iter().any(|message| message.contains("WATCHDOG")), "nobody asked for it: {before:?}");
}

#[test]
fn an_abstract_socket_serves_as_well() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let name = format!("pop-before-smtp-test-{}", std::process::id());
    let manager = Manager::on(&SocketAddr::from_abstract_name(&name).unwrap());
    let mut daemon = start(&site, &format!("NOTIFY_SOCKET=@{name}"));
    manager.wait("READY=1");
    daemon.assert_runs();
}

/// Keeps a table locked as one that reads it does, until it is dropped.
fn lock(table: &Path) -> File {
    let file = File::open(table).unwrap();
    let shared =
        libc::flock { l_type: libc::F_RDLCK as _, l_whence: libc::SEEK_SET as _, l_start: 0, l_len: 0, l_pid: 0 };
    fcntl(&file, FcntlArg::F_OFD_SETLK(&shared)).unwrap();
    file
}

#[test]
fn a_loop_that_is_held_up_tells_the_watchdog_nothing() {
    let Some(site) = Site::new(&cases::LMDB_IN_PLACE) else { return };
    let path = site.join("notify");
    let manager = Manager::on(&SocketAddr::from_pathname(&path).unwrap());
    let variables = format!("NOTIFY_SOCKET={} WATCHDOG_USEC=200000 WATCHDOG_PID=$$", path.display());
    let _daemon = start(&site, &variables);
    manager.wait("READY=1");
    manager.wait("WATCHDOG=1");

    // A publish waits for this lock, for two seconds at most.
    let lock = lock(&site.table_file());
    site.log_in(ip("192.0.2.1"));
    let mut last = Instant::now();
    wait_for("a pause between two signs of life", SOON, || {
        manager.wait("WATCHDOG=1");
        std::mem::replace(&mut last, Instant::now()).elapsed() >= Duration::from_secs(1)
    });
    drop(lock);
    site.wait_listed(ip("192.0.2.1"));
    manager.wait("WATCHDOG=1");
}

#[test]
fn the_watchdog_of_another_process_is_not_ours() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    let path = site.join("notify");
    let manager = Manager::on(&SocketAddr::from_pathname(&path).unwrap());
    let variables = format!("NOTIFY_SOCKET={} WATCHDOG_USEC=20000 WATCHDOG_PID=1", path.display());
    let mut daemon = start(&site, &variables);
    manager.wait("READY=1");
    // Each of them takes many intervals of that watchdog.
    site.log_in_and_wait(ip("192.0.2.1"));
    site.log_in_and_wait(ip("192.0.2.2"));
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
    let (_, before) = manager.wait("STOPPING=1");
    assert!(!before.iter().any(|message| message.contains("WATCHDOG")), "{before:?}");
}

#[test]
fn without_a_manager_the_daemon_serves() {
    let Some(site) = Site::new(&cases::LMDB) else { return };
    for socket in ["/nosuch/notify", "nosuch", "vsock:2:1", "@", ""] {
        let mut daemon = start(&site, &format!("NOTIFY_SOCKET={socket} WATCHDOG_USEC=1000"));
        daemon.wait_following(&site.log);
        site.log_in_and_wait(ip("192.0.2.1"));
        assert_eq!(daemon.terminate(), Some(0), "{socket:?}: {}", daemon.stderr());
    }
}
