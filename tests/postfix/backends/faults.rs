//! Damaged files, files of somebody else, left-overs and full disks.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use nix::unistd::geteuid;
use pop_before_smtp_backends::{Backend, Client, ErrorKind, Update};

use super::ring::all_addresses;
use super::site::User::{Myself, Postfix};
use super::site::{Case, Site, cases, skip};
use super::{client, publish};

#[test]
fn a_damaged_table_is_replaced_or_refused_never_trusted() {
    for case in cases() {
        for garbage in ["garbage\n".repeat(3000), "x".to_owned()] {
            let site = Site::new(&case);
            fs::write(site.table(&case), &garbage).unwrap();
            match (case.driver.open)(&site.options) {
                Ok(mut backend) => {
                    assert_ne!(case.map_type, "sqlite");
                    assert_eq!(backend.list().unwrap(), []);
                    assert_eq!(site.lookup(&case, "192.0.2.1", Myself), Ok(None));
                }
                Err(error) => {
                    assert_eq!((case.map_type, error.kind), ("sqlite", ErrorKind::Config), "{error}");
                    assert!(error.cure.unwrap().starts_with("move "));
                    assert_eq!(fs::read(site.table(&case)).unwrap(), garbage.as_bytes());
                }
            }
        }
    }
}

#[test]
fn an_empty_file_becomes_a_table() {
    for case in cases() {
        let site = Site::new(&case);
        fs::write(site.table(&case), "").unwrap();
        let mut backend = (case.driver.open)(&site.options).unwrap();
        publish(&mut *backend, &[client("192.0.2.1")]);
        assert!(site.lookup(&case, "192.0.2.1", Myself).unwrap().is_some());
    }
}

#[test]
fn left_overs_of_a_killed_daemon_are_in_nobodys_way() {
    // Berkeley DB waits for ever when it finds such a file (here: of zeros) beside the one that it is to make.
    let block = vec![0; 12288];
    for case in cases() {
        let site = Site::new(&case);
        let plant = || {
            let directory = site.path(".new.d");
            fs::create_dir(&directory).unwrap();
            for name in ["map", "map.db", "map.lmdb", "__db.map.db"] {
                fs::write(directory.join(name), &block).unwrap();
            }
            for name in ["__db.map.db", "__db.map.new.db", "__db.map.empty.db"] {
                fs::write(site.directory.path().join(name), &block).unwrap();
            }
            fs::write(site.path(".new.lmdb"), "left over").unwrap();
        };
        plant();
        let mut backend = (case.driver.open)(&site.options).unwrap();
        publish(&mut *backend, &[client("192.0.2.1")]);
        assert!(site.lookup(&case, "192.0.2.1", Myself).unwrap().is_some());
        let own = match case.driver.name {
            "postmap" => Some(".new.d"),
            "lmdb" => Some(".new.lmdb"),
            _ => None,
        };
        if let Some(suffix) = own {
            assert!(!site.path(suffix).exists(), "{suffix}");
        }
        if case.keeps_its_file() {
            continue;
        }
        if let Some(suffix) = own {
            let _ = fs::remove_dir_all(site.path(".new.d"));
            plant();
            publish(&mut *backend, &[client("192.0.2.2")]);
            assert!(site.lookup(&case, "192.0.2.2", Myself).unwrap().is_some());
            assert!(!site.path(suffix).exists(), "{suffix}");
        }
    }
}

/// What a backend says when it is to publish the first `count` addresses.
fn try_publish(backend: &mut dyn Backend, count: usize) -> Result<(), pop_before_smtp_backends::BackendError> {
    let clients: Vec<Client> = all_addresses()[..count].iter().map(|address| client(&address.to_string())).collect();
    let others: Vec<IpAddr> = all_addresses().split_off(count);
    backend.publish(&Update { added: &clients, extended: &[], removed: &others, clients: &clients })
}

fn found(site: &Site, case: &Case) -> usize {
    site.lookup_all(case, &all_addresses(), Myself).len()
}

#[test]
fn a_full_disk_keeps_the_table_and_can_be_cleared() {
    for case in cases() {
        let Some(site) = Site::on_small_disk(&case) else { return skip("a full disk: cannot mount a tmpfs") };
        let mut backend = (case.driver.open)(&site.options).unwrap();
        for round in 0..3 {
            try_publish(&mut *backend, 3).unwrap();
            site.fill_disk();
            let mut held = 3;
            // SQLite has some room in its log, and LMDB free pages in the file.
            let failure = (0..2000).find_map(|turn| {
                let count = 40 + turn % 2;
                let done = try_publish(&mut *backend, count);
                held = if done.is_ok() { count } else { held };
                done.err()
            });
            if case.keeps_its_file() {
                assert!(failure.is_none_or(|error| error.kind == ErrorKind::CannotCreate));
            } else {
                let error = failure.unwrap();
                assert_eq!(error.kind, ErrorKind::CannotCreate, "{error}");
                assert!(error.to_string().ends_with("; free some space"), "{error}");
            }
            assert_eq!(found(&site, &case), held, "{} round {round}", case.name());
            assert_eq!(backend.list().unwrap().len(), held);

            backend.clear().unwrap();
            assert_eq!(found(&site, &case), 0, "{} round {round}", case.name());
            // There may be no second spare.
            site.fill_disk();
            backend.clear().unwrap();
            assert_eq!(backend.list().unwrap(), []);
            if !case.keeps_its_file() {
                try_publish(&mut *backend, 40).unwrap_err();
            }
            drop(backend);
            backend = (case.driver.open)(&site.options).unwrap();

            site.free_disk();
            try_publish(&mut *backend, 60).unwrap();
            assert_eq!(found(&site, &case), 60, "{} round {round}", case.name());
        }
    }
}

