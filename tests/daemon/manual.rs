//! The manual pages, the completions, the reference of options and the example of a configuration file are what the table
//! of options says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::command::pop_before_smtp;
use crate::support::{Need, Scratch, require};
use clap::Arg;
use clap::builder::PossibleValuesParser;
use clap_complete::{Shell, generate};
use pop_before_smtp::cli::{self, Kind, OPTIONS, OptionRow, Preset, Scope};
use pop_before_smtp::config::config_file::{MATCHER, MATCHERS, key_of};
use pop_before_smtp::matcher::{ALL, BUILTIN};
use pop_before_smtp_backends::DRIVERS;
use regex::Regex;
use roff::{Roff, bold, italic, roman};

const NAME: &str = "pop-before-smtp";

fn docs(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(file)
}

/// The generated files below `docs/`, with what has to be in them.
fn generated() -> Vec<(&'static str, String)> {
    vec![
        ("man/pop-before-smtp.8", manual()),
        ("man/pop-before-smtp.toml.5", manual_of_file()),
        ("reference.md", between("reference.md", ["<!-- ", " -->"], &reference())),
        ("examples/pop-before-smtp.toml", between("examples/pop-before-smtp.toml", ["# ", ""], &example())),
        ("debian/pop-before-smtp.toml", packaged(&[])),
        // There /var/log/maillog is root's alone.
        ("rpm/pop-before-smtp.toml", packaged(&[("source", "\"journal\"")])),
        ("completions/pop-before-smtp.bash", completion(Shell::Bash)),
        ("completions/_pop-before-smtp", completion(Shell::Zsh)),
        ("completions/pop-before-smtp.fish", completion(Shell::Fish)),
    ]
}

/// The example as packages install it: a table where the daemon may write, and that it can write before Postfix is there;
/// of the journal what Dovecot logs as root; and what that kind of package sets besides.
fn packaged(further: &[(&str, &str)]) -> String {
    let ours = [
        ("backend", "\"lmdb\""),
        ("lmdb-update", "\"in-place\""),
        ("map", "\"/var/lib/pop-before-smtp/clients\""),
        ("journal-unit", "[\"dovecot\"]"),
        ("journal-uid", "[0]"),
    ];
    let mut text = between("examples/pop-before-smtp.toml", ["# ", ""], &example());
    for (key, value) in ours.iter().chain(further) {
        let line = Regex::new(&format!("(?m)^#?{key} = .*$")).unwrap();
        assert_eq!(line.find_iter(&text).count(), 1, "{key}");
        text = line
            .replace(&text, format!("{key} = {value}"))
            .replace(": every setting, with its default.", ": every setting.");
    }
    text
}

fn manual() -> String {
    let text = fs::read_to_string(docs("man/pop-before-smtp.8.in")).unwrap();
    // Built, it has --help and --version, too.
    let mut command = cli::command();
    command.build();
    let mut options = Roff::new();
    command.get_arguments().for_each(|arg| option(&mut options, arg));
    let fill = [
        ("@COMMANDS@", commands()),
        ("@OPTIONS@", options.to_roff()),
        ("@BACKENDS@", list(DRIVERS.iter().map(|driver| (driver.name, driver.summary)))),
        ("@MATCHERS@", list(BUILTIN.iter().map(|matcher| (matcher.name, matcher.servers)))),
    ];
    title("POP-BEFORE-SMTP", "8", "System Manager's Manual") + &filled(text, &fill)
}

fn manual_of_file() -> String {
    let text = fs::read_to_string(docs("man/pop-before-smtp.toml.5.in")).unwrap();
    let keys = OPTIONS.iter().filter(|row| row.is_in_file()).map(key).collect();
    title("POP-BEFORE-SMTP.TOML", "5", "File Formats Manual") + &filled(text, &[("@KEYS@", keys)])
}

/// The head of a page. No date: a page must not change while nothing does.
fn title(name: &str, section: &str, manual: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    // The apostrophe of the crate roff: a right quote would be another character.
    format!(
        ".\\\" Generated from src/cli/options.rs and the .in file beside this; see tests/daemon/manual.rs.\n\
         .ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n.TH {name} {section} \"\" \"{NAME} {version}\" \"{manual}\"\n"
    )
}

