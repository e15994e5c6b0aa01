//! Where the database is and how it is reached: the URL, `PGSERVICE`, `~/.pgpass` and TLS, as libpq has them
//! (<https://www.postgresql.org/docs/current/libpq-connect.html>), with one difference: where a network lies between, the
//! server's certificate is checked in full, or there is no TLS because somebody has said so. Whoever could speak for the
//! server could let everybody relay.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::engine::Cause;

/// What the environment may say, if the URL does not.
const ENVIRONMENT: [(&str, &str); 12] = [
    ("PGHOST", "host"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGPASSFILE", "passfile"),
    ("PGSERVICE", "service"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
];

/// What is ours to do, because the client library does not know it.
const OURS: [&str; 6] = ["service", "passfile", "sslmode", "sslrootcert", "sslcert", "sslkey"];

/// Values by their names.
type Values = BTreeMap<String, String>;

/// The database, ready to connect to.
pub(super) struct Database {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
}

/// Reads what was said of it.
pub(super) fn read(url: &str) -> Result<Database, Cause> {
    let (rest, mut values) = split(url)?;
    let mut config: Config = rest.parse().map_err(|error| format!("the URL is none: {}", root(&error)))?;
    complete(&config, &mut values)?;
    // The URL wins: what it says is no value any more.
    let text: String = values
        .iter()
        .filter(|(key, _)| !OURS.contains(&key.as_str()))
        .map(|(key, value)| format!("{key}='{}' ", value.replace('\\', "\\\\").replace('\'', "\\'")))
        .collect();
    let more: Config = text.parse().map_err(|error| format!("environment or service: {}", root(&error)))?;
    fill(&mut config, &more);
    if config.get_user().is_none() {
        config.user(user()?);
    }
    if config.get_password().is_none()
        && let Some(password) = password(&config, &values)?
    {
        config.password(password);
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(5));
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(10));
    }
    config.keepalives_idle(Duration::from_secs(10)).keepalives_interval(Duration::from_secs(3)).keepalives_retries(3);
    let is_local = config.get_hosts().iter().all(is_local);
    config.ssl_mode(match (values.get("sslmode").map(String::as_str), is_local) {
        (Some("disable"), _) | (None, true) => SslMode::Disable,
        (Some("require" | "verify-ca" | "verify-full"), _) | (None, false) => SslMode::Require,
        (Some(mode), _) => {
            return Err(format!(
                "sslmode={mode} lets a stranger on the network speak for the server; write verify-full, or disable \
                 where there is no stranger"
            ));
        }
    });
    let tls = match config.get_ssl_mode() {
        SslMode::Disable => {
            MakeRustlsConnect::new(client()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
        }
        _ => tls(&values)?,
    };
    Ok(Database { config, tls })
}

/// What is wrong in the end; the library's text around it says no more.
fn root(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// The URL without the values that are ours.
fn split(url: &str) -> Result<(String, Values), Cause> {
    if !url.starts_with("postgresql://") && !url.starts_with("postgres://") {
        return Err("the URL is none: postgresql://USER@HOST/DATABASE".to_owned());
    }
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (ours, theirs): (Vec<_>, Vec<_>) = pairs.partition(|(key, _)| OURS.contains(key));
    let theirs: Vec<_> = theirs.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let rest = if theirs.is_empty() { base.to_owned() } else { format!("{base}?{}", theirs.join("&")) };
    Ok((rest, ours.iter().map(|(key, value)| ((*key).to_owned(), decoded(value))).collect()))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Adds what the service and the environment say, in this order.
fn complete(config: &Config, values: &mut Values) -> Result<(), Cause> {
    let has_host = !config.get_hosts().is_empty();
    let variables = ENVIRONMENT.iter().filter_map(|(name, key)| Some((*key, env::var(name).ok()?)));
    let variables: Vec<_> = variables.filter(|(_, value)| !value.is_empty()).collect();
    let service = variables.iter().find(|(key, _)| *key == "service").map(|(_, value)| value.clone());
    if let Some(name) = values.get("service").cloned().or(service) {
        for (key, value) in self::service(&name)? {
            values.entry(key).or_insert(value);
        }
    }
    for (key, value) in variables {
        values.entry(key.to_owned()).or_insert(value);
    }
    if has_host {
        ["host", "hostaddr", "port"].iter().for_each(|key| drop(values.remove(*key)));
    }
    Ok(())
}

/// The lines of a service in the first file that has it.
fn service(name: &str) -> Result<Values, Cause> {
    let named = env::var_os("PGSERVICEFILE").map(PathBuf::from).or_else(|| Some(home()?.join(".pg_service.conf")));
    let system = env::var_os("PGSYSCONFDIR").map_or("/etc/postgresql-common".into(), PathBuf::from);
    let files = named.into_iter().chain([system.join("pg_service.conf")]);
    for text in files.filter_map(|path| fs::read_to_string(path).ok()) {
        let mut lines = text.lines().map(str::trim).skip_while(|line| *line != format!("[{name}]"));
        if lines.next().is_some() {
            let lines = lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.starts_with('#'));
            let pairs = lines.filter_map(|line| line.split_once('='));
            return Ok(pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect());
        }
    }
    Err(format!("no file of services has [{name}]"))
}

/// Takes over what is not said yet.
fn fill(config: &mut Config, more: &Config) {
    if config.get_hosts().is_empty() {
        for host in more.get_hosts() {
            match host {
                Host::Tcp(name) => config.host(name),
                Host::Unix(path) => config.host_path(path),
            };
        }
        for port in more.get_ports() {
            config.port(*port);
        }
    }
    if config.get_hosts().is_empty() {
        config.host_path("/var/run/postgresql");
    }
    if let (None, Some(user)) = (config.get_user(), more.get_user()) {
        config.user(user);
    }
    if let (None, Some(name)) = (config.get_dbname(), more.get_dbname()) {
        config.dbname(name);
    }
    if let (None, Some(password)) = (config.get_password(), more.get_password()) {
        config.password(password);
    }
    if config.get_target_session_attrs() == tokio_postgres::config::TargetSessionAttrs::Any {
        config.target_session_attrs(more.get_target_session_attrs());
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
    }
}

fn user() -> Result<String, Cause> {
    let uid = nix::unistd::geteuid();
    let user = nix::unistd::User::from_uid(uid).ok().flatten();
    user.map(|user| user.name).ok_or_else(|| format!("user {uid} has no name; name one in the URL"))
}

/// The home directory of the user that this process is.
fn home() -> Option<PathBuf> {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    env::var_os("HOME").map(PathBuf::from).or_else(|| user.map(|user| user.dir))
}

/// The password of the first host for which `~/.pgpass` has one.
fn password(config: &Config, values: &Values) -> Result<Option<String>, Cause> {
    let said = values.get("passfile").map(PathBuf::from);
    let Some(path) = said.or_else(|| Some(home()?.join(".pgpass"))) else { return Ok(None) };
    let Ok(metadata) = fs::metadata(&path) else { return Ok(None) };
    if metadata.mode() & 0o077 != 0 {
        return Err(format!("others can read the passwords in {}; chmod 0600 {}", path.display(), path.display()));
    }
    let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().unwrap_or(user);
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(at, host)| {
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => (name.clone(), port.to_string()),
            Host::Unix(_) => ("localhost".to_owned(), port.to_string()),
        }
    });
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).map(fields).collect();
    Ok(hosts.into_iter().find_map(|(host, port)| {
        let wanted = [host.as_str(), &port, database, user];
        let fits = |line: &&Vec<String>| {
            line.len() == 5 && wanted.iter().zip(line.iter()).all(|(wanted, field)| field == "*" || field == wanted)
        };
        lines.iter().find(fits).map(|line| line[4].clone())
    }))
}

