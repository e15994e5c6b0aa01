//! Teapop, tpop3d, vm-pop3d, vdpop3d. Data only.

use super::super::pattern::{
    Pattern,
    Piece::{self, *},
};
use super::super::{Key, Matcher};

pub(super) const TEAPOP: Matcher = Matcher {
    name: "teapop",
    servers: "Teapop 0.3",
    programs: &["teapop"],
    enable: "nothing; it logs to facility local0 unless built otherwise",
    source: "lines of 0.3",
    key: Key::Pid,
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
    logouts: &[&[
        User,
        Lit(" ["),
        Address,
        Lit("] R"),
        Number,
        Lit("("),
        Number,
        Lit(") D"),
        Number,
        Lit("("),
        Number,
        Lit(") L"),
        Number,
        Lit("("),
        Number,
        Lit(")"),
    ]],
    splits: None,
    foreign: None,
    newlines: &[],
    cut_failure: None,
};

/// The name is printed twice. The first may hold anything; the second, `` `U' ``, is read with its backquote.
pub(super) const TPOP3D: Matcher = Matcher {
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
    foreign: None,
    newlines: &[],
    cut_failure: None,
};

pub(super) const VDPOP3D: Matcher = Matcher {
    name: "vdpop3d",
    servers: "vdpop3d (virtual domain POP3 daemon)",
    programs: &["vdpop3d", "virtual-pop3d"],
    enable: "an address in the login line",
    source: "an assumption: neither source nor sample could be had; taken to log like vm-pop3d, its nearest relative",
    key: Key::Pid,
    connects: &[],
    logins: VM_POP3D_LOGINS,
    logouts: VM_POP3D_ENDS,
    splits: None,
    foreign: None,
    newlines: &[],
    cut_failure: None,
};

pub(super) const VM_POP3D: Matcher = Matcher {
    name: "vm-pop3d",
    servers: "vm-pop3d 1.1, with or without the address in the login line",
    programs: &["vm-pop3d"],
    enable: "nothing",
    source: "lines of 1.1.6; its documentation and a published sample for the address",
    key: Key::Pid,
    connects: &[&[Lit("Connect from "), Client]],
    logins: &[
        &[Lit("User '"), User, Lit("' of '"), Host, Lit("' logged in from "), Client, VM_POP3D_MESSAGES],
        &[Lit("User '"), User, Lit("' logged in from "), Client, VM_POP3D_MESSAGES],
        &[Lit("User '"), User, Lit("' of '"), Host, Lit("' logged in")],
        &[Lit("User '"), User, Lit("' logged in")],
    ],
    logouts: VM_POP3D_ENDS,
    splits: None,
    foreign: None,
    newlines: &[],
    cut_failure: None,
};

const VM_POP3D_LOGINS: &[Pattern] = &[
    &[Lit("User '"), User, Lit("' of '"), Host, Lit("' logged in from "), Client, VM_POP3D_MESSAGES],
    &[Lit("User '"), User, Lit("' logged in from "), Client, VM_POP3D_MESSAGES],
];

const VM_POP3D_MESSAGES: Piece = Optional(&[Lit(", nmsgs="), Number]);

const VM_POP3D_ENDS: &[Pattern] = &[&[Lit("Session ended for user: "), User], &[Lit("Session ended for no user")]];
