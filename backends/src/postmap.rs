//! Tables that postmap(1) writes: for every publish a text file, indexed beside the table and renamed into place.
//!
//! Runs postmap and postconf; writes `<map>`, its index files and their `.new` counterparts.
//!
//! A running smtpd notices a new index by its inode. A change in place it would notice by the whole second of its
//! time stamp only, and a postmap that fails in place leaves no table.

mod types;

#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use self::types::Type;
use crate::entry::{Key, Value, unix_seconds};
use crate::files::{Place, read_error, remove, write_error};
use crate::process::{Finished, find, run};
use crate::{Backend, BackendError, ClientSet, ErrorKind, Listed, Options, Update};

/// The programs of Postfix, and how long one of them may take.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) postmap: PathBuf,
    /// Missing is no error as long as nobody has to ask it.
    pub(crate) postconf: Option<PathBuf>,
    pub(crate) limit: Duration,
}

impl Tools {
    fn installed() -> Result<Self, BackendError> {
        let Some(postmap) = find("postmap") else { return Err(missing("postmap")) };
        Ok(Self { postmap, postconf: find("postconf"), limit: Duration::from_secs(10) })
    }

    fn postconf(&self, arguments: &[&str]) -> Result<String, BackendError> {
        let Some(postconf) = &self.postconf else { return Err(missing("postconf")) };
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        let failed = |cause| BackendError::new(ErrorKind::Unavailable, "ask postconf", cause);
        let end = run(postconf, &arguments, self.limit).map_err(failed)?;
        match end.failure() {
            Some(cause) => Err(failed(cause)),
            None => Ok(String::from_utf8_lossy(&end.stdout).trim().to_owned()),
        }
    }
}

fn missing(program: &str) -> BackendError {
    let error =
        BackendError::new(ErrorKind::Unavailable, format!("find {program}"), "it is not in /usr/sbin nor in $PATH");
    error.cure("install Postfix or use --backend lmdb or sqlite")
}

pub(crate) fn open(options: &Options) -> Result<Box<dyn Backend>, BackendError> {
    Ok(Box::new(Postmap::open(options, Tools::installed()?)?))
}

pub(crate) fn open_read_only(options: &Options) -> Result<Box<dyn Backend>, BackendError> {
    let table = Postmap::new(options, Tools::installed()?)?;
    match table.missing_index() {
        Some(index) => Err(read_error(&index, &io::ErrorKind::NotFound.into())),
        None => Ok(Box::new(table)),
    }
}

/// The command that a publish runs, as an operator would type it.
pub(crate) fn describe(options: &Options) -> String {
    let asked = || Tools::installed().and_then(|tools| tools.postconf(&["-h", "default_database_type"])).ok();
    let map_type = options.map_type.clone().or_else(asked).unwrap_or_else(|| "hash".to_owned());
    format!("Postmap command: postmap -r {map_type}:{}", options.map.display())
}

/// A table written by postmap.
pub(crate) struct Postmap {
    tools: Tools,
    kind: Type,
    place: Place,
    value: Value,
    verified: bool,
}

impl Postmap {
    /// Opens the table, or creates an empty one where there is none that postmap can read.
    pub(crate) fn open(options: &Options, tools: Tools) -> Result<Self, BackendError> {
        let mut table = Self::new(options, tools)?;
        let index = table.index(0, "");
        table.place.check_writable(&index)?;
        if table.place.path("").is_dir() {
            return Err(write_error(&table.place.path(""), &io::ErrorKind::IsADirectory.into()));
        }
        table.remove_new().map_err(|error| write_error(&index, &error))?;
        if table.usable() {
            table.adopt_all().map_err(|error| write_error(&index, &error))?;
        } else {
            table.write(&Vec::new()).map_err(|error| table.explain(error))?;
        }
        Ok(table)
    }