/// The fields of a line of `~/.pgpass`: a colon or backslash in one has a backslash in front.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        let last = fields.len() - 1;
        match char {
            ':' => fields.push(String::new()),
            '\\' => fields[last].extend(chars.next()),
            _ => fields[last].push(char),
        }
    }
    fields
}

fn client() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, Cause> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    builder.map_err(|error| error.to_string())
}

/// Checks the server by the certificates that are named, by those of `~/.postgresql`, or by the system's.
fn tls(values: &Values) -> Result<MakeRustlsConnect, Cause> {
    let usual = |name: &str| Some(home()?.join(".postgresql").join(name)).filter(|path| path.exists());
    let path = |key: &str, name: &str| values.get(key).map(PathBuf::from).or_else(|| usual(name));
    let mut roots = RootCertStore::empty();
    match path("sslrootcert", "root.crt").filter(|path| path != Path::new("system")) {
        Some(path) => roots.add_parsable_certificates(certificates(&path)?),
        None => roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
    };
    let builder = client()?.with_root_certificates(roots);
    let config = match (path("sslcert", "postgresql.crt"), path("sslkey", "postgresql.key")) {
        (Some(certificate), Some(key)) => {
            private(&key)?;
            let named = PrivateKeyDer::from_pem_file(&key);
            let named = named.map_err(|error| format!("cannot read key {}: {error}", key.display()))?;
            builder.with_client_auth_cert(certificates(&certificate)?, named).map_err(|error| error.to_string())?
        }
        (Some(certificate), None) => {
            return Err(format!("there is no key for the certificate {}; name it with sslkey", certificate.display()));
        }
        (None, _) => builder.with_no_client_auth(),
    };
    Ok(MakeRustlsConnect::new(config))
}

