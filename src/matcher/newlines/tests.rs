//! What stands behind messages that a newline may have cut, and what of it is believed.

use super::super::Matchers;
use super::forged::{FORGED, NGINX, clients, nothing_in, scanned};

const NGINX_LOGIN: &str = "2026/11/22 16:30:13 [info] 806#806: *211 client logged in, client: 203.0.113.66, server: \
                           0.0.0.0:143, login: \"a\", upstream: 127.0.0.2:1143";

fn own_file(matchers: &mut Matchers, failure: &str, next: &str) -> usize {
    let stamp = "2026/11/22 16:30:13 [info] 806#806: ";
    clients(matchers, &format!("{NGINX_LOGIN}\n{stamp}{NGINX}{failure}\n{next}\n")).len()
}

#[test]
fn what_may_be_a_name_in_the_file_of_nginx_is_not_believed() {
    for name in ["x", "x\"", "x\", upstream: 127.0.0.2:1143"] {
        let failure = format!("0.0.0.0:143, login: \"{name}");
        for mut matchers in [Matchers::all(), {
            let mut matchers = Matchers::all();
            matchers.take_newlines_for_escaped(true);
            matchers
        }] {
            assert_eq!(own_file(&mut matchers, &failure, NGINX_LOGIN), 1, "only the one before");
            assert_eq!(clients(&mut matchers, FORGED), [""; 0]);
            assert_eq!(clients(&mut matchers, NGINX_LOGIN), [""; 0]);
            let filler = "x".repeat(2048);
            assert_eq!(clients(&mut matchers, &format!("{filler}\n{NGINX_LOGIN}")).len(), 1);
        }
    }
}

#[test]
fn behind_a_short_name_of_pop3_only_nginx_may_follow_in_its_file() {
    assert_eq!(own_file(&mut Matchers::all(), "0.0.0.0:110, login: \"x\"", NGINX_LOGIN), 2);
    assert_eq!(own_file(&mut Matchers::all(), "0.0.0.0:110, login: \"x\"", FORGED), 1);
    assert_eq!(own_file(&mut Matchers::all(), "0.0.0.0:110, login: \"x", NGINX_LOGIN), 1, "it goes on");
}

#[test]
fn a_name_with_newlines_is_not_believed_through_syslog() {
    let start = "Nov 27 13:00:00 mail mail nginx: 2026/11/27 13:00:00 [info] 8#8: ";
    for port in ["143", "993", "110"] {
        nothing_in(&format!("{start}{NGINX}0.0.0.0:{port}, login: \"x\n{FORGED}\n\"\n"));
        nothing_in(&format!("{start}{NGINX}0.0.0.0:{port}, login: \"x\"\n{FORGED}\n\"\n"));
    }
    let start = "Nov 27 13:00:00 mail vpopmail[77]: vchkpw-smtp: password fail (pass: 'x";
    nothing_in(&format!("{start}\n{FORGED}\ny') kevin@example.net:198.51.100.9\n"));
    let start = "Nov 27 13:00:00 mail imapd[7]: Login failed user=";
    nothing_in(&format!("{start}\n{FORGED}\n auth=\n{FORGED}\n host=pc.example.net [198.51.100.9]\n").replacen(
        &format!("{FORGED}\n host"),
        " host",
        1,
    ));
}

/// A web site of the same nginx decodes `%0A` in a path.
#[test]
fn a_path_of_nginx_with_newlines_is_not_believed() {
    let start = "Nov 27 13:00:00 mail mail nginx: 2026/11/27 13:00:00 [error] 8#8: *9 ";
    for words in ["", "open() ", "directory index of "] {
        nothing_in(&format!("{start}{words}\"/srv/www/x\n{FORGED}\n\" is not found (2: No such file or directory)\n"));
    }
}

/// `a LOGIN {82}`, that name, `{99999}`.
#[test]
fn a_name_in_front_of_an_overlong_literal_of_uw_is_not_believed() {
    let forged = "Nov 27 13:00:01 m pop3d: LOGIN, user=a, ip=[203.0.113.66]";
    for words in ["Overlong (99999) client literal", "Fatal error", "Fatal mailbox error"] {
        nothing_in(&format!("Nov 27 13:00:00 mail imapd[7]: {words} user=x\n{forged}\n host=h [198.51.100.9]\n"));
    }
}

