//! Findings about main.cf and master.cf.

use std::fs;

use super::clinic::{ANY, Clinic};
use crate::support::cases::{self, ip};
use crate::support::command::{finish, pop_before_smtp};
use crate::support::daemon::Daemon;
use crate::support::postfix::{Postfix, lists};
use crate::support::{SOON, wait_for};

#[test]
fn a_sound_site_is_well_with_every_backend() {
    for case in [
        &cases::POSTMAP_HASH,
        &cases::POSTMAP_LMDB,
        &cases::LMDB,
        &cases::LMDB_IN_PLACE,
        &cases::SQLITE,
        &cases::SQLITE_PROXIED,
    ] {
        let Some(clinic) = Clinic::new(case) else { return };
        let mut daemon = clinic.daemon();
        let findings = clinic.check(&["--probe"]);
        findings.assert("ok", &format!("smtp/inet asks {}", clinic.table()));
        findings.assert("ok", "refuses strangers").assert("ok", "1 login in its last");
        findings.assert("ok", "of 198.51.100.7, which permits").assert("ok", "says nothing of a stranger");
        findings.assert("ok", &format!("process {} serves", daemon.pid()));
        findings.assert_well();
        assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());
        clinic.check(&[]).assert_only("warning", "no daemon serves");
    }
}

