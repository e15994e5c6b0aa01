//! Whether the log can be read, holds logins that are understood, and tells the time. Pure.

use std::time::{Duration, SystemTime};

use super::crowd::Crowds;
use super::files::{Entry, User, may};
use super::finding::Finding;
use super::writer::{KnownFrom, Writer};
use crate::commands::suggest::Survey;
use crate::output::escape::short;
use crate::output::shell;
use crate::time::{display, distance};

/// The type of a file in its mode (inode(7)), and that of a directory.
const S_IFMT: u32 = 0o170_000;
const S_IFDIR: u32 = 0o040_000;

/// One log of the daemon.
#[derive(Debug)]
pub(crate) struct Log {
    /// Its path, or what else it is called.
    pub(crate) name: String,
    /// The file and the directories above it, the root first; empty for a log that is no file.
    pub(crate) path: Vec<Entry>,
    /// The groups that may read it, if it is this system's journal.
    pub(crate) groups: Option<Vec<u32>>,
    /// The newest part of it, or why it cannot be read.
    pub(crate) read: Result<Sample, String>,
}

/// What the newest part of a log holds.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    /// Number of whole lines.
    pub(crate) lines: u64,
    /// Logins, and lines like them.
    pub(crate) survey: Survey,
    /// Matchers that find logins and were not chosen.
    pub(crate) unchosen: Vec<String>,
    /// From which addresses how many log in.
    pub(crate) crowds: Crowds,
    /// Stamp of the newest line.
    pub(crate) newest: Option<SystemTime>,
    /// When the file was written last.
    pub(crate) modified: Option<SystemTime>,
}

/// Clocks that are so far apart agree.
const AGREEMENT: Duration = Duration::from_secs(120);

/// A log in which nothing has been written for so long is not followed by chance.
const SILENCE: Duration = Duration::from_secs(24 * 3600);

const NAME_ANOTHER: &str = "name the file that your POP3 or IMAP server logs to with --log, or the journal's unit with \
                            --source journal --journal-unit";
const BE_ANOTHER: &str = "run as a user that may read it (Debian: usermod -a -G adm USER)";

/// Everything about one log, read by the daemon's user.
pub(crate) fn judge(log: &Log, reader: Option<&Writer>) -> Vec<Finding> {
    let name = &log.name;
    let mut findings = Vec::new();
    match (&log.read, reader.and_then(|reader| Some((reader, closed(&log.path, &reader.user)?)))) {
        (Err(why), _) => {
            let cure = if log.path.is_empty() { NAME_ANOTHER } else { BE_ANOTHER };
            return vec![Finding::error(format!("cannot read {name}: {why}"), cure)];
        }
        (Ok(_), Some((reader, entry))) => {
            findings.push(unreadable(reader, &entry.path.display().to_string(), &opening(&reader.user, entry)));
        }
        (Ok(_), None) if let Some(reader) = reader.filter(|reader| !sees_journal(log, &reader.user)) => {
            let cure = format!("{}, and start the daemon again", reader.user.join("systemd-journal"));
            findings.push(unreadable(reader, name, &cure));
        }
        (Ok(_), None) => {
            let who = reader.map_or("us", |reader| reader.user.name.as_str());
            findings.push(Finding::ok(format!("{name} can be read by {who}")));
        }
    }
    if let Ok(sample) = &log.read {
        findings.extend(self::sample(name, sample));
        findings.extend(sample.crowds.judge(name));
    }
    findings
}

/// Access lists let further groups in beside that of its files; who has none sees what he has written himself.
fn sees_journal(log: &Log, reader: &User) -> bool {
    let Some(groups) = &log.groups else { return true };
    reader.uid == 0 || reader.gids.iter().any(|group| groups.contains(group))
}

/// What lets a user read a file, or pass through a directory.
fn opening(user: &User, entry: &Entry) -> String {
    let path = shell::argument(&entry.path.display().to_string());
    // Never for everybody: logs tell who wrote to whom. And no directory for a group: it may have more rights there than to
    // pass.
    if is_directory(entry) && (entry.gid == 0 || entry.mode & 0o010 == 0) {
        format!("let it be logged where user {} may read it, or {NAME_ANOTHER}", shell::argument(&user.name))
    } else if entry.gid == 0 || entry.mode & 0o040 == 0 {
        format!("chgrp adm {path} && chmod g+r {path} && {}, and let logrotate create it so", user.join("adm"))
    } else {
        format!("{}, and start the daemon again", user.join(entry.gid))
    }
}

