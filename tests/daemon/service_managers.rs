//! The scripts for OpenRC and runit are shell, and start the program with options that it knows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::Scratch;
use crate::support::command::{finish, pop_before_smtp};

const INSTALLED: &str = "/usr/sbin/pop-before-smtp";

fn scripts() -> [PathBuf; 5] {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples");
    let runit = examples.join("runit/pop-before-smtp");
    let install = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/static/install");
    [examples.join("openrc/pop-before-smtp"), runit.join("run"), runit.join("finish"), runit.join("log/run"), install]
}

#[test]
fn a_shell_can_read_them() {
    for script in scripts() {
        let end = finish(Command::new("sh").arg("-n").arg(&script));
        assert_eq!((end.code, &end.stderr[..]), (Some(0), ""), "{}", script.display());
    }
    let scratch = Scratch::new();
    fs::write(scratch.join("broken"), "if true; then\n").unwrap();
    assert_ne!(finish(Command::new("sh").arg("-n").arg(scratch.join("broken"))).code, Some(0), "the judge can say no");
}

/// What follows the program's path, but for `$settings` and the like.
fn arguments(line: &str) -> Vec<&str> {
    line.split_whitespace().take_while(|word| !["||", "&&", ";", ">/dev/null"].contains(word)).collect()
}

#[test]
fn the_program_knows_the_options_that_they_give_it() {
    let scratch = Scratch::new();
    let settings = scratch.join("pop-before-smtp.toml");
    fs::write(&settings, "backend = \"lmdb\"\nmap = \"/var/lib/pop-before-smtp/clients\"\n").unwrap();
    let settings = settings.to_str().unwrap();
    let mut found = 0;
    for script in scripts().iter().take(3) {
        let text = fs::read_to_string(script).unwrap();
        // OpenRC's names program and settings by variables.
        let text = text.replace(['"', '\''], "").replace("$program", INSTALLED).replace("$settings", settings);
        let text = text.replace("/etc/pop-before-smtp.toml", settings).replace("$user", "root");
        for line in text.split(['\n', ';']).filter(|line| !line.starts_with('#')) {
            let Some((_, rest)) = line.split_once(&format!("{INSTALLED} ")) else { continue };
            found += 1;
            // Without writing or starting anything.
            let mut arguments = arguments(rest);
            arguments.retain(|argument| *argument != "--dump-config");
            arguments.insert(0, "--dump-config");
            let end = pop_before_smtp(&arguments);
            assert_eq!(end.code, Some(0), "{}: {line}: {}", script.display(), end.stderr);
        }
    }
    assert_eq!(found, 6, "start and clear of each; OpenRC's clears twice, and looks at the settings");
}
