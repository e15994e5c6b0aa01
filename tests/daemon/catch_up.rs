//! What was written into a log while no daemon ran is read at the next start, and counts by its own time.

use std::fs::{self, File};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::support::cases::{self, Site, append_raw};
use crate::support::command::{Finished, finish};
use crate::support::past::{GRACE, RFC_3339, TRADITIONAL, client, expiry, is_of, login_at, login_stamped, now, stamp};
use crate::support::{Need, require};

/// Runs a test once for each way to follow a file.
#[track_caller]
fn each_source(test: impl Fn(&Site, &str)) {
    for source in ["tail", "follow"] {
        let Some(site) = Site::new(&cases::LMDB) else { return };
        // Shown if the test fails.
        println!("--source {source}");
        test(&site, source);
    }
}

/// Reads what there is, in this time zone, and ends.
#[track_caller]
fn read_once(site: &Site, source: &str, zone: &str) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pop-before-smtp"));
    let end = finish(command.args(site.arguments(&["--source", source, "--once"])).env("TZ", zone));
    assert_eq!(end.code, Some(0), "{end:?}");
    end
}

#[test]
fn a_login_within_the_grace_gets_the_rest_of_it() {
    each_source(|site, source| {
        let begin = now();
        let ages = [(1, 40 * 60), (2, 31 * 60), (3, 20 * 60), (4, 60), (5, 0)];
        let lines: String = ages.map(|(last, age)| login_at(begin - age, client(last))).concat();
        append_raw(&site.log, lines.as_bytes());
        // Again, and out of order by as much as a log may be: the later login counts.
        append_raw(&site.log, login_at(begin - 60, client(5)).as_bytes());
        append_raw(&site.log, login_at(begin + 3000, client(6)).as_bytes());
        let end = read_once(site, source, "UTC");
        assert_eq!(expiry(site, client(1)), None, "{end:?}");
        assert_eq!(expiry(site, client(2)), None, "{end:?}");
        for (last, age) in &ages[2..] {
            assert!(is_of(expiry(site, client(*last)), begin - age), "{last}: {end:?}");
        }
        // From the future: as if it came now.
        let future = expiry(site, client(6)).unwrap();
        assert!((begin + GRACE..=now() + GRACE + 1).contains(&future), "{future}");
        assert_eq!(end.stderr.matches("granted ").count(), 4, "{end:?}");
    });
}

#[test]
fn every_form_of_time_stamp_counts() {
    // What a clock shows that is so many hours ahead, as POSIX writes zones.
    for (zone, ahead) in [("UTC", 0.0), ("<+0530>-5:30", 5.5), ("XST8", -8.0)] {
        each_source(|site, source| {
            let login = now() - 600;
            let forms = [
                stamp(login, TRADITIONAL, ahead),
                stamp(login, "%Y-%m-%d %H:%M:%S", ahead),
                stamp(login, "%Y-%m-%dT%H:%M:%S.999999", ahead),
                stamp(login, "%Y-%m-%dT%H:%M:%SZ", 0.0),
                stamp(login, "%Y-%m-%dT%H:%M:%S.123456+0000", 0.0),
                stamp(login, RFC_3339, 13.75),
                stamp(login, RFC_3339, -11.0),
            ];
            for (last, stamp) in (1..).zip(&forms) {
                append_raw(&site.log, login_stamped(stamp, client(last)).as_bytes());
            }
            let end = read_once(site, source, zone);
            for (last, stamp) in (1..).zip(&forms) {
                assert!(is_of(expiry(site, client(last)), login), "{stamp} in {zone}: {end:?}");
            }
        });
    }
}

/// A way to rotate: before, the log holds its lines; afterwards the last one goes to the log anew.
type Rotate = fn(&Site);

fn rename(site: &Site, to: &str) {
    fs::rename(&site.log, site.join(to)).unwrap();
    File::create_new(&site.log).unwrap();
}

const ROTATIONS: [(&str, Rotate); 8] = [
    ("numbers", |site| rename(site, "maillog.1")),
    ("dates", |site| rename(site, "maillog-20261122")),
    ("an older ending", |site| rename(site, "maillog.old")),
    ("copytruncate", |site| {
        fs::copy(&site.log, site.join("maillog.1")).unwrap();
        File::options().write(true).open(&site.log).unwrap().set_len(0).unwrap();
    }),
    ("twice", |site| {
        rename(site, "maillog.1");
        append_raw(&site.log, login_at(now() - 120, client(9)).as_bytes());
        fs::rename(site.join("maillog.1"), site.join("maillog.2")).unwrap();
        rename(site, "maillog.1");
    }),
    ("a link that moves on", |site| {
        fs::rename(&site.log, site.join("maillog-20261121")).unwrap();
        fs::write(site.join("maillog-20261122"), "").unwrap();
        std::os::unix::fs::symlink("maillog-20261122", &site.log).unwrap();
    }),
    ("a link into another directory", |site| {
        fs::create_dir(site.join("logs")).unwrap();
        fs::rename(&site.log, site.join("logs/mail-20261121.log")).unwrap();
        fs::write(site.join("logs/mail-20261122.log"), "").unwrap();
        std::os::unix::fs::symlink("logs/mail-20261122.log", &site.log).unwrap();
    }),
    ("a link to a name that is rotated", |site| {
        fs::create_dir(site.join("logs")).unwrap();
        fs::rename(&site.log, site.join("logs/current.1")).unwrap();
        fs::write(site.join("logs/current"), "").unwrap();
        std::os::unix::fs::symlink("logs/current", &site.log).unwrap();
    }),
];

