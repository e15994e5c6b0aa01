//! Dovecot. Data only.

use super::super::pattern::{
    Pattern,
    Piece::{self, *},
};
use super::super::{Key, Matcher};

/// Its messages of a login, behind these words.
macro_rules! logins {
    ($verb:expr) => {
        &[
        // Of a client who has not logged in there is no mpid.
        &[
            $verb,
            Lit("user=<"),
            ShortUser(LONGEST_USER, NAMES_OF_CLIENTS),
            Lit(">, method="),
            Method,
            Lit(", rip="),
            Client,
            Optional(&[Lit(", rport="), Number]),
            Lit(", lip="),
            Address,
            Lit(", mpid="),
            Number,
            Many(DOVECOT_CONNECTION),
        ],
        &[
            $verb,
            Lit("user=<"),
            DOVECOT_USER,
            Lit(">, method="),
            Method,
            Lit(", rip="),
            Client,
            Optional(&[Lit(", rport="), Number]),
            Lit(", lip="),
            Address,
            Many(DOVECOT_FEW),
        ],
        // Without the method only the name tells an anonymous login (`auth_anonymous_username`).
        &[
            $verb,
            Lit("user=<"),
            Not("anonymous>"),
            DOVECOT_USER,
            Lit(">, rip="),
            Client,
            Optional(&[Lit(", rport="), Number]),
            Lit(", lip="),
            Address,
            Many(DOVECOT_FEW),
        ],
        &[$verb, Not("user=<"), Not("anonymous ["), UserWithout(&["rip="]), Lit(" ["), Client, Lit("]")],
        // Other orders of elements: with the process that took the client over, where no name reaches, or without a session.
        &[
            $verb,
            Many(IN_FRONT),
            Lit("user=<"),
            Not("anonymous>"),
            LONE_USER,
            Lit(">"),
            Many(BETWEEN),
            Lit(", rip="),
            Client,
            Many(BEHIND),
            Lit(", mpid="),
            Number,
            Many(BEHIND),
        ],
        &[
            $verb,
            Many(FEW_IN_FRONT),
            Lit("user=<"),
            Not("anonymous>"),
            LONE_USER,
            Lit(">"),
            Many(FEW_BETWEEN),
            Lit(", rip="),
            Client,
            Many(FEW_BEHIND),
        ],
        &[
            $verb,
            Many(IN_FRONT),
            Lit("rip="),
            Client,
            Lit(", "),
            Many(IN_FRONT),
            Lit("user=<"),
            Not("anonymous>"),
            LONE_USER,
            Lit(">"),
            Many(BEHIND),
            Lit(", mpid="),
            Number,
            Many(BEHIND),
        ],
        &[
            $verb,
            Many(FEW_IN_FRONT),
            Lit("rip="),
            Client,
            Lit(", "),
            Many(FEW_IN_FRONT),
            Lit("user=<"),
            Not("anonymous>"),
            LONE_USER,
            Lit(">"),
            Many(FEW_BEHIND),
        ],
    ]
    };
}

/// A cipher, behind these pieces.
macro_rules! cipher {
    ($($front:expr)?) => {
        &[$($front,)? Token, Lit(" with cipher "), Token, Lit(" ("), Number, Lit("/"), Number, Lit(" bits)")]
    };
}

pub(in crate::matcher) const DOVECOT: Matcher = Matcher {
    name: "dovecot",
    servers: "Dovecot 0.99 to 2.4, POP3 and IMAP",
    programs: &["dovecot", "imap-login", "pop3-login"],
    enable: "nothing; a changed login_log_format_elements must keep user, rip and lip in this order",
    source: "lines of 2.3.19 and 2.4.1, through syslog and from its own file; older forms from published samples",
    key: Key::Session,
    connects: &[],
    logins: logins!(VERB),
    // The reason follows in the server's words. Without a session id (before 2.3) it ends nothing.
    logouts: &[&[
        OneOf(&[&[Lit("imap(")], &[Lit("pop3(")]]),
        User,
        Lit(")<"),
        Number,
        Lit("><"),
        Session,
        Lit(">"),
        Words(&[
            ": Disconnected",
            ": Info: Disconnected",
            ": Logged out",
            ": Info: Logged out",
            ": Connection closed",
            ": Info: Connection closed",
        ]),
    ]],
    splits: None,
    foreign: None,
    newlines: &[],
    cut_failure: None,
};

