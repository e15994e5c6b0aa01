//! Mail stores and groupware: dbmail, grommunio, Kopano and Zarafa, Stalwart. Data only.

use super::super::pattern::{
    Pattern,
    Piece::{self, *},
};
use super::super::{Ends, Key, Matcher, RawNewlines};

/// pop3d tells the name without the address, and all sessions are one process.
pub(super) const DBMAIL: Matcher = Matcher {
    name: "dbmail",
    servers: "DBMail 3.2 to 3.5, IMAP",
    programs: DBMAIL_PROGRAMS,
    enable: "trace_syslog must have notice (32)",
    source: "format strings of 3.2 to 3.5.6 (src/dm_imapsession.c, src/dm_debug.c)",
    key: Key::None,
    connects: &[],
    logins: &[&[
        DBMAIL_LEVEL,
        Lit("["),
        Token,
        Lit("] login accepted: id ["),
        Number,
        Lit("] user ["),
        User,
        Lit("] from "),
        ClientPortInBrackets,
    ]],
    logouts: &[],
    splits: None,
    foreign: None,
    newlines: &[DBMAIL_REJECTED, DBMAIL_OTHERS],
    cut_failure: None,
};

const DBMAIL_REJECTED: RawNewlines = RawNewlines {
    programs: DBMAIL_PROGRAMS,
    messages: &[&[DBMAIL_LEVEL, Lit("["), Token, Lit("] login rejected: user [")]],
    longest: DBMAIL_LONGEST,
    bounded: &[],
    holds_nul: false,
    ends: Some(Ends { texts: &["] from ["], cut: Some((DBMAIL_LONGEST - 64, DBMAIL_LONGEST)) }),
};

/// What a module says of a name: `Warning: User "NAME" try to use anonymous LDAP bind!` (src/modules/authldap.c, `auth_validate`),
/// `username [NAME] does not exist`, a query that was slow or failed. ManageSieve and HTTP take a name in base64.
const DBMAIL_OTHERS: RawNewlines = RawNewlines {
    programs: &["dbmail/httpd", "dbmail/imap4d", "dbmail/sieved"],
    messages: &[&[Not("Notice")], &[DBMAIL_LEVEL, Not("["), Not("incoming connection ")]],
    ends: None,
    ..DBMAIL_REJECTED
};

const DBMAIL_PROGRAMS: &[&str] = &["dbmail/imap4d"];

/// A message is cut at 4,095 bytes (`trace`); in front of it stand level, module, function and line.
const DBMAIL_LONGEST: usize = 4096 + 128;

/// `Notice: `, or with module, function and line where trace_syslog has info.
const DBMAIL_LEVEL: Piece =
    OneOf(&[&[Lit("Notice: ")], &[Lit("Notice:["), Token, Lit("] "), Token, Lit("(+"), Number, Lit("): ")]]);

/// gromox-imap is not read: its verb stands behind the name too, and a literal brings a newline into that.
pub(super) const GROMOX: Matcher = Matcher {
    name: "gromox",
    servers: "grommunio (Gromox), POP3",
    programs: &["gromox-pop3"],
    enable: "pop3_log_level=6, pop3_log_file=syslog",
    source: "format strings of 2026 (mra/pop3/parser.cpp, mra/pop3/cmd.cpp)",
    key: Key::None,
    connects: &[],
    logins: &[&[Lit("rhost=["), Client, Lit("]:"), Number, Lit(" user="), User, Lit(" login ok")]],
    logouts: &[],
    splits: None,
    foreign: None,
    newlines: &[GROMOX_NAMES, GROMOX_WEB],
    cut_failure: None,
};

/// Of `gromox-pop3` a name is a word. A literal of IMAP and base64 of IMAP and HTTP have newlines; the name has 320 bytes, and comes up to
/// three times (mra/imap/cmd.cpp, `icp_login`, `icp_password2`; exch/http/http_parser.cpp).
const GROMOX_NAMES: RawNewlines = RawNewlines {
    programs: &["gromox-http", "gromox-imap"],
    messages: &[&[Lit("rhost=[")]],
    longest: 3 * 320 + 300,
    bounded: &[],
    holds_nul: false,
    ends: None,
};

/// What somebody types as his name into the web interface (exch/zcore/zserver.cpp, `zs_logon`).
const GROMOX_WEB: RawNewlines = RawNewlines { programs: &["gromox-zcore"], longest: 64 * 1024, ..GROMOX_NAMES };

