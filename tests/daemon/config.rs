//! The configuration file: every option is a key, what is wrong is told with its place, the command line wins, and what
//! `--dump-config` prints makes the same again.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;

use crate::support::command::{Finished, pop_before_smtp};
use crate::support::{Need, Scratch, require};
use pop_before_smtp::cli::{Kind, OPTIONS, OptionRow};
use pop_before_smtp::config::config_file::key_of;
use pop_before_smtp::config::{self, effective};

/// An option of the file, what else must be said for it to make sense, and two of its values as the file has them, and as
/// `--dump-config` does.
struct Sample {
    row: &'static OptionRow,
    with: &'static str,
    values: [String; 2],
}

impl Sample {
    fn new(row: &'static OptionRow) -> Self {
        let with = match row.key {
            "lmdb-update" | "sync" => "backend = \"lmdb\"\n",
            "relay-warning" => "count-relays = true\n",
            "source" => "journal-unit = [\"dovecot\"]\n",
            "journal-directory" => "source = \"journal\"\njournal-unit = [\"a\"]\n",
            key if key.starts_with("journal") => "source = \"journal\"\n",
            _ => "",
        };
        let values = match row.kind {
            _ if row.is_list() => {
                let all: toml::Table = toml::from_str(&format!("x = {}", row.example)).unwrap();
                [row.example.to_owned(), format!("[{}]", all["x"][0])]
            }
            Kind::Flag => ["true".to_owned(), "false".to_owned()],
            Kind::Number => ["7".to_owned(), "9".to_owned()],
            Kind::Time => ["\"1500ms\"".to_owned(), "3".to_owned()],
            Kind::Path => ["\"/tmp/a\"".to_owned(), "\"/tmp/b\"".to_owned()],
            _ if row.key == "dovecot-login-format" => [row.example.to_owned(), "\"user=<%u> rip=%r\"".to_owned()],
            _ if row.key == "line-prefix" => [row.example.to_owned(), "\"mail02 \"".to_owned()],
            Kind::Choice(_) | Kind::Text => {
                [row.example.to_owned(), format!("\"{}\"", row.default_value().unwrap_or("x"))]
            }
        };
        Self { row, with, values }
    }
}

fn rows() -> impl Iterator<Item = &'static OptionRow> {
    OPTIONS.iter().filter(|row| row.is_in_file())
}

fn samples() -> impl Iterator<Item = Sample> {
    rows().map(Sample::new)
}

/// A configuration file that nobody else may write.
struct File {
    scratch: Scratch,
}

impl File {
    fn new(text: &str) -> Self {
        let file = Self { scratch: Scratch::new() };
        file.write(text);
        file
    }

    fn write(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
        fs::set_permissions(self.path(), Permissions::from_mode(0o644)).unwrap();
    }

    fn path(&self) -> String {
        self.scratch.join("a.toml").display().to_string()
    }

    fn dump(&self, more: &[&str]) -> Finished {
        pop_before_smtp(&[&["--config", &self.path(), "--dump-config"], more].concat())
    }
}

/// The one line of an error, without `error: `.
#[track_caller]
fn refusal(finished: &Finished, code: i32) -> String {
    assert_eq!(finished.code, Some(code), "{finished:?}");
    assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
    finished.stderr.trim_end().split_once("error: ").expect("an error").1.to_owned()
}

#[track_caller]
fn dumped(finished: &Finished) -> String {
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{finished:?}");
    finished.stdout.clone()
}

/// The settings without where they are from, and without those that have none.
fn values(dump: &str) -> Vec<String> {
    let lines = dump.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.split("  # ").next().unwrap().to_owned()).collect()
}

/// The values as the command line has them.
fn arguments(row: &OptionRow, value: &str) -> Vec<String> {
    let toml: toml::Table = toml::from_str(&format!("x = {value}")).unwrap();
    let text = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let argument = |value: &toml::Value| format!("--{}={}", row.key, text(value));
    match &toml["x"] {
        toml::Value::Array(values) => values.iter().map(argument).collect(),
        value => vec![argument(value)],
    }
}

#[test]
fn every_option_is_a_key_and_the_dump_tells_where_it_was_said() {
    for Sample { row, with, values } in samples() {
        for value in values {
            let file = File::new(&format!("{with}{} = {value}\n", row.key));
            let line = with.lines().count() + 1;
            let expected = format!("{} = {value}  # {}:{line}", key_of(row), file.path());
            let dump = dumped(&file.dump(&[]));
            assert!(dump.lines().any(|line| line == expected), "no {expected} in:\n{dump}");
        }
    }
}

