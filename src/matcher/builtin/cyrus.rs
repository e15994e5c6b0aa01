//! Cyrus IMAP. Data only.

use super::super::pattern::Piece::{self, *};
use super::super::{Ends, Key, Matcher, RawNewlines};

pub(super) const CYRUS: Matcher = Matcher {
    name: "cyrus",
    servers: "Cyrus IMAP 2.x to 3.12",
    programs: CYRUS_PROGRAMS,
    enable: "nothing; the log must take priority notice of the mail facility",
    source: "lines of 3.6.1; format strings of imap/imapd.c, imap/pop3d.c, imap/loginlog.c and lib/logfmt.c",
    key: Key::None,
    connects: &[],
    // `login: %s anonymous %s` ends in the password, which a stranger chooses.
    logins: &[
        &[
            Lit("login: "),
            Optional(&[Host, Lit(" ")]),
            Lit("["),
            Client,
            Lit("] "),
            Not("anonymous "),
            User,
            Lit(" "),
            Method,
            Lit(" User logged in"),
            Optional(&[Lit(" SESSIONID=<"), Token, Lit(">")]),
        ],
        // 2.0 writes no space before the bracket.
        &[
            Lit("login: "),
            Host,
            Lit("["),
            Client,
            Lit("] "),
            Not("anonymous "),
            User,
            Lit(" "),
            Method,
            Lit(" User logged in"),
        ],
        &[
            Lit("event=login.good "),
            CYRUS_SESSION,
            CYRUS_TRACE,
            Lit("r.clienthost=["),
            Client,
            Lit("] u.username="),
            UserValue,
            CYRUS_MECHANISM,
            Lit(" login.tls="),
            Number,
            CYRUS_REST,
        ],
        &[
            Lit("event=login.good "),
            CYRUS_SESSION,
            CYRUS_TRACE,
            Lit("r.clienthost=\""),
            Host,
            Lit(" ["),
            Client,
            Lit("]\" u.username="),
            UserValue,
            CYRUS_MECHANISM,
            Lit(" login.tls="),
            Number,
            CYRUS_REST,
        ],
    ],
    logouts: &[],
    splits: None,
    foreign: None,
    newlines: CYRUS_NEWLINES,
    cut_failure: None,
};

/// Nothing tells its login from another message that begins so and ends in a word: only for a host that runs such a server
/// and no other under these names.
pub(super) const CYRUS_1: Matcher = Matcher {
    name: "cyrus-1",
    servers: "Cyrus IMAP 1.x to 2.1",
    programs: CYRUS_PROGRAMS,
    enable: "nothing; the log must take priority notice of the mail facility",
    source: "format strings of imap/imapd.c and imap/pop3d.c of 1.5, 2.0.17 and 2.1.18",
    key: Key::None,
    connects: &[],
    // Of what the library says of a password, which is nothing where it is right, the blank in front is left (2.0, 2.1).
    logins: &[&[
        OneOf(&[&[Lit("login: [")], &[Lit("login: "), Host, Lit("[")]]),
        Client,
        Lit("] "),
        Not("anonymous "),
        User,
        Lit(" "),
        Method,
        Optional(&[Lit(" ")]),
    ]],
    logouts: &[],
    splits: None,
    foreign: None,
    newlines: CYRUS_NEWLINES,
    cut_failure: None,
};

/// rsyslog and s6-log take somewhat more than 8,000 bytes of a message (docs/threat-model.md).
const CUT_BY_A_LOGGER: Option<(usize, usize)> = Some((7900, 8200));

const CYRUS_NEWLINES: &[RawNewlines] =
    &[CYRUS_ID, CYRUS_ENDED, CYRUS_SNI, CYRUS_PAIR, CYRUS_NONCE, CYRUS_TRACE_OF_ANONYMOUS, CYRUS_NTLM, SASLAUTHD];

/// What a client says of itself before it logs in, with the newlines of its literals (imap/imapd.c, `cmd_id`, 1.6 to 3.13). A quote
/// stands behind each value.
const CYRUS_ID: RawNewlines = RawNewlines {
    programs: CYRUS_PROGRAMS,
    messages: &[&[Lit("client id")]],
    longest: 30 * (30 + 1024 + 6) + 200,
    bounded: &[],
    holds_nul: false,
    ends: Some(Ends { texts: &["\""], cut: CUT_BY_A_LOGGER }),
};

/// Some of it again, at the end of a session (imap/imapd.c, `imapd_log_client_behavior`, 3.10 to 3.13). A line in which nothing was
/// said may be the first of one in which `>` and a newline were.
const CYRUS_ENDED: RawNewlines = RawNewlines {
    messages: &[&[Lit("session ended: ")]],
    longest: 3 * 1024 + 1024,
    // Some releases add ` func=<...>` (lib/util.c, `xsyslog_fn`), and some loggers take the last space off.
    ends: Some(Ends { texts: &["> \n", ">\n", "> id.name=<", "> id.version=<"], cut: None }),
    ..CYRUS_ID
};