pub(super) const KOPANO: Matcher = Matcher {
    name: "kopano",
    servers: "Kopano and Zarafa gateway, POP3 and IMAP",
    programs: KOPANO_PROGRAMS,
    enable: "log_method = syslog, log_level 5 (notice) or more",
    source: "format strings of Kopano Core 8.0 to 11.0 (gateway/IMAP.cpp, gateway/POP3.cpp, common/ECChannel.cpp)",
    key: Key::None,
    connects: &[],
    logins: &[
        &[KOPANO_VERB, ClientPortInBrackets, Lit(" for user \""), KOPANO_USER, Lit("\"")],
        &[KOPANO_VERB, Lit("["), Client, Lit("] for user \""), KOPANO_USER, Lit("\"")],
        // Zarafa; in front of what follows, which could take the last part of an address for a port.
        &[KOPANO_VERB, Client, Lit(" for user "), KOPANO_USER],
        // Up to 8.6.
        &[KOPANO_VERB, ClientPort, Lit(" for user "), KOPANO_USER],
    ],
    logouts: &[],
    splits: None,
    foreign: None,
    newlines: &[KOPANO_NAMES, KOPANO_STORE, KOPANO_ICAL],
    cut_failure: None,
};

const KOPANO_NAMES: RawNewlines = RawNewlines {
    programs: KOPANO_PROGRAMS,
    messages: &[
        &[Lit("Failed to login from ")],
        &[Lit("Aborted login from ")],
        &[Lit("Ignoring to login TWICE")],
        &[Lit("IMAP not enabled for user ")],
        // What the store refused, before the gateway says so (provider/client/epclient.cpp).
        &[Lit("HrLogon ")],
        // Level debug: each literal.
        &[Lit("< ")],
    ],
    // No release bounds a literal before a login (up to 11.0, gateway/IMAP.cpp: HrProcessCommand).
    longest: 64 * 1024,
    bounded: &[],
    holds_nul: false,
    ends: None,
};

/// The store says of the same name that it is wrong, in quotes (provider/libserver/ECUserManagement.cpp).
const KOPANO_STORE: RawNewlines = RawNewlines {
    programs: &["kopano-server", "zarafa-server"],
    messages: &[&[Words(&[""]), Lit("\"")]],
    ..KOPANO_NAMES
};

/// The calendar's server logs each request as a web server does, with the name in base64 that came with it (caldav/Http.cpp). What
/// stands behind the name may be out of sight, or cut off by the logger.
const KOPANO_ICAL: RawNewlines =
    RawNewlines { programs: &["kopano-ical", "zarafa-ical"], messages: &[&[]], ..KOPANO_NAMES };

/// Who has sent too many wrong commands begins a message with the tag of the last one, which in quotes may be any text; behind it
/// stands the verdict (gateway/IMAP.cpp, `HrResponse`).
const KOPANO_USER: Piece = UserWithout(&[" BAD ", " NO "]);

const KOPANO_PROGRAMS: &[&str] = &["kopano-gateway", "zarafa-gateway"];

const KOPANO_VERB: Piece = OneOf(&[&[Lit("IMAP Login from ")], &[Lit("POP3 login from ")], &[Lit("POP3 Login from ")]]);

/// The span of the connection comes first, so the address stands in front of all that a client says. Newlines in it are
/// written `\n`.
pub(super) const STALWART: Matcher = Matcher {
    name: "stalwart",
    servers: "Stalwart, IMAP and POP3",
    programs: &["stalwart"],
    enable: "a tracer of type log, level info, in one line and without ansi; IMAP and POP3 on their usual ports",
    source: "format strings of 0.9 to 0.16 (crates/trc/src/serializers/text.rs, crates/common/src/auth)",
    key: Key::None,
    connects: &[],
    logins: &[&[
        Lit("INFO Authentication successful (auth.success) listenerId = \""),
        Token,
        Lit("\", localPort = "),
        STALWART_PORT,
        Lit(", remoteIp = "),
        Client,
        Lit(", remotePort = "),
        Number,
        Lit(", accountName = \""),
        User,
        Lit("\""),
        Optional(&[Lit(", accountId = "), Number]),
        Many(STALWART_REST),
    ]],
    logouts: &[],
    splits: None,
    foreign: None,
    newlines: &[],
    cut_failure: None,
};

/// What is said of SMTP and HTTP begins just so.
const STALWART_PORT: Piece = OneOf(&[&[Lit("143")], &[Lit("993")], &[Lit("110")], &[Lit("995")]]);

const STALWART_REST: &[Pattern] = &[
    &[Lit(", id = "), Number],
    &[Lit(", type = \""), Token, Lit("\"")],
    // Up to 0.12.
    &[Lit(", type = "), Token],
    &[Lit(", details = \""), Plain, Lit("\"")],
    &[Lit(", details = \"Authenticated with app password\"")],
    &[Lit(", details = \"Authenticated with credential\"")],
];