#[test]
fn the_predecessors_are_read_too() {
    for (name, rotate) in ROTATIONS {
        each_source(|site, source| {
            let login = now() - 300;
            append_raw(&site.log, login_at(login, client(1)).as_bytes());
            rotate(site);
            append_raw(&site.log, login_at(login + 100, client(2)).as_bytes());
            let end = read_once(site, source, "UTC");
            assert!(is_of(expiry(site, client(1)), login), "{name}: {end:?}");
            assert!(is_of(expiry(site, client(2)), login + 100), "{name}: {end:?}");
            assert_eq!(expiry(site, client(9)).is_some(), name == "twice", "{name}: {end:?}");
        });
    }
}

#[test]
fn a_name_with_an_ending_is_rotated_in_front_of_it() {
    each_source(|site, source| {
        let log = site.join("mail.log");
        fs::write(&log, login_at(now(), client(1))).unwrap();
        for (last, name) in (2..).zip(["mail-20261122.log", "mail.1.log", "mail.log.1"]) {
            fs::write(site.join(name), login_at(now(), client(last))).unwrap();
        }
        // Others' logs.
        for (last, name) in (10..).zip(["mail.err", "mail.err.1", "mail-in.log", "mail2.log", "mail.logs"]) {
            fs::write(site.join(name), login_at(now(), client(last))).unwrap();
        }
        fs::rename(&log, &site.log).unwrap();
        std::os::unix::fs::symlink(&site.log, &log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_pop-before-smtp"));
        let log = log.display().to_string();
        let end = finish(command.args(site.map_arguments(&["--log", &log, "--source", source, "--once"])));
        let granted = |last: &u32| expiry(site, client(*last)).is_some();
        assert_eq!((1..20).filter(granted).collect::<Vec<_>>(), [1, 2, 3, 4], "{end:?}");
    });
}

#[test]
fn a_compressed_predecessor_is_told_of_if_it_matters() {
    each_source(|site, source| {
        for (name, old, warns) in
            [("maillog.1.gz", false, true), ("maillog-20261122.xz", false, true), ("maillog.2.gz", true, false)]
        {
            let file = site.join(name);
            fs::write(&file, "compressed").unwrap();
            if old {
                let time = SystemTime::now() - Duration::from_secs(GRACE + 600);
                File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
            }
            let end = read_once(site, source, "UTC");
            assert_eq!(end.stderr.contains("delaycompress"), warns, "{name}: {end:?}");
            fs::remove_file(file).unwrap();
        }
        // The latest is not compressed.
        fs::write(site.join("maillog.2.gz"), "compressed").unwrap();
        fs::write(site.join("maillog.1"), login_at(now(), client(1))).unwrap();
        let end = read_once(site, source, "UTC");
        assert!(!end.stderr.contains("delaycompress"), "{end:?}");
        assert!(expiry(site, client(1)).is_some(), "{end:?}");
    });
}

#[test]
fn files_of_another_owner_do_not_count() {
    if !require(&[Need::Postfix]) {
        return;
    }
    each_source(|site, source| {
        let forged = site.join("maillog.1");
        fs::write(&forged, login_at(now(), client(66))).unwrap();
        std::os::unix::fs::chown(&forged, Some(65_534), None).unwrap();
        // Nor what is no file at all.
        nix::unistd::mkfifo(&site.join("maillog.2"), nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
        append_raw(&site.log, login_at(now(), client(1)).as_bytes());
        let end = read_once(site, source, "UTC");
        assert_eq!(expiry(site, client(66)), None, "{end:?}");
        assert!(expiry(site, client(1)).is_some(), "{end:?}");
    });
}

/// A log of some 100 MB of which only the end matters is not read from its start.
#[test]
fn a_long_log_is_read_from_its_end() {
    each_source(|site, source| {
        let filler = login_at(now() - 3 * 3600, client(66)).replace("Login:", "Logout:").repeat(1000);
        for _ in 0..500 {
            append_raw(&site.log, filler.as_bytes());
        }
        let login = now() - 600;
        append_raw(&site.log, login_at(login, client(1)).as_bytes());
        let mut command = Command::new("prlimit");
        // A debug build needs far more to read all of it.
        command.args(["--cpu=1", env!("CARGO_BIN_EXE_pop-before-smtp")]);
        let end = finish(command.args(site.arguments(&["--source", source, "--once"])));
        assert_eq!(end.code, Some(0), "{end:?}");
        assert!(is_of(expiry(site, client(1)), login), "{end:?}");
    });
}