/// A server's name in TLS is any text without NUL (imap/tls.c, `servername_callback`, 2.5 to 3.13), in every service.
const CYRUS_SNI: RawNewlines = RawNewlines {
    programs: CYRUS_SERVICES,
    messages: &[&[Lit("TLS Server Name Indication (SNI) Extension: \"")]],
    longest: 255 + 60,
    ends: Some(Ends { texts: &["\""], cut: None }),
    ..CYRUS_ID
};

/// What the SASL library says of a client's words to the server, which hands it on from 2.5 on whatever its priority (imap/imapd.c,
/// `imapd_sasl_log`), and without the `SASL ` where the library logs itself (`sasl_log_level`).
const CYRUS_PAIR: RawNewlines = RawNewlines {
    messages: &[&[CYRUS_SASL, Lit("DIGEST-MD5 unrecognized pair ")]],
    longest: 4096 + 100,
    ends: Some(Ends { texts: &[": ignoring"], cut: None }),
    ..CYRUS_ID
};

const CYRUS_NONCE: RawNewlines = RawNewlines {
    messages: &[&[CYRUS_SASL, Lit("No reauth info for '")]],
    ends: Some(Ends { texts: &["' found"], cut: None }),
    ..CYRUS_PAIR
};

const CYRUS_TRACE_OF_ANONYMOUS: RawNewlines = RawNewlines {
    messages: &[&[CYRUS_SASL, Lit("ANONYMOUS login: \"")]],
    longest: 16 * 1024 + 100,
    ends: Some(Ends { texts: &["\""], cut: CUT_BY_A_LOGGER }),
    ..CYRUS_ID
};

/// The name is the end of the message (plugins/ntlm.c of SASL 2.1, `ntlm_server_mech_step2`).
const CYRUS_NTLM: RawNewlines = RawNewlines {
    messages: &[&[CYRUS_SASL, Lit("client user: ")], &[CYRUS_SASL, Lit("client domain: ")]],
    longest: 16 * 1024 + 100,
    ends: None,
    ..CYRUS_ID
};

/// `do_auth         : auth failure: [user=NAME] [service=smtp] ...` and what its mechanisms say: a name of any server's that asks it,
/// also a mail transfer agent's. It logs to facility auth, which some daemons write into the same file.
const SASLAUTHD: RawNewlines = RawNewlines {
    programs: &["saslauthd"],
    messages: &[&[]],
    // Login, service, realm and address have 256 bytes each (saslauthd/saslauthd-main.h, `MAX_REQ_LEN`).
    longest: 4 * 256 + 200,
    ends: None,
    ..CYRUS_ID
};

const CYRUS_SASL: Piece = Optional(&[Lit("SASL ")]);

const CYRUS_PROGRAMS: &[&str] = &[
    "cyrus-imapd",
    "cyrus-pop3d",
    "cyrus/imap",
    "cyrus/imapd",
    "cyrus/imaps",
    "cyrus/pop3",
    "cyrus/pop3d",
    "cyrus/pop3s",
    "imap",
    "imapd",
    "imaps",
    "pop3",
    "pop3d",
    "pop3s",
];

/// Those and others that speak TLS.
const CYRUS_SERVICES: &[&str] = &[
    "cyrus-imapd",
    "cyrus-pop3d",
    "cyrus/http",
    "cyrus/https",
    "cyrus/imap",
    "cyrus/imapd",
    "cyrus/imaps",
    "cyrus/lmtp",
    "cyrus/nntp",
    "cyrus/nntps",
    "cyrus/pop3",
    "cyrus/pop3d",
    "cyrus/pop3s",
    "cyrus/sieve",
    "http",
    "https",
    "imap",
    "imapd",
    "imaps",
    "lmtp",
    "nntp",
    "nntps",
    "pop3",
    "pop3d",
    "pop3s",
    "sieve",
];

const CYRUS_SESSION: Piece = Optional(&[OneOf(&[&[Lit("session_id=")], &[Lit("r.sessionid=")]]), Token, Lit(" ")]);

const CYRUS_TRACE: Piece = Optional(&[Lit("r.tid="), Value, Lit(" ")]);

const CYRUS_MECHANISM: Piece = Optional(&[Lit(" login.mech="), Method]);

/// An anonymous login has no `u.username`. One with `login.nopassword` proves nothing either.
const CYRUS_REST: Piece =
    Many(&[&[Lit(" login.magic="), Value], &[Lit(" pop.subfolder="), Value], &[Lit(" login.nopassword=0")]]);