/// Submission: who logs in there may relay by that, and needs no grant. Only by `--services`.
pub(in crate::matcher) const SUBMISSION: Matcher = Matcher {
    name: "dovecot-submission",
    servers: "Dovecot 2.3 and 2.4, submission",
    programs: &["dovecot", "submission-login"],
    logins: logins!(SUBMISSION_VERB),
    logouts: &[],
    ..DOVECOT
};

/// Filters of mail: not what a user's mail program does before it sends.
pub(in crate::matcher) const MANAGESIEVE: Matcher = Matcher {
    name: "dovecot-managesieve",
    servers: "Dovecot 2.0 to 2.4, ManageSieve",
    programs: &["dovecot", "managesieve-login"],
    logins: logins!(MANAGESIEVE_VERB),
    logouts: &[],
    ..DOVECOT
};

const SUBMISSION_VERB: Piece =
    OneOf(&[&[Lit("submission-login: "), DOVECOT_LEVEL, DOVECOT_LOGIN], &[Lit("Info: "), DOVECOT_LOGIN]]);

const MANAGESIEVE_VERB: Piece =
    OneOf(&[&[Lit("managesieve-login: "), DOVECOT_LEVEL, DOVECOT_LOGIN], &[Lit("Info: "), DOVECOT_LOGIN]]);

/// Which server says that the client is logged in is up to the user database (`proxy=y`, `host`), and the name stands in front
/// of the verb: only names are read that cannot hold it.
pub(super) const DOVECOT_PROXY: Matcher = Matcher {
    name: "dovecot-proxy",
    servers: "Dovecot 2.0 to 2.4 as a POP3 and IMAP proxy",
    programs: &["dovecot", "imap-login", "pop3-login"],
    enable: "nothing; auth_username_chars must not be empty",
    source: "published lines of 2.0 to 2.4; format strings of src/login-common/client-common.c",
    key: Key::None,
    connects: &[],
    logins: &[&[
        DOVECOT_SERVICE,
        DOVECOT_LEVEL,
        Lit("proxy("),
        Name,
        Optional(&[Lit(","), Host]),
        OneOf(&[&[Lit("): started")], &[Lit("): Started")]]),
        Lit(" proxying to "),
        DOVECOT_BACKEND,
        OneOf(&[&[Plain, Lit(">, method="), Method, Lit(", rip=")], &[Not("anonymous>"), Plain, Lit(">, rip=")]]),
        Client,
        Lit(", lip="),
        Address,
        Many(DOVECOT_ELEMENTS),
    ]],
    logouts: &[],
    splits: None,
    foreign: None,
    newlines: &[],
    cut_failure: None,
};

/// Through syslog the service is part of the message; in Dovecot's own file it is the program, with the level behind
/// it (2.x) or in front (1.x).
pub(in crate::matcher) const VERB: Piece = OneOf(&[
    // Most logins, in one step.
    &[Lit("imap-login: Login: ")],
    &[Lit("pop3-login: Login: ")],
    &[DOVECOT_SERVICE, DOVECOT_LEVEL, DOVECOT_LOGIN],
    &[Lit("Info: "), Optional(&[DOVECOT_SERVICE]), DOVECOT_LOGIN],
    &[Lit("Login: ")],
]);

/// Up to 2.3, with `imap_id_log`, anybody writes a message of any length (`ID sent: `, src/imap-login/imap-login-cmd-id.c), and the rest
/// of one of more than 4,096 bytes is a message behind the same prefix (src/lib/failures.c, `internal_send_split`). It ends in the
/// server's own elements, in front of which his last word may be `Login`. They name the session (2.1 on) and, of who is not
/// logged in, no process: a session without `mpid` proves nothing.
const DOVECOT_USER: Piece = ShortUser(LONGEST_USER, DOVECOT_USER_WITHOUT);

const DOVECOT_USER_WITHOUT: &[&str] = &[
    ": user=<",
    ", local_name=",
    ", orig_user=",
    ", original_user=",
    ", auth_user=",
    ", user-agent=",
    ", user_agent=",
];

/// `str_sanitize(..., 80)` (1.1 to 2.4, src/login-common/client-common.c), and what is left of a last character in UTF-8. A site may
/// log another text of the client behind `rip`, in which he writes the end of a message: up to that, the genuine one is too long for
/// a name, if it holds a process and a session.
const LONGEST_USER: usize = 83;

