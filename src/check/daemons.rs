//! Who serves the table: one daemon, nobody, or somebody else besides. Pure.

use std::path::Path;

use super::finding::Finding;
use crate::config::Table;
use crate::output::shell;

/// Who serves the table.
#[derive(Debug, Default)]
pub(crate) struct Daemons {
    /// The process that holds the lock of the map; its number if that is known.
    pub(crate) holder: Option<Option<u32>>,
    /// Other processes that have the table open for writing.
    pub(crate) writers: Vec<Process>,
    /// Other programs of our name.
    pub(crate) namesakes: Vec<Process>,
    /// How many clients the table holds, or why it cannot be read.
    pub(crate) listed: Option<Result<usize, String>>,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its number.
    pub(crate) pid: u32,
    /// Its command line.
    pub(crate) command: String,
}

const START: &str = "start it (systemctl start pop-before-smtp), and look into its log if it does not stay";

/// Everything about who serves the table.
pub(crate) fn judge(daemons: &Daemons, table: &Table) -> Vec<Finding> {
    let map = table.options.map.display();
    let who = daemons.holder.flatten().map_or("a daemon".to_owned(), |pid| format!("process {pid}"));
    let mut findings = Vec::new();
    findings.push(match (daemons.holder, &daemons.listed) {
        (_, Some(Err(why))) => Finding::error(why, "start the daemon: it makes a sound table"),
        (Some(_), None) => Finding::warning(
            format!("{who} serves {map}, and no table of {} is there: it has another backend", table.driver.name),
            "give check the options that the daemon has: its --config, or its --backend",
        ),
        (Some(_), Some(Ok(_))) => Finding::ok(format!("{who} serves {map}")),
        (None, Some(Ok(count))) if *count > 0 && !table.driver.expires_rows => Finding::error(
            format!("no daemon serves {map}, and it holds {count} grants that nobody ends"),
            format!("start the daemon, or {}", clear(table)),
        ),
        (None, Some(Ok(_))) => Finding::warning(format!("no daemon serves {map}: no login permits anything"), START),
        // That there is no table says it already.
        (None, None) => Finding::ok(format!("no daemon serves {map}")),
    });
    let shown = |process: &Process| format!("process {} ({})", process.pid, process.command.escape_debug());
    findings.extend(daemons.writers.iter().map(|writer| {
        let text =
            format!("{} has the table open for writing, too: each removes what the other has granted", shown(writer));
        Finding::error(text, format!("end it: kill {}", writer.pid))
    }));
    let others = daemons.namesakes.iter().filter(|process| !daemons.writers.contains(process));
    findings.extend(others.map(|other| {
        let text = format!("another pop-before-smtp runs: {}; two that write one table destroy it", shown(other));
        Finding::warning(text, format!("end it: kill {}, and take it out of the system's start", other.pid))
    }));
    findings
}

fn clear(table: &Table) -> String {
    let map_type = table.options.map_type.as_ref().map(|kind| format!(" --map-type {kind}")).unwrap_or_default();
    let map = shell::argument(&table.options.map.display().to_string());
    format!("pop-before-smtp clear --backend {}{map_type} --map {map}", table.driver.name)
}

/// Who holds the flock(2) on a file, by /proc/locks: `Some(None)` if somebody whose number is not told. `inode` and the
/// device name the file; `known` is the process that the file itself names, where file systems number devices in two ways.
pub(crate) fn holder(locks: &str, (major, minor): (u64, u64), inode: u64, known: Option<u32>) -> Option<Option<u32>> {
    locks.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let at = fields.iter().position(|field| *field == "FLOCK")?;
        // One that waits for the lock has `->` in front.
        if at != 1 {
            return None;
        }
        let pid = fields.get(at + 3)?.parse::<u32>().ok();
        let mut file = fields.get(at + 4)?.split(':');
        let mut device = || file.next().and_then(|number| u64::from_str_radix(number, 16).ok());
        let (found_major, found_minor) = (device()?, device()?);
        let same_inode = file.next()?.parse() == Ok(inode);
        let same_device = (found_major, found_minor) == (major, minor);
        let pid = pid.filter(|pid| *pid > 0);
        (same_inode && (same_device || (known.is_some() && pid == known))).then_some(pid.or(known))
    })
}

/// Whether a command line is that of the Perl program of our name, or of the one in C, whose options are single letters.
pub(crate) fn is_namesake(program: &Path, arguments: &[&str]) -> bool {
    let named = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name == "popbsmtp" || name.strip_prefix("pop-before-smtp").is_some_and(|rest| rest.is_empty() || rest == ".pl")
    };
    let is_perl = program.file_name().is_some_and(|name| name.to_string_lossy().starts_with("perl"));
    if is_perl {
        // It may call itself by the name of its script. What comes behind the script is what it works on.
        return arguments.first().is_some_and(|name| named(name)) || script(arguments).is_some_and(named);
    }
    // An editor or a tail that has a file of that name in its hands is none.
    arguments.split_first().is_some_and(|(first, options)| {
        named(first) && options.iter().all(|word| word.starts_with('-') && !word.starts_with("--"))
    })
}

/// The script that perl runs: the first word that is neither an option nor the directory of a `-I`.
fn script<'a>(arguments: &[&'a str]) -> Option<&'a str> {
    let follows_option = |words: &&[&str]| !words[1].starts_with('-') && words[0] != "-I";
    arguments.windows(2).find(follows_option).map(|words| words[1])
}

