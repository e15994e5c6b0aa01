//! vpopmail, cucipop, Apple Mail Server. Data only.

use super::super::pattern::{Pattern, Piece::*};
use super::super::{Bounded, Key, Matcher, RawNewlines};

/// The service comes first: SMTP logins do not count. A password in a failure is free text, so names are plain.
pub(super) const VPOPMAIL: Matcher = Matcher {
    name: "vpopmail",
    servers: "vpopmail vchkpw 4.x and 5.x",
    programs: &["vchkpw", "vpopmail"],
    enable: "built with --enable-logging=y or v",
    source: "format strings of vchkpw.c; published lines",
    key: Key::None,
    connects: &[],
    logins: &[VPOPMAIL_LOGIN, VPOPMAIL_OLD_LOGIN],
    logouts: &[],
    splits: None,
    foreign: None,
    newlines: VPOPMAIL_NEWLINES,
    cut_failure: None,
};

const VPOPMAIL_LOGIN: Pattern = &[
    Lit("vchkpw-"),
    OneOf(&[&[Lit("pop3s: ")], &[Lit("pop3: ")], &[Lit("imaps: ")], &[Lit("imap: ")]]),
    OneOf(&[
        &[Lit("("), Method, Lit(") login success ")],
        &[Lit("system password login success ")],
        &[Lit("login success ")],
    ]),
    Name,
    Lit(":"),
    Client,
];

const VPOPMAIL_OLD_LOGIN: Pattern = &[Lit("vchkpw: login ["), Name, Lit("] from "), Client];

/// SMTP and IMAP hand on names and passwords with newlines in them; POP3 reads lines, but where Dovecot up to 2.3 hands on a
/// password in base64 (src/auth/db-checkpassword.c), which is told of in docs/threat-model.md. Messages are cut at
/// `LOG_LINE_SIZE` (vchkpw.c).
const VPOPMAIL_NEWLINES: &[RawNewlines] = &[RawNewlines {
    programs: &["vchkpw", "vpopmail"],
    messages: &[&[Lit("vchkpw-"), Not("pop3")], &[Lit("vchkpw: ")]],
    longest: 500,
    bounded: &[Bounded { message: VPOPMAIL_LOGIN, most: 0 }, Bounded { message: VPOPMAIL_OLD_LOGIN, most: 0 }],
    holds_nul: false,
    ends: None,
}];

/// The line begins with the name, without a verb in front. Only a plain name is read, directly followed by the address: no
/// other message of this server has an address for its second word.
pub(super) const CUCIPOP: Matcher = Matcher {
    name: "cucipop",
    servers: "cucipop 1.31",
    programs: &["cucipop"],
    enable: "run without -q, and with -a to log sessions on empty mailboxes; a session counts when it ends",
    source: "a published pattern of the Perl program; format strings of 1.31 for the other messages",
    key: Key::None,
    connects: &[],
    logins: &[&[
        Name,
        Lit(" "),
        Client,
        Lit(" "),
        Number,
        Lit(", "),
        Number,
        Lit(" ("),
        Number,
        Lit("), "),
        Number,
        Lit(" ("),
        Number,
        Lit(")"),
    ]],
    logouts: &[],
    splits: None,
    foreign: None,
    newlines: &[],
    cut_failure: None,
};

pub(super) const APPLE_MAIL: Matcher = Matcher {
    name: "apple-mail",
    servers: "Apple Mail Server (Mac OS X Server 10.1 and 10.2), IMAP and POP3",
    programs: &["AppleMailServer"],
    enable: "nothing; the server writes its own file",
    source: "a published pattern of the Perl program",
    key: Key::None,
    connects: &[],
    logins: &[&[
        OneOf(&[&[Lit("IMAP User \"")], &[Lit("POP User \"")], &[Lit("POP3 User \"")]]),
        UserWithout(&["\" log on "]),
        Lit("\" log on successful from "),
        Client,
    ]],
    logouts: &[],
    splits: None,
    foreign: None,
    newlines: &[],
    cut_failure: None,
};
