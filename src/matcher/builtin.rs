//! The servers whose logs are understood. Data only.
//!
//! A pattern is the server's own format string. To add a server: a row here, sample lines with verdicts in
//! `tests/logs`, and its failure formats in `tests/matcher_properties.rs`.

use super::pattern::{
    Pattern,
    Piece::{self, *},
};
use super::{Key, Limit, Matcher};

/// All built-in matchers.
pub const BUILTIN: &[Matcher] = &[COURIER, CYRUS, DOVECOT, QPOPPER, TEAPOP, TPOP3D, UW_IMAP, VDPOP3D, VM_POP3D];

const COURIER: Matcher = Matcher {
    name: "courier",
    servers: "Courier POP3 and IMAP",
    programs: &[
        "courier/imapd",
        "courier/imapd-ssl",
        "courier/imaplogin",
        "courier/pop3d",
        "courier/pop3d-ssl",
        "courier/pop3login",
        "courierimapd",
        "courierimapd-ssl",
        "courierimaplogin",
        "courierpop3d",
        "courierpop3d-ssl",
        "courierpop3login",
        "couriertcpd",
        "imapd",
        "imapd-ssl",
        "imaplogin",
        "pop3d",
        "pop3d-ssl",
        "pop3login",
    ],
    enable: "nothing",
    source: "lines of courier-imap 5.0.13; format strings of imaplogin, pop3login, pop3dserver; older forms from \
             published samples",
    key: Key::None,
    connects: &[],
    logins: &[&[
        Lit("LOGIN, user="),
        User,
        Lit(", ip=["),
        Client,
        Lit("]"),
        COURIER_PORT,
        Optional(&[Lit(", protocol="), OneOf(&[&[Lit("IMAP")], &[Lit("POP3")], &[Lit("SMAP1")]])]),
        COURIER_TLS,
    ]],
    logouts: &[&[
        OneOf(&[&[Lit("LOGOUT, user=")], &[Lit("DISCONNECTED, user=")], &[Lit("TIMEOUT, user=")]]),
        User,
        Lit(", ip=["),
        Client,
        Lit("]"),
        COURIER_PORT,
        Many(&[&[Lit(", "), Token, Lit("="), Number]]),
    ]],
    // 505 with `INFO: ` taken off, 504 with `DEBUG: `.
    splits: Some(Limit { bytes: 500 }),
};

const COURIER_PORT: Piece = Optional(&[Lit(", port=["), Number, Lit("]")]);

const COURIER_TLS: Piece = Optional(&[OneOf(&[&[Lit(", stls=1")], &[Lit(", starttls=1")]])]);

const CYRUS: Matcher = Matcher {
    name: "cyrus",
    servers: "Cyrus IMAP 2.1 to 3.10",
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
    source: "lines of 3.6.1; format strings of imap/imapd.c and imap/pop3d.c",
    key: Key::None,
    connects: &[],
    // `login: %s anonymous %s` ends in the password, which a stranger chooses.
    logins: &[&[
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
    ]],
    logouts: &[],
    splits: None,
};

const DOVECOT: Matcher = Matcher {
    name: "dovecot",
    servers: "Dovecot 0.99 to 2.4, POP3 and IMAP",
    programs: &["dovecot", "imap-login", "pop3-login"],
    enable: "nothing; a changed login_log_format_elements must keep user, rip and lip in this order",
    source: "lines of 2.3.19 and 2.4.1, through syslog and from its own file; older forms from published samples",
    key: Key::None,
    connects: &[],
    logins: &[
        &[
            DOVECOT_VERB,
            Lit("user=<"),
            User,
            Lit(">"),
            Optional(&[Lit(", method="), Method]),
            Lit(", rip="),
            Client,
            Optional(&[Lit(", rport="), Number]),
            Lit(", lip="),
            Address,
            Many(DOVECOT_ELEMENTS),
        ],
        &[DOVECOT_VERB, Not("user=<"), User, Lit(" ["), Client, Lit("]")],
    ],
    // The line that ends a session has a session id in place of the address.
    logouts: &[],
    splits: None,
};

/// Through syslog the service is part of the message; in Dovecot's own file it is the program, with the level behind
/// it (2.x) or in front (1.x).
const DOVECOT_VERB: Piece = OneOf(&[
    &[Lit("imap-login: Login: ")],
    &[Lit("pop3-login: Login: ")],
    &[Lit("imap-login: Logged in: ")],
    &[Lit("pop3-login: Logged in: ")],
    &[Lit("Info: Login: ")],
    &[Lit("Info: Logged in: ")],
    &[Lit("Info: imap-login: Login: ")],
    &[Lit("Info: pop3-login: Login: ")],
    &[Lit("Login: ")],
]);

/// What `login_log_format_elements` may put behind the addresses; nothing of it is chosen by the client.
const DOVECOT_ELEMENTS: &[Pattern] = &[
    &[Lit(", mpid="), Number],
    &[Lit(", TLS")],
    &[Lit(", secured")],
    &[Lit(", session=<"), Token, Lit(">")],
    &[Lit(", rport="), Number],
    &[Lit(", lport="), Number],
    &[Lit(", "), Token, Lit(" with cipher "), Token, Lit(" ("), Number, Lit("/"), Number, Lit(" bits)")],
];

