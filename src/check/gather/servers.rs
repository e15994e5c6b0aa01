//! What the configurations of POP3 and IMAP servers say, and which of them run.

use std::fs;
use std::path::{Path, PathBuf};

use pop_before_smtp_backends::process;

use crate::check::servers::{Dovecot, Servers};
use crate::config::loggers::facts::{ask, named, read_file};
use crate::config::loggers::processes::{command, processes, program};

/// Most files of one directory that are read.
const MOST: usize = 100;

/// Looks at running programs, and below `etc`, which is `/etc` but in a test.
pub(crate) fn gather(etc: &Path) -> Servers {
    let mut servers = Servers::default();
    let mut configurations = vec![None];
    for pid in processes() {
        let Some(name) = program(pid) else { continue };
        let arguments = command(pid);
        if name == "dovecot" && same_network(pid) {
            configurations.push(named(pid, &arguments, &["-c"]).map(str::to_owned));
        }
        if name.starts_with("perdition") {
            servers.perditions.push(arguments);
        }
        let file = fs::read_link(format!("/proc/{pid}/exe")).map_or(name, |file| file.to_string_lossy().into_owned());
        servers.programs.insert(file.trim_end_matches(" (deleted)").to_owned());
    }
    configurations.sort();
    configurations.dedup();
    if process::find("doveconf").is_some() {
        servers.dovecot = configurations.into_iter().map(dovecot).collect();
    }
    let is_there = !servers.perditions.is_empty() || process::find("perdition").is_some();
    let perdition = files(&etc.join("perdition"), |name| name.starts_with("perdition") && name.ends_with(".conf"));
    let flags = ["default/perdition", "sysconfig/perdition"].map(|file| etc.join(file));
    servers.perdition_files = perdition.into_iter().chain(flags).filter(|_| is_there).filter_map(read).collect();
    let inetd =
        [etc.join("inetd.conf"), etc.join("xinetd.conf")].into_iter().chain(files(&etc.join("xinetd.d"), |_| true));
    servers.inetd = inetd.filter_map(read).collect();
    servers.courier_files = ["courier/imapd", "courier/imapd-ssl", "courier-imap/imapd", "courier-imap/imapd-ssl"]
        .into_iter()
        .filter_map(|file| read(etc.join(file)))
        .collect();
    servers.nginx_logs = read(etc.join("nginx/nginx.conf")).map(|(_, text)| error_logs(&text)).unwrap_or_default();
    // What Debian's and nginx's own packages include.
    let included = ["nginx/conf.d", "nginx/sites-enabled", "nginx/modules-enabled"];
    let included = included.into_iter().flat_map(|directory| files(&etc.join(directory), |_| true));
    servers.nginx_files = [etc.join("nginx/nginx.conf")].into_iter().chain(included).filter_map(read).collect();
    servers
}

/// Dovecot of another network, as in a container, has its configuration elsewhere.
fn same_network(pid: u32) -> bool {
    let network = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).ok();
    network(&pid.to_string()).is_some_and(|found| Some(found) == network("self"))
}

fn dovecot(file: Option<String>) -> Dovecot {
    let named = file.as_deref().map(|file| vec!["-c", file]).unwrap_or_default();
    let settings = ask("doveconf", &[&named[..], &["-n"]].concat());
    let mut dovecot = Dovecot { file, settings, databases: Vec::new() };
    dovecot.databases = dovecot.database_files().into_iter().take(MOST).map(PathBuf::from).filter_map(read).collect();
    dovecot
}

fn read(path: PathBuf) -> Option<(String, String)> {
    Some((path.display().to_string(), read_file(&path).ok()?))
}

fn files(directory: &Path, is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let wanted = entries.filter(|entry| entry.file_name().to_str().is_some_and(&is_wanted));
    let mut paths: Vec<_> = wanted.take(MOST).map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// The files that `error_log` names.
fn error_logs(text: &str) -> Vec<String> {
    let log = |line: &str| {
        let mut words = line.trim().split(|char: char| char.is_whitespace() || char == ';');
        let file =
            words.next().filter(|word| *word == "error_log").and_then(|_| words.find(|word| !word.is_empty()))?;
        file.starts_with('/').then(|| file.to_owned())
    };
    text.lines().filter_map(log).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn configurations_are_read_below_a_directory() {
        let etc = tempfile::tempdir().unwrap();
        for directory in ["nginx/conf.d", "xinetd.d", "courier"] {
            fs::create_dir_all(etc.path().join(directory)).unwrap();
        }
        fs::write(etc.path().join("inetd.conf"), "pop-3 stream tcp nowait root /usr/sbin/ipop3d\n").unwrap();
        nix::unistd::mkfifo(&etc.path().join("xinetd.d/pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        std::os::unix::fs::symlink("/dev/zero", etc.path().join("xinetd.d/zero")).unwrap();
        let nginx = "error_log /var/log/nginx/error.log;\nmail {\n\terror_log  /var/log/mail.log info;\n\
                     # error_log /x;\n error_log syslog:server=unix:/dev/log;\n}\n";
        fs::write(etc.path().join("nginx/nginx.conf"), nginx).unwrap();
        fs::write(etc.path().join("nginx/conf.d/mail.conf"), "resolver 192.0.2.53;\n").unwrap();
        fs::write(etc.path().join("courier/imapd"), "IMAP_ID_FIELDS=1\n").unwrap();
        let servers = gather(etc.path());
        assert_eq!((servers.nginx_files.len(), servers.courier_files.len()), (2, 1));
        assert_eq!(servers.inetd.len(), 1);
        assert_eq!(servers.nginx_logs, ["/var/log/nginx/error.log", "/var/log/mail.log"]);
        let own = std::env::current_exe().unwrap().display().to_string();
        assert!(servers.programs.contains(&own), "{:?}", servers.programs);
    }
}
