//! The commands that look: `match` in each of its forms, and `matchers`.

use std::fs;
use std::path::Path;

use crate::support::Scratch;
use crate::support::command::{Finished, pop_before_smtp};
use pop_before_smtp::cli::TableFormat;
use pop_before_smtp::commands::catalogue;
use pop_before_smtp::config::servers::Sign;
use pop_before_smtp::matcher::BUILTIN;

const LOG: &str = "Nov 22 16:00:00 mail postfix/smtpd[3]: connect from unknown[192.0.2.7]\n\
    Nov 22 16:00:01 mail imapd: LOGIN, user=a\"\\\t\u{1b}[31m, ip=[192.0.2.2], port=[9]\n\
    Nov 22 16:00:02 mail imapd: LOGIN FAILED, user=x, ip=[192.0.2.3]\n\
    Nov 22 16:00:03 mail imapd: LOGOUT, user=a, ip=[192.0.2.2], port=[9], headers=0\n\
    Nov 22 16:00:04 mail dovecot: imap-login: Login: user=<b>, method=PLAIN, rip=2001:db8::1, lip=::1, TLS\n\
    Nov 22 16:00:05 mail imapd: login happened for c at 192.0.2.9\n\
    Nov 22 16:00:06 mail imapd: login happened for d at 192.0.2.10\n";

fn run(arguments: &[&str]) -> Finished {
    pop_before_smtp(arguments)
}

/// A log in a directory of its own, and its path.
fn log(text: &str) -> (Scratch, String) {
    let scratch = Scratch::new();
    let path = scratch.join("log");
    fs::write(&path, text).unwrap();
    let path = path.display().to_string();
    (scratch, path)
}

#[test]
fn logins_that_newlines_hold_back_are_told_once() {
    let path = "tests/logs/imapproxy/traditional.log";
    let told = |more: &[&str]| run(&[&["match", "--count", path], more].concat());
    let (held, counted, never) = (told(&[]), told(&["--escaped-newlines"]), told(&["--escaped-newlines=false"]));
    let start = "15 logins were not counted, which stand where a stranger's text may be, ";
    assert!(held.stderr.starts_with(start) && held.stderr.lines().count() == 1, "{held:?}");
    assert!(held.stderr.ends_with("give --escaped-newlines\n"));
    assert_eq!((held.stdout.as_str(), never.stdout.as_str()), ("login\t7\nlogout\t0\n", "login\t7\nlogout\t0\n"));
    assert_eq!(counted.stdout, "login\t22\nlogout\t0\n");
    assert_eq!((counted.stderr.as_str(), never.stderr.as_str()), ("", ""));
    let one = run(&["match", "--count", "tests/logs/uw-imap/proxy.traditional.log"]);
    assert_eq!(one.stderr, "", "nothing is held back");
}

#[test]
fn each_format_has_its_exact_form() {
    let (_scratch, log) = log(LOG);
    let printed = |format: &[&str]| {
        let finished = run(&[&["match", &log], format].concat());
        assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""));
        finished.stdout
    };
    assert_eq!(
        printed(&["--format", "tsv"]),
        "2\tlogin\t192.0.2.2\tcourier\ta\"\\\\\\u{9}\\u{1b}[31m\n4\tlogout\t192.0.2.2\tcourier\ta\n\
         5\tlogin\t2001:db8::1\tdovecot\tb\n"
    );
    assert_eq!(
        printed(&[]),
        "2: login 192.0.2.2 courier a\"\\\\\\u{9}\\u{1b}[31m\n4: logout 192.0.2.2 courier a\n5: login 2001:db8::1 dovecot b\n",
        "without colours: not a terminal"
    );
    let json = printed(&["--format", "json"]);
    assert_eq!(
        json.lines().next(),
        Some(r#"{"line":2,"action":"login","address":"192.0.2.2","matcher":"courier","user":"a\"\\\u0009\u001b[31m"}"#)
    );
    assert_eq!(printed(&["--count"]), "login\t2\nlogout\t1\n");
    assert_eq!(printed(&["--count", "--format", "json"]), "{\"login\":2,\"logout\":1}\n");
}

