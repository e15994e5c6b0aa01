//! Courier's POP3 and IMAP servers. Data only.

use super::super::pattern::Piece::{self, *};
use super::super::{Key, Limit, Matcher};

pub(super) const COURIER: Matcher = Matcher {
    name: "courier",
    servers: "Courier POP3 and IMAP",
    programs: &[
        "courier-imapd",
        "courier-imapd-ssl",
        "courier-imaplogin",
        "courier-imaps",
        "courier-pop3d",
        "courier-pop3d-ssl",
        "courier-pop3login",
        "courier-pop3s",
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
    key: Key::Peer,
    connects: &[],
    logins: &[
        &[Lit("LOGIN, user="), User, Lit(", ip=["), Client, Lit("]"), COURIER_PORT, COURIER_PROTOCOL, COURIER_TLS],
        // In Plesk up to 11 the words of another program stand in front, whose line has no end. All that fails ends in words of
        // Courier's own.
        &[
            Lit("IMAP connect from @ ["),
            Address,
            Lit("]INFO: LOGIN, user="),
            UserWithout(&["LOGIN FAILED"]),
            Lit(", ip=["),
            Client,
            Lit("]"),
            COURIER_PORT,
            COURIER_PROTOCOL,
            COURIER_TLS,
        ],
    ],
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
    foreign: None,
    newlines: &[],
    cut_failure: None,
};

/// Missing before 4.0; with the address it tells one session from another.
const COURIER_PORT: Piece = Optional(&[Lit(", port=["), Session, Lit("]")]);

const COURIER_PROTOCOL: Piece =
    Optional(&[Lit(", protocol="), OneOf(&[&[Lit("IMAP")], &[Lit("POP3")], &[Lit("SMAP1")]])]);

const COURIER_TLS: Piece = Optional(&[OneOf(&[&[Lit(", stls=1")], &[Lit(", starttls=1")]])]);
