//! The command line and the configuration file, put together: what the one does not say, the other may. Reads the file
//! and the name of the working directory.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::cli::{self, Command, option};
use crate::config::config_file::{self, ConfigFile};
use crate::config::options::{Options, Origin};
use crate::output::error::Error;

/// What a run is asked to do.
#[derive(Debug)]
pub struct Asked {
    /// The command; the daemon if there is none.
    pub command: Option<Command>,
    /// Only to print the settings.
    pub dump_config: bool,
    /// How.
    pub options: Options,
    /// The first mistake in the file. Only `clear` goes on with one, if it is told the table: else an old grant could stay for
    /// ever.
    pub mistake: Option<Error>,
}

/// Reads the command line, and the file that it names.
///
/// # Errors
/// What is wrong with them; `Ok(Err(text))` is help or version text to print.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Result<Asked, String>, Error> {
    // Without a working directory relative paths are refused later on.
    let directory = std::env::current_dir().unwrap_or_default();
    join(arguments.into_iter().collect(), directory, &ConfigFile::default())
}

/// Reads the same command line and the file as it is now.
///
/// # Errors
/// What is wrong with the file.
pub fn read_again(options: &Options) -> Result<Options, Error> {
    let asked = join(options.arguments.clone(), options.directory.clone(), &options.file)?;
    // Help has been asked for at start, or never.
    Ok(asked.map_or_else(|_| options.clone(), |asked| asked.options))
}

/// Puts the file behind the command line; a matcher that is as in `known` is taken from there.
fn join(arguments: Vec<OsString>, directory: PathBuf, known: &ConfigFile) -> Result<Result<Asked, String>, Error> {
    let (command, matches) = match cli::parse(arguments.iter().cloned())? {
        Ok(parsed) => parsed,
        Err(text) => return Ok(Err(text)),
    };
    let path = matches.get_one::<PathBuf>("config");
    let file = path.map(|path| config_file::read(&directory.join(path), known)).transpose()?;
    let (file, mut mistake) = file.unwrap_or_default();
    let options = Options::new(arguments, directory, file, &matches);
    let dump_config = options.flag(option!("dump-config"));
    // The map may be what is mistaken, and the table of the default is another's.
    let knows_table = || options.value("map").is_some_and(|map| map.origin != Origin::Default);
    let goes_on = matches!(command, Some(Command::Clear)) && !dump_config && knows_table();
    match mistake.take_if(|_| !goes_on) {
        Some(mistake) => Err(mistake),
        None => Ok(Ok(Asked { command, dump_config, options, mistake })),
    }
}