#[test]
fn a_missing_file_does_not_keep_the_others_from_being_read() {
    let (scratch, log) = log(LOG);
    let missing = [scratch.join("one"), scratch.join("two")].map(|path| path.display().to_string());
    for mode in ["--format=tsv", "--suggest"] {
        let finished = run(&["match", mode, &missing[0], &log, &missing[1]]);
        assert_eq!(finished.code, Some(66), "{finished:?}");
        assert!(finished.stdout.contains("courier"), "{finished:?}");
        for path in &missing {
            assert_eq!(
                finished
                    .stderr
                    .matches(&format!(
                        "cannot read {path}: no such file or directory; name a log file, or - for standard input"
                    ))
                    .count(),
                1,
                "{finished:?}"
            );
        }
    }
}

#[test]
fn wrong_use_is_refused() {
    for arguments in [
        ["match"].as_slice(),
        &["match", "--explain"],
        &["match", "--explain", "x", "file"],
        &["match", "--explain", "x", "--count"],
        &["match", "--explain", "x", "--format", "tsv"],
        &["match", "--explain", "x", "--suggest"],
        &["match", "--suggest"],
        &["match", "--suggest", "--count", "file"],
        &["match", "--suggest", "--format", "json", "file"],
        &["match", "--format", "xml", "file"],
        &["matchers", "x"],
    ] {
        let finished = run(arguments);
        assert_eq!(finished.code, Some(64), "{arguments:?}: {finished:?}");
        assert!(finished.stderr.contains("cannot ") && finished.stderr.contains("; "), "{finished:?}");
    }
}

#[track_caller]
fn assert_explained(arguments: &[&str], mentions: &[&str]) {
    let finished = run(&[&["match", "--explain"], arguments].concat());
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""));
    for words in mentions {
        assert!(finished.stdout.contains(words), "no {words:?} in:\n{}", finished.stdout);
    }
    assert!(!finished.stdout.contains('\x1b'), "{}", finished.stdout);
}

#[test]
fn a_line_is_explained() {
    let line = "Nov 22 16:00:01 mail imapd[7]: LOGIN, user=a\x1bb, ip=[192.0.2.2], port=[9]";
    assert_explained(
        &[line],
        &[
            "header     time Nov 22 16:00:01, host mail, program imapd, pid 7\n",
            "message    from column 32: LOGIN, user=a\\u{1b}b, ip=",
            "matchers   courier, cyrus, uw-imap\n",
            "courier login fits: LOGIN, user={user}, ip=[{client}]",
            "  column  44  {user}  takes \"a\\u{1b}b\"\n",
            "  column  53  {client}  takes \"192.0.2.2\"\n",
            "uw-imap login does not fit",
            "event      login of 192.0.2.2, user a\\u{1b}b, by courier\n",
            "granted    192.0.2.2\n",
            "unless     the message before it, of the same host and program, had 500 bytes or more",
        ],
    );
    // Long patterns are cut: a line is explained on a screen or two, not on ten.
    let dovecot = "Nov 22 16:00:01 mail dovecot: imap-login: Login: user=<a>, method=PLAIN, rip=192.0.2.2, lip=192.0.2.25, mpid=1";
    let explained = run(&["match", "--explain", dovecot]).stdout;
    assert!(explained.lines().all(|line| line.len() < 240), "{explained}");
    assert_explained(&[line, "--matcher", "uw-imap"], &["matchers   uw-imap\n", "event      none: no pattern fits\n"]);
    assert_explained(&[line, "--skip-networks", "192.0.2.0/24"], &["refused    it lies in 192.0.2.0/24"]);
}

