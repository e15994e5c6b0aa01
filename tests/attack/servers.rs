//! The servers that are attacked: those of Debian 12, each started by its script in `servers/`.

use super::talk::Protocol::{self, Imap, Pop3};

/// A server as Debian ships it.
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) packages: &'static str,
    /// Starts it on the ports of its protocols. `OWN_LOG` is the file that it writes itself; unset: it writes to syslog.
    pub(super) script: &'static str,
    pub(super) protocols: &'static [Protocol],
    /// It writes a log file of its own, instead of what it sends to syslog.
    pub(super) own_log: bool,
}

const fn server(name: &'static str, packages: &'static str, script: &'static str) -> Server {
    Server { name, packages, script, protocols: &[Imap, Pop3], own_log: false }
}

const DOVECOT: Server = server("dovecot", "dovecot-imapd dovecot-pop3d", include_str!("servers/dovecot.sh"));
const NGINX: Server = server("nginx", "nginx-light libnginx-mod-mail", include_str!("servers/nginx.sh"));
const PERDITION: Server = server("perdition", "perdition", include_str!("servers/perdition.sh"));
const COURIER: &str = "courier-imap courier-pop courier-authlib-userdb";

/// All of them.
pub(super) static SERVERS: [Server; 12] = [
    server("courier", COURIER, include_str!("servers/courier.sh")),
    PERDITION,
    server("cyrus", "cyrus-imapd cyrus-pop3d sasl2-bin", include_str!("servers/cyrus.sh")),
    DOVECOT,
    server("mailutils", "mailutils-imap4d mailutils-pop3d", include_str!("servers/mailutils.sh")),
    NGINX,
    Server { protocols: &[Imap], ..server("imapproxy", "imapproxy", include_str!("servers/imapproxy.sh")) },
    Server { protocols: &[Pop3], ..server("solid-pop3d", "solid-pop3d", include_str!("servers/solid-pop3d.sh")) },
    Server { protocols: &[Pop3], ..server("popa3d", "popa3d", include_str!("servers/popa3d.sh")) },
    Server { name: "dovecot-own-file", own_log: true, ..DOVECOT },
    Server { name: "nginx-own-file", own_log: true, ..NGINX },
    Server { name: "perdition-own-file", own_log: true, ..PERDITION },
];
