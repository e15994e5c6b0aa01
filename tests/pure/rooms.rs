//! The rooms of `src/` import downwards only, and every file stands in a room.

use std::fs;
use std::path::{Path, PathBuf};

/// Upper floors first: a room imports rooms below it.
const ROOMS: [&str; 17] = [
    "check", "daemon", "commands", "control", "input", "share", "report", "postfix", "config", "cli", "grants",
    "saved", "publish", "ring", "matcher", "source", "output",
];

/// Below all of them.
const CELLAR: [&str; 5] = ["bounded", "line", "ordered_map", "time", "wait"];

/// Stand in no room.
const FILES: [&str; 5] = ["main.rs", "lib.rs", "bounded.rs", "ordered_map.rs", "time.rs"];

fn src() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "src"].iter().collect()
}

/// Above the ground, the higher the smaller.
fn floor(room: &str) -> usize {
    ROOMS.iter().position(|known| *known == room).unwrap_or(ROOMS.len())
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The rooms that a text imports, without those of its tests.
fn imports(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().split("#[cfg(test)]\n#[allow").next().unwrap();
    let names =
        code.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| line.split("crate::").skip(1));
    names.map(|rest| rest.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap().to_owned()).collect()
}

#[test]
fn rooms_import_downwards_only() {
    let mut wrong = Vec::new();
    for file in files(&src()) {
        let inside = file.strip_prefix(src()).unwrap();
        let room = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        // Files of tests alone.
        if matches!(room, "main" | "lib") || inside.ends_with("tests.rs") {
            continue;
        }
        for other in imports(&fs::read_to_string(&file).unwrap()) {
            assert!(
                ROOMS.contains(&&other[..]) || CELLAR.contains(&&other[..]),
                "{}: no room {other:?}",
                inside.display()
            );
            if other != room
                && floor(&other) <= floor(room)
                && !(CELLAR.contains(&room) && CELLAR.contains(&&other[..]))
            {
                wrong.push(format!("{}: {room} -> {other}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "rooms import upwards:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_stands_in_a_room() {
    for entry in fs::read_dir(src()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let has_place =
            if path.is_dir() { ROOMS.contains(&name) || CELLAR.contains(&name) } else { FILES.contains(&name) };
        assert!(has_place, "src/{name} stands in no room");
    }
}

#[test]
fn the_top_level_stays_as_it_is() {
    let known = ["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "backends", "docs", "src", "target", "tests"];
    for entry in fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.starts_with('.') || known.contains(&&name[..]), "{name} does not belong to the top level");
    }
}

#[test]
fn a_module_of_several_files_begins_in_its_mod_rs() {
    let is_source = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    for directory in ["src", "backends/src", "tests"] {
        for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory)).iter().filter(|path| is_source(path))
        {
            let beside = file.with_extension("");
            let is_module = beside.is_dir() && files(&beside).iter().any(is_source);
            assert!(!is_module, "{} stands beside a directory of its name", file.display());
        }
    }
}
