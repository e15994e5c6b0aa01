//! Servers that tell the address and the login in different messages: popa3d, solid-pop3d, GNU mailutils. Data only.

use std::time::Duration;

use super::super::pattern::Piece::{self, *};
use super::super::{CutFailure, ForeignWords, Key, Matcher, RawNewlines};

/// One connection is one process, and it ends with the first failure.
pub(super) const POPA3D: Matcher = Matcher {
    name: "popa3d",
    servers: "popa3d 0.5 to 1.0, standalone or patched",
    programs: &["popa3d"],
    enable: "standalone mode (-D): from inetd it logs no address, unless patched to log it with the login",
    source: "lines of 1.0.3; the patch that came with the Perl program",
    key: Key::Pid,
    connects: &[&[Lit("Session from "), Client]],
    logins: &[
        &[Lit("Authentication passed for "), User, Lit(" -- ["), Client, Lit("]")],
        &[Lit("Authentication passed for "), Word],
    ],
    logouts: &[
        &[Number, Lit(" ("), Number, Lit(") deleted, "), Number, Lit(" ("), Number, Lit(") left")],
        &[Lit("Premature disconnect")],
        &[Lit("Didn't attempt authentication")],
        &[Lit("Authentication failed for "), User],
    ],
    splits: None,
    foreign: None,
    newlines: &[],
    cut_failure: None,
};

/// The tail ` - ADDRESS` or ` - HOST (ADDRESS)` is there when built with logextend.
pub(super) const SOLID_POP3D: Matcher = Matcher {
    name: "solid-pop3d",
    servers: "Solid POP3 0.15",
    programs: &["solid-pop3d", "spop3d"],
    enable: "nothing; built with --enable-logextend it is recognised from one line",
    source: "lines of 0.15 (Debian); published patterns for builds without logextend",
    key: Key::Pid,
    connects: &[&[Lit("connect from "), Client], &[Lit("connect from "), Host, Lit(" ("), Client, Lit(")")]],
    logins: &[
        &[SOLID_USER, User, Lit(" authenticated"), SOLID_APOP, Lit(" - "), Client],
        &[SOLID_USER, User, Lit(" authenticated"), SOLID_APOP, Lit(" - "), Host, Lit(" ("), Client, Lit(")")],
        &[SOLID_USER, User, Lit(" authenticated"), SOLID_APOP],
    ],
    logouts: &[
        &[SOLID_END, SOLID_USER, User, Lit(" - "), Client],
        &[SOLID_END, SOLID_USER, User, Lit(" - "), Host, Lit(" ("), Client, Lit(")")],
        &[SOLID_END, SOLID_USER, User],
    ],
    splits: None,
    foreign: None,
    newlines: &[],
    cut_failure: None,
};

/// One whose name the server maps to another is told so (src/main.c).
const SOLID_USER: Piece = OneOf(&[&[Lit("user ")], &[Lit("mapped user ")]]);

const SOLID_APOP: Piece = Optional(&[Lit(" through APOP")]);

const SOLID_END: Piece = OneOf(&[&[Lit("session ended for ")], &[Lit("autologout time elapsed for ")]]);

/// The master process tells the address, a child the login; the session id in front of both joins them.
pub(super) const MAILUTILS: Matcher = Matcher {
    name: "mailutils",
    servers: "GNU mailutils 3.x pop3d and imap4d",
    programs: &["gnu-imap4d", "gnu-pop3d", "imap4d", "pop3d"],
    enable: "`acl { log any; }` and `logging { session-id yes; }`; otherwise it logs no address",
    source: "lines of 3.15",
    key: Key::Session,
    connects: &[&[Session, Lit(" "), Client]],
    logins: &[
        &[Session, Lit(" POP3 login: user `"), User, Lit("', source "), Token],
        &[Session, Lit(" user `"), User, Lit("' logged in (source: "), Token, Lit(")")],
    ],
    logouts: &[
        &[Session, Lit(" session ended for user: "), User],
        &[Session, Lit(" session terminating for user: "), User],
        &[Session, Lit(" session ended for no user")],
        &[Session, Lit(" session terminating")],
        // Not a session that had proved who it is: its connection is used up, and the login that follows is nobody's.
        &[Session, Lit(" anonymous user "), User, Lit(" logged in")],
    ],
    splits: None,
    foreign: Some(ForeignWords {
        programs: &["gnu-imap4d", "imap4d"],
        // Who has an account can do the same with the name of a mailbox, or in a message to himself.
        behind: &[
            &[Session, Lit(" user `")],
            &[Session, Lit(" anonymous user ")],
            &[Session, Lit(" Cannot ")],
            &[Session, Lit(" cannot ")],
            &[Session, Lit(" can't ")],
            &[Session, Lit(" component ")],
            &[Session, Lit(" error renaming ")],
            &[Session, Lit(" failed to ")],
            &[Session, Lit(" malformed ")],
        ],
        never: &[],
        // The rest of a name is written at once.
        lasts: Some(Duration::from_secs(60)),
        believed_if_missed: true,
    }),
    // With session ids each line of a message begins with one, and so has no header.
    newlines: &[RawNewlines {
        programs: &["gnu-imap4d", "imap4d"],
        messages: &[
            &[Lit("user `")],
            &[Lit("login failed: ")],
            &[Lit("anonymous user ")],
            // PAM knows no session id.
            &[Lit("pam_"), Not("unix(")],
        ],
        longest: 64 * 1024,
        bounded: &[],
        holds_nul: false,
        ends: None,
    }],
    cut_failure: Some(CutFailure::WithoutHeader),
};

/// The name and the mailbox stand in front of the address; with plain names nothing in them can be taken for it.
pub(super) const GNU_POP3D: Matcher = Matcher {
    name: "gnu-pop3d",
    servers: "gnu-pop3d 0.9, patched",
    programs: &["gnu-pop3d"],
    enable: "a build that logs `... from ADDRESS`",
    source: "a published pattern of the Perl program; format strings of 0.9.8 for the rest",
    key: Key::None,
    connects: &[],
    logins: &[&[Lit("User "), Name, Lit(" logged in with mailbox "), Word, Lit(" from "), Client]],
    logouts: &[],
    splits: None,
    foreign: None,
    newlines: &[],
    cut_failure: None,
};
