//! Proxies in front of mail servers. Data only.

use super::Stranger;

pub(super) const ROWS: &[Stranger] = &[
    Stranger {
        matchers: "dovecot-proxy",
        who: "who runs the server that the user database names",
        message: "imap-login: proxy(NAME): Login failed: REASON",
        bytes: "what that server says, one line of it",
        logger: "Dovecot's log process",
        stopped_by: "the name is read only if it is plain, and the whole line from left to right; the matcher is used only where it is \
                     named",
        source: "Dovecot 2.3.19 and 2.4.1, src/login-common/client-common-auth.c, login-proxy.c",
    },
    Stranger {
        matchers: "dovecot-proxy",
        who: "anybody",
        message: "imap-login: ... user=<NAME>",
        bytes: "2.4 with an empty `auth_username_chars`: a newline in a name, behind which a message of its own begins",
        logger: "Dovecot's log process",
        stopped_by: "nothing in the log; `check` calls the empty setting an error",
        source: "Dovecot 2.4.1, tried",
    },
    Stranger {
        matchers: "dovecot-proxy",
        who: "anybody, up to 2.3 with `imap_id_log` set",
        message: "imap-login: ID sent: KEY=VALUE, KEY=VALUE: user=<NAME>, rip=ADDRESS",
        bytes: "as with `dovecot`: the rest of it may be byte for byte a line of the proxy, for his own address",
        logger: "Dovecot's log process",
        stopped_by: "nothing in the log; `imap_id_log` is empty as shipped, and `check` calls anything else an error beside this \
                     matcher",
        source: "Dovecot 2.2.36 and 2.3.19, src/imap-login/imap-login-cmd-id.c: cmd_id_finish; src/lib/failures.c: internal_send_split",
    },
    Stranger {
        matchers: "imapproxy",
        who: "anybody",
        message: "LOGIN: 'NAME' (ADDRESS:PORT) failed: WORDS OF THE SERVER",
        bytes: "255 bytes with newlines in a literal, 189 in the base64 of AUTHENTICATE LOGIN; NUL ends them. Up to the newline it may \
                look like a login",
        logger: "syslog(3)",
        stopped_by: "`newlines` and `cut_failure` (` failed: ` stands behind it)",
        source: "imapproxy 1.2.8 (2014), src/request.c: HandleRequest, cmd_login, cmd_authenticate_login; src/imapcommon.c: \
                 Get_Server_conn",
    },
    Stranger {
        matchers: "nginx",
        who: "anybody, where it is Zimbra's",
        message: "*7 check user throttle:NAME, client: ADDRESS:PORT, server: SERVER, login: \"NAME\"",
        bytes: "any byte in literals of IMAP and in base64; the whole message has at most 2,048",
        logger: "its own file",
        stopped_by: "`newlines`: of each login as well, so that one right behind it counts for nothing",
        source: "Zimbra's nginx 1.24, zmmodules/mail/throttle/ngx_mail_throttle_module.c",
    },
    Stranger {
        matchers: "nginx",
        who: "anybody",
        message: "*7 client login failed: \"WORDS OF THE AUTHENTICATION SERVER\" while in http auth state, client: ADDRESS, server: \
                  SERVER, login: \"NAME\"",
        bytes: "any byte in literals of IMAP and in base64, 95 bytes in POP3; the whole message has at most 2,048. Its own file \
                gets NUL as well; a datagram ends in front of the first (tried)",
        logger: "its own file, or a datagram with a header of its own; neither escapes anything",
        stopped_by: "`newlines`; each message begins with the number of the connection",
        source: "nginx 1.31.4, src/mail/ngx_mail_handler.c: ngx_mail_log_error; src/core/ngx_log.c: ngx_log_error_core; \
                 ngx_syslog.c: ngx_syslog_writer",
    },
    Stranger {
        matchers: "nginx",
        who: "anybody",
        message: "*7 \"/srv/www/PATH\" is not found (2: No such file or directory), client: ADDRESS",
        bytes: "web sites of the same nginx: any byte but NUL, as `%0A` in the path; 2,048",
        logger: "as above",
        stopped_by: "`newlines`: whatever has a quote in it counts as a message that may go on",
        source: "nginx 1.31.4, src/http/modules/ngx_http_index_module.c: ngx_http_index_error; ngx_http_mp4_module.c",
    },
    Stranger {
        matchers: "nginx",
        who: "anybody",
        message: "*7 client was rejected: \"COMMAND\" while in http auth state",
        bytes: "commands of SMTP; CR and newline are made `_`",
        logger: "as above",
        stopped_by: "nothing has to",
        source: "nginx 1.31.4, src/mail/ngx_mail_smtp_handler.c: ngx_mail_smtp_log_rejected_command",
    },
    Stranger {
        matchers: "nginx",
        who: "who can answer in a name server's place",
        message: "unexpected DNS response for NAME",
        bytes: "255 bytes with newlines, of an answer to no question; with `resolver` alone",
        logger: "as above",
        stopped_by: "nothing; keep the resolver on this host",
        source: "nginx 1.31.4, src/core/ngx_resolver.c: ngx_resolver_process_a, ngx_resolver_process_ptr",
    },
    Stranger {
        matchers: "nginx",
        who: "anybody",
        message: "*7 NAME could not be resolved (3: Host not found), client: ADDRESS",
        bytes: "a name of TLS with newlines, where `stream` hands on by `$ssl_preread_server_name`; newer versions check it",
        logger: "as above",
        stopped_by: "nothing; let that nginx log elsewhere",
        source: "nginx 1.31.4, src/stream/ngx_stream_proxy_module.c: ngx_stream_proxy_resolve_handler",
    },
    Stranger {
        matchers: "perdition",
        who: "anybody",
        message: "Auth: CLIENT->SERVER ... authentication_id=\"NAME\" server=\"HOST:PORT\" ... status=\"failed: REASON\"",
        bytes: "newlines in literals of IMAP; 4,096 bytes in all. Up to the newline it may look like a login",
        logger: "syslog(3), or a file, through vanessa_logger",
        stopped_by: "`newlines` and `cut_failure` (` status=\"failed` stands behind it)",
        source: "Perdition 2.2, perdition/perdition.c: perdition_log_auth, login_failed_protocol",
    },
    Stranger {
        matchers: "perdition",
        who: "anybody, where the map is of Berkeley DB, or with `debug`",
        message: "No match for NAME",
        bytes: "as above; 4,096 bytes",
        logger: "as above",
        stopped_by: "`newlines`: nothing stands behind the name",
        source: "Perdition 2.2, perdition/db/bdb/perditiondb_bdb.c: dbserver_get; getserver.c",
    },
    Stranger {
        matchers: "perdition",
        who: "anybody",
        message: "Closing NULL session: CLIENT->SERVER authorisation_id=NONE authentication_id=\"NAME\"",
        bytes: "a name of POP3, one line; in IMAP a name that failed is forgotten, and `(null)` stands there",
        logger: "as above",
        stopped_by: "nothing has to",
        source: "Perdition 2.2, perdition/perdition.c: perdition_log_close_early",
    },
    Stranger {
        matchers: "perdition",
        who: "account, with `client_server_specification` anybody",
        message: "Auth: ... server=\"HOST:PORT\" ... status=\"ok\"",
        bytes: "the user names the server that says that he is logged in",
        logger: "as above",
        stopped_by: "nothing in the line; `check` calls the setting an error, and it is off by default",
        source: "Perdition 2.2, perdition/perdition.c, getserver.c; tried",
    },
];
