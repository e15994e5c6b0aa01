#![allow(clippy::unwrap_used)]
use super::super::finding::{Level, assert_told, assert_well};
use super::super::settings::{parameters, services};
use super::*;
use crate::postfix::smtpds;
use crate::ring::networks::Patterns;

const TABLE: &str = "lmdb:/etc/postfix/pbs";

/// Findings for a main.cf, a master.cf and its overrides.
fn judged(main: &str, overrides: &str) -> Vec<Finding> {
    judged_with(main, overrides, "127.0.0.0/8")
}

fn judged_with(main: &str, overrides: &str, mynetworks: &str) -> Vec<Finding> {
    judged_without(main, overrides, mynetworks, &|_| false)
}

fn judged_without(main: &str, overrides: &str, mynetworks: &str, is_absent: &dyn Fn(&Path) -> bool) -> Vec<Finding> {
    let master = "smtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd\n";
    let main = parameters(main);
    let names = main.get("smtpd_restriction_classes").map_or("", String::as_str).to_owned();
    let classes = words(&names).into_iter().map(|name| (name.to_owned(), main.get(name).unwrap().clone())).collect();
    let settings = Settings {
        written: main.clone(),
        main,
        classes,
        services: services(smtpds(master, false), overrides, &patterns),
        mynetworks: patterns(mynetworks),
        ..Settings::default()
    };
    let ours = Ours { asked: "lmdb".to_owned(), kind: "lmdb".to_owned(), map: "/etc/postfix/pbs".into() };
    judge(&settings, &ours, true, is_absent)
}

fn patterns(text: &str) -> Patterns {
    Patterns::parse(text, &|_| Err(String::new()))
}

fn good() -> String {
    format!(
        "smtpd_relay_restrictions = permit_auth_destination, permit_mynetworks, check_client_access {TABLE}, \
         reject_unauth_destination"
    )
}

#[test]
fn what_postfix_config_prints_is_right() {
    let findings = judged(&good(), "");
    assert_well(&findings);
    assert_told(&findings, Level::Ok, "smtp/inet, submission/inet refuses strangers by reject_unauth_destination");
    assert_told(&findings, Level::Ok, "asks lmdb:/etc/postfix/pbs in smtpd_relay_restrictions");
}

#[test]
fn a_table_is_not_to_be_asked_before_it_is_there() {
    let none = |main: &str| judged_without(main, "", "127.0.0.0/8", &|_| true);
    let findings = none("smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination");
    assert_told(&findings, Level::Error, "start the daemon, which makes the table, and not before: postconf -e");
    let main = format!("{}\nsmtpd_client_restrictions = check_client_access hash:/etc/postfix/old", good());
    assert_told(
        &none(&main),
        Level::Error,
        "a restriction asks hash:/etc/postfix/old, and there is no /etc/postfix/old.db: Postfix answers 451",
    );
    assert_well(&judged(&main, ""));
}

#[test]
fn a_table_that_nobody_asks_is_an_error_with_the_line_that_asks() {
    let findings = judged("smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination", "");
    let line = format!(
        "postconf -e 'smtpd_relay_restrictions = permit_auth_destination, permit_mynetworks, check_client_access \
         {TABLE}, reject_unauth_destination'"
    );
    assert_told(&findings, Level::Error, &line);
    let findings = judged(
        &format!("smtpd_client_restrictions = {TABLE}\nsmtpd_relay_restrictions = permit_mynetworks reject"),
        "",
    );
    assert_told(&findings, Level::Error, "a permission in smtpd_client_restrictions does not let them");
}

#[test]
fn a_class_that_refuses_comes_behind_the_table() {
    let class = "smtpd_restriction_classes = end\nend = reject\nsmtpd_relay_restrictions = permit_mynetworks, end";
    assert_told(&judged(class, ""), Level::Error, &format!("permit_mynetworks, check_client_access {TABLE}, end'"));
    let nested = "smtpd_restriction_classes = a, b\na = b\nb = reject\nsmtpd_relay_restrictions = a";
    assert_told(&judged(nested, ""), Level::Error, &format!("write check_client_access {TABLE} before b in"));
}

#[test]
fn a_table_behind_a_refusal_is_never_asked() {
    for end in ["reject_unauth_destination", "defer_unauth_destination", "reject", "permit"] {
        let main = format!(
            "smtpd_relay_restrictions = permit_auth_destination, {end}, check_client_access {TABLE}\n\
             smtpd_recipient_restrictions = reject_unauth_destination"
        );
        let findings = judged(&main, "");
        assert_told(&findings, Level::Error, &format!("never asks {TABLE}: {end} stands before it"));
        let line = format!(
            "postconf -e 'smtpd_relay_restrictions = permit_auth_destination, check_client_access {TABLE}, {end}'"
        );
        assert_told(&findings, Level::Error, &line);
    }
}

