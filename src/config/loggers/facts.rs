//! Who has the logs open, at which sockets they take lines, and what their configuration says.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::unistd::geteuid;
use pop_before_smtp_backends::process::{self, LIMIT};

use super::processes::{command, descriptors, is_writable, processes, program, root, started, user};
use super::rsyslog::understood::sources;
use super::sockets::{Listen, Transport, listening, logging};
use super::{Kind, Logger, Loggers};
use crate::output::error::io_cause;
use crate::saved::regular_file;
use crate::time::Now;

/// Most that is read of a table of sockets, or of a configuration file, in bytes.
const LARGEST: u64 = 4 << 20;

/// The port of syslog.
const SYSLOG: u16 = 514;

/// Looks at all processes that can be seen, and asks those of some kinds for their configuration. Each log is its name and where it is.
pub(crate) fn gather<'l>(logs: impl IntoIterator<Item = (&'l str, &'l Path)>, asked: &[Kind]) -> Loggers {
    let place = |(name, path): (&str, &Path)| {
        let found = fs::metadata(path).ok()?;
        Some(((found.dev(), found.ino()), name.to_owned()))
    };
    let files: HashMap<_, _> = logs.into_iter().filter_map(place).collect();
    let net = Path::new("/proc/self/net");
    let logging = logging(&table(net, "unix"));
    let mut loggers = Loggers::default();
    for pid in processes().filter(|pid| *pid != std::process::id()) {
        let Some(program) = program(pid) else { continue };
        let open = descriptors(pid);
        let is_hidden = open.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
        loggers.is_blind |= is_hidden;
        let kept = if is_hidden { &mut loggers.hidden } else { &mut loggers.found };
        kept.extend(logger(pid, program, open.into_iter().flatten(), is_hidden, &files, &logging));
    }
    for logger in loggers.found.iter_mut().chain(&mut loggers.hidden).filter(|logger| asked.contains(&logger.kind)) {
        logger.configuration = configuration(logger.kind, logger.pid, &logger.arguments);
        if let (Kind::Rsyslog, Some(Ok(text))) = (logger.kind, &logger.configuration) {
            logger.stale = stale(logger.pid, text);
        }
    }
    // Whose a socket is, only root can see. The kernel takes milliseconds for these tables.
    if !geteuid().is_root() {
        let all = listening_in(net).map(|(_, listen)| listen);
        loggers.unowned = all.filter(|listen| listen.port == SYSLOG).collect();
    }
    loggers
}

/// A process that writes one of the files, or could.
fn logger(
    pid: u32,
    program: String,
    open: impl Iterator<Item = PathBuf>,
    is_hidden: bool,
    files: &HashMap<(u64, u64), String>,
    logging: &HashSet<u64>,
) -> Option<Logger> {
    let kind = match Kind::of(&program, || command(pid)) {
        Kind::Syslogd => {
            read_file(Path::new(&format!("/proc/{pid}/exe"))).map_or(Kind::Syslogd, |file| Kind::of_syslogd(&file))
        }
        kind => kind,
    };
    let holds = |found: &fs::Metadata, path: &Path| {
        let name = files.get(&(found.dev(), found.ino()))?;
        is_writable(pid, path).then(|| name.clone())
    };
    let (mut held, mut inodes) = (HashSet::new(), HashSet::new());
    for path in open {
        if let Ok(found) = fs::metadata(&path) {
            held.extend(holds(&found, &path));
            inodes.insert(found.ino());
        }
    }
    let is_remote = kind == Kind::JournalRemote;
    let takes_syslog = kind.is_syslog() && !inodes.is_disjoint(logging);
    let may_write = !held.is_empty() || takes_syslog || is_remote || is_hidden && kind.is_syslog();
    if !may_write {
        return None;
    }
    let mut logger = Logger {
        kind,
        program,
        pid,
        holds: held.into_iter().collect(),
        takes_syslog,
        // In a container, its sockets are in tables of its own.
        listens: if kind.is_syslog() || is_remote { listens(pid, &inodes) } else { Vec::new() },
        configuration: None,
        stale: None,
        user: user(pid),
        arguments: command(pid),
    };
    logger.holds.sort();
    Some(logger)
}

/// Why rsyslogd may have read something else when it started. It reads its files then and never again.
fn stale(pid: u32, configuration: &str) -> Option<String> {
    let unknown = || Some("it cannot be told which files its configuration is made of".to_owned());
    let Some((files, directories)) = sources(configuration) else { return unknown() };
    let Some(started) = started(pid, &Now::read()) else { return Some("it cannot be told when it started".to_owned()) };
    let seen_by = root(pid);
    let why = |path: &PathBuf| {
        let name = path.display();
        let Ok(found) = fs::metadata(path) else { return Some(format!("{name} cannot be looked at")) };
        let since = |seconds: i64| Some(Duration::new(seconds.try_into().ok()?, found.ctime_nsec().try_into().ok()?));
        if since(found.ctime()).is_none_or(|since| SystemTime::UNIX_EPOCH + since >= started) {
            return Some(format!("{name} has been changed since it started"));
        }
        let of_its_own = fs::metadata(seen_by.as_ref()?.join(path.strip_prefix("/").unwrap_or(path)));
        let is_same = of_its_own.is_ok_and(|other| (other.dev(), other.ino()) == (found.dev(), found.ino()));
        (!is_same).then(|| format!("it sees another {name}"))
    };
    files.iter().chain(&directories).find_map(why)
}

