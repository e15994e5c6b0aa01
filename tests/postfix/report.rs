//! `report` on the logs of a real Postfix and a real Dovecot: every number is what the test did.
//!
//! With `RENEW=1` the logs become those of `tests/report/loopback`, stamped so that their year does not depend on the reader's.

use crate::support::cases::{self, Site, ip};
use crate::support::command::finish;
use crate::support::daemon::PROGRAM;
use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::postfix::Postfix;
use crate::support::smtp::hand_in;
use crate::support::{Need, SOON, free_port, process, require, wait_for};
use serde_json::{Value, json};
use std::fs;
use std::net::{IpAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What hands mail on: to the sink, and into the bin for recipients of this host.
const SERVICES: &str = "
qmgr unix n - n 300 1 qmgr
smtp unix - - n - - smtp
discard unix - - n - - discard
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
";

#[test]
fn every_number_is_what_was_done() {
    if !require(&[Need::Dovecot, Need::Program("smtp-sink")]) {
        return;
    }
    let Some(mut site) = Site::new(&cases::LMDB) else { return };
    let Some(sink) = Sink::start() else { return };
    let dovecot = Dovecot::start();
    site.log = dovecot.log();
    let mut daemon = site.daemon(&["--matcher", "dovecot"]);
    let main_cf = format!(
        "relayhost = [{}]:{}\nlocal_transport = discard\nsmtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\n\
         smtpd_sasl_path = {}\nmaximal_queue_lifetime = 0\n\
         smtpd_sender_restrictions = check_sender_access inline:{{ {{ kevin@nowhere.invalid = 550 5.7.1 not here }} }}\n\
         smtpd_relay_restrictions = permit_auth_destination, permit_sasl_authenticated, check_client_access {}, \
         reject_unauth_destination\n",
        sink.address,
        sink.port,
        dovecot.auth_socket().display(),
        site.table()
    );
    let postfix = Postfix::start_with_options(&site.table(), false, &main_cf, SERVICES);
    let (kevin, anna, shared) = (ip("198.51.100.7"), ip("2001:db8:1::7"), ip("198.51.100.9"));
    let log_in = |client: IpAddr, user: &str| {
        assert!(dovecot.pop3_login(client, user, PASSWORD), "{user}");
        site.wait_listed(client);
    };
    let send = |client: &str, user: Option<&str>, sender: &str, recipients: &[&str]| {
        let auth = user.map(|user| (user, PASSWORD));
        hand_in(postfix.port(), ip(client), auth, sender, recipients)
            .unwrap_or_else(|error| panic!("{client}: {error}; {}", postfix.log()))
    };
    log_in(kevin, "kevin");
    assert!(dovecot.imap_login(anna, "anna", PASSWORD));
    site.wait_listed(anna);
    log_in(shared, "carl");
    log_in(shared, "dora");
    assert!(!dovecot.pop3_login(ip("203.0.113.66"), "kevin", "wrong"));

    // By a grant: three messages to five recipients elsewhere, and one of another sender.
    assert_eq!(send("198.51.100.7", None, "kevin@example.org", &["a@elsewhere.example"]), [250]);
    assert_eq!(
        send(
            "198.51.100.7",
            None,
            "kevin@example.org",
            &["a@elsewhere.example", "b@elsewhere.example", "c@elsewhere.example"]
        ),
        [250; 3]
    );
    assert_eq!(
        send("198.51.100.7", None, "kevin@shop.example", &["a@elsewhere.example", "kevin@example.org"]),
        [250; 2]
    );
    assert_eq!(send("2001:db8:1::7", None, "boss@example.org", &["a@elsewhere.example"]), [250]);
    // A grant by hand, of which nothing but the daemon's own log tells.
    let before = daemon.stderr().len();
    let map = site.map().display().to_string();
    let grant = finish(Command::new(PROGRAM).args(["grant", "198.51.100.20", "--backend", "lmdb", "--map", &map]));
    assert_eq!(grant.code, Some(0), "{grant:?}");
    site.wait_listed(ip("198.51.100.20"));
    let own = site.join("own.log");
    let stamp = postfix.log().lines().last().unwrap()[..15].to_owned();
    let said = |line: &str| format!("{stamp} mx pop-before-smtp[7]: {line}\n");
    fs::write(&own, daemon.stderr()[before..].lines().map(said).collect::<String>()).unwrap();
    assert_eq!(send("198.51.100.20", None, "scanner@example.org", &["a@elsewhere.example"]), [250]);
    // It stays here, so it is no relay.
    assert_eq!(send("198.51.100.9", None, "carl@example.org", &["kevin@example.org"]), [250]);
    // By SASL.
    assert_eq!(send("203.0.113.5", Some("kevin"), "kevin@example.org", &["a@elsewhere.example"]), [250]);
    assert_eq!(
        send("203.0.113.5", Some("kevin"), "kevin@example.org", &["a@elsewhere.example", "b@elsewhere.example"]),
        [250; 2]
    );
    assert_eq!(send("203.0.113.6", Some("emil"), "emil@example.org", &["a@elsewhere.example"]), [250]);
    // Refused: a stranger, anna's other address, and kevin from a phone.
    assert_eq!(
        send("203.0.113.66", None, "x@elsewhere.example", &["a@elsewhere.example", "b@elsewhere.example"]),
        [554; 2]
    );
    assert_eq!(send("2001:db8:1::8", None, "anna@example.org", &["a@elsewhere.example"]), [554]);
    assert_eq!(send("203.0.113.77", None, "kevin@example.org", &["a@elsewhere.example"]), [554]);

    // Refused for its sender.
    assert_eq!(send("198.51.100.7", None, "kevin@nowhere.invalid", &["a@elsewhere.example"]), [550]);

    // Local mail is thrown away, what is refused makes no queue file.
    let removed = || postfix.log().matches(": removed").count();
    wait_for("the end of nine messages", SOON, || removed() == 9);
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.stderr());

    let mail = site.join("mail.log");
    fs::write(&mail, postfix.log()).unwrap();
    let config = postfix.config_directory();
    let report = report(&[&mail, &dovecot.log(), &own], &config);
    let dated = report["coverage"]["first"].as_u64().unwrap()..=report["coverage"]["last"].as_u64().unwrap();
    assert!(dated.end() - dated.start() < 600, "{report:#}");
    for sender in report["addresses"].as_array().unwrap() {
        assert!(
            dated.contains(&sender["first"].as_u64().unwrap()) && sender["first"].as_u64() <= sender["last"].as_u64()
        );
        assert!(sender["age_mean"].as_u64().unwrap() <= sender["age_max"].as_u64().unwrap());
    }
    let lines = [&mail, &dovecot.log(), &own].map(|log| fs::read_to_string(log).unwrap().lines().count() as u64);
    assert_eq!(untimed(&report), expected(lines), "{}\n{report:#}", postfix.log());
    if std::env::var_os("RENEW").is_some() {
        keep([(&mail, "mail.log"), (&dovecot.log(), "dovecot.log"), (&own, "own.log")], &sink);
    }
}

