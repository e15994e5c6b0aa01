//! nginx as a mail proxy, and Zimbra's. Data only.

use super::super::pattern::{
    Pattern,
    Piece::{self, *},
    Ports,
};
use super::super::{Bounded, Key, Matcher, RawNewlines};

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
            &[Lit("*"), Session, Lit(" "), OneOf(ZIMBRA_NAMES)],
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

/// Behind these stands a name without a quote, of each attempt to log in (ngx_mail_throttle_module.c).
const ZIMBRA_NAMES: &[Pattern] = &[
    &[Lit("user throttle:")],
    &[Lit("check user throttle:")],
    &[Lit("create a throttle counter for user ")],
    &[Lit("throttle allowing access from ")],
    &[Lit("throttle deny since the user name ")],
    &[Lit("allowing user ")],
    &[Lit("retry to ")],
];

const NGINX_BOUNDED: &[Bounded] = &[
    Bounded { message: NGINX_LOGIN, most: 0 },
    Bounded { message: NGINX_LOGOUT, most: 0 },
    Bounded { message: NGINX_LOST, most: 0 },
    Bounded { message: NGINX_POP3_FAILED, most: NGINX_POP3_NAME },
    Bounded { message: NGINX_POP3_LOST, most: NGINX_POP3_NAME },
    // All that was sent at once, other commands as well (src/mail/ngx_mail_handler.c, ngx_mail_read_command, since 1.21).
    Bounded { message: NGINX_POP3_TOO_LONG, most: 130 },
    Bounded { message: ZIMBRA_LOGIN, most: 0 },
    Bounded { message: ZIMBRA_LOGOUT, most: 0 },
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