/// Refuses a key that others can read. The group may that of root's.
fn private(key: &Path) -> Result<(), Cause> {
    let Ok(metadata) = fs::metadata(key) else { return Ok(()) };
    let others = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    if metadata.mode() & others != 0 {
        return Err(format!("others can read the key {}; chmod 0600 {}", key.display(), key.display()));
    }
    Ok(())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Cause> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let read: Vec<_> = read.map_err(|error| format!("cannot read certificates {}: {error}", path.display()))?;
    if read.is_empty() {
        return Err(format!("there is no certificate in {}", path.display()));
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_the_client_library_does_not_know_is_taken_out_of_the_url() {
        let url = "postgresql://a:b@h1,h2:7/d?sslmode=verify-full&connect_timeout=3&sslrootcert=%2Fetc%2Fx.pem";
        let (rest, values) = split(url).unwrap();
        assert_eq!(rest, "postgresql://a:b@h1,h2:7/d?connect_timeout=3");
        assert_eq!(values["sslmode"], "verify-full");
        assert_eq!(values["sslrootcert"], "/etc/x.pem");
        assert!(split("host=h1 user=a").is_err());
    }

    #[test]
    fn nobody_speaks_for_a_server_across_a_network_unless_somebody_has_said_so() {
        let mode = |url: &str| read(url).map(|database| database.config.get_ssl_mode());
        let far = "postgresql://a:b@db.example.net/d";
        assert_eq!(mode(far).unwrap(), SslMode::Require);
        assert_eq!(mode(&format!("{far}?sslmode=require")).unwrap(), SslMode::Require);
        assert_eq!(mode(&format!("{far}?sslmode=disable")).unwrap(), SslMode::Disable);
        for weak in ["prefer", "allow", "verify_full", ""] {
            assert!(mode(&format!("{far}?sslmode={weak}")).is_err(), "{weak}");
        }
        assert_eq!(mode("postgresql://a:b@127.0.0.1/d").unwrap(), SslMode::Disable);
        assert_eq!(mode("postgresql://a:b@localhost,db.example.net/d").unwrap(), SslMode::Require, "one is far");
    }

    #[test]
    fn fields_of_a_line_of_passwords_have_escapes() {
        assert_eq!(fields(r"h:*:d\:b:u:p\\w\:d"), ["h", "*", "d:b", "u", r"p\w:d"]);
    }
}
