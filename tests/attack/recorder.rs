//! Takes down what a server sends to syslog, datagram by datagram.

use super::PATIENCE;
use super::support::eventually;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Listens at `/dev/log` in place of a syslog daemon.
pub(crate) struct Recorder {
    datagrams: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Recorder {
    pub(crate) fn start() -> Self {
        let socket = UnixDatagram::bind("/dev/log").expect("/dev/log on the stage");
        fs::set_permissions("/dev/log", PermissionsExt::from_mode(0o666)).expect("its mode");
        let datagrams: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let own = datagrams.clone();
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 20];
            while let Ok(length) = socket.recv(&mut buffer) {
                own.lock().unwrap().push(buffer[..length].to_vec());
            }
        });
        Self { datagrams }
    }

    /// Other programs' lines, until no message of the server can reach behind them.
    pub(crate) fn fill(&self) {
        let mut datagrams = self.datagrams.lock().unwrap();
        for number in 0..100 {
            datagrams.push(format!("<22>Nov 27 13:00:00 filler[{number}]: {}", ".".repeat(990)).into_bytes());
        }
    }

    /// The last messages, but for the filling.
    pub(crate) fn end(&self) -> String {
        let datagrams = self.datagrams.lock().unwrap();
        let messages = datagrams.iter().rev().filter(|text| memchr::memmem::find(text, b" filler[").is_none());
        messages.take(10).map(|text| format!("{}\n", String::from_utf8_lossy(text))).collect()
    }

    /// What was recorded, once nothing has come for a while.
    pub(crate) fn stop(self) -> Vec<Vec<u8>> {
        let (mut seen, mut since) = (0, Instant::now());
        eventually(PATIENCE, || {
            let count = self.datagrams.lock().unwrap().len();
            if count != seen {
                (seen, since) = (count, Instant::now());
            }
            since.elapsed() > Duration::from_secs(2)
        });
        self.datagrams.lock().unwrap().clone()
    }
}