const QPOPPER: Matcher = Matcher {
    name: "qpopper",
    servers: "Qpopper 4.0 and 4.1",
    programs: &["in.popper", "in.qpopper", "popper", "qpopper"],
    enable: "set log-login, or built with --enable-log-login",
    source: "format strings of popper/pop_init.c and pop_updt.c; published lines of 4.0.3 and 4.0.9",
    key: Key::None,
    connects: &[],
    // `Stats:` is the end of a session that was logged in (popper/pop_updt.c).
    logins: &[
        &[
            Lit("(v"),
            Token,
            Lit(") POP login by user \""),
            QPOPPER_USER,
            Lit("\" at ("),
            Host,
            Lit(") "),
            Client,
            QPOPPER_TRACE,
        ],
        &[
            Lit("(v"),
            Token,
            Lit(") POP login by user \""),
            QPOPPER_USER,
            Lit("\"  at (("),
            Host,
            Lit(")) "),
            Client,
            QPOPPER_TRACE,
        ],
        &[
            Lit("Stats: "),
            QPOPPER_USER,
            Lit(" "),
            Number,
            Lit(" "),
            Number,
            Lit(" "),
            Number,
            Lit(" "),
            Number,
            Lit(" "),
            Host,
            Lit(" "),
            Client,
            QPOPPER_TRACE,
        ],
        &[
            Lit("Stats: "),
            QPOPPER_USER,
            Lit(" "),
            Number,
            Lit(" "),
            Number,
            Lit(" "),
            Number,
            Lit(" "),
            Number,
            Lit(" "),
            Client,
            QPOPPER_TRACE,
        ],
    ],
    logouts: &[],
    splits: None,
};

/// Failures begin with the user name, `U at H (A): -ERR ...`, and some end in the client's text.
const QPOPPER_USER: Piece = UserWithout("): -ERR ");

const QPOPPER_TRACE: Piece = Optional(&[Lit(" ["), Token, Lit(":"), Number, Lit("]")]);

const TEAPOP: Matcher = Matcher {
    name: "teapop",
    servers: "Teapop 0.3",
    programs: &["teapop"],
    enable: "nothing; it logs to facility local0 unless built otherwise",
    source: "lines of 0.3",
    key: Key::None,
    connects: &[],
    // The first address is the server's own.
    logins: &[&[
        Lit("Successful login for "),
        User,
        Lit(" ["),
        Address,
        Lit("] from "),
        Host,
        Lit(" ["),
        Client,
        Lit("]"),
    ]],
    // The line that ends a session begins with the user name.
    logouts: &[],
    splits: None,
};

/// The name is printed twice. The first may hold anything; the second, `` `U' ``, is read with its backquote.
const TPOP3D: Matcher = Matcher {
    name: "tpop3d",
    servers: "tpop3d 1.5",
    programs: &["tpop3d"],
    enable: "nothing",
    source: "lines of 1.5.5",
    key: Key::None,
    connects: &[],
    logins: &[&[
        Lit("fork_child: ["),
        Number,
        Lit("]"),
        User,
        Lit("("),
        Client,
        Lit("): began session for "),
        Word,
        Lit("' with "),
        Token,
        Lit("; child PID is "),
        Number,
    ]],
    logouts: &[&[
        Lit("connections_post_select: client ["),
        Number,
        Lit("]"),
        User,
        Lit("("),
        Client,
        Lit("): finished session for "),
        Word,
        Lit("' with "),
        Token,
    ]],
    splits: None,
};

const UW_IMAP: Matcher = Matcher {
    name: "uw-imap",
    servers: "University of Washington ipop3d and imapd",
    programs: &[
        "imap", "imapd", "imaps", "imapsd", "ipop2d", "ipop3d", "ipop3s", "ipop3sd", "pop2", "pop3", "pop3d", "pop3s",
    ],
    enable: "nothing; it must run from inetd or xinetd",
    source: "lines and format strings of 2007 (imapd.c, ipop3d.c, ipop2d.c)",
    key: Key::None,
    connects: &[],
    logins: &[&[
        OneOf(&[
            &[Lit("Login user=")],
            &[Lit("Auth user=")],
            &[Lit("Authenticated user=")],
            &[Lit("APOP user=")],
            &[Lit("Admin Login user=")],
            &[Lit("Admin Auth user=")],
        ]),
        User,
        Lit(" host="),
        Optional(&[Host, Lit(" ")]),
        Lit("["),
        Client,
        Lit("]"),
        Optional(&[OneOf(&[
            &[Lit(" nmsgs="), Number, Lit("/"), Number],
            &[Lit(" mech="), Method],
            &[Lit(" no mailbox")],
        ])]),
    ]],
    // `Logout user=` is also logged for a client that never logged in.
    logouts: &[],
    splits: None,
};

const VDPOP3D: Matcher = Matcher {
    name: "vdpop3d",
    servers: "vdpop3d (virtual domain POP3 daemon)",
    programs: &["vdpop3d", "virtual-pop3d"],
    enable: "an address in the login line",
    source: "an assumption: neither source nor sample could be had; taken to log like vm-pop3d, its nearest relative",
    key: Key::None,
    connects: &[],
    logins: VM_POP3D_LOGINS,
    logouts: &[],
    splits: None,
};

const VM_POP3D: Matcher = Matcher {
    name: "vm-pop3d",
    servers: "vm-pop3d 1.1 with the address in the login line",
    programs: &["vm-pop3d"],
    enable: "a build that logs `logged in from ADDRESS`",
    source: "lines of 1.1.6; its documentation and a published sample for the address",
    key: Key::None,
    connects: &[],
    logins: VM_POP3D_LOGINS,
    logouts: &[],
    splits: None,
};

const VM_POP3D_LOGINS: &[Pattern] = &[
    &[Lit("User '"), User, Lit("' of '"), Host, Lit("' logged in from "), Client, VM_POP3D_MESSAGES],
    &[Lit("User '"), User, Lit("' logged in from "), Client, VM_POP3D_MESSAGES],
];

const VM_POP3D_MESSAGES: Piece = Optional(&[Lit(", nmsgs="), Number]);