/// What the report is to say, without times.
fn expected(lines: [u64; 3]) -> Value {
    json!({
        "totals": {
            "by_grant": 5, "by_grant_recipients": 7, "by_grant_by_hand": 1, "by_grant_of_other_hosts": 0,
            "by_grant_told": 0, "by_sasl": 3, "by_network": 0, "unexplained": 0, "refused": 4, "refused_with_grant": 0,
            "refused_otherwise": 1, "logins": 4, "logins_never_published": 0,
        },
        "addresses": [
            ["198.51.100.7", ["kevin"], 3, 5, 0, [["example.org", 2], ["shop.example", 1]], [3]],
            ["198.51.100.20", [], 1, 1, 1, [["example.org", 1]], [1]],
            ["2001:db8:1::7", ["anna"], 1, 1, 0, [["example.org", 1]], [1]],
        ],
        "users": [["kevin", 3, 5, 2], ["anna", 1, 1, 0]],
        "days": [[5, 3, 4]],
        "networks": [["198.51.100.0/24", 2, 4, 6], ["2001:db8:1::/64", 1, 1, 1]],
        "unused": { "granted_addresses": 3, "unused_addresses": 1, "users": ["carl", "dora"] },
        "recommended": 5,
        "refused_by_grace": [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]],
        "shared": [
            ["198.51.100.9", ["dora", "carl"], 0, []],
            ["2001:db8:1::7", ["anna"], 1, ["boss@example.org"]],
        ],
        "moved": [
            ["203.0.113.77", "198.51.100.7", "kevin", false, 1],
            ["2001:db8:1::8", "2001:db8:1::7", "anna", true, 1],
        ],
        "unexplained": [],
        "files": lines,
        "not_understood": [0, 0, 0, 0, 0, 0, 0],
    })
}

