//! Qpopper. Data only.

use super::super::pattern::Piece::{self, *};
use super::super::{Key, Matcher};

pub(super) const QPOPPER: Matcher = Matcher {
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
            Lit("\" at (("),
            Host,
            Lit(")) "),
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
    foreign: None,
    newlines: &[],
    cut_failure: None,
};

/// Failures begin with the user name, `U at H (A): -ERR ...`, and some end in the client's text.
const QPOPPER_USER: Piece = UserWithout(&["): -ERR"]);

const QPOPPER_TRACE: Piece = Optional(&[Lit(" ["), Token, Lit(":"), Number, Lit("]")]);
