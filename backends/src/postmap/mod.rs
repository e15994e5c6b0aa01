//! Tables that postmap(1) writes: for every publish a text file, indexed in a directory beside the table and renamed into
//! place.
//!
//! Runs postmap and postconf; writes `<map>` and its index files, the directory `<map>.new.d`, and `<map>.empty` with its
//! index, an empty table to rename when there is no room to write one.
//!
//! A running smtpd notices a new index by its inode. A change in place it would notice by the whole second of its
//! time stamp only, and a postmap that fails in place leaves no table.
//!
//! An index that postmap cannot read is replaced by an empty one at open, with a warning; while the daemon runs, reading
//! it fails and the next publish replaces it. A text file or an index with an entry that is not of this program is
//! refused at open.

mod build;
mod redirect;
mod tools;
mod types;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;

use self::build::{Build, rename_all};
pub use self::redirect::Redirect;
use self::tools::{Tools, unknown_type};
use self::types::Type;
use crate::access::READ;
use crate::entry::{Value, entry_of};
use crate::files::{self, Left, MapPath, OTHER_MAP, remove, write_error};
use crate::process::Finished;
use crate::scratch::Scratch;
use crate::{Backend, BackendError, ClientSet, ErrorKind, Listed, TableOptions, Update};

/// That Postfix takes another type is told once, also where the table is opened again in the background.
static TOLD: Once = Once::new();

/// Ends the names of the empty table.
const SPARE: &str = ".empty";

/// How long a spare that could not be made is not tried again: a postmap that fails sleeps for a second first.
const SPARE_PAUSE: Duration = Duration::from_secs(60);

pub(crate) fn open(options: &TableOptions) -> Result<Box<dyn Backend>, BackendError> {
    Ok(Box::new(Postmap::open(options, Tools::installed()?)?))
}

pub(crate) fn open_read_only(options: &TableOptions) -> Result<Box<dyn Backend>, BackendError> {
    let table = Postmap::new(options, Tools::installed()?)?;
    table.indexes("").try_for_each(|index| files::check_readable(&index))?;
    Ok(Box::new(table))
}

/// The command that a publish runs, as an operator would type it.
pub(crate) fn describe(options: &TableOptions) -> String {
    format!("Postmap command: postmap -r {}:{}", map_type(options), options.map.display())
}

/// The type of the table that postmap writes: the one that is set, else Postfix's default, or what Postfix takes in its place.
/// Where Postfix cannot be asked, the one that is set, else `hash`.
#[must_use]
pub fn map_type(options: &TableOptions) -> String {
    let taken = || {
        let tools = Tools::installed()?;
        let name = asked_type(options, &tools)?;
        Ok::<_, BackendError>(redirect::redirect(&tools, &name, &options.map)?.map_or(name, |redirect| redirect.kind))
    };
    taken().ok().or_else(|| options.map_type.clone()).unwrap_or_else(|| "hash".to_owned())
}

/// What Postfix takes for the table `map` of type `name`; `None` if that is what it is called.
///
/// # Errors
/// Postfix refuses such a table.
pub fn redirect(name: &str, map: &Path) -> Result<Option<Redirect>, BackendError> {
    redirect::redirect(&Tools::installed()?, name, map)
}

/// The type that is set, else Postfix's default.
fn asked_type(options: &TableOptions, tools: &Tools) -> Result<String, BackendError> {
    match &options.map_type {
        Some(name) => Ok(name.clone()),
        None => tools
            .postconf(&["-h", "default_database_type"])
            .map_err(|error| if error.cure.is_none() { error.cure("set --map-type") } else { error }),
    }
}

/// A table written by postmap.
pub(crate) struct Postmap {
    tools: Tools,
    /// What was asked for.
    asked: String,
    /// What Postfix takes for it.
    kind: Type,
    place: MapPath,
    value: Value,
    /// Whether a table with a client in it was read back.
    verified: bool,
    spare_failed: Option<Instant>,
    left: Left,
}

impl Postmap {
    /// Opens the table, or creates an empty one where there is none that postmap can read.
    pub(crate) fn open(options: &TableOptions, tools: Tools) -> Result<Self, BackendError> {
        let mut table = Self::new(options, tools)?;
        TOLD.call_once(|| table.tell_of_redirect());
        let index = table.index(0, "");
        table.place.check_writable(&index)?;
        refuse_foreign_text(&table.place.path(""))?;
        let usable = table.usable()?;
        Scratch::remove(&table.place).map_err(|error| write_error(&index, &error))?;
        if usable {
            table.adopt("")?;
        } else {
            table.write(&Vec::new()).map_err(|error| table.explain(error))?;
        }
        let is_spare = table.has_spare() && table.holds_nothing(SPARE);
        if let Err(error) = if is_spare { table.adopt(SPARE) } else { table.make_spare() } {
            log::warn!("{error}; should the disk be full one day, the table cannot be emptied");
        }
        table.left = Left::at(&index);
        Ok(table)
    }