/// Elements that hold text of the client, the usual ones, where the genuine end is shorter.
const NAMES_OF_CLIENTS: &[&str] = DOVECOT_USER_WITHOUT.split_at(1).1;

const DOVECOT_SERVICE: Piece = OneOf(&[&[Lit("imap-login: ")], &[Lit("pop3-login: ")]]);

const DOVECOT_LOGIN: Piece = OneOf(&[&[Lit("Login: ")], &[Lit("Logged in: ")]]);

const DOVECOT_LEVEL: Piece = Optional(&[Lit("Info: ")]);

/// `HOST:PORT`, with another name there or a master user; in 2.3 and 2.4 `remote host` or `<HOST>`. A colon behind a
/// host is read as part of it.
const DOVECOT_BACKEND: Piece = OneOf(&[
    &[Host, Lit(" user=<")],
    &[Host, DOVECOT_REMOTE, DOVECOT_MASTER, Lit(": user=<")],
    &[Lit("["), Host, Lit("]:"), Number, DOVECOT_REMOTE, DOVECOT_MASTER, Lit(": user=<")],
    &[
        OneOf(&[&[Lit("remote host")], &[Lit("<"), Host, Lit("> (<"), Host, Lit(">)")], &[Lit("<"), Host, Lit(">")]]),
        Optional(&[Lit(" from "), Host]),
        Optional(&[Lit(" as user "), Plain]),
        DOVECOT_MASTER,
        Optional(&[Lit(" ("), Token, Lit(" secs)")]),
        OneOf(&[&[Lit(": user=<")], &[Lit(" user=<")]]),
    ],
]);

const DOVECOT_REMOTE: Piece = Optional(&[Lit("/"), Plain]);

const DOVECOT_MASTER: Piece = Optional(&[Lit(" (master "), Plain, Lit(")")]);

/// What `login_log_format_elements` may put behind the addresses; nothing of it is chosen by the client.
const DOVECOT_ELEMENTS: &[Pattern] =
    &[DOVECOT_NUMBER, DOVECOT_TLS_WORDS, DOVECOT_TLS, DOVECOT_SECURED, DOVECOT_SESSION, DOVECOT_CIPHER];

const DOVECOT_CONNECTION: &[Pattern] =
    &[DOVECOT_TLS, DOVECOT_SECURED, DOVECOT_SESSION, DOVECOT_CIPHER, DOVECOT_TLS_WORDS];

const DOVECOT_FEW: &[Pattern] = &[DOVECOT_NUMBER, DOVECOT_TLS, DOVECOT_SECURED, DOVECOT_CIPHER, DOVECOT_TLS_WORDS];

const DOVECOT_NUMBER: Pattern = &[OneOf(&[&[Lit(", mpid=")], &[Lit(", rport=")], &[Lit(", lport=")]]), Number];
/// 2.4 misspells it where another process speaks TLS (src/login-common/client-common.c, `get_var_expand_params`).
const DOVECOT_TLS: Pattern = &[OneOf(&[&[Lit(", TLS")], &[Lit(", TSL")]])];
const DOVECOT_SECURED: Pattern = &[Lit(", secured")];
const DOVECOT_SESSION: Pattern = &[Lit(", session=<"), Session, Lit(">")];
const DOVECOT_CIPHER: Pattern = cipher!(Lit(", "));

/// What `%k` stands for.
pub(in crate::matcher) const CIPHER: Pattern = cipher!();

/// Words of OpenSSL and of the system. What is said of a certificate, which holds text of the client, is forgotten where the
/// handshake ends well (2.2 to 2.4, src/lib-ssl-iostream/iostream-openssl.c, `openssl_iostream_handshake`).
const DOVECOT_TLS_WORDS: Pattern = &[Lit(","), Phrase(TLS_STARTS)];

pub(in crate::matcher) const TLS_STARTS: &[&str] = &[" TLS: ", " TLS handshaking"];

/// The name in a line of another order. Nobody's text is the address if there is one `rip=` in the message, whatever a site
/// has put into the elements; and without a colon it is no rest of `ID sent: ` ([`DOVECOT_USER`]).
const LONE_USER: Piece = ShortUser(LONGEST_USER, &["rip=", ": "]);

/// Elements behind others, but for the process.
const BEHIND: &[Pattern] = BEHIND_AND_PROCESS.split_at(BEHIND_AND_PROCESS.len() - 1).0;