fn listens(pid: u32, inodes: &HashSet<u64>) -> Vec<Listen> {
    let net = format!("/proc/{pid}/net");
    let mut own: Vec<_> = listening_in(Path::new(&net)).filter(|(inode, _)| inodes.contains(inode)).collect();
    own.sort_by_key(|(inode, _)| *inode);
    own.into_iter().map(|(_, listen)| listen).collect()
}

/// The sockets of a network namespace that take what others send, with their inodes.
fn listening_in(net: &Path) -> impl Iterator<Item = (u64, Listen)> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ports = range.split_ascii_whitespace().filter_map(|port| port.parse().ok());
    let ephemeral = (ports.next().unwrap_or(32768), ports.next().unwrap_or(60999));
    let tables = [("udp", Transport::Udp), ("udp6", Transport::Udp), ("tcp", Transport::Tcp), ("tcp6", Transport::Tcp)];
    tables.into_iter().flat_map(move |(name, transport)| listening(&table(net, name), transport, ephemeral))
}

fn table(net: &Path, name: &str) -> String {
    read(File::open(net.join(name))).unwrap_or_default()
}

fn read(file: io::Result<File>) -> io::Result<String> {
    let mut text = Vec::new();
    file?.take(LARGEST).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// A file of bounded size that may be something else.
pub(crate) fn read_file(path: &Path) -> io::Result<String> {
    read(regular_file::open(path))
}

fn configuration(kind: Kind, pid: u32, arguments: &[String]) -> Option<Result<String, String>> {
    match kind {
        Kind::Rsyslog => {
            let is_named = arguments.iter().any(|argument| argument.starts_with("-f"));
            let file = match named(pid, arguments, &["-f"]) {
                None if is_named => return Some(Err("its -f names a file that is not looked into".to_owned())),
                file => file.unwrap_or("/etc/rsyslog.conf"),
            };
            // It prints the files that this one includes, too.
            Some(ask("rsyslogd", &["-N1", "-f", file, "-o", "/dev/stdout"]))
        }
        Kind::SyslogNg => {
            let file = named(pid, arguments, &["-f", "--cfgfile"]).unwrap_or("/etc/syslog-ng/syslog-ng.conf");
            let control = named(pid, arguments, &["-c", "--control"]);
            let socket = control.map(|socket| ["-c", socket]);
            let question: Vec<_> =
                ["config", "--preprocessed"].into_iter().chain(socket.into_iter().flatten()).collect();
            let read =
                || read_file(Path::new(file)).map_err(|error| format!("cannot read {file}: {}", io_cause(&error)));
            Some(ask("syslog-ng-ctl", &question).or_else(|_| read()))
        }
        _ => None,
    }
}

/// The path that an argument names. A configuration names programs and libraries, so only root's is looked into.
pub(crate) fn named<'a>(pid: u32, arguments: &'a [String], options: &[&str]) -> Option<&'a str> {
    let is_roots = user(pid) == Some(0);
    let of = |option: &&str| {
        let next = arguments.windows(2).find(|pair| pair[0] == **option).map(|pair| pair[1].as_str());
        let joined = || {
            let long = option.starts_with("--");
            let rest = |argument: &'a String| argument.strip_prefix(*option);
            arguments.iter().filter_map(rest).find_map(|rest| if long { rest.strip_prefix('=') } else { Some(rest) })
        };
        next.or_else(joined)
    };
    options.iter().find_map(of).filter(|path| is_roots && path.starts_with('/'))
}

/// What a program prints, or why it does not.
pub(crate) fn ask(program: &str, arguments: &[&str]) -> Result<String, String> {
    let file = process::find(program).ok_or_else(|| format!("there is no {program}"))?;
    let arguments: Vec<_> = arguments.iter().map(OsStr::new).collect();
    let end = process::run(&file, &arguments, LIMIT).map_err(|error| format!("{program}: {}", io_cause(&error)))?;
    match end.failure() {
        Some(why) => Err(format!("{program}: {why}")),
        None if end.stdout.is_empty() => Err(format!("{program} prints nothing")),
        None => Ok(String::from_utf8_lossy(&end.stdout).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_path_that_an_argument_names_is_roots() {
        let own = std::process::id();
        let named = |arguments: &[&str]| {
            let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
            named(own, &arguments, &["-f", "--cfgfile"]).map(str::to_owned)
        };
        let if_root = |path: &str| geteuid().is_root().then(|| path.to_owned());
        assert_eq!(named(&["x", "-f", "/etc/x"]), if_root("/etc/x"));
        assert_eq!(named(&["x", "-f/etc/x"]), if_root("/etc/x"));
        assert_eq!(named(&["x", "--cfgfile=/etc/x"]), if_root("/etc/x"));
        assert_eq!(named(&["x", "-f", "x"]), None, "it depends on where the process was started");
        assert_eq!(named(&["x"]), None);
    }

    #[test]
    fn what_a_program_does_not_say_is_told() {
        assert_eq!(ask("no-such-program", &[]), Err("there is no no-such-program".to_owned()));
        assert_eq!(ask("true", &[]), Err("true prints nothing".to_owned()));
        assert!(ask("false", &[]).unwrap_err().starts_with("false: "));
        assert_eq!(ask("echo", &["x"]), Ok("x\n".to_owned()));
    }
}
