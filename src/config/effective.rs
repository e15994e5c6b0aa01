//! The command line and the configuration file, put together: what the one does not say, the other may. Reads the file
//! and the name of the working directory.

use std::ffi::OsString;

use crate::cli::{self, Command};
use crate::config::config_file::{self, ConfigFile};
use crate::config::options::Options;
use crate::config::settings::Given;
use crate::output::error::Error;

/// What a run is asked to do.
#[derive(Debug)]
pub struct Asked {
    /// The command; the daemon if there is none.
    pub command: Option<Command>,
    /// How.
    pub options: Options,
}

/// Reads the command line, and the file that it names.
///
/// # Errors
/// What is wrong with them; `Ok(Err(text))` is help or version text to print.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Result<Asked, String>, Error> {
    // Without a working directory relative paths are refused later on.
    let directory = std::env::current_dir().unwrap_or_default();
    let arguments: Vec<_> = arguments.into_iter().collect();
    join(Given { arguments, directory, ..Given::default() })
}

/// Reads the same command line and the file as it is now.
///
/// # Errors
/// What is wrong with the file.
pub fn read_again(options: &Options) -> Result<Options, Error> {
    // Help has been asked for at start, or never.
    Ok(join(options.given.clone())?.map_or_else(|_| options.clone(), |asked| asked.options))
}

/// Reads the file and puts it behind the command line that was given before.
fn join(before: Given) -> Result<Result<Asked, String>, Error> {
    let Given { arguments, directory, file: known, .. } = before;
    let (cli, matches) = match cli::parse(arguments.iter().cloned(), &[])? {
        Ok(parsed) => parsed,
        Err(text) => return Ok(Err(text)),
    };
    let path = cli.options.config.as_ref();
    let file = path.map(|path| config_file::read(&directory.join(path), &known)).transpose()?;
    let (cli, matches) = match &file {
        None => (cli, matches),
        Some(file) => match cli::parse(arguments.iter().cloned(), &defaults(file))? {
            Ok(parsed) => parsed,
            Err(text) => return Ok(Err(text)),
        },
    };
    let given = Given::new(arguments, directory, file.unwrap_or_default(), &matches);
    Ok(Ok(Asked { command: cli.command, options: Options::new(cli.options, given) }))
}

/// What the file says, in place of what is built in.
fn defaults(file: &ConfigFile) -> Vec<(&str, Vec<String>)> {
    let texts = |value: &config_file::FileValue| value.texts.iter().map(|(text, _)| text.clone()).collect();
    file.values.iter().map(|value| (value.key.as_str(), texts(value))).collect()
}
