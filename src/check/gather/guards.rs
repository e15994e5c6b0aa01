//! What the kernel says of AppArmor and SELinux, and the rules on the disk.

use std::fs;
use std::path::Path;

use crate::check::guards::Guards;

/// Largest file of rules that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// Looks below `root`, which is `/` but in a test.
pub(crate) fn gather(root: &Path) -> Guards {
    let read = |path: &str| fs::read_to_string(root.join(path)).ok();
    let profiles = read("sys/kernel/security/apparmor/profiles");
    let mut rules = Vec::new();
    if profiles.is_some() {
        for directory in ["etc/apparmor.d", "etc/apparmor.d/local"] {
            collect(&root.join(directory), &mut rules);
        }
        rules.sort();
    }
    Guards { profiles, rules, selinux: read("sys/fs/selinux/enforce") }
}

fn collect(directory: &Path, rules: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let is_small = entry.metadata().is_ok_and(|found| found.is_file() && found.len() <= LARGEST);
        if let Some(text) = is_small.then(|| fs::read_to_string(entry.path()).ok()).flatten() {
            rules.push((entry.path().display().to_string(), text));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn profiles_and_rules_are_read_below_a_root() {
        let root = tempfile::tempdir().unwrap();
        let empty = gather(root.path());
        assert!(empty.profiles.is_none() && empty.selinux.is_none() && empty.rules.is_empty());
        for directory in ["sys/kernel/security/apparmor", "sys/fs/selinux", "etc/apparmor.d/local"] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        for (file, text) in [
            ("sys/kernel/security/apparmor/profiles", "postfix-smtpd (enforce)\n"),
            ("sys/fs/selinux/enforce", "1"),
            ("etc/apparmor.d/postfix-smtpd", "profile postfix-smtpd {}"),
            ("etc/apparmor.d/local/postfix-smtpd", "/x rk,"),
        ] {
            fs::write(root.path().join(file), text).unwrap();
        }
        let guards = gather(root.path());
        assert_eq!(guards.profiles.unwrap(), "postfix-smtpd (enforce)\n");
        assert_eq!(guards.selinux.unwrap(), "1");
        assert_eq!(guards.rules.len(), 2);
    }
}