#[test]
fn the_other_list_must_not_refuse_them() {
    let main = format!("{}\nsmtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination", good());
    let findings = judged(&main, "");
    assert_told(&findings, Level::Error, "reject_unauth_destination in smtpd_recipient_restrictions comes without it");
    let line = format!("permit_mynetworks, check_client_access {TABLE}, reject_unauth_destination'");
    assert_told(&findings, Level::Error, &line);
}

/// permit_auth_destination in front, or the table further in front than it must be, would let mail past what stands there
/// against junk.
#[test]
fn no_advice_lets_anything_past_junk_filters() {
    let junk = "reject_rbl_client zen.example.net, check_sender_access hash:/etc/postfix/senders";
    for (main, line) in [
        (
            format!("{}\nsmtpd_recipient_restrictions = {junk}, reject_unauth_destination", good()),
            format!(
                "postconf -e 'smtpd_recipient_restrictions = {junk}, check_client_access {TABLE}, reject_unauth_destination'"
            ),
        ),
        (
            format!("{}\nsmtpd_client_restrictions = {junk}, reject", good()),
            format!("postconf -e 'smtpd_client_restrictions = {junk}, check_client_access {TABLE}, reject'"),
        ),
        (
            format!("smtpd_recipient_restrictions = {junk}, check_client_access {TABLE}, reject_unauth_destination"),
            format!("ask {TABLE} in smtpd_relay_restrictions instead, behind permit_auth_destination"),
        ),
        (
            format!("smtpd_recipient_restrictions = {junk}, reject_unauth_destination, check_client_access {TABLE}"),
            format!(
                "postconf -e 'smtpd_recipient_restrictions = {junk}, check_client_access {TABLE}, reject_unauth_destination'"
            ),
        ),
    ] {
        let findings = judged(&main, "");
        let told = findings.iter().any(|finding| finding.to_string().ends_with(&format!("; {line}")));
        assert!(told, "{line}: {findings:#?}");
        for finding in findings.iter().filter(|finding| !finding.to_string().contains("smtpd_relay_restrictions = ")) {
            assert!(!finding.to_string().contains("= permit_auth_destination"), "{finding}");
        }
    }
}

#[test]
fn own_domains_must_not_depend_on_the_table() {
    let findings =
        judged(&format!("smtpd_relay_restrictions = check_client_access {TABLE}, reject_unauth_destination"), "");
    assert_told(&findings, Level::Warning, "postconf -e 'smtpd_relay_restrictions = permit_auth_destination, check_");
}

#[test]
fn an_open_relay_is_an_error_however_it_is_open() {
    for (main, text) in [
        (format!("smtpd_relay_restrictions = permit_mynetworks check_client_access {TABLE}"), "nothing in"),
        (format!("smtpd_relay_restrictions = warn_if_reject reject check_client_access {TABLE}"), "nothing in"),
        (
            format!("smtpd_relay_restrictions = check_client_access {TABLE}, permit, reject"),
            "permits everybody by permit",
        ),
        (
            "smtpd_restriction_classes = open\nopen = permit\nsmtpd_relay_restrictions = open, reject".to_owned(),
            "take permit out of open",
        ),
        (
            "smtpd_recipient_restrictions = check_client_access static:OK, reject_unauth_destination".to_owned(),
            "permits everybody by check_client_access static:OK",
        ),
    ] {
        let findings = judged(&main, "");
        assert_told(&findings, Level::Error, "open relay: ");
        assert_told(&findings, Level::Error, text);
    }
    for everyone in ["0.0.0.0/0", "[::]/0", "127.0.0.0/8 0.0.0.0/0", "0.0.0.0/1, 128.0.0.0/1", "[::]/1 [8000::]/1"] {
        assert_told(&judged_with(&good(), "", everyone), Level::Error, "mynetworks holds the whole internet");
    }
    assert_told(&judged_with(&good(), "", "128.0.0.0/1"), Level::Error, "mynetworks holds a quarter of the internet");
    assert_well(&judged_with(&good(), "", "10.0.0.0/8 192.168.0.0/16"));
}