#[test]
fn a_forged_line_does_not_pass_for_the_rest_of_a_cut_message() {
    let long = format!("Nov 27 13:00:00 mail pop3d: LOGIN FAILED, user={}", "A".repeat(490));
    let nginx =
        format!("Nov 27 13:00:00 mail mail nginx: 2026/11/27 13:00:00 [info] 8#8: {NGINX}0.0.0.0:143, login: \"x");
    let log = format!("{long}\n{nginx}\n{FORGED}\n\"\n{}\n{FORGED}\n{FORGED}\n", "x".repeat(2048));
    assert_eq!(clients(&mut Matchers::all(), &log).len(), 1, "the first one is the rest");
}

/// BusyBox begins a new message behind each NUL, and believes its tag. A datagram of nginx's is known to end in front of one, but
/// nobody relies on that.
#[test]
fn headers_behind_nul_do_not_count() {
    let failure = "Nov 27 13:00:00 mail mail.info nginx: 2026/11/27 13:00:00 [info] 8#8: *9 client login failed: \"x\" while in \
                   http auth state, client: 198.51.100.9, server: 0.0.0.0:143, login: \"x";
    let parts = "Nov 27 13:00:00 mail mail.info a: \n".repeat(500);
    assert_eq!(scanned(&format!("{failure}\n{parts}{FORGED}\n"), false), [""; 0]);
    let parts = "Nov 27 13:00:00 mail mail.info a: \n".repeat(2100);
    assert_eq!(scanned(&format!("{failure}\n{parts}{FORGED}\n"), false), ["203.0.113.66"]);
}

/// Whoever resets the connection ends a session like this, without an account.
#[test]
fn no_end_of_imapd_is_believed() {
    for end in [
        "Connection reset by peer, while reading line",
        "Broken pipe, while discarding unread literal",
        "Command stream end of file, while flushing line",
        "Hangup",
        "Killed (terminated)",
    ] {
        nothing_in(&format!("Nov 27 13:00:00 mail imapd[7]: {end} user=x\n{FORGED}\n host=h [198.51.100.9]\n"));
    }
}

/// The first name holds all of a failure and a newline, the second one a line. Each has 64 bytes.
#[test]
fn a_name_of_uw_that_looks_like_a_whole_failure_is_not_believed() {
    let forged = "Nov 27 13:00:00 m imapd[7]: Login user=a host=[203.0.113.66]";
    for length in 32..60 {
        let host = " host=[192.0.2.1]";
        let first = format!("x auth={}{host}\n", "y".repeat(length - host.len() - 8));
        let first = format!("{first:z<64}");
        nothing_in(&format!(
            "Nov 27 13:00:00 mail imapd[7]: Login failed user={first} auth=\n{forged}\n host=h [198.51.100.9]\n"
        ));
    }
    // Or the first name holds ` auth=`, and the second one the rest.
    let (first, second) =
        (format!("x auth={}", "y".repeat(20)), "z host=[192.0.2.1]\nNov 27 13:00:00 m imapd[7]: Auth user=a");
    nothing_in(&format!(
        "Nov 27 13:00:00 mail imapd[7]: Login failed user={first} auth={second} host=h [198.51.100.9]\n"
    ));
}

/// nginx logs all that a client of POP3 has sent at once.
#[test]
fn a_command_of_nginx_that_is_too_long_holds_others() {
    nothing_in(
        "Nov 27 13:00:00 mail nginx: 2026/11/27 13:00:00 [info] 8#8: *7 client sent too long command \"x\" while in auth \
         state, client: ::, server: [::]:110\nNov 27 13:00:01 m pop3d:LOGIN, user=a, ip=[9.9.9.9]\nUSER aaaaaaaaaaaaaaaaa\" \
         while in auth state, client: 198.51.100.9, server: 0.0.0.0:110\n",
    );
}

/// A name of UW's that looks like two.
#[test]
fn a_name_of_uw_that_looks_like_two_is_not_shorter() {
    let forged = "Nov 27 13:00:00 m imap:Auth user=a";
    for name in [format!("x auth={}", "y".repeat(20)), "x auth=x host=[1.1.1.1]".to_owned()] {
        let log = format!(
            "Nov 27 13:00:00 mail imapd[7]: Login failed user={name}\n{forged} auth={name}\n{forged} host=[198.51.100.9]\n"
        );
        assert_eq!(scanned(&log, false), [""; 0], "{log}");
    }
}

