//! Options and subcommands. No I/O: texts come in, texts go out; `config` gives them their types.

mod commands;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use pop_before_smtp_backends::DRIVERS;

pub use self::commands::{Deny, Format, Json, Match, TableFormat};
use crate::matcher::BUILTIN;
use crate::output::error::{Error, Exit};

/// Lets clients relay through Postfix for a while after a POP3 or IMAP login from the same address.
///
/// Without a command it follows the mail log and publishes the addresses of successful logins to a Postfix lookup
/// table, in the foreground.
#[derive(Debug, Parser)]
#[command(name = "pop-before-smtp", version, disable_help_subcommand = true, args_conflicts_with_subcommands = false)]
pub struct Cli {
    /// What to do instead of following the log.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of the daemon; those about the table and the matchers serve the commands, too.
    #[command(flatten)]
    pub options: Options,
}

/// What to do instead of following the log.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print every address that may relay, who logged in there, and until when
    List(Json),
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
    /// Print the table of matchers: name, servers, what to switch on
    Matchers {
        /// How to print it
        #[arg(long, value_enum, value_name = "FORMAT", default_value_t = TableFormat::Text)]
        format: TableFormat,
    },
    /// Print the main.cf lines that make Postfix use the table
    PostfixConfig,
}

/// How an LMDB table is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LmdbUpdate {
    /// Write a new file and rename it; each smtpd restarts at its next client
    Rename,
    /// Change the file under a lock; no smtpd restarts
    InPlace,
}

/// When a table is forced to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sync {
    /// At each publish
    Always,
    /// When the system likes; for a table on tmpfs
    Never,
}

/// Where log lines come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// The log file by tail; the journal if there is no log file and --log names none
    Auto,
    /// Through a child process, tail -F
    Tail,
    /// In the daemon's own process
    Follow,
    /// Systemd's journal, through a child process, journalctl
    Journal,
    /// Standard input, as --log -
    Stdin,
}

/// Whose entries of systemd's journal count, and where it is.
#[derive(Debug, Clone, Args)]
pub struct Journal {
    /// Of the journal, take entries of these units: dovecot.service
    #[arg(long, global = true, value_name = "NAME,...", value_delimiter = ',')]
    pub journal_unit: Vec<String>,
    /// Of the journal, take entries of these users, by number
    #[arg(long, global = true, value_name = "N,...", value_delimiter = ',')]
    pub journal_uid: Vec<String>,
    /// Of the journal, take entries of these programs, by path
    #[arg(long, global = true, value_name = "PATH,...", value_delimiter = ',')]
    pub journal_exe: Vec<String>,
    /// Directory of the journal's files [default: that of this system's journal]
    #[arg(long, global = true, value_name = "DIR")]
    pub journal_directory: Option<PathBuf>,
}