    fn new(options: &TableOptions, tools: Tools) -> Result<Self, BackendError> {
        let value = Value::new(options)?;
        let place = MapPath::of(&options.map)?;
        let asked = asked_type(options, &tools)?;
        let kind = taken(&tools, &asked, &place)?;
        let left = Left::default();
        Ok(Self { tools, asked, kind, place, value, verified: false, spare_failed: None, left })
    }

    fn tell_of_redirect(&self) {
        let (asked, kind, map) = (&self.asked, self.kind.name, self.place.path(""));
        if asked != kind {
            log::info!(
                "Postfix takes {kind} for {asked} (non_bdb_migration_level), and so is the table written; \
                 name it {kind}:{} in main.cf",
                map.display()
            );
        }
    }

    /// Takes the type that Postfix takes now, if that is another than before. The table of the old type is emptied: nobody
    /// would end its grants, should Postfix come back to it.
    fn follow_redirect(&mut self) -> Result<bool, BackendError> {
        let kind = taken(&self.tools, &self.asked, &self.place)?;
        if kind == self.kind {
            return Ok(false);
        }
        if self.has_spare() {
            let emptied = rename_all(self.indexes(SPARE).zip(self.indexes(""))).and_then(|()| self.place.sync());
            emptied.map_err(|error| write_error(&self.index(0, ""), &error))?;
        }
        self.kind = kind;
        self.verified = false;
        self.tell_of_redirect();
        Ok(true)
    }

    /// Whether there is a table that postmap can read.
    ///
    /// # Errors
    /// There is one, and it is somebody else's.
    fn usable(&self) -> Result<bool, BackendError> {
        if self.missing_index("").is_some() {
            return Ok(false);
        }
        let table = self.index(0, "");
        match self.dump() {
            Ok(end) if lines(&end.stdout).all(|line| entry_of(line).is_some()) => Ok(true),
            Ok(_) => Err(files::foreign(&table)),
            Err(cause) => {
                log::warn!("table {} is damaged: {cause}; replacing it by an empty one", table.display());
                Ok(false)
            }
        }
    }

    /// What postmap finds in the table. It opens whatever is there, and would wait for the writer of a FIFO.
    fn dump(&self) -> Result<Finished, String> {
        let is_other = |path: &PathBuf| fs::metadata(path).is_ok_and(|found| !found.is_file());
        match self.files("").find(is_other) {
            Some(path) => Err(format!("{} is no regular file", path.display())),
            None => self.tools.postmap(&["-s"], &self.name("")),
        }
    }

    /// The table as postmap takes it: `hash:/etc/postfix/pop-before-smtp`.
    fn name(&self, suffix: &str) -> OsString {
        self.kind.table(&self.place.path(suffix))
    }

    fn index(&self, number: usize, suffix: &str) -> PathBuf {
        self.place.path(&format!("{suffix}.{}", self.kind.extensions[number]))
    }

    fn indexes<'a>(&'a self, suffix: &'a str) -> impl Iterator<Item = PathBuf> + 'a {
        (0..self.kind.extensions.len()).map(move |number| self.index(number, suffix))
    }

    /// Text file and index.
    fn files<'a>(&'a self, suffix: &'a str) -> impl Iterator<Item = PathBuf> + 'a {
        std::iter::once(self.place.path(suffix)).chain(self.indexes(suffix))
    }

    fn missing_index(&self, suffix: &str) -> Option<PathBuf> {
        self.indexes(suffix).find(|index| !index.exists())
    }

    fn write(&mut self, clients: &dyn ClientSet) -> Result<(), BackendError> {
        match self.write_once(clients) {
            // Postfix was told so while we ran.
            Err(error) if error.kind == ErrorKind::Config && self.follow_redirect()? => self.write_once(clients),
            done => done,
        }
    }

    fn write_once(&mut self, clients: &dyn ClientSet) -> Result<(), BackendError> {
        let build = Build::new(self, clients)?;
        let verified = self.verified || build.verify()?;
        build.install("")?;
        drop(build);
        self.verified = verified;
        Ok(())
    }

    /// Replaces a failure at open by a plainer one, where Postfix does not know the type.
    fn explain(&self, error: BackendError) -> BackendError {
        match self.tools.postconf(&["-m"]) {
            Ok(known) if !known.lines().any(|known| known.trim() == self.kind.name) => {
                unknown_type(self.kind.name, &self.tools)
            }
            _ => error,
        }
    }

    /// Lets Postfix read what is there, as it reads what we make.
    fn adopt(&self, suffix: &str) -> Result<(), BackendError> {
        let mut present = self.files(suffix).filter(|file| file.exists());
        present.try_for_each(|file| self.place.adopt(&file, READ).map_err(|error| write_error(&file, &error)))
    }