const BEHIND_AND_PROCESS: &[Pattern] = &[
    DOVECOT_SESSION,
    &[Lit(", session="), BareSession],
    &[Lit(", method="), Method],
    &[OneOf(ADDRESSES_BEHIND), Address],
    &[OneOf(NUMBERS_BEHIND), Number],
    DOVECOT_TLS,
    DOVECOT_SECURED,
    DOVECOT_CIPHER,
    &[OneOf(NAMES_BEHIND), Host],
    &[Lit(", ssl_ja3="), Numbers],
    DOVECOT_TLS_WORDS,
    TLS_READ,
    TLS_FURTHER,
    CIPHER_OF_PROXY,
    &[Lit(", local_name="), Host],
    &[OneOf(ENCLOSED_BEHIND), Plain, Lit(">")],
    &[OneOf(&[&[Lit(", user-agent=")], &[Lit(", user_agent=")]]), Phrase(&[""])],
    &[OneOf(&[&[Lit(", user-agent=<")], &[Lit(", user_agent=<")]]), Phrase(&[""]), Lit(">")],
    &[Lit(", mpid="), Number],
];

/// What the stream under TLS says (2.3 and 2.4, src/lib/istream-file.c).
const TLS_READ: Pattern = &[Lit(", TLS: read(size="), Phrase(&[""])];

/// OpenSSL's errors but the first, in one element (src/lib-ssl-iostream/iostream-openssl-common.c, `openssl_iostream_error`).
const TLS_FURTHER: Pattern = &[Lit(","), Phrase(&[" error:"])];

/// `%k` where HAProxy speaks TLS.
const CIPHER_OF_PROXY: Pattern = &[Lit(", (proxied)")];

/// Between the name and the address: nothing that a client chooses, as a site may have left out `rip`, and what he says then looks
/// like it.
const BETWEEN: &[Pattern] = BEHIND_AND_PROCESS.split_at(BEHIND_AND_PROCESS.len() - 5).0;

/// Without the session.
const FEW_BEHIND: &[Pattern] = BEHIND_AND_PROCESS.split_at(2).1;

const FEW_BETWEEN: &[Pattern] = &[
    &[Lit(", mpid="), Number],
    &[Lit(", method="), Method],
    &[OneOf(ADDRESSES_BEHIND), Address],
    &[OneOf(NUMBERS_BEHIND), Number],
    DOVECOT_TLS,
    DOVECOT_SECURED,
    DOVECOT_CIPHER,
    &[OneOf(NAMES_BEHIND), Host],
    &[Lit(", ssl_ja3="), Numbers],
    DOVECOT_TLS_WORDS,
    TLS_READ,
    TLS_FURTHER,
    CIPHER_OF_PROXY,
];

const ADDRESSES_BEHIND: &[Pattern] = &[&[Lit(", lip=")], &[Lit(", real_rip=")], &[Lit(", real_lip=")]];

const NUMBERS_BEHIND: &[Pattern] =
    &[&[Lit(", rport=")], &[Lit(", lport=")], &[Lit(", pid=")], &[Lit(", real_rport=")], &[Lit(", real_lport=")]];

const NAMES_BEHIND: &[Pattern] =
    &[&[Lit(", service=")], &[Lit(", protocol=")], &[Lit(", listener=")], &[Lit(", ssl_ja3_hash=")]];

const ENCLOSED_BEHIND: &[Pattern] =
    &[&[Lit(", orig_user=<")], &[Lit(", original_user=<")], &[Lit(", auth_user=<")], &[Lit(", local_name=<")]];

/// Elements in front of others.
const IN_FRONT: &[Pattern] = &[
    &[Lit("session=<"), Session, Lit(">, ")],
    &[Lit("session="), BareSession, Lit(", ")],
    &[Lit("mpid="), Number, Lit(", ")],
    &[Lit("method="), Method, Lit(", ")],
    &[OneOf(&[&[Lit("lip=")], &[Lit("real_rip=")], &[Lit("real_lip=")]]), Address, Lit(", ")],
    &[OneOf(&[&[Lit("rport=")], &[Lit("lport=")], &[Lit("pid=")]]), Number, Lit(", ")],
    &[Lit("TLS, ")],
    &[Lit("secured, ")],
    &[OneOf(&[&[Lit("service=")], &[Lit("protocol=")], &[Lit("listener=")]]), Host, Lit(", ")],
];

const FEW_IN_FRONT: &[Pattern] = IN_FRONT.split_at(2).1;
