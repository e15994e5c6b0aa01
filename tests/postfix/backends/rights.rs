//! Who may read and write the files of a table, and whose they are.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use nix::unistd::{User, geteuid};
use pop_before_smtp_backends::ErrorKind;
use pop_before_smtp_backends::memory::Memory;

use super::site::User::{Nobody, Postfix};
use super::site::{Site, cases, skip};
use super::{client, publish, this_test};

/// Mode and group that a file of the table should have, for who is root.
fn is_closed(file: &Path) -> bool {
    let found = fs::metadata(file).unwrap();
    let group = User::from_name("postfix").unwrap().unwrap().gid;
    // Postfix's processes may write the -shm.
    let mode = if file.extension().is_some_and(|suffix| suffix == "sqlite-shm") { 0o660 } else { 0o640 };
    (found.mode() & 0o7777, found.gid()) == (mode, group.as_raw())
}

#[test]
fn postfix_may_read_and_others_may_not_whatever_the_umask() {
    if !geteuid().is_root() {
        return skip("files of Postfix's group: not run as root");
    }
    for case in cases() {
        for (umask, owner) in [("077", 0), ("000", 0), ("027", 65534)] {
            let site = Site::new(&case);
            std::os::unix::fs::chown(site.directory.path(), Some(owner), Some(owner)).unwrap();
            let output = this_test(&case, &site, "publish", &format!("umask {umask}; exec")).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            assert!(site.files().len() >= 2);
            for file in site.files() {
                assert!(is_closed(&file), "{}: {umask}: {:?}", file.display(), fs::metadata(&file).unwrap());
            }
        }
    }
}

/// As a version of this program left them that knew no better.
#[test]
fn files_that_were_open_to_everybody_are_closed_at_start() {
    if !geteuid().is_root() {
        return skip("files of Postfix's group: not run as root");
    }
    for case in cases() {
        let site = Site::new(&case);
        publish(&mut *(case.driver.open)(&site.options).unwrap(), &[client("192.0.2.1")]);
        let inode = fs::metadata(site.table(&case)).unwrap().ino();
        for file in site.files() {
            fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
            std::os::unix::fs::chown(&file, Some(0), Some(0)).unwrap();
        }
        let backend = (case.driver.open)(&site.options).unwrap();
        for file in site.files() {
            assert!(is_closed(&file), "{}: {:?}", file.display(), fs::metadata(&file).unwrap());
        }
        assert_eq!(fs::metadata(site.table(&case)).unwrap().ino(), inode, "{}: the table itself", case.name());
        drop(backend);
    }
}

/// Who has no right to Postfix's group must still let it read.
#[test]
fn without_the_group_everybody_may_read() {
    if !geteuid().is_root() {
        return skip("a writer of another user: not run as root");
    }
    for case in cases() {
        let site = Site::new(&case);
        std::os::unix::fs::chown(site.directory.path(), Some(65534), Some(65534)).unwrap();
        let output = this_test(&case, &site, "publish", &format!("umask 077; {SETPRIV}")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        for file in site.files() {
            assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o644, "{}", file.display());
        }
        assert!(site.lookup(&case, "192.0.2.1", Postfix).unwrap().is_some(), "{}", case.name());
        // With it, as a member, nobody but the group.
        let group = User::from_name("postfix").unwrap().unwrap().gid;
        let member = format!("exec setpriv --reuid=nobody --regid=nogroup --groups={group}");
        let output = this_test(&case, &site, "publish", &member).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(site.files().iter().all(|file| is_closed(file)), "{}", case.name());
        assert!(site.lookup(&case, "192.0.2.1", Postfix).unwrap().is_some(), "{}", case.name());
    }
}

#[test]
fn after_a_clean_stop_postfix_can_read_and_so_can_we() {
    for case in cases() {
        if !geteuid().is_root() {
            return skip("reading as another user: not run as root");
        }
        let site = Site::new(&case);
        let mut backend = (case.driver.open)(&site.options).unwrap();
        publish(&mut *backend, &[client("192.0.2.1")]);
        for stopped in [false, true] {
            if stopped {
                publish(&mut *backend, &[client("192.0.2.1"), client("192.0.2.2")]);
                drop(std::mem::replace(&mut backend, Box::new(Memory::new())));
            }
            let found = site.lookup(&case, "192.0.2.1", Postfix);
            assert!(matches!(found, Ok(Some(_))), "{} stopped: {stopped}: {found:?}", case.name());
            assert_eq!(site.lookup(&case, "192.0.2.3", Postfix), Ok(None));
            assert!(site.lookup(&case, "192.0.2.1", Nobody).is_err(), "{} stopped: {stopped}", case.name());
        }
        for (task, user) in [("list", AS_POSTFIX), ("not list", SETPRIV)] {
            let output = this_test(&case, &site, task, user).output().unwrap();
            assert!(output.status.success(), "{task}: {output:?}");
        }
        // A table that another user's reader has touched can still be opened.
        let mut backend = (case.driver.open)(&site.options).unwrap();
        assert_eq!(backend.list().unwrap().len(), 2);
    }
}

#[test]
fn as_root_the_files_belong_to_the_owner_of_the_directory() {
    if !geteuid().is_root() {
        return skip("files of another owner: not run as root");
    }
    for case in cases() {
        let site = Site::new(&case);
        std::os::unix::fs::chown(site.directory.path(), Some(65534), Some(65534)).unwrap();
        let mut backend = (case.driver.open)(&site.options).unwrap();
        publish(&mut *backend, &[client("192.0.2.1")]);
        for file in site.files() {
            assert_eq!(fs::metadata(&file).unwrap().uid(), 65534, "{}", file.display());
        }
        drop(backend);
        // The owner can go on where root stopped.
        let output = this_test(&case, &site, "publish", SETPRIV).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

const SETPRIV: &str = "exec setpriv --reuid=nobody --regid=nogroup --clear-groups";
const AS_POSTFIX: &str = "exec setpriv --reuid=postfix --regid=postfix --clear-groups";

#[test]
fn a_directory_that_cannot_be_written_is_reported_with_its_cure() {
    for case in cases() {
        let mut site = Site::new(&case);
        if geteuid().is_root() {
            let before = fs::metadata(site.directory.path()).unwrap().permissions();
            // One that can be written but not read cannot be synced.
            for mode in [0o755, 0o733] {
                fs::set_permissions(site.directory.path(), fs::Permissions::from_mode(mode)).unwrap();
                let output = this_test(&case, &site, "refused", SETPRIV).output().unwrap();
                assert!(output.status.success(), "{mode:o}: {output:?}");
            }
            fs::set_permissions(site.directory.path(), before).unwrap();
        } else {
            skip("a directory without write permission: not run as root");
        }
        for (below, why) in [("missing/map", "does not exist"), ("map.cf/map", "is not a directory")] {
            site.options.map = site.directory.path().join(below);
            let error = (case.driver.open)(&site.options).err().unwrap();
            assert_eq!(error.kind, ErrorKind::CannotCreate, "{error}");
            assert!(error.action.contains(&*site.options.map.to_string_lossy()), "{error}");
            assert!(error.cause.ends_with(why), "{error}");
            assert!(error.cure.unwrap().ends_with("choose another with --map"));
        }
    }
}