#[cfg(test)]
mod tests {
    use pop_before_smtp_backends::{self as backends, driver};

    use super::super::finding::Level;
    use super::*;

    fn told(backend: &str, daemons: &Daemons) -> String {
        let driver = driver(backend).unwrap_or(&backends::DRIVERS[0]);
        let table = Table { driver, options: backends::TableOptions::new("/etc/postfix/pbs") };
        judge(daemons, &table).iter().map(|finding| format!("{finding}\n")).collect()
    }

    fn process(pid: u32, command: &str) -> Process {
        Process { pid, command: command.to_owned() }
    }

    #[test]
    fn one_daemon_is_well() {
        let daemons = Daemons { holder: Some(Some(7)), listed: Some(Ok(3)), ..Daemons::default() };
        assert_eq!(told("postmap", &daemons), "ok: process 7 serves /etc/postfix/pbs\n");
    }

    #[test]
    fn a_daemon_of_another_backend_is_no_good_sign() {
        let daemons = Daemons { holder: Some(Some(7)), ..Daemons::default() };
        let warning =
            "warning: process 7 serves /etc/postfix/pbs, and no table of lmdb is there: it has another backend; ";
        assert!(told("lmdb", &daemons).starts_with(warning), "{}", told("lmdb", &daemons));
    }

    #[test]
    fn a_daemon_that_does_not_run_is_told() {
        let daemons = |count| Daemons { listed: Some(Ok(count)), ..Daemons::default() };
        let warning = "warning: no daemon serves /etc/postfix/pbs: no login permits anything; start it";
        assert!(told("lmdb", &daemons(0)).starts_with(warning));
        assert!(told("sqlite", &daemons(3)).starts_with(warning), "rows end by themselves");
        assert_eq!(
            told("lmdb", &Daemons::default()),
            "ok: no daemon serves /etc/postfix/pbs\n",
            "nor is there a table"
        );
    }

    #[test]
    fn grants_that_nobody_ends_are_an_error() {
        let daemons = Daemons { listed: Some(Ok(3)), ..Daemons::default() };
        assert!(told("lmdb", &daemons).contains("error: no daemon serves /etc/postfix/pbs, and it holds 3 grants"));
        assert!(told("lmdb", &daemons).contains("pop-before-smtp clear --backend lmdb --map /etc/postfix/pbs"));
        let daemons = Daemons { listed: Some(Err("it is damaged".to_owned())), ..Daemons::default() };
        assert!(told("lmdb", &daemons).starts_with("error: it is damaged"));
    }

    #[test]
    fn another_writer_is_told() {
        let perl = process(9, "/usr/bin/perl /usr/sbin/pop-before-smtp");
        let mut daemons = Daemons { namesakes: vec![perl.clone()], ..Daemons::default() };
        assert!(told("lmdb", &daemons).contains("warning: another pop-before-smtp runs: process 9 (/usr/bin/perl "));
        daemons.writers = vec![perl];
        let told = told("lmdb", &daemons);
        assert!(told.contains("error: process 9") && !told.contains("warning"), "{told}");
        assert_eq!(Level::Error.max(Level::Warning), Level::Error);
    }

    #[test]
    fn the_holder_of_a_lock_is_found() {
        let locks = "1: POSIX  ADVISORY  WRITE 5 08:01:77 0 EOF\n2: FLOCK  ADVISORY  WRITE 4711 fe:01:77 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 9 fe:01:77 0 EOF\n3: FLOCK  ADVISORY  WRITE 0 00:1b:78 0 EOF\n";
        assert_eq!(holder(locks, (0xfe, 1), 77, None), Some(Some(4711)));
        assert_eq!(holder(locks, (0, 0x2a), 77, Some(4711)), Some(Some(4711)), "btrfs");
        assert_eq!(holder(locks, (0, 0x2a), 77, Some(4712)), None);
        assert_eq!(holder(locks, (0, 0x1b), 78, None), Some(None), "in another container");
        assert_eq!(holder(locks, (8, 1), 77, None), None);
    }

    #[test]
    fn namesakes_are_told_from_those_who_look_at_them() {
        let perl = Path::new("/usr/bin/perl5.36");
        assert!(is_namesake(perl, &["/usr/bin/perl", "-wT", "/usr/sbin/pop-before-smtp", "--daemon"]));
        assert!(is_namesake(Path::new("/usr/local/bin/pop-before-smtp"), &["pop-before-smtp", "-b"]));
        assert!(!is_namesake(Path::new("/usr/sbin/pop-before-smtp"), &["pop-before-smtp", "--map", "/x"]));
        assert!(!is_namesake(Path::new("/usr/bin/vim"), &["vim", "/etc/pop-before-smtp"]));
        assert!(is_namesake(perl, &["perl", "-I", "/usr/share/perl5", "/usr/sbin/pop-before-smtp"]));
        assert!(is_namesake(perl, &["pop-before-smtp", "--daemon"]), "by $0");
        assert!(!is_namesake(perl, &["perl", "/usr/sbin/pop-before-smtp-report"]));
        assert!(!is_namesake(perl, &["/usr/bin/perl", "/usr/bin/dpkg-shlibdeps", "/tmp/x/usr/sbin/pop-before-smtp"]));
    }
}