fn unreadable(Writer { user, source }: &Writer, what: &str, cure: &str) -> Finding {
    let name = &user.name;
    match source {
        KnownFrom::Owner(_) => Finding::warning(
            format!(
                "user {name}, taken for the daemon's, may not read {what}, unless the daemon's unit has SupplementaryGroups="
            ),
            format!("start the daemon and check again; if it may not, {cure}"),
        ),
        _ => Finding::error(format!("user {name}, who runs the daemon, may not read {what}"), cure),
    }
}

/// What keeps a user from reading a file.
fn closed<'a>(path: &'a [Entry], reader: &User) -> Option<&'a Entry> {
    let (file, above) = path.split_last()?;
    above.iter().find(|directory| !may(reader, directory, 0o1)).or((!may(reader, file, 0o4)).then_some(file))
}

fn is_directory(entry: &Entry) -> bool {
    entry.mode & S_IFMT == S_IFDIR
}

fn sample(name: &str, sample: &Sample) -> Vec<Finding> {
    let Sample { lines, survey, unchosen, .. } = sample;
    let file = shell::argument(name);
    let mut findings = Vec::new();
    let found: Vec<_> = survey.logins.iter().map(|(matcher, count)| format!("{count} by {matcher}")).collect();
    if !found.is_empty() {
        findings.push(Finding::ok(format!(
            "{name}: {} in its last {lines} lines: {}",
            logins(survey),
            found.join(", ")
        )));
    } else if !unchosen.is_empty() {
        findings.push(Finding::warning(
            format!("{name} holds no login of the chosen matchers, but of {}", unchosen.join(", ")),
            format!("give --matcher {}", unchosen.join(",")),
        ));
    } else if *lines == 0 {
        findings.push(Finding::warning(
            format!("{name} is empty"),
            "look again after a login; if it stays so, name the right file with --log",
        ));
    } else {
        findings.push(Finding::warning(
            format!("{name} holds no login in its last {lines} lines"),
            format!("log in once and look again; 'pop-before-smtp match --suggest {file}' tells more"),
        ));
    }
    if let Some(example) = survey.examples.first() {
        findings.push(Finding::warning(
            format!("{name}: {} lines look like logins and are not taken for such: {}", survey.untaken, short(example)),
            format!("'pop-before-smtp match --suggest {file}' shows them, match --explain LINE tells why"),
        ));
    }
    findings
}

fn logins(survey: &Survey) -> String {
    match survey.logins.values().sum::<u64>() {
        1 => "1 login".to_owned(),
        count => format!("{count} logins"),
    }
}

