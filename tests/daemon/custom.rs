//! Matchers of the configuration file, used by the program.

use std::fs;

use crate::support::Scratch;
use crate::support::command::pop_before_smtp;

const ACME: &str = r#"
[[matcher]]
name = "acme"
programs = ["acme-imap", "acme-pop3"]
login = '^session opened for (?P<user>.*) from \[(?P<ip>[0-9A-Fa-f:.]+)\]$'
"#;

#[test]
fn the_program_uses_them() {
    let scratch = Scratch::new();
    let (config, log) = (scratch.join("config.toml"), scratch.join("log"));
    fs::write(&config, ACME).unwrap();
    fs::write(
        &log,
        "Nov 22 16:00:00 mail acme-imap[1]: session opened for a from [192.0.2.1]\n\
         Nov 22 16:00:00 mail imapd: LOGIN, user=b, ip=[192.0.2.2]\n",
    )
    .unwrap();
    let (config, log) = (config.to_str().unwrap(), log.to_str().unwrap());
    let run = |arguments: &[&str]| pop_before_smtp(&[&["match", "--format", "tsv", log], arguments].concat());
    let all = "1\tlogin\t192.0.2.1\tacme\ta\n2\tlogin\t192.0.2.2\tcourier\tb\n";
    assert_eq!(run(&["--config", config]).stdout, all);
    assert_eq!(run(&["--config", config, "--matcher", "acme"]).stdout, "1\tlogin\t192.0.2.1\tacme\ta\n");
    assert_eq!(run(&["--config", config, "--matcher", "acme,courier"]).stdout, all);
    let unknown = run(&["--config", config, "--matcher", "acne"]);
    assert_eq!(unknown.code, Some(64));
    assert!(unknown.stderr.contains("acme"), "{}", unknown.stderr);
    let missing = run(&["--config", "/nonexistent/x.toml"]);
    assert_eq!(missing.code, Some(66));
    assert!(missing.stderr.contains("cannot read configuration file /nonexistent/x.toml"), "{}", missing.stderr);
    fs::write(config, "[[matcher]]\nname = \"x\"\nprograms = [\"x\"]\nlogin = '''login'''\n").unwrap();
    let refused = run(&["--config", config]);
    assert_eq!(refused.code, Some(78));
    assert!(refused.stderr.contains(&format!("cannot use {config}:4:9: ")), "{}", refused.stderr);
}
