//! The servers whose logs are understood. Data only.
//!
//! A pattern is the server's own format string. To add a server: a row in one of these files, sample lines with verdicts
//! in `tests/logs`, its failure formats in `tests/pure/matcher_properties.rs`, and what a stranger can make it log in
//! `super::strangers`.

mod courier;
mod cyrus;
pub(super) mod dovecot;
mod groupware;
mod joined;
mod nginx;
mod others;
mod proxies;
mod qpopper;
mod small;
mod uw;

use super::Matcher;

/// What the C program calls its matching functions, and the matcher that reads the lines of the same server. No matcher of
/// one's own can have such a name: those have no capitals.
pub(super) const NAMES_OF_C_PROGRAM: &[(&str, &str)] = &[
    ("COURIER", "courier"),
    ("CYRUS", "cyrus"),
    ("IPOP3D", "uw-imap"),
    ("QPOPPER", "qpopper"),
    ("TEAPOP", "teapop"),
    ("TPOP3D", "tpop3d"),
    ("VDPOP3D", "vdpop3d"),
    ("VMPOP3D", "vm-pop3d"),
];

/// All built-in matchers. No constant: of that each place that names it could have rows of its own, which are not the same.
pub static BUILTIN: &[Matcher] = &[
    others::APPLE_MAIL,
    courier::COURIER,
    others::CUCIPOP,
    cyrus::CYRUS,
    cyrus::CYRUS_1,
    groupware::DBMAIL,
    dovecot::DOVECOT,
    dovecot::DOVECOT_PROXY,
    joined::GNU_POP3D,
    groupware::GROMOX,
    proxies::IMAPPROXY,
    groupware::KOPANO,
    joined::MAILUTILS,
    nginx::NGINX,
    proxies::PERDITION,
    joined::POPA3D,
    qpopper::QPOPPER,
    joined::SOLID_POP3D,
    groupware::STALWART,
    small::TEAPOP,
    small::TPOP3D,
    uw::UW_IMAP,
    uw::UW_IMAP_NO_PROXY,
    small::VDPOP3D,
    small::VM_POP3D,
    others::VPOPMAIL,
];
