//! The table of options and the subcommands. No I/O: texts come in, texts go out; `config` gives them their types.

mod commands;
mod options;
mod row;
mod share;

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use pop_before_smtp_backends::DRIVERS;

pub use self::commands::{Deny, Format, Json, List, Match, ReportFormat, ReportOptions, Share, TableFormat};
pub use self::options::OPTIONS;
pub use self::row::{Kind, OptionRow, Preset, Scope, Values};
pub(crate) use self::row::{option, row};
use crate::matcher::BUILTIN;
use crate::output::error::{Error, Exit};

/// Lets clients relay through Postfix for a while after a POP3 or IMAP login from the same address.
///
/// Without a command it follows the mail log and publishes the addresses of successful logins to a Postfix lookup
/// table, in the foreground.
#[derive(Debug, Parser)]
#[command(name = "pop-before-smtp", version, disable_help_subcommand = true, args_conflicts_with_subcommands = false)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

/// What to do instead of following the log.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print every address that may relay, who logged in there, and until when
    List(List),
    /// Tell whether an address may relay, and why
    Explain {
        /// The address
        address: String,
        /// How to print it.
        #[command(flatten)]
        form: Json,
    },
    /// End the grant of an address; the next login gives it another
    Revoke {
        /// The address
        address: String,
        /// On all hosts that share their grants
        #[arg(long)]
        everywhere: bool,
    },
    /// Let an address relay without a login
    Grant {
        /// The address
        address: String,
        /// For how long, at most a week [default: the grace]
        #[arg(long = "for", value_name = "TIME")]
        length: Option<String>,
    },
    /// Let no login grant an address or a network anything
    Deny(Deny),
    /// Tell how the running daemon is
    Status {
        /// How to print it.
        #[command(flatten)]
        form: Json,
        /// Print it as metrics for Prometheus
        #[arg(long, conflicts_with = "json")]
        prometheus: bool,
    },
    /// Empty the table that a killed daemon has left; refused while a daemon serves it
    Clear,
    /// Look for what keeps logins from becoming permissions in log, table and Postfix: one line per finding
    ///
    /// Exit code 0 if all is well, 1 if there are warnings, 78 if there is an error.
    Check {
        /// Prove that Postfix would get the right answers: ask the table by postmap -q
        #[arg(long)]
        probe: bool,
    },
    /// Print each login that the matchers find in a log file, or tell how a line is read
    Match(Match),
    /// Tell from logs of the past who relays by a login, which grace would do, and what is left before it can be switched off
    ///
    /// Exit code 1 if the logs hold no line of Postfix's smtpd.
    Report(ReportOptions),
    /// Print the table of matchers: name, servers, what to switch on
    Matchers {
        /// How to print it
        #[arg(long, value_enum, value_name = "FORMAT", default_value_t = TableFormat::Text)]
        format: TableFormat,
    },
    /// Print the main.cf lines that make Postfix use the table
    PostfixConfig,
    /// Set up the PostgreSQL database through which many hosts share their grants
    Share {
        /// What to do there
        #[command(subcommand)]
        what: Share,
    },
}

/// Reads the command line: the command, the daemon if there is none, and what was said of the options.
///
/// # Errors
/// What is wrong with it; `Ok(Err(text))` is help or version text to print.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Result<(Option<Command>, ArgMatches), String>, Error> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    if args.get(1).is_some_and(|word| word == "help") {
        args.remove(1);
        args.push("--help".into());
    }
    let matches = match command_with_lists().try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Err(error.render().to_string()));
        }
        Err(error) => return Err(usage(&error, &args)),
    };
    Cli::from_arg_matches(&matches).map(|cli| Ok((cli.command, matches))).map_err(|error| usage(&error, &args))
}

/// The command line.
pub fn command() -> clap::Command {
    Cli::command().args(OPTIONS.iter().map(OptionRow::arg))
}

