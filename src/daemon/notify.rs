//! Tells systemd how the daemon fares, by the protocol of sd_notify(3). Touches `$NOTIFY_SOCKET` and nothing else;
//! where there is none, it tells nobody.

use std::env;
use std::ffi::OsStr;
use std::io;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::output::error::io_cause;
use crate::time::{Timestamp, monotonic_micros};

/// How long a manager that does not read may hold up the daemon.
const PATIENCE: Duration = Duration::from_secs(1);

/// The way to the service manager, and when it wants to hear that the daemon is not stuck.
#[derive(Debug, Default)]
pub(crate) struct Notify {
    manager: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Watchdog>,
    /// The status that was told last.
    status: String,
}

#[derive(Debug)]
struct Watchdog {
    interval: Duration,
    next: Timestamp,
}

impl Notify {
    /// Takes the socket and the watchdog that the environment names. A socket that cannot be used is told and then
    /// done without: mail matters more.
    pub(crate) fn from_environment() -> Self {
        let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else { return Self::default() };
        let manager = match connect(&name) {
            Ok(manager) => Some(manager),
            Err(error) => {
                let name = name.display().to_string();
                log::warn!("cannot notify the service manager through {}: {}", name.escape_debug(), io_cause(&error));
                None
            }
        };
        let text = |name| env::var(name).ok();
        let watchdog = interval(text("WATCHDOG_USEC").as_deref(), text("WATCHDOG_PID").as_deref())
            .map(|interval| Watchdog { interval, next: Timestamp::default() });
        Self { manager, watchdog, status: String::new() }
    }

    /// The table exists and the logs are followed; also after a reload.
    pub(crate) fn ready(&mut self) {
        self.send("READY=1");
    }

    /// The settings are about to be read again; [`Notify::ready`] has to follow.
    pub(crate) fn reloading(&mut self) {
        // systemd orders this by the time in it: Type=notify-reload waits for a READY of later than its signal.
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_micros()));
    }

    /// The table is about to be emptied.
    pub(crate) fn stopping(&mut self) {
        self.send("STOPPING=1");
    }

    /// One line for people, in `systemctl status`; said again only when it has changed.
    pub(crate) fn status(&mut self, status: String) {
        if self.manager.is_some() && self.status != status {
            self.send(&format!("STATUS={status}"));
            self.status = status;
        }
    }

    /// When [`Notify::beat`] has to be called next.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let watchdog = self.watchdog.as_ref().filter(|_| self.manager.is_some())?;
        Some(watchdog.next)
    }

    /// The loop goes round. Told as often as the watchdog wants to hear it, however often this is called.
    pub(crate) fn beat(&mut self, now: Timestamp) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.send("WATCHDOG=1");
            if let Some(watchdog) = &mut self.watchdog {
                watchdog.next = now + watchdog.interval;
            }
        }
    }

    fn send(&self, message: &str) {
        let Some((socket, manager)) = &self.manager else { return };
        // Not connected: after a `systemctl daemon-reexec` there is another socket under that name.
        if let Err(error) = socket.send_to_addr(message.as_bytes(), manager) {
            log::debug!("cannot notify the service manager: {}", io_cause(&error));
        }
    }
}

/// A socket, and the address that sd_notify(3) writes as a path, or with `@` in place of the zero of an abstract name.
fn connect(name: &OsStr) -> io::Result<(UnixDatagram, SocketAddr)> {
    let manager = match name.as_bytes() {
        #[cfg(target_os = "linux")]
        [b'@', abstract_name @ ..] => SocketAddr::from_abstract_name(abstract_name)?,
        [b'/', ..] => SocketAddr::from_pathname(name)?,
        _ => return Err(io::Error::new(io::ErrorKind::Unsupported, "neither a path nor an abstract name")),
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok((socket, manager))
}

/// How often the watchdog of `WATCHDOG_USEC` wants to be told: twice as often as it bites (sd_watchdog_enabled(3)).
/// `None` where there is none, or one for another process than this.
fn interval(micros: Option<&str>, pid: Option<&str>) -> Option<Duration> {
    if pid.is_some_and(|pid| pid.parse() != Ok(std::process::id())) {
        return None;
    }
    let micros: u64 = micros?.parse().ok()?;
    (micros > 0).then(|| Duration::from_micros(micros) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_is_told_twice_as_often_as_it_bites() {
        let own = std::process::id().to_string();
        let second = Some(Duration::from_millis(500));
        assert_eq!(interval(Some("1000000"), None), second);
        assert_eq!(interval(Some("1000000"), Some(&own)), second);
        assert_eq!(interval(Some("1000000"), Some("1")), None, "another process's");
        assert_eq!(interval(Some("1000000"), Some("")), None);
        assert_eq!(interval(None, Some(&own)), None);
        assert_eq!(interval(Some("0"), None), None);
        assert_eq!(interval(Some("soon"), None), None);
    }

    #[test]
    fn what_is_no_socket_is_refused() {
        for name in ["", "notify", "vsock:2:1234"] {
            assert!(connect(OsStr::new(name)).is_err(), "{name:?}");
        }
    }
}
