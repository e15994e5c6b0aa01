//! Whose the daemon is, or would be: who has to write the table and to read the logs. Pure.

use std::path::PathBuf;

use super::files::User;
use super::finding::Finding;

/// The daemon's user.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    /// Who it is.
    pub(crate) user: User,
    /// How that is known.
    pub(crate) source: KnownFrom,
}

/// How the daemon's user is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KnownFrom {
    /// It is that of this process, which serves the map.
    Process(u32),
    /// `--user` or the configuration file names him.
    Named,
    /// He owns this file or directory of a daemon that is not to be seen. A unit of systemd may name a user that no option does.
    Owner(PathBuf),
    /// Nothing tells; it is taken to be whoever runs `check`.
    Ourselves,
}

/// Whom the other findings are about, unless it is the one who reads them or the one that he named.
pub(crate) fn judge(writer: &Writer, ourselves: u32) -> Option<Finding> {
    let name = &writer.user.name;
    let why = match &writer.source {
        KnownFrom::Named | KnownFrom::Ourselves => return None,
        _ if writer.user.uid == ourselves => return None,
        KnownFrom::Process(pid) => format!("whose process {pid} serves the map"),
        KnownFrom::Owner(path) => {
            format!("who owns {}, because no daemon runs and --user names nobody", path.display())
        }
    };
    Some(Finding::ok(format!("directory and logs are judged for user {name}, {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_who_was_taken_for_the_daemons_user() {
        let told = |uid: u32, source: KnownFrom| {
            let user = User { name: "pbs".to_owned(), uid, gids: vec![uid] };
            judge(&Writer { user, source }, 0).map(|finding| finding.to_string()).unwrap_or_default()
        };
        let lock = || KnownFrom::Owner("/var/lib/pbs/map.lock".into());
        assert_eq!(
            told(7, lock()),
            "ok: directory and logs are judged for user pbs, who owns /var/lib/pbs/map.lock, because no daemon runs and \
             --user names nobody"
        );
        assert!(told(7, KnownFrom::Process(9)).ends_with("user pbs, whose process 9 serves the map"));
        assert_eq!(told(0, lock()), "");
        assert_eq!(told(7, KnownFrom::Named), "");
    }
}
