//! Options of the commands, as written.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Whether to print JSON.
#[derive(Debug, Clone, Copy, Args)]
pub struct Json {
    /// Print JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

/// Options of `list`.
#[derive(Debug, Args)]
pub struct List {
    /// Of all hosts that share their grants, as the database has them
    #[arg(long)]
    pub all: bool,
    /// How to print it.
    #[command(flatten)]
    pub form: Json,
}

/// What `share` does.
#[derive(Debug, Subcommand)]
pub enum Share {
    /// Make the tables, functions and roles, as the owner of the database
    Init {
        /// Print the SQL, and change nothing
        #[arg(long)]
        print: bool,
        /// The longest grant that a host can give [default: the grace]
        #[arg(long, value_name = "TIME")]
        longest: Option<String>,
    },
}

/// Options of `deny`.
#[derive(Debug, Args)]
pub struct Deny {
    /// The address or network
    #[arg(value_name = "ADDRESS|CIDR", required_unless_present = "list")]
    pub network: Option<String>,
    /// Deny it no longer
    #[arg(long)]
    pub remove: bool,
    /// On all hosts that share their grants
    #[arg(long, conflicts_with = "list")]
    pub everywhere: bool,
    /// Print what is denied
    #[arg(long, conflicts_with_all = ["remove", "network"])]
    pub list: bool,
    /// How to print it.
    #[command(flatten)]
    pub form: Json,
}

/// Options of `match`.
#[derive(Debug, Args)]
pub struct Match {
    /// How to print an event
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    pub format: Format,
    /// Print only how many events of each kind there are
    #[arg(long)]
    pub count: bool,
    /// Tell of one line how it is read, and why it is or is not a login; `-` reads it from standard input
    #[arg(long, value_name = "LINE", conflicts_with_all = ["count", "format", "suggest", "files"])]
    pub explain: Option<OsString>,
    /// Tell which matchers fit the log files, and show lines like logins that none takes
    #[arg(long, conflicts_with_all = ["count", "format"])]
    pub suggest: bool,
    /// Log files; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present = "explain")]
    pub files: Vec<PathBuf>,
}

/// Form of the events printed by `match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// `LINE<TAB>login|logout<TAB>ADDRESS<TAB>MATCHER<TAB>USER`
    Tsv,
    /// One object a line
    Json,
}

/// Options of `report`.
#[derive(Debug, Args)]
pub struct ReportOptions {
    /// Leave out what was written earlier: 2026-11-22, '2026-11-22 16:00', or 7d for seven days ago
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Leave out what was written later
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// How to print it
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Write it as a page for a browser, too
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Logs, also rotated ones and those that gzip, xz or zstd has compressed; `-` is standard input, journal:UNIT,... the
    /// journal [default: the log, and what a rotation has made of it]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// Form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    Text,
    /// One object
    Json,
}

/// Form of the table of matchers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// For people
    Text,
    /// For a document
    Markdown,
    /// One object a line
    Json,
}
