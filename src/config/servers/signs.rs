//! What shows that a host has a server, for each built-in matcher. Data only.
//!
//! A process or a program of a name that several servers use shows none of them: of `imapd` and `pop3d` only paths count, and
//! of nginx only its mail module, because most nginx are no mail proxy.

/// What shows that a host has the server of a matcher.
#[derive(Debug)]
pub struct Signs {
    /// Name of the matcher.
    pub matcher: &'static str,
    /// Names of processes, as /proc/PID/comm has them; it has their first 15 bytes.
    pub processes: &'static [&'static str],
    /// Programs: a path, or a name in one of the usual directories.
    pub programs: &'static [&'static str],
    /// Units of systemd.
    pub units: &'static [&'static str],
    /// Why the matcher is never used unless it is named, if it is not.
    pub only_named: Option<&'static str>,
}

/// Where programs are that have no path of their own.
pub(super) const DIRECTORIES: [&str; 6] =
    ["/usr/sbin", "/usr/bin", "/usr/libexec", "/usr/local/sbin", "/usr/local/bin", "/usr/local/libexec"];

/// Nothing shows it but a log.
const NONE: Signs = Signs { matcher: "", processes: &[], programs: &[], units: &[], only_named: None };

/// A row for each built-in matcher. Paths and units are those of the packages of Debian 12, Fedora and FreeBSD and of the
/// servers' own makefiles.
pub const SIGNS: &[Signs] = &[
    Signs { matcher: "apple-mail", ..NONE },
    Signs {
        matcher: "courier",
        processes: &["couriertcpd", "courierpop3logi"],
        programs: &[
            "couriertcpd",
            "/usr/lib/courier/imapd",
            "/usr/lib/courier/pop3d",
            "/usr/lib/courier-imap/bin/imapd",
            "/usr/lib/courier-imap/bin/pop3d",
        ],
        units: &["courier-imap.service", "courier-imap-ssl.service", "courier-pop.service", "courier-pop-ssl.service"],
        ..NONE
    },
    Signs { matcher: "cucipop", processes: &["cucipop"], programs: &["cucipop"], ..NONE },
    Signs {
        matcher: "cyrus",
        processes: &["cyrmaster", "cyrus-master"],
        programs: &[
            "cyrmaster",
            "/usr/lib/cyrus/bin/imapd",
            "/usr/lib/cyrus/bin/pop3d",
            "/usr/lib/cyrus-imapd/imapd",
            "/usr/libexec/cyrus-imapd/imapd",
            "/usr/cyrus/bin/imapd",
            "/usr/local/cyrus/bin/imapd",
        ],
        units: &["cyrus-imapd.service", "cyrus-imap.service"],
        ..NONE
    },
    Signs {
        matcher: "cyrus-1",
        only_named: Some("it takes nearly every message that begins with login: and an address in brackets"),
        ..NONE
    },
    Signs {
        matcher: "dbmail",
        processes: &["dbmail-imapd"],
        programs: &["dbmail-imapd"],
        units: &["dbmail-imapd.service"],
        ..NONE
    },
    Signs { matcher: "dovecot", processes: &["dovecot"], programs: &["dovecot"], units: &["dovecot.service"], ..NONE },
    Signs {
        matcher: "dovecot-proxy",
        only_named: Some("only where Dovecot is a proxy (proxy=y) are its lines true"),
        ..NONE
    },
    Signs { matcher: "gnu-pop3d", processes: &["gnu-pop3d"], programs: &["gnu-pop3d"], ..NONE },
    Signs {
        matcher: "gromox",
        processes: &["gromox-pop3"],
        programs: &["/usr/libexec/gromox/pop3"],
        units: &["gromox-pop3.service"],
        ..NONE
    },
    Signs {
        matcher: "imapproxy",
        processes: &["imapproxyd", "in.imapproxyd"],
        programs: &["imapproxyd", "in.imapproxyd"],
        units: &["imapproxy.service"],
        ..NONE
    },
    Signs {
        matcher: "kopano",
        processes: &["kopano-gateway", "zarafa-gateway"],
        programs: &["kopano-gateway", "zarafa-gateway"],
        units: &["kopano-gateway.service", "zarafa-gateway.service"],
        ..NONE
    },
    Signs {
        matcher: "mailutils",
        processes: &["imap4d", "gnu-imap4d"],
        programs: &["imap4d", "gnu-imap4d", "/usr/sbin/pop3d", "/usr/local/sbin/pop3d"],
        units: &["mailutils-imap4d.service", "mailutils-pop3d.service"],
        ..NONE
    },
    Signs {
        matcher: "nginx",
        programs: &[
            "/usr/lib/nginx/modules/ngx_mail_module.so",
            "/usr/lib64/nginx/modules/ngx_mail_module.so",
            "/usr/local/libexec/nginx/ngx_mail_module.so",
        ],
        ..NONE
    },
    Signs {
        matcher: "perdition",
        processes: &["perdition", "perdition.pop3", "perdition.pop3s", "perdition.imap4", "perdition.imaps"],
        programs: &["perdition"],
        units: &["perdition.service"],
        ..NONE
    },
    Signs { matcher: "popa3d", processes: &["popa3d"], programs: &["popa3d"], ..NONE },
    Signs {
        matcher: "qpopper",
        processes: &["qpopper", "in.qpopper", "popper", "in.popper"],
        programs: &["qpopper", "in.qpopper", "popper", "in.popper"],
        ..NONE
    },
    Signs {
        matcher: "solid-pop3d",
        processes: &["solid-pop3d", "spop3d"],
        programs: &["solid-pop3d", "spop3d"],
        ..NONE
    },
    Signs {
        matcher: "stalwart",
        processes: &["stalwart", "stalwart-mail"],
        programs: &["stalwart", "stalwart-mail", "/opt/stalwart/bin/stalwart", "/opt/stalwart-mail/bin/stalwart-mail"],
        units: &["stalwart.service", "stalwart-mail.service"],
        ..NONE
    },
    Signs { matcher: "teapop", processes: &["teapop"], programs: &["teapop"], ..NONE },
    Signs { matcher: "tpop3d", processes: &["tpop3d"], programs: &["tpop3d"], ..NONE },
    Signs {
        matcher: "uw-imap",
        processes: &["ipop3d", "ipop2d"],
        programs: &["ipop3d", "ipop2d", "/usr/sbin/imapd", "/usr/local/libexec/imapd", "/usr/local/sbin/imapd"],
        ..NONE
    },
    Signs {
        matcher: "uw-imap-no-proxy",
        only_named: Some(
            "ipop3d logs what a stranger's server says, unless it is kept from connecting to other servers",
        ),
        ..NONE
    },
    Signs {
        matcher: "vdpop3d",
        processes: &["vdpop3d", "virtual-pop3d"],
        programs: &["vdpop3d", "virtual-pop3d"],
        ..NONE
    },
    Signs { matcher: "vm-pop3d", processes: &["vm-pop3d"], programs: &["vm-pop3d"], ..NONE },
    Signs {
        matcher: "vpopmail",
        programs: &[
            "vchkpw",
            "/home/vpopmail/bin/vchkpw",
            "/var/vpopmail/bin/vchkpw",
            "/usr/local/vpopmail/bin/vchkpw",
        ],
        ..NONE
    },
];