#[test]
fn a_table_is_cleared_and_filled_again() {
    for case in cases() {
        let site = Site::new(&case);
        let mut backend = (case.driver.open)(&site.options).unwrap();
        try_publish(&mut *backend, 5).unwrap();
        backend.clear().unwrap();
        assert_eq!(found(&site, &case), 0);
        // Only what differs from the state before is told; the rest must come back, too.
        let clients: Vec<Client> = all_addresses()[..6].iter().map(|address| client(&address.to_string())).collect();
        backend.publish(&Update { added: &clients[5..], extended: &[], removed: &[], clients: &clients }).unwrap();
        assert_eq!(found(&site, &case), 6, "{}", case.name());
    }
}

/// Any process of Postfix may cut the -shm, which it may write; without care that ends the daemon with SIGBUS.
#[test]
fn an_sqlite_index_that_was_cut_is_made_again_for_postfix() {
    for case in cases().into_iter().filter(|case| case.map_type == "sqlite") {
        let user = if geteuid().is_root() { Postfix } else { Myself };
        let site = Site::new(&case);
        let mut backend = (case.driver.open)(&site.options).unwrap();
        for (count, size) in [(3, 0), (5, 4096)] {
            let index = fs::OpenOptions::new().write(true).open(site.path(".sqlite-shm")).unwrap();
            index.set_len(size).unwrap();
            try_publish(&mut *backend, count).unwrap();
            assert_eq!(site.lookup_all(&case, &all_addresses(), user).len(), count);
        }
    }
}

fn postmap(table: &str, text: &Path) {
    let program = if Path::new("/usr/sbin/postmap").exists() { "/usr/sbin/postmap" } else { "postmap" };
    assert!(Command::new(program).arg(format!("{table}:{}", text.display())).status().unwrap().success());
}

#[test]
fn a_text_file_of_somebody_else_is_refused_and_left_alone() {
    let texts = [
        "# a comment\n",
        "smtpd_banner = $myhostname ESMTP\n",
        "192.0.2.1 OK\n",
        "192.0.2\tOK\n",
        "192.0.2.1\n",
        "192.0.2.1\t5\nexample.org\tREJECT",
        " ",
    ];
    for case in cases().into_iter().filter(|case| case.driver.name == "postmap") {
        for text in texts {
            let site = Site::new(&case);
            fs::write(site.path(""), text).unwrap();
            let error = (case.driver.open)(&site.options).err().unwrap();
            assert_eq!(error.kind, ErrorKind::Config, "{error}");
            let map = site.path("");
            let said = format!(
                "cannot use map {}: it holds entries of somebody else; choose another with --map",
                map.display()
            );
            assert_eq!(error.to_string(), said);
            assert_eq!(site.files(), [map]);
            assert_eq!(fs::read_to_string(site.path("")).unwrap(), text);
        }
        // Ours, also with what an earlier --value said.
        for text in ["", "\n", "192.0.2.1\t5\n2001:db8::1\tOK, really\n", "192.0.2.1\t5"] {
            let site = Site::new(&case);
            fs::write(site.path(""), text).unwrap();
            (case.driver.open)(&site.options).unwrap();
        }
    }
}

#[test]
fn an_index_of_somebody_else_is_refused_and_left_alone() {
    for case in cases().into_iter().filter(|case| case.map_type != "sqlite") {
        let site = Site::new(&case);
        let text = site.path("");
        fs::write(&text, "192.0.2.1\tOK\nexample.org\tREJECT\n").unwrap();
        postmap(case.map_type, &text);
        fs::remove_file(&text).unwrap();
        let (before, inode) = (fs::read(site.table(&case)).unwrap(), fs::metadata(site.table(&case)).unwrap().ino());
        let error = (case.driver.open)(&site.options).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Config, "{error}");
        assert_eq!(error.cause, "it holds entries of somebody else");
        assert_eq!(site.files(), [site.table(&case)]);
        assert_eq!(fs::read(site.table(&case)).unwrap(), before);
        assert_eq!(fs::metadata(site.table(&case)).unwrap().ino(), inode);
    }
}

#[test]
fn a_restart_with_another_value_keeps_the_clients() {
    for case in cases() {
        let mut site = Site::new(&case);
        for value in [None, Some("OK, and more"), Some("permit"), None] {
            site.options.value = value.map(str::to_owned);
            let mut backend = (case.driver.open)(&site.options).unwrap();
            assert!(backend.list().unwrap().len() < 5);
            publish(&mut *backend, &[client("192.0.2.1"), client("2001:db8::1")]);
        }
        assert_eq!((case.driver.open)(&site.options).unwrap().list().unwrap().len(), 2);
    }
}

#[test]
fn a_map_type_that_a_backend_does_not_write_is_refused() {
    for case in cases().into_iter().filter(|case| case.driver.name != "postmap") {
        let mut site = Site::new(&case);
        site.options.map_type = Some("hash".to_owned());
        let name = case.driver.name;
        let said = format!("cannot use map type hash: backend {name} writes {name} tables; leave --map-type out");
        for open in [case.driver.open, case.driver.open_read_only] {
            let error = open(&site.options).err().unwrap();
            assert_eq!((error.kind, error.to_string()), (ErrorKind::Config, said.clone()));
        }
        assert!(site.files().is_empty());
    }
}