/// Options of the daemon, as written.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Tell what would be done; write no table
    #[arg(short, long)]
    pub debug: bool,
    /// Become a daemon
    #[arg(short, long, conflicts_with_all = ["debug", "once"])]
    pub background: bool,
    /// Write the daemon's process id to FILE
    #[arg(long, value_name = "FILE")]
    pub pid_file: Option<PathBuf>,
    /// Once what needs root is done, become this user; only root can
    #[arg(long, global = true, value_name = "NAME")]
    pub user: Option<String>,
    /// TOML file with settings, and with matchers of your own; the command line wins
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print all settings, and where each was said, as a file for --config
    #[arg(long)]
    pub dump_config: bool,
    /// How the table is written
    #[arg(long, global = true, value_name = "NAME", default_value = "postmap")]
    pub backend: String,
    /// Table path without suffix
    #[arg(long, global = true, value_name = "FILE", default_value = "/etc/postfix/pop-before-smtp")]
    pub map: PathBuf,
    /// Lookup table type handed to postmap [default: postconf -h default_database_type]
    #[arg(long, global = true, value_name = "TYPE")]
    pub map_type: Option<String>,
    /// Store TEXT in the table instead of the time of expiry
    #[arg(long, global = true, value_name = "TEXT")]
    pub value: Option<String>,
    /// How backend lmdb changes its table
    #[arg(long, global = true, value_enum, value_name = "HOW", default_value_t = LmdbUpdate::Rename)]
    pub lmdb_update: LmdbUpdate,
    /// When backend lmdb forces its table to the disk
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Sync::Always)]
    pub sync: Sync,
    /// Least time between two publishes; the first change goes at once [default: 0 for sqlite and lmdb in-place, else 1s]
    #[arg(long, value_name = "TIME")]
    pub publish_interval: Option<String>,
    /// Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and
    /// journal:UNIT,... say for one log where its lines come from [default: /var/log/maillog, else /var/log/mail.log]
    #[arg(long, global = true, value_name = "FILE")]
    pub log: Vec<PathBuf>,
    /// Where log lines come from
    #[arg(long, global = true, value_enum, value_name = "HOW", default_value_t = Source::Auto)]
    pub source: Source,
    /// What counts in the journal.
    #[command(flatten)]
    pub journal: Journal,
    /// Which servers write the log; all is every one [default: those that this host has or its log shows]
    #[arg(long, global = true, value_name = "NAME,...", value_delimiter = ',')]
    pub matcher: Vec<String>,
    /// The syslog daemon escapes newlines in messages, as rsyslog does: count logins close behind a failed one, too
    #[arg(long, global = true)]
    pub escaped_newlines: bool,
    /// How long a login lets its address relay: seconds, or with a unit s, m, h, d
    #[arg(long, value_name = "TIME", default_value = "30m")]
    pub grace: String,
    /// Keep an address while one of its sessions is open, and a full grace after that, where the server's log tells
    #[arg(long)]
    pub hold_while_connected: bool,
    /// How long a session counts as open at most
    #[arg(long, value_name = "TIME", default_value = "12h")]
    pub max_session: String,
    /// How many addresses there may be at once
    #[arg(long, value_name = "N", default_value = "250")]
    pub entries: String,
    /// In a full ring, addresses of a user or of an IPv6 /64 network with more than N give way before others; 0: the oldest
    /// of all gives way
    #[arg(long, value_name = "N", default_value = "50")]
    pub max_addresses_per_user: String,
    /// Treat each line already in the log as happening now
    #[arg(long)]
    pub reprocess: bool,
    /// Stop at the end of the log
    #[arg(long)]
    pub once: bool,
    /// Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are
    #[arg(long, global = true, value_name = "CIDR,...", value_delimiter = ',')]
    pub skip_networks: Vec<String>,
    /// Never publish what Postfix's mynetworks permits already; asked of postconf at start
    #[arg(long, global = true)]
    pub skip_mynetworks: bool,
    /// Grant an address nothing while more users than this log in from it within one grace; 0 does not count them
    #[arg(long, value_name = "N", default_value = "0")]
    pub max_users_per_address: String,
    /// Where the daemon listens for commands; empty: nowhere [default: /run/pop-before-smtp/control if there is that
    /// directory, else the map with .control behind it]
    #[arg(long, global = true, value_name = "SOCKET")]
    pub control: Option<String>,
    /// Write metrics for Prometheus to FILE now and then
    #[arg(long, value_name = "FILE")]
    pub metrics_file: Option<PathBuf>,
}

/// Reads the command line, where `defaults` take the place of the built-in ones: name of an option and its values.
///
/// # Errors
/// What is wrong with it; `Ok(Err(text))` is help or version text to print.
pub fn parse(
    args: impl IntoIterator<Item = OsString>,
    defaults: &[(&str, Vec<String>)],
) -> Result<Result<(Cli, ArgMatches), String>, Error> {
    let set = |command: clap::Command, (option, values): &(&str, Vec<String>)| {
        command.mut_args(|arg| if arg.get_long() == Some(*option) { arg.default_values(values.clone()) } else { arg })
    };
    let matches = match defaults.iter().fold(command_with_lists(), set).try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Err(error.render().to_string()));
        }
        Err(error) => return Err(usage(&error)),
    };
    Cli::from_arg_matches(&matches).map(|cli| Ok((cli, matches))).map_err(|error| usage(&error))
}

/// The command line.
pub fn command() -> clap::Command {
    Cli::command().mut_args(|arg| if is_flag_of_file(&arg) { revocable(arg) } else { arg })
}

/// Options that are about one run and not about a site: they have no place in the configuration file.
pub const ONLY_HERE: [&str; 6] = ["debug", "background", "config", "dump-config", "reprocess", "once"];

fn is_flag_of_file(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue) && arg.get_long().is_some_and(|name| !ONLY_HERE.contains(&name))
}

/// Lets the command line say no where the file says yes: `--hold-while-connected=false`.
fn revocable(arg: Arg) -> Arg {
    arg.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .value_parser(clap::value_parser!(bool))
        .value_name("true|false")
        .default_missing_value("true")
        .default_value("false")
        .hide_possible_values(true)
        .hide_default_value(true)
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
fn usage(error: &clap::Error) -> Error {
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
            (format!("use {argument}"), "there is no such option".to_owned(), format!("choose from {}", options()))
        }
        ErrorKind::InvalidSubcommand => {
            let name = context(ContextKind::InvalidSubcommand).unwrap_or_default();
            (
                format!("run command {name}"),
                "there is no such command".to_owned(),
                format!("choose from {}", commands()),
            )
        }
        ErrorKind::MissingRequiredArgument => {
            ("read the command line".to_owned(), format!("{argument} is missing"), HELP.to_owned())
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

fn options() -> String {
    let command = Cli::command();
    let long = command.get_arguments().filter_map(clap::Arg::get_long).map(|name| format!("--{name}"));
    long.collect::<Vec<_>>().join(" ")
}

fn commands() -> String {
    Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect::<Vec<_>>().join(", ")
}
