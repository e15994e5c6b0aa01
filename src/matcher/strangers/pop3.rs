//! Servers that speak POP3 alone, and those of which there is no source. Data only.

use super::Stranger;

/// What holds wherever a name is one line of POP3.
const LINE: &str = "one line: no newline, no NUL; a CR in front of the last one may stay, and 8-bit bytes do";

const SYSLOG: &str = "syslog(3), whose datagram is one message";

const WHOLE: &str = "a login must fit from its first to its last byte, and begins with other words";

pub(super) const ROWS: &[Stranger] = &[
    Stranger {
        matchers: "cucipop",
        who: "anybody",
        message: "Invalid command WORD WORD WORD",
        bytes: "words of one line, cut at the first CR or newline; the second and third are cut as arguments",
        logger: SYSLOG,
        stopped_by: "no message begins with a name but that of a session which was logged in; there only a plain name is read, \
                     directly in front of the address",
        source: "cucipop 1.31, cucipop.c: readcommand, loginvalcmd; of the messages at login a published pattern and their format \
                 strings only",
    },
    Stranger {
        matchers: "gnu-pop3d",
        who: "anybody",
        message: "APOP user NAME tried to log in with USER",
        bytes: "one line, cut at the first CR or newline (pop3_args, pop3_cmd)",
        logger: SYSLOG,
        stopped_by: WHOLE,
        source: "GNU pop3d of 1999, the code that mailutils began with: pop3d/user.c, apop.c, extra.c, quit.c",
    },
    Stranger {
        matchers: "popa3d",
        who: "anybody",
        message: "Authentication failed for NAME@HOST",
        bytes: "names of the user database only, otherwise `UNKNOWN USER`; one line",
        logger: SYSLOG,
        stopped_by: WHOLE,
        source: "popa3d 1.0.3, pop_auth.c: log_pop_auth; pop_root.c; standalone.c",
    },
    Stranger {
        matchers: "qpopper",
        who: "anybody",
        message: "NAME at HOST (ADDRESS): -ERR TEXT",
        bytes: LINE,
        logger: "syslog(3), or its own file with `-t`; a line each",
        stopped_by: "a name in which `): -ERR` stands is refused; logins begin with `(v` or `Stats: `, and must fit to the last byte",
        source: "Qpopper 4.0 and 4.1, popper/pop_msg.c, pop_log.c: the format strings only, no source could be fetched here",
    },
    Stranger {
        matchers: "qpopper",
        who: "anybody",
        message: "NAME at localhost: -ERR TEXT",
        bytes: LINE,
        logger: "syslog(3), of builds with `_DEBUG`",
        stopped_by: "it ends in other words than a login; such a build is for those who work on it",
        source: "Qpopper 4.1, popper/pop_msg.c: lines of such a build; no source could be fetched here",
    },
    Stranger {
        matchers: "solid-pop3d",
        who: "anybody",
        message: "auth: null password entry in password file, user: NAME",
        bytes: "one word of a line, at most 40 bytes (MAXARGLN); messages are cut at 1,536",
        logger: SYSLOG,
        stopped_by: WHOLE,
        source: "Solid POP3 0.15 (fork of 2022), src/log.c: pop_log; src/const.h; src/authenticate.c",
    },
    Stranger {
        matchers: "teapop",
        who: "account",
        message: "NAME [ADDRESS] R1(2) D0(0) L1(2)",
        bytes: "one word of a line; it begins the message, also `NAME[ADDRESS] is sending abnormal big numbers`",
        logger: SYSLOG,
        stopped_by: "it ends in numbers or words of the server, a login ends in `]`",
        source: "Teapop 0.3 (fork of 2020), teapop/pop_dele.c, pop_cmd_top.c, pop_cmd_retr.c",
    },
    Stranger {
        matchers: "tpop3d",
        who: "anybody",
        message: "connection_do: client `[5]ADDRESS/DOMAIN': username `NAME': 3 authentication failures",
        bytes: LINE,
        logger: "syslog(3) through log_print, which cuts at 1,023 bytes",
        stopped_by: "a login begins with `fork_child: `, which no message with a name that failed does; the address is read from the \
                     right end",
        source: "tpop3d 1.5.5 (commit of 2014), pop3.c, netloop.c, connection.c, authswitch.c, logging.c",
    },
    Stranger {
        matchers: "vm-pop3d",
        who: "anybody",
        message: "Non-existent user: NAME (DOMAIN)",
        bytes: LINE,
        logger: SYSLOG,
        stopped_by: WHOLE,
        source: "vm-pop3d 1.1.6 (fork of 2017), user.c, apop.c, extra.c, quit.c",
    },
    Stranger {
        matchers: "vdpop3d",
        who: "not known",
        message: "",
        bytes: "taken to be as vm-pop3d",
        logger: "not known",
        stopped_by: "nothing is known; it is read only where it is named or found",
        source: "no source could be had",
    },
    Stranger {
        matchers: "apple-mail",
        who: "not known",
        message: "",
        bytes: "a name may hold anything but `\" log on `",
        logger: "a file of its own",
        stopped_by: "nothing is known of its failures; a login must fit from its first to its last byte",
        source: "no source could be had",
    },
];
