//! Proxies in front of mail servers: Perdition, nginx, imapproxy. Data only.

use super::super::pattern::{
    Pattern,
    Piece::{self, *},
    Ports,
};
use super::super::{Bounded, CutFailure, Ends, Key, Matcher, RawNewlines};

/// A message of Zimbra's nginx with these words.
macro_rules! zimbra {
    ($words:literal) => {
        &[
            Lit("*"),
            Session,
            Lit($words),
            ClientPort,
            NGINX_STARTTLS,
            Lit(", server: "),
            NGINX_SERVER,
            Lit(", login: \""),
            User,
            Lit("\", upstream: "),
            Server(Ports::Except(&[])),
            Lit(" ("),
            Server(Ports::Except(&[])),
            Lit("->"),
            Server(Ports::Except(&[])),
            Lit(") <=> ("),
            Server(Ports::Except(&[])),
            Lit("->"),
            Server(Ports::Except(&[])),
            Lit(")"),
        ]
    };
}

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
    newlines: &[RawNewlines {
        programs: PERDITION_IMAP,
        messages: &[&[Lit("Auth: ")]],
        longest: PERDITION_LONGEST,
        bounded: &[],
        holds_nul: false,
        ends: Some(PERDITION_FAILED),
    }],
    cut_failure: Some(CutFailure::EndsIn {
        programs: PERDITION_IMAP,
        ends: PERDITION_FAILED,
        longest: PERDITION_LONGEST,
    }),
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

/// nginx writes no tag of its own into its log file, and hands control bytes of a name to whoever writes the log.
/// A mail transfer session with `smtp_auth none` is also said to be logged in, and has proved nothing.
pub(super) const NGINX: Matcher = Matcher {
    name: "nginx",
    servers: "nginx mail proxy, POP3 and IMAP, and Zimbra's",
    programs: &["nginx"],
    enable: "`error_log ... info`; through syslog rather than into a file of its own",
    source: "lines of 1.22; ngx_mail_proxy_module.c, ngx_mail_handler.c, ngx_log.h; format strings of Zimbra's 1.2 to 1.24",
    key: Key::Session,
    connects: &[],
    logins: &[NGINX_LOGIN, ZIMBRA_LOGIN],
    logouts: &[NGINX_LOGOUT, ZIMBRA_LOGOUT],
    splits: None,
    foreign: None,
    newlines: &[RawNewlines {
        programs: &["nginx"],
        // What follows the words is a name, a path (%0A is a newline there), or what a script says.
        messages: &[
            &[Lit("*"), Session, Lit(" "), Words(&[""]), Lit("\"")],
            &[Lit("*"), Session, Lit(" "), OneOf(&[&[Lit("\"")], &[Lit("[")], &[Lit("js: ")]])],
            &[Lit("[")],
        ],
        longest: 2048,
        bounded: NGINX_BOUNDED,
        holds_nul: true,
        ends: None,
    }],
    cut_failure: None,
};

const NGINX_LOGIN: Pattern = &[
    Lit("*"),
    Session,
    Lit(" client logged in, client: "),
    Client,
    NGINX_STARTTLS,
    Lit(", server: "),
    NGINX_SERVER,
    Lit(", login: \""),
    User,
    Lit("\", upstream: "),
    Server(Ports::Except(&[])),
];

const NGINX_LOGOUT: Pattern = &[
    Lit("*"),
    Session,
    Lit(" proxied session done, client: "),
    Client,
    NGINX_STARTTLS,
    Lit(", server: "),
    NGINX_SERVER,
    Lit(", login: \""),
    User,
    Lit("\", upstream: "),
    Server(Ports::Except(&[])),
];

/// Zimbra's nginx adds the client's port, and both connections at the end (zimbra-nginx.patch, `ngx_mail_log_error`).
const ZIMBRA_LOGIN: Pattern = zimbra!(" client logged in, client: ");

const ZIMBRA_LOGOUT: Pattern = zimbra!(" proxied session done, client: ");

const NGINX_BOUNDED: &[Bounded] = &[
    Bounded { message: NGINX_LOGIN, least: 0, most: 0 },
    Bounded { message: NGINX_LOGOUT, least: 0, most: 0 },
    Bounded { message: NGINX_LOST, least: 0, most: 0 },
    Bounded { message: NGINX_POP3_FAILED, least: 0, most: NGINX_POP3_NAME },
    Bounded { message: NGINX_POP3_LOST, least: 0, most: NGINX_POP3_NAME },
    // All that was sent at once, other commands as well (src/mail/ngx_mail_handler.c, ngx_mail_read_command, since 1.21).
    Bounded { message: NGINX_POP3_TOO_LONG, least: 0, most: 130 },
    Bounded { message: ZIMBRA_LOGIN, least: 0, most: 0 },
    Bounded { message: ZIMBRA_LOGOUT, least: 0, most: 0 },
];

/// nginx reads commands of POP3 into 128 bytes; in base64, 127 of them and a bare newline, a name has 95. Behind it stands a
/// quote.
const NGINX_POP3_NAME: usize = 97;

/// The words in quotes are the authentication server's.
const NGINX_POP3_FAILED: Pattern = &[
    Lit("*"),
    Session,
    Lit(" client login failed: \""),
    Words(&[""]),
    Lit("\" while in http auth state, client: "),
    Client,
    NGINX_STARTTLS,
    Lit(", server: "),
    NGINX_POP3,
    Lit(", login: \""),
    User,
    Lit("\""),
];

const NGINX_POP3_LOST: Pattern = &[
    Lit("*"),
    Session,
    NGINX_BREAK,
    Lit(" while in auth state, client: "),
    Client,
    NGINX_STARTTLS,
    Lit(", server: "),
    NGINX_POP3,
    Lit(", login: \""),
    User,
    Lit("\""),
];

const NGINX_POP3_TOO_LONG: Pattern = &[
    Lit("*"),
    Session,
    Lit(" client sent too long command \""),
    User,
    Lit("\" while in auth state, client: "),
    Client,
    NGINX_STARTTLS,
    Lit(", server: "),
    NGINX_POP3,
];

const NGINX_LOST: Pattern = &[
    Lit("*"),
    Session,
    NGINX_BREAK,
    Lit(" while proxying"),
    Optional(&[Lit(" and reading from client")]),
    Lit(", client: "),
    Client,
    NGINX_STARTTLS,
    Lit(", server: "),
    Server(Ports::Except(&[])),
    Lit(", login: \""),
    User,
    Lit("\", upstream: "),
    Server(Ports::Except(&[])),
];

const NGINX_BREAK: Piece = OneOf(&[
    &[Lit(" recv() failed (104: Connection reset by peer)")],
    &[Lit(" client timed out (110: Connection timed out)")],
]);

const NGINX_POP3: Piece = Server(Ports::Only(&[110, 995]));

const NGINX_STARTTLS: Piece = Optional(&[Lit(" using starttls")]);

const NGINX_SERVER: Piece = Server(Ports::Except(&[24, 25, 465, 587, 2525]));

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