#[test]
fn refusals_are_explained() {
    let login = |user: &str, ip: &str| format!("Nov 22 16:00:01 mail imapd: LOGIN, user={user}, ip=[{ip}]");
    assert_explained(&["no header"], &["header     none that is known"]);
    assert_explained(&["Nov 22 16:00:01 mail sshd: x"], &["matchers   none listens to this program"]);
    assert_explained(&[&login("a", "127.0.0.1")], &["refused    loopback"]);
    assert_explained(&[&login(&"a".repeat(500), "192.0.2.1")], &["refused    the message has 528 bytes: a logger"]);
    assert_explained(&[&login(&"a".repeat(9000), "192.0.2.1")], &["more than 8192 are not read"]);
    let teapop = "Nov 22 16:00:01 mail teapop: Successful login for ";
    let cut = format!("{teapop}{} [192.0.2.2] from x [192.0.2.1]", "a".repeat(900));
    assert_explained(&[&cut], &["900 or more may have been cut by syslogd"]);
    let unfit = format!("{teapop}bob [192.0.2.2] from x [192.0.2.1 ]");
    assert_explained(&[&unfit], &["'{client}'  is not at the end of \"bob [192.0.2.2] from x [192.0.2.1 \""]);
}

#[test]
fn matchers_of_the_configuration_file_are_explained() {
    let scratch = Scratch::new();
    let config = scratch.join("config.toml");
    let table = r#"[[matcher]]
name = "acme"
programs = ["acme"]
connect = '^connect from (?P<ip>[0-9.]+)$'
login = '^welcome (?P<user>[a-z]+)$'
key = "pid"
"#;
    fs::write(&config, table).unwrap();
    let config = config.to_str().unwrap();
    let line = |message| format!("Nov 22 16:00:01 mail acme[7]: {message}");
    let explain = |message, mentions: &[&str]| assert_explained(&[&line(message), "--config", config], mentions);
    explain("welcome bob", &["{user}  takes \"bob\"", "only if an earlier line of the same session told the address"]);
    explain("welcome Bob", &["  column  39  '(?P<user>[a-z]+)$'  does not fit \"Bob\"", "none: no pattern fits"]);
    explain("connect from 192.0.2.1", &["{ip}  takes \"192.0.2.1\"", "the address of a login that may follow"]);
    let listed = run(&["matchers", "--config", config]).stdout;
    assert!(listed.contains("name                  acme\n"), "{listed}");
}

#[test]
fn matchers_are_suggested() {
    let (_scratch, log) = log(LOG);
    let finished = run(&["match", "--suggest", &log]);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        finished.stdout,
        "courier  1 login\ndovecot  1 login\n\nuse --matcher courier,dovecot\n\n\
         7 lines have this header: traditional stamp, host and tag\n\n\
         2 lines look like logins and no matcher takes them, among them:\n  \
         Nov 22 16:00:05 mail imapd: login happened for c at 192.0.2.9\n\n\
         'pop-before-smtp match --explain LINE' tells why\n"
    );
    assert!(run(&["match", "--suggest", "/dev/null"]).stdout.starts_with("no matcher fits"));
}

#[test]
fn the_prefix_of_a_site_is_taken_off() {
    let line = "Nov 22 16:00:00 mail imapd: LOGIN, user=a, ip=[198.51.100.1], protocol=IMAP\n";
    let (_scratch, log) = log(&format!("relay-2 7: {line}{line}relay-2 x: {line}"));
    let finished = run(&["match", "--line-prefix", "* #: ", &log]);
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), "1: login 198.51.100.1 courier a\n"));
    let refused = run(&["match", "--line-prefix", "* * ", &log]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(64), ""));
    assert!(refused.stderr.contains("nothing but * and spaces would take off part of any line"), "{}", refused.stderr);
}