#[test]
fn mynetworks_of_a_service_count_there_alone() {
    let findings = judged(&good(), "submission/inet/mynetworks = 0.0.0.0/1, 128.0.0.0/1\n");
    assert_told(
        &findings,
        Level::Error,
        "open relay: mynetworks of submission/inet in master.cf holds the whole internet, and submission/inet has \
         permit_mynetworks; postconf -P 'submission/inet/mynetworks=127.0.0.0/8,[::1]/128', and add",
    );
    assert_told(&findings, Level::Ok, "smtp/inet refuses strangers");
    let findings = judged_with(&good(), "submission/inet/mynetworks = 127.0.0.0/8\n", "0.0.0.0/0");
    assert_told(&findings, Level::Error, "open relay: mynetworks holds the whole internet, and smtp/inet has");
    assert_told(&findings, Level::Ok, "submission/inet refuses strangers");
}

#[test]
fn a_service_is_judged_by_what_it_overrides() {
    let own = "submission/inet/smtpd_relay_restrictions = permit_sasl_authenticated,reject\n";
    let findings = judged(&good(), own);
    assert_well(&findings);
    assert_told(&findings, Level::Ok, "submission/inet does not ask the table");

    let open = "submission/inet/smtpd_relay_restrictions =\n";
    let findings = judged(&good(), open);
    assert_told(&findings, Level::Error, "open relay: nothing in smtpd_relay_restrictions nor in");
    assert_told(
        &findings,
        Level::Error,
        "postconf -P submission/inet/smtpd_relay_restrictions=reject_unauth_destination",
    );

    let refusing = "submission/inet/smtpd_client_restrictions = permit_sasl_authenticated,reject\n";
    assert_told(&judged(&good(), refusing), Level::Error, "reject in smtpd_client_restrictions of submission/inet");
}

#[test]
fn whom_the_table_leaves_out_must_be_permitted_otherwise() {
    let main = format!("smtpd_relay_restrictions = permit_auth_destination, check_client_access {TABLE}, reject");
    let findings = judged(&main, "");
    assert_told(&findings, Level::Error, "--skip-mynetworks keeps clients in mynetworks out of the table");
    assert_told(&findings, Level::Error, &format!("check_client_access {TABLE}, permit_mynetworks, reject', or leave"));
    let main = format!("{}\nsmtpd_recipient_restrictions = check_client_access {TABLE}, reject", good());
    assert_told(&judged(&main, ""), Level::Error, "by reject in smtpd_recipient_restrictions");
}

#[test]
fn a_service_with_fewer_networks_refuses_whom_the_table_leaves_out() {
    let judged = |own: &str| judged_with(&good(), own, "127.0.0.0/8 192.0.2.0/24");
    for own in ["", "127.0.0.0/8", "192.0.2.0/25"] {
        let findings = judged(&format!("submission/inet/mynetworks = {own}\n"));
        assert_told(
            &findings,
            Level::Error,
            "and submission/inet refuses them by reject_unauth_destination in smtpd_relay_restrictions: mynetworks of \
             submission/inet in master.cf does not hold them all; leave --skip-mynetworks out, or add to",
        );
    }
    assert_well(&judged("submission/inet/mynetworks = 192.0.0.0/16\n"));
}

#[test]
fn a_table_in_mynetworks_that_is_not_read_is_told() {
    let findings =
        judged_with(&good(), "submission/inet/mynetworks = 127.0.0.0/8\n", "127.0.0.0/8 pcre:/etc/postfix/x");
    assert_told(&findings, Level::Ok, "submission/inet refuses strangers");
    assert_told(
        &findings,
        Level::Warning,
        "that smtp/inet refuses strangers does not count pcre:/etc/postfix/x in mynetworks",
    );
    let unasked = format!("smtpd_relay_restrictions = permit_auth_destination, check_client_access {TABLE}, reject");
    let told: String = judged_with(&unasked, "", "pcre:/etc/postfix/x").iter().map(ToString::to_string).collect();
    assert!(!told.contains("does not count"), "{told}");
}

#[test]
fn a_class_is_looked_into() {
    let main = format!(
        "smtpd_restriction_classes = pbs\npbs = check_client_access {TABLE}\n\
         smtpd_relay_restrictions = permit_auth_destination, permit_mynetworks, pbs, reject_unauth_destination"
    );
    let findings = judged(&main, "");
    assert_well(&findings);
}

#[test]
fn the_table_knows_nothing_but_clients() {
    let main = format!("smtpd_relay_restrictions = permit_mynetworks, check_recipient_access {TABLE}, reject");
    let findings = judged(&main, "");
    assert_told(&findings, Level::Error, "which knows nothing but clients' addresses");
    assert_told(&findings, Level::Error, &format!("permit_mynetworks, check_client_access {TABLE}, reject'"));
    assert_told(
        &judged(&format!("smtpd_relay_restrictions = {TABLE}, reject"), ""),
        Level::Error,
        "check_recipient_access in",
    );
}
