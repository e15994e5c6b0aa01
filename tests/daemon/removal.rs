//! What the Debian package says when it goes while Postfix still asks for its table.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::command::finish;
use crate::support::{Need, Scratch, require, write_settled};

const TABLE: &str = "smtpd_relay_restrictions = check_client_access lmdb:/var/lib/pop-before-smtp/clients, reject\n";

/// What `postrm remove` prints where Postfix's directories are below `etc`; the system itself is left alone.
fn removed(etc: &Path, postconf: bool) -> String {
    let script = fs::read_to_string("docs/debian/postrm").unwrap();
    let script = script
        .replace("/etc/postfix", &format!("{}/postfix", etc.display()))
        .replace("/run/systemd/system", "/nonexistent")
        .replace("postconf -hx", &format!("postconf -c {}/postfix -hx", etc.display()));
    let programs = etc.join("programs");
    fs::create_dir_all(&programs).unwrap();
    for (name, code) in [("deb-systemd-helper", Some(0)), ("postconf", (!postconf).then_some(127))] {
        let path = programs.join(name);
        let _ = fs::remove_file(&path);
        if let Some(code) = code {
            fs::write(&path, format!("#!/bin/sh\nexit {code}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", programs.display());
    let done = finish(Command::new("sh").args(["-c", &script, "postrm", "remove"]).env("PATH", path));
    assert_eq!(done.code, Some(0), "{done:?}");
    done.stderr.replace(&etc.display().to_string(), "")
}

/// A directory with the settings of an instance.
fn instance(etc: &Path, name: &str, main_cf: &str, master_cf: &str) {
    let directory = etc.join(name);
    fs::create_dir_all(&directory).unwrap();
    write_settled(&directory.join("main.cf"), &format!("compatibility_level = 2\n{main_cf}"));
    write_settled(&directory.join("master.cf"), &format!("smtp inet n - n - - smtpd\n{master_cf}"));
}

#[test]
fn settings_that_are_in_use_are_named_and_no_others() {
    if !require(&[Need::Program("postconf")]) {
        return;
    }
    let scratch = Scratch::new();
    let etc = scratch.path();
    let told = |postconf| {
        let told = removed(etc, postconf);
        told.split_once("named in ").map_or(told.clone(), |(_, rest)| rest.split(';').next().unwrap().to_owned())
    };
    for postconf in [true, false] {
        let _ = fs::remove_dir_all(etc.join("postfix"));
        instance(etc, "postfix", &format!("# {TABLE}"), "");
        fs::write(etc.join("postfix/main.cf.bak"), TABLE).unwrap();
        assert_eq!(told(postconf), "", "postconf: {postconf}");

        // The file of an SQLite table counts only if it is asked.
        fs::write(etc.join("postfix/pbs.cf"), "dbpath = /var/lib/pop-before-smtp/clients.sqlite\n").unwrap();
        assert_eq!(told(postconf), "", "postconf: {postconf}");
        let asks = format!(
            "smtpd_relay_restrictions = check_client_access proxy:sqlite:{}/postfix/pbs.cf, reject\n",
            etc.display()
        );
        instance(etc, "postfix", &asks, "");
        assert_eq!(told(postconf), "/postfix/main.cf /postfix/pbs.cf", "postconf: {postconf}");

        let option = "  -o smtpd_relay_restrictions=check_client_access,hash:/var/lib/pop-before-smtp/clients,reject\n";
        instance(etc, "postfix", "", option);
        assert_eq!(told(postconf), "/postfix/master.cf", "postconf: {postconf}");

        // Elsewhere, and led to.
        instance(etc, "postfix", "", "");
        instance(etc, "elsewhere", TABLE, "");
        fs::remove_file(etc.join("postfix/main.cf")).unwrap();
        symlink(etc.join("elsewhere/main.cf"), etc.join("postfix/main.cf")).unwrap();
        instance(etc, "postfix-out", TABLE, "");
        assert_eq!(told(postconf), "/postfix-out/main.cf /postfix/main.cf", "postconf: {postconf}");
        fs::remove_dir_all(etc.join("postfix-out")).unwrap();
    }
    let _ = fs::remove_dir_all(etc.join("postfix"));
    assert_eq!(told(true), "");
}
