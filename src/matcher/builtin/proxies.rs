//! Proxies in front of mail servers: Perdition, imapproxy. Data only.

use super::super::pattern::{
    Piece::{self, *},
    Ports,
};
use super::super::{CutFailure, Ends, Key, Matcher, RawNewlines};

/// The address stands in front of the name, the verdict behind it: the line must end in it.
pub(super) const PERDITION: Matcher = Matcher {
    name: "perdition",
    servers: "Perdition 1.x and 2.x",
    programs: &[
        "perdition",
        "perdition.imap4",
        "perdition.imap4s",
        "perdition.imaps",
        "perdition.pop3",
        "perdition.pop3s",
    ],
    enable: "nothing",
    source: "lines of 2.2; format strings of 1.x (perdition.c)",
    key: Key::Pid,
    connects: &[],
    logins: &[
        &[
            Lit("Auth: "),
            ClientPort,
            Lit("->"),
            Server(Ports::Except(&[])),
            PERDITION_CLIENT,
            Lit(" authorisation_id=NONE authentication_id=\""),
            User,
            Lit("\" server=\""),
            Host,
            PERDITION_PROTOCOL,
            Lit(" server-secure="),
            Method,
            Lit(" status=\"ok\""),
            PERDITION_BLANK,
        ],
        // An authorisation id is the client's text, too: both are read as one name.
        &[
            Lit("Auth: "),
            ClientPort,
            Lit("->"),
            Server(Ports::Except(&[])),
            PERDITION_CLIENT,
            Lit(" authorisation_id="),
            User,
            Lit("\" server=\""),
            Host,
            PERDITION_PROTOCOL,
            Lit(" server-secure="),
            Method,
            Lit(" status=\"ok\""),
            PERDITION_BLANK,
        ],
        &[
            Lit("Auth: "),
            ClientPort,
            Lit("->"),
            Server(Ports::Except(&[])),
            PERDITION_USER,
            User,
            Lit("\" server=\""),
            Host,
            Lit("\" port=\""),
            Method,
            PERDITION_OK,
            PERDITION_BLANK,
        ],
        &[
            Lit("Auth: "),
            Client,
            Lit("->"),
            Address,
            PERDITION_USER,
            User,
            Lit("\" server=\""),
            Host,
            Lit("\" port=\""),
            Method,
            PERDITION_OK,
            PERDITION_BLANK,
        ],
    ],
    // `Closing NULL session:` is the end of one that was not logged in.
    logouts: &[
        &[
            OneOf(&[&[Lit("Closing session: ")], &[Lit("Closing: ")], &[Lit("Close: ")]]),
            ClientPort,
            Lit("->"),
            Server(Ports::Except(&[])),
            PERDITION_NAME,
            User,
            Lit("\" received="),
            Number,
            Lit(" sent="),
            Number,
            PERDITION_BLANK,
        ],
        &[
            OneOf(&[&[Lit("Closing session: ")], &[Lit("Closing: ")], &[Lit("Close: ")]]),
            ClientPort,
            Lit("->"),
            Server(Ports::Except(&[])),
            Lit(" "),
            User,
            Lit(" received="),
            Number,
            Lit(" sent="),
            Number,
            PERDITION_BLANK,
        ],
        &[
            OneOf(&[&[Lit("Closing: ")], &[Lit("Close: ")]]),
            Client,
            Lit("->"),
            Address,
            PERDITION_USER,
            User,
            Lit("\" received="),
            Number,
            Lit(" sent="),
            Number,
            PERDITION_BLANK,
        ],
    ],
    splits: None,
    foreign: None,
    newlines: &[PERDITION_AUTH, PERDITION_MAP],
    cut_failure: Some(CutFailure::EndsIn {
        programs: PERDITION_IMAP,
        ends: PERDITION_FAILED,
        longest: PERDITION_LONGEST,
    }),
};

const PERDITION_AUTH: RawNewlines = RawNewlines {
    programs: PERDITION_IMAP,
    messages: &[&[Lit("Auth: ")]],
    longest: PERDITION_LONGEST,
    bounded: &[],
    holds_nul: false,
    ends: Some(PERDITION_FAILED),
};