/// The command line with the lists of backends and matchers in its help.
fn command_with_lists() -> clap::Command {
    let width = DRIVERS.iter().map(|driver| driver.name.len()).max().unwrap_or(0);
    let backends: String =
        DRIVERS.iter().map(|driver| format!("  {:width$}  {}\n", driver.name, driver.summary)).collect();
    let width = BUILTIN.iter().map(|matcher| matcher.name.len()).max().unwrap_or(0);
    let matchers: String =
        BUILTIN.iter().map(|matcher| format!("  {:width$}  {}\n", matcher.name, matcher.servers)).collect();
    command().after_help(format!("Backends:\n{backends}\nMatchers:\n{}", matchers.trim_end()))
}

/// One line out of what clap has to say, with the valid names.
fn usage(error: &clap::Error, args: &[OsString]) -> Error {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    // Without the name of the value: `--format`, not `--format <FORMAT>`.
    let argument = context(ContextKind::InvalidArg).unwrap_or_default();
    let argument = argument.split(" <").next().filter(|name| !name.is_empty()).unwrap_or(&argument);
    let rendered = error.render().to_string();
    let cause = rendered.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let (action, cause, cure) = match error.kind() {
        ErrorKind::UnknownArgument if !argument.starts_with('-') => {
            (format!("use {argument}"), "no argument is expected here".to_owned(), HELP.to_owned())
        }
        ErrorKind::UnknownArgument => {
            let asked = asked(args);
            if options(&command()).iter().any(|known| known == argument) {
                let cure = format!("write it in front of {}", asked.get_name());
                (format!("use {argument}"), "it cannot stand behind the command".to_owned(), cure)
            } else {
                (format!("use {argument}"), "there is no such option".to_owned(), meant(argument, &options(&asked)))
            }
        }
        ErrorKind::InvalidSubcommand => {
            let name = context(ContextKind::InvalidSubcommand).unwrap_or_default();
            let asked = asked(args);
            let known: Vec<_> = asked.get_subcommands().map(clap::Command::get_name).collect();
            (format!("run command {name}"), "there is no such command".to_owned(), meant(&name, &known))
        }
        ErrorKind::MissingRequiredArgument => {
            ("read the command line".to_owned(), format!("{argument} is missing"), HELP.to_owned())
        }
        ErrorKind::InvalidValue | ErrorKind::ArgumentConflict if argument == "--explain" => {
            let cause = if error.kind() == ErrorKind::InvalidValue { "the value is missing".to_owned() } else { cause };
            ("use --explain".to_owned(), cause, "give a line of the log, in quotes".to_owned())
        }
        ErrorKind::InvalidValue => {
            let valid = context(ContextKind::ValidValue).unwrap_or_default();
            let value = context(ContextKind::InvalidValue).unwrap_or_default();
            let cause = if value.is_empty() { "the value is missing" } else { "not a valid value" };
            let cure = if valid.is_empty() { HELP.to_owned() } else { format!("choose from {valid}") };
            (format!("use {argument} {value}").trim_end().to_owned(), cause.to_owned(), cure)
        }
        _ => ("read the command line".to_owned(), cause, HELP.to_owned()),
    };
    Error::new(Exit::Usage, action, cause).cure(cure)
}

const HELP: &str = "see pop-before-smtp --help";

/// The command that these words name, with the options that it takes.
fn asked(args: &[OsString]) -> clap::Command {
    let mut asked = command();
    asked.build();
    for word in args.iter().skip(1) {
        if let Some(inner) = asked.find_subcommand(word) {
            asked = inner.clone();
        }
    }
    asked
}

fn options(command: &clap::Command) -> Vec<String> {
    command.get_arguments().filter_map(|arg| arg.get_long()).map(|name| format!("--{name}")).collect()
}

/// What to write in the place of a wrong name: the nearest, else any of those there are.
pub(crate) fn meant(wrong: &str, known: &[impl AsRef<str>]) -> String {
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    let nearest = known.iter().map(|name| (strsim::levenshtein(wrong, name), name)).min();
    match nearest {
        Some((changes, name)) if changes <= 2 && changes < wrong.trim_start_matches('-').len() => {
            format!("did you mean {name}?")
        }
        _ => format!("choose from {}", known.join(", ")),
    }
}