#[test]
fn the_command_line_wins() {
    for Sample { row, with, values: [in_file, on_line] } in samples() {
        let file = File::new(&format!("{with}{} = {in_file}\n", row.key));
        let arguments = arguments(row, &on_line);
        let dump = dumped(&file.dump(&arguments.iter().map(String::as_str).collect::<Vec<_>>()));
        let expected = format!("{} = {on_line}  # command line", key_of(row));
        assert!(dump.lines().any(|line| line == expected), "no {expected} in:\n{dump}");
    }
    let file = File::new("hold-while-connected = false\n");
    assert!(dumped(&file.dump(&["--hold-while-connected"])).contains("hold-while-connected = true  # command line\n"));
}

#[test]
fn commas_part_the_values_of_a_list_in_the_file_too() {
    let dump = dumped(&File::new("matchers = [\"dovecot,cyrus\", \"courier\"]\nlog = [\"/tmp/b, c.log\"]").dump(&[]));
    assert!(dump.contains("matchers = [\"dovecot\", \"cyrus\", \"courier\"]  # "), "{dump}");
    assert!(dump.contains("log = [\"/tmp/b, c.log\"]  # "), "a file's name may hold one: {dump}");
}

#[test]
fn a_value_of_the_wrong_type_is_refused_at_its_place() {
    let wrong = ["true", "7", "\"no such thing\"", "7.5", "1979-05-27", "{ a = 1 }", "[[7]]", "[true]", "[\"x\"]"];
    for Sample { row, with, .. } in samples() {
        let right = |value: &str| match row.kind {
            Kind::Flag => value == "true",
            Kind::Number => value == "7",
            Kind::Time => value == "7" || value.starts_with('"'),
            Kind::Choice(_) | Kind::Path | Kind::Text => {
                value.starts_with('"') || (row.is_list() && value == "[\"x\"]")
            }
        };
        // A matcher that is no text describes one.
        let is_description = |value: &str| row.key == "matcher" && value.contains(['{', '[']);
        let wrong = wrong.iter().filter(|value| !right(value) && !is_description(value));
        for value in wrong {
            let file = File::new(&format!("\n{} = {value}\n", row.key));
            let told = refusal(&file.dump(&[]), 78);
            let column = row.key.len() + 4 + usize::from(value.starts_with('[') && row.is_list());
            let start = format!("cannot use {}:2:{column}: {} takes ", file.path(), row.key);
            assert!(told.starts_with(&start) && told.contains("; write it like "), "{value}: {told}");
            let example = told.split_once("; write it like ").unwrap().1;
            file.write(&format!("{with}{example}\n"));
            dumped(&file.dump(&[]));
        }
    }
}

#[test]
fn a_value_that_cannot_be_is_refused_as_on_the_command_line() {
    let table = [
        ("grace = \"soon\"", "1:9: grace soon: not a time"),
        ("grace = 0", "1:9: grace 0: out of range"),
        ("grace = -5", "1:9: grace -5: not a time"),
        ("entries = 0", "1:11: entries 0: not a number"),
        ("publish-interval = \"2m\"", "1:20: publish-interval 2m: out of range"),
        ("backend = \"lmbd\"", "1:11: backend lmbd: there is no such backend; choose from postmap"),
        ("source = \"tial\"", "1:10: there is no source tial; did you mean tail?"),
        ("map = \"tables/x\"", "1:7: map tables/x: not an absolute path"),
        ("log = [\"/a\", \"b\"]", "1:14: log b: not an absolute path"),
        ("log = \"follow:b\"", "1:7: log follow:b: not an absolute path"),
        ("pid-file = \"\"", "1:12: pid-file : not an absolute path"),
        ("map = \"/etc/\"", "1:7: map /etc/: not the name of a file"),
        ("skip-networks = [\"10.0.0.0/8\", \"1.2.3\"]", "1:32: skip-networks 1.2.3: not a network"),
        ("matcher = [\"dovecott\"]", "1:12: matcher dovecott: there is no such matcher; choose from all, apple"),
        ("matchers = \"acme\"", "1:12: matchers acme: there is no such matcher"),
        ("value = \" x\"", "1:9: value"),
        // Combinations.
        (
            "lmdb-update = \"in-place\"",
            "1:15: lmdb-update in-place: backend postmap knows no such thing; add --backend",
        ),
        ("backend = \"sqlite\"\nsync = \"never\"", "2:8: sync never: backend sqlite knows"),
        ("source = \"journal\"", "1:10: source journal: any user may write"),
        ("journal-unit = [\"a b\"]", "1:17: journal-unit a b: not the name of a unit"),
        ("source = \"journal\"\njournal-uid = [0]\nlog = \"/a\"", "1:10: source journal: --log names a file"),
    ];
    for (text, expected) in table {
        let file = File::new(text);
        let told = refusal(&file.dump(&[]), 78);
        assert!(told.starts_with(&format!("cannot use {}:{expected}", file.path())), "{text}: {told}");
    }
}