/// The row of a matcher; a matcher of the configuration file has none.
pub(super) fn of(matcher: &str) -> Option<&'static Signs> {
    SIGNS.iter().find(|signs| signs.matcher == matcher)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::BUILTIN;

    #[test]
    fn each_matcher_has_one_row_and_each_row_a_matcher() {
        let mut rows: Vec<_> = SIGNS.iter().map(|signs| signs.matcher).collect();
        let mut matchers: Vec<_> = BUILTIN.iter().map(|matcher| matcher.name).collect();
        rows.sort_unstable();
        matchers.sort_unstable();
        assert_eq!(rows, matchers);
    }

    #[test]
    fn a_sign_shows_one_server() {
        for list in [|signs: &Signs| signs.processes, |signs: &Signs| signs.programs, |signs: &Signs| signs.units] {
            let mut seen: Vec<_> = SIGNS.iter().flat_map(list).collect();
            let count = seen.len();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), count, "two servers have a sign in common");
            for shared in ["imap", "imapd", "imaps", "master", "nginx", "pop3", "pop3d", "pop3s"] {
                assert!(!seen.contains(&&shared), "{shared} is the name of several");
            }
        }
        assert!(SIGNS.iter().flat_map(|signs| signs.processes).all(|name| name.len() <= 15), "comm has 15 bytes");
    }
}
