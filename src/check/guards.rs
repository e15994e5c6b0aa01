//! AppArmor and SELinux: what may keep Postfix from reading the table whatever its mode says. Pure.

use super::finding::Finding;
use super::naming::Ours;
use crate::output::shell;
use crate::saved::state::beside;

/// What the kernel and its configuration say.
#[derive(Debug, Default)]
pub(crate) struct Guards {
    /// `/sys/kernel/security/apparmor/profiles`.
    pub(crate) profiles: Option<String>,
    /// Name and text of each file in `/etc/apparmor.d` and below.
    pub(crate) rules: Vec<(String, String)>,
    /// `/sys/fs/selinux/enforce`.
    pub(crate) selinux: Option<String>,
}

/// Everything about the guards that there are.
pub(crate) fn judge(guards: &Guards, ours: &Ours) -> Vec<Finding> {
    let apparmor = guards.profiles.iter().flat_map(|profiles| apparmor(profiles, &guards.rules, ours));
    apparmor.chain(guards.selinux.iter().map(|enforce| selinux(enforce, ours))).collect()
}

/// The rule that lets a program of Postfix read the table.
fn rule(ours: &Ours) -> String {
    let file = ours.file();
    match ours.kind.as_str() {
        // Readers of an SQLite database in use write its shared memory.
        "sqlite" => format!("{} r, {}* rwk,", beside(&ours.map, ".cf").display(), file.display()),
        _ => format!("{} rk,", file.display()),
    }
}

fn apparmor(profiles: &str, rules: &[(String, String)], ours: &Ours) -> Vec<Finding> {
    let enforced = |line: &str| line.strip_suffix(" (enforce)").map(str::to_owned);
    let reads = |name: &String| {
        let program = name.rsplit(['/', '-']).next().unwrap_or(name);
        matches!(program, "smtpd" | "proxymap" | "postmap")
    };
    let file = ours.file().display().to_string();
    let names: Vec<_> = profiles.lines().filter_map(enforced).filter(reads).collect();
    let is_allowed = rules.iter().any(|(_, text)| {
        let rules = text.lines().map(str::trim_start).filter(|line| !line.starts_with('#'));
        rules.into_iter().any(|line| line.contains(&file))
    });
    if names.is_empty() || is_allowed {
        let why = if names.is_empty() {
            "confines no program of Postfix that reads tables"
        } else {
            "has a rule for the table"
        };
        return vec![Finding::ok(format!("AppArmor {why}"))];
    }
    let judged = names.iter().map(|name| {
        let holder = rules.iter().find(|(_, text)| text.contains(name.as_str())).map(|(path, _)| path.as_str());
        let (path, add) = match holder {
            Some(path) => {
                (path.to_owned(), format!("/etc/apparmor.d/local/{}", path.rsplit('/').next().unwrap_or(path)))
            }
            None => (format!("the file of {name} in /etc/apparmor.d"), format!("the file of {name}")),
        };
        Finding::warning(
            format!("AppArmor confines {name}, and no rule names {file}"),
            format!("write '{}' in {add} and load it: apparmor_parser -r {path}", rule(ours)),
        )
    });
    judged.collect()
}

fn selinux(enforce: &str, ours: &Ours) -> Finding {
    if enforce.trim() != "1" {
        return Finding::ok("SELinux does not enforce");
    }
    let in_place = ours.map.starts_with("/etc/postfix") && ours.kind != "sqlite";
    if in_place {
        return Finding::ok("SELinux enforces, and Postfix may read what is labelled as its configuration");
    }
    let kind = if ours.kind == "sqlite" { "postfix_data_t" } else { "postfix_etc_t" };
    let pattern = shell::argument(&format!("{}.*", ours.map.display()));
    Finding::warning(
        format!("SELinux enforces: Postfix may read {} only with a label of its own", ours.file().display()),
        format!(
            "semanage fcontext -a -t {kind} {pattern} && restorecon -v {}*, and look for refusals: ausearch -m AVC -c smtpd",
            ours.map.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(kind: &str, map: &str) -> Ours {
        Ours { asked: kind.to_owned(), kind: kind.to_owned(), map: map.into() }
    }

    fn told(guards: &Guards, ours: &Ours) -> String {
        judge(guards, ours).iter().map(|finding| format!("{finding}\n")).collect()
    }

    #[test]
    fn nothing_is_said_where_there_is_no_guard() {
        assert_eq!(told(&Guards::default(), &ours("lmdb", "/etc/postfix/pbs")), "");
    }

    #[test]
    fn a_profile_in_force_needs_a_rule() {
        let profiles = "man_filter (enforce)\npostfix-smtpd (enforce)\n/usr/lib/postfix/sbin/qmgr (enforce)\n\
                        /usr/lib/postfix/sbin/proxymap (complain)\n";
        let profile = (
            "/etc/apparmor.d/postfix-smtpd".to_owned(),
            "profile postfix-smtpd /usr/lib/postfix/sbin/smtpd {".to_owned(),
        );
        let mut guards = Guards { profiles: Some(profiles.to_owned()), rules: vec![profile], selinux: None };
        let line = "warning: AppArmor confines postfix-smtpd, and no rule names /etc/postfix/pbs.lmdb; write \
                    '/etc/postfix/pbs.lmdb rk,' in /etc/apparmor.d/local/postfix-smtpd and load it: \
                    apparmor_parser -r /etc/apparmor.d/postfix-smtpd\n";
        assert_eq!(told(&guards, &ours("lmdb", "/etc/postfix/pbs")), line);
        assert!(
            told(&guards, &ours("sqlite", "/etc/postfix/pbs"))
                .contains("/etc/postfix/pbs.cf r, /etc/postfix/pbs.sqlite* rwk,")
        );
        let commented = ("/etc/apparmor.d/local/x".to_owned(), " # /etc/postfix/pbs.lmdb rk,".to_owned());
        guards.rules.push(commented);
        assert_eq!(told(&guards, &ours("lmdb", "/etc/postfix/pbs")), line);
        guards.rules.push(("/etc/apparmor.d/local/y".to_owned(), " /etc/postfix/pbs.lmdb rk,".to_owned()));
        assert_eq!(told(&guards, &ours("lmdb", "/etc/postfix/pbs")), "ok: AppArmor has a rule for the table\n");
    }

    #[test]
    fn no_profile_is_no_trouble() {
        let guards = Guards { profiles: Some("man_filter (enforce)\n".to_owned()), ..Guards::default() };
        assert!(told(&guards, &ours("lmdb", "/etc/postfix/pbs")).starts_with("ok: AppArmor confines no program"));
    }

    #[test]
    fn selinux_wants_a_label() {
        let guards = |enforce: &str| Guards { selinux: Some(enforce.to_owned()), ..Guards::default() };
        assert_eq!(told(&guards("0"), &ours("lmdb", "/srv/pbs")), "ok: SELinux does not enforce\n");
        assert!(told(&guards("1\n"), &ours("lmdb", "/etc/postfix/pbs")).starts_with("ok: "));
        let told = told(&guards("1"), &ours("lmdb", "/srv/pbs"));
        assert!(
            told.contains("warning: ") && told.contains("semanage fcontext -a -t postfix_etc_t '/srv/pbs.*'"),
            "{told}"
        );
    }
}