#[test]
fn half_a_combination_of_the_command_line_is_told_by_whoever_is_wrong() {
    let file = File::new("lmdb-update = \"in-place\"\nbackend = \"lmdb\"\n");
    assert!(refusal(&file.dump(&["--backend", "sqlite"]), 78).contains("a.toml:1:15: lmdb-update in-place: "));
    let told = refusal(&File::new("backend = \"sqlite\"\n").dump(&["--sync", "never"]), 64);
    assert!(told.starts_with("cannot use --sync never: backend sqlite"), "{told}");
    // It is told also to those who only read the table.
    let arguments = ["list", "--config", &file.path(), "--backend", "sqlite"];
    assert!(refusal(&pop_before_smtp(&arguments), 78).contains("a.toml:1:15: "));
}

#[test]
fn a_key_that_is_not_known_is_refused_with_the_nearest() {
    let table = [
        ("\n  graze = 5\n", "2:3: there is no key graze; did you mean grace?"),
        ("lmdb_update = \"rename\"", "1:1: there is no key lmdb_update; did you mean lmdb-update?"),
        ("skip-network = []", "1:1: there is no key skip-network; did you mean skip-networks?"),
        ("[daemon]\n", "1:2: there is no key daemon; choose from pid-file, user, backend, "),
        ("once = true", "1:1: once is about one run, not about a site; give --once on the command line"),
        ("grace = 5\ngrace = 6", "2:1: the key grace is there twice"),
        ("matcher = []\nmatchers = []", "2:1: matchers says the same as matcher in line 1; leave one of them out"),
        ("grace = ", "1:9: "),
        ("grace = 5\nentries = 6 7", "2:11: "),
    ];
    for (text, expected) in table {
        let file = File::new(text);
        let told = refusal(&file.dump(&[]), 78);
        assert!(told.starts_with(&format!("cannot use {}:{expected}", file.path())), "{text}: {told}");
    }
}

const CUSTOM: &str = r#"
[[matcher]]
name = "acme"
programs = ["acme-imap", "acme-pop3"]
connect = '^it''s "(?P<session>[a-z0-9]+)" from (?P<ip>[0-9A-Fa-f:.]+)$'
login = '^session "(?P<session>[a-z0-9]+)" opened for (?P<user>.*)$'
logout = '^session "(?P<session>[a-z0-9]+)" closed$'
key = "session"

[[matcher]]
name = "plain"
programs = ["plain"]
login = '^opened from (?P<ip>[0-9A-Fa-f:.]+)$'
"#;

#[test]
fn what_is_dumped_makes_the_same_again() {
    let custom = CUSTOM.replace("it''s", "its");
    let all = |sample: Sample| match sample.row.key {
        "log" => String::new(),
        _ => format!("{} = {}\n", key_of(sample.row), sample.values[0]),
    };
    let first = format!("{}{custom}", samples().map(all).collect::<String>());
    let second = format!("log = [\"/tmp/a.log\"]\nmatchers = [\"acme\"]\n{custom}");
    let means = "log = [\"tail:/tmp/a\", \"follow:/tmp/b\", \"/tmp/*.log\", \"journal:dovecot\", \"-\"]";
    for text in ["", &first, &second, &custom, means, "log = [\"-\"]\ngrace = 5", "journal-unit = [\"x\"]"] {
        let file = File::new(text);
        let before = dumped(&file.dump(&["--entries", "77"]));
        file.write(&before);
        let after = dumped(&file.dump(&[]));
        assert_eq!(values(&before), values(&after));
        assert!(before.contains("\nentries = 77  # command line\n"), "{before}");
        // All of it is from the file now, but what has no value.
        for (number, line) in (1..).zip(before.lines()).filter(|(_, line)| line.contains("  # ")) {
            let origin = after.lines().nth(number - 1).unwrap().rsplit_once("  # ").unwrap().1.to_owned();
            let is_set = !line.starts_with('#');
            assert_eq!(origin == format!("{}:{number}", file.path()), is_set, "{line} became {origin}");
        }
    }
    let all = dumped(&File::new(&first).dump(&[]));
    for row in rows().filter(|row| row.key != "log") {
        let start = format!("{} = ", key_of(row));
        assert!(all.lines().any(|line| line.starts_with(&start) && line.contains("a.toml:")), "{start} in\n{all}");
    }
}

#[test]
fn relative_paths_of_the_command_line_are_dumped_in_full() {
    let here = std::env::current_dir().unwrap();
    let dump = dumped(&pop_before_smtp(&["--dump-config", "--map", "x/y", "--log", "tail:a.log", "--log", "-"]));
    assert!(dump.contains(&format!("map = \"{}\"  # command line", here.join("x/y").display())), "{dump}");
    assert!(
        dump.contains(&format!("log = [\"tail:{}\", \"-\"]  # command line", here.join("a.log").display())),
        "{dump}"
    );
}

