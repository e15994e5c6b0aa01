//! What a stranger types for a user name, to have an address of his choice taken for that of a client who logged in.

/// The address that never logs in.
pub(super) const FORGED: &str = "203.0.113.66";

/// Genuine logins of each kind of server, without time and host.
const LOGINS: [&str; 19] = [
    "dovecot: imap-login: Login: user=<a>, method=PLAIN, rip=ADDRESS, lip=192.0.2.1, mpid=9, session=<AAAA>",
    "dovecot: pop3-login: proxy(a): started proxying to 192.0.2.7:110: user=<a>, method=PLAIN, rip=ADDRESS, lip=192.0.2.1",
    "imapd: LOGIN, user=a, ip=[::ffff:ADDRESS], port=[1], protocol=IMAP",
    "pop3d: LOGIN, user=a, ip=[ADDRESS], port=[1]",
    "cyrus/imap[9]: login: [ADDRESS] a plaintext User logged in SESSIONID=<a-1>",
    "imapd[9]: login: host.example[ADDRESS] a plaintext User logged in",
    "imapd[9]: Login user=a host=x [ADDRESS]",
    "ipop3d[9]: Login user=a host=x [ADDRESS] nmsgs=0/0",
    "imap4d[9]: ADDRESS\nHEADERimap4d[9]: user `a' logged in (source: system)",
    "gnu-pop3d[9]: Incoming connection from ADDRESS\nHEADERgnu-pop3d[9]: User `a' logged in with mailbox `/m'",
    "popa3d[9]: Session from ADDRESS\nHEADERpopa3d[9]: Authentication passed for a",
    "solid-pop3d[9]: user a authenticated - ADDRESS",
    "popper[9]: (v4.0) POP login by user \"a\" at (x) ADDRESS",
    "teapop[9]: Successful login for a [virtual: x] from x [ADDRESS]",
    "vpopmail[9]: vchkpw-pop3: (PLAIN) login success a@x.example:ADDRESS",
    "tpop3d[9]: fork_child: [3]a(ADDRESS): began session for `a' with passwd; child PID is 9",
    "nginx: 2026/11/27 13:00:00 [info] 9#9: *1 client logged in, client: ADDRESS, server: 0.0.0.0:110, login: \"a\"",
    "perdition.imap4[9]: Auth: ADDRESS:1->192.0.2.1:143 client-secure=plaintext authorisation_id=NONE \
     authentication_id=\"a\" server=\"x:143\" protocol=IMAP4 server-secure=plaintext status=\"ok\"",
    "in.imapproxyd[9]: LOGIN: 'a' (ADDRESS:1) on new sd [9]",
];

/// What may begin another message, or mean something to a logger on the way.
const BREAKS: [&str; 12] =
    ["\n", "\r\n", "\r", "\0", "\0<22>", "\n<22>", "\n\u{1}\u{2}", "#012", "\\n", " ", "", "\u{85}"];

/// Most bytes of a name or a message in some server or logger.
const LIMITS: [usize; 15] = [64, 80, 94, 256, 480, 505, 511, 900, 1000, 1024, 2000, 2048, 4096, 8096, 8192];

/// Names of other kinds: a success inside a failure, an end that another server would write, nobody, and somewhere else.
const ODDITIES: [&str; 14] = [
    "anonymous",
    "a>, method=PLAIN, rip=ADDRESS, lip=192.0.2.1, mpid=9, session=<A",
    "a\" ip=[ADDRESS]",
    "LOGIN, user=a, ip=[ADDRESS]",
    "login: h [ADDRESS] a plaintext User logged in",
    "a' (ADDRESS:1) on new sd [9]",
    "a\" server=\"127.0.0.1:143\" protocol=IMAP4 server-secure=plaintext status=\"ok\"",
    "a authenticated - ADDRESS",
    "a host=x [ADDRESS]",
    "ADDRESS",
    "127.0.0.1:a",
    "a@127.0.0.1",
    "%s%n%x ADDRESS",
    "\u{1}\u{82}imap-login: Login: user=<a>, method=PLAIN, rip=ADDRESS, lip=192.0.2.1",
];

/// Every name. `stamp` is the time at which lines of now are stamped.
pub(super) fn all(stamp: &str) -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    let header = format!("{stamp} mail ");
    for login in LOGINS {
        let lines = login.replace("HEADER", &header).replace("ADDRESS", FORGED);
        for split in BREAKS {
            // A character of Latin 1 is the byte that servers and loggers see.
            for text in [
                format!("x{split}{header}{lines}{split}{header}"),
                format!("x{split}{lines}{split}"),
                format!("x{split}{header}{lines}"),
            ] {
                names.push(latin1(&text));
            }
        }
        for limit in LIMITS {
            for over in [0, 10, 20, 40] {
                let pad = "x".repeat(limit.saturating_sub(over));
                names.push(latin1(&format!("{pad}{}", lines.split_once(": ").map_or("", |(_, message)| message))));
                names.push(latin1(&format!(
                    "{}\n{header}{lines}",
                    &pad[pad.len().min(lines.len() + header.len() + 1)..]
                )));
                names.push(latin1(&format!("{pad}\0{lines}")));
            }
        }
        names.push(latin1(&format!("{}<22>{lines}", "\0".repeat(300))));
        names.push(latin1(&format!("{}{header}{lines}", "\n".repeat(300))));
        names.push(latin1(&format!("{}{header}{lines}", "\u{ff}\n".repeat(200))));
    }
    names.extend(ODDITIES.iter().map(|name| latin1(&name.replace("ADDRESS", FORGED))));
    names
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}