    fn new(options: &Options, tools: Tools) -> Result<Self, BackendError> {
        let value = Value::new(options)?;
        let place = Place::of(&options.map)?;
        let name = match &options.map_type {
            Some(name) => name.clone(),
            None => tools
                .postconf(&["-h", "default_database_type"])
                .map_err(|error| if error.cure.is_none() { error.cure("set --map-type") } else { error })?,
        };
        match Type::named(&name) {
            Some(kind) => Ok(Self { tools, kind, place, value, verified: false }),
            None => Err(unknown_type(&name, &tools)),
        }
    }

    fn usable(&self) -> bool {
        if self.missing_index().is_some() {
            return false;
        }
        match self.postmap(&["-s"], &self.name("")) {
            Ok(_) => true,
            Err(cause) => {
                let table = self.index(0, "");
                log::warn!("table {} is damaged: {cause}; replacing it by an empty one", table.display());
                false
            }
        }
    }

    /// The table as postmap takes it: `hash:/etc/postfix/pop-before-smtp`.
    fn name(&self, suffix: &str) -> OsString {
        let mut name = OsString::from(self.kind.name);
        name.push(":");
        name.push(self.place.path(suffix));
        name
    }

    fn index(&self, number: usize, suffix: &str) -> PathBuf {
        self.place.path(&format!("{suffix}.{}", self.kind.extensions[number]))
    }

    fn indexes<'a>(&'a self, suffix: &'a str) -> impl Iterator<Item = PathBuf> + 'a {
        (0..self.kind.extensions.len()).map(move |number| self.index(number, suffix))
    }

    fn missing_index(&self) -> Option<PathBuf> {
        self.indexes("").find(|index| !index.exists())
    }

