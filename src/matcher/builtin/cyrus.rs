//! Cyrus IMAP. Data only.

use super::super::pattern::Piece::{self, *};
use super::super::{Key, Matcher};

pub(super) const CYRUS: Matcher = Matcher {
    name: "cyrus",
    servers: "Cyrus IMAP 1.x to 3.12",
    programs: &[
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
    ],
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
        // 1.x and 2.0 write no space before the bracket, and nothing or the answer to the client behind the method.
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
            Optional(&[Lit(" User logged in")]),
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
};

const CYRUS_SESSION: Piece = Optional(&[OneOf(&[&[Lit("session_id=")], &[Lit("r.sessionid=")]]), Token, Lit(" ")]);

const CYRUS_TRACE: Piece = Optional(&[Lit("r.tid="), Value, Lit(" ")]);

const CYRUS_MECHANISM: Piece = Optional(&[Lit(" login.mech="), Method]);

/// An anonymous login has no `u.username`. One with `login.nopassword` proves nothing either.
const CYRUS_REST: Piece =
    Many(&[&[Lit(" login.magic="), Value], &[Lit(" pop.subfolder="), Value], &[Lit(" login.nopassword=0")]]);
