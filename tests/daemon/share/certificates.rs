//! Who shows which certificate to whom, and where passwords, keys and services are looked for.

use super::{Alone, Host, can_run};
use crate::support::command::{Finished, finish, pop_before_smtp};
use crate::support::postgres::Postgres;
use crate::support::{Need, SOON, Scratch, require, wait_for};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A key, and a certificate that signs itself.
fn make(dir: &Scratch, file: &str, name: &str, host: &str) -> (PathBuf, PathBuf) {
    let (key, certificate) = (dir.join(&format!("{file}.key")), dir.join(&format!("{file}.crt")));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    openssl.args(["-subj", &format!("/CN={name}"), "-addext", &format!("subjectAltName={host}")]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"]).arg(&key).arg("-out").arg(&certificate);
    let made = finish(&mut openssl);
    assert_eq!(made.code, Some(0), "{made:?}");
    (key, certificate)
}

/// Gives a file to the server.
fn hand_over(postgres: &Postgres, from: &Path, to: &str) {
    fs::copy(from, postgres.file(to)).unwrap();
    fs::set_permissions(postgres.file(to), fs::Permissions::from_mode(0o600)).unwrap();
    let user = nix::unistd::User::from_name("postgres").unwrap().unwrap();
    nix::unistd::chown(&postgres.file(to), Some(user.uid), Some(user.gid)).unwrap();
}

/// Lets the server speak TLS.
fn serve(postgres: &Postgres, key: &Path, certificate: &Path) {
    hand_over(postgres, key, "server.key");
    hand_over(postgres, certificate, "server.crt");
    postgres.sql("ALTER SYSTEM SET ssl = on");
    postgres.sql("SELECT pg_reload_conf()");
    wait_for("TLS", SOON, || postgres.sql("SHOW ssl") == "on");
}

/// A server without TLS, or with another's certificate, cannot speak for ours.
#[test]
fn certificates_are_checked() {
    if !can_run() || !require(&[Need::Program("openssl")]) {
        return;
    }
    let postgres = Postgres::start();
    let dir = Scratch::new();
    let (key, cert) = make(&dir, "server", "db", "IP:127.0.0.1");
    let (_, other) = make(&dir, "other", "db", "IP:127.0.0.1");
    let (wrong_key, wrong) = make(&dir, "wrong", "db", "DNS:db.example.net");
    let probe = |root: &Path| {
        let url = format!("{}?sslmode=verify-full&sslrootcert={}", postgres.url("taker"), root.display());
        pop_before_smtp(&["list", "--all", "--share-url", &url])
    };
    assert_eq!(probe(&cert).code, Some(69), "a server without TLS");
    serve(&postgres, &key, &cert);
    let listed = probe(&cert);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let refused = probe(&other);
    assert!(refused.code == Some(69) && refused.stderr.to_lowercase().contains("certificate"), "{refused:?}");
    let url = format!("{}?sslmode=verify-full&sslrootcert={}", postgres.url("taker"), other.display());
    let daemon = Host::start(&url, "mx1", &["--share-take"]);
    daemon.wait_broken("certificate");
    Alone::start().serves(&daemon, 1);
    serve(&postgres, &wrong_key, &wrong);
    wait_for("the other certificate", SOON, || probe(&wrong).stderr.contains("not valid for name"));
    // The password of ~/.pgpass, by its rules, and the rest of a service.
    serve(&postgres, &key, &cert);
    let (passes, services) = (dir.join("pgpass"), dir.join("services"));
    fs::write(&passes, format!("db:*:*:*:no\n127.0.0.1:{}:postgres:taker:secret\n", postgres.port)).unwrap();
    let service =
        format!("[relay]\nhost=127.0.0.1\nport={}\ndbname=postgres\nuser=taker\nsslmode=require\n", postgres.port);
    fs::write(&services, service + &format!("sslrootcert={}\n", cert.display())).unwrap();
    let list = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pop-before-smtp"));
        command.args(["list", "--all", "--share-url", "postgresql://"]).env("PGSERVICE", "relay");
        finish(command.env("PGPASSFILE", &passes).env("PGSERVICEFILE", &services))
    };
    fs::set_permissions(&passes, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(list().stderr.contains("others can read the passwords"), "{:?}", list());
    fs::set_permissions(&passes, fs::Permissions::from_mode(0o600)).unwrap();
    wait_for("the list", SOON, || list().code == Some(0));
    let home = dir.join("home");
    fs::create_dir(&home).unwrap();
    fs::rename(&passes, home.join(".pgpass")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pop-before-smtp"));
    command.args(["list", "--all", "--share-url", "postgresql://?service=relay"]).env("HOME", &home);
    let listed = finish(command.env("PGSERVICEFILE", &services));
    assert_eq!(listed.code, Some(0), "by the passwords of the home: {listed:?}");
}

/// `hostssl ... cert`: who a host is stands in its certificate, and there is no password.
#[test]
fn a_host_shows_a_certificate_instead_of_a_password() {
    if !can_run() || !require(&[Need::Program("openssl")]) {
        return;
    }
    let postgres = Postgres::start();
    let home = Scratch::new();
    let usual = home.join(".postgresql");
    fs::create_dir(&usual).unwrap();
    let (server_key, server) = make(&home, "server", "db", "IP:127.0.0.1");
    let (key, certificate) = make(&home, "host", "taker", "DNS:mx1.example.net");
    let (other_key, other) = make(&home, "other", "giver", "DNS:imap1.example.net");
    let all = home.join("all.crt");
    fs::write(&all, [fs::read(&certificate).unwrap(), fs::read(&other).unwrap()].concat()).unwrap();
    hand_over(&postgres, &all, "hosts.crt");
    let access = fs::read_to_string(postgres.file("pg_hba.conf")).unwrap();
    fs::write(postgres.file("pg_hba.conf"), format!("hostssl all taker 127.0.0.1/32 cert\n{access}")).unwrap();
    postgres.sql("ALTER SYSTEM SET ssl_ca_file = 'hosts.crt'");
    serve(&postgres, &server_key, &server);

    let base = format!("postgresql://taker@127.0.0.1:{}/postgres?sslmode=verify-full", postgres.port);
    let list = |url: &str, environment: &[(&str, &Path)]| -> Finished {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pop-before-smtp"));
        command.args(["list", "--all", "--share-url", url]).env("HOME", home.join("nobody"));
        finish(command.envs(environment.iter().copied()))
    };
    let with = |certificate: &Path, key: &Path| {
        let files = format!("&sslcert={}&sslkey={}", certificate.display(), key.display());
        format!("{base}&sslrootcert={}{files}", server.display())
    };
    let ours = with(&certificate, &key);
    wait_for("the list", SOON, || list(&ours, &[]).code == Some(0));
    let mut daemon = Host::start(&ours, "mx1", &["--share-take"]);
    daemon.wait_connected();
    assert_eq!(daemon.daemon.terminate(), Some(0));

    let refused = |done: Finished, why: &str| {
        assert!(done.code == Some(69) && done.stderr.contains(why), "{done:?}");
    };
    refused(list(&format!("{base}&sslrootcert={}", server.display()), &[]), "certificate");
    refused(list(&with(&other, &other_key), &[]), "certificate authentication failed for user");
    refused(list(&with(&certificate, &other_key), &[]), "");
    let without_key = format!("{base}&sslrootcert={}&sslcert={}", server.display(), certificate.display());
    refused(list(&without_key, &[]), "there is no key for the certificate");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    refused(list(&ours, &[]), "others can read the key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(list(&ours, &[]).code, Some(0), "root's, for a group");

    let named: [(&str, &Path); 3] = [("PGSSLROOTCERT", &server), ("PGSSLCERT", &certificate), ("PGSSLKEY", &key)];
    let listed = list(&base, &named);
    assert_eq!(listed.code, Some(0), "by the environment: {listed:?}");
    let service = home.join("services");
    let text = format!(
        "[other]\nport=1\n\n[relay]\n# ours\nhost=127.0.0.1\nport={}\ndbname=postgres\nuser=taker\nsslmode=verify-full\n\
         sslrootcert={}\nsslcert={}\nsslkey={}\n",
        postgres.port,
        server.display(),
        certificate.display(),
        key.display()
    );
    fs::write(&service, text).unwrap();
    let listed = list("postgresql://?service=relay", &[("PGSERVICEFILE", &service)]);
    assert_eq!(listed.code, Some(0), "by a service: {listed:?}");
    for (from, to) in [(&server, "root.crt"), (&certificate, "postgresql.crt"), (&key, "postgresql.key")] {
        fs::copy(from, usual.join(to)).unwrap();
    }
    fs::copy(&service, home.join(".pg_service.conf")).unwrap();
    let listed = list(&base, &[("HOME", home.path())]);
    assert_eq!(listed.code, Some(0), "by the files of the home: {listed:?}");
    let listed = list("postgresql://", &[("HOME", home.path()), ("PGSERVICE", Path::new("relay"))]);
    assert_eq!(listed.code, Some(0), "by the service of the home: {listed:?}");
}