    fn postmap(&self, arguments: &[&str], table: &OsStr) -> Result<Finished, String> {
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).chain([table]).collect();
        let end = run(&self.tools.postmap, &arguments, self.tools.limit)?;
        match end.failure() {
            Some(cause) => Err(cause),
            None => {
                if let Some(complaint) = end.complaint() {
                    log::debug!("{complaint}");
                }
                Ok(end)
            }
        }
    }

    fn write(&mut self, clients: &dyn ClientSet) -> Result<(), BackendError> {
        let done = self
            .build(clients)
            .and_then(|text| self.install(&text).map_err(|error| write_error(&self.index(0, ""), &error)));
        if done.is_err() {
            // What cannot be removed now is removed before the next attempt, or reported by it.
            let _ = self.remove_new();
        }
        done
    }

    /// Writes the text file and has it indexed, both beside the table.
    fn build(&mut self, clients: &dyn ClientSet) -> Result<File, BackendError> {
        let failed = |error| write_error(&self.index(0, ""), &error);
        self.remove_new().map_err(failed)?;
        let text = self.place.create(&self.place.path(".new")).map_err(failed)?;
        let sample = self.write_text(&text, clients).map_err(failed)?;
        self.postmap(&["-r"], &self.name(".new")).map_err(|cause| self.unavailable(cause))?;
        for index in self.indexes(".new") {
            match self.place.adopt(&index) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.redirected()),
                done => done.map_err(failed)?,
            }
        }
        if let (false, Some((key, value))) = (self.verified, sample) {
            self.verify(&key, &value)?;
            self.verified = true;
        }
        Ok(text)
    }

    /// Writes a line per client; one of them, to look up afterwards.
    fn write_text(&self, text: &File, clients: &dyn ClientSet) -> io::Result<Option<(Key, String)>> {
        let mut text = BufWriter::new(text);
        let mut buffer = String::new();
        let mut sample = None;
        let mut done = Ok(());
        clients.for_each(&mut |client| {
            if done.is_ok() {
                let key = Key::new(client.address);
                let value = self.value.text(unix_seconds(client.expires), &mut buffer);
                done = writeln!(text, "{key}\t{value}");
                sample.get_or_insert_with(|| (key, value.to_owned()));
            }
        });
        done.and_then(|()| text.flush()).map(|()| sample)
    }

    /// Puts text and index in their places. The text goes first: it is no table, so that whatever fails here, the old
    /// table is whole. dbm and sdbm have two index files, which no system can rename at once.
    fn install(&self, text: &File) -> io::Result<()> {
        for index in self.indexes(".new") {
            File::open(index)?.sync_all()?;
        }
        text.sync_all()?;
        fs::rename(self.place.path(".new"), self.place.path(""))?;
        for (from, to) in self.indexes(".new").zip(self.indexes("")) {
            fs::rename(from, to)?;
        }
        self.place.sync()
    }

    /// The first table with a client in it is read back the way Postfix reads it, before anybody sees it.
    fn verify(&self, key: &Key, value: &str) -> Result<(), BackendError> {
        let found = self.postmap(&["-q", key.as_str()], &self.name(".new"));
        let cause = match found {
            Ok(end) if end.stdout.strip_suffix(b"\n").unwrap_or(&end.stdout) == value.as_bytes() => return Ok(()),
            Ok(end) => format!("\"{}\"", String::from_utf8_lossy(&end.stdout).trim().escape_debug()),
            Err(cause) => cause,
        };
        let table = self.name("");
        let cure = format!("try postmap -q {key} {}", table.display());
        Err(self.unavailable(format!("a lookup of {key} gives {cause}, not {value}")).cure(cure))
    }

    /// Postfix 3.11 can be told to write `lmdb` where `hash` is asked for.
    fn redirected(&self) -> BackendError {
        let index = self.index(0, ".new");
        let other = Type::all().iter().find(|other| self.place.path(&format!(".new.{}", other.extensions[0])).exists());
        match other {
            Some(other) => {
                let cause = format!("postmap wrote a {} table where {} was asked for", other.name, self.kind.name);
                let action = format!("write table {}", self.index(0, "").display());
                BackendError::new(ErrorKind::Config, action, cause).cure(format!("set --map-type {}", other.name))
            }
            None => self.unavailable(format!("postmap did not write {}", index.display())),
        }
    }

    fn unavailable(&self, cause: String) -> BackendError {
        BackendError::new(ErrorKind::Unavailable, format!("write table {}", self.index(0, "").display()), cause)
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

    fn adopt_all(&self) -> io::Result<()> {
        self.indexes("").try_for_each(|index| self.place.adopt(&index))?;
        let text = self.place.path("");
        if text.exists() { self.place.adopt(&text) } else { Ok(()) }
    }

    /// Removes what an attempt left beside the table, under any type: a stale index of another type would look like
    /// one that postmap has just written.
    fn remove_new(&self) -> io::Result<()> {
        remove(&self.place.path(".new"))?;
        let extensions = Type::all().iter().flat_map(|other| other.extensions);
        extensions.chain(&["cdb.tmp"]).try_for_each(|extension| remove(&self.place.path(&format!(".new.{extension}"))))
    }
}

impl Backend for Postmap {
    fn list(&mut self) -> Result<Vec<Listed>, BackendError> {
        let failed = |cause| {
            let action = format!("read table {}", self.index(0, "").display());
            BackendError::new(ErrorKind::Unavailable, action, cause)
        };
        let end = self.postmap(&["-s"], &self.name("")).map_err(failed)?;
        let entry = |line: &[u8]| {
            let tab = line.iter().position(|&byte| byte == b'\t')?;
            self.value.listed(&line[..tab], &line[tab + 1..])
        };
        Ok(end.stdout.split(|&byte| byte == b'\n').filter_map(entry).collect())
    }

    fn publish(&mut self, update: &Update<'_>) -> Result<(), BackendError> {
        self.write(update.clients)
    }
}

fn unknown_type(name: &str, tools: &Tools) -> BackendError {
    let known = tools.postconf(&["-m"]).unwrap_or_default();
    let usable: Vec<&str> = known.lines().map(str::trim).filter(|name| Type::named(name).is_some()).collect();
    let name = name.escape_debug();
    let error = BackendError::new(
        ErrorKind::Config,
        format!("use map type {name}"),
        "Postfix does not know it, or postmap makes no index of it",
    );
    match usable.as_slice() {
        [] => error.cure("set another with --map-type, or use --backend lmdb or sqlite"),
        usable => error.cure(format!("set --map-type to one of {}", usable.join(", "))),
    }
}
