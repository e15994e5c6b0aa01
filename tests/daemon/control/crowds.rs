//! An address from which many log in and which never relays is named.

use super::site::{daemon, log_in_as, object, told};
use crate::support::cases::{self, Site, append, ip, stamp_now};
use crate::support::{SOON, wait_for};

#[test]
fn status_names_an_address_of_many_users() {
    let Some(site) = Site::new(&cases::SQLITE) else { return };
    let _daemon = daemon(&site, &[]);
    let (webmail, home) = (ip("198.51.100.1"), ip("198.51.100.2"));
    for user in 0..20 {
        log_in_as(&site, &format!("user{user}"), webmail);
        log_in_as(&site, "carol", home);
    }
    site.log_in_and_wait(ip("198.51.100.8"));
    assert!(!told(&site, &["status"]).contains("crowd:"), "as many as an office has");
    log_in_as(&site, "user20", webmail);
    site.log_in_and_wait(ip("198.51.100.9"));
    let text = told(&site, &["status"]);
    assert!(
        text.contains("more than 20 users log in from 198.51.100.1, and whether it relays is not counted"),
        "{text}"
    );
    assert!(text.contains("--skip-networks 198.51.100.1 leaves it out"), "{text}");
    assert_eq!(object(&site, &["status", "--json"])["crowds"], serde_json::json!(["198.51.100.1"]));
}

#[test]
fn an_address_that_relays_is_none_of_them() {
    let Some(site) = Site::new(&cases::SQLITE) else { return };
    let _daemon = daemon(&site, &["--count-relays"]);
    for user in 0..22 {
        for client in ["198.51.100.1", "198.51.100.2"] {
            log_in_as(&site, &format!("user{user}"), ip(client));
        }
    }
    site.log_in_and_wait(ip("198.51.100.9"));
    assert_eq!(object(&site, &["status", "--json"])["crowds"], serde_json::json!(["198.51.100.1", "198.51.100.2"]));
    let at = stamp_now();
    for line in [
        "smtpd[1]: 4A001: client=unknown[198.51.100.2]",
        "qmgr[2]: 4A001: from=<a@b.example>, size=9, nrcpt=1 (queue active)",
        "smtp[3]: 4A001: to=<c@d.example>, relay=mx[192.0.2.9]:25, delay=1, dsn=2.0.0, status=sent (250 ok)",
    ] {
        append(&site.log, &format!("{at} mail postfix/{line}"));
    }
    let crowds = || object(&site, &["status", "--json"])["crowds"].clone();
    wait_for("the relay to count", SOON, || crowds() == serde_json::json!(["198.51.100.1"]));
    assert!(told(&site, &["status"]).contains("from 198.51.100.1, and never relays;"));
}
