//! University of Washington ipop3d and imapd. Data only.

use super::super::pattern::{
    Pattern,
    Piece::{self, *},
};
use super::super::{Bounded, ForeignWords, Key, Matcher, RawNewlines};

pub(super) const UW_IMAP: Matcher = Matcher {
    name: "uw-imap",
    servers: "University of Washington ipop3d and imapd",
    programs: UW_PROGRAMS,
    enable: "nothing; it must run from inetd or xinetd; of ipop3d only what stands in a log that is read from its first line",
    source: "lines and format strings of 2007 (imapd.c, ipop3d.c, ipop2d.c)",
    key: Key::Pid,
    connects: &[],
    logins: UW_LOGINS,
    logouts: UW_LOGOUTS,
    splits: None,
    foreign: Some(UW_PROXY),
    newlines: UW_NEWLINES,
    cut_failure: None,
};

const UW_PROGRAMS: &[&str] =
    &["imap", "imapd", "imaps", "imapsd", "ipop2d", "ipop3d", "ipop3s", "ipop3sd", "pop2", "pop3", "pop3d", "pop3s"];

/// For servers built with DISABLE_POP_PROXY, or whose user `nobody` cannot connect to other hosts.
pub(super) const UW_IMAP_NO_PROXY: Matcher = Matcher {
    name: "uw-imap-no-proxy",
    servers: "University of Washington ipop3d and imapd that connect to no other server",
    enable: "ipop3d built with DISABLE_POP_PROXY, or a packet filter that lets user nobody connect to no host",
    foreign: Some(ForeignWords { believed_if_missed: true, ..UW_PROXY }),
    ..UW_IMAP
};

/// ipop3d and ipop2d are proxies for whoever asks, without an account (ipopd/ipop3d.c, `pass_login`, unless built with
/// DISABLE_POP_PROXY): `USER host:name` and any password make them connect to that host, and what it says in an error goes to
/// syslog as a message of its own (`mm_log`). imapd logs nothing of another server.
const UW_PROXY: ForeignWords = ForeignWords {
    programs: &["ipop2d", "ipop3d", "ipop3s", "ipop3sd", "pop2", "pop3", "pop3d", "pop3s"],
    behind: &[&[Lit("IMAP login to host=")]],
    // Courier.
    never: &[&[Lit("LOGIN FAILED, user=")]],
    lasts: None,
    believed_if_missed: false,
};

/// A failure tells two names of 64 bytes and the host (osdep/unix/env_unix.c, `server_login`), usually the same name twice.
/// imapd takes a name as a literal, and keeps one that failed for the end of the session, with 80 bytes; ipop3d forgets it.
const UW_NEWLINES: &[RawNewlines] = &[
    RawNewlines {
        programs: UW_PROGRAMS,
        messages: &[
            &[Lit("Login failed user=")],
            &[Lit("Login disabled user=")],
            &[Lit("Login excessive login failures user=")],
            &[Lit("Login SYSTEM BREAK-IN ATTEMPT user=")],
        ],
        longest: 256,
        bounded: &[
            // Two names and ` auth=`, which may stand in a name as well.
            Bounded { message: &[Lit("Login failed user="), User], most: 134 },
        ],
        holds_nul: false,
        ends: None,
    },
    RawNewlines {
        programs: &["imap", "imapd", "imaps", "imapsd"],
        messages: &[
            &[Lit("Login anonymous=")],
            &[Lit("Authenticated anonymous=")],
            &[UW_OVERLONG],
            &[UW_FATAL],
            &[UW_END],
            UW_ERROR,
            &[Lit("Hangup user=")],
            &[Lit("Killed")],
        ],
        longest: 256,
        bounded: &[
            Bounded { message: &[UW_OVERLONG, User], most: 80 },
            Bounded { message: &[Lit("Login anonymous="), User], most: 80 },
            Bounded { message: &[Lit("Authenticated anonymous="), User], most: 80 },
            Bounded { message: &[UW_END, User], most: 80 },
            Bounded { message: &[OneOf(&[UW_ERROR]), UW_READING, Lit(" user="), User], most: 80 },
            Bounded { message: &[Lit("Hangup user="), User], most: 80 },
        ],
        holds_nul: false,
        ends: None,
    },
    // What a module of PAM says of a name in the server's own name, such as `pam_sss(imap:auth): received for user NAME: 10`;
    // pam_unix names only users that there are. A literal has at most 10,000 bytes (imapd.c, `parse_astring`).
    RawNewlines {
        programs: &["imap", "imapd", "imaps", "imapsd"],
        messages: &[&[Lit("pam_"), Not("unix(")]],
        longest: 10_000 + 300,
        bounded: &[],
        holds_nul: false,
        ends: None,
    },
];

const UW_LOGINS: &[Pattern] = &[&[
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
    Optional(&[OneOf(&[&[Lit(" nmsgs="), Number, Lit("/"), Number], &[Lit(" mech="), Method], &[Lit(" no mailbox")]])]),
]];

/// All of these are also logged for a client that never logged in.
const UW_LOGOUTS: &[Pattern] = &[&[UW_END, User, Lit(" host="), OneOf(&[UW_ADDRESS, &[Lit("UNKNOWN")]])]];

const UW_ADDRESS: Pattern = &[Optional(&[Host, Lit(" ")]), Lit("["), Address, Lit("]")];

const UW_END: Piece = OneOf(&[
    &[Lit("Logout user=")],
    &[Lit("Autologout user=")],
    &[Lit("Killed user=")],
    &[Lit("Killed (lost mailbox lock) user=")],
    &[Lit("Command stream end of file, while reading "), UW_READING, Lit(" user=")],
    &[Lit("Unexpected client disconnect, while reading "), UW_READING, Lit(" user=")],
]);

/// imapd writes it while it reads a LOGIN whose password is too long a literal (imapd.c, `parse_astring`).
const UW_OVERLONG: Piece = OneOf(&[&[Lit("Overlong ("), Number, Lit(") client literal user=")]]);

const UW_FATAL: Piece = OneOf(&[&[Lit("Fatal error user=")], &[Lit("Fatal mailbox error user=")]]);

/// In front stands what strerror(3) says.
const UW_ERROR: Pattern = &[
    Token,
    Many(&[&[Lit(" "), Token]]),
    Lit(", while "),
    OneOf(&[&[Lit("reading ")], &[Lit("discarding unread ")], &[Lit("flushing ")]]),
];

const UW_READING: Piece = OneOf(&[&[Lit("line")], &[Lit("literal")], &[Lit("char")], &[Lit("authentication")]]);