/// Puts each text in the place of the line that names it.
fn filled(mut page: String, texts: &[(&str, String)]) -> String {
    for (name, text) in texts {
        let line = format!("{name}\n");
        assert_eq!(page.matches(&line).count(), 1, "{name}");
        page = page.replace(&line, &format!("{}\n", text.trim_end()));
    }
    page
}

fn list<'t>(rows: impl Iterator<Item = (&'t str, &'t str)>) -> String {
    let mut roff = Roff::new();
    for (name, meaning) in rows {
        roff.control("TP", []).text([bold(name)]).text([roman(meaning)]);
    }
    roff.to_roff()
}

/// An option as in `--help`.
fn option(roff: &mut Roff, arg: &Arg) {
    let mut header = Vec::new();
    if let Some(short) = arg.get_short() {
        header.extend([bold(format!("-{short}")), roman(", ")]);
    }
    header.push(bold(format!("--{}", arg.get_long().expect("a long name"))));
    let takes_value = arg.get_action().takes_values();
    if takes_value {
        header.extend(arg.get_value_names().into_iter().flatten().flat_map(|name| [roman(" "), italic(name.as_str())]));
    }
    let help = arg.get_help().expect("what it is for").to_string();
    roff.control("TP", []).text(header).text([roman(sentence(&help))]);
    let values = arg.get_possible_values();
    if takes_value && values.iter().any(|value| value.get_help().is_some()) {
        roff.control("RS", []);
        for value in values {
            let help = value.get_help().map(ToString::to_string).unwrap_or_default();
            roff.control("TP", []).text([bold(value.get_name())]).text([roman(sentence(&help))]);
        }
        roff.control("RE", []);
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if takes_value && !defaults.is_empty() && !arg.is_hide_default_value_set() {
        roff.text([roman("Default: "), bold(defaults.join(",")), roman(".")]);
    }
}

fn sentence(help: &str) -> String {
    format!("{}.", help.trim_end_matches('.'))
}

/// Each command with the options that it alone has.
fn commands() -> String {
    let mut roff = Roff::new();
    for command in cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
        let files = command.get_positionals().flat_map(|arg| arg.get_value_names().unwrap_or_default());
        let mut header = vec![bold(command.get_name())];
        header.extend(files.flat_map(|name| [roman(" "), italic(name.as_str())]));
        let about = command.get_about().expect("what it does").to_string();
        roff.control("TP", []).text(header).text([roman(sentence(&about))]);
        let own: Vec<_> = command.get_arguments().filter(|arg| !arg.is_positional()).collect();
        if !own.is_empty() {
            roff.control("RS", []);
            own.into_iter().for_each(|arg| option(&mut roff, arg));
            roff.control("RE", []);
        }
    }
    roff.to_roff()
}

fn key(row: &OptionRow) -> String {
    let one = match row.kind {
        Kind::Flag => "true or false",
        Kind::Number => "number",
        Kind::Time => "time",
        Kind::Path => "path",
        Kind::Choice(_) | Kind::Text => "text",
    };
    let kind = if row.is_list() { format!("{one}, or a list") } else { one.to_owned() };
    let mut roff = Roff::new();
    roff.control("TP", []).text([bold(key_of(row)), roman(" = "), italic(kind)]);
    roff.text([roman(sentence(&row.line()))]);
    if let Kind::Choice(choices) = row.kind {
        roff.text([roman(format!("One of {}.", names(choices).join(", ")))]);
    }
    if let Preset::Value(default) = row.default {
        roff.text([roman(format!("Default: {default}."))]);
    }
    let is_live = row.scope == Scope::Reload;
    roff.text([roman(if is_live { "A running daemon takes it over." } else { "Needs a restart." })]);
    roff.to_roff()
}