/// UW's own words behind the name make a login of a stranger's real address.
#[test]
fn words_of_uw_behind_a_newline_complete_no_login() {
    let forged = "Nov 27 13:00:00 m imap: Login user=a";
    nothing_in(&format!("Nov 27 13:00:00 mail imapd[7]: Logout user=\n{forged} host=pc.example.net [198.51.100.9]\n"));
    nothing_in(&format!(
        "Nov 27 13:00:00 mail imapd[7]: Logout user=x host=[1.1.1.1]\n{forged} host=pc.example.net [198.51.100.9]\n"
    ));
    nothing_in(&format!(
        "Nov 27 13:00:00 mail imapd[7]: Login failed user=al auth=a host=[1.1.1.1]\n{forged} host=h [198.51.100.9]\n"
    ));
}

#[test]
fn a_genuine_login_behind_a_failure_is_too_long_to_be_its_name() {
    let next = "Nov 27 13:00:00 mail imapd[831]: Login user=alice host=[198.51.100.1]";
    let failure = "Logout user=alice host=pc9.example.net [198.51.100.9]";
    let log = format!("Nov 27 13:00:00 mail imapd[830]: {failure}\n{next}\n");
    assert_eq!(clients(&mut Matchers::all(), &log), ["198.51.100.1"], "{log}");
    let nginx = "Nov 27 13:00:00 mail mail nginx: ";
    let log =
        format!("{nginx}2026/11/27 13:00:00 [info] 8#8: {NGINX}0.0.0.0:110, login: \"alice\"\n{nginx}{NGINX_LOGIN}\n");
    assert_eq!(clients(&mut Matchers::all(), &log).len(), 1, "{log}");
}

/// No release bounds what a stranger sends as a literal.
#[test]
fn a_name_in_a_failure_of_kopano_may_be_long() {
    for (address, end) in [("198.51.100.9:51363", ". Error: 0x80040111"), ("[198.51.100.9:51363]", "")] {
        let failure = format!("Failed to login from {address} with invalid username \"x{}", "y".repeat(7000));
        nothing_in(&format!(
            "Nov 27 13:00:00 mail kopano-gateway[7]: {failure}\n{FORGED}\n\" or wrong password{end}\n"
        ));
    }
}

/// Zimbra's nginx writes it without quotes, of each attempt to log in.
#[test]
fn a_name_that_zimbra_throttles_is_not_believed() {
    let login = "2026/11/27 13:00:01 [info] 8#8: *8 client logged in, client: 203.0.113.66:7, server: 0.0.0.0:143, login: \"a\", \
                 upstream: 192.0.2.9:7143 (192.0.2.9:1->192.0.2.9:2) <=> (192.0.2.9:3->192.0.2.9:4)";
    assert_eq!(scanned(&format!("{login}\n"), false), ["203.0.113.66"]);
    for (start, end) in [
        ("user throttle: no alias for user:", ""),
        ("user throttle:", " deny [count:5,limit:4]"),
        ("check user throttle:", ""),
        ("create a throttle counter for user ", ""),
        ("throttle allowing access from user ", ", counter created"),
        ("throttle deny since the user name ", " is invalid"),
        ("allowing user ", " login because unable to create the user counter"),
        ("retry to check user throttle:", ""),
    ] {
        let log = format!("2026/11/27 13:00:00 [info] 8#8: *9 {start}x\n{login}\n{end}, client: 198.51.100.9:7\n");
        assert_eq!(scanned(&log, false), [""; 0], "{log}");
    }
}

