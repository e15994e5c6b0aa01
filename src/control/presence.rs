//! Whether a daemon listens, for who must not wait for it: its user may be a stranger by now.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use super::connect;
use super::wire::{Greeting, Line};
use crate::config::socket::Socket;
use crate::saved::state::beside;

/// How long a daemon may be busy; one that is longer is taken for one if its socket stands beside the map.
const PATIENCE: Duration = Duration::from_secs(2);

/// Longest greeting; it comes in one piece.
const LONGEST: usize = 16 * 1024;

/// Whether a daemon of this map listens at one of the places.
pub(crate) fn serves(place: &Socket, map: &Path) -> bool {
    place.paths(map).iter().any(|path| match greeting(path) {
        None => false,
        Some(Some(greeting)) => Path::new(&greeting.map) == map,
        // It greets only whom it answers. Elsewhere it may be that of another map.
        Some(None) => *path == beside(map, ".control"),
    })
}

/// `None` if nobody listens; `Some(None)` if who does says nothing.
fn greeting(path: &Path) -> Option<Option<Greeting>> {
    let mut stream = connect::within(PATIENCE, path).ok()?;
    let mut text = vec![0; LONGEST];
    let read = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.read(&mut text)).unwrap_or(0);
    Some(match serde_json::from_slice(&text[..read]) {
        Ok(Line::Greeting(greeting)) => Some(greeting),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write as _;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn only_a_daemon_of_this_map_counts() {
        let directory = tempfile::tempdir().unwrap();
        let (map, other) = (directory.path().join("map"), directory.path().join("other"));
        let socket = beside(&map, ".control");
        let named = Socket::Named(directory.path().join("named"));
        assert!(!serves(&Socket::Usual, &map), "there is no socket");
        let listener = UnixListener::bind(&socket).unwrap();
        let greeting = Greeting { map: other.display().to_string(), pid: 1, version: String::new() };
        let greeting = super::super::wire::json(&Line::Greeting(greeting));
        let asked = |place: &Socket, greeting: Option<&str>, listener: &UnixListener| {
            std::thread::scope(|scope| {
                let asked = scope.spawn(|| serves(place, &map));
                let mut stream = listener.accept().unwrap().0;
                // In one piece, as the daemon does.
                greeting.into_iter().for_each(|text| stream.write_all(format!("{text}\n").as_bytes()).unwrap());
                drop(stream);
                asked.join().unwrap()
            })
        };
        let ours = greeting.replace("other", "map");
        assert!(asked(&Socket::Usual, Some(&ours), &listener));
        assert!(asked(&Socket::Usual, None, &listener), "it does not answer us");
        assert!(!asked(&Socket::Usual, Some(&greeting), &listener), "that of another map");
        drop(listener);
        assert!(!serves(&Socket::Usual, &map), "a socket that is left over");
        let listener = UnixListener::bind(directory.path().join("named")).unwrap();
        assert!(asked(&named, Some(&ours), &listener) && !asked(&named, None, &listener));
    }
}