/// Whether the system's clock can be right: SQLite rows end by it, and so does what a restart takes over.
pub(crate) fn clock(now: SystemTime, logs: &[Log]) -> Vec<Finding> {
    const SET: &str = "set the clock, and let it be kept right: timedatectl set-ntp true";
    let first_release = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    if now < first_release {
        return vec![Finding::error(format!("the system's clock says {}, which cannot be", display(now)), SET)];
    }
    let mut findings = Vec::new();
    for (log, sample) in logs.iter().filter_map(|log| Some((log, log.read.as_ref().ok()?))) {
        let (name, Some(newest)) = (&log.name, sample.newest) else { continue };
        let written = sample.modified.filter(|modified| distance(*modified, newest) > AGREEMENT);
        if newest > now + AGREEMENT {
            let text = format!(
                "the newest line of {name} is of {}, and the system's clock says {}",
                display(newest),
                display(now)
            );
            findings.push(Finding::warning(text, SET));
        } else if distance(now, newest) > SILENCE && written.is_none() {
            let text = format!("the newest line of {name} is of {}: nobody has written into it since", display(newest));
            findings.push(Finding::warning(text, "name the right file with --log, or set the clock"));
        } else if let Some(written) = written {
            let text =
                format!("the newest line of {name} says {} and was written at {}", display(newest), display(written));
            findings.push(Finding::warning(
                text,
                "give logger and daemon the same time zone, and the log's host the right time",
            ));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(format!("the system's clock says {}, and no log contradicts", display(now))));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::finding::{Level, assert_told, assert_well};
    use super::*;
    use crate::matcher::Matchers;

    fn sampled(lines: &[&str]) -> Sample {
        let mut survey = Survey::default();
        let mut matchers = Matchers::all();
        lines.iter().for_each(|line| survey.look(&mut matchers, line.as_bytes().into()));
        Sample { lines: lines.len() as u64, survey, ..Sample::default() }
    }

    fn log(read: Result<Sample, String>) -> Log {
        Log { name: "/var/log/mail.log".to_owned(), path: Vec::new(), groups: None, read }
    }

    const LOGIN: &str = "Nov 22 16:00:00 mail imapd: LOGIN, user=alice, ip=[::ffff:198.51.100.1], port=[1]";
    const NEARLY: &str = "Nov 22 16:00:00 mail imapd: LOGIN, user=alice, from 198.51.100.1";

    #[test]
    fn logins_are_counted_and_what_is_like_them_shown() {
        let findings = judge(&log(Ok(sampled(&[LOGIN, LOGIN]))), None);
        assert_told(&findings, Level::Ok, "2 logins in its last 2 lines: 2 by courier");
        assert_well(&findings);
        let findings = judge(&log(Ok(sampled(&[LOGIN, NEARLY]))), None);
        assert_told(&findings, Level::Warning, "1 lines look like logins");
        assert_told(&judge(&log(Ok(sampled(&["x"]))), None), Level::Warning, "holds no login in its last 1 lines");
        assert_told(&judge(&log(Ok(Sample::default())), None), Level::Warning, "is empty");
        let other = Sample { unchosen: vec!["dovecot".to_owned()], ..sampled(&["x"]) };
        assert_told(&judge(&log(Ok(other)), None), Level::Warning, "give --matcher dovecot");
    }

    #[test]
    fn text_of_strangers_is_escaped() {
        let findings = judge(&log(Ok(sampled(&["Nov 22 16:00:00 mail imapd: LOGIN, user=\u{1b}[2J, from x"]))), None);
        assert_told(&findings, Level::Warning, r"\u{1b}[2J");
    }

    fn named(name: &str, gids: &[u32], source: KnownFrom) -> Writer {
        Writer { user: User { name: name.to_owned(), uid: 1000, gids: gids.to_vec() }, source }
    }

    /// Neither what his unit adds is known, nor that it is he.
    #[test]
    fn a_guessed_user_is_no_error() {
        let entry = Entry { path: "/var/log/mail.log".into(), mode: 0o640, uid: 0, gid: 4, own_group: false };
        let log = Log { path: vec![entry], ..log(Ok(sampled(&[LOGIN]))) };
        let owner = || KnownFrom::Owner("/var/lib/pbs/clients.lock".into());
        let told = judge(&log, Some(&named("pbs", &[1000], owner())));
        assert_told(&told, Level::Warning, "user pbs, taken for the daemon's, may not read /var/log/mail.log, unless");
        assert_told(&told, Level::Warning, "SupplementaryGroups=; start the daemon and check again");
        assert_told(&told, Level::Warning, "usermod -a -G 4 pbs");
        assert!(!told.iter().any(|finding| finding.level == Level::Error), "{told:?}");
        for source in [owner(), KnownFrom::Process(9)] {
            let told = judge(&log, Some(&named("1000", &[1000], source)))[0].to_string();
            assert!(told.contains("write SupplementaryGroups=4 into the daemon's unit"), "{told}");
            assert!(!told.contains("usermod"), "{told}");
        }
    }

    #[test]
    fn a_log_must_be_readable_by_the_daemons_user() {
        let entry = |path: &str, mode, gid| Entry { path: path.into(), mode, uid: 0, gid, own_group: false };
        let path = vec![entry("/var/log", 0o755, 0), entry("/var/log/mail.log", 0o640, 4)];
        let unread = Log { path: path.clone(), ..log(Err("permission denied".to_owned())) };
        assert_told(&judge(&unread, None), Level::Error, "usermod -a -G adm USER");
        assert_told(&judge(&log(Err("there is none".to_owned())), None), Level::Error, "name the file");
        let log = Log { path, ..log(Ok(sampled(&[LOGIN]))) };
        let user = |gids: &[u32]| named("pbs", gids, KnownFrom::Named);
        assert_told(&judge(&log, Some(&user(&[1000]))), Level::Error, "usermod -a -G 4 pbs");
        assert!(judge(&log, Some(&user(&[1000, 4]))).iter().all(|finding| finding.level == Level::Ok));
    }

    /// Who is in none of these groups sees his own entries, and no error.
    #[test]
    fn the_journal_must_be_readable_by_the_daemons_user() {
        let journal = Log { name: "the journal".to_owned(), groups: Some(vec![4, 101]), ..log(Ok(sampled(&[LOGIN]))) };
        let user = |gids: &[u32]| named("pbs", gids, KnownFrom::Process(9));
        let told = judge(&journal, Some(&user(&[1000])));
        assert_told(
            &told,
            Level::Error,
            "user pbs, who runs the daemon, may not read the journal; usermod -a -G systemd-journal pbs",
        );
        let guessed = named("pbs", &[1000], KnownFrom::Owner("/var/lib/pbs/clients.lock".into()));
        assert_told(
            &judge(&journal, Some(&guessed)),
            Level::Warning,
            "taken for the daemon's, may not read the journal, unless",
        );
        assert_well(&judge(&journal, Some(&user(&[1000, 101]))));
        assert_well(&judge(&journal, None));
    }

    /// No line for the shell opens a log, or a directory above it, to everybody.
    #[test]
    fn a_log_is_opened_to_a_group_and_to_nobody_else() {
        let entry = |path: &str, mode, gid| Entry { path: path.into(), mode, uid: 0, gid, own_group: false };
        let user = named("pbs", &[1000], KnownFrom::Named);
        for (directory, file, cure) in [
            ((0o755, 0), (0o640, 4), "usermod -a -G 4 pbs, and start the daemon again"),
            (
                (0o755, 0),
                (0o640, 0),
                "chgrp adm /var/log/mail.log && chmod g+r /var/log/mail.log && usermod -a -G adm pbs",
            ),
            (
                (0o755, 0),
                (0o600, 4),
                "chgrp adm /var/log/mail.log && chmod g+r /var/log/mail.log && usermod -a -G adm pbs",
            ),
            ((0o750, 4), (0o644, 0), "usermod -a -G 4 pbs, and start the daemon again"),
            ((0o700, 0), (0o644, 0), "let it be logged where user pbs may read it, or name the file"),
            ((0o740, 4), (0o644, 0), "let it be logged where user pbs may read it, or name the file"),
            ((0o760, 0), (0o644, 0), "let it be logged where user pbs may read it, or name the file"),
        ] {
            let (above, log) = (S_IFDIR | directory.0, nix::libc::S_IFREG | file.0);
            let path = vec![entry("/var/log", above, directory.1), entry("/var/log/mail.log", log, file.1)];
            let findings = judge(&Log { path, ..self::log(Ok(sampled(&[LOGIN]))) }, Some(&user));
            assert_told(&findings, Level::Error, cure);
            let text = findings[0].to_string();
            assert!(
                !["o+", "a+", "+r ", "755", "644", "chgrp adm /var/log "]
                    .iter()
                    .any(|opening| text.replace("g+r", "").contains(opening)),
                "{text}"
            );
        }
    }

    #[test]
    fn clock_and_log_must_agree() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_363_419);
        let hours = |n: u64| Duration::from_secs(n * 3600);
        let told = |newest: SystemTime, modified: Option<SystemTime>| {
            clock(now, &[log(Ok(Sample { newest: Some(newest), modified, ..Sample::default() }))])
        };
        assert_told(&told(now, Some(now)), Level::Ok, "no log contradicts");
        assert_told(&told(now - hours(3), Some(now - hours(3))), Level::Ok, "no log contradicts");
        assert_told(&told(now + hours(1), Some(now)), Level::Warning, "timedatectl");
        assert_told(&told(now - hours(30), Some(now - hours(30))), Level::Warning, "nobody has written into it");
        assert_told(&told(now - hours(2), Some(now)), Level::Warning, "time zone");
        assert_told(&clock(SystemTime::UNIX_EPOCH + hours(1), &[]), Level::Error, "which cannot be");
    }
}
