//! The files for systemd are sound, and the unit gives the daemon no more than it needs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{Need, Scratch, require};

/// Ten times the highest exposure that the unit may have.
const THRESHOLD: &str = "--threshold=20";

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/systemd").join(name)
}

fn security(unit: &Path) -> Output {
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["security", "--offline=true", "--no-pager", THRESHOLD]).arg(unit).output().unwrap()
}

#[test]
fn the_unit_is_sandboxed() {
    if !require(&[Need::Program("systemd-analyze")]) {
        return;
    }
    let analyzed = security(&shipped("pop-before-smtp.service"));
    assert!(analyzed.status.success(), "{}", String::from_utf8_lossy(&analyzed.stdout));

    // The judge can say no.
    let scratch = Scratch::new();
    let open = scratch.join("pop-before-smtp.service");
    fs::write(&open, "[Service]\nExecStart=/bin/true\n").unwrap();
    assert!(!security(&open).status.success());
}

/// The unit with a program that is there.
fn unit_for_this_machine(scratch: &Scratch) -> PathBuf {
    let text = fs::read_to_string(shipped("pop-before-smtp.service")).unwrap();
    let installed = "/usr/sbin/pop-before-smtp";
    assert_eq!(text.matches(installed).count(), 2, "start and stop");
    let unit = scratch.join("pop-before-smtp.service");
    let text = text.replace(installed, env!("CARGO_BIN_EXE_pop-before-smtp"));
    fs::write(&unit, text).unwrap();
    unit
}

#[test]
fn systemd_understands_every_line_of_the_unit() {
    if !require(&[Need::Program("systemd-analyze")]) {
        return;
    }
    let scratch = Scratch::new();
    let unit = unit_for_this_machine(&scratch);
    let verify = |unit: &Path| {
        let mut analyze = Command::new("systemd-analyze");
        let end = analyze.args(["verify", "--man=no", "--recursive-errors=no"]).arg(unit).output().unwrap();
        let said = String::from_utf8_lossy(&end.stderr).into_owned();
        // Of the other units of this machine it complains, too, and where it may not look at all of them.
        said.lines().filter(|line| line.contains("pop-before-smtp.service")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(verify(&unit), Vec::<String>::new());
    let text = fs::read_to_string(&unit).unwrap();
    fs::write(&unit, text.replace("ProtectSystem=", "ProtectSytem=")).unwrap();
    assert_eq!(verify(&unit).len(), 1, "the judge can say no");
}

#[test]
fn user_and_directory_are_what_systemd_makes() {
    if !require(&[Need::Program("systemd-sysusers"), Need::Program("systemd-tmpfiles")]) {
        return;
    }
    let root = Scratch::new();
    for directory in ["etc", "var/lib"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    let run = |program: &str, file: &str| {
        let end = Command::new(program)
            .arg(format!("--root={}", root.path().display()))
            .args(if program.ends_with("tmpfiles") { &["--create"][..] } else { &[] })
            .arg(shipped(file))
            .output()
            .unwrap();
        assert!(end.status.success(), "{program}: {}", String::from_utf8_lossy(&end.stderr));
    };
    run("systemd-sysusers", "pop-before-smtp.sysusers");
    let users = fs::read_to_string(root.join("etc/passwd")).unwrap();
    assert!(users.contains(":/var/lib/pop-before-smtp:/usr/sbin/nologin"), "{users}");
    let groups = fs::read_to_string(root.join("etc/group")).unwrap();
    for group in ["adm:", "systemd-journal:"] {
        assert!(groups.lines().any(|line| line.starts_with(group) && line.ends_with(":pop-before-smtp")), "{groups}");
    }
    // Only root may give it to the user.
    if nix::unistd::geteuid().is_root() {
        run("systemd-tmpfiles", "pop-before-smtp.tmpfiles");
        assert!(root.join("var/lib/pop-before-smtp").is_dir());
    }
}