#[test]
fn restrictions_that_do_not_do_their_work_are_told_with_the_line_that_does() {
    let Some(mut clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let table = clinic.table();
    for (main_cf, level, text) in [
        (
            "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination",
            "error",
            "no restriction asks TABLE",
        ),
        ("", "error", "permit_sasl_authenticated, check_client_access TABLE, defer_unauth_destination'"),
        (
            "smtpd_relay_restrictions = permit_auth_destination, reject_unauth_destination, check_client_access TABLE",
            "error",
            "postconf -e 'smtpd_relay_restrictions = permit_auth_destination, check_client_access TABLE, reject_unauth_destination'",
        ),
        (
            "smtpd_relay_restrictions = permit_auth_destination, check_client_access TABLE, reject_unauth_destination\n\
             smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination",
            "error",
            "refuses those whom TABLE permits: reject_unauth_destination in smtpd_recipient_restrictions",
        ),
        (
            "smtpd_relay_restrictions = check_client_access TABLE, reject_unauth_destination",
            "warning",
            "postconf -e 'smtpd_relay_restrictions = permit_auth_destination, check_client_access TABLE,",
        ),
        (
            "smtpd_relay_restrictions = permit_auth_destination, check_client_access TABLE, permit\n\
             smtpd_recipient_restrictions =",
            "error",
            "open relay: smtp/inet permits everybody by permit in smtpd_relay_restrictions",
        ),
        (
            "smtpd_relay_restrictions =\nsmtpd_recipient_restrictions = permit_auth_destination, check_client_access TABLE",
            "error",
            "open relay: nothing in",
        ),
        (
            "smtpd_relay_restrictions = permit_auth_destination, permit_mynetworks, check_client_access TABLE, reject\n\
             mynetworks = 0.0.0.0/0",
            "error",
            "open relay: mynetworks holds the whole internet",
        ),
        (
            "smtpd_relay_restrictions = permit_auth_destination, check_sender_access TABLE, check_client_access TABLE, reject",
            "error",
            "check_sender_access in smtpd_relay_restrictions asks TABLE, which knows nothing but clients' addresses",
        ),
        (
            "smtpd_relay_restrictions = permit_mynetworks, reject\nsmtpd_client_restrictions = check_client_access TABLE",
            "error",
            "a permission in smtpd_client_restrictions does not let them",
        ),
    ] {
        clinic.main_cf(&format!("{}\n", main_cf.replace("TABLE", &table)));
        clinic.check(&[]).assert_only(level, &text.replace("TABLE", &table));
    }
    assert_eq!(daemon.terminate(), Some(0));
}

/// The cure is taken as it stands and given to a shell: then all is well.
#[test]
fn the_lines_that_are_shown_are_right() {
    let Some(mut clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let table = clinic.table();
    let submission = "submission inet n - n - - smtpd\n  -o smtpd_relay_restrictions=";
    let good = clinic.restrictions();
    for (main_cf, master_cf) in [
        ("smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination".to_owned(), String::new()),
        (format!("smtpd_relay_restrictions = reject, check_client_access {table}"), String::new()),
        (format!("smtpd_relay_restrictions = check_client_access {table}, reject"), String::new()),
        (
            format!("smtpd_relay_restrictions = permit_auth_destination, check_client_access {table}, permit"),
            String::new(),
        ),
        (format!("x = {table}\nsmtpd_relay_restrictions = permit, check_client_access $x, reject"), String::new()),
        (format!("{good}smtpd_recipient_restrictions = reject_unauth_destination"), String::new()),
        (good.replace("lmdb:", "hash:"), String::new()),
        (good.replace("lmdb:", "proxy:lmdb:"), String::new()),
        (good.clone(), submission.to_owned()),
        (good.clone(), format!("{submission}check_client_access,{table},reject")),
    ] {
        clinic.main_cf(&format!("{main_cf}\n"));
        clinic.master_cf(&master_cf);
        let mut findings = clinic.check(&[]);
        assert!(findings.text().contains("; postconf -"), "nothing to do about {main_cf}");
        for _ in 0..3 {
            let mut cures = findings.text().lines().filter_map(|line| Some(line.split_once("; ")?.1.to_owned()));
            // No other is to be given to a shell of this machine.
            let Some(cure) = cures.find(|cure| cure.starts_with("postconf -")) else { break };
            let shell = std::process::Command::new("sh")
                .args(["-ec", &cure])
                .env("MAIL_CONFIG", clinic.site.join("etc"))
                .output();
            let shell = shell.expect("a shell");
            assert!(shell.status.success(), "{cure}: {shell:?}");
            findings = clinic.check(&[]);
        }
        findings.assert_well();
    }
    assert_eq!(daemon.terminate(), Some(0));
}

/// A real smtpd does what `check` says of its restrictions.
#[test]
fn smtpd_agrees() {
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let (granted, stranger) = (ip("198.51.100.8"), ip("203.0.113.9"));
    clinic.site.log_in_and_wait(granted);
    let table = clinic.table();
    for lists in [
        "smtpd_relay_restrictions = permit_auth_destination, check_client_access TABLE, reject_unauth_destination",
        "smtpd_relay_restrictions = reject_unauth_destination, check_client_access TABLE",
        "smtpd_relay_restrictions = TABLE, check_client_access, TABLE, reject",
        "smtpd_relay_restrictions = check_client_access { TABLE, { search_order = addr } }, reject",
        "smtpd_relay_restrictions = warn_if_reject reject, Check_Client_Access TABLE, reject",
        "smtpd_relay_restrictions = check_client_access TABLE, reject\nsmtpd_recipient_restrictions = reject_unauth_destination",
        "smtpd_relay_restrictions =\nsmtpd_recipient_restrictions = check_client_access TABLE, reject_unauth_destination",
        "smtpd_restriction_classes = a, b\na = b\nb = check_client_access TABLE\nsmtpd_relay_restrictions = a, defer",
        "smtpd_restriction_classes = a\na = permit\nsmtpd_relay_restrictions = check_client_access TABLE, a, reject",
        "smtpd_relay_restrictions = check_client_access TABLE, check_client_access static:OK, reject",
        "smtpd_client_restrictions = check_client_access TABLE\nsmtpd_relay_restrictions = reject",
        "smtpd_client_restrictions = reject\nsmtpd_relay_restrictions = check_client_access TABLE, reject",
    ] {
        let lists = format!("{}\n", lists.replace("TABLE", &table));
        let postfix = Postfix::start_with("static:dunno", false, &lists);
        let told = finish(clinic.command(&[]).env("MAIL_CONFIG", postfix.config_directory())).stdout;
        let relays = |client| postfix.rcpt(client) == 250;
        assert_eq!(told.contains("error: open relay"), relays(stranger), "stranger: {lists}{told}");
        assert_eq!(
            told.contains("ok: 127.0.0.1:") && told.contains(&format!("asks {table} in")),
            relays(granted),
            "{lists}{told}"
        );
    }
    assert_eq!(daemon.terminate(), Some(0));
}

/// A whole that is written in parts, or for one service alone, is a whole.
#[test]
fn smtpd_agrees_about_mynetworks() {
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let permit = format!(
        "smtpd_relay_restrictions = permit_mynetworks, check_client_access {}, reject_unauth_destination\n",
        clinic.table()
    );
    let cidr = clinic.site.log.with_file_name("networks");
    fs::write(&cidr, "10.0.0.0/8 OK\n0.0.0.0/0 REJECT\n").unwrap();
    let cidr = format!("mynetworks = cidr:{}\n", cidr.display());
    for (main_cf, options, v4, v6) in [
        ("", "", false, false),
        // What it answers does not count.
        (cidr.as_str(), "", true, false),
        ("", "-o mynetworks=0.0.0.0/0", true, false),
        ("mynetworks = 0.0.0.0/0\n", "-o mynetworks=127.0.0.0/8", false, false),
        ("mynetworks = 0.0.0.0/1,128.0.0.0/1\n", "", true, false),
        ("mynetworks = [::]/1, [8000::]/1\n", "", false, true),
        ("mynetworks = !203.0.113.0/25 0.0.0.0/0\n", "", false, false),
        ("mynetworks = static:all\n", "", true, true),
        ("mynetworks = !0.0.0.0/1 !128.0.0.0/1 0.0.0.0/0\n", "", false, false),
    ] {
        let postfix = Postfix::start_with_options("static:dunno", false, &(permit.clone() + main_cf), options);
        let told = finish(clinic.command(&[]).env("MAIL_CONFIG", postfix.config_directory())).stdout;
        let relays = |client| postfix.rcpt(ip(client)) == 250;
        let open = [relays("203.0.113.9"), relays("2001:db8::9")];
        assert_eq!(open, [v4, v6], "{main_cf}{options}");
        // Who keeps out one network keeps out few.
        let is_open = open.contains(&true) || main_cf.contains("!203");
        assert_eq!(told.contains("error: open relay: mynetworks "), is_open, "{main_cf}{options}: {told}");
    }
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn whom_skip_mynetworks_leaves_out_must_be_permitted_otherwise() {
    let Some(mut clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let findings = clinic.check(&["--skip-mynetworks"]);
    findings.assert("ok", "not published: 2 networks of mynetworks: 127.0.0.0/8, ::1/128").assert_well();
    let without = clinic.restrictions().replace("permit_mynetworks, ", "");
    clinic.main_cf(&without);
    clinic.check(&[]).assert_well();
    let told = "permit_mynetworks, reject_unauth_destination', or leave --skip-mynetworks out";
    clinic.check(&["--skip-mynetworks"]).assert_only("error", told);
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn a_service_of_its_own_is_judged_by_itself() {
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    clinic.master_cf(
        "submission inet n - n - - smtpd\n  -o { smtpd_relay_restrictions = permit_sasl_authenticated, reject }\n\
         lmtp unix - - n - - lmtp\n",
    );
    let findings = clinic.check(&[]);
    findings
        .assert("ok", "submission/inet refuses strangers by reject")
        .assert("ok", "submission/inet does not ask the table");
    findings.assert_well();
    clinic.master_cf("submission inet n - n - - smtpd -o smtpd_relay_restrictions=permit_sasl_authenticated\n");
    clinic.check(&[]).assert_only(
        "error",
        "postconf -P submission/inet/smtpd_relay_restrictions=permit_sasl_authenticated,reject_unauth_destination",
    );
    clinic.master_cf("submission inet n - n - - smtpd -o smtpd_client_restrictions=permit_sasl_authenticated,reject\n");
    clinic.check(&[]).assert_only("error", "reject in smtpd_client_restrictions of submission/inet in master.cf");
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn classes_and_variables_are_looked_into() {
    let Some(mut clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let table = clinic.table();
    let main_cf = format!(
        "smtpd_restriction_classes = pbs, end\ntable = {table}\npbs = check_client_access $table\nend = reject_unauth_destination\n\
         first = permit_auth_destination\nsmtpd_relay_restrictions = $first, pbs, end\n"
    );
    clinic.main_cf(&main_cf);
    clinic.check(&[]).assert("ok", &format!("smtp/inet asks {table}")).assert_well();
    clinic.main_cf(
        &main_cf
            .replace("pbs, end\n", "pbs, end, open\nopen = permit\n")
            .replace("$first, pbs, end", "$first, pbs, open, end"),
    );
    clinic.check(&[]).assert_only(
        "error",
        "open relay: smtp/inet permits everybody by permit in smtpd_relay_restrictions; take permit out of open",
    );
    clinic.main_cf(&main_cf.replace("$first, pbs, end", "$first, end, pbs"));
    clinic.check(&[]).assert_only("error", &format!("smtp/inet never asks {table}: reject_unauth_destination"));
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn another_table_than_the_daemons_is_told() {
    let Some(mut clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let (good, table) = (clinic.restrictions(), clinic.table());
    for (wrong, cure) in [
        (table.replace("lmdb:", "hash:"), format!("check_client_access {table}, reject_unauth_destination'")),
        (format!("{table}.lmdb"), format!("the daemon writes {table}")),
    ] {
        clinic.main_cf(&good.replace(&table, &wrong));
        clinic.check(&[]).assert_only("error", &cure);
    }
    clinic.main_cf(&good.replace("lmdb:", "proxy:lmdb:"));
    clinic.check(&[]).assert_only("warning", "makes smtpd wait for proxymap");
    // By a link the path is another, the table the same.
    std::os::unix::fs::symlink(clinic.site.map_dir(), clinic.site.join("link")).unwrap();
    let linked = format!("lmdb:{}", clinic.site.join("link/pop-before-smtp").display());
    clinic.main_cf(&good.replace(&table, &linked));
    clinic.check(&[]).assert_well();
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn a_type_that_postfix_lacks_is_told() {
    let Some(clinic) = Clinic::new(ANY) else { return };
    let map = clinic.site.map().display().to_string();
    let log = clinic.site.log.display().to_string();
    let mut check = std::process::Command::new(env!("CARGO_BIN_EXE_pop-before-smtp"));
    check
        .args(["check", "--map-type", "sdbm", "--map", &map, "--log", &log])
        .env("MAIL_CONFIG", clinic.site.join("etc"));
    let told = finish(&mut check);
    assert!(
        told.stdout.contains("error: Postfix does not know the table type sdbm (postconf -m); choose another"),
        "{told:?}"
    );
}

#[test]
fn a_type_that_postfix_redirects_is_told() {
    let Some(mut clinic) = Clinic::new(&cases::POSTMAP_HASH) else { return };
    // Postfix before 3.11 knows the parameter only because another names it.
    let main_cf = format!(
        "{}non_bdb_migration_level = enable-redirect\nsmtpd_banner = $non_bdb_migration_level\ndefault_database_type = lmdb\n",
        clinic.restrictions()
    );
    clinic.main_cf(&main_cf);
    let script = format!("MAIL_CONFIG={} exec \"$0\" \"$@\"", clinic.site.join("etc").display());
    let mut daemon = Daemon::start_by(&script, &clinic.site.arguments(&[]));
    let lmdb = format!("lmdb:{}", clinic.site.map().display());
    daemon.wait_following(&clinic.site.log);
    wait_for("the grant", SOON, || lists(&lmdb, ip("198.51.100.7")));
    let findings = clinic.check(&["--probe"]);
    findings.assert("ok", "of 198.51.100.7, which permits").assert("warning", ": Postfix takes lmdb for it (non_bdb_");
    findings.assert("warning", &format!("check_client_access {lmdb}, reject_unauth_destination'"));
    findings.assert("warning", "and so does the daemon; give --map-type lmdb");
    assert_eq!((findings.text().matches("warning: ").count(), findings.text().matches("error: ").count()), (2, 0));
    clinic.main_cf(&main_cf.replace("hash:", "lmdb:"));
    clinic.check(&[]).assert_only("warning", "and so does the daemon; give --map-type lmdb");
    clinic.main_cf(&main_cf.replace("type = lmdb", "type = hash"));
    clinic.check(&[]).assert("error", "sets \"hash\" in its place; set default_database_type to lmdb");
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn an_sqlite_table_must_be_asked_rightly() {
    let Some(mut clinic) = Clinic::new(&cases::SQLITE_PROXIED) else { return };
    let mut daemon = clinic.daemon();
    let good = clinic.restrictions();
    clinic.main_cf(&good.replace("proxy:", ""));
    clinic.check(&[]).assert_only("error", "smtp/inet runs chrooted (postconf -M)");
    clinic.main_cf(&format!("{good}proxy_read_maps = proxy:unix:passwd.byname\n"));
    let hint = format!("postconf -e \"proxy_read_maps = {} $(postconf -h proxy_read_maps)\"", clinic.table());
    clinic.check(&[]).assert_only("error", &hint);
    // In a class, the table is not in proxy_read_maps by itself.
    let classes = "smtpd_restriction_classes = pbs\n";
    clinic.main_cf(&format!(
        "{classes}pbs = check_client_access {}\n{}",
        clinic.table(),
        good.replace(&format!("check_client_access {}", clinic.table()), "pbs")
    ));
    clinic.check(&[]).assert_only("error", &hint);

    clinic.main_cf(&good);
    let settings = fs::read_to_string(clinic.cf()).unwrap();
    for (text, told) in [
        (settings.replace("dbpath = ", "dbpath = /nosuch"), "write dbpath = "),
        (
            settings.split(" AND expires").next().unwrap().to_owned(),
            "does not look at expires, so no grant ends by itself",
        ),
        (settings.lines().next().unwrap().to_owned(), "it has no query"),
    ] {
        fs::write(clinic.cf(), format!("{text}\n")).unwrap();
        let findings = clinic.check(&[]);
        findings.assert("error", told);
    }
    fs::remove_file(clinic.cf()).unwrap();
    clinic.check(&[]).assert("error", "there is no ").assert("error", "postfix-config --backend sqlite --map ");
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn the_configuration_file_will_do() {
    let Some(clinic) = Clinic::new(ANY) else { return };
    let mut daemon = clinic.daemon();
    let (map, log) = (clinic.site.map().display().to_string(), clinic.site.log.display().to_string());
    let file = clinic.site.join("pop-before-smtp.toml");
    fs::write(&file, format!("backend = \"lmdb\"\nmap = \"{map}\"\nlog = [\"{log}\"]\nskip-mynetworks = true\n"))
        .unwrap();
    let mut check = std::process::Command::new(env!("CARGO_BIN_EXE_pop-before-smtp"));
    let told = finish(check.arg("check").arg("--config").arg(&file).env("MAIL_CONFIG", clinic.site.join("etc")));
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(
        told.stdout.contains("1 login in its last") && told.stdout.contains("not published: 2 networks"),
        "{told:?}"
    );
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn the_exit_code_is_told_in_the_help() {
    let help = pop_before_smtp(&["check", "--help"]);
    assert!(help.stdout.contains("0 if all is well, 1 if there are warnings, 78 if there is an error"), "{help:?}");
}