/// What a module of DBMail says of a name; Kopano's store and library; a map of Perdition; a name of NTLM.
#[test]
fn names_in_other_words_than_a_failure_are_not_believed() {
    for (message, end) in [
        ("dbmail/imap4d[7]: Warning: User \"x", "\" try to use anonymous LDAP bind!"),
        ("dbmail/sieved[7]: Warning:[auth] auth_validate(+1321): User \"x", "\" try to use anonymous LDAP bind!"),
        ("dbmail/imap4d[7]: Debug:[auth] auth_validate(+358): username [x", "] does not exist"),
        ("dbmail/imap4d[7]: Notice: slow query [SELECT 'x", "'] took [9] seconds"),
        ("gromox-imap[7]: rhost=[198.51.100.9]:1 user=x", " LOGIN phase2 rejected: Incorrect password"),
        ("gromox-zcore[7]: rhost=[198.51.100.9]:0 user=x", " zs_logon rejected: Incorrect password"),
        ("kopano-gateway[7]: HrLogon server \"default:\" user \"x", "\": logon failed"),
        ("kopano-gateway[7]: < <99 bytes data> x", ""),
        (
            "kopano-server[7]: Authentication by plugin failed for user \"x",
            "\": Trying to authenticate failed: wrong password",
        ),
        // The logger has cut off what stands behind the name.
        ("kopano-ical[7]: 198.51.100.9 - x", &"z".repeat(7900)),
        ("perdition.imap4[7]: No match for x", ""),
        ("perdition[7]: build_key_str: \"\\U\"->\"x", "\""),
        ("cyrus/imap[7]: SASL client user: x", ""),
        ("cyrus/imap[7]: client domain: x", ""),
        (
            "saslauthd[7]: do_auth         : auth failure: [user=x",
            "] [service=smtp] [realm=] [remote=] [mech=pam] [reason=no]",
        ),
        (
            "imapd[7]: pam_sss(imap:auth): received for user x",
            ": 10 (User not known to the underlying authentication module)",
        ),
        (
            "imap4d[7]: pam_sss(imap:auth): received for user x",
            ": 10 (User not known to the underlying authentication module)",
        ),
    ] {
        nothing_in(&format!("Nov 27 13:00:00 mail {message}\n{FORGED}\n{end}\n"));
    }
}

/// s6-log begins a new line behind 8,192 bytes of a server's, here of Stalwart, which escapes newlines.
#[test]
fn the_rest_of_a_long_line_is_not_believed() {
    let stamp = "2026-11-27 12:50:00.123456789  ";
    let failure =
        "2026-11-22T10:00:00Z INFO Authentication failed (auth.failed) listenerId = \"imap\", accountName = \"";
    let rest = "2026-11-22T10:00:00Z INFO Authentication successful (auth.success) listenerId = \"imap\", localPort = 143, \
                remoteIp = 203.0.113.66, remotePort = 1, accountName = \"x\"";
    let long = format!("{failure}{}", "x".repeat(8192 - failure.len()));
    for escaped in [false, true] {
        assert_eq!(scanned(&format!("{stamp}{long}\n{stamp}{rest}\n{stamp}{rest}\n"), escaped), ["203.0.113.66"]);
        assert_eq!(scanned(&format!("{long}\n{rest}\n"), escaped), [""; 0]);
        assert_eq!(scanned(&format!("{failure}\n{rest}\n"), escaped), ["203.0.113.66"]);
    }
}

/// journald hands each line of it on by itself, to a syslog daemon that escapes newlines.
#[test]
fn what_nginx_writes_to_its_standard_error_has_newlines_whatever_is_escaped() {
    for (tag, is_stderr) in [("nginx[8]:", true), ("nginx:", false)] {
        let start = format!("Nov 27 13:00:00 mail {tag} ");
        let failure = format!("2026/11/27 13:00:00 [info] 8#8: {NGINX}0.0.0.0:143, login: \"x");
        let log = format!("{start}{failure}\n{}{start}{NGINX_LOGIN}\n", format!("{start}x\n").repeat(100));
        assert_eq!(scanned(&log, false), [""; 0]);
        assert_eq!(scanned(&log, true).is_empty(), is_stderr, "{tag}");
    }
    let rfc5424 = |pid| {
        let start = format!("<30>1 2026-11-27T13:00:00.123456+01:00 mail nginx {pid} - - ");
        format!("{start}2026/11/27 13:00:00 [info] 8#8: {NGINX}0.0.0.0:143, login: \"x\n{start}{NGINX_LOGIN}\n")
    };
    assert_eq!((scanned(&rfc5424("8"), true).len(), scanned(&rfc5424("-"), true).len()), (0, 1));
}
