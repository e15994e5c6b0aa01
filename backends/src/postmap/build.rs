//! A table in the making: text and index in a directory of their own, read back, and renamed into place.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::Postmap;
use super::types::Type;
use crate::access::READ;
use crate::entry::{Key, seconds_up};
use crate::files::{FREE, write_error};
use crate::scratch::Scratch;
use crate::{BackendError, ClientSet, ErrorKind};

/// A table under its own name in a directory of its own.
pub(super) struct Build<'a> {
    table: &'a Postmap,
    scratch: Scratch,
    text: File,
    /// One of the lines, to look up.
    sample: Option<(Key, String)>,
}

impl<'a> Build<'a> {
    /// Writes the text file and has it indexed.
    pub(super) fn new(table: &'a Postmap, clients: &dyn ClientSet) -> Result<Self, BackendError> {
        let failed = |error| write_error(&table.index(0, ""), &error);
        let scratch = Scratch::create(&table.place).map_err(failed)?;
        // Kept: it goes with the directory, and by a path that leads nowhere any more once that is closed.
        let text = table.place.create(&scratch.file(&table.place.name("")));
        let (text, _) = text.and_then(|text| Ok(text.keep()?)).map_err(failed)?;
        let sample = write_text(table, &text, clients).map_err(failed)?;
        let build = Self { table, scratch, text, sample };
        table.tools.postmap(&["-r"], &build.name()).map_err(|cause| build.unavailable(cause))?;
        for index in build.indexes() {
            match table.place.adopt(&index, READ) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(build.redirected()),
                done => done.map_err(failed)?,
            }
        }
        Ok(build)
    }

    /// The new table as postmap takes it.
    fn name(&self) -> OsString {
        self.table.kind.table(&self.scratch.named(&self.table.place.name("")))
    }

    fn file(&self, suffix: &str) -> PathBuf {
        self.scratch.file(&self.table.place.name(suffix))
    }

    fn indexes(&self) -> impl Iterator<Item = PathBuf> {
        self.table.kind.suffixes().map(|suffix| self.file(&suffix))
    }

    /// A table with a client in it is read back the way Postfix reads it; whether there was one.
    pub(super) fn verify(&self) -> Result<bool, BackendError> {
        let Some((key, value)) = &self.sample else { return Ok(false) };
        let cause = match self.table.tools.postmap(&["-q", key.as_str()], &self.name()) {
            Ok(end) if end.stdout.strip_suffix(b"\n").unwrap_or(&end.stdout) == value.as_bytes() => return Ok(true),
            Ok(end) => format!("\"{}\"", String::from_utf8_lossy(&end.stdout).trim().escape_debug()),
            Err(cause) => cause,
        };
        let cure = format!("try postmap -q {key} {}", self.table.name("").display());
        Err(self.unavailable(format!("a lookup of {key} gives {cause}, not {value}")).cure(cure))
    }

    /// Puts text and index in the places that end in `suffix`. dbm and sdbm have two index files, which no system can
    /// rename at once.
    pub(super) fn install(&self, suffix: &str) -> Result<(), BackendError> {
        let install = || {
            for index in self.indexes() {
                File::open(index)?.sync_all()?;
            }
            self.text.sync_all()?;
            let built = std::iter::once(self.file("")).chain(self.indexes());
            rename_all(built.zip(self.table.files(suffix)))?;
            self.table.place.sync()
        };
        install().map_err(|error| write_error(&self.table.index(0, suffix), &error))
    }

    /// Postfix 3.11 can be told to write `lmdb` where `hash` is asked for.
    fn redirected(&self) -> BackendError {
        let asked = self.table.kind.name;
        match Type::all().iter().find(|other| other.suffixes().all(|suffix| self.file(&suffix).exists())) {
            Some(other) => {
                let cause = format!("postmap wrote a {} table where {asked} was asked for", other.name);
                let action = format!("write table {}", self.table.index(0, "").display());
                BackendError::new(ErrorKind::Config, action, cause).cure(format!("set --map-type {}", other.name))
            }
            None => self.unavailable("postmap did not write it".to_owned()),
        }
    }

    fn unavailable(&self, cause: String) -> BackendError {
        let action = format!("write table {}", self.table.index(0, "").display());
        if cause.contains("No space left on device") {
            return BackendError::new(ErrorKind::CannotCreate, action, cause).cure(FREE);
        }
        BackendError::new(ErrorKind::Unavailable, action, cause)
    }
}

/// Writes a line per client.
fn write_text(table: &Postmap, text: &File, clients: &dyn ClientSet) -> io::Result<Option<(Key, String)>> {
    let mut text = BufWriter::new(text);
    let mut buffer = String::new();
    let mut sample = None;
    let mut done = Ok(());
    clients.for_each(&mut |client| {
        if done.is_ok() {
            let key = Key::new(client.address);
            let value = table.value.text(seconds_up(client.expires), &mut buffer);
            done = writeln!(text, "{key}\t{value}");
            sample.get_or_insert_with(|| (key, value.to_owned()));
        }
    });
    done.and_then(|()| text.flush()).map(|()| sample)
}

/// Renames text and index. The text goes first: it is no table, so that whatever fails here, the old table is whole.
pub(super) fn rename_all(pairs: impl Iterator<Item = (impl AsRef<Path>, impl AsRef<Path>)>) -> io::Result<()> {
    for (from, to) in pairs {
        fs::rename(from, to)?;
    }
    Ok(())
}