/// A name that the map has not (perdition/db/bdb/perditiondb_bdb.c), and with `debug` what is asked of any map (getserver.c).
const PERDITION_MAP: RawNewlines = RawNewlines {
    messages: &[&[Lit("No match for ")], &[Token, Lit(": \"")]],
    longest: PERDITION_LONGEST + 100,
    ends: None,
    ..PERDITION_AUTH
};

/// A name of IMAP comes as a literal, with newlines; POP3 reads lines.
const PERDITION_IMAP: &[&str] = &["perdition", "perdition.imap4", "perdition.imap4s", "perdition.imaps"];

/// `MAX_LINE_LENGTH` (perdition/perdition_types.h).
const PERDITION_LONGEST: usize = 4096;

/// Behind the name in every failure of 2.2 (perdition.c, `perdition_log_auth`); a name of 4,000 bytes cuts it off.
const PERDITION_FAILED: Ends = Ends { texts: &[" status=\"failed"], cut: Some((4093, 4096)) };

/// Not MANAGESIEVE (perdition/protocol.c): who may change a filter has not read his mail.
const PERDITION_PROTOCOL: Piece = OneOf(&[
    &[Lit("\" protocol=POP3")],
    &[Lit("\" protocol=POP3S")],
    &[Lit("\" protocol=IMAP4")],
    &[Lit("\" protocol=IMAP4S")],
]);

const PERDITION_CLIENT: Piece = Optional(&[Lit(" client-secure="), Method]);

const PERDITION_USER: Piece = OneOf(&[&[Lit(" user=\"")]]);

const PERDITION_NAME: Piece = OneOf(&[&[Lit(" authorisation_id=NONE authentication_id=\"")], &[Lit(" user=\"")]]);

/// Messages end in a newline, of which the syslogd of inetutils makes a blank.
const PERDITION_BLANK: Piece = Optional(&[Lit(" ")]);

const PERDITION_OK: Piece = Lit("\" status=\"ok\"");

/// A failure may end in the words of the server behind it, which may repeat the name.
pub(super) const IMAPPROXY: Matcher = Matcher {
    name: "imapproxy",
    servers: "up-imapproxy, SquirrelMail IMAP proxy 1.2",
    programs: IMAPPROXY_PROGRAMS,
    enable: "nothing",
    source: "lines of 1.2.8; request.c, imapcommon.c of it",
    key: Key::None,
    connects: &[],
    logins: &[&[
        Lit("LOGIN: '"),
        UserWithout(&[") failed: "]),
        Lit("' ("),
        ClientPort,
        OneOf(&[&[Lit(") on new sd [")], &[Lit(") on existing sd [")]]),
        Number,
        Lit("]"),
    ]],
    logouts: &[],
    splits: None,
    foreign: None,
    newlines: &[RawNewlines {
        programs: IMAPPROXY_PROGRAMS,
        messages: &[&[Lit("LOGIN: '")], &[Lit("AUTH_LOGIN: ")]],
        longest: IMAPPROXY_LONGEST,
        bounded: &[],
        holds_nul: false,
        ends: Some(IMAPPROXY_FAILED),
    }],
    cut_failure: Some(CutFailure::EndsIn {
        programs: IMAPPROXY_PROGRAMS,
        ends: IMAPPROXY_FAILED,
        longest: IMAPPROXY_LONGEST,
    }),
};

const IMAPPROXY_PROGRAMS: &[&str] = &["imapproxy", "imapproxyd", "in.imapproxyd"];

/// Behind the name of every client who is not logged in (imapcommon.c, `Get_Server_conn`; request.c, `cmd_login`,
/// `cmd_authenticate_login`).
const IMAPPROXY_FAILED: Ends = Ends { texts: &[" failed: ", " no previous connection: "], cut: None };

/// How far behind the beginning of a message that may stand: a name has at most 255 bytes, from a literal or base64
/// (`MAXUSERNAMELEN`, imapproxy.h), an address with its port 54.
const IMAPPROXY_LONGEST: usize = 350;