fn untimed(report: &Value) -> Value {
    let rows = |list: &str, fields: &[&str]| -> Vec<Value> {
        let rows = report[list].as_array().unwrap_or_else(|| panic!("{list} in {report:#}"));
        rows.iter().map(|row| fields.iter().map(|field| row[*field].clone()).collect()).collect()
    };
    let addresses: Vec<Value> =
        rows("addresses", &["address", "users", "messages", "recipients", "without_login", "domains", "days"])
            .into_iter()
            .map(|mut row| {
                let domains =
                    row[5].as_array().unwrap().iter().map(|one| json!([one["domain"], one["messages"]])).collect();
                row[5] = domains;
                row
            })
            .collect();
    let graces = report["grace"]["rows"].as_array().unwrap().iter();
    let graces: Vec<Value> =
        graces.map(|row| json!([row["relays_refused"], row["refusals_avoided"], row["refusals_soon_after"]])).collect();
    let coverage = &report["coverage"];
    let not_understood = [
        "unmatched_logins",
        "unknown_messages",
        "forgotten_messages",
        "forgotten_addresses",
        "too_long",
        "times_back",
        "gap_seconds",
    ];
    json!({
        "totals": report["totals"],
        "addresses": addresses,
        "users": rows("users", &["user", "messages", "recipients", "sasl_messages"]),
        "days": rows("days", &["by_grant", "by_sasl", "refused"]),
        "unexplained": report["unexplained"],
        "networks": rows("networks", &["network", "addresses", "messages", "recipients"]),
        "unused": report["unused"],
        "recommended": report["grace"]["recommended_minutes"],
        "refused_by_grace": graces,
        "shared": rows("shared", &["address", "users", "messages", "other_senders"]),
        "moved": rows("moved", &["address", "login_address", "user", "same_network", "refusals"]),
        "files": coverage["files"].as_array().unwrap().iter().map(|file| file["lines"].clone()).collect::<Vec<_>>(),
        "not_understood": not_understood.map(|field| coverage[field].clone()),
    })
}

fn report(logs: &[&Path], config: &Path) -> Value {
    let mut command = Command::new(PROGRAM);
    command.env("MAIL_CONFIG", config).args(["--matcher", "dovecot", "report", "--format", "json"]).args(logs);
    let done = finish(&mut command);
    assert_eq!((done.code, done.stderr.lines().count() <= 1), (Some(0), true), "{done:?}");
    serde_json::from_str(&done.stdout).unwrap()
}

/// Keeps the logs as a fixture: with a year and a zone, and the sink's address one that belongs to nobody.
fn keep(logs: [(&Path, &str); 3], sink: &Sink) {
    let home: std::path::PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/report/loopback"].iter().collect();
    fs::create_dir_all(&home).unwrap();
    for (log, name) in logs {
        let text = fs::read_to_string(log).unwrap();
        let dated: String = text
            .lines()
            .filter(|line| !line.contains("/tmp/"))
            .map(|line| {
                let (stamp, rest) = line.split_at(15);
                let date = jiff::civil::DateTime::strptime("%Y %b %d %H:%M:%S", format!("2026 {stamp}")).unwrap();
                format!("{}+00:00{rest}\n", date.strftime("%Y-%m-%dT%H:%M:%S"))
            })
            .collect();
        fs::write(home.join(name), dated.replace(&sink.address.to_string(), "192.0.2.25")).unwrap();
    }
}

/// Takes mail and throws it away, at an address of this machine that is not loopback: mail to that stays here.
struct Sink {
    child: Child,
    address: IpAddr,
    port: u16,
}

impl Sink {
    fn start() -> Option<Self> {
        // Sends nothing: only the kernel is asked which address it would use.
        let probe = UdpSocket::bind("0.0.0.0:0").unwrap();
        let address = probe.connect("192.0.2.1:9").and_then(|()| probe.local_addr()).map(|address| address.ip());
        let Ok(address) = address else {
            assert!(std::env::var_os("CI").is_none(), "this machine has no address but loopback");
            eprintln!("SKIPPED the report of a real log: this machine has no address but loopback");
            return None;
        };
        let port = free_port();
        let child = Command::new(process::program("smtp-sink").unwrap())
            .args(["-u", "nobody", &format!("{address}:{port}"), "100"])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let sink = Self { child, address, port };
        wait_for("the sink", SOON, || TcpStream::connect((address, port)).is_ok());
        Some(sink)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
