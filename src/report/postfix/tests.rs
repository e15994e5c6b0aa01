#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

/// Parts of real lines in any order, and any text between them.
fn message() -> impl Strategy<Value = Vec<u8>> {
    const PARTS: &[&str] = &[
        "4A001: ",
        "NOQUEUE: ",
        "client=",
        "x[192.0.2.1]",
        "x[2001:db8::1]:25",
        ", sasl_method=PLAIN",
        ", sasl_username=",
        ", orig_queue_id=4A001",
        "reject: RCPT from ",
        ": 554 5.7.1 <",
        ">: Relay access denied; from=<",
        "> to=<",
        "to=<",
        ">, relay=",
        "mx[127.0.0.1]:25",
        ", delay=1",
        ", dsn=2.0.0",
        ", status=sent (",
        "from=<",
        ">, size=1",
        ", nrcpt=1",
        " (queue active)",
        "removed",
        "message-id=",
        ":",
        "[",
        "]",
        "<",
        ">",
    ];
    let part = prop_oneof![
        4 => proptest::sample::select(PARTS).prop_map(|part| part.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(part, 0..10).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_message_is_a_panic(message in message(), daemon in "smtpd|smtp|lmtp|qmgr|cleanup|pickup") {
        read((b"", daemon.as_bytes()), &message);
    }

    /// Whatever a user is called, the client is the one in front, and a SASL user is one.
    #[test]
    fn a_name_is_a_name(name in message()) {
        let text = [b"4A001: client=x[192.0.2.1], sasl_method=PLAIN, sasl_username=", &name[..]].concat();
        let line = read((b"", b"smtpd"), &text);
        let of = matches!(line.said, Said::Client { client, sasl: Some(_), original: None, behind: None } if client.to_string() == "192.0.2.1");
        prop_assert!(of, "{:?}", line);
    }
}

fn said<'l>(daemon: &str, message: &'l str) -> Said<'l> {
    read((b"", daemon.as_bytes()), message.as_bytes()).said
}

#[test]
fn clients_come_with_a_user_or_without() {
    let client: IpAddr = "192.0.2.1".parse().unwrap();
    let plain = Said::Client { client, sasl: None, original: None, behind: None };
    for message in
        ["4B2D51A3C: client=unknown[192.0.2.1]", "4ZbQrL3xYkz9Tq: client=a-b.example.net[::ffff:192.0.2.1]:4711"]
    {
        assert_eq!(said("smtpd", message), plain, "{message}");
    }
    for (rest, user) in [
        ("sasl_username=alice", "alice"),
        ("sasl_username=a, client=x[192.0.2.9]", "a, client=x[192.0.2.9]"),
        ("sasl_username=a, sasl_sender=b", "a"),
    ] {
        let message = format!("4B2D51A3C: client=unknown[192.0.2.1], sasl_method=PLAIN, {rest}");
        let expected = Said::Client { client, sasl: Some(user.as_bytes()), original: None, behind: None };
        assert_eq!(said("smtpd", &message), expected, "{message}");
    }
    let again = "4B2D51A3C: client=localhost[127.0.0.1], orig_queue_id=3F00, orig_client=x[192.0.2.1]";
    assert!(
        matches!(said("smtpd", again), Said::Client { original: Some(b"3F00"), sasl: None, behind, .. } if behind == Some(client))
    );
    let again = "4B2D51A3C: client=localhost[127.0.0.1], orig_client=x[192.0.2.1]";
    assert!(matches!(said("smtpd", again), Said::Client { original: None, behind, .. } if behind == Some(client)));
    let filtered = "NOQUEUE: client=unknown[192.0.2.1], sasl_method=PLAIN, sasl_username=alice";
    assert_eq!(said("smtpd", filtered), Said::Passed { client, sasl: Some(b"alice") });
    for message in ["4B2D51A3C: client=unknown[unknown]", "client=x[192.0.2.1]"] {
        assert_eq!(said("smtpd", message), Said::Other, "{message}");
    }
    assert_eq!(said("smtpd", "connect from unknown[192.0.2.1]"), Said::Connection);
}