#[test]
fn a_running_daemon_keeps_the_interval_of_its_own_table() {
    let options = |arguments: &[&str]| {
        let arguments = ["pop-before-smtp"].iter().chain(arguments).map(OsString::from);
        effective::read(arguments).unwrap().unwrap().options
    };
    let running = config::table(&options(&["--map", "/tmp/a", "--map-type", "hash"])).unwrap();
    let interval =
        |arguments, running| config::check(&options(arguments), running).unwrap().policy.publish_interval.as_secs();
    assert_eq!(interval(&["--backend", "sqlite"], None), 0);
    assert_eq!(interval(&["--backend", "sqlite"], Some(&running)), 1);
    assert_eq!(interval(&["--backend", "sqlite", "--publish-interval", "7"], Some(&running)), 7);
}

#[test]
fn no_file_is_read_unless_it_is_named() {
    let dump = dumped(&pop_before_smtp(&["--dump-config"]));
    assert!(dump.lines().all(|line| line.contains("  # default")), "{dump}");
}

#[test]
fn a_file_that_others_may_write_is_not_trusted() {
    let file = File::new("grace = 5\n");
    for (mode, code) in [(0o600, 0), (0o644, 0), (0o444, 0), (0o664, 78), (0o646, 78), (0o666, 78), (0o1620, 78)] {
        fs::set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
        let finished = file.dump(&[]);
        assert_eq!(finished.code, Some(code), "{mode:o}: {finished:?}");
        if code != 0 {
            let told = refusal(&finished, code);
            let cause =
                format!("cannot trust configuration file {}: its mode {mode:04o} lets others write it", file.path());
            assert_eq!(told, format!("{cause}; chmod go-w {}", file.path()));
        }
    }
    file.write("grace = 5\n");
    let link = file.scratch.join("link.toml");
    symlink(file.path(), &link).unwrap();
    assert_eq!(pop_before_smtp(&[Path::new("--dump-config"), Path::new("--config"), &link]).code, Some(0));
    if require(&[Need::Root]) {
        chown(file.path(), Some(65534), None).unwrap();
        let told = refusal(&file.dump(&[]), 78);
        assert!(told.contains("it belongs to user 65534") && told.contains("; chown root "), "{told}");
    }
}

#[test]
fn what_is_no_file_is_refused_and_not_waited_for() {
    let scratch = Scratch::new();
    let fifo = scratch.join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    for path in [fifo.as_path(), scratch.path(), Path::new("/dev/null")] {
        let path = path.display().to_string();
        let told = refusal(&pop_before_smtp(&["--dump-config", "--config", &path]), 78);
        assert_eq!(
            told,
            format!("cannot trust configuration file {path}: it is no regular file; name a file with --config")
        );
    }
    let missing = scratch.join("missing").display().to_string();
    let told = refusal(&pop_before_smtp(&["--dump-config", "--config", &missing]), 66);
    assert!(told.starts_with(&format!("cannot read configuration file {missing}: no such file")), "{told}");
    let file = File::new("");
    fs::write(file.path(), b"grace = 5\nvalue = '\xff'\n").unwrap();
    assert!(refusal(&file.dump(&[]), 78).contains("line 2 is not UTF-8"));
    fs::write(file.path(), "#".repeat((1 << 20) + 1)).unwrap();
    assert!(refusal(&file.dump(&[]), 78).contains("larger than 1 MiB"));
}

#[test]
fn the_example_has_every_key_at_its_default() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/pop-before-smtp.toml");
    let text = fs::read_to_string(example).unwrap();
    // What is commented out has no default, or one that is found out at start.
    let uncommented: String = text
        .lines()
        .map(|line| {
            line.strip_prefix("#").filter(|rest| !rest.starts_with([' ', '#']) && !rest.is_empty()).unwrap_or(line)
        })
        .map(|line| format!("{line}\n"))
        .collect();
    for row in rows() {
        let start = format!("{} = ", key_of(row));
        let lines: Vec<_> = uncommented.lines().filter(|line| line.starts_with(&start)).collect();
        assert_eq!(lines.len(), 1, "{start}");
        let is_set = text.lines().any(|line| line.starts_with(&start));
        assert_eq!(is_set, row.default_value().is_some() || row.is_list(), "{start}");
    }
    // As it is, it changes nothing.
    assert_eq!(values(&dumped(&File::new(&text).dump(&[]))), values(&dumped(&pop_before_smtp(&["--dump-config"]))));
    // And what is commented out can be used.
    assert!(uncommented.lines().filter(|line| *line == "[[matcher]]").count() == 1);
    let all = dumped(&File::new(&uncommented).dump(&[]));
    assert!(all.contains("\n[[matcher]]  # "), "{all}");
}