fn names(choices: &[(&'static str, &str)]) -> Vec<&'static str> {
    choices.iter().map(|(name, _)| *name).collect()
}

/// What an option is for, in Markdown, in full; with the default behind the first sentence.
fn meaning(row: &OptionRow, default: &str) -> String {
    let gap = if row.more.starts_with('(') || row.more.is_empty() { " " } else { ". " };
    let text = format!("{}{default}{gap}{}", row.help, row.more).trim_end().to_owned();
    match row.kind {
        Kind::Choice(choices) => format!("{text}. One of `{}`", names(choices).join("`, `")),
        _ => text,
    }
}

/// The table of the reference.
fn reference() -> String {
    let line = |row: &OptionRow| {
        let short = row.short.map(|short| format!("`-{short}`, ")).unwrap_or_default();
        let name = format!("--{} {}", row.key, row.value_name);
        let default = match row.default {
            Preset::Nothing => String::new(),
            Preset::Value(text) => format!("`{text}`"),
            Preset::Found(text) => text.to_owned(),
        };
        format!("| {short}`{}` | {default} | {} |\n", name.trim_end(), meaning(row, "")).replace("|  |", "| |")
    };
    format!("| option | default | meaning |\n|---|---|---|\n{}", OPTIONS.iter().map(line).collect::<String>())
}

/// Every key at its default, below the heading of its group.
fn example() -> String {
    let mut text = String::new();
    let mut rows: Vec<_> = OPTIONS.iter().filter(|row| row.is_in_file()).collect();
    while let Some(group) = rows.first().map(|row| row.group) {
        text += &format!("\n\n## {group}\n");
        rows.iter().filter(|row| row.group == group).for_each(|row| text += &assignment(row));
        rows.retain(|row| row.group != group);
    }
    text.split_off(1)
}

fn assignment(row: &OptionRow) -> String {
    let links = Regex::new(r" \((?:\[[^]]*\]\([^)]*\)(?:, )?)+\)").unwrap();
    let default = match row.default {
        Preset::Found(found) => format!(". By default {found}"),
        Preset::Nothing | Preset::Value(_) => String::new(),
    };
    let mut text = sentence(&links.replace_all(&meaning(row, &default), "")).replace('`', "\"");
    if row.is_list() {
        text += &format!(" Such as {}.", row.example);
    }
    if row.scope == Scope::Restart {
        text += " (restart)";
    }
    let key = key_of(row);
    let line = match row.default_value() {
        None if row.is_list() => format!("{key} = []"),
        None => format!("#{key} = {}", row.example),
        Some(_) => format!("{key} = {}", row.value_in_file()),
    };
    format!("\n{}{line}\n", comment(&text))
}

/// Lines of at most 120 characters.
fn comment(text: &str) -> String {
    let mut lines = vec!["#".to_owned()];
    for word in text.split(' ') {
        match lines.last_mut().filter(|line| line.chars().count() + 1 + word.chars().count() <= 120) {
            Some(line) => *line += &format!(" {word}"),
            None => lines.push(format!("# {word}")),
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// The page below `docs/` with this text between its two marks.
fn between(file: &str, [open, close]: [&str; 2], text: &str) -> String {
    let begin = format!(
        "{open}Generated from src/cli/options.rs; RENEW=1 cargo test --test daemon up_to_date renews it.{close}\n"
    );
    let end = format!("{open}End of what is generated.{close}\n");
    let page = fs::read_to_string(docs(file)).unwrap();
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no mark in {file}"));
    let (_, after) = rest.split_once(&end).unwrap();
    [before, &begin, "\n", text, "\n", &end, after].concat()
}

fn completion(shell: Shell) -> String {
    // The command line leaves it to later to look whether there is such a name, for the sake of its messages.
    let matchers = [ALL].into_iter().chain(BUILTIN.iter().map(|matcher| matcher.name));
    let mut command = cli::command()
        .mut_arg("backend", |arg| arg.value_parser(PossibleValuesParser::new(DRIVERS.iter().map(|driver| driver.name))))
        .mut_arg(MATCHER, |arg| arg.value_parser(PossibleValuesParser::new(matchers)));
    let mut script = Vec::new();
    generate(shell, &mut command, NAME, &mut script);
    String::from_utf8(script).unwrap()
}

#[test]
fn manual_and_completions_are_up_to_date() {
    let renew = std::env::var_os("RENEW").is_some();
    let mut stale = Vec::new();
    for (file, text) in generated() {
        let path = docs(file);
        if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            stale.push(file);
            if renew {
                fs::write(&path, text).unwrap();
            }
        }
    }
    assert!(
        renew || stale.is_empty(),
        "not up to date below docs/: {stale:?}; RENEW=1 cargo test --test pure --test daemon up_to_date renews them"
    );
}

#[test]
fn every_option_command_and_key_is_in_the_manual() {
    let (manual, of_file) = (plain(&manual()), plain(&manual_of_file()));
    let help = pop_before_smtp(&["--help"]).stdout;
    for option in help.split_whitespace().filter_map(|word| word.strip_prefix("--")) {
        let name: String = option.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
        assert!(manual.contains(&format!("--{name}")), "--{name}");
    }
    for command in cli::command().get_subcommands() {
        assert!(manual.contains(command.get_name()), "{}", command.get_name());
    }
    for row in OPTIONS.iter().filter(|row| row.is_in_file()) {
        assert!(of_file.contains(&format!("{} = ", key_of(row))), "{}", row.key);
    }
    assert!(of_file.contains(MATCHERS));
    let reference = fs::read_to_string(docs("reference.md")).unwrap();
    let part = |from: &str, to: &str| reference.split_once(from).unwrap().1.split_once(to).unwrap().0;
    let (not_in_file, reloaded) =
        (part("stand behind all other keys.", "are about one run"), part("### Changing it", "| all others"));
    for row in OPTIONS {
        assert_eq!(not_in_file.contains(&format!("`--{}`", row.key)), !row.is_in_file(), "{}", row.key);
        assert_eq!(reloaded.contains(&format!("`{}`", key_of(row))), row.scope == Scope::Reload, "{}", row.key);
    }
    let codes = reference.split_once("## Exit codes").unwrap().1;
    for code in codes.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse::<u8>().ok()) {
        assert!(manual.contains(&format!("\n{code}\n")), "exit code {code}");
    }
}

/// A page without its marks, roughly.
fn plain(page: &str) -> String {
    let unmarked = page.replace("\\fB", "").replace("\\fI", "").replace("\\fR", "").replace("\\-", "-");
    unmarked.lines().map(|line| line.strip_prefix(".B ").unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_of_the_manual_is_right() {
    let page = plain(&manual_of_file()).replace("\\e", "\\");
    let example = page.split_once(".SH EXAMPLE\n.nf\n").unwrap().1.split_once(".fi").unwrap().0;
    let scratch = Scratch::new();
    let file = scratch.join("pop-before-smtp.toml");
    fs::write(&file, example).unwrap();
    let dumped = pop_before_smtp(&["--config", file.to_str().unwrap(), "--dump-config"]);
    assert_eq!(dumped.code, Some(0), "{dumped:?}");
    assert!(dumped.stdout.contains("acme-imap"), "{}", dumped.stdout);
}

/// The judges of manual pages find nothing to say.
#[test]
fn manual_pages_are_well_formed() {
    for (file, _) in generated().iter().filter(|(file, _)| file.starts_with("man/")) {
        if require(&[Need::Program("mandoc")]) {
            let found = Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).arg(docs(file)).output().unwrap();
            let said: Vec<_> = String::from_utf8_lossy(&found.stdout).lines().map(str::to_owned).collect();
            // A page without a date is meant.
            let said: Vec<_> = said.iter().filter(|line| !line.contains("missing date")).collect();
            assert!(said.is_empty(), "{said:?}");
        }
        if require(&[Need::Program("man")]) {
            let mut man = Command::new("man");
            let found = man.args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"]).arg(docs(file)).output().unwrap();
            let said = String::from_utf8_lossy(&found.stderr).into_owned();
            // A long word makes an ugly line, and that is all.
            let said: Vec<_> = said.lines().filter(|line| !line.is_empty() && !line.contains("adjust line")).collect();
            assert!(said.is_empty(), "{said:?}");
        }
    }
}

/// The shell takes the script, and knows the options afterwards.
#[test]
fn shells_read_the_completions() {
    let bash = docs("completions/pop-before-smtp.bash");
    let script = format!(
        ". {} && COMP_WORDS=(pop-before-smtp --backend '') COMP_CWORD=2 && _pop__before__smtp pop-before-smtp '' --backend \
         && echo ${{COMPREPLY[*]}}",
        bash.display()
    );
    if require(&[Need::Program("bash")]) {
        let found = Command::new("bash").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&found.stdout), "postmap lmdb sqlite\n", "{found:?}");
    }
    for (shell, file) in [("zsh", "completions/_pop-before-smtp"), ("fish", "completions/pop-before-smtp.fish")] {
        if require(&[Need::Program(shell)]) {
            let found = Command::new(shell).arg("-n").arg(docs(file)).output().unwrap();
            assert!(found.status.success(), "{found:?}");
        }
    }
}