#[test]
fn a_refusal_is_one_of_relaying() {
    let line = |reply: &str| {
        format!(
            "NOQUEUE: reject: RCPT from x[2001:db8::1]: {reply}; from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<h>"
        )
    };
    let refused = Said::Refused { client: "2001:db8::1".parse().unwrap(), sender: b"a@b.example" };
    for reply in [
        "554 5.7.1 <c@d.example>: Relay access denied",
        "454 4.7.1 <c@d.example>: Relay access denied",
        "554 5.7.1 <x[2001:db8::1]>: Client host rejected: Access denied",
        "450 4.7.1 <x[2001:db8::1]>: Client host rejected: collect your mail first",
        "554 5.7.1 <c@d.example>: Recipient address rejected: Access denied",
    ] {
        assert_eq!(said("smtpd", &line(reply)), refused, "{reply}");
        assert_eq!(said("smtpd", &line(reply).replace("NOQUEUE", "4B2D51A3C")), refused, "{reply}");
    }
    for reply in [
        "550 5.1.1 <x>: Relay access denied",
        "450 4.7.1 <x[2001:db8::1]>: Client host rejected: cannot find your hostname",
        "554 5.7.1 <c@d.example>: Recipient address rejected: Greylisted",
        "554 5.7.1 Service unavailable; Client host [2001:db8::1] blocked using bl.example",
        "Relay access denied",
    ] {
        assert_eq!(said("smtpd", &line(reply)), Said::RefusedOtherwise, "{reply}");
    }
    let relay = "554 5.7.1 <c@d.example>: Relay access denied";
    for (word, expected) in
        [("reject_warning", Said::Other), ("milter-reject", Said::RefusedOtherwise), ("hold", Said::Other)]
    {
        assert_eq!(said("smtpd", &line(relay).replace("reject", word)), expected, "{word}");
    }
    // With smtpd_delay_reject = no there is no sender yet.
    let early = "NOQUEUE: reject: CONNECT from x[2001:db8::1]: 554 5.7.1 <x[2001:db8::1]>: Client host rejected: Access denied; proto=SMTP";
    assert_eq!(said("smtpd", early), Said::Refused { client: "2001:db8::1".parse().unwrap(), sender: b"" });
    let proxied = "NOQUEUE: proxy-reject: END-OF-MESSAGE: 550 5.7.1 no; from=<a@b> to=<c@d> proto=SMTP helo=<h>";
    assert_eq!(said("smtpd", proxied), Said::RefusedOtherwise);
    let screened = "NOQUEUE: reject: RCPT from [2001:db8::1]:4711: 550 5.7.1 Service unavailable; client [2001:db8::1] \
                    blocked using bl.example; from=<a@b>, to=<c@d>, proto=ESMTP, helo=<h>";
    assert_eq!(said("postscreen", screened), Said::RefusedOtherwise);
}

#[test]
fn a_recipient_leaves_the_host_or_stays() {
    let line = |to: &str, relay: &str, status: &str| {
        format!(
            "4B2D51A3C: to=<{to}>, orig_to=<x>, relay={relay}, conn_use=2, delay=1.2, delays=0/0.1/0/1, dsn=2.0.0, status={status}"
        )
    };
    for (daemon, to, relay, status, expected) in [
        ("smtp", "a@b", "mx.example.net[192.0.2.1]:25", "sent (250 ok)", Said::Sent(To::AnotherHost)),
        ("smtp", "a@b", "mx.example.net[2001:db8::1]:25", "sent (250 ok)", Said::Sent(To::AnotherHost)),
        ("smtp", "a@b", "127.0.0.1[127.0.0.1]:10024", "sent (250 ok)", Said::Sent(To::ThisHost)),
        ("smtp", "a@b", "mx.example.net[192.0.2.1]:25", "bounced (550 no)", Said::Other),
        ("smtp", "a@b", "none", "deferred (timed out)", Said::Other),
        ("lmtp", "a@b", "mail[private/dovecot-lmtp]", "sent (250 ok)", Said::Sent(To::ThisHost)),
        ("smtpd", "a@b", "mx.example.net[192.0.2.1]:25", "sent (250 ok)", Said::Other),
        // Imitations: of the recipient, and of the reply.
        (
            "smtp",
            "a>, relay=f[127.0.0.1]:9, delay=1, dsn=2.0.0, status=sent (x@b",
            "mx.example.net[192.0.2.1]:25",
            "sent (250 ok)",
            Said::Sent(To::AnotherHost),
        ),
        (
            "smtp",
            "a@b",
            "mx.example.net[192.0.2.1]:25",
            "sent (250 >, relay=f[127.0.0.1]:9, delay=1, dsn=2.0.0, status=bounced (x)",
            Said::Sent(To::AnotherHost),
        ),
    ] {
        let line = line(to, relay, status);
        assert_eq!(said(daemon, &line), expected, "{daemon} {to} {relay} {status}");
        // Postfix 3.11 and later may say this, too.
        let with_tls = line.replace(", dsn=", ", tls=dane:encrypt/!requiretls?, dsn=");
        assert_eq!(said(daemon, &with_tls), expected, "{with_tls}");
    }
}

#[test]
fn the_queue_manager_tells_the_sender_and_the_end() {
    for (message, expected) in [
        ("4B2D51A3C: from=<a@b>, size=10, nrcpt=1 (queue active)", Said::Sender(b"a@b")),
        ("4B2D51A3C: from=<>, size=10, nrcpt=1 (queue active)", Said::Sender(b"")),
        (
            "4B2D51A3C: from=<\"a>, size=1, nrcpt=9\"@b>, size=10, nrcpt=1 (queue active)",
            Said::Sender(b"\"a>, size=1, nrcpt=9\"@b"),
        ),
        ("4B2D51A3C: removed", Said::Removed),
        ("4B2D51A3C: from=<a@b>, status=expired, returned to sender", Said::Other),
        ("warning: removed", Said::Other),
    ] {
        assert_eq!(said("qmgr", message), expected, "{message}");
    }
    assert_eq!(said("cleanup", "4B2D51A3C: message-id=<x>"), Said::MessageId(b"<x>"));
    assert_eq!(said("pickup", "4B2D51A3C: uid=0 from=<root>"), Said::Local);
}