    /// Whether the table is there, can be read and is empty.
    fn holds_nothing(&self, suffix: &str) -> bool {
        let read = || self.tools.postmap(&["-s"], &self.name(suffix));
        self.missing_index(suffix).is_none() && read().is_ok_and(|end| end.stdout.is_empty())
    }

    fn has_spare(&self) -> bool {
        let empty = fs::metadata(self.place.path(SPARE)).is_ok_and(|found| found.is_file() && found.len() == 0);
        empty && self.missing_index(SPARE).is_none()
    }

    fn make_spare(&self) -> Result<(), BackendError> {
        let text = self.place.path(SPARE);
        if fs::metadata(&text).is_ok_and(|found| found.len() > 0) {
            return Err(files::foreign(&text));
        }
        // One that cannot be read must not become the table.
        let cleared = self.indexes(SPARE).try_for_each(|index| remove(&index));
        cleared.map_err(|error| write_error(&self.index(0, SPARE), &error))?;
        let built = Build::new(self, &Vec::new()).and_then(|build| build.install(SPARE));
        let action = format!("write table {}", self.index(0, SPARE).display());
        built.map_err(|error| BackendError { action, ..error })
    }

    /// Makes a new spare in place of one that was used. Without one the table is as good; and it is tried again.
    fn renew_spare(&mut self) {
        let paused = self.spare_failed.is_some_and(|at| at.elapsed() < SPARE_PAUSE);
        if paused || self.has_spare() {
            return;
        }
        let done = self.make_spare();
        self.spare_failed = done.is_err().then(Instant::now);
        if let Err(error) = done {
            log::debug!("{error}");
        }
    }

    /// Puts the spare in the place of the table, which needs no room on the disk.
    fn use_spare(&self) -> io::Result<()> {
        if !self.has_spare() {
            return Err(io::Error::other("there is no empty spare table"));
        }
        rename_all(self.files(SPARE).zip(self.files("")))?;
        self.place.sync()
    }
}

impl Backend for Postmap {
    fn list(&mut self) -> Result<Vec<Listed>, BackendError> {
        let failed = |cause| {
            let action = format!("read table {}", self.index(0, "").display());
            BackendError::new(ErrorKind::Unavailable, action, cause)
        };
        let end = self.dump().map_err(failed)?;
        let listed = |line| entry_of(line).and_then(|(key, value)| self.value.listed(key, value));
        Ok(lines(&end.stdout).filter_map(listed).collect())
    }

    fn publish(&mut self, update: &Update<'_>) -> Result<(), BackendError> {
        let changed = std::mem::take(&mut self.left).has_changed(&self.index(0, ""));
        self.write(update.clients)?;
        // It may have another name than before.
        let index = self.index(0, "");
        self.left = Left::at(&index);
        if changed {
            files::tell_of_change(&index);
        }
        self.renew_spare();
        Ok(())
    }

    fn is_intact(&self) -> bool {
        !self.left.has_changed(&self.index(0, ""))
    }

    fn clear(&mut self) -> Result<(), BackendError> {
        self.left = Left::default();
        match self.write(&Vec::new()) {
            Ok(()) => {
                self.renew_spare();
                Ok(())
            }
            Err(_) if self.holds_nothing("") => Ok(()),
            Err(error) => files::instead(error, &self.place.path(SPARE), || self.use_spare()),
        }
    }
}

/// The type that Postfix takes for the one that was asked for.
fn taken(tools: &Tools, asked: &str, place: &MapPath) -> Result<Type, BackendError> {
    let redirect = redirect::redirect(tools, asked, &place.path(""))?;
    let name = redirect.map_or_else(|| asked.to_owned(), |redirect| redirect.kind);
    Type::named(&name).ok_or_else(|| unknown_type(&name, tools))
}

fn lines(output: &[u8]) -> impl Iterator<Item = &[u8]> {
    output.split(|&byte| byte == b'\n').filter(|line| !line.is_empty())
}

/// No line of ours is longer, unless `--value` is a book.
const LONGEST: u64 = 64 * 1024;

/// # Errors
/// The file is not one that this program wrote: `--map /etc/postfix/main.cf` must not be the end of main.cf.
fn refuse_foreign_text(path: &Path) -> Result<(), BackendError> {
    let failed = |error| write_error(path, &error);
    // A pipe in the place of the file must not hold up the daemon.
    let file = match OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(failed)?,
    };
    let found = file.metadata().map_err(failed)?;
    if found.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    if !found.is_file() {
        let action = format!("use map {}", path.display());
        return Err(BackendError::new(ErrorKind::Config, action, "it is no regular file").cure(OTHER_MAP));
    }
    let mut text = BufReader::new(file);
    let mut line = Vec::new();
    while text.by_ref().take(LONGEST).read_until(b'\n', &mut line).map_err(failed)? > 0 {
        let entry = line.strip_suffix(b"\n").unwrap_or(&line);
        if !entry.is_empty() && entry_of(entry).is_none() {
            return Err(files::foreign(path));
        }
        line.clear();
    }
    Ok(())
}