#[test]
fn the_table_of_matchers_is_printed() {
    let text = run(&["matchers"]).stdout;
    let markdown = run(&["matchers", "--format", "markdown"]).stdout;
    for matcher in BUILTIN {
        for words in [matcher.name, matcher.servers, matcher.enable, matcher.programs[0]] {
            assert!(text.contains(words) && markdown.contains(words), "{words}");
        }
    }
    assert_eq!(markdown.lines().count(), BUILTIN.len() + 2);
    let here = text.lines().filter(|line| line.starts_with("on this host "));
    assert_eq!(here.filter(|line| line.ends_with("  no") || line.contains("  yes: ")).count(), BUILTIN.len());
    assert!(!markdown.contains("on this host"), "a document is about no host");
}

/// Whoever looks through a log of any host finds the logins of every server, but for those that are doubtful by themselves.
#[test]
fn doubtful_logins_are_found_by_name_only() {
    let (_scratch, log) = log("Nov 22 16:00:01 mail imapd: LOGIN, user=a, ip=[::ffff:192.0.2.1], port=[1]\n\
         Nov 22 16:00:02 mail imapd: login: h.example[192.0.2.2] b plaintext\n");
    let matched = |more: &[&str]| run(&[&["match", "--format", "tsv", &log], more].concat()).stdout;
    let (courier, cyrus) = ("1\tlogin\t192.0.2.1\tcourier\ta\n", "2\tlogin\t192.0.2.2\tcyrus-1\tb\n");
    assert_eq!(matched(&[]), courier);
    assert_eq!(matched(&["--matcher", "cyrus-1"]), cyrus);
    for all in ["all", "dovecot,all"] {
        assert_eq!(matched(&["--matcher", all]), format!("{courier}{cyrus}"));
    }
    let suggested = run(&["match", "--suggest", &log]).stdout;
    assert!(
        suggested.contains("\nuse --matcher courier\nuse cyrus-1 only if you are sure of it: it takes "),
        "{suggested}"
    );
}

/// What stands around the table of matchers in docs/servers.md.
const BEGIN: &str =
    "<!-- Generated from src/matcher/builtin; RENEW=1 cargo test --test pure --test daemon up_to_date renews it. -->\n";
const END: &str = "<!-- End of what is generated. -->\n";

/// `RENEW=1` writes the table anew.
#[test]
fn the_page_of_servers_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/servers.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let table = catalogue::table(&[], &[], TableFormat::Markdown);
    let expected = [before, BEGIN, "\n", &table, "\n", END, after].concat();
    if std::env::var_os("RENEW").is_some() {
        fs::write(&path, expected).unwrap();
    } else {
        assert!(text == expected, "not up to date; RENEW=1 cargo test --test pure --test daemon up_to_date renews it");
    }
}

#[test]
fn the_table_in_json_is_an_object_a_line() {
    let json = catalogue::table(&[], &[("dovecot", Sign::Process("dovecot"))], TableFormat::Json);
    let lines: Vec<&str> = json.lines().collect();
    assert_eq!(lines.len(), BUILTIN.len());
    for (line, matcher) in lines.iter().zip(BUILTIN) {
        assert!(line.starts_with(&format!(r#"{{"name":"{}","servers":""#, matcher.name)), "{line}");
        let programs = format!(r#","programs":["{}"],"enable":""#, matcher.programs.join(r#"",""#));
        assert!(line.contains(&programs) && line.ends_with(r#""}"#), "{line}");
    }
    let here = |line: &&str| line.ends_with(r#","on_this_host":"yes: process dovecot runs"}"#);
    assert_eq!(lines.iter().filter(|line| here(line)).count(), 1);
    assert!(json.contains(r#""hold_while_connected":true"#) && json.contains(r#""hold_while_connected":false"#));
}

#[test]
fn standard_input_gives_the_line_to_explain() {
    let (_scratch, log) = log(LOG);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_pop-before-smtp"))
        .args(["match", "--explain", "-"])
        .stdin(fs::File::open(log).unwrap())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("program postfix/smtpd, pid 3") && text.contains("none listens"), "{text}");
    assert!(!text.contains("imapd"), "only the first line: {text}");
}
